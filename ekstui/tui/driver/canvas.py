"""Two grids of cells, what the app has drawn and what the terminal shows, and the cheapest way from one to the other."""

from typing import Final

from ekstui.tui.driver.frame import JOINS_BEFORE, TOKEN, cells_in, is_sure
from ekstui.tui.driver.sgr import PLAIN, Style, after, transition

UNKNOWN: Final = None
"""The text of a cell of which nothing is known."""

_BRIDGE: Final = 10
"""Unchanged cells between two changes that may be worth sending again; a move over them costs 3 to 10 bytes."""


class _Row:
    """The cells of one row, in two lists because whole lists compare at the speed of C."""

    __slots__ = ("styles", "texts")

    def __init__(self, width: int) -> None:
        self.texts: list[str | None] = [UNKNOWN] * width
        self.styles: list[Style] = [PLAIN] * width


class Canvas:
    """Draws frames on a grid and says what bytes make the terminal show them.

    It says them in a fixed language: text without control characters, SGR, and the cursor moves CUP, CUU, CUD, CUF, CUB,
    CR and BS, all of which a VT100 knows. So nothing that a frame holds can reach the terminal as a command.
    """

    def __init__(self, width: int, height: int) -> None:
        self._style = PLAIN
        """The attributes that the terminal writes with now."""
        self._cursor: tuple[int, int] | None = None
        """Where the terminal's cursor is, (row, column) from 0, or None."""
        self._rest: tuple[int, int] | None = None
        """Where the app left its cursor: input methods and screen readers follow it even while it is hidden."""
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Begin again with a grid of this size, of which nothing is known."""
        self.width, self.height = max(width, 1), max(height, 1)
        self._drawn = [_Row(self.width) for _ in range(self.height)]
        self._rest = None
        self.repaint()

    def forget(self) -> None:
        """Take nothing for known any more: only what is drawn from now on is sent."""
        self.resize(self.width, self.height)

    def repaint(self) -> None:
        """Take nothing that the terminal shows for known: all that is drawn is sent again."""
        self._shown = [_Row(self.width) for _ in range(self.height)]
        self._changed = set(range(self.height))
        self._cursor = None

    def draw(self, frame: str) -> None:
        """Draw what `frame`, in the language of `frame.py`, draws."""
        row = column = 0
        style = PLAIN
        for token in TOKEN.finditer(frame):
            kind = token.lastgroup
            if kind == "text":
                column = self._write(row, column, token[0], style)
            elif kind == "sgr":
                style = after(style, token["sgr"])
            elif kind == "column":
                row, column = max(int(token["row"]) - 1, 0), max(int(token["column"]) - 1, 0)
            elif kind == "newline":
                row, column = row + 1, 0
        self._rest = (min(row, self.height - 1), min(column, self.width - 1))

    def _write(self, y: int, x: int, text: str, style: Style) -> int:
        """Write `text` from column `x` of row `y` and return the column after it; what lies outside is left out."""
        cells = cells_in(text)
        if cells and cells[0].startswith(JOINS_BEFORE):
            self._join(y, x, cells[0].removeprefix(JOINS_BEFORE))
            cells = cells[1:]
        end = x + len(cells)
        if y >= self.height or x >= self.width or not cells:
            return end
        if end > self.width:
            cells = cells[: self.width - x]
            if len(cells[-1]) and cells_in(cells[-1])[1:]:
                cells = (*cells[:-1], " ")  # half of a wide character
        row = self._drawn[y]
        stop = x + len(cells)
        if row.texts[x] == "":
            row.texts[x - 1] = " "
        if stop < self.width and row.texts[stop] == "":
            row.texts[stop] = " "
        row.texts[x:stop] = cells
        row.styles[x:stop] = [style] * len(cells)
        self._changed.add(y)
        return end

    def _join(self, y: int, x: int, mark: str) -> None:
        """Add a combining mark to the character that ends before column `x`."""
        if not (y < self.height and 0 < x <= self.width):
            return
        texts = self._drawn[y].texts
        x -= 1
        if texts[x] == "":
            x -= 1
        base = texts[x]
        # A mark alone would join whatever the terminal shows; a heap of them is no writing that anybody reads.
        if base and len(base) < 16:
            texts[x] = base + mark
            self._changed.add(y)

    def changes(self) -> str:
        """Return what makes the terminal show all that is drawn, and take it as shown."""
        parts: list[str] = []
        for y in sorted(self._changed):
            drawn, shown = self._drawn[y], self._shown[y]
            if drawn.texts != shown.texts or drawn.styles != shown.styles:
                self._change_row(y, drawn, shown, parts)
        self._changed.clear()
        if self._rest is not None and self._rest != self._cursor:
            parts.append(self._move(*self._rest))
        return "".join(parts)

    def reset(self) -> str:
        """Return what sets the terminal's attributes back, which others are about to write with."""
        sequence = transition(self._style, PLAIN)
        self._style = PLAIN
        return sequence

    def _change_row(self, y: int, drawn: _Row, shown: _Row, parts: list[str]) -> None:
        _spoil_halves(drawn, shown)
        texts, styles = drawn.texts, drawn.styles
        shown_texts, shown_styles = shown.texts, shown.styles
        style = self._style
        at = -1  # the column where the cursor is, if it is in this row and known
        if self._cursor is not None and self._cursor[0] == y:
            at = self._cursor[1]
        for x in range(self.width):
            text = texts[x]
            if text is None or (text == shown_texts[x] and styles[x] == shown_styles[x]):
                continue
            if not text:
                continue  # its first half has written it
            if x != at:
                bridge = self._bridge(drawn, shown, at, x, style)
                self._style = style
                parts.append(bridge if bridge is not None else self._move(y, x))
            if styles[x] != style:
                parts.append(transition(style, styles[x]))
                style = styles[x]
            parts.append(text)
            width = 2 if x + 1 < self.width and texts[x + 1] == "" else 1
            at = x + width
            if at >= self.width or not is_sure(text):
                at = -1
            self._cursor = (y, at) if at >= 0 else None
        self._style = style
        for x, text in enumerate(texts):
            if text is not None:
                shown_texts[x] = text
                shown_styles[x] = styles[x]

    def _bridge(self, drawn: _Row, shown: _Row, at: int, x: int, style: Style) -> str | None:
        """Return the unchanged cells from `at` to `x` if they may be sent again for less than a move, else None."""
        if not 0 <= at < x <= at + _BRIDGE:
            return None
        if any(
            text is None or text != shown.texts[column] or drawn.styles[column] != style or not is_sure(text)
            for column, text in enumerate(drawn.texts[at:x], at)
        ):
            return None
        gap = "".join(text for text in drawn.texts[at:x] if text)
        return gap if len(gap.encode()) <= len(_forward(x - at)) else None

    def _move(self, y: int, x: int) -> str:
        """Return the shortest move of the terminal's cursor to row `y` and column `x`, and take it as done."""
        moves = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self._cursor is not None:
            row, column = self._cursor
            vertical = "" if y == row else _count(y - row, "B") if y > row else _count(row - y, "A")
            if x == 0:
                moves.append(vertical + "\r")
            elif x >= column:
                moves.append(vertical + (_forward(x - column) if x > column else ""))
            else:
                moves.append(vertical + min("\b" * (column - x), _count(column - x, "D"), key=len))
                moves.append(vertical + "\r" + _forward(x))
        self._cursor = (y, x)
        return min(moves, key=len)


def _spoil_halves(drawn: _Row, shown: _Row) -> None:
    """Take a wide character that the terminal shows for unknown where either half of it is to be written over."""
    if "" not in shown.texts:
        return
    for x, text in enumerate(shown.texts):
        if (
            text == ""
            and x
            and any(
                drawn.texts[half] is not None
                and (drawn.texts[half] != shown.texts[half] or drawn.styles[half] != shown.styles[half])
                for half in (x - 1, x)
            )
        ):
            shown.texts[x - 1] = shown.texts[x] = UNKNOWN


def _forward(columns: int) -> str:
    return _count(columns, "C")


def _count(number: int, letter: str) -> str:
    return f"\x1b[{number}{letter}" if number > 1 else f"\x1b[{letter}"
