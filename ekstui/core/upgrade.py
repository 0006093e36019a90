"""What a controller's role must be given before an upgrade, and what may go afterwards, statement by statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ekstui.core.arn import overlaps_resource
from ekstui.core.change import changes
from ekstui.core.document import Document, Statement
from ekstui.core.targets import may_match


class Lacking(NamedTuple):
    """What one document gives and another does not."""

    statements: tuple[Statement, ...]
    """Statements of the first, each with those of its actions that are lacking."""
    unknown: tuple[str, ...]
    """Actions of which it is not known whether the other gives them; they are in the statements too."""


def lacking(wanted: Document, held: Document) -> Lacking:
    """Return what `wanted` allows and `held` does not, as far as that can be told for each action on each resource."""
    unknown: list[str] = []

    def missing(part: Statement) -> bool:
        given = _gives(held, part)
        if given is None:
            unknown.append(part.actions[0])
        return given is not True

    found = tuple(each for statement in wanted.statements for each in _kept(statement, missing))
    return Lacking(found, tuple(dict.fromkeys(unknown)))


class Superfluous(NamedTuple):
    """What a role has of the release before that the one after does not ask for."""

    statements: tuple[Statement, ...]
    """What the release after asks for on no such resource, so that it may go."""
    narrower: tuple[str, ...]
    """Actions that it asks for there too, though for less."""


def superfluous(before: Document, after: Document, held: Document) -> Superfluous:
    """Return what a role holds that only the release before asks for."""
    narrower: list[str] = []

    def may_go(part: Statement) -> bool:
        if _gives(after, part) is True or _gives(held, part) is not True:
            return False
        if any(_meet(part, statement) for statement in after.statements):
            narrower.append(part.actions[0])
            return False
        return True

    found = tuple(each for statement in before.statements for each in _kept(statement, may_go))
    return Superfluous(found, tuple(dict.fromkeys(narrower)))


def _kept(statement: Statement, wanted: Callable[[Statement], bool]) -> Iterator[Statement]:
    """Yield an Allow with those of its actions and resources that are wanted, actions on the same resources together."""
    if statement.effect != "Allow":
        return
    by_resources: dict[tuple[str, ...], list[str]] = {}
    parts = (
        [(each,) for each in statement.resources] if statement.resource_element == "Resource" else [statement.resources]
    )
    for action in statement.actions:
        kept = [each for each in parts if wanted(statement._replace(actions=(action,), resources=each))]
        if kept:
            by_resources.setdefault(tuple(name for each in kept for name in each), []).append(action)
    for resources, actions in by_resources.items():
        yield statement._replace(actions=tuple(actions), resources=resources)


def _meet(part: Statement, other: Statement) -> bool:
    """Return whether another statement may be about the action of a part on one of its resources."""
    if not may_match(other.action_element, other.actions, part.actions[0].lower()):
        return False
    if "NotResource" in (part.resource_element, other.resource_element):
        return True
    return any(overlaps_resource(one, each) is not False for one in part.resources for each in other.resources)


def _gives(held: Document, statement: Statement) -> bool | None:
    """Return whether a document allows all that a statement does: with it, no more is allowed."""
    action = statement.actions[0].lower()
    speaking = [each for each in held.statements if may_match(each.action_element, each.actions, action)]
    if not any(each.effect == "Allow" for each in speaking):
        return False
    own = held._replace(statements=tuple(speaking))
    reach = changes(own, own._replace(statements=(*speaking, statement))).reach
    return None if reach == "unknown" else reach == "same"
