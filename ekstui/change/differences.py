"""What differs between two documents, action by action, and nothing else.

An action may be allowed on a resource in several ways, any one of which is enough ("or"). A way is the condition block
of a statement, and all of its conditions must hold ("and").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Literal, TypeVar

from ekstui.errors import DocumentError
from ekstui.iam import arn, wildcard
from ekstui.iam.document import ActionElement, Condition, Document, Effect, ResourceElement, Statement
from ekstui.iam.grants import (
    MAX_GRANTS,
    ConditionLine,
    Effort,
    NamedServices,
    Target,
    is_too_large,
    line_order,
    normalised,
    normalised_conditions,
    service_in,
    targets_of,
    without_repetitions,
)
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

_T = TypeVar("_T")

Way = tuple[Condition, ...]
"""Conditions that must all hold; empty if the action is allowed unconditionally."""

_OPEN = re.compile(r"[*?]|\$\{")
"""Where a resource stops being literal."""

MAX_STEPS = 2_000_000
"""After how many steps resources are taken as they are written; AWS's own comparisons take fewer."""

STEPS_OF_ARNS = 40
"""How many steps it takes to compare two ARNs part by part."""


class ResourceList(NamedTuple):
    """Resources on which an action is allowed."""

    element: ResourceElement
    resources: tuple[str, ...]


WayKey = frozenset[ConditionLine]
"""The conditions of a way in normal form, which ways that say the same have in common."""

Ways = dict[WayKey, Way]

Places = dict[ResourceList, Ways]
"""Where an action is allowed, and in which ways."""


class LineChange(NamedTuple):
    """A condition that both sides have, with a different operator or different values."""

    before: Condition
    after: Condition

    @property
    def removed(self) -> tuple[str, ...]:
        """Values that only the side before has."""
        return tuple(value for value in self.before.values if value not in self.after.values)

    @property
    def added(self) -> tuple[str, ...]:
        """Values that only the side after has."""
        return tuple(value for value in self.after.values if value not in self.before.values)


BeforeOrAfter = Literal["before", "after"]


class WayChange(NamedTuple):
    """A way that was changed into another."""

    before: Way
    after: Way
    lines: tuple[LineChange, ...]
    gone: Way
    """Conditions that no longer have to hold."""
    new: Way
    """Conditions that now have to hold as well."""


class ResourceChange(NamedTuple):
    """Resources that only one side has, in the same ways."""

    element: ResourceElement
    removed: tuple[str, ...]
    added: tuple[str, ...]
    ways: tuple[Way, ...]
    listed: bool
    """Whether the resources are entries of a `NotResource` list of both sides, rather than places of their own."""


class ConditionChange(NamedTuple):
    """Different conditions on resources that both sides have."""

    place: ResourceList
    everywhere: bool
    """Whether these are all the resources on which either side has the action."""
    revised: tuple[WayChange, ...]
    gone: tuple[Way, ...]
    new: tuple[Way, ...]
    kept: tuple[Way, ...]
    """Ways that both sides have; any one of them is still enough."""

    @property
    def had(self) -> tuple[Way, ...]:
        """All ways of the side before."""
        return (*self.kept, *(way.before for way in self.revised), *self.gone)

    @property
    def has(self) -> tuple[Way, ...]:
        """All ways of the side after."""
        return (*self.kept, *(way.after for way in self.revised), *self.new)

    @property
    def wider(self) -> BeforeOrAfter | None:
        """The side that requires nothing that the other does not; None if each requires something of its own."""
        widens, narrows = _requires_no_more(self.has, self.had), _requires_no_more(self.had, self.has)
        return None if widens == narrows else "after" if widens else "before"


def _requires_no_more(ways: Sequence[Way], other_ways: Sequence[Way]) -> bool:
    """Return whether every one of the other ways holds only if one of these does, by the conditions that they share."""
    lines = [_literal_lines(way) for way in ways]
    return all(any(conditions <= _literal_lines(other_way) for conditions in lines) for other_way in other_ways)


def _literal_lines(way: Way) -> WayKey:
    """Return conditions in normal form, with StringEquals for a StringLike that has no wildcards."""
    return frozenset(
        line._replace(operator="StringEquals")
        if line.operator.lower() == "stringlike" and not any(map(_OPEN.search, line.values))
        else line
        for line in map(normalised, way)
    )


