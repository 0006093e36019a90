"""What was read of EKS and what was not: where a role may be used unnoticed, and how a cluster uses its roles."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from ekstui.core.account_snapshot import AccountSnapshot, Role, Use, UseKind
from ekstui.core.eks import Cluster
from ekstui.core.trust import Trustee, eks_region, issuer_of, trustees, trusts_service

AWS_AUTH = "the aws-auth ConfigMap"
"""Only the cluster itself knows it; it names the roles of nodes in addition to access entries, or in place of them."""

_NODES = frozenset({"node groups", "access entries", "EC2 instances", AWS_AUTH})
_PARTS = {
    "ec2.amazonaws.com": _NODES,
    "ssm.amazonaws.com": frozenset({"access entries", AWS_AUTH}),
    "rolesanywhere.amazonaws.com": frozenset({"access entries", AWS_AUTH}),
    "eks.amazonaws.com": frozenset[str](),
    "eks-fargate-pods.amazonaws.com": frozenset({"Fargate profiles"}),
    "pods.eks.amazonaws.com": frozenset({"Pod Identity", "add-ons"}),
    "capabilities.eks.amazonaws.com": frozenset({"capabilities"}),
}
"""The parts of a cluster that may use a role, by the service that the role trusts, in the words of `Cluster.unread`."""

DESCRIPTION = "the cluster's own description"


def unseen_uses(role: Role, snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return where the role may be used unnoticed, as phrases; regions that were not requested are left out."""
    parts_used = _parts_of(role)
    if parts_used is not None and not parts_used:
        return ()
    if snapshot.eks is None:
        return ("clusters",)
    regions = {error.region for error in snapshot.errors if error.source == "clusters" and error.subject is None}
    failed = [f"clusters in {region}" for region in sorted(region for region in regions if region)]
    parts = [
        f"{part} of cluster {cluster.name} in {cluster.region}"
        for cluster in snapshot.eks.clusters
        for part in _unread(cluster)
        if parts_used is None or part in parts_used
    ]
    return (*failed, *parts)


def _parts_of(role: Role) -> frozenset[str] | None:
    """Return the parts of a cluster that can use a role according to its trust policy; None if any can."""
    if role.trust is None:
        return None
    parts: set[str] = set()
    for trustee in trustees(role.trust):
        if trustee.kind == "anyone":
            return None
        parts.update(_parts_trusted(trustee))
    return frozenset(parts)


def _parts_trusted(trustee: Trustee) -> frozenset[str]:
    if trustee.kind == "irsa":
        return frozenset({"add-ons", DESCRIPTION})
    if trustee.kind in ("account", "role", "session"):
        return frozenset({"Pod Identity", DESCRIPTION})  # as the target role of an association
    parts = _PARTS.get(trustee.name.removesuffix(".cn"))
    return frozenset() if parts is None else parts | {DESCRIPTION}


def _unread(cluster: Cluster) -> tuple[str, ...]:
    """Return what was not read of a cluster; if aws-auth is in use, only EC2 knows the nodes that it names."""
    by_map = cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP") and cluster.nodes is None
    return (*cluster.unread, *((AWS_AUTH,) if by_map else ()))


def regions_of_interest(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return the configured region, the regions of the OIDC providers' clusters, and those where cluster roles were used."""
    regions = [snapshot.identity.region] if snapshot.identity.region else []
    regions.extend(
        region for arn in snapshot.oidc_providers or () if (region := eks_region(issuer_of(arn))) is not None
    )
    regions.extend(
        role.last_used_region
        for role in snapshot.roles
        if role.last_used_region is not None and trusts_service(role.trust, "eks.amazonaws.com")
    )
    return tuple(dict.fromkeys(regions))


Way = UseKind | Literal["issuer"]
"""How a cluster uses a role. `issuer`: the role trusts the cluster's issuer, but no service account can assume it."""

WAY_WORDS: dict[Way, str] = {
    "cluster": "cluster role",
    "nodegroup": "node groups",
    "self-managed-node": "self-managed nodes",
    "karpenter-node": "Karpenter nodes",
    "auto-mode-node": "Auto Mode nodes",
    "hybrid-node": "hybrid nodes",
    "hyperpod-node": "HyperPod nodes",
    "fargate": "Fargate profiles",
    "addon": "add-ons",
    "pod-identity": "Pod Identity",
    "pod-identity-target": "Pod Identity targets",
    "irsa": "IRSA",
    "issuer": "trust in the cluster's issuer that no service account fits",
    "capability": "capabilities",
}
"""In display order."""

ROLES = "the account's roles"
"""What was not read if the list of roles is incomplete."""

_SOURCES: dict[Way, tuple[str, ...]] = {
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
"""The parts of a cluster that reveal each of them, in the words of `Cluster.unread`."""


class Branch(NamedTuple):
    """The roles that a cluster uses in one way."""

    way: Way
    roles: tuple[tuple[str, tuple[Use, ...]], ...]
    """Role ARNs, sorted by name, with their uses of this kind."""
    unread: tuple[str, ...]
    """What was not read and may name more roles. If it is not empty, there may be roles even if none is listed."""
    looked_at: bool
    """Whether anything that would reveal a role was read."""


def branches(cluster: Cluster, roles: Mapping[str, Sequence[Use]], *, roles_complete: bool) -> tuple[Branch, ...]:
    """Return a branch for every way in which a cluster can use roles; a role used in two ways is in both.

    `roles` are the uses in this cluster by role ARN; `roles_complete` tells whether all roles of the account were read.
    """
    # The parts of a cluster may have been read even if the cluster itself was not described.
    unread = {*cluster.unread, *replace(cluster, described=True).unread, *(() if roles_complete else (ROLES,))}
    if cluster.authentication_mode != "API":
        # EC2 shows the running nodes, but only the cluster itself knows who else may join by aws-auth.
        unread.add(AWS_AUTH)
    found: dict[Way, dict[str, tuple[Use, ...]]] = {way: {} for way in WAY_WORDS}
    for arn, uses in sorted(roles.items(), key=lambda role: (role[0].rpartition("/")[2].casefold(), role[0])):
        for use in uses:
            found[use.kind][arn] = (*found[use.kind].get(arn, ()), use)
        if not uses:
            found["issuer"][arn] = ()
    return tuple(
        Branch(
            way,
            tuple(each.items()),
            tuple(part for part in _SOURCES[way] if part in unread),
            bool(set(_SOURCES[way]) - unread),
        )
        for way, each in found.items()
    )
