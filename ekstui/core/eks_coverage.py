"""What was read of EKS and what was not: where a role may be used unseen, and a cluster's roles by how they are used."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

from ekstui.core.account import AccountSnapshot, Role, Use, UseKind
from ekstui.core.eks import Cluster
from ekstui.core.trust import Trustee, eks_region, issuer_of, trustees, trusts_service

AWS_AUTH = "the aws-auth ConfigMap"
"""What only the cluster itself holds, and names the roles of nodes beside access entries or in place of them."""

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
"""By service that a role trusts, the parts of a cluster that may use the role, in the words of `Cluster.unread`."""

DESCRIPTION = "the cluster's own description"


def unseen_uses(role: Role, snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return where uses of the role may hide, a phrase each; regions that nobody asked about are left out."""
    ways = _ways(role)
    if ways is not None and not ways:
        return ()
    if snapshot.eks is None:
        return ("clusters",)
    regions = {error.region for error in snapshot.errors if error.source == "clusters" and error.subject is None}
    failed = [f"clusters in {region}" for region in sorted(region for region in regions if region)]
    parts = [
        f"{part} of cluster {cluster.name} in {cluster.region}"
        for cluster in snapshot.eks.clusters
        for part in _unread(cluster)
        if ways is None or part in ways
    ]
    return (*failed, *parts)


def _ways(role: Role) -> frozenset[str] | None:
    """Return the parts of a cluster that the role's trust lets use it; None where any may."""
    if role.trust is None:
        return None
    parts: set[str] = set()
    for trustee in trustees(role.trust):
        if trustee.kind == "anyone":
            return None
        parts.update(_ways_of(trustee))
    return frozenset(parts)


def _ways_of(trustee: Trustee) -> frozenset[str]:
    if trustee.kind == "irsa":
        return frozenset({"add-ons", DESCRIPTION})
    if trustee.kind in ("account", "role", "session"):
        return frozenset({"Pod Identity", DESCRIPTION})  # as the target role of an association
    parts = _PARTS.get(trustee.name.removesuffix(".cn"))
    return frozenset() if parts is None else parts | {DESCRIPTION}


def _unread(cluster: Cluster) -> tuple[str, ...]:
    """Return what was not read of a cluster; with aws-auth in use, only EC2 knows the nodes that it names."""
    by_map = cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP") and cluster.nodes is None
    return (*cluster.unread, *((AWS_AUTH,) if by_map else ()))


def regions_of_interest(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return the configured region, those of the OIDC providers' clusters, and those where cluster roles were used."""
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
"""How a cluster uses a role; `issuer`: the role trusts the cluster's issuer, but no service account can assume it."""

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
"""In the order in which they are shown."""

ROLES = "the account's roles"
"""What was not read where the list of roles is not whole."""

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
"""What shows each of them, in the words of `Cluster.unread`."""


class Branch(NamedTuple):
    """The roles that a cluster uses in one way."""

    way: Way
    roles: tuple[tuple[str, tuple[Use, ...]], ...]
    """By name: each role's ARN, with its uses of this way."""
    unread: tuple[str, ...]
    """What was not read and may name more roles; only where this is empty does no role mean that there is none."""
    looked_at: bool
    """Whether anything that would show it was read."""


def branches(cluster: Cluster, roles: Mapping[str, Sequence[Use]], *, roles_complete: bool) -> tuple[Branch, ...]:
    """Return a branch for every way in which a cluster can use roles; a role that is used in two ways is in both.

    `roles` holds the uses in this cluster by ARN; `roles_complete` says whether all roles of the account were read.
    """
    # A cluster that was not described says no more than that of itself; its parts may have been read all the same.
    unread = {*cluster.unread, *replace(cluster, described=True).unread, *(() if roles_complete else (ROLES,))}
    if cluster.authentication_mode != "API":
        # EC2 shows the nodes that run, but only the cluster itself knows whom else the map lets join.
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
