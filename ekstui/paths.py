"""Where ekstui's files are: the assets it ships, and the user's cache, state and settings."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def assets() -> Path:
    """Return the folder of the data that ships with ekstui.

    A wheel has it inside the package, a checkout beside the package.
    """
    inside = _PACKAGE / "assets"
    return inside if inside.is_dir() else _PACKAGE.parent / "assets"


def cache_dir() -> Path:
    """Return the folder of the local cache: EKSTUI_CACHE, else the platform's cache directory for ekstui."""
    if given := os.environ.get("EKSTUI_CACHE"):
        return Path(given).expanduser()
    import platformdirs  # 5 ms, and only if the variable is not set

    return platformdirs.user_cache_path("ekstui", appauthor=False)


def archives_dir() -> Path:
    """Return the folder of the mirrors of archives in git."""
    return cache_dir() / "archives"


def state_dir() -> Path:
    """Return the folder of what ekstui remembers between runs, which clearing the cache must not delete."""
    if given := os.environ.get("EKSTUI_STATE"):
        return Path(given).expanduser()
    import platformdirs  # 5 ms, and only if the variable is not set

    return platformdirs.user_state_path("ekstui", appauthor=False)


def is_served() -> bool:
    """Return whether the app is served to a browser: a path typed there must never reach a file of the server."""
    return bool(os.environ.get("EKSTUI_SERVED"))


def config_file() -> Path:
    """Return the path of the user's settings: EKSTUI_CONFIG, else config.toml in the platform's directory."""
    if given := os.environ.get("EKSTUI_CONFIG"):
        return Path(given).expanduser()
    import platformdirs  # 5 ms, and only if the variable is not set

    return platformdirs.user_config_path("ekstui", appauthor=False) / "config.toml"
