"""A cache that is filled and indexed already, for tests that are not about that work: it takes 2 s of the processor."""

import fcntl
import shutil
from pathlib import Path

from ekstui.library import Library, maintenance
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import PolicyStore


def fill_cache(folder: Path) -> Path:
    """Make a folder's cache of all that is bundled; return the folder."""
    library = Library(Corpus.bundled(), PolicyStore.in_folder(folder))
    assert maintenance.fill_cache(library)
    assert maintenance.index_cache(library)
    return folder


def filled_once(shared: Path) -> Path:
    """Return the cache in `shared`, made by the first process that asks while the others wait."""
    whole = shared / "filled"
    with (shared / "filled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            fill_cache(shared / "filling").rename(whole)
    return whole


def copied(cache: Path, folder: Path) -> Path:
    """Return a copy of a cache, in `folder`, which a test may write to."""
    shutil.copytree(cache, folder, dirs_exist_ok=True)
    return folder
