"""The checklist of a cluster's upgrade: what each component needs before it, and does not need after it."""

from collections.abc import Iterator, Sequence

from ekstui.iam.document import Statement
from ekstui.iam.grants import Grant
from ekstui.iam.text import listed
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.upgrading import ComponentUpgrade, UpgradeAnswer
from ekstui.present.blocks import (
    Block,
    Heading,
    Node,
    Sentence,
    Span,
    Tree,
    code,
    command_blocks,
    condition_line,
    grant_line,
    joined,
    muted,
)
from ekstui.present.styled import Style


def upgrade_blocks(answer: UpgradeAnswer) -> list[Block]:
    """Return, for each component, what to add before, what to remove after, and what is not known."""
    blocks: list[Block] = [Heading(f"Upgrade of cluster {answer.cluster}: {_verdict(answer)}", 1)]
    if not answer.components:
        blocks.append(muted("no role is known to run a component whose releases are known"))
    for component in answer.components:
        before = component.before_release or "the release that runs now"
        line = (code(component.component, "strong"), f"  {before} → {component.after_release}")
        blocks.append(Heading(line, value=PolicyAt(component.component), key=("component", component.component)))
        if component.reasons:
            blocks.append(muted("; ".join(component.reasons)))
        blocks += _component(component)
    return blocks


def _verdict(answer: UpgradeAnswer) -> str:
    """Return which roles need something before the upgrade, as the end of a heading."""
    needing = dict.fromkeys(component.role for component in answer.components if component.role and component.before)
    if needing:
        return f"first give {listed(list(needing))} what {'it lacks' if len(needing) == 1 else 'they lack'}"
    if all(component.is_judged for component in answer.components):
        return "the roles have all the permissions they need" if answer.components else "nothing to judge"
    return "cannot tell whether the roles have what they need"


def nothing_words(answer: UpgradeAnswer) -> str:
    """Return that no role of the cluster is known to run a component, and how to list the components."""
    return (
        f"No role of cluster {answer.cluster} is known to run one of the components (ekstui list --scope controllers)."
    )


def _component(upgrade: ComponentUpgrade) -> list[Block]:
    blocks = [] if upgrade.role is None else [*_before(upgrade, upgrade.role)]
    for need in upgrade.optional:
        blocks.append(Sentence((Span("only if ", "muted"), f"{need.only_if}:")))
        blocks.append(Tree(list(map(_statement_to_add, need.statements))))
    if upgrade.after:
        blocks.append(Sentence((Span("afterwards: ", "muted"), "these may be removed from ", code(upgrade.role or ""))))
        blocks.append(Tree([_statement("−", "removed", statement) for statement in upgrade.after]))
    if upgrade.not_known:
        blocks.append(Sentence(Span("not known:", "warn")))
        blocks.append(Tree([Node(Span(text, "muted")) for text in upgrade.not_known]))
    blocks += command_blocks(upgrade.checks, ("checks", upgrade.component))
    return blocks


def _before(upgrade: ComponentUpgrade, role: str) -> Iterator[Block]:
    partly = [need.statement for need in upgrade.partly]
    if missing := [statement for statement in upgrade.before if statement not in partly]:
        line = (Span("before: ", "warn"), "give ", code(role), " these permissions, or calls will be denied:")
        yield Sentence(line, RoleSide(role), ("before", upgrade.component))
        yield Tree([*map(_statement_to_add, missing), *(Node(Span(text, "muted")) for text in upgrade.besides)])
    if partly:
        partly_line = (
            Span("before: ", "warn"),
            code(role),
            " has these only in some cases; other calls will be denied:",
        )
        yield Sentence(partly_line, RoleSide(role), ("partly", upgrade.component))
        yield Tree([_statement_to_add(need.statement, need.grants) for need in upgrade.partly])
    yield from command_blocks(upgrade.commands, ("commands", upgrade.component))
    if upgrade.is_judged and not upgrade.before:
        yield Sentence((Span("before: ", "good"), code(role), " has all the permissions it needs"))


def _statement_to_add(statement: Statement, grants_held: Sequence[Grant] = ()) -> Node:
    node = _statement("+", "added", statement)
    grant_nodes = [Node((Span("has it on ", "muted"), *joined("", [grant_line(grant)]))) for grant in grants_held]
    return node._replace(children=(*node.children, *grant_nodes))


def _statement(sign: str, style: Style, statement: Statement) -> Node:
    resources = joined(", ", [code(resource) for resource in statement.resources])
    details: list[Node] = [Node(("on ", *resources))]
    details += [Node(("if ", *condition_line(condition, condition.values))) for condition in statement.conditions]
    return Node((Span(f"{sign} ", style), *joined(", ", [code(action) for action in statement.actions])), details)
