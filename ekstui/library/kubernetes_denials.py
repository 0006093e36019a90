"""Why Kubernetes forbade a request, by what the account's last snapshot and EKS say of a cluster's access entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ekstui.core.account import SourceError
from ekstui.core.denial.rbac import is_unauthorized, parse_forbidden
from ekstui.core.explain.access_entries import ForbiddenExplanation, explain_forbidden, explain_unauthorized
from ekstui.errors import AccountError, InputError
from ekstui.library.access_policies import access_rules
from ekstui.library.catalog import knowledge
from ekstui.library.cluster_answers import find_cluster, with_cluster
from ekstui.sources.aws.cluster_details import read_entries

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.core.eks import Cluster
    from ekstui.library.library import Library


class PrincipalInCluster(NamedTuple):
    """Somebody whose access entry gives a policy that allows a request."""

    cluster: str
    principal: str
    policy: str
    scope: str
    namespaces: tuple[str, ...]


def forbidden_answers(
    library: Library, text: str, cluster: str | None = None, principal: str | None = None
) -> tuple[ForbiddenExplanation, ...]:
    """Return why each request of a text was forbidden; empty where the text says nothing of the kind.

    `cluster` is the cluster it is from; without it the only one that is known. Raises NotFoundError for a cluster that
    is not there, AccountError where one is named and nothing is known of the account.
    """
    found = parse_forbidden(text)
    if not found and not (is_unauthorized(text) and (cluster or principal)):
        return ()
    place = _cluster(library, cluster)
    if not found:
        return (explain_unauthorized(principal, place),) if place else ()
    reserved = [each.name for each in knowledge().access_policies.values() if each.reserved]
    return tuple(explain_forbidden(each, place, access_rules(), reserved, named=cluster is not None) for each in found)


def entries_read(
    library: Library, snapshot: AccountSnapshot, cluster: Cluster
) -> tuple[Cluster, tuple[SourceError, ...]]:
    """Return a cluster with its access entries read whole, asking EKS where that may be and is needed; and what failed."""
    entries = cluster.access_entries or ()
    lacking = any(each.kind is None or (each.takes_policies and each.policies is None) for each in entries)
    choice = library.account.choice
    if not lacking or choice.offline or choice.demo or choice.file is not None:
        return cluster, ()
    details = read_entries(library.account.connection(), cluster)
    (read,) = details.clusters
    library.account.learn(with_cluster(library.account.last() or snapshot, read))
    return read, details.errors


def principals_in_clusters(library: Library, policies: set[str], *, ask: bool) -> tuple[PrincipalInCluster, ...]:
    """Return whose access entries give one of the policies, in the clusters of the last snapshot."""
    snapshot = library.account.last()
    found: list[PrincipalInCluster] = []
    for cluster in snapshot.eks.clusters if snapshot and snapshot.eks else ():
        read = entries_read(library, snapshot, cluster)[0] if ask and snapshot else cluster
        found += [
            PrincipalInCluster(cluster.name, entry.principal_arn, each.policy, each.scope, each.namespaces or ())
            for entry in read.access_entries or ()
            for each in entry.policies or ()
            if each.policy in policies
        ]
    return tuple(found)


def _cluster(library: Library, name: str | None) -> Cluster | None:
    """Return the cluster to look at; None where none is named and not exactly one is known."""
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
