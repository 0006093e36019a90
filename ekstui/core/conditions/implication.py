"""Whether conditions on one key imply another condition, or exclude it.

A key is in one of three states: absent, an empty set (which a set operator also takes an empty string for), or with
values. A condition implies another only if it does so in each state. How an operator without set operator treats several
values is not documented, so on multivalued keys only what holds for any treatment is used.
"""

from collections.abc import Mapping
from functools import lru_cache

from ekstui.core.conditions.known_keys import ALWAYS_PRESENT, has_several, type_of
from ekstui.core.conditions.operators import NULL
from ekstui.core.conditions.predicates import Predicate, predicate, predicate_of, predicates_of
from ekstui.core.conditions.spans import Span, complement, intersection, union
from ekstui.core.conditions.values import covered_by, disjoint, is_nothing, is_of_type
from ekstui.core.conditions.variables import NOTHING_KNOWN
from ekstui.core.grants import Line

_ABSENT: tuple[str, ...] = ()
_EMPTY = ("",)


_FORMS = {
    "account": ("StringLikeIfExists", "????????????"),
    "arn": ("ArnLikeIfExists", "arn:*:*:*:*:*"),
}


def implies_all(given: frozenset[Line], wanted: frozenset[Line]) -> bool:
    """Return True only if every request for which the block `given` holds also meets the block `wanted`."""
    if wanted <= given:
        return True
    predicates = predicates_of(given)
    return all(
        line in given or implies((*predicates.get(line.key, ()), *_listed(predicates, line.key)), predicate_of(line))
        for line in wanted
    )


def _listed(predicates: Mapping[str, tuple[Predicate, ...]], key: str) -> tuple[Predicate, ...]:
    """Return what conditions on entries, such as one tag of the request, imply for the key that lists them."""
    if key != "aws:tagkeys":
        return ()
    return tuple(
        predicate(
            "ForAnyValue:StringEqualsIgnoreCase", key, (entry.removeprefix("aws:requesttag/"),), has_variables=False
        )
        for entry, lines in predicates.items()
        if entry.startswith("aws:requesttag/") and any(line.holds((), NOTHING_KNOWN) is False for line in lines)
    )


@lru_cache(maxsize=65536)
def implies(given: tuple[Predicate, ...], wanted: Predicate) -> bool:
    """Return True only if the conditions `given`, all on the key of `wanted`, cannot hold unless `wanted` does."""
    if not wanted.is_understood:
        return False
    lines = [line for line in (*given, *facts(wanted.key)) if line.is_understood]
    if not _implied_in(_ABSENT, lines, wanted):
        return False
    alike = any(_alike(line, wanted) and _accepts_no_more(line, wanted) for line in lines)
    if not alike and not _implied_in(_EMPTY, lines, wanted):
        return False
    if wanted.accepts_all or any(line.accepts_none for line in lines):
        return True
    stronger = [line for line in lines if _stronger(line, wanted)]
    if any(_accepts_no_more(line, wanted) for line in stronger):
        return True
    return len(stronger) > 1 and _together_accept_no_more(stronger, wanted)


def _implied_in(state: tuple[str, ...], lines: list[Predicate], wanted: Predicate) -> bool:
    """Return whether `wanted` holds for these values of the key, or one of the lines does not."""
    return wanted.holds(state, NOTHING_KNOWN) is True or any(
        line.holds(state, NOTHING_KNOWN) is False for line in lines
    )


def excludes(given: frozenset[Line], refused: frozenset[Line]) -> bool:
    """Return True only if both blocks never hold for the same request."""
    predicates = predicates_of(given)
    return any(
        excluded((*predicates.get(line.key, ()), *facts(line.key)), predicate_of(line))
        for line in refused
        if line.key in predicates or facts(line.key)
    )


@lru_cache(maxsize=65536)
def excluded(given: tuple[Predicate, ...], refused: Predicate) -> bool:
    """Return True only if the conditions `given` cannot hold together with `refused`, which is on the same key."""
    lines = [line for line in given if line.is_understood]
    if not refused.is_understood:
        return False
    for state in (_ABSENT, _EMPTY):
        possible = all(line.holds(state, NOTHING_KNOWN) is not False for line in (*lines, refused))
        settled = state == _EMPTY and any(_alike(line, refused) and _accept_apart(line, refused) for line in lines)
        if possible and not settled:
            return False
    if refused.accepts_none or any(line.accepts_none for line in lines):
        return True
    return any(_meet(line, refused) and _accept_apart(line, refused) for line in lines)


@lru_cache(maxsize=4096)
def facts(key: str) -> tuple[Predicate, ...]:
    """Return conditions on a key, in lower case, that hold for every request."""
    found: list[Predicate] = []
    if key in ALWAYS_PRESENT:
        found.append(predicate("Null", key, ("false",)))
    kind = type_of(key)
    if kind == "truth":
        found.append(predicate("BoolIfExists", key, ("false", "true")))
    elif kind in _FORMS:
        name, form = _FORMS[kind]
        found.append(predicate(name, key, (form,)))
    return tuple(found)


def _quantifier(line: Predicate) -> str | None:
    return None if line.operator is None else line.operator.quantifier


def _is_null(line: Predicate) -> bool:
    return line.operator is not None and line.operator.base == NULL


