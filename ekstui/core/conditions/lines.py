"""Whether one line of a condition block holds for a request."""

from dataclasses import dataclass

from ekstui.core.conditions.context import Context
from ekstui.core.conditions.predicates import predicate
from ekstui.core.conditions.truth import Truth
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
    line = predicate(condition.operator, condition.key, condition.values, has_variables=has_variables)
    given = context.values(condition.key)
    if line.operator is None:
        return ConditionResult(None, ())
    if given is None:
        holds = line.holds_whatever(context)
        return ConditionResult(holds, () if holds is not None else (condition.key, *line.deciding_keys(("",), context)))
    holds = line.holds(given, context)
    return ConditionResult(holds, line.deciding_keys(given, context) if holds is None else ())
