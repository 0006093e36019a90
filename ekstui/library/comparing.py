"""Comparing two documents, wherever they come from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from ekstui.change.comparison import Change, changes
from ekstui.change.differences import Differences, differences
from ekstui.change.policy import Policy, ReleaseNumber
from ekstui.eks.account_snapshot import AccountSnapshot, attachments_of
from ekstui.eks.knowledge import Update
from ekstui.errors import InputError
from ekstui.iam.document import Document
from ekstui.library.catalog import ComparedSide, knowledge, own_policy_side, version_at
from ekstui.library.library import Library
from ekstui.library.notation import FileSide, PolicyAt, RoleSide, Side, StandardInput
from ekstui.named_tuples import NamedTuple
from ekstui.sources.policy_file import document_of, read_document
from ekstui.sources.shipped import reader_of


class AttachedCount(NamedTuple):
    """How many entities of an account have a policy attached, according to the last snapshot."""

    policy: str
    account: str
    fetched_at: datetime
    roles: int
    users: int
    groups: int
    boundaries: int
    """How many have it as their permissions boundary."""
    complete: bool
    """Whether every role, user and group was read."""


class Comparison(NamedTuple):
    """Two sides and what differs."""

    before: ComparedSide
    after: ComparedSide
    change: Change
    differences: Differences
    updates: tuple[Update, ...] = ()
    """Why AWS made the versions between two of one policy, newest first."""
    supersession: str | None = None
    """What replacing one policy by the other means; None if neither supersedes the other."""
    attached: tuple[AttachedCount, ...] = ()
    """For each AWS policy compared, if there is a snapshot."""

    @property
    def is_one_policy(self) -> bool:
        """Whether the sides are two versions of one policy, not two documents."""
        before, after = self.before.policy, self.after.policy
        return before is not None and after is not None and before.id == after.id

    @property
    def goes_back(self) -> bool:
        """Whether the first side is a later version of the same policy."""
        return self.is_one_policy and (self.before.version or 0) > (self.after.version or 0)

    @property
    def names(self) -> tuple[str, str]:
        """The names of the two sides, without versions."""
        return short_label(self.before), short_label(self.after)


def short_label(side: ComparedSide) -> str:
    """Return the policy's name, or the label of a side that is not a policy."""
    return side.policy.name if side.policy else side.label


def compare(
    library: Library,
    before: Side,
    after: Side,
    standard_input: str = "",
    values: Mapping[str, str] | None = None,
) -> Comparison:
    """Return what differs between two sides; of a controller, parameters not in `values` are the other side's."""

    def ask(side: Side, parameters: Mapping[str, str]) -> ComparedSide:
        return _side(side, library, standard_input, parameters)

    parameters = values or {}
    first, second = ask(before, parameters), ask(after, parameters)
    if is_published(first) != is_published(second):
        template, filled_in, side = (first, second, after) if is_published(first) else (second, first, before)
        values_in = _values_in(template, filled_in.document)
        if isinstance(side, RoleSide):
            from ekstui.library.roles import role_values

            snapshot = library.account.fresh_snapshot()
            values_in = {**role_values(side.name, snapshot, library.account.uses(snapshot)), **values_in}
        if values_in:
            template_filled_in = ask(before if template is first else after, {**values_in, **parameters})
            first, second = (template_filled_in, second) if template is first else (first, template_filled_in)
    return _comparison(first, second, library.snapshot_at_hand())


def document_of_side(side: Side, library: Library, standard_input: str) -> Document:
    """Return the document of a file, standard input, a policy or all policies of a role.

    InputError for one that IAM would reject.
    """
    return _side(side, library, standard_input).document


def _side(side: Side, library: Library, standard_input: str, values: Mapping[str, str] | None = None) -> ComparedSide:
    if isinstance(side, RoleSide):
        from ekstui.library.roles import role_side  # only to read a role

        return role_side(side.name, library.account.fresh_snapshot(), library.default_versions)
    if isinstance(side, PolicyAt) and (policy_arn := library.own_arn(side.name)) is not None:
        return own_policy_side(policy_arn, side.version, library.account.fresh_snapshot())
    return read_side(side, library, standard_input, values)


