"""Whether a document allows a concrete request, straight from IAM's rules and the JSON, without ekstui's own code."""

import ipaddress
import operator as op
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Any

from tests.support.wildcards import as_regex


@dataclass(frozen=True)
class Request:
    """An action on a resource, with the values of condition keys."""

    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    """Keys in lower case; an absent key is missing or empty."""


def allows(document: Any, request: Request) -> bool:
    """Explicit deny, then allow, else implicit deny."""
    expands = document.get("Version") == "2012-10-17"
    effects = {
        statement["Effect"] for statement in as_list(document["Statement"]) if applies(statement, request, expands)
    }
    return effects == {"Allow"}


def as_list(value: Any) -> list[Any]:
    """Return a list: IAM takes a single value for a list of one."""
    return value if isinstance(value, list) else [value]


def applies(statement: Any, request: Request, expands: bool) -> bool:
    """Whether action, resource and all conditions match; `expands` is whether policy variables have values."""
    for element, of in (("Action", matches_action), ("Resource", partial(matches_resource, expands=expands))):
        if element in statement:
            if not any(of(pattern, request) for pattern in as_list(statement[element])):
                return False
        elif any(of(pattern, request) for pattern in as_list(statement[f"Not{element}"])):
            return False
    return all(
        condition_holds(operator, request.context.get(key.lower(), ()), as_list(values), request, expands)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def matches_action(pattern: str, request: Request) -> bool:
    """Whether the pattern names the action, in any case."""
    return glob(pattern.lower(), request.action.lower())


def matches_resource(pattern: str, request: Request, expands: bool) -> bool:
    """Whether the pattern names the resource; not if a variable in it has no value."""
    pattern_in_request = with_variables(pattern, request, expands)
    if pattern_in_request is None:
        return False
    return pattern == "*" or matches_arn(pattern_in_request, with_literal_wildcards(request.resource))


def matches_arn(pattern: str, value: str) -> bool:
    """Whether each of the six parts of an ARN matches by itself."""
    parts, fields = pattern.split(":", 5), value.split(":", 5)
    parts += ["*"] * (6 - len(parts))
    return len(fields) == 6 and all(glob(part, field) for part, field in zip(parts, fields, strict=True))


def glob(pattern: str, text: str) -> bool:
    """Whether `*` for any run and `?` for one character make the pattern the text."""
    return as_regex(pattern).fullmatch(text) is not None


def with_variables(text: str, request: Request, expands: bool) -> str | None:
    """The text as a glob with its policy variables' values, or None if one has none; before 2012 they are literal text."""
    if not expands:
        return text
    result = ""
    while match := re.search(r"\$\{([^}]*)\}", text):
        name, comma, default = match[1].partition(",")
        values = request.context.get(name.strip().lower(), ())
        if name in LITERAL:
            value = LITERAL[name]
        elif len(values) == 1:
            value = with_literal_wildcards(values[0])
        elif comma and not values:
            value = with_literal_wildcards(default.strip().strip("'"))
        else:
            return None
        result += text[: match.start()] + value
        text = text[match.end() :]
    return result + text


# Literal `*` and `?` as they stand in a glob here.
LITERAL = {"*": "\ue001", "?": "\ue002", "$": "$"}


def with_literal_wildcards(text: str) -> str:
    """Return a text in which `*` and `?` stand for themselves, as it stands in a glob here."""
    return text.replace("*", LITERAL["*"]).replace("?", LITERAL["?"])


def condition_holds(
    operator: str, actual: tuple[str, ...], policy_values: list[Any], request: Request, expands: bool
) -> bool:
    """Whether the values of a key in the request satisfy one operator with its values in the policy."""
    quantifier, _, base = operator.rpartition(":")
    values = [value if isinstance(value, str) else str(value).lower() for value in policy_values]
    if base == "Null":
        return any((value.lower() == "true") == (not actual) for value in values)
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    is_negated = "Not" in base
    if quantifier and all(value == "" for value in actual):
        return quantifier == "ForAllValues"
    if not actual:
        return if_exists or is_negated

    def accepted(value: str) -> bool:
        return any(compare(base.replace("Not", ""), text, value, request, expands) for text in values) != is_negated

    if quantifier == "ForAnyValue":
        return any(map(accepted, actual))
    if quantifier == "ForAllValues":
        return all(map(accepted, actual))
    (value,) = actual
    return accepted(value)


def compare(operator: str, pattern: str, value: str, request: Request, expands: bool) -> bool:
    """Whether one value of the request satisfies one of the policy; the operator has no `Not` and no quantifier."""
    if operator.startswith(("Numeric", "Date")):
        kind = "Numeric" if operator.startswith("Numeric") else "Date"
        as_number = Fraction if kind == "Numeric" else datetime.fromisoformat
        try:
            return ORDERS[operator.removeprefix(kind)](as_number(value), as_number(pattern))
        except ValueError:
            return False  # a value of another type stands in no order
    if operator == "IpAddress":
        return ipaddress.ip_address(value) in ipaddress.ip_network(pattern)
    text = with_variables(pattern, request, expands)
    if text is None:
        return False
    if operator == "StringEquals":
        return with_literal_wildcards(text) == with_literal_wildcards(value)
    if operator in ("StringEqualsIgnoreCase", "Bool"):
        return with_literal_wildcards(text).lower() == with_literal_wildcards(value).lower()
    if operator == "StringLike":
        return glob(text, with_literal_wildcards(value))
    assert operator in ("ArnLike", "ArnEquals"), operator
    return matches_arn(text, with_literal_wildcards(value))


ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "Equals": op.eq,
    "LessThan": op.lt,
    "LessThanEquals": op.le,
    "GreaterThan": op.gt,
    "GreaterThanEquals": op.ge,
}
