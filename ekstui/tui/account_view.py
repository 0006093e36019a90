"""What the app knows of the account, how it keeps that fresh without holding anything up, and how it asks for an MFA code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import TYPE_CHECKING, NamedTuple

from textual.message import Message
from textual.message_pump import MessagePump

from ekstui.core.text import clean_line
from ekstui.errors import AccountError, EkstuiError, MfaNeededError
from ekstui.tui.background import Background, Job

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.library import AccountChoice, Library


class AccountView(NamedTuple):
    """The account as the screens show it."""

    snapshot: AccountSnapshot | None = None
    """The newest that is at hand, with its time; None where there is none."""
    asking: str | None = None
    """What is being read right now, in a few words; None while AWS is not asked."""
    error: EkstuiError | None = None
    """Why the last asking failed."""


class AccountUpdated(Message):
    """More is known of the account, or why it could not be asked."""

    def __init__(self, library: Library, change: Callable[[AccountView], AccountView]) -> None:
        super().__init__()
        self.library = library
        """The library that was asked: an answer about an account that is no longer chosen is dropped."""
        self.change = change


class AccountChanged(Message):
    """What the screens show of the account is another."""

    def __init__(self, view: AccountView) -> None:
        super().__init__()
        self.view = view


class SwitchAccount(Message):
    """Ask another account, or the same in other regions; None: the same again, as the user wants it new."""

    def __init__(self, choice: AccountChoice | None) -> None:
        super().__init__()
        self.choice = choice


def first_view(choice: AccountChoice) -> AccountView:
    """Return what is known of the account before anything of it is read: that nothing leads to one, where that is so."""
    return AccountView() if choice.may_lead_somewhere else AccountView(error=_nothing_set_up())


def _nothing_set_up() -> AccountError:
    return AccountError(
        "No AWS credentials are set up here.",
        "a lists the profiles; r asks all the same, for an instance's role.",
    )


def _why_incomplete(snapshot: AccountSnapshot) -> AccountError:
    """Return why a new snapshot does not take the place of a complete one."""
    errors = snapshot.errors
    why = next((error for error in errors if error.source == "roles"), errors[0] if errors else None)
    if why is None:
        return AccountError("The roles could not be read whole.", "r asks again.")
    return AccountError(why.message, why.next_step)


def watch_account(
    owner: MessagePump, background: Background, library: Library, stale_after: timedelta, *, ask: bool
) -> None:
    """Tell `owner` the last snapshot, then AWS's answer where asking is wanted or the snapshot is stale."""

    def work(job: Job) -> None:
        def update(change: Callable[[AccountView], AccountView]) -> None:
            # What an earlier job says late would show for ever that AWS is being asked.
            if not job.cancelled:
                owner.post_message(AccountUpdated(library, change))

        try:
            kept = library.account.last()
            if kept is not None:
                update(lambda view: view._replace(snapshot=kept, error=None))
            if not ask and (
                library.account.choice.offline or (kept and datetime.now(UTC) - kept.fetched_at < stale_after)
            ):
                update(lambda view: view._replace(asking=None))
                return
            if not ask and not library.account.is_set_up:
                # Unasked, nobody waits two seconds for an instance's role, nor keeps the SDK in memory for it.
                raise _nothing_set_up()
            update(lambda view: view._replace(asking="asking AWS", error=None))
            fresh = library.account.refresh(
                lambda _, words: update(lambda view: view._replace(asking=words)), lambda: job.cancelled
            )
        except EkstuiError as error:
            failure = error
            update(lambda view: view._replace(asking=None, error=failure))
            return
        best = library.account.last() or fresh
        incomplete = None if best is fresh else _why_incomplete(fresh)
        update(lambda view: view._replace(snapshot=best, asking=None, error=incomplete))

    background.run(owner, "account", work)


class MfaAsked(Message):
    """A call needs a code; it waits until `answer` is called with one, or with None for no code."""

    def __init__(self, device: str, answer: Callable[[str | None], None]) -> None:
        super().__init__()
        self.device = device
        self.answer = answer


class MfaPrompter:
    """What the SDK asks for a code; it asks the user only while the user waits for the account."""

    def __init__(self) -> None:
        self._owner: MessagePump | None = None
        self.allowed = False
        """Whether the user asked for the account: a code is never asked for unasked."""

    def attach(self, owner: MessagePump) -> None:
        """Send questions to `owner`."""
        self._owner = owner

    def __call__(self, prompt: str) -> str:
        """Return the code, waiting for the user; MfaNeededError where none is given. Not for the app's own thread."""
        device = clean_line(prompt).strip().rstrip(":").removeprefix("Enter MFA code for ")
        if self._owner is None or not self.allowed:
            raise MfaNeededError("The profile asks for an MFA code.", device, "r asks AWS and takes the code.")
        answered: Queue[str | None] = Queue()
        self._owner.post_message(MfaAsked(device, answered.put))
        code = answered.get()
        if code is None:
            raise MfaNeededError("No MFA code was given.", device, "r asks again.")
        return code
