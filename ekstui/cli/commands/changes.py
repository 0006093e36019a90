"""`ekstui changes`: what AWS changed, newest first."""

import argparse
from datetime import UTC, datetime, timedelta

from ekstui.cli.exit_codes import ExitCode, add_exit_code, gate
from ekstui.cli.options import add_account, add_json, add_scope
from ekstui.cli.session import open_library
from ekstui.cli.streams import narrate, narrate_progress, print_blocks, print_json, print_markdown, print_text
from ekstui.core.policy import version_label
from ekstui.core.where import parse_since
from ekstui.export.shapes import changes_shape
from ekstui.library import Library, maintenance, searching
from ekstui.present.change_lists import changes_table
from ekstui.scope import Scope

DESCRIPTION = "Show what AWS changed in its policies, newest first. Without --since: the last 30 days of the data."
EXAMPLES = (
    "ekstui changes --since 2026-02-01",
    "ekstui changes --since 7d --attached",
    "ekstui changes --scope all --format atom > changes.xml",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument("--since", metavar="WHEN", help="a day such as 2026-02-01, or 7d, 36h, 2w before now")
    parser.add_argument("--all", action="store_true", help="include versions that change nothing")
    parser.add_argument("--attached", action="store_true", help="only policies that are attached in the account")
    parser.add_argument(
        "--format", choices=("text", "markdown", "json", "atom"), help="the form of the answer (default: text)"
    )
    add_exit_code(parser, "exit with 1 if anything changed or that is not known, with 0 if nothing did")
    add_scope(parser)
    add_account(parser)
    add_json(parser)


DEFAULT_PERIOD = timedelta(days=30)
"""Without --since: this long before the last day that is known."""


def run(arguments: argparse.Namespace) -> int:
    """Print a step a line; steps that change nothing only with --all."""
    library = _library(arguments)
    data = library.data()
    since = parse_since(arguments.since, datetime.now(UTC)) if arguments.since else data.newest - DEFAULT_PERIOD
    attached, whole = _attached(library) if arguments.attached else (None, True)
    if arguments.scope == "all":
        _prepare_index(library)
    feed = searching.changes(library, since, arguments.scope)
    # An EKS access policy may have the name of an attached IAM policy.
    wanted = [
        step for step in feed.changes if attached is None or (step.family == "aws-managed" and step.policy in attached)
    ]
    steps = [step for step in wanted if arguments.all or step.change.kind != "none"]
    match "json" if arguments.json else arguments.format:
        case "json":
            print_json(changes_shape(data, steps, complete=feed.complete and whole))
        case "atom":
            from ekstui.export.atom import changes_atom  # 8 ms: its XML

            policies = [entry.policy for entry in library.policies(arguments.scope)]
            arns = {(policy.family, policy.name): policy.arn for policy in policies}
            print_text(changes_atom(steps, arns, data.newest))
        case "markdown":
            print_markdown([changes_table(steps)])
        case _:
            print_blocks([changes_table(steps)])
    if not feed.complete:
        narrate(
            f"The policies are known until {data.newest:%Y-%m-%d}: what changed later is not known. Run ekstui sync."
        )
        return gate(arguments.exit_code)
    quiet = sum(step.change.kind == "none" for step in wanted)
    hidden = (
        "" if arguments.all or not quiet else f"; {quiet} steps that change nothing are left out (--all shows them)"
    )
    narrate(f"Since {since:%Y-%m-%d}, known until {data.newest:%Y-%m-%d}{hidden}.")
    _narrate_undated(library, arguments.scope, since, attached)
    if arguments.exit_code:
        return gate(bool(steps) or not whole)
    return ExitCode.DONE if steps or not whole else ExitCode.NOTHING


def _narrate_undated(library: Library, scope: Scope, since: datetime, attached: set[str] | None) -> None:
    """Say which versions may belong to the period and are not listed, since nobody knows when they were made."""
    from ekstui.core.timeline import perhaps_since  # judges with it: 20 ms, and the answer stands already

    perhaps = [
        f"{entry.policy.name} {version_label(number)}"
        for entry in library.policies(scope)
        if attached is None or entry.policy.name in attached
        for number in perhaps_since(entry.policy, since)
    ]
    if perhaps:
        narrate(f"Not listed, since nobody knows when they were made: {', '.join(perhaps)}.")


def _library(arguments: argparse.Namespace) -> Library:
    if not arguments.attached:
        return open_library()
    from ekstui.cli.session import library_for  # 25 ms, and only --attached asks the account

    return library_for(arguments)


def _prepare_index(library: Library) -> None:
    """Fill and index the cache: judging all steps anew would take ten seconds each time."""
    with narrate_progress() as tell:
        if maintenance.fill_cache(
            library, lambda stored, total: tell(f"first use: caching {stored:,} of {total:,} policies")
        ):
            maintenance.index_cache(
                library, lambda done, total: tell(f"first use: indexing {done:,} of {total:,} policies")
            )


def _attached(library: Library) -> tuple[set[str], bool]:
    """Return the names of the AWS policies that are attached in the account, and whether all of it was read."""
    from ekstui.cli.session import read_account
    from ekstui.library.attachments import attached_names

    snapshot = read_account(library)
    if not snapshot.complete:
        narrate("Incomplete: not every role, user and group was read, so more policies may be attached.")
    return set(attached_names(snapshot)), snapshot.complete
