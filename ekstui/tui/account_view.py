"""What the app knows of the account, how it refreshes that in the background, and how it asks for an MFA code."""

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
    from ekstui.core.account_snapshot import AccountSnapshot
    from ekstui.library import AccountChoice, Library


class AccountView(NamedTuple):
    """What the screens show of the account."""

    snapshot: AccountSnapshot | None = None
    """The latest snapshot; None if there is none."""
    asking: str | None = None
    """What is being read from AWS, in a few words; None if nothing is."""
    error: EkstuiError | None = None
    """Why the last refresh failed."""


class AccountUpdated(Message):
    """The refresh of the account got on, ended or failed."""

    def __init__(self, library: Library, change: Callable[[AccountView], AccountView]) -> None:
        super().__init__()
        self.library = library
        """The library that was asked; the message is ignored if the user has chosen another account since."""
        self.change = change


class AccountChanged(Message):
    """What the screens show of the account has changed."""

    def __init__(self, view: AccountView) -> None:
        super().__init__()
        self.view = view


class SwitchAccount(Message):
    """Read another account or other regions; with None, refresh the current account."""

    def __init__(self, choice: AccountChoice | None) -> None:
        super().__init__()
        self.choice = choice


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
    why = next((error for error in errors if error.source == "roles"), errors[0] if errors else None)
    if why is None:
        return AccountError("Not all roles could be read.", "r asks again.")
    return AccountError(why.message, why.next_step)


def watch_account(
    owner: MessagePump, background: Background, library: Library, stale_after: timedelta, *, ask: bool
) -> None:
    """Post the last snapshot to `owner`, then read the account from AWS if `ask` is set or the snapshot is stale."""

    def work(job: Job) -> None:
        def update(change: Callable[[AccountView], AccountView]) -> None:
            # A late update from a cancelled job would leave "asking AWS" on the screen for good.
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
                # Looking for an instance's role takes two seconds and loads the SDK: only on request.
                raise _nothing_set_up()
            update(lambda view: view._replace(asking="asking AWS", error=None))
            fresh = library.account.refresh(
                lambda words: update(lambda view: view._replace(asking=words)), lambda: job.cancelled
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
    """A call needs an MFA code; it waits until `answer` is called with one, or with None to cancel."""

    def __init__(self, device: str, answer: Callable[[str | None], None]) -> None:
        super().__init__()
        self.device = device
        self.answer = answer


class MfaPrompter:
    """The SDK's prompt for MFA codes, which asks the user only during a refresh that they requested."""

    def __init__(self) -> None:
        self._owner: MessagePump | None = None
        self.allowed = False
        """Whether the user requested the refresh; otherwise no code is asked for."""

    def attach(self, owner: MessagePump) -> None:
        """Post requests for a code to `owner`."""
        self._owner = owner

    def __call__(self, prompt: str) -> str:
        """Wait for the user and return the code; raises MfaNeededError if there is none. Blocks: not for the app's thread."""
        device = clean_line(prompt).strip().rstrip(":").removeprefix("Enter MFA code for ")
        if self._owner is None or not self.allowed:
            raise MfaNeededError("The profile needs an MFA code.", device, "r asks AWS, and then for the code.")
        answered: Queue[str | None] = Queue()
        self._owner.post_message(MfaAsked(device, answered.put))
        code = answered.get()
        if code is None:
            raise MfaNeededError("No MFA code was entered.", device, "r asks again.")
        return code