def _joined(all_places: Iterable[Places | None]) -> Places:
    """Return the places of several grants of an action together, without needless ways."""
    joined_places: Places = {}
    for places in all_places:
        for place, ways in (places or {}).items():
            joined_places[place] = {**joined_places.get(place, {}), **ways}
    return _without_needless(joined_places)


def _without_needless(places: Places) -> Places:
    """Return the places without ways that require more than another way on the same resources or on `*`."""
    everywhere = places.get(ResourceList("Resource", ("*",)), {})
    needed_places: Places = {}
    for place, ways in places.items():
        alternatives = set(ways) | (set(everywhere) if place.resources != ("*",) else set())
        needed_ways = {
            lines: way
            for lines, way in ways.items()
            if not any(smaller < lines for smaller in alternatives)
            and (place.resources == ("*",) or place.element == "NotResource" or lines not in everywhere)
        }
        if needed_ways:
            needed_places[place] = needed_ways
    return needed_places


def same(places_a: Places, places_b: Places) -> bool:
    """Return whether two sides have the same places and ways, apart from needless ones."""
    return _bare(places_a) == _bare(places_b)


def _bare(places: Places) -> dict[ResourceList, frozenset[WayKey]]:
    return {place: frozenset(ways) for place, ways in _without_needless(places).items()}


def place_changes(
    places_before: Places, places_after: Places, effort: Effort
) -> tuple[tuple[ResourceChange, ...], tuple[ConditionChange, ...]]:
    """Return how resources and conditions differ between both sides of an action; `effort` limits the time it takes."""
    conditions: dict[tuple[frozenset[WayKey], frozenset[WayKey]], list[ResourceList]] = {}
    ways: dict[ResourceList, tuple[Ways, Ways]] = {}
    wild_before, wild_after = _wild(places_before), _wild(places_after)
    for place in dict.fromkeys((*places_before, *places_after)):
        on_both = place in places_before and place in places_after
        # A resource of one side may be included in one of the other: if its ways differ, its conditions changed.
        old, new = (
            (places_before[place], places_after[place])
            if on_both
            else (
                _ways_on(place, places_before, wild_before, effort),
                _ways_on(place, places_after, wild_after, effort),
            )
        )
        if old and new and old.keys() != new.keys():
            conditions.setdefault((frozenset(old), frozenset(new)), []).append(place)
            ways[place] = old, new
    resources = _resource_changes(
        {
            place: of_place
            for place, of_place in places_before.items()
            if place not in places_after and place not in ways
        },
        {
            place: of_place
            for place, of_place in places_after.items()
            if place not in places_before and place not in ways
        },
    )
    total = len(places_before.keys() | places_after.keys())
    return resources, tuple(
        _condition_change(places, *ways[places[0]], everywhere=len(places) == total) for places in conditions.values()
    )


class _Wild(NamedTuple):
    """A resource pattern that may include others."""

    prefix: str
    """What is before its first wildcard; most patterns differ there, which is seen at once."""
    resource: str
    ways: Ways
    steps: int
    """How many it takes to compare it with another resource, for each reading of that."""


def _wild(places: Places) -> list[_Wild]:
    patterns: list[_Wild] = []
    for place, ways in places.items():
        if place.element == "Resource" and (wild := _OPEN.search(place.resources[0])):
            (resource,) = place.resources
            steps = STEPS_OF_ARNS * arn.readings_of((resource,))
            patterns.append(_Wild(resource[: wild.start()], resource, ways, steps))
    return patterns


def _ways_on(place: ResourceList, places: Places, wild: Sequence[_Wild], effort: Effort) -> Ways:
    """Return the ways of a resource and of all patterns that include it, without needless ones."""
    ways = dict(places.get(place, {}))
    if place.element == "Resource" and not effort.is_spent:
        (resource,) = place.resources
        readings = arn.readings_of((resource,))
        for pattern in wild if effort.spend(len(wild)) else ():
            if resource.startswith(pattern.prefix) and effort.spend(pattern.steps * readings):
                ways |= pattern.ways if arn.resource_covers(pattern.resource, resource) is True else {}
    return {lines: way for lines, way in ways.items() if not any(smaller < lines for smaller in ways)}


