"""Text with styles, ready to be painted: what the renderers make of blocks, and what the row list takes.

A style names a meaning, not a colour; the theme gives it one, and a sign or a word always goes with it.
"""

from typing import Literal

Style = Literal["", "muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit"]

Styled = tuple[tuple[str, Style], ...]
"""Pieces of one line, each with its style; the text is already cleaned."""

STYLES: tuple[Style, ...] = ("muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit")


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
