"""What is known of a cluster's Kubernetes, kept with the account: as it was read from JSON or by kubectl."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ekstui.eks.pods import KubernetesFacts
from ekstui.eks.unseen import unread_inside
from ekstui.errors import AccountError, Advice, InputError
from ekstui.library.cluster_facts import find_cluster, with_cluster
from ekstui.library.library import Library
from ekstui.sources.kubernetes import MAX_ANSWER_BYTES, kubernetes_text, read_kubernetes, within_limit
from ekstui.waiting import Cancelled, Tell, never, silent


def kubernetes_texts(paths: Sequence[str]) -> list[tuple[str, str]]:
    """Return the texts of files (`-`: standard input), each with its name; InputError if one cannot be read."""
    if "-" not in paths:
        return [(path, kubernetes_text(Path(path).expanduser())) for path in paths]
    if len(paths) > 1:
        raise InputError("Standard input and files cannot be read together.", "Give files only, or - alone.")
    if sys.stdin.isatty():
        raise InputError("Nothing was piped in.", "kubectl get pods,serviceaccounts -A -o json | ekstui …")
    try:
        text = sys.stdin.read(MAX_ANSWER_BYTES + 1)
    except UnicodeDecodeError:
        raise InputError("Standard input is not UTF-8 text.") from None
    return [("standard input", within_limit(text, "standard input"))]


def read_kubernetes_files(paths: Sequence[str]) -> KubernetesFacts:
    """Return what files hold of Kubernetes, or standard input for `-`; InputError for what cannot be read."""
    return read_kubernetes(kubernetes_texts(paths), datetime.now(UTC))


def keep_kubernetes(library: Library, name: str, facts: KubernetesFacts, region: str | None = None) -> None:
    """Keep what was read of a cluster's Kubernetes with the account, beside what was not read this time."""
    snapshot = library.account.last_snapshot_or_error()
    cluster = find_cluster(name, region, snapshot)
    if (earlier := cluster.kubernetes) is not None:
        facts = facts._replace(
            pods=facts.pods if facts.pods is not None else earlier.pods,
            service_accounts=facts.service_accounts if facts.service_accounts is not None else earlier.service_accounts,
            mappings=facts.mappings if facts.mappings is not None else earlier.mappings,
            whole=tuple(sorted({*facts.whole, *(kind for kind in earlier.whole if not facts.has(kind))})),
        )
    after = with_cluster(snapshot, cluster._replace(kubernetes=facts))
    other_notes = (note for note in snapshot.not_looked_at if note not in unread_inside(snapshot))
    library.account.add_details(after._replace(not_looked_at=(*other_notes, *unread_inside(after))))


def read_with_kubectl(
    library: Library,
    name: str | None,
    context: str | None = None,
    namespace: str | None = None,
    *,
    region: str | None = None,
    progress: Tell = silent,
    cancelled: Cancelled = never,
) -> str:
    """Read a cluster's (or the context's) Kubernetes by the user's kubectl, and keep it; return its name."""
    # It brings an HTTP client with it.
    from ekstui.sources.kubectl import cluster_of_context, context_for, read_by_kubectl

    snapshot = library.account.last_snapshot_or_error()
    if not library.account.choice.asks_aws:
        raise AccountError(
            "kubectl is not asked here.",
            Advice(
                "Give --kubernetes a file, or leave out --offline, --account-file and --demo.",
                "Leave out --offline, --account-file and --demo at the next start.",
            ),
        )
    cluster = (
        find_cluster(name, region, snapshot) if name is not None else cluster_of_context(snapshot.clusters, context)
    )
    way = context_for(cluster, context, cancelled)
    facts = read_by_kubectl(way, datetime.now(UTC), namespace, progress, cancelled)
    keep_kubernetes(library, cluster.name, facts, cluster.region)
    return cluster.name


def kubernetes_trouble(library: Library, name: str) -> tuple[str, ...]:
    """Return what could not be read of a cluster's Kubernetes the last time, in sentences."""
    facts = find_cluster(name, None, library.account.last_snapshot_or_error()).kubernetes
    return facts.trouble if facts is not None else ()


def was_kubernetes_read(library: Library) -> bool:
    """Return whether the pods of some cluster are known from an earlier reading."""
    snapshot = library.account.last_snapshot()
    return snapshot is not None and any(cluster.pods is not None for cluster in snapshot.clusters)
