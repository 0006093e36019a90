"""One cluster of the last snapshot: found by its name, and with its access entries read whole."""

from __future__ import annotations

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster, EksFacts
from ekstui.errors import ANOTHER_PROFILE, AccountError, Advice, AmbiguousError
from ekstui.library.catalog import not_found
from ekstui.library.library import Library
from ekstui.sources.aws.clusters import Details, read_entries


def find_cluster(name: str, region: str | None, snapshot: AccountSnapshot) -> Cluster:
    """Return a cluster by name; AmbiguousError, NotFoundError or AccountError as `cluster_answer` raises them."""
    if snapshot.eks is None:
        raise AccountError(
            "Clusters were not read: an account file has IAM only.",
            Advice("Ask AWS, without --account-file.", ANOTHER_PROFILE),
        )
    facts = snapshot.eks
    matches = facts.find(name, region)
    if len(matches) == 1:
        return matches[0]
    if matches:
        regions = tuple(cluster.region for cluster in matches)
        raise AmbiguousError(f"Cluster {name!r} is in {' and '.join(regions)}; give --region.", regions)
    read_error = next((error for error in snapshot.errors if error.source == "clusters"), None)
    if read_error is not None:
        raise AccountError(f"Cluster {name!r} was not found: {read_error.message}", read_error.advice)
    regions_read = region or ", ".join(facts.regions) or "no region"
    names = (cluster.name for cluster in facts.clusters)
    raise not_found(f"There is no cluster {name!r} in {regions_read}.", name, names, "Give --region, or --region all.")


def with_cluster(snapshot: AccountSnapshot, cluster: Cluster) -> AccountSnapshot:
    """Return a snapshot with one cluster replaced."""
    facts = snapshot.eks or EksFacts((), ())
    clusters = tuple(cluster if old.place == cluster.place else old for old in facts.clusters)
    return snapshot._replace(eks=facts._replace(clusters=clusters))


def entries_read(library: Library, snapshot: AccountSnapshot, cluster: Cluster) -> Details:
    """Return a cluster with complete access entries, as far as EKS tells if it is asked, and what failed."""
    entries = cluster.access_entries or ()
    has_unread_entry = any(entry.kind is None or (entry.takes_policies and entry.policies is None) for entry in entries)
    if not has_unread_entry or not library.account.choice.asks_aws:
        return cluster, ()
    cluster_read, errors = read_entries(library.account.connection(), cluster)
    library.account.add_details(with_cluster(library.account.last_snapshot() or snapshot, cluster_read))
    return cluster_read, errors


def cluster_meant(library: Library, name: str | None) -> Cluster | None:
    """Return the named cluster or the only one that is known, None without one; NotFoundError for an unknown name."""
    if name is not None:
        snapshot = library.account.last_snapshot_or_error()
        cluster = find_cluster(name, None, snapshot)
    else:
        at_hand = library.snapshot_at_hand()
        if at_hand is None or len(at_hand.clusters) != 1:
            return None
        snapshot, (cluster,) = at_hand, at_hand.clusters
    read, _ = entries_read(library, snapshot, cluster)
    return read
