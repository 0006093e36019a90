"""What differs between two documents: which grants, and whether access became wider or narrower."""

from dataclasses import dataclass
from typing import Literal

from ekstui.core.document import ActionElement, Effect
from ekstui.core.grants import Grant

Kind = Literal["none", "scope", "actions"]
Reach = Literal["same", "widened", "narrowed", "mixed", "unknown"]


@dataclass(frozen=True, slots=True)
class GrantDifference:
    """The grants of one (effect, element, action) on either side; an added one has no `before`, a removed one no `after`."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """One action pattern for `Action`, the whole list for `NotAction`."""
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """The whole difference between two documents."""

    kind: Kind
    reach: Reach
    added: tuple[GrantDifference, ...]
    removed: tuple[GrantDifference, ...]
    changed: tuple[GrantDifference, ...]
    verdict: str
    """One sentence that says what `reach` means here, such as `widened: 2 actions no longer need the cluster tag`."""
    notes: tuple[str, ...]
    """Why reach is unknown, or what to keep in mind, such as actions to come under a pattern."""
    reference: str
    """The version of the service authorization reference that reach was judged by."""
