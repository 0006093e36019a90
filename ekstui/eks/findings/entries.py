"""What is wrong with a cluster's access entries, which roles have none or do not exist, and who its admins are.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", "Review access policy
permissions", "Change authentication mode" and "Create a custom node class"; EKS capabilities, "Security
considerations".
"""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.account_snapshot import UseKind
from ekstui.eks.commands import Command, associate_policy, create_entry
from ekstui.eks.findings.subjects import (
    AccountContext,
    ClusterInUse,
    EntryInCluster,
    RoleInCluster,
    use_as_evidence,
)
from ekstui.eks.findings.table import Case, Finding, FixPlace, Severity, finding
from ekstui.eks.pods import MASTERS
from ekstui.eks.uses import arn_without_path
from ekstui.iam.text import listed

_ENTRY_OF: dict[UseKind, tuple[str, ...]] = {
    "nodegroup": ("EC2_LINUX", "EC2_WINDOWS"),
    "karpenter-node": ("EC2_LINUX", "EC2_WINDOWS"),
    "self-managed-node": ("EC2_LINUX", "EC2_WINDOWS"),
    "auto-mode-node": ("EC2",),
    "fargate": ("FARGATE_LINUX",),
    "hybrid-node": ("HYBRID_LINUX",),
    "hyperpod-node": ("HYPERPOD_LINUX",),
}
"""The types of access entry that let nodes of each kind join."""

_AUTO_NODE = "AmazonEKSAutoNodePolicy"
_CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"

_OWN_POLICIES = {
    "ARGOCD": ("AmazonEKSArgoCDPolicy", "AmazonEKSArgoCDClusterPolicy"),
    "KRO": ("AmazonEKSKROPolicy",),
}
"""The access policies that EKS itself gives a capability, which do not cover workloads."""

_WITHOUT_RIGHTS = {
    "ARGOCD": "Argo CD has no permissions on workloads in this cluster, so every sync to it fails.",
    "KRO": "kro has no permissions on the resources of its resource graphs, so it cannot create them.",
}


