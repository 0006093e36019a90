"""Which actions a change concerns, and what each side allows and denies of them."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import chain

from ekstui.change.coverage import ActionExtents
from ekstui.iam import wildcard
from ekstui.iam.document import Effect
from ekstui.iam.grants import Effort, Extent, Target, service_in
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple

Grants = Mapping[Target, frozenset[Extent]]

MAX_CELLS = 256
"""The most combinations of patterns that are distinguished."""

_NOTHING: frozenset[Extent] = frozenset()
_UNNAMED = "\ue0aa"
"""Stands for a character in the name of an action that only wildcards match."""

_LONG = 32
"""How many such characters replace a `*`, so that `?` in other patterns do not match the name."""


_Part = tuple[Target, frozenset[Extent]]


class GrantsOfSide:
    """One document's grants, indexed by action; the lists of its `NotAction` may name thousands."""

    def __init__(self, grants: Grants) -> None:
        self._grants = tuple(grants.items())
        self._exceptions = [place for place, (target, _) in enumerate(self._grants) if target.element == "NotAction"]
        self._by_name: defaultdict[str, list[int]] = defaultdict(list)
        self._wild: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
        """By the service of a pattern, or `*` if it may match several."""
        self._by_places: dict[frozenset[int], ActionExtents] = {}
        self._of_all: dict[str, ActionExtents | None] = {}
        first: dict[tuple[Effect, frozenset[Extent]], int] = {}
        for own_place, (target, extents) in enumerate(self._grants):
            # What is allowed alike shares a place.
            alike = target.element == "Action"
            place = first.setdefault((target.effect, extents), own_place) if alike else own_place
            for action in target.actions:
                if wildcard.is_wild(action):
                    self._wild[service_in(action)].append((action, place))
                else:
                    self._by_name[action].append(place)
        self._named = frozenset(map(service_in, self._by_name))
        """The services with an action that is named without a wildcard."""

    def extents_of(self, action: str) -> ActionExtents:
        """Return where the document allows and denies an action, given in lower case."""
        service = action.partition(":")[0]
        if service not in self._of_all:
            self._of_all[service] = self._extents_of_all(service)
        return self._of_all[service] or self._extents_of_one(action)

    def _extents_of_all(self, service: str) -> ActionExtents | None:
        """Return the extents of every action of a service; None if the document distinguishes them."""
        alike = {"*", "*:*", f"{service}:*"}
        if service in self._named or any(pattern not in alike for pattern, _ in self._patterns(service)):
            return None
        return self._extents_of_one(f"{service}:")

    def _extents_of_one(self, action: str) -> ActionExtents:
        places = {place for pattern, place in self._patterns(service_in(action)) if wildcard.matches(pattern, action)}
        key = frozenset(places.union(self._by_name.get(action, ())))
        # Many actions share few combinations, and a union of extents is slow.
        if key not in self._by_places:
            listing = [place for place in sorted(key) if self._grants[place][0].element == "Action"]
            applying = (*listing, *(place for place in self._exceptions if place not in key))
            self._by_places[key] = _extents([self._grants[place] for place in applying])
        return self._by_places[key]

    def _patterns(self, service: str) -> Iterator[tuple[str, int]]:
        yield from self._wild.get(service, ())
        yield from self._wild.get("*", ())

    @cached_property
    def size(self) -> int:
        """The steps of matching one pattern with all that are listed."""
        return sum(map(_steps, chain.from_iterable(target.actions for target, _ in self._grants)))

    def full_and_partial_matches(self, pattern: str) -> tuple[list[_Part], list[_Part]]:
        """Return the grants that match every action under a pattern, and those that may match only some."""
        full: list[_Part] = []
        partial: list[_Part] = []
        for target, extents in self._grants:
            wanted = target.element == "Action"
            if any(wildcard.covers(listed, pattern) for listed in target.actions):
                if wanted:
                    full.append((target, extents))
            elif any(wildcard.overlaps(listed, pattern) for listed in target.actions):
                partial.append((target, extents))
            elif not wanted:
                full.append((target, extents))
        return full, partial


@lru_cache(maxsize=65536)
def _steps(pattern: str) -> int:
    """Return the work of matching a pattern with another, in steps."""
    return 1 + len(pattern) // 16


