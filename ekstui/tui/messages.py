"""What panes, screens and jobs tell each other: values, events (in the past tense) and requests (imperatives)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias, dataclass_transform

from textual.message import Message

from ekstui.library.catalog import knowledge
from ekstui.library.notation import PolicyAt
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.policy import Policy
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.eks.pods import PodPlace
    from ekstui.errors import EkstuiError
    from ekstui.iam.document import Document
    from ekstui.iam.summary import ActionSummary
    from ekstui.library import AccountChoice, Library
    from ekstui.library.catalog import PolicyEntry
    from ekstui.library.lookup import Thing, ThingKind
    from ekstui.library.notation import RoleSide, Side
    from ekstui.present.styled import Row


class PolicyView(NamedTuple):
    """The policy and version that the panes show."""

    entry: PolicyEntry
    version: int

    @property
    def place(self) -> PolicyAt:
        """The version as a side of a comparison."""
        return PolicyAt(self.entry.name, None if self.entry.access else self.version)


class AccountView(NamedTuple):
    """What the screens show of the account."""

    snapshot: AccountSnapshot | None = None
    """The latest snapshot; None if there is none."""
    asking: str | None = None
    """What is being read from AWS, in a few words; None if nothing is."""
    error: EkstuiError | None = None
    """Why the last refresh failed."""


class Start(NamedTuple):
    """What the app opens with."""

    policy_view: PolicyView
    compare_with: int | None = None
    """The version to compare with it at once."""


Marks: TypeAlias = "tuple[PolicyAt, ...]"
"""The marked policies and versions, oldest mark first; at most MAX_MARKS."""

MAX_MARKS = 4
"""How many the table of services by access level can put side by side."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with this one toggled; when there are too many, the oldest goes."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-MAX_MARKS:]


def sides_to_compare(marks: Marks, policy_view: PolicyView) -> tuple[PolicyAt, PolicyAt] | None:
    """Return the first two marks, or the mark and what is shown, or the shown version and the one before it.

    None for the first version. They are in the order of time, however they were marked: from the older version of a
    policy to the newer one, and from a superseded policy to its successor.
    """
    policy, shown_place = policy_view.entry.policy, policy_view.place
    if len(marks) >= 2:
        return _older_first(*marks[:2])
    if marks and marks[0] != shown_place:
        return _older_first(marks[0], shown_place)
    numbers = [info.number for info in policy.versions]
    index = numbers.index(policy_view.version)
    return (PolicyView(policy_view.entry, numbers[index - 1]).place, shown_place) if index else None


def _older_first(place_a: PolicyAt, place_b: PolicyAt) -> tuple[PolicyAt, PolicyAt]:
    if place_a.name == place_b.name:
        goes_back = bool(place_a.version and place_b.version and place_a.version > place_b.version)
    else:
        knowledge_of_b = knowledge().policies.get(place_b.name)
        goes_back = knowledge_of_b is not None and place_a.name in knowledge_of_b.superseded_by
    return (place_b, place_a) if goes_back else (place_a, place_b)


class Bookmark(NamedTuple):
    """What to type into the palette to get to a screen again."""

    text: str
    of_account: bool = False
    """Whether the text names something in the account."""


@dataclass_transform()
class TypedMessage(Message):
    """A message with the fields that its class annotates; dataclasses would add 0.1 ms for each to the start."""

    def __init__(self, *value: object, **fields: object) -> None:
        super().__init__()
        vars(self).update(zip(self.__annotations__, value, strict=False), **fields)


class RowReached(TypedMessage):
    """The cursor of a pane is on another row than before, or on none.

    RowList.Highlighted would not do: Textual stops bubbling at the sender, which is the pane when it sets its own rows.
    """

    pane: str | None
    row: Row | None


class PaneFailed(TypedMessage):
    """A background job failed."""

    error: EkstuiError


class AccountUpdated(TypedMessage):
    """The refresh of the account got on, ended or failed."""

    library: Library
    """The library that was asked; the message is ignored if the user has chosen another account since."""
    change: Callable[[AccountView], AccountView]


class SwitchAccount(TypedMessage):
    """Read another account or other regions; with None, refresh the current account."""

    choice: AccountChoice | None


class MfaAsked(TypedMessage):
    """A call needs an MFA code; it waits until `answer` is called with one, or with None to cancel."""

    device: str
    answer: Callable[[str | None], None]


class AskWhoCan(TypedMessage):
    """Show who can do an action; if it is empty, let the user type one."""

    action: str = ""


class AskExplain(TypedMessage):
    """Explain a request; if the text is empty, let the user type or paste one."""

    text: str = ""


class QuestionAnswered(TypedMessage):
    """A question has its answer: it is among what the palette offers again."""

    question: Thing


class Open(TypedMessage):
    """Show a policy (by name or ARN, at some version) in the four panes, or a role or pods on a screen."""

    what: PolicyAt | RoleSide | PodPlace


class ShowComparison(TypedMessage):
    """Show what differs between two sides."""

    before: Side
    after: Side


class ShowMatrix(TypedMessage):
    """Show services by access level for these policies."""

    places: Sequence[PolicyAt]


class ShowFound(TypedMessage):
    """Open the first match for a text in the palette, of one kind if it is given."""

    text: str
    kind: ThingKind | None = None
    row: int = 0
    """The row to put the cursor on."""


class MarksChosen(TypedMessage):
    """The user marked these policies and versions in the palette."""

    marks: Marks


class ShowAction(TypedMessage):
    """Show all about one action of a policy or role."""

    action: ActionSummary
    allowed_by: str
    """What allows it, as explain takes it: `policy:NAME@v6` or `role:NAME`."""
    read: Callable[[], Sequence[tuple[str, Document]]]
    """Reads the documents to look for it in, as (label, document) pairs; slow."""
    policy: Policy | None = None
    """The policy, if it is AWS managed."""
