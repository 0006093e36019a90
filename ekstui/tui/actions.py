"""What the user wants to know about an action, and the action that a row is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.policy import Policy
    from ekstui.core.summary import ActionSummary


class AskWhoCan(Message):
    """Show which policies allow an action; empty: let the user type one."""

    def __init__(self, action: str = "") -> None:
        super().__init__()
        self.action = action


class AskExplain(Message):
    """Show why a request is denied; empty: let the user type or paste one."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text


class ShowAction(Message):
    """Show all about one action of a policy or role."""

    def __init__(
        self,
        action: ActionSummary,
        given_in: str,
        read: Callable[[], Sequence[tuple[str, Document]]],
        policy: Policy | None = None,
    ) -> None:
        super().__init__()
        self.action = action
        self.given_in = given_in
        """The words for explain: `policy:NAME@v6` or `role:NAME`."""
        self.read = read
        """Reads the documents that may give it, each with the name it goes by; slow."""
        self.policy = policy
        """The policy, where it is one of AWS's."""


def action_of(value: object) -> str:
    """Return the action, or action pattern, that a row's value is about; empty if it is about none."""
    from ekstui.core.differences import ActionDifference
    from ekstui.core.reference import ActionInfo
    from ekstui.core.summary import ActionSummary

    match value:
        case ActionSummary(action=action):
            return action
        case ActionInfo(name=action):
            return action
        case ActionDifference(element="Action", actions=(action,)):
            return action
        case _:
            return ""


def one_action_of(value: object) -> str:
    """Return the same, but for patterns, of which no request can be made."""
    from ekstui.core.wildcard import is_wild

    action = action_of(value)
    return "" if is_wild(action) else action
