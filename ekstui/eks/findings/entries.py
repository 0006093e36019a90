"""What is wrong with a cluster's access entries, and who its admins are.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", "Review access policy permissions",
"Change authentication mode" and "Create a custom node class"; EKS capabilities, "Security considerations".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ekstui.eks.account_snapshot import AccountSnapshot, Use, UseKind
from ekstui.eks.cluster import AccessEntry, Cluster
from ekstui.eks.findings import Finding, described
from ekstui.eks.knowledge import Knowledge
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
_MASTERS = "system:masters"

_OWN_POLICIES = {
    "ARGOCD": ("AmazonEKSArgoCDPolicy", "AmazonEKSArgoCDClusterPolicy"),
    "KRO": ("AmazonEKSKROPolicy",),
}
"""The access policies that EKS itself gives a capability, which do not cover workloads."""

_WITHOUT_RIGHTS = {
    "ARGOCD": "Argo CD has no permissions on workloads in this cluster, so every sync to it fails.",
    "KRO": "kro has no permissions on the resources of its resource graphs, so it cannot create them.",
}


def entry_types(kind: UseKind) -> tuple[str, ...]:
    """Return the types of access entry with which nodes of a kind join."""
    return _ENTRY_OF[kind]


def mode_finding(cluster: Cluster) -> Finding | None:
    """Return what the cluster's authentication mode means for its access entries; None if it makes no difference."""
    if cluster.authentication_mode == "CONFIG_MAP":
        text = "Only the config map aws-auth counts: access entries do not work until the mode is changed."
        return Finding("authentication-mode", "advice", text, ("authentication mode CONFIG_MAP",))
    if cluster.authentication_mode == "API_AND_CONFIG_MAP":
        text = "The config map aws-auth counts besides the access entries, which take precedence; its content is not visible here."
        return Finding("authentication-mode", "note", text, ("authentication mode API_AND_CONFIG_MAP",))
    return None


def entry_findings(
    entry: AccessEntry, cluster: Cluster, uses: Collection[Use], snapshot: AccountSnapshot, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield the findings about an access entry; `uses` are those of its principal in the cluster."""
    yield from _wrong_type(entry, uses)
    given = entry.policies
    if entry.kind == "EC2" and given is not None and all(each.policy != _AUTO_NODE for each in given):
        text = f"The entry lacks {_AUTO_NODE}, so Auto Mode nodes with this role start but never join."
        yield Finding("auto-node-policy-missing", "problem", text, ("entry of type EC2",))
    yield from _capability(entry, cluster)
    yield from _reserved(entry, knowledge)
    yield from _admin(entry)
    yield from _gone(entry, snapshot)


def missing_entry(arn: str, uses: Collection[Use], cluster: Cluster) -> Finding | None:
    """Return the finding about a role whose nodes cannot join because it has no access entry, or None."""
    entries = cluster.access_entries
    if entries is None or "access_entries" in cluster.cut_short or any(each.principal_arn == arn for each in entries):
        return None
    nodes = [use for use in uses if use.kind in _ENTRY_OF and use.certainty == "confirmed"]
    if not nodes:
        return None
    evidence = (*map(described, nodes), f"authentication mode {cluster.authentication_mode}")
    if cluster.authentication_mode == "API":
        text = "The role has no access entry, so its nodes start but never join."
        return Finding("entry-missing", "problem", text, evidence, uses=tuple(nodes))
    if cluster.authentication_mode == "API_AND_CONFIG_MAP":
        text = "The role has no access entry: its nodes join only if the config map aws-auth names it, which is not visible here."
        return Finding("entry-missing", "note", text, evidence)
    return None


def _wrong_type(entry: AccessEntry, uses: Collection[Use]) -> Iterator[Finding]:
    if entry.kind is None:
        return
    # A use that was derived from an entry cannot show that the entry is wrong.
    nodes = [use for use in uses if use.kind in _ENTRY_OF and use.certainty == "confirmed" and use.name is not None]
    nodes += [use for use in uses if use.kind == "auto-mode-node" and use.name is None and entry.kind != "EC2"]
    wanted = {kind for use in nodes for kind in _ENTRY_OF[use.kind]}
    if wanted and entry.kind not in wanted:
        text = f"The access entry has type {entry.kind}; these nodes need type {listed(sorted(wanted), 'or')} to join."
        yield Finding("entry-of-wrong-type", "problem", text, tuple(map(described, nodes)), uses=tuple(nodes))


def _capability(entry: AccessEntry, cluster: Cluster) -> Iterator[Finding]:
    for capability in cluster.capabilities or ():
        own = _OWN_POLICIES.get(capability.kind or "")
        if own is None or capability.role_arn != entry.principal_arn or entry.policies is None or entry.groups:
            continue
        if all(each.policy in own for each in entry.policies):
            evidence = (f"capability {capability.name}", *(each.policy for each in entry.policies))
            yield Finding("capability-without-rights", "advice", _WITHOUT_RIGHTS[capability.kind or ""], evidence)


def _reserved(entry: AccessEntry, knowledge: Knowledge) -> Iterator[Finding]:
    if "/aws-service-role/" in entry.principal_arn:
        return
    for each in entry.policies or ():
        known = knowledge.access_policies.get(each.policy)
        if known is not None and known.reserved:
            text = f"{each.policy} is for AWS's own service-linked roles only."
            yield Finding("reserved-access-policy", "advice", text, (f"entry of {entry.principal_arn}",))


def _admin(entry: AccessEntry) -> Iterator[Finding]:
    everywhere = any(each.policy == _CLUSTER_ADMIN and each.namespaces is None for each in entry.policies or ())
    if everywhere or _MASTERS in entry.groups:
        by = _CLUSTER_ADMIN if everywhere else f"the group {_MASTERS}"
        text = f"Can do everything in the cluster, through {by}."
        yield Finding("cluster-admin", "note", text, (entry.principal_arn,))


def _gone(entry: AccessEntry, snapshot: AccountSnapshot) -> Iterator[Finding]:
    parts = entry.principal_arn.split(":", 5)
    if len(parts) != 6 or parts[4] != snapshot.identity.account or not snapshot.complete:
        return
    kind, _, path = parts[5].partition("/")
    known = {"role": [role.arn for role in snapshot.roles], "user": [user.arn for user in snapshot.users]}.get(kind)
    if known is not None and entry.principal_arn not in known:
        text = f"IAM has no {kind} {path.rpartition('/')[2]}: the entry has no effect and can be deleted."
        yield Finding("entry-principal-gone", "advice", text, (entry.principal_arn,))
