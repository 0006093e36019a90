"""Which actions each version of a policy changed, by which its versions are filtered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ekstui.change.comparison import changes
from ekstui.iam.document import Document
from ekstui.iam.grants import may_match
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.policy import Policy
    from ekstui.iam.document import ActionElement
    from ekstui.library.library import Library


class ChangedActions(NamedTuple):
    """The actions that each known version of a policy changed."""

    grants: Mapping[int, frozenset[tuple[ActionElement, tuple[str, ...]]]]
    """By version, the (element, actions) of the grants that it changed; for the first known version, all of them."""

    def matches(self, version: int, typed: str) -> bool:
        """Return whether a version changed a grant of an action that starts with what was typed."""
        pattern = f"{typed.removeprefix('action:').lower()}*"
        return any(may_match(element, actions, pattern) for element, actions in self.grants.get(version, ()))


def changed_actions(policy: Policy, library: Library) -> ChangedActions:
    """Return the actions that each known version changed. Slow: reads and compares all versions."""
    grants = {}
    before = Document(None, None, ())
    for info in policy.versions:
        after = library.document(policy, info.number)
        change = changes(before, after)
        differences = (*change.added, *change.removed, *change.changed)
        grants[info.number] = frozenset((difference.element, difference.actions) for difference in differences)
        before = after
    return ChangedActions(grants)
