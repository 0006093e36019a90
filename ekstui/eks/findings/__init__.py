"""Findings and what they are based on, and whether the conditions in `eks.toml` hold for a use of a role."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ekstui.eks.account_snapshot import Role, Use
from ekstui.eks.cluster import Addon, Cluster, EksFacts, PodIdentityAssociation
from ekstui.eks.commands import Command
from ekstui.eks.knowledge import ReleaseRange, Requirement
from ekstui.iam.conditions import Truth, every, negation, some
from ekstui.iam.document import Document
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.trust import trusts_service

Severity = Literal["problem", "advice", "note"]

Code = Literal[
    "missing-policy", "superseded-policy", "broader-than-needed", "scoping-cancelled", "principal-tag-missing", "trust-lacks-principal",
    "trust-lacks-tag-session", "irsa-wildcard-with-stringequals", "irsa-issuer-of-another-cluster", "irsa-without-sub",
    "irsa-provider-missing", "orphaned-provider", "no-recorded-activity", "role-not-found",
    "entry-missing", "entry-of-wrong-type", "auto-node-policy-missing", "capability-without-rights",
    "reserved-access-policy", "cluster-admin", "entry-principal-gone", "authentication-mode",
]  # fmt: skip

EC2_NODE_KINDS = ("nodegroup", "self-managed-node", "karpenter-node", "hyperpod-node")
"""The nodes that are EC2 instances of the account."""

NODE_KINDS = (*EC2_NODE_KINDS, "auto-mode-node", "hybrid-node")


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a role, with its evidence."""

    code: Code
    severity: Severity
    """`problem`: something fails; `advice`: it works but could be better; `note`: too little is known to say more."""
    text: str
    evidence: tuple[str, ...]
    policies: tuple[str, ...] = ()
    """AWS managed policies that would each fix it, narrowest first."""
    uses: tuple[Use, ...] = ()
    """The uses that fail or could be better; empty if it is about the role itself."""
    undecided: bool = False
    """Whether what was read does not tell if something fails."""
    commands: tuple[Command, ...] = ()
    """What fixes it, to be run in this order; empty if no command does."""

    @property
    def may_be_needed(self) -> bool:
        """Whether it is about actions that are needed only where AWS does not show it."""
        return self.code == "missing-policy" and self.severity == "note"


@dataclass(frozen=True, slots=True)
class RolePolicy:
    """A policy attached to a role, with its document."""

    name: str
    arn: str | None
    """None for an inline policy."""
    version: int | None
    document: Document | None
    """None if it could not be read."""
    created: datetime | None = None
    """When AWS made the version; None for the account's own policies."""

    @property
    def managed_by_aws(self) -> bool:
        """Whether it is AWS's own, rather than the account's with the same name."""
        return self.arn is not None and self.arn.split(":", 5)[4:5] == ["aws"]

    def applied(self) -> AppliedPolicy | None:
        """Return it for evaluation; None if it could not be read."""
        return None if self.document is None else AppliedPolicy(self.name, self.version, self.document)


@dataclass(frozen=True, slots=True)
class RoleInUse:
    """A role, its policies, and all its known uses, in any cluster and region."""

    role: Role
    policies: tuple[RolePolicy, ...]
    boundary: RolePolicy | None = None
    uses: tuple[Use, ...] = ()
    unseen: tuple[str, ...] = ()
    """Phrases for where further uses may exist, such as `Pod Identity of cluster b`; they turn findings into notes."""

    def has_attached(self, name: str) -> bool:
        """Return whether AWS's policy of that name is attached."""
        return any(policy.name == name and policy.managed_by_aws for policy in self.policies)

    @property
    def known_whole(self) -> bool:
        """Whether it is known which policies the role has, even if some could not be read."""
        return self.role.extent == "full"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known about the account besides the role."""

    now: datetime
    eks: EksFacts | None = None
    providers: tuple[str, ...] | None = None
    """ARNs of IAM's OIDC providers; None if not known."""
    account: str | None = None

    def cluster(self, use: Use) -> Cluster | None:
        """Return the cluster of a use; None if it was not read."""
        found = () if self.eks is None or use.cluster is None else self.eks.find(use.cluster, use.region)
        return found[0] if len(found) == 1 else None

    def addon(self, use: Use) -> Addon | None:
        """Return the add-on of a use; None if it is not an add-on or was not read."""
        cluster = self.cluster(use) if use.kind == "addon" and use.name else None
        return cluster.addon(use.name or "") if cluster else None

    def association(self, use: Use) -> PodIdentityAssociation | None:
        """Return the Pod Identity association of a use; None if it has none or it was not read."""
        cluster = self.cluster(use)
        if cluster is None or use.kind not in ("pod-identity", "pod-identity-target", "addon"):
            return None
        wanted = (use.namespace, use.service_account)
        found = [each for each in cluster.associations or () if (each.namespace, each.service_account) == wanted]
        return found[0] if len(found) == 1 else None


def described(use: Use) -> str:
    """Return a use in words, as evidence."""
    what = use.kind.replace("-", " ")
    if use.name:
        what += f" {use.name}"
    if use.service_account:
        what += f" {use.namespace or '*'}/{use.service_account}"
    where = f" of cluster {use.cluster}" if use.cluster and use.kind != "cluster" else f" {use.cluster or ''}".rstrip()
    if use.kind == "cluster" and use.name == use.cluster:
        where = ""
    region = f" in {use.region}" if use.region else ""
    return f"{what}{where}{region} ({use.certainty})"


def a_note_if_unseen(severity: Severity, subject: RoleInUse) -> Severity:
    """Return `note` if the role may have unknown uses, for which the finding may not hold."""
    return "note" if subject.unseen or not subject.known_whole else severity


