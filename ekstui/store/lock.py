"""One lock beside each database: whoever uses the file shares it, whoever moves or deletes the file has it alone.

SQLite finds a database's journal by its path, so a file that is renamed while it is open could meet the journal of
its successor. A file system that refuses locks is found here at once: SQLite would wait for its busy timeout first.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

WAIT = 5.0
"""The longest wait for a lock, in seconds; after that the work goes on without it."""

_STEP = 0.01
"""The time between two tries, in seconds."""


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock of a file that is being used; OSError where the file system refuses locks."""
    with _opened(path) as descriptor:
        _wait_for(descriptor, fcntl.LOCK_SH)
        yield


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock of a file that is to be moved or deleted."""
    with _opened(path) as descriptor:
        _wait_for(descriptor, fcntl.LOCK_EX)
        yield


@contextmanager
def attempt(path: Path) -> Iterator[bool]:
    """Hold the lock of work that one process does at a time, or yield False while another process holds it."""
    with _opened(path) as descriptor:
        mine = True
        with suppress(OSError):
            mine = descriptor is None or _try(descriptor, fcntl.LOCK_EX)
        yield mine


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    """Open the lock's file, or yield None where it cannot be made."""
    descriptor: int | None = None
    with suppress(OSError):
        descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _wait_for(descriptor: int | None, kind: int) -> None:
    end = time.monotonic() + WAIT
    while descriptor is not None and not _try(descriptor, kind) and time.monotonic() < end:
        time.sleep(_STEP)


def _try(descriptor: int, kind: int) -> bool:
    """Return whether the lock is ours now; OSError where the file system refuses locks."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
