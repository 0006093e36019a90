"""Text attributes, the shortest SGR sequence from one set to another, and a pen that writes cells.

The codes are those of ECMA-48 8.3.117, with the 256 and 24-bit colours of ITU-T T.416 as terminals implement them:
`38;5;n` and `38;2;r;g;b`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

# One code turns off a whole group: 22 bold and faint, 24 both underlines, 25 both blinks.
_OFF: Final = {1: 22, 2: 22, 3: 23, 4: 24, 21: 24, 5: 25, 6: 25, 7: 27, 8: 28, 9: 29, 51: 54, 52: 54, 53: 55}
_OFF_CODES: Final = frozenset(_OFF.values())


class Style(NamedTuple):
    """The attributes of one cell; an empty colour is the terminal's default."""

    foreground: str = ""
    """SGR parameters of the text colour, such as `31` or `38;2;1;2;3`."""
    background: str = ""
    """SGR parameters of the background colour, such as `41` or `48;5;17`."""
    attributes: frozenset[int] = frozenset()
    """SGR codes that are on: 1 bold, 2 faint, 3 italic, 4 underline, 7 reverse and so on."""


_FOREGROUNDS: Final = {39: "", **{code: str(code) for code in (*range(30, 38), *range(90, 98))}}
_BACKGROUNDS: Final = {49: "", **{code: str(code) for code in (*range(40, 48), *range(100, 108))}}

PLAIN: Final = Style()
"""The attributes after a reset."""


@lru_cache(maxsize=4096)
def after(style: Style, parameters: str) -> Style:
    """Return the style after `ESC [ parameters m`; unknown codes change nothing."""
    codes = _codes(parameters)
    at = 0
    while at < len(codes):
        code = codes[at]
        at += 1
        if code == 0:
            style = PLAIN
        elif code in _OFF:
            style = style._replace(attributes=style.attributes | {code})
        elif code in _OFF_CODES:
            style = style._replace(attributes=frozenset(on for on in style.attributes if _OFF[on] != code))
        elif code in _FOREGROUNDS:
            style = style._replace(foreground=_FOREGROUNDS[code])
        elif code in _BACKGROUNDS:
            style = style._replace(background=_BACKGROUNDS[code])
        elif code in (38, 48):
            colour, at = _long_colour(codes, at)
            if colour:
                long = f"{code};{colour}"
                style = style._replace(foreground=long) if code == 38 else style._replace(background=long)
    return style


def _codes(parameters: str) -> list[int]:
    # No assigned code is longer; int() would reject thousands of digits.
    return [int(part) if part.isdecimal() and len(part) < 6 else 0 for part in parameters.replace(":", ";").split(";")]


def _long_colour(codes: list[int], at: int) -> tuple[str, int]:
    """Return the parameters of the 256 or 24-bit colour at index `at` (empty if invalid), and the index after them."""
    length = {5: 2, 2: 4}.get(codes[at] if at < len(codes) else 0)
    if length is None:
        return "", len(codes)
    parts = codes[at : at + length]
    if len(parts) < length or any(part > 255 for part in parts[1:]):
        return "", at + length
    return ";".join(map(str, parts)), at + length


@lru_cache(maxsize=4096)
def transition(current: Style, wanted: Style) -> str:
    """Return the shortest SGR sequence from `current` to `wanted`; empty if they are equal."""
    if current == wanted:
        return ""
    if wanted == PLAIN:
        return "\x1b[m"
    fresh = "\x1b[" + ";".join(["0", *_parameters(wanted)]) + "m"
    changes = "\x1b[" + ";".join(_changes(current, wanted)) + "m"
    return min(changes, fresh, key=len)


def _parameters(style: Style) -> list[str]:
    parts = [str(code) for code in sorted(style.attributes)]
    return [*parts, *(colour for colour in (style.foreground, style.background) if colour)]


def _changes(current: Style, wanted: Style) -> list[str]:
    off = {_OFF[code] for code in current.attributes - wanted.attributes}
    on = {code for code in wanted.attributes if code not in current.attributes or _OFF[code] in off}
    parts = [str(code) for code in (*sorted(off), *sorted(on))]
    if current.foreground != wanted.foreground:
        parts.append(wanted.foreground or "39")
    if current.background != wanted.background:
        parts.append(wanted.background or "49")
    return parts


class Piece(NamedTuple):
    """Adjacent cells of one style, to be written at once."""

    y: int
    x: int
    end: int
    """The column after the last cell."""
    text: str
    style: Style
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

    def written(self, pieces: Iterable[Piece], width: int) -> Pen:
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
                horizontal = _count(x - column, "C") if x > column else _back(column - x)
                moves.append(vertical + horizontal)
        self.cursor = (y, x)
        self._written.append(min(moves, key=len))

    def use(self, style: Style) -> None:
        """Change the style."""
        self._written.append(transition(self.style, style))
        self.style = style

    def take(self) -> str:
        """Return the output and clear it."""
        written = "".join(self._written)
        self._written.clear()
        return written

    def __len__(self) -> int:
        """Return the length of the output in characters."""
        return sum(map(len, self._written))


def _count(number: int, letter: str) -> str:
    return f"\x1b[{number}{letter}" if number > 1 else f"\x1b[{letter}" if number else ""


def _back(columns: int) -> str:
    return min("\b" * columns, _count(columns, "D"), key=len)
