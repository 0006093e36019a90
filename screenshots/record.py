"""Record session.cast, ten tasks in the real app in the form that asciinema plays, and session.gif, what each of them shows.

    python screenshots/record.py        # asciinema play screenshots/session.cast

The app runs in a terminal of its own on the real corpus and the demo's account. The picture needs `rsvg-convert` and
ImageMagick (Debian: librsvg2-bin, imagemagick, fonts-firacode).
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from tests.rig.isolation import isolated  # noqa: E402
from tests.support.terminal import Terminal  # noqa: E402
from tests.tui.test_ten_tasks import APP, DENIAL  # noqa: E402

COLUMNS, LINES = 120, 36
LONGEST = 4.0
"""The longest pause in the recording, in seconds, however long the machine took."""
CELL = (7.2, 16)
"""Width and height of a cell in the picture, in pixels."""
COLOURS = 64
DULL, GROUND = "#e0e0e0", "#121212"


class Task(NamedTuple):
    """What a user wants to know, the keys that lead to it, and what then stands on the screen."""

    question: str
    keys: str
    shows: str
    pasted: str = ""


TASKS = (
    Task("Who has the CNI policy, and what uses it?", "", "KarpenterNodeRole-prod"),
    Task("What did its newest version change?", "d", "ec2:DescribeSecurityGroups"),
    Task("What is wrong with my cluster?", "cp\r", "lacks CloudWatchAgentServerPolicy"),
    Task("Why was this denied?", "\r", "CHECK", DENIAL),
    Task("Which policies allow an action of ECR, and since when?", "wbatchi\r", "since v1"),
    Task("How do two policies of the EBS CSI driver differ?", "/ebsc\r jjd", "only A"),
    Task("What does a role's copy lack of today's policy?", "4Gd", "role:legacy-node-NodeInstanceRole"),
    Task("What does Karpenter need from 1.8 to 1.14?", ":kar@1.8..1.14\r", "ec2:DescribeInstanceStatus"),
    Task("Who may exec into pods?", "wexec\r", "AWSReservedSSO_AdministratorAccess"),
    Task("What did a year widen of what is attached?", "fvppO", "only wider"),
)


class Recording:
    """A terminal that is watched, with what it received and when."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.events: list[tuple[float, str, str]] = []
        self.frames: list[tuple[str, int]] = []
        """Pictures as SVG, each with how long it is shown, in hundredths of a second."""
        self._seen = 0
        self._at, self._clock = 0.0, time.monotonic()

    def watch(self, seconds: float, shows: str = "") -> None:
        """Receive for so many seconds, and until the screen shows a word and is quiet."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or shows not in self.terminal.text:
            if self.terminal.pump(0.1):
                self._note()
                until = max(until, time.monotonic() + 0.3)

    def _note(self) -> None:
        now = time.monotonic()
        self._at, self._clock = self._at + min(now - self._clock, LONGEST), now
        data = bytes(self.terminal.raw[self._seen :])
        text = data.decode("utf-8", "ignore")  # the rest of a character comes with the next read
        self._seen += len(text.encode())
        self.events.append((self._at, "o", text))

    def play(self, task: Task) -> None:
        """Do one task with a person's pauses, and go back."""
        self.events.append((self._at, "m", task.question))
        if task.pasted:
            self.terminal.send(f"\x1b[200~{task.pasted}\x1b[201~".encode())
            self.watch(1.5, "Explain this message")
            self.frame(task, 120)
        for index, key in enumerate(task.keys):
            if index and index == len(task.keys) - 1:
                self.watch(0.6)
                if len(task.keys) > 2:
                    self.frame(task, 80)
            self.terminal.send(key)
            self.watch(0.25)
        self.watch(2.5, task.shows)
        self.frame(task, 280)
        for _ in range(8):
            if "1 Policies" in self.terminal.text and "of 51" not in self.terminal.text:
                break
            self.terminal.send("\x1b")
            self.watch(0.4)
        for key in "u1g" if "u clear" in self.terminal.text else "1g":
            self.terminal.send(key)
            self.watch(0.15)
        self.watch(0.5, "Permissions · AmazonEKS_CNI_Policy")

    def frame(self, task: Task, hundredths: int) -> None:
        """Take a picture of the screen, under the question."""
        self.frames.append((svg(self.terminal, task.question), hundredths))


