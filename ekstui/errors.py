"""The errors that ekstui raises: one sentence for the user, and what to do next."""

from collections.abc import Mapping


class Advice(str):
    """What to do about an error, as a command's user does it; `in_app` says how in the app, where a key does it."""

    __slots__ = ("in_app",)
    in_app: str

    def __new__(cls, text: str, in_app: str) -> "Advice":
        """Return the advice in both wordings."""
        advice = super().__new__(cls, text)
        advice.in_app = in_app
        return advice

    def filled(self, facts: Mapping[str, str]) -> "Advice":
        """Return both wordings with facts in place of the braces."""
        return Advice(self.format_map(facts), self.in_app.format_map(facts))


def in_app(next_step: str) -> str:
    """Return what to do about an error in the app."""
    return next_step.in_app if isinstance(next_step, Advice) else next_step


ASK_AGAIN = Advice("Refresh to ask again.", "r asks again.")
ANOTHER_PROFILE = "a lists the profiles."
"""What to do in the app where another account, or AWS rather than a file, has to be asked."""


class EkstuiError(Exception):
    """An error that ekstui can explain to the user.

    `message` is one sentence without a final newline; `next_step` says what the user can do, or is empty: an `Advice`
    where that differs between a command and the app.
    Both may contain text from AWS or a file, so front ends clean them before showing them.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} {self.next_step}".rstrip()


class InputError(EkstuiError):
    """What the user gave cannot be read: a bad argument, file, document, date, setting or message."""


class DocumentError(InputError):
    """A policy document cannot be read; `place` names the part, such as `Statement[2].Action`."""

    def __init__(self, message: str, place: str = "", next_step: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message, next_step)
        self.place = place


class NotFoundError(EkstuiError):
    """What the user named does not exist; `nearest` has the closest names, best first."""

    def __init__(self, message: str, nearest: tuple[str, ...] = (), next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.nearest = nearest


class UnknownPolicyError(NotFoundError):
    """No policy or version of that name is known, which holds only until the last day of the data."""


class AmbiguousError(InputError):
    """A name matches several things; `candidates` has them in the list's order."""

    def __init__(self, message: str, candidates: tuple[str, ...], next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.candidates = candidates


class AccountError(EkstuiError):
    """AWS could not be asked about the account: credentials, access or network."""


class MfaNeededError(AccountError):
    """The profile needs an MFA code and there is no way to ask the user; `device` is the device's ARN."""

    def __init__(self, message: str, device: str, next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.device = device


class NetworkError(EkstuiError):
    """A public source of policies cannot be reached, or does not answer in time."""


class UnreachableError(AccountError, NetworkError):
    """AWS cannot be reached, or does not answer in time."""


class DataError(EkstuiError):
    """Neither the corpus nor the cache can be read."""


class OutputError(EkstuiError):
    """An answer cannot be written: a full disk, a closed stream."""
