"""`ekstui cache`: shows, verifies or clears the local cache."""

import argparse

from ekstui.cli.options import ExitCode, add_json
from ekstui.cli.session import open_library
from ekstui.cli.streams import narrate, print_answer, print_json, print_text
from ekstui.export.shapes import answer, cache_shape
from ekstui.library import Library, maintenance
from ekstui.present.account_report import cache_blocks, cleared_words, forgotten_words, undone_words, verified_words

DESCRIPTION = (
    "Show what is in the local cache (info), check that all of it is intact (verify), undo the last sync (undo-sync), or "
    "delete it (clear)."
)
EXAMPLES = (
    "ekstui cache info",
    "ekstui cache undo-sync",
    "ekstui cache clear --account 123456789012",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    # Named by its choices in errors too.
    choices = ("info", "verify", "undo-sync", "clear")
    parser.add_argument("what", choices=choices, metavar="|".join(choices))
    parser.add_argument("--account", metavar="NUMBER", help="with clear: delete the snapshot of this account")
    parser.add_argument("--accounts", action="store_true", help="with clear: delete the snapshots of all accounts")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the cache's state, verify it, clear it, or undo the last sync."""
    library = open_library()
    if arguments.what == "verify":
        return _verify(library, arguments)
    if arguments.what == "undo-sync":
        return _undo(library, arguments)
    if arguments.what == "clear":
        return _clear(library, arguments)
    info, snapshots = maintenance.cache_info(library), library.account.stored()
    print_answer(arguments, lambda: cache_shape(info, snapshots), lambda: cache_blocks(info, snapshots))
    for notice in library.notices():
        narrate(notice)
    return ExitCode.DONE


def _verify(library: Library, arguments: argparse.Namespace) -> int:
    counts = maintenance.verify_cache(library)
    if arguments.json:
        cached, policies, versions = (True, counts.policies, counts.versions) if counts else (False, None, None)
        print_json(answer(cached=cached, policies=policies, versions=versions))
    else:
        print_text(verified_words(counts))
    return ExitCode.DONE


def _undo(library: Library, arguments: argparse.Namespace) -> int:
    from ekstui.library.syncing import undo_sync  # 10 ms, and only to undo

    data = undo_sync(library)
    if arguments.json:
        print_json(answer(undone=data is not None, data=library.data()))
    else:
        print_text(undone_words(data))
    return ExitCode.NOTHING if data is None else ExitCode.DONE


def _clear(library: Library, arguments: argparse.Namespace) -> int:
    accounts = bool(arguments.account or arguments.accounts)
    deleted = library.account.forget(arguments.account) if accounts else 0
    freed = 0 if accounts else maintenance.clear_cache(library)
    if arguments.json:
        print_json(answer(freed_bytes=freed, deleted_accounts=deleted))
    else:
        print_text(forgotten_words(deleted, arguments.account) if accounts else cleared_words(freed))
    return ExitCode.NOTHING if accounts and not deleted else ExitCode.DONE
