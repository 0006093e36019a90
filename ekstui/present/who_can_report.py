"""Who can do something: the policies that allow it, and who in the account may do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.holders import Holder, Since, WhoCan
from ekstui.change.policy import Scope, version_label
from ekstui.eks.use_words import pod_count
from ekstui.iam.exemptions import is_exempt
from ekstui.iam.reference import UNKNOWN_LEVEL
from ekstui.iam.text import counted
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Node,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    grant_line,
    joined,
    last_used_words,
    level_style,
    muted,
    not_looked_at,
    note,
    section,
    uses_words,
)
from ekstui.present.grants_in_short import ALL, conditions_in_short, fitted, kind_of_key, resources_in_short

if TYPE_CHECKING:
    from ekstui.eks.principals import PrincipalCan, PrincipalsCan

ON_ROOM = 20
"""The room for resources in a row, in characters; those that do not fit are counted, but the first is always named."""

IF_ROOM = 30
"""The room for condition keys in a row, in the same way."""

NARROW = 100
"""The width, in columns, below which a row takes two lines, since names leave too little room beside them."""

LONGEST_NAME = 48
"""The longest policy name, in cells, that is not cut in the middle."""

_CLUSTER_TAGS = (
    "eks:eks-cluster-name", "eks:cluster-name", "aws:eks:cluster-name", "ebs.csi.aws.com/cluster",
    "ebs.csi.aws.com/cluster-name", "elbv2.k8s.aws/cluster", "kubernetes.io/cluster/",
)  # fmt: skip
"""Tags that say which cluster something belongs to."""

_DENIED = {
    "full": "the policy itself denies all of it",
    "partial": "the policy itself denies part of it",
    "unknown": "the policy itself may deny it",
}

_NOBODY = {
    "eks": "No EKS policy",
    "all": "No AWS managed policy",
    "access": "No EKS access policy, which is about Kubernetes (k8s:VERB:RESOURCE),",
    "controllers": "No policy that a controller publishes",
    "any": "No AWS managed policy, and none that a controller publishes,",
}
"""The policies of each scope, none of which allows an action."""

_UNNAMED = "Neither the reference nor any policy names"

_PRINCIPALS = (
    Column("Who", 30, names=True, shrink=4), Column("", 4), Column("Used by", 16, shrink=1),
    Column("Through", 22, shrink=2), Column("Last used", 9), Column("Depends on", 12, shrink=3),
)  # fmt: skip

_DENIED_IN_SHORT = {"full": "denied again", "partial": "partly denied again", "unknown": "perhaps denied again"}


def who_can_blocks(
    answer: WhoCan, scope: str, known_until: datetime, *, full: bool = False, types: bool = False, narrow: bool = False
) -> list[Block]:
    """Return the policies; with `full` every grant, with `types` also the resource types that the grants do not match.

    With `narrow` a row takes two lines.
    """
    if not answer.holders:
        return []
    origin = "EKS " if scope == "eks" and answer.is_named else "AWS managed " if scope in ("eks", "all") else ""
    count = counted(len(answer.holders), f"{origin}policy", f"{origin}policies")
    way = "" if answer.is_named else " by a pattern, if it exists"
    line = (
        code(answer.action, "strong"),
        Span("" if answer.level == UNKNOWN_LEVEL else f"  {answer.level}", level_style(answer.level)),
        f"  {count} allow{'s' if len(answer.holders) == 1 else ''} it{way}, known until {known_until:%Y-%m-%d}",
    )
    blocks: list[Block] = [Heading(line, 1)]
    if not full:
        columns = columns_of(answer, narrow=narrow)
        return [*blocks, Table(columns, [holder_row(row, narrow=narrow) for row in answer.holders])]
    for holder in answer.holders:
        blocks.append(Heading((code(holder.policy.name), f" {version_label(holder.version)}")))
        blocks.append(Tree([Node(line) for line in holder_lines(holder, answer.action, types=types)]))
    return blocks


def who_can_remarks(answer: WhoCan, scope: Scope, resource: str | None, known_until: datetime) -> list[str]:
    """Return that nothing names the action, and that no policy allows it, where that is so."""
    remarks: list[str] = []
    if not answer.is_named:
        remarks.append(f"{_UNNAMED} {answer.action}: these allow it by a pattern, if it exists.")
    if is_exempt(answer.action):
        remarks.append(f"{answer.action} needs no permission: everybody may do it, whatever policies say.")
    elif not answer.holders:
        remarks.append(no_policy_words(answer, scope, resource, known_until))
    return remarks


def no_policy_words(
    answer: WhoCan, scope: Scope, resource: str | None, known_until: datetime, *, wider: str = "--scope all"
) -> str:
    """Return that no policy of a scope allows the action; `wider` is what looks at all of AWS's."""
    scope_searched = scope if answer.is_named else "all"
    on = f" on {resource}" if resource else ""
    hint = f"; {wider} searches all AWS managed policies" if scope_searched == "eks" else ""
    return f"{_NOBODY[scope_searched]} allows {answer.action}{on}, as known until {known_until:%Y-%m-%d}{hint}."


