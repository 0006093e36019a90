"""What EKS knows about clusters and the roles they use, as values."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ekstui.eks.pods import AuthMapping, KubernetesFacts, Pod
from ekstui.named_tuples import NamedTuple

ClusterPlace = tuple[str, str]
"""A cluster's region and name: names are unique within a region only."""


def may_be_nodes(principal: str) -> bool:
    """Return whether the principal of an access entry may be a node role, rather than a user or an SSO role."""
    return ":role/" in principal and "/aws-reserved/sso.amazonaws.com/" not in principal


class HealthIssue(NamedTuple):
    """A problem that EKS itself reports, such as `IamNodeRoleNotFound`."""

    kind: str
    """`cluster`, `nodegroup`, `fargate`, `addon` or `capability`."""
    name: str
    code: str
    message: str
    resources: tuple[str, ...] = ()


class NodeGroup(NamedTuple):
    """A managed node group."""

    name: str
    role_arn: str | None
    issues: tuple[HealthIssue, ...] | None = ()
    """None if its description does not say."""


class FargateProfile(NamedTuple):
    """A Fargate profile and its pod execution role."""

    name: str
    role_arn: str | None
    issues: tuple[HealthIssue, ...] | None = ()
    """None if its description does not say."""


class Addon(NamedTuple):
    """An installed add-on, its role and the permissions that EKS says it needs."""

    name: str
    version: str | None
    role_arn: str | None
    """The role of its service account (IRSA), if any."""
    association_arns: tuple[str, ...] = ()
    """Pod Identity associations that the add-on owns."""
    requires_permissions: bool | None = None
    """Whether EKS says that this version needs IAM permissions; None if EKS was not asked."""
    recommended_policies: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    """Service accounts with the ARNs of the policies that EKS recommends for them; None if EKS was not asked."""
    issues: tuple[HealthIssue, ...] | None = ()
    """None if its description does not say."""


AccessScope = Literal["cluster", "namespace"]


class AssociatedPolicy(NamedTuple):
    """An EKS access policy of an access entry, and where it applies."""

    policy_arn: str
    namespaces: tuple[str, ...] | None = None
    """None for the whole cluster; names, or patterns such as `dev-*`."""

    @property
    def policy(self) -> str:
        """The access policy's name."""
        return self.policy_arn.rpartition("/")[2]

    @property
    def scope(self) -> AccessScope:
        """What EKS calls it."""
        return "cluster" if self.namespaces is None else "namespace"


class AccessEntry(NamedTuple):
    """A principal that may join or use the cluster."""

    principal_arn: str
    kind: str | None
    """`STANDARD`, `EC2_LINUX`, `EC2_WINDOWS`, `FARGATE_LINUX`, `EC2`, `HYBRID_LINUX` or `HYPERPOD_LINUX`.

    None if the entry was not described; those of users and SSO roles are described only when a cluster is shown.
    """
    username: str | None = None
    """The principal's Kubernetes user name; None if the entry was not described."""
    groups: tuple[str, ...] = ()
    """Kubernetes groups; only the cluster knows what is bound to them."""
    policies: tuple[AssociatedPolicy, ...] | None = None
    """Its access policies; None if they were not read."""

    @property
    def takes_policies(self) -> bool:
        """Whether an entry of its type can have access policies; true also if the type is not known."""
        return self.kind in (None, "STANDARD", "EC2")

    @property
    def unread_nodes(self) -> bool:
        """Whether it may be a node role's and was not described."""
        return self.kind is None and may_be_nodes(self.principal_arn)


class Capability(NamedTuple):
    """An EKS capability (ACK, Argo CD, KRO) and its role."""

    name: str
    kind: str | None
    """`ACK`, `KRO` or `ARGOCD`; None if it was not described."""
    role_arn: str | None
    issues: tuple[HealthIssue, ...] | None = ()
    """None if its description does not say."""


class PodIdentityAssociation(NamedTuple):
    """A service account's role by Pod Identity."""

    id: str
    namespace: str
    service_account: str
    role_arn: str | None
    """None if the association was not described."""
    target_role_arn: str | None = None
    session_policy: str | None = None
    """A policy that limits the session further, as JSON text."""
    session_tags: bool = True
    """Whether sessions have EKS's tags, such as `eks-cluster-name`."""
    owner_arn: str | None = None
    """The add-on that owns it, if any."""
    created: datetime | None = None
    """None if it was not described."""


class Ec2Node(NamedTuple):
    """EC2 instances that belong to the cluster according to their tags, grouped by instance profile."""

    instance_profile_arn: str
    karpenter_pool: str | None
    """The Karpenter node pool, from the tag `karpenter.sh/nodepool`."""
    count: int  # type: ignore[assignment]  # over the method of tuples, which nobody calls
    """Instances seen."""


