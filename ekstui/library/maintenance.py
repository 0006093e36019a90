"""The cache filled from the corpus and indexed, by a process of its own for the app."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from ekstui.library.library import Library
from ekstui.store import index
from ekstui.store.objects import CacheError, DamagedCacheError, NewerCacheError
from ekstui.store.policy_store import DeliveryInfo, pack
from ekstui.waiting import Activity, Cancelled, Progress, never, silent


def fill_cache(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Fill the cache from the bundled corpus, which takes a second or two; return whether it is filled."""
    if library.state() is not None:
        return True
    if library.is_demo:
        return False
    for _ in range(2):
        try:
            with library.store.file.preparing():
                return library.state() is not None or _fill_from_corpus(library, progress, cancelled)
        except (DamagedCacheError, NewerCacheError) as error:
            # The file is set aside now, so the second try starts a new one.
            library.recover_from(error)
        except CacheError as error:
            library.recover_from(error)
            return False
    return False


def _fill_from_corpus(library: Library, progress: Progress, cancelled: Cancelled) -> bool:
    """Store the corpus; return False if that was cancelled."""
    manifest = library.corpus.manifest()
    delivery = library.corpus.deliver(lambda _: {})
    histories = []
    for position, history in enumerate(library.corpus.histories()):
        if cancelled():
            return False
        if position % 50 == 0:
            progress(position, manifest.policies)
        histories.append(pack(history))
    provenance = delivery.provenance._replace(fetched_at=datetime.now(UTC))
    info = DeliveryInfo(provenance, delivery.known_until, corpus=manifest.sha256)
    library.store.put(histories, info, tuple(history.policy.name for history in histories[: manifest.family]))
    progress(manifest.policies, manifest.policies)
    return True


def index_cache(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Index what is new in the filled cache, so that who-can takes no second; return whether all is indexed."""
    if library.is_demo or not index_actions_of(library, progress, cancelled):
        return False

    def steps() -> bool:
        judges = index.judging_version()
        steps_of_corpus = index.shipped_steps(library.corpus.steps(), judges)
        return index.index_steps(library.store, judges, steps_of_corpus, progress, cancelled)

    return bool(library.cached(lambda: index.is_current(library.store, "steps") or steps()))


def index_actions_of(library: Library, progress: Progress = silent, cancelled: Cancelled = never) -> bool:
    """Index which policies match which actions (a second the first time); return whether they are indexed."""
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
    if not fill_by_process(progress, cancelled) and not cancelled():
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


def fill_by_process(progress: Activity, cancelled: Cancelled) -> bool:
    """Fill and index in another process, whose memory goes with it; return whether it ended uncancelled."""
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
            stage, done, total = line.split()
            progress(stage, int(done), int(total))
    return process.returncode == 0


def _main() -> int:
    """Fill and index the user's cache, report on stdout, and return 0 where it is ready."""
    library = Library.open()

    def report(stage: str, done: int, total: int) -> None:
        # Where nobody reads any more, this process has nothing to do and ends.
        sys.stdout.write(f"{stage} {done} {total}\n")
        sys.stdout.flush()

    os.nice(5)
    fill(library, report, never)
    return 0 if _is_ready(library) else 1


if __name__ == "__main__":
    sys.exit(_main())