def _resource_changes(removed_places: Places, added_places: Places) -> tuple[ResourceChange, ...]:
    """Return the resources that only one side has, grouped by their ways."""
    groups: dict[tuple[ResourceElement, frozenset[WayKey]], tuple[list[ResourceList], list[ResourceList], Ways]] = {}
    for index, places in enumerate((removed_places, added_places)):
        for place, ways in places.items():
            group = groups.setdefault((place.element, frozenset(ways)), ([], [], ways))
            group[index].append(place)  # type: ignore[union-attr]
    changes: list[ResourceChange] = []
    for (element, _), (removed, added, ways) in groups.items():
        old_resources = tuple(resource for place in removed for resource in place.resources)
        new_resources = tuple(resource for place in added for resource in place.resources)
        is_list = element == "NotResource" and bool(removed) and bool(added)
        if is_list:
            old_resources, new_resources = only_in_each(old_resources, new_resources, str)
        changes.append(ResourceChange(element, old_resources, new_resources, tuple(ways.values()), is_list))
    return tuple(changes)


def _condition_change(
    places: list[ResourceList], ways_before: Ways, ways_after: Ways, *, everywhere: bool
) -> ConditionChange:
    kept_ways = tuple(way for lines, way in ways_after.items() if lines in ways_before)
    removed_ways = {lines: way for lines, way in ways_before.items() if lines not in ways_after}
    added_ways = {lines: way for lines, way in ways_after.items() if lines not in ways_before}
    revisions: list[WayChange] = []
    for old_way, new_way in _pairs(removed_ways, added_ways):
        before, after = removed_ways[old_way], added_ways[new_way]
        change = _way_change(before, after)
        # Next to another way, a condition is neither gone nor new for the action as a whole: show both ways whole.
        if (change.gone or change.new) and not (len(ways_before) == len(ways_after) == 1 and before and after):
            continue
        revisions.append(change)
        del removed_ways[old_way], added_ways[new_way]
    place = ResourceList(places[0].element, tuple(resource for place in places for resource in place.resources))
    return ConditionChange(
        place, everywhere, tuple(revisions), tuple(removed_ways.values()), tuple(added_ways.values()), kept_ways
    )


def _pairs(removed_ways: Ways, added_ways: Ways) -> list[tuple[WayKey, WayKey]]:
    """Return which way before became which way after, the most similar pairs first."""
    candidates = [
        (old_way, new_way)
        for old_way in removed_ways
        for new_way in added_ways
        if _likeness(old_way, new_way)
        or (len(removed_ways) == len(added_ways) == 1 and (old_way < new_way or new_way < old_way))
    ]
    candidates.sort(key=lambda pair: (-_likeness(*pair), *(sorted(map(line_order, way)) for way in pair)))
    pairs: list[tuple[WayKey, WayKey]] = []
    for old_way, new_way in candidates:
        if all(old_way != first and new_way != second for first, second in pairs):
            pairs.append((old_way, new_way))
    return pairs


def _likeness(way_a: WayKey, way_b: WayKey) -> int:
    """Return how many keys two ways share; equal conditions count twice."""
    return len({line.key for line in way_a} & {line.key for line in way_b}) + len(way_a & way_b)


def _way_change(before: Way, after: Way) -> WayChange:
    removed_lines, added_lines = only_in_each(before, after, key=normalised)
    lines: list[LineChange] = []
    unpaired_old, unpaired_new = list(removed_lines), list(added_lines)
    for same_operator in (True, False):
        for old_line in tuple(unpaired_old):
            for new_line in unpaired_new:
                if old_line.key.lower() == new_line.key.lower() and (
                    old_line.operator == new_line.operator or not same_operator
                ):
                    lines.append(LineChange(old_line, new_line))
                    unpaired_old.remove(old_line)
                    unpaired_new.remove(new_line)
                    break
    return WayChange(before, after, tuple(lines), tuple(unpaired_old), tuple(unpaired_new))


def only_in_each(
    items_a: Sequence[_T], items_b: Sequence[_T], key: Callable[[_T], object]
) -> tuple[tuple[_T, ...], tuple[_T, ...]]:
    """Return what only one has and what only the other has, in order."""
    keys_a, keys_b = {key(item) for item in items_a}, {key(item) for item in items_b}
    return (
        tuple(item for item in items_a if key(item) not in keys_b),
        tuple(item for item in items_b if key(item) not in keys_a),
    )


class GrantedOn(NamedTuple):
    """The resources on which an action is allowed, and in which ways; any one of them is enough."""

    place: ResourceList
    ways: tuple[Way, ...]


