"""Lines of a terminal, made of blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ekstui.present.blocks import Block
from ekstui.present.layout import lay_out
from ekstui.present.styled import Style, Styled, plain

_CODES: dict[Style, str] = {
    "strong": "1", "muted": "2", "accent": "36", "good": "32", "bad": "31", "warn": "33", "added": "32",
    "removed": "31", "hit": "7",
}  # fmt: skip


def lines(blocks: Sequence[Block], width: int, *, colours: bool, whole_tables: bool) -> Iterator[str]:
    """Yield the lines of an answer without their ends.

    Sentences are broken at `width`; with `whole_tables` the rows of tables are not, as for a reader that is a program.
    """
    for laid in lay_out(blocks, width, "terminal", whole_tables=whole_tables):
        yield _coloured(laid.line) if colours else plain(laid.line).rstrip()


def _coloured(line: Styled) -> str:
    return "".join(f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and text else text for text, style in line).rstrip()
