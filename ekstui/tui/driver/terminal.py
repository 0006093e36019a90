"""A driver that sends only what has changed, survives any input, and always restores the terminal.

It overrides private methods of Textual 8.2.8's driver for Linux and macOS; `test_textual.py` checks each name. In that
version (`_xterm_parser.py`, `drivers/linux_driver.py`), the input thread dies of invalid UTF-8, of key releases in the
kitty protocol, and of pixel mouse reports without a pixel size; escape sequences in a paste are read as keys. `Decoder`
and `Parser` prevent that.
"""

import contextvars
import os
import re
import select
import signal
import sys
import termios
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from time import monotonic, sleep
from types import FrameType
from typing import Any, Final

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size
from textual.keys import Keys
from textual.message import Message

from ekstui.tui.driver.escape import ESCAPE, EscapedKey
from ekstui.tui.driver.terminal_output import Output

ENDING_SIGNALS: Final = (
    signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM,
    signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU,
)  # fmt: skip
"""Signals that end the app with 128 + their number: all that end a process, except crashes."""

AT_ONCE: Final = 0.001
"""Signals whose handlers run within this many seconds arrived together, in an unknown order."""

HANGUP: Final = 128 + signal.SIGHUP
"""The return code after a hang-up."""

GRACE: Final = 0.3
"""Seconds that the app has to exit before the driver ends the process."""

