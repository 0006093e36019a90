"""What findings are about (a role, a use of it, an access entry, a cluster, pods), and what is known besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from ekstui.iam.arn import is_of_aws
from ekstui.iam.evaluation import AppliedPolicy

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import Role, Use
    from ekstui.eks.cluster import AccessEntry, Addon, Cluster, EksFacts, HealthIssue, PodIdentityAssociation
    from ekstui.eks.knowledge import Knowledge
    from ekstui.eks.pod_credentials import Credentials, ExpectedCredentials
    from ekstui.eks.pods import KubernetesServiceAccount, Workload
    from ekstui.eks.published import Component
    from ekstui.iam.document import Document

Need = Literal["details", "policies", "trust", "entries", "access policies"]
"""What a finding needs to know of its subject.

Of a role its details (tags, dates), all its policies or its trust policy; of a cluster its access entries, or the
access policies of one.
"""

EC2_NODE_KINDS = ("nodegroup", "self-managed-node", "karpenter-node", "hyperpod-node")
"""The nodes that are EC2 instances of the account."""

NODE_KINDS = (*EC2_NODE_KINDS, "auto-mode-node", "hybrid-node")


About = Literal["role", "role in a cluster", "access entry", "cluster", "pods", "service account"]


class FindingSubject:
    """Something that findings are about."""

    __slots__ = ()
    about: ClassVar[About]


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
        return self.arn is not None and is_of_aws(self.arn)

    def applied(self) -> AppliedPolicy | None:
        """Return it for evaluation; None if it could not be read."""
        return None if self.document is None else AppliedPolicy(self.name, self.version, self.document)


@dataclass(frozen=True, slots=True)
class RoleInUse(FindingSubject):
    """A role, its policies, and all its known uses, in any cluster and region."""

    about = "role"
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
    def policies_not_read(self) -> list[str]:
        """The names of its policies, and of its boundary, whose documents could not be read."""
        all_policies = (*self.policies, *((self.boundary,) if self.boundary else ()))
        return [policy.name for policy in all_policies if policy.document is None]

    @property
    def known_whole(self) -> bool:
        """Whether it is known which policies the role has, even if some could not be read."""
        return self.role.extent == "full"


@dataclass(frozen=True, slots=True)
class RoleInCluster(FindingSubject):
    """A role that a cluster uses, which may not exist."""

    about = "role in a cluster"
    arn: str
    uses: tuple[Use, ...]
    """Its uses in the cluster."""
    cluster: Cluster
    was_read: bool = True


@dataclass(frozen=True, slots=True)
class EntryInCluster(FindingSubject):
    """An access entry of a cluster."""

    about = "access entry"
    entry: AccessEntry
    cluster: Cluster
    uses: Sequence[Use] = ()
    """The uses of its principal in the cluster."""


@dataclass(frozen=True, slots=True)
class WorkloadInCluster(FindingSubject):
    """Pods of a cluster that were given the same."""

    about = "pods"
    workload: Workload
    cluster: Cluster
    credentials: Sequence[Credentials]
    """What they use, by container."""
    expected: ExpectedCredentials | None
    """What they would get if they were made now."""


@dataclass(frozen=True, slots=True)
class ServiceAccountInCluster(FindingSubject):
    """A service account of a cluster."""

    about = "service account"
    service_account: KubernetesServiceAccount
    cluster: Cluster


@dataclass(frozen=True, slots=True)
class ClusterInUse(FindingSubject):
    """A cluster, with what it uses its roles for."""

    about = "cluster"
    cluster: Cluster
    uses: Mapping[str, Sequence[Use]] = field(default_factory=dict)
    """By role ARN."""
    unexplained: Sequence[HealthIssue] = ()
    """What EKS reports and no finding about a role explains."""


@dataclass(frozen=True, slots=True)
class AccountContext:
    """What is known besides the subject."""

    now: datetime
    knowledge: Knowledge
    eks: EksFacts | None = None
    providers: tuple[str, ...] | None = None
    """ARNs of IAM's OIDC providers; None if not known."""
    account: str | None = None
    partition: str = "aws"
    principals: frozenset[str] | None = None
    """The ARNs of all roles and users; None if they could not all be read."""
    components: Mapping[str, Component] = field(default_factory=dict)
    """What controllers publish, by name."""

    def cluster(self, use: Use) -> Cluster | None:
        """Return the cluster of a use; None if it was not read."""
        clusters = () if self.eks is None or use.cluster is None else self.eks.find(use.cluster, use.region)
        return clusters[0] if len(clusters) == 1 else None

    def addon(self, use: Use) -> Addon | None:
        """Return the add-on of a use; None if it is not an add-on or was not read."""
        cluster = self.cluster(use) if use.kind == "addon" and use.name else None
        return cluster.addon(use.name or "") if cluster else None

    def association(self, use: Use) -> PodIdentityAssociation | None:
        """Return the Pod Identity association of a use; None if it has none or it was not read."""
        cluster = self.cluster(use)
        if cluster is None or use.kind not in ("pod-identity", "pod-identity-target", "addon"):
            return None
        return cluster.association(use.namespace, use.service_account)


def use_as_evidence(use: Use) -> str:
    """Return a use in words, as evidence."""
    words = use.kind.replace("-", " ")
    if use.name:
        words += f" {use.name}"
    if use.service_account:
        words += f" {use.namespace or '*'}/{use.service_account}"
    cluster_words = (
        f" of cluster {use.cluster}" if use.cluster and use.kind != "cluster" else f" {use.cluster or ''}".rstrip()
    )
    if use.kind == "cluster" and use.name == use.cluster:
        cluster_words = ""
    region = f" in {use.region}" if use.region else ""
    return f"{words}{cluster_words}{region} ({f'not used: {use.overruled}' if use.overruled else use.certainty})"


def unseen_evidence(subject: RoleInUse) -> tuple[str, ...]:
    """Return what was not read, as evidence."""
    return tuple(f"not looked at: {place}" for place in subject.unseen)
