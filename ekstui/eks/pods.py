"""What Kubernetes knows about a cluster's pods and who may enter it, as values: only what credentials are decided by.

No value of an environment variable or annotation is here except ARNs of roles and host names of audiences: others may
be secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal

from ekstui.named_tuples import NamedTuple

PodVariable = Literal[
    "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
]  # fmt: skip
"""The environment variables that decide which credentials the AWS SDKs use."""

ROLE_ARN = re.compile(r"arn:aws[a-z-]{0,10}:iam::[0-9]{12}:role/[\w+=,.@/!-]{1,600}", re.ASCII)

ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"


class Container(NamedTuple):
    """A container of a pod: what it runs, and which credentials it was given."""

    name: str
    image: str
    """With its registry and without tag and digest; empty if that is not an image's name."""
    tag: str
    """Such as `v2.13.0`; empty if it has none."""
    variables: tuple[PodVariable, ...] = ()
    """Those that are set, whatever their value."""
    role_arn: str | None = None
    """The value of AWS_ROLE_ARN, if it is a role's ARN."""
    agent: bool = False
    """Whether AWS_CONTAINER_CREDENTIALS_FULL_URI is the address of EKS's Pod Identity agent."""
    more_variables: bool = False
    """Whether it takes further variables from a ConfigMap or Secret, which is not read."""


class Pod(NamedTuple):
    """A pod."""

    namespace: str
    name: str
    service_account: str
    node: str | None
    """None if it is not scheduled."""
    created: datetime | None
    """When it was admitted, which is when its variables were set."""
    phase: str
    """`Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`."""
    owner_kind: str
    """What controls it, such as `Deployment` or `DaemonSet`; `Pod` if nothing does."""
    owner: str
    """The owner's name, or its own."""
    containers: tuple[Container, ...]
    """Init containers first."""

    @property
    def is_over(self) -> bool:
        """Whether it ended, so that it uses no credentials any more."""
        return self.phase in ("Succeeded", "Failed")

    @property
    def on_fargate(self) -> bool:
        """Whether it runs on Fargate, where there is neither a node's role nor Pod Identity."""
        return (self.node or "").startswith("fargate-")


class KubernetesServiceAccount(NamedTuple):
    """A service account with EKS's annotations."""

    namespace: str
    name: str
    created: datetime | None = None
    role_arn: str | None = None
    """The value of `eks.amazonaws.com/role-arn`, if it is a role's ARN."""
    not_a_role: bool = False
    """Whether it has that annotation with another value."""
    audience: str | None = None
    """The value of `eks.amazonaws.com/audience`, if it is a host name or URL; None for that of AWS."""
    annotated: datetime | None = None
    """When the one who set the annotation last changed the service account; None if that was not written."""
    misspelt: tuple[str, ...] = ()
    """Annotations that seem to mean `eks.amazonaws.com/role-arn` and are not it."""


MASTERS = "system:masters"
"""The group that may do everything in a cluster, and that no rule can limit."""


class AuthMapping(NamedTuple):
    """A line of the ConfigMap aws-auth, which lets a role, a user or a whole account into the cluster."""

    kind: Literal["role", "user", "account"]
    principal: str
    """An ARN, or the account's number."""
    username: str = ""
    groups: tuple[str, ...] = ()


ReadKind = Literal["pods", "service accounts", "aws-auth"]
"""What is read of Kubernetes."""


class _KubernetesFields(NamedTuple):
    # Only a subclass of a named tuple can keep what it looks up by name.
    read_at: datetime
    pods: tuple[Pod, ...] | None = None
    service_accounts: tuple[KubernetesServiceAccount, ...] | None = None
    mappings: tuple[AuthMapping, ...] | None = None
    """Of the ConfigMap aws-auth; empty if the cluster has none."""
    whole: tuple[ReadKind, ...] = ()
    """The kinds that were read in all namespaces."""
    trouble: tuple[str, ...] = ()
    """What could not be read and why, in sentences."""


class KubernetesFacts(_KubernetesFields):
    """What was read of a cluster's Kubernetes at one time; a kind that was not read is None."""

    def has(self, kind: ReadKind) -> bool:
        """Return whether something of a kind was read."""
        parts = {"pods": self.pods, "service accounts": self.service_accounts, "aws-auth": self.mappings}
        return parts[kind] is not None

    def service_account(self, namespace: str, name: str) -> KubernetesServiceAccount | None:
        """Return a service account; None if there is none, or it was not read."""
        return self._by_name.get((namespace, name))

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], KubernetesServiceAccount]:
        return {(account.namespace, account.name): account for account in self.service_accounts or ()}

    def knows_accounts_of(self, namespace: str) -> bool:
        """Return whether all service accounts of a namespace were read: each has one named `default`."""
        return "service accounts" in self.whole or self.service_account(namespace, "default") is not None


class PodPlace(NamedTuple):
    """Where to look for pods: a cluster, and what somebody calls them there."""

    cluster: str
    name: str
    """With its namespace, such as `shop/web-6f7d-x1`, `shop/deployment/web` or `shop/sa/web`."""


class Workload(NamedTuple):
    """Pods of one owner that were given the same: what is said of one is true of all."""

    namespace: str
    kind: str
    name: str
    service_account: str
    containers: tuple[Container, ...]
    pods: tuple[Pod, ...]
    """Oldest first."""

    @property
    def title(self) -> str:
        """What kubectl calls it, such as `shop/deployment/web`."""
        return f"{self.namespace}/{self.kind.lower()}/{self.name}"

    @property
    def account(self) -> str:
        """Its service account with the namespace, such as `shop/web`."""
        return f"{self.namespace}/{self.service_account}"


def workloads(pods: Iterable[Pod]) -> tuple[Workload, ...]:
    """Return pods by their owner and by what they were given, sorted by name; without those that ended."""
    groups: dict[tuple[str, str, str, str, tuple[Container, ...]], list[Pod]] = {}
    for pod in pods:
        if not pod.is_over:
            key = (pod.namespace, pod.owner_kind, pod.owner, pod.service_account, pod.containers)
            groups.setdefault(key, []).append(pod)
    return tuple(
        Workload(*key, tuple(sorted(alike, key=lambda pod: (pod.created is None, pod.created, pod.name))))
        for key, alike in sorted(groups.items(), key=lambda item: item[0][:4])
    )


_IMAGES = {
    "aws-load-balancer-controller": "aws-load-balancer-controller", "karpenter": "karpenter/controller",
    "cluster-autoscaler": "cluster-autoscaler", "aws-ebs-csi-driver": "aws-ebs-csi-driver",
    "aws-efs-csi-driver": "aws-efs-csi-driver", "vpc-cni": "amazon-k8s-cni",
    "aws-gateway-api-controller": "aws-gateway-controller",
}  # fmt: skip
"""How the names of controllers' images end, by component."""

_RELEASE = re.compile(r"v?(\d+\.\d+\.\d+)")


def releases_run(facts: KubernetesFacts | None, component: str) -> tuple[str, ...]:
    """Return the releases of a controller that pods run, such as `v2.13.0`, by the tags of their images."""
    ending = _IMAGES.get(component)
    tags = {
        match[1]
        for pod in (facts.pods or () if facts else ())
        if not pod.is_over
        for container in pod.containers
        if ending and f"/{container.image}".endswith(f"/{ending}") and (match := _RELEASE.match(container.tag))
    }
    return tuple(f"v{tag}" for tag in sorted(tags))
