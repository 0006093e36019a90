"""Slow work beside the app, in daemon threads of its own; and the sync that the app runs in one.

Quitting waits for Textual's thread workers for as long as a call to AWS hangs; it does not wait for daemon threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message
from textual.message_pump import MessagePump

from ekstui import logbook
from ekstui.errors import EkstuiError
from ekstui.tui.messages import CacheFilled, PaneFailed, Synced

if TYPE_CHECKING:
    from ekstui.library import Library, SyncReport


class Job:
    """One piece of work; it learns when nobody waits for it any more."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether a later job took this one's place."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Say that nobody waits any more."""
        self._cancelled.set()


class Background:
    """Runs work in daemon threads and posts what comes of it; in each group only the newest job is heard."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def run(self, owner: MessagePump, group: str, work: Callable[[Job], Message | None]) -> Job:
        """Start `work` in the place of the group's earlier job and post the message it returns to `owner`.

        What ekstui can explain arrives as PaneFailed; so does anything unexpected, with a line in the log.
        """
        if earlier := self._jobs.get(group):
            earlier.cancel()
        job = self._jobs[group] = Job()
        threading.Thread(target=_work, args=(owner, job, work), name=f"ekstui-{group}", daemon=True).start()
        return job

    def cancel(self, *groups: str) -> None:
        """Progress the jobs of these groups that nobody waits any more."""
        for group in groups:
            if job := self._jobs.get(group):
                job.cancel()

    def cancel_all(self) -> None:
        """Progress every job that nobody waits any more."""
        for job in self._jobs.values():
            job.cancel()


def _work(owner: MessagePump, job: Job, work: Callable[[Job], Message | None]) -> None:
    message: Message | None
    try:
        message = work(job)
    except EkstuiError as error:
        message = PaneFailed(error)
    except BaseException as error:  # noqa: BLE001 (a thread that ends without a word leaves its pane waiting)
        message = PaneFailed(logbook.unexpected(error, "in the background"))
    if message is not None and not job.cancelled:
        owner.post_message(message)


Progress = Callable[[str, int, int], None]
"""Gets what is being done, how much of it is, and of how much."""


def fill(library: Library, job: Job, progress: Progress) -> CacheFilled:
    """Bring the bundled corpus into the cache, and index it."""
    from ekstui.library import maintenance

    def cancelled() -> bool:
        return job.cancelled

    if maintenance.fill_cache(library, lambda done, total: progress("caching", done, total), cancelled):
        maintenance.index_cache(library, lambda done, total: progress("indexing", done, total), cancelled, gently=True)
    return CacheFilled()


def sync(library: Library, job: Job, progress: Progress) -> Synced:
    """Bring the cache up to date from AWS, index what is new, and say what that is."""
    from ekstui.library import maintenance, syncing

    def cancelled() -> bool:
        return job.cancelled

    try:
        report = syncing.sync(library, None, lambda done, total: progress("syncing", done, total), cancelled)
    except EkstuiError as error:
        return Synced(f"AWS's policies could not be asked: {error}", failed=True)
    of_caller = library.in_partition(report.partition)
    maintenance.index_cache(of_caller, lambda done, total: progress("indexing", done, total), cancelled)
    return Synced(_sentence(report))


def _sentence(report: SyncReport) -> str:
    found = [
        (len(report.new_versions), "new version"),
        (len(report.new_policies), "new policy"),
        (len(report.withdrawn), "policy withdrawn by AWS"),
        (len(report.conflicts), "document that differed; AWS's was taken"),
    ]
    words = ", ".join(f"{count} × {what}" for count, what in found if count) or "nothing is new"
    first = next(iter(report.skipped), None)
    missing = (
        f" Not all was taken over: {first.place}: {first.reason}" if first else " Not all could be asked; r goes on."
    )
    return f"Policies compared with {report.source}: {words}." + ("" if report.complete else missing)
