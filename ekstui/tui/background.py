"""Slow work beside the app: daemon threads of our own.

Quitting waits for Textual's thread workers for as long as a call to AWS hangs; it does not wait for daemon threads.
"""

import threading
from collections.abc import Callable

from textual.message import Message
from textual.message_pump import MessagePump

from ekstui import logbook
from ekstui.errors import EkstuiError
from ekstui.tui.messages import PaneFailed


class Job:
    """One piece of work; it is told when nobody waits for it any more."""

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
        """Tell the jobs of these groups that nobody waits any more."""
        for group in groups:
            if job := self._jobs.get(group):
                job.cancel()

    def cancel_all(self) -> None:
        """Tell every job that nobody waits any more."""
        for job in self._jobs.values():
            job.cancel()


def _work(owner: MessagePump, job: Job, work: Callable[[Job], Message | None]) -> None:
    message: Message | None
    try:
        message = work(job)
    except EkstuiError as error:
        message = PaneFailed(error)
    except Exception as error:  # noqa: BLE001 (a thread that ends without a word leaves its pane waiting)
        message = PaneFailed(logbook.unexpected(error, "in the background"))
    if message is not None and not job.cancelled:
        owner.post_message(message)
