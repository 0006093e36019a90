"""Which AWS credentials the containers of pods use and why, and which they would get if they were started now.

The variables of a container are proof; an association or annotation only says what a pod made from now on gets. The AWS
SDKs look for access keys in variables first, then for a web identity token, then for a container's credentials, and
last ask the node. Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers"; EKS User Guide, "EKS
Pod Identities" and "IAM roles for service accounts"; the README of amazon-eks-pod-identity-webhook.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ekstui.eks.cluster import Cluster, PodIdentityAssociation
from ekstui.eks.commands import Command
from ekstui.eks.pods import Container, KubernetesServiceAccount, Pod, Workload, workloads
from ekstui.iam.text import listed
from ekstui.named_tuples import NamedTuple

CredentialSource = Literal["static-keys", "irsa", "pod-identity", "other-endpoint", "node", "none"]
"""Where credentials come from; `other-endpoint` is a credential server that is not EKS's agent."""

SOURCE_WORDS: dict[CredentialSource, str] = {
    "static-keys": "static access keys",
    "irsa": "IRSA",
    "pod-identity": "Pod Identity",
    "other-endpoint": "a credential server of its own",
    "node": "its node's role",
    "none": "no credentials",
}

AGENT = "eks-pod-identity-agent"


class Credentials(NamedTuple):
    """The credentials that some containers of a pod use."""

    source: CredentialSource
    role_arn: str | None
    """None if it is not known, or no role's."""
    containers: tuple[str, ...]
    reason: str
    """What shows it, as a sentence."""


class ExpectedCredentials(NamedTuple):
    """The credentials that a pod gets if it is made now."""

    source: Literal["irsa", "pod-identity"]
    role_arn: str | None
    not_before: datetime | None
    """When it was set up at the earliest: older pods cannot have it. None if that is not known."""
    not_after: datetime | None
    """When it was set up at the latest: newer pods should have it. None if that is not known."""
    set_up: str
    """What set it up, as the end of `before …`."""


def account_of(cluster: Cluster, workload: Workload) -> KubernetesServiceAccount | None:
    """Return the service account of pods; None if it was not read."""
    facts = cluster.kubernetes
    return facts.service_account(workload.namespace, workload.service_account) if facts else None


def node_roles(cluster: Cluster) -> tuple[str, ...]:
    """Return the roles that the cluster's nodes may have, as far as EKS says or, where it knows none, aws-auth."""
    arns = [group.role_arn for group in cluster.nodegroups or ()]
    arns.append(cluster.auto_mode_node_role_arn)
    arns += [
        entry.principal_arn
        for entry in cluster.access_entries or ()
        if entry.kind in ("EC2_LINUX", "EC2_WINDOWS", "EC2")
    ]
    known_arns = tuple(dict.fromkeys(arn for arn in arns if arn is not None))
    in_map = [mapping for mapping in cluster.mappings if mapping.kind == "role" and "system:nodes" in mapping.groups]
    return known_arns or tuple(dict.fromkeys(mapping.principal for mapping in in_map))


def credentials_of(workload: Workload, cluster: Cluster) -> tuple[Credentials, ...]:
    """Return the credentials that the containers of pods use, those of most containers first."""
    groups: dict[Credentials, list[str]] = {}
    for container in workload.containers:
        groups.setdefault(_credentials(container, workload, cluster), []).append(container.name)
    all_credentials = [credentials._replace(containers=tuple(names)) for credentials, names in groups.items()]
    return tuple(sorted(all_credentials, key=lambda credentials: -len(credentials.containers)))


