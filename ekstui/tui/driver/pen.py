"""The terminal's pen: where it is, with what attributes it writes, and the shortest way to have it elsewhere."""

from collections.abc import Iterable
from typing import NamedTuple

from ekstui.tui.driver.sgr import PLAIN, Style, transition


class Piece(NamedTuple):
    """Cells of one style, side by side, to be written at once."""

    y: int
    x: int
    end: int
    """The column after the last cell."""
    text: str
    style: Style
    is_sure: bool
    """Whether the terminal's cursor is known to be at `end` afterwards."""


class Pen:
    """A place and attributes, and what has been written since it was last taken.

    It moves by CUP, CUU, CUD, CUF, CUB, CR and BS, which every terminal since the VT100 knows.
    """

    def __init__(self) -> None:
        self.style = PLAIN
        self.cursor: tuple[int, int] | None = None
        """Row and column from 0, or None where it is not known; the width as column is past the last."""
        self._written: list[str] = []

    def written(self, pieces: Iterable[Piece], width: int) -> "Pen":
        """Return a pen that has also written these pieces on a screen of this width."""
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
            if column < width:  # past the last column, terminals do not agree what a relative move does
                horizontal = _count(x - column, "C") if x > column else _back(column - x)
                moves.append(vertical + horizontal)
        self.cursor = (y, x)
        self._written.append(min(moves, key=len))

    def use(self, style: Style) -> None:
        """Write with these attributes from now on."""
        self._written.append(transition(self.style, style))
        self.style = style

    def take(self) -> str:
        """Return what has been written, and begin anew from here."""
        written = "".join(self._written)
        self._written.clear()
        return written

    def __len__(self) -> int:
        """Return the characters written."""
        return sum(map(len, self._written))


def _count(number: int, letter: str) -> str:
    return f"\x1b[{number}{letter}" if number > 1 else f"\x1b[{letter}" if number else ""


def _back(columns: int) -> str:
    return min("\b" * columns, _count(columns, "D"), key=len)
