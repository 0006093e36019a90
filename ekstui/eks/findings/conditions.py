"""Whether the conditions in `eks.toml` hold for a use of a role."""

from collections.abc import Callable
from datetime import UTC, datetime

from ekstui.eks.account_snapshot import Use
from ekstui.eks.cluster import Cluster
from ekstui.eks.findings.subjects import AccountContext, RoleInUse
from ekstui.eks.knowledge import ReleaseRange, Requirement
from ekstui.eks.trust import trusts_service
from ekstui.iam.truth import Truth, every, negation
from ekstui.named_tuples import NamedTuple

SERVICE_ROLE_SINCE = datetime(2020, 4, 16, tzinfo=UTC)
"""When EKS began to create its service-linked role (EKS User Guide, "Amazon EKS cluster IAM role")."""

_SERVICE_ACCOUNTS = {
    "vpc-cni": ("kube-system", "aws-node"),
    "aws-ebs-csi-driver": ("kube-system", "ebs-csi-controller-sa"),
    "aws-efs-csi-driver": ("kube-system", "efs-csi-controller-sa"),
    "amazon-cloudwatch-observability": ("amazon-cloudwatch", "cloudwatch-agent"),
}
"""The service account with which each add-on calls AWS."""


def condition_in_words(name: str) -> str:
    """Return a condition as the end of `needed where …`."""
    if name.startswith("addon:"):
        return f"it belongs to the add-on {name.removeprefix('addon:')}"
    return _CONDITIONS[name].words


def condition_holds_for(name: str, use: Use, subject: RoleInUse, account: AccountContext) -> Truth:
    """Return whether a condition holds for a use; None if that was not read, or cannot be read from AWS."""
    if name.startswith("addon:"):
        addon = name.removeprefix("addon:")
        if use.kind == "addon":
            return use.name == addon
        return (use.namespace, use.service_account) == _SERVICE_ACCOUNTS.get(addon)
    if name == "session-tags":
        return use.session_tags
    if name == "ssm-hybrid-activation":
        trust = subject.role.trust
        return None if trust is None else trusts_service(trust, "ssm.amazonaws.com")
    cluster = account.cluster(use)
    if cluster is None:
        return None
    return _CONDITIONS[name].holds(cluster)


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
    other_nodes = cluster.nodegroups or any(entry.kind == "EC2_LINUX" for entry in entries)
    return False if cluster.auto_mode and knows_nodes and not other_nodes else None


def cni_on_node_role(cluster: Cluster) -> Truth:
    """An annotation of aws-node may still name a role, so this is likely only if nothing else does."""
    if cluster.association("kube-system", "aws-node"):
        return False
    addon = cluster.addon("vpc-cni")
    if addon is None or cluster.associations is None:
        return None
    return addon.role_arn is None and not addon.association_arns


def _family(family: str) -> Callable[[Cluster], Truth]:
    return lambda cluster: None if cluster.ip_family is None else cluster.ip_family == family


class _Condition(NamedTuple):
    words: str
    """As the end of `needed where …`."""
    holds: Callable[[Cluster], Truth] = lambda _: None
    """Whether it holds for a cluster, as far as AWS shows that."""


_CONDITIONS = {
    "auto-mode": _Condition("Auto Mode is on", lambda cluster: cluster.auto_mode),
    "local-outpost": _Condition("the cluster is a local one on an Outpost", _outpost),
    "not-local-outpost": _Condition(
        "the cluster is not a local one on an Outpost", lambda cluster: negation(_outpost(cluster))
    ),
    "created-before-2020-04-16": _Condition(
        "the cluster was created before 2020-04-16",
        lambda cluster: None if cluster.created is None else cluster.created < SERVICE_ROLE_SINCE,
    ),
    "security-groups-for-pods-or-windows": _Condition(
        "pods have security groups of their own or nodes run Windows", _branch_interfaces
    ),
    "pod-identity-agent": _Condition(
        "the Pod Identity agent runs", lambda cluster: True if cluster.addon("eks-pod-identity-agent") else None
    ),
    "vpc-cni-on-node-role": _Condition("the VPC CNI has no role of its own", cni_on_node_role),
    "ipv4": _Condition("the cluster uses IPv4", _family("ipv4")),
    "ipv6": _Condition("the cluster uses IPv6", _family("ipv6")),
    "ecr-pull-through-cache": _Condition("an ECR pull-through cache is used"),
    "cluster-details-not-in-node-config": _Condition("the node's configuration does not describe the cluster"),
    "ssm-hybrid-activation": _Condition("the node is activated by Systems Manager"),
    "session-tags": _Condition("sessions have EKS's tags"),
}


def applies(requirement: Requirement, use: Use, subject: RoleInUse, account: AccountContext) -> Truth:
    """Return whether a requirement applies to a use, as far as was read."""
    releases = requirement.releases
    in_range = True if releases is None else releases.includes(running_release(releases, use, account))
    return every([all_hold(requirement.when, use, subject, account), in_range])


def running_release(releases: ReleaseRange, use: Use, account: AccountContext) -> str:
    """Return the release of the controller in the use's cluster; empty where EKS did not install it."""
    cluster = account.cluster(use)
    addon = cluster.addon(releases.of) if cluster else None
    return (addon and addon.version) or ""


def all_hold(names: tuple[str, ...], use: Use, subject: RoleInUse, account: AccountContext) -> Truth:
    """Return whether all of the conditions hold for a use."""
    return every([condition_holds_for(name, use, subject, account) for name in names])
