"""The first thirty seconds of an incident: a cluster's roles, what each carries, and what is to be said about it."""

from dataclasses import dataclass
from datetime import datetime

from ekstui.core.account import AccountSnapshot, Role, Use
from ekstui.core.eks import Cluster, HealthIssue
from ekstui.core.findings import CarriedPolicy, Finding, findings_of
from ekstui.core.findings.subject import Documents, role_in_use, surroundings_of
from ekstui.core.knowledge import Knowledge
from ekstui.core.uses import Uses

_KINDS = (
    "cluster", "auto-mode-node", "nodegroup", "karpenter-node", "self-managed-node", "hybrid-node", "hyperpod-node",
    "fargate", "capability", "addon", "pod-identity", "pod-identity-target", "irsa",
)  # fmt: skip
"""The order of a cluster's roles."""

ALWAYS_UNSEEN = (
    "annotations of Kubernetes service accounts, which say whose pods use an IRSA role",
    "service control, resource and key policies",
)
"""What no call of ekstui can see."""


@dataclass(frozen=True, slots=True)
class RoleReport:
    """One role that a cluster uses."""

    arn: str
    role: Role | None
    """None where the account has no such role, or it was not seen."""
    uses: tuple[Use, ...]
    """All of them, in other clusters too: the role may be shared."""
    policies: tuple[CarriedPolicy, ...]
    boundary: CarriedPolicy | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """A cluster with its roles."""

    cluster: Cluster
    health: tuple[HealthIssue, ...]
    """What EKS itself reports; it comes first, since it often names the cause."""
    roles: tuple[RoleReport, ...]
    not_looked_at: tuple[str, ...]


def cluster_report(
    cluster: Cluster,
    snapshot: AccountSnapshot,
    uses: Uses,
    documents: Documents,
    knowledge: Knowledge,
    now: datetime,
) -> ClusterReport:
    """Return the cluster's roles with their findings, those of the cluster and its nodes first."""
    used = [(arn, of_role) for arn, of_role in uses.items() if any(_of(cluster, use) for use in of_role)]
    roles = {role.arn: role for role in snapshot.roles if role.arn is not None}
    surroundings = surroundings_of(snapshot, now)
    reports: list[RoleReport] = []
    for arn, of_role in sorted(used, key=lambda entry: (_place(cluster, entry[1]), entry[0])):
        role = roles.get(arn)
        if role is None:
            reports.append(RoleReport(arn, None, of_role, (), None, (_not_found(arn, of_role, snapshot),)))
            continue
        subject = role_in_use(role, snapshot, of_role, documents)
        found = findings_of(subject, surroundings, knowledge)
        reports.append(RoleReport(arn, role, of_role, subject.policies, subject.boundary, found))
    return ClusterReport(cluster, cluster.all_issues, tuple(reports), _not_looked_at(cluster))


def _of(cluster: Cluster, use: Use) -> bool:
    return (use.region, use.cluster) == cluster.place


def _place(cluster: Cluster, uses: tuple[Use, ...]) -> int:
    return min(_KINDS.index(use.kind) for use in uses if _of(cluster, use))


def _not_found(arn: str, uses: tuple[Use, ...], snapshot: AccountSnapshot) -> Finding:
    name = arn.rsplit("/", 1)[-1]
    own = arn.split(":", 5)[4:5] == [snapshot.identity.account]
    evidence = tuple(f"{use.kind} {use.name or ''}".rstrip() for use in uses)
    if own and snapshot.complete:
        return Finding("role-not-found", "problem", f"IAM has no role {name}, which EKS is told to use.", evidence)
    why = "it was not among the roles that could be read" if own else "it belongs to another account"
    return Finding("role-not-found", "note", f"The role {name} was not looked at: {why}.", evidence)


def _not_looked_at(cluster: Cluster) -> tuple[str, ...]:
    parts = (
        ("the cluster's description", cluster.described or None),
        ("its node groups", cluster.nodegroups),
        ("its Fargate profiles", cluster.fargate_profiles),
        ("its add-ons", cluster.addons),
        ("its access entries", cluster.access_entries),
        ("its Pod Identity associations", cluster.associations),
        ("its capabilities", cluster.capabilities),
    )
    unread = [name for name, part in parts if part is None]
    if cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP"):
        unread.append("the ConfigMap aws-auth, which may name further node roles")
    return (*unread, *ALWAYS_UNSEEN)
