"""All about one thing: an action, a symptom, a user, a group, a policy of the account."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ekstui.core.account_snapshot import (
    AccountSnapshot,
    AttachedPolicy,
    Group,
    InlinePolicy,
    LocalPolicy,
    User,
    attachments_of,
)
from ekstui.core.action_facts import ActionCard, MatchingStatement, resources_of
from ekstui.core.grants import grants_of
from ekstui.core.holders import Since
from ekstui.core.knowledge import Symptom
from ekstui.core.notation import PolicyAt, RoleSide
from ekstui.core.reference import reference
from ekstui.core.summary import ActionSummary, services_in
from ekstui.core.text import counted
from ekstui.present.blocks import (
    Block,
    Heading,
    Node,
    Sentence,
    Span,
    Tree,
    aside,
    code,
    facts_tree,
    grant_line,
    hints_tree,
    iso_day,
    level_style,
    note,
    restyled,
    section,
    uses_words,
)
from ekstui.present.policy_report import services_table
from ekstui.present.who_can_report import since_words

MOST_RESOURCES = 50
"""The most resources of an action that are listed."""


class GivenAction(NamedTuple):
    """What is known of an action that a policy or a role allows."""

    action: ActionSummary
    card: ActionCard
    covered: Sequence[str]
    """The action's resource types that the grants can match."""
    statements: Sequence[tuple[str, MatchingStatement]]
    """The statements that match it, each with the name of its policy."""
    since: Since | None
    """The first version that allowed it without a break; None for a role, or if the default version does not allow it."""
    others: int | None
    """The number of other EKS policies that allow it; None if that is not known."""


def action_blocks(given: GivenAction) -> list[Block]:
    """Return what the action is, what allows it here, and what it needs."""
    card, action = given.card, given.action
    unknown = Span("not in the service authorization reference", "warn")
    levels = [part for level in action.levels for part in (Span(level, level_style(level)), " ")]
    blocks: list[Block] = [
        Heading(action.action, 1),
        Sentence((Span(f"{card.service_title}: ", "muted"), card.description) if card.known else unknown),
        Sentence((Span("level: ", "muted"), *levels[:-1])),
        *(note(warning) for warning in action.warnings),
    ]
    if action.denied:
        blocks.append(Sentence(Span(f"denied: {action.denied}, by a Deny of the same document", "bad")))
    blocks += [Heading("Allowed by"), Tree([_matching(name, matching) for name, matching in given.statements])]
    if given.since is not None:
        blocks.append(Sentence((Span("allowed without a break since ", "muted"), since_words(given.since))))
    if given.others is not None:
        words = counted(given.others, "other EKS policy allows it", "other EKS policies allow it")
        said = words if given.others else "no other EKS policy allows it"
        blocks.append(Sentence((Span(said, "muted"), Span("; w lists them", "muted", shown="app"))))
    blocks += _resources(action)
    if card.known:
        blocks += _resource_types(card, given.covered)
    if card.needs:
        blocks += [Heading("Such a call often needs"), hints_tree(card.needs)]
    return blocks


def _matching(name: str, matching: MatchingStatement) -> Node:
    statement = matching.statement
    inverse = statement.action_element == "NotAction"
    line = (
        Span("Deny ", "bad") if statement.effect == "Deny" else Span("Allow ", "good"),
        Span(f"{name}, {matching.label} ", "strong"),
        Span("everything but ", "warn") if inverse else Span("through ", "muted"),
        code(", ".join(matching.patterns)),
    )
    grants = [Node(("on ", *restyled(grant_line(grant), "muted"))) for grant in grants_of(statement)]
    return Node(line, grants, matching, (name, matching.index))


def _resources(action: ActionSummary) -> list[Block]:
    """Return the console's table of an action: each resource with its region, account and condition."""
    found = resources_of(action)
    nodes = [
        Node(
            (
                code(each.resource),
                Span(f"  {each.region}, {each.account}", "muted"),
                Span("" if each.condition == "None" else f", if {each.condition}", "muted"),
            )
        )
        for each in found[:MOST_RESOURCES]
    ]
    if len(found) > MOST_RESOURCES:
        nodes.append(Node(Span(f"and {len(found) - MOST_RESOURCES:,} more", "muted")))
    return section("Resources", nodes)


