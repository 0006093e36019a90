"""The language in which Textual's compositor writes a frame, and the text of a frame as cells.

Read from Textual 8.2.8 (`_compositor.py`, `strip.py`) and Rich 15.0: a frame begins with a cursor position and holds
nothing but cursor positions, SGR, newlines, hyperlinks (OSC 8) and text. Whatever else stands in it came with the
text, so it is not obeyed: control characters have no width, as Rich measures them, and are left out. Hyperlinks are
left out too, since a link that came with foreign text looks the same as one that the app made.
"""

import re
from functools import lru_cache
from typing import Final

from rich.cells import split_graphemes

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
