"""The log: off by default, readable by its owner alone, and without anything about the account.

The text of ekstui's own errors may contain names and ARNs, so it is logged at level `debug` only. Of any other exception
the log has the type and the traceback's locations, never the text.
"""

import logging
import traceback
from pathlib import Path

from ekstui import paths
from ekstui.errors import EkstuiError, InputError

NO_MEMORY = "not enough memory for this"

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})
_logger = logging.getLogger("ekstui")
# The root logger is left alone: botocore would log whole requests to a handler there.
_logger.propagate = False
_logger.addHandler(logging.NullHandler())

_files: list[logging.FileHandler] = []
"""The open log, if there is one."""


def open_log(wanted: str, level: str) -> None:
    """Start logging to the file that `wanted` names: `1` is ekstui.log in the state directory, `0` is no log.

    Raises InputError if the file cannot be written, or is not the user's own.
    """
    close_log()
    if wanted.lower() in _OFF:
        return
    path = paths.state_dir() / "ekstui.log" if wanted.lower() in _ON else Path(wanted).expanduser()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        from ekstui.logfile import log_file  # 2 ms, and only a log needs it

        handler = log_file(path, with_messages=level == "debug")
    except OSError as error:
        raise InputError(f"The log {path} cannot be written: {error.strerror or error}.", "Check EKSTUI_LOG.") from None
    _files.append(handler)
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())


def log_to_stderr(level: str) -> None:
    """Log to stderr as well."""
    from ekstui.logfile import Formatter  # 2 ms, and only a log needs it

    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("ekstui: %(levelname)s %(message)s", with_messages=level == "debug"))
    handler.setLevel(level.upper())
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())


def close_log() -> None:
    """Stop logging."""
    while _files:
        handler = _files.pop()
        _logger.removeHandler(handler)
        handler.close()


def where() -> str:
    """Return where the log is, or how to get one, as the end of a sentence."""
    return f"the log is {_files[0].baseFilename}" if _files else "set EKSTUI_LOG=1 to log such errors"


def unexpected(error: BaseException, doing: str) -> EkstuiError:
    """Log a bug in ekstui, and return the error to show: its type and place, never its text."""
    _logger.error("unexpected error: %s", doing, exc_info=error)
    rest = where()
    if isinstance(error, MemoryError):
        return EkstuiError(f"There is {NO_MEMORY}.", "End other programs and try again.")
    return EkstuiError(f"Something went wrong inside ekstui ({location_of(error)}).", f"{rest[0].upper()}{rest[1:]}.")


def ending(error: BaseException | None) -> str:
    """Return the sentence to print when a bug ends ekstui."""
    if isinstance(error, MemoryError):
        return f"ekstui: there is {NO_MEMORY}. End other programs and try again."
    kind = f" ({location_of(error)})" if error else ""
    return f"ekstui: internal error{kind}; {where()}."


def location_of(error: BaseException) -> str:
    """Return an error's type and the last line of ekstui in its traceback: `KeyError at tui/app.py:12`."""
    ours = [
        f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "ekstui" in Path(frame.filename).parts
    ]
    return f"{type(error).__name__} at {ours[-1]}" if ours else type(error).__name__
