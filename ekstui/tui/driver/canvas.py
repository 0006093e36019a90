"""Two grids of cells, what the app has drawn and what the terminal shows, and the cheapest way from one to the other.

The language in which Textual's compositor writes a frame was read from Textual 8.2.8 (`_compositor.py`, `strip.py`) and
Rich 15.0: a frame begins with a cursor position and holds nothing but cursor positions, SGR, newlines, hyperlinks (OSC
8) and text. Whatever else stands in it came with the text, so it is not obeyed: control characters have no width, as
Rich measures them, and are left out. Hyperlinks are left out too, since a link that came with foreign text looks the
same as one that the app made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes

from ekstui.tui.driver.sgr import PLAIN, Pen, Piece, Style, after

_BEGINNING: Final = re.compile(r"\n*\x1b\[\d+;\d+H")

TOKEN: Final = re.compile(
    r"\x1b\[(?P<sgr>[\d;:]*)m"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<row>\d{1,5});(?P<column>\d{1,5})H"
    r"|(?P<newline>\n)"
    r"|\x1b\]8;[^\x00-\x1f\x7f-\x9f]*(?:\x1b\\|\x07)"
    r"|[\x00-\x1f\x7f-\x9f]"
)
"""One token of a frame; a match without a named group is to be left out."""

# Characters without a width of their own that reorder or hide what stands around them. The zero-width joiner is not
# among them: emoji need it, and it joins nothing else.
_UNSEEN: Final = re.compile(
    "[\u061c\u180e\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)

# Box drawing, blocks, geometric shapes and the letters of Latin, Greek and Cyrillic: one cell each in every terminal.
_NARROW: Final = re.compile("[ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u2500-\u25fc\u2800-\u28ff]*")

JOINS_BEFORE: Final = "\0"
"""In front of a text without a width; no cell can hold it, since control characters are left out."""


def is_frame(data: str) -> bool:
    """Say whether `data` is what the compositor writes, rather than a mode, a query or a bell."""
    return _BEGINNING.match(data) is not None


@lru_cache(maxsize=2048)
def cells_in(text: str) -> tuple[str, ...]:
    """Return one string for each cell that `text` takes; the second cell of a wide character is "".

    Where the text begins with a combining mark, that belongs to the cell before: the first string is then the mark
    after a JOINS_BEFORE, and takes no cell.
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
    """Say whether every terminal agrees how many columns `cell` takes, so that the cursor is known after it."""
    return len(cell) == 1 and (_NARROW.fullmatch(cell) is not None or "\u2e80" <= cell <= "\ud7a3")


UNKNOWN: Final = None
"""The text of a cell of which nothing is known."""

_BRIDGE: Final = 4
"""Unchanged cells between two changes that are sent again: a move over them costs at least three bytes."""


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
        self._pen = Pen()
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
        self._pen.cursor = None

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
        pieces: list[Piece] = []
        for y in sorted(self._changed):
            drawn, shown = self._drawn[y], self._shown[y]
            if drawn.texts != shown.texts or drawn.styles != shown.styles:
                pieces.extend(_pieces(y, drawn, shown))
        self._changed.clear()
        # Row by row is the shortest where colours have short codes; colour by colour where one costs more than a
        # move, as 24-bit colours do.
        orders = (pieces, _by_style(pieces))
        self._pen = min((self._pen.written(order, self.width) for order in orders), key=len)
        if self._rest is not None:
            self._pen.move(*self._rest, self.width)
        return self._pen.take()

    def reset(self) -> str:
        """Return what sets the terminal's attributes back, which others are about to write with."""
        self._pen.use(PLAIN)
        return self._pen.take()


def _pieces(y: int, drawn: _Row, shown: _Row) -> Iterator[Piece]:
    """Yield what is to be written in row `y`, from left to right, and take it as shown."""
    _spoil_halves(drawn, shown)
    texts, styles = drawn.texts, drawn.styles
    shown_texts, shown_styles = shown.texts, shown.styles
    begin = end = 0
    for x, text in enumerate(texts):
        # The second half of a wide character is written with the first.
        if not text or (text == shown_texts[x] and styles[x] == shown_styles[x]):
            continue
        if end > begin and not (styles[x] == styles[begin] and _is_bridged(texts, styles, end, x)):
            yield _piece(y, begin, end, drawn)
            begin = end = x
        if end == begin:
            begin = x
        end = x + 2 if x + 1 < len(texts) and texts[x + 1] == "" else x + 1
        if not is_sure(text):
            yield _piece(y, begin, end, drawn)
            begin = end
    if end > begin:
        yield _piece(y, begin, end, drawn)
    for x, text in enumerate(texts):
        if text is not None:
            shown_texts[x] = text
            shown_styles[x] = styles[x]


def _piece(y: int, begin: int, end: int, row: _Row) -> Piece:
    texts = [text for text in row.texts[begin:end] if text]
    return Piece(y, begin, end, "".join(texts), row.styles[begin], is_sure(texts[-1]))


def _is_bridged(texts: list[str | None], styles: list[Style], end: int, x: int) -> bool:
    """Say whether the unchanged cells from `end` to `x` are cheaper written again than moved over."""
    return x == end or (
        x - end <= _BRIDGE
        and all(
            text and text.isascii() and style == styles[x]
            for text, style in zip(texts[end:x], styles[end:x], strict=True)
        )
    )


def _by_style(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces with each background, and within it each style, together."""
    order: dict[Style | str, int] = {}
    for piece in pieces:
        order.setdefault(piece.style.background, len(order))
        order.setdefault(piece.style, len(order))
    return sorted(pieces, key=lambda piece: (order[piece.style.background], order[piece.style]))


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
