"""Grants: the smallest units that a statement allows or denies, and that a change adds or removes.

Two documents mean the same to IAM if their sets of grants are equal, however their statements are ordered, grouped and
named. A grant is a `Target` (effect and action) with an `Extent` (resources and conditions). An index of the targets of
a policy's versions tells which of them match an action, without their documents.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from ekstui.iam import wildcard
from ekstui.iam.document import ActionElement, Condition, Document, Effect, ResourceElement, Statement
from ekstui.iam.policy_variables import VARIABLES_SINCE, literally
from ekstui.named_tuples import NamedTuple

Reach = Literal["same", "widened", "narrowed", "mixed", "unknown"]
"""Whether a change allows more or fewer requests."""


class Grant(NamedTuple):
    """The resources and conditions for which a statement's effect applies to an action."""

    resource_element: ResourceElement
    resources: tuple[str, ...]
    """One resource for `Resource`; the whole list for `NotResource`."""
    conditions: tuple[Condition, ...]
    """The whole condition block."""


class Target(NamedTuple):
    """The effect and action by which two documents are compared."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """In lower case: one action pattern for `Action`; the whole sorted list for `NotAction`."""


class ConditionLine(NamedTuple):
    """One condition of a condition block, normalised so that equal conditions are equal values."""

    operator: str
    key: str
    """Lower case."""
    values: frozenset[str]


class Extent(NamedTuple):
    """Where and when a grant applies, normalised so that equal grants are equal values."""

    element: ResourceElement
    resources: tuple[str, ...]
    """One resource for `Resource`; the whole sorted list for `NotResource`; empty in a trust policy."""
    conditions: frozenset[ConditionLine]
    principals: frozenset[tuple[str, str, str]] = frozenset()
    """(element, kind, value) in a trust or resource policy: one for `Principal`, the whole list for `NotPrincipal`."""

    @property
    def has_implicit_resource(self) -> bool:
        """Whether it has no resources, as in a trust policy, which is about its own role."""
        return self.element == "Resource" and not self.resources


@lru_cache(maxsize=1024)
def in_order(extents: frozenset[Extent]) -> tuple[Extent, ...]:
    """Return extents in an order that depends on nothing but them, fewest conditions first."""
    return tuple(sorted(extents, key=_order)) if len(extents) > 1 else tuple(extents)


@lru_cache(maxsize=65536)
def _order(extent: Extent) -> tuple[object, ...]:
    lines = sorted(map(line_order, extent.conditions))
    return len(lines), extent.element, extent.resources, lines, sorted(extent.principals)


@lru_cache(maxsize=16384)
def line_order(line: ConditionLine) -> tuple[str, str, tuple[str, ...]]:
    """Return what sorts conditions in one order: a set of texts has another in each process."""
    return line.key, line.operator, tuple(sorted(line.values))


MAX_GRANTS = 100_000
"""The most grants of a document that is compared; AWS's largest has 11,000."""


MAX_VALUES = 300_000
"""The most condition values of all grants of a document that is compared; AWS's largest has 3,400."""


class Effort:
    """The work that one comparison has left, in steps, so that an answer never depends on the speed of the machine."""

    def __init__(self, steps: int = 60_000) -> None:
        """AWS's policies need fewer than the default to be judged."""
        self._remaining_steps = steps

    def spend(self, steps: int = 1) -> bool:
        """Count work; return whether any is left."""
        self._remaining_steps -= steps
        return self._remaining_steps > 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self._remaining_steps <= 0


def without_repetitions(document: Document) -> Document:
    """Return the document with each statement, and each value of a statement, once."""
    statements = tuple(
        statement._replace(
            actions=tuple({action.lower(): action for action in reversed(statement.actions)}.values())[::-1],
            resources=tuple(dict.fromkeys(statement.resources)),
            conditions=tuple(line._replace(values=tuple(dict.fromkeys(line.values))) for line in statement.conditions),
        )
        for statement in document.statements
    )
    return document._replace(statements=tuple(dict.fromkeys(statements)))


def merged_document(documents: Iterable[Document]) -> Document:
    """Return what documents allow and deny together, as one document of the newest version of the language."""
    return Document(
        VARIABLES_SINCE,
        None,
        tuple(
            statement if document.version == VARIABLES_SINCE else _literally(statement)
            for document in documents
            for statement in document.statements
        ),
    )


def _literally(statement: Statement) -> Statement:
    """Return a statement of an older document, which has no variables, as the newest version writes it."""
    return statement._replace(
        resources=tuple(map(literally, statement.resources)),
        conditions=tuple(line._replace(values=tuple(map(literally, line.values))) for line in statement.conditions),
    )


def is_too_large(document: Document) -> bool:
    """Return whether a document has too many grants to compare: each action, with each resource and all conditions."""
    total = values = 0
    for statement in document.statements:
        actions = len(statement.actions) if statement.action_element == "Action" else 1
        targets = actions * (len(statement.resources) if statement.resource_element == "Resource" else 1)
        total += targets
        values += targets * sum(len(line.values) for line in statement.conditions)
    return total > MAX_GRANTS or values > MAX_VALUES


