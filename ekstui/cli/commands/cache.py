"""`ekstui cache`: what the local cache holds, whether it is whole, and how to be rid of it."""

import argparse

from ekstui.cli.exit_code import ExitCode
from ekstui.cli.opening import open_library
from ekstui.cli.output import narrate, print_json, print_text
from ekstui.export.shapes import cache_shape
from ekstui.library import Library


def run(arguments: argparse.Namespace) -> int:
    """Print the cache's state, verify it, or clear it."""
    library = open_library()
    if arguments.what == "verify":
        return _verify(library, arguments)
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


def _verify(library: Library, arguments: argparse.Namespace) -> int:
    counts = library.verify_cache()
    if arguments.json:
        print_json(
            {
                "cached": counts is not None,
                "policies": counts.policies if counts else None,
                "versions": counts.versions if counts else None,
            }
        )
    elif counts is None:
        print_text("There is no cache yet; the corpus is whole.")
    else:
        print_text(f"{counts.policies:,} policies and {counts.versions:,} versions are whole.")
    return ExitCode.DONE


def _clear(library: Library, arguments: argparse.Namespace) -> int:
    accounts = bool(arguments.account or arguments.accounts)
    deleted = library.live.forget(arguments.account) if accounts else 0
    freed = 0 if accounts else library.clear_cache()
    if arguments.json:
        print_json({"freed_bytes": freed, "deleted_accounts": deleted})
    elif accounts:
        whose = f"account {arguments.account}" if arguments.account else "all accounts"
        print_text(f"Deleted {deleted} file{'' if deleted == 1 else 's'} about {whose}.")
    else:
        print_text(f"Freed {freed:,} bytes; the next start fills the cache again. Accounts are kept (--accounts).")
    return ExitCode.NOTHING if accounts and not deleted else ExitCode.DONE
