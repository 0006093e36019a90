"""EKS access policies: their rules, what they surprisingly lack, how two differ, and why Kubernetes forbade a request."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from ekstui.iam.text import counted
from ekstui.present.blocks import (
    Block,
    Code,
    Column,
    Heading,
    Line,
    Node,
    Part,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    about_command,
    as_of_line,
    as_of_words,
    by_place,
    code,
    folded,
    iso_day,
    muted,
    not_looked_at,
    note,
    places_words,
    reach_style,
    section,
    without_path,
)
from ekstui.present.chain import Link, chain_of
from ekstui.present.styled import Style

if TYPE_CHECKING:
    from ekstui.denial.access_entries import ForbiddenExplanation, JudgedPolicy, Remedy
    from ekstui.eks.kubernetes import AccessPolicyRules, Permission, Rule
    from ekstui.library.access_policies import AccessDifference, KubernetesHolders
    from ekstui.library.cluster_answers import PrincipalInCluster, PrincipalsInClusters

_CORE = "core"
"""The name shown for the API group without a name."""

_VERDICTS: dict[str, Style] = {"forbidden": "bad", "depends": "warn", "allowed": "good"}

_KNOWN = {"exact": "rule by rule", "prose": "in words", "unknown": "not known"}

_LIST = (Column("Access policy", middle=True), Column("Content"), Column("Since"), Column("", 12, shrink=1))
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
        blocks.append(Sentence(f"in AWS's list of updates since {policy.introduced:%Y-%m-%d}"))
    if policy.reserved:
        blocks.append(note("AWS associates it with its own service-linked roles only"))
    if answer.rules is None:
        described = (
            "AWS's guide describes them in words only" if policy.content == "prose" else "no guide describes them"
        )
        return [*blocks, note(f"its rules are not known: {described}, and no API shows them", "muted")]
    blocks.append(Table(_RULES, [_rule_row(rule, number) for number, rule in enumerate(answer.rules)]))
    return blocks + section("Often expected, but not in it", [Node(words) for words in answer.lacks])


def access_timeline_blocks(answer: AccessPolicyRules) -> list[Block]:
    """Return since when an access policy is known, which is all of its history that AWS publishes."""
    day = answer.policy.introduced
    since = f"in AWS's list of updates since {day:%Y-%m-%d}" if day else "AWS's list of updates does not mention it"
    return [
        Heading((code(answer.policy.name), "  EKS access policy"), 1),
        Sentence(since),
        muted("Access policies have no versions: when AWS changes the rules of one, nothing says so."),
    ]


def access_difference_blocks(difference: AccessDifference) -> list[Block]:
    """Return how two access policies differ, by API group and resource."""
    one, other = difference.before.policy.name, difference.after.policy.name
    more, fewer = _counted_permissions(difference.added), _counted_permissions(difference.removed)
    words = {
        "same": "same access: the rules allow the same",
        "widened": f"widened: {more} more",
        "narrowed": f"narrowed: {fewer} fewer",
        "mixed": f"mixed: {more} more, {fewer} fewer",
    }[difference.reach]
    head, colon, rest = words.partition(":")
    return [
        Heading((code(one, "strong"), " → ", code(other, "strong")), 1),
        Sentence((Span(head, reach_style(difference.reach)), f"{colon}{rest}")),
        *section(("Only in ", code(one, "strong")), [*_permission_nodes("−", difference.removed)]),
        *section(("Only in ", code(other, "strong")), [*_permission_nodes("+", difference.added)]),
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
                holder.cluster,
                code(without_path(holder.principal)),
                code(holder.policy),
                places_words(None if holder.scope == "cluster" else holder.namespaces),
            ),
            holder,
            (holder.cluster, holder.principal, holder.policy),
        )
        for holder in answer.principals
    ]
    principal = Column("Principal", 20, middle=True, shrink=2)
    columns = (Column("Cluster"), principal, Column("Access policy"), Column("In", 8, shrink=1))
    return [Heading("By access entries"), Table(columns, rows), *not_looked_at(answer.not_looked_at)]


def entry_about(entry: PrincipalInCluster) -> Line:
    """Return which access policy an access entry has, and where."""
    where = "" if entry.scope == "cluster" else f": {', '.join(entry.namespaces)}"
    return code(entry.principal, "strong"), f"  {entry.policy} in {entry.cluster}{where}"


def forbidden_blocks(
    explanation: ForbiddenExplanation,
    now: datetime,
    number: int | None = None,
    opened: Collection[Hashable] | None = None,
) -> list[Block]:
    """Return why Kubernetes forbade a request: the verdict, the access entry with its policies, and what would allow it.

    `number` is its place among several answers; None if it is the only one.
    """
    what = (
        str(explanation.request) if explanation.request else "a request by a principal that the cluster does not know"
    )
    where = f" in {explanation.request.namespace}" if explanation.request and explanation.request.namespace else ""
    verdict = Span(
        "cannot tell" if explanation.verdict == "depends" else explanation.verdict, _VERDICTS[explanation.verdict]
    )
    line: Line = (code(what, "strong"), where, Span(": ", "strong"), verdict, f". {explanation.reason}")
    key = (number or 0, "verdict")
    blocks: list[Block] = [Sentence(line, key=key) if number is None else Heading(line, key=key)]
    if (chain := chain_of([*_links(explanation)])) is not None:
        blocks.append(Sentence(chain, key=(number or 0, "chain")))
    return [
        *blocks,
        *_missing(explanation),
        *_next(explanation),
        *folded([*_parts(explanation, now, number or 0)], opened, level=2 if number is None else 3),
    ]


def _links(explanation: ForbiddenExplanation) -> Iterator[Link]:
    """Yield who asked, the access entry, its access policies and what of them does not fit, as far as a cluster is known."""
    subject, entry = explanation.subject, explanation.entry
    if subject is None or explanation.cluster is None:
        return
    yield subject.name or subject.username, "holds"
    if entry is None:
        yield f"access entry in {explanation.cluster}", "open" if explanation.verdict == "depends" else "breaks"
        return
    yield f"access entry in {explanation.cluster}", "holds"
    covering = [policy for policy in explanation.policies if policy.covers]
    if not explanation.policies:
        yield "an access policy", "open" if entry.policies is None else "breaks"
    elif not covering:
        unknown = any(policy.covers is None for policy in explanation.policies)
        yield ", ".join(policy.associated.policy for policy in explanation.policies), "holds"
        yield "a rule for it", "open" if unknown else "breaks"
    else:
        yield covering[0].associated.policy, "holds"
        yield "where it applies", "holds" if any(policy.applies for policy in covering) else "breaks"


def _parts(explanation: ForbiddenExplanation, now: datetime, number: int) -> Iterator[Part]:
    """Yield what is folded."""
    wide = (
        "" if explanation.request is None or explanation.request.namespace else ", if associated for the whole cluster"
    )
    if remedies := explanation.allowed_by:
        nodes = [Node((code(remedy.policy), Span(f"  {_amount(remedy)}", "muted"))) for remedy in remedies]
        title = f"access policies that allow it{wide}, narrowest first ({len(remedies)})"
        yield Part((number, "allowers"), title, [Tree(nodes)])
    if asker := [*_asker(explanation)]:
        yield Part((number, "about"), "who asked", asker)
    if people := explanation.people_known:
        nodes = [Node(code(arn)) for arn in people]
        yield Part((number, "people"), f"who has an access entry ({len(people)})", [Tree(nodes)])
    if unseen := explanation.not_looked_at:
        nodes = [Node(Span(place, "muted")) for place in unseen]
        yield Part((number, "unseen"), f"not looked at ({len(unseen)})", [Tree(nodes)])
    if explanation.fetched_at:
        title = f"cluster {as_of_words(explanation.fetched_at)}"
        yield Part((number, "as of"), title, [Sentence(("cluster ", *as_of_line(explanation.fetched_at, now)))])


def _asker(explanation: ForbiddenExplanation) -> Iterator[Block]:
    """Yield who made the request, and what the access entry allows."""
    if (subject := explanation.subject) is not None:
        whom = "" if subject.kind == "username" else f"{subject.kind.replace('-', ' ')} "
        session = f" (session {subject.session})" if subject.session else ""
        yield Sentence((f"made by {whom}", code(subject.name or subject.username), session))
    if (entry := explanation.entry) is not None:
        kind = f", type {entry.kind}" if entry.kind else ""
        groups = f", groups {', '.join(entry.groups)}" if entry.groups else ", no groups"
        yield Sentence(f"access entry of {entry.principal_arn} in {explanation.cluster}{kind}{groups}")
        yield Tree(
            [
                Node((code(policy.associated.policy), Span(f"  {_scope_words(policy)}", "muted")))
                for policy in explanation.policies
            ]
        )


def _missing(explanation: ForbiddenExplanation) -> Iterator[Block]:
    """Yield the rule that is missing."""
    if explanation.verdict != "allowed" and not explanation.grants and (rule := explanation.missing_rule) is not None:
        target = ", ".join(rule.non_resource_urls or rule.resources)
        group = "" if rule.non_resource_urls else f" of group {rule.api_groups[0] or _CORE}"
        place = explanation.request.namespace if explanation.request is not None else None
        where = "" if rule.non_resource_urls else f" in namespace {place}" if place else " in the whole cluster"
        yield Sentence(("missing: ", code(f"{rule.verbs[0]} {target}"), group, where))


def _next(explanation: ForbiddenExplanation) -> Iterator[Block]:
    """Yield the commands to run next, and where to look where no cluster was looked at."""
    for index, command in enumerate(explanation.commands):
        own = ("command", index)
        yield Sentence((Span("NEXT  ", "strong"), Span(about_command(command), "muted")), key=(*own, "about"))
        yield Code(command.text, "sh", command, own)
    if (
        explanation.cluster is None
        and explanation.subject is not None
        and explanation.subject.kind in ("role", "user", "username")
    ):
        looks = "looks at the access entries of a cluster"
        yield Sentence(by_place(f"cluster:NAME before the message {looks}", f"--cluster NAME {looks}"), key="cluster")


def _scope_words(judged: JudgedPolicy) -> str:
    covers = {True: "allows it", False: "has no rule for it", None: "its rules are not known"}[judged.covers]
    return f"in {places_words(judged.associated.namespaces)}: {covers}{'' if judged.applies or not judged.covers else ', but not there'}"


def _amount(remedy: Remedy) -> str:
    if remedy.permissions is None:
        return "reads everything" if remedy.reads_only else "allows everything"
    return f"allows {remedy.permissions:,} verbs on resources in all"


def _rule_row(rule: Rule, number: int) -> TableRow:
    resources = rule.non_resource_urls or rule.resources
    groups = "paths" if rule.non_resource_urls else ", ".join(group or _CORE for group in rule.api_groups)
    return TableRow((code(groups), code(", ".join(resources)), code(", ".join(rule.verbs))), rule, number)


def _rule_words(rule: Rule) -> str:
    return f"{', '.join(rule.verbs)} in {', '.join(group or _CORE for group in rule.api_groups) or 'paths'}"


def _permission_nodes(sign: str, permissions: Iterable[Permission]) -> Iterable[Node]:
    style: Style = "added" if sign == "+" else "removed"
    for (group, resource), verbs in groupby(
        permissions, key=lambda permission: (permission.api_group, permission.resource)
    ):
        where = "" if resource.startswith("/") else f"  {group or _CORE}"
        yield Node(
            (
                Span(f"{sign} ", style),
                code(resource, style),
                Span(where, "muted"),
                f"  {', '.join(verb.verb for verb in verbs)}",
            )
        )
