"""The app: it owns the library and the background, and shows the screens; behaviour belongs to those."""

from typing import ClassVar

from textual.binding import BindingType

from ekstui.library import Library
from ekstui.tui.base import LibraryApp
from ekstui.tui.driver import repaint
from ekstui.tui.keys import bindings
from ekstui.tui.screens.explorer import ExplorerScreen
from ekstui.tui.screens.help import HelpScreen
from ekstui.tui.shown import Shown


class EkstuiApp(LibraryApp):
    """The explorer of AWS managed policies for EKS."""

    TITLE = "ekstui"
    # Textual loads no styles of its own for the default screen.
    CSS_PATH = "screens/explorer.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings("app")

    def __init__(self, library: Library, start: Shown | None = None) -> None:
        super().__init__(library)
        # A class attribute has no effect: App.__init__ sets the level from the environment.
        self.animation_level = "none"
        self._start = start

    def get_default_screen(self) -> ExplorerScreen:
        """Return the screen that everything starts from."""
        return ExplorerScreen(self._start)

    def on_unmount(self) -> None:
        """Tell the work in the background that nobody waits any more."""
        self.background.cancel_all()

    def action_help(self) -> None:
        """Show the keys for where the user is."""
        self.push_screen(HelpScreen())

    def action_repaint(self) -> None:
        """Paint the whole screen again."""
        repaint(self)

    async def action_back(self) -> None:
        """Go back one screen."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_account(self) -> None:
        """Choose the account."""
