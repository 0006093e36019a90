"""Which actions a change concerns, and what each side allows and denies of them."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, lru_cache
from itertools import chain

from ekstui.change.coverage import ActionExtents
from ekstui.iam import wildcard
from ekstui.iam.document import Effect
from ekstui.iam.grants import Effort, Extent, NamedServices, Target, service_in
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


class _Entry(NamedTuple):
    effect: Effect
    pattern: str
    extents: frozenset[Extent]


class _Exceptions:
    """The `NotAction` grants of a document, whose lists may name thousands of actions, by what they except."""

    def __init__(self) -> None:
        self.grants: list[tuple[Effect, frozenset[Extent]]] = []
        self._by_name: dict[str, list[int]] = {}
        self._of_service: dict[str, list[tuple[str, int]]] = {}

    def add(self, target: Target, extents: frozenset[Extent]) -> None:
        """Add a grant."""
        for action in target.actions:
            if wildcard.is_wild(action):
                self._of_service.setdefault(service_in(action), []).append((action, len(self.grants)))
            else:
                self._by_name.setdefault(action, []).append(len(self.grants))
        self.grants.append((target.effect, extents))

    def of(self, action: str) -> frozenset[int]:
        """Return which grants, by their place, except an action."""
        places = set(self._by_name.get(action, ()))
        service = service_in(action)
        for pattern, place in (*self._of_service.get(service, ()), *self._of_service.get("*", ())):
            if place not in places and wildcard.matches(pattern, action):
                places.add(place)
        return frozenset(places)


class GrantsOfSide:
    """One document's grants, indexed by action."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants
        self._of_service: dict[str, list[_Entry]] = {}
        self._exceptions = _Exceptions()
        self._by_grants: dict[tuple[tuple[int, ...], frozenset[int]], ActionExtents] = {}
        self._of_all: dict[str, ActionExtents | None] = {}
        """By service, what the document says of all of its actions alike; None if it tells them apart."""
        for target, extents in grants.items():
            if target.element == "NotAction":
                self._exceptions.add(target, extents)
                continue
            (pattern,) = target.actions
            if wildcard.is_wild(pattern):
                entry = _Entry(target.effect, pattern, extents)
                self._of_service.setdefault(service_in(pattern), []).append(entry)

    def extents_of(self, action: str) -> ActionExtents:
        """Return where the document allows and denies an action, given in lower case."""
        service = action.partition(":")[0]
        if service not in self._of_all:
            alike = self._services.are_alike(service)
            self._of_all[service] = self._extents_of_one(f"{service}:") if alike else None
        return self._of_all[service] or self._extents_of_one(action)

    @cached_property
    def _services(self) -> NamedServices:
        return NamedServices(self._grants)

    def _extents_of_one(self, action: str) -> ActionExtents:
        matching: list[tuple[Effect, frozenset[Extent]]] = []
        for effect in ("Allow", "Deny"):
            extents = self._grants.get(Target(effect, "Action", (action,)))
            if extents:
                matching.append((effect, extents))
        matching += [
            (entry.effect, entry.extents) for entry in self._entries(action) if wildcard.matches(entry.pattern, action)
        ]
        excepting = self._exceptions.of(action)
        # Many actions share few combinations, and a union of extents is slow.
        sign = tuple(id(extents) if effect == "Allow" else -id(extents) for effect, extents in matching), excepting
        entry = self._by_grants.get(sign)
        if entry is None:
            matching += [grant for place, grant in enumerate(self._exceptions.grants) if place not in excepting]
            entry = self._by_grants[sign] = _extents(matching)
        return entry

    @cached_property
    def size(self) -> int:
        """The steps of matching one pattern with all that are listed."""
        return sum(map(_steps, chain.from_iterable(target.actions for target in self._grants)))

    def full_and_partial_matches(self, pattern: str) -> tuple[list[_Part], list[_Part]]:
        """Return the grants that match every action under a pattern, and those that may match only some."""
        full_parts: list[_Part] = []
        partial: list[_Part] = []
        for target, extents in self._grants.items():
            is_action = target.element == "Action"
            if any(wildcard.covers(action, pattern) for action in target.actions):
                if is_action:
                    full_parts.append((target, extents))
            elif any(wildcard.overlaps(action, pattern) for action in target.actions):
                partial.append((target, extents))
            elif not is_action:
                full_parts.append((target, extents))
        return full_parts, partial

    def _entries(self, action: str) -> Iterator[_Entry]:
        yield from self._of_service.get(service_in(action), ())
        yield from self._of_service.get("*", ())


@lru_cache(maxsize=65536)
def _steps(pattern: str) -> int:
    """Return the work of matching a pattern with another, in steps."""
    return 1 + len(pattern) // 16


