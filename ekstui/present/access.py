"""EKS access policies: their rules, what they surprisingly lack, how two differ, and which allow a request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ekstui.iam.text import counted
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
    iso_day,
    muted,
    not_looked_at,
    note,
    places_words,
    reach_style,
    section,
    without_path,
)
from ekstui.present.styled import Style

if TYPE_CHECKING:
    from datetime import date

    from ekstui.eks.kubernetes import AccessPolicyRules, Permission, Rule
    from ekstui.library.access_policies import AccessDifference, KubernetesHolders
    from ekstui.library.cluster_access import PrincipalInCluster, PrincipalsInClusters

CORE_GROUP = "core"
"""The name shown for the API group without a name."""

_KNOWN = {"exact": "rule by rule", "prose": "in words", "unknown": "not known"}

_LIST = (Column("Access policy", names=True), Column("Content"), Column("Since"), Column("", 12, shrink=1))
_RULES = (Column("Group"), Column("Resources", 16, shrink=1), Column("Verbs", 18, shrink=2))


def access_list_blocks(answers: Sequence[AccessPolicyRules]) -> list[Block]:
    """Return a row per access policy: how well its rules are known, when AWS announced it, and what it allows."""
    rows = [
        TableRow(
            (
                code(answer.policy.name),
                Span(_KNOWN[answer.policy.content], "" if answer.policy.content == "exact" else "muted"),
                iso_day(answer.policy.introduced, "?"),
                (answer.policy.text, Span(" AWS's own roles only.", "warn") if answer.policy.reserved else ""),
            ),
            answer,
            answer.arn,
        )
        for answer in answers
    ]
    return [Table(_LIST, rows)]


def access_blocks(answer: AccessPolicyRules) -> list[Block]:
    """Return what an access policy allows, and what it surprisingly lacks."""
    policy = answer.policy
    blocks: list[Block] = [
        Heading((code(policy.name), "  EKS access policy"), 1),
        Sentence(code(answer.arn)),
        Sentence(policy.text),
        muted(policy.explanation),
    ]
    if policy.introduced:
        blocks.append(_since(policy.introduced))
    if policy.reserved:
        blocks.append(note("AWS associates it with its own service-linked roles only"))
    if answer.rules is None:
        reason = "AWS's guide describes them in words only" if policy.content == "prose" else "no guide describes them"
        return [*blocks, note(f"its rules are not known: {reason}, and no API shows them", "muted")]
    blocks.append(Table(_RULES, [_rule_row(rule, number) for number, rule in enumerate(answer.rules)]))
    return blocks + section("Often expected, but not in it", [Node(words) for words in answer.lacks])


def access_timeline_blocks(answer: AccessPolicyRules) -> list[Block]:
    """Return since when an access policy is known, which is all of its history that AWS publishes."""
    return [
        Heading((code(answer.policy.name), "  EKS access policy"), 1),
        _since(answer.policy.introduced),
        muted("Access policies have no versions, and changes of their rules are not announced."),
    ]


def _since(day: date | None) -> Sentence:
    return Sentence(f"in AWS's list of updates since {day:%Y-%m-%d}" if day else "not in AWS's list of updates")


def access_difference_blocks(difference: AccessDifference) -> list[Block]:
    """Return how two access policies differ, by API group and resource."""
    before, after = difference.before.policy.name, difference.after.policy.name
    added_count, removed_count = _counted_permissions(difference.added), _counted_permissions(difference.removed)
    words = {
        "same": "same access: the rules allow the same",
        "widened": f"widened: {added_count} more",
        "narrowed": f"narrowed: {removed_count} fewer",
        "mixed": f"mixed: {added_count} more, {removed_count} fewer",
    }[difference.reach]
    head, colon, detail = words.partition(":")
    return [
        Heading((code(before, "strong"), " → ", code(after, "strong")), 1),
        Sentence((Span(head, reach_style(difference.reach)), f"{colon}{detail}")),
        *section(("Only in ", code(before, "strong")), [*_permission_nodes("−", difference.removed)]),
        *section(("Only in ", code(after, "strong")), [*_permission_nodes("+", difference.added)]),
    ]


def _counted_permissions(permissions: Sequence[Permission]) -> str:
    wild = any("*" in "".join(permission) for permission in permissions)
    return f"{counted(len(permissions), 'permission')}{' (with wildcards)' if wild else ''}"


def kubernetes_holders_blocks(answer: KubernetesHolders) -> list[Block]:
    """Return which access policies allow a request in Kubernetes."""
    count = counted(len(answer.holders), "EKS access policy", "EKS access policies")
    blocks: list[Block] = [
        Heading(
            (code(str(answer.request), "strong"), f"  {count} allow{'s' if len(answer.holders) == 1 else ''} it"), 1
        )
    ]
    rows = [
        TableRow(
            (code(answer.policy.name, "strong"), _rule_words(rules[0]) if rules else "", answer.policy.text),
            answer,
            answer.arn,
        )
        for answer, rules in answer.holders
    ]
    blocks.append(Table((Column("Access policy"), Column("By", 16, shrink=1), Column("", 12, shrink=2)), rows))
    words = counted(len(answer.unknown), "access policy", "access policies")
    blocks.append(note(f"the rules of {words} are not published, so one of them may allow it too", "muted"))
    return blocks


def no_holder_words(answer: KubernetesHolders) -> str:
    """Return that no access policy is known to allow a request."""
    return f"No EKS access policy whose rules are published allows {answer.request}."


def principals_in_clusters_blocks(answer: PrincipalsInClusters) -> list[Block]:
    """Return the access entries that allow the request, and what else may allow it."""
    if not answer.principals:
        return [Heading("By access entries: none that was read"), *not_looked_at(answer.not_looked_at)]
    rows = [
        TableRow(
            (
                entry.cluster,
                code(without_path(entry.principal)),
                code(entry.policy),
                places_words(None if entry.scope == "cluster" else entry.namespaces),
            ),
            entry,
            (entry.cluster, entry.principal, entry.policy),
        )
        for entry in answer.principals
    ]
    principal = Column("Principal", 20, names=True, shrink=2)
    columns = (Column("Cluster"), principal, Column("Access policy"), Column("In", 8, shrink=1))
    return [Heading("By access entries"), Table(columns, rows), *not_looked_at(answer.not_looked_at)]


def entry_about(entry: PrincipalInCluster) -> Line:
    """Return which access policy an access entry has, and where."""
    namespaces = "" if entry.scope == "cluster" else f": {', '.join(entry.namespaces)}"
    return code(entry.principal, "strong"), f"  {entry.policy} in {entry.cluster}{namespaces}"


def _rule_row(rule: Rule, number: int) -> TableRow:
    resources = rule.non_resource_urls or rule.resources
    groups = "paths" if rule.non_resource_urls else ", ".join(group or CORE_GROUP for group in rule.api_groups)
    return TableRow((code(groups), code(", ".join(resources)), code(", ".join(rule.verbs))), rule, number)


def _rule_words(rule: Rule) -> str:
    return f"{', '.join(rule.verbs)} in {', '.join(group or CORE_GROUP for group in rule.api_groups) or 'paths'}"


def _permission_nodes(sign: str, permissions: Iterable[Permission]) -> Iterable[Node]:
    style: Style = "added" if sign == "+" else "removed"
    for (group, resource), verbs in groupby(
        permissions, key=lambda permission: (permission.api_group, permission.resource)
    ):
        api_group = "" if resource.startswith("/") else f"  {group or CORE_GROUP}"
        yield Node(
            (
                Span(f"{sign} ", style),
                code(resource, style),
                Span(api_group, "muted"),
                f"  {', '.join(verb.verb for verb in verbs)}",
            )
        )
