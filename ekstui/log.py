"""What code says to the log, without importing logging (6 ms of a command's 40): `logbook` does if there is a log.

What `info` says has no names: neither of the account, nor of its resources, nor of files. `debug` says those too.
"""

from collections.abc import Callable

_INFO, _DEBUG = 20, 10
"""The levels, as `logging` has them."""

Writer = Callable[..., object]
"""Called with a level, a sentence and the values in it, as `Logger.log` is."""

_writers: list[Writer] = []
_logged_once: set[str] = set()


def start(writer: Writer) -> None:
    """Hand everything to this writer from now on."""
    stop()
    _writers.append(writer)


def stop() -> None:
    """Hand nothing to anybody any more."""
    _writers.clear()
    _logged_once.clear()


def info(sentence: str, *values: object) -> None:
    """Log a call, a file that is opened, or a decision, without names."""
    for writer in _writers:
        writer(_INFO, sentence, *values)


def info_once(sentence: str) -> None:
    """Log what happens often, such as opening the cache, the first time only."""
    if _writers and sentence not in _logged_once:
        _logged_once.add(sentence)
        info(sentence)


def opening(path: object) -> None:
    """Log that a file is opened."""
    info("opens a file")
    debug("opens %s", path)


def debug(sentence: str, *values: object) -> None:
    """Log with names, such as paths and regions."""
    for writer in _writers:
        writer(_DEBUG, sentence, *values)
