"""Every fault of the proxy at the calls that matter, and what users read: no traceback, no false zero, no age left out.

`python -m tests.torture.faults` prints the matrix: fault × six calls × (two commands, and five screens of the app); and
fault or wrong shape × every call that ekstui makes, where the command's answer is held against the undisturbed one.
"""

import argparse
import asyncio
import contextlib
import gc
import io
import json
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count, groupby
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from ekstui.cli.main import main as ekstui
from ekstui.library import Library
from ekstui.sources.aws import connection
from ekstui.sources.aws.connection import OPERATIONS
from ekstui.tui.app import EkstuiApp, where_to_start
from ekstui.tui.screens.account_screen import AccountScreen
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.explain_screen import ExplainScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.support.filled import copy_of_cache, fill_cache
from tests.support.patience import PATIENCE
from tests.support.rows import words
from tests.support.undrawn import draw
from tests.torture import add_share, is_broken

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

SHAPES: dict[str, Effect] = {
    "a text": Effect("body", message='"x"'),
    "nothing": Effect("body"),
    "an empty object": Effect("body", message="{}"),
    "an empty element": Effect("body", message="<Answer/>"),
    "no lists": Effect("no_lists"),
    "numbers for lists": Effect("odd_lists"),
    "ARNs without colons": Effect("odd_arns"),
    "absent": Effect("error", code="ResourceNotFoundException", status=404),
    "no such entity": Effect("error", code="NoSuchEntity", status=404),
}
"""More that has not the form that AWS gives it."""

EFFECTS = FAULTS | SHAPES

SHORT = (("sts", "GetCallerIdentity"), ("iam", "GetAccountAuthorizationDetails"), ("eks", "ListClusters"))

STALE = SHORT[:2]
"""The calls whose failure leaves what was known before."""

POLICY = "AmazonEKSClusterPolicy"
ROLE = "arn:aws:iam::123456789012:role/prod-cluster"
COMMANDS = {"attached": ["attached", POLICY], "cluster NAME": ["cluster", "prod"]}
"""What the matrix calls a command -> its words."""


@dataclass(frozen=True, slots=True)
class Question:
    """A command, and what must be so before it makes the call that is looked at."""

    words: tuple[str, ...]
    denied: str = ""
    """The call of IAM that is denied, so that others are made in its place."""
    publish: bool = False
    """Whether AWS has a version that is not known."""


CLUSTER = Question(("cluster", "prod", "--json"))
ENTITIES = Question(("attached", POLICY, "--json"), denied="GetAccountAuthorizationDetails")
SYNC = Question(("sync", "--from", "aws", "--json"), publish=True)
NO_AGGREGATOR = Question(("attached", POLICY, "--aggregator", "none", "--json"))
ASKS = {
    "iam:ListPolicies": SYNC, "iam:ListPolicyVersions": SYNC, "iam:GetPolicyVersion": SYNC,
    "iam:ListEntitiesForPolicy": ENTITIES, "iam:GetRole": ENTITIES,
    "iam:SimulatePrincipalPolicy": Question(
        ("explain", "--action", "ec2:CreateTags", "--role", "prod-cluster", "--simulate", "--json")
    ),
    "iam:GenerateServiceLastAccessedDetails": Question(("used", "role:prod-cluster", "--json")),
    "iam:GetServiceLastAccessedDetails": Question(("used", "role:prod-cluster", "--json")),
    "ec2:DescribeRegions": Question(("account", "--region", "all", "--json")),
    "config:SelectAggregateResourceConfig": Question(("attached", POLICY, "--aggregator", "organisation", "--json")),
    "config:DescribeConfigurationAggregators": NO_AGGREGATOR,
}  # fmt: skip
"""By which command a call is made; those that are not here are made by `cluster`."""

MAY_LACK_LISTS = frozenset({"eks:DescribeAccessEntry", "eks:DescribeAddon", "eks:DescribeNodegroup"})
"""Calls whose answers have lists that AWS's model does not require: one that is missing is empty."""

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
    text: str
    wrong: str
    """Why it is wrong, or empty."""


@contextlib.contextmanager
def impatient() -> Iterator[None]:
    """Let calls that hang be given up soon, and others be tried again at once; how long is waited is not what is looked at."""
    import botocore.endpoint
    from botocore.retries.bucket import TokenBucket

    with (
        mock.patch.object(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None)),
        mock.patch.object(TokenBucket, "acquire", lambda *_, **__: True),
        mock.patch.object(connection, "READ_TIMEOUT", 2.0),
        mock.patch.object(connection, "SWEEP_READ_TIMEOUT", 4.0),
        mock.patch.object(connection, "ATTEMPTS", 2),
    ):
        yield


