"""Where ekstui's files are: the assets it ships, and the user's cache, state and settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from platformdirs import PlatformDirs

_PACKAGE = Path(__file__).resolve().parent


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
