"""Running another program within bounds: of time, of memory, and of what it prints and writes."""

import atexit
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from ekstui.errors import AccountError, EkstuiError, InputError
from ekstui.named_tuples import NamedTuple
from ekstui.waiting import Cancelled, never

MOST_FILE = 512 * 1024 * 1024
"""The largest file that a program may write, in bytes, so that an endless download cannot fill the disk."""

_NO_PROGRAM = 127
"""The exit code of a shell that does not find a program."""

_MOST_ERRORS = 64 * 1024
"""The most that is read of what a program prints as errors, in bytes."""

_PIECE = 1 << 20
POLL = 0.2
"""How often is asked whether the user still waits, in seconds."""


class Bounds(NamedTuple):
    """What a program may take."""

    seconds: float
    output: int
    """How much it may print, in bytes."""
    memory: int | None = None
    """How much it may address, in bytes, where the system can limit that; None for no limit."""


class ProcessResult(NamedTuple):
    """How a program ended."""

    code: int | None
    """Its exit code, negative for a signal; None if it is not installed."""
    output: bytes
    """What it printed, at most one byte more than allowed."""
    errors: str
    late: bool
    """Whether it was ended because it took too long."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    bounds: Bounds,
    stdin: bytes = b"",
    cancelled: Cancelled = never,
) -> ProcessResult:
    """Run a program with `stdin` as its standard input; InputError if that was cancelled, or there is no shell."""
    limits = f"ulimit -f {MOST_FILE // 512}"
    if bounds.memory is not None:
        # macOS has no such limit.
        limits += f"; ulimit -v {bounds.memory // 1024} 2>/dev/null"
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as errors:
        source.write(stdin)
        source.seek(0)
        shell = ["sh", "-c", f'{limits}; exec "$@"', "sh", *command]
        absence_error = InputError("There is no shell to start a program with.")
        with _started(
            shell, environment, absence_error, stdin=source, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            output, is_late = _output(process, bounds, cancelled)
            if is_late or len(output) > bounds.output:
                _end(process)
        errors.seek(0)
        code = None if process.returncode == _NO_PROGRAM else process.returncode
        return ProcessResult(code, output, errors.read(_MOST_ERRORS).decode(errors="replace").strip(), is_late)


class BackgroundProcess(NamedTuple):
    """A program that runs meanwhile."""

    is_running: Callable[[], bool]
    errors: Callable[[], str]
    """Returns what it printed as errors so far."""


@contextmanager
def background(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[BackgroundProcess]:
    """Run a program, without input, until the block ends; AccountError if it is not installed."""
    absence_error, devnull = AccountError(f"{command[0]} is not installed."), subprocess.DEVNULL
    with tempfile.TemporaryFile() as errors:

        def error_text() -> str:
            return os.pread(errors.fileno(), _MOST_ERRORS, 0).decode(errors="replace").strip()

        with _started(command, environment, absence_error, stdin=devnull, stdout=devnull, stderr=errors) as process:
            try:
                yield BackgroundProcess(lambda: process.poll() is None, error_text)
            finally:
                _end(process)


def _output(process: subprocess.Popen[bytes], bounds: Bounds, cancelled: Cancelled) -> tuple[bytes, bool]:
    """Return what a program prints until it ends, prints too much or takes too long, and whether the last is so."""
    output = bytearray()
    until = time.monotonic() + bounds.seconds
    pipe = process.stdout
    while pipe is not None and len(output) <= bounds.output:
        if cancelled():
            raise InputError("This was stopped.", "Nothing was changed.")
        if time.monotonic() > until:
            return bytes(output), True
        if select.select([pipe], [], [], POLL)[0]:
            piece = os.read(pipe.fileno(), min(_PIECE, bounds.output + 1 - len(output)))
            if not piece:
                break
            output += piece
    if len(output) > bounds.output:
        return bytes(output), False
    with suppress(subprocess.TimeoutExpired):
        process.wait(max(until - time.monotonic(), POLL))
    return bytes(output), process.poll() is None


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and those that it started, which are in a session of their own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _started(
    command: Sequence[str], environment: Mapping[str, str], absence_error: EkstuiError, **streams: Any
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program and end it however this process is interrupted: its session gets no signal of the terminal."""
    process: subprocess.Popen[bytes] | None = None
    early_signals: list[int] = []

    def end(number: int, _: object) -> None:
        if process is None:  # it may run already, but who it is will be known once it has been started
            early_signals.append(number)
            return
        _end(process)
        signal.signal(number, handlers[number])
        signal.raise_signal(number)

    handlers: dict[int, Any] = {}
    # Only the main thread can; a thread that is left at the exit is ended by `atexit`.
    if threading.current_thread() is threading.main_thread():
        current = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        default_handlers = (signal.SIG_DFL, signal.default_int_handler)
        handlers = {int(number): handler for number, handler in current.items() if handler in default_handlers}
    try:
        for number in handlers:
            signal.signal(number, end)
        try:
            # The arguments are ours, and which program that is the user's choice.
            process = subprocess.Popen(command, env=environment, start_new_session=True, **streams)  # noqa: S603
        except FileNotFoundError:
            raise absence_error from None
        at_exit = partial(_end, process)
        atexit.register(at_exit)
        with process:
            try:
                for number in early_signals:
                    end(number, None)
                yield process
            except BaseException:
                _end(process)
                raise
            finally:
                atexit.unregister(at_exit)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
