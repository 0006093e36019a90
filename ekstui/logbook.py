"""The log: off by default, readable by its owner alone, and without anything about the account.

The text of ekstui's own errors may contain names and ARNs, so it is logged at level `debug` only. Of any other
exception the log has the type and the traceback's locations, never the text.
"""

import logging
import os
import stat
import time
import traceback
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from ekstui import files, log
from ekstui.errors import EkstuiError, InputError
from ekstui.iam.text import clean

NO_MEMORY = "not enough memory for this"

MAX_LOG_BYTES = 1_000_000
"""The size at which the file is rotated, in bytes."""

KEPT = 2
"""How many older files are kept."""

FORM = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"
"""A record in the log file."""

_PARTS = 3
"""How many parts of a source file's path are logged."""

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})
_logger = logging.getLogger("ekstui")
# The root logger is left alone: botocore would log whole requests to a handler there.
_logger.propagate = False
_logger.addHandler(logging.NullHandler())

_handlers: list[logging.Handler] = []
"""Where the log goes: to a file, to stderr, or both."""


def open_log(destination: str, level: str) -> None:
    """Start logging to the file that `destination` names: `1` is ekstui.log in the state directory, `0` is no log.

    Raises InputError if the file cannot be written, or is not the user's own.
    """
    close_log()
    if destination.lower() in _OFF:
        return
    path = files.state_dir() / "ekstui.log" if destination.lower() in _ON else Path(destination).expanduser()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = log_file(path, with_messages=level == "debug")
    except OSError as error:
        raise InputError(
            f"The log {path} cannot be written: {error.strerror or error}.",
            "Change the setting log (ekstui config shows where it comes from).",
        ) from None
    _start(handler, level)


def _start(handler: logging.Handler, level: str) -> None:
    _handlers.append(handler)
    handler.setLevel(level.upper())
    _logger.addHandler(handler)
    _logger.setLevel(min(handler_in_use.level for handler_in_use in _handlers))
    log.start(_logger.log)


def log_to_stderr(level: str) -> None:
    """Log to stderr as well."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("ekstui: %(levelname)s %(message)s", with_messages=level == "debug"))
    _start(handler, level)


def close_log() -> None:
    """Stop logging."""
    log.stop()
    while _handlers:
        handler = _handlers.pop()
        _logger.removeHandler(handler)
        handler.close()
    _logger.setLevel(logging.NOTSET)


def where() -> str:
    """Return where the log is, or how to get one, as the end of a sentence."""
    path = next((handler.baseFilename for handler in _handlers if isinstance(handler, logging.FileHandler)), None)
    return f"the log is {path}" if path else "set EKSTUI_LOG=1 to log such errors"


def unexpected(error: BaseException, activity: str) -> EkstuiError:
    """Log a bug in ekstui, and return the error to show: its type and place, never its text."""
    _logger.error("unexpected error: %s", activity, exc_info=error)
    hint = where()
    if isinstance(error, MemoryError):
        return EkstuiError(f"There is {NO_MEMORY}.", "End other programs and try again.")
    return EkstuiError(f"Something went wrong inside ekstui ({location_of(error)}).", f"{hint[0].upper()}{hint[1:]}.")


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


def log_file(path: Path, *, with_messages: bool) -> logging.FileHandler:
    """Return a handler for a log file; `with_messages` logs the text of ekstui's own errors too. Raises OSError.

    The text of other libraries' exceptions is never logged: botocore's may quote the credentials file.
    """
    handler = _OwnFile(path, maxBytes=MAX_LOG_BYTES, backupCount=KEPT, encoding="utf-8")
    handler.setFormatter(Formatter(with_messages=with_messages))
    return handler


class _OwnFile(RotatingFileHandler):
    """A log file that is created with its final permissions; a link, or another user's file, is refused."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self.baseFilename, flags, 0o600)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid():
                raise OSError(0, "it is not a file of yours")
            if stat.S_IMODE(state.st_mode) != 0o600:
                os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do nothing: logging would print the error, such as a full disk, over the app."""


class Formatter(logging.Formatter):
    """Formats records without the text of exceptions that are not ekstui's own, and without control characters."""

    converter = staticmethod(time.gmtime)

    def __init__(self, form: str = FORM, *, with_messages: bool) -> None:
        super().__init__(form, "%Y-%m-%dT%H:%M:%S")
        self._with_messages = with_messages

    def format(self, record: logging.LogRecord) -> str:
        # Another handler may have cached its own text of the exception in the record.
        record.exc_text = None
        return clean(super().format(record))

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 (logging's name)
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(lines) < 200:
            text = f": {error}" if self._with_messages and isinstance(error, EkstuiError) else ""
            lines.append(f"  {type(error).__name__}{text}")
            lines += [
                f"    {'/'.join(Path(frame.filename).parts[-_PARTS:])}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)
