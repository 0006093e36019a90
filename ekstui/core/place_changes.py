"""How the resources and conditions changed on which one action is allowed.

An action may be allowed on a resource in several ways, any one of which is enough ("or"). A way is the condition block
of a statement, and all of its conditions must hold ("and").
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from ekstui.core import arn
from ekstui.core.document import Condition, ResourceElement
from ekstui.core.grants import Effort, Line, normalised

T = TypeVar("T")

Way = tuple[Condition, ...]
"""Conditions that must all hold; empty if the action is allowed unconditionally."""

_OPEN = re.compile(r"[*?]|\$\{")
"""Where a resource stops being literal."""

MAX_STEPS = 2_000_000
"""After how many steps resources are taken as they are written; AWS's own comparisons take fewer."""

STEPS_OF_ARNS = 40
"""How many steps it takes to compare two ARNs part by part."""


class Place(NamedTuple):
    """Resources on which an action is allowed."""

    element: ResourceElement
    resources: tuple[str, ...]


Ways = dict[frozenset[Line], Way]
"""Ways by their conditions in normal form."""

Places = dict[Place, Ways]
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


class WayChange(NamedTuple):
    """A way that was changed into another."""

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
    """Whether the resources are entries of a `NotResource` list that both sides have, rather than places of their own."""


class ConditionChange(NamedTuple):
    """Different conditions on resources that both sides have."""

    place: Place
    everywhere: bool
    """Whether these are all the resources on which either side has the action."""
    revised: tuple[WayChange, ...]
    gone: tuple[Way, ...]
    new: tuple[Way, ...]
    kept: tuple[Way, ...]
    """Ways that both sides have; any one of them is still enough."""


def joined(all_places: Iterable[Places | None]) -> Places:
    """Return the places of several grants of an action together, without needless ways."""
    together: Places = {}
    for places in all_places:
        for place, ways in (places or {}).items():
            together[place] = {**together.get(place, {}), **ways}
    return _without_needless(together)


def _without_needless(places: Places) -> Places:
    """Return the places without ways that require more than another way on the same resources or on `*`."""
    everywhere = places.get(Place("Resource", ("*",)), {})
    kept: Places = {}
    for place, ways in places.items():
        others = set(ways) | (set(everywhere) if place.resources != ("*",) else set())
        left = {
            lines: way
            for lines, way in ways.items()
            if not any(other < lines for other in others)
            and (place.resources == ("*",) or place.element == "NotResource" or lines not in everywhere)
        }
        if left:
            kept[place] = left
    return kept


def same(one: Places, other: Places) -> bool:
    """Return whether two sides have the same places and ways, apart from needless ones."""
    return _bare(one) == _bare(other)


def _bare(places: Places) -> dict[Place, frozenset[frozenset[Line]]]:
    return {place: frozenset(ways) for place, ways in _without_needless(places).items()}


def place_changes(
    had: Places, has: Places, effort: Effort
) -> tuple[tuple[ResourceChange, ...], tuple[ConditionChange, ...]]:
    """Return how resources and conditions differ between both sides of an action; `effort` limits the time it takes."""
    conditions: dict[tuple[frozenset[frozenset[Line]], frozenset[frozenset[Line]]], list[Place]] = {}
    ways: dict[Place, tuple[Ways, Ways]] = {}
    wild_before, wild_after = _wild(had), _wild(has)
    for place in dict.fromkeys((*had, *has)):
        on_both = place in had and place in has
        # A resource of one side may be included in one of the other: if its ways differ, its conditions changed.
        old, new = (
            (had[place], has[place])
            if on_both
            else (_ways_on(place, had, wild_before, effort), _ways_on(place, has, wild_after, effort))
        )
        if old and new and old.keys() != new.keys():
            conditions.setdefault((frozenset(old), frozenset(new)), []).append(place)
            ways[place] = old, new
    resources = _resource_changes(
        {place: of_place for place, of_place in had.items() if place not in has and place not in ways},
        {place: of_place for place, of_place in has.items() if place not in had and place not in ways},
    )
    whole = len(had.keys() | has.keys())
    return resources, tuple(
        _condition_change(places, *ways[places[0]], everywhere=len(places) == whole) for places in conditions.values()
    )


class _Wild(NamedTuple):
    """A resource pattern that may include others."""

    prefix: str
    """What is before its first wildcard; most patterns differ there, which is seen at once."""
    resource: str
    ways: Ways


