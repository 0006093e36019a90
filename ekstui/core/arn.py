"""Resources of a statement: ARN patterns, matched part by part.

An ARN has six parts, split at its first five colons. A wildcard stays within its part, crosses `/` there, and crosses
`:` only in the last part. `${*}`, `${?}` and `${$}` are literal characters; any other `${…}` is a policy variable
whose value is not known here (IAM User Guide, "IAM policy elements: variables and tags").
"""

import re
from functools import lru_cache
from typing import NamedTuple

from ekstui.core import wildcard

_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
# Literal `*` and `?` travel through the wildcard functions as characters that no ARN holds.
_LITERAL_STAR, _LITERAL_ONE = "\ue000", "\ue001"
_LITERALS = {"*": _LITERAL_STAR, "?": _LITERAL_ONE, "$": "$"}
_CONCRETE = str.maketrans({"*": _LITERAL_STAR, "?": _LITERAL_ONE})
_FIRST_VARIABLE = 0xF0000
"""Where the private characters start that stand for policy variables."""


class Arn(NamedTuple):
    """The six parts of an ARN or ARN pattern; parts that a short one lacks are `*`."""

    arn: str
    partition: str
    service: str
    region: str
    account: str
    resource: str


def split_arn(text: str) -> Arn:
    """Return the parts of an ARN or ARN pattern; `*` alone is `*` in every part.

    Colons inside a policy variable do not split.
    """
    stripped = text.strip()
    if not stripped.strip("*") and stripped:
        return Arn("*", "*", "*", "*", "*", "*")
    # What is too long to match is not worth its place in the memory of the cache either.
    parts = _colon_split(stripped) if len(stripped) <= wildcard.MAX_LENGTH else tuple(stripped.split(":", 5))
    return Arn(*parts, *["*"] * (6 - len(parts)))


def has_variable(pattern: str) -> bool:
    """Return whether the pattern holds a policy variable whose value only a request gives."""
    return "${" in pattern and any(name not in _LITERALS for name in _PLACEHOLDER.findall(pattern))


def matches_resource(pattern: str, arn: str) -> bool | None:
    """Return whether a statement's resource matches a concrete ARN; None if that hangs on a policy variable."""
    if pattern == "*":
        return True
    general = split_arn(pattern)
    special = split_arn(arn.translate(_CONCRETE))
    if all(wildcard.matches(_open(a), b) for a, b in zip(general, special, strict=True)):
        return None if has_variable(pattern) else True
    return False


def overlaps_resource(a: str, b: str) -> bool | None:
    """Return whether some ARN matches both resource patterns; None if that hangs on a policy variable."""
    if "*" in (a, b):
        return True
    pairs = zip(split_arn(a), split_arn(b), strict=True)
    if all(wildcard.overlaps(_open(first), _open(second)) for first, second in pairs):
        return None if has_variable(a) or has_variable(b) else True
    return False


def resource_covers(general: str, special: str) -> bool | None:
    """Return whether `general` matches every ARN that `special` matches; None if that hangs on a policy variable.

    A variable that stands on both sides has one value, so `${aws:username}/*` covers `${aws:username}/a`.
    """
    if general in ("*", special):
        return True
    wide, narrow = split_arn(general), split_arn(special)
    if not has_variable(general) and not has_variable(special):
        return all(wildcard.covers(_open(a), _open(b)) for a, b in zip(wide, narrow, strict=True))
    if all(_covers_for_all_values(a, b) for a, b in zip(wide, narrow, strict=True)):
        return True
    compare = wildcard.overlaps if has_variable(special) else wildcard.covers
    if all(compare(_open(a), _open(b)) for a, b in zip(wide, narrow, strict=True)):
        return None
    return False


def _covers_for_all_values(general: str, special: str) -> bool:
    """Return True only if the part covers the other whatever the variables' values are."""
    if not has_variable(general):
        return wildcard.covers(_open(general), _open(special))
    # A variable as one private character would let a `?` stand for a value of any length.
    if "?" in general:
        return False
    names = {name: chr(_FIRST_VARIABLE + index) for index, name in enumerate(_variables(general + special))}
    return wildcard.covers(_opaque(general, names), _opaque(special, names))


def _variables(text: str) -> tuple[str, ...]:
    found = (name.lower() for name in _PLACEHOLDER.findall(text) if name not in _LITERALS)
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=4096)
def _open(part: str) -> str:
    """Return a part as a wildcard pattern in which a variable may have any value."""
    if "${" not in part:
        return part
    return _PLACEHOLDER.sub(lambda found: _LITERALS.get(found[1], "*"), part)


def _opaque(part: str, names: dict[str, str]) -> str:
    """Return a part as a wildcard pattern in which each variable is a character of its own."""
    return _PLACEHOLDER.sub(lambda found: _LITERALS.get(found[1]) or names[found[1].lower()], part)


@lru_cache(maxsize=16384)
def _colon_split(text: str) -> tuple[str, ...]:
    if "${" not in text:
        return tuple(text.split(":", 5))
    # The same length, without the colons of the variables, so that the cuts fall at the same places.
    masked = _PLACEHOLDER.sub(lambda found: "_" * len(found[0]), text)
    parts = []
    start = 0
    for piece in masked.split(":", 5):
        parts.append(text[start : start + len(piece)])
        start += len(piece) + 1
    return tuple(parts)
