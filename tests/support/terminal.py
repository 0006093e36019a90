"""A terminal for tests and benchmarks: a command in a pseudo-terminal, a screen that shows what it draws, and figures.

Nothing here waits for a fixed time: one waits for a text, for a condition, or until the line has been quiet. A program
that ends when nobody expected it fails the test, whatever else was seen.
"""

import fcntl
import heapq
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType
from typing import Any, Self

from pyte.screens import Char

from tests.support.emulator import Screen, Stream
from tests.support.forking import Forked
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]

# pyte takes these for text.
_NOT_FOR_PYTE = re.compile(rb"\x1b\[[<>=]\d*u|\x1b\[\?\d+\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_BEGUN = re.compile(rb"\x1b(?:\[[<>=?\d;$]*|\][^\x07\x1b]*\x1b?)?\Z")
_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_SYNC_QUERY = b"\x1b[?2026$p"

# What follows an escape character at once makes one key of both, alt and the other.
_ESCAPE_KEY = re.compile(r"\x1b(?![\[O\]])")
_UNMISTAKABLE_ESCAPE = "\x1b[27u"
_KEYBOARD_PROTOCOL = re.compile(rb"\x1b\[([<>])\d*u")

_ANSWER = 1.0
"""Seconds in which the answer to a key begins, if there is one."""

_WORKS = ("R", "D")
"""States of a thread that has something to do, whether or not it is its turn (Linux)."""

_LAST_BYTES = 2.0
"""Seconds in which what a program wrote last arrives, where a process that it left behind keeps the line open."""

_MEMORY_UNIT = 1024
_CPU_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Link:
    """A slow line between the program and the one who looks, with a queue that never overflows."""

    bits_per_second: int
    round_trip: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class Response:
    """What came back for a key."""

    bytes: int
    seconds: float
    """From the key to the last byte; 0 if nothing came."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How the program ended."""

    code: int
    """As a shell says it: 128 + n for signal n."""
    seconds: float
    """Since the wait began."""
    by_signal: bool


class Terminal:
    """A command in a pseudo-terminal of its own, read by a screen."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        rows: int = 24,
        env: Mapping[str, str] | None = None,
        link: Link | None = None,
        ignoring: Sequence[signal.Signals] = (),
        knows_sync: bool = False,
        forked: bool = False,
    ) -> None:
        """Start the command; with `forked`, a `python -m MODULE …` whose imports are there already."""
        self.screen = Screen(columns, rows)
        self._stream = Stream(self.screen)
        self.raw = bytearray()
        """All that has been received."""
        self.last_byte = self.started = perf_counter()
        self._unread = b""
        self._link = link
        self._line_free = 0.0
        self._arriving: list[tuple[float, int, bytes]] = []
        self._leaving: list[tuple[float, int, bytes]] = []
        self._order = 0
        self._knows_sync = knows_sync
        self._ended = False
        self._end_expected = False
        self._master, slave = pty.openpty()
        self._set_size(columns, rows)

        def take_terminal() -> None:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignoring:
                signal.signal(number, signal.SIG_IGN)

        self.modes_before = termios.tcgetattr(slave)
        self.started = perf_counter()
        self.process: subprocess.Popen[bytes] | Forked
        if forked:
            self.process = Forked(_arguments(command), slave, environment(env), ignoring)
        else:
            self.process = subprocess.Popen(
                command,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=environment(env),
                start_new_session=True,
                preexec_fn=take_terminal,
            )
        self._slave: int | None = slave
        self._modes_left: list[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        exit_code = self.process.poll()
        text = self.text
        self.close()
        if error is None and exit_code is not None and not self._end_expected:
            raise AssertionError(f"it ended with {exit_code} while nobody waited for that\n{text}")

    def close(self) -> None:
        """End the program, whatever it does, and the terminal."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.hang_up()

    # Receiving

    @property
    def text(self) -> str:
        """What the screen shows, a line a row."""
        # pyte's own `display` fails while half of a wide character is painted over.
        columns = range(self.screen.columns)
        rows = map(self.screen.buffer.__getitem__, range(self.screen.lines))
        return "\n".join("".join([row[column].data for column in columns]) for row in rows)

    @property
    def received(self) -> int:
        """Bytes received so far."""
        return len(self.raw)

    @property
    def modes(self) -> dict[int, bool]:
        """Private modes that were set or reset, as they are now; 25 is the cursor, 1049 the alternate screen."""
        return {int(mode): kind == b"h" for modes, kind in _MODE.findall(bytes(self.raw)) for mode in modes.split(b";")}

    @property
    def termios(self) -> list[Any]:
        """The line's own modes (echo and so on), in the form of the `termios` module; compare with `modes_before`."""
        if self._modes_left is not None:
            return self._modes_left
        return termios.tcgetattr(self._slave if self._slave is not None else self._master)

    def pump(self, seconds: float) -> bool:
        """Receive for at most so many seconds, until something arrives; say whether anything did."""
        until = perf_counter() + seconds
        while True:
            now = perf_counter()
            if self._arrive(now):
                return True
            self._leave(now)
            due = min([until, *(queue[0][0] for queue in (self._arriving, self._leaving) if queue)])
            if self._ended and not self._arriving:
                return False
            readable = () if self._ended else select.select([self._master], [], [], max(due - now, 0))[0]
            if readable:
                self._read()
            elif perf_counter() >= until:
                return self._arrive(perf_counter())

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the last slave is closed
            data = b""
        if not data:
            self._ended = True
            return
        now = perf_counter()
        due = now
        if self._link:
            self._line_free = max(now, self._line_free) + len(data) * 8 / self._link.bits_per_second
            due = self._line_free + self._link.round_trip / 2
        self._order += 1
        heapq.heappush(self._arriving, (due, self._order, data))

    def _arrive(self, now: float) -> bool:
        has_arrived = False
        while self._arriving and self._arriving[0][0] <= now:
            self.last_byte, _, data = heapq.heappop(self._arriving)
            self.raw += data
            self._show(data)
            has_arrived = True
            if self._knows_sync and _SYNC_QUERY in data:
                self.send(b"\x1b[?2026;2$y")
        return has_arrived

    def _leave(self, now: float) -> None:
        while self._leaving and self._leaving[0][0] <= now:
            os.write(self._master, heapq.heappop(self._leaving)[2])

    def _show(self, data: bytes) -> None:
        data = _NOT_FOR_PYTE.sub(b"", self._unread + data)
        begun = _BEGUN.search(data)
        self._unread = begun[0] if begun else b""
        self._stream.feed(data[: begun.start()] if begun else data)

    def wait_for(self, condition: str | Callable[[], object], seconds: float = PATIENCE) -> float:
        """Receive until the screen shows a text or a condition holds, and return the time (`perf_counter`)."""
        until = perf_counter() + seconds
        while not (condition in self.text if isinstance(condition, str) else condition()):
            if not self.pump(0.05) and (self._ended or perf_counter() > until):
                reason = "before it ended" if self._ended else f"within {seconds} s"
                raise AssertionError(f"not {reason}: {condition}\n{self.text}")
        return self.last_byte

    def settle(self, quiet: float = 0.25, seconds: float = PATIENCE) -> float:
        """Receive until nothing has come for so many seconds, and return when the last byte came (`perf_counter`).

        On a busy machine a program is silent too while it waits for its turn; that is not quiet.
        """
        until = perf_counter() + seconds
        while self.pump(quiet) or self._leaving or self._works():
            if perf_counter() > until:
                raise AssertionError(f"not quiet within {seconds} s")
        return self.last_byte

    def _works(self) -> bool:
        """Say whether a thread of the program has something to do (Linux; elsewhere it is not known)."""
        return not self._ended and any(state in _WORKS for state in self._states("task/*/stat"))

    # Sending

    def send(self, keys: str | bytes) -> None:
        """Type these keys, or send these bytes as they are.

        The escape key goes as terminals with the kitty protocol send it, wherever the program has asked for that: no
        key that follows can be taken for a part of it. Elsewhere it must go alone, and one waits for its effect.
        """
        data = self._typed(keys) if isinstance(keys, str) else keys
        if self._link:
            self._order += 1
            heapq.heappush(self._leaving, (perf_counter() + self._link.round_trip / 2, self._order, data))
        else:
            os.write(self._master, data)

    def _typed(self, keys: str) -> bytes:
        requests = _KEYBOARD_PROTOCOL.findall(bytes(self.raw))
        if requests and requests[-1] == b">":
            keys = _ESCAPE_KEY.sub(_UNMISTAKABLE_ESCAPE, keys)
        elif len(keys) > 1 and _ESCAPE_KEY.search(keys):
            raise ValueError(f"escape and another key in one write would be read as one key: {keys!r}")
        return keys.encode()

    def press(self, keys: str | bytes, quiet: float = 0.25) -> Response:
        """Type these keys, wait until all is quiet and say what came."""
        before, begun = self.received, perf_counter()
        self.send(keys)
        last = self.settle(quiet) if self.pump(max(quiet, _ANSWER)) or self._works() else begun
        return Response(self.received - before, max(last - begun, 0) if self.received > before else 0)

    def hold(self, key: str | bytes, *, per_second: float = 30, seconds: float = 3, quiet: float = 0.5) -> Response:
        """Hold a key down; the response's seconds are from the last key to the last byte."""
        before, begun = self.received, perf_counter()
        for count in range(round(per_second * seconds)):
            while (wait := begun + count / per_second - perf_counter()) > 0:
                self.pump(wait)
            self.send(key)
        last_key = perf_counter()
        return Response(self.received - before, max(self.settle(quiet, seconds=120) - last_key, 0) or 0)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size, as when a window is dragged: the program is told by SIGWINCH."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def hang_up(self) -> None:
        """Close the terminal, as when a line is cut."""
        for fileno in (self._slave, self._master):
            if fileno is not None and fileno >= 0:
                os.close(fileno)
        self._slave, self._master = None, -1
        self._ended = True

    # The process

    def wait_exit(self, seconds: float = PATIENCE, *, reading: bool = True) -> Exit:
        """Wait until the program has ended, and receive meanwhile if wanted."""
        begun = perf_counter()
        self._end_expected = True
        while self.process.poll() is None:
            if perf_counter() - begun > seconds:
                raise AssertionError(f"still running after {seconds} s\n{self.text}")
            if self._ended or not reading:
                select.select([], [], [], 0.005)
            else:
                self.pump(0.005)
        seconds_taken = perf_counter() - begun
        if reading and self._slave is not None:
            self._modes_left = self.termios
            os.close(self._slave)
            self._slave = None
            # The line ends once all is read: a busy kernel passes on what was written last some time after the end.
            while not self._ended and self.pump(_LAST_BYTES):
                pass
        code = self.process.returncode
        assert code is not None
        return Exit(code if code >= 0 else 128 - code, seconds_taken, code < 0)

    def cpu_seconds(self) -> float:
        """Return the processor time that the program has used (Linux)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _CPU_TICK

    def state(self) -> str:
        """Return the letter of the program's state, such as T for stopped (Linux)."""
        return next(self._states("stat"))

    def _states(self, files: str) -> Iterator[str]:
        for file in Path(f"/proc/{self.process.pid}").glob(files):
            with suppress(OSError):  # the thread has ended
                yield file.read_text().rpartition(")")[2].split()[0]

    def memory(self) -> int:
        """Return the bytes of memory that the program has resident (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * _MEMORY_UNIT


def _arguments(command: Sequence[str]) -> Sequence[str]:
    """Return the module of a command of Python's, and what follows it."""
    python, option, *arguments = command
    if (python, option) != (sys.executable, "-m"):
        raise ValueError(f"only modules are forked, not {command}")
    return arguments


def as_seen(cell: Char) -> Char:
    """Return a cell without what nobody can see of it: a space has no colour but that behind it."""
    if cell.data != " " or cell.reverse or cell.underscore or cell.strikethrough or cell.blink:
        return cell
    return cell._replace(fg="default", bold=False, italics=False)


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment that does not depend on who runs the tests, with these changes; an empty value removes."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        **(changes or {}),
    }
    return {name: value for name, value in base.items() if value}


LEFT_OFF = (1000, 1002, 1003, 1004, 1006, 1015, 1016, 1049, 2004, 2026, 2048)
"""The modes of a terminal that an app may set and has to reset: mouse, focus, other screen, paste, synchronised output, resize."""


def assert_restored(terminal: Terminal) -> None:
    """Assert that a program left the terminal as it was: its modes, cursor, keyboard protocol and echo."""
    modes = terminal.modes
    assert [mode for mode in LEFT_OFF if modes.get(mode)] == []
    assert modes[25], "the cursor is hidden"
    assert modes[7], "lines do not wrap"
    assert terminal.raw.rfind(b"\x1b[<u") > terminal.raw.rfind(b"\x1b[>25u"), "the keyboard protocol is on"
    before, after = terminal.modes_before, terminal.termios
    assert after == before
    assert after[3] & termios.ECHO
