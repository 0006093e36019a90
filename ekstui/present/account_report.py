"""The account: which it is, what was read of it, and which of its policies are copies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster
from ekstui.iam.text import age_in_words, counted
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    code,
    error_notes,
    facts_tree,
    muted,
    none_known,
    not_looked_at,
    section,
    verdict_span,
)

if TYPE_CHECKING:
    from ekstui.library.copies import CopyAnswer

_CLUSTERS = (Column("Cluster"), Column("Region"), Column("Version"), Column("Nodes"), Column("EKS reports"))


def account_blocks(snapshot: AccountSnapshot, now: datetime) -> list[Block]:
    """Return which account it is, one row per cluster, and what could not be read."""
    clusters = snapshot.clusters
    block: Block = (
        Table(_CLUSTERS, [_cluster(cluster) for cluster in clusters]) if clusters else Sentence(none_known(snapshot))
    )
    return [*identity_blocks(snapshot, now), Heading("Clusters"), block, *unread_blocks(snapshot)]


def identity_blocks(snapshot: AccountSnapshot | None, now: datetime) -> list[Block]:
    """Return which account it is, how and when it was read, and what is in it; `snapshot` is None if none was read."""
    if snapshot is None:
        return [muted("nothing is known yet")]
    identity = snapshot.identity
    whole = "complete" if snapshot.complete and not snapshot.errors else "incomplete"
    facts = (
        ("account", identity.account),
        ("partition", identity.partition),
        ("asked as", identity.arn),
        ("credentials", identity.method or "not known"),
        ("profile", identity.profile or "none"),
        ("region", identity.region or "none"),
        ("endpoint", identity.endpoint or "AWS's own"),
        ("read", f"{age_in_words(snapshot.fetched_at, now)}, {whole}"),
        ("contains", _contents(snapshot)),
    )
    return [facts_tree(facts)]


def unread_blocks(snapshot: AccountSnapshot) -> list[Block]:
    """Return what could not be read, and what was not looked at."""
    blocks: list[Block] = [Heading("Could not be read"), *error_notes(snapshot.errors)] if snapshot.errors else []
    return blocks + not_looked_at(snapshot.not_looked_at)


def copies_blocks(copies: Sequence[CopyAnswer]) -> list[Block]:
    """Return the account's policies that started as copies of AWS's, and how they differ from those today."""
    title = Span("Your policies that started as copies of AWS's or of a controller's", "strong")
    return section((title, Span(" (enter compares)", "strong", media="app")), [*map(_copy, copies)])


def _cluster(cluster: Cluster) -> TableRow:
    mode = {True: "Auto Mode", False: "own", None: "not known"}[cluster.auto_mode]
    issues = len(cluster.all_issues)
    some = counted(issues, "issue") if cluster.issues_known else f"{counted(issues, 'issue')}, not all read"
    nothing = "nothing" if cluster.issues_known else "not known"
    reports = Span(some, "bad") if issues else Span(nothing, "muted")
    return TableRow((code(cluster.name), cluster.region, cluster.version or "not known", mode, reports), cluster)


def _contents(snapshot: AccountSnapshot) -> str:
    if not (snapshot.complete or snapshot.roles or snapshot.users or snapshot.groups or snapshot.local_policies):
        return "not known: it could not be read"
    parts = (
        counted(len(snapshot.roles), "role"),
        counted(len(snapshot.users), "user"),
        counted(len(snapshot.groups), "group"),
        counted(len(snapshot.local_policies), "policy of its own", "policies of its own"),
    )
    return ("" if snapshot.complete else "at least ") + ", ".join(parts)


def _copy(answer: CopyAnswer) -> Node:
    copy = answer.copy
    newest = version_label(copy.original.default_version)
    today = f"the newest, {newest}" if copy.original.home else f"today's {newest}"
    line = (
        code(copy.local.name, "strong"),
        f" is {copy.overlap:.0%} {copy.original.name} {version_label(copy.version)}; to {today}: ",
        verdict_span(answer.change),
    )
    return Node(line, value=answer, key=("copy", copy.local.arn))
