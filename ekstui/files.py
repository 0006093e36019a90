"""Where ekstui's files are, reading and writing small ones safely, and values to and from JSON."""

from __future__ import annotations

import json
import os
import stat
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

try:
    # As in the standard library's random module: hashlib loads OpenSSL, 3 ms of a command's 40.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

from ekstui import log

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

_Value = TypeVar("_Value")

_PACKAGE = Path(__file__).resolve().parent

MAX_STATE = 1_000_000
"""The largest state file that is read, in bytes; one with all policies has 150,000."""


def asset(name: str) -> Path:
    """Return the path of a file that ships with ekstui, which the caller opens."""
    log.info_once(f"opens {name} of the bundled data")
    return assets() / name


def assets() -> Path:
    """Return the folder of the data that ships with ekstui.

    A wheel has it inside the package, a checkout beside the package.
    """
    folder_of_wheel = _PACKAGE / "assets"
    return folder_of_wheel if folder_of_wheel.is_dir() else _PACKAGE.parent / "assets"


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
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None


def _platform() -> PlatformDirs:
    from platformdirs import PlatformDirs  # only if the variable is not set

    return PlatformDirs("ekstui", appauthor=False)


def digest_of(content: bytes) -> str:
    """Return BLAKE2b of some bytes in hexadecimal: the name of an object, and the checksum of a state file."""
    return str(blake2b(content, digest_size=32).hexdigest())


def read_regular(path: Path, limit: int, *, follow: bool = True) -> bytes:
    """Return a regular file's bytes, at most `limit` + 1, so that the caller sees when it is too long.

    Raises OSError if there is no regular file: reading a pipe could block forever.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    log.opening(path)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(limit + 1)


def create_file(path: Path, content: bytes, mode: int = 0o600) -> None:
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


def write_user_file(path: Path, content: bytes, *, over: bool, private: bool) -> None:
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
        create_file(path, digest_of(text).encode() + b"\n" + text)


def to_record(value: object) -> Any:
    """Return a value as plain JSON, by the types of its fields.

    A named tuple becomes an object without the fields that equal their default; tuples become lists, times
    ISO 8601 text.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_record(entry) for key, entry in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return [to_record(entry) for entry in value]
    fields = ((name, getattr(value, name), default) for name, default in _defaults(cast("Any", type(value))).items())
    return {name: to_record(field) for name, field, default in fields if field != default}


def from_record(kind: type[_Value], record: object) -> _Value:
    """Return the value of type `kind` that JSON contains.

    Raises ValueError for anything that does not fit the type, so that a record of another release is dropped rather
    than half read.
    """
    try:
        return cast("_Value", _reader(cast("Any", kind))(record))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from None


@cache
def _defaults(kind: Any) -> Mapping[str, object]:
    """Return the default of each field; a sentinel that equals nothing for a field without a default."""
    return {name: kind._field_defaults.get(name, ...) for name in kind._fields}


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (read,) = (_reader(argument) for argument in arguments if argument is not type(None))
        return lambda value: None if value is None else read(value)
    if origin is Literal:
        return _checked(lambda value: value in arguments, f"one of {arguments}")
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is not None:
        entry = _reader(arguments[1])
        return lambda value: {key: entry(item) for key, item in value.items()}
    if kind is datetime:
        return datetime.fromisoformat
    if not hasattr(kind, "_fields"):
        return _checked(lambda value: type(value) is kind, kind.__name__)
    hints = get_type_hints(kind)
    of_field = {name: _reader(hints[name]) for name in _defaults(kind)}
    return lambda record: kind(**{name: of_field[name](value) for name, value in record.items()})


def _tuple_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if arguments[-1] is Ellipsis:
        entry = _reader(arguments[0])
        return lambda value: tuple([entry(item) for item in value])
    readers = [_reader(argument) for argument in arguments]
    return lambda value: tuple([read(item) for read, item in zip(readers, value, strict=True)])


def _checked(fits: Callable[[Any], bool], kind: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not fits(value):
            raise ValueError(f"{kind} expected, not {type(value).__name__}")
        return value

    return read
