"""The keys for where the user is, made from the key table."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import app
from textual.screen import ModalScreen

from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Where, keys_of, spelled
from ekstui.tui.styled import styled
from ekstui.tui.widgets.rows import Column, Row, RowList

_HEADINGS: dict[Where, str] = {
    "explorer": "Here",
    "compare": "Comparing",
    "role": "Role",
    "changes": "Changes",
    "asking": "The question",
    "who-can": "Who can",
    "explain": "Explaining",
    "action": "The action",
    "report": "Here",
    "rows": "Moving",
    "app": "Everywhere",
}


class HelpScreen(ModalScreen[None]):
    """A list of keys and what they do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "close")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 76; max-width: 96%; height: 90%; border: round $accent; background: $surface; padding: 0 1; }
    """

    app = app(LibraryApp)

    def __init__(self, places: Sequence[Where]) -> None:
        super().__init__()
        self._places = places

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical() as box:
            box.border_title = Content("Keys")
            box.border_subtitle = Content("esc closes")
            yield RowList((Column("Key", 12), Column("", 10, share=1)))

    def on_mount(self) -> None:
        """Fill the list with the keys of the screen below."""
        rows: list[Row] = []
        for where in self._places:
            rows.append(Row(where, (styled(_HEADINGS[where], "strong"),), selectable=False))
            rows += [
                Row(key.id, (styled(spelled(self.app.keys_of(key)), "accent"), styled(key.help)), selectable=False)
                for key in keys_of((where,))
            ]
        self.query_one(RowList).set_rows(rows)
        self.query_one(RowList).focus()
