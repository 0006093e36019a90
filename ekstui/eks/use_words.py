"""What a use of a role is called, in a few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ekstui.iam.text import counted

if TYPE_CHECKING:
    # Whatever shows an answer imports this module; with the account as values it would take 10 ms more.
    from ekstui.eks.account_snapshot import Use, UseKind

_KINDS: dict[UseKind, str] = {
    "cluster": "cluster",
    "nodegroup": "nodes",
    "self-managed-node": "self-managed nodes",
    "karpenter-node": "Karpenter nodes",
    "hybrid-node": "hybrid nodes",
    "hyperpod-node": "HyperPod nodes",
    "auto-mode-node": "Auto Mode nodes",
    "fargate": "Fargate",
    "addon": "add-on",
    "pod-identity": "Pod Identity",
    "pod-identity-target": "Pod Identity target",
    "irsa": "IRSA",
    "capability": "capability",
}


def use_in_words(use: Use) -> str:
    """Return a use of a role in a few words, such as `nodes workers of prod (inferred)`."""
    words = [_KINDS[use.kind]]
    if use.kind in ("irsa", "pod-identity", "pod-identity-target") and use.service_account:
        words.append(f"{use.namespace}/{use.service_account}")
    elif use.name and use.kind != "irsa":
        words.append(use.name)
    if use.cluster:
        words.append(use.cluster if use.kind == "cluster" else f"of {use.cluster}")
    if use.pods:
        words.append(f"({counted(use.pods, 'pod')})")
    if use.overruled:
        words.append(f"(not used: {use.overruled})")
    elif use.certainty == "inferred":
        words.append("(inferred)")
    return " ".join(words)


def pod_count(uses: Iterable[Use]) -> int:
    """Return how many pods have the credentials of some uses, as far as pods were read; an add-on's pods count once."""
    by_cluster: dict[tuple[str | None, str | None], tuple[int, int]] = {}
    for use in uses:
        account_pods, other_pods = by_cluster.get((use.region, use.cluster), (0, 0))
        pods = use.pods or 0
        counts = (
            (account_pods + pods, other_pods)
            if use.service_account and use.kind != "addon"
            else (account_pods, other_pods + pods)
        )
        by_cluster[use.region, use.cluster] = counts
    return sum(map(max, by_cluster.values()))
