"""The account: whose it is, what of it was read, what failed, and its copies of AWS's policies."""

from collections.abc import Sequence
from datetime import datetime

from ekstui.core.account import AccountSnapshot
from ekstui.core.eks import Cluster
from ekstui.core.words import age_in_words
from ekstui.library.copies import CopyAnswer
from ekstui.present.blocks import Block, Column, Heading, Node, Sentence, Span, Table, TableRow, Tree, code, reach_style
from ekstui.present.words import counted, error_notes, not_looked_at

_CLUSTERS = (Column("Cluster"), Column("Region"), Column("Version"), Column("Nodes"), Column("EKS reports"))


def identity_blocks(snapshot: AccountSnapshot, now: datetime) -> list[Block]:
    """Return whose account it is, how it was asked, when, and what it holds."""
    identity = snapshot.identity
    whole = "complete" if snapshot.complete else "incomplete"
    facts = (
        ("account", identity.account),
        ("partition", identity.partition),
        ("asked as", identity.arn),
        ("credentials", identity.method or "not known"),
        ("profile", identity.profile or "none"),
        ("region", identity.region or "none"),
        ("endpoint", identity.endpoint or "AWS's own"),
        ("read", f"{age_in_words(snapshot.fetched_at, now)}, {whole}"),
        ("holds", _holds(snapshot)),
    )
    return [Tree([Node((Span(f"{word}: ", "muted"), text), value=text, key=("about", word)) for word, text in facts])]


def clusters_blocks(snapshot: AccountSnapshot) -> list[Block]:
    """Return the account's clusters, one a row; that they were not read says so."""
    facts = snapshot.eks
    if facts is None:
        found: Block = Sentence(Span("not read", "warn"))
    elif facts.clusters:
        found = Table(_CLUSTERS, [_cluster(each) for each in facts.clusters])
    else:
        found = Sentence(f"none in {', '.join(facts.regions) or 'no region'}")
    return [Heading("Clusters"), found]


def unread_blocks(snapshot: AccountSnapshot) -> list[Block]:
    """Return what could not be read, and what nobody looked at."""
    blocks: list[Block] = [Heading("Could not be read"), *error_notes(snapshot.errors)] if snapshot.errors else []
    return blocks + not_looked_at(snapshot.not_looked_at)


def copies_blocks(copies: Sequence[CopyAnswer]) -> list[Block]:
    """Return the account's own policies that began as a copy of one of AWS's, and how they differ from it today."""
    if not copies:
        return []
    title = "Own policies that began as a copy of one of AWS's"
    return [
        Heading((Span(title, "strong"), Span(" (enter compares)", "strong", shown="app"))),
        Tree([*map(_copy, copies)]),
    ]


def _cluster(cluster: Cluster) -> TableRow:
    mode = {True: "Auto Mode", False: "own", None: "not known"}[cluster.auto_mode]
    issues = len(cluster.all_issues)
    reports = Span(counted(issues, "issue"), "bad") if issues else Span("nothing", "muted")
    return TableRow((code(cluster.name), cluster.region, cluster.version or "not known", mode, reports), cluster)


def _holds(snapshot: AccountSnapshot) -> str:
    if not (snapshot.complete or snapshot.roles or snapshot.users or snapshot.groups or snapshot.local_policies):
        return "not known, since it could not be read"
    parts = (
        counted(len(snapshot.roles), "role"),
        counted(len(snapshot.users), "user"),
        counted(len(snapshot.groups), "group"),
        counted(len(snapshot.local_policies), "policy of its own", "policies of its own"),
    )
    return ("" if snapshot.complete else "at least ") + ", ".join(parts)


def _copy(answer: CopyAnswer) -> Node:
    copy = answer.copy
    line = (
        code(copy.local.name, "strong"),
        f" is {copy.overlap:.0%} {copy.original.name} v{copy.version}; to today's v{copy.original.default_version}: ",
        Span(answer.change.verdict, reach_style(answer.change.reach)),
    )
    return Node(line, value=answer, key=("copy", copy.local.arn))
