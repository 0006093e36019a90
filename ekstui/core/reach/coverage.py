"""Proof that nothing is lost: each grant of one side shown to lie within the grants of the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from ekstui.core import arn
from ekstui.core.conditions.predicates import excludes, implies_all, predicate_of
from ekstui.core.grants import Extent, Line

MAX_PIECES = 64
"""Into how many grants of one value each a grant is cut to find them apart on the other side."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one document says of one action."""

    allow: frozenset[Extent]
    deny: frozenset[Extent]


def lies_within(inner: Held, outer: Held) -> bool:
    """Return True only if every request that `inner` allows is one that `outer` allows."""
    strange = outer.deny - inner.deny
    for extent in inner.allow:
        if extent in outer.allow:
            if strange and not _stays_allowed(extent, strange, inner.deny):
                return False
            continue
        if _is_covered_by_one(extent, inner.deny):
            continue
        if not _is_covered(extent, outer.allow) or not _stays_allowed(extent, strange, inner.deny):
            return False
    return True


@lru_cache(maxsize=65536)
def covers(general: Extent, special: Extent) -> bool:
    """Return True only if every request that `special` matches is one that `general` matches."""
    return (
        general.principals == special.principals
        and implies_all(special.conditions, general.conditions)
        and _covers_resources(general, special)
    )


@lru_cache(maxsize=65536)
def apart(one: Extent, other: Extent) -> bool:
    """Return True only if no request matches both."""
    if excludes(one.conditions, other.conditions) or excludes(other.conditions, one.conditions):
        return True
    if one.element == "Resource" and other.element == "Resource":
        return all(arn.overlaps_resource(a, b) is False for a in one.resources for b in other.resources)
    for listed, excepted in ((one, other), (other, one)):
        if listed.element == "Resource" and excepted.element == "NotResource":
            return all(any(arn.resource_covers(b, a) is True for b in excepted.resources) for a in listed.resources)
    return False


def _stays_allowed(extent: Extent, new_denies: Iterable[Extent], old_denies: frozenset[Extent]) -> bool:
    """Return True only if no deny that is new takes away what the extent allowed."""
    return all(
        _is_covered_by_one(deny, old_denies) or apart(extent, deny) for deny in new_denies
    ) or _is_covered_by_one(extent, old_denies)


def _is_covered_by_one(extent: Extent, by: frozenset[Extent]) -> bool:
    return extent in by or any(covers(other, extent) for other in by)


def _is_covered(extent: Extent, by: frozenset[Extent]) -> bool:
    if _is_covered_by_one(extent, by):
        return True
    # `k is a or b` may stand as two grants on the other side: cut at the values of the keys that it names.
    keys = {line.key for other in by for line in other.conditions}
    pieces = [extent]
    for line in extent.conditions:
        if line.key in keys and len(line.values) > 1 and _is_union_of_values(line):
            pieces = [_with(piece, line, value) for piece in pieces for value in line.values]
            if len(pieces) > MAX_PIECES:
                return False
    return len(pieces) > 1 and all(_is_covered_by_one(piece, by) for piece in pieces)


def _is_union_of_values(line: Line) -> bool:
    predicate = predicate_of(line)
    return not predicate.every and not predicate.negated


def _with(extent: Extent, line: Line, value: str) -> Extent:
    cut = line._replace(values=frozenset({value}))
    return extent._replace(conditions=extent.conditions - {line} | {cut})


def _covers_resources(general: Extent, special: Extent) -> bool:
    if general.element == "Resource":
        if special.element == "Resource":
            return all(_any_covers(general.resources, each) for each in special.resources)
        return "*" in general.resources
    if special.element == "NotResource":
        return all(_any_covers(special.resources, each) for each in general.resources)
    return all(arn.overlaps_resource(a, b) is False for a in general.resources for b in special.resources)


def _any_covers(resources: tuple[str, ...], special: str) -> bool:
    return special in resources or any(arn.resource_covers(general, special) is True for general in resources)
