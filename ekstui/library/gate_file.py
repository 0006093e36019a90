"""The exceptions and demands of a repository's own gate: `ekstui.toml` at its root."""

from __future__ import annotations

import tomllib
from pathlib import Path

from ekstui.errors import InputError
from ekstui.files import MAX_STATE, read_regular
from ekstui.named_tuples import NamedTuple

_NAME = "ekstui.toml"

_KEYS = ("allow_unread", "needs")


class GateFile(NamedTuple):
    """What `ekstui review` reads from it."""

    allow_unread: tuple[str, ...] = ()
    """Patterns of paths that need not be read."""
    needs: tuple[str, ...] = ()
    """Releases whose needs the repository's policies have to meet, such as `karpenter@v1.14`."""


def read_gate_file(root: Path) -> GateFile:
    """Return the file below a repository's root, empty if there is none; InputError says what is wrong with it."""
    path = root / _NAME
    try:
        content = read_regular(path, MAX_STATE, follow=False)
        values = tomllib.loads(content.decode("utf-8-sig")) if len(content) <= MAX_STATE else {}
    except FileNotFoundError:
        return GateFile()
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{_NAME} cannot be read as TOML: {error}.") from None
    for key, value in values.items():
        if key not in _KEYS:
            raise InputError(f"{_NAME}: there is no setting {key!r}.", f"The settings are {' and '.join(_KEYS)}.")
        if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
            raise InputError(f"{_NAME}: {key} must be a list of strings.")
    return GateFile(**{key: tuple(value) for key, value in values.items()})
