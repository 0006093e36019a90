"""The user's settings, declared once in `Settings`; the command line overrides the environment, and that the file.

The file is TOML; errors name the line of the key. The manual is made from the same declarations.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from textwrap import wrap
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from ekstui import spelling
from ekstui.change.policy import SCOPES, Scope
from ekstui.errors import InputError
from ekstui.files import create_file, read_regular
from ekstui.named_tuples import NamedTuple

_Kind = Literal["word", "level", "scope", "words", "switch", "minutes", "layers", "keys"]

Layers = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Files and folders with policies of further layers: by account, then by layer."""

LAYER_NAMES = ("scp", "rcp", "resource_policy", "boundary", "session_policy")
"""The layers, named as the options for them."""


class _About(NamedTuple):
    """What is said of a setting where it is declared."""

    kind: _Kind
    example: str
    """A value as it is written in the file."""
    help: str
    """What it does, for the manual."""
    yields_to: tuple[str, ...] = ()
    """Environment variables of AWS's own tools that override the file."""


class Settings(NamedTuple):
    """The settings: each with its name in the file, what is said of it, and its default."""

    theme: Annotated[
        str,
        _About(
            "word",
            '"textual-light"',
            "The app's colours: the name of any Textual theme. `textual-light` suits light terminals; `ansi-dark` and "
            "`ansi-light` use only the terminal's own 16 colours.",
        ),
    ] = "textual-dark"
    scope: Annotated[
        Scope,
        _About(
            "scope",
            '"all"',
            "Which policies are listed and searched: `eks`, `all` that AWS manages, `controllers`, `access` or `any`.",
        ),
    ] = "eks"
    profile: Annotated[
        str | None,
        _About(
            "word",
            '"prod"',
            "The AWS profile to use. AWS_PROFILE, AWS_DEFAULT_PROFILE and AWS_ACCESS_KEY_ID override the file, so that "
            "a shell with credentials of its own keeps using them.",
            yields_to=("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID"),
        ),
    ] = None
    regions: Annotated[
        tuple[str, ...],
        _About(
            "words",
            '["eu-central-1", "us-east-1"]',
            "The regions to search for clusters, or `all` (default: the regions that the account itself points to).",
        ),
    ] = ()
    offline: Annotated[
        bool, _About("switch", "true", "Whether to answer from the last snapshot and never call AWS.")
    ] = False
    stale_after: Annotated[int, _About("minutes", "60", "Minutes after which the app asks AWS again by itself.")] = 15
    mouse: Annotated[
        bool,
        _About("switch", "false", "Whether the app handles the mouse; if it does not, the terminal can select text."),
    ] = True
    log: Annotated[
        str | None,
        _About(
            "word",
            '"1"',
            "The log file, or `1` for `ekstui.log` in the state directory (default: no log). Only you can read it; it "
            "is rotated at 1 MB.",
        ),
    ] = None
    log_level: Annotated[
        str,
        _About(
            "level",
            '"debug"',
            "How much is logged: `error`, `warning`, `info` (each call to AWS, each file opened, each decision whether "
            "something is fresh) or `debug`. Only `debug` logs names and the text of errors, which may name parts of "
            "the account.",
        ),
    ] = "info"
    layers: Annotated[
        Layers,
        _About(
            "layers",
            '{ "111122223333" = { scp = ["~/organization"], resource_policy = ["~/iam-data"] } }',
            "Files and folders with the policies of further layers, by account: `scp`, `rcp`, `resource_policy`, "
            "`boundary` and `session_policy`, as for the options of `explain`.",
        ),
    ] = MappingProxyType({})
    keys: Annotated[
        Mapping[str, str],
        _About(
            "keys",
            '{ compare = "D", down = "down,J" }',
            "Keys by action id, in Textual's names, separated by commas; no two ids may share one. The manual's list "
            "of keys has the ids.",
        ),
    ] = MappingProxyType({})


class Setting(NamedTuple):
    """One setting, as the manual describes it."""

    name: str
    about: _About
    default: object

    @property
    def variable(self) -> str | None:
        """The environment variable that sets it; None if only the file can."""
        return None if self.about.kind in ("keys", "layers") else f"EKSTUI_{self.name.upper()}"