class ActionDifference(NamedTuple):
    """How an action differs, or several actions in the same way."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """For `NotAction` the whole list."""
    granted: tuple[GrantedOn, ...] = ()
    """Where and how one side allows it, if the other does not name it."""
    resources: tuple[ResourceChange, ...] = ()
    conditions: tuple[ConditionChange, ...] = ()
    names_removed: tuple[str, ...] = ()
    """For `NotAction`: actions that are no longer excluded."""
    names_added: tuple[str, ...] = ()
    part: tuple[str, ...] = ()
    """For a pattern of which the other side has some actions: those that it lacks."""


class CoveredActions(NamedTuple):
    """Actions that one side names and the other covers equally by a pattern, so that they are unchanged."""

    effect: Effect
    side: BeforeOrAfter
    """The side that names them."""
    actions: tuple[str, ...]
    by: str
    """The other side's pattern, or `its actions by name` if a pattern is now spelled out."""


SPELLED_OUT = "its actions by name"


class Differences(NamedTuple):
    """The differences between two documents, action by action."""

    added: tuple[ActionDifference, ...]
    removed: tuple[ActionDifference, ...]
    changed: tuple[ActionDifference, ...]
    covered: tuple[CoveredActions, ...]
    alike: tuple[tuple[Effect, tuple[str, ...]], ...]
    """What both sides have in common, by effect: action patterns, and `NotAction` lists as one text."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of actions added, removed and changed."""
        added, removed, changed_actions = (
            sum(1 if difference.element == "NotAction" else len(difference.actions) for difference in group)
            for group in (self.added, self.removed, self.changed)
        )
        return added, removed, changed_actions


def differences(before: Document, after: Document) -> Differences:
    """Return what differs, with actions that differ in the same way together; DocumentError for too large documents."""
    before, after = without_repetitions(before), without_repetitions(after)
    if before != after and (is_too_large(before) or is_too_large(after)):
        raise DocumentError(f"too large to compare: more than {MAX_GRANTS:,} grants, an action on a resource each.")
    if before == after and is_too_large(before):
        return Differences((), (), (), (), ())
    before_reading, after_reading = _Reading(before), _Reading(after)
    lists = _DifferenceLists([], [], [], [], {}, Effort(MAX_STEPS))
    exceptions = _paired_exceptions(before_reading, after_reading)
    for target in sorted((before_reading.places.keys() | after_reading.places.keys()) - exceptions.keys()):
        _compare(target, before_reading, after_reading, lists)
    lists.changed.extend(dict.fromkeys(exceptions.values()))
    return Differences(
        _alike_together(lists.added), _alike_together(lists.removed), _alike_together(lists.changed),
        _covered_together(lists.covered),
        tuple((effect, tuple(names)) for effect, names in lists.alike.items() if names),
    )  # fmt: skip


class _DifferenceLists(NamedTuple):
    """The parts of `Differences` as they are collected."""

    added: list[ActionDifference]
    removed: list[ActionDifference]
    changed: list[ActionDifference]
    covered: list[CoveredActions]
    alike: dict[Effect, list[str]]
    effort: Effort


def _compare(target: Target, before: _Reading, after: _Reading, lists: _DifferenceLists) -> None:
    side: BeforeOrAfter = "before" if target in before.places else "after"
    reading, other_reading = (before, after) if side == "before" else (after, before)
    alike = lists.alike.setdefault(target.effect, [])
    on_both = target in other_reading.places
    if on_both and same(before.places[target], after.places[target]):
        alike.append(_label(target, before))
        return
    name = (after.spelled.get(target) or before.spelled[target])[0] if target.element == "Action" else ""
    old_places, new_places = before.everywhere(target), after.everywhere(target)
    if not old_places or not new_places:
        _compare_alone(target, side, reading, other_reading, lists)
    elif not same(old_places, new_places):
        lists.changed.append(_changed(target, name, old_places, new_places, lists.effort))
    else:
        alike.append(_label(target, reading))
        if not on_both:
            lists.covered.append(
                CoveredActions(target.effect, side, (name,), _label(other_reading.covering(target)[0], other_reading))
            )


def _compare_alone(
    target: Target, side: BeforeOrAfter, reading: _Reading, other_reading: _Reading, lists: _DifferenceLists
) -> None:
    """Compare a target that the other side neither names nor covers."""
    lacking_actions = _lacking(target, other_reading, reading)
    actions = reading.spelled[target]
    if lacking_actions == ():
        lists.covered.append(CoveredActions(target.effect, side, actions, SPELLED_OUT))
        lists.alike[target.effect].extend(actions)
        return
    grants = _granted_on(reading.everywhere(target))
    difference = ActionDifference(target.effect, target.element, actions, granted=grants, part=lacking_actions or ())
    (lists.removed if side == "before" else lists.added).append(difference)


