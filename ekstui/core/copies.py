"""Customer-managed policies that started as a copy of an AWS policy, and from which version of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ekstui.core.account import LocalPolicy
from ekstui.core.document import Document
from ekstui.core.grants import Target, grants
from ekstui.core.policy import Policy

ENOUGH_OVERLAP = 0.8
"""The share of actions that two documents have in common from which one counts as a copy of the other."""

ENOUGH_ACTIONS = 4
"""Fewer actions in common are chance: many small policies are alike."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A customer-managed policy and the AWS policy that it looks like a copy of."""

    local: LocalPolicy
    original: Policy
    version: int
    """The version of the original that it is most like, the newest of equals."""
    overlap: float
    """The share of their actions that both have: those in common over all."""
    same_name: bool


def copies_of(
    local_policies: Iterable[LocalPolicy], originals: Iterable[tuple[Policy, Mapping[int, Document]]]
) -> tuple[Copy, ...]:
    """Return the policies that are copies, each with the original it is most like.

    A policy of the same name is a copy whatever it has become; any other needs ENOUGH_OVERLAP and ENOUGH_ACTIONS.
    """
    known = [
        (policy, number, frozenset(grants(document)))
        for policy, documents in originals
        for number, document in sorted(documents.items(), reverse=True)
    ]
    found = (_copy(local, known) for local in local_policies)
    return tuple(copy for copy in found if copy is not None)


def _copy(local: LocalPolicy, known: list[tuple[Policy, int, frozenset[Target]]]) -> Copy | None:
    if local.document is None:
        return None
    own = frozenset(grants(local.document))
    best: Copy | None = None
    for policy, number, targets in known:
        common = len(own & targets)
        overlap = common / len(own | targets) if own or targets else 0.0
        same_name = policy.name == local.name
        if not same_name and (overlap < ENOUGH_OVERLAP or common < ENOUGH_ACTIONS):
            continue
        if best is None or (same_name, overlap) > (best.same_name, best.overlap):
            best = Copy(local, policy, number, overlap, same_name)
    return best