def cases_of(
    pattern: str, before: GrantsOfSide, after: GrantsOfSide, effort: Effort
) -> list[tuple[ActionExtents, ActionExtents]] | None:
    """Return the possible extents on both sides of an action under a pattern that cannot be expanded; None if that is too much.

    A pattern that matches only some of its actions matches a given action on both sides or on neither.
    """
    if not effort.spend((before.size + after.size) * _steps(pattern) // 8):
        return None
    full_before, partial_before = before.full_and_partial_matches(pattern)
    full_after, partial_after = after.full_and_partial_matches(pattern)
    partial = dict.fromkeys(target for target, _ in (*partial_before, *partial_after))
    # Actions that a side names without a wildcard are known, and so not among these.
    patterns = dict.fromkeys(listed for target in partial for listed in target.actions if wildcard.is_wild(listed))
    cells = _pattern_combinations([listed for listed in patterns if wildcard.overlaps(listed, pattern)], effort)
    if cells is None:
        return None
    cases: dict[tuple[ActionExtents, ActionExtents], None] = {}
    for matching in cells:
        sides = []
        for full, parts in ((full_before, partial_before), (full_after, partial_after)):
            applying = [part for part in parts if (part[0].element == "Action") != matching.isdisjoint(part[0].actions)]
            sides.append(_extents([*full, *applying]))
        cases[sides[0], sides[1]] = None
    return list(cases)


def _pattern_combinations(patterns: list[str], effort: Effort) -> list[frozenset[str]] | None:
    """Return the sets of patterns that one action may match together; None if too many or too much work."""
    cells: list[frozenset[str]] = [frozenset()]
    for place, pattern in enumerate(patterns):
        if not effort.spend((place + len(cells)) * _steps(pattern) // 8):
            return None
        meeting = {candidate for candidate in patterns[:place] if wildcard.overlaps(pattern, candidate)}
        cells += [cell | {pattern} for cell in cells if cell <= meeting]
        if len(cells) > MAX_CELLS:
            return None
    # What matches a pattern matches all that cover it.
    wider: dict[str, set[str]] = {}
    for pattern in patterns:
        if not effort.spend(len(patterns) * _steps(pattern) // 8):
            return None
        wider[pattern] = {candidate for candidate in patterns if wildcard.covers(candidate, pattern)}
    return [cell for cell in cells if all(wider[pattern] <= cell for pattern in cell)]


class Unlisted(NamedTuple):
    """A pattern of actions that cannot be listed."""

    pattern: str
    action: str
    """A made-up action that only wildcards match."""
    exists: bool
    """Whether it is assumed to exist: the documents name no action under the pattern, which could be the only one."""


def unlisted_patterns(differing: Collection[str], before: Grants, after: Grants) -> tuple[Unlisted, ...]:
    """Return the patterns that overlap the differing ones and whose actions cannot be listed.

    These are the patterns of both sides that match nothing in the reference, and `SERVICE:*` of each unknown service.
    """
    services = {service_in(pattern) for pattern in differing}
    named = {action for target in chain(before, after) for action in target.actions}
    if "*" not in services:
        services.add("*")
        named = {action for action in named if service_in(action) in services}
    patterns: dict[str, bool] = {}
    for action in sorted(named):
        service = service_in(action)
        if service != "*" and not reference().has_service(service):
            patterns[f"{service}:*"] = True
        if wildcard.is_wild(action) and not reference().expand(action):
            exists = not any(wildcard.matches(action, pattern) for pattern in named if not wildcard.is_wild(pattern))
            patterns[action] = patterns.get(action, False) or exists
    return tuple(
        Unlisted(pattern, pattern.replace("*", _UNNAMED * _LONG).replace("?", _UNNAMED), exists)
        for pattern, exists in patterns.items()
        if any(wildcard.overlaps(known_action, pattern) for known_action in differing)
    )


def affected_actions(differing: Collection[str], before: Grants, after: Grants) -> dict[str, str]:
    """Return the actions under the patterns that the reference has or a side names, in lower case, with their spelling."""
    names: dict[str, str] = {}
    named: list[str] | None = None
    for pattern in differing:
        if not wildcard.is_wild(pattern):
            names.setdefault(pattern, _spelling(pattern))
            continue
        if named is None:
            every = {action for target in chain(before, after) for action in target.actions}
            named = sorted(action for action in every if not wildcard.is_wild(action))
        names.update((name.lower(), name) for name in reference().expand(pattern))
        for action in named:
            if action not in names and wildcard.matches(pattern, action):
                names[action] = _spelling(action)
    return names


def differing_patterns(before: Grants, after: Grants) -> Collection[str]:
    """Return action patterns that together match every action for which the sides may differ."""
    differing = [target for target, extents in before.items() if after.get(target) != extents]
    differing += [target for target in after if target not in before]
    patterns: dict[str, None] = {}
    lists: dict[tuple[Effect, frozenset[Extent]], list[Target]] = {}
    for target in differing:
        if target.element == "Action":
            patterns[target.actions[0]] = None
        else:
            extents = before[target] if target in before else after[target]
            lists.setdefault((target.effect, extents), []).append(target)
    for targets in lists.values():
        # Two lists with the same extents differ only in the actions that one of them names.
        only_before = [target for target in targets if target not in after]
        only_after = [target for target in targets if target not in before]
        if len(targets) == 2 and len(only_before) == len(only_after) == 1:
            patterns.update(dict.fromkeys(sorted(set(targets[0].actions) ^ set(targets[1].actions))))
        else:
            patterns["*"] = None
    return patterns


@lru_cache(maxsize=65536)
def _spelling(action: str) -> str:
    """Return the reference's spelling of a literal action, or the action itself if it is unknown."""
    service, _, name = action.partition(":")
    return reference().names(service).get(name, action)


def _extents(parts: list[_Part]) -> ActionExtents:
    allow = [extents for target, extents in parts if target.effect == "Allow"]
    deny = [extents for target, extents in parts if target.effect == "Deny"]
    return ActionExtents(_union(allow), _union(deny))


def _union(sets: list[frozenset[Extent]]) -> frozenset[Extent]:
    return sets[0] if len(sets) == 1 else _NOTHING.union(*sets)
