"""IAM's condition operators by name (IAM User Guide, "IAM JSON policy elements: Condition operators")."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ekstui.core import arn, wildcard
from ekstui.core.conditions import comparisons
from ekstui.core.conditions.truth import Truth
from ekstui.core.conditions.variables import Resolved, literal

Quantifier = Literal["ForAllValues", "ForAnyValue"]

NULL = "Null"


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator's name says."""

    base: str
    """Such as `StringEquals`."""
    quantifier: Quantifier | None
    if_exists: bool
    negated: bool
    """Whether it holds where nothing matches, such as `StringNotEquals`."""
    takes_variables: bool
    compare: Callable[[str, Resolved], Truth]
    """Whether a value of the request matches one of the policy, before any negation; None: unknown or no such type."""


def operator(name: str) -> Operator | None:
    """Return the operator of that name, or None if IAM's documentation has none such."""
    quantifier: Quantifier | None = None
    base = name
    if base.startswith("ForAllValues:"):
        quantifier, base = "ForAllValues", base.removeprefix("ForAllValues:")
    elif base.startswith("ForAnyValue:"):
        quantifier, base = "ForAnyValue", base.removeprefix("ForAnyValue:")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base not in _FAMILIES or (base == NULL and (quantifier or if_exists)):
        return None
    negated, takes_variables, compare = _FAMILIES[base]
    return Operator(base, quantifier, if_exists, negated, takes_variables, compare)


def _string_equals(given: str, wanted: Resolved) -> Truth:
    return _matched(wildcard.matches(wanted.exact(), literal(given)), wanted)


def _string_equals_ignoring_case(given: str, wanted: Resolved) -> Truth:
    return _matched(wildcard.matches(wanted.exact().lower(), literal(given).lower()), wanted)


def _string_like(given: str, wanted: Resolved) -> Truth:
    return _matched(wildcard.matches(wanted.pattern(), literal(given)), wanted)


def _arn_like(given: str, wanted: Resolved) -> Truth:
    if given.count(":") < 5:
        return None
    return _matched(arn.matches_resource(wanted.pattern(), literal(given)), wanted)


def _matched(possible: Truth, wanted: Resolved) -> Truth:
    """Return what a match means when a part that is not known was taken to match anything."""
    if not wanted.resolvable or possible is False:
        return False
    return None if wanted.unknown_keys else possible


def _same_truth(given: str, wanted: Resolved) -> Truth:
    if not wanted.resolvable:
        return False
    return None if wanted.unknown_keys else comparisons.same_truth(given, wanted.text())


def _same_bytes(given: str, wanted: Resolved) -> Truth:
    return comparisons.same_bytes(given, wanted.text())


def _in_network(given: str, wanted: Resolved) -> Truth:
    return comparisons.in_network(given, wanted.text())


def _ordered(order: Callable[[str, str], int | None], accepted: frozenset[int]) -> Callable[[str, Resolved], Truth]:
    def compare(given: str, wanted: Resolved) -> Truth:
        position = order(given, wanted.text())
        return None if position is None else position in accepted

    return compare


_ORDERS = {
    "Equals": frozenset({0}),
    "LessThan": frozenset({-1}),
    "LessThanEquals": frozenset({-1, 0}),
    "GreaterThan": frozenset({1}),
    "GreaterThanEquals": frozenset({0, 1}),
}

# By name: whether it is negated, whether policy variables are replaced in its values, and the comparison.
_FAMILIES: dict[str, tuple[bool, bool, Callable[[str, Resolved], Truth]]] = {
    "StringEquals": (False, True, _string_equals),
    "StringNotEquals": (True, True, _string_equals),
    "StringEqualsIgnoreCase": (False, True, _string_equals_ignoring_case),
    "StringNotEqualsIgnoreCase": (True, True, _string_equals_ignoring_case),
    "StringLike": (False, True, _string_like),
    "StringNotLike": (True, True, _string_like),
    "ArnEquals": (False, True, _arn_like),
    "ArnLike": (False, True, _arn_like),
    "ArnNotEquals": (True, True, _arn_like),
    "ArnNotLike": (True, True, _arn_like),
    "Bool": (False, True, _same_truth),
    "BinaryEquals": (False, False, _same_bytes),
    "IpAddress": (False, False, _in_network),
    "NotIpAddress": (True, False, _in_network),
    NULL: (False, False, _same_truth),
    **{
        f"{family}{name}": (False, False, _ordered(order, accepted))
        for family, order in (("Numeric", comparisons.ordered_numbers), ("Date", comparisons.ordered_dates))
        for name, accepted in _ORDERS.items()
    },
    "NumericNotEquals": (True, False, _ordered(comparisons.ordered_numbers, _ORDERS["Equals"])),
    "DateNotEquals": (True, False, _ordered(comparisons.ordered_dates, _ORDERS["Equals"])),
}
