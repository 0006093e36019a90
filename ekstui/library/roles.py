"""Roles of the account: their policies and uses, what is wrong with them, and what they may do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ekstui.change.policy import parse_version
from ekstui.eks.account_snapshot import AccountSnapshot, CallerIdentity, Group, Role, User, managed_arns
from ekstui.eks.findings.looking import findings_of, fixing_commands
from ekstui.eks.findings.subjects import AccountContext, RoleInUse, RolePolicy
from ekstui.eks.findings.table import Finding, FixPlace
from ekstui.eks.pod_credentials import PodsWithRole, pods_with_role
from ekstui.eks.trust import trust_in_words
from ekstui.eks.unseen import unseen_uses
from ekstui.eks.uses import Uses
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.access_levels import SumAccess, sum_access
from ekstui.iam.grants import merged_document
from ekstui.library.catalog import ComparedSide, DefaultVersions, knowledge, not_found
from ekstui.library.copies import CopyAnswer, all_copies_on
from ekstui.library.layers import ceilings, layers_in_force, of_role
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.sources.levels import NO_LAYERS, LayerFiles
from ekstui.sources.shipped import components


class RoleAnswer(NamedTuple):
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
    """Which of its policies started as a copy of AWS's or of a controller's policy."""
    within: tuple[str, ...] = ()
    """The further layers that `access` lies within, by name."""
    pods: tuple[PodsWithRole, ...] | None = None
    """The pods that have its credentials; None if no cluster's pods were read."""


def role_answer(library: Library, name: str, layers: LayerFiles = NO_LAYERS) -> RoleAnswer:
    """Return a role of the last snapshot, and what it may do under the given layers or those of the settings."""
    snapshot = library.account.last_snapshot_or_error()
    role = find_role(name, snapshot)
    subject = subject_of(role, snapshot, library.account.uses(snapshot), library.default_versions)
    account = snapshot.identity.account
    in_force = layers_in_force(layers, library, account)
    ceilings_of_role = () if role.service_linked else tuple(ceilings(of_role(in_force, role.arn, account)))
    return RoleAnswer(
        snapshot.identity,
        snapshot.fetched_at,
        subject,
        trust_in_words(role.trust, snapshot.identity.account),
        findings_with_commands(subject, account_context(snapshot, datetime.now(UTC)), library),
        sum_access(
            [policy.document for policy in subject.policies if policy.document is not None],
            subject.boundary.document if subject.boundary else None,
            [merged_document(policy.document for policy in ceiling.policies) for ceiling in ceilings_of_role],
        ),
        snapshot.complete and not subject.unseen,
        all_copies_on(subject, library, snapshot.identity.partition),
        tuple(ceiling.name for ceiling in ceilings_of_role),
        pods_with_role(role.arn, snapshot.clusters),
    )


def findings_with_commands(subject: RoleInUse, account: AccountContext, library: Library) -> tuple[Finding, ...]:
    """Return the findings about a role, worst first, each with the commands that fix it."""
    name, role = subject.role.arn or "", subject.role
    return tuple(
        finding_with_commands
        for finding in findings_of(subject, account)
        for cluster in (account.cluster(finding.uses[0]) if finding.uses else None,)
        for finding_with_commands in with_commands([finding], FixPlace(name, role, cluster, account), library)
    )


def with_commands(findings: Iterable[Finding], place: FixPlace, library: Library) -> tuple[Finding, ...]:
    """Return findings about one place, each with the commands that fix it."""
    with_their_commands: list[Finding] = []
    for finding in findings:
        paths = {name: library.find(name).policy.path for name in finding.policies}
        arns = {name: f"arn:{place.account.partition}:iam::aws:policy{path}{name}" for name, path in paths.items()}
        with_their_commands.append(replace(finding, commands=fixing_commands(finding, place, arns) or finding.commands))
    return tuple(with_their_commands)


def role_side(name: str, snapshot: AccountSnapshot, defaults: DefaultVersions) -> ComparedSide:
    """Return all policies of a role as one document; InputError if one was not read.

    Its boundary is not in it, as that grants nothing.
    """
    role = find_role(name, snapshot)
    subject = subject_of(role, snapshot, {}, defaults)
    unread = [policy.name for policy in subject.policies if policy.document is None]
    if unread or not subject.known_whole:
        unread_part = f"{', '.join(unread)} of role {role.name}" if unread else f"What role {role.name} has attached"
        raise InputError(f"{unread_part} could not be read, so the role cannot be compared as a whole.")
    label = f"role:{role.name}" + (f" (before its boundary {subject.boundary.name})" if subject.boundary else "")
    return ComparedSide(label, merged_document(policy.document for policy in subject.policies if policy.document))


