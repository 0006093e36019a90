"""A terminal driver for Textual apps on slow connections.

    App(driver_class=driver_class()).run()

It knows nothing about ekstui. It overrides private methods of Textual, so where one is missing, as in a version that
has not been read yet, it leaves the terminal to Textual's own driver. Unlike that one:

- it sends only cells that have changed, and only the attributes that differ; frames merge while the terminal is busy;
- no control character in displayed text reaches the terminal;
- invalid UTF-8, legacy mouse reports and key releases do no harm; the end of input counts as a hang-up;
- SIGTERM, SIGHUP, SIGINT, SIGQUIT and hang-ups end the app within half a second with 128 + n, the terminal restored;
- the mouse reports clicks, not every move.
"""

import os
from functools import cache
from types import FunctionType
from typing import Any, Final

from textual.app import App
from textual.driver import Driver

_VARIABLE = "EKSTUI_DRIVER"
"""The environment variable: `plain` for Textual's own driver."""


_OF_DRIVER: Final = (
    "_app", "_auto_restart", "_debug", "_disable_mouse_support", "_enable_mouse_support", "_file", "_get_terminal_size",
    "_in_band_window_resize", "_loop", "_mouse", "_mouse_pixels", "_must_signal_resume", "_sigcont_application",
    "_sigtstp_application", "_writer_thread", "attrs_before", "disable_input", "exit_event", "process_message",
    "run_input_thread",
)  # fmt: skip
_OF_PARSER: Final = ("_sequence_to_key_events", "feed", "parse_mouse_code", "tick")


def missing(kind: type, *names: str) -> tuple[str, ...]:
    """Return the names that neither a class nor the code of its methods has."""
    missing_names = [name for name in names if not hasattr(kind, name)]
    for member in (member for base in kind.__mro__ for member in vars(base).values()):
        if not missing_names:  # mostly after `__init__`: reading all of the code would take 1 ms
            break
        if isinstance(member, FunctionType):
            missing_names = [name for name in missing_names if name not in member.__code__.co_names]
    return tuple(f"{kind.__name__}.{name}" for name in missing_names)


@cache
def missing_from_textual() -> tuple[str, ...]:
    """Return what the driver builds on and this version of Textual does not have."""
    try:
        from textual._xterm_parser import XTermParser
        from textual.drivers.linux_driver import LinuxDriver
    except ImportError as error:
        return (str(error.name),)
    return (*missing(LinuxDriver, *_OF_DRIVER), *missing(XTermParser, *_OF_PARSER))


def driver_class() -> type[Driver] | None:
    """Return the driver for `App(driver_class=...)`, or None to let Textual choose.

    None with EKSTUI_DRIVER=plain, with TEXTUAL_DRIVER (which serving in a browser sets), on other platforms than POSIX,
    and where something is `missing_from_textual`.
    """
    if (
        os.name != "posix"
        or os.environ.get("TEXTUAL_DRIVER")
        or os.environ.get(_VARIABLE) == "plain"
        or missing_from_textual()
    ):
        return None
    from ekstui.tui.driver.terminal import TerminalDriver  # needs termios, which Windows does not have

    return TerminalDriver


def repaint(app: App[Any]) -> None:
    """Redraw the whole terminal, with any driver."""
    repaint_driver = getattr(getattr(app, "_driver", None), "repaint", None)
    if repaint_driver is not None:
        repaint_driver()
    app.refresh(layout=True)
