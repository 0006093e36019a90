"""Where uses of a role may hide: what was to be read of EKS and was not, as far as the role's trust allows a use there."""

from ekstui.core.account import AccountSnapshot, Role
from ekstui.core.eks import Cluster
from ekstui.core.trust import Trustee, trustees

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
    """Return where uses of the role may hide, a phrase each; regions that nobody asked about are not told."""
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
    """Return what was not read of a cluster; with aws-auth in use, only EC2 could tell the nodes that it names."""
    by_map = cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP") and cluster.nodes is None
    return (*cluster.unread, *((AWS_AUTH,) if by_map else ()))
