"""Condition lines as predicates over the values of a key, so that one line can be shown to imply another.

Every operator comes down to a set of accepted values and one of two shapes: some value of the key is accepted
(`StringEquals`, `ForAnyValue:…`), or every value is (`StringNotEquals`, `ForAllValues:…`, and `Null: true`, which
accepts none). What the line says of an absent key is kept apart. Source: IAM User Guide, "IAM JSON policy elements:
condition operators" and "Set operators for multivalued context keys".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from ekstui.core.conditions.patterns import How, Pattern, covers, disjoint, is_everything, matches, pattern_of
from ekstui.core.grants import Line

_COMPARISONS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")

_HOW: dict[str, tuple[How, bool]] = {
    "StringEquals": ("exact", False),
    "StringNotEquals": ("exact", True),
    "StringEqualsIgnoreCase": ("folded", False),
    "StringNotEqualsIgnoreCase": ("folded", True),
    "StringLike": ("like", False),
    "StringNotLike": ("like", True),
    "ArnEquals": ("arn", False),
    "ArnLike": ("arn", False),
    "ArnNotEquals": ("arn", True),
    "ArnNotLike": ("arn", True),
    "Bool": ("folded", False),
    "BinaryEquals": ("opaque", False),
    "IpAddress": ("opaque", False),
    "NotIpAddress": ("opaque", True),
    **{f"{kind}{how}": ("opaque", how == "NotEquals") for kind in ("Numeric", "Date") for how in _COMPARISONS},
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition line as a predicate."""

    key: str
    every: bool
    """Whether each value must be accepted, rather than one of them."""
    absent: bool
    """Whether the line holds where the key is absent."""
    negated: bool
    """Whether the values that no pattern matches are the accepted ones."""
    patterns: frozenset[Pattern]
    single: bool
    """Whether the operator stands without `ForAllValues` or `ForAnyValue`, which is for keys of one value."""

    @property
    def accepts_all(self) -> bool:
        """Whether every value is accepted."""
        return not self.patterns if self.negated else any(is_everything(each) for each in self.patterns)

    @property
    def accepts_none(self) -> bool:
        """Whether no value is accepted, so that only an absent key can meet the line."""
        return not self.patterns and not self.negated

    @property
    def is_understood(self) -> bool:
        """Whether the operator is one that IAM documents; of another nothing is known, not even for an absent key."""
        return not any(pattern.how == "unknown" for pattern in self.patterns)


@lru_cache(maxsize=16384)
def predicate_of(line: Line) -> Predicate:
    """Return a line as a predicate; an operator that is not known becomes one about which little can be shown."""
    operator, quantifier = line.operator, ""
    if ":" in operator:
        quantifier, operator = operator.split(":", 1)
    if operator == "Null":
        wanted = {value.strip().lower() for value in line.values}
        if wanted == {"true"}:
            return Predicate(line.key, True, True, False, frozenset(), True)
        if wanted == {"false"}:
            return Predicate(line.key, False, False, True, frozenset(), True)
        if wanted == {"true", "false"}:
            return Predicate(line.key, True, True, True, frozenset(), True)
    if_exists = operator.endswith("IfExists")
    base = operator.removesuffix("IfExists")
    if base not in _HOW or quantifier not in ("", "ForAllValues", "ForAnyValue"):
        whole = pattern_of("unknown", repr(sorted(line.values)), line.operator)
        return Predicate(line.key, False, False, False, frozenset({whole}), False)
    how, negated = _HOW[base]
    patterns = frozenset(pattern_of(how, value, base) for value in line.values)
    if quantifier == "ForAllValues":
        return Predicate(line.key, True, True, negated, patterns, False)
    if quantifier == "ForAnyValue":
        return Predicate(line.key, False, False, negated, patterns, False)
    return Predicate(line.key, negated, negated or if_exists, negated, patterns, True)


@lru_cache(maxsize=16384)
def predicates_of(lines: frozenset[Line]) -> Mapping[str, tuple[Predicate, ...]]:
    """Return a condition block as predicates by key."""
    predicates: dict[str, tuple[Predicate, ...]] = {}
    for line in sorted(lines, key=lambda each: (each.key, each.operator, sorted(each.values))):
        predicates[line.key] = (*predicates.get(line.key, ()), predicate_of(line))
    return predicates


def implies_all(given: frozenset[Line], wanted: frozenset[Line]) -> bool:
    """Return True only if every request that meets the block `given` meets the block `wanted`."""
    if wanted <= given:
        return True
    predicates = predicates_of(given)
    return all(line in given or implies(predicates.get(line.key, ()), predicate_of(line)) for line in wanted)


@lru_cache(maxsize=65536)
def implies(given: tuple[Predicate, ...], wanted: Predicate) -> bool:
    """Return True only if the lines `given`, all on the key of `wanted`, cannot hold without it."""
    given = tuple(predicate for predicate in given if predicate.is_understood)
    present = any(not predicate.absent for predicate in given)
    if wanted.absent and any(predicate.every and predicate.accepts_none for predicate in given):
        return True
    if wanted.accepts_all and (wanted.absent or present):
        return True
    for predicate in given:
        if predicate.every == wanted.every:
            settled = wanted.absent or not predicate.absent or present
        elif predicate.every:
            settled = wanted.absent or present
        else:
            # An operator without quantifier is for keys of one value, of which "some" and "every" say the same.
            settled = (predicate.single or wanted.single) and (wanted.absent or not predicate.absent or present)
        if settled and _accepts_no_more(predicate, wanted):
            return True
    return False


def excludes(given: frozenset[Line], refused: frozenset[Line]) -> bool:
    """Return True only if no request meets both blocks."""
    predicates = predicates_of(given)
    refusals = (predicate_of(line) for line in refused if line.key in predicates)
    return any(
        refusal.is_understood and all(implies(predicates[refusal.key], each) for each in _negation(refusal))
        for refusal in refusals
    )


def holds(predicate: Predicate, values: tuple[str, ...], context: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Return whether the line holds for the values of its key, none meaning absent; None where it cannot be told."""
    if not predicate.is_understood:
        return None
    if not values:
        return predicate.absent
    accepted = [_accepts(predicate, value, context) for value in values]
    decisive = not predicate.every
    if decisive in accepted:
        return decisive
    return None if None in accepted else predicate.every


def _negation(predicate: Predicate) -> tuple[Predicate, ...]:
    """Return lines that together hold exactly where `predicate` does not."""
    opposite = Predicate(
        predicate.key,
        not predicate.every,
        not predicate.every,
        not predicate.negated,
        predicate.patterns,
        predicate.single,
    )
    if not predicate.every and predicate.absent:
        return opposite, Predicate(predicate.key, False, False, True, frozenset(), True)
    return (opposite,)


def _accepts_no_more(predicate: Predicate, wanted: Predicate) -> bool:
    """Return True only if every value that `predicate` accepts is one that `wanted` accepts."""
    if wanted.accepts_all or predicate.accepts_none:
        return True
    if predicate.negated:
        return wanted.negated and all(
            any(covers(general, special) for general in predicate.patterns) for special in wanted.patterns
        )
    if wanted.negated:
        return all(disjoint(one, other) for one in predicate.patterns for other in wanted.patterns)
    return all(any(covers(general, special) for general in wanted.patterns) for special in predicate.patterns)


def _accepts(predicate: Predicate, value: str, context: Mapping[str, tuple[str, ...]]) -> bool | None:
    answers = {matches(pattern, value, context) for pattern in predicate.patterns}
    if True in answers:
        return not predicate.negated
    return None if None in answers else predicate.negated
