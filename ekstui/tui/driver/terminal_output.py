"""Output to the terminal, in order, without ever making the app wait.

The app draws on a canvas and returns at once; a writer thread fetches the changes when the terminal is ready. On a slow
connection, frames merge instead of queueing, and the latest one is sent as soon as possible.
"""

import codecs
import os
import re
import select
import threading
from collections import deque
from collections.abc import Callable
from itertools import groupby
from time import monotonic
from typing import Final

from rich.cells import cell_len

from ekstui.tui.driver.canvas import Canvas

SYNC_START: Final = "\x1b[?2026h"
SYNC_END: Final = "\x1b[?2026l"

_SYNC_FROM: Final = 1024
"""Bytes from which a frame is marked with mode 2026; shorter ones arrive in one piece anyway."""

_ENTER_SCREEN: Final = "\x1b[?1049h"
_LEAVE_SCREEN: Final = "\x1b[?1049l"

# Modes, queries, keyboard protocol, titles, clipboard, pointer shape and bell: they change neither cells nor attributes
# nor the cursor position.
_HARMLESS: Final = re.compile(
    r"(?:\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|2004|2048)[hl]"
    r"|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u"
    r"|\x1b\](?:0|1|2|7|22|52);[^\x00-\x1f\x7f-\x9f]*(?:\x1b\\|\x07)"
    r"|\x07)*"
)

_FRAME: Final = re.compile(r"\n*\x1b\[\d+;\d+H")

_CHUNK: Final = 4096
"""Bytes per write: the buffer of a Linux pseudo-terminal."""

_PATIENCE: Final = 0.25
"""Seconds that a terminal has to read the rest when the driver closes."""


_LIKE: Final = {
    character: replacement
    for characters, replacement in {
        "─": "-", "━": "=", "│▐": "|", "⇄": "/", "┃": "#", "╭╮╰╯┌┐└┘├┤┏┓┗┛": "+", "●": "*", "○": "o", "◆█": "#",
        "▸→›": ">", "▾↓": "v", "←≤": "<",
        "≥": ">", "⏎": "~", "\xa0▁▂▃▄▅▆▇": " ",
        "↑": "^", "·": ".", "…⋯": "~", "×✗": "x", "✓": "+", "−–—": "-", "“”": '"', "’": "'", "▲": "^", "▼": "v",
        "▏": "_", "▎": ":", "▍": "|", "▌": "=", "▋": "%", "▊": "&", "▉": "@",
    }.items()
    for character in characters
}  # fmt: skip
"""One-cell replacements for characters that the terminal's encoding does not have."""


def _by_cells(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    # Code points that form one character, such as flags, are measured together.
    runs = (
        "".join(run) for _, run in groupby(characters, key=lambda character: character if character in _LIKE else "")
    )
    return "".join(_LIKE[run[0]] * len(run) if run[0] in _LIKE else "?" * cell_len(run) for run in runs), error.end


codecs.register_error("cells", _by_cells)


def is_frame(data: str) -> bool:
    """Return whether `data` is a frame, rather than a mode, a query or a bell."""
    return _FRAME.match(data) is not None


class Output:
    """The file that Textual's writer thread writes to (8.2.8: `write(text)`, `flush()`, `fileno()`).

    `send` may be called from any thread. `write` is for the writer thread; it writes what is waiting, not its argument.
    """

    def __init__(self, fileno: int, encoding: str, size: tuple[int, int], on_lost: Callable[[], None]) -> None:
        self._fileno = fileno
        self._encoding = encoding
        self._on_lost = on_lost
        self._canvas = Canvas(*size)
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque()
        """Sequences to send as they are, in order with the changes drawn before each."""
        self._drawn = False
        """Whether the canvas may have changes."""
        self._synchronized = False
        """Whether the app marks its frames, because the terminal supports mode 2026."""
        self._called = False
        """Whether the writer has been called and is not done."""
        self._until: float | None = None
        """When to stop writing, on the monotonic clock; None while open."""
        self._lost = False
        """Whether the terminal is gone, and writes are dropped."""

    def resize(self, width: int, height: int) -> None:
        """Adapt to a new size of the terminal."""
        with self._lock:
            if (width, height) == (self._canvas.width, self._canvas.height):
                self._canvas.repaint()
            else:
                self._canvas.resize(width, height)
            self._drawn = True

    def repaint(self) -> None:
        """Clear the terminal and send everything again."""
        with self._lock:
            self._waiting.append("\x1b[m\x1b[2J")
            self._canvas.reset()
            self._canvas.repaint()
            self._drawn = True

    def send(self, data: str) -> bool:
        """Take output of the app, and return whether the writer has to be called; when closed, take frames only."""
        with self._lock:
            if data in (SYNC_START, SYNC_END):
                self._synchronized = True
                return False
            if self._until is not None and not is_frame(data):
                return False  # closed: another program has the terminal
            if is_frame(data):
                self._canvas.draw(data)
                self._drawn = True
            elif _HARMLESS.fullmatch(data):
                self._waiting.append(data)
            else:
                self._send_unknown(data)
            return self._call()

    def _send_unknown(self, data: str) -> None:
        """Take a sequence that may draw, move or clear: reset attributes before it, and assume nothing after it."""
        if data in (_ENTER_SCREEN, _LEAVE_SCREEN):
            self._drawn = False  # it was drawn for the other screen
        self._take_changes()
        self._waiting.append(self._canvas.reset() + data)
        if data == _ENTER_SCREEN:
            self._canvas.repaint()  # after a suspension the app may only draw what changed
            self._drawn = True
        elif data != _LEAVE_SCREEN:
            self._canvas.resize(self._canvas.width, self._canvas.height)

    def _call(self) -> bool:
        was_called, self._called = self._called, True
        return not was_called

    def _take_changes(self) -> None:
        if self._drawn:
            self._drawn = False
            changes = self._canvas.changes()
            if self._synchronized and len(changes) >= _SYNC_FROM:
                changes = SYNC_START + changes + SYNC_END
            self._waiting.append(changes)

    def fileno(self) -> int:
        """Return the terminal's file descriptor."""
        return self._fileno

    def flush(self) -> None:
        """Do nothing: writes are not buffered."""

    def write(self, _text: str) -> None:
        """Write until nothing is waiting."""
        while data := self._take():
            self._write_through(data.encode(self._encoding, "cells"))

    def _take(self) -> str:
        with self._lock:
            self._take_changes()
            data = "".join(self._waiting)
            self._waiting.clear()
            if not data:
                self._called = False
            return data

    def _write_through(self, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._lost:
            # A writer whose turn comes late still sends what the terminal takes at once.
            is_late = self._until is not None and monotonic() > self._until
            try:
                _, writable, _ = select.select([], [self._fileno], [], 0 if is_late else 0.05)
                if writable:
                    view = view[os.write(self._fileno, view[:_CHUNK]) :]
                elif is_late:
                    return
            except BlockingIOError:
                continue
            except (OSError, ValueError):
                self._lost = True
                self._on_lost()

    def close_soon(self) -> None:
        """Make the writer stop once the terminal has not read the rest within `_PATIENCE`."""
        self._until = monotonic() + _PATIENCE

    def abandon(self) -> None:
        """Make the writer stop at once."""
        self._lost = True

    def open(self) -> None:
        """Start writing again after `close_soon`, with a new writer."""
        self._until = None
        self._called = False
