"""What only the app shows: all about one action, symptom, user, group or own policy."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ekstui.change.holders import Since
from ekstui.change.policy import name_in
from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, Group, InlinePolicy, LocalPolicy, User
from ekstui.eks.knowledge import DependentActions
from ekstui.iam.action_facts import ActionCard, MatchingStatement, resources_of
from ekstui.iam.arn import is_of_aws
from ekstui.iam.grants import grants_of
from ekstui.iam.reference import reference
from ekstui.iam.summary import ActionSummary, services_in
from ekstui.iam.text import counted, listed
from ekstui.library.attachments import AttachedAnswer
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.symptoms import SymptomAnswer
from ekstui.named_tuples import NamedTuple
from ekstui.present.attachment_report import table_blocks
from ekstui.present.blocks import (
    Block,
    Heading,
    Node,
    Sentence,
    Span,
    Tree,
    code,
    facts_tree,
    grant_line,
    hints_tree,
    iso_day,
    level_style,
    muted,
    note,
    restyled,
    section,
    uses_words,
)
from ekstui.present.permissions import services_blocks
from ekstui.present.who_can_report import since_words

MOST_RESOURCES = 50
"""The most resources of an action that are listed."""


class AllowedAction(NamedTuple):
    """What is known of an action that a policy or a role allows."""

    action: ActionSummary
    card: ActionCard
    needs: Sequence[DependentActions]
    """What the notes on EKS say that such a call often needs besides."""
    covered: Sequence[str]
    """The action's resource types that the grants can match."""
    statements: Sequence[tuple[str, MatchingStatement]]
    """The statements that match it, each with the name of its policy."""
    since: Since | None
    """The first version since which it is allowed; None for a role, or if the default version does not allow it."""
    others: int | None
    """The number of other EKS policies that allow it; None if that is not known."""
    account: str | None
    """The user's own account, if known."""


def action_blocks(answer: AllowedAction) -> list[Block]:
    """Return what the action is, what allows it here, and what it needs."""
    card, action = answer.card, answer.action
    unknown = Span("not in the service authorization reference", "warn")
    levels = [part for level in action.levels for part in (Span(level, level_style(level)), " ")]
    blocks: list[Block] = [
        Heading(action.action, 1),
        Sentence((Span(f"{card.service_title}: ", "muted"), card.info.description) if card.info else unknown),
        Sentence((Span("level: ", "muted"), *levels[:-1])),
        *(note(warning) for warning in action.warnings),
    ]
    if action.denied:
        blocks.append(Sentence(Span(f"denied: {action.denied}, by a Deny of the same document", "bad")))
    blocks += [Heading("Allowed by"), Tree([_matching(name, matching) for name, matching in answer.statements])]
    if answer.since is not None:
        blocks.append(Sentence((Span("allowed continuously since ", "muted"), since_words(answer.since))))
    if answer.others is not None:
        words = counted(answer.others, "other EKS policy allows it", "other EKS policies allow it")
        text = words if answer.others else "no other EKS policy allows it"
        blocks.append(Sentence((Span(text, "muted"), Span("; w lists them", "muted", media="app"))))
    blocks += _resources(answer)
    if card.info:
        blocks += _resource_types(card, card.info.condition_keys, answer.covered)
    if answer.needs:
        blocks += [Heading("Such a call often needs"), hints_tree(answer.needs)]
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


def _resources(answer: AllowedAction) -> list[Block]:
    """Return the console's table of an action: each resource with its region, account and condition."""
    resources = resources_of(answer.action, answer.account)
    nodes = [
        Node(
            (
                code(resource.resource),
                Span(f"  {resource.region}, {resource.account}", "muted"),
                Span("" if resource.condition == "None" else f", if {resource.condition}", "muted"),
            )
        )
        for resource in resources[:MOST_RESOURCES]
    ]
    if len(resources) > MOST_RESOURCES:
        nodes.append(Node(Span(f"and {len(resources) - MOST_RESOURCES:,} more", "muted")))
    return section("Resources", nodes)


