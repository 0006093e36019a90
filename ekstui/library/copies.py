"""The account's own policies that started as a copy of one of AWS's, and how they differ from it today."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ekstui.core.account import AccountSnapshot, LocalPolicy
from ekstui.core.change import Change, changes
from ekstui.core.document import Document
from ekstui.core.grants import Target, grants
from ekstui.core.policy import Policy
from ekstui.library.library import Library
from ekstui.library.policies import parse_stored
from ekstui.library.reader import PolicyReader

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


@dataclass(frozen=True, slots=True)
class CopyAnswer:
    """A copy, and what leads from it to the original's default version."""

    copy: Copy
    change: Change


def copies_in(library: Library) -> tuple[CopyAnswer, ...]:
    """Return the copies of policies of the EKS family, and of any AWS policy by its very name, in the last snapshot."""
    snapshot = library.account.required()
    return library.in_partition(snapshot.identity.partition).ask(lambda reader: _copies(snapshot, reader))


def _copies(snapshot: AccountSnapshot, reader: PolicyReader) -> tuple[CopyAnswer, ...]:
    return tuple(
        CopyAnswer(copy, changes(copy.local.document, _default(copy.original, reader)))
        for copy in copies_of(snapshot.local_policies, _originals(snapshot, reader))
        if copy.local.document is not None
    )


def _originals(snapshot: AccountSnapshot, reader: PolicyReader) -> Iterator[tuple[Policy, Mapping[int, Document]]]:
    family = [policy.name for policy in reader.policies("eks")]
    namesakes = {policy.name for policy in snapshot.local_policies} & set(reader.names())
    for name in dict.fromkeys([*family, *sorted(namesakes)]):
        texts = reader.history(name).texts
        yield reader.policy(name), {number: parse_stored(name, number, text) for number, text in texts.items()}


def _default(policy: Policy, reader: PolicyReader) -> Document:
    return parse_stored(policy.name, policy.default_version, reader.text(policy.name, policy.default_version))
