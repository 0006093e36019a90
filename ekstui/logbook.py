"""The log: off unless it is asked for, in one file that its owner alone can read, and without a word of the account.

What an error of ekstui's own says may hold names and ARNs, so it is written at level `debug` only. Of any other exception
the log has its type and the places in the code that it came through, never its text.
"""

import logging
import traceback
from pathlib import Path

from ekstui import paths
from ekstui.errors import EkstuiError, InputError

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"", "0", "false", "no", "off"})
_logger = logging.getLogger("ekstui")
# Whoever listens at the root would hear what others log: botocore logs whole requests.
_logger.propagate = False
_logger.addHandler(logging.NullHandler())

_files: list[logging.FileHandler] = []
"""The open log, if there is one."""


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
        from ekstui.logfile import log_file  # 2 ms, and only where a log is wanted

        handler = log_file(path, with_messages=level == "debug")
    except OSError as error:
        raise InputError(f"The log {path} cannot be written: {error.strerror or error}.", "Check EKSTUI_LOG.") from None
    _files.append(handler)
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())


def log_to_stderr(level: str) -> None:
    """Log to stderr as well, for the user who runs the command."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("ekstui: %(levelname)s %(message)s"))
    handler.setLevel(level.upper())
    _logger.addHandler(handler)
    _logger.setLevel(level.upper())


def close_log() -> None:
    """Log no more."""
    while _files:
        handler = _files.pop()
        _logger.removeHandler(handler)
        handler.close()


def where() -> str:
    """Return where the log is, or how to get one, as the end of a sentence."""
    return f"the log is {_files[0].baseFilename}" if _files else "EKSTUI_LOG=1 keeps a log of such errors"


def unexpected(error: BaseException, doing: str) -> EkstuiError:
    """Record an error of our own in the log, and return what users see: its type, never what it says."""
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
