"""What only the app shows: all about one action, symptom, user, group or own policy, and the matrix of several policies."""

from collections.abc import Collection, Hashable, Iterator, Sequence

from ekstui.change.holders import Since
from ekstui.eks.account_snapshot import (
    AccountSnapshot,
    AttachedPolicy,
    Group,
    InlinePolicy,
    LocalPolicy,
    User,
    attachments_of,
)
from ekstui.eks.knowledge import DependentActions
from ekstui.iam.access_levels import MATRIX_LEVELS, MatrixAction, MatrixCell, MatrixRow, extent
from ekstui.iam.action_facts import ActionCard, MatchingStatement, resources_of
from ekstui.iam.grants import grants_of
from ekstui.iam.reference import reference
from ekstui.iam.summary import ActionSummary, services_in
from ekstui.iam.text import counted, listed
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.symptoms import SymptomAnswer
from ekstui.named_tuples import NamedTuple
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
    facts_tree,
    grant_line,
    hints_tree,
    iso_day,
    joined,
    level_style,
    muted,
    note,
    restyled,
    section,
    spans,
    uses_words,
)
from ekstui.present.permissions import services_blocks
from ekstui.present.styled import Style
from ekstui.present.who_can_report import since_words

MOST_RESOURCES = 50
"""The most resources of an action that are listed."""


class GivenAction(NamedTuple):
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
    """The first version that allowed it without a break; None for a role, or if the default version does not allow it."""
    others: int | None
    """The number of other EKS policies that allow it; None if that is not known."""
    account: str | None
    """The user's own account, if known."""


def action_blocks(answer: GivenAction) -> list[Block]:
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
        blocks.append(Sentence((Span("allowed without a break since ", "muted"), since_words(answer.since))))
    if answer.others is not None:
        words = counted(answer.others, "other EKS policy allows it", "other EKS policies allow it")
        text = words if answer.others else "no other EKS policy allows it"
        blocks.append(Sentence((Span(text, "muted"), Span("; w lists them", "muted", shown="app"))))
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


def _resources(answer: GivenAction) -> list[Block]:
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


def _resource_types(card: ActionCard, keys: Sequence[str], covered: Sequence[str]) -> list[Block]:
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
        own = [Node(Span(f"keys: {', '.join(kind.condition_keys)}", "muted"))] if kind.condition_keys else []
        nodes.append(Node(line, own))
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
        *_concerned(answer),
        *section("Actions that are missing", actions),
        *section("Policies", policies),
        *section("Log messages", [Node(code(message)) for message in symptom.messages]),
        Heading("Source"),
        Sentence(symptom.source, value=symptom.source),
    ]


def _concerned(answer: SymptomAnswer) -> list[Block]:
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
                code(concerned.role.name),
                Span(f"  lacks {listed(concerned.lacks)}", "warn") if concerned.lacks else Span(has_all, "muted"),
                Span(f"  {uses_words(concerned.uses)}", "muted"),
            ),
            value=RoleSide(concerned.role.arn or concerned.role.name),
            key=("role", concerned.role.name),
        )
        for concerned in answer.roles
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


def own_policy_blocks(policy: LocalPolicy, snapshot: AccountSnapshot) -> list[Block]:
    """Return what a customer managed policy permits, and who has it attached."""
    blocks: list[Block] = [Heading(policy.name, 1), Heading(f"Permissions · {policy.default_version}")]
    if policy.document is None:
        blocks.append(note("Its document could not be read."))
    else:
        blocks += services_blocks(services_in(policy.document))
    attached = attachments_of(snapshot, policy.arn)
    holders = [
        Node(
            (code(role.role.name), Span("  role", "muted"), Span(f"  {uses_words(role.used_by)}", "muted")),
            value=RoleSide(role.role.arn or role.role.name),
            key=role.role.arn,
        )
        for role in attached.roles
    ]
    holders += [Node((code(user.user.name), Span("  user", "muted"))) for user in attached.users]
    holders += [Node((code(group.name), Span("  group", "muted"))) for group in attached.groups]
    blocks += [Heading("Who has it"), Tree(holders)]
    if not holders:
        blocks.append(muted("nobody" if attached.complete else "nobody that was read"))
    return [*blocks, Heading("About"), facts_tree([("ARN", policy.arn), ("updated", iso_day(policy.updated))])]


