"""The cache as a file: filled from the corpus, indexed (by a process of its own for the app), measured, checked and cleared."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ekstui import files
from ekstui.cancellation import Cancelled, never
from ekstui.errors import DataError
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.store import index
from ekstui.store.objects import AbsentCacheError, CacheError, DamagedCacheError, NewerCacheError
from ekstui.store.policy_store import DeliveryInfo, pack

if TYPE_CHECKING:
    from ekstui.store.index import Progress


class Counts(NamedTuple):
    """How many policies and versions are known."""

    policies: int
    versions: int


class CacheInfo(NamedTuple):
    """The cache: where it is, how large, and what is in it."""

    path: Path
    source: str
    """Where the policies in use come from: the cache's source, or the corpus if the cache cannot answer."""
    newest: datetime
    policies: int
    versions: int
    synced_at: datetime | None
    size: int
    """In bytes; 0 if there is no cache."""
    in_use: bool
    """Whether the cache answers; otherwise the bundled corpus does."""


Activity = Callable[[str, int, int], None]
"""Called with `caching` or `indexing`, how much is done, and how much there is."""


def silent(done: int, total: int) -> None:
    """Report no progress."""


def fill_cache(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Fill the cache from the bundled corpus, which takes a second or two; return whether it is filled."""
    if library.state() is not None:
        return True
    if library.is_demo:
        return False
    for _ in range(2):
        try:
            with library.store.file.preparing():
                return library.state() is not None or _filled(library, progress, cancelled)
        except (DamagedCacheError, NewerCacheError) as error:
            # The file is set aside now, so the second try starts a new one.
            library.recover_from(error)
        except CacheError as error:
            library.recover_from(error)
            return False
    return False


def _filled(library: Library, progress: Progress, cancelled: Cancelled) -> bool:
    """Store the corpus; return False if that was cancelled."""
    manifest = library.corpus.manifest()
    delivery = library.corpus.deliver(lambda _: {})
    packed = []
    for done, history in enumerate(library.corpus.histories()):
        if cancelled():
            return False
        if done % 50 == 0:
            progress(done, manifest.policies)
        packed.append(pack(history))
    provenance = delivery.provenance._replace(fetched_at=datetime.now(UTC))
    info = DeliveryInfo(provenance, delivery.known_until, corpus=manifest.sha256)
    library.store.put(packed, info, tuple(history.policy.name for history in packed[: manifest.family]))
    progress(manifest.policies, manifest.policies)
    return True


def index_cache(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Index what is new in the filled cache, without which who-can takes a second or more; return whether all of it is indexed."""
    if library.is_demo or not index_actions_of(library, progress, cancelled):
        return False

    def steps() -> bool:
        judges = index.judging_version()
        shipped = index.shipped_steps(library.corpus.steps(), judges)
        return index.index_steps(library.store, judges, shipped, progress, cancelled)

    return bool(library.cached(lambda: index.is_current(library.store, "steps") or steps()))


def index_actions_of(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Index which policies match which actions, which takes a second the first time; return whether they are indexed."""
    if not library.store.file.writable():
        return False
    store = library.store
    return bool(
        library.cached(lambda: index.is_current(store, "actions") or index.index_actions(store, progress, cancelled))
    )


def fill_and_index(library: Library, progress: Activity, cancelled: Cancelled) -> None:
    """Fill the cache from the bundled corpus and index it, in a process of its own where one can be started."""
    if library.is_demo or not library.store.file.writable() or _is_ready(library):
        return
    if not _filled_by_process(progress, cancelled) and not cancelled():
        fill(library, progress, cancelled)


def _is_ready(library: Library) -> bool:
    try:
        ready = library.state() is not None and index.is_current(library.store, "actions")
        return ready and index.is_current(library.store, "steps")
    except CacheError:
        return False


def fill(library: Library, progress: Activity, cancelled: Cancelled) -> None:
    """Fill the cache and index it, in this process."""
    if fill_cache(library, lambda done, total: progress("caching", done, total), cancelled):
        index_cache(library, lambda done, total: progress("indexing", done, total), cancelled)


def _filled_by_process(progress: Activity, cancelled: Cancelled) -> bool:
    """Fill and index in another process, so that this one keeps none of the memory; return whether it was done, not cancelled."""
    import subprocess  # only the app starts one

    command = [sys.executable, "-P", "-m", "ekstui.library.maintenance"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        process = subprocess.Popen(  # noqa: S603 - ekstui itself, by the Python that runs it
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )
    except OSError:
        return False
    with process:
        for line in process.stdout or ():
            if cancelled():
                process.kill()
                return False
            doing, done, total = line.split()
            progress(doing, int(done), int(total))
    return process.returncode == 0


def _main() -> int:
    """Fill and index the user's cache, report on stdout, and return 0 where it is ready."""
    library = Library.open()

    def report(doing: str, done: int, total: int) -> None:
        # Where nobody reads any more, this process has nothing to do and ends.
        sys.stdout.write(f"{doing} {done} {total}\n")
        sys.stdout.flush()

    os.nice(5)
    fill(library, report, never)
    return 0 if _is_ready(library) else 1


def cache_info(library: Library) -> CacheInfo:
    """Return where the cache is and how much is in it."""
    status, counts = library.data(), count(library)
    return CacheInfo(
        path=library.store.file.path,
        source=status.source,
        newest=status.newest,
        policies=counts.policies,
        versions=counts.versions,
        synced_at=status.synced_at,
        size=library.store.file.size(),
        in_use=library.state() is not None,
    )


def count(library: Library) -> Counts:
    """Return how many policies and versions are known."""
    cached = library.cached(lambda: [len(policy.versions) for policy in library.store.policies()])
    manifest = library.corpus.manifest()
    return Counts(manifest.policies, manifest.versions) if cached is None else Counts(len(cached), sum(cached))


def verify_cache(library: Library) -> Counts | None:
    """Read all of the corpus and the cache; return how much is in the cache, None without one; DataError for what is damaged."""
    from ekstui.sources.mirror import is_intact, mirrors  # only to verify

    library.corpus.verify()
    damaged = [path for path in mirrors(files.archives_dir()) if not is_intact(path)]
    if damaged:
        names = " and ".join(map(str, damaged))
        raise DataError(f"{names}: git cannot read this mirror of an archive.", "The next sync from it clones it anew.")
    try:
        return Counts(*library.store.verify())
    except AbsentCacheError:
        return None
    except CacheError as error:
        library.recover_from(error)
        raise DataError(error.message, "ekstui works from its bundled data.") from None


def clear_cache(library: Library) -> int:
    """Delete the cached policies, the mirrors of archives and whatever was set aside; return how many bytes that freed."""
    from ekstui.sources.mirror import clear_mirrors  # only to clear

    try:
        return library.store.file.clear() + clear_mirrors(files.archives_dir())
    except CacheError as error:
        raise DataError(error.message) from None
    except OSError as error:
        raise DataError(f"{error.filename} cannot be deleted: {error.strerror}.") from None


if __name__ == "__main__":
    sys.exit(_main())
