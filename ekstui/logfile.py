"""The log file, and the format of its records."""

import logging
import os
import stat
import time
import traceback
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from ekstui.core.text import clean
from ekstui.errors import EkstuiError

MAX_BYTES = 1_000_000
"""The size at which the file is rotated, in bytes."""

KEPT = 2
"""How many older files are kept."""

FORM = "%(asctime)sZ %(levelname)s %(name)s: %(message)s"
"""A record in the log file."""

_PARTS = 3
"""How many parts of a source file's path are logged."""

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def log_file(path: Path, *, with_messages: bool) -> logging.FileHandler:
    """Return a handler for a log file; `with_messages` logs the text of ekstui's own errors too. Raises OSError.

    The text of other libraries' exceptions is never logged: botocore's may quote the credentials file.
    """
    handler = _OwnFile(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
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
