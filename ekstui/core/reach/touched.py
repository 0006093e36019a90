"""Which actions a change touches, and what each side says of them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from ekstui.core import wildcard
from ekstui.core.document import Effect
from ekstui.core.grants import Extent, Target
from ekstui.core.reach.coverage import Held
from ekstui.core.reference import reference

Grants = Mapping[Target, frozenset[Extent]]

_NOTHING: frozenset[Extent] = frozenset()


class _Entry(NamedTuple):
    effect: Effect
    pattern: str
    extents: frozenset[Extent]


class _Exception:
    """A grant of everything but a list, which may name thousands of actions."""

    def __init__(self, target: Target, extents: frozenset[Extent]) -> None:
        self.effect = target.effect
        self.extents = extents
        self.actions = target.actions
        self._names = frozenset(target.actions)
        self._of_service: dict[str, list[str]] = {}
        for action in target.actions:
            if wildcard.is_wild(action):
                self._of_service.setdefault(_service(action), []).append(action)

    def excepts(self, action: str) -> bool:
        """Return whether the list names an action."""
        if action in self._names:
            return True
        patterns = chain(self._of_service.get(_service(action), ()), self._of_service.get("*", ()))
        return any(wildcard.matches(pattern, action) for pattern in patterns)


class Side:
    """One document's grants, arranged so that those of an action are found quickly."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants
        self._of_service: dict[str, list[_Entry]] = {}
        self._exceptions: list[_Exception] = []
        for target, extents in grants.items():
            if target.element == "NotAction":
                self._exceptions.append(_Exception(target, extents))
                continue
            (pattern,) = target.actions
            if wildcard.is_wild(pattern):
                entry = _Entry(target.effect, pattern, extents)
                self._of_service.setdefault(_service(pattern), []).append(entry)

    def held(self, action: str) -> Held:
        """Return what the document says of an action, given in lower case."""
        allow = [self._grants.get(Target("Allow", "Action", (action,)), _NOTHING)]
        deny = [self._grants.get(Target("Deny", "Action", (action,)), _NOTHING)]
        for entry in self._entries(action):
            if wildcard.matches(entry.pattern, action):
                (allow if entry.effect == "Allow" else deny).append(entry.extents)
        for exception in self._exceptions:
            if not exception.excepts(action):
                (allow if exception.effect == "Allow" else deny).append(exception.extents)
        return Held(_union(allow), _union(deny))

    def bounds(self, pattern: str) -> tuple[Held, Held]:
        """Return the least and the most that the document allows of the actions under a pattern nobody can expand."""
        sure, possible = [], []
        for entry in self._entries(pattern):
            if wildcard.overlaps(entry.pattern, pattern):
                possible.append(entry)
            if wildcard.covers(entry.pattern, pattern):
                sure.append(entry)
        for exception in self._exceptions:
            entry = _Entry(exception.effect, "*", exception.extents)
            if not any(wildcard.covers(listed, pattern) for listed in exception.actions):
                possible.append(entry)
            if not any(wildcard.overlaps(listed, pattern) for listed in exception.actions):
                sure.append(entry)
        return (
            Held(_extents(sure, "Allow"), _extents(possible, "Deny")),
            Held(_extents(possible, "Allow"), _extents(sure, "Deny")),
        )

    def _entries(self, action: str) -> Iterator[_Entry]:
        yield from self._of_service.get(_service(action), ())
        yield from self._of_service.get("*", ())


def _service(pattern: str) -> str:
    """Return the service of an action pattern, or `*` if it may be any of several."""
    service = pattern.partition(":")[0]
    return "*" if wildcard.is_wild(service) else service


def touched_actions(before: Grants, after: Grants) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the actions of which the two sides may say different things.

    First the known ones, in lower case, each with its spelling; then the patterns of services that the reference
    lacks, whose actions nobody can list. Known are the reference's actions and those that either side names.
    """
    differing = [target for target, extents in before.items() if after.get(target) != extents]
    differing += [target for target in after if target not in before]
    known: dict[str, str] = {}
    unlisted: dict[str, None] = {}
    named: tuple[str, ...] | None = None
    for pattern in _patterns(differing, before, after):
        if not wildcard.is_wild(pattern):
            known.setdefault(pattern, _spelling(pattern))
            continue
        if named is None:
            named = _named_actions(chain(before, after))
        known.update((name.lower(), name) for name in reference().expand(pattern))
        for action in named:
            if action not in known and wildcard.matches(pattern, action):
                known[action] = _spelling(action)
        if _service(pattern) != "*" and not reference().has_service(_service(pattern)):
            unlisted[pattern] = None
    return known, tuple(unlisted)


def _patterns(differing: list[Target], before: Grants, after: Grants) -> Iterable[str]:
    """Return action patterns that together match every action of which the sides may differ."""
    patterns: dict[str, None] = {}
    lists: dict[tuple[Effect, frozenset[Extent]], list[Target]] = {}
    for target in differing:
        if target.element == "Action":
            patterns[target.actions[0]] = None
        else:
            extents = before[target] if target in before else after[target]
            lists.setdefault((target.effect, extents), []).append(target)
    for targets in lists.values():
        # Two lists with one extent differ only in what one of them names and the other does not.
        only_before = [target for target in targets if target not in after]
        only_after = [target for target in targets if target not in before]
        if len(targets) == 2 and len(only_before) == len(only_after) == 1:
            patterns.update(dict.fromkeys(sorted(set(targets[0].actions) ^ set(targets[1].actions))))
        else:
            patterns["*"] = None
    return patterns


def _named_actions(targets: Iterable[Target]) -> tuple[str, ...]:
    named = {action for target in targets for action in target.actions if not wildcard.is_wild(action)}
    return tuple(sorted(named))


@lru_cache(maxsize=65536)
def _spelling(action: str) -> str:
    """Return the reference's spelling of a literal action, or the action itself if it has none."""
    service, _, name = action.partition(":")
    return reference().names(service).get(name, action)


def _extents(entries: list[_Entry], effect: Effect) -> frozenset[Extent]:
    return _union([entry.extents for entry in entries if entry.effect == effect])


def _union(sets: list[frozenset[Extent]]) -> frozenset[Extent]:
    full = [each for each in sets if each]
    return full[0] if len(full) == 1 else _NOTHING.union(*full)