def _resource_types(card: ActionCard, keys: Sequence[str], matched_kinds: Sequence[str]) -> list[Block]:
    nodes: list[Node] = []
    # Some actions have a hundred types, so those that the grants match come first.
    for kind in sorted(card.resources, key=lambda kind: kind.name not in matched_kinds):
        is_matched = kind.name in matched_kinds
        line = (
            Span("✓ ", "good") if is_matched else Span("✗ ", "warn"),
            f"{kind.name}{'*' if kind.required else ''}",
            Span(f"  {' or '.join(kind.arn_formats)}", "muted"),
            Span("" if is_matched else "  not matched by the grants", "warn"),
        )
        nodes_of_kind = [Node(Span(f"keys: {', '.join(kind.condition_keys)}", "muted"))] if kind.condition_keys else []
        nodes.append(Node(line, nodes_of_kind))
    if card.needs_wildcard:
        nodes.append(Node(Span("none: a statement needs the resource *", "muted")))
    blocks: list[Block] = [Heading("Resource types (* required)"), Tree(nodes)]
    if keys:
        blocks += [Heading("Condition keys, whatever the resource"), Sentence(", ".join(keys))]
    return blocks


def symptom_blocks(answer: SymptomAnswer) -> list[Block]:
    """Return an explanation of a symptom, the roles it may concern, the missing actions, and what allows them."""
    symptom = answer.symptom
    actions = [Node(code(action), value=reference().find(action) or action, key=action) for action in symptom.actions]
    policies = [
        _policy(policy.name, f"  lacks {listed(policy.lacks)}" if policy.lacks else "  allows them" if actions else "")
        for policy in answer.policies
    ]
    return [
        Heading(symptom.symptom, 1),
        Sentence(symptom.answer),
        *_roles_with_policies(answer),
        *section("Actions that are missing", actions),
        *section("Policies", policies),
        *section("Log messages", [Node(code(message)) for message in symptom.messages]),
        Heading("Source"),
        Sentence(symptom.source, value=symptom.source),
    ]


def _roles_with_policies(answer: SymptomAnswer) -> list[Block]:
    """Return the roles with one of the policies, those that lack an action first."""
    if answer.roles is None or not answer.policies:
        return []
    heading = Heading("Roles of the account that have one of these policies")
    if not answer.roles:
        return [heading, muted("none that was read")]
    has_all = "  has all of these actions" if answer.symptom.actions else ""
    nodes = [
        Node(
            (
                code(role_of_symptom.role.name),
                Span(f"  lacks {listed(role_of_symptom.lacks)}", "warn")
                if role_of_symptom.lacks
                else Span(has_all, "muted"),
                Span(f"  {uses_words(role_of_symptom.uses)}", "muted"),
            ),
            value=RoleSide(role_of_symptom.role.arn or role_of_symptom.role.name),
            key=("role", role_of_symptom.role.name),
        )
        for role_of_symptom in answer.roles
    ]
    return [heading, Tree(nodes)]


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
    blocks.append(Tree([Node(name) for name in users]) if users else muted("none that was read"))
    return [*blocks, Heading("About"), facts_tree([("ARN", group.arn or "not known")])]


def own_policy_blocks(policy: LocalPolicy, answer: AttachedAnswer, now: datetime) -> list[Block]:
    """Return what a customer managed policy permits, and who has it attached."""
    blocks: list[Block] = [Heading(policy.name, 1), Heading(f"Permissions · {policy.default_version}")]
    if policy.document is None:
        blocks.append(note("Its document could not be read."))
    else:
        blocks += services_blocks(services_in(policy.document))
    nobody = muted("nobody" if answer.attachments.complete else "nobody that was read")
    blocks += [Heading("Who has it"), *(table_blocks(answer, now) or [nobody])]
    return [*blocks, Heading("About"), facts_tree([("ARN", policy.arn), ("updated", iso_day(policy.updated))])]


def _own_policies(managed: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Iterator[Block]:
    yield Heading("Policies")
    yield _tree(managed, inline) if managed or inline else muted("none of its own")


def _tree(managed: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Tree:
    unread = [Span("  document not read", "warn")]
    return Tree(
        [
            *(_policy(policy.arn) for policy in managed),
            *(
                Node(
                    (code(policy.name), Span("  inline", "muted"), *(unread if policy.document is None else ())),
                    value=policy,
                )
                for policy in inline
            ),
        ]
    )


def _policy(name_or_arn: str, remark: str = "") -> Node:
    is_own = name_or_arn.startswith("arn:") and not is_of_aws(name_or_arn)
    return Node(
        (code(name_in(name_or_arn)), Span("  of the account" if is_own else remark, "muted")),
        value=PolicyAt(name_or_arn),
        key=name_or_arn,
    )
