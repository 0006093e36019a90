"""Proof that nothing is lost: every grant of one side is covered by grants of the other."""

from functools import lru_cache

from ekstui.iam import arn
from ekstui.iam.conditions.predicates import excludes, implies_all, opposite, split_values, union_of_values
from ekstui.iam.conditions.values import may_move_colons
from ekstui.iam.grants import ConditionLine, Effort, Extent, in_order, line_order
from ekstui.iam.policy_variables import opened, template
from ekstui.named_tuples import NamedTuple

MAX_PIECES = 64
"""The most grants with one value each into which a grant is split to be found on the other side."""


class ActionExtents(NamedTuple):
    """The extents in which a document allows and denies one action."""

    allow: frozenset[Extent]
    deny: frozenset[Extent]


def lies_within(inner: ActionExtents, outer: ActionExtents, effort: Effort | None = None) -> bool:
    """Return True only if every request that `inner` allows is one that `outer` allows."""
    proof = _Proof(effort or Effort())
    new_denies = outer.deny - inner.deny
    for extent in in_order(inner.allow):
        if extent in outer.allow:
            if new_denies and not proof.stays_allowed(extent, new_denies, inner.deny):
                return False
            continue
        if proof.is_covered(extent, inner.deny):
            continue
        if proof.is_covered(extent, outer.allow) and proof.stays_allowed(extent, new_denies, inner.deny):
            continue
        pieces = proof.outside(extent, inner.deny)
        if not pieces or not all(
            proof.is_covered(piece, outer.allow) and proof.stays_allowed(piece, new_denies, inner.deny)
            for piece in pieces
        ):
            return False
    return True


@lru_cache(maxsize=65536)
def extent_covers(general: Extent, special: Extent) -> bool:
    """Return True only if every request that `special` matches is one that `general` matches."""
    return (
        general.principals == special.principals
        and implies_all(special.conditions, general.conditions)
        and general.has_implicit_resource == special.has_implicit_resource
        and (general.has_implicit_resource or arn.list_covers(general[:2], special[:2], _resource_covers) is True)
    )


@lru_cache(maxsize=65536)
def are_disjoint(extent_a: Extent, extent_b: Extent) -> bool:
    """Return True only if no request matches both."""
    if excludes(extent_a.conditions, extent_b.conditions) or excludes(extent_b.conditions, extent_a.conditions):
        return True
    if extent_a.has_implicit_resource or extent_b.has_implicit_resource:
        return False
    return arn.lists_overlap(extent_a[:2], extent_b[:2], _resource_covers) is False


class _Proof:
    """Proofs that fail once a comparison has used up its limit of work."""

    def __init__(self, effort: Effort) -> None:
        self._effort = effort

    def stays_allowed(self, extent: Extent, new_denies: frozenset[Extent], old_denies: frozenset[Extent]) -> bool:
        """Return True only if no new Deny revokes what the extent allowed."""
        return all(
            self.is_covered(deny, old_denies)
            or (self._effort.spend(_steps(extent, deny)) and are_disjoint(extent, deny))
            or self._overlap_already_denied(extent, deny, old_denies)
            for deny in in_order(new_denies)
        ) or self.is_covered(extent, old_denies)

    def outside(self, extent: Extent, denies: frozenset[Extent]) -> list[Extent]:
        """Return what the denies leave of an extent, in pieces; nothing if none of their conditions has an opposite."""
        pieces = [extent]
        for deny in in_order(denies):
            opposites = _opposites(deny.conditions)
            if opposites is None or not self._covers(deny._replace(conditions=frozenset()), extent):
                continue
            pieces = [piece._replace(conditions=piece.conditions | {line}) for piece in pieces for line in opposites]
            if len(pieces) > MAX_PIECES:
                return []
        return [] if pieces == [extent] else pieces

    def is_covered(self, extent: Extent, extents: frozenset[Extent]) -> bool:
        """Return True only if `extents` match every request that the extent matches."""
        if self._is_covered_by_one(extent, extents):
            return True
        # A condition with several values may be several grants on the other side: split by value.
        keys = {line.key for covering in extents for line in covering.conditions}
        pieces = [extent]
        for line in sorted(extent.conditions, key=line_order):
            if line.key in keys and union_of_values(line):
                cuts = (
                    value
                    for covering in extents
                    for condition in covering.conditions
                    if condition.key == line.key
                    for value in condition.values
                )
                values = split_values(line, cuts)
                pieces = [_with(piece, line, value) for piece in pieces for value in values]
                if len(pieces) > MAX_PIECES:
                    return False
        return len(pieces) > 1 and all(self._is_covered_by_one(piece, extents) for piece in pieces)

    def _is_covered_by_one(self, extent: Extent, extents: frozenset[Extent]) -> bool:
        return extent in extents or any(self._covers(covering, extent) for covering in in_order(extents))

    def _covers(self, general: Extent, special: Extent) -> bool:
        return self._effort.spend(_steps(general, special)) and extent_covers(general, special)

    def _overlap_already_denied(self, extent: Extent, deny: Extent, old_denies: frozenset[Extent]) -> bool:
        """Return True only if one of the old Deny extents matches whatever both match."""
        conditions = extent.conditions | deny.conditions
        return any(
            self._covers(old, extent._replace(conditions=conditions))
            or self._covers(old, deny._replace(conditions=conditions))
            for old in in_order(old_denies)
        )


def _steps(extent_a: Extent, extent_b: Extent) -> int:
    """Return the work of comparing two extents: one for most, more for long lists and short ARNs."""
    return _readings(extent_a.resources) * _readings(extent_b.resources)


_readings = lru_cache(maxsize=16384)(arn.readings_of)


@lru_cache(maxsize=16384)
def _opposites(conditions: frozenset[ConditionLine]) -> tuple[ConditionLine, ...] | None:
    """Return the opposite of each condition, in order; None if one has none."""
    opposites = tuple(line for line in map(opposite, sorted(conditions, key=line_order)) if line is not None)
    return opposites if len(opposites) == len(conditions) else None


def _with(extent: Extent, line: ConditionLine, value: str) -> Extent:
    single_value_line = line._replace(values=frozenset({value}))
    return extent._replace(conditions=extent.conditions - {line} | {single_value_line})


@lru_cache(maxsize=65536)
def _resource_covers(general: str, special: str) -> bool:
    """Return True only if `general` matches every ARN that `special` matches, for all values of variables."""
    if general != "*" and "${" in special:
        parts = template(special)
        if may_move_colons(template(general), parts, opened(parts).split(":", 5)):
            return False
    return arn.resource_covers(general, special) is True
