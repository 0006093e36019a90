"""Background jobs in daemon threads, and the jobs that fill and sync the cache.

Textual's thread workers would delay quitting while a call to AWS hangs; daemon threads do not.
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
    """A background job that can be cancelled."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()

    @property
    def cancelled(self) -> bool:
        """Whether the job was cancelled or replaced."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Cancel the job: its result is dropped."""
        self._cancelled.set()


class Background:
    """Runs jobs in daemon threads and posts their results; a new job replaces the earlier one of its group."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def run(self, owner: MessagePump, group: str, work: Callable[[Job], Message | None]) -> Job:
        """Run `work`, cancel the group's earlier job, and post the message that `work` returns to `owner`.

        An error is posted as PaneFailed; an unexpected one is also logged.
        """
        if earlier := self._jobs.get(group):
            earlier.cancel()
        job = self._jobs[group] = Job()
        threading.Thread(target=_work, args=(owner, job, work), name=f"ekstui-{group}", daemon=True).start()
        return job

    def cancel(self, *groups: str) -> None:
        """Cancel the jobs of these groups."""
        for group in groups:
            if job := self._jobs.get(group):
                job.cancel()

    def cancel_all(self) -> None:
        """Cancel all jobs."""
        for job in self._jobs.values():
            job.cancel()


def _work(owner: MessagePump, job: Job, work: Callable[[Job], Message | None]) -> None:
    message: Message | None
    try:
        message = work(job)
    except EkstuiError as error:
        message = PaneFailed(error)
    except BaseException as error:  # noqa: BLE001 (else the pane would wait for ever)
        message = PaneFailed(logbook.unexpected(error, "in the background"))
    if message is not None and not job.cancelled:
        owner.post_message(message)


Progress = Callable[[str, int, int], None]
"""Called with the activity, how much is done, and how much there is."""


def fill(library: Library, job: Job, progress: Progress) -> CacheFilled:
    """Copy the corpus into the cache and index it."""
    from ekstui.library.maintenance import fill_and_index

    fill_and_index(library, progress, lambda: job.cancelled)
    return CacheFilled()


def sync(library: Library, job: Job, progress: Progress) -> Synced:
    """Sync the policies with AWS, index them, and return what is new."""
    from ekstui.library import maintenance, syncing

    def cancelled() -> bool:
        return job.cancelled

    try:
        report = syncing.sync(library, None, lambda done, total: progress("syncing", done, total), cancelled)
    except EkstuiError as error:
        return Synced(f"The policies could not be read from AWS: {error}", failed=True)
    of_caller = library.in_partition(report.partition)
    maintenance.index_cache(of_caller, lambda done, total: progress("indexing", done, total), cancelled)
    return Synced(_sentence(report))


def _sentence(report: SyncReport) -> str:
    found = [
        (len(report.new_versions), "new version"),
        (len(report.new_policies), "new policy"),
        (len(report.withdrawn), "policy withdrawn by AWS"),
        (len(report.conflicts), "differing document, replaced by AWS's"),
    ]
    words = ", ".join(f"{count} × {what}" for count, what in found if count) or "nothing is new"
    first = next(iter(report.skipped), None)
    missing = (
        f" Some of it was skipped: {first.place}: {first.reason}"
        if first
        else " Not everything could be read; r continues."
    )
    return f"Policies compared with {report.source}: {words}." + ("" if report.complete else missing)
