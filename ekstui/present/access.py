"""EKS access policies: their rules, what people look for in them in vain, and how two of them differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    note,
    reach_style,
)
from ekstui.present.styled import Style
from ekstui.present.words import counted

if TYPE_CHECKING:
    from ekstui.core.kubernetes import Permission, Rule
    from ekstui.library.access import AccessDifference, AccessPolicyAnswer, KubernetesHolders

CORE = "core"
"""What the group without a name is called."""

_KNOWN = {"exact": "rule by rule", "prose": "in words", "unknown": "not known"}

_LIST = (Column("Access policy", middle=True), Column("Content"), Column("Since"), Column("", 12, shrink=1))
_RULES = (Column("Group"), Column("Resources", 16, shrink=1), Column("Verbs", 14, shrink=2))


def access_list_blocks(found: Sequence[AccessPolicyAnswer]) -> list[Block]:
    """Return an access policy a row: how well it is known, since when it is there, and what it allows."""
    return [
        Table(
            _LIST,
            [
                TableRow(
                    (
                        code(each.policy.name),
                        Span(_KNOWN[each.policy.content], "" if each.policy.content == "exact" else "muted"),
                        f"{each.policy.introduced:%Y-%m-%d}" if each.policy.introduced else "—",
                        (each.policy.text, Span(" AWS's own roles only.", "warn") if each.policy.reserved else ""),
                    ),
                    each,
                    each.arn,
                )
                for each in found
            ],
        )
    ]


def access_blocks(answer: AccessPolicyAnswer) -> list[Block]:
    """Return what an access policy allows, and what people look for in it in vain."""
    policy = answer.policy
    blocks: list[Block] = [
        Heading((code(policy.name), "  EKS access policy"), 1),
        Sentence(code(answer.arn)),
        Sentence(policy.text),
        Sentence(Span(policy.explanation, "muted")),
    ]
    if policy.introduced:
        blocks.append(Sentence(f"in AWS's list of updates since {policy.introduced:%Y-%m-%d}"))
    if policy.reserved:
        blocks.append(note("AWS gives it to its own service-linked roles; it cannot be given to another principal"))
    if answer.rules is None:
        known = "AWS's guide says it in words only" if policy.content == "prose" else "no guide says"
        return [*blocks, note(f"which rules it has is not known: {known}, and no API shows them", "muted")]
    blocks.append(Table(_RULES, [_rule_row(rule, number) for number, rule in enumerate(answer.rules)]))
    if answer.lacks:
        blocks.append(Heading("Not in it, although often expected"))
        blocks.append(Tree([Node(words) for words in answer.lacks]))
    return blocks


def access_difference_blocks(found: AccessDifference) -> list[Block]:
    """Return what two access policies differ in, by API group and resource."""
    one, other = found.before.policy.name, found.after.policy.name
    words = {
        "same": "same access: the rules allow the same",
        "widened": f"widened: {counted(len(found.added), 'permission')} more",
        "narrowed": f"narrowed: {counted(len(found.removed), 'permission')} fewer",
        "mixed": f"mixed: {counted(len(found.added), 'permission')} more, {len(found.removed):,} fewer",
    }[found.reach]
    head, colon, rest = words.partition(":")
    blocks: list[Block] = [
        Heading((code(one, "strong"), " → ", code(other, "strong")), 1),
        Sentence((Span(head, reach_style(found.reach)), f"{colon}{rest}")),
    ]
    if found.removed:
        blocks.append(Heading(("Only in ", code(one, "strong"))))
        blocks.append(Tree([*_permission_nodes("−", found.removed)]))
    if found.added:
        blocks.append(Heading(("Only in ", code(other, "strong"))))
        blocks.append(Tree([*_permission_nodes("+", found.added)]))
    return blocks


def kubernetes_holders_blocks(found: KubernetesHolders) -> list[Block]:
    """Return which access policies allow a request in Kubernetes."""
    count = counted(len(found.holders), "EKS access policy", "EKS access policies")
    blocks: list[Block] = [
        Heading((code(str(found.request), "strong"), f"  {count} allow{'s' if len(found.holders) == 1 else ''} it"), 1)
    ]
    rows = [
        TableRow(
            (code(answer.policy.name, "strong"), "; ".join(map(_rule_words, rules[:1])), answer.policy.text),
            answer,
            answer.arn,
        )
        for answer, rules in found.holders
    ]
    blocks.append(Table((Column("Access policy"), Column("By", 16, shrink=1), Column("", 12, shrink=2)), rows))
    words = counted(len(found.unknown), "access policy", "access policies")
    blocks.append(note(f"of {words} no rules are published, so one of them may allow it too", "muted"))
    return blocks


def _rule_row(rule: Rule, number: int) -> TableRow:
    resources = rule.non_resource_urls or rule.resources
    groups = "paths" if rule.non_resource_urls else ", ".join(each or CORE for each in rule.api_groups)
    return TableRow((code(groups), code(", ".join(resources)), code(", ".join(rule.verbs))), rule, number)


def _rule_words(rule: Rule) -> str:
    return f"{', '.join(rule.verbs)} in {', '.join(each or CORE for each in rule.api_groups) or 'paths'}"


def _permission_nodes(sign: str, permissions: Iterable[Permission]) -> Iterable[Node]:
    style: Style = "added" if sign == "+" else "removed"
    for (group, resource), verbs in groupby(permissions, key=lambda each: (each.api_group, each.resource)):
        where = "" if resource.startswith("/") else f"  {group or CORE}"
        yield Node(
            (
                Span(f"{sign} ", style),
                code(resource, style),
                Span(where, "muted"),
                f"  {', '.join(each.verb for each in verbs)}",
            )
        )
