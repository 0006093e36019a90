"""How one value of a request compares with one value of a policy, for each family of condition operators.

A comparison answers None where a value is not of the family's type, such as a number that is none.
"""

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

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


def ordered_numbers(given: str, wanted: str) -> int | None:
    """Return -1, 0 or 1 as `given` is less than, equal to or greater than `wanted`, both numbers."""
    left, right = _number(given), _number(wanted)
    return None if left is None or right is None else _order(left, right)


def ordered_dates(given: str, wanted: str) -> int | None:
    """Return -1, 0 or 1 as `given` is before, at or after `wanted`, both ISO 8601 or seconds of the epoch."""
    left, right = _moment(given), _moment(wanted)
    return None if left is None or right is None else _order(left, right)


def same_truth(given: str, wanted: str) -> bool | None:
    """Return whether two Boolean texts are the same."""
    left, right = given.strip().lower(), wanted.strip().lower()
    return left == right if {left, right} <= {"true", "false"} else None


def same_bytes(given: str, wanted: str) -> bool | None:
    """Return whether two base64 texts hold the same bytes."""
    try:
        return base64.b64decode(given, validate=True) == base64.b64decode(wanted, validate=True)
    except (binascii.Error, ValueError):
        return None


def in_network(given: str, wanted: str) -> bool | None:
    """Return whether the address `given` lies in `wanted`, an address or a CIDR range of IPv4 or IPv6."""
    prefix = wanted.partition("/")[2]
    if "." in prefix or ":" in prefix:
        return None
    try:
        address = ipaddress.ip_address(given.strip())
        network = ipaddress.ip_network(wanted.strip(), strict=False)
    except ValueError:
        return None
    return address.version == network.version and address in network


def _order(left: Decimal | datetime, right: Decimal | datetime) -> int:
    return 0 if left == right else -1 if left < right else 1  # type: ignore[operator]  # both are of one type


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
