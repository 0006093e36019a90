"""An upgrade of a cluster's controllers as a checklist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ekstui.core.document import Statement
from ekstui.core.grants import Grant
from ekstui.core.notation import PolicyAt, RoleSide
from ekstui.library.upgrading import ComponentUpgrade, UpgradeAnswer
from ekstui.present.blocks import Block, Heading, Node, Sentence, Span, Tree, code, joined
from ekstui.present.styled import Style
from ekstui.present.words import condition_line, grant_line


def upgrade_blocks(answer: UpgradeAnswer) -> list[Block]:
    """Return, for each component, what to add before, what to remove after, and what is not known."""
    blocks: list[Block] = [Heading(f"Upgrade of cluster {answer.cluster}", 1)]
    if not answer.components:
        blocks.append(Sentence(Span("no role is known to run a component whose releases are known", "muted")))
    for each in answer.components:
        before = each.before_release or "the release that runs now"
        line = (code(each.component, "strong"), f"  {before} → {each.after_release}")
        blocks.append(Heading(line, value=PolicyAt(each.component), key=("component", each.component)))
        if each.reasons:
            blocks.append(Sentence(Span("; ".join(each.reasons), "muted")))
        blocks += _component(each)
    return blocks


def nothing_words(answer: UpgradeAnswer) -> str:
    """Return that no role of the cluster is known to run a component, and how to list the components."""
    return (
        f"No role of cluster {answer.cluster} is known to run one of the components (ekstui list --scope controllers)."
    )


def _component(each: ComponentUpgrade) -> list[Block]:
    blocks = [] if each.role is None else [*_before(each, each.role)]
    if each.after:
        blocks.append(Sentence((Span("afterwards: ", "muted"), "these may be removed from ", code(each.role or ""))))
        blocks.append(Tree([_statement("−", "removed", statement) for statement in each.after]))
    if each.not_known:
        blocks.append(Sentence(Span("not known:", "warn")))
        blocks.append(Tree([Node(Span(text, "muted")) for text in each.not_known]))
    return blocks


def _before(each: ComponentUpgrade, role: str) -> Iterator[Block]:
    """Yield what to add to a role before the upgrade."""
    partly = [held.statement for held in each.partly]
    if missing := [statement for statement in each.before if statement not in partly]:
        line = (Span("before: ", "warn"), "give ", code(role), " these permissions, or calls will be denied:")
        yield Sentence(line, RoleSide(role), ("before", each.component))
        yield Tree([*map(_added, missing), *(Node(Span(text, "muted")) for text in each.besides)])
    if partly:
        some = (Span("before: ", "warn"), code(role), " has these only in some cases; other calls will be denied:")
        yield Sentence(some, RoleSide(role), ("partly", each.component))
        yield Tree([_added(held.statement, held.grants) for held in each.partly])
    if each.is_judged and not each.before:
        yield Sentence((Span("before: ", "good"), code(role), " has all the permissions it needs"))


def _added(statement: Statement, held: Sequence[Grant] = ()) -> Node:
    node = _statement("+", "added", statement)
    has = [Node((Span("has it on ", "muted"), *joined("", [grant_line(grant)]))) for grant in held]
    return node._replace(children=(*node.children, *has))


def _statement(sign: str, style: Style, statement: Statement) -> Node:
    where = joined(", ", [code(each) for each in statement.resources])
    below: list[Node] = [Node(("on ", *where))]
    below += [Node(("if ", *condition_line(each, each.values))) for each in statement.conditions]
    return Node((Span(f"{sign} ", style), *joined(", ", [code(each) for each in statement.actions])), below)
