"""Text without the frames that terminals draw: boxes as in k9s, and panes side by side as in tmux."""

import re
from collections import Counter
from collections.abc import Sequence

_BARS = "│┃║▏▕▐▌"
_BAR = re.compile(f"[{_BARS}]")
_ASCII_TOO = re.compile(f"[{_BARS}|]")

_EDGE = re.compile(r"\s*(?:[┌┏╔╭├┣╠└┗╚╰].*[─━═┄┈╌]{2}.*|[─━═┄┈╌]{3,}.*|\+[-=+]{2,}\+)\s*")
"""A line of the frame itself, which may contain a title."""

_MOST_COLUMNS = 9
"""The most panes side by side; a line with more bars has none."""

COLOUR = re.compile(r"(?:[\x1b␛]|\^\[|ESC|\\u001b|\\x1b|\\033)\[[\d;]*[mK]")
"""Colour codes in logs, raw, made visible, or copied from a pager."""


def unframed(text: str) -> str:
    """Return a text without colour codes and frames, with panes that were side by side one after the other."""
    text = COLOUR.sub("", text)
    if not _ASCII_TOO.search(text):
        return text
    lines = [line.rstrip("\r") for line in text.split("\n") if not _EDGE.fullmatch(line)]
    written = [line.strip() for line in lines if line.strip()]
    boxed = all(len(line) > 1 and line[0] == line[-1] == "|" for line in written)
    bar = _ASCII_TOO if boxed and len(written) > 1 else _BAR
    rows = [bar.split(line) for line in lines]
    counted = Counter(len(row) for row, line in zip(rows, lines, strict=True) if line.strip())
    count = max(counted, key=lambda each: (counted[each], each), default=1)
    if not 2 <= count <= _MOST_COLUMNS:
        return text
    # A selection may start and end within a line, which then lacks a bar on that side.
    missing = [[""] * (count - len(row)) for row in rows]
    whole = [
        (added + row if number == 0 else row + added)[:count]
        for number, (row, added) in enumerate(zip(rows, missing, strict=True))
    ]
    columns = [_without_margin([row[place] for row in whole]) for place in range(count)]
    return "\n".join("\n".join(column) for column in columns if any(cell.strip() for cell in column))


def _without_margin(cells: Sequence[str]) -> list[str]:
    """Return the cells of a column without the space next to the frame that all of them have."""
    inner = [cell for cell in cells if cell.strip()]
    if len(inner) > 2:
        inner = inner[1:-1]
    left = int(all(cell.startswith(" ") for cell in inner))
    right = int(all(cell.endswith(" ") for cell in inner))
    return [cell[left : len(cell) - right] if cell.endswith(" ") else cell[left:] for cell in cells]