SETTINGS = tuple(
    Setting(name, get_args(annotation)[1], Settings._field_defaults[name])
    for name, annotation in Settings.__annotations__.items()
)


def empty_settings_file() -> str:
    """Return a settings file that sets nothing: every setting with what it does and an example, as comments."""
    lines = [
        "# The settings of ekstui. Remove the # before a setting to use it; `ekstui config` shows which are in effect."
    ]
    for setting in SETTINGS:
        lines += ["", *(f"# {line}" for line in wrap(setting.about.help, 100))]
        lines.append(f"# {setting.name} = {setting.about.example}")
    return "\n".join([*lines, ""])


_WANTED: dict[_Kind, str] = {
    "word": "a string",
    "level": "error, warning, info or debug",
    "scope": " or ".join(SCOPES),
    "words": "a list of strings",
    "switch": "true or false",
    "minutes": "a whole number of minutes, 0 or more",
    "layers": f"a table by account of lists of files by layer ({', '.join(LAYER_NAMES)})",
    "keys": "a table of keys by action id",
}
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def read_value(kind: _Kind, raw: object) -> object:
    """Return a value from the file, converted for Settings.

    ValueError, which says what the setting accepts, if it does not accept the value.
    """
    match kind, raw:
        case ("word", str()) | ("level", "error" | "warning" | "info" | "debug") | ("switch", bool()) if raw != "":
            return raw
        case "scope", str() if raw in SCOPES:
            return raw
        case "words", list() if all(isinstance(part, str) and part for part in raw):
            return tuple(raw)
        case "minutes", int() if not isinstance(raw, bool) and raw >= 0:
            return raw
        case "layers", dict() if all(map(_is_layers, raw.items())):
            paths = {account: {name: tuple(files) for name, files in table.items()} for account, table in raw.items()}
            return MappingProxyType(paths)
        case "keys", dict():
            flat = flattened(raw)
            if all(isinstance(value, str) and value for value in flat.values()):
                return MappingProxyType({key: str(value) for key, value in flat.items()})
    raise ValueError(f"it must be {_WANTED[kind]}")


def _is_layers(entry: tuple[object, object]) -> bool:
    account, table = entry
    return (
        isinstance(account, str)
        and re.fullmatch(r"[0-9]{12}", account) is not None
        and isinstance(table, dict)
        and all(name in LAYER_NAMES for name in table)
        and all(
            isinstance(files, list) and all(isinstance(file, str) and file for file in files)
            for files in table.values()
        )
    )


def read_text(kind: _Kind, text: str) -> object:
    """Return the value of an environment variable; ValueError if the setting does not accept it."""
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


_MAX_BYTES = 1_000_000
"""The largest settings file that is read, in bytes."""

_MEND = "ekstui config edit opens the settings."

_TABLE = r"^\s*\[\s*([^\]]+?)\s*\]"
_KEY = r"^\s*([\w.\"' -]+?)\s*="


class SettingsFile(NamedTuple):
    """The contents of a settings file."""

    path: Path
    values: Mapping[str, object]
    lines: Mapping[str, int]
    """The line of each key, counted from 1, by its dotted name."""

    def place(self, name: str) -> str:
        """Return where a key is, as `path:line`."""
        line = self.lines.get(name) or next(
            (number for key, number in self.lines.items() if key.startswith(f"{name}.")), None
        )
        return f"{self.path}:{line}" if line else str(self.path)


