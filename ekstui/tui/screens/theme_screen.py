"""The themes to choose from: everything below shows the one under the cursor."""

from __future__ import annotations

import os

from textual import on

from ekstui.errors import InputError
from ekstui.files import config_file, is_served
from ekstui.settings import effective, save_word
from ekstui.tui import keys
from ekstui.tui.base import Debounce, LibraryApp
from ekstui.tui.screens.dialogs import ChooserScreen, choice_cells
from ekstui.tui.widgets.pane import plain_failure
from ekstui.tui.widgets.rows import RowList


class ThemeScreen(ChooserScreen[str]):
    """The themes' names; shows the one under the cursor, dismisses with it, or with None and the former one."""

    def __init__(self, app: LibraryApp) -> None:
        self._names = list(app.available_themes)
        self._before = app.theme
        self._showing = Debounce(self)
        super().__init__(
            "Theme", [(choice_cells(name, _about(app, name)), name) for name in self._names], opening_key=keys.THEME
        )

    def on_mount(self) -> None:
        self.rows.move_to(self._names.index(self._before))

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        """Show a theme once the cursor rests: that repaints everything."""
        event.stop()
        self._showing.call(self._show_theme)

    def _show_theme(self) -> None:
        if isinstance(name := self.rows.value, str):
            self.app.theme = name

    def on_unmount(self) -> None:
        """Stop what would still show another theme."""
        self._showing.cancel()


def _about(app: LibraryApp, name: str) -> str:
    kind = "dark" if app.available_themes[name].dark else "light"
    return f"{kind}, the terminal's own 16 colours" if name.startswith("ansi-") else kind


def choose_theme(app: LibraryApp) -> None:
    """Let the user choose a theme, and whether the settings shall have it."""
    if app.no_color:
        app.notify("NO_COLOR is set, so there are no colours to choose.")
        return
    theme_before = app.theme

    def use(name: str | None) -> None:
        app.theme = name or theme_before
        # The demo saves nothing, and a browser must not change a file of the server.
        if name and not (app.choice.demo or is_served()):
            _offer_to_save(app, name)

    app.push_screen(ThemeScreen(app), use)


def _offer_to_save(app: LibraryApp, name: str) -> None:
    path = config_file()
    choices = [
        (choice_cells("until ekstui ends", "writes nothing"), ""),
        (choice_cells("from now on", f'writes theme = "{name}" to {path}'), name),
    ]

    def write(theme: str | None) -> None:
        if not theme:
            return
        try:
            save_word(path, "theme", theme)
            origin = effective(path, os.environ).origins["theme"]
        except InputError as error:
            app.notify(plain_failure(error), severity="error")
            return
        overrides = f" {origin} still overrides it." if origin == "EKSTUI_THEME" else ""
        app.notify(f'Wrote theme = "{theme}" to {path}.{overrides}')

    app.push_screen(ChooserScreen(f"Use {name}", choices), write)
