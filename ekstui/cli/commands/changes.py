"""`ekstui changes` and `ekstui versions`: what AWS changed in all policies, newest first, and the timeline of one."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ekstui.change.policy import Scope
from ekstui.change.steps import FeedStep, Step, undated_versions_possibly_since
from ekstui.cli.first_use import prepare
from ekstui.cli.gates import gate
from ekstui.cli.parser import ACCOUNT, JSON, POLICY, argument, command, flag, scope
from ekstui.cli.session import library_for, open_library, read_account, remark_age, remark_missing
from ekstui.cli.streams import print_blocks, print_reports, print_shape, print_text, remark
from ekstui.export.atom import changes_atom
from ekstui.export.shapes import answer, one_or_answers, versions_shape
from ekstui.library import Library, maintenance
from ekstui.library.access_policies import access_policy_entry, access_timeline, find_access_policy, means_access_policy
from ekstui.library.catalog import PolicyEntry, knowledge, knowledge_of
from ekstui.library.feed import changes_feed, steps_of_attached
from ekstui.library.notation import parse_policy, parse_since
from ekstui.present.access import access_timeline_blocks
from ekstui.present.change_lists import beyond_words, changes_table, period_words, timeline_blocks, undated_words

DEFAULT_PERIOD = timedelta(days=30)
"""How far before the last known day the list starts without --since."""


@command(
    "changes",
    "list what AWS changed",
    "List what AWS changed in its policies, newest first; without --since, in the last 30 days of the data.",
    argument("--since", metavar="WHEN", help="a date such as 2026-02-01, or a period before now: 36h, 7d, 2w"),
    flag("--all", "include versions that changed nothing"),
    flag("--attached", "only policies attached in the account"),
    argument("--format", choices=("text", "markdown", "json", "atom"), help="the output format (default: text)"),
    flag("--exit-code", "exit with 1 if anything changed, or if that is not known; else with 0"),
    scope(),
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui changes --since 2026-02-01",
        "ekstui changes --since 7d --attached",
        "ekstui changes --scope all --format atom > changes.xml",
    ),
)
def list_changes(arguments: Namespace) -> int:
    """Print one line per step, those that changed nothing only with --all."""
    library = library_for(arguments) if arguments.attached else open_library(arguments)
    newest = library.known_until(arguments.scope)
    since = parse_since(arguments.since, datetime.now(UTC)) if arguments.since else newest - DEFAULT_PERIOD
    names_in_account, account_complete = _names_in_account(library) if arguments.attached else (None, True)
    if arguments.scope == "all":
        # Without the index, judging all steps takes ten seconds each time.
        prepare(library, maintenance.index_cache)
    feed = changes_feed(library, since, arguments.scope)
    considered_steps = feed.changes if names_in_account is None else steps_of_attached(feed.changes, names_in_account)
    steps = [step for step in considered_steps if arguments.all or step.change.kind != "none"]
    _print(library, steps, arguments, complete=feed.complete and account_complete)
    if not feed.complete:
        remark(beyond_words(since, newest, is_part_known=bool(steps), renewable=not library.is_demo))
        return gate(arguments.exit_code)
    remark(period_words(since, newest, left_out=len(considered_steps) - len(steps)))
    if not steps:
        remark_age(library, newest)
    _remark_undated(library, arguments.scope, since, names_in_account)
    # With --exit-code changes fail the gate; without it, that there are certainly none is "nothing found".
    may_have_changes = bool(steps) or not account_complete
    return gate(may_have_changes if arguments.exit_code else not may_have_changes)


def _print(library: Library, steps: Sequence[FeedStep], arguments: Namespace, *, complete: bool) -> None:
    data = library.data()
    match "json" if arguments.json else arguments.format:
        case "json":
            print_shape(answer(data=data, complete=complete, changes=steps))
        case "atom":
            policies = [entry.policy for entry in library.policies(arguments.scope)]
            arns = {(policy.family, policy.name): policy.arn for policy in policies}
            print_text(changes_atom(steps, arns, data.newest))
        case _:
            print_blocks([changes_table(steps, knowledge())])


def _remark_undated(library: Library, scope: Scope, since: datetime, names_in_account: set[str] | None) -> None:
    versions = [
        (entry.policy.name, number)
        for entry in library.policies(scope)
        if names_in_account is None or entry.policy.name in names_in_account
        for number in undated_versions_possibly_since(entry.policy, since)
    ]
    if versions:
        remark(undated_words(versions))


def _names_in_account(library: Library) -> tuple[set[str], bool]:
    """Return the names of the AWS policies that are attached in the account, and whether all of it was read."""
    from ekstui.library.attachments import attached_names

    snapshot = read_account(library)
    remark_missing((), snapshot.complete, consequence="more policies may be attached")
    return set(attached_names(snapshot)), snapshot.complete


@command(
    "versions",
    "list a policy's versions and what each changed",
    f"List a policy's versions, their dates, and what each changed. {POLICY}",
    argument("policy", nargs="+", metavar="POLICY"),
    *JSON,
    examples=("ekstui versions AmazonEKSServiceRolePolicy",),
)
def list_versions(arguments: Namespace) -> None:
    """Print one line per version, oldest first, with what it changed, and which numbers are missing."""
    library = open_library(arguments)
    timelines = [_timeline(library, policy) for policy in arguments.policy]
    if arguments.json:
        print_shape(one_or_answers([versions_shape(library.data(), entry, steps) for entry, steps in timelines]))
    else:
        print_reports(
            [
                access_timeline_blocks(entry.access)
                if entry.access
                else timeline_blocks(entry.policy, steps, knowledge_of(entry.policy), library.data().newest)
                for entry, steps in timelines
            ]
        )


def _timeline(library: Library, text: str) -> tuple[PolicyEntry, tuple[Step, ...]]:
    if means_access_policy(text) and (access := find_access_policy(text)):
        entry = access_policy_entry(access.policy.name)
        return entry, access_timeline(entry)
    entry = library.find(parse_policy(text).name)
    return entry, library.timeline(entry.policy)
