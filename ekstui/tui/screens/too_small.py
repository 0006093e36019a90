"""Says what the app needs where the terminal is too small for it; it goes away by itself."""

from textual.app import ComposeResult
from textual.events import Resize
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST = Size(60, 15)
"""The columns and lines that the app needs."""


def is_too_small(size: Size) -> bool:
    """Return whether a terminal of this size cannot show the app."""
    return size.width < LEAST.width or size.height < LEAST.height


class TooSmallScreen(ModalScreen[None]):
    """Covers everything until there is room."""

    DEFAULT_CSS = """
    TooSmallScreen { align: center middle; background: $background; }
    TooSmallScreen Static { width: auto; max-width: 100%; height: auto; text-align: center; }
    """

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
            f"Here are {size.width} and {size.height}.\nq quits."
        )