_RESTORE: Final = (
    b"\x18\x1b[m\x1b[?2026l\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?1016l"
    b"\x1b[<u\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Cancels an unfinished sequence and resets everything that the driver may have set."""

_LARGEST: Final = 10_000
"""Columns or rows; larger sizes are ignored."""

_Handler = Callable[[int, FrameType | None], Any] | int | None


# Button, column and row, each a byte 32 above its value; beyond column 95 it is not ASCII, and maybe not UTF-8.
# The patterns are compiled on first use: 4 ms, after the first paint.
_OLD_MOUSE: Final = rb"(?s)\x1b\[M([\x20-\xff])([\x20-\xff])([\x20-\xff])"
_OLD_MOUSE_BEGUN: Final = rb"(?s)\x1b\[M[\x20-\xff]{0,2}\Z"

# code:shifted:base ; modifiers:event ; text
_KITTY_KEY: Final = r"\x1b\[(\d*)(?::[\d:]*)?(?:;(\d*)(?::(\d*))?)?((?:;[\d:]*)?)([u~ABCDEFHPQRS])"
_RELEASED: Final = "3"

_PASTE: Final = "\x1b[200~"
_PASTED: Final = "\x1b[201~"
_ESCAPE_SHOWN: Final = "\u241b"


class Decoder:
    """Decodes bytes from the terminal: invalid UTF-8 becomes U+FFFD, legacy mouse reports become SGR ones."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._held = b""

    def feed(self, data: bytes) -> str:
        """Return the text of `data`; an incomplete character or mouse report at its end is held back."""
        data = self._held + data
        if b"\x1b[M" not in data:
            self._held = b""
            return self._decode(data)
        data = re.sub(_OLD_MOUSE, _as_sgr_report, data)
        begun = re.search(_OLD_MOUSE_BEGUN, data)
        self._held = begun[0] if begun else b""
        return self._decode(data[: begun.start()] if begun else data)

    def idle(self) -> str:
        """Return what was held back, since nothing more has followed."""
        data, self._held = self._held, b""
        return self._decode(data)


def _as_sgr_report(match: re.Match[bytes]) -> bytes:
    button, column, row = (match[part][0] - 32 for part in (1, 2, 3))
    is_release = button & 0b1000011 == 3
    return b"\x1b[<%d;%d;%d%c" % (button & ~3 if is_release else button, column, row, b"m" if is_release else b"M")


class Pastes:
    """Keeps escape sequences in a paste, such as a coloured log, from being read as keys, by replacing ESC with ␛."""

    def __init__(self) -> None:
        self._pasting = False
        self._passed = ""
        """The end of the previous text, which may be part of the start marker."""
        self._held = ""
        """The end of the pasted text, which may be part of the end marker."""

    def escape(self, data: str) -> str:
        """Return `data` with ESC replaced inside pastes."""
        pieces: list[str] = []
        while data:
            if self._pasting:
                text, end, data = (self._held + data).partition(_PASTED)
                held_length = 0 if end else max(size for size in range(len(_PASTED)) if text.endswith(_PASTED[:size]))
                text, self._held = text[: len(text) - held_length], text[len(text) - held_length :]
                pieces += text.replace("\x1b", _ESCAPE_SHOWN), end
                self._pasting = not end
            else:
                text, start, data = (self._passed + data).partition(_PASTE)
                pieces.append((text + start)[len(self._passed) :])
                self._passed = "" if start else text[1 - len(_PASTE) :]
                self._pasting = bool(start)
        return "".join(pieces)


class Parser(XTermParser):
    """Textual's parser (8.2.8), without the sequences that would end the input thread."""

    def __init__(self, debug: bool = False) -> None:
        self._pastes = Pastes()
        super().__init__(debug)

    def feed(self, data: str) -> Iterable[Message]:
        """Return the messages in `data`; empty data is not the end of input, which the reader detects."""
        text = self._pastes.escape(data)
        return super().feed(text) if text else ()

    def parse_mouse_code(self, code: str) -> Message | None:
        """Return the mouse event in `code`; None if the terminal reported an empty size."""
        try:
            return super().parse_mouse_code(code)
        except ArithmeticError:
            return None

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterator[events.Key]:
        if ":" in sequence and (kitty := re.fullmatch(_KITTY_KEY, sequence)):
            code, modifiers, event, text, final = kitty.groups("")
            if event == _RELEASED:
                yield events.Key(Keys.Ignore, sequence)
                return
            sequence = f"\x1b[{code};{modifiers}{text}{final}"
        try:
            keys = list(super()._sequence_to_key_events(sequence, alt))
            key_sequence = sequence[-1:]
            if len(keys) == 1 and (alt or (len(sequence) == 2 and sequence[0] == ESCAPE != key_sequence)):
                yield from (
                    EscapedKey(keys[0].key, keys[0].character, key)
                    for key in self._sequence_to_key_events(key_sequence)
                )
            else:
                yield from keys
        except (ValueError, OverflowError):  # the number is not a character
            yield events.Key(Keys.Ignore, sequence)


class TerminalDriver(LinuxDriver):
    """Textual's driver with its own output, input and exit."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._handlers: dict[int, _Handler] = {}
        self._started = False
        """Whether the app has taken over the terminal."""
        self._to_restore = False
        """Whether the terminal may be in a mode that the driver has set: until the writer has sent the last reset."""
        self._ending = False
        """Whether the app has been asked to exit."""
        self._to_stop = False
        """Whether the last signal was SIGTSTP rather than SIGCONT."""
        self._continued_at = 0.0
        self._end_thread: threading.Thread | None = None
        self._context = contextvars.copy_context()
        """The app's context, to call it in."""
        self._wake_reader, self._wake_writer = os.pipe()
        """A pipe with a byte in it while the input thread has to end."""
        self._end_reader, self._end_writer = os.pipe()
        """A pipe for the return code; a thread waits for it, since a signal handler must not start one."""
        stderr = sys.__stderr__
        if stderr is None:
            raise RuntimeError("Textual draws on standard error, which is closed")
        stderr.flush()
        self._terminal = _own_file(stderr.fileno())
        self._output = Output(self._terminal, stderr.encoding, self._get_terminal_size(), self._hang_up)
        self._file = self._output  # type: ignore[assignment]  # it has the methods that the writer thread uses

    # Output

    def write(self, data: str) -> None:
        """Send a frame or a sequence; while the app is suspended, keep frames for later and drop the rest."""
        if self._output.send(data) and self._writer_thread is not None:
            self._writer_thread.write("")

    def repaint(self) -> None:
        """Clear the terminal and send everything again, for example after `wall` has written over it."""
        self._output.repaint()
        self.write("")

    # Starting and stopping

    def start_application_mode(self) -> None:
        """Take over the terminal, its signals and its size."""
        self._to_restore = True
        self._output.open()
        self._output.resize(*self._get_terminal_size())
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._writer_thread is None:  # in the background: the next SIGCONT tries again
            self._to_restore = False
            return
        if self._end_thread is None:
            self._end_thread = threading.Thread(target=self._end_late, name="driver-end", daemon=True)
            self._end_thread.start()
        self._started = True
        self._handlers = {number: signal.signal(number, self._end_on_signal) for number in ENDING_SIGNALS}
        # The loop's own handler also wakes it for every other signal, which the system may give to another thread:
        # while the app is idle, the main thread would run their handlers only with the next key.
        self._context.copy().run(self._loop.add_signal_handler, signal.SIGWINCH, self._follow_window)

    def stop_application_mode(self) -> None:
        """Restore the terminal and, unless the app is ending because of a signal, the signal handlers."""
        super().stop_application_mode()
        self._started = False
        if not self._ending:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)

    def close(self) -> None:
        """Let the writer send what is left, unless the terminal does not read it within a quarter of a second."""
        self._output.close_soon()
        super().close()
        self._writer_thread = None
        self._to_restore = False

    # Signal handlers may run in the middle of anything, even of a write, so they only schedule calls.

    def _sigtstp_application(self, *_: object) -> None:
        self._to_stop = monotonic() - self._continued_at > AT_ONCE
        self._soon(self._pause)

    def _sigcont_application(self, *_: object) -> None:
        self._to_stop, self._continued_at = False, monotonic()
        self._soon(self._continue)

    def _pause(self) -> None:
        """Stop, unless SIGCONT has arrived in the meantime: there would be no other."""
        if self._ending or not self._to_stop:
            return
        if self._auto_restart:
            self.suspend_application_mode()
            self._must_signal_resume = True
        if self._to_stop:
            os.kill(os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        if self._started and self._auto_restart and not self._ending:
            # SIGSTOP did not restore the terminal; the shell may have changed it and written over it.
            self.suspend_application_mode()
            self.resume_application_mode()
        elif self._must_signal_resume:
            super()._sigcont_application()

    def _soon(self, call: Callable[..., object], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments, context=self._context.copy())
        except RuntimeError:
            return  # the loop is closed: the app has ended

    # Ending

    def _end_on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.end(128 + number)

    def _hang_up(self) -> None:
        self.end(HANGUP)

    def end(self, return_code: int) -> None:
        """Make the app exit with this code or, after GRACE, restore the terminal and end the process."""
        if self._ending:
            return
        self._ending = True
        os.write(self._end_writer, bytes([return_code]))
        self._soon(self._exit, return_code)

    def _exit(self, return_code: int) -> None:
        self._app.call_after_refresh(self._app.exit, None, return_code)

    def _end_late(self) -> None:
        return_code = os.read(self._end_reader, 1)[0]
        sleep(GRACE)
        if self._to_restore:
            self._output.abandon()
            if self.attrs_before is not None:
                with suppress(termios.error):
                    termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            with suppress(OSError):
                if select.select([], [self._terminal], [], 0.05)[1]:
                    os.write(self._terminal, _RESTORE)
        os._exit(return_code)

    # Input

    def disable_input(self) -> None:
        """Stop reading from the terminal."""
        os.write(self._wake_writer, b"\0")
        super().disable_input()
        os.read(self._wake_reader, 1)

    def run_input_thread(self) -> None:
        """Read from the terminal until `disable_input`; the end of input or a failed read is a hang-up."""
        decoder, parser = Decoder(), Parser(self._debug)
        pause = None  # seconds to wait for the rest of a sequence
        # Text typed before the app took over the terminal has line feeds for the enter key.
        typed_before = bool(select.select([self.fileno], [], [], 0)[0])
        while not self.exit_event.is_set():
            readable, _, _ = select.select([self.fileno, self._wake_reader], [], [], pause)
            if self._wake_reader in readable:
                return
            text, pause = decoder.idle(), None
            if readable:
                try:
                    data = os.read(self.fileno, 4096)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if not data:
                    self._hang_up()
                    return
                if typed_before:
                    data, typed_before = data.replace(b"\n", b"\r"), False
                text, pause = decoder.feed(data), constants.ESCAPE_DELAY + 0.01
            for message in (*parser.feed(text), *parser.tick()):
                self.process_message(message)

    def process_message(self, message: Message) -> None:
        """Pass a message on to the app, after adapting to a new size."""
        if isinstance(message, events.Resize):
            if max(message.size) > _LARGEST:
                return
            self._output.resize(*message.size)
            self.write("")
        super().process_message(message)

    def _follow_window(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self.process_message(events.Resize(size, size))

    def _get_terminal_size(self) -> tuple[int, int]:
        # Ask the terminal itself: Textual asks standard output, which may be a pipe.
        with suppress(OSError):
            size = os.get_terminal_size(self._terminal)
            if all(size):
                return size.columns, size.lines
        return super()._get_terminal_size()

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            for mode in (1000, 1006):  # not 1003, movements, which repaint what the mouse hovers over
                self.write(f"\x1b[?{mode}h")

    def _disable_mouse_support(self) -> None:
        if self._mouse:
            for mode in (1000, 1006, *((1016,) if self._mouse_pixels else ())):
                self.write(f"\x1b[?{mode}l")


def _own_file(fileno: int) -> int:
    """Open the terminal again, so that non-blocking writes do not affect the shell; if that fails, return `fileno`."""
    try:
        return os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return fileno
