"""A small list to choose one thing from, over whatever is on the screen; typing narrows it down."""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui.core.text import clean_line
from ekstui.present.styled import Column, Row, Styled, plain, styled
from ekstui.tui.widgets.line import Line
from ekstui.tui.widgets.rows import RowList

Choice = TypeVar("Choice")

COLUMNS = (Column("", 20), Column("", 10, share=1))


class ChooserScreen(ModalScreen[Choice | None], Generic[Choice]):
    """Dismisses with the value that was chosen, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", priority=True),
        Binding("down", "rows('down')", show=False),
        Binding("up", "rows('up')", show=False),
        Binding("pagedown", "rows('page_down')", show=False),
        Binding("pageup", "rows('page_up')", show=False),
    ]
    DEFAULT_CSS = """
    ChooserScreen { align: center middle; }
    ChooserScreen > Vertical { width: 76; max-width: 96%; height: auto; max-height: 80%; border: round $accent; background: $surface; }
    ChooserScreen.-wide > Vertical { width: 110; }
    ChooserScreen RowList { height: auto; }
    """

    def __init__(
        self, title: str, choices: Sequence[tuple[Sequence[Styled], Choice]], columns: Sequence[Column] = COLUMNS
    ) -> None:
        super().__init__()
        self._title = title
        self.choices = choices
        self._columns = columns
        self.set_class(len(columns) > len(COLUMNS), "-wide")

    def compose(self) -> ComposeResult:
        """Yield the line to type in, and the choices."""
        with Vertical() as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("enter chooses · esc closes")
            yield Line(placeholder="type to narrow it down")
            yield RowList(self._columns, header=any(column.title for column in self._columns))

    def on_mount(self) -> None:
        """Fill the list, which is as high as it is long, and let the user type."""
        self.set_focus(self.query_one(Line), scroll_visible=False)
        rows = self.query_one(RowList)
        rows.styles.height = len(self.choices) + any(column.title for column in self._columns)
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    def set_choices(self, choices: Sequence[tuple[Sequence[Styled], Choice]]) -> None:
        """Show these choices, of which more is known by now; the cursor stays in its row."""
        self.choices = choices
        cursor = self.query_one(RowList).current
        self._show(self.query_one(Line).value)
        if cursor is not None:
            self.query_one(RowList).move_to(cursor.key)

    def _show(self, typed: str) -> None:
        words = typed.casefold().split()
        rows = [
            Row(index, tuple(cells), index)
            for index, (cells, _) in enumerate(self.choices)
            if all(word in " ".join(map(plain, cells)).casefold() for word in words)
        ]
        if rows:
            self.query_one(RowList).set_rows(rows, cursor=rows[0].key)
        else:
            self.query_one(RowList).show_message(styled(clean_line(f"Nothing here has “{typed}”."), "warn"))

    def action_rows(self, action: str) -> None:
        """Move in the rows while the line keeps the focus."""
        getattr(self.query_one(RowList), f"action_{action}")()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self.query_one(RowList).current)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self._choose(event.row)

    def _choose(self, row: Row | None) -> None:
        if row is not None:
            self.dismiss(self.choices[cast("int", row.value)][1])


def labelled(label: str, about: str) -> tuple[Styled, Styled]:
    """Return the cells of a choice: a label, and what it is."""
    return styled(clean_line(label)), styled(clean_line(about), "muted")
