"""One-line inputs."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Paste
from textual.message import Message
from textual.widgets import Input

from ekstui.core.text import clean
from ekstui.tui.widgets.rows import RowList


class Line(Input):
    """An input whose cursor does not blink, since each blink is sent to the terminal."""

    DEFAULT_CSS = """
    Line, Line:focus { border: none; height: 1; padding: 0; background: $surface; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False)
        self.cursor_blink = False

    def on_paste(self, event: Paste) -> None:
        """Insert the pasted text, cleaned."""
        event.prevent_default()
        event.stop()
        self.replace(self.pasted(event.text), *self.selection)

    def pasted(self, text: str) -> str:
        """Return what to insert of a pasted text: its first line."""
        return next(iter(clean(text.strip()).splitlines()), "")


class RowsLine(Line):
    """An input above the screen's rows; up, down and page keys move in the rows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "rows('down')", show=False),
        Binding("up", "rows('up')", show=False),
        Binding("pagedown", "rows('page_down')", show=False),
        Binding("pageup", "rows('page_up')", show=False),
    ]

    def action_rows(self, action: str) -> None:
        """Move in the rows; the input keeps the focus."""
        getattr(self.screen.query_one(RowList), f"action_{action}")()


class FilterLine(Line):
    """The input of a filter or search, hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "leave", show=False),
        Binding("escape", "clear", show=False),
    ]

    class Left(Message):
        """The user went back to the rows; without a text, the filter is off."""

    def __init__(self, *, placeholder: str = "type to filter") -> None:
        super().__init__(placeholder=placeholder)
        self.display = False

    def open(self) -> None:
        """Show and focus the empty input at once, for keys typed ahead."""
        self.value = ""
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)

    def close(self) -> None:
        """Clear and hide the input."""
        self.value = ""
        self.display = False

    def action_leave(self) -> None:
        """Go back to the rows and keep the text."""
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """Clear the text and go back to the rows."""
        self.value = ""
        self.post_message(self.Left())
