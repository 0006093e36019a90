"""What differs between two documents: the grants, whether access widened or narrowed, and what one allows beyond the other."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from ekstui.change.coverage import are_disjoint
from ekstui.iam.arn import overlaps_resource
from ekstui.iam.document import ActionElement, Condition, Document, Effect, ResourceElement, Statement
from ekstui.iam.grants import (
    MAX_GRANTS,
    Extent,
    Grant,
    Reach,
    Target,
    grants,
    grants_as_written,
    grants_of,
    is_too_large,
    normalised_conditions,
    statement_may_match,
    without_repetitions,
)
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.reach import Denies

ChangeKind = Literal["none", "scope", "actions"]


class GrantDifference(NamedTuple):
    """The grants of one (effect, element, action) on both sides; `before` is empty if it was added, `after` if removed."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """One action pattern for `Action`; the whole list for `NotAction`."""
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]


class Change(NamedTuple):
    """The whole difference between two documents."""

    kind: ChangeKind
    reach: Reach
    denies: "Denies | None"
    """Whether more or less is denied, if the same requests are allowed."""
    added: tuple[GrantDifference, ...]
    removed: tuple[GrantDifference, ...]
    changed: tuple[GrantDifference, ...]
    verdict: str
    """One sentence that explains `reach`, such as `widened: 2 actions no longer need the cluster tag`."""
    notes: tuple[str, ...]
    """Why `reach` is unknown, or caveats, such as future actions that a pattern would match."""
    reference: str
    """The version of the service authorization reference that `reach` is based on."""
    denied: "Denies | None" = None
    """Whether more or less is denied, whatever is allowed: a Deny also revokes what other policies allow."""


class ChangedTargets(NamedTuple):
    """The (effect, element, action) that differ between two sets of grants."""

    added: frozenset[Target]
    removed: frozenset[Target]
    changed: frozenset[Target]
    """On both sides, with other resources or conditions."""

    @property
    def kind(self) -> ChangeKind:
        """`none` if nothing differs, `scope` if only resources or conditions differ, else `actions`."""
        return "actions" if self.added or self.removed else "scope" if self.changed else "none"


def changes(before: Document, after: Document, names: tuple[str, str] | None = None) -> Change:
    """Return every grant that differs between two documents, and what that means for the requests allowed.

    `names` are used in the verdict on two different policies; without them the documents are versions of one policy.
    """
    from ekstui.change.reach import notes_on, reach_between  # needed only to compare documents
    from ekstui.change.reach.wording import Names, verdict_on

    spelled = before, after
    before, after = without_repetitions(before), without_repetitions(after)
    if is_too_large(before) or is_too_large(after):
        return _undecided(is_same=before == after)
    grants_before, grants_after = grants(before), grants(after)
    targets = changed_targets(grants_before, grants_after)
    differing = targets.added | targets.removed | targets.changed
    spelled_before, spelled_after = grants_as_written(before, differing), grants_as_written(after, differing)

    def differences(of: frozenset[Target]) -> tuple[GrantDifference, ...]:
        nothing: tuple[tuple[str, ...], tuple[Grant, ...]] = ((), ())
        listed: list[GrantDifference] = []
        for target in sorted(of):
            actions_before, held_before = spelled_before.get(target, nothing)
            actions_after, held_after = spelled_after.get(target, nothing)
            actions = actions_after or actions_before
            listed.append(GrantDifference(target.effect, target.element, actions, held_before, held_after))
        return tuple(listed)

    judgement = reach_between(grants_before, grants_after)
    spelling = _spelling(before, after)
    return Change(
        kind=targets.kind,
        reach=judgement.reach,
        denies=judgement.denies,
        added=differences(targets.added),
        removed=differences(targets.removed),
        changed=differences(targets.changed),
        verdict=verdict_on(judgement, spelling, Names(*names) if names else None)
        if differing
        else _unchanged(*spelled),
        notes=notes_on(judgement, grants_before, grants_after, spelling),
        reference=reference().version,
        denied=judgement.denied,
    )


def changed_targets(
    before: Mapping[Target, frozenset[Extent]], after: Mapping[Target, frozenset[Extent]]
) -> ChangedTargets:
    """Return the (effect, element, action) that only one side has, and those that both have with different extents."""
    return ChangedTargets(
        added=frozenset(after.keys() - before.keys()),
        removed=frozenset(before.keys() - after.keys()),
        changed=frozenset(target for target, extents in before.items() if after.get(target, extents) != extents),
    )


def _undecided(*, is_same: bool) -> Change:
    """Return the difference between documents that are too large to compare."""
    version = reference().version
    if is_same:
        return Change("none", "same", None, (), (), (), "same access: the documents are equal", (), version)
    note = f"A document has more than {MAX_GRANTS:,} grants, an action on a resource each."
    return Change("actions", "unknown", None, (), (), (), "unknown: too large to decide", (note,), version)


def _unchanged(before: Document, after: Document) -> str:
    if before == after:
        return "same access: every statement says the same"
    return "same access: only order, grouping, spelling or names changed"


def _spelling(*documents: Document) -> dict[str, str]:
    """Return how the documents spell actions and condition keys, by lower-case form."""
    spelling: dict[str, str] = {}
    for document in documents:
        for statement in document.statements:
            spelling.update((action.lower(), action) for action in statement.actions)
            spelling.update(
                (condition.key.strip().lower(), condition.key.strip()) for condition in statement.conditions
            )
    return spelling


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


def lacking(wanted: Document, held: Document) -> Lacking:
    """Return what `wanted` allows and `held` does not, decided for each action on each resource."""
    denials = tuple(entry for entry in held.statements if entry.effect == "Deny" and entry not in wanted.statements)
    unknown: list[str] = []
    denied: list[str] = []
    grants_of_statement: dict[Statement, tuple[Grant, ...] | None] = {}

    def grants_beside(part: Statement) -> tuple[Grant, ...] | None:
        """Return how `held` allows a part in other cases; None if it allows it in all."""
        if part not in grants_of_statement:
            allows = _allows_all(held, part)
            if allows is None:
                unknown.append(part.actions[0])
            if any(_meets(part, denial) for denial in denials):
                denied.append(part.actions[0])
            grants_of_statement[part] = None if allows is True else _grants_beside(held, part)
        return grants_of_statement[part]

    missing: list[Statement] = []
    partly: list[AllowedElsewhere] = []
    for statement in wanted.statements:
        missing += _kept(statement, lambda part: grants_beside(part) == ())
        for part in _kept(statement, lambda part: bool(grants_beside(part))):
            by_grants: dict[tuple[Grant, ...], list[str]] = {}
            for action in part.actions:
                by_grants.setdefault(_grants_beside(held, part._replace(actions=(action,))), []).append(action)
            partly += [AllowedElsewhere(part._replace(actions=tuple(names)), of) for of, names in by_grants.items()]
    return Lacking(tuple(missing), tuple(partly), tuple(dict.fromkeys(unknown)), tuple(dict.fromkeys(denied)))


def _grants_beside(held: Document, part: Statement) -> tuple[Grant, ...]:
    """Return the grants with which a document may allow some requests of a part; none if it denies such requests."""
    grants: dict[Grant, None] = {}
    for statement in held.statements:
        for grant in _meets(part, statement):
            if statement.effect == "Deny":
                return ()
            grants[grant] = None
    return tuple(grants)


def _meets(part: Statement, statement: Statement) -> list[Grant]:
    """Return the grants of a statement that may match requests of a part."""

    def extent(element: ResourceElement, resources: tuple[str, ...], conditions: tuple[Condition, ...]) -> Extent:
        return Extent(element, resources, normalised_conditions(conditions))

    if not statement_may_match(statement, part.actions[0]):
        return []
    wanted = extent(part.resource_element or "Resource", part.resources, part.conditions)
    return [grant for grant in grants_of(statement) if not are_disjoint(extent(*grant), wanted)]


class Superfluous(NamedTuple):
    """What a role has for the old release and the new release does not need."""

    statements: tuple[Statement, ...]
    """What the new release needs on no such resource, so that it can be removed."""
    narrower: tuple[str, ...]
    """Actions that the new release still needs there, but in fewer cases."""


def superfluous(before: Document, after: Document, held: Document) -> Superfluous:
    """Return what a role has that only the old release needs."""
    narrower: list[str] = []

    def may_go(part: Statement) -> bool:
        if _allows_all(after, part) is True or _allows_all(held, part) is not True:
            return False
        if any(_overlap(part, statement) for statement in after.statements):
            narrower.append(part.actions[0])
            return False
        return True

    parts = tuple(part for statement in before.statements for part in _kept(statement, may_go))
    return Superfluous(parts, tuple(dict.fromkeys(narrower)))


def _kept(statement: Statement, wanted: Callable[[Statement], bool]) -> Iterator[Statement]:
    """Yield an Allow reduced to the wanted actions and resources, with actions on the same resources together."""
    if statement.effect != "Allow":
        return
    by_resources: dict[tuple[str, ...], list[str]] = {}
    parts = (
        [(name,) for name in statement.resources] if statement.resource_element == "Resource" else [statement.resources]
    )
    for action in statement.actions:
        kept = [names for names in parts if wanted(statement._replace(actions=(action,), resources=names))]
        if kept:
            by_resources.setdefault(tuple(name for names in kept for name in names), []).append(action)
    for resources, actions in by_resources.items():
        yield statement._replace(actions=tuple(actions), resources=resources)


def _overlap(part: Statement, other: Statement) -> bool:
    """Return whether another statement may match the action of a part on one of its resources."""
    if not statement_may_match(other, part.actions[0]):
        return False
    if "NotResource" in (part.resource_element, other.resource_element):
        return True
    return any(overlaps_resource(one, resource) is not False for one in part.resources for resource in other.resources)


def _allows_all(held: Document, statement: Statement) -> bool | None:
    """Return whether a document allows everything that a statement does, so that adding it changes nothing."""
    matching = tuple(rule for rule in held.statements if statement_may_match(rule, statement.actions[0]))
    if not any(rule.effect == "Allow" for rule in matching):
        return False
    own = held._replace(statements=matching)
    reach = changes(own, own._replace(statements=(*matching, statement))).reach
    return None if reach == "unknown" else reach == "same"
