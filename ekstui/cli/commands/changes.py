"""`ekstui changes`: what AWS changed, newest first."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ekstui.cli.options import add_account, add_exit_code, add_json, add_scope, gate
from ekstui.cli.session import narrate_age, open_library, prepare
from ekstui.cli.streams import narrate, print_blocks, print_json, print_text
from ekstui.core.notation import parse_since
from ekstui.core.policy import Scope
from ekstui.core.steps import FeedStep, perhaps_since
from ekstui.export.shapes import changes_shape
from ekstui.library import Library, maintenance, searching
from ekstui.present.blocks import incomplete_words
from ekstui.present.change_lists import beyond_words, changes_table, period_words, undated_words

DESCRIPTION = "List what AWS changed in its policies, newest first; without --since, in the last 30 days of the data."
EXAMPLES = (
    "ekstui changes --since 2026-02-01",
    "ekstui changes --since 7d --attached",
    "ekstui changes --scope all --format atom > changes.xml",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--since", metavar="WHEN", help="a date such as 2026-02-01, or a period before now: 36h, 7d, 2w"
    )
    parser.add_argument("--all", action="store_true", help="include versions that changed nothing")
    parser.add_argument("--attached", action="store_true", help="only policies attached in the account")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json", "atom"), help="the output format (default: text)"
    )
    add_exit_code(parser, "exit with 1 if anything changed, or if that is not known; else with 0")
    add_scope(parser)
    add_account(parser)
    add_json(parser)


DEFAULT_PERIOD = timedelta(days=30)
"""How far before the last known day the list starts without --since."""


def run(arguments: argparse.Namespace) -> int:
    """Print one line per step, those that changed nothing only with --all."""
    library = _library(arguments)
    newest = library.known_until(arguments.scope)
    since = parse_since(arguments.since, datetime.now(UTC)) if arguments.since else newest - DEFAULT_PERIOD
    attached, whole = _attached(library) if arguments.attached else (None, True)
    if arguments.scope == "all":
        # Without the index, judging all steps takes ten seconds each time.
        prepare(library, maintenance.index_cache)
    feed = searching.changes(library, since, arguments.scope)
    wanted = feed.changes
    if attached is not None:
        # An EKS access policy may have the name of an attached IAM policy.
        wanted = tuple(step for step in wanted if step.family == "aws-managed" and step.policy in attached)
    steps = [step for step in wanted if arguments.all or step.change.kind != "none"]
    _print(library, steps, arguments, complete=feed.complete and whole)
    if not feed.complete:
        narrate(beyond_words(newest))
        return gate(arguments.exit_code)
    narrate(period_words(since, newest, left_out=len(wanted) - len(steps)))
    if not steps:
        narrate_age(newest)
    if undated := _undated(library, arguments.scope, since, attached):
        narrate(undated_words(undated))
    # With --exit-code changes fail the gate; without it, that there are certainly none is "nothing found".
    some = bool(steps) or not whole
    return gate(some if arguments.exit_code else not some)


def _print(library: Library, steps: Sequence[FeedStep], arguments: argparse.Namespace, *, complete: bool) -> None:
    data = library.data()
    match "json" if arguments.json else arguments.format:
        case "json":
            print_json(changes_shape(data, steps, complete=complete))
        case "atom":
            from ekstui.export.texts import changes_atom  # 1 ms, and only for a feed

            policies = [entry.policy for entry in library.policies(arguments.scope)]
            arns = {(policy.family, policy.name): policy.arn for policy in policies}
            print_text(changes_atom(steps, arns, data.newest))
        case form:
            print_blocks([changes_table(steps)], markdown=form == "markdown")


def _undated(library: Library, scope: Scope, since: datetime, attached: set[str] | None) -> list[tuple[str, int]]:
    """Return the versions that may belong to the period, their dates being unknown."""
    return [
        (entry.policy.name, number)
        for entry in library.policies(scope)
        if attached is None or entry.policy.name in attached
        for number in perhaps_since(entry.policy, since)
    ]


def _library(arguments: argparse.Namespace) -> Library:
    if not arguments.attached:
        return open_library()
    from ekstui.cli.session import library_for  # 25 ms, and only --attached asks the account

    return library_for(arguments)


def _attached(library: Library) -> tuple[set[str], bool]:
    """Return the names of the AWS policies that are attached in the account, and whether all of it was read."""
    from ekstui.cli.session import read_account
    from ekstui.library.attachments import attached_names

    snapshot = read_account(library)
    if not snapshot.complete:
        narrate(incomplete_words(so="more policies may be attached"))
    return set(attached_names(snapshot)), snapshot.complete