def unknown_words(action: str) -> str:
    """Return that an action is not known, of one that others are near."""
    return f"There is no known action {action}."


def nearest_blocks(action: str, similar_actions: Sequence[str]) -> list[Block]:
    """Return that an action is not known, and the nearest ones to ask about."""
    names = [Node(f"  {name}", value=name, key=name) for name in similar_actions]
    return [note(f"{unknown_words(action)} Nearest:"), Tree(names)]


def unnamed_blocks(action: str) -> list[Block]:
    """Return that nothing names the action, above the policies with a pattern for it."""
    return [note(f"{_UNNAMED} {action}."), muted("If it exists, these allow it by a pattern:")]


def columns_of(answer: WhoCan, *, narrow: bool = False) -> tuple[Column, ...]:
    """Return the columns of `holder_row`; the first is as wide as the longest name."""
    longest_name = max((len(holder.policy.name) for holder in answer.holders), default=16)
    name = Column("Policy", min(longest_name, LONGEST_NAME), names=True)
    columns = (name, Column("Ver", 3), Column("Since", 13))
    return columns if narrow else (*columns, Column("On", ON_ROOM, shrink=1), Column("If", 10, shrink=2, share=1))


def holder_row(holder: Holder, *, narrow: bool = False) -> TableRow:
    """Return a policy as one row."""
    cells: tuple[Line, ...] = (
        code(holder.policy.name, "strong"),
        Span(version_label(holder.version), "muted"),
        since_words(holder.since),
    )
    on, beside = _on(holder), joined(" · ", list(_if(holder)))
    if narrow:
        return TableRow(cells, holder, holder.policy.arn, ((f"on {on} ", *beside),))
    return TableRow((*cells, on, beside), holder, holder.policy.arn)


def holder_lines(holder: Holder, action: str, *, types: bool) -> Iterator[Line]:
    """Yield all that is known about how a policy grants an action, a line per fact."""
    if holder.via == "NotAction":
        yield ("through everything but ", code(holder.pattern))
    elif holder.pattern.lower() != action.lower():
        yield ("through ", code(holder.pattern))
    yield f"since {since_words(holder.since, in_full=True)}"
    for wider in holder.wider:
        day = f" {wider.created:%Y-%m-%d}" if wider.created else ""
        change = f"without {' and '.join(wider.without)}" if wider.without else "in more cases"
        yield Span(f"{change} since {version_label(wider.version)}{day}", "accent" if wider.without else "muted")
    for grant in holder.grants:
        yield ("on ", *joined("", [grant_line(grant)]))
    if holder.denied:
        yield Span(f"denied: {_DENIED[holder.denied]}", "bad")
    if holder.policy.kind == "service-linked":
        yield Span("for a service-linked role: nobody can attach it", "muted")
    if not holder.applies:
        yield Span("! the reference lists none of these resources for the action, so this may allow nothing", "warn")
    elif types and holder.lacks:
        yield Span(f"resource types that it does not match: {', '.join(holder.lacks)}", "warn")


def holder_about(holder: Holder, action: str) -> Line:
    """Return all that is known about how a policy grants an action, in one line."""
    return joined("  ", [code(holder.policy.name, "strong"), *holder_lines(holder, action, types=False)])


def principal_about(can: PrincipalCan) -> Line:
    """Return through which policies someone may do it, and on what that depends."""
    through = ", ".join(policy.name for policy in can.through) or "no policy"
    depends = f"  {'; '.join(can.reasons)}" if can.reasons else ""
    return code(can.subject.arn or can.subject.name, "strong"), f"  through {through}", Span(depends, "warn")


def since_words(since: Since, *, in_full: bool = False) -> str:
    """Return the version and its day, such as `v6 2026-03-04`; `≤` if the one before may allow the action too."""
    day = f" {since.created:%Y-%m-%d}" if since.created else " (date unknown)" if in_full else ""
    if in_full and since.at_latest:
        return f"{version_label(since.version)}{day}, or an earlier version that was never recorded"
    return f"{'≤' if since.at_latest else ''}{version_label(since.version)}{day}"