def unseen_evidence(subject: RoleInUse) -> tuple[str, ...]:
    """Return what was not read, as evidence."""
    return tuple(f"not looked at: {place}" for place in subject.unseen)


SERVICE_ROLE_SINCE = datetime(2020, 4, 16, tzinfo=UTC)
"""When EKS began to create its service-linked role (EKS User Guide, "Amazon EKS cluster IAM role")."""

_SERVICE_ACCOUNTS = {
    "vpc-cni": ("kube-system", "aws-node"),
    "aws-ebs-csi-driver": ("kube-system", "ebs-csi-controller-sa"),
    "aws-efs-csi-driver": ("kube-system", "efs-csi-controller-sa"),
    "amazon-cloudwatch-observability": ("amazon-cloudwatch", "cloudwatch-agent"),
}
"""The service account with which each add-on calls AWS."""

IN_WORDS = {
    "auto-mode": "Auto Mode is on",
    "local-outpost": "the cluster is a local one on an Outpost",
    "not-local-outpost": "the cluster is not a local one on an Outpost",
    "created-before-2020-04-16": "the cluster was created before 2020-04-16",
    "security-groups-for-pods-or-windows": "pods have security groups of their own or nodes run Windows",
    "pod-identity-agent": "the Pod Identity agent runs",
    "vpc-cni-on-node-role": "the VPC CNI has no role of its own",
    "ipv4": "the cluster uses IPv4",
    "ipv6": "the cluster uses IPv6",
    "ecr-pull-through-cache": "an ECR pull-through cache is used",
    "cluster-details-not-in-node-config": "the node's configuration does not describe the cluster",
    "ssm-hybrid-activation": "the node is activated by Systems Manager",
}
"""Conditions as the end of `needed where …`."""


def condition_in_words(name: str) -> str:
    """Return a condition as the end of `needed where …`."""
    if name.startswith("addon:"):
        return f"it belongs to the add-on {name.removeprefix('addon:')}"
    return IN_WORDS[name]


def holds(name: str, use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    """Return whether a condition holds for a use; None if that was not read, or cannot be read from AWS."""
    if name.startswith("addon:"):
        addon = name.removeprefix("addon:")
        if use.kind == "addon":
            return use.name == addon
        return (use.namespace, use.service_account) == _SERVICE_ACCOUNTS.get(addon)
    if name == "ssm-hybrid-activation":
        trust = subject.role.trust
        return None if trust is None else trusts_service(trust, "ssm.amazonaws.com")
    cluster = surroundings.cluster(use)
    if cluster is None:
        return None
    judge = _OF_CLUSTER.get(name)
    return None if judge is None else judge(cluster)


def _outpost(cluster: Cluster) -> Truth:
    return cluster.outpost if cluster.described else None


def _branch_interfaces(cluster: Cluster) -> Truth:
    """Windows nodes have access entries of their own; AWS does not show whether pods have security groups.

    Nodes of Auto Mode have no branch interfaces, so only other nodes of such a cluster count.
    """
    entries = cluster.access_entries or ()
    if any(entry.kind == "EC2_WINDOWS" for entry in entries):
        return True
    # With the config map aws-auth, nodes need no entry.
    knows_nodes = (
        cluster.authentication_mode == "API"
        and cluster.nodegroups is not None
        and cluster.access_entries is not None
        and not any(entry.unread_nodes for entry in entries)
        and not {"nodegroups", "access_entries"}.intersection(cluster.cut_short)
    )
    others = cluster.nodegroups or any(entry.kind == "EC2_LINUX" for entry in entries)
    return False if cluster.auto_mode and knows_nodes and not others else None


def cni_on_node_role(cluster: Cluster) -> Truth:
    """An annotation of aws-node may still name a role, so this is likely only if nothing else does."""
    associated = some(
        (each.namespace, each.service_account) == ("kube-system", "aws-node") for each in cluster.associations or ()
    )
    if associated:
        return False
    addon = cluster.addon("vpc-cni")
    if addon is None or cluster.associations is None:
        return None
    return addon.role_arn is None and not addon.association_arns


def _family(family: str) -> Callable[[Cluster], Truth]:
    return lambda cluster: None if cluster.ip_family is None else cluster.ip_family == family


_OF_CLUSTER: dict[str, Callable[[Cluster], Truth]] = {
    "auto-mode": lambda cluster: cluster.auto_mode,
    "local-outpost": _outpost,
    "not-local-outpost": lambda cluster: negation(_outpost(cluster)),
    "created-before-2020-04-16": lambda cluster: (
        None if cluster.created is None else cluster.created < SERVICE_ROLE_SINCE
    ),
    "security-groups-for-pods-or-windows": _branch_interfaces,
    "pod-identity-agent": lambda cluster: True if cluster.addon("eks-pod-identity-agent") else None,
    "vpc-cni-on-node-role": cni_on_node_role,
    "ipv4": _family("ipv4"),
    "ipv6": _family("ipv6"),
}


def applies(requirement: Requirement, use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    """Return whether a requirement applies to a use, as far as was read."""
    releases = requirement.releases
    return every(
        [
            *(holds(name, use, subject, surroundings) for name in requirement.when),
            True if releases is None else releases.includes(running_release(releases, use, surroundings)),
        ]
    )


def running_release(releases: ReleaseRange, use: Use, surroundings: Surroundings) -> str:
    """Return the release of the controller in the use's cluster; empty where EKS did not install it."""
    cluster = surroundings.cluster(use)
    installed = cluster.addon(releases.of) if cluster else None
    return (installed and installed.version) or ""


def all_hold(names: tuple[str, ...], use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    """Return whether all of the conditions hold for a use."""
    return every([holds(name, use, subject, surroundings) for name in names])
