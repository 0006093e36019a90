"""Where uses of a role may hide: what was not read of EKS, as far as the role's trust lets it be used there."""

from collections.abc import Iterator

from ekstui.core.account import Role
from ekstui.core.eks import Cluster, EksFacts
from ekstui.core.trust import trustees

_EVERYTHING = frozenset({"eks", "nodes", "fargate", "irsa", "pod-identity", "capabilities"})
_SERVICES = {
    "eks.amazonaws.com": "eks",
    "ec2.amazonaws.com": "nodes",
    "ssm.amazonaws.com": "nodes",
    "rolesanywhere.amazonaws.com": "nodes",
    "eks-fargate-pods.amazonaws.com": "fargate",
    "pods.eks.amazonaws.com": "pod-identity",
    "capabilities.eks.amazonaws.com": "capabilities",
}


def unseen_uses(role: Role, eks: EksFacts | None) -> tuple[str, ...]:
    """Return what was not read and may use the role, a phrase each; regions that nobody asked about are not told."""
    if eks is None:
        return ("EKS, which was not asked",)
    ways = _ways(role)
    return tuple(phrase for cluster in eks.clusters for phrase in _of_cluster(cluster, ways))


def _ways(role: Role) -> frozenset[str]:
    """Return the ways in which the role's trust lets EKS use it; all of them where the trust could not be read."""
    if role.trust is None:
        return _EVERYTHING
    ways: set[str] = set()
    for trustee in trustees(role.trust):
        if trustee.kind == "irsa":
            ways.add("irsa")
        elif trustee.kind == "anyone":
            return _EVERYTHING
        elif (way := _SERVICES.get(trustee.name.removesuffix(".cn"))) is not None:
            ways.add(way)
    return frozenset(ways)


def _of_cluster(cluster: Cluster, ways: frozenset[str]) -> Iterator[str]:
    where = f"of cluster {cluster.name} in {cluster.region}"
    if not cluster.described and ways & {"eks", "nodes", "irsa"}:
        yield f"the description {where}"
    if "nodes" in ways:
        if cluster.nodegroups is None:
            yield f"the node groups {where}"
        if cluster.access_entries is None and cluster.authentication_mode != "CONFIG_MAP":
            yield f"the access entries {where}"
        if cluster.authentication_mode in ("CONFIG_MAP", "API_AND_CONFIG_MAP") and cluster.nodes is None:
            yield f"the ConfigMap aws-auth {where}"
    if "fargate" in ways and cluster.fargate_profiles is None:
        yield f"the Fargate profiles {where}"
    if ways & {"irsa", "pod-identity"} and cluster.addons is None:
        yield f"the add-ons {where}"
    if "pod-identity" in ways:
        if cluster.associations is None:
            yield f"the Pod Identity associations {where}"
        elif any(each.role_arn is None for each in cluster.associations):
            yield f"some Pod Identity associations {where}"
    if "capabilities" in ways and cluster.capabilities is None:
        yield f"the capabilities {where}"