def grants(document: Document) -> dict[Target, frozenset[Extent]]:
    """Return the document's grants, normalised: equal for documents that allow and deny the same."""
    extents_of: dict[Target, frozenset[Extent]] = {}
    expands = document.version == VARIABLES_SINCE
    for statement in document.statements:
        extents = frozenset(extent for extent, _ in _extents(statement, expands=expands))
        if not extents:
            continue
        for target in targets_of(statement):
            before = extents_of.get(target)
            extents_of[target] = extents if before is None else before | extents
    return extents_of


def grants_as_written(
    document: Document, targets: Collection[Target]
) -> dict[Target, tuple[tuple[str, ...], tuple[Grant, ...]]]:
    """Return the actions and grants of the targets as the document spells them, once each, in a stable order."""
    actions: dict[Target, tuple[str, ...]] = {}
    grants_by_target: dict[Target, dict[Extent, Grant]] = {}
    for statement in document.statements:
        is_not_action = statement.action_element == "NotAction"
        for target, action in zip(targets_of(statement), statement.actions or ("",), strict=False):
            if target in targets:
                actions.setdefault(target, statement.actions if is_not_action else (action,))
                for extent, grant in _extents(statement, expands=document.version == VARIABLES_SINCE):
                    grants_by_target.setdefault(target, {}).setdefault(extent, grant)
    return {
        target: (actions[target], tuple(sorted(set(spellings.values()))))
        for target, spellings in grants_by_target.items()
    }


def grants_of(statement: Statement) -> tuple[Grant, ...]:
    """Return the grants that a statement allows or denies for each of its actions, as written."""
    return tuple(grant for _, grant in _extents(statement, expands=True))


@lru_cache(maxsize=16384)
def extent_of(grant: Grant) -> Extent:
    """Return where and when a grant applies."""
    return Extent(grant.resource_element, tuple(sorted(set(grant.resources))), normalised_conditions(grant.conditions))


def normalised_conditions(conditions: tuple[Condition, ...]) -> frozenset[ConditionLine]:
    """Return a condition block as a set of normalised conditions, since their order does not matter."""
    return frozenset(map(normalised, conditions))


def normalised(condition: Condition) -> ConditionLine:
    """Return a condition without differences in spaces, case of the key and order of values."""
    return ConditionLine(condition.operator.strip(), condition.key.strip().lower(), frozenset(condition.values))


def targets_of(statement: Statement) -> list[Target]:
    """Return the targets of a statement: one for each action, in order, or one for a whole `NotAction`."""
    if statement.action_element == "NotAction":
        lower_actions = tuple(sorted({action.lower() for action in statement.actions}))
        return [Target(statement.effect, "NotAction", lower_actions)]
    return [_target(statement.effect, action) for action in statement.actions]


@lru_cache(maxsize=65536)
def _target(effect: Effect, action: str) -> Target:
    """Return the target of one action; versions of a policy share most of them."""
    return Target(effect, "Action", (action.lower(),))


def _extents(statement: Statement, *, expands: bool) -> list[tuple[Extent, Grant]]:
    """Return each extent with the grant that spells it.

    If the document's version does not expand policy variables, the extent contains them as literal text.
    """
    lines = normalised_conditions(statement.conditions)
    if not expands:
        lines = frozenset(line._replace(values=frozenset(map(literally, line.values))) for line in lines)
    element = statement.resource_element or "Resource"
    if statement.resource_element == "Resource":
        spellings: list[tuple[str, ...]] = [(resource,) for resource in statement.resources]
    else:
        spellings = [statement.resources]
    return [
        (
            Extent(element, tuple(sorted(set(spelling if expands else map(literally, spelling)))), lines, principals),
            Grant(element, spelling, statement.conditions),
        )
        for spelling in spellings
        for principals in _principals(statement)
    ]


def _principals(statement: Statement) -> list[frozenset[tuple[str, str, str]]]:
    """Return each principal by itself, since one match is enough; for `NotPrincipal` the whole list."""
    element = statement.principal_element
    if element is None:
        return [frozenset()]
    principals = [(element, principal.kind, value) for principal in statement.principals for value in principal.values]
    return (
        [frozenset({principal}) for principal in principals]
        if element == "Principal"
        else [frozenset(principals or [(element, "", "")])]
    )


class TargetUse(NamedTuple):
    """One effect on one action pattern, and where a policy's versions have it."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """As written: one pattern for `Action`; the whole list for `NotAction`."""
    versions: Mapping[int, tuple[int, ...]]
    """The versions that have it, ascending, by the place of their frame; one value for all that are alike."""


def service_in(pattern: str) -> str:
    """Return the service of an action pattern, or `*` if it may be any of several."""
    service = pattern.partition(":")[0]
    return "*" if wildcard.is_wild(service) else service


def service_of(element: ActionElement, actions: Sequence[str]) -> str:
    """Return a target's prefix in lower case, or `*` if it may match several services."""
    return "*" if element == "NotAction" or ":" not in actions[0] else service_in(actions[0].lower())


