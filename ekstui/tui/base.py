"""What every pane and screen may ask of the app it runs in."""

from textual.app import App

from ekstui.library import Library
from ekstui.tui.background import Background
from ekstui.tui.driver import driver_class
from ekstui.tui.shown import Shown


class LibraryApp(App[None]):
    """An app with a library to ask and a background to ask it in."""

    def __init__(self, library: Library) -> None:
        super().__init__(driver_class=driver_class())
        self.library = library
        self.background = Background()

    async def go_to(self, shown: Shown) -> None:
        """Go back to the explorer and show a policy at a version there."""
        raise NotImplementedError
