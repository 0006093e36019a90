"""The made-up Kubernetes of the demo's clusters: pods, service accounts and the ConfigMap aws-auth, with what goes wrong in practice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster, EksFacts
from ekstui.eks.pods import AuthMapping, Container, KubernetesFacts, KubernetesServiceAccount, Pod

_ECR = "602401143452.dkr.ecr.eu-central-1.amazonaws.com/eks/"
_ACME = "registry.acme.example/"

_ASSOCIATED = {"ebs-csi-controller-sa": 210, "api": 12, "writer": 60, "karpenter": 190}
"""How many days ago each service account was associated with its role."""


class _Place:
    """A cluster while its pods are made."""

    def __init__(self, cluster: Cluster, account: str, now: datetime) -> None:
        self._cluster, self._account, self._now = cluster, account, now
        self._pods: list[Pod] = []
        self._accounts: dict[tuple[str, str], KubernetesServiceAccount] = {}

    def role(self, name: str) -> str:
        """Return the ARN of a role."""
        return f"arn:aws:iam::{self._account}:role/{name}"

    def account(self, namespace: str, name: str, role: str | None = None, *misspelt: str, days: int = 300) -> None:
        """Add a service account, annotated with a role or with an annotation that is misspelt."""
        created = self._now - timedelta(days=days)
        arn = self.role(role) if role else None
        self._accounts[namespace, name] = KubernetesServiceAccount(
            namespace, name, created, arn, annotated=created if arn else None, misspelt=misspelt
        )

    def pods(self, owner: str, account: str, image: str, days: int, count: int = 1, **fields: object) -> None:
        """Add pods of an owner such as `shop/deployment/web`, made some days ago, and their service account."""
        namespace, kind, name = owner.split("/")
        if (namespace, account) not in self._accounts:
            self.account(namespace, account)
        kind_spelt = {"deployment": "Deployment", "daemonset": "DaemonSet", "statefulset": "StatefulSet", "job": "Job"}[
            kind
        ]
        container = _container(image, **fields)
        for number in range(count):
            suffix = _suffix(kind, name, len(self._pods))
            on = "fargate-ip-10-0-9-4" if fields.get("fargate") else f"ip-10-0-{number % 3}-{17 + number}"
            pod = Pod(
                namespace, f"{name}-{suffix}", account, f"{on}.{self._cluster.region}.compute.internal",
                self._now - timedelta(days=days, hours=3 * number), "Succeeded" if fields.get("over") else "Running",
                kind_spelt, name, (container,),
            )  # fmt: skip
            self._pods.append(pod)

    def facts(self, *mappings: AuthMapping) -> KubernetesFacts:
        """Return what was made, as read whole; without lines of aws-auth, that was not read."""
        for namespace in {pod.namespace for pod in self._pods}:
            if (namespace, "default") not in self._accounts:
                self.account(namespace, "default")
        return KubernetesFacts(
            self._now, tuple(self._pods), tuple(account for _, account in sorted(self._accounts.items())),
            mappings or None, (*(("aws-auth",) if mappings else ()), "pods", "service accounts"),
        )  # fmt: skip


def _container(image: str, **fields: object) -> Container:
    repository, _, tag = image.rpartition(":")
    name = repository.rpartition("/")[2]
    if isinstance(role := fields.get("irsa"), str):
        return Container(name, repository, tag, ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"), role)
    if fields.get("agent"):
        return Container(name, repository, tag, ("AWS_CONTAINER_CREDENTIALS_FULL_URI",), None, agent=True)
    if fields.get("keys"):
        return Container(name, repository, tag, ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    return Container(name, repository, tag)


_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Those of Kubernetes' made-up names."""