class NamedServices:
    """What targets name of the actions of each service."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._patterns: dict[str, set[str]] = {}
        for target in targets:
            for action in target.actions:
                self._patterns.setdefault(service_in(action), set()).add(action)

    def are_alike(self, service: str) -> bool:
        """Return whether no pattern or name tells the actions of a service apart."""
        service_wildcards = {"*", "*:*", f"{service}:*"}
        return service_wildcards.issuperset(self._patterns.get(service, ())) and service_wildcards.issuperset(
            self._patterns.get("*", ())
        )


class Targets(NamedTuple):
    """Which versions of a policy match which actions."""

    frames: tuple[Statement, ...]
    """The statements without their actions: the default version's in their order, then those of other versions."""
    uses: tuple[TargetUse, ...]


def uses_of(documents: Mapping[int, Document], default: int) -> Targets:
    """Return every target in a policy's documents, which are given by version number.

    Statements that are one object in several documents are looked at once.
    """
    frames: dict[tuple[Statement, int], int] = {}
    split: dict[int, tuple[Statement, frozenset[Any]]] = {}

    def by_place(document: Document) -> dict[int, frozenset[Any]]:
        values: dict[int, frozenset[Any]] = {}
        alike: Counter[Statement] = Counter()
        for statement in document.statements:
            if id(statement) not in split:
                actions_or_list = statement.actions if statement.action_element == "Action" else (statement.actions,)
                split[id(statement)] = statement._replace(actions=()), frozenset(actions_or_list)
            frame, actions = split[id(statement)]
            values[frames.setdefault((frame, alike[frame]), len(frames))] = actions
            alike[frame] += 1
        return values

    by_place(documents[default])
    numbers = sorted(documents)
    actions_by_frame = [by_place(documents[number]) for number in numbers]
    statement_frames = tuple(frame for frame, _ in frames)
    return Targets(statement_frames, tuple(_uses(statement_frames, numbers, actions_by_frame)))


def _uses(
    frames: Sequence[Statement], numbers: Sequence[int], actions_by_frame: Sequence[Mapping[int, frozenset[Any]]]
) -> Iterator[TargetUse]:
    """Yield the targets of versions that have these actions in these frames.

    A version differs little from the one before, so only what changes is looked at.
    """
    none: frozenset[Any] = frozenset()
    starts_by_action: list[dict[Any, int]] = [{} for _ in frames]
    spans: dict[tuple[Effect, ActionElement], dict[Any, list[tuple[int, int, int]]]] = {}
    before: Mapping[int, frozenset[Any]] = {}
    for position, now in enumerate((*actions_by_frame, {})):
        for place in before.keys() | now.keys():
            old_actions, new_actions = before.get(place, none), now.get(place, none)
            if old_actions is new_actions:
                continue
            values = spans.setdefault((frames[place].effect, frames[place].action_element), {})
            starts = starts_by_action[place]
            for action in old_actions - new_actions:
                values.setdefault(action, []).append((place, starts.pop(action), position))
            starts.update(dict.fromkeys(new_actions - old_actions, position))
        before = now
    versions_by_spans: dict[tuple[tuple[int, int, int], ...], dict[int, tuple[int, ...]]] = {}
    for (effect, element), values in spans.items():
        for action, action_spans in values.items():
            key = tuple(action_spans)
            versions = versions_by_spans.get(key)
            if versions is None:
                versions = versions_by_spans[key] = {}
                for place, start, end in key:
                    versions[place] = (*versions.get(place, ()), *numbers[start:end])
            yield TargetUse(effect, element, (action,) if element == "Action" else action, versions)


def action_matches(statement: Statement, action: str) -> bool:
    """Return whether the statement's Action or NotAction matches one action, whatever its case."""
    name = action.lower()
    # A loop of its own: this is asked of every pattern of every policy that might help.
    for pattern in statement.actions:
        if wildcard.matches(pattern.lower(), name):
            return statement.action_element == "Action"
    return statement.action_element != "Action"


def allows_action(document: Document, action: str) -> bool:
    """Return whether a document allows an action somewhere, whatever it denies."""
    return any(statement.effect == "Allow" and action_matches(statement, action) for statement in document.statements)


def may_match(element: ActionElement, actions: Iterable[str], action: str) -> bool:
    """Return whether a target may match an action, or some action under a pattern, given in lower case."""
    is_listing = element == "Action"
    meets: Callable[[str, str], bool] = wildcard.matches
    if wildcard.is_wild(action):
        meets = wildcard.overlaps if is_listing else wildcard.covers
    # A loop of its own: an account has a million patterns.
    for pattern in actions:
        if meets(pattern.lower(), action):
            return is_listing
    return not is_listing


def statements_on(document: Document, action: str) -> tuple[Statement, ...]:
    """Return the statements of a document that match an action, or some action under a pattern."""
    return tuple(statement for statement in document.statements if statement_may_match(statement, action))


def statement_may_match(statement: Statement, action: str) -> bool:
    """Return whether a statement matches an action, or some action under a pattern, whatever its case."""
    return may_match(statement.action_element, statement.actions, action.lower())
