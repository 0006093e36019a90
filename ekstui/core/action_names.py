"""Completing the name of an action while it is typed, over all that the reference knows."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice

from ekstui.core.reference import reference

SHORTEST_NAME = 3
"""From how many characters on a text without a colon is looked for in the names of all actions."""


def complete(text: str, literals: Iterable[str] = (), limit: int = 20) -> tuple[str, ...]:
    """Return names that a text may become, best first: `ec2:` for `ec`, `eks:DescribeCluster` for `eks:descr`.

    Without a colon these are services and then actions of any service whose name starts so; with one, the service's
    actions that start so and then those that contain it. Case does not count. `literals` are further actions, such as
    those that only documents name; they come last.
    """
    wanted = text.strip().lower()
    service, colon, name = wanted.partition(":")
    found = _in_service(service, name) if colon else _anywhere(wanted)
    further = sorted(literal for literal in literals if wanted and literal.lower().startswith(wanted))
    names = dict.fromkeys(islice(found, limit))
    for literal in further:
        names.setdefault(literal)
    return tuple(islice(names, limit))


def _in_service(service: str, name: str) -> Iterator[str]:
    names = reference().names(service)
    yield from (full for lower, full in names.items() if lower.startswith(name))
    yield from (full for lower, full in names.items() if name in lower and not lower.startswith(name))


def _anywhere(text: str) -> Iterator[str]:
    if not text:
        return
    yield from (f"{service}:" for service in reference().services() if service.startswith(text))
    if len(text) < SHORTEST_NAME:
        return
    names = _by_name()
    for place in range(bisect_left(names, (text, "")), len(names)):
        lower, full = names[place]
        if not lower.startswith(text):
            return
        yield full


@cache
def _by_name() -> list[tuple[str, str]]:
    """Return every action as its lower-case name and full name, sorted; the first call reads all services, 150 ms."""
    known = reference()
    return sorted((lower, full) for service in known.services() for lower, full in known.names(service).items())
