"""The process's streams: data on stdout, remarks on stderr, colours only on a terminal.

Also handles encodings that lack a character, full disks and closed streams.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from itertools import chain, islice
from threading import Lock, Timer
from typing import TYPE_CHECKING, Literal, NoReturn

from ekstui.errors import EkstuiError, InputError, OutputError
from ekstui.iam.text import clean, clean_line

if TYPE_CHECKING:
    from argparse import Namespace

    from ekstui.present.blocks import Block


class Form:
    """How this process prints, as set by its options."""

    answer: Literal["json", "yaml", "names"] = "json"
    """What `print_json` prints."""
    command = ""
    """The command, with what it does if that is a word of its own, such as `cache info`."""
    colour: Literal["auto", "always", "never"] = "auto"
    markdown = False
    """Whether words are printed as Markdown."""
    quiet = False
    """Whether to leave out remarks and progress; errors are always printed."""
    silent = True
    """Whether nothing that can be seen was printed so far, neither an answer nor a remark."""


form = Form()
"""The form of this process's one standard output."""

SCHEMA = "urn:ekstui:answer:1"
"""What the schema of the answers is called; the number grows when a field goes or gets another meaning."""

_BLOCK = 10_000
"""How many pieces of JSON are written at once."""

PIPED_WIDTH = 80
"""The width, in columns, of text that does not go to a terminal."""


def print_json(value: object) -> None:
    """Print an object as JSON, YAML or names; in ASCII, so that no control character reaches a terminal."""
    if form.answer != "json":
        from ekstui.export.forms import names, yaml  # only for those who ask

        lines = yaml(value) if form.answer == "yaml" else names(value)
        first_line = next(lines, None)
        if first_line is None:
            remark("This answer has no names; --json prints all of it.")
            return
        for line in chain([first_line], lines):
            write_out(line + "\n")
        return
    # In blocks, since a hostile document can expand to hundreds of megabytes.
    parts: Iterator[str] = json.JSONEncoder(indent=2).iterencode(value)
    if form.markdown:  # a document; an answer is either JSON or Markdown
        parts = chain(["```json\n"], parts, ["\n```"])
    while block := "".join(islice(parts, _BLOCK)):
        write_out(block)
    write_out("\n")


def print_shape(shape: Mapping[str, object]) -> None:
    """Print the answer of the command, with the definition of the schema that it keeps to."""
    print_json({"schema": definition_of(form.command), **shape})


def definition_of(command: str) -> str:
    """Return a reference to the definition of a command's answer, or of `failure`."""
    return f"{SCHEMA}#/$defs/{command.replace(' ', '%20')}"


def print_text(text: str = "") -> None:
    """Print text."""
    write_out(clean(text) + "\n")


def print_answer(
    arguments: Namespace, shape: Callable[[], Mapping[str, object]], words: Callable[[], Sequence[Block] | str]
) -> None:
    """Print an answer in the form that the options ask for; only that form is made."""
    if arguments.json:
        print_shape(shape())
    elif isinstance(text := words(), str):
        print_text(text)
    else:
        print_blocks(text)


def print_blocks(blocks: Sequence[Block]) -> None:
    """Print an answer as Markdown or text: wrapped to the terminal's width, but in a pipe with unwrapped tables."""
    from ekstui.present import rendering

    if form.markdown:
        write_out(rendering.markdown(blocks))
        return
    whole_tables = not to_terminal()
    lines = rendering.lines(blocks, terminal_width(), colours=_colours(), whole_tables=whole_tables)
    while block := list(islice(lines, _BLOCK)):
        write_out("\n".join((*block, "")))


def print_reports(reports: Iterable[Sequence[Block]]) -> None:
    """Print several answers, with an empty line between them."""
    for number, blocks in enumerate(reports):
        if number:
            print_text()
        print_blocks(blocks)


def remark(message: EkstuiError | str) -> None:
    """Print an error with its next step, or a remark about the answer, on stderr."""
    form.silent = False
    if not form.quiet or isinstance(message, EkstuiError):
        # On one line: a name in it must not start a line that looks like somebody else's.
        progress_line.print_above(f"ekstui: {clean_line(str(message))}\n")


def remark_json(code: str, error: EkstuiError) -> None:
    """Print an error on stderr as one JSON object, for a program that asked for JSON."""
    failure = {"code": code, "message": clean(error.message), "next": clean(error.next_step or "") or None}
    sys.stderr.write(json.dumps({"schema": definition_of("failure"), "error": failure}) + "\n")


