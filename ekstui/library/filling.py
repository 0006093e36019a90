"""The cache filled and indexed by a process of its own, so that the app keeps none of the memory that this takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ekstui.library import maintenance
from ekstui.store import index
from ekstui.store.objects import CacheError

if TYPE_CHECKING:
    from ekstui.library.library import Library
    from ekstui.store.index import Cancelled

Activity = Callable[[str, int, int], None]
"""Called with `caching` or `indexing`, how much is done, and how much there is."""


def fill_and_index(library: Library, progress: Activity, cancelled: Cancelled) -> None:
    """Fill the cache from the bundled corpus and index it, in a process of its own where one can be started."""
    if library.is_demo or not library.store.file.writable() or _is_ready(library):
        return
    if not _filled_apart(progress, cancelled) and not cancelled():
        _fill(library, progress, cancelled, gently=True)


def _is_ready(library: Library) -> bool:
    try:
        ready = library.state() is not None and index.is_indexed(library.store)
        return ready and index.is_judged(library.store, index.judged_by())
    except CacheError:
        return False


def _fill(library: Library, progress: Activity, cancelled: Cancelled, *, gently: bool) -> None:
    if maintenance.fill_cache(library, lambda done, total: progress("caching", done, total), cancelled):
        maintenance.index_cache(
            library, lambda done, total: progress("indexing", done, total), cancelled, gently=gently
        )


def _filled_apart(progress: Activity, cancelled: Cancelled) -> bool:
    """Run `main` in another process; return whether it did its work. It ends when it is cancelled, or with this one."""
    command = [sys.executable, "-P", "-m", "ekstui.library.filling"]
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


def main() -> int:
    """Fill and index the user's cache, report on stdout, and return 0 where it is ready."""
    from ekstui.library.library import Library

    library = Library.open()

    def report(doing: str, done: int, total: int) -> None:
        # Where nobody reads any more, this process has nothing to do and ends.
        sys.stdout.write(f"{doing} {done} {total}\n")
        sys.stdout.flush()

    os.nice(5)
    _fill(library, report, maintenance.never, gently=False)
    return 0 if _is_ready(library) else 1


if __name__ == "__main__":
    sys.exit(main())
