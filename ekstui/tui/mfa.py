"""Asking for an MFA code: the SDK asks in the thread of a call, the user answers on the screen."""

from collections.abc import Callable
from queue import Queue

from textual.message import Message
from textual.message_pump import MessagePump

from ekstui.core.text import clean_line
from ekstui.errors import MfaNeededError


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
        self.welcome = False
        """Whether the user asked for the account: a code is never asked for unasked."""

    def attach(self, owner: MessagePump) -> None:
        """Let `owner` be told of questions."""
        self._owner = owner

    def __call__(self, prompt: str) -> str:
        """Return the code, waiting for the user; MfaNeededError where none is given. Not for the app's own thread."""
        device = clean_line(prompt).strip().rstrip(":").removeprefix("Enter MFA code for ")
        if self._owner is None or not self.welcome:
            raise MfaNeededError("The profile asks for an MFA code.", device, "r asks AWS and takes the code.")
        answered: Queue[str | None] = Queue()
        self._owner.post_message(MfaAsked(device, answered.put))
        code = answered.get()
        if code is None:
            raise MfaNeededError("No MFA code was given.", device, "r asks again.")
        return code
