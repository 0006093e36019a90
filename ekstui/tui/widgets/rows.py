"""A list of rows in columns, on Textual's Line API: the one widget for every list, tree, table and text.

Only the visible lines are rendered, and moving the cursor repaints two of them, which keeps all policies as quick
as ten and a cursor move over SSH as small as it can be.
"""

import re
from collections.abc import Callable, Collection, Hashable, Sequence
from functools import cached_property
from typing import Any

from rich.cells import cell_len
from rich.segment import Segment, Segments
from rich.style import Style
from textual.color import Color
from textual.events import Click
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBarRender
from textual.strip import Strip

from ekstui.present.short_names import ShortNames, names_in
from ekstui.present.styled import Column, Row, Styled, cut_end, plain, styled, wrap
from ekstui.present.styled import Style as StyleName
from ekstui.tui import keys
from ekstui.tui.keys import HasKeys, Key
from ekstui.tui.messages import TypedMessage
from ekstui.tui.styles import rich_style, with_contrast

WHOLE_WIDTH = (Column("", 1, 1),)


class RowList(HasKeys, ScrollView, can_focus=True):
    """Rows with a cursor; it posts when the cursor moves and when a row is opened or folded."""

    KEYS = (
        keys.DOWN, keys.UP,
        Key("page-down", "pagedown", "page(1)", "page down", "Move down one page."),
        Key("page-up", "pageup", "page(-1)", "page up", "Move up one page."),
        Key("half-page-down", "ctrl+d", "page(0.5)", "half page down", "Move down half a page."),
        Key("half-page-up", "ctrl+u", "page(-0.5)", "half page up", "Move up half a page."),
        keys.FIRST, keys.LAST, keys.OPEN, keys.UNFOLD,
        Key("fold", "left,h", "fold(True)", "fold", "Fold the row under the cursor, or go to its parent."),
    )  # fmt: skip
    DEFAULT_CSS = """
    RowList {
        height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; scrollbar-gutter: stable; background: transparent;
        scrollbar-color: $foreground 30%; scrollbar-color-active: $accent; scrollbar-background: $background;
    }
    """

    class Highlighted(TypedMessage):
        """The cursor is on another row, or on none."""

        row: Row | None

    class Opened(TypedMessage):
        """The row under the cursor was opened, with enter or a click."""

        row: Row

    class Folded(TypedMessage):
        """The user wants to fold or unfold the row under the cursor."""

        row: Row
        fold: bool

    def __init__(self, columns: Sequence[Column] = WHOLE_WIDTH, *, header: bool = False) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._header = header
        self.head: tuple[Row, ...] = ()
        """Lines above the rows that do not scroll; `set_head` replaces them."""
        self.rows: tuple[Row, ...] = ()
        """The current rows; `set_rows` replaces them."""
        self.cursor: int | None = None
        """The index of the row under the cursor, or None."""
        self._widths: tuple[int, ...] = ()
        self._names: dict[int, ShortNames] = {}
        """The names in the columns that have some, as they are needed."""
        self._laid_out = -1
        self._match: int | None = None
        """The match that was moved to last; None once the cursor has left it."""
        self.is_marked: Callable[[Row], bool] | None = None
        """Says which rows are marked in the scrollbar; None for none."""
        self._words: Sequence[Styled] = ()
        """The message that is shown instead of rows."""
        self._text_styles: dict[tuple[StyleName, object], Style] = {}
        self._cursor_style: Style | None = None

    @property
    def current(self) -> Row | None:
        """The row under the cursor, or None."""
        return None if self.cursor is None else self.rows[self.cursor]

    @property
    def key(self) -> Hashable:
        """The key of the row under the cursor, or None."""
        return self.current.key if self.current else None

    @property
    def value(self) -> object:
        """What the row under the cursor stands for; None if it stands for nothing."""
        return self.current.value if self.current else None

    def set_rows(self, rows: Sequence[Row], *, cursor: Hashable | None = None) -> None:
        """Replace the rows; the cursor goes to row `cursor`, or stays on its row, or as near as possible."""
        self._words = ()
        target_key = cursor if cursor is not None else self.key
        nearby = self.cursor or 0
        self.rows = tuple(rows)
        self._names.clear()
        self._match = None
        self.cursor = self._place(target_key, nearby)
        self.virtual_size = Size(self.row_width, len(self.rows) + self.lines_above)
        self._mark_in_scrollbar()
        self._show_cursor()
        self.refresh()
        self.post_message(self.Highlighted(self.current))

    def _mark_in_scrollbar(self) -> None:
        if self.is_marked is None:
            return
        marked_indices = [index for index, row in enumerate(self.rows) if self.is_marked(row)]
        bar = with_marks(marked_indices, Style(color=rich_style(self, "warn").color))
        self.vertical_scrollbar.renderer = bar  # type: ignore[misc]  # for this one alone, as Textual describes
        self.vertical_scrollbar.refresh()

    def set_unfolded(self, show: Callable[[], None]) -> None:
        """Let `show` set rows of which one was unfolded or folded; what is unfolded is scrolled into view.

        The cursor's row stays in view too, so of more rows than fit below it the first are shown.
        """
        count_before = len(self.rows)
        show()
        added_count = len(self.rows) - count_before
        if self.cursor is not None and added_count > 0:
            self._show_line(min(self.cursor + min(added_count, self._page), len(self.rows) - 1))

    def set_head(self, head: Sequence[Row]) -> None:
        """Replace the lines above the rows, which do not scroll."""
        if len(head) != len(self.head):
            self.head = tuple(head)
            self.on_resize()
            self.refresh()
            return
        for y, (before, after) in enumerate(zip(self.head, head, strict=True)):
            if before != after:
                self.refresh_line(self.scroll_offset.y + self._header + y)
        self.head = tuple(head)

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Replace the columns."""
        self._columns = tuple(columns)
        self._names.clear()
        self._lay_out()
        self.refresh()

    def show_message(self, *lines: Styled) -> None:
        """Show a message instead of rows."""
        # Before the first layout the width is unknown; on_resize wraps the message again.
        width = self.row_width or 40
        pieces = [piece for line in lines for piece in wrap(line, width)]
        self.set_rows([Row(None, (piece,), selectable=False) for piece in pieces])
        self._words = lines

    def move_to(self, key: Hashable) -> bool:
        """Move the cursor to the row with this key; return whether there is one."""
        for index, row in enumerate(self.rows):
            if row.selectable and row.key == key:
                self._move(index)
                return True
        return False

    def move_to_next(self, step: int, is_wanted: Callable[[Row], bool]) -> bool:
        """Move the cursor to the next or previous wanted row; return whether there is one."""
        start = -1 if self.cursor is None else self.cursor
        order = range(start + 1, len(self.rows)) if step > 0 else range(start - 1, -1, -1)
        for index in order:
            if self.rows[index].selectable and is_wanted(self.rows[index]):
                self._move(index)
                return True
        return False

    def move_to_match(self, step: int, is_match: Callable[[Row], bool], *, here: bool = False) -> bool:
        """Move to the next or previous match, round the end (with `here` from the cursor on); False if none.

        Of a match on which the cursor cannot rest, it goes to the row before, and the match is scrolled into view.
        """
        count = len(self.rows)
        start = self.cursor if self._match is None else self._match
        start_distance = 0 if here or start is None else 1
        for distance in range(start_distance, count + start_distance):
            index = ((start or 0) + step * distance) % count
            if is_match(self.rows[index]):
                rows_above = (at for at in range(index, -1, -1) if self.rows[at].selectable)
                at = next(rows_above, self._place(None, index))
                if at is not None:
                    self._move(at)
                self._match = index
                self._show_line(index)
                return True
        return False

    def render_line(self, y: int) -> Strip:
        """Return line `y` of the visible area."""
        width = self.row_width
        if width != self._laid_out:
            self._lay_out()
        if self._header and y == 0:
            titles = tuple(styled(column.title) for column in self._columns)
            return self._strip(Row(None, titles), rich_style(self, "header"), width)
        if 0 <= y - self._header < len(self.head):
            return self._strip(self.head[y - self._header], self._plain_style, width)
        index = self.scroll_offset.y + y - self.lines_above
        if not 0 <= index < len(self.rows):
            return Strip.blank(width, self._plain_style)
        base = self._plain_style
        if index == self.cursor:
            base = rich_style(self, "cursor" if self.has_focus else "cursor-blurred")
            self._cursor_style = base if self.has_focus else None
        return self._strip(self.rows[index], base, width)

    def on_resize(self) -> None:
        self._lay_out()
        if self._words:
            self.show_message(*self._words)
        self.virtual_size = Size(self.row_width, len(self.rows) + self.lines_above)
        self._show_cursor()

    def notify_style_update(self) -> None:
        """Clear cached styles when the theme changes."""
        super().notify_style_update()
        self._text_styles.clear()
        self.__dict__.pop("_plain_style", None)

    @cached_property
    def _plain_style(self) -> Style:
        """The style of plain text; cached, since computing it for each line took a tenth of the first paint."""
        return self.rich_style

    def on_click(self, event: Click) -> None:
        """Move to the clicked row; a click on the current row opens it, and one on ▸ or ▾ folds or unfolds it."""
        index = self.scroll_offset.y + event.y - self.lines_above
        if event.y >= self.lines_above and index < len(self.rows) and self.rows[index].selectable:
            row = self.rows[index]
            sign = re.match(r" *[▸▾] ", "".join(map(plain, row.cells[:1])))
            opens = index == self.cursor
            self._move(index)
            if sign and event.x <= sign.end():
                self.action_fold("▾" in sign[0])
            elif opens:
                self.action_open()

    def action_open(self) -> None:
        if self.current is not None:
            self.post_message(self.Opened(self.current))

    def action_fold(self, fold: bool) -> None:
        if self.current is not None:
            self.post_message(self.Folded(self.current, fold))

    def action_page(self, pages: float) -> None:
        """Move by pages or a part of one, at least by one row."""
        step = max(1, int(abs(pages) * self._page))
        self.action_move(step if pages > 0 else -step)

    def action_first(self) -> None:
        """Move to the first row that can have the cursor, and show the top."""
        self.action_move(-len(self.rows))
        self._show_line(0)

    def action_last(self) -> None:
        """Move to the last row that can have the cursor, and show the end."""
        self.action_move(len(self.rows))
        if self.rows:
            self._show_line(len(self.rows) - 1)

    @property
    def lines_above(self) -> int:
        """How many lines are above the rows: the titles of the columns and the head."""
        return self._header + len(self.head)

    @property
    def row_width(self) -> int:
        """The width of the rows, without the scrollbar."""
        return self.scrollable_content_region.width

    @property
    def _visible(self) -> int:
        return max(1, self.size.height - self.lines_above)

    @property
    def _first(self) -> int | None:
        return next((index for index, row in enumerate(self.rows) if row.selectable), None)

    @property
    def _page(self) -> int:
        return max(1, self._visible - 1)

    def _place(self, key: Hashable | None, nearby: int) -> int | None:
        selectable = [index for index, row in enumerate(self.rows) if row.selectable]
        if not selectable:
            return None
        if key is not None:
            for index in selectable:
                if self.rows[index].key == key:
                    return index
        return min(selectable, key=lambda index: abs(index - nearby))

    def action_move(self, step: int) -> None:
        """Move down by `step` rows, or up if it is negative; scroll where no row can be moved to."""
        if self.cursor is None:
            self.scroll_relative(y=step, animate=False)
            return
        lines_below = self.cursor - self.scroll_offset.y - self._visible + 1
        if lines_below > 0 and 0 < step <= self._page and self.cursor == self._first:
            # The text above it fills the list, and is read first.
            self.scroll_relative(y=min(step, lines_below), animate=False)
            return
        target = min(max(self.cursor + step, 0), len(self.rows) - 1)
        direction = 1 if step > 0 else -1
        rows_beyond = range(target, len(self.rows) if direction > 0 else -1, direction)
        for index in (*rows_beyond, *range(target, self.cursor, -direction)):
            if self.rows[index].selectable:
                self._move(index)
                return
        # No selectable row that way: just scroll.
        self.scroll_relative(y=step, animate=False)

    def _move(self, index: int) -> None:
        self._match = None
        if index == self.cursor:
            self._show_cursor(was_moved=True)
            return
        self._repaint_cursor()
        self.cursor = index
        self._repaint_cursor()
        self._show_cursor(was_moved=True)
        self.post_message(self.Highlighted(self.current))

    def _repaint_cursor(self) -> None:
        if self.cursor is not None:
            self.refresh_line(self.cursor + self.lines_above)

    # The cursor looks different with the focus.
    on_focus = on_blur = _repaint_cursor

    def _show_cursor(self, *, was_moved: bool = False) -> None:
        if self.cursor is None or not self.size.height:
            return
        # The first selectable row brings the text above it into view. New rows start with that text.
        from_top = self.cursor == self._first and (
            self.cursor < self._visible or (not was_moved and self.scroll_offset.y == 0)
        )
        self._show_line(0 if from_top else self.cursor)

    def _show_line(self, index: int) -> None:
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= top + self._visible:
            self.scroll_to(y=index - self._visible + 1, animate=False, immediate=True)

    def _lay_out(self) -> None:
        self._laid_out = self.row_width
        spare = max(0, self._laid_out - sum(column.width for column in self._columns) - (len(self._columns) - 1))
        shares = sum(column.share for column in self._columns)
        extras = [spare * column.share // shares if shares else 0 for column in self._columns]
        for index, column in enumerate(self._columns):
            if column.share:
                extras[index] += spare - sum(extras)
                break
        self._widths = tuple(column.width + extra for column, extra in zip(self._columns, extras, strict=True))

    def _strip(self, row: Row, base: Style, width: int) -> Strip:
        if len(row.cells) == 1:
            return Strip(self._cell(row.cells[0], base, width, right=False), width)
        segments: list[Segment] = []
        used_width = -1
        for cell, (column, room) in zip(row.cells, self._rooms(row), strict=False):
            if room < 0:
                continue  # another column took its room
            if segments:
                segments.append(Segment(" ", base))
            if column.names:
                cell = self._names_in(column).fitted_cell(cell, room)
            segments += self._cell(cell, base, room, right=column.right)
            used_width += room + 1
        return Strip(segments, width) if used_width == width else Strip(segments).adjust_cell_length(width, base)

    def _names_in(self, column: Column) -> ShortNames:
        """Return the names in a column, by which each of them is cut."""
        at = self._columns.index(column)
        if at not in self._names:
            self._names[at] = names_in(row.cells[at] for row in self.rows if len(row.cells) > 1)
        return self._names[at]

    def _rooms(self, row: Row) -> list[tuple[Column, int]]:
        """Return the columns with their widths; a cell that would be cut takes the room of later columns that yield."""
        widths = list(self._widths)
        for index, column in enumerate(self._columns):
            if not column.yields:
                continue
            widest = max((at for at in range(index) if self._columns[at].share), default=None)
            if widest is not None and cell_len(plain(row.cells[widest])) > widths[widest]:
                widths[widest] += widths[index] + 1
                widths[index] = -1
        return list(zip(self._columns, widths, strict=True))

    def _cell(self, cell: Styled, base: Style, room: int, *, right: bool) -> list[Segment]:
        cell = cut_end(cell, room)
        # Coloured text would be hard to read on the bright cursor.
        plain_only = base.bgcolor is not None and base == self._cursor_style
        segments = [
            Segment(text, base + self._text_style(name, base) if name and not (plain_only and name != "hit") else base)
            for text, name in cell
        ]
        if spare := room - cell_len(plain(cell)):
            segments.insert(0 if right else len(segments), Segment(" " * spare, base))
        return segments

    def _text_style(self, name: StyleName, base: Style) -> Style:
        """Return a style with enough contrast on the row's background, which differs under the cursor."""
        key = (name, base.bgcolor)
        if key not in self._text_styles:
            full_style = rich_style(self, name)
            # Only a hit and a place on a line have their own background.
            background = full_style.bgcolor if name in ("hit", "cursor") else None
            colour = full_style.color
            if colour and base.bgcolor and not background:
                colour = with_contrast(Color.from_rich_color(colour), Color.from_rich_color(base.bgcolor)).rich_color
            self._text_styles[key] = Style(
                color=colour,
                bgcolor=background,
                bold=full_style.bold,
                reverse=full_style.reverse,
                underline=full_style.underline,
            )
        return self._text_styles[key]


_MARK = "▐"
"""What stands in the scrollbar beside marked rows."""


class MarkedScrollBar(ScrollBarRender):
    """Renders a scrollbar that shows where some of the rows are; `with_marks` says which."""

    marked: Collection[int] = ()
    """The indices of the marked rows."""
    style_of_marks = Style.null()

    @classmethod
    def render_bar(cls, size: int = 25, virtual_size: float = 50, *place: Any, **looks: Any) -> Segments:
        """Return the scrollbar with its marks, or without them if all rows are in view."""
        bar = super().render_bar(size, virtual_size, *place, **looks)
        if not looks["window_size"]:
            return bar
        segments = list(bar.segments)
        for line in {int(index * size / virtual_size) for index in cls.marked if index < virtual_size}:
            style = segments[line].style or Style.null()
            background = Style(bgcolor=style.color if style.reverse else style.bgcolor, reverse=False)
            segments[line] = Segment(_MARK, style + cls.style_of_marks + background)
        return Segments(segments, new_lines=True)


def with_marks(indices: Collection[int], style: Style) -> type[ScrollBarRender]:
    """Return a renderer that marks the rows with these indices."""
    return type("Marked", (MarkedScrollBar,), {"marked": indices, "style_of_marks": style})