def is_published(side: ComparedSide) -> bool:
    """Return whether a side is a controller's policy."""
    return side.policy is not None and side.policy.home is not None


def _values_in(template: ComparedSide, document: Document) -> Mapping[str, str]:
    """Return the parameters of a controller's policy as another document fills them in."""
    if template.policy is None or template.version is None:
        return {}
    return reader_of(template.policy).values_in(template.policy.name, template.version, document)


def _comparison(before: ComparedSide, after: ComparedSide, snapshot: AccountSnapshot | None) -> Comparison:
    one = before.policy is not None and after.policy is not None and before.policy.id == after.policy.id
    names = None if one else (short_label(before), short_label(after))
    arns = dict.fromkeys(side.policy.arn for side in (before, after) if side.policy and not side.policy.home)
    counts = () if snapshot is None else tuple(attached_count(arn, snapshot) for arn in arns)
    return Comparison(
        before,
        after,
        changes(before.document, after.document, names),
        differences(before.document, after.document),
        updates=_updates(before, after) if one else (),
        supersession=None if one else _supersession(before, after),
        attached=tuple(count for count in counts if count.complete or count.roles or count.users or count.groups),
    )


def attached_count(policy_arn: str, snapshot: AccountSnapshot) -> AttachedCount:
    """Return how many roles, users and groups of a snapshot have a policy attached."""
    attachments = attachments_of(snapshot, policy_arn)
    attached_as = [
        *(role.attached_as for role in attachments.roles),
        *(user.attached_as for user in attachments.users),
    ]
    return AttachedCount(
        policy_arn.rpartition("/")[2],
        snapshot.identity.account,
        snapshot.fetched_at,
        roles=sum("permissions" in role.attached_as for role in attachments.roles),
        users=sum("permissions" in user.attached_as for user in attachments.users),
        groups=len(attachments.groups),
        boundaries=sum("boundary" in kinds for kinds in attached_as),
        complete=attachments.complete,
    )


def _updates(before: ComparedSide, after: ComparedSide) -> tuple[Update, ...]:
    notes = knowledge().policies.get(after.policy.name) if after.policy else None
    first, last = sorted((before.version or 0, after.version or 0))
    updates = (update for update in notes.updates if first < update.version <= last) if notes else ()
    return tuple(sorted(updates, key=lambda update: update.version, reverse=True))


def _supersession(before: ComparedSide, after: ComparedSide) -> str | None:
    for older, newer in ((before, after), (after, before)):
        notes = knowledge().policies.get(older.policy.name) if older.policy else None
        if notes and newer.policy and newer.policy.name in notes.superseded_by:
            return notes.supersession
    return None


def _made(policy: Policy, number: int) -> datetime | None:
    """Return when a version was made; of a controller's release, when that was released and not the first like it."""
    release = reader_of(policy).release(policy.name, number.label) if isinstance(number, ReleaseNumber) else None
    if release is not None:
        return release.created
    return next(info.created for info in policy.versions if info.number == number)


def read_side(
    side: Side, library: Library, standard_input: str, values: Mapping[str, str] | None, *, named: bool = True
) -> ComparedSide:
    """Return the document that a side names; see `Library.document` for a controller's parameters."""
    match side:
        case PolicyAt():
            policy = library.find(side.name).policy
            number = version_at(policy, side)
            created = _made(policy, number)
            label = str(PolicyAt(policy.name, number))
            parameters = library.parameters(policy, number, values)
            document = library.document(policy, number, values, named=named)
            return ComparedSide(label, document, policy, number, created, parameters)
        case FileSide(path):
            return ComparedSide(path, read_document(Path(path).expanduser()))
        case StandardInput():
            return ComparedSide(str(side), document_of(standard_input, str(side)))
        case RoleSide():
            raise InputError(
                "A role cannot be used as a policy here.", "Give a policy, a file, or - for standard input."
            )
