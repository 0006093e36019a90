"""A role of a snapshot as findings take it: with the documents of what it carries, and all uses that were seen."""

from collections.abc import Mapping
from datetime import datetime

from ekstui.core.account import AccountSnapshot, Role, Use
from ekstui.core.document import Document
from ekstui.core.findings.finding import CarriedPolicy, RoleInUse, Surroundings
from ekstui.core.findings.unseen import unseen_uses
from ekstui.core.policy import parse_version

Documents = Mapping[str, tuple[int, Document]]
"""The default version and its document of AWS managed policies, by ARN; those that are not known are absent."""


def role_in_use(role: Role, snapshot: AccountSnapshot, uses: tuple[Use, ...], documents: Documents) -> RoleInUse:
    """Return the role with what it carries; AWS's documents come from `documents`, the account's from the snapshot."""
    inline = tuple(CarriedPolicy(policy.name, None, None, policy.document) for policy in role.inline)
    attached = tuple(_carried(policy.name, policy.arn, snapshot, documents) for policy in role.attached)
    boundary = None
    if role.boundary_arn is not None:
        boundary = _carried(role.boundary_arn.rsplit("/", 1)[-1], role.boundary_arn, snapshot, documents)
    return RoleInUse(role, attached + inline, boundary, uses, unseen_uses(role, snapshot.eks))


def surroundings_of(snapshot: AccountSnapshot, now: datetime) -> Surroundings:
    """Return what findings need to know of the account beside the role."""
    return Surroundings(now, snapshot.eks, snapshot.oidc_providers)


def carried_arns(roles: tuple[Role, ...]) -> frozenset[str]:
    """Return the ARNs of all managed policies that the roles carry, as permissions or as boundary."""
    attached = {policy.arn for role in roles for policy in role.attached}
    return frozenset(attached | {role.boundary_arn for role in roles if role.boundary_arn is not None})


def _carried(name: str, arn: str, snapshot: AccountSnapshot, documents: Documents) -> CarriedPolicy:
    if (known := documents.get(arn)) is not None:
        return CarriedPolicy(name, arn, known[0], known[1])
    local = next((policy for policy in snapshot.local_policies if policy.arn == arn), None)
    if local is None:
        return CarriedPolicy(name, arn, None, None)
    return CarriedPolicy(name, arn, parse_version(local.default_version), local.document)
