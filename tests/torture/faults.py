"""Every fault of the proxy at the calls that matter, and what users read: no traceback, no false zero, no age left out.

`python -m tests.torture.faults` prints the matrix: fault × call × (attached, cluster, the app's pane).
"""

import asyncio
import contextlib
import io
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from ekstui.cli.main import main as ekstui
from ekstui.library import Library
from ekstui.sources.aws import connection
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer import ExplorerScreen
from ekstui.tui.styled import plain
from ekstui.tui.widgets.attached import AttachedPane
from tests.rig.proxy import Effect
from tests.rig.rig import Rig

FAULTS: dict[str, Effect] = {
    "denied": Effect("error", cause="denied"),
    "denied by an SCP": Effect("error", cause="denied-by-scp"),
    "throttled": Effect("error", cause="throttled"),
    "expired": Effect("error", cause="expired"),
    "bad key": Effect("error", cause="bad-key"),
    "clock skewed": Effect("error", cause="skewed"),
    "not opted in": Effect("error", cause="not-opted-in"),
    "unavailable": Effect("error", cause="unavailable"),
    "reset": Effect("reset"),
    "hang": Effect("hang"),
    "cut": Effect("cut"),
    "truncated": Effect("truncate"),
    "bad XML": Effect("bad_xml"),
    "garbage": Effect("garbage"),
    "captive portal": Effect("html"),
    "no marker": Effect("no_marker"),
    "same marker": Effect("same_marker"),
    "escape sequences": Effect("error", code="Odd\x1b[2J", status=400, message="x\x1b]2;OWNED\x07\u202e[/oops]"),
}

CALLS = (
    ("sts", "GetCallerIdentity"),
    ("iam", "GetAccountAuthorizationDetails"),
    ("iam", "ListPolicies"),
    ("eks", "ListClusters"),
    ("eks", "DescribeCluster"),
    ("eks", "ListPodIdentityAssociations"),
)

SHORT = (("sts", "GetCallerIdentity"), ("iam", "GetAccountAuthorizationDetails"), ("eks", "ListClusters"))

POLICY = "AmazonEKSClusterPolicy"
_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ZERO = re.compile(r"Nothing in this account carries it|\b0 roles", re.IGNORECASE)
_HARMLESS = {("bad XML", "eks"), ("no marker", "sts"), ("same marker", "sts")}
"""Faults that change nothing of such an answer."""


_ASKING = ("ekstui-account", "ekstui-attached")
"""The threads in which the app asks."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one fault at one call in one place."""

    fault: str
    call: str
    place: str
    said: str
    wrong: str
    """Why it is wrong, or empty."""


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Let calls that hang be given up soon; how long is waited is not what is looked at here."""
    with (
        mock.patch.object(connection, "READ_TIMEOUT", 0.5),
        mock.patch.object(connection, "SWEEP_READ_TIMEOUT", 0.5),
        mock.patch.object(connection, "ATTEMPTS", 2),
    ):
        yield


def command(words: list[str]) -> tuple[int, str, str]:
    """Run a command here; return exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = ekstui(words)
    return code, out.getvalue(), err.getvalue()


def pane() -> tuple[str, str]:
    """Start the app; return what the pane of attachments and the header say once the account was asked."""

    async def look() -> tuple[str, str]:
        library = Library.open()
        app = EkstuiApp(library)
        async with app.run_test(size=(140, 40)) as pilot, asyncio.timeout(60):
            screen = app.screen
            assert isinstance(screen, ExplorerScreen)
            await pilot.press("j")
            # The app looks at the account by itself soon after its start.
            await pilot.pause(0.6)
            screen.ask_account(ask=True)
            asked = screen.query_one(AttachedPane)
            while any(thread.name in _ASKING for thread in threading.enumerate()) or screen.account.asking:
                await pilot.pause(0.05)
            rows = "\n".join(" ".join(map(plain, row.cells)) for row in asked.rows.rows)
            note = str(asked.border_subtitle or "")
            shown = "".join(strip.text for strip in screen.header.render_lines(screen.header.region.reset_offset))
            return f"{rows}\n{note}", shown

    return asyncio.run(look())


def judged(fault: str, call: tuple[str, str], place: str, said: str, *, whole: bool) -> Cell:
    """Hold what was said against what must never be said."""
    wrong = ""
    if "Traceback" in said or "error of its own" in said or "went wrong inside" in said:
        wrong = "a traceback"
    elif _RAW.search(said):
        wrong = "raw control characters"
    elif _ZERO.search(said):
        wrong = "a false zero"
    elif not whole and not re.search(r"[a-z]{3}", said):
        wrong = "nothing is said"
    return Cell(fault, ":".join(call), place, said, wrong)


def cells(rig: Rig, home: Path, calls: tuple[tuple[str, str], ...], faults: list[str]) -> Iterator[Cell]:
    """Yield a cell for each fault at each call, in both commands and in the app, which has a snapshot from before."""
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for call in calls:
            for fault in faults:
                rig.reset(0)
                rig.proxy.add(FAULTS[fault], *call)
                for place, words in (("attached", ["attached", POLICY]), ("cluster", ["cluster", "prod"])):
                    code, out, err = command(words)
                    cell = judged(fault, call, place, out + err, whole=False)
                    complete = not err
                    if not cell.wrong and complete and code == 1:
                        cell = Cell(*_of(cell), "a false zero")
                    yield cell


def in_app(rig: Rig, home: Path, calls: tuple[tuple[str, str], ...], faults: list[str]) -> Iterator[Cell]:
    """Yield a cell for each fault in the app: at first without a snapshot, then with one that is stale by then."""
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for call in calls:
            for fault in faults:
                for kept in (False, True):
                    Library.open().live.forget(None)
                    rig.reset(0)
                    if kept:
                        code, _, err = command(["attached", POLICY])
                        assert code == 0, err
                    rig.proxy.add(FAULTS[fault], *call)
                    rows, header = pane()
                    cell = judged(fault, call, "pane, stale" if kept else "pane", f"{rows}\n{header}", whole=False)
                    if kept and not cell.wrong and "ago" not in header and "just now" not in header:
                        cell = Cell(*_of(cell), "an age is missing")
                    yield cell


def _of(cell: Cell) -> tuple[str, str, str, str]:
    return cell.fault, cell.call, cell.place, cell.said


def main() -> int:
    """Print the matrix and what was said in each cell."""
    wrong = total = 0
    with tempfile.TemporaryDirectory() as folder, Rig(0) as rig:
        everything = (
            *cells(rig, Path(folder), CALLS, list(FAULTS)),
            *in_app(rig, Path(folder), SHORT, list(FAULTS)),
        )
        for cell in everything:
            total += 1
            wrong += bool(cell.wrong)
            last = " / ".join(line for line in cell.said.splitlines() if line)[-160:]
            print(
                f"{'WRONG ' + cell.wrong if cell.wrong else 'ok':<8} {cell.fault:<18} {cell.call:<36} {cell.place:<12} {last!r}"
            )
    print(f"{total} cells, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
