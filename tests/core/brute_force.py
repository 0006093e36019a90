"""Whether a document allows a concrete request, straight from IAM's rules and the JSON, without ekstui's own code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any


@dataclass(frozen=True)
class Request:
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]]
    """Keys in lower case; an absent key is missing or empty."""


def allows(document: Any, request: Request) -> bool:
    """Explicit deny, then allow, else implicit deny."""
    effects = {each["Effect"] for each in listed(document["Statement"]) if applies(each, request)}
    return effects == {"Allow"}


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def applies(statement: Any, request: Request) -> bool:
    for element, of in (("Action", matches_action), ("Resource", matches_resource)):
        if element in statement:
            if not any(of(each, request) for each in listed(statement[element])):
                return False
        elif any(of(each, request) for each in listed(statement[f"Not{element}"])):
            return False
    return all(
        condition_holds(operator, request.context.get(key.lower(), ()), listed(values), request)
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def matches_action(pattern: str, request: Request) -> bool:
    return glob(pattern.lower(), request.action.lower())


def matches_resource(pattern: str, request: Request) -> bool:
    resolved = substituted(pattern, request)
    if resolved is None:
        return False
    return pattern == "*" or matches_arn(resolved, request.resource)


def matches_arn(pattern: str, value: str) -> bool:
    parts, given = pattern.split(":", 5), value.split(":", 5)
    parts += ["*"] * (6 - len(parts))
    return len(given) == 6 and all(glob(one, other) for one, other in zip(parts, given, strict=True))


def glob(pattern: str, text: str) -> bool:
    """Whether `*` for any run and `?` for one character make the pattern the text."""
    return expression(pattern).fullmatch(text) is not None


@cache
def expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def substituted(text: str, request: Request) -> str | None:
    """The text with its policy variables' values, or None if one has no single value."""
    for name in re.findall(r"\$\{([^}]*)\}", text):
        values = request.context.get(name.lower(), ())
        if len(values) != 1:
            return None
        text = text.replace("${" + name + "}", values[0])
    return text


def condition_holds(operator: str, given: tuple[str, ...], wanted: list[Any], request: Request) -> bool:
    quantifier, _, base = operator.rpartition(":")
    values = [each if isinstance(each, str) else str(each).lower() for each in wanted]
    if base == "Null":
        return any((value.lower() == "true") == (not given) for value in values)
    if_exists = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    negated = "Not" in base
    if not given:
        if quantifier:
            return quantifier == "ForAllValues"
        return if_exists or negated

    def accepted(value: str) -> bool:
        return any(compare(base.replace("Not", ""), each, value, request) for each in values) != negated

    if quantifier == "ForAnyValue":
        return any(map(accepted, given))
    if quantifier == "ForAllValues":
        return all(map(accepted, given))
    (value,) = given
    return accepted(value)


def compare(operator: str, wanted: str, value: str, request: Request) -> bool:
    resolved = substituted(wanted, request)
    if resolved is None:
        return False
    if operator == "StringEquals":
        return resolved == value
    if operator in ("StringEqualsIgnoreCase", "Bool"):
        return resolved.lower() == value.lower()
    if operator == "StringLike":
        return glob(resolved, value)
    assert operator in ("ArnLike", "ArnEquals"), operator
    return matches_arn(resolved, value)
