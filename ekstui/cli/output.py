"""How commands speak: data on stdout, narration on stderr, colours only on a terminal."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Literal

from ekstui.cli.streams import to_terminal, write_out
from ekstui.core.text import clean, clean_line
from ekstui.errors import EkstuiError
from ekstui.present.blocks import Block
from ekstui.present.markdown import markdown
from ekstui.present.terminal import lines

Tone = Literal["", "bold", "dim", "red", "green", "yellow"]
PLAIN: Tone = ""
Cell = str | tuple[str, Tone]

_CODES: dict[Tone, str] = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}

_BLOCK = 10_000
"""Pieces of JSON that are written together."""

PIPED_WIDTH = 80
"""Columns of text that is wrapped for a reader that is no terminal."""


def print_json(value: object) -> None:
    """Print one JSON object, in ASCII, so that nothing in it can steer a terminal."""
    # In blocks: what a hostile document makes of it may have hundreds of megabytes.
    parts = json.JSONEncoder(indent=2).iterencode(value)
    while block := "".join(islice(parts, _BLOCK)):
        write_out(block)
    write_out("\n")


def print_text(text: str = "", tone: Tone = "") -> None:
    """Print lines of text."""
    write_out(_toned(clean(text), tone) + "\n")


def print_blocks(blocks: Sequence[Block]) -> None:
    """Print an answer: it fits a terminal; into a pipe the rows of tables are whole."""
    terminal = to_terminal()
    for line in lines(blocks, terminal_width(), colours=_colours(), whole_tables=not terminal):
        write_out(line + "\n")


def print_markdown(blocks: Sequence[Block]) -> None:
    """Print an answer as Markdown."""
    write_out(markdown(blocks))


def print_table(
    rows: Iterable[Sequence[Cell]], titles: Sequence[str] = (), indent: str = "", *, wrap_last: bool = False
) -> None:
    """Print rows in columns; on a terminal a row that is too long ends in an ellipsis, into a pipe it is whole.

    A row of one cell spans the columns. With `wrap_last` the last column goes on below itself instead.
    """
    lines = [[_cell(cell) for cell in row] for row in rows]
    if titles and lines:
        lines.insert(0, [(title, "bold") for title in titles])
    widths = [
        max((len(row[column][0]) for row in lines if column < len(row) > 1), default=0)
        for column in range(max(map(len, lines), default=0))
    ]
    room = terminal_width() - len(indent) if to_terminal() else None
    start = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for row in lines:
        wraps = wrap_last and room is not None and len(row) == len(widths)
        for line in _wrapped_last(row, max((room or 0) - start, 20)) if wraps else [row]:
            write_out(indent + _row(line, widths, room) + "\n")


def narrate(message: EkstuiError | str) -> None:
    """Say something on stderr: an error with its next step, or a remark about the answer."""
    sys.stderr.write(f"ekstui: {clean(str(message))}\n")


@contextmanager
def narrate_progress() -> Iterator[Callable[[str], None]]:
    """Yield what takes a few words of progress: shown on one line of a terminal, and nowhere else."""
    shown = sys.stderr.isatty()

    def tell(words: str) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[K{clean_line(words)}…")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")


def print_wrapped(text: str, indent: str = "", tone: Tone = "") -> None:
    """Print a sentence broken between words at the width of the terminal."""
    for line in textwrap.wrap(clean_line(text), max(terminal_width() - len(indent), 20), break_on_hyphens=False):
        write_out(indent + _toned(line, tone) + "\n")


def terminal_width() -> int:
    """Return the columns of the terminal, or 80 where there is none."""
    return shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if to_terminal() else PIPED_WIDTH


def _cell(cell: Cell) -> tuple[str, Tone]:
    text, tone = (cell, PLAIN) if isinstance(cell, str) else cell
    return clean_line(text), tone


def _wrapped_last(row: Sequence[tuple[str, Tone]], room: int) -> Iterator[Sequence[tuple[str, Tone]]]:
    text, tone = row[-1]
    first, *others = textwrap.wrap(text, room, break_on_hyphens=False) or [""]
    yield [*row[:-1], (first, tone)]
    for part in others:
        yield [*[("", PLAIN)] * (len(row) - 1), (part, tone)]


def _row(row: Sequence[tuple[str, Tone]], widths: Sequence[int], room: int | None) -> str:
    parts: list[str] = []
    used = 0
    for index, (text, tone) in enumerate(row):
        last = index == len(row) - 1
        shown = text
        if room is not None and used + len(text) > room:
            shown = text[: max(room - used - 1, 0)] + "…"
        parts.append(_toned(shown, tone) + ("" if last else " " * (widths[index] - len(text) + 2)))
        used += widths[index] + 2
        if room is not None and used > room:
            break
    return "".join(parts).rstrip()


def _toned(text: str, tone: Tone) -> str:
    if not tone or not _colours():
        return text
    return f"\x1b[{_CODES[tone]}m{text}\x1b[0m"


def _colours() -> bool:
    return to_terminal() and not os.environ.get("NO_COLOR")