class _Reading:
    """A document's grants by target, as written."""

    def __init__(self, document: Document) -> None:
        self.places: dict[Target, Places] = {}
        self.spelled: dict[Target, tuple[str, ...]] = {}
        self._wild: dict[tuple[str, str], list[Target]] = {}
        self._exceptions: dict[Target, dict[str, list[str]]] = {}
        self._joined_places: dict[tuple[Target | None, tuple[Target, ...]], Places] = {}
        # An action is under many patterns, each of which asks for it.
        self._everywhere: dict[Target, Places] = {}
        for statement in document.statements:
            self._add(statement)
        for target in self.places:
            if target.element == "NotAction":
                self._wild.setdefault((target.effect, "*"), []).append(target)
                by_service = self._exceptions[target] = {}
                for pattern in target.actions:
                    by_service.setdefault(service_in(pattern), []).append(pattern)
            elif wildcard.is_wild(target.actions[0]):
                self._wild.setdefault((target.effect, service_in(target.actions[0])), []).append(target)

    def _add(self, statement: Statement) -> None:
        conditions = (*statement.conditions, *_principals(statement))
        lines = normalised_conditions(conditions)
        way = tuple(sorted(conditions, key=lambda condition: (condition.key.lower(), condition.operator)))
        if statement.resource_element == "NotResource":
            places = [ResourceList("NotResource", tuple(sorted(set(statement.resources))))]
        else:
            places = [ResourceList("Resource", (resource,)) for resource in statement.resources or ("",)]
        is_not_action = statement.action_element == "NotAction"
        for target, action in zip(targets_of(statement), statement.actions or ("",), strict=False):
            self.spelled.setdefault(target, statement.actions if is_not_action else (action,))
            ways = self.places.setdefault(target, {})
            for place in places:
                ways.setdefault(place, {}).setdefault(lines, way)

    def covering(self, target: Target) -> tuple[Target, ...]:
        """Return the other targets of the same effect that cover one."""
        if target.element == "NotAction":
            return ()
        (action,) = target.actions
        service = service_in(action)
        keys = dict.fromkeys(((target.effect, service), (target.effect, "*")))
        candidates = (candidate for key in keys for candidate in self._wild.get(key, ()))
        return tuple(
            candidate for candidate in candidates if candidate != target and self._holds_for(candidate, action, service)
        )

    def _holds_for(self, wild: Target, action: str, service: str) -> bool:
        if wild.element == "Action":
            return wildcard.covers(wild.actions[0], action)
        exceptions = self._exceptions[wild]
        pattern_lists = (
            (exceptions.get(service, ()), exceptions.get("*", ())) if service != "*" else exceptions.values()
        )
        return not any(wildcard.overlaps(pattern, action) for patterns in pattern_lists for pattern in patterns)

    @cached_property
    def services(self) -> NamedServices:
        """What its targets name of each service."""
        return NamedServices(self.places)

    def named_under(self, pattern: str) -> dict[str, str]:
        """Return the actions without wildcards that a pattern matches, in lower case, with their spelling."""
        spellings = {
            target.actions[0]: names[0] for target, names in self.spelled.items() if target.element == "Action"
        }
        return {
            action: spelling
            for action, spelling in spellings.items()
            if not wildcard.is_wild(action) and wildcard.matches(pattern, action)
        }

    def everywhere(self, target: Target) -> Places:
        """Return where and how a target is allowed or denied, by itself and by others that cover it."""
        if target not in self._everywhere:
            covering = self.covering(target)
            key = (target if target in self.places else None), covering
            if key not in self._joined_places:
                self._joined_places[key] = _joined(
                    [self.places.get(target), *(self.places[covering_target] for covering_target in covering)]
                )
            self._everywhere[target] = self._joined_places[key]
        return self._everywhere[target]


def _principals(statement: Statement) -> Iterable[Condition]:
    """Yield the principals of a trust or resource policy as conditions on the caller."""
    for principal in statement.principals:
        yield Condition("", f"{statement.principal_element} {principal.kind}", principal.values)


