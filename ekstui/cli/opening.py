"""The library of a command, and what was wrong with its cache, which is said when the command has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekstui.cli.output import narrate
from ekstui.library import Library

if TYPE_CHECKING:
    from ekstui.library import AccountChoice

_opened: list[Library] = []


def open_library(account: AccountChoice | None = None) -> Library:
    """Return the library for this command."""
    library = Library.open(account)
    _opened.append(library)
    return library


def narrate_notices() -> None:
    """Say what was wrong with the cache; it stopped no answer."""
    while _opened:
        for notice in _opened.pop().notices():
            narrate(notice)