def _own_policies(attached: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Iterator[Block]:
    yield Heading("Policies")
    yield _tree(attached, inline) if attached or inline else muted("none of its own")


def _tree(attached: Sequence[AttachedPolicy], inline: Sequence[InlinePolicy]) -> Tree:
    unread = [Span("  document not read", "warn")]
    return Tree(
        [
            *(_policy(policy.arn) for policy in attached),
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
    name = name_or_arn.rpartition("/")[2]
    own = name_or_arn.startswith("arn:") and name_or_arn.split(":")[4] != "aws"
    return Node(
        (code(name), Span("  of the account" if own else remark, "muted")), value=PolicyAt(name_or_arn), key=name_or_arn
    )


LETTERS = "ABCD"
"""The names of the policies in the cells."""

_SHORT_LEVELS = {"Permissions management": "Perms", "Tagging": "Tag", "unknown": "Other"}
_SIGNS: dict[str, Span] = {
    "all": Span("●", "strong"), "some": Span("○"), "denied": Span("×", "bad"), "none": Span("·", "muted"),
}  # fmt: skip
_SERVICE_WIDTH = 16
"""The minimum width of a service's name, in columns."""


class _Layout(NamedTuple):
    """How the cells are laid out."""

    digits: dict[str, int]
    """The width of a policy's number, by level."""
    numbers: bool
    """Whether cells show numbers: if wanted, and if there is room."""
    columns: tuple[Column, ...]


def _layout(rows: Sequence[MatrixRow], policies: int, width: int, *, signs: bool) -> _Layout:
    """Return how to lay out the rows in `width` columns; `signs` asks for symbols even if there is room for numbers."""
    by_level = {level: [row.cells[level] for row in rows if level in row.cells] for level in MATRIX_LEVELS}
    shown = {level: cells for level, cells in by_level.items() if cells}
    digits = {level: len(str(max(max(cell.granted) for cell in cells))) for level, cells in shown.items()}
    totals = [len(str(max(cell.total for cell in cells))) for cells in shown.values()]
    room = width - _SERVICE_WIDTH - len(shown)
    # A space after each number (none after a single one), a slash before the total, perhaps an exclamation mark.
    cells = [policies * (digits_of + 1) + total + 2 for digits_of, total in zip(digits.values(), totals, strict=True)]
    titles = [_SHORT_LEVELS.get(level, level) for level in shown]
    numbers = not signs and sum(map(max, cells, map(len, titles))) <= room
    if not numbers:
        # One symbol per policy, and perhaps an exclamation mark.
        cells = [policies + 1 for _ in shown]
    if sum(map(max, cells, map(len, shown))) <= room:
        titles = list(shown)
    columns = (
        Column("Service", _SERVICE_WIDTH, share=2, names=True),
        *(Column(title, max(cell, len(title)), share=1) for title, cell in zip(titles, cells, strict=True)),
    )
    return _Layout(digits, numbers, columns)


NO_ACTION_ROWS = "No action is allowed."


def matrix_blocks(
    rows: Sequence[MatrixRow],
    places: Sequence[PolicyAt],
    width: int,
    *,
    shown: Sequence[MatrixRow] | None = None,
    opened: Collection[Hashable] = (),
    signs: bool = False,
) -> tuple[list[Block], Table]:
    """Return services by access level: a heading with a legend, and a table with a row per service (those `shown`).

    A cell has numbers if there is room for them and `signs` does not ask for symbols. An opened service is followed by its
    actions by level.
    """
    block = rows if shown is None else shown
    form = _layout(block, len(places), width, signs=signs)
    legend = _legend(rows, places, numbers=form.numbers, actions=any(row.service in opened for row in block))
    lines: list[TableRow] = []
    for row in block:
        is_open = row.service in opened
        name = (Span("▾ " if is_open else "▸ ", "muted", shown="app"), Span(row.service, "strong"))
        cells = (_matrix_cell(row.cells.get(level), form, digits) for level, digits in form.digits.items())
        lines.append(TableRow((name, *cells), row, ("service", row.service)))
        if is_open:
            lines += _action_rows(row, len(places), width)
    return [Heading(", ".join(map(str, places)), 1), *legend], Table(form.columns, lines)


def _legend(rows: Sequence[MatrixRow], places: Sequence[PolicyAt], *, numbers: bool, actions: bool) -> list[Block]:
    """Return how much each policy allows, and what the symbols mean; `rows` are all rows, without a filter."""
    blocks: list[Block] = []
    for index, place in enumerate(places):
        letter = f"{LETTERS[index]} " if len(places) > 1 else ""
        totals = [sum(cell.granted[index] for cell in row.cells.values()) for row in rows]
        counts = f"  {counted(sum(totals), 'action')} of {counted(sum(map(bool, totals)), 'service')}"
        line = (Span(letter, "strong"), Span(str(place), "strong"), Span(counts, "muted"))
        blocks.append(Sentence(line, key=("legend", index)))
    if numbers:
        words = "Actions allowed of all that exist"
        if len(places) > 1:
            words = f"{' '.join(LETTERS[: len(places)])} /all: how many actions each policy allows, and how many exist"
    else:
        words = "● all, ○ some, · none of the actions" + (", one symbol per policy" if len(places) > 1 else "")
    if any(any(cell.denied) for row in rows for cell in row.cells.values()):
        words += "; ! partly denied by the policy itself"
    blocks.append(Sentence(Span(words, "muted"), key=("legend", "cells")))
    if actions:
        words = "An action: ● unlimited, ○ limited, × denied, · not allowed"
        blocks.append(Sentence(Span(words, "muted"), key=("legend", "actions")))
    return blocks


def _matrix_cell(cell: MatrixCell | None, form: _Layout, digits: int) -> tuple[Span, ...]:
    if cell is None:
        return ()
    denied = (Span("!", "bad"),) if any(cell.denied) else ()
    if not form.numbers:
        signs = ("none" if not count else "all" if count == cell.total else "some" for count in cell.granted)
        return (*(_SIGNS[sign] for sign in signs), *denied)
    if not any(cell.granted) and not denied:
        # A total beside nothing would distract from cells with something.
        return (Span(" ".join("·".rjust(digits) for _ in cell.granted), "muted"),)
    numbers = joined(
        " ", [Span((str(count) if count else "·").rjust(digits), _number_style(count, cell)) for count in cell.granted]
    )
    total = Span(f"{' ' if len(cell.granted) > 1 else ''}/{cell.total}", "muted")
    return (*spans(numbers), *((total,) if cell.total else ()), *denied)


def _number_style(count: int, cell: MatrixCell) -> Style:
    """Return the style of a number, which stands out if the policies differ, then if all actions are allowed."""
    if not count:
        return "muted"
    if cell.differs:
        return "accent"
    return "strong" if count == cell.total else ""


def _action_rows(row: MatrixRow, policies: int, width: int) -> list[TableRow]:
    rows: list[TableRow] = []
    names = [action.action.partition(":")[2] for action in row.actions]
    room = max(min(max(map(len, names)), width - 10 - 4 * policies), 8)
    level = None
    for name, action in zip(names, row.actions, strict=True):
        if action.level != level:
            level = action.level
            rows.append(TableRow((Span(f"    {level}", level_style(level)),), key=(row.service, level)))
        fitting = name if len(name) <= room else name[: room - 1] + "…"
        pieces = [Span(f"      {fitting.ljust(room)}")]
        for index, summary in enumerate(action.by_policy):
            pieces += [Span(f"  {LETTERS[index]}" if policies > 1 else " ", "muted"), _SIGNS[extent(summary)]]
        if policies == 1:
            pieces.append(Span(_limits(action), "muted"))
        value = next(summary for summary in action.by_policy if summary)
        rows.append(TableRow((tuple(pieces),), value, ("action", row.service, action.action)))
    return rows


def _limits(action: MatrixAction) -> str:
    """Return the resources and condition under which a single policy allows an action, in the console's words."""
    (summary,) = action.by_policy
    if summary is None or extent(summary) == "all":
        return ""
    condition = "" if summary.condition == "None" else f"  condition: {summary.conditioned.words(summary.condition)}"
    denied = f"  denied: {summary.denied}" if summary.denied else ""
    return f"  {summary.resource}{condition}{denied}"
