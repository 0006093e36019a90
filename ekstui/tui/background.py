"""What runs in daemon threads: jobs with results for the app, and those that fill the cache, sync, read the account.

Textual's thread workers would delay quitting while a call to AWS hangs; daemon threads do not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Queue
from threading import Event
from typing import TYPE_CHECKING, TypeVar

from textual.message_pump import MessagePump

from ekstui import log, logbook
from ekstui.errors import AccountError, EkstuiError, MfaNeededError
from ekstui.iam.text import clean_line
from ekstui.named_tuples import NamedTuple
from ekstui.present.cache_report import sync_words
from ekstui.tui.messages import AccountUpdated, AccountView, MfaAsked, PaneFailed

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.library import AccountChoice, Library
    from ekstui.waiting import Activity

_Result = TypeVar("_Result")


class Job:
    """A job that runs, for its work."""

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._cancelled = Event()
        self.cancel = self._cancelled.set
        self.is_cancelled = self._cancelled.is_set

    def tell(self, call: Callable[..., object], *arguments: object) -> None:
        """Call this among the messages of the owner, unless the job is cancelled by then."""
        self._owner.call_later(lambda: None if self.is_cancelled() else call(*arguments))


class Background:
    """Runs jobs in daemon threads; a new job replaces the earlier one of its group."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        """The last job of each group, which may have ended."""

    def run(
        self,
        owner: MessagePump,
        group: str,
        work: Callable[[Job], _Result],
        on_result: Callable[[_Result], object] = lambda _: None,
        on_error: Callable[[EkstuiError], object] | None = None,
    ) -> None:
        """Run `work`, cancel the group's earlier job, and call `on_result` with the result among the messages of `owner`.

        The result of a job that is cancelled is dropped. An error goes to `on_error` if given, else it is posted as
        PaneFailed; an unexpected one is also logged.
        """
        self.cancel(group)
        job = self.jobs[group] = Job(owner)

        def run() -> None:
            try:
                result = work(job)
            except EkstuiError as expected:
                error = expected
            except BaseException as unknown:  # noqa: BLE001 (else the pane would wait for ever)
                error = logbook.unexpected(unknown, "in the background")
            else:
                job.tell(on_result, result)
                return
            if on_error is not None:
                job.tell(on_error, error)
            elif not job.is_cancelled():
                owner.post_message(PaneFailed(error))

        threading.Thread(target=run, name=f"ekstui-{group}", daemon=True).start()

    def cancel(self, *groups: str) -> None:
        """Cancel the jobs of these groups."""
        for group in groups:
            if job := self.jobs.get(group):
                job.cancel()

    def cancel_all(self) -> None:
        """Cancel all jobs."""
        self.cancel(*self.jobs)


# The cache


class SyncEnd(NamedTuple):
    """How a sync with AWS ended."""

    sentence: str
    failed: bool = False


def sync_and_index(
    library: Library, job: Job, progress: Activity, remark: Callable[[str], object] | None = None
) -> SyncEnd:
    """Sync the policies with AWS, index them, and return what is new.

    With `remark`, another source is read where AWS cannot be; it gets a sentence about that.
    """
    from ekstui.library import maintenance, syncing

    def read(done: int, total: int) -> None:
        progress("syncing", done, total)

    try:
        if remark is None:
            report = syncing.sync(library, None, read, job.is_cancelled)
        else:
            report = syncing.sync_newest(library, remark, read, job.is_cancelled)
    except EkstuiError as error:
        return SyncEnd(f"The policies could not be read{' from AWS' if remark is None else ''}: {error}", failed=True)
    of_caller = library.in_partition(report.partition)
    maintenance.index_cache(of_caller, lambda done, total: progress("indexing", done, total), job.is_cancelled)
    return SyncEnd(sync_words(report))


# The account


def first_view(choice: AccountChoice) -> AccountView:
    """Return the view before anything is read: an error if no credentials are set up."""
    return AccountView() if choice.may_name_account else AccountView(error=_nothing_set_up())


def _nothing_set_up() -> AccountError:
    return AccountError(
        "No AWS credentials are set up here.",
        "a lists the profiles; r asks AWS anyway, for an instance's role.",
    )


def _why_incomplete(snapshot: AccountSnapshot) -> AccountError:
    """Return why a new snapshot does not replace a complete one."""
    errors = snapshot.errors
    error_of_roles = next((error for error in errors if error.source == "roles"), errors[0] if errors else None)
    if error_of_roles is None:
        return AccountError("Not all roles could be read.", "r asks again.")
    return AccountError(error_of_roles.message, error_of_roles.advice)


def watch_account(
    owner: MessagePump, background: Background, library: Library, stale_after: timedelta, *, ask: bool
) -> None:
    """Post the last snapshot to `owner`, then read the account from AWS if `ask` is set or the snapshot is stale."""

    def work(job: Job) -> None:
        def update(change: Callable[[AccountView], AccountView]) -> None:
            # A late update from a cancelled job would leave "asking AWS" on the screen for good.
            if not job.is_cancelled():
                owner.post_message(AccountUpdated(library, change))

        try:
            offline = library.account.choice.offline
            last_snapshot = library.account.last_snapshot_or_error() if offline else library.account.last_snapshot()
            if last_snapshot is not None:
                update(lambda view: view._replace(snapshot=last_snapshot, error=None))
            if not ask and (offline or (last_snapshot and datetime.now(UTC) - last_snapshot.fetched_at < stale_after)):
                log.info("the snapshot is fresh enough, or this is offline: AWS is not asked")
                update(lambda view: view._replace(asking=None))
                return
            if not ask and not library.account.is_set_up:
                # Looking for an instance's role takes two seconds and loads the SDK: only on request.
                raise _nothing_set_up()
            update(lambda view: view._replace(asking="asking AWS", error=None))
            fresh = library.account.refresh(
                lambda words: update(lambda view: view._replace(asking=words)), job.is_cancelled
            )
        except EkstuiError as error:
            failure = error
            update(lambda view: view._replace(asking=None, error=failure))
            return
        best = library.account.last_snapshot() or fresh
        incomplete = None if best is fresh else _why_incomplete(fresh)
        update(lambda view: view._replace(snapshot=best, asking=None, error=incomplete))

    background.run(owner, "account", work)


class MfaPrompter:
    """The SDK's prompt for MFA codes, which asks the user only during a refresh that they requested."""

    def __init__(self, owner: MessagePump) -> None:
        """Requests for a code are posted to `owner`."""
        self._owner = owner
        self.allowed = False
        """Whether the user requested the refresh; otherwise no code is asked for."""

    def __call__(self, prompt: str) -> str:
        """Wait for the user and return the code, or raise MfaNeededError. Blocks: not for the app's thread."""
        device = clean_line(prompt).strip().rstrip(":").removeprefix("Enter MFA code for ")
        if not self.allowed:
            raise MfaNeededError("The profile needs an MFA code.", device, "r asks AWS, and then for the code.")
        answers: Queue[str | None] = Queue()
        self._owner.post_message(MfaAsked(device, answers.put))
        code = answers.get()
        if code is None:
            raise MfaNeededError("No MFA code was entered.", device, "r asks again.")
        return code
