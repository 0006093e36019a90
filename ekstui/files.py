"""Where ekstui's files are, and reading and writing small ones safely, whatever is in their place."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

try:
    # As in the standard library's random module: hashlib loads OpenSSL, 3 ms of a command's 40.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

_PACKAGE = Path(__file__).resolve().parent

MAX_STATE = 1_000_000
"""The largest state file that is read, in bytes; one with all policies has 150,000."""


def assets() -> Path:
    """Return the folder of the data that ships with ekstui.

    A wheel has it inside the package, a checkout beside the package.
    """
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def cache_dir() -> Path:
    """Return the folder of the local cache: EKSTUI_CACHE, else the platform's cache directory for ekstui."""
    return _set_by("EKSTUI_CACHE") or _platform().user_cache_path


def archives_dir() -> Path:
    """Return the folder of the mirrors of archives in git."""
    return cache_dir() / "archives"


def state_dir() -> Path:
    """Return the folder of what ekstui remembers between runs, which clearing the cache must not delete."""
    return _set_by("EKSTUI_STATE") or _platform().user_state_path


def is_served() -> bool:
    """Return whether the app is served to a browser: a path typed there must never reach a file of the server."""
    return bool(os.environ.get("EKSTUI_SERVED"))


def config_file() -> Path:
    """Return the path of the user's settings: EKSTUI_CONFIG, else config.toml in the platform's directory."""
    return _set_by("EKSTUI_CONFIG") or _platform().user_config_path / "config.toml"


def _set_by(variable: str) -> Path | None:
    given = os.environ.get(variable)
    return Path(given).expanduser() if given else None


def _platform() -> PlatformDirs:
    from platformdirs import PlatformDirs  # 5 ms, and only if the variable is not set

    return PlatformDirs("ekstui", appauthor=False)


def digest_of(content: bytes) -> str:
    """Return BLAKE2b of some bytes, 32 bytes in hexadecimal: the name of an object, and the checksum of a state file."""
    return str(blake2b(content, digest_size=32).hexdigest())


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """Return a regular file's bytes, at most `limit` + 1, so that the caller sees when it is too long.

    Raises OSError if there is no regular file: reading a pipe could block forever.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(limit + 1)


def write_new(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write or replace a file atomically, without following a link; OSError if it cannot be written."""
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
    """Write a file that the user named, replacing an existing one only if `over`; OSError if it cannot be written.

    A private file is readable by its owner alone, whatever the umask and the mode that it had before.
    """
    # Non-blocking, so that a pipe without a reader is refused at once.
    flags = os.O_WRONLY | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC | (0 if over else os.O_EXCL)
    descriptor = os.open(path, flags, 0o600 if private else 0o666)
    with os.fdopen(descriptor, "wb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        if private:
            os.fchmod(descriptor, 0o600)
        file.truncate(0)
        file.write(content)


def read_state(path: Path) -> object | None:
    """Return the JSON value of a state file, None if there is none; a damaged file is renamed to `NAME.aside`.

    The first line is a checksum of the rest.
    """
    try:
        content = read_regular(path, MAX_STATE, follow=False)
    except FileNotFoundError:
        return None
    except OSError:
        content = b""
    digest, _, text = content.partition(b"\n")
    if len(content) <= MAX_STATE and digest == digest_of(text).encode():
        with suppress(ValueError, RecursionError):
            value: object = json.loads(text)
            return value
    with suppress(OSError):
        path.rename(path.with_name(f"{path.name}.aside"))
    return None


def write_state(path: Path, value: object) -> None:
    """Write a JSON value to a state file; a failure is ignored."""
    text = json.dumps(value, indent=1).encode()
    with suppress(OSError):
        write_new(path, digest_of(text).encode() + b"\n" + text)
