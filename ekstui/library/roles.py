"""A role with its policies, what uses it, and the findings about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ekstui.core.access_levels import SumAccess, sum_access
from ekstui.core.account_snapshot import AccountSnapshot, CallerIdentity, LocalPolicy, Role
from ekstui.core.eks_coverage import unseen_uses
from ekstui.core.findings import Finding, RoleInUse, RolePolicy, Surroundings, findings_of
from ekstui.core.grants import merged
from ekstui.core.policy import parse_version
from ekstui.core.trust import trust_in_words
from ekstui.core.uses import Uses, uses_in
from ekstui.errors import InputError, NotFoundError
from ekstui.library.catalog import ComparedSide, DefaultVersion, DefaultVersions, knowledge, nearest_names
from ekstui.library.copies import CopyAnswer, copies_on
from ekstui.library.library import Library


@dataclass(frozen=True, slots=True)
class RoleAnswer:
    """A role, and the account and time that it was read from."""

    identity: CallerIdentity
    fetched_at: datetime
    subject: RoleInUse
    trust: tuple[str, ...]
    """Who may assume it, a sentence each."""
    findings: tuple[Finding, ...]
    access: SumAccess
    """What its policies permit together within its boundary, as far as they could be read."""
    complete: bool
    """Whether all roles, and everything about the uses of this one, could be read."""
    copies: tuple[CopyAnswer, ...] = ()
    """Which of its policies started as a copy of a controller's policy."""


def role_answer(library: Library, name: str) -> RoleAnswer:
    """Return a role of the last snapshot by name or ARN; NotFoundError with the nearest names, AccountError without a snapshot."""
    snapshot = library.account.required()
    role = find_role(name, snapshot)
    (subject,) = subjects_of([role], snapshot, uses_in(snapshot), library.default_versions)
    return RoleAnswer(
        snapshot.identity,
        snapshot.fetched_at,
        subject,
        trust_in_words(role.trust, snapshot.identity.account),
        findings_of(subject, surroundings_of(snapshot, datetime.now(UTC)), knowledge()),
        sum_access(
            [policy.document for policy in subject.policies if policy.document is not None],
            subject.boundary.document if subject.boundary else None,
        ),
        snapshot.complete and not subject.unseen,
        copies_on(subject),
    )


def role_side(name: str, snapshot: AccountSnapshot, defaults: DefaultVersions) -> ComparedSide:
    """Return all policies of a role as one document; InputError if a part of it could not be read.

    The boundary is not included, since it grants nothing; the label names it.
    """
    role = find_role(name, snapshot)
    (subject,) = subjects_of([role], snapshot, {}, defaults)
    unread = [policy.name for policy in subject.policies if policy.document is None]
    if unread or not subject.known_whole:
        what = f"{', '.join(unread)} of role {role.name}" if unread else f"What role {role.name} has attached"
        raise InputError(f"{what} could not be read, so the role cannot be compared as a whole.")
    label = f"role:{role.name}" + (f" (before its boundary {subject.boundary.name})" if subject.boundary else "")
    return ComparedSide(label, merged(policy.document for policy in subject.policies if policy.document))


def role_values(name: str, snapshot: AccountSnapshot) -> dict[str, str]:
    """Return a controller's parameters as far as its role determines them: partition, account, region and cluster."""
    role = find_role(name, snapshot)
    uses = uses_in(snapshot).get(role.arn or "", ())
    clusters = {use.cluster for use in uses if use.cluster}
    regions = {use.region for use in uses if use.region}
    return cluster_values(
        clusters.pop() if len(clusters) == 1 else None, regions.pop() if len(regions) == 1 else None, snapshot.identity
    )


def cluster_values(cluster: str | None, region: str | None, identity: CallerIdentity) -> dict[str, str]:
    """Return a controller's parameters as far as an account and a cluster determine them, as all projects call them."""
    known = {
        ("AWS::Partition",): identity.partition,
        ("AWS::AccountId", "YOUR_AWS_ACCOUNT_ID"): identity.account,
        ("ClusterName", "CLUSTER_NAME"): cluster,
        ("AWS::Region", "YOUR_CLUSTER_AWS_REGION"): region,
    }
    return {name: value for names, value in known.items() if value is not None for name in names}


def find_role(name: str, snapshot: AccountSnapshot) -> Role:
    """Return the role of a name, whatever its case, or an ARN; NotFoundError with the nearest names."""
    wanted = name.casefold()
    for role in snapshot.roles:
        if role.arn == name or role.name.casefold() == wanted:
            return role
    nearest = nearest_names(name, (role.name for role in snapshot.roles))
    where = f"account {snapshot.identity.account}"
    hints = [f"Nearest: {', '.join(nearest)}."] if nearest else []
    if not snapshot.complete:
        where = f"the part of {where} that was read"
        hints += [f"{error.message} {error.next_step}".strip() for error in snapshot.errors if error.source == "roles"]
    raise NotFoundError(f"There is no role {name!r} in {where}.", nearest, " ".join(hints))


def subjects_of(
    roles: Sequence[Role], snapshot: AccountSnapshot, uses: Uses, defaults: DefaultVersions
) -> tuple[RoleInUse, ...]:
    """Return roles with the documents of all their policies and with every use of them."""
    attached = {policy.arn for role in roles for policy in role.attached}
    known = defaults(attached | {role.boundary_arn for role in roles if role.boundary_arn})
    local = {policy.arn: policy for policy in snapshot.local_policies}
    return tuple(
        RoleInUse(
            role=role,
            policies=(
                *(_managed(policy.arn, known, local) for policy in role.attached),
                *(RolePolicy(policy.name, None, None, policy.document) for policy in role.inline),
            ),
            boundary=_managed(role.boundary_arn, known, local) if role.boundary_arn else None,
            uses=uses.get(role.arn, ()) if role.arn else (),
            unseen=unseen_uses(role, snapshot),
        )
        for role in roles
    )


def surroundings_of(snapshot: AccountSnapshot, now: datetime) -> Surroundings:
    """Return what findings consider besides the role."""
    return Surroundings(now, snapshot.eks, snapshot.oidc_providers, snapshot.identity.account)


def _managed(arn: str, known: Mapping[str, DefaultVersion], local: Mapping[str, LocalPolicy]) -> RolePolicy:
    name = arn.rsplit("/", 1)[-1]
    if arn in known:
        return RolePolicy(name, arn, known[arn].number, known[arn].document, known[arn].created)
    own = local.get(arn)
    if own is None:
        return RolePolicy(name, arn, None, None)
    return RolePolicy(name, arn, parse_version(own.default_version), own.document)
