"""Small files of ekstui's own, read and written so that whatever else is in their place does no harm."""

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

MAX_STATE = 1_000_000
"""The largest file of state that is read, in bytes; one with all policies has 150,000."""

_DIGEST = 32
"""Bytes of a file's hash."""


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """Return a plain file's bytes, one more than `limit` where it has more.

    OSError where there is none, or something that is no plain file: a pipe would be waited for without an end.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no plain file")
        return file.read(limit + 1)


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put a new file in the place of a path, whole or not at all, and never through a link; OSError where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        partial.unlink()
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def write_named(path: Path, content: bytes, *, over: bool, private: bool) -> None:
    """Write a file that the user named, over one that is there only if `over`; OSError where it cannot be.

    A private one can be read by its owner alone, whatever the umask and whatever was there before.
    """
    # Opening never waits for the reader of a pipe.
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | (0 if over else os.O_EXCL)
    descriptor = os.open(path, flags, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no plain file")
        if private:
            os.fchmod(descriptor, 0o600)
        file.truncate(0)
        file.write(content)


def read_state(path: Path) -> object | None:
    """Return the JSON value of a file of state, None where there is none; anything odd is set aside as `NAME.aside`.

    The file's first line is a hash of the rest, so that damage is found and never another value.
    """
    try:
        content = read_regular(path, MAX_STATE, follow=False)
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    digest, _, text = content.partition(b"\n")
    if len(content) <= MAX_STATE and digest == _hash(text):
        with suppress(ValueError, RecursionError):
            value: object = json.loads(text)
            return value
    with suppress(OSError):
        path.rename(path.with_name(f"{path.name}.aside"))
    return None


def write_state(path: Path, value: object) -> None:
    """Keep a JSON value in a file of state; silently not where it cannot be written."""
    text = json.dumps(value, indent=1).encode()
    with suppress(OSError):
        write_new(path, _hash(text) + b"\n" + text)


def _hash(text: bytes) -> bytes:
    from hashlib import blake2b  # 3 ms, and only where state is read

    return blake2b(text, digest_size=_DIGEST).hexdigest().encode()
