"""Two grids of cells, as drawn by the app and as shown by the terminal, and the shortest output to make them equal.

In Textual 8.2.8 (`_compositor.py`, `strip.py`) and Rich 15.0, a frame starts with a cursor position and contains cursor
positions, SGR, newlines, hyperlinks (OSC 8) and text. Anything else came with the text and is left out: control
characters, which have no width in Rich, and hyperlinks, since a link in foreign text looks like one of the app.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes

from ekstui.named_tuples import NamedTuple
from ekstui.tui.driver.sgr import PLAIN, SgrStyle, style_after, transition


class _Piece(NamedTuple):
    """Adjacent cells of one style, to be written at once."""

    y: int
    x: int
    end: int
    """The column after the last cell."""
    text: str
    style: SgrStyle
    is_sure: bool
    """Whether the terminal's cursor is certain to be at `end` afterwards."""


class Pen:
    """A cursor position, a style, and the output since the last `take`.

    It moves with CUP, CUU, CUD, CUF, CUB, CR and BS, which every terminal since the VT100 supports.
    """

    def __init__(self) -> None:
        self.style = PLAIN
        self.cursor: tuple[int, int] | None = None
        """Row and column from 0; None if unknown. A column equal to the width means after the last cell."""
        self._written: list[str] = []

    def with_pieces(self, pieces: Iterable[_Piece], width: int) -> Pen:
        """Return a copy of the pen that has also written these pieces on a screen of this width."""
        pen = Pen()
        pen.style, pen.cursor, pen._written = self.style, self.cursor, self._written.copy()
        for piece in pieces:
            pen.move(piece.y, piece.x, width)
            pen.use(piece.style)
            pen._written.append(piece.text)
            pen.cursor = (piece.y, piece.end) if piece.is_sure else None
        return pen

    def move(self, y: int, x: int, width: int) -> None:
        """Move to row `y` and column `x`, both from 0."""
        if self.cursor == (y, x):
            return
        moves = [f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"]
        if self.cursor is not None:
            row, column = self.cursor
            vertical = _count(y - row, "B") if y > row else _count(row - y, "A")
            moves.append(vertical + "\r" + _count(x, "C"))
            if column < width:  # after the last column, relative moves differ between terminals
                moves_left = min("\b" * (column - x), _count(column - x, "D"), key=len)
                moves.append(vertical + (_count(x - column, "C") if x > column else moves_left))
        self.cursor = (y, x)
        self._written.append(min(moves, key=len))

    def use(self, style: SgrStyle) -> None:
        """Change the style."""
        self._written.append(transition(self.style, style))
        self.style = style

    def take(self) -> str:
        """Return the output and clear it."""
        output = "".join(self._written)
        self._written.clear()
        return output

    def __len__(self) -> int:
        """Return the length of the output in characters."""
        return sum(map(len, self._written))


def _count(number: int, letter: str) -> str:
    return f"\x1b[{number}{letter}" if number > 1 else f"\x1b[{letter}" if number else ""


TOKEN: Final = re.compile(
    r"\x1b\[(?P<sgr>[\d;:]*)m"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<row>\d{1,5});(?P<column>\d{1,5})H"
    r"|(?P<newline>\n)"
    r"|\x1b\]8;[^\x00-\x1f\x7f-\x9f]*(?:\x1b\\|\x07)"
    r"|[\x00-\x1f\x7f-\x9f]"
)
"""One token of a frame; a match without a named group is left out."""

