"""The account's own policies that started as a copy of a published one, and how they differ from it today."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ekstui.core.account_snapshot import AccountSnapshot, LocalPolicy
from ekstui.core.change import Change, changes
from ekstui.core.document import Document
from ekstui.core.findings import RoleInUse
from ekstui.core.grants import Target, grants
from ekstui.core.policy import Policy
from ekstui.core.published import ComponentVersion, policy_of, values_in
from ekstui.library.catalog import PolicyReader, parse_stored
from ekstui.library.library import Library
from ekstui.sources.controllers import components

ENOUGH_OVERLAP = 0.8
"""The share of common actions from which one document counts as a copy of the other."""

ENOUGH_ACTIONS = 4
"""The fewest common actions of a copy: small policies are alike by chance."""


@dataclass(frozen=True, slots=True)
class Original:
    """A version of a policy that may have been copied."""

    policy: Policy
    version: int
    document: Document
    """With a controller's parameters left open."""
    template: ComponentVersion | None = None
    """The template whose parameters are left open; None if it has none."""

    def filled(self, copy: Document) -> Document:
        """Return the document with the values of the parameters that a copy has."""
        template = self.template
        return template.document(template.named(values_in(template, copy))) if template else self.document


@dataclass(frozen=True, slots=True)
class Copy:
    """A customer managed policy, and the published policy that it looks like a copy of."""

    local: LocalPolicy
    original: Policy
    version: int
    """The version that it is most like, the newest of several."""
    overlap: float
    """The actions that both have, divided by all actions of either."""
    same_name: bool
    nearness: float = 1.0
    """The same for grants, resources and conditions included."""


def originals_of(known: Iterable[tuple[Policy, Mapping[int, Document]]]) -> tuple[Original, ...]:
    """Return the versions of AWS's policies, newest first; the documents are by version."""
    return tuple(
        Original(policy, number, document)
        for policy, documents in known
        for number, document in sorted(documents.items(), reverse=True)
    )


def copies_of(local_policies: Iterable[LocalPolicy], originals: Iterable[Original]) -> tuple[Copy, ...]:
    """Return the policies that are copies, each with the original it is most like.

    A policy of the same name is a copy however it differs; any other needs ENOUGH_OVERLAP and ENOUGH_ACTIONS.
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
        # Resources and conditions are compared only if the actions leave a choice.
        if best is not None and (same_name, overlap) < (best.same_name, best.overlap):
            continue
        document = original.filled(local.document)
        near = _nearness(local.document, document)
        # Of equivalent versions, prefer the one that is written the same way.
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


@dataclass(frozen=True, slots=True)
class CopyAnswer:
    """A copy, and the change from it to the original's default version."""

    copy: Copy
    change: Change


def copies_in(library: Library) -> tuple[CopyAnswer, ...]:
    """Return the copies in the last snapshot: of EKS policies, of AWS policies with the same name, of controllers' policies."""
    snapshot = library.account.required()
    place = library.in_partition(snapshot.identity.partition)
    known = place.ask(lambda reader: originals_of(_of_aws(snapshot, reader)))
    return _answers(snapshot.local_policies, [*known, *published_originals()])


def copies_on(subject: RoleInUse) -> tuple[CopyAnswer, ...]:
    """Return which inline and customer managed policies of a role are copies of controllers' policies."""
    own = [
        LocalPolicy(each.name, each.arn or "", "/", f"v{each.version or 1}", each.document)
        for each in subject.policies
        if not each.managed_by_aws and each.document is not None
    ]
    return _answers(own, published_originals()) if own else ()


def published_originals() -> tuple[Original, ...]:
    """Return controllers' policies, newest version first, whole components before their parts."""
    found: list[Original] = []
    for component in sorted(components().values(), key=lambda each: each.is_part):
        policy = policy_of(component)
        for version, info in zip(reversed(component.versions), reversed(policy.versions), strict=True):
            found.append(Original(policy, info.number, version.document(version.named({})), version))
    return tuple(found)


def _answers(own: Iterable[LocalPolicy], known: Iterable[Original]) -> tuple[CopyAnswer, ...]:
    originals = tuple(known)
    newest = {each.policy.arn: each for each in originals if each.version == each.policy.default_version}
    return tuple(
        CopyAnswer(copy, changes(copy.local.document, newest[copy.original.arn].filled(copy.local.document)))
        for copy in copies_of(own, originals)
        if copy.local.document is not None
    )


def _of_aws(snapshot: AccountSnapshot, reader: PolicyReader) -> Iterator[tuple[Policy, Mapping[int, Document]]]:
    family = [policy.name for policy in reader.policies("eks")]
    namesakes = {policy.name for policy in snapshot.local_policies} & set(reader.names())
    for name in dict.fromkeys([*family, *sorted(namesakes)]):
        texts = reader.history(name).texts
        yield reader.policy(name), {number: parse_stored(name, number, text) for number, text in texts.items()}
