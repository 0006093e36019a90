"""The least that a Textual app can be: what all start-up times are compared with."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Blank(App[None]):
    """An app with one line of text."""

    def compose(self) -> ComposeResult:
        yield Static("blank")


if __name__ == "__main__":
    Blank().run()
