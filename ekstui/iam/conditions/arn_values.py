"""What the values of keys that hold ARNs can be, and which ARNs a text pattern matches, part by part.

`StringLike arn:aws:codecommit:*` and `ArnLike arn:aws:codecommit:*:*:*` are the same there, since a `*` that runs over
colons only leaves out parts that every ARN has.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice

from ekstui.iam import wildcard
from ekstui.iam.arn import Arn, is_plausible, open_variables, split_arn
from ekstui.iam.conditions.known_keys import description_of
from ekstui.iam.conditions.values import Text, Value
from ekstui.iam.reference import reference

ANY_ARN = "arn:*:*:*:*:*"
_ANY = split_arn(ANY_ARN)

MAX_READINGS = 64
"""The most ways in which the parts of an ARN are found in a pattern."""

_COLONS = 5
_PLACE = re.compile(r"[a-z0-9*?-]*")
"""What the partition, service and region of an ARN consist of, and wildcards."""

_LETTERS = re.compile(r"[^a-z0-9]")
_OF_ONE_KIND = re.compile(r"\bARN of (?:an?|the) ", re.IGNORECASE)
_OF_IAM = ("instance-profile", "role", "saml-provider")
"""Kinds of IAM's that keys of other services are named after."""


@cache
def form_of_values(key: str) -> str:
    """Return the pattern of the ARNs that a key, in lower case, holds.

    That of a resource type if the key is named after it: `ec2:PlacementGroup` holds ARNs of placement groups.
    """
    if key == "aws:principalarn":
        return "arn:*:*::*:*"
    if _OF_ONE_KIND.search(description_of(key)) is None:
        return ANY_ARN
    service, _, name = key.partition(":")
    kind_name = _LETTERS.sub("", name).removesuffix("arn")
    for owner, names in ((service, reference().resource_types(service)), ("iam", _OF_IAM)):
        for candidate in names:
            kind = reference().resource_type(owner, candidate)
            if kind is not None and len(kind.arn_formats) == 1 and _LETTERS.sub("", candidate.lower()) == kind_name:
                return open_variables(kind.arn_formats[0])
    return ANY_ARN


def as_arns(values: tuple[Value, ...], key: str, partition: str | None) -> tuple[Value, ...]:
    """Return the values of a condition on a key of ARNs as patterns of ARNs, as far as they can be.

    `partition` is the only one that the conditions name: a request keeps to one partition.
    """
    arns: list[Value] = []
    for value in values:
        readings = _readings(value, key) if isinstance(value, Text) else None
        if readings is None:
            arns.append(value)
            continue
        for reading in readings:
            if partition is not None and wildcard.matches(reading.partition, partition):
                reading = reading._replace(partition=partition)
            arns.append(Text("arn", (":".join(reading),)))
    return tuple(dict.fromkeys(arns))


def named_partitions(values: Iterable[Value]) -> frozenset[str]:
    """Return the partitions that ARNs among values name."""
    texts = (str(value.parts[0]) for value in values if isinstance(value, Text))
    parts = (text.split(":", 2)[1] for text in texts if text.startswith("arn:") and text.count(":") > 1)
    return frozenset(part for part in parts if not wildcard.is_wild(part))


@lru_cache(maxsize=16384)
def _readings(value: Text, key: str) -> tuple[Arn, ...] | None:
    """Return ARN patterns that together match the key's ARNs that a text matches; None if they are too many."""
    if value.comparison == "folded":
        return None
    text = str(value.parts[0])
    form = split_arn(form_of_values(key))
    by_parts = (split_arn(text),) if value.comparison == "arn" or text.count(":") >= _COLONS else ()
    crossing = tuple(islice(_splits(text, ()), MAX_READINGS + 1)) if value.comparison == "like" else ()
    if len(crossing) > MAX_READINGS:
        return None
    readings = (*by_parts, *(reading for reading in crossing if _is_possible(reading, form)))
    possible_readings = (reading for reading in dict.fromkeys(readings) if all(map(wildcard.overlaps, reading, form)))
    return tuple(dict.fromkeys(_within(form, pattern) for pattern in possible_readings))


def _splits(text: str, parts: tuple[str, ...]) -> Iterator[Arn]:
    """Yield the ways to split a pattern at five colons, some of which a `*` may match."""
    if len(parts) == _COLONS:
        yield Arn._make((*parts, text))
        return
    for place, character in enumerate(text):
        if character == ":":
            yield from _splits(text[place + 1 :], (*parts, text[:place]))
            return
        if character == "*":
            yield from _splits(text[place:], (*parts, text[: place + 1]))


def _is_possible(reading: Arn, form: Arn) -> bool:
    """Return whether a reading in which a `*` may match a colon can be an ARN of a form."""
    return (
        is_plausible(reading)
        and all(map(_PLACE.fullmatch, (reading.partition, reading.service, reading.region)))
        # Names contain no colon, so any colon left in the pattern must be one of the form.
        and (form == _ANY or reading.resource.count(":") <= form.resource.count(":"))
    )


def _within(form: Arn, reading: Arn) -> Arn:
    """Return what both match, or the reading if that is no single pattern."""
    return Arn._make(_both(part, reading_part) for part, reading_part in zip(form, reading, strict=True))


def _both(form: str, pattern: str) -> str:
    if wildcard.covers(pattern, form):
        return form
    prefix, star, suffix = form.partition("*")
    tail = pattern.lstrip("*")
    if (
        not star
        or suffix
        or tail == pattern
        or any(wildcard.overlaps(tail, f"{prefix[index:]}*") for index in range(len(prefix)))
    ):
        return pattern
    return f"{prefix}{pattern}"
