"""What is known of something that has no screen of its own: a symptom, a user, a group, a policy of the account."""

from collections.abc import Iterable, Iterator, Sequence

from ekstui.core.account import AccountSnapshot, AttachedPolicy, Group, InlinePolicy, LocalPolicy, User, attachments_of
from ekstui.core.knowledge import Symptom
from ekstui.core.reference import reference
from ekstui.core.summary import services_in
from ekstui.core.where import PolicyAt, RoleSide
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, code, note
from ekstui.present.policies import services_table
from ekstui.present.words import uses_words


def symptom_blocks(symptom: Symptom) -> list[Block]:
    """Return what explains a symptom: in words, the actions that are missing, and the policies that have them."""
    blocks: list[Block] = [Heading(symptom.symptom, 1), Sentence(symptom.answer)]
    if symptom.actions:
        actions = [Node(code(each), value=reference().find(each) or each, key=each) for each in symptom.actions]
        blocks += [Heading("Actions behind it"), Tree(actions)]
    if symptom.policies:
        blocks += [Heading("Policies that have them"), Tree([_policy(each) for each in symptom.policies])]
    if symptom.messages:
        blocks += [Heading("What logs say"), Tree([Node(code(each)) for each in symptom.messages])]
    return [*blocks, Heading("Source"), Sentence(symptom.source, value=symptom.source)]


def user_blocks(user: User, snapshot: AccountSnapshot) -> list[Block]:
    """Return the policies of a user, its own and those of its groups."""
    blocks: list[Block] = [Heading(user.name, 1), *_carried(user.attached, user.inline)]
    groups = {group.name: group for group in snapshot.groups}
    for name in user.groups:
        blocks.append(Heading(f"Through group {name}"))
        if group := groups.get(name):
            blocks.append(_tree(group.attached, group.inline))
        else:
            blocks.append(note("The group could not be read."))
    if user.boundary_arn:
        blocks += [Heading("Permissions boundary"), Tree([_policy(user.boundary_arn)])]
    created = f"{user.created:%Y-%m-%d}" if user.created else ""
    tags = [(f"tag {key}", value) for key, value in user.tags]
    return [*blocks, Heading("About"), Tree(_facts([("ARN", user.arn or "not known"), ("created", created), *tags]))]


def group_blocks(group: Group, snapshot: AccountSnapshot) -> list[Block]:
    """Return the policies of a group, and who is in it."""
    users = [user.name for user in snapshot.users if group.name in user.groups]
    blocks: list[Block] = [Heading(group.name, 1), *_carried(group.attached, group.inline), Heading("Users in it")]
    blocks.append(Tree([Node(name) for name in users]) if users else Sentence(Span("none that was read", "muted")))
    return [*blocks, Heading("About"), Tree(_facts([("ARN", group.arn or "not known")]))]


def own_policy_blocks(policy: LocalPolicy, snapshot: AccountSnapshot) -> list[Block]:
    """Return what a policy of the account permits, and who has it attached."""
    blocks: list[Block] = [Heading(policy.name, 1), Heading(f"Permissions · {policy.default_version}")]
    if policy.document is None:
        blocks.append(note("Its document could not be read."))
    else:
        blocks.append(services_table(services_in(policy.document)))
    attached = attachments_of(snapshot, policy.arn)
    carriers = [
        Node(
            (code(each.role.name), Span("  role", "muted"), Span(f"  {uses_words(each.used_by)}", "muted")),
            value=RoleSide(each.role.arn or each.role.name),
            key=each.role.arn,
        )
        for each in attached.roles
    ]
    carriers += [Node((code(each.user.name), Span("  user", "muted"))) for each in attached.users]
    carriers += [Node((code(each.name), Span("  group", "muted"))) for each in attached.groups]
    blocks += [Heading("Who has it"), Tree(carriers)]
    if not carriers:
        blocks.append(Sentence(Span("nobody" if attached.complete else "nobody that was read", "muted")))
    updated = f"{policy.updated:%Y-%m-%d}" if policy.updated else ""
    return [*blocks, Heading("About"), Tree(_facts([("ARN", policy.arn), ("updated", updated)]))]


def _carried(attached: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Iterator[Block]:
    yield Heading("Policies")
    yield _tree(attached, inline) if attached or inline else Sentence(Span("none of its own", "muted"))


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


def _facts(about: Iterable[tuple[str, str]]) -> list[Node]:
    return [
        Node((Span(f"{word}: ", "muted"), text), value=text, key=("about", number))
        for number, (word, text) in enumerate(about)
        if text
    ]
