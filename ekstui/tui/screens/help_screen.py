"""The help: common tasks, the keys of the current screen, and the symbols."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import app
from textual.screen import ModalScreen

from ekstui.present.styled import Column, Row, styled, wrap
from ekstui.tui import keys
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, bindings, spelled
from ekstui.tui.widgets.rows import RowList

TASKS = (
    ("What may it do?", (keys.FILTER, "type a name"), (keys.OPEN, "its services"), (keys.UNFOLD, "the actions"), (keys.OPEN, "one action")),
    ("What changed?", (keys.VERSIONS, "the versions"), (keys.OPEN, "what one changed and why"), (keys.CHANGES, "of all policies")),
    ("Who has it?", (keys.ATTACHED, "roles, users and groups"), (keys.OPEN, "a role"), (keys.WHO_CAN, "who can do an action")),
    ("Why was it denied?", (keys.EXPLAIN, "paste the message"), (keys.SIMULATE, "ask IAM as well"), (keys.COPY, "the smallest statement")),
    ("What is wrong in my cluster?", (keys.CLUSTERS, "choose it"), (keys.NEXT, "the next problem"), (keys.OPEN, "its evidence, its fix, the role"), (keys.COPY, "the command that fixes it")),
)  # fmt: skip
"""Common tasks, each with its keys in order."""

LEGEND = (
    ("●", "the version that is shown; ○ the others"),
    ("A B", "marked, in this order"),
    ("!", "changed since you last looked, or a warning"),
    ("dim", "superseded, or inferred rather than confirmed"),
    ("6/224", "6 of the 224 actions of this access level are allowed"),
    ("+1 −0 ~2", "grants that a version added, removed and changed"),
    ("≥ ≤", "at least, at most: not everything could be read"),
)
"""The symbols and their meanings."""

WIDTH = 92
KEYS_WIDTH = 12
"""Columns of the box, as in DEFAULT_CSS, and of the keys in it."""


class HelpScreen(ModalScreen[None]):
    """Common tasks, the keys of the screen below, and the symbols."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close"),
        *bindings([keys.FIND]),
    ]
    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > Vertical { width: 92; max-width: 96%; height: 90%; border: round $accent; background: $surface; padding: 0 1; }
    """

    app = app(LibraryApp)

    def __init__(self, here: Sequence[Key], everywhere: Sequence[Key]) -> None:
        super().__init__()
        self._here = here
        self._everywhere = everywhere

    def action_find(self) -> None:
        """Replace the help with the palette."""
        self.dismiss()
        self.app.call_later(self.app.run_action, "app.find")

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with Vertical() as box:
            box.border_title = Content("Help")
            box.border_subtitle = Content("esc closes")
            yield RowList((Column("Key", KEYS_WIDTH), Column("", 10, share=1)))

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one(RowList).focus()

    def on_resize(self) -> None:
        """Fill the list, wrapped to the width."""
        rows: list[Row] = []
        # Without the border, the padding, the keys and the scrollbar.
        width = max(min(WIDTH, self.size.width * 96 // 100) - KEYS_WIDTH - 6, 20)
        for title, *steps in TASKS:
            rows.append(Row(title, (styled(title, "strong"),), selectable=False))
            for number, (key, does) in enumerate(steps):
                cells = (styled(f"  {spelled(self.app.keys_of(key)).split(' ')[0]}", "accent"), styled(does))
                rows.append(Row((title, number), cells, selectable=False))
        here = {key.id for key in self._here}
        for title, found in (
            ("On this screen", self._here),
            ("In every list", [key for key in RowList.KEYS if key.id not in here]),
            ("Everywhere", [key for key in self._everywhere if key.id not in here]),
        ):
            rows.append(Row(title, (styled(title, "strong"),), selectable=False))
            for key in found:
                rows += _lines(key.id, spelled(self.app.keys_of(key)), key.help, width)
        rows.append(Row("symbols", (styled("Symbols", "strong"),), selectable=False))
        for symbol, meaning in LEGEND:
            rows += _lines(symbol, symbol, meaning, width)
        self.query_one(RowList).set_rows(rows)


def _lines(key: str, symbol: str, words: str, width: int) -> list[Row]:
    return [
        Row((key, index), (styled("" if index else f"  {symbol}", "accent"), line), selectable=False)
        for index, line in enumerate(wrap(styled(words), width))
    ]