def principals_blocks(
    answer: PrincipalsCan,
    action: str,
    now: datetime,
    *,
    short: bool = False,
    narrow: bool = False,
    is_named: bool = True,
) -> list[Block]:
    """Return who in the account may do it, by cluster and use.

    `short` puts uses and conditions on lines of their own, `narrow` the policies too. `is_named` says whether the
    action is known to exist.
    """
    account = f"account {answer.identity.account}, {age_in_words(answer.fetched_at, now)}"
    total = counted(len(answer.principals), "principal")
    if not answer.principals and not is_named:
        # That nobody may do it would be no answer about the action that was meant.
        return []
    if answer.principals and not any(principal.through for principal in answer.principals):
        blocks: list[Block] = [Heading(f"In my account: {total} may do {action}: it needs no permission ({account})")]
    elif answer.principals:
        at_least, exists = "" if answer.complete else "at least ", "" if is_named else ", if it exists"
        pods = sum(pod_count(principal.subject.used_by) for principal in answer.principals)
        with_pods = f", with {counted(pods, 'pod')} that were read" if pods else ""
        blocks = [Heading(f"In my account: {at_least}{total} may do {action}{exists}{with_pods} ({account})")]
        beside = {"Used by", "Depends on", *(("Through",) if narrow else ())} if short else ()
        columns = tuple(column for column in _PRINCIPALS if column.title not in beside)
        blocks.append(
            Table(columns, [_principal_row(principal, now, short, narrow) for principal in answer.principals])
        )
    else:
        nobody = "nobody" if answer.complete else "nobody that was read"
        blocks = [Heading(f"In my account: {nobody} may do it ({account})")]
    withheld = section("Allowed, but taken away", [_taken(principal) for principal in answer.taken])
    return [*blocks, *withheld, *not_looked_at(answer.not_looked_at)]


def _principal_row(principal: PrincipalCan, now: datetime, short: bool, narrow: bool) -> TableRow:
    subject = principal.subject
    last_use = last_used_words(subject, now) if subject.kind == "role" else ""
    name, kind = code(subject.name, "strong"), Span(subject.kind, "muted")
    uses = uses_words(subject.used_by) or ("its service alone" if subject.service_linked else "")
    if short:
        about = [_through(principal)] if narrow else []
        about += [(Span(uses, "muted"),)] if uses else []
        about += [(Span("; ".join(map(_short_reason, principal.reasons)), "warn"),)] if principal.reasons else []
        first = (name, kind, last_use) if narrow else (name, kind, _through(principal), last_use)
        details = (joined(" · ", about),) if about else ()
        return TableRow(first, principal, ("principal", subject.kind, subject.name), details)
    cells: tuple[Line, ...] = (
        name, kind, uses or Span("—", "muted"), _through(principal), last_use,
        Span("; ".join(principal.reasons), "warn"),
    )  # fmt: skip
    return TableRow(cells, principal, ("principal", subject.kind, subject.name))


def _short_reason(reason: str) -> str:
    """Return on what it depends, with condition keys shortened, such as `if ec2:CreateAction, +3`."""
    word, _, keys = reason.partition(" ")
    if word != "if":
        return reason
    return f"if {fitted(list(dict.fromkeys(map(kind_of_key, keys.split(', ')))), ', ', ', +', IF_ROOM // 2)}"


def _through(principal: PrincipalCan) -> tuple[Span, ...]:
    if not principal.through:
        return (Span("needs no permission", "muted"),)
    first, *further_policies = principal.through
    version = f" {version_label(first.version)}" if first.version else ""
    owner = "" if first.owner == "AWS managed" else f" {first.owner}"
    return (
        code(first.name),
        Span(version + owner + (f", +{len(further_policies)}" if further_policies else ""), "muted"),
    )


def _taken(principal: PrincipalCan) -> Node:
    subject = principal.subject
    reasons = "; ".join(principal.reasons)
    line = (code(subject.name), " has it through ", *joined("", [_through(principal)]), ", but ", Span(reasons, "bad"))
    return Node(line, value=principal, key=("taken", subject.kind, subject.name))


def _on(holder: Holder) -> str:
    names = resources_in_short(holder.grants)
    return ALL if ALL in names else fitted(names, ", ", ", +", ON_ROOM)


def _if(holder: Holder) -> Iterator[Line]:
    """Yield a row's remarks: conditions, what a later version dropped, a Deny, and whether it is service-linked."""
    room = IF_ROOM // 2 if holder.policy.kind == "service-linked" else IF_ROOM
    if conditions := conditions_in_short(holder.grants, room):
        yield conditions
    for wider in holder.wider:
        if wider.without:
            without = " and ".join(dict.fromkeys(map(_tag, wider.without)))
            day = f" {wider.created:%Y-%m-%d}" if wider.created else ""
            yield Span(f"without {without} since {version_label(wider.version)}{day}", "accent")
    if holder.denied:
        yield Span(_DENIED_IN_SHORT[holder.denied], "bad")
    if not holder.applies:
        yield Span("may allow nothing", "warn")
    if holder.via == "NotAction":
        yield Span("by NotAction", "muted")
    if holder.policy.kind == "service-linked":
        yield Span("service-linked", "muted")


def _tag(key: str) -> str:
    """Return a condition key, described in words if it is about a tag."""
    kind, slash, tag = key.partition("/")
    if not slash or not kind.lower().endswith("tag"):
        return key
    if tag.startswith(_CLUSTER_TAGS):
        return "the cluster tag"
    return f"the tag {tag}"
