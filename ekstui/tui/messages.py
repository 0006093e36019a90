"""The messages of panes, screens and background jobs: events in the past tense, requests in the imperative."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.knowledge import PolicyKnowledge, Symptom
    from ekstui.core.lookup import Kind
    from ekstui.core.notation import PolicyAt, Side
    from ekstui.core.policy import Policy
    from ekstui.core.steps import Quarters, Step
    from ekstui.core.summary import ActionSummary, Remaining, ServiceSummary
    from ekstui.errors import EkstuiError
    from ekstui.library import PolicyEntry
    from ekstui.tui.filters import Facet, Touched
    from ekstui.tui.shown import Marks, Shown


class PolicyHighlighted(Message):
    """The cursor of the list moved to a policy, or to none."""

    def __init__(self, entry: PolicyEntry | None) -> None:
        super().__init__()
        self.entry = entry


class RowReached(Message):
    """The cursor of a pane is on another row than before.

    RowList.Highlighted would not do: Textual stops bubbling at the sender, which is the pane when it sets its own rows.
    """


class PaneWanted(Message):
    """The user opened something that another pane shows."""

    def __init__(self, pane: Literal["permissions"]) -> None:
        super().__init__()
        self.pane = pane


class VersionChosen(Message):
    """The cursor of the versions moved to a version of the policy with this ARN."""

    def __init__(self, arn: str, version: int) -> None:
        super().__init__()
        self.arn = arn
        self.version = version


class SummaryLoaded(Message):
    """The permissions of a version are known."""

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
    """What a version does not permit is known."""

    def __init__(self, arn: str, version: int, remaining: Remaining) -> None:
        super().__init__()
        self.arn = arn
        self.version = version
        self.remaining = remaining


class FacetAnswered(Message):
    """The policies that match a facet of the filter are known, or an error says why not."""

    def __init__(self, facet: Facet, fitting: frozenset[str] | EkstuiError) -> None:
        super().__init__()
        self.facet = facet
        self.fitting = fitting


class TimelineLoaded(Message):
    """The versions of a policy were read."""

    def __init__(
        self, arn: str, steps: Sequence[Step], knowledge: PolicyKnowledge | None, quarters: Quarters | None
    ) -> None:
        super().__init__()
        self.knowledge = knowledge
        self.arn = arn
        self.steps = steps
        self.quarters = quarters


class ActionsTouchedRead(Message):
    """The actions that each version of a policy changed are known."""

    def __init__(self, arn: str, touched: Touched) -> None:
        super().__init__()
        self.arn = arn
        self.touched = touched


class FillProgressed(Message):
    """A background job that fills the cache made progress."""

    def __init__(self, doing: str, done: int, total: int) -> None:
        super().__init__()
        self.doing = doing
        self.done = done
        self.total = total


class Synced(Message):
    """A sync with AWS ended, or failed."""

    def __init__(self, sentence: str, *, failed: bool = False) -> None:
        super().__init__()
        self.sentence = sentence
        self.failed = failed


class CacheFilled(Message):
    """The cache has the whole corpus, or cannot be filled."""


class PaneFailed(Message):
    """A background job failed."""

    def __init__(self, error: EkstuiError) -> None:
        super().__init__()
        self.error = error


class AskWhoCan(Message):
    """Show who can do an action; if it is empty, let the user type one."""

    def __init__(self, action: str = "") -> None:
        super().__init__()
        self.action = action


class AskExplain(Message):
    """Explain a request; if the text is empty, let the user type or paste one."""

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
    """Show services by access level for these policies."""

    def __init__(self, places: Sequence[PolicyAt]) -> None:
        super().__init__()
        self.places = places


class ShowRole(Message):
    """Show all about a role, given by name or ARN."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.role = role


class ShowFound(Message):
    """Open the first match for a text in the palette, of one kind if it is given."""

    def __init__(self, text: str, kind: Kind | None = None) -> None:
        super().__init__()
        self.text = text
        self.kind = kind


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
        allowed_by: str,
        read: Callable[[], Sequence[tuple[str, Document]]],
        policy: Policy | None = None,
    ) -> None:
        super().__init__()
        self.action = action
        self.allowed_by = allowed_by
        """What allows it, as explain takes it: `policy:NAME@v6` or `role:NAME`."""
        self.read = read
        """Reads the documents to look for it in, as (label, document) pairs; slow."""
        self.policy = policy
        """The policy, if it is AWS managed."""


def action_of(value: object) -> str:
    """Return the action or pattern that a row's value is about, or an empty string."""
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
    """Return the action that a row's value is about; empty for a pattern, which no request can name."""
    from ekstui.core.wildcard import is_wild

    action = action_of(value)
    return "" if is_wild(action) else action
