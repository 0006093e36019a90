"""The values that a condition line accepts: how one is matched, and how two of them relate.

A value of a text family is a template, compared case for case, without case, with wildcards, or part by part as an
ARN. A value of any other family is a span of numbers, moments, addresses, truths or bytes, so that `1` is `1.0` and an
address lies in its network.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from ekstui.core import wildcard
from ekstui.core.conditions.context import Context
from ekstui.core.conditions.operators import Comparison, Family, How, Kind
from ekstui.core.conditions.truth import Truth
from ekstui.core.conditions.variables import (
    Template,
    Variable,
    exactly,
    literal,
    plain,
    resolved,
    template,
    variables_of,
)

Cut = tuple[Any, ...]
"""A place between points: (-1,) before all, (0, point, 0) just before a point, (0, point, 1) just after, (1,) after all."""

LOWEST: Cut = (-1,)
HIGHEST: Cut = (1,)

# An integer or a decimal, as IAM says; it says nothing of exponents.
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)

# The profile of ISO 8601 that IAM names: https://www.w3.org/TR/NOTE-datetime
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)

_COLONS = 5
_FIRST_VARIABLE = 0xF0000
"""Where the private characters start that stand for policy variables."""

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
"""Keys, in lower case, whose values never hold a colon, so that a variable stays within its part of an ARN."""


class Text(NamedTuple):
    """One accepted text or pattern."""

    how: How
    parts: Template
    """Under `exact` and `folded` without wildcards."""


class Span(NamedTuple):
    """What lies between two cuts."""

    kind: Kind
    low: Cut
    high: Cut


class Deferred(NamedTuple):
    """A value of another family than text that holds a policy variable: only a request says what it is."""

    kind: Kind
    parts: Template


class Malformed(NamedTuple):
    """A value that is not of its family's type, such as `x` for a number; nothing equals it."""

    kind: Kind
    value: str


Value = Text | Span | Deferred | Malformed


def span(kind: Kind, text: str, comparison: Comparison = "=") -> Span | Malformed:
    """Return what a value of the policy accepts, compared in that way."""
    if kind == "address":
        return _network(text)
    point = POINTS[kind](text)
    if point is None:
        return Malformed(kind, text)
    before, after = (0, point, 0), (0, point, 1)
    low, high = {
        "=": (before, after),
        "<": (LOWEST, before),
        "<=": (LOWEST, after),
        ">": (after, HIGHEST),
        ">=": (before, HIGHEST),
    }[comparison]
    return Span(kind, low, high)


def value_of(family: Family, text: str, *, has_variables: bool) -> Value:
    """Return what a value of the policy accepts under an operator of that family."""
    parts = template(text, has_variables=has_variables and family.takes_variables)
    match family.how:
        case "exact" | "folded":
            return Text(family.how, exactly(parts))
        case "like" | "arn":
            return Text(family.how, parts)
        case kind:
            return Deferred(kind, parts) if variables_of(parts) else span(kind, text, family.comparison)


def matches(value: Value, given: str, context: Context) -> tuple[Truth, tuple[str, ...]]:
    """Return whether a value of a request is accepted, and the keys that would decide it.

    Unknown also where either value is not of the family's type: what that means under negation is not documented.
    """
    if isinstance(value, Text):
        found = resolved(value.parts, context)
        if not found.resolvable:
            return False, ()
        possible = _matches_text(value.how, found.pattern(), given)
        return (None if possible and found.unknown_keys else possible), found.unknown_keys
    if isinstance(value, Deferred):
        found = resolved(value.parts, context)
        if not found.resolvable:
            return False, ()
        if found.unknown_keys:
            return None, found.unknown_keys
        value = span(value.kind, found.text())
    if isinstance(value, Malformed):
        return None, ()
    point = POINTS[value.kind](given)
    return (None if point is None else _holds(value, point)), ()


@lru_cache(maxsize=65536)
def _matches_text(how: How, pattern: str, given: str) -> Truth:
    if how == "folded":
        return wildcard.matches(pattern.lower(), literal(given).lower())
    if how == "arn":
        if given.count(":") < _COLONS:
            return None
        parts = zip(_arn_parts(pattern), literal(given).split(":", _COLONS), strict=True)
        return all(wildcard.matches(general, special) for general, special in parts)
    return wildcard.matches(pattern, literal(given))


