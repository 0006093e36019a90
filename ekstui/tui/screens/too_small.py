"""Says what the app needs where the terminal is too small for it; it goes away by itself."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.getters import app
from textual.screen import ModalScreen
from textual.widgets import Static

from ekstui.tui.base import LEAST, LibraryApp, is_too_small
from ekstui.tui.keys import LEAVE, QUIT, spelled


class TooSmallScreen(ModalScreen[None]):
    """Covers everything until there is room."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(LEAVE.keys, "app.quit", id=LEAVE.id),
        Binding(QUIT.keys, "app.quit", id=QUIT.id),
    ]
    # A bar to scroll with takes the two columns that there are, goes, and comes again, for ever.
    # At a start without room the screen's own colour is not known yet when the words take theirs from it.
    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; overflow: hidden; }
    TooSmallScreen Static { color: $foreground; width: auto; max-width: 100%; height: auto; text-align: center; }
    """

    app = app(LibraryApp)

    def compose(self) -> ComposeResult:
        """Yield the sentence."""
        yield Static(markup=False)

    def on_mount(self) -> None:
        """Say how much room there is."""
        self._say(self.size)

    def on_resize(self, event: Resize) -> None:
        """Say how much room there is by now, or go."""
        if is_too_small(event.size):
            self._say(event.size)
        elif self.is_current:
            self.dismiss()

    def on_screen_resume(self) -> None:
        """Go, if there is room since something else covered this."""
        if self.size and not is_too_small(self.size):
            self.dismiss()

    def _say(self, size: Size) -> None:
        self.query_one(Static).update(
            f"ekstui needs {LEAST.width} columns and {LEAST.height} lines.\n"
            f"Here are {size.width} and {size.height}.\n{spelled(self.app.keys_of(LEAVE))} quits."
        )
