"""What one document allows beyond another: what a role lacks for a release, and what it has only for an old one."""

from collections.abc import Callable, Iterator

from ekstui.change.comparison import changes
from ekstui.change.coverage import are_disjoint
from ekstui.iam.arn import overlaps_resource
from ekstui.iam.document import Document, Statement
from ekstui.iam.grants import Grant, extent_of, grants_of, statement_may_match, statements_on
from ekstui.named_tuples import NamedTuple


class AllowedElsewhere(NamedTuple):
    """What one document allows and another allows only in other cases."""

    statement: Statement
    grants: tuple[Grant, ...]
    """How the other document allows it."""


class Lacking(NamedTuple):
    """What one document allows and another does not, as statements reduced to those actions and resources."""

    missing: tuple[Statement, ...]
    """What the other document does not allow at all."""
    partly: tuple[AllowedElsewhere, ...]
    unknown: tuple[str, ...]
    """Actions for which it is not known whether the other document allows them; they are in the statements too."""
    denied: tuple[str, ...] = ()
    """Actions that a Deny of the other document may revoke, which no further Allow changes."""

    @property
    def statements(self) -> tuple[Statement, ...]:
        """All that would have to be added."""
        return (*self.missing, *(part.statement for part in self.partly))


def lacking(needed_policy: Document, role_policy: Document) -> Lacking:
    """Return what `needed_policy` allows and `role_policy` does not, decided for each action on each resource."""
    denials = tuple(
        entry for entry in role_policy.statements if entry.effect == "Deny" and entry not in needed_policy.statements
    )
    unknown_actions: list[str] = []
    denied_actions: list[str] = []
    grants_of_statement: dict[Statement, tuple[Grant, ...] | None] = {}

    def grants_beside(part: Statement) -> tuple[Grant, ...] | None:
        """Return how `role_policy` allows a part in other cases; None if it allows it in all."""
        if part not in grants_of_statement:
            allows = _allows_all(role_policy, part)
            if allows is None:
                unknown_actions.append(part.actions[0])
            if any(_meets(part, denial) for denial in denials):
                denied_actions.append(part.actions[0])
            grants_of_statement[part] = None if allows is True else _grants_beside(role_policy, part)
        return grants_of_statement[part]

    missing: list[Statement] = []
    partly: list[AllowedElsewhere] = []
    for statement in needed_policy.statements:
        missing += _parts_where(statement, lambda part: grants_beside(part) == ())
        for part in _parts_where(statement, lambda part: bool(grants_beside(part))):
            by_grants: dict[tuple[Grant, ...], list[str]] = {}
            for action in part.actions:
                by_grants.setdefault(_grants_beside(role_policy, part._replace(actions=(action,))), []).append(action)
            partly += [AllowedElsewhere(part._replace(actions=tuple(names)), of) for of, names in by_grants.items()]
    return Lacking(
        tuple(missing), tuple(partly), tuple(dict.fromkeys(unknown_actions)), tuple(dict.fromkeys(denied_actions))
    )


def _grants_beside(document: Document, part: Statement) -> tuple[Grant, ...]:
    """Return the grants with which a document may allow some requests of a part; none if it denies such requests."""
    grants: dict[Grant, None] = {}
    for statement in document.statements:
        for grant in _meets(part, statement):
            if statement.effect == "Deny":
                return ()
            grants[grant] = None
    return tuple(grants)


def _meets(part: Statement, statement: Statement) -> list[Grant]:
    """Return the grants of a statement that may match requests of a part."""
    if not statement_may_match(statement, part.actions[0]):
        return []
    extent = extent_of(Grant(part.resource_element or "Resource", part.resources, part.conditions))
    return [grant for grant in grants_of(statement) if not are_disjoint(extent_of(grant), extent)]


class Superfluous(NamedTuple):
    """What a role has for the old release and the new release does not need."""

    statements: tuple[Statement, ...]
    """What the new release needs on no such resource, so that it can be removed."""
    narrower: tuple[str, ...]
    """Actions that the new release still needs there, but in fewer cases."""


def superfluous(before: Document, after: Document, role_policy: Document) -> Superfluous:
    """Return what a role has that only the old release needs."""
    narrower: list[str] = []

    def may_go(part: Statement) -> bool:
        if _allows_all(after, part) is True or _allows_all(role_policy, part) is not True:
            return False
        if any(_overlap(part, statement) for statement in after.statements):
            narrower.append(part.actions[0])
            return False
        return True

    parts = tuple(part for statement in before.statements for part in _parts_where(statement, may_go))
    return Superfluous(parts, tuple(dict.fromkeys(narrower)))


def _parts_where(statement: Statement, is_wanted: Callable[[Statement], bool]) -> Iterator[Statement]:
    """Yield an Allow reduced to the wanted actions and resources, with actions on the same resources together."""
    if statement.effect != "Allow":
        return
    by_resources: dict[tuple[str, ...], list[str]] = {}
    parts = (
        [(name,) for name in statement.resources] if statement.resource_element == "Resource" else [statement.resources]
    )
    for action in statement.actions:
        wanted_parts = [names for names in parts if is_wanted(statement._replace(actions=(action,), resources=names))]
        if wanted_parts:
            by_resources.setdefault(tuple(name for names in wanted_parts for name in names), []).append(action)
    for resources, actions in by_resources.items():
        yield statement._replace(actions=tuple(actions), resources=resources)


def _overlap(part: Statement, statement: Statement) -> bool:
    """Return whether another statement may match the action of a part on one of its resources."""
    if not statement_may_match(statement, part.actions[0]):
        return False
    if "NotResource" in (part.resource_element, statement.resource_element):
        return True
    return any(
        overlaps_resource(pattern, resource) is not False
        for pattern in part.resources
        for resource in statement.resources
    )


def _allows_all(document: Document, statement: Statement) -> bool | None:
    """Return whether a document allows everything that a statement does, so that adding it changes nothing."""
    statements = statements_on(document, statement.actions[0])
    if not any(rule.effect == "Allow" for rule in statements):
        return False
    excerpt = document._replace(statements=statements)
    reach = changes(excerpt, excerpt._replace(statements=(*statements, statement))).reach
    return None if reach == "unknown" else reach == "same"