def _alike(one: Predicate, other: Predicate) -> bool:
    """Return whether both treat an empty string like any other value."""
    return _quantifier(one) is None and _quantifier(other) is None


def _stronger(line: Predicate, wanted: Predicate) -> bool:
    """Return whether `line` implies `wanted` for several values too, if every single value that it accepts is accepted by `wanted`."""
    several = has_several(line.key)
    if several is False:
        return True
    one, other = _quantifier(line), _quantifier(wanted)
    if one == "ForAllValues" or other == "ForAnyValue" or _is_null(line) or _is_null(wanted):
        return True
    if one is None and other is None:
        return line.negated == wanted.negated or not several
    return False


def _meet(line: Predicate, refused: Predicate) -> bool:
    """Return whether `line` and `refused` exclude each other, provided that no value is accepted by both."""
    several = has_several(line.key)
    if several is False:
        return True
    one, other = _quantifier(line), _quantifier(refused)
    return "ForAllValues" in (one, other) or (one is None and other is None and not several)


def _accepts_no_more(line: Predicate, wanted: Predicate) -> bool:
    """Return True only if every value that `line` accepts is one that `wanted` accepts."""
    if wanted.accepts_all or line.accepts_none:
        return True
    if _is_null(line) or _is_null(wanted):
        return False
    if wanted.negated and not _is_typed(line, wanted):
        return False
    if line.negated:
        return wanted.negated and all(covered_by(special, line.values) for special in wanted.values)
    if wanted.negated:
        return all(disjoint(one, other) for one in line.values for other in wanted.values)
    return all(covered_by(special, wanted.values) for special in line.values)


def _is_typed(line: Predicate, wanted: Predicate) -> bool:
    """Return whether `line` accepts only values of the type of `wanted`; negation of other types is not documented."""
    if line.operator is None or wanted.operator is None:
        return False
    how = wanted.operator.family.how
    if how in ("exact", "folded", "like") or line.operator.family.how == how:
        return True
    return not line.negated and all(is_of_type(value, how) for value in line.values)


def _accept_apart(line: Predicate, refused: Predicate) -> bool:
    """Return True only if no value is accepted by both."""
    if line.accepts_none or refused.accepts_none:
        return True
    if _is_null(line) or _is_null(refused) or (line.negated and refused.negated):
        return False
    if refused.negated:
        return all(covered_by(special, refused.values) for special in line.values)
    if line.negated:
        return all(covered_by(special, line.values) for special in refused.values)
    return all(disjoint(one, other) for one in line.values for other in refused.values)


def _together_accept_no_more(lines: list[Predicate], wanted: Predicate) -> bool:
    """Return True only if every value that all lines accept is one that `wanted` accepts."""
    several = has_several(wanted.key)
    quantifiers = {_quantifier(line) for line in lines}
    if several is not False and quantifiers != {"ForAllValues"} and (several or quantifiers != {None}):
        return False  # different values may satisfy different lines
    positive = [line for line in lines if not line.negated and not _is_null(line)]
    negated = [line for line in lines if line.negated]
    return any(_accepts_no_more_but(line, negated, wanted) for line in positive) or _spans_within(
        positive, negated, wanted
    )


def _accepts_no_more_but(line: Predicate, negated: list[Predicate], wanted: Predicate) -> bool:
    """Return True only if every value that `line` accepts and no `negated` line excludes is one that `wanted` accepts."""
    left = [value for value in line.values if not any(covered_by(value, other.values) for other in negated)]
    if _is_null(wanted):
        return not left  # it asks whether there is a value, not which
    if wanted.negated and left:
        return _is_typed(line, wanted) and all(disjoint(one, other) for one in left for other in wanted.values)
    return all(covered_by(special, wanted.values) for special in left)


def _spans_within(positive: list[Predicate], negated: list[Predicate], wanted: Predicate) -> bool:
    """Return True only if the intersection of the lines' spans of one type contains only what `wanted` accepts."""
    typed = [(line, spans) for line in positive if (spans := _spans(line)) is not None]
    if not typed:
        return False
    kind = typed[0][1][0].kind
    common = union(typed[0][1])
    for _, spans in typed[1:]:
        if spans[0].kind == kind:
            common = intersection(common, spans)
    for line in negated:
        spans = _spans(line)
        if spans is not None and spans[0].kind == kind:
            common = intersection(common, complement(kind, spans))
    limits = _spans(wanted)
    if not common:
        return True
    if limits is None or limits[0].kind != kind:
        return False
    if wanted.negated:
        return not intersection(common, limits)
    return all(covered_by(each, limits) for each in common)


def _spans(line: Predicate) -> list[Span] | None:
    """Return the values that a line compares, if all of them are spans and there is at least one."""
    if _is_null(line):
        return None
    values = [value for value in line.values if not is_nothing(value)]
    spans = [value for value in values if isinstance(value, Span)]
    return spans if spans and len(spans) == len(values) else None


def union_of_values(line: Line) -> bool:
    """Return whether a condition holds exactly if it would hold with one of its values alone, even for an absent key."""
    found = predicate_of(line)
    return (
        found.operator is not None
        and not found.negated
        and found.operator.base != NULL
        and not any(map(is_nothing, found.values))
        and (_quantifier(found) == "ForAnyValue" or (_quantifier(found) is None and has_several(line.key) is not True))
    )
