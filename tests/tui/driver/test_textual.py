"""The private parts of Textual that the driver builds on are those of the version it was read from, 8.2.8.

A newer Textual that fails here is to be read before it is taken: `drivers/linux_driver.py`, `drivers/_writer_thread.py`,
`_xterm_parser.py`, `_compositor.py`, `app.py`.
"""

import inspect
import re
from importlib.metadata import version

import pytest
from textual import _ansi_sequences, _compositor, _xterm_parser, strip
from textual.app import App
from textual.driver import Driver
from textual.drivers import _writer_thread, linux_driver

from ekstui.tui.driver.terminal_output import SYNC_END, SYNC_START

READ_FROM = "8.2.8"


def test_the_version_is_one_that_was_read() -> None:
    major, minor = version("textual").split(".")[:2]
    assert (major, minor) == tuple(READ_FROM.split(".")[:2])


@pytest.mark.parametrize(
    ("member", "pattern"),
    [
        # What the driver overrides, and what it counts on being called.
        (linux_driver.LinuxDriver.__init__, r"self\._file = sys\.__stderr__"),
        (linux_driver.LinuxDriver.__init__, r"signal\(signal\.SIGTSTP, self\._sigtstp_application\)"),
        (linux_driver.LinuxDriver.__init__, r"signal\(signal\.SIGCONT, self\._sigcont_application\)"),
        (linux_driver.LinuxDriver.start_application_mode, r"self\._writer_thread = WriterThread\(self\._file\)"),
        (
            linux_driver.LinuxDriver.start_application_mode,
            r"self\._key_thread = Thread\(target=self\._run_input_thread",
        ),
        (linux_driver.LinuxDriver.start_application_mode, r"self\.attrs_before = termios\.tcgetattr"),
        (
            linux_driver.LinuxDriver.start_application_mode,
            r"if self\._must_signal_resume:\s+self\._must_signal_resume = False",
        ),
        (linux_driver.LinuxDriver.start_application_mode, r"self\._enable_mouse_support\(\)"),
        (linux_driver.LinuxDriver._run_input_thread, r"self\.run_input_thread\(\)"),
        (linux_driver.LinuxDriver.stop_application_mode, r"self\.disable_input\(\)"),
        (
            linux_driver.LinuxDriver.disable_input,
            r"self\.exit_event\.set\(\)\s+if self\._key_thread is not None:\s+self\._key_thread\.join\(\)",
        ),
        (linux_driver.LinuxDriver.close, r"self\._writer_thread\.stop\(\)"),
        (linux_driver.LinuxDriver._sigtstp_application, r"self\._must_signal_resume = True"),
        (linux_driver.LinuxDriver.process_message, r"self\._in_band_window_resize = True"),
        (linux_driver.LinuxDriver._enable_mouse_pixels, r"self\._mouse_pixels = True"),
        (Driver.__init__, r"self\._app = app"),
        (Driver.__init__, r"self\._loop = asyncio\.get_running_loop\(\)"),
        (Driver.__init__, r"self\._auto_restart = True"),
        (Driver.__init__, r"self\._mouse = mouse"),
        (_writer_thread.WriterThread.run, r"text: str \| None = get\(\)"),
        (_writer_thread.WriterThread.run, r"write = self\._file\.write"),
        (_xterm_parser.XTermParser.parse, r"sequence_to_key_events = self\._sequence_to_key_events"),
        (_xterm_parser.XTermParser.parse, r"self\.parse_mouse_code\(mouse_code\)"),
        # The language of frames.
        (App._display, r"terminal_sequence \+= Control\.move_to\("),
        (App._display, r"self\._driver\.write\(terminal_sequence\)"),
        (_compositor.LayoutUpdate.render_segments, r"append\(move_to\(x, y\)\.segment\.text\)"),
        (_compositor.ChopsUpdate.render_segments, r"append\(move_to\(x, y\)\.segment\.text\)"),
        (strip.Strip.render_style, r'f"\\x1b\[\{ansi\}m\{text\}\\x1b\[0m"'),
    ],
    ids=lambda value: getattr(value, "__qualname__", None),
)
def test_the_source_is_as_it_was_read(member: object, pattern: str) -> None:
    assert re.search(pattern, inspect.getsource(member))  # type: ignore[arg-type]  # functions, all of them


def test_frames_are_marked_as_they_were() -> None:
    assert (_ansi_sequences.SYNC_START, _ansi_sequences.SYNC_END) == (SYNC_START, SYNC_END)