def _arn_parts(pattern: str) -> list[str]:
    """Return the six parts of an ARN pattern; those that a short one lacks are `*`."""
    pattern = pattern.strip()
    if pattern and not pattern.strip("*"):
        return ["*"] * (_COLONS + 1)
    parts = pattern.split(":", _COLONS)
    return [*parts, *["*"] * (_COLONS + 1 - len(parts))]


def is_everything(value: Value) -> bool:
    """Return whether every text matches."""
    return (
        isinstance(value, Text)
        and value.how == "like"
        and len(value.parts) == 1
        and isinstance(value.parts[0], str)
        and bool(value.parts[0])
        and not value.parts[0].strip("*")
    )


def is_nothing(value: Value) -> bool:
    """Return whether no value of a request matches."""
    return isinstance(value, Malformed) or (isinstance(value, Span) and value.low >= value.high)


def is_unresolvable(value: Value, context: Context) -> bool:
    """Return whether a value holds a policy variable that the request lacks, so that nothing equals it."""
    return isinstance(value, Text | Deferred) and not resolved(value.parts, context).resolvable


@lru_cache(maxsize=65536)
def covers(general: Value, special: Value) -> bool:
    """Return True only if every value that `special` matches is matched by `general`."""
    if general == special or is_everything(general) or is_nothing(special):
        return True
    if isinstance(general, Text):
        return isinstance(special, Text) and _text_covers(general, special)
    if not isinstance(general, Span):
        return False
    if isinstance(special, Span):
        return special.kind == general.kind and general.low <= special.low and special.high <= general.high
    point = _point_of(special, general.kind)
    return point is not None and _holds(general, point)


def covered_by(special: Value, generals: Iterable[Value]) -> bool:
    """Return True only if every value that `special` matches is matched by one of `generals`."""
    generals = tuple(generals)
    if any(covers(general, special) for general in generals):
        return True
    if not isinstance(special, Span):
        return False
    spans = [value for value in generals if isinstance(value, Span) and value.kind == special.kind]
    return any(covers(joined, special) for joined in union(spans))


@lru_cache(maxsize=65536)
def disjoint(one: Value, other: Value) -> bool:
    """Return True only if no value matches both."""
    if is_nothing(one) or is_nothing(other):
        return True
    if isinstance(one, Span) and isinstance(other, Span):
        return one.kind == other.kind and (one.high <= other.low or other.high <= one.low)
    if isinstance(one, Text) and isinstance(other, Text):
        return _texts_disjoint(one, other)
    for text, spread in ((one, other), (other, one)):
        if isinstance(text, Text) and isinstance(spread, Span) and text.how == "exact" and not variables_of(text.parts):
            point = POINTS[spread.kind](plain(str(text.parts[0])))
            return point is None or not _holds(spread, point)
    return False


def is_of_type(value: Value, how: How | Kind) -> bool:
    """Return True only if all that a text matches is an ARN, or of the other type named."""
    if not isinstance(value, Text):
        return False
    if how == "arn":
        return sum(part.count(":") for part in value.parts if isinstance(part, str)) >= _COLONS
    return how in POINTS and _point_of(value, how) is not None


def union(spans: Iterable[Span]) -> list[Span]:
    """Return spans of one kind joined where they meet, in order."""
    joined: list[Span] = []
    for each in sorted(spans, key=lambda each: (each.low, each.high)):
        if joined and each.low <= joined[-1].high:
            joined[-1] = joined[-1]._replace(high=max(joined[-1].high, each.high))
        elif each.low < each.high:
            joined.append(each)
    return joined


def complement(kind: Kind, spans: Iterable[Span]) -> list[Span]:
    """Return what lies in none of the spans."""
    rest: list[Span] = []
    low = LOWEST
    for each in union(spans):
        if low < each.low:
            rest.append(Span(kind, low, each.low))
        low = each.high
    return [*rest, Span(kind, low, HIGHEST)] if low < HIGHEST else rest