def _credentials(container: Container, workload: Workload, cluster: Cluster) -> Credentials:
    names = {*container.variables}
    is_irsa = "AWS_WEB_IDENTITY_TOKEN_FILE" in names and "AWS_ROLE_ARN" in names
    ways = ["IRSA"] * is_irsa + ["Pod Identity"] * container.agent
    if {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= names:
        over = f", which come before those of {listed(ways)}" if ways else ""
        return Credentials("static-keys", None, (), f"Access keys are in its variables{over}.")
    if is_irsa:
        over = ", which come before those of Pod Identity" if container.agent else ""
        reason = f"AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are set{over}."
        return Credentials("irsa", container.role_arn, (), reason)
    if container.agent:
        association = cluster.association(workload.namespace, workload.service_account)
        arn = None if association is None else association.target_role_arn or association.role_arn
        return Credentials("pod-identity", arn, (), _by_agent(workload, cluster, association))
    if "AWS_CONTAINER_CREDENTIALS_FULL_URI" in names:
        reason = "AWS_CONTAINER_CREDENTIALS_FULL_URI is set, and it is not the address of EKS's agent."
        return Credentials("other-endpoint", None, (), reason)
    partly = sorted(names)
    unset = (
        f"Of the variables only {listed(partly)} {'is' if len(partly) == 1 else 'are'} set"
        if partly
        else "No variable is set"
    )
    if any(pod.on_fargate for pod in workload.pods):
        return Credentials("none", None, (), f"{unset}, and on Fargate there is no node to ask.")
    roles = node_roles(cluster)
    role_names = f", {listed([name_of(role) for role in roles], 'or')}" if len(roles) > 1 else ""
    return Credentials(
        "node", roles[0] if len(roles) == 1 else None, (), f"{unset}, so the SDKs ask the node{role_names}."
    )


def _by_agent(workload: Workload, cluster: Cluster, association: PodIdentityAssociation | None) -> str:
    reason = "AWS_CONTAINER_CREDENTIALS_FULL_URI is set to EKS's agent"
    account = workload.account
    if cluster.associations is None:
        return f"{reason}; which role {account} is associated with was not read."
    if association is None:
        return f"{reason}, but {account} has no association, so the agent gives none."
    target = " and assumes the target role" if association.target_role_arn else ""
    return f"{reason}, and {account} is associated with {name_of(association.role_arn or 'a role')}{target}."


def roles_on_the_way(credentials: Credentials, association: PodIdentityAssociation | None) -> tuple[str, ...]:
    """Return the roles by which pods have their credentials: another one of an association first, then their own."""
    before = association.role_arn if credentials.source == "pod-identity" and association is not None else None
    return tuple(dict.fromkeys(arn for arn in (before, credentials.role_arn) if arn is not None))


class PodsWithRole(NamedTuple):
    """Pods of one owner that have credentials of a role."""

    cluster: str
    region: str
    workload: Workload
    source: CredentialSource

    @property
    def key(self) -> tuple[str, ...]:
        """What tells them from others."""
        return self.region, self.cluster, self.workload.title, self.workload.service_account, self.source


def pods_with_role(arn: str | None, clusters: Iterable[Cluster]) -> tuple[PodsWithRole, ...] | None:
    """Return the pods that have a role's credentials, by owner; None if no pods were read.

    They may also have them as the one role of their nodes.
    """
    clusters_with_pods = [cluster for cluster in clusters if cluster.pods is not None]
    by_key: dict[tuple[str, ...], PodsWithRole] = {}
    for cluster in clusters_with_pods:
        for workload in workloads(cluster.pods or ()):
            association = cluster.association(workload.namespace, workload.service_account)
            for credentials in credentials_of(workload, cluster):
                if arn in roles_on_the_way(credentials, association):
                    pods = PodsWithRole(cluster.name, cluster.region, workload, credentials.source)
                    if (twin := by_key.get(pods.key)) is not None:
                        merged_workload = workload._replace(pods=(*twin.workload.pods, *workload.pods))
                        pods = pods._replace(workload=merged_workload)
                    by_key[pods.key] = pods
    return tuple(by_key.values()) if clusters_with_pods else None


def expected_of(workload: Workload, cluster: Cluster) -> ExpectedCredentials | None:
    """Return what pods get if they are made now, an association before an annotation; None if unknown or nothing."""
    association = cluster.association(workload.namespace, workload.service_account)
    if association is not None and not any(pod.on_fargate for pod in workload.pods):
        arn = association.target_role_arn or association.role_arn
        created = association.created
        return ExpectedCredentials(
            "pod-identity", arn, created, created, "the association of their service account was made"
        )
    account = account_of(cluster, workload)
    if account is None or account.role_arn is None:
        return None
    return ExpectedCredentials(
        "irsa", account.role_arn, account.created, account.annotated, "their service account was annotated"
    )


def has_expected(container: Container, expected: ExpectedCredentials) -> bool:
    """Return whether a container has the variables of what it would get."""
    if expected.source == "pod-identity":
        return container.agent
    return container.role_arn == expected.role_arn and "AWS_WEB_IDENTITY_TOKEN_FILE" in container.variables


def used_since(
    credentials: Credentials, pods: Iterable[Pod], association: PodIdentityAssociation | None
) -> datetime | None:
    """Return when the oldest of some pods got its credentials; None if that is not known."""
    times = [pod.created for pod in pods]
    earliest = min((time for time in times if time is not None), default=None)
    if credentials.source != "pod-identity" or association is None or earliest is None:
        return earliest
    return None if association.created is None else max(earliest, association.created)


def restart(workload: Workload) -> Command | None:
    """Return the command that makes the pods anew; None if nothing makes them again."""
    names = tuple(pod.name for pod in workload.pods)
    options = ("-n", workload.namespace)
    if workload.kind in ("Deployment", "DaemonSet", "StatefulSet"):
        target = f"{workload.kind.lower()}/{workload.name}"
        return Command(("kubectl", "rollout", "restart", target, *options), "makes its pods anew")
    if workload.kind in ("Pod", "Job", "Node") or not names:
        return None
    return Command(("kubectl", "delete", "pod", *names, *options), "deletes its pods, which their owner makes anew")


def name_of(arn: str) -> str:
    """Return a role's name."""
    return arn.rpartition("/")[2]


def credentials_in_words(credentials: Credentials) -> str:
    """Return what containers use, such as `role app by IRSA` or `static access keys`."""
    words = SOURCE_WORDS[credentials.source]
    if credentials.source not in ("irsa", "pod-identity"):
        return words
    return f"{f'role {name_of(credentials.role_arn)}' if credentials.role_arn else 'an unknown role'} by {words}"


def users_of_node_role(cluster: Cluster, role_arn: str, instance: str | None) -> tuple[Workload, ...] | None:
    """Return the pods that may call AWS with a node's role, having none of their own; None if no pods were read.

    `instance` is the node's, whose pods alone count if the nodes are named by their instances, as those of Auto Mode
    are.
    """
    if cluster.pods is None or role_arn not in node_roles(cluster):
        return None
    instance_pods = [pod for pod in cluster.pods if instance and (pod.node or "").partition(".")[0] == instance]
    return tuple(
        workload
        for workload in workloads(instance_pods or cluster.pods)
        if any(
            credentials.source == "node" and credentials.role_arn in (None, role_arn)
            for credentials in credentials_of(workload, cluster)
        )
    )
