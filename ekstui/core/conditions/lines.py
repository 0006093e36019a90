"""Whether one line of a condition block holds for a request."""

from dataclasses import dataclass

from ekstui.core.conditions.context import Context
from ekstui.core.conditions.operators import NULL, Operator, operator
from ekstui.core.conditions.truth import Truth, every, negation, some
from ekstui.core.conditions.variables import Resolved, resolve
from ekstui.core.document import Condition


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """What became of one condition."""

    holds: Truth
    missing: tuple[str, ...]
    """The keys that would decide it; empty if it is decided, or if no key could, as for an operator nobody knows."""


def condition_holds(condition: Condition, context: Context, *, has_variables: bool) -> ConditionResult:
    """Return whether `condition` holds, by the rules for absent keys, several values and set operators.

    An operator that IAM's documentation lacks is unknown, as is a key that was not told.
    """
    known = operator(condition.operator)
    given = context.values(condition.key)
    if known is None:
        return ConditionResult(None, ())
    if given is None:
        return ConditionResult(None, (condition.key,))
    if known.base == NULL:
        return ConditionResult(_is_null(condition, given), ())
    wanted = tuple(
        resolve(value, context, has_variables=has_variables and known.takes_variables) for value in condition.values
    )
    holds = _holds(known, given, wanted)
    if holds is not None:
        return ConditionResult(holds, ())
    undecided = (value for value in wanted if any(known.compare(entry, value) is None for entry in given))
    return ConditionResult(None, tuple(dict.fromkeys(key for value in undecided for key in value.unknown_keys)))


def _is_null(condition: Condition, given: tuple[str, ...]) -> Truth:
    absent = "false" if given else "true"
    values = {value.strip().lower() for value in condition.values}
    return absent in values if values <= {"true", "false"} else None


def _holds(known: Operator, given: tuple[str, ...], wanted: tuple[Resolved, ...]) -> Truth:
    if known.quantifier is not None and all(value == "" for value in given):
        # An empty set, which IAM also takes an empty string to be: IfExists makes no difference.
        return known.quantifier == "ForAllValues"
    if not given:
        return known.if_exists or known.negated
    each = [_value_holds(known, value, wanted) for value in given]
    if known.quantifier == "ForAllValues":
        return every(each)
    if known.quantifier == "ForAnyValue":
        return some(each)
    # Several values without a set operator: what IAM does is not documented, so only an answer that all share counts.
    return each[0] if len(set(each)) == 1 else None


def _value_holds(known: Operator, given: str, wanted: tuple[Resolved, ...]) -> Truth:
    matched = some(_matches(known, given, value) for value in wanted)
    return negation(matched) if known.negated else matched


def _matches(known: Operator, given: str, wanted: Resolved) -> Truth:
    matched = known.compare(given, wanted)
    if matched is None and not wanted.unknown_keys and not known.negated:
        return False  # a value of another type equals nothing; what it means under negation is not documented
    return matched