@finding(
    "authentication-mode",
    "advice",
    "the config map aws-auth decides too",
    about="cluster",
    meaning="The cluster's authentication mode makes the config map aws-auth count, besides its access entries or "
    "instead.",
)
def modes(subject: ClusterInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield what the cluster's authentication mode means for its access entries, if it makes a difference."""
    mode = subject.cluster.authentication_mode
    if mode == "CONFIG_MAP":
        text = "Only the config map aws-auth counts: access entries do not work until the mode is changed."
        yield Case(text, (f"authentication mode {mode}",), title="only the config map aws-auth decides")
    elif mode == "API_AND_CONFIG_MAP":
        unseen = "" if subject.cluster.knows_aws_auth else "; its content is not visible here"
        text = f"The config map aws-auth counts besides the access entries, which take precedence{unseen}."
        yield Case(text, (f"authentication mode {mode}",), severity="note")


@finding(
    "role-not-found",
    "problem",
    "role does not exist",
    about="role in a cluster",
    meaning="EKS is configured to use a role that IAM does not have; a note if the role could not be read.",
    change="create the role again under this name and path, or give EKS another one",
)
def missing_roles(subject: RoleInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield the role if it was not read."""
    # Of a role that only Kubernetes names, the service account or pod is reported.
    if subject.was_read or (subject.uses and all(use.kind == "irsa" for use in subject.uses)):
        return
    name = subject.arn.rsplit("/", 1)[-1]
    severity: Severity = "note"
    if subject.arn.split(":", 5)[4:5] != [account.account]:
        text, title = f"The role {name} belongs to another account and was not read.", "role of another account"
    elif account.principals is None:
        text, title = f"The role {name} is not among the roles that could be read.", "role was not read"
    else:
        severity, text, title = "problem", f"IAM has no role {name}, which EKS is configured to use.", ""
    yield Case(text, map(use_as_evidence, subject.uses), subject.uses, severity, title)


def _create_entry(problem: Finding, place: FixPlace) -> tuple[Command, ...]:
    kinds = {_ENTRY_OF[use.kind][0] for use in problem.uses}
    if len(kinds) != 1 or place.cluster is None:
        return ()
    (kind,) = kinds
    entry = create_entry(place.cluster.name, place.cluster.region, place.principal, kind)
    return (entry, *_give_node_policy(problem, place)) if kind == "EC2" else (entry,)


@finding(
    "entry-missing",
    "problem",
    "no access entry for its nodes",
    about="role in a cluster",
    needs=("entries",),
    meaning="Nodes run with the role, and the cluster has no access entry for it; a note where aws-auth may have one.",
    change="create an access entry for the role, of the type of its nodes",
    fix=_create_entry,
)
def missing_entries(subject: RoleInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the role if its nodes need an access entry and have none."""
    cluster = subject.cluster
    in_map = cluster.authentication_mode != "API" and any(
        mapping.principal == arn_without_path(subject.arn) for mapping in cluster.mappings
    )
    if in_map or any(entry.principal_arn == subject.arn for entry in cluster.access_entries or ()):
        return
    nodes = [use for use in subject.uses if use.kind in _ENTRY_OF and use.certainty == "confirmed"]
    evidence = (*map(use_as_evidence, nodes), f"authentication mode {cluster.authentication_mode}")
    if nodes and (cluster.authentication_mode == "API" or cluster.knows_aws_auth):
        nor = "" if cluster.authentication_mode == "API" else " and the config map aws-auth does not name it"
        yield Case(f"The role has no access entry{nor}, so its nodes start but never join.", evidence, nodes)
    elif nodes and cluster.authentication_mode == "API_AND_CONFIG_MAP":
        text = (
            "The role has no access entry: its nodes join only if the config map aws-auth names it, which is not "
            "visible here."
        )
        yield Case(text, evidence, severity="note")


@finding(
    "entry-of-wrong-type",
    "problem",
    "access entry of the wrong type",
    about="access entry",
    meaning="The access entry of a node role is of a type with which its nodes cannot join.",
    change="delete the entry and create one of that type: the type of an entry cannot be changed",
)
def wrong_types(subject: EntryInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the entry if the nodes of its role need another type."""
    kind, uses = subject.entry.kind, subject.uses
    if kind is None:
        return
    # A use that was derived from an entry cannot show that the entry is wrong.
    nodes = [use for use in uses if use.kind in _ENTRY_OF and use.certainty == "confirmed" and use.name is not None]
    nodes += [use for use in uses if use.kind == "auto-mode-node" and use.name is None and kind != "EC2"]
    fitting = {name for use in nodes for name in _ENTRY_OF[use.kind]}
    if fitting and kind not in fitting:
        text = f"The access entry has type {kind}; these nodes need type {listed(sorted(fitting), 'or')} to join."
        yield Case(text, map(use_as_evidence, nodes), nodes)


def _give_node_policy(_finding: Finding, place: FixPlace) -> tuple[Command, ...]:
    cluster, partition = place.cluster, place.account.partition
    if cluster is None:
        return ()
    return (associate_policy(cluster.name, cluster.region, place.principal, _AUTO_NODE, partition=partition),)


@finding(
    "auto-node-policy-missing",
    "problem",
    f"entry lacks {_AUTO_NODE}",
    about="access entry",
    needs=("access policies",),
    meaning=f"The access entry of an Auto Mode node role lacks {_AUTO_NODE}, without which its nodes never join.",
    change=f"associate {_AUTO_NODE} with the entry",
    fix=_give_node_policy,
)
def missing_node_policies(subject: EntryInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the entry if it is for Auto Mode nodes and lacks their access policy."""
    if subject.entry.kind == "EC2" and all(policy.policy != _AUTO_NODE for policy in subject.entry.policies or ()):
        text = f"The entry lacks {_AUTO_NODE}, so Auto Mode nodes with this role start but never join."
        yield Case(text, ("entry of type EC2",))


@finding(
    "capability-without-rights",
    "advice",
    "capability may not touch workloads",
    about="access entry",
    needs=("access policies",),
    meaning="A capability has only the access policies that EKS itself gives it, which do not cover workloads.",
)
def powerless_capabilities(subject: EntryInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield each capability whose entry has no rights on workloads."""
    entry, cluster = subject.entry, subject.cluster
    for capability in cluster.capabilities or ():
        own_policies = _OWN_POLICIES.get(capability.kind or "")
        if own_policies is None or capability.role_arn != entry.principal_arn or entry.groups:
            continue
        names = [policy.policy for policy in entry.policies or ()]
        if all(name in own_policies for name in names):
            yield Case(_WITHOUT_RIGHTS[capability.kind or ""], (f"capability {capability.name}", *names))


@finding(
    "reserved-access-policy",
    "advice",
    "access policy reserved for AWS",
    about="access entry",
    meaning="An access entry has an access policy that is for AWS's own service-linked roles.",
)
def reserved_policies(subject: EntryInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield each access policy of the entry that AWS reserves for itself."""
    if "/aws-service-role/" in subject.entry.principal_arn:
        return
    for policy in subject.entry.policies or ():
        policy_notes = account.knowledge.access_policies.get(policy.policy)
        if policy_notes is not None and policy_notes.reserved:
            text = f"{policy.policy} is for AWS's own service-linked roles only."
            yield Case(text, (f"entry of {subject.entry.principal_arn}",))


@finding(
    "cluster-admin",
    "note",
    "may do everything in the cluster",
    about="access entry",
    meaning="The principal of an access entry may do everything in the cluster.",
)
def admins(subject: EntryInCluster, _account: AccountContext) -> Iterator[Case]:
    """Yield the entry if its principal is an admin of the whole cluster."""
    entry = subject.entry
    everywhere = any(policy.policy == _CLUSTER_ADMIN and policy.namespaces is None for policy in entry.policies or ())
    if everywhere or MASTERS in entry.groups:
        correct_access = _CLUSTER_ADMIN if everywhere else f"the group {MASTERS}"
        yield Case(f"May do everything in the cluster, through {correct_access}.", (entry.principal_arn,))


@finding(
    "entry-principal-gone",
    "advice",
    "access entry of a deleted principal",
    about="access entry",
    meaning="IAM no longer has the role or user of an access entry.",
)
def gone_principals(subject: EntryInCluster, account: AccountContext) -> Iterator[Case]:
    """Yield the entry if IAM has no such role or user."""
    arn = subject.entry.principal_arn
    parts = arn.split(":", 5)
    if account.principals is None or len(parts) != 6 or parts[4] != account.account or arn in account.principals:
        return
    kind, _, path = parts[5].partition("/")
    if kind in ("role", "user"):
        yield Case(f"IAM has no {kind} {path.rpartition('/')[2]}: the entry has no effect and can be deleted.", (arn,))
