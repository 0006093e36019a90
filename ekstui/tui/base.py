"""What every pane and screen may ask of the app it runs in, and how much room that needs."""

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
    from ekstui.core.account import AccountSnapshot
    from ekstui.core.lookup import Catalogue
    from ekstui.library import DataStatus, Library


FOLLOW_AFTER = 0.12
"""Seconds that the cursor rests on a row before anything follows it, so that a held key repaints the row alone."""

AGES_AFTER = 60
"""Seconds after which the ages in the header are updated."""


class LibraryApp(TypeaheadApp, SurvivingApp):
    """An app with a library to ask and a background to ask it in."""

    def __init__(self, library: Library | Callable[[], Library], settings: Settings | None = None) -> None:
        # Left to itself Textual turns colours into greys where NO_COLOR is set, and sends those.
        super().__init__(driver_class=driver_class(), ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._library = library
        self.settings = settings or Settings()
        self.background = Background()
        self.mfa = MfaPrompter()
        self.mfa.attach(self)
        self._catalogue: tuple[Library, AccountSnapshot | None, DataStatus, Catalogue] | None = None

    def get_css_variables(self) -> dict[str, str]:
        """Return the theme's variables, its texts changed so that they can be read."""
        self.theme_variables = readable(super().get_css_variables())
        return self.theme_variables

    @property
    def library(self) -> Library:
        """What answers about policies and the account; opened when it is first asked."""
        if callable(self._library):
            self._library = self._library()
        return self._library

    @library.setter
    def library(self, library: Library) -> None:
        self._library = library

    def keys_of(self, key: Key) -> str:
        """Return the keys that do this, as the user has them."""
        return self.settings.keys.get(key.id, key.keys)

    def catalogue_of(self, library: Library, snapshot: AccountSnapshot | None) -> Catalogue | None:
        """Return all that can be found, where that was read before of the same policies and the same account."""
        known = self._catalogue
        same = known is not None and known[0] is library and known[1] is snapshot and known[2] == library.data()
        return known[3] if known is not None and same else None

    def keep_catalogue(self, library: Library, snapshot: AccountSnapshot | None, known: Catalogue) -> None:
        """Keep all that can be found for the next time."""
        self._catalogue = (library, snapshot, library.data(), known)


MIN_SIZE = Size(60, 15)
"""The columns and lines that the app needs."""


def is_too_small(size: Size) -> bool:
    """Return whether a terminal of this size cannot show the app."""
    return size.width < MIN_SIZE.width or size.height < MIN_SIZE.height
