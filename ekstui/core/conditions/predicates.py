"""A condition as a predicate over the values of its key, and whether it holds for a request."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ekstui.core.conditions import Truth, every, negation, some
from ekstui.core.conditions.operators import NULL, Operator, operator
from ekstui.core.conditions.spans import Malformed
from ekstui.core.conditions.values import Value, is_everything, is_nothing, is_unresolvable, matches, value_of
from ekstui.core.conditions.variables import NOTHING_KNOWN, Context
from ekstui.core.document import Condition
from ekstui.core.grants import Line


@dataclass(frozen=True, slots=True, eq=False)
class Predicate:
    """A condition, parsed."""

    key: str
    operator: Operator | None
    """None for an operator that IAM does not document, whose result is always unknown."""
    values: tuple[Value, ...]
    null: tuple[Truth, Truth] | None = None
    """Only for `Null`: whether it holds with the key and without it."""

    @property
    def negated(self) -> bool:
        """Whether the accepted values are those that match nothing."""
        return self.operator is not None and self.operator.negated

    @property
    def is_understood(self) -> bool:
        """Whether its meaning is known: not for an unknown operator, nor for a negated value of the wrong type."""
        return self.operator is not None and not (
            self.negated and any(isinstance(each, Malformed) for each in self.values)
        )

    @property
    def accepts_all(self) -> bool:
        """Whether every value is accepted."""
        if self.operator is None:
            return False
        if self.null is not None:
            return self.null[0] is True
        return not self.values if self.negated else any(map(is_everything, self.values))

    @property
    def accepts_none(self) -> bool:
        """Whether no value is accepted, so that the condition can only hold if the key is absent."""
        if self.operator is None:
            return False
        if self.null is not None:
            return self.null[0] is False
        return any(map(is_everything, self.values)) if self.negated else all(map(is_nothing, self.values))

    def holds(self, given: tuple[str, ...], context: Context) -> Truth:
        """Return whether it holds for the values of its key, which is absent if there are none; None if unknown."""
        if self.operator is None:
            return None
        if self.null is not None:
            return self.null[not given]
        quantifier = self.operator.quantifier
        if not given:
            return self.operator.holds_without_key()
        if quantifier is not None and all(value == "" for value in given):
            # IAM treats an empty string as an empty set. IfExists makes no difference.
            return quantifier == "ForAllValues"
        each = [self._accepts(value, context) for value in given]
        if quantifier == "ForAllValues":
            return every(each)
        if quantifier == "ForAnyValue":
            return some(each)
        # Several values without a set operator: what IAM does is not documented, so only an answer that all share counts.
        return each[0] if len(set(each)) == 1 else None

    def holds_whatever(self, context: Context) -> Truth:
        """Return whether it holds for all values of its key, even if the key is absent; None if the values decide.

        Nothing equals a policy variable that the request lacks.
        """
        if (
            self.operator is None
            or self.null is not None
            or not all(is_unresolvable(each, context) for each in self.values)
        ):
            return None
        without = self.operator.holds_without_key()
        return without if without is self.operator.negated else None

    def deciding_keys(self, given: tuple[str, ...], context: Context) -> tuple[str, ...]:
        """Return the keys of policy variables whose values would decide it."""
        keys: dict[str, None] = {}
        for value in self.values:
            for entry in given:
                matched, unknown = matches(value, entry, context)
                if matched is None:
                    keys.update(dict.fromkeys(unknown))
        return tuple(keys)

    def _accepts(self, given: str, context: Context) -> Truth:
        matched = some(self._matches(value, given, context) for value in self.values)
        return negation(matched) if self.negated else matched

    def _matches(self, value: Value, given: str, context: Context) -> Truth:
        matched, unknown = matches(value, given, context)
        if matched is None and not unknown and not self.negated:
            return False  # a value of another type equals nothing; what negation makes of it is not documented
        return matched


@lru_cache(maxsize=16384)
def predicate(name: str, key: str, values: tuple[str, ...], *, has_variables: bool = True) -> Predicate:
    """Return a condition, parsed; `has_variables` tells whether the document's version has policy variables."""
    known = operator(name)
    if known is None:
        return Predicate(key, None, ())
    read = tuple(value_of(known.family, each, has_variables=has_variables) for each in values)
    if known.base != NULL:
        return Predicate(key, known, read)
    if any(map(is_nothing, read)):
        return Predicate(key, known, read, (None, None))
    with_key, without = (any(matches(each, absent, NOTHING_KNOWN)[0] for each in read) for absent in ("false", "true"))
    return Predicate(key, known, read, (with_key, without))


@lru_cache(maxsize=16384)
def predicate_of(line: Line) -> Predicate:
    """Return a condition of a grant, parsed."""
    return predicate(line.operator, line.key, tuple(sorted(line.values)))


@lru_cache(maxsize=16384)
def predicates_of(lines: frozenset[Line]) -> Mapping[str, tuple[Predicate, ...]]:
    """Return a condition block as predicates by key."""
    predicates: dict[str, tuple[Predicate, ...]] = {}
    for line in sorted(lines, key=lambda each: (each.key, each.operator, sorted(each.values))):
        predicates[line.key] = (*predicates.get(line.key, ()), predicate_of(line))
    return predicates


class ConditionResult(NamedTuple):
    """The result of one condition."""

    holds: Truth
    missing: tuple[str, ...]
    """Keys that would decide it; empty if it is decided, or if no key could decide it (unknown operator)."""


def condition_holds(condition: Condition, context: Context, *, has_variables: bool) -> ConditionResult:
    """Return whether `condition` holds, by the rules for absent keys, several values and set operators.

    The result is unknown for an operator that IAM does not document and for a key that was not given.
    """
    line = predicate(condition.operator, condition.key, condition.values, has_variables=has_variables)
    given = context.values(condition.key)
    if line.operator is None:
        return ConditionResult(None, ())
    if given is None:
        holds = line.holds_whatever(context)
        return ConditionResult(holds, () if holds is not None else (condition.key, *line.deciding_keys(("",), context)))
    holds = line.holds(given, context)
    return ConditionResult(holds, line.deciding_keys(given, context) if holds is None else ())
