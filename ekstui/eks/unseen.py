"""What was not read of EKS and may use a role: of one role, and of each way in which a cluster uses roles."""

from collections.abc import Mapping, Sequence
from typing import Literal

from ekstui.eks.account_snapshot import AccountSnapshot, Role, Use, UseKind
from ekstui.eks.cluster import DESCRIPTION, Cluster
from ekstui.eks.trust import trustees
from ekstui.named_tuples import NamedTuple

AWS_AUTH = "the aws-auth ConfigMap"
"""Only the cluster itself knows it; it names the roles of nodes in addition to access entries, or in place of them."""

_PARTS: dict[str, tuple[str, ...]] = {
    "ec2.amazonaws.com": ("node groups", "access entries", "EC2 instances", AWS_AUTH),
    "ssm.amazonaws.com": ("access entries", AWS_AUTH),
    "rolesanywhere.amazonaws.com": ("access entries", AWS_AUTH),
    "eks.amazonaws.com": (),
    "eks-fargate-pods.amazonaws.com": ("Fargate profiles",),
    "pods.eks.amazonaws.com": ("Pod Identity", "add-ons"),
    "capabilities.eks.amazonaws.com": ("capabilities",),
}
"""The parts of a cluster that may use a role, by the service that the role trusts, in the words of `Cluster.unread`."""


def unseen_uses(role: Role, snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return where the role may be used unnoticed, as phrases; regions that were not requested are left out."""
    parts_used = _parts_of(role)
    if parts_used == set():
        return ()
    if snapshot.eks is None:
        return ("clusters",)
    regions = {error.region for error in snapshot.errors if error.source == "clusters" and error.subject is None}
    unread_clusters = [f"clusters in {region}" for region in sorted(region for region in regions if region)]
    parts = [
        f"{part} of cluster {cluster.name} in {cluster.region}"
        for cluster in snapshot.eks.clusters
        for part in _unread(cluster)
        if parts_used is None or part in parts_used
    ]
    return (*unread_clusters, *parts)


def _parts_of(role: Role) -> set[str] | None:
    """Return the parts of a cluster that can use a role according to its trust policy; None if any can."""
    trusted_principals = trustees(role.trust)
    if role.trust is None or any(trustee.kind == "anyone" for trustee in trusted_principals):
        return None
    parts: set[str] = set()
    for trustee in trusted_principals:
        if trustee.kind == "irsa":
            parts |= {"add-ons", DESCRIPTION}
        elif trustee.kind in ("account", "role", "session"):
            parts |= {"Pod Identity", DESCRIPTION}  # as the target role of an association
        elif (service_parts := _PARTS.get(trustee.name.removesuffix(".cn"))) is not None:
            parts |= {*service_parts, DESCRIPTION}
    return parts


def _unread(cluster: Cluster) -> tuple[str, ...]:
    """Return what was not read of a cluster; if aws-auth is in use, only EC2 knows the nodes that it names."""
    return (*cluster.unread, AWS_AUTH) if _lacks_aws_auth(cluster) and cluster.nodes is None else cluster.unread


def _lacks_aws_auth(cluster: Cluster) -> bool:
    """Return whether aws-auth counts in a cluster and was not read."""
    return cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP") and not cluster.knows_aws_auth


def unread_inside(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return what only Kubernetes knows and was not read from it, as phrases."""
    clusters = snapshot.clusters
    notes: list[str] = []
    if by_map := [cluster.name for cluster in clusters if _lacks_aws_auth(cluster)]:
        notes.append(f"the aws-auth ConfigMap inside {', '.join(by_map)}, which may name more roles of nodes")
    read_clusters = [
        cluster for cluster in clusters if cluster.kubernetes and "service accounts" in cluster.kubernetes.whole
    ]
    if any(not role.service_linked for role in snapshot.roles) and (not clusters or len(read_clusters) < len(clusters)):
        places = (
            ", ".join(cluster.name for cluster in clusters if cluster not in read_clusters)
            if read_clusters
            else "the clusters"
        )
        notes.append(f"service accounts' annotations inside {places}, so IRSA is inferred from trust policies")
    return tuple(notes)


UseWay = UseKind | Literal["issuer"]
"""How a cluster uses a role. `issuer`: the role trusts the cluster's issuer, but no service account can assume it."""

ROLES = "the account's roles"
"""What was not read if the list of roles is incomplete."""

_SOURCES: dict[UseWay, tuple[str, ...]] = {
    "cluster": (DESCRIPTION,),
    "nodegroup": ("node groups",),
    "self-managed-node": ("access entries", "EC2 instances", AWS_AUTH, ROLES),
    "karpenter-node": ("access entries", "EC2 instances", AWS_AUTH, ROLES),
    "auto-mode-node": (DESCRIPTION, "access entries"),
    "hybrid-node": ("access entries", AWS_AUTH),
    "hyperpod-node": ("access entries",),
    "fargate": ("Fargate profiles",),
    "addon": ("add-ons", "Pod Identity"),
    "pod-identity": ("Pod Identity",),
    "pod-identity-target": ("Pod Identity",),
    "irsa": (DESCRIPTION, ROLES),
    "issuer": (DESCRIPTION, ROLES),
    "capability": ("capabilities",),
}
"""The parts of a cluster that reveal each of them, in the words of `Cluster.unread`; in display order."""


class Branch(NamedTuple):
    """The roles that a cluster uses in one way."""

    way: UseWay
    roles: tuple[tuple[str, tuple[Use, ...]], ...]
    """Role ARNs, sorted by name, with their uses of this kind."""
    unread: tuple[str, ...]
    """What was not read and may name more roles. If it is not empty, there may be roles even if none is listed."""
    looked_at: bool
    """Whether anything that would reveal a role was read."""


def branches(cluster: Cluster, roles: Mapping[str, Sequence[Use]], *, roles_complete: bool) -> tuple[Branch, ...]:
    """Return a branch for each way in which a cluster can use roles, with its uses by the role's ARN.

    A role that is used in two ways is in both branches.
    """
    # The parts of a cluster may have been read even if the cluster itself was not described.
    unread = {*cluster.unread, *cluster._replace(described=True).unread, *(() if roles_complete else (ROLES,))}
    if cluster.authentication_mode != "API" and not cluster.knows_aws_auth:
        # EC2 shows the running nodes, but only the cluster itself knows who else may join by aws-auth.
        unread.add(AWS_AUTH)
    by_way: dict[UseWay, dict[str, tuple[Use, ...]]] = {way: {} for way in _SOURCES}
    for arn, uses in sorted(roles.items(), key=lambda role: (role[0].rpartition("/")[2].casefold(), role[0])):
        for use in uses:
            by_way[use.kind][arn] = (*by_way[use.kind].get(arn, ()), use)
        if not uses:
            by_way["issuer"][arn] = ()
    return tuple(
        Branch(
            way,
            tuple(roles_of_way.items()),
            tuple(part for part in _SOURCES[way] if part in unread),
            bool(set(_SOURCES[way]) - unread),
        )
        for way, roles_of_way in by_way.items()
    )
