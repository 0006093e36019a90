"""The log: off unless it is asked for, in one file that its owner alone can read, and without a word of the account.

What an exception says may hold names, ARNs and more, so it is written at level `debug` only; otherwise the log has
the exception's type and the places in the code that it came through.
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

from ekstui import paths
from ekstui.core.text import clean
from ekstui.errors import EkstuiError, InputError

MAX_BYTES = 1_000_000
"""The size at which a new file is begun."""

KEPT = 2
"""How many older files are kept."""

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})
_PARTS = 3
"""How much of a path in the code is written: the last folders and the file."""

_logger = logging.getLogger("ekstui")
# Whoever listens at the root would hear what others log: botocore logs whole requests.
_logger.propagate = False
_logger.addHandler(logging.NullHandler())

_Raised = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def open_log(wanted: str, level: str) -> None:
    """Begin to log: to the file that `wanted` names, for `1` to one in the state folder, for `0` nowhere.

    InputError if the file cannot be written, or is not the user's own.
    """
    close_log()
    if wanted.lower() in _OFF:
        return
    path = paths.state_dir() / "ekstui.log" if wanted.lower() in _ON else Path(wanted).expanduser()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = _OwnFile(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")
    except OSError as error:
        raise InputError(f"The log {path} cannot be written: {error.strerror or error}.", "Check EKSTUI_LOG.") from None
    handler.setFormatter(_Formatter(tells=level == "debug"))
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())


def close_log() -> None:
    """Log no more."""
    for handler in list(_logger.handlers):
        if isinstance(handler, _OwnFile):
            _logger.removeHandler(handler)
            handler.close()


def where() -> str:
    """Return where the log is, or how to get one, as the end of a sentence."""
    path = next((handler.baseFilename for handler in _logger.handlers if isinstance(handler, _OwnFile)), None)
    return f"the log is {path}" if path else "EKSTUI_LOG=1 keeps a log of such errors"


def unexpected(error: BaseException, doing: str) -> EkstuiError:
    """Put an error of our own down in the log, and return what users are told: its type, never what it says."""
    _logger.error("unexpected error: %s", doing, exc_info=error)
    rest = where()
    return EkstuiError(f"Something went wrong inside ekstui ({spot(error)}).", f"{rest[0].upper()}{rest[1:]}.")


def ending(error: BaseException | None) -> str:
    """Return the one sentence with which an error of our own ends everything."""
    kind = f" ({spot(error)})" if error else ""
    return f"ekstui: an error of its own ended it{kind}; {where()}."


def spot(error: BaseException) -> str:
    """Return an error's type and the last place of ours that it came through: `KeyError at tui/app.py:12`."""
    ours = [
        f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if "ekstui" in Path(frame.filename).parts
    ]
    return f"{type(error).__name__} at {ours[-1]}" if ours else type(error).__name__


class _OwnFile(RotatingFileHandler):
    """A file that is made with its final permissions; one that is a link or someone else's is refused."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        descriptor = os.open(self.baseFilename, flags, 0o600)
        try:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode) or state.st_uid != os.geteuid():
                raise OSError(0, "it is no file of yours")
            if stat.S_IMODE(state.st_mode) != 0o600:
                os.fchmod(descriptor, 0o600)
        except OSError:
            os.close(descriptor)
            raise
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """Do nothing: a full disk must not write into what the user looks at."""


class _Formatter(logging.Formatter):
    converter = staticmethod(time.gmtime)

    def __init__(self, *, tells: bool) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self._tells = tells

    def format(self, record: logging.LogRecord) -> str:
        # Others' handlers leave their text of an exception in the record.
        record.exc_text = None
        return clean(super().format(record))

    def formatException(self, ei: _Raised) -> str:  # noqa: N802 (logging's name)
        if self._tells:
            return super().formatException(ei)
        lines: list[str] = []
        error: BaseException | None = ei[1]
        while error is not None and len(lines) < 200:
            lines.append(f"  {type(error).__name__}")
            lines += [
                f"    {'/'.join(Path(frame.filename).parts[-_PARTS:])}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(lines)