def svg(terminal: Terminal, question: str) -> str:
    """Return the screen as a picture, with a line above it."""
    cell_width, cell_height = CELL
    width, height = COLUMNS * cell_width + 16, (LINES + 1.6) * cell_height + 8
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">',
        f'<rect width="100%" height="100%" fill="{GROUND}"/><g font-family="Fira Code" font-size="{cell_height * 0.73}">',
        f'<text x="8" y="{cell_height}" fill="#ffa62b" font-weight="bold" font-size="{cell_height * 0.9}">{escape(question)}</text>',
    ]
    for y in range(LINES):
        top = (y + 1.6) * cell_height
        for x in range(COLUMNS):
            cell = terminal.screen.buffer[y][x]
            ink, ground = _colour(cell.fg, DULL), _colour(cell.bg, GROUND)
            if cell.reverse:
                ink, ground = ground, ink
            left_edge = 8 + x * cell_width
            if ground != GROUND:
                shapes.append(
                    f'<rect x="{left_edge:.1f}" y="{top:.1f}" width="{cell_width + 0.4}" height="{cell_height}" fill="{ground}"/>'
                )
            if cell.data.strip():
                weight = ' font-weight="bold"' if cell.bold else ""
                shapes.append(
                    f'<text x="{left_edge:.1f}" y="{top + cell_height * 0.76:.1f}" fill="{ink}"{weight}>{escape(cell.data)}</text>'
                )
    return "".join([*shapes, "</g></svg>"])


def _colour(name: str, default: str) -> str:
    return default if name == "default" else f"#{name}" if len(name) == 6 else name


def main() -> int:
    """Run the app, do the tasks, and write what it sent with its times, and the picture."""
    with tempfile.TemporaryDirectory() as home:
        with Terminal(APP, columns=COLUMNS, rows=LINES, env=isolated(Path(home))) as terminal:
            # The first start fills the cache, which a second one would not.
            terminal.wait_for("111122223333")
            terminal.settle(5)
            terminal.send("q")
            terminal.wait_exit()
        with Terminal(APP, columns=COLUMNS, rows=LINES, env=isolated(Path(home))) as terminal:
            recording = Recording(terminal)
            recording.watch(2, "KarpenterNodeRole-prod")
            for task in TASKS:
                recording.play(task)
            terminal.send("q")
            terminal.wait_exit()
    header = {"version": 2, "width": COLUMNS, "height": LINES, "title": "ekstui: ten tasks"}
    lines = [json.dumps(header), *(json.dumps([round(time, 3), kind, text]) for time, kind, text in recording.events)]
    (FOLDER / "session.cast").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(recording.events)} events, {recording.events[-1][0]:.0f} s")
    if shutil.which("rsvg-convert") and shutil.which("magick"):
        animate(recording.frames)
    return 0


def animate(frames: list[tuple[str, int]]) -> None:
    """Write the pictures as one that moves."""
    with tempfile.TemporaryDirectory() as folder:
        words: list[str] = []
        for number, (picture, hundredths) in enumerate(frames):
            path = f"{folder}/{number:03}.png"
            subprocess.run(["rsvg-convert", "-o", path, "-"], input=picture.encode(), check=True)
            words += ["-delay", str(hundredths), path]
        animation = FOLDER / "session.gif"
        subprocess.run(
            ["magick", *words, "-loop", "0", "+dither", "-colors", str(COLOURS), "-layers", "optimize", str(animation)],
            check=True,
        )
        print(f"{animation.name}: {len(frames)} pictures, {animation.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    sys.exit(main())
