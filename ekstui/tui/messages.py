"""The messages of panes, screens and workers, in the app's own words: facts in the past tense, wishes as commands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.knowledge import PolicyKnowledge, Symptom
    from ekstui.core.notation import PolicyAt, Side
    from ekstui.core.policy import Policy
    from ekstui.core.steps import Quarters, Step
    from ekstui.core.summary import ActionSummary, Remaining, ServiceSummary
    from ekstui.errors import EkstuiError
    from ekstui.library import PolicyEntry
    from ekstui.tui.filters import Facet, Touched
    from ekstui.tui.shown import Marks, Shown


class PolicyHighlighted(Message):
    """The cursor of the list came to rest on a policy, or on none."""

    def __init__(self, entry: PolicyEntry | None) -> None:
        super().__init__()
        self.entry = entry


class RowReached(Message):
    """The cursor of a pane came to another row, or the row under it is another.

    Textual lets a message climb no further than to who caused it, and a pane that sets its rows causes its list's.
    """


class PaneWanted(Message):
    """What the user opened is in another pane."""

    def __init__(self, pane: Literal["permissions"]) -> None:
        super().__init__()
        self.pane = pane


class VersionChosen(Message):
    """The cursor of the timeline came to a version of the policy with this ARN."""

    def __init__(self, arn: str, version: int) -> None:
        super().__init__()
        self.arn = arn
        self.version = version


class SummaryLoaded(Message):
    """What a version permits was worked out."""

    def __init__(
        self,
        arn: str,
        version: int,
        services: Sequence[ServiceSummary],
        knowledge: PolicyKnowledge | None,
        symptoms: Sequence[Symptom],
    ) -> None:
        super().__init__()
        self.arn = arn
        self.version = version
        self.services = services
        self.knowledge = knowledge
        self.symptoms = symptoms


class RemainingLoaded(Message):
    """What a version does not permit was worked out."""

    def __init__(self, arn: str, version: int, remaining: Remaining) -> None:
        super().__init__()
        self.arn = arn
        self.version = version
        self.remaining = remaining


class FacetAnswered(Message):
    """The policies that fit a part of the filter are known, or why they cannot be."""

    def __init__(self, facet: Facet, fitting: frozenset[str] | EkstuiError) -> None:
        super().__init__()
        self.facet = facet
        self.fitting = fitting


class TimelineLoaded(Message):
    """The steps of a policy's history were read."""

    def __init__(
        self, arn: str, steps: Sequence[Step], knowledge: PolicyKnowledge | None, quarters: Quarters | None
    ) -> None:
        super().__init__()
        self.knowledge = knowledge
        self.arn = arn
        self.steps = steps
        self.quarters = quarters


class ActionsTouchedRead(Message):
    """Which actions each version of a policy changed is known."""

    def __init__(self, arn: str, touched: Touched) -> None:
        super().__init__()
        self.arn = arn
        self.touched = touched


class FillProgressed(Message):
    """More of the policies is cached or indexed."""

    def __init__(self, doing: str, done: int, total: int) -> None:
        super().__init__()
        self.doing = doing
        self.done = done
        self.total = total


class Synced(Message):
    """The policies were compared with AWS, or could not be."""

    def __init__(self, sentence: str, *, failed: bool = False) -> None:
        super().__init__()
        self.sentence = sentence
        self.failed = failed


class CacheFilled(Message):
    """The cache holds all of the bundled corpus, or cannot be filled."""


class PaneFailed(Message):
    """What a pane asked for could not be had."""

    def __init__(self, error: EkstuiError) -> None:
        super().__init__()
        self.error = error


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


class ShowPolicy(Message):
    """Show a policy at a version in the four panes."""

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self.shown = shown


class ShowComparison(Message):
    """Show what differs between two sides."""

    def __init__(self, before: Side, after: Side) -> None:
        super().__init__()
        self.before = before
        self.after = after


class ShowMatrix(Message):
    """Show services by access levels for these policies."""

    def __init__(self, places: Sequence[PolicyAt]) -> None:
        super().__init__()
        self.places = places


class ShowRole(Message):
    """Show all about a role, given by name or ARN."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.role = role


class ShowFound(Message):
    """Show what a text finds first, as if it had been typed into the palette."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class MarksChosen(Message):
    """The user marked these policies and versions in the palette."""

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self.marks = marks


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
