"""Text with styles, and rows of it, ready to be painted: what the renderers make of blocks, and what the row list takes.

Blocks are not imported for it: the seven milliseconds that they take would stand before the app's first paint.

A style names a meaning, not a colour; the theme gives it one, and a sign or a word always goes with it.
"""

from collections.abc import Hashable
from typing import Literal, NamedTuple

Style = Literal["", "muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit"]

Styled = tuple[tuple[str, Style], ...]
"""Pieces of one line, each with its style; the text is already cleaned."""

STYLES: tuple[Style, ...] = ("muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit")


class Column(NamedTuple):
    """One column of a table."""

    title: str
    width: int = 1
    """The fewest cells."""
    share: int = 0
    """Its share of what is left over in a list as wide as its pane."""
    right: bool = False
    """Whether its cells are set to the right."""
    middle: bool = False
    """Whether what does not fit is cut out of the middle: names that begin alike differ at their ends."""
    shrink: int = 0
    """Which column gives way where a table is too wide: the highest first, and those with 0 last."""
    yields: bool = False
    """Whether, in a list, a row goes without it where a cell before it would be cut."""


class Row(NamedTuple):
    """One line of a list."""

    key: Hashable
    """What the row stands for; the cursor stays with it when the rows are set anew."""
    cells: tuple[Styled, ...]
    """One for each column; a single cell spans them all."""
    value: object = None
    """What opening or copying the row acts on."""
    selectable: bool = True
    """Whether the cursor may rest on it."""
    merged: int = 0
    """How many columns the first cell takes beside its own."""


def styled(text: str, style: Style = "") -> Styled:
    """Return one piece of text as a line."""
    return ((text, style),)


def plain(line: Styled) -> str:
    """Return the line's text without styles."""
    return "".join(text for text, _ in line)


def mark_hits(line: Styled, needle: str) -> Styled:
    """Return the line with what was searched for in the style of a hit."""
    if not needle or needle.casefold() not in plain(line).casefold():
        return line
    pieces: list[tuple[str, Style]] = []
    for text, style in line:
        start = 0
        folded = text.casefold()
        while (at := folded.find(needle.casefold(), start)) >= 0:
            pieces += [(text[start:at], style), (text[at : at + len(needle)], "hit")]
            start = at + len(needle)
        pieces.append((text[start:], style))
    return tuple(piece for piece in pieces if piece[0])
