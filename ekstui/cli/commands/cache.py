"""`ekstui cache`: what the local cache holds, whether it is whole, and how to be rid of it."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.output import narrate, print_json, print_text
from ekstui.export.shapes import cache_shape
from ekstui.library import Library


def run(arguments: argparse.Namespace) -> int:
    """Print the cache's state, verify it, or clear it."""
    library = Library.open()
    if arguments.what == "verify":
        return _verify(library)
    if arguments.what == "clear":
        return _clear(library, arguments)
    info, snapshots = library.cache_info(), library.live.stored()
    if arguments.json:
        print_json(cache_shape(info, snapshots))
        return ExitCode.DONE
    print_text(str(info.path), "bold")
    print_text(f"policies from {info.source}, known until {info.newest:%Y-%m-%d}")
    print_text(f"{info.policies:,} policies, {info.versions:,} versions, {info.size:,} bytes")
    print_text(f"synced {info.synced_at:%Y-%m-%d %H:%M} UTC" if info.synced_at else "never synced")
    if not info.in_use:
        print_text("The bundled corpus answers, not the cache.", "yellow")
    for entry in snapshots:
        print_text(f"account {entry.account} ({entry.partition}) as of {entry.fetched_at:%Y-%m-%d %H:%M} UTC")
    for notice in library.notices():
        narrate(notice)
    return ExitCode.DONE


def _verify(library: Library) -> int:
    counts = library.verify_cache()
    print_text(
        "There is no cache yet; the corpus is whole."
        if counts is None
        else f"{counts.policies:,} policies and {counts.versions:,} versions are whole."
    )
    return ExitCode.DONE


def _clear(library: Library, arguments: argparse.Namespace) -> int:
    if arguments.account or arguments.accounts:
        gone = library.live.forget(arguments.account)
        print_text(
            f"Deleted {gone} file{'' if gone == 1 else 's'} about {'account ' + arguments.account if arguments.account else 'all accounts'}."
        )
        return ExitCode.DONE if gone else ExitCode.NOTHING
    print_text(
        f"Freed {library.clear_cache():,} bytes; the next start fills the cache again. Accounts are kept (--accounts)."
    )
    return ExitCode.DONE
