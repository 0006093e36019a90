"""Record session.cast: a short walk through the real app, in the form that asciinema plays.

    python screenshots/record.py        # asciinema play screenshots/session.cast

The app runs in a terminal of its own on the real corpus and the demo's account.
"""

import codecs
import fcntl
import json
import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
COLUMNS, LINES = 120, 36


def _typed(text: str) -> tuple[tuple[str, float], ...]:
    return tuple((letter, 0.12) for letter in text)


WALK: tuple[tuple[str, float], ...] = (
    ("", 6), ("j", 0.6), ("j", 0.6), ("k", 0.8), ("/", 0.8), *_typed("LoadBal"), ("\r", 1.5),
    # What changed, in three views.
    ("3", 1), ("j", 0.6), ("j", 0.6), ("k", 1), ("d", 3), ("v", 2), ("v", 2), ("\x1b", 1.5),
    # Who may do it, and what is wrong in a cluster.
    ("w", 1), *_typed("ec2:CreateTags"), ("\r", 4), ("\x1b", 1.5),
    ("c", 1.5), ("j", 0.8), ("\r", 3), ("n", 1), ("n", 1.5), ("v", 2), ("j", 0.4), ("j", 0.4), ("\x1b", 1),
    # A controller's releases, what AWS changed, and the keys.
    (":", 1), *_typed("karpenter@v1.8.0..v1.9.0"), ("\r", 4), ("\x1b", 1),
    ("f", 3), ("\x1b", 1), ("?", 2), ("\x1b", 1), ("q", 1),
)  # fmt: skip
"""Keys, and how many seconds to watch after each."""


def main() -> int:
    """Run the app, press the keys, and write what it sent with its times."""
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            **{f"EKSTUI_{name}": f"{home}/{name.lower()}" for name in ("CACHE", "STATE", "CONFIG")},
            "HOME": home,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        events = record(environment)
    header = {"version": 2, "width": COLUMNS, "height": LINES, "title": "ekstui"}
    lines = [json.dumps(header), *(json.dumps([round(at, 3), "o", text]) for at, text in events)]
    (FOLDER / "session.cast").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(events)} frames, {events[-1][0]:.0f} s")
    return 0


def record(environment: dict[str, str]) -> list[tuple[float, str]]:
    """Return what the app sent and when, in seconds since its first byte."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(sys.executable, [sys.executable, "-m", "ekstui", "--demo"], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a read may end within a character
    decoded: list[tuple[float, str]] = []
    begun: float | None = None
    for keys, seconds in WALK:
        os.write(terminal, keys.encode())
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if not select.select([terminal], [], [], left)[0]:
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the app has ended
                os.waitpid(child, 0)
                return decoded
            begun = begun or time.monotonic()
            decoded.append((time.monotonic() - begun, decoder.decode(data)))
    os.waitpid(child, 0)
    return decoded


if __name__ == "__main__":
    sys.exit(main())
