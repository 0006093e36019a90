"""A tour of the real app in a pseudo-terminal over hostile text, every screen, copy and export of it.

Once with the app's own driver, and once with Textual's, which lets everything through: what is clean then was clean
before it came to a driver.
"""

import base64
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from tests.rig.isolation import isolated
from tests.terminal import Terminal
from tests.torture.hostile import STRINGS, Tried, account, policy, run, toml

TEXT = STRINGS["all at once"]
SPOKEN = "[/oops]"
"""The part of the text by which one sees that it is shown, and literally."""

_OURS = re.compile(
    r"\x1b\[\?[\d;]+(?:[hl]|\$p)|\x1b\[[<>=]\d*u|\x1b\]22;\w+\x07|\x1b\]52;c;[A-Za-z0-9+/=]*\x07"
    r"|\x1b\[[\d;]*m|\x1b\[\d*(?:;\d+)?[HABCDJK]|\x1b\[6n|\x1b\[[\d;]*t|[\r\n\x08]"
)
"""What drivers send: modes, questions, pictures, and the clipboard in base64."""

_CLIPBOARD = re.compile(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07")

COMPARE = "AmazonEKS_CNI_Policy@v6..v99"


def prepare(home: Path) -> None:
    """Make a home whose cache has a hostile version, whose settings are hostile, and an account file beside it."""
    (home / "sync").mkdir(parents=True)
    version = {"PolicyVersion": {"Document": policy(TEXT), "VersionId": "v99", "IsDefaultVersion": True}}
    (home / "sync" / "AmazonEKS_CNI_Policy@v99.json").write_text(json.dumps(version))
    (home / "account.json").write_text(json.dumps(account(TEXT)))
    with mock.patch.dict(os.environ, isolated(home)):
        _, err, code = run(["sync", "--from", str(home / "sync")], "")
    assert code == 0, err
    settings = f"theme = {toml(TEXT)}\n{toml(TEXT)} = 1\n[keys]\n{toml(TEXT)} = {toml(TEXT)}\n"
    (home / "config.toml").write_text(settings)


class Tour:
    """One run of the app, and all that it sends looked at."""

    def __init__(self, terminal: Terminal, tried: Tried, home: Path) -> None:
        self.terminal = terminal
        self.tried = tried
        self.home = home
        self._looked = 0

    def see(self, place: str, keys: str = "", wanted: str = SPOKEN) -> None:
        """Type keys, wait for what is to be seen, and look at all that came."""
        for part in re.split(r"(\x1b(?!\[))", keys):
            self.terminal.send(part)
            if part == "\x1b":  # what follows at once would be taken for its second half
                self.terminal.settle(0.3)
        self.terminal.wait_for(wanted)
        self.terminal.settle(0.3)
        raw = bytes(self.terminal.raw[self._looked :])
        self._looked = self.terminal.received
        self.tried.places += 1
        self.tried.look(place, _OURS.sub("", raw.decode("utf-8", "replace")))
        for copied in _CLIPBOARD.findall(raw):
            self.tried.look(f"{place}, copied", base64.b64decode(copied).decode())

    def copies(self, place: str, choices: int = 4) -> None:
        """Copy in each form that is offered; beyond the last it is the last again."""
        for number in range(choices):
            self._choose(place, "y", number)
            before = self.terminal.received
            self.terminal.send("\r")
            self.terminal.wait_for(lambda: _CLIPBOARD.search(self.terminal.raw, before))  # noqa: B023 (called at once)
            self.see(f"{place}, {number}", "", "Sent")

    def exports(self, place: str, choices: int = 2) -> None:
        """Write a file in each form that is offered."""
        for number in range(choices):
            self._choose(place, "e", number)
            self.see(f"{place}, {number}", "\r", "Write to a file")
            path = self.home / f"export-{len(list(self.home.glob('export-*')))}"
            self.see(f"{place}, name", "\x15", "name of the file")
            self.see(f"{place}, name", str(path), str(path))
            self.see(f"{place}, written", "\r", "Wrote")
            self.tried.look(f"{place}, file {number}", path.read_text())

    def _choose(self, place: str, key: str, number: int) -> None:
        self.see(f"{place}, choice", key, "enter chooses")
        self.see(f"{place}, choice {number}", "j" * number, "enter chooses")


@contextmanager
def app(home: Path, words: list[str], tried: Tried, env: Mapping[str, str]) -> Iterator[Tour]:
    """Run the app; it must end as it should."""
    command = (sys.executable, "-m", "ekstui", *words)
    with Terminal(command, columns=150, rows=50, env={**isolated(home), **env}) as terminal:
        yield Tour(terminal, tried, home)
        for _ in range(20):
            if terminal.process.poll() is None:
                terminal.press("\x1b", 0.1)
                terminal.press("q", 0.1)
        code = terminal.wait_exit().code
        if code:
            tried.notes.append(f"{words}: ended with {code}: {terminal.raw[-300:]!r}")


def tour(home: Path, driver: str, env: Mapping[str, str]) -> Tried:
    """See every screen over the hostile version and the hostile account file."""
    tried = Tried(strings=1)
    env = {"EKSTUI_DRIVER": driver, **env}
    with app(home, [COMPARE, "--account-file", str(home / "account.json")], tried, env) as at:
        at.see("settings, comparison by meaning")
        at.see("comparison, unified", "v", "")
        at.see("comparison, unified, end", "G", SPOKEN)
        at.see("comparison, side by side", "vG", SPOKEN)
        at.see("comparison, swapped", "x", "")
        at.copies("comparison, copy")
        at.exports("comparison, export")
        at.see("permissions", "\x1b\x1b2", "Permissions")
        at.see("permissions, open", "\r\r\x1b[B\r", "")
        at.see("permissions, end", "zG\r", "")
        at.see("permissions, back", "z", "Policies")
        at.copies("permissions, copy")
        at.exports("version, export", 4)
        at.see("versions", "3G", "v99")
        at.see("table", "t", "Actions given")
        at.see("table, open", "gG\r", "An action")
        at.see("table, end", "G", "")
        at.copies("table, copy")
        at.exports("table, export")
    with app(home, ["AmazonEKSClusterPolicy", "--account-file", str(home / "account.json")], tried, env) as at:
        at.see("attached", "", "account 1234…")
        at.see("attached", "4z", SPOKEN)
        at.copies("attached, copy")
        at.see("role", "g\r", "Findings")
        at.see("role, end", "G", "")
        at.see("role, permissions", "v", "")
        at.see("role, trust policy", "v", "sts:AssumeRole")
        at.copies("role, copy")
        at.exports("role, export")
        at.see("help", "\x1b?", "")
        at.see("palette", "\x1b:oops", "")
        at.see("changes", "\x1b\x1bf", "")
    return tried


def main() -> int:
    """Make the tour with each driver, and print what came of it."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        prepare(home)
        for driver in ("plain", "ours"):
            tried = tour(home, driver, {})
            wrong += len(tried.notes)
            print(f"driver {driver}: {tried.line()}", *tried.notes, sep="\n  ", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