def _suffix(kind: str, name: str, number: int) -> str:
    """Return what Kubernetes puts after the name of an owner, always the same."""
    if kind == "statefulset":
        return "0"
    seed = sum(map(ord, name)) * 7919
    words = "".join(_LETTERS[(seed // 3**place + number * (place + 5)) % len(_LETTERS)] for place in range(5))
    return words if kind in ("daemonset", "job") else f"{seed % 0xFFFFFFF:x}-{words}"


def with_kubernetes(snapshot: AccountSnapshot) -> AccountSnapshot:
    """Return the account with the Kubernetes of its clusters, and with times at which their associations were made."""
    eks, now, account = snapshot.eks or EksFacts((), ()), snapshot.fetched_at, snapshot.identity.account
    makers = {"prod": _prod, "auto": _auto, "legacy": _legacy}
    clusters = []
    for cluster in eks.clusters:
        associations = tuple(
            association._replace(created=now - timedelta(days=_ASSOCIATED[association.service_account]))
            for association in cluster.associations or ()
        )
        facts = makers[cluster.name](_Place(cluster, account, now))
        clusters.append(
            cluster._replace(
                associations=None if cluster.associations is None else associations,
                endpoint=f"https://{cluster.name}.gr7.{cluster.region}.eks.amazonaws.com",
                kubernetes=facts,
            )
        )
    unseen = tuple(text for text in snapshot.not_looked_at if "inside" not in text)
    return snapshot._replace(eks=EksFacts(tuple(clusters), eks.regions), not_looked_at=unseen)


def _prod(place: _Place) -> KubernetesFacts:
    for namespace, name, role in (
        ("kube-system", "aws-node", "prod-vpc-cni"), ("kube-system", "efs-csi-controller-sa", "prod-efs-csi"),
        ("kube-system", "ebs-csi-controller-sa", "prod-ebs-csi-irsa"), ("payments", "checkout", "prod-payments"),
        ("amazon-cloudwatch", "cloudwatch-agent", "prod-cloudwatch"),
    ):  # fmt: skip
        place.account(namespace, name, role)
    place.account("shop", "web", None, "eks.amazonaws.com/role_arn", days=9)

    def of(role: str) -> str:
        return place.role(role)

    place.pods("kube-system/daemonset/aws-node", "aws-node", f"{_ECR}amazon-k8s-cni:v1.20.4-eksbuild.1", 30, 6,
               irsa=of("prod-vpc-cni"))  # fmt: skip
    place.pods("kube-system/deployment/coredns", "coredns", f"{_ECR}coredns:v1.12.4-eksbuild.1", 30, 2)
    place.pods("kube-system/daemonset/kube-proxy", "kube-proxy", f"{_ECR}kube-proxy:v1.34.1-eksbuild.2", 30, 6)
    place.pods("kube-system/daemonset/eks-pod-identity-agent", "default", f"{_ECR}eks-pod-identity-agent:0.1.33", 30, 6)
    place.pods("kube-system/deployment/ebs-csi-controller", "ebs-csi-controller-sa",
               f"{_ECR}aws-ebs-csi-driver:v1.51.1", 30, 2, agent=True)  # fmt: skip
    place.pods("kube-system/deployment/efs-csi-controller", "efs-csi-controller-sa",
               f"{_ECR}aws-efs-csi-driver:v2.1.13", 30, 2, irsa=of("prod-efs-csi"))  # fmt: skip
    place.pods(
        "kube-system/deployment/karpenter", "karpenter", "public.ecr.aws/karpenter/controller:1.8.1", 20, 2, agent=True
    )
    # Nobody gave it a role of its own.
    place.pods("kube-system/deployment/aws-load-balancer-controller", "aws-load-balancer-controller",
               "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.0", 45, 2)  # fmt: skip
    place.pods("amazon-cloudwatch/daemonset/cloudwatch-agent", "cloudwatch-agent",
               f"{_ECR}cloudwatch-agent:1.300060.1", 30, 6, irsa=of("prod-cloudwatch"))  # fmt: skip
    place.pods("payments/deployment/checkout", "checkout", f"{_ACME}payments:4.2.0", 4, 12, irsa=of("prod-payments"))
    # The annotation is misspelt, so these use their nodes' role.
    place.pods("shop/deployment/web", "web", f"{_ACME}shop-web:2026.48", 8, 4)
    # Of the pods of the API one is older than the association of their service account.
    place.pods("orders/deployment/api", "api", f"{_ACME}orders:9.1.3", 40, 1)
    place.pods("orders/deployment/api", "api", f"{_ACME}orders:9.1.3", 2, 3, agent=True)
    place.pods("reports/job/monthly-29401", "writer", f"{_ACME}reports:3.0.1", 1, 1, agent=True)
    place.pods("reports/job/monthly-29400", "writer", f"{_ACME}reports:3.0.1", 31, 1, agent=True, over=True)
    place.pods("ci/statefulset/runner", "default", f"{_ACME}ci-runner:12.0", 70, 1, keys=True)
    place.pods("batch/job/import-5511", "default", f"{_ACME}import:1.4", 0, 1, fargate=True)
    node = AuthMapping(
        "role", of("prod-node"), "system:node:{{EC2PrivateDNSName}}", ("system:bootstrappers", "system:nodes")
    )
    return place.facts(node, AuthMapping("role", of("github-deploy"), "deployer", ("deployers",)))


def _auto(place: _Place) -> KubernetesFacts:
    place.account("kube-system", "efs-csi-controller-sa", "prod-efs-csi")
    place.pods("kube-system/deployment/efs-csi-controller", "efs-csi-controller-sa",
               f"{_ECR}aws-efs-csi-driver:v2.1.13", 25, 2, irsa=place.role("prod-efs-csi"))  # fmt: skip
    place.pods("web/deployment/frontend", "frontend", f"{_ACME}frontend:7.7", 3, 5)
    return place.facts()


def _legacy(place: _Place) -> KubernetesFacts:
    node = place.role("legacy-node-NodeInstanceRole-1ABCDEFGHIJK")
    place.pods("kube-system/daemonset/aws-node", "aws-node", f"{_ECR}amazon-k8s-cni:v1.18.3", 200, 2)
    place.pods("kube-system/deployment/coredns", "coredns", f"{_ECR}coredns:v1.11.1", 200, 2)
    place.pods("intranet/deployment/wiki", "default", f"{_ACME}wiki:5.0", 150, 1)
    return place.facts(*_legacy_lines(place, node))


def _legacy_lines(place: _Place, node: str) -> Iterator[AuthMapping]:
    yield AuthMapping("role", node, "system:node:{{EC2PrivateDNSName}}", ("system:bootstrappers", "system:nodes"))
    yield AuthMapping("role", place.role("eks-operator"), "operator", ("operators",))
    yield AuthMapping("user", place.role("").replace("role/", "user/people/alice"), "alice", ("system:masters",))
