"""A cluster for the first seconds of an incident: health, recent changes, then each role with its findings."""

from collections.abc import Sequence
from datetime import datetime

from ekstui.core.findings import Finding
from ekstui.library import ClusterAnswer, ClusterRole
from ekstui.library.clusters import RECENT
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, code, joined, note
from ekstui.present.styled import Style
from ekstui.present.words import last_used_words, not_looked_at, uses_words

SEVERITIES: dict[str, Style] = {"problem": "bad", "advice": "warn", "note": "muted"}


def cluster_blocks(answer: ClusterAnswer, known_until: datetime, now: datetime) -> list[Block]:
    """Return a cluster; `known_until` is the last day of which changes by AWS are known.

    No account number is in its Markdown, which goes to a channel that others read.
    """
    cluster = answer.cluster
    account = Span(f"account {answer.identity.account}, ", shown="terminal")
    blocks: list[Block] = [
        Heading(f"Cluster {cluster.name} in {cluster.region}", 1),
        Sentence((account, Span(f"as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC", shown="outside"))),
        Heading("Health, as EKS reports it"),
        Tree(
            [
                Node((f"{issue.kind} {issue.name}: ", Span(issue.code, "bad"), f": {issue.message}"))
                for issue in cluster.all_issues
            ]
            or [Node("no issue is reported" if cluster.described else Span("not read", "warn"))]
        ),
        Heading(f"Changed by AWS in the last {RECENT.days} days (policies are known until {known_until:%Y-%m-%d})"),
        *_recent(answer, known_until, now),
    ]
    for role in answer.roles:
        blocks += _role(role, now)
    blocks += not_looked_at(answer.not_looked_at)
    if not answer.complete:
        # Elsewhere the errors themselves are told, which may name the account.
        blocks.append(note(Span("incomplete: not everything about this cluster was read", shown="markdown")))
    return blocks


def findings_tree(findings: Sequence[Finding], key: str = "") -> Tree:
    """Return what is said about a role, each with its evidence below it."""
    return Tree(
        [
            Node(
                (
                    Span(finding.severity, SEVERITIES[finding.severity]),
                    Span(f" {finding.code}", "muted", shown="markdown"),
                    f": {finding.text}",
                ),
                [Node(Span(each, "muted")) for each in finding.evidence],
                finding,
                (key, "finding", index),
            )
            for index, finding in enumerate(findings)
        ]
    )


def _recent(answer: ClusterAnswer, known_until: datetime, now: datetime) -> list[Block]:
    if answer.recent:
        return [
            Tree(
                [
                    Node(
                        (
                            code(change.policy, "accent"),
                            f" v{change.version} on {change.created:%Y-%m-%d}: ",
                            *joined(", ", change.roles),
                        ),
                        value=change,
                        key=("recent", change.policy),
                    )
                    for change in answer.recent
                ]
            )
        ]
    if now - known_until > RECENT:
        # Nobody looked: that is not the same as that nothing changed.
        hint = Span(": r in the list of policies asks AWS for what is new", shown="app")
        command = Span(": ekstui sync asks AWS for what is new", shown="outside")
        return [note(("not known", hint, command))]
    return [Sentence(Span("no policy on this cluster's roles, as far as is known", "muted"))]


def _role(role: ClusterRole, now: datetime) -> list[Block]:
    name = (Span(role.arn.rpartition("/")[2], "strong"), Span(f"  {role.arn}", "muted", shown="terminal"))
    blocks: list[Block] = [Heading(name, 3, role, ("role", role.arn))]
    if role.uses:
        blocks.append(Sentence(uses_words(role.uses)))
    if role.subject is None:
        return [*blocks, Sentence(Span("not read: a role of another account, or one that is gone", "warn"))]
    carried = joined(", ", [code(policy.name) for policy in role.subject.policies]) or ("nothing",)
    used = f"; last used {last_used_words(role.subject.role, now)}"
    return [*blocks, Sentence(("carries ", *carried, Span(used, "muted"))), findings_tree(role.findings, role.arn)]
