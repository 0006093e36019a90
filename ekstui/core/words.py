"""Uses of roles and ages in words, for both front ends."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ekstui.core.account import Use, UseKind

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
    """Return what uses a role in a few words, such as `nodes workers of prod (inferred)`."""
    words = [_KINDS[use.kind]]
    if use.kind in ("irsa", "pod-identity", "pod-identity-target") and use.service_account:
        words.append(f"{use.namespace}/{use.service_account}")
    elif use.name and use.kind != "irsa":
        words.append(use.name)
    if use.cluster:
        words.append(use.cluster if use.kind == "cluster" else f"of {use.cluster}")
    if use.certainty == "inferred":
        words.append("(inferred)")
    return " ".join(words)


def age_in_words(since: datetime, now: datetime) -> str:
    """Return how long ago something was: `just now`, `3 min ago`, `2 h ago`, `212 d ago`, or `in the future`."""
    seconds = (now - since).total_seconds()
    if seconds < -60:
        return "in the future"
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    return f"{int(seconds // 3600)} h ago" if seconds < 86400 * 2 else f"{int(seconds // 86400)} d ago"