# Zero-width characters that reorder or hide the text around them. Not the zero-width joiner, which emoji need.
_UNSEEN: Final = re.compile(
    "[\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

# Box drawing, blocks, geometric shapes and the letters of Latin, Greek and Cyrillic: one cell each in every terminal.
_NARROW: Final = re.compile("[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]*")

JOINS_BEFORE: Final = "\0"
"""Prefix of a combining mark; no cell contains it, since control characters are left out."""


@lru_cache(maxsize=2048)
def cells_in(text: str) -> tuple[str, ...]:
    """Return one string per cell of `text`; the second cell of a wide character is "".

    A combining mark at the start belongs to the cell before: the first string is then JOINS_BEFORE and the mark, and
    takes no cell.
    """
    if _NARROW.fullmatch(text):
        return tuple(text)
    text = _UNSEEN.sub("", text)
    cells: list[str] = []
    for start, end, width in split_graphemes(text)[0]:
        grapheme = text[start:end]
        if width:
            cells.append(grapheme)
            cells.extend([""] * (width - 1))
        else:
            cells.append(JOINS_BEFORE + grapheme)
    return tuple(cells)


@lru_cache(maxsize=2048)
def is_sure(cell: str) -> bool:
    """Return whether `cell` has the same width in every terminal, so that the cursor position is certain after it."""
    return len(cell) == 1 and (_NARROW.fullmatch(cell) is not None or "\u2e80" <= cell <= "\ud7a3")


_UNKNOWN: Final = None
"""The text of an unknown cell."""

_ON_SPACES: Final = frozenset((4, 5, 6, 7, 9, 21, 51, 52, 53))
"""Attributes that show on a space: lines, frames, blinking and reversed colours."""

_BRIDGE: Final = 4
"""The most unchanged cells between two changes to send again: moving over them takes at least three bytes."""


class _Row:
    """The cells of one row, as two lists, which compare fast."""

    __slots__ = ("styles", "texts")

    def __init__(self, width: int) -> None:
        self.texts: list[str | None] = [_UNKNOWN] * width
        self.styles: list[SgrStyle] = [PLAIN] * width


class Canvas:
    """Draws frames on a grid and returns the output that makes the terminal show them.

    The output consists of text without control characters, SGR, and the cursor moves CUP, CUU, CUD, CUF, CUB, CR and BS
    of the VT100, so nothing in a frame can reach the terminal as a command.
    """

    def __init__(self, width: int, height: int) -> None:
        self._pen = Pen()
        self._rest: tuple[int, int] | None = None
        """Where the app left its cursor, which input methods and screen readers follow even when it is hidden."""
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Start again with an empty grid of this size."""
        self.width, self.height = max(width, 1), max(height, 1)
        self._drawn = [_Row(self.width) for _ in range(self.height)]
        self._rest = None
        self.repaint()

    def repaint(self) -> None:
        """Forget what the terminal shows, so that everything drawn is sent again."""
        self._shown = [_Row(self.width) for _ in range(self.height)]
        self._changed = set(range(self.height))
        self._pen.cursor = None

    def draw(self, frame: str) -> None:
        """Draw a frame on the grid."""
        row = column = 0
        style = PLAIN
        for token in TOKEN.finditer(frame):
            kind = token.lastgroup
            if kind == "text":
                column = self._write(row, column, token[0], style)
            elif kind == "sgr":
                style = style_after(style, token["sgr"])
            elif kind == "column":
                row, column = max(int(token["row"]) - 1, 0), max(int(token["column"]) - 1, 0)
            elif kind == "newline":
                row, column = row + 1, 0
        self._rest = (min(row, self.height - 1), min(column, self.width - 1))

    def _write(self, y: int, x: int, text: str, style: SgrStyle) -> int:
        """Write `text` from column `x` of row `y` and return the column after it; cells outside are dropped."""
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
                cells = (*cells[:-1], " ")  # only half of a wide character fits
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
        # A mark on an unknown cell would join anything; a long heap of marks is not text.
        if base and len(base) < 16:
            texts[x] = base + mark
            self._changed.add(y)

    def changes(self) -> str:
        """Return the output that makes the terminal show what is drawn, and count it as shown."""
        pieces: list[_Piece] = []
        for y in sorted(self._changed):
            drawn_row, shown_row = self._drawn[y], self._shown[y]
            if drawn_row.texts != shown_row.texts or drawn_row.styles != shown_row.styles:
                pieces.extend(_pieces(y, drawn_row, shown_row))
        self._changed.clear()
        # Row by row is shorter with short colour codes; colour by colour when a colour is longer than a move, such as a
        # 24-bit one; and of one colour, the sides of frames column by column.
        by_style = self._pen
        for group in _by_style(pieces, self._drawn):
            orders = (group, sorted(group, key=lambda piece: piece.x))
            by_style = min((by_style.with_pieces(order, self.width) for order in orders), key=len)
        self._pen = min(self._pen.with_pieces(pieces, self.width), by_style, key=len)
        if self._rest is not None:
            self._pen.move(*self._rest, self.width)
        return self._pen.take()

    def reset(self) -> str:
        """Return the output that resets the terminal's attributes before other output."""
        self._pen.use(PLAIN)
        return self._pen.take()


def _pieces(y: int, drawn_row: _Row, shown_row: _Row) -> Iterator[_Piece]:
    """Yield the changes of row `y` from left to right, and count them as shown."""
    _spoil_halves(drawn_row, shown_row)
    texts, styles = drawn_row.texts, drawn_row.styles
    shown_texts, shown_styles = shown_row.texts, shown_row.styles
    begin = end = 0
    style = PLAIN
    for x, text in enumerate(texts):
        # The second half of a wide character is written with the first.
        if not text or (text == shown_texts[x] and _look_alike(text, styles[x], shown_styles[x])):
            continue
        style_of_text = styles[x]
        if end > begin:
            if (
                not _look_alike(text, style_of_text, style)
                and set(texts[begin:end]) == {" "}
                and _look_alike(" ", style, style_of_text)
            ):
                style = style_of_text
            if not (_look_alike(text, style_of_text, style) and _is_bridged(drawn_row, range(end, x), style)):
                yield _piece(y, begin, end, drawn_row, style)
                begin = end = x
        if end == begin:
            begin, style = x, style if _look_alike(text, style_of_text, style) else style_of_text
        end = x + 2 if x + 1 < len(texts) and texts[x + 1] == "" else x + 1
        if not is_sure(text):
            yield _piece(y, begin, end, drawn_row, style)
            begin = end
    if end > begin:
        yield _piece(y, begin, end, drawn_row, style)
    for x, text in enumerate(texts):
        if text is not None:
            shown_texts[x] = text
            shown_styles[x] = styles[x]


def _look_alike(text: str, style_a: SgrStyle, style_b: SgrStyle) -> bool:
    """Return whether a character looks the same in two styles: a space has no colour but that behind it."""
    return style_a == style_b or (
        text == " "
        and style_a.background == style_b.background
        and not _ON_SPACES & (style_a.attributes | style_b.attributes)
    )


def _piece(y: int, begin: int, end: int, row: _Row, style: SgrStyle) -> _Piece:
    texts = [text for text in row.texts[begin:end] if text]
    return _Piece(y, begin, end, "".join(texts), style, is_sure(texts[-1]))


def _is_bridged(row: _Row, gap: range, style: SgrStyle, later: Container[int] = ()) -> bool:
    """Return whether writing the cells of a gap is shorter than moving over them.

    Those that come `later` may be written in any style.
    """
    return len(gap) <= _BRIDGE and all(
        (text := row.texts[x]) and text.isascii() and (x in later or _look_alike(text, row.styles[x], style))
        for x in gap
    )


def _by_style(pieces: list[_Piece], rows: Sequence[_Row]) -> list[list[_Piece]]:
    """Return the pieces grouped by background, and within it by style, that of the most cells first.

    Where little is between two pieces of a style, it is written with them, and then again in its own style.
    """
    counts: Counter[SgrStyle] = Counter()
    for piece in pieces:
        counts[piece.style] += piece.end - piece.x
    backgrounds = list(dict.fromkeys(style.background for style in counts))
    styles = sorted((style for style, _ in counts.most_common()), key=lambda style: backgrounds.index(style.background))
    order = {style: at for at, style in enumerate(styles)}
    pieces_with_gaps: list[_Piece] = []
    newest: dict[SgrStyle, int] = {}
    for piece in pieces:
        style = piece.style
        at = newest.get(style)
        if at is not None and pieces_with_gaps[at].y == piece.y and pieces_with_gaps[at].is_sure:
            earlier, gap = pieces_with_gaps[at], range(pieces_with_gaps[at].end, piece.x)
            later = {
                x
                for upper in pieces_with_gaps[at + 1 :]
                if order[upper.style] > order[style]
                for x in range(upper.x, upper.end)
            }
            if _is_bridged(rows[piece.y], gap, style, later):
                over = "".join(rows[piece.y].texts[x] or "" for x in gap)
                pieces_with_gaps[at] = earlier._replace(
                    end=piece.end, text=earlier.text + over + piece.text, is_sure=piece.is_sure
                )
                continue
        newest[style] = len(pieces_with_gaps)
        pieces_with_gaps.append(piece)
    return [[piece for piece in pieces_with_gaps if piece.style == style] for style in styles]


def _spoil_halves(drawn_row: _Row, shown_row: _Row) -> None:
    """Mark a shown wide character as unknown if either half of it will be overwritten."""
    if "" not in shown_row.texts:
        return
    for x, text in enumerate(shown_row.texts):
        if (
            text == ""
            and x
            and any(
                drawn_row.texts[half] is not None
                and (drawn_row.texts[half] != shown_row.texts[half] or drawn_row.styles[half] != shown_row.styles[half])
                for half in (x - 1, x)
            )
        ):
            shown_row.texts[x - 1] = shown_row.texts[x] = _UNKNOWN
