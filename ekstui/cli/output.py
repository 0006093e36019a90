"""How commands print: data on stdout, remarks on stderr, colours only on a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Literal

from ekstui.cli.streams import to_terminal, write_out
from ekstui.core.text import clean, clean_line
from ekstui.errors import EkstuiError

if TYPE_CHECKING:
    from ekstui.present.blocks import Block


class Form:
    """How this process prints, as its options say."""

    answer: Literal["json", "yaml", "names"] = "json"
    """What `print_json` prints."""
    colour: Literal["auto", "always", "never"] = "auto"
    quiet = False
    """Whether remarks and progress are left out; errors never are."""


form = Form()
"""There is one standard output, and so one form."""

_BLOCK = 10_000
"""Pieces of JSON that are written together."""

PIPED_WIDTH = 80
"""The width of text that does not go to a terminal."""


def print_json(value: object) -> None:
    """Print one object in ASCII, so that nothing in it can steer a terminal: as JSON, as YAML, or its names alone."""
    if form.answer != "json":
        from ekstui.export.encoding import names, yaml  # 1 ms, and only for those who ask

        for line in yaml(value) if form.answer == "yaml" else names(value):
            write_out(line + "\n")
        return
    # In blocks: what a hostile document makes of it may have hundreds of megabytes.
    parts = json.JSONEncoder(indent=2).iterencode(value)
    while block := "".join(islice(parts, _BLOCK)):
        write_out(block)
    write_out("\n")


def print_text(text: str = "") -> None:
    """Print lines of text."""
    write_out(clean(text) + "\n")


def print_blocks(blocks: Sequence[Block]) -> None:
    """Print an answer: wrapped to a terminal's width; into a pipe each row of a table stays on one line."""
    from ekstui.present.rendering import lines  # 6 ms, which neither help nor a refusal needs

    terminal = to_terminal()
    for line in lines(blocks, terminal_width(), colours=_colours(), whole_tables=not terminal):
        write_out(line + "\n")


def print_markdown(blocks: Sequence[Block]) -> None:
    """Print an answer as Markdown."""
    from ekstui.present.rendering import markdown

    write_out(markdown(blocks))


def narrate(message: EkstuiError | str) -> None:
    """Say something on stderr: an error with its next step, or a remark about the answer."""
    if not form.quiet or isinstance(message, EkstuiError):
        sys.stderr.write(f"ekstui: {clean(str(message))}\n")


def narrate_json(code: str, error: EkstuiError) -> None:
    """Say an error on stderr as one JSON object, for a program that asked for JSON."""
    told = {"error": {"code": code, "message": clean(error.message), "next": clean(error.next_step or "") or None}}
    sys.stderr.write(json.dumps(told) + "\n")


@contextmanager
def narrate_progress() -> Iterator[Callable[[str], None]]:
    """Yield what takes a few words of progress: shown on one line of a terminal, and nowhere else."""
    shown = sys.stderr.isatty() and not form.quiet

    def tell(words: str) -> None:
        if shown:
            sys.stderr.write(f"\r\x1b[K{clean_line(words)}…")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            sys.stderr.write("\r\x1b[K")


def terminal_width() -> int:
    """Return the columns of the terminal, or 80 where there is none."""
    return shutil.get_terminal_size((PIPED_WIDTH, 24)).columns if to_terminal() else PIPED_WIDTH


def _colours() -> bool:
    if form.colour != "auto":
        return form.colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return to_terminal() and os.environ.get("TERM") != "dumb"
