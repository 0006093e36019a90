"""Fits text into a given room of cells: cut at its end or in its middle, or broken into lines."""

from collections.abc import Sequence
from itertools import groupby

from rich.cells import cell_len, set_cell_size

from ekstui.tui.styled import Styled, Tone, plain


def cut_end(cell: Styled, room: int) -> Styled:
    """Return a cell so that it fits `room` cells, with an ellipsis at its end if need be."""
    if cell_len(plain(cell)) <= room:
        return cell
    kept: list[tuple[str, Tone]] = []
    left = room - 1
    for text, tone in cell:
        if cell_len(text) > left:
            kept.append((set_cell_size(text, max(left, 0)) + "…", tone))
            break
        kept.append((text, tone))
        left -= cell_len(text)
    return tuple(kept) if room > 0 else ()


def cut_middle(cell: Styled, room: int) -> Styled:
    """Return a cell of one piece so that it fits `room` cells, with an ellipsis in its middle if need be."""
    if len(cell) != 1 or cell_len(cell[0][0]) <= room or room < 5:
        return cell
    text, tone = cell[0]
    tail = (room - 1) // 2
    return ((f"{text[: room - 1 - tail]}…{text[-tail:]}", tone),)


def wrap(line: Styled, width: int) -> list[Styled]:
    """Return the line broken between words so that each part fits `width` cells; a longer word is cut."""
    lines: list[list[tuple[str, Tone]]] = [[]]
    used = 0
    for text, tone in line:
        for word in _words(text):
            length = cell_len(word)
            if used and used + cell_len(word.rstrip()) > width:
                lines.append([])
                used = 0
                word, length = word.lstrip(), cell_len(word.lstrip())
            while length > width and cell_len(word.rstrip()) > width:
                head = _head(word, width)
                lines[-1].append((head, tone))
                lines.append([])
                word = word[len(head) :]
                length = cell_len(word)
            lines[-1].append((word, tone))
            used += length
    return [_joined(parts) for parts in lines]


def _joined(parts: Sequence[tuple[str, Tone]]) -> Styled:
    """Return the pieces with neighbours of one tone as one piece."""
    joined = [("".join(text for text, _ in group), tone) for tone, group in groupby(parts, key=lambda part: part[1])]
    if joined and joined[-1][0].strip():
        # The space at which a line is broken would count as one cell too many.
        joined[-1] = (joined[-1][0].rstrip(), joined[-1][1])
    return tuple(joined)


def _head(word: str, width: int) -> str:
    """Return as many characters as fit, but at least one."""
    used = 0
    for index, character in enumerate(word):
        used += cell_len(character)
        if used > width and index:
            return word[:index]
    return word


def _words(text: str) -> list[str]:
    """Return the words, each with the spaces behind it."""
    ends = [
        index + 1 for index, character in enumerate(text) if character == " " and text[index + 1 : index + 2] != " "
    ]
    starts = [0, *ends]
    return [text[start:end] for start, end in zip(starts, [*ends, len(text)], strict=True) if start < end]
