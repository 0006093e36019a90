"""The values that a condition line names, as patterns that can be compared with each other.

A pattern is compared as its operator compares: case for case, without case, with wildcards, or part by part as an ARN.
Policy variables have whatever value a request gives them, the same wherever they stand.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, NamedTuple

from ekstui.core import arn, wildcard

How = Literal["exact", "folded", "like", "arn", "opaque", "unknown"]

# Literal `*` and `?` are kept as characters of the private use area, as in core/arn.py, so that text and pattern meet.
_LITERAL = {"*": "\ue000", "?": "\ue001"}
_CONCRETE = str.maketrans(_LITERAL)
_AS_SENT = str.maketrans({private: sign for sign, private in _LITERAL.items()})
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_ARN_COLONS = 5
_NOT_COMPARED = frozenset({"opaque", "unknown"})


class Pattern(NamedTuple):
    """One accepted value or pattern."""

    how: How
    text: str
    """Literal `*` and `?` as private characters, policy variables as `${name}` in lower case."""
    operator: str = ""
    """For `opaque` and `unknown` only: of such patterns nothing is shown but that equal ones accept equal values."""


def pattern_of(how: How, value: str, operator: str) -> Pattern:
    """Return a value of a condition line as a pattern of its operator."""
    if how in _NOT_COMPARED:
        return Pattern(how, value, operator)
    text = literal(value if how in ("like", "arn") else _concrete(value))
    return Pattern(how, text.lower() if how == "folded" else text)


def _concrete(value: str) -> str:
    """Return a value without wildcards, its `*` and `?` literal, except where they name a placeholder."""
    pieces = re.split(r"(\$\{[^{}]*\})", value)
    return "".join(piece if index % 2 else piece.translate(_CONCRETE) for index, piece in enumerate(pieces))


def is_everything(pattern: Pattern) -> bool:
    """Return whether the pattern matches every value."""
    return pattern.how == "like" and bool(pattern.text) and not pattern.text.strip("*")


def instance(pattern: Pattern, context: Mapping[str, tuple[str, ...]], fill: str) -> str | None:
    """Return a value that the pattern matches, with `fill` for each wildcard; None if none can be told."""
    text = resolve(pattern.text, context)
    if text is None or pattern.how in _NOT_COMPARED:
        return None
    return text.replace("*", fill).replace("?", fill[0]) if pattern.how in ("like", "arn") else text


def resolve(text: str, context: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the text with the values of its policy variables, or None if one of them has no single value."""
    if "${" not in text:
        return text
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        values = context.get(found[1].lower(), ())
        if len(values) != 1:
            missing = True
            return ""
        return values[0]

    resolved = _PLACEHOLDER.sub(value, text)
    return None if missing else resolved


def variables_of(text: str) -> tuple[str, ...]:
    """Return the keys that the policy variables of a resource or value name, in lower case."""
    if "${" not in text:
        return ()
    return tuple(name.lower() for name in _PLACEHOLDER.findall(text) if name not in ("*", "?", "$"))


def literal(text: str) -> str:
    """Return the text with `${*}`, `${?}` and `${$}` as the characters they stand for, kept apart from wildcards."""
    if "${" not in text:
        return text

    def character(found: re.Match[str]) -> str:
        name = found[1]
        return "$" if name == "$" else _LITERAL.get(name, found[0].lower())

    return _PLACEHOLDER.sub(character, text)


def as_sent(value: str) -> str:
    """Return a value with its literal `*` and `?` as a request would carry them."""
    return value.translate(_AS_SENT)


@lru_cache(maxsize=65536)
def covers(general: Pattern, special: Pattern) -> bool:
    """Return True only if every value that `special` matches is matched by `general`."""
    if general == special or is_everything(general):
        return True
    if not _NOT_COMPARED.isdisjoint((general.how, special.how)):
        return False
    plain = not variables_of(special.text) and not wildcard.is_wild(special.text)
    if special.how == "arn" and not _is_arn(special.text):
        plain = False
    if general.how == "exact":
        return general.text == special.text and plain and (special.how != "folded" or _is_caseless(special.text))
    if general.how == "folded":
        return general.text == special.text.lower() and (plain or special.how == "exact")
    if variables_of(general.text):
        return general.text == special.text and special.how == "exact" and general.how == "like"
    if general.how == "like":
        if special.how == "folded" and not _is_caseless(special.text):
            return False
        if special.how == "arn" and not _is_arn(special.text):
            return False
        return wildcard.covers(general.text, _open(special.text))
    if special.how == "arn":
        return arn.resource_covers(general.text, special.text) is True
    return (
        plain and special.how != "folded" and _is_arn(special.text) and bool(_matches_arn(general.text, special.text))
    )


@lru_cache(maxsize=65536)
def disjoint(one: Pattern, other: Pattern) -> bool:
    """Return True only if no value matches both."""
    if not _NOT_COMPARED.isdisjoint((one.how, other.how)):
        return False
    texts = []
    for pattern in (one, other):
        short = pattern.how == "arn" and not _is_arn(pattern.text)
        texts.append("*" if short else _open(pattern.text))
    if "folded" in (one.how, other.how):
        texts = [text.lower() for text in texts]
    return not wildcard.overlaps(*texts)


def _open(text: str) -> str:
    """Return a text as a wildcard pattern in which a variable may have any value."""
    return _PLACEHOLDER.sub("*", text) if "${" in text else text


def _is_caseless(text: str) -> bool:
    return text.lower() == text.upper()


def _is_arn(text: str) -> bool:
    return text.count(":") >= _ARN_COLONS


def _matches_arn(pattern: str, value: str) -> bool | None:
    return _is_arn(value) and arn.matches_resource(pattern, value)


def matches(pattern: Pattern, value: str, context: Mapping[str, tuple[str, ...]]) -> bool | None:
    """Return whether a value of a request matches the pattern; None where that cannot be told.

    A policy variable without a value matches nothing.
    """
    text = resolve(pattern.text, context)
    if pattern.how in _NOT_COMPARED or (text is not None and "${" in text):
        return None
    return text is not None and _matches(pattern.how, text, value)


@lru_cache(maxsize=65536)
def _matches(how: How, text: str, value: str) -> bool:
    if how == "exact":
        return text == value
    if how == "folded":
        return text.lower() == value.lower()
    return wildcard.matches(text, value) if how == "like" else _matches_arn(text, value) is True