def _label(target: Target, reading: _Reading) -> str:
    actions = reading.spelled[target]
    return f"everything but {', '.join(actions)}" if target.element == "NotAction" else actions[0]


def _lacking(target: Target, other_reading: _Reading, reading: _Reading) -> tuple[str, ...] | None:
    """Return the actions of a pattern that the other side lacks; None if it lacks all, or has them differently."""
    if target.element == "NotAction" or not wildcard.is_wild(target.actions[0]):
        return None
    (pattern,) = target.actions
    reference_names = {name.lower(): name for name in reference().expand(pattern)}
    document_names = other_reading.named_under(pattern)
    names = reference_names | document_names | reference_names
    # One action stands for all of a service that neither side tells apart.
    alike = {
        service: other_reading.services.are_alike(service) and reading.services.are_alike(service)
        for service in map(service_in, names)
    }
    stand_ins: dict[str, Target] = {}
    for action in names:
        stand_ins.setdefault(_standing_for(action, alike), Target(target.effect, "Action", (action,)))
    is_lacking = {key: not other_reading.everywhere(targets) for key, targets in stand_ins.items()}
    lacking_names = [name for action, name in names.items() if is_lacking[_standing_for(action, alike)]]
    if len(lacking_names) == len(names):
        return None
    if lacking_names:
        return tuple(lacking_names)
    return (
        ()
        if all(same(other_reading.everywhere(targets), reading.everywhere(targets)) for targets in stand_ins.values())
        else None
    )


def _standing_for(action: str, alike: Mapping[str, bool]) -> str:
    service = service_in(action)
    return service if alike[service] else action


def _changed(
    target: Target, name: str, places_before: Places, places_after: Places, effort: Effort
) -> ActionDifference:
    resources, conditions = place_changes(places_before, places_after, effort)
    actions = (name,) if target.element == "Action" else target.actions
    return ActionDifference(target.effect, target.element, actions, resources=resources, conditions=conditions)


def _paired_exceptions(before: _Reading, after: _Reading) -> dict[Target, ActionDifference]:
    """Return the `NotAction` lists that became another list, under both targets."""
    differences: dict[Target, ActionDifference] = {}
    effects: tuple[Effect, ...] = ("Allow", "Deny")
    for effect in effects:
        old, new = (
            [
                target
                for target in reading.places
                if target[:2] == (effect, "NotAction") and target not in other_reading.places
            ]
            for reading, other_reading in ((before, after), (after, before))
        )
        if len(old) == len(new) == 1:
            (old_target,), (new_target,) = old, new
            change = _changed(new_target, "", before.places[old_target], after.places[new_target], Effort(MAX_STEPS))
            removed, added = only_in_each(before.spelled[old_target], after.spelled[new_target], str.lower)
            difference = change._replace(actions=after.spelled[new_target], names_removed=removed, names_added=added)
            differences |= {old_target: difference, new_target: difference}
    return differences


def _granted_on(places: Places) -> tuple[GrantedOn, ...]:
    """Return where and how an action is allowed, with places that have the same ways together."""
    groups: dict[tuple[ResourceElement, object], tuple[list[str], Ways]] = {}
    for place, ways in places.items():
        key = place.resources if place.element == "NotResource" else frozenset(ways)
        groups.setdefault((place.element, key), ([], ways))[0].extend(place.resources)
    return tuple(
        GrantedOn(ResourceList(element, tuple(resources)), tuple(ways.values()))
        for (element, _), (resources, ways) in groups.items()
    )


def _alike_together(differences: Iterable[ActionDifference]) -> tuple[ActionDifference, ...]:
    """Return the differences, with actions that differ in the same way together."""
    groups: dict[ActionDifference, list[str]] = {}
    for difference in dict.fromkeys(differences):
        if difference.element == "NotAction" or difference.part:
            groups[difference] = list(difference.actions)
        else:
            groups.setdefault(difference._replace(actions=()), []).extend(difference.actions)
    return tuple(difference._replace(actions=tuple(actions)) for difference, actions in groups.items())


def _covered_together(lines: Iterable[CoveredActions]) -> tuple[CoveredActions, ...]:
    groups: dict[tuple[Effect, BeforeOrAfter, str], list[str]] = {}
    for line in lines:
        groups.setdefault((line.effect, line.side, line.by), []).extend(line.actions)
    return tuple(
        CoveredActions(effect, side, tuple(actions), covering) for (effect, side, covering), actions in groups.items()
    )