def role_values(name: str, snapshot: AccountSnapshot, uses_of: Uses) -> dict[str, str]:
    """Return a controller's parameters as far as its role determines them: partition, account, region and cluster."""
    role = find_role(name, snapshot)
    uses = uses_of.get(role.arn or "", ())
    clusters = {use.cluster for use in uses if use.cluster}
    regions = {use.region for use in uses if use.region}
    return cluster_values(
        clusters.pop() if len(clusters) == 1 else None, regions.pop() if len(regions) == 1 else None, snapshot.identity
    )


def cluster_values(cluster: str | None, region: str | None, identity: CallerIdentity) -> dict[str, str]:
    """Return a controller's parameters as far as an account and a cluster determine them, as all projects call them."""
    values = {
        ("AWS::Partition",): identity.partition,
        ("AWS::AccountId", "YOUR_AWS_ACCOUNT_ID"): identity.account,
        ("ClusterName", "CLUSTER_NAME"): cluster,
        ("AWS::Region", "YOUR_CLUSTER_AWS_REGION"): region,
    }
    return {name: value for names, value in values.items() if value is not None for name in names}


def find_role(name: str, snapshot: AccountSnapshot) -> Role:
    """Return the role of a name, whatever its case, or an ARN; NotFoundError with the nearest names."""
    role_key = name.casefold()
    for role in snapshot.roles:
        if role.arn == name or role.name.casefold() == role_key:
            return role
    account, read_error = f"account {snapshot.identity.account}", ""
    if not snapshot.complete:
        account = f"the part of {account} that was read"
        read_error = next(
            (f"{error.message} {error.next_step}" for error in snapshot.errors if error.source == "roles"), ""
        )
    error = not_found(f"There is no role {name!r} in {account}.", name, (role.name for role in snapshot.roles))
    raise NotFoundError(error.message, error.nearest, f"{error.next_step} {read_error}".strip())


def subject_of(role: Role, snapshot: AccountSnapshot, uses: Uses, defaults: DefaultVersions) -> RoleInUse:
    """Return a role as `subjects_of` does."""
    return subjects_of([role], snapshot, uses, defaults)[0]


def subjects_of(
    roles: Sequence[Role], snapshot: AccountSnapshot, uses: Uses, defaults: DefaultVersions
) -> tuple[RoleInUse, ...]:
    """Return roles with the documents of all their policies and with every use of them."""
    managed_by_arn = managed_policies(roles, snapshot, defaults)
    return tuple(
        RoleInUse(
            role=role,
            policies=(
                *(managed_by_arn[policy.arn] for policy in role.attached),
                *(RolePolicy(policy.name, None, None, policy.document) for policy in role.inline),
            ),
            boundary=managed_by_arn[role.boundary_arn] if role.boundary_arn else None,
            uses=uses.get(role.arn, ()) if role.arn else (),
            unseen=unseen_uses(role, snapshot),
        )
        for role in roles
    )


def account_context(snapshot: AccountSnapshot, now: datetime) -> AccountContext:
    """Return what findings consider besides their subject."""
    arns = [*(role.arn for role in snapshot.roles), *(user.arn for user in snapshot.users)]
    principals = frozenset(arn for arn in arns if arn is not None)
    return AccountContext(
        now,
        knowledge(),
        snapshot.eks,
        snapshot.oidc_providers,
        snapshot.identity.account,
        snapshot.identity.partition,
        principals if snapshot.complete else None,
        components(),
    )


def managed_policies(
    entities: Sequence[Role | User | Group], snapshot: AccountSnapshot, defaults: DefaultVersions
) -> Mapping[str, RolePolicy]:
    """Return the managed policies of some roles, users and groups by ARN, boundaries included."""
    arns = {arn for entity in entities for arn in managed_arns(entity)}
    policies = {arn: RolePolicy(arn.rsplit("/", 1)[-1], arn, None, None) for arn in arns}
    for policy in snapshot.local_policies:
        if policy.arn in arns:
            policies[policy.arn] = RolePolicy(
                policy.name, policy.arn, parse_version(policy.default_version), policy.document
            )
    for arn, default in defaults(sorted(arns)).items():
        policies[arn] = replace(
            policies[arn], version=default.number, document=default.document, created=default.created
        )
    return policies
