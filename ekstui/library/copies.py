"""Policies of the account that started as copies of published ones: of AWS's, or of a controller's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ekstui.change.comparison import Change, changes
from ekstui.change.policy import Policy, version_label
from ekstui.eks.account_snapshot import LocalPolicy
from ekstui.eks.commands import Command
from ekstui.eks.findings.subjects import RoleInUse
from ekstui.eks.published import ComponentVersion, policy_of, values_in
from ekstui.iam.document import Document
from ekstui.iam.grants import Target, grants
from ekstui.library.catalog import PolicyReader, parse_stored
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import components

ENOUGH_OVERLAP = 0.8
"""The share of common actions from which one document counts as a copy of the other."""

ENOUGH_ACTIONS = 4
"""The fewest common actions of a copy: small policies are alike by chance."""


class Original(NamedTuple):
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


class Copy(NamedTuple):
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


class CopyAnswer(NamedTuple):
    """A copy, and the change from it to the original's default version."""

    copy: Copy
    change: Change

    def comparison(self, role: str) -> Command:
        """Return the command that compares a copy with the original's default version.

        Of an inline policy it compares all policies of the role.
        """
        original = self.copy.original
        default_version = f"{original.name}@{version_label(original.default_version)}"
        return Command(("ekstui", "diff", self.copy.local.arn or f"role:{role}", default_version), "compares them")


def originals_of(histories: Iterable[tuple[Policy, Mapping[int, Document]]]) -> tuple[Original, ...]:
    """Return the versions of AWS's policies, newest first; the documents are by version."""
    return tuple(
        Original(policy, number, document)
        for policy, documents in histories
        for number, document in sorted(documents.items(), reverse=True)
    )


def copies_of(local_policies: Iterable[LocalPolicy], originals: Iterable[Original]) -> tuple[Copy, ...]:
    """Return the policies that are copies: of one of the same name, or of the one most like it if alike enough."""
    targets_of = [(original, frozenset(grants(original.document))) for original in originals]
    copies = (_copy(local, targets_of) for local in local_policies)
    return tuple(copy for copy in copies if copy is not None)


def _copy(local: LocalPolicy, originals: list[tuple[Original, frozenset[Target]]]) -> Copy | None:
    if local.document is None:
        return None
    local_targets = frozenset(grants(local.document))
    likely: list[tuple[tuple[bool, float], Original]] = []
    for original, targets in originals:
        common = len(local_targets & targets)
        overlap = common / len(local_targets | targets) if local_targets or targets else 0.0
        same_name = original.policy.name == local.name
        if same_name or (overlap >= ENOUGH_OVERLAP and common >= ENOUGH_ACTIONS):
            likely.append(((same_name, overlap), original))
    if not likely:
        return None
    # Resources and conditions are compared only if the actions leave a choice.
    same_name, overlap = top = max(rank for rank, _ in likely)
    choice = [original for rank, original in likely if rank == top]
    alike = [_likeness(local.document, original.filled(local.document)) for original in choice]
    likeness = max(alike)
    best = choice[alike.index(likeness)]
    return Copy(local, best.policy, best.version, overlap, same_name, likeness[0])


def _likeness(document_a: Document, document_b: Document) -> tuple[float, bool]:
    """Return the share of grants that two documents have in common, and whether they are written the same way."""
    grants_a, grants_b = (
        {(target, extent) for target, extents in grants(document).items() for extent in extents}
        for document in (document_a, document_b)
    )
    share = len(grants_a & grants_b) / len(grants_a | grants_b) if grants_a or grants_b else 1.0
    return share, document_a.statements == document_b.statements


def copies_in(library: Library) -> tuple[CopyAnswer, ...]:
    """Return the last snapshot's copies: of EKS's and controllers' policies, and of AWS's of the same name."""
    snapshot = library.account.last_snapshot_or_error()
    return _all_copies(snapshot.local_policies, library, snapshot.identity.partition)


def copies_on(subject: RoleInUse) -> tuple[CopyAnswer, ...]:
    """Return which inline and customer managed policies of a role are copies of controllers' policies."""
    local_policies = _own_policies(subject)
    return _answers(local_policies, published_originals()) if local_policies else ()


def all_copies_on(subject: RoleInUse, library: Library, partition: str) -> tuple[CopyAnswer, ...]:
    """Return which of a role's own policies are copies, of AWS's policies as well."""
    local_policies = _own_policies(subject)
    return _all_copies(local_policies, library, partition) if local_policies else ()


def _all_copies(local_policies: Sequence[LocalPolicy], library: Library, partition: str) -> tuple[CopyAnswer, ...]:
    names = [policy.name for policy in local_policies]
    originals = library.in_partition(partition).ask(lambda reader: originals_of(_of_aws(names, reader)))
    return _answers(local_policies, [*originals, *published_originals()])


def _own_policies(subject: RoleInUse) -> list[LocalPolicy]:
    """Return the inline and customer managed policies of a role that could be read."""
    return [
        LocalPolicy(policy.name, policy.arn or "", "/", f"v{policy.version or 1}", policy.document)
        for policy in subject.policies
        if not policy.managed_by_aws and policy.document is not None
    ]


def published_originals() -> tuple[Original, ...]:
    """Return controllers' policies, newest version first, whole components before their parts."""
    originals: list[Original] = []
    for component in sorted(components().values(), key=lambda original: original.is_part):
        policy = policy_of(component)
        for version, info in zip(reversed(component.versions), reversed(policy.versions), strict=True):
            originals.append(Original(policy, info.number, version.document(version.named({})), version))
    return tuple(originals)


def _answers(local_policies: Iterable[LocalPolicy], all_originals: Iterable[Original]) -> tuple[CopyAnswer, ...]:
    originals = tuple(all_originals)
    default_versions = {
        original.policy.arn: original for original in originals if original.version == original.policy.default_version
    }
    return tuple(
        CopyAnswer(copy, changes(copy.local.document, default_versions[copy.original.arn].filled(copy.local.document)))
        for copy in copies_of(local_policies, originals)
        if copy.local.document is not None
    )


def _of_aws(local_names: Iterable[str], reader: PolicyReader) -> Iterator[tuple[Policy, Mapping[int, Document]]]:
    family = [policy.name for policy in reader.policies("eks")]
    namesakes = {*local_names} & set(reader.names())
    for name in dict.fromkeys([*family, *sorted(namesakes)]):
        texts = reader.history(name).texts
        yield reader.policy(name), {number: parse_stored(name, number, text) for number, text in texts.items()}
