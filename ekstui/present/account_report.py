"""The account: which it is, what was read of it, and which of its policies are copies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster
from ekstui.iam.text import counted
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    code,
    error_notes,
    facts_tree,
    known_words,
    muted,
    none_known,
    not_looked_at,
    section,
    verdict_span,
)

if TYPE_CHECKING:
    from ekstui.library.copies import CopyAnswer

CLUSTER_COLUMNS = (
    Column("Cluster", 12, share=1), Column("Region", 14), Column("Version", 7), Column("Mode", 9),
    Column("EKS reports", 11, right=True),
)  # fmt: skip


def account_blocks(snapshot: AccountSnapshot, now: datetime) -> list[Block]:
    """Return which account it is, one row per cluster, and what could not be read."""
    clusters = snapshot.clusters
    block: Block = (
        Table(CLUSTER_COLUMNS, [TableRow(cluster_cells(cluster), cluster) for cluster in clusters])
        if clusters
        else Sentence(none_known(snapshot))
    )
    return [*identity_blocks(snapshot, now), Heading("Clusters"), block, *unread_blocks(snapshot)]


def identity_blocks(snapshot: AccountSnapshot | None, now: datetime) -> list[Block]:
    """Return which account it is, how and when it was read, and what is in it; `snapshot` is None if none was read."""
    if snapshot is None:
        return [muted("nothing is known yet")]
    identity = snapshot.identity
    completeness = "complete" if snapshot.complete and not snapshot.errors else "incomplete"
    facts = (
        ("account", identity.account),
        ("partition", identity.partition),
        ("asked as", identity.arn),
        ("credentials", identity.method or "not known"),
        ("profile", identity.profile or "none"),
        ("region", identity.region or "none"),
        ("endpoint", identity.endpoint or "AWS's own"),
        ("read", f"{age_in_words(snapshot.fetched_at, now)}, {completeness}"),
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
    nodes = [Node(copy_line(answer), value=answer, key=("copy", answer.copy.local.arn)) for answer in copies]
    return section((title, Span(" (enter compares)", "strong", media="app")), nodes)


def copy_line(answer: CopyAnswer) -> Line:
    """Return what a policy is a copy of, how similar it is, and how the newest version differs."""
    copy, original = answer.copy, answer.copy.original
    share = f" ({copy.nearness:.0%} of the grants are the same)" if copy.nearness < 1 else ""
    like = f"{'like' if share else 'identical to'} {original.name} {version_label(copy.version)}{share}"
    after = "means the same" if answer.change.reach == "same" else verdict_span(answer.change)
    return code(copy.local.name, "strong"), f" is {like}. To {version_label(original.default_version)}: ", after


def cluster_cells(cluster: Cluster) -> tuple[Span, ...]:
    """Return a cluster as a row: its name, region, version and mode, and how many issues EKS reports."""
    mode = {True: "Auto Mode", False: "standard", None: "?"}[cluster.auto_mode]
    issues = len(cluster.all_issues)
    reports = Span(known_words(issues, is_whole=cluster.issues_known), "bad" if issues else "muted")
    return (
        Span(cluster.name, "strong"),
        Span(cluster.region),
        Span(cluster.version or "?"),
        Span(mode, "muted"),
        reports,
    )


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