def _resource_types(card: ActionCard, covered: Sequence[str]) -> list[Block]:
    nodes: list[Node] = []
    # Some actions have a hundred types, so those that the grants match come first.
    for kind in sorted(card.resources, key=lambda kind: kind.name not in covered):
        reached = kind.name in covered
        line = (
            Span("✓ ", "good") if reached else Span("✗ ", "warn"),
            f"{kind.name}{'*' if kind.required else ''}",
            Span(f"  {' or '.join(kind.arn_formats)}", "muted"),
            Span("" if reached else "  not matched by the grants", "warn"),
        )
        keys = [Node(Span(f"keys: {', '.join(kind.condition_keys)}", "muted"))] if kind.condition_keys else []
        nodes.append(Node(line, keys))
    if card.needs_wildcard:
        nodes.append(Node(Span("none: a statement needs the resource *", "muted")))
    blocks: list[Block] = [Heading("Resource types (* required)"), Tree(nodes)]
    if card.condition_keys:
        blocks += [Heading("Condition keys, whatever the resource"), Sentence(", ".join(card.condition_keys))]
    return blocks


def symptom_blocks(symptom: Symptom) -> list[Block]:
    """Return an explanation of a symptom, the actions that are missing, and the policies that allow them."""
    blocks: list[Block] = [Heading(symptom.symptom, 1), Sentence(symptom.answer)]
    actions = [Node(code(each), value=reference().find(each) or each, key=each) for each in symptom.actions]
    return [
        *blocks,
        *section("Actions that are missing", actions),
        *section("Policies that allow them", [_policy(each) for each in symptom.policies]),
        *section("Log messages", [Node(code(each)) for each in symptom.messages]),
        Heading("Source"),
        Sentence(symptom.source, value=symptom.source),
    ]


def user_blocks(user: User, snapshot: AccountSnapshot) -> list[Block]:
    """Return a user's policies, including those of its groups."""
    blocks: list[Block] = [Heading(user.name, 1), *_own_policies(user.attached, user.inline)]
    groups = {group.name: group for group in snapshot.groups}
    for name in user.groups:
        blocks.append(Heading(f"Through group {name}"))
        if group := groups.get(name):
            blocks.append(_tree(group.attached, group.inline))
        else:
            blocks.append(note("The group could not be read."))
    if user.boundary_arn:
        blocks += [Heading("Permissions boundary"), Tree([_policy(user.boundary_arn)])]
    tags = [(f"tag {key}", value) for key, value in user.tags]
    return [
        *blocks,
        Heading("About"),
        facts_tree([("ARN", user.arn or "not known"), ("created", iso_day(user.created)), *tags]),
    ]


def group_blocks(group: Group, snapshot: AccountSnapshot) -> list[Block]:
    """Return a group's policies and users."""
    users = [user.name for user in snapshot.users if group.name in user.groups]
    blocks: list[Block] = [Heading(group.name, 1), *_own_policies(group.attached, group.inline), Heading("Users in it")]
    blocks.append(Tree([Node(name) for name in users]) if users else aside("none that was read"))
    return [*blocks, Heading("About"), facts_tree([("ARN", group.arn or "not known")])]


def own_policy_blocks(policy: LocalPolicy, snapshot: AccountSnapshot) -> list[Block]:
    """Return what a customer managed policy permits, and who has it attached."""
    blocks: list[Block] = [Heading(policy.name, 1), Heading(f"Permissions · {policy.default_version}")]
    if policy.document is None:
        blocks.append(note("Its document could not be read."))
    else:
        blocks.append(services_table(services_in(policy.document)))
    attached = attachments_of(snapshot, policy.arn)
    holders = [
        Node(
            (code(each.role.name), Span("  role", "muted"), Span(f"  {uses_words(each.used_by)}", "muted")),
            value=RoleSide(each.role.arn or each.role.name),
            key=each.role.arn,
        )
        for each in attached.roles
    ]
    holders += [Node((code(each.user.name), Span("  user", "muted"))) for each in attached.users]
    holders += [Node((code(each.name), Span("  group", "muted"))) for each in attached.groups]
    blocks += [Heading("Who has it"), Tree(holders)]
    if not holders:
        blocks.append(aside("nobody" if attached.complete else "nobody that was read"))
    return [*blocks, Heading("About"), facts_tree([("ARN", policy.arn), ("updated", iso_day(policy.updated))])]


def _own_policies(attached: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Iterator[Block]:
    yield Heading("Policies")
    yield _tree(attached, inline) if attached or inline else aside("none of its own")


def _tree(attached: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Tree:
    unread = [Span("  document not read", "warn")]
    return Tree(
        [
            *(_policy(each.arn) for each in attached),
            *(
                Node(
                    (code(each.name), Span("  inline", "muted"), *(unread if each.document is None else ())), value=each
                )
                for each in inline
            ),
        ]
    )


def _policy(name_or_arn: str) -> Node:
    name = name_or_arn.rpartition("/")[2]
    own = name_or_arn.startswith("arn:") and name_or_arn.split(":")[4] != "aws"
    return Node(
        (code(name), Span("  of the account" if own else "", "muted")), value=PolicyAt(name_or_arn), key=name_or_arn
    )
