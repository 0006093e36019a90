"""What access entries allow in Kubernetes: who may do something in a cluster, and why a request was forbidden."""

from __future__ import annotations

from collections.abc import Iterator

from ekstui.eks.account_snapshot import SourceError
from ekstui.eks.cluster import AccessScope, Cluster
from ekstui.iam.text import counted
from ekstui.library.cluster_facts import entries_read
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple


class PrincipalInCluster(NamedTuple):
    """A principal whose access entry has a policy that allows a request."""

    cluster: str
    principal: str
    policy: str
    scope: AccessScope
    namespaces: tuple[str, ...]


class PrincipalsInClusters(NamedTuple):
    """The principals whose access entries allow a request."""

    principals: tuple[PrincipalInCluster, ...]
    not_looked_at: tuple[str, ...]
    """What else may allow it: entries that were not read, and what only the clusters know."""
    errors: tuple[SourceError, ...] = ()
    """Why entries could not be read now."""


def principals_in_clusters(library: Library, policies: set[str], *, ask: bool) -> PrincipalsInClusters:
    """Return the principals whose access entries have one of the policies, in the clusters of the last snapshot."""
    snapshot = library.account.last_snapshot()
    principals: list[PrincipalInCluster] = []
    unread: list[str] = []
    errors: list[SourceError] = []
    if snapshot is None or snapshot.eks is None:
        unread.append("access entries: no cluster is known")
    for cluster in snapshot.clusters if snapshot else ():
        cluster_read, read_errors = entries_read(library, snapshot, cluster) if ask and snapshot else (cluster, ())
        errors += read_errors
        principals += [
            PrincipalInCluster(cluster.name, entry.principal_arn, policy.policy, policy.scope, policy.namespaces or ())
            for entry in cluster_read.access_entries or ()
            for policy in entry.policies or ()
            if policy.policy in policies
        ]
        unread += _entries_unread(cluster_read)
    rbac = "roles and bindings inside the clusters, for the groups and user names of entries too"
    return PrincipalsInClusters(tuple(principals), (*unread, rbac), tuple(errors))


def _entries_unread(cluster: Cluster) -> Iterator[str]:
    unread_count = sum(entry.takes_policies and entry.policies is None for entry in cluster.access_entries or ())
    if cluster.authentication_mode != "CONFIG_MAP" and cluster.access_entries is None:
        yield f"the access entries of {cluster.name}, which were not read"
    elif unread_count or "access_entries" in cluster.cut_short:
        entries = counted(unread_count, "access entry", "access entries") if unread_count else "further access entries"
        yield f"the access policies of {entries} of {cluster.name}, which were not read"
    if cluster.authentication_mode != "API":
        yield f"the config map aws-auth of {cluster.name}"
