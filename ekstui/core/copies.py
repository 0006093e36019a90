"""Customer-managed policies that started as a copy of a published one, AWS's or a controller's, and of which version."""

from collections.abc import Callable, Iterable, Mapping
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
class Original:
    """A version of a policy that others copy."""

    policy: Policy
    version: int
    document: Document
    """With the parameters of a controller's policy left open."""
    fill: Callable[[Document], Document] | None = None
    """Returns the document with its parameters as a copy of it, which it takes, fills them in; None: it has none."""

    def filled(self, copy: Document) -> Document:
        """Return the document as a copy of it would be that changed nothing."""
        return self.fill(copy) if self.fill else self.document


@dataclass(frozen=True, slots=True)
class Copy:
    """A customer-managed policy and the published one that it looks like a copy of."""

    local: LocalPolicy
    original: Policy
    version: int
    """The version of the original that it is most like, the newest of equals."""
    overlap: float
    """The share of their actions that both have: those in common over all."""
    same_name: bool
    nearness: float = 1.0
    """The share of their grants that both have, resources and conditions included."""


def originals_of(known: Iterable[tuple[Policy, Mapping[int, Document]]]) -> tuple[Original, ...]:
    """Return the versions of AWS's policies, newest first; the documents are by version."""
    return tuple(
        Original(policy, number, document)
        for policy, documents in known
        for number, document in sorted(documents.items(), reverse=True)
    )


def copies_of(local_policies: Iterable[LocalPolicy], originals: Iterable[Original]) -> tuple[Copy, ...]:
    """Return the policies that are copies, each with the original it is most like.

    A policy of the same name is a copy whatever it has become; any other needs ENOUGH_OVERLAP and ENOUGH_ACTIONS.
    """
    known = [(original, frozenset(grants(original.document))) for original in originals]
    found = (_copy(local, known) for local in local_policies)
    return tuple(copy for copy in found if copy is not None)


def _copy(local: LocalPolicy, known: list[tuple[Original, frozenset[Target]]]) -> Copy | None:
    if local.document is None:
        return None
    own = frozenset(grants(local.document))
    likely: list[tuple[bool, float, Original]] = []
    for original, targets in known:
        common = len(own & targets)
        overlap = common / len(own | targets) if own or targets else 0.0
        same_name = original.policy.name == local.name
        if same_name or (overlap >= ENOUGH_OVERLAP and common >= ENOUGH_ACTIONS):
            likely.append((same_name, overlap, original))
    best: Copy | None = None
    best_rank = (False, 0.0, 0.0, False)
    for same_name, overlap, original in likely:
        # Resources and conditions are compared only where the actions leave a choice.
        if best is not None and (same_name, overlap) < (best.same_name, best.overlap):
            continue
        document = original.filled(local.document)
        near = _nearness(local.document, document)
        # Of versions that mean the same, the one that is written the same is named.
        rank = (same_name, overlap, near, document.statements == local.document.statements)
        if best is None or rank > best_rank:
            best, best_rank = Copy(local, original.policy, original.version, overlap, same_name, near), rank
    return best


def _nearness(one: Document, other: Document) -> float:
    own, theirs = (
        {(target, extent) for target, extents in grants(document).items() for extent in extents}
        for document in (one, other)
    )
    return len(own & theirs) / len(own | theirs) if own or theirs else 1.0
