"""An upgrade of a cluster's controllers as a checklist."""

from __future__ import annotations

from collections.abc import Sequence

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
    blocks: list[Block] = []
    partly = [held.statement for held in each.partly]
    if each.role is not None and (missing := [held for held in each.before if held not in partly]):
        line = (Span("before: ", "warn"), "give ", code(each.role), " these permissions, or calls will be denied:")
        blocks.append(Sentence(line, RoleSide(each.role), ("before", each.component)))
        blocks.append(Tree([*map(_added, missing)]))
    if each.role is not None and partly:
        some = (Span("before: ", "warn"), code(each.role), " has these only in some cases; other calls will be denied:")
        blocks.append(Sentence(some, RoleSide(each.role), ("partly", each.component)))
        blocks.append(Tree([_added(held.statement, held.grants) for held in each.partly]))
    if each.role is not None and each.is_judged and not each.before:
        blocks.append(Sentence((Span("before: ", "good"), code(each.role), " has all the permissions it needs")))
    if each.after:
        blocks.append(Sentence((Span("afterwards: ", "muted"), "these may be removed from ", code(each.role or ""))))
        blocks.append(Tree([_statement("−", "removed", statement) for statement in each.after]))
    if each.not_known:
        blocks.append(Sentence(Span("not known:", "warn")))
        blocks.append(Tree([Node(Span(text, "muted")) for text in each.not_known]))
    return blocks


def _added(statement: Statement, held: Sequence[Grant] = ()) -> Node:
    node = _statement("+", "added", statement)
    has = [Node((Span("has it on ", "muted"), *joined("", [grant_line(grant)]))) for grant in held]
    return node._replace(children=(*node.children, *has))


def _statement(sign: str, style: Style, statement: Statement) -> Node:
    where = joined(", ", [code(each) for each in statement.resources])
    below: list[Node] = [Node(("on ", *where))]
    below += [Node(("if ", *condition_line(each, each.values))) for each in statement.conditions]
    return Node((Span(f"{sign} ", style), *joined(", ", [code(each) for each in statement.actions])), below)