def _wild(places: Places) -> list[_Wild]:
    found: list[_Wild] = []
    for place, ways in places.items():
        if place.element == "Resource" and (wild := _OPEN.search(place.resources[0])):
            found.append(_Wild(place.resources[0][: wild.start()], place.resources[0], ways))
    return found


def _ways_on(place: Place, places: Places, wild: Sequence[_Wild], effort: Effort) -> Ways:
    """Return the ways of a resource and of all patterns that include it, without needless ones."""
    found = dict(places.get(place, {}))
    if place.element == "Resource" and not effort.is_spent:
        (resource,) = place.resources
        for each in wild if effort.spend(len(wild)) else ():
            if resource.startswith(each.prefix) and effort.spend(STEPS_OF_ARNS):
                found |= each.ways if arn.resource_covers(each.resource, resource) is True else {}
    return {lines: way for lines, way in found.items() if not any(other < lines for other in found)}


def _resource_changes(gone: Places, new: Places) -> tuple[ResourceChange, ...]:
    """Return the resources that only one side has, grouped by their ways."""
    groups: dict[tuple[ResourceElement, frozenset[frozenset[Line]]], tuple[list[Place], list[Place], Ways]] = {}
    for index, places in enumerate((gone, new)):
        for place, ways in places.items():
            group = groups.setdefault((place.element, frozenset(ways)), ([], [], ways))
            group[index].append(place)  # type: ignore[union-attr]
    found: list[ResourceChange] = []
    for (element, _), (removed, added, ways) in groups.items():
        old = tuple(each for place in removed for each in place.resources)
        fresh = tuple(each for place in added for each in place.resources)
        listed = element == "NotResource" and bool(removed) and bool(added)
        if listed:
            old, fresh = apart(old, fresh, str)
        found.append(ResourceChange(element, old, fresh, tuple(ways.values()), listed))
    return tuple(found)


def _condition_change(places: list[Place], had: Ways, has: Ways, *, everywhere: bool) -> ConditionChange:
    kept = tuple(way for lines, way in has.items() if lines in had)
    gone = {lines: way for lines, way in had.items() if lines not in has}
    new = {lines: way for lines, way in has.items() if lines not in had}
    revised: list[WayChange] = []
    for one, other in _pairs(gone, new):
        before, after = gone[one], new[other]
        change = _way_change(before, after)
        # Next to another way, a condition is neither gone nor new for the action as a whole: show both ways whole.
        if (change.gone or change.new) and not (len(had) == len(has) == 1 and before and after):
            continue
        revised.append(change)
        del gone[one], new[other]
    place = Place(places[0].element, tuple(each for place in places for each in place.resources))
    return ConditionChange(place, everywhere, tuple(revised), tuple(gone.values()), tuple(new.values()), kept)


def _pairs(
    gone: Mapping[frozenset[Line], Way], new: Mapping[frozenset[Line], Way]
) -> list[tuple[frozenset[Line], frozenset[Line]]]:
    """Return which way before became which way after, the most similar pairs first."""
    ranked = sorted(
        (
            (-_likeness(one, other), sorted(one), sorted(other), one, other)
            for one in gone
            for other in new
            if _likeness(one, other) or (len(gone) == len(new) == 1 and (one < other or other < one))
        ),
        key=lambda entry: (entry[0], repr(entry[1]), repr(entry[2])),
    )
    pairs: list[tuple[frozenset[Line], frozenset[Line]]] = []
    for *_, one, other in ranked:
        if all(one != first and other != second for first, second in pairs):
            pairs.append((one, other))
    return pairs


def _likeness(one: frozenset[Line], other: frozenset[Line]) -> int:
    """Return how many keys two ways share; equal conditions count twice."""
    return len({line.key for line in one} & {line.key for line in other}) + len(one & other)


def _way_change(before: Way, after: Way) -> WayChange:
    gone, new = apart(before, after, key=normalised)
    lines: list[LineChange] = []
    left, fresh = list(gone), list(new)
    for same_operator in (True, False):
        for one in tuple(left):
            for other in fresh:
                if one.key.lower() == other.key.lower() and (one.operator == other.operator or not same_operator):
                    lines.append(LineChange(one, other))
                    left.remove(one)
                    fresh.remove(other)
                    break
    return WayChange(tuple(lines), tuple(left), tuple(fresh))


def apart(one: Sequence[T], other: Sequence[T], key: Callable[[T], object]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Return what only one has and what only the other has, in order."""
    keys_one, keys_other = {key(each) for each in one}, {key(each) for each in other}
    return (
        tuple(each for each in one if key(each) not in keys_other),
        tuple(each for each in other if key(each) not in keys_one),
    )
