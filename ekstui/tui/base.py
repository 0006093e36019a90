"""What every pane and screen may ask of the app it runs in."""

from textual.app import App

from ekstui.library import Library
from ekstui.tui.background import Background


class LibraryApp(App[None]):
    """An app with a library to ask and a background to ask it in."""

    def __init__(self, library: Library) -> None:
        super().__init__()
        self.library = library
        self.background = Background()
