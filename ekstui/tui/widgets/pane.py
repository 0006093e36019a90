"""The base of the four panes: rows in a titled border, with a filter."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import DescendantBlur, DescendantFocus
from textual.geometry import Region
from textual.getters import app
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import Input

from ekstui.errors import EkstuiError, in_app
from ekstui.iam.text import clean_line
from ekstui.present.styled import Column, Row, Styled, cut_middle, plain, styled, wrap
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import FILTER, FIND, HELP, UNMARK, HasKeys, Key, without
from ekstui.tui.messages import PaneFailed, PolicyView, RowReached
from ekstui.tui.widgets.bars import FilterLine
from ekstui.tui.widgets.rows import RowList


def failure(error: EkstuiError) -> tuple[Styled, ...]:
    """Return an error as lines: what happened, then what to do."""
    lines: list[Styled] = [(("! ", "bad"), (clean_line(error.message), ""))]
    if error.next_step:
        lines.append(styled(clean_line(in_app(error.next_step)), "muted"))
    return tuple(lines)


def stale_rows(error: EkstuiError, width: int) -> list[Row]:
    """Return why an answer could not be refreshed, to show above the old one."""
    words = (*failure(error), styled("What was known before:", "muted"))
    return [
        Row(("stale", number, part), (line,), selectable=False)
        for number, text in enumerate(words)
        for part, line in enumerate(wrap(text, width))
    ]


def plain_failure(error: EkstuiError) -> str:
    """Return an error on one line, for a toast."""
    return " ".join(plain(line).removeprefix("! ") for line in failure(error))


def no_match(text: str, hint: str) -> tuple[Styled, Styled]:
    """Return that no row matches what was typed, and what to do."""
    return styled(clean_line(f"Nothing here matches “{text}”."), "warn"), styled(hint, "muted")


ONE_VIEW = "An access policy has one view."
"""Why `v` does nothing in a pane that otherwise has two views."""

ALWAYS = (FILTER, FIND, HELP)
"""Keys that work without a row."""


class Pane(HasKeys, Vertical):
    """Rows in a titled border, with a filter; subclasses build the rows."""

    NUMBER: int
    """The key that goes to the pane."""
    TITLE: str
    FILTER_HINT = ""
    """What can be typed into the filter, as a hint."""
    STOP = "row"
    """The name of what `n` and `N` go to."""
    FOOTER: tuple[Key, ...] = ()
    """The keys for the footer, the most useful first."""

    DEFAULT_CSS = """
    Pane { border: round $foreground 30%; border-title-color: $text-muted; border-subtitle-color: $text-muted; }
    Pane:focus-within { border: heavy $accent; border-title-color: $text-accent; border-title-style: bold; }
    """

    app = app(LibraryApp)

    policy_view: reactive[PolicyView | None] = reactive(None)
    """The policy and version that the panes are about."""

    def __init__(self, columns: Sequence[Column]) -> None:
        super().__init__(id=self.TITLE.lower())
        self.filter = ""
        self._about = ""
        self._line: FilterLine | None = None
        self._to_reach: Hashable = None
        """The row that the cursor goes to as soon as there is one."""
        self._place: Hashable = None
        """The row that the cursor was on before the filter."""
        self.rows = RowList(columns)
        self.set_title()

    @property
    def line(self) -> FilterLine:
        """The filter's input, made on first use."""
        if self._line is None:
            self._line = FilterLine()
        return self._line

    def compose(self) -> ComposeResult:
        """Yield the rows; the filter is mounted on first use."""
        yield self.rows

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the border; all lines between the first and the last are the same, so one is rendered."""
        lines: dict[int, Strip] = {}
        last_line = self.region.height - 1
        for y in crop.line_range:
            alike = min(y, 1) if y < last_line else y
            if alike not in lines:
                (lines[alike],) = super().render_lines(Region(crop.x, alike, crop.width, 1))
        return [lines[min(y, 1) if y < last_line else y] for y in crop.line_range]

    def set_title(self, about: str = "", columns: str = "") -> None:
        """Show the pane's number and title, what it is about and, at the right, the titles of its columns."""
        self._about, self._columns = about, columns
        # The corners, the border next to them and a space on either side leave less room.
        head = f"{self.NUMBER} {self.TITLE}" + (" · " if about else "")
        if width := self.outer_size.width:
            ((about, _),) = cut_middle(styled(about), max(width - 6 - len(head) - len(columns), 12))
            line = width - 8 - len(head) - len(about) - len(columns)
            if columns and line > 0:
                about += f" {('━' if self._has_focus else '─') * line} {columns}"
        # else not laid out yet; the title is cut when it is
        self.border_title = Content(head + about)

    _columns = ""
    _has_focus = False
    """Whether the title is that of the focused pane, whose frame is heavy."""

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _fit_to_frame(self, event: DescendantFocus | DescendantBlur) -> None:
        """Fit the title's line to the frame."""
        has_focus = isinstance(event, DescendantFocus) or self.has_focus_within
        if has_focus != self._has_focus:
            self._has_focus = has_focus
            self.set_title(self._about, self._columns)

    def on_resize(self) -> None:
        self.set_title(self._about, self._columns)

    def set_note(self, note: str) -> None:
        """Show a short note in the bottom border."""
        self.border_subtitle = Content(note)

    @property
    def is_typing(self) -> bool:
        """Whether the filter is being typed."""
        return self._line is not None and self._line.has_focus

    def about_row(self, row: Row) -> Styled:
        """Return the details of a row."""
        return row.cells[0] if row.cells else ()

    def footer_keys(self, row: Row | None, *, marks: int) -> Sequence[Key]:
        """Return the keys that work on a row with this number of marks, the most useful first."""
        useless = () if marks else (UNMARK,)
        return [key for key in without(self.FOOTER, *useless) if row is not None or key in ALWAYS]

    def is_stop(self, row: Row) -> bool:
        """Return whether `n` stops at a row."""
        return row.selectable

    def to_next(self, step: int) -> bool:
        """Go to the next or previous stop; False if there is none."""
        return self.rows.move_to_next(step, self.is_stop)

    @property
    def words(self) -> list[str]:
        """The words of the filter, in lower case."""
        return self.filter.casefold().split()

    def build_rows(self) -> list[Row]:
        """Return the rows that match the filter."""
        raise NotImplementedError

    def show_rows(self, *, cursor: Hashable | None = None) -> None:
        """Rebuild and show the rows, or a message if nothing matches the filter."""
        rows = self.build_rows()
        if not rows and self.filter:
            self.rows.show_message(*no_match(self.filter, "esc clears the filter."))
        else:
            self.rows.set_rows(rows, cursor=cursor)
            self.reach(self._to_reach)

    def reach(self, row: Hashable, *, later: bool = False) -> None:
        """Put the cursor on the row with this key, now or, if it is absent or `later` is set, with the next rows."""
        self._to_reach = None if row is None or (not later and self.rows.move_to(row)) else row

    def show_error(self, error: EkstuiError) -> None:
        """Show what went wrong and what to do."""
        self.rows.show_message(*failure(error))

    def focus_rows(self) -> None:
        """Focus the rows at once, for keys typed ahead."""
        self.screen.set_focus(self.rows, scroll_visible=False)

    async def open_filter(self) -> None:
        """Show and focus the filter; the next key waits until it is mounted."""
        if not self.line.is_attached:
            await self.mount(self.line, before=self.rows)
        if not self.filter:
            self._place = self.rows.key
        self.line.open()

    def put_filter(self, text: str) -> None:
        """Set the filter, as if it had been typed."""
        self.filter = self.line.value = text
        self.line.display = bool(text)
        self.show_rows()

    def clear_filter(self) -> None:
        """Clear and hide the filter."""
        if self._line is not None:
            self._line.close()
        self._show_all()

    def _show_all(self) -> None:
        if self.filter:
            # If nothing matched, the cursor goes back to where it was without the filter.
            nothing = self.rows.current is None
            self.filter = ""
            self.show_rows()
            if nothing and self._place is not None:
                self.rows.move_to(self._place)

    @on(RowList.Highlighted)
    def _highlighted(self, event: RowList.Highlighted) -> None:
        event.stop()
        self.post_message(RowReached(self.id, event.row))

    @on(RowList.Folded)
    def _not_folded(self, event: RowList.Folded) -> None:
        event.stop()
        if not self.fold(event.row, fold=event.fold):
            self.notify("Nothing folds here; 1 to 4 and tab go to the panes.")

    def fold(self, row: Row, *, fold: bool) -> bool:  # noqa: ARG002 - for subclasses
        """Fold or unfold a row; False if it cannot fold."""
        return False

    @on(PaneFailed)
    def _failed(self, message: PaneFailed) -> None:
        message.stop()
        self.show_error(message.error)

    @on(Input.Changed)
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value.strip() != self.filter:
            if not event.value.strip():
                self._show_all()
                return
            self.filter = event.value.strip()
            self.show_rows()

    @on(Input.Submitted)
    def _filter_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.line.action_leave()


def rows_with(words: Sequence[str], rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose text has every word (in lower case)."""
    return [row for row in rows if all(word in " ".join(map(plain, row.cells)).casefold() for word in words)]
