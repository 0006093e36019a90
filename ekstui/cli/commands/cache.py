"""`ekstui cache`: shows, verifies and clears the local cache, and undoes its last update."""

from argparse import Namespace

from ekstui.cli.gates import gate
from ekstui.cli.parser import JSON, ExitCode, argument, command, flag
from ekstui.cli.session import open_library, refuse_in_demo
from ekstui.cli.streams import print_answer, remark
from ekstui.export.shapes import answer, cache_shape
from ekstui.library import Library
from ekstui.library.cache_file import cache_info, clear_cache, verify_cache
from ekstui.present.cache_report import cache_blocks, cleared_words, forgotten_words, undone_words, verified_words

_ACTIONS = ("info", "verify", "undo-sync", "clear")


@command(
    "cache",
    "show, verify or clear the cache",
    "Show what is in the local cache (info), check that all of it is intact (verify), undo the last sync (undo-sync), "
    "or delete it (clear).",
    # Named by its choices in errors too.
    argument("what", choices=_ACTIONS, metavar="|".join(_ACTIONS)),
    argument("--account", metavar="NUMBER", help="with clear: delete the snapshot of this account"),
    flag("--accounts", "with clear: delete the snapshots of all accounts"),
    *JSON,
    examples=("ekstui cache info", "ekstui cache undo-sync", "ekstui cache clear --account 123456789012"),
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
    info, snapshots = cache_info(library), library.account.stored()
    print_answer(arguments, lambda: cache_shape(info, snapshots), lambda: cache_blocks(info, snapshots))
    for notice in library.notices():
        remark(notice)
    return ExitCode.DONE


def _verify(library: Library, arguments: Namespace) -> int:
    counts = verify_cache(library)
    is_cached, policies, versions = (True, counts.policies, counts.versions) if counts else (False, None, None)
    print_answer(
        arguments,
        lambda: answer(cached=is_cached, policies=policies, versions=versions),
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
    deleted_accounts = library.account.forget(arguments.account) if accounts else 0
    freed_bytes = 0 if accounts else clear_cache(library)
    print_answer(
        arguments,
        lambda: answer(freed_bytes=freed_bytes, deleted_accounts=deleted_accounts),
        lambda: forgotten_words(deleted_accounts, arguments.account) if accounts else cleared_words(freed_bytes),
    )
    return gate(accounts and not deleted_accounts)
