"""The settings file: TOML, read whole, with the line of each key for those who have to correct one."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ekstui.config.reading import flattened
from ekstui.errors import InputError
from ekstui.files import read_regular

MAX_BYTES = 1_000_000
"""A settings file that is longer is none."""

_TABLE = r"^\s*\[\s*([^\]]+?)\s*\]"
_KEY = r"^\s*([\w.\"' -]+?)\s*="


class SettingsFile(NamedTuple):
    """What a settings file says."""

    path: Path
    values: Mapping[str, object]
    lines: Mapping[str, int]
    """The line of each key, counted from 1, by its dotted name."""

    def place(self, name: str) -> str:
        """Return where a key stands, as `path:line`."""
        line = self.lines.get(name) or next((at for key, at in self.lines.items() if key.startswith(f"{name}.")), None)
        return f"{self.path}:{line}" if line else str(self.path)

    def names(self) -> tuple[str, ...]:
        """Return the dotted names of all values."""
        return tuple(flattened(self.values))


def read_file(path: Path) -> SettingsFile | None:
    """Return what the settings file says, None if there is none; InputError if it cannot be read."""
    try:
        content = read_regular(path, MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"The settings in {path} cannot be read: {error.strerror or error}.") from None
    if len(content) > MAX_BYTES:
        raise InputError(f"The settings in {path} cannot be read: the file is longer than {MAX_BYTES:,} bytes.")
    import tomllib  # 3 ms, and only for those who have settings

    try:
        text = content.decode("utf-8-sig")
        values = tomllib.loads(text)
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"The settings in {path} cannot be read: {type(error).__name__} is no TOML.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The settings in {path} are no TOML: {error}.") from None
    return SettingsFile(path, values, _lines(text))


def _lines(text: str) -> dict[str, int]:
    """Return the line of each key; tomllib does not tell, and a key is found well enough by how it looks."""
    lines: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(_TABLE, line):
            table = f"{_bare(header[1])}."
            lines.setdefault(_bare(header[1]), number)
        elif key := re.match(_KEY, line):
            lines.setdefault(table + _bare(key[1]), number)
    return lines


def _bare(key: str) -> str:
    return ".".join(part.strip(" \"'") for part in key.split("."))
