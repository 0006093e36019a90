"""What a grant is on and what it depends on, in the few words that a row has room for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from ekstui.iam.arn import split_arn
from ekstui.iam.text import clean_line

if TYPE_CHECKING:
    from ekstui.iam.grants import Grant

ALL = "all"
"""Every resource."""

_EVERY_ONE = re.compile(r"([A-Za-z][\w-]*)([/:]\*)+")
"""All resources of a type, such as `network-interface/*`; `/*` below a name is something else."""


def resource_in_short(resource: str) -> str:
    """Return `network-interface` for `arn:aws:ec2:*:*:network-interface/*`, `all of ec2` for all of a service's.

    The objects of an S3 bucket, `name/*`, stay what they are, since S3's ARNs have no type and `name` is the bucket.
    """
    resource = clean_line(resource)
    if not resource.startswith("arn:"):
        return ALL if resource == "*" else resource
    arn = split_arn(resource)
    if not arn.resource.strip("*/:"):
        return f"all of {arn.service}"
    every_one = None if arn.service == "s3" else _EVERY_ONE.fullmatch(arn.resource)
    return every_one[1] if every_one else arn.resource


def resources_in_short(grants: Iterable[Grant]) -> list[str]:
    """Return the resources of grants, without duplicates."""
    words: dict[str, None] = {}
    for grant in grants:
        names = list(map(resource_in_short, grant.resources))
        is_listed = grant.resource_element == "Resource"
        words |= dict.fromkeys(names if is_listed else [f"all but {', '.join(names)}"])
    return list(words)


def key_in_short(key: str) -> str:
    """Return a condition key without `aws:`, such as `RequestTag/Name` or `ec2:CreateAction`."""
    return clean_line(key.removeprefix("aws:"))


def kind_of_key(key: str) -> str:
    """Return a condition key without its tag, in short."""
    return key_in_short(key).partition("/")[0]


def conditions_in_short(grants: Sequence[Grant], room: int | None = None) -> str:
    """Return the condition keys of grants, `if ec2:CreateAction, or RequestTag/Name`; `some if` where one has none.

    In a room, keys are without their tags if a grant's do not fit, and the ways that do not fit are counted.
    """
    ways = [tuple(dict.fromkeys(condition.key for condition in grant.conditions)) for grant in grants]
    keys_of_ways = _ways_in_short(ways, key_in_short)
    if room is not None and any(len(way) > room for way in keys_of_ways):
        keys_of_ways = _ways_in_short(ways, kind_of_key)
    if not keys_of_ways:
        return ""
    return f"{'some ' if () in ways else ''}if {fitted(keys_of_ways, ', or ', ', or +', room)}"


def _ways_in_short(ways: Iterable[Sequence[str]], in_short: Callable[[str], str]) -> list[str]:
    return list(dict.fromkeys(" and ".join(dict.fromkeys(map(in_short, way))) for way in ways if way))


def fitted(names: Sequence[str], separator: str, count_prefix: str, room: int | None) -> str:
    """Return as many names as fit, at least one, and how many more there are."""
    count = len(names) if room is None else 1
    while count < len(names) and room is not None and len(separator.join(names[: count + 1])) <= room:
        count += 1
    return separator.join(names[:count]) + (f"{count_prefix}{len(names) - count}" if count < len(names) else "")
