"""The account's own policies that started as a copy of one of AWS's, and how they differ from it today."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ekstui.core.account import AccountSnapshot
from ekstui.core.change import Change, changes
from ekstui.core.copies import Copy, copies_of
from ekstui.core.document import Document
from ekstui.core.policy import Policy
from ekstui.library.library import Library
from ekstui.library.policies import parse_stored
from ekstui.library.reader import PolicyReader


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
