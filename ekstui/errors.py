"""The errors that ekstui raises: one sentence for the user, and what to do next."""


class EkstuiError(Exception):
    """An error that ekstui can explain to the user.

    `message` is one sentence without a final newline; `next_step` says what the user can do, or is empty.
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

    def __init__(self, message: str, candidates: tuple[str, ...]) -> None:
        super().__init__(message)
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


class DataError(EkstuiError):
    """Neither the corpus nor the cache can be read."""


class OutputError(EkstuiError):
    """An answer cannot be written: a full disk, a closed stream."""
