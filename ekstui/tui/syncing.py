"""Comparing the policies with AWS from the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ekstui.errors import EkstuiError
from ekstui.tui.background import Job
from ekstui.tui.messages import Synced

if TYPE_CHECKING:
    from ekstui.library import Library, SyncReport

Tell = Callable[[str, int, int], None]
"""Gets what is being done, how much of it is, and of how much."""


def sync(library: Library, job: Job, tell: Tell) -> Synced:
    """Bring the cache up to date from AWS, index what is new, and say what that is."""

    def cancelled() -> bool:
        return job.cancelled

    try:
        report = library.sync(None, lambda done, total: tell("syncing", done, total), cancelled)
    except EkstuiError as error:
        return Synced(f"AWS's policies could not be asked: {error}", failed=True)
    of_caller = library.in_partition(report.partition)
    of_caller.index(lambda done, total: tell("indexing", done, total), cancelled)
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
