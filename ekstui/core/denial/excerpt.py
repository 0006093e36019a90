"""The lines of a long log that say something about access, each kind of line once."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

_DENIED = re.compile(
    r"not authorized|n[o']t authorized|unauthorized|access ?denied|is forbidden|explicit deny|NoSuchEntity|AuthFailure"
    r"|no (?:identity-based|resource-based|permissions|session|service control|resource control) polic"
    r"|permissions? (?:for|to perform|to call)|encoded authorization failure",
    re.IGNORECASE,
)
_CHANGING = re.compile(r"\b[0-9a-f]{8,}\b|\d+", re.IGNORECASE)
"""What differs between two lines that say the same: times, numbers, identifiers."""


class Excerpt(NamedTuple):
    """The lines of a log that were picked out."""

    text: str
    lines: int
    """How many lines the log has."""
    kept: int


def excerpt(log: Iterable[str], room: int, means_something: Callable[[str], bool]) -> Excerpt:
    """Return the lines of a log that have a denial, or that `means_something` knows, in at most `room` characters.

    Of lines that differ only in times, numbers and identifiers the first is kept. A line longer than `room` is left out.
    """
    kept: list[str] = []
    seen: set[str] = set()
    count = used = 0
    for line in log:
        count += 1
        if not _DENIED.search(line) and not means_something(line):
            continue
        alike = _CHANGING.sub("", line)
        if alike in seen or used + len(line) > room:
            continue
        seen.add(alike)
        kept.append(line)
        used += len(line)
    return Excerpt("".join(kept), count, len(kept))
