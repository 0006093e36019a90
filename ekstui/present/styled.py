"""Styled text, rows ready to be painted, and functions that fit text into a number of cells.

Renderers turn blocks into rows, and lists show rows. A style is named for a meaning; its colour comes from the theme.
Colour is never the only sign: a symbol or a word says the same.
"""

import re
from collections.abc import Hashable
from typing import Literal

from ekstui.named_tuples import NamedTuple

Style = Literal["", "muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit", "cursor", "key"]

Styled = tuple[tuple[str, Style], ...]
"""The pieces of a line, each with its style; the text is already cleaned."""


class Column(NamedTuple):
    """One column of a table."""

    title: str
    width: int = 1
    """The minimum width, in cells."""
    share: int = 0
    """Its share of the spare width in a list."""
    right: bool = False
    """Whether its cells are right-aligned."""
    names: bool = False
    """Whether cells that do not fit are cut to what tells them from the other names of the column."""
    shrink: int = 0
    """The order in which columns shrink in a table that is too wide: highest first, 0 never."""
    yields: bool = False
    """Whether a list leaves it out rather than cut a cell before it; and a table in the app, as its last column.

    Its room then goes to the last column before it that has a share.
    """
    longest: int | None = None
    """The longest cell, in cells, that is beside the others in a table fitted to a width; longer ones stand above."""


class Row(NamedTuple):
    """One line of a list."""

    key: Hashable
    """Identifies the row, so that the cursor stays on it when the rows are set again."""
    cells: tuple[Styled, ...]
    """One per column; a single cell spans all columns."""
    value: object = None
    """What opening or copying the row acts on."""
    selectable: bool = True
    """Whether the cursor may rest on it."""


def styled(text: str, style: Style = "") -> Styled:
    """Return one piece of text as a line."""
    return ((text, style),)


def plain(line: Styled) -> str:
    """Return the line's text without styles."""
    return line[0][0] if len(line) == 1 else "".join([text for text, _ in line])


def mark_hits(line: Styled, needle: str) -> Styled:
    """Return the line with every match of `needle` in the style of a hit."""
    if not needle or needle.casefold() not in plain(line).casefold():
        return line
    pieces: list[tuple[str, Style]] = []
    for text, style in line:
        start = 0
        lower_text = text.casefold()
        while (match_start := lower_text.find(needle.casefold(), start)) >= 0:
            pieces += [(text[start:match_start], style), (text[match_start : match_start + len(needle)], "hit")]
            start = match_start + len(needle)
        pieces.append((text[start:], style))
    return tuple(piece for piece in pieces if piece[0])


_ONE_CELL_EACH = (
    "[\x20-\x7e\u00a0-\u02ff\u2010-\u2026\u2190-\u2193\u2212\u2264\u2265\u2400-\u2421\u2500-\u2590\u25b2-\u25cf]*"
)
"""Characters of one cell each; compiled where the first text is not ASCII, which in a list none is."""


def cells(text: str) -> int:
    """Return how many cells a text takes in a terminal."""
    if (text.isascii() and text.isprintable()) or re.fullmatch(_ONE_CELL_EACH, text):
        return len(text)
    from rich.cells import cell_len  # only for characters of two cells or none

    return cell_len(text)


def cut_end(cell: Styled, room: int) -> Styled:
    """Return a cell cut to `room` cells, with an ellipsis at its end if need be."""
    if cells(plain(cell)) <= room:
        return cell
    pieces: list[tuple[str, Style]] = []
    remaining = room - 1
    for text, style in cell:
        if cells(text) > remaining:
            pieces.append((_head(text, remaining) + "…", style))
            break
        pieces.append((text, style))
        remaining -= cells(text)
    return tuple(pieces) if room > 0 else ()


def cut_middle(cell: Styled, room: int) -> Styled:
    """Return a cell of one piece cut to `room` cells, with an ellipsis in its middle if need be."""
    if len(cell) != 1 or cells(cell[0][0]) <= room or room < 5:
        return cell
    text, style = cell[0]
    tail = (room - 1) // 2
    return ((f"{text[: room - 1 - tail]}…{text[-tail:]}", style),)


_WORD = re.compile("(?:(?<![^ ])[+−▸▾] (?! ))*[^ ]* *")
"""A word with the spaces after it; a plus or minus sign, or one that folds, stays with the next word."""


def wrap(line: Styled, width: int, later: int | None = None) -> list[Styled]:
    """Return the line wrapped between words to `width` cells; a longer word is cut, after punctuation if possible.

    All parts but the first fit `later` cells, if given.
    """
    text = plain(line)
    if cells(text) <= width:
        return [line]
    lines: list[Styled] = []
    start = end = length = 0
    room = width
    for word in filter(None, _WORD.findall(text)):
        if length and length + cells(word.rstrip(" ")) > room:
            if text[start:end].strip(" "):  # not where an indent is all that would be on the line
                lines.append(_part(line, start, end))
            start, length, room = end, 0, later or width
        while cells(word.rstrip(" ")) > room:
            # A character of two cells must go somewhere, even if there is room for only one cell.
            head = _head(word, room) or word[0]
            # In an ARN, or the key of a tag, a part stays whole if the line is then still half full.
            break_place = 1 + max(map(head.rfind, "/:.-_,="))
            head = head[:break_place] if 2 * break_place > room else head
            end = start + len(head)
            lines.append(_part(line, start, end))
            start, word, room = end, word[len(head) :], later or width
        end += len(word)
        length += cells(word)
    lines.append(_part(line, start, end))
    return lines


_CONTINUATION = " \\"
"""The end of a line of a command that continues on the next."""


_SHELL_WORD = r"""(?:"[^"]*"|'[^']*'|\\.|[^\s"'\\])+"""


def shell_lines(command: str, room: int) -> list[str]:
    """Return a command split into lines that fit, if possible at its options; a shell takes them for the same.

    Only a word that is longer than the room stays longer.
    """
    pieces: list[str] = []
    for part in re.split(r" (?=--[a-z])", command):
        words = re.findall(_SHELL_WORD, part)
        fits = len("  ") + cells(part) + len(_CONTINUATION) <= room
        pieces += [part] if fits or " ".join(words) != part else words
    lines = pieces[:1]
    for piece in pieces[1:]:
        if cells(lines[-1]) + cells(piece) + len(" ") + len(_CONTINUATION) <= room:
            lines[-1] += f" {piece}"
        else:
            lines[-1] += _CONTINUATION
            lines.append(f"  {piece}")
    return lines


def _part(line: Styled, start: int, end: int) -> Styled:
    """Return the characters from `start` to `end`, without trailing spaces."""
    pieces: list[tuple[str, Style]] = []
    position = 0
    for text, style in line:
        if piece := text[max(start - position, 0) : max(end - position, 0)]:
            pieces.append((piece, style))
        position += len(text)
    while pieces[1:] and not pieces[-1][0].strip(" "):
        pieces.pop()
    if pieces and pieces[-1][0].strip(" "):
        pieces[-1] = (pieces[-1][0].rstrip(" "), pieces[-1][1])
    return tuple(pieces)


def _head(text: str, room: int) -> str:
    length = 0
    for index, character in enumerate(text):
        length += cells(character)
        if length > room:
            return text[:index]
    return text
