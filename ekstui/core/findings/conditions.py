"""The conditions that requirements in `eks.toml` name: whether they hold for one use of a role."""

from collections.abc import Callable
from datetime import UTC, datetime

from ekstui.core.account import Use
from ekstui.core.conditions.truth import Truth, every, negation, some
from ekstui.core.eks import Cluster
from ekstui.core.findings.finding import RoleInUse, Surroundings
from ekstui.core.trust import trusts_service

SERVICE_ROLE_SINCE = datetime(2020, 4, 16, tzinfo=UTC)
"""When EKS began to make its service-linked role (EKS User Guide, "Amazon EKS cluster IAM role")."""

_SERVICE_ACCOUNTS = {
    "vpc-cni": ("kube-system", "aws-node"),
    "aws-ebs-csi-driver": ("kube-system", "ebs-csi-controller-sa"),
    "aws-efs-csi-driver": ("kube-system", "efs-csi-controller-sa"),
    "amazon-cloudwatch-observability": ("amazon-cloudwatch", "cloudwatch-agent"),
}
"""The service account that each add-on calls AWS with."""

IN_WORDS = {
    "auto-mode": "Auto Mode is on",
    "local-outpost": "the cluster is a local one on an Outpost",
    "not-local-outpost": "the cluster is no local one on an Outpost",
    "created-before-2020-04-16": "the cluster was made before 2020-04-16",
    "security-groups-for-pods-or-windows": "pods have security groups of their own or nodes run Windows",
    "pod-identity-agent": "the Pod Identity agent runs",
    "vpc-cni-on-node-role": "the VPC CNI has no role of its own",
    "newer-vpc-cni": "its release is a newer one",
    "ipv4": "the cluster uses IPv4",
    "ipv6": "the cluster uses IPv6",
    "ecr-pull-through-cache": "an ECR pull-through cache is used",
    "cluster-details-not-in-node-config": "the node's configuration does not describe the cluster",
    "ssm-hybrid-activation": "the node is activated by Systems Manager",
}
"""Conditions as the end of `needed where …`."""


def condition_in_words(name: str) -> str:
    """Return a condition as the end of `needed where …`."""
    return f"it belongs to the add-on {name.removeprefix('addon:')}" if name.startswith("addon:") else IN_WORDS[name]


def holds(name: str, use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    """Return whether a condition holds for a use; None where it was not looked at, or cannot be seen from AWS."""
    if name.startswith("addon:"):
        return _belongs_to_addon(name.removeprefix("addon:"), use)
    if name == "ssm-hybrid-activation":
        trust = subject.role.trust
        return None if trust is None else trusts_service(trust, "ssm.amazonaws.com")
    cluster = surroundings.cluster(use)
    if cluster is None:
        return None
    judge = _OF_CLUSTER.get(name)
    return None if judge is None else judge(cluster)


def _belongs_to_addon(addon: str, use: Use) -> Truth:
    if use.kind == "addon":
        return use.name == addon
    return (use.namespace, use.service_account) == _SERVICE_ACCOUNTS.get(addon)


def _outpost(cluster: Cluster) -> Truth:
    return cluster.outpost if cluster.described else None


def _made_before(cluster: Cluster) -> Truth:
    return None if cluster.created is None else cluster.created < SERVICE_ROLE_SINCE


def _branch_interfaces(cluster: Cluster) -> Truth:
    """Windows nodes have access entries of their own; whether pods have security groups is not to be seen from AWS."""
    return True if any(entry.kind == "EC2_WINDOWS" for entry in cluster.access_entries or ()) else None


def _agent(cluster: Cluster) -> Truth:
    if cluster.addons is None:
        return None
    return any(addon.name == "eks-pod-identity-agent" for addon in cluster.addons) or None


def _cni_on_node_role(cluster: Cluster) -> Truth:
    """The annotation of aws-node may still name a role, so only the absence of every other way makes it likely."""
    associated = some(
        (each.namespace, each.service_account) == ("kube-system", "aws-node") for each in cluster.associations or ()
    )
    if associated:
        return False
    addon = next((each for each in cluster.addons or () if each.name == "vpc-cni"), None)
    if addon is None or cluster.associations is None:
        return None
    return addon.role_arn is None and not addon.association_arns


def _family(family: str) -> Callable[[Cluster], Truth]:
    return lambda cluster: None if cluster.ip_family is None else cluster.ip_family == family


_OF_CLUSTER: dict[str, Callable[[Cluster], Truth]] = {
    "auto-mode": lambda cluster: cluster.auto_mode,
    "local-outpost": _outpost,
    "not-local-outpost": lambda cluster: negation(_outpost(cluster)),
    "created-before-2020-04-16": _made_before,
    "security-groups-for-pods-or-windows": _branch_interfaces,
    "pod-identity-agent": _agent,
    "vpc-cni-on-node-role": _cni_on_node_role,
    "ipv4": _family("ipv4"),
    "ipv6": _family("ipv6"),
}


def all_hold(names: tuple[str, ...], use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    """Return whether all of the conditions hold for a use."""
    return every([holds(name, use, subject, surroundings) for name in names])