class Cluster(NamedTuple):
    """A cluster and everything that was read of it; a part that was not read is None, never empty."""

    name: str
    region: str
    arn: str | None = None
    role_arn: str | None = None
    issuer: str | None = None
    """The OIDC issuer without `https://`."""
    endpoint: str | None = None
    """The URL of its Kubernetes API."""
    version: str | None = None
    created: datetime | None = None
    authentication_mode: str | None = None
    """`API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`."""
    auto_mode: bool | None = None
    """Whether Auto Mode compute is enabled; None if the cluster was not described."""
    auto_mode_node_role_arn: str | None = None
    outpost: bool = False
    ip_family: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    described: bool = False
    """Whether the cluster itself was described, so that its role and issuer are known."""
    issues: tuple[HealthIssue, ...] | None = ()
    """Those of the cluster itself; None if its description does not say."""
    nodegroups: tuple[NodeGroup, ...] | None = None
    fargate_profiles: tuple[FargateProfile, ...] | None = None
    addons: tuple[Addon, ...] | None = None
    access_entries: tuple[AccessEntry, ...] | None = None
    capabilities: tuple[Capability, ...] | None = None
    associations: tuple[PodIdentityAssociation, ...] | None = None
    nodes: tuple[Ec2Node, ...] | None = None
    cut_short: tuple[str, ...] = ()
    """Fields above whose lists are incomplete."""
    kubernetes: KubernetesFacts | None = None
    """What was read of its Kubernetes; EKS does not show it."""

    @property
    def place(self) -> ClusterPlace:
        """Where the cluster is: region and name."""
        return self.region, self.name

    @property
    def pods(self) -> tuple[Pod, ...] | None:
        """The pods of its Kubernetes."""
        return self.kubernetes.pods if self.kubernetes else None

    def addon(self, name: str) -> Addon | None:
        """Return the add-on of a name; None if the cluster has none, or its add-ons were not read."""
        return next((addon for addon in self.addons or () if addon.name == name), None)

    def association(self, namespace: str | None, service_account: str | None) -> PodIdentityAssociation | None:
        """Return the Pod Identity association of a service account; None if it has none or it was not read."""
        account = (namespace, service_account)
        associations = self.associations or ()
        return next((entry for entry in associations if (entry.namespace, entry.service_account) == account), None)

    @property
    def knows_entries(self) -> bool:
        """Whether all of its access entries were read."""
        return self.access_entries is not None and "access_entries" not in self.cut_short

    @property
    def knows_aws_auth(self) -> bool:
        """Whether its ConfigMap aws-auth was read."""
        return self.kubernetes is not None and self.kubernetes.mappings is not None

    @property
    def mappings(self) -> tuple[AuthMapping, ...]:
        """The lines of its ConfigMap aws-auth; empty also if it was not read."""
        return (self.kubernetes.mappings if self.kubernetes else None) or ()

    @property
    def needs_ec2(self) -> bool:
        """Whether EC2 has to be asked what its nodes are.

        Without access entries, only EC2 knows the nodes outside of node groups. With them, an entry of type EC2_LINUX
        does not tell whether Karpenter or an Auto Scaling group started the node.
        """
        if self.authentication_mode == "CONFIG_MAP":
            return True
        in_groups = {group.role_arn for group in self.nodegroups or ()}
        return any(
            entry.kind in ("EC2_LINUX", "EC2_WINDOWS") and entry.principal_arn not in in_groups
            for entry in self.access_entries or ()
        )

    @property
    def unread(self) -> tuple[str, ...]:
        """The parts that may use roles and were not read, or not completely, in words."""
        if not self.described:
            return (DESCRIPTION,)
        unread_parts = {
            "nodegroups": _is_partial(self.nodegroups, "role_arn"),
            "fargate_profiles": _is_partial(self.fargate_profiles, "role_arn"),
            "addons": _is_partial(self.addons, "version"),
            "access_entries": self.authentication_mode != "CONFIG_MAP"
            and (self.access_entries is None or any(entry.unread_nodes for entry in self.access_entries)),
            "capabilities": _is_partial(self.capabilities, "role_arn"),
            "associations": _is_partial(self.associations, "role_arn"),
            "nodes": self.needs_ec2 and self.nodes is None,
        }
        return tuple(words for part, words in _PARTS.items() if unread_parts[part] or part in self.cut_short)

    @property
    def issues_known(self) -> bool:
        """Whether every part was read about which EKS reports issues."""
        with_issues = ("nodegroups", "fargate_profiles", "addons", "capabilities")
        unread = {_PARTS[part] for part in with_issues}.intersection(self.unread)
        return self.described and not unread and all(part.issues is not None for part in self._with_issues)

    @property
    def all_issues(self) -> tuple[HealthIssue, ...]:
        """Every problem that EKS reports about the cluster and its parts."""
        return tuple(issue for part in self._with_issues for issue in part.issues or ())

    @property
    def _with_issues(self) -> "tuple[Cluster | NodeGroup | FargateProfile | Addon | Capability, ...]":
        lists = (self.nodegroups, self.fargate_profiles, self.addons, self.capabilities)
        return (self, *(part for parts in lists for part in parts or ()))


DESCRIPTION = "the cluster's own description"
"""What was not read of a cluster that was not described."""

_PARTS = {
    "nodegroups": "node groups",
    "fargate_profiles": "Fargate profiles",
    "addons": "add-ons",
    "access_entries": "access entries",
    "capabilities": "capabilities",
    "associations": "Pod Identity",
    "nodes": "EC2 instances",
}
"""The parts of a cluster that may use roles: fields, and what they are called."""


def _is_partial(parts: Iterable[object] | None, detail: str) -> bool:
    """Return whether a list was not read, or an entry of it not described, so that it lacks a detail."""
    return parts is None or any(getattr(part, detail) is None for part in parts)


class EksFacts(NamedTuple):
    """The clusters of the regions that were read."""

    clusters: tuple[Cluster, ...]
    regions: tuple[str, ...]
    """Regions whose list of clusters was read completely."""

    def find(self, name: str, region: str | None = None) -> tuple[Cluster, ...]:
        """Return the clusters of that name, in one region or in all."""
        return tuple(cluster for cluster in self.clusters if cluster.name == name and region in (None, cluster.region))
