"""The base of the app: what every pane and screen may use of it, and the smallest terminal it works in."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.geometry import Size

from ekstui.settings import Settings
from ekstui.tui.account_view import MfaPrompter
from ekstui.tui.background import Background
from ekstui.tui.crash import SurvivingApp
from ekstui.tui.driver import driver_class
from ekstui.tui.keys import Key
from ekstui.tui.styles import readable
from ekstui.tui.typeahead import TypeaheadApp

if TYPE_CHECKING:
    from ekstui.core.account_snapshot import AccountSnapshot
    from ekstui.core.lookup import Catalogue
    from ekstui.library import DataStatus, Library


FOLLOW_AFTER = 0.12
"""Seconds that the cursor rests on a row before anything follows it, so that a held key repaints only the rows."""

AGES_AFTER = 60
"""Seconds between updates of the ages in the header."""


class LibraryApp(TypeaheadApp, SurvivingApp):
    """An app with a library, and a background to ask it in."""

    def __init__(self, library: Library | Callable[[], Library], settings: Settings | None = None) -> None:
        # With NO_COLOR alone, Textual still sends greys.
        super().__init__(driver_class=driver_class(), ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._library = library
        self.settings = settings or Settings()
        self.background = Background()
        self.mfa = MfaPrompter()
        self.mfa.attach(self)
        self._catalogue: tuple[Library, AccountSnapshot | None, DataStatus, Catalogue] | None = None

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, with text colours that contrast enough."""
        self.theme_variables = readable(super().get_css_variables())
        return self.theme_variables

    @property
    def library(self) -> Library:
        """The library, opened on first use."""
        if callable(self._library):
            self._library = self._library()
        return self._library

    @library.setter
    def library(self, library: Library) -> None:
        self._library = library

    def keys_of(self, key: Key) -> str:
        """Return the key's bindings, as the user has them."""
        return self.settings.keys.get(key.id, key.keys)

    def catalogue_of(self, library: Library, snapshot: AccountSnapshot | None) -> Catalogue | None:
        """Return the catalogue if it was kept for the same policies and the same snapshot."""
        known = self._catalogue
        same = known is not None and known[0] is library and known[1] is snapshot and known[2] == library.data()
        return known[3] if known is not None and same else None

    def keep_catalogue(self, library: Library, snapshot: AccountSnapshot | None, known: Catalogue) -> None:
        """Keep a catalogue for the next time."""
        self._catalogue = (library, snapshot, library.data(), known)


MIN_SIZE = Size(60, 15)
"""Columns and lines."""


def is_too_small(size: Size) -> bool:
    """Return whether a terminal of this size is too small for the app."""
    return size.width < MIN_SIZE.width or size.height < MIN_SIZE.height
