"""The settings that hold, and where each comes from: default, file, environment, command line; what comes later wins."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from ekstui.config.file import SettingsFile, read_file
from ekstui.config.reading import WrongValueError, read_text, read_value
from ekstui.config.settings import SETTINGS, Settings
from ekstui.errors import InputError

DEFAULT = "default"


class Effective(NamedTuple):
    """The settings with their origins."""

    settings: Settings
    origins: Mapping[str, str]
    """By setting: `default`, `path:line` in the file, a variable's name, or an option's."""
    warnings: tuple[str, ...]
    """What the file has that ekstui does not know, a sentence each."""
    path: Path
    """Where the file is, or would be."""
    file_found: bool


def effective(path: Path, environment: Mapping[str, str], options: Mapping[str, object] | None = None) -> Effective:
    """Return the settings that hold; `options` has what the command line gives, by setting.

    Raises InputError that names the file and line, or the variable, of a value that cannot be.
    """
    file = read_file(path)
    values: dict[str, Any] = {}
    origins = {setting.name: DEFAULT for setting in SETTINGS}
    for setting in SETTINGS:
        name = setting.name
        if file and name in file.values:
            try:
                values[name] = read_value(setting.kind, file.values[name])
            except WrongValueError as error:
                raise InputError(f"{file.place(name)}: {name} cannot be that: {error}.") from None
            origins[name] = file.place(name)
        for variable in setting.yields_to:
            if environment.get(variable):
                values.pop(name, None)
                origins[name] = variable
                break
        if setting.variable and (text := environment.get(setting.variable)):
            try:
                values[name] = read_text(setting.kind, text)
            except WrongValueError as error:
                raise InputError(f"{setting.variable} cannot be {text!r}: {error}.") from None
            origins[name] = setting.variable
        if options and (given := options.get(name)) is not None:
            values[name] = given
            origins[name] = "command line"
    return Effective(
        replace(Settings(), **values), origins, tuple(_unknown(file)) if file else (), path, file is not None
    )


def _unknown(file: SettingsFile) -> Iterable[str]:
    known = [field.name for field in fields(Settings)]
    for name in file.names():
        if name.partition(".")[0] not in known:
            yield f"{file.place(name)}: there is no setting {name}{nearest_words(name, known)}."


def nearest_words(name: str, known: Iterable[str]) -> str:
    """Return `; the nearest is X` for a name that does not exist, or nothing if none is near."""
    import difflib  # 5 ms, and only for a name that does not exist

    nearest = difflib.get_close_matches(name, tuple(known), 1, 0.6)
    return f"; the nearest is {nearest[0]}" if nearest else ""
