"""Values as plain JSON and back, by the types of their fields, for the local store.

A dataclass or a named tuple becomes an object without the fields that equal their default; tuples become lists, times
ISO 8601 text. Anything that does not fit the type raises ValueError, so that a record of another release is dropped
rather than half read.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

Value = TypeVar("Value")


def to_record(value: object) -> Any:
    """Return a value as JSON."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return [to_record(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(key): to_record(entry) for key, entry in value.items()}
    record: dict[str, Any] = {}
    for name, default in _defaults(cast("Any", type(value))):
        field = getattr(value, name)
        if field != default or default is dataclasses.MISSING:
            record[name] = to_record(field)
    return record


def from_record(kind: type[Value], record: object) -> Value:
    """Return the value of type `kind` that JSON contains; ValueError if it does not fit."""
    try:
        return cast("Value", _reader(cast("Any", kind))(record))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from None


@cache
def _defaults(kind: Any) -> tuple[tuple[str, object], ...]:
    if dataclasses.is_dataclass(kind):
        return tuple((field.name, field.default) for field in dataclasses.fields(kind))
    return tuple((name, kind._field_defaults.get(name, dataclasses.MISSING)) for name in kind._fields)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional_reader(arguments)
    if origin is Literal:
        return _literal_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is not None and issubclass(origin, Mapping):
        entry = _reader(arguments[1])
        return lambda value: {key: entry(item) for key, item in value.items()}
    if kind is datetime:
        return datetime.fromisoformat
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return _fields_reader(cast("type", kind))
    return _plain_reader(kind)


def _plain_reader(kind: type) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
        return value

    return read


def _optional_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    (inner,) = (argument for argument in arguments if argument is not type(None))
    read = _reader(inner)
    return lambda value: None if value is None else read(value)


def _literal_reader(allowed: tuple[Any, ...]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"unknown value {value!r}")
        return value

    return read


def _tuple_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if arguments[-1] is Ellipsis:
        entry = _reader(arguments[0])
        return lambda value: tuple([entry(item) for item in value])
    readers = [_reader(argument) for argument in arguments]
    return lambda value: tuple([read(item) for read, item in zip(readers, value, strict=True)])


def _fields_reader(kind: type) -> Callable[[Any], Any]:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name, _ in _defaults(kind)}
    return lambda record: kind(**{name: readers[name](value) for name, value in record.items()})
