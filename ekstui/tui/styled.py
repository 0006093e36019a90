"""Text with tones: what `present.py` makes of values, and what the row list paints.

A tone names a meaning, not a colour; the theme gives it one, and a glyph or a word always goes with it.
"""

from typing import Literal

Tone = Literal["", "muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit"]

Styled = tuple[tuple[str, Tone], ...]
"""Pieces of one line, each with its tone; the text is already cleaned."""

TONES: tuple[Tone, ...] = ("muted", "strong", "accent", "good", "bad", "warn", "added", "removed", "hit")


def styled(text: str, tone: Tone = "") -> Styled:
    """Return one piece of text as a line."""
    return ((text, tone),)


def plain(line: Styled) -> str:
    """Return the line's text without tones."""
    return "".join(text for text, _ in line)


def mark_hits(line: Styled, needle: str) -> Styled:
    """Return the line with what was searched for in the tone of a hit."""
    if not needle or needle.casefold() not in plain(line).casefold():
        return line
    pieces: list[tuple[str, Tone]] = []
    for text, tone in line:
        start = 0
        folded = text.casefold()
        while (at := folded.find(needle.casefold(), start)) >= 0:
            pieces += [(text[start:at], tone), (text[at : at + len(needle)], "hit")]
            start = at + len(needle)
        pieces.append((text[start:], tone))
    return tuple(piece for piece in pieces if piece[0])
