"""A cache that is filled and indexed already, for tests that are not about that work: it takes 2 s of the processor."""

import fcntl
import shutil
from datetime import timedelta
from pathlib import Path

from ekstui import files
from ekstui.change.policy import Provenance, format_time
from ekstui.library import Library, maintenance
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import DeliveryInfo, PolicyStore
from tests.support.bundled import KNOWN_UNTIL


def library_on(folder: Path) -> Library:
    """Return the bundled policies with the cache in a folder, wherever the test's own cache is."""
    return Library(Corpus.bundled(), PolicyStore.in_folder(folder))


def library_with(file: Path) -> Library:
    """Return a library whose cache, the test's own, is a copy of this file."""
    files.cache_dir().mkdir(parents=True)
    shutil.copy(file, files.cache_dir())
    return Library.open()


def fill_cache(folder: Path) -> Path:
    """Make a folder's cache of all that is bundled; return the folder."""
    library = library_on(folder)
    assert maintenance.fill_cache(library)
    assert maintenance.index_cache(library)
    return folder


def filled_once(shared_folder: Path) -> Path:
    """Return the cache in `shared_folder`, made by the first process that asks while the others wait."""
    filled_folder = shared_folder / "filled"
    with (shared_folder / "filled.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not filled_folder.exists():
            fill_cache(shared_folder / "filling").rename(filled_folder)
    return filled_folder


def copy_of_cache(cache: Path, folder: Path) -> Path:
    """Return a copy of a cache, in `folder`, which a test may write to."""
    shutil.copytree(cache, folder, dirs_exist_ok=True)
    return folder


def known_later(cache: Path, folder: Path) -> str:
    """Copy a cache as if a source had been read that knows of no later change; return a time of which that is known."""
    moment = KNOWN_UNTIL + timedelta(seconds=2)
    store = PolicyStore.in_folder(copy_of_cache(cache, folder))
    store.put([], DeliveryInfo(Provenance("a later source", "archive", moment, moment), moment))
    return str(format_time(KNOWN_UNTIL + timedelta(seconds=1)))
