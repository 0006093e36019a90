"""What the first command that needs the index does first, with progress on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ekstui.cli.streams import remark_progress
from ekstui.library.maintenance import fill_cache

if TYPE_CHECKING:
    from ekstui.library import Library
    from ekstui.waiting import Progress


def prepare(library: Library, index: Callable[[Library, Progress], object]) -> None:
    """Fill the cache on first use and index it, with progress on a terminal."""
    with remark_progress() as report:
        if fill_cache(library, lambda stored, total: report(f"first use: caching {stored:,} of {total:,} policies")):
            index(library, lambda done, total: report(f"first use: indexing {done:,} of {total:,} policies"))
