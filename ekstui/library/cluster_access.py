"""What access entries allow in Kubernetes: who may do something in a cluster, and why a request was forbidden."""

from collections.abc import Iterator
from typing import NamedTuple

from ekstui.core.account_snapshot import AccountSnapshot, SourceError
from ekstui.core.denial.rbac import is_unauthorized, parse_forbidden
from ekstui.core.eks import Cluster
from ekstui.core.explain.access_entries import ForbiddenExplanation, explain_forbidden, explain_unauthorized
from ekstui.core.text import counted
from ekstui.errors import AccountError, InputError
from ekstui.library.access_policies import access_rules
from ekstui.library.catalog import knowledge
from ekstui.library.cluster_answers import find_cluster, with_cluster
from ekstui.library.library import Library
from ekstui.sources.aws.cluster_details import read_entries


class PrincipalInCluster(NamedTuple):
    """A principal whose access entry has a policy that allows a request."""

    cluster: str
    principal: str
    policy: str
    scope: str
    namespaces: tuple[str, ...]


class PrincipalsInClusters(NamedTuple):
    """The principals whose access entries allow a request."""

    principals: tuple[PrincipalInCluster, ...]
    not_looked_at: tuple[str, ...]
    """What else may allow it: entries that were not read, and what only the clusters know."""


def forbidden_answers(
    library: Library, text: str, cluster: str | None = None, principal: str | None = None
) -> tuple[ForbiddenExplanation, ...]:
    """Return why each request of a text was forbidden; empty if the text has no such message.

    `cluster` names the cluster that forbade it; without it the only known cluster is meant. Raises NotFoundError for an
    unknown cluster, AccountError if one is named and there is no snapshot.
    """
    found = parse_forbidden(text)
    if not found and not (is_unauthorized(text) and (cluster or principal)):
        return ()
    place = _only_cluster(library, cluster)
    snapshot = library.account.last() if place else None
    read_at = snapshot.fetched_at if snapshot else None
    if not found:
        return (explain_unauthorized(principal, place)._replace(fetched_at=read_at),) if place else ()
    reserved = [each.name for each in knowledge().access_policies.values() if each.reserved]
    named = cluster is not None
    return tuple(
        explain_forbidden(each, place, access_rules(), reserved, named=named)._replace(fetched_at=read_at)
        for each in found
    )


def entries_read(
    library: Library, snapshot: AccountSnapshot, cluster: Cluster
) -> tuple[Cluster, tuple[SourceError, ...]]:
    """Return a cluster with complete access entries, asking EKS if needed and allowed, and what failed."""
    entries = cluster.access_entries or ()
    lacking = any(each.kind is None or (each.takes_policies and each.policies is None) for each in entries)
    choice = library.account.choice
    if not lacking or choice.offline or choice.demo or choice.file is not None:
        return cluster, ()
    details = read_entries(library.account.connection(), cluster)
    (read,) = details.clusters
    library.account.add_details(with_cluster(library.account.last() or snapshot, read))
    return read, details.errors


def principals_in_clusters(library: Library, policies: set[str], *, ask: bool) -> PrincipalsInClusters:
    """Return the principals whose access entries have one of the policies, in the clusters of the last snapshot."""
    snapshot = library.account.last()
    found: list[PrincipalInCluster] = []
    unread: list[str] = []
    if snapshot is None or snapshot.eks is None:
        unread.append("access entries: no cluster is known")
    for cluster in snapshot.eks.clusters if snapshot and snapshot.eks else ():
        read = entries_read(library, snapshot, cluster)[0] if ask and snapshot else cluster
        found += [
            PrincipalInCluster(cluster.name, entry.principal_arn, each.policy, each.scope, each.namespaces or ())
            for entry in read.access_entries or ()
            for each in entry.policies or ()
            if each.policy in policies
        ]
        unread += _entries_unread(read)
    rbac = "roles and bindings inside the clusters, for the groups and user names of entries too"
    return PrincipalsInClusters(tuple(found), (*unread, rbac))


def _entries_unread(cluster: Cluster) -> Iterator[str]:
    """Yield what was not read of who can enter a cluster."""
    lacking = sum(each.takes_policies and each.policies is None for each in cluster.access_entries or ())
    if cluster.authentication_mode != "CONFIG_MAP" and cluster.access_entries is None:
        yield f"the access entries of {cluster.name}, which were not read"
    elif lacking or "access_entries" in cluster.cut_short:
        some = counted(lacking, "access entry", "access entries") if lacking else "further access entries"
        yield f"the access policies of {some} of {cluster.name}, which were not read"
    if cluster.authentication_mode != "API":
        yield f"the config map aws-auth of {cluster.name}"


def _only_cluster(library: Library, name: str | None) -> Cluster | None:
    """Return the named cluster, or the only one that is known; None if there is no such one."""
    if name is None:
        if not library.account_at_hand:
            return None
        try:
            snapshot = library.account.last()
        except (AccountError, InputError):
            return None
        known = snapshot.eks.clusters if snapshot is not None and snapshot.eks is not None else ()
        if len(known) != 1 or snapshot is None:
            return None
        cluster = known[0]
    else:
        snapshot = library.account.required()
        cluster = find_cluster(name, None, snapshot)
    try:
        return entries_read(library, snapshot, cluster)[0]
    except AccountError:
        return cluster