class ProgressLine:
    """The last line of a terminal on stderr: what the command does, until its answer is printed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._timer: Timer | None = None
        self._meanwhile = ""
        self._is_shown = False

    def say_if_slow(self, words: str) -> None:
        """Say on a terminal what a command does, if that takes over half a second without reporting progress."""
        if self._timer is None and _shows_progress():
            self._timer = Timer(SLOW, self._say, [words])
            self._timer.daemon = True
            self._timer.start()

    def _say(self, words: str) -> None:
        with self._lock:
            if self._timer is not None:
                self._meanwhile = words
                if not self._is_shown:
                    self._write(words)

    def report(self, words: str) -> None:
        """Show progress."""
        with self._lock:
            self._write(words)

    def _write(self, words: str) -> None:
        sys.stderr.write(f"\r\x1b[K{clean_line(words)}…")
        sys.stderr.flush()
        self._is_shown = True

    def _erase(self) -> None:
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_shown = False

    def print_above(self, line: str) -> None:
        """Print a whole line on stderr in place of the progress; what takes long is said again below it."""
        with self._lock:
            self._erase()
            sys.stderr.write(line)
            if self._meanwhile:
                self._write(self._meanwhile)

    def end(self) -> None:
        """Erase the line: there is an answer to read, or somebody is asked something."""
        if self._timer is not None:
            with self._lock:
                self._timer.cancel()
                self._timer, self._meanwhile = None, ""
                self._erase()


progress_line = ProgressLine()
"""The one of this process."""

SLOW = 0.4
"""How long a command works, in seconds, before it says at what; its start took a tenth more."""


def _shows_progress() -> bool:
    return sys.stderr.isatty() and not form.quiet


@contextmanager
def remark_progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows progress, in a few words, on one line of a terminal and nowhere else."""
    if not _shows_progress():
        yield lambda _words: None
        return
    try:
        yield progress_line.report
    finally:
        progress_line.print_above("")


def terminal_width() -> int:
    """Return the width of the terminal in columns, 80 without one."""
    return columns() if to_terminal() else PIPED_WIDTH


def columns() -> int:
    """Return the width in columns that COLUMNS says, or else that of the terminal on stdout; 80 without either.

    That is what shutil says, whose archives would take 3 ms of every command.
    """
    with suppress(KeyError, ValueError):
        if (width := int(os.environ["COLUMNS"])) > 0:
            return width
    with suppress(AttributeError, ValueError, OSError):
        if sys.__stdout__ and (width := os.get_terminal_size(sys.__stdout__.fileno()).columns) > 0:
            return width
    return PIPED_WIDTH


def _colours() -> bool:
    if form.colour != "auto":
        return form.colour == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return to_terminal() and os.environ.get("TERM") != "dumb"


_HANDLER = "ekstui.plain"

_PLAIN = {
    "→": ">", "−": "-", "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "’": "'", "·": "-", "─": "-", "▲": "^",
    "▼": "v",
    "✓": "+", "✗": "x", "×": "x", "⇄": "<>", "◆": "#", "○": "o", "●": "*", "▏": "_", "▎": ":", "▍": "|", "▌": "=",
    "▋": "%", "▊": "&", "▉": "@", "█": "#",
    "≤": "<=", "≥": ">=", "›": ">", "▸": ">", "▾": "v", "←": "<", "\xa0": " ", "⏎": "~",
}  # fmt: skip
"""Replacements for our own characters where the locale's encoding lacks them."""


def prepare_streams() -> None:
    """Make sure that neither an encoding that lacks a character nor a closed stdin or stderr makes a command fail."""
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    codecs.register_error(_HANDLER, _replace_unencodable)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def require_terminal() -> None:
    """Raise InputError unless the app can read keys and draw; Textual draws on stderr."""
    if "TEXTUAL_DRIVER" in os.environ:  # a page in a browser needs no terminal
        return
    commands = "Commands such as ekstui list work without a terminal."
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("The app needs a terminal on standard input.", commands)
    if sys.stderr is None or not sys.stderr.isatty():
        raise InputError("The app needs a terminal on standard error, where it draws.", commands)
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise InputError("This terminal cannot position text (TERM is unset or dumb).", commands)


def write_out(text: str) -> None:
    """Write data to stdout; OutputError if it cannot be written, BrokenPipeError if the reader has gone."""
    if sys.stdout is None:
        raise OutputError("Standard output is closed.")
    progress_line.end()
    if form.silent and not text.isspace():
        form.silent = not text
    with _writing():
        sys.stdout.write(text)


def flush_out() -> None:
    """Flush stdout; raises the errors of `write_out`."""
    if sys.stdout is not None:
        with _writing():
            sys.stdout.flush()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # Python flushes stdout once more when it exits, and would report the same error again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise OutputError(f"Standard output cannot be written: {error.strerror}.") from None


def end_at_once(code: int) -> NoReturn:
    """Flush everything and end the process without Python's own shutdown.

    That would take a tenth of a command's time, and half a second after the app, whose threads may still be asking AWS.
    """
    if logging := sys.modules.get("logging"):
        logging.shutdown()
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None is one that was closed before the start
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def to_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def _replace_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    replacements = [_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in characters]
    return "".join(replacements), error.end
