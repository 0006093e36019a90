"""IAM's condition operators, one entry each (IAM User Guide, "IAM JSON policy elements: Condition operators")."""

from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from ekstui.iam.truth import Truth
from ekstui.named_tuples import NamedTuple

TextComparison = Literal["exact", "folded", "like", "arn"]
Kind = Literal["number", "date", "address", "truth", "bytes"]
ComparisonSign = Literal["=", "<", "<=", ">", ">="]
Quantifier = Literal["ForAllValues", "ForAnyValue"]

NULL = "Null"


class Family(NamedTuple):
    """A row of the table: what an operator compares, and how."""

    compared_as: TextComparison | Kind
    """How texts are compared, or the type of the values."""
    comparison: ComparisonSign = "="
    negated: bool = False
    takes_variables: bool = True
    """Whether policy variables are replaced in its values."""


def _ordered(kind: Kind) -> dict[str, Family]:
    return {
        "Equals": Family(kind, "=", takes_variables=False),
        "NotEquals": Family(kind, "=", negated=True, takes_variables=False),
        "LessThan": Family(kind, "<", takes_variables=False),
        "LessThanEquals": Family(kind, "<=", takes_variables=False),
        "GreaterThan": Family(kind, ">", takes_variables=False),
        "GreaterThanEquals": Family(kind, ">=", takes_variables=False),
    }


OPERATOR_FAMILIES: dict[str, Family] = {
    "StringEquals": Family("exact"),
    "StringNotEquals": Family("exact", negated=True),
    "StringEqualsIgnoreCase": Family("folded"),
    "StringNotEqualsIgnoreCase": Family("folded", negated=True),
    "StringLike": Family("like"),
    "StringNotLike": Family("like", negated=True),
    "ArnEquals": Family("arn"),
    "ArnLike": Family("arn"),
    "ArnNotEquals": Family("arn", negated=True),
    "ArnNotLike": Family("arn", negated=True),
    "Bool": Family("truth"),
    "BinaryEquals": Family("bytes", takes_variables=False),
    "IpAddress": Family("address", takes_variables=False),
    "NotIpAddress": Family("address", negated=True, takes_variables=False),
    NULL: Family("truth", takes_variables=False),
    **{f"Numeric{name}": family for name, family in _ordered("number").items()},
    **{f"Date{name}": family for name, family in _ordered("date").items()},
}
"""Operators by name, without set operator and `IfExists`. A new operator is a line here."""


class Operator(NamedTuple):
    """An operator with its set operator and `IfExists`."""

    base: str
    """Such as `StringEquals`."""
    quantifier: Quantifier | None
    if_exists: bool
    family: Family

    @property
    def negated(self) -> bool:
        """Whether it holds if nothing matches, like `StringNotEquals`."""
        return self.family.negated

    @property
    def lists_accepted(self) -> bool:
        """Whether its values are the ones that it accepts, or patterns of them."""
        return self.base != NULL and not self.negated

    @property
    def takes_wildcards(self) -> bool:
        """Whether `*` and `?` in its values are wildcards."""
        return self.family.compared_as in ("like", "arn")

    def holds_without_key(self) -> Truth:
        """Return whether a condition holds if the request lacks its key; for `Null` that depends on its values."""
        if self.quantifier == "ForAnyValue":
            # `ForAnyValue` needs a value and `IfExists` does not; the guide does not say which rule wins.
            return None if self.if_exists else False
        return self.quantifier == "ForAllValues" or self.if_exists or self.negated

    def needs_key(self, values: Collection[str]) -> bool:
        """Return whether a condition with these values certainly fails if the request lacks its key."""
        if self.base == NULL:
            return all(value.lower() == "false" for value in values)
        return self.holds_without_key() is False


UNKNOWN = Operator("", None, False, Family("exact"))
"""Stands for an operator that IAM does not document."""


@lru_cache(maxsize=512)
def operator(name: str) -> Operator | None:
    """Return the operator of that name; None if IAM does not document it."""
    quantifier: Quantifier | None = None
    base = name
    if base.startswith("ForAllValues:"):
        quantifier, base = "ForAllValues", base.removeprefix("ForAllValues:")
    elif base.startswith("ForAnyValue:"):
        quantifier, base = "ForAnyValue", base.removeprefix("ForAnyValue:")
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    if base not in OPERATOR_FAMILIES or (base == NULL and (quantifier or if_exists)):
        return None
    return Operator(base, quantifier, if_exists, OPERATOR_FAMILIES[base])