def command(words: list[str]) -> tuple[int, str, str]:
    """Run a command here; return exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = ekstui(words)
    _forget_garbage()
    return code, out.getvalue(), err.getvalue()


def screens() -> dict[str, str]:
    """Start the app and ask; return what each screen about the account says, with the header of the first."""

    async def look() -> dict[str, str]:
        library = Library.open()
        app = EkstuiApp(library, where_to_start(POLICY, library))
        async with app.run_test(size=(140, 40)) as pilot, asyncio.timeout(PATIENCE):
            explorer = app.screen
            assert isinstance(explorer, ExplorerScreen)
            while explorer.policy_view is None or explorer.policy_view.entry.policy.name != POLICY:
                await pilot.pause(0.02)
            explorer.ask_account(ask=True)
            await pilot.pause(0.05)
            while _works() or explorer.account.asking:
                await pilot.pause(0.02)
            pane = explorer.query_one(AttachedPane)
            texts = {"pane": f"{words(pane)}\n{pane.border_subtitle or ''}\n{header_of(explorer)}"}
            for place, screen in (
                ("account", AccountScreen(explorer.account)),
                ("cluster", ClusterScreen("prod", "eu-central-1")),
                ("role", RoleScreen(ROLE)),
                ("explain", ExplainScreen(f"role:{ROLE} ec2:CreateTags")),
            ):
                await app.push_screen(screen)
                while _works() or words(screen) == screen.WAITING:
                    await pilot.pause(0.02)
                draw(app)
                texts[place] = words(screen)
                app.pop_screen()
            return texts

    try:
        return asyncio.run(look())
    finally:
        _forget_garbage()


_runs = count(1)


def _forget_garbage() -> None:
    """Free now and then what commands and apps leave: looking for it takes as long as a command."""
    if next(_runs) % 20 == 0:
        gc.unfreeze()  # each start of the app freezes what there is, earlier apps included
        gc.collect()
        gc.freeze()


def _works() -> bool:
    return any(thread.name.startswith(_ASKING) for thread in threading.enumerate())


def header_of(explorer: ExplorerScreen) -> str:
    """Return what the header says."""
    return "".join(strip.text for strip in explorer.header.render_lines(explorer.header.region.reset_offset))


def judged_cell(fault: str, call: tuple[str, str], place: str, text: str, *, whole: bool) -> Cell:
    """Hold what was said against what must never be said."""
    reason = ""
    if is_broken(text):
        reason = "a traceback"
    elif _RAW.search(text):
        reason = "raw control characters"
    elif _ZERO.search(text):
        reason = "a false zero"
    elif not whole and not re.search(r"[a-z]{3}", text):
        reason = "nothing is said"
    return Cell(fault, ":".join(call), place, text, reason)


def cells(rig: Rig, home: Path, calls: tuple[tuple[str, str], ...], faults: list[str]) -> Iterator[Cell]:
    """Yield a cell for each fault at each call, in both commands and in the app, which has a snapshot from before."""
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for call in calls:
            for fault in faults:
                rig.reset(0)
                rig.proxy.add(FAULTS[fault], *call)
                for place, words in COMMANDS.items():
                    code, out, err = command(words)
                    cell = judged_cell(fault, call, place, out + err, whole=False)
                    complete = not err
                    if not cell.wrong and complete and code == 1:
                        cell = Cell(*_of(cell), "a false zero")
                    yield cell


def in_app(rig: Rig, home: Path, calls: tuple[tuple[str, str], ...], faults: list[str]) -> Iterator[Cell]:
    """Yield a cell for each fault at each call on each screen: without a snapshot, and with one where it may matter."""
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for call in calls:
            for fault in faults:
                for has_snapshot in (False, True) if call in STALE else (False,):
                    Library.open().account.forget(None)
                    rig.reset(0)
                    if has_snapshot:
                        code, _, err = command(["attached", POLICY])
                        assert code == 0, err
                    rig.proxy.add(FAULTS[fault], *call)
                    for place, text in screens().items():
                        cell = judged_cell(fault, call, f"{place}, stale" if has_snapshot else place, text, whole=False)
                        if has_snapshot and place == "pane" and not cell.wrong and not re.search("ago|just now", text):
                            cell = Cell(*_of(cell), "an age is missing")
                        yield cell


def held_cells(rig: Rig, home: Path, actions: Sequence[str], faults: Sequence[str]) -> Iterator[Cell]:
    """Yield a cell for each fault at each call: it is said, or the answer is the one without it."""
    usual: dict[Question, tuple[int, object]] = {}
    with mock.patch.dict(os.environ, rig.environment(home)), impatient():
        for action in actions:
            question = ASKS.get(action, CLUSTER)
            if question not in usual:
                code, out, err, _ = _asked(rig, home, question, action, None)
                assert code == 0 or question == NO_AGGREGATOR, err
                usual[question] = code, _comparable(out)
            for fault in faults:
                if fault == "no lists" and action in MAY_LACK_LISTS:
                    continue
                code, out, err, was_met = _asked(rig, home, question, action, EFFECTS[fault])
                cell = Cell(fault, action, question.words[0], out + err, "")
                yield (
                    _held(cell, usual[question], code, out, err)
                    if was_met
                    else replace(cell, wrong="it was not called")
                )


def _asked(rig: Rig, home: Path, question: Question, action: str, effect: Effect | None) -> tuple[int, str, str, bool]:
    rig.reset(0)
    Library.open().account.forget(None)
    if question.publish:
        rig.catalogue.publish(POLICY, {"Version": "2012-10-17", "Statement": []}, rig.account.builder.now)
    if question.denied:
        rig.proxy.fail("denied", "iam", question.denied)
    rule = rig.proxy.add(effect, *action.split(":")) if effect else None
    if not question.publish:
        return *command([*question.words]), rule is None or rule.met > 0
    with tempfile.TemporaryDirectory() as folder:
        copy_of_cache(home / "cache", Path(folder, "cache"))
        with mock.patch.dict(os.environ, {"EKSTUI_CACHE": f"{folder}/cache"}):
            return *command([*question.words]), rule is None or rule.met > 0


def _comparable(out: str) -> object:
    """Return an answer without what differs each time and what says that it is not whole."""
    answer = json.loads(out) if out else {}
    return {
        name: value for name, value in answer.items() if name not in ("fetched_at", "errors", "not_looked_at", "data")
    }


def _held(cell: Cell, usual: tuple[int, object], code: int, out: str, err: str) -> Cell:
    """Hold an answer under a fault against the one without: the same, or marked as not whole and said."""
    cell = judged_cell(cell.fault, (cell.call, ""), cell.place, cell.text, whole=True)
    cell = replace(cell, call=cell.call.rstrip(":"))
    if cell.wrong or (code == usual[0] and _comparable(out) == usual[1]):
        return cell
    answer = json.loads(out) if out else {}
    reason = ""
    if code not in (0, *range(2, 5)):
        reason = "a false zero" if code == 1 else f"it ends with {code}"
    elif not err.strip():
        reason = "another answer, without a word"
    elif code == 0 and not answer.get("errors") and answer.get("complete") is not False:
        reason = "another answer that is called whole"
    return replace(cell, wrong=reason)


def _of(cell: Cell) -> tuple[str, str, str, str]:
    return cell.fault, cell.call, cell.place, cell.text


def main() -> int:
    """Print the matrix and what was said in each cell."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.faults", description=__doc__)
    parser.add_argument("--part", choices=("screens", "calls"), help="this part of the matrix alone")
    parser.add_argument("--only", default="", help="calls that have this word")
    add_share(parser)
    options = parser.parse_args()
    failures: Counter[str] = Counter()
    counts: Counter[str] = Counter()

    def tell(kind: str, cell: Cell) -> None:
        counts[kind] += 1
        failures[kind] += bool(cell.wrong)
        last = " / ".join(line for line in cell.text.splitlines() if line)[-160:]
        verdict = f"WRONG {cell.wrong}" if cell.wrong else "ok"
        print(f"{verdict:<8} {cell.fault:<18} {cell.call:<36} {cell.place:<14} {last!r}", flush=True)

    with tempfile.TemporaryDirectory() as folder, Rig(0) as rig:
        home = Path(folder)
        fill_cache(home / "cache")
        if options.part != "calls":
            every = [(call, fault) for fault in FAULTS for call in CALLS if options.only in ":".join(call)]
            for call, fault in options.share.of(every):
                for cell in chain(cells(rig, home, (call,), [fault]), in_app(rig, home, (call,), [fault])):
                    tell("cells of commands" if cell.place in COMMANDS else "cells of screens", cell)
        if options.part != "screens":
            pairs = [(action, fault) for action in sorted(OPERATIONS) for fault in EFFECTS if options.only in action]
            for action, jobs in groupby(options.share.of(pairs), key=itemgetter(0)):
                for cell in held_cells(rig, home, [action], [fault for _, fault in jobs]):
                    tell("cells of every call", cell)
    print("; ".join(f"{count} {kind}, {failures[kind]} wrong" for kind, count in counts.items()))
    return 1 if failures.total() else 0


if __name__ == "__main__":
    sys.exit(main())
