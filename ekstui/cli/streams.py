"""The process's own streams: encodings that lack a sign, disks that are full, and streams that are closed."""

import codecs
import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import NoReturn

from ekstui.errors import InputError, OutputError

_HANDLER = "ekstui.plain"

_PLAIN = {"→": ">", "−": "-", "–": "-", "—": "-", "…": "...", "“": '"', "”": '"', "’": "'", "·": "-"}
"""How our own signs are spelled where the locale's encoding lacks them."""


def prepare_streams() -> None:
    """Let no text fail for its encoding, and nothing fail for a closed stdin or stderr.

    A sign that the encoding lacks is spelled with those it has.
    """
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    codecs.register_error(_HANDLER, _spell)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def refuse_what_is_no_terminal() -> None:
    """Raise InputError where the app could not be seen or could not hear keys; Textual draws on stderr."""
    if "TEXTUAL_DRIVER" in os.environ:  # a page in a browser is no terminal, and needs none
        return
    commands = "Commands such as ekstui list work without a terminal."
    if sys.stdin is None or not sys.stdin.isatty():
        raise InputError("The app needs a terminal on standard input.", commands)
    if sys.stderr is None or not sys.stderr.isatty():
        raise InputError("The app needs a terminal on standard error, where it draws.", commands)
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise InputError("This terminal cannot place text (TERM is unset or dumb).", commands)


def write_out(text: str) -> None:
    """Write data to stdout. Raises OutputError where it cannot be written, BrokenPipeError where the reader left."""
    if sys.stdout is None:
        raise OutputError("Standard output is closed.")
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from None


def flush_out() -> None:
    """Hand over what was written so far; raises as `write_out` does."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _unwritable(error) from None


def end_at_once(code: int) -> NoReturn:
    """End the process with what was written handed over; nothing else waits to be done.

    Python takes a tenth of a command's time to take apart what was imported, and half a second after the app, whose
    threads may still ask AWS.
    """
    if logging := sys.modules.get("logging"):
        logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def to_terminal() -> bool:
    """Return whether stdout is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def _unwritable(error: OSError) -> OutputError:
    # Python flushes stdout once more when it ends, and would say there what is said here.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return OutputError(f"Standard output cannot be written: {error.strerror}.")


def _spell(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    spelled = [_PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in lacking]
    return "".join(spelled), error.end
