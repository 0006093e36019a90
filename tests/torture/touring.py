"""Runs the real app in a pseudo-terminal over hostile text, and looks at all that it sends, copies and writes."""

import base64
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.terminal import Terminal
from tests.torture.hostile import STRINGS, Tried

TEXT = STRINGS["all at once"]
SPOKEN = "[/oops]"
"""The part of the text by which one sees that it is shown, and literally."""

_OURS = re.compile(
    r"\x1b\[\?[\d;]+(?:[hl]|\$p)|\x1b\[[<>=]\d*u|\x1b\]22;\w+\x07|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
    r"|\x1b\[[\d;]*m|\x1b\[\d*(?:;\d+)?[HABCDJK]|\x1b\[6n|\x1b\[[\d;]*t|[\r\n\x08]"
)
"""What drivers send: modes, questions, pictures, and the clipboard in base64."""

_CLIPBOARD = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")

ESCAPE = "\x1b"

COLUMNS, ROWS = 150, 50


class Tour:
    """One run of the app, and all that it sends looked at."""

    def __init__(self, terminal: Terminal, tried: Tried, home: Path, *, quiet: float, escapes: bool) -> None:
        self.terminal = terminal
        self.tried = tried
        self.home = home
        self.quiet = quiet
        """Seconds without a byte after which a screen is taken to be whole."""
        self._escapes = escapes
        """Whether a paste may hold escape characters: Textual's own driver takes what follows one for keys."""
        self.takes_out = True
        """Whether what can be copied and exported is."""
        self._looked = 0
        self._files = 0

    def see(self, place: str, keys: str = "", wanted: str = SPOKEN) -> None:
        """Type keys, wait for what is to be seen, and look at all that came."""
        *before, last = [part for part in re.split(r"(\x1b(?!\[))", keys) if part] or [""]
        for part in before:
            self.terminal.press(part, self.quiet)
        if wanted:
            self.terminal.send(last)  # what is wanted may be gone by the time all is quiet
        elif last:
            self.terminal.press(last, self.quiet)
        self.terminal.wait_for(wanted)
        self.terminal.settle(self.quiet)
        raw = bytes(self.terminal.raw[self._looked :])
        self._looked = self.terminal.received
        self.tried.places += 1
        self.tried.look(place, _OURS.sub("", raw.decode("utf-8", "replace")))
        for copied_text in _CLIPBOARD.findall(raw):
            self.tried.look(f"{place}, copied", base64.b64decode(copied_text).decode())

    def paste(self, place: str, text: str, wanted: str = SPOKEN) -> None:
        """Paste a text as terminals do."""
        self.terminal.send(f"\x1b[200~{text if self._escapes else text.replace(ESCAPE, '')}\x1b[201~".encode())
        self.see(place, "", wanted)

    def copies(self, place: str, choices: int = 4) -> None:
        """Copy in each form that is offered; beyond the last it is the last again."""
        if not self.takes_out:
            return
        for number in range(choices):
            self._choose(place, "y", number)
            before = self.terminal.received
            self.terminal.send("\r")
            self.terminal.wait_for(lambda: _CLIPBOARD.search(self.terminal.raw, before))  # noqa: B023 (called at once)
            self.see(f"{place}, {number}", "", "Sent")

    def exports(self, place: str, choices: int = 2) -> None:
        """Write a file in each form that is offered."""
        if not self.takes_out:
            return
        for number in range(choices):
            self._choose(place, "e", number)
            self.see(f"{place}, {number}", "\r", "Save to a file")
            self._files += 1
            path = self.home / f"export-{self._files}"
            self.see(f"{place}, name", "\x15", "name of the file")
            self.see(f"{place}, name", str(path), str(path))
            self.see(f"{place}, written", "\r", "Wrote")
            self.tried.look(f"{place}, file {number}", path.read_text())
            path.unlink()

    def _choose(self, place: str, key: str, number: int) -> None:
        self.see(f"{place}, choice", key, " chooses")
        if number:
            self.see(f"{place}, choice {number}", "\x1b[B" * number, " chooses")


@contextmanager
def app(home: Path, words: list[str], tried: Tried, env: Mapping[str, str], quiet: float = 0.2) -> Iterator[Tour]:
    """Run the app; it must end as it should."""
    command = (sys.executable, "-m", "ekstui", *words)
    with Terminal(command, columns=COLUMNS, rows=ROWS, env=env, forked=True) as terminal:
        yield Tour(terminal, tried, home, quiet=quiet, escapes=env.get("EKSTUI_DRIVER") != "plain")
        for _ in range(20):
            if terminal.process.poll() is None:
                terminal.press("\x1b", 0.1)
                terminal.press("q", 0.1)
        code = terminal.wait_exit().code
        if code:
            tried.notes.append(f"{words}: ended with {code}: {terminal.raw[-300:]!r}")