def intersection(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return what lies in a span of both."""
    others = tuple(others)
    return union(
        each._replace(low=max(each.low, other.low), high=min(each.high, other.high))
        for each in some
        for other in others
        if max(each.low, other.low) < min(each.high, other.high)
    )


def examples(each: Span) -> list[str]:
    """Return values of a request in a span, those at its ends and one between."""
    return [text for point in _points_in(each) if (text := _written(each.kind, point)) is not None]


def _holds(value: Span, point: object) -> bool:
    return value.low <= (0, point, 0) and (0, point, 1) <= value.high


def _point_of(value: Value, kind: Kind) -> Any:
    """Return the one point of that kind that an exact text without variables is."""
    if isinstance(value, Text) and value.how == "exact" and not variables_of(value.parts):
        return POINTS[kind](plain(str(value.parts[0])))
    return None


def _text_covers(general: Text, special: Text) -> bool:
    pair = _aligned(general.parts, special.parts)
    if pair is None:
        return False
    wide, narrow = pair
    if special.how == "folded" and general.how != "folded" and not _is_caseless(special.parts):
        return False
    if general.how == "folded":
        return wildcard.covers(wide.lower(), narrow.lower())
    if special.how == "arn" and narrow.count(":") < _COLONS:
        if variables_of(special.parts):
            return False
        narrow = ":".join(_arn_parts(narrow))
    if general.how != "arn":
        return wildcard.covers(wide, narrow)
    if wide.count(":") < _COLONS and variables_of(general.parts):
        return False
    shared = {variable.key for variable in variables_of(general.parts)}
    loose = {variable.key for variable in variables_of(special.parts)} - shared
    if not loose <= _WITHOUT_COLON and "*" in ":".join(narrow.split(":", _COLONS)[:_COLONS]):
        return False  # the value of a variable may hold a colon, and so move what follows to other parts
    parts = narrow.split(":", _COLONS)
    if special.how != "arn" and (len(parts) <= _COLONS or any(map(wildcard.is_wild, parts[:_COLONS]))):
        return False
    return all(wildcard.covers(one, other) for one, other in zip(_arn_parts(wide), parts, strict=True))


def _texts_disjoint(one: Text, other: Text) -> bool:
    if one.how == other.how == "arn" and not (variables_of(one.parts) or variables_of(other.parts)):
        pairs = zip(_arn_parts(str(one.parts[0])), _arn_parts(str(other.parts[0])), strict=True)
        return any(not wildcard.overlaps(a, b) for a, b in pairs)
    texts = []
    for value in (one, other):
        text = opened(value.parts)
        if value.how == "arn":
            if text.count(":") < _COLONS:
                text = "*" if variables_of(value.parts) else ":".join(_arn_parts(text))
            text = text.strip()
        texts.append(text)
    if "folded" in (one.how, other.how):
        texts = [text.lower() for text in texts]
    return not wildcard.overlaps(*texts)


def opened(parts: Template) -> str:
    """Return a template as a wildcard pattern in which a variable may have any value."""
    return "".join(part if isinstance(part, str) else "*" for part in parts)


def _aligned(general: Template, special: Template) -> tuple[str, str] | None:
    """Return two templates as wildcard patterns that cover each other only if the templates do; None if none can.

    A variable that both have is a character of its own; one that only `special` has may be any text. Where `special`
    needs a key, the default of a variable on it makes no difference.
    """
    of_general, of_special = variables_of(general), variables_of(special)
    if not of_general and not of_special:
        return opened(general), opened(special)
    if of_general and "?" in opened(general):
        return None  # a `?` would stand for a variable of any length
    needed = {variable.key for variable in of_special if variable.default is None}
    signs: dict[tuple[str, str | None], str] = {}

    def meaning(variable: Variable) -> tuple[str, str | None]:
        return variable.key, None if variable.key in needed else variable.default

    for variable in of_general:
        signs.setdefault(meaning(variable), chr(_FIRST_VARIABLE + len(signs)))

    def written(parts: Template) -> str:
        return "".join(part if isinstance(part, str) else signs.get(meaning(part), "*") for part in parts)

    return written(general), written(special)


def aligned_texts(general: str, special: str) -> tuple[str, str] | None:
    """Return two resources of a policy in which equal variables have equal names; None if none can cover the other.

    A default belongs to its variable, unless `special` needs the key anyway.
    """
    one, other = template(general), template(special)
    of_special = variables_of(other)
    needed = {variable.key for variable in of_special if variable.default is None}
    loose = {variable.key for variable in of_special} - {variable.key for variable in variables_of(one)}
    parts = opened(other).split(":", _COLONS)
    if not loose <= _WITHOUT_COLON and any("*" in part for part in parts[:_COLONS]):
        return None  # the value of a variable may hold a colon, and so move what follows to other parts
    names: dict[tuple[str, str | None], str] = {}

    def written(parts: Template) -> str:
        texts = []
        for part in parts:
            if isinstance(part, str):
                texts.append("".join(f"${{{plain(sign)}}}" if sign != plain(sign) else sign for sign in part))
                continue
            meaning = part.key, None if part.key in needed else part.default
            texts.append(f"${{v{names.setdefault(meaning, str(len(names)))}}}")
        return "".join(texts)

    return written(one), written(other)


def _is_caseless(parts: Template) -> bool:
    text = opened(parts)
    return not variables_of(parts) and text.lower() == text.upper()


def _number(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def _moment(text: str) -> datetime | None:
    text = text.strip()
    try:
        if match := _DATE.fullmatch(text):
            year, month, day, hour, minute, second, fraction, zone = match.groups()
            return datetime(
                int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
                int((fraction or "0")[:6].ljust(6, "0")), _zone(zone),
            )  # fmt: skip
        if _EPOCH.fullmatch(text):
            return _EPOCH_START + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    except (ValueError, OverflowError):
        return None
    return None


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.strip().lower())


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _address(text: str) -> tuple[int, int] | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return address.version, int(address)


def _network(text: str) -> Span | Malformed:
    """Return an address or a CIDR range of IPv4 or IPv6 as the addresses in it."""
    prefix = text.partition("/")[2]
    try:
        if "." in prefix or ":" in prefix:
            raise ValueError
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return Malformed("address", text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return Span("address", (0, (network.version, first), 0), (0, (network.version, last + 1), 0))


POINTS: dict[Kind, Callable[[str], Any]] = {
    "number": _number,
    "date": _moment,
    "truth": _truth,
    "bytes": _bytes,
    "address": _address,
}
"""For each family how a value of a request is read; None if it is not of the family's type."""


def _points_in(each: Span) -> list[Any]:
    """Return points of a span: next to its ends, and between them."""
    low, high = each.low, each.high
    points: list[Any] = []
    if each.kind == "truth":
        return [point for point in (False, True) if _holds(each, point)]
    if each.kind == "bytes":
        return [low[1]] if low[0] == 0 and low[2] == 0 else []
    if each.kind == "address":
        version = low[1][0] if low[0] == 0 else high[1][0] if high[0] == 0 else 4
        last = 2 ** (32 if version == 4 else 128) - 1
        first = low[1][1] if low[0] == 0 else 0
        final = high[1][1] - 1 if high[0] == 0 and high[1][0] == version else last
        points = [(version, first), (version, min(final, last))]
    else:
        step = Decimal(1) if each.kind == "number" else timedelta(days=1)
        if low[0] == 0 and high[0] == 0:
            points = [low[1], high[1], low[1] + (high[1] - low[1]) / 2]
        elif low[0] == 0:
            points = [low[1], low[1] + step]
        elif high[0] == 0:
            points = [high[1], high[1] - step]
        else:
            points = [Decimal(0) if each.kind == "number" else _EPOCH_START]
    return [point for point in dict.fromkeys(points) if _holds(each, point)]


def _written(kind: Kind, point: Any) -> str | None:
    if kind == "number":
        return format(point, "f")
    if kind == "date":
        return str(point.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z")
    if kind == "truth":
        return str(point).lower()
    if kind == "bytes":
        return base64.b64encode(point).decode()
    version, number = point
    return str((ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(number))
