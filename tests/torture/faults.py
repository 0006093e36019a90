"""Every fault of the proxy at the calls that matter, and what users read: no traceback, no false zero, no age left out.

`python -m tests.torture.faults` prints the matrix: fault × call × (two commands, and five screens of the app).
"""

import argparse
import asyncio
import contextlib
import io
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from time import monotonic
from unittest import mock

from textual.widget import Widget

from ekstui.cli.main import main as ekstui
from ekstui.library import Library
from ekstui.present.styled import plain
from ekstui.sources.aws import connection
from ekstui.tui.app import EkstuiApp, where_to_start
from ekstui.tui.screens.account_screen import AccountScreen
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.explain_screen import ExplainScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from ekstui.tui.widgets.rows import RowList
from tests.filled import fill_cache
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
    "unmarked": Effect("unmarked"),
    "a list": Effect("body", message="[]"),
    "null": Effect("body", message="null"),
    "a number": Effect("body", message="42"),
    "deep": Effect("body", message="[" * 100_000),
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

STALE = SHORT[:2]
"""The calls whose failure leaves what was known before."""

POLICY = "AmazonEKSClusterPolicy"
ROLE = "arn:aws:iam::123456789012:role/prod-cluster"
COMMANDS = {"attached": ["attached", POLICY], "cluster NAME": ["cluster", "prod"]}
"""What the matrix calls a command -> its words."""
_RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ZERO = re.compile(
    r"It is not attached in this account|\b0 roles|there is no (?:role|cluster)\b(?!.* in the part of account .* that was read\.\s\S)",
    re.IGNORECASE | re.DOTALL,
)


_ASKING = ("ekstui-account", "ekstui-attached", "ekstui-report")
"""How the names of the threads begin in which the app asks."""


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


def screens() -> dict[str, str]:
    """Start the app and ask; return what each screen about the account says, with the header of the first."""

    async def look() -> dict[str, str]:
        library = Library.open()
        app = EkstuiApp(library, where_to_start(POLICY, library))
        async with app.run_test(size=(140, 40)) as pilot, asyncio.timeout(60):
            explorer = app.screen
            assert isinstance(explorer, ExplorerScreen)
            while explorer.shown is None or explorer.shown.entry.policy.name != POLICY:
                await pilot.pause(0.02)
            explorer.ask_account(ask=True)
            await pilot.pause(0.05)
            while _works() or explorer.account.asking:
                await pilot.pause(0.02)
            pane = explorer.query_one(AttachedPane)
            shown = "".join(strip.text for strip in explorer.header.render_lines(explorer.header.region.reset_offset))
            said = {"pane": f"{words(pane)}\n{pane.border_subtitle or ''}\n{shown}"}
            for place, screen in (
                ("account", AccountScreen(explorer.account)),
                ("cluster", ClusterScreen("prod", "eu-central-1")),
                ("role", RoleScreen(ROLE)),
                ("explain", ExplainScreen(f"role:{ROLE} ec2:CreateTags")),
            ):
                await app.push_screen(screen)
                while _works() or words(screen) == screen.WAITING:
                    await pilot.pause(0.02)
                said[place] = words(screen)
                app.pop_screen()
            return said

    return asyncio.run(look())


def _works() -> bool:
    return any(thread.name.startswith(_ASKING) for thread in threading.enumerate())


def words(node: Widget) -> str:
    """Return what the rows in a widget hold, a line a row."""
    return "\n".join(" ".join(map(plain, row.cells)).strip() for rows in node.query(RowList) for row in rows.rows)


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
                for place, words in COMMANDS.items():
                    code, out, err = command(words)
                    cell = judged(fault, call, place, out + err, whole=False)
                    complete = not err
                    if not cell.wrong and complete and code == 1:
                        cell = Cell(*_of(cell), "a false zero")
                    yield cell


def in_app(rig: Rig, home: Path, calls: tuple[tuple[str, str], ...], faults: list[str]) -> Iterator[Cell]:
    """Yield a cell for each fault at each call on each screen: without a snapshot, and with one where it may matter."""
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for call in calls:
            for fault in faults:
                for kept in (False, True) if call in STALE else (False,):
                    Library.open().account.forget(None)
                    rig.reset(0)
                    if kept:
                        code, _, err = command(["attached", POLICY])
                        assert code == 0, err
                    rig.proxy.add(FAULTS[fault], *call)
                    for place, said in screens().items():
                        cell = judged(fault, call, f"{place}, stale" if kept else place, said, whole=False)
                        if kept and place == "pane" and not cell.wrong and not re.search("ago|just now", said):
                            cell = Cell(*_of(cell), "an age is missing")
                        yield cell


def _of(cell: Cell) -> tuple[str, str, str, str]:
    return cell.fault, cell.call, cell.place, cell.said


def main() -> int:
    """Print the matrix and what was said in each cell."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60, help="begin no cell after so many")
    given = parser.parse_args()
    wrong: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, Rig(0) as rig:
        home = Path(folder)
        fill_cache(home / "cache")
        until = monotonic() + 60 * given.minutes
        every = ((call, fault) for fault in FAULTS for call in CALLS)
        for call, fault in every:
            if monotonic() > until:
                break
            for cell in chain(cells(rig, home, (call,), [fault]), in_app(rig, home, (call,), [fault])):
                kind = "commands" if cell.place in COMMANDS else "screens"
                seen[kind] += 1
                wrong[kind] += bool(cell.wrong)
                last = " / ".join(line for line in cell.said.splitlines() if line)[-160:]
                verdict = f"WRONG {cell.wrong}" if cell.wrong else "ok"
                print(f"{verdict:<8} {cell.fault:<18} {cell.call:<36} {cell.place:<14} {last!r}", flush=True)
            seen["faults at calls"] += 1
    print(f"{seen['faults at calls']} of {len(FAULTS) * len(CALLS)} faults at calls: "
          f"{seen['commands']} cells of commands, {wrong['commands']} wrong; "
          f"{seen['screens']} cells of screens, {wrong['screens']} wrong")  # fmt: skip
    return 1 if wrong.total() else 0


if __name__ == "__main__":
    sys.exit(main())
