"""The lines in which users type."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Paste
from textual.widgets import Input

from ekstui.core.text import clean
from ekstui.tui.widgets.rows import RowList


class Line(Input):
    """A line to type in; its cursor does not blink, since each blink is sent over the wire."""

    DEFAULT_CSS = """
    Line, Line:focus { border: none; height: 1; padding: 0; background: $surface; }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False)
        self.cursor_blink = False

    def on_paste(self, event: Paste) -> None:
        """Take what is pasted, made safe to show."""
        event.prevent_default()
        event.stop()
        self.replace(self.pasted(event.text), *self.selection)

    def pasted(self, text: str) -> str:
        """Return what of a pasted text goes into the line: the first line of it."""
        return next(iter(clean(text.strip()).splitlines()), "")


class RowsLine(Line):
    """A line above the screen's rows, which the keys that move still move."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "rows('down')", show=False),
        Binding("up", "rows('up')", show=False),
        Binding("pagedown", "rows('page_down')", show=False),
        Binding("pageup", "rows('page_up')", show=False),
    ]

    def action_rows(self, action: str) -> None:
        """Move in the rows while the line keeps the focus."""
        getattr(self.screen.query_one(RowList), f"action_{action}")()


class FilterLine(Line):
    """A line over rows, hidden until it is asked for."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "leave", show=False),
        Binding("escape", "leave", show=False),
    ]

    def __init__(self, *, placeholder: str = "type to filter") -> None:
        super().__init__(placeholder=placeholder)
        self.display = False

    def open(self) -> None:
        """Show the line and give it the focus at once: what is typed ahead is already meant for it."""
        self.display = True
        self.screen.set_focus(self, scroll_visible=False)

    def close(self) -> None:
        """Empty and hide the line."""
        self.value = ""
        self.display = False

    def action_leave(self) -> None:
        """Go back to the rows and keep the filter."""
        self.post_message(self.Submitted(self, self.value))