def cases_of(
    pattern: str, before: GrantsOfSide, after: GrantsOfSide, effort: Effort
) -> list[tuple[ActionExtents, ActionExtents]] | None:
    """Return the possible extents on both sides of an action under a pattern that cannot be expanded; None if too many.

    That is also the answer once the limit of work is used up.
    A pattern that matches only some of its actions matches a given action on both sides or on neither.
    """
    if not effort.spend((before.size + after.size) * _steps(pattern) // 8):
        return None
    full_before, partial_before = before.full_and_partial_matches(pattern)
    full_after, partial_after = after.full_and_partial_matches(pattern)
    partial = dict.fromkeys(target for target, _ in (*partial_before, *partial_after))
    # Actions that a side names without a wildcard are known, and so not among these.
    patterns = dict.fromkeys(action for target in partial for action in target.actions if wildcard.is_wild(action))
    cells = _pattern_combinations(
        [candidate for candidate in patterns if wildcard.overlaps(candidate, pattern)], effort
    )
    if cells is None:
        return None
    cases: dict[tuple[ActionExtents, ActionExtents], None] = {}
    for matching in cells:
        sides = []
        for whole_matches, parts in ((full_before, partial_before), (full_after, partial_after)):
            applicable_parts = [
                part for part in parts if (part[0].element == "Action") != matching.isdisjoint(part[0].actions)
            ]
            sides.append(
                _extents([(target.effect, extents) for target, extents in (*whole_matches, *applicable_parts)])
            )
        cases[sides[0], sides[1]] = None
    return list(cases)


def _pattern_combinations(patterns: list[str], effort: Effort) -> list[frozenset[str]] | None:
    """Return the sets of patterns that one action may match together; None if too many or too much work."""
    cells: list[frozenset[str]] = [frozenset()]
    for place, pattern in enumerate(patterns):
        if not effort.spend((place + len(cells)) * _steps(pattern) // 8):
            return None
        overlapping_patterns = {candidate for candidate in patterns[:place] if wildcard.overlaps(pattern, candidate)}
        cells += [cell | {pattern} for cell in cells if cell <= overlapping_patterns]
        if len(cells) > MAX_CELLS:
            return None
    # What matches a pattern matches all that cover it.
    wider_patterns: dict[str, set[str]] = {}
    for pattern in patterns:
        if not effort.spend(len(patterns) * _steps(pattern) // 8):
            return None
        wider_patterns[pattern] = {candidate for candidate in patterns if wildcard.covers(candidate, pattern)}
    return [cell for cell in cells if all(wider_patterns[pattern] <= cell for pattern in cell)]


class UnlistedPattern(NamedTuple):
    """A pattern of actions that cannot be listed."""

    pattern: str
    action: str
    """A made-up action that only wildcards match."""
    exists: bool
    """Whether it is assumed to exist: the documents name no action under the pattern, which could be the only one."""


def unlisted_patterns(differing: Collection[str], before: Grants, after: Grants) -> tuple[UnlistedPattern, ...]:
    """Return the patterns that overlap the differing ones and whose actions cannot be listed.

    These are the patterns of both sides that match nothing in the reference, and `SERVICE:*` of each unknown service.
    """
    services = {service_in(pattern) for pattern in differing}
    actions = {action for target in chain(before, after) for action in target.actions}
    if "*" not in services:
        services.add("*")
        actions = {action for action in actions if service_in(action) in services}
    patterns: dict[str, bool] = {}
    for action in sorted(actions):
        service = service_in(action)
        if service != "*" and not reference().has_service(service):
            patterns[f"{service}:*"] = True
        if wildcard.is_wild(action) and not reference().expand(action):
            exists = not any(wildcard.matches(action, pattern) for pattern in actions if not wildcard.is_wild(pattern))
            patterns[action] = patterns.get(action, False) or exists
    return tuple(
        UnlistedPattern(pattern, pattern.replace("*", _UNNAMED * _LONG).replace("?", _UNNAMED), exists)
        for pattern, exists in patterns.items()
        if any(wildcard.overlaps(known_action, pattern) for known_action in differing)
    )


def affected_actions(differing: Collection[str], before: Grants, after: Grants) -> dict[str, str]:
    """Return the known actions under the differing patterns, in lower case, with their spelling.

    Known actions are the reference's and those that either side names.
    """
    names: dict[str, str] = {}
    named_actions: tuple[str, ...] | None = None
    for pattern in differing:
        if not wildcard.is_wild(pattern):
            names.setdefault(pattern, _spelling(pattern))
            continue
        if named_actions is None:
            named_actions = _named_actions(chain(before, after))
        names.update((name.lower(), name) for name in reference().expand(pattern))
        for action in named_actions:
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


def _named_actions(targets: Iterable[Target]) -> tuple[str, ...]:
    actions = {action for target in targets for action in target.actions if not wildcard.is_wild(action)}
    return tuple(sorted(actions))


@lru_cache(maxsize=65536)
def _spelling(action: str) -> str:
    """Return the reference's spelling of a literal action, or the action itself if it is unknown."""
    service, _, name = action.partition(":")
    return reference().names(service).get(name, action)


def _extents(parts: list[tuple[Effect, frozenset[Extent]]]) -> ActionExtents:
    allow = [extents for effect, extents in parts if effect == "Allow"]
    deny = [extents for effect, extents in parts if effect == "Deny"]
    return ActionExtents(_union(allow), _union(deny))


def _union(sets: list[frozenset[Extent]]) -> frozenset[Extent]:
    return sets[0] if len(sets) == 1 else _NOTHING.union(*sets)