def read_file(path: Path) -> SettingsFile | None:
    """Return the contents of the settings file, None if there is none; InputError if it cannot be read."""
    try:
        content = read_regular(path, _MAX_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InputError(f"The settings in {path} cannot be read: {error.strerror or error}.", _MEND) from None
    if len(content) > _MAX_BYTES:
        raise InputError(f"The settings in {path} cannot be read: the file is longer than {_MAX_BYTES:,} bytes.", _MEND)
    try:
        text = content.decode("utf-8-sig")
        values = _parse_toml(text)
    except (UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"The settings in {path} are not TOML ({type(error).__name__}).", _MEND) from None
    except ValueError as error:
        raise InputError(f"The settings in {path} are not valid TOML: {error}.", _MEND) from None
    return SettingsFile(path, values, _lines(text))


def _parse_toml(text: str) -> dict[str, Any]:
    """Return the values of a settings file; ValueError if it is not TOML."""
    import tomllib  # only for those who have settings

    return tomllib.loads(text)


def save_word(path: Path, name: str, word: str) -> None:
    """Write a setting that is a word to the file, where it or its example stands; the rest stays as it is.

    A file that is not there yet is made. Raises InputError, and changes nothing, if the file cannot be read, changed or
    written.
    """
    file = read_file(path)
    text = path.read_bytes().decode("utf-8-sig") if file and path.stat().st_size else empty_settings_file()
    lines = text.splitlines(keepends=True)
    before = file.values if file else {}
    setting = f"{name} = {json.dumps(word)}"
    if file and name in file.lines:
        index = file.lines[name] - 1
        lines[index] = re.sub(r"""=\s*("[^"\\]*"|'[^']*')""", lambda _: f"= {json.dumps(word)}", lines[index], count=1)
    else:
        top = next((index for index, line in enumerate(lines) if re.match(_TABLE, line)), len(lines))
        example = next((index for index in range(top) if re.match(rf"#\s*{name}\s*=", lines[index])), None)
        if example is None:
            lines.insert(0, f"{setting}\n")
        else:
            lines[example] = f"{setting}\n"
    new_text = "".join(lines)
    try:
        if _parse_toml(new_text) != {**before, name: word}:
            raise InputError(
                f"{file.place(name) if file else path}: {name} stands in a way that is not changed.", _MEND
            )
        # What is a link, as to a folder of one's own settings, stays one.
        target = path.resolve()
        mode = target.stat().st_mode & 0o777 if file else 0o600
        create_file(target, new_text.encode(), mode)
        # A new file has what the umask leaves of its mode.
        target.chmod(mode)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.", _MEND) from None


def _lines(text: str) -> dict[str, int]:
    """Return the line of each key, found by its shape, since tomllib does not give lines."""
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


DEFAULT = "default"


class Effective(NamedTuple):
    """The settings in effect, and where each comes from."""

    settings: Settings
    origins: Mapping[str, str]
    """By setting: `default`, `path:line` in the file, a variable's name, or an option's."""
    warnings: tuple[str, ...]
    """A sentence for each key in the file that ekstui does not know."""
    path: Path
    """Where the file is, or would be."""
    file_found: bool


def effective(
    path: Path,
    environment: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    *,
    reads_file: bool = True,
) -> Effective:
    """Return the settings in effect; `options` has the values from the command line, by setting.

    Raises InputError, which names the file and line, or the variable, of an invalid value.
    """
    file = read_file(path) if reads_file else None
    values: dict[str, Any] = {}
    origins = {setting.name: DEFAULT for setting in SETTINGS}
    for setting in SETTINGS:
        name = setting.name
        if file and name in file.values:
            try:
                values[name] = read_value(setting.about.kind, file.values[name])
            except ValueError as error:
                raise InputError(f"{file.place(name)}: {name} is invalid: {error}.", _MEND) from None
            origins[name] = file.place(name)
        for variable in setting.about.yields_to:
            if environment.get(variable):
                values.pop(name, None)
                origins[name] = variable
                break
        if setting.variable and (text := environment.get(setting.variable)):
            try:
                values[name] = read_text(setting.about.kind, text)
            except ValueError as error:
                raise InputError(f"{setting.variable} is invalid ({text!r}): {error}.") from None
            origins[name] = setting.variable
        if options and (option := options.get(name)) is not None:
            values[name] = option
            origins[name] = "command line"
    return Effective(Settings(**values), origins, tuple(_unknown(file)) if file else (), path, file is not None)


def _unknown(file: SettingsFile) -> Iterable[str]:
    names = Settings._fields
    for name in flattened(file.values):
        if name.partition(".")[0] not in names:
            yield f"{file.place(name)}: there is no setting {name}{nearest_words(name, names)}."


def nearest_words(name: str, names: Iterable[str]) -> str:
    """Return `; the nearest is X` for a name that does not exist, or nothing if none is near."""
    matches = spelling.nearest(name, names)
    return f"; the nearest is {matches[0]}" if matches else ""
