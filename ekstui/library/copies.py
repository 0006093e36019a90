"""The account's own policies that started as a copy of AWS's or a controller's, and how they differ from it today."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ekstui.core.account import AccountSnapshot, LocalPolicy
from ekstui.core.change import Change, changes
from ekstui.core.copies import Copy, Original, copies_of, originals_of
from ekstui.core.document import Document
from ekstui.core.findings import RoleInUse
from ekstui.core.policy import Policy
from ekstui.core.published import ComponentVersion, policy_of, values_in
from ekstui.library.catalog import PolicyReader, parse_stored
from ekstui.library.library import Library
from ekstui.sources.controllers import components


@dataclass(frozen=True, slots=True)
class CopyAnswer:
    """A copy, and what leads from it to the original's default version."""

    copy: Copy
    change: Change


def copies_in(library: Library) -> tuple[CopyAnswer, ...]:
    """Return the copies in the last snapshot: of the EKS family, of any AWS policy by its name, of a controller's."""
    snapshot = library.account.required()
    place = library.in_partition(snapshot.identity.partition)
    known = place.ask(lambda reader: originals_of(_of_aws(snapshot, reader)))
    return _answers(snapshot.local_policies, [*known, *published_originals()])


def copies_on(subject: RoleInUse) -> tuple[CopyAnswer, ...]:
    """Return which policies of a role, written into it or the account's own, are copies of what controllers publish."""
    own = [
        LocalPolicy(each.name, each.arn or "", "/", f"v{each.version or 1}", each.document)
        for each in subject.policies
        if not each.managed_by_aws and each.document is not None
    ]
    return _answers(own, published_originals()) if own else ()


def published_originals() -> tuple[Original, ...]:
    """Return what controllers publish, newest first, what counts alone before its parts."""
    found: list[Original] = []
    for component in sorted(components().values(), key=lambda each: each.is_part):
        policy = policy_of(component)
        for version, info in zip(reversed(component.versions), reversed(policy.versions), strict=True):
            found.append(Original(policy, info.number, version.document(version.named({})), _Filling(version)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Filling:
    """Fills in a controller's document as a copy of it does."""

    version: ComponentVersion

    def __call__(self, copy: Document) -> Document:
        return self.version.document(self.version.named(values_in(self.version, copy)))


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
