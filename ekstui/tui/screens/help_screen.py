"""The help: on one page what the symbols mean and the keys of the screen; typing finds what they do."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from ekstui.present.blocks import Column, Line, Span, Table, TableRow
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, styled
from ekstui.tui import keys
from ekstui.tui.keys import Key, keys_as_shown
from ekstui.tui.screens.dialogs import Dialog, KeysLine, box
from ekstui.tui.widgets.pane import no_match
from ekstui.tui.widgets.rows import RowList

Symbols = Sequence[tuple[str, str]]
"""Signs with what they mean."""

TASKS = (
    (
        "What may it do?",
        (keys.FILTER, "type a name"),
        (keys.OPEN, "its services"),
        (keys.UNFOLD, "the actions"),
        (keys.OPEN, "one action"),
    ),
    (
        "What changed?",
        (keys.VERSIONS, "the versions"),
        (keys.OPEN, "what one changed and why"),
        (keys.CHANGES, "of all policies"),
    ),
    (
        "Who has it?",
        (keys.ATTACHED, "roles, users and groups"),
        (keys.OPEN, "a role"),
        (keys.WHO_CAN, "who can do an action"),
    ),
    (
        "Why was it denied?",
        (keys.EXPLAIN, "paste the message"),
        (keys.SIMULATE, "ask IAM as well"),
        (keys.COPY, "the smallest statement"),
    ),
    (
        "What is wrong in my cluster?",
        (keys.CLUSTERS, "choose it"),
        (keys.NEXT, "next problem"),
        (keys.OPEN, "evidence, fix, role"),
        (keys.COPY, "the command that fixes it"),
    ),
)
"""Common tasks, each with its keys in order."""


_TOGETHER = "\u00a0"
"""Stands for a space at which a line is not wrapped, until it is."""


class HelpScreen(Dialog[None]):
    """The symbols and keys of the screen below, and common tasks."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "clear", priority=True)]
    DEFAULT_CSS = """
    HelpScreen { align: left top; }
    HelpScreen > Vertical { width: 100%; max-width: 100%; border: none; border-bottom: solid $accent; padding: 0; margin-top: 1; }
    HelpScreen RowList { height: auto; padding: 0 1; }
    """

    def __init__(self, here: Sequence[Key], everywhere: Sequence[Key], symbols: Symbols = ()) -> None:
        super().__init__()
        self._here = here
        self._everywhere = everywhere
        self._symbols = symbols

    def compose(self) -> ComposeResult:
        hint = "type a word for what the keys do, such as cluster or denied"
        page_rows = RowList()
        # Known at once, so that the box is drawn once.
        page = self._page()
        page_rows.styles.height = self._height(page)
        page_rows.set_rows(page)
        line = KeysLine((keys.HELP, keys.LEAVE, keys.FIND), self._press, placeholder=hint)
        yield box("", " Help · esc closes ", line, page_rows)

    async def _press(self, key: Key) -> None:
        """Close the help, or replace it with the palette."""
        self.dismiss(None)
        if key is keys.FIND:
            self.app.call_later(self.app.run_action, "app.find")

    def on_resize(self) -> None:
        """Show the page, wrapped to the width, and as high as it is."""
        page = self._page()
        self.query_one(RowList).styles.height = self._height(page)
        self._show(page)

    def _height(self, page: Sequence[Row]) -> int:
        return min(len(page), self.app.size.height - 4)

    def action_clear(self) -> None:
        """Clear what is typed, or close the help."""
        line = self.query_one(KeysLine)
        if line.value:
            line.value = ""
        else:
            self.dismiss(None)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        words = event.value.casefold().split()
        self._show(self._rows_about(words) if words else self._page())

    def _show(self, page: Sequence[Row]) -> None:
        page_rows = self.query_one(RowList)
        if page:
            page_rows.set_rows(page)
        else:
            page_rows.show_message(no_match(self.query_one(KeysLine).value, "")[0], styled("esc shows all.", "muted"))

    @property
    def _width(self) -> int:
        """The width of the rows: without the padding and the scrollbar."""
        return self.app.size.width - 3

    def _groups(self) -> list[tuple[str, Sequence[Key]]]:
        ids_here = {key.id for key in self._here}
        groups = (
            ("Here", self._here),
            ("Everywhere", [key for key in (*self._everywhere, *RowList.KEYS) if key.id not in ids_here]),
        )
        return [(title, group_keys) for title, group_keys in groups if group_keys]

    def _key_text(self, key: Key, *, only_first: bool = False) -> str:
        spelling = keys_as_shown(self.app.keys_of(key))
        return spelling.partition(" ")[0] if only_first else spelling

    def _tasks(self) -> list[tuple[str, list[tuple[str, str]]]]:
        return [
            (title, [(self._key_text(key, only_first=True), does) for key, does in steps]) for title, *steps in TASKS
        ]

    def _page(self) -> list[Row]:
        """Return everything in a few lines: symbols, keys with their labels, and tasks."""
        lines = [("Symbols", self._symbols)] if self._symbols else []
        lines += [
            (title, [(self._key_text(key), key.label) for key in group_keys]) for title, group_keys in self._groups()
        ]
        columns = (Column("", 10), Column("", 20, shrink=1))
        tables = [
            Table(columns, [TableRow((Span(title, "strong"), _line_of(pairs))) for title, pairs in group])
            for group in (lines, self._tasks())
        ]
        return [_wrapped_row(row) for row in rows(tables, self._width)]

    def _rows_about(self, words: Sequence[str]) -> list[Row]:
        """Return what has all these words: symbols, keys in whole sentences, and tasks."""
        entries = [(sign, meaning) for sign, meaning in self._symbols]
        entries += [(self._key_text(key), key.help) for _, group_keys in self._groups() for key in group_keys]
        matching_entries = [
            TableRow((Span(sign, "accent"), meaning))
            for sign, meaning in entries
            if all(word in f"{sign} {meaning}".casefold() for word in words)
        ]
        tasks = [
            TableRow((Span(title, "strong"), _line_of(steps)))
            for title, steps in self._tasks()
            if all(word in f"{title} {' '.join(does for _, does in steps)}".casefold() for word in words)
        ]
        columns = (Column("", 4), Column("", 20, shrink=1))
        return [
            _wrapped_row(row) for row in rows([Table(columns, matching_entries), Table(columns, tasks)], self._width)
        ]


def _line_of(pairs: Iterable[tuple[str, str]]) -> Line:
    """Return signs or keys, each with what it means, one after the other; none is wrapped within."""
    pieces: list[str | Span] = []
    for sign, meaning in pairs:
        pieces += [Span(sign.replace(" ", _TOGETHER), "accent"), f"{_TOGETHER}{meaning.replace(' ', _TOGETHER)}  "]
    return tuple(pieces)


def _wrapped_row(row: Row) -> Row:
    return row._replace(
        cells=tuple(tuple((text.replace(_TOGETHER, " "), style) for text, style in cell) for cell in row.cells)
    )
