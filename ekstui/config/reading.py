"""Reads one setting's value, from the file's types or from the text of an environment variable."""

from collections.abc import Mapping
from types import MappingProxyType

from ekstui.config.settings import Kind
from ekstui.scope import SCOPES

_WANTED: dict[Kind, str] = {
    "word": "a text",
    "level": "error, warning, info or debug",
    "scope": " or ".join(SCOPES),
    "words": "a list of texts",
    "switch": "true or false",
    "minutes": "a whole number of minutes, 0 or more",
    "keys": "a table of keys by their ids",
}
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class WrongValueError(ValueError):
    """A value that its setting cannot have; the text says what is wanted."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(f"it must be {_WANTED[kind]}")


def read_value(kind: Kind, raw: object) -> object:
    """Return a value of the file as Settings has it; WrongValueError if it is none of its kind."""
    match kind, raw:
        case "word", str() if raw:
            return raw
        case "level", "error" | "warning" | "info" | "debug":
            return raw
        case "scope", str() if raw in SCOPES:
            return raw
        case "words", list() if all(isinstance(part, str) and part for part in raw):
            return tuple(raw)
        case "switch", bool():
            return raw
        case "minutes", int() if not isinstance(raw, bool) and raw >= 0:
            return raw
        case "keys", dict():
            flat = flattened(raw)
            if all(isinstance(value, str) and value for value in flat.values()):
                return MappingProxyType({key: str(value) for key, value in flat.items()})
    raise WrongValueError(kind)


def read_text(kind: Kind, text: str) -> object:
    """Return the value that an environment variable holds; WrongValueError if it is none of its kind."""
    match kind:
        case "words":
            return read_value(kind, [part.strip() for part in text.split(",")])
        case "switch":
            return read_value(kind, _SWITCH.get(text.lower()))
        case "minutes":
            return read_value(kind, int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None)
    return read_value(kind, text)


def flattened(table: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return a table with dotted keys: TOML reads `explorer.diff = "D"` as a table in a table."""
    flat: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= flattened(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
