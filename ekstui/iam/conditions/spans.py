"""Numbers, times, addresses, booleans and bytes as spans, so that `1` is `1.0` and an address lies in its network.

IAM User Guide, "IAM JSON policy elements: Condition operators", for how each is written.
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ekstui.iam.condition_operators import ComparisonSign, Kind
from ekstui.named_tuples import NamedTuple

Cut = tuple[Any, ...]
"""A position between points: (-1,) before all, (0, point, 0) before a point, (0, point, 1) after it, (1,) last."""

LOWEST: Cut = (-1,)
HIGHEST: Cut = (1,)

# IAM documents integers and decimals, but not exponents.
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?", re.ASCII)

# The profile of ISO 8601 that IAM refers to: https://www.w3.org/TR/NOTE-datetime
_DATE = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?)?)?",
    re.ASCII,
)
_EPOCH = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?", re.ASCII)
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)


class ValueSpan(NamedTuple):
    """Everything between two cuts."""

    kind: Kind
    low: Cut
    high: Cut


class MalformedValue(NamedTuple):
    """A value of the wrong type, such as `x` for a number; nothing equals it."""

    kind: Kind
    value: str


def span(kind: Kind, text: str, comparison: ComparisonSign = "=") -> ValueSpan | MalformedValue:
    """Return what a value in a policy accepts under a comparison."""
    if kind == "address":
        return _network(text)
    point = POINTS[kind](text)
    if point is None:
        return MalformedValue(kind, text)
    before, after = (0, point, 0), (0, point, 1)
    low, high = {
        "=": (before, after),
        "<": (LOWEST, before),
        "<=": (LOWEST, after),
        ">": (after, HIGHEST),
        ">=": (before, HIGHEST),
    }[comparison]
    return ValueSpan(kind, low, high)


def contains(value: ValueSpan, point: object) -> bool:
    """Return whether a point lies in a span."""
    return value.low <= (0, point, 0) and (0, point, 1) <= value.high


def union(spans: Iterable[ValueSpan]) -> list[ValueSpan]:
    """Return spans of one kind in order, with adjacent ones joined."""
    united_spans: list[ValueSpan] = []
    for span in sorted(spans, key=lambda span: (span.low, span.high)):
        if united_spans and span.low <= united_spans[-1].high:
            united_spans[-1] = united_spans[-1]._replace(high=max(united_spans[-1].high, span.high))
        elif span.low < span.high:
            united_spans.append(span)
    return united_spans


def complement(kind: Kind, spans: Iterable[ValueSpan]) -> list[ValueSpan]:
    """Return everything outside of the spans."""
    outer_spans: list[ValueSpan] = []
    low = LOWEST
    for span in union(spans):
        if low < span.low:
            outer_spans.append(ValueSpan(kind, low, span.low))
        low = span.high
    return [*outer_spans, ValueSpan(kind, low, HIGHEST)] if low < HIGHEST else outer_spans


def intersection(spans_a: Iterable[ValueSpan], spans_b: Iterable[ValueSpan]) -> list[ValueSpan]:
    """Return what both lists of spans contain."""
    spans_b = tuple(spans_b)
    return union(
        span._replace(low=max(span.low, neighbour.low), high=min(span.high, neighbour.high))
        for span in spans_a
        for neighbour in spans_b
    )


@lru_cache(maxsize=4096)
def examples(span: ValueSpan) -> tuple[str, ...]:
    """Return values in a span, as a request writes them: those at its ends and one between."""
    return tuple(text for point in _points_in(span) if (text := _written(span.kind, point)) is not None)


def _number(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


def _moment(text: str) -> datetime | None:
    text = text.strip()
    try:
        if _DATE.fullmatch(text):
            # Of a date without a time, the month and the day may be missing.
            moment = datetime.fromisoformat(text if len(text) >= len("2026-01-01") else f"{text}-01-01"[:10])
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if _EPOCH.fullmatch(text):
            return _EPOCH_START + timedelta(microseconds=int(Decimal(text) * 1_000_000))
    except (ValueError, OverflowError):
        return None
    return None


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


def _network(text: str) -> ValueSpan | MalformedValue:
    """Return an IPv4 or IPv6 address or CIDR range as a span."""
    prefix = text.partition("/")[2]
    try:
        if "." in prefix or ":" in prefix:
            raise ValueError
        network = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        return MalformedValue("address", text)
    first, last = int(network.network_address), int(network.broadcast_address)
    return ValueSpan("address", (0, (network.version, first), 0), (0, (network.version, last + 1), 0))


@lru_cache(maxsize=4096)
def without_network(text: str, part: str) -> list[str]:
    """Return a network as a smaller one within it and what that leaves; alone if the other is not within it."""
    try:
        outer, inner = (ipaddress.ip_network(network.strip(), strict=False) for network in (text, part))
        remaining_networks = [str(network) for network in outer.address_exclude(inner)]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return [text]
    return [text] if not remaining_networks else [str(inner), *remaining_networks]


POINTS: dict[Kind, Callable[[str], Any]] = {
    "number": _number,
    "date": _moment,
    "truth": _truth,
    "bytes": _bytes,
    "address": _address,
}
"""Parsers by kind of value; they return None for a value of the wrong type."""


def _points_in(span: ValueSpan) -> list[Any]:
    """Return points in a span: near its ends, and between them."""
    low, high = (cut[1] if cut[0] == 0 else None for cut in (span.low, span.high))
    match span.kind:
        case "truth":
            points: list[Any] = [False, True]
        case "bytes":
            points = [low] if low is not None and span.low[2] == 0 else []
        case "address":
            points = _addresses(low, high)
        case "number":
            points = _beside(low, high, Decimal(1)) or [Decimal(0)]
        case "date":
            points = _beside(low, high, timedelta(days=1)) or [_EPOCH_START]
    return [point for point in dict.fromkeys(points) if contains(span, point)]


def _beside(low: Any, high: Any, step: Any) -> list[Any]:
    if low is not None and high is not None:
        return [low, high, low + (high - low) / 2]
    if low is not None:
        return [low, low + step]
    return [] if high is None else [high, high - step]


_LAST = {4: 2**32 - 1, 6: 2**128 - 1}
"""The last address of each version of IP, as a number."""


def _addresses(low: tuple[int, int] | None, high: tuple[int, int] | None) -> list[tuple[int, int]]:
    """Return the addresses next to both ends, and the first and last of each version, which may lie between."""
    ends = [low, *((version, number) for version, last in _LAST.items() for number in (0, last))]
    ends.append(None if high is None else (high[0], high[1] - 1))
    return [end for end in ends if end is not None and 0 <= end[1] <= _LAST[end[0]]]


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
