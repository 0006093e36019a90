"""The keys for where the user is, made from the key table."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import app
from textual.screen import ModalScreen

from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import styled
from ekstui.present.wrapping import wrap
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Where, keys_of, spelled
from ekstui.tui.widgets.rows import RowList

_HEADINGS: dict[Where, str] = {
    "explorer": "Here",
    "compare": "Comparing",
    "role": "Role",
    "changes": "Changes",
    "asking": "The question",
    "who-can": "Who can",
    "explain": "Explaining",
    "action": "The action",
    "matrix": "The table",
    "cluster": "Cluster",
    "map": "The tree",
    "account": "Account",
    "report": "Here",
    "rows": "Moving",
    "app": "Everywhere",
}


WIDTH = 92
KEYS_WIDTH = 12
"""Columns of the box, as its style says, and of the keys in it."""


class HelpScreen(ModalScreen[None]):
    """A list of keys and what they do."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", "close")]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 92; max-width: 96%; height: 90%; border: round $accent; background: $surface; padding: 0 1; }
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
            yield RowList((Column("Key", KEYS_WIDTH), Column("", 10, share=1)))

    def on_mount(self) -> None:
        """Let the keys move the list."""
        self.query_one(RowList).focus()

    def on_resize(self) -> None:
        """Fill the list with the keys of the screen below, wrapped to the width."""
        rows: list[Row] = []
        # Beside the sentences: border, padding, the keys and the scrollbar.
        width = max(min(WIDTH, self.size.width * 96 // 100) - KEYS_WIDTH - 6, 20)
        for where in self._places:
            rows.append(Row(where, (styled(_HEADINGS[where], "strong"),), selectable=False))
            for key in keys_of((where,)):
                names = spelled(self.app.keys_of(key))
                rows += [
                    Row((key.id, index), (styled("" if index else names, "accent"), line), selectable=False)
                    for index, line in enumerate(wrap(styled(key.help), width))
                ]
        self.query_one(RowList).set_rows(rows)
