"""The values that a condition accepts: how one is matched, and how two of them relate.

A text is compared exactly, ignoring case, with wildcards, or part by part as an ARN. Any other value is a span.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ekstui.iam import wildcard
from ekstui.iam.arn import split_arn
from ekstui.iam.condition_operators import Family, Kind, TextComparison
from ekstui.iam.conditions.spans import POINTS, MalformedValue, ValueSpan, contains, span, union
from ekstui.iam.policy_variables import (
    Context,
    Template,
    aligned,
    exactly,
    literal,
    opened,
    resolved,
    template,
    variables_of,
    without_encoding,
)
from ekstui.iam.truth import Truth
from ekstui.named_tuples import NamedTuple

_COLONS = 5
_WITHOUT_COLON = frozenset(
    {
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principaltype",
        "aws:requestedregion",
        "aws:resourceaccount",
        "aws:resourceorgid",
        "aws:sourceaccount",
        "aws:username",
    }
)
"""Keys, in lower case, whose values never contain a colon, so that a variable stays within its part of an ARN."""


class Text(NamedTuple):
    """One accepted text or pattern."""

    comparison: TextComparison
    parts: Template
    """Under `exact` and `folded` without wildcards."""


class DeferredValue(NamedTuple):
    """A value other than text with a policy variable, whose value only a request gives."""

    kind: Kind
    parts: Template


Value = Text | ValueSpan | DeferredValue | MalformedValue


def value_of(family: Family, text: str, *, has_variables: bool) -> Value:
    """Return what a value in a policy accepts under an operator of that family."""
    parts = template(text, has_variables=has_variables and family.takes_variables)
    match family.compared_as:
        case "exact" | "folded":
            return Text(family.compared_as, exactly(parts))
        case "like" | "arn":
            return Text(family.compared_as, parts)
        case kind:
            return DeferredValue(kind, parts) if variables_of(parts) else span(kind, text, family.comparison)


def value_matches(value: Value, actual: str, context: Context) -> tuple[Truth, tuple[str, ...]]:
    """Return whether a value of a request is accepted, and the keys that would decide it.

    The result is also unknown if either value has the wrong type, since its meaning under negation is not documented.
    """
    if isinstance(value, Text):
        text = resolved(value.parts, context)
        if not text.resolvable:
            return False, ()
        possible = _matches_text(value.comparison, text.pattern(), actual)
        return (None if possible and text.unknown_keys else possible), text.unknown_keys
    if isinstance(value, DeferredValue):
        text = resolved(value.parts, context)
        if not text.resolvable:
            return False, ()
        if text.unknown_keys:
            return None, text.unknown_keys
        value = span(value.kind, text.text())
    if isinstance(value, MalformedValue):
        return None, ()
    point = POINTS[value.kind](actual)
    return (None if point is None else contains(value, point)), ()


@lru_cache(maxsize=65536)
def _matches_text(comparison: TextComparison, pattern: str, actual: str) -> Truth:
    if comparison == "folded":
        return wildcard.matches(pattern.lower(), literal(actual).lower())
    if comparison == "arn":
        if actual.count(":") < _COLONS:
            return None
        parts = zip(split_arn(pattern), literal(actual).split(":", _COLONS), strict=True)
        return all(wildcard.matches(general, special) for general, special in parts)
    return wildcard.matches(pattern, literal(actual))


def only_match(value: Value) -> str | None:
    """Return the only text that a value matches, as `literal_form` writes it; None if it may match others."""
    if not isinstance(value, Text) or value.comparison == "arn" or variables_of(value.parts):
        return None
    text = "".join(map(str, value.parts))
    if wildcard.is_wild(text) or len(text) > wildcard.MAX_LENGTH:
        return None
    return text.lower() if value.comparison == "folded" else text


def literal_form(comparison: TextComparison | Kind, actual: str) -> str:
    """Return a value of a request as it is compared with texts."""
    return literal(actual).lower() if comparison == "folded" else literal(actual)


def is_everything(value: Value) -> bool:
    """Return whether every text matches."""
    return (
        isinstance(value, Text)
        and value.comparison == "like"
        and len(value.parts) == 1
        and isinstance(value.parts[0], str)
        and bool(value.parts[0])
        and not value.parts[0].strip("*")
    )


def is_nothing(value: Value) -> bool:
    """Return whether no value of a request matches."""
    return isinstance(value, MalformedValue) or (isinstance(value, ValueSpan) and value.low >= value.high)


def is_unresolvable(value: Value, context: Context) -> bool:
    """Return whether a value contains a policy variable that the request lacks, so that nothing equals it."""
    return isinstance(value, Text | DeferredValue) and not resolved(value.parts, context).resolvable


@lru_cache(maxsize=65536)
def value_covers(general: Value, special: Value) -> bool:
    """Return True only if every value that `special` matches is matched by `general`."""
    if general == special or is_everything(general) or is_nothing(special):
        return True
    if isinstance(general, Text):
        return isinstance(special, Text) and _text_covers(general, special)
    if not isinstance(general, ValueSpan):
        return False
    if isinstance(special, ValueSpan):
        return special.kind == general.kind and general.low <= special.low and special.high <= general.high
    point = _point_of(special, general.kind)
    return point is not None and contains(general, point)


def covered_by(special: Value, generals: Iterable[Value]) -> bool:
    """Return True only if every value that `special` matches is matched by one of `generals`."""
    generals = tuple(generals)
    if any(value_covers(general, special) for general in generals):
        return True
    if not isinstance(special, ValueSpan):
        return False
    spans = [value for value in generals if isinstance(value, ValueSpan) and value.kind == special.kind]
    return any(value_covers(united_span, special) for united_span in union(spans))


@lru_cache(maxsize=65536)
def disjoint(value_a: Value, value_b: Value) -> bool:
    """Return True only if no value matches both."""
    if is_nothing(value_a) or is_nothing(value_b):
        return True
    if isinstance(value_a, ValueSpan) and isinstance(value_b, ValueSpan):
        return value_a.kind == value_b.kind and (value_a.high <= value_b.low or value_b.high <= value_a.low)
    if isinstance(value_a, Text) and isinstance(value_b, Text):
        return _texts_disjoint(value_a, value_b)
    for text, spread in ((value_a, value_b), (value_b, value_a)):
        if (
            isinstance(text, Text)
            and isinstance(spread, ValueSpan)
            and text.comparison == "exact"
            and not variables_of(text.parts)
        ):
            point = POINTS[spread.kind](without_encoding(str(text.parts[0])))
            return point is None or not contains(spread, point)
    return False


def has_only_type(value: Value, comparison: TextComparison | Kind) -> bool:
    """Return True only if a text matches only ARNs, or only values of the given type."""
    if not isinstance(value, Text):
        return False
    if comparison == "arn":
        return sum(part.count(":") for part in value.parts if isinstance(part, str)) >= _COLONS
    return comparison in POINTS and _point_of(value, comparison) is not None


def _point_of(value: Value, kind: Kind) -> Any:
    """Return an exact text without variables as a point of that kind; None if it is not one."""
    if isinstance(value, Text) and value.comparison == "exact" and not variables_of(value.parts):
        return POINTS[kind](without_encoding(str(value.parts[0])))
    return None


def _text_covers(general: Text, special: Text) -> bool:
    pair = aligned(general.parts, special.parts)
    if pair is None:
        return False
    general_text, special_text = pair
    if special.comparison == "folded" and general.comparison != "folded" and not _is_caseless(special.parts):
        return False
    if general.comparison == "folded":
        return wildcard.covers(general_text.lower(), special_text.lower())
    if special.comparison == "arn" and special_text.count(":") < _COLONS:
        if variables_of(special.parts):
            return False
        special_text = ":".join(split_arn(special_text))
    if general.comparison != "arn":
        return wildcard.covers(general_text, special_text)
    parts = special_text.split(":", _COLONS)
    if not _has_parts(special, general, parts) or (general_text.count(":") < _COLONS and variables_of(general.parts)):
        return False
    return all(
        wildcard.covers(part, special_part) for part, special_part in zip(split_arn(general_text), parts, strict=True)
    )


def _has_parts(special: Text, general: Text, parts: list[str]) -> bool:
    """Return True only if whatever `special` matches is an ARN with these parts."""
    if may_move_colons(general.parts, special.parts, parts):
        return False
    return special.comparison == "arn" or (len(parts) > _COLONS and not any(map(wildcard.is_wild, parts[:_COLONS])))


def may_move_colons(general: Template, special: Template, parts: list[str]) -> bool:
    """Return whether a variable's value may contain a colon and so shift the parts of an ARN."""
    loose = {variable.key for variable in variables_of(special)} - {variable.key for variable in variables_of(general)}
    return not loose <= _WITHOUT_COLON and any("*" in part for part in parts[:_COLONS])


def _texts_disjoint(text_a: Text, text_b: Text) -> bool:
    if text_a.comparison == text_b.comparison == "arn" and not (
        variables_of(text_a.parts) or variables_of(text_b.parts)
    ):
        pairs = zip(split_arn(str(text_a.parts[0])), split_arn(str(text_b.parts[0])), strict=True)
        return any(not wildcard.overlaps(a, b) for a, b in pairs)
    texts = []
    for value in (text_a, text_b):
        text = opened(value.parts)
        if value.comparison == "arn":
            if text.count(":") < _COLONS:
                text = "*" if variables_of(value.parts) else ":".join(split_arn(text))
            text = text.strip()
        texts.append(text)
    if "folded" in (text_a.comparison, text_b.comparison):
        texts = [text.lower() for text in texts]
    return not wildcard.overlaps(*texts)


def _is_caseless(parts: Template) -> bool:
    text = opened(parts)
    return not variables_of(parts) and text.lower() == text.upper()
