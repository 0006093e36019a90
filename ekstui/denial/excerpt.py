"""The lines of a long log that are about access."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from ekstui.named_tuples import NamedTuple

_ON_ACCESS = re.compile(
    r"not authorized|n[o']t authorized|unauthorized|access ?denied|is forbidden|explicit deny|NoSuchEntity|AuthFailure"
    r"|no (?:identity-based|resource-based|permissions|session|service control|resource control) polic"
    r"|permissions? (?:for|to perform|to call)|encoded authorization failure|Code: 403|403 Forbidden|401 Unauthorized|no basic auth",
    re.IGNORECASE,
)
_CHANGING = re.compile(r"\b(?!\d{12}\b)[0-9a-f]{8,}\b|(?<!\d)(?!\d{12}(?!\d))\d+", re.IGNORECASE)
"""What differs between two lines that say the same: times, numbers, identifiers, but not the numbers of accounts."""
_PRINCIPAL = re.compile(r":(?:assumed-role|role|user)/([^/\s\"'\\,;:)]+)")
"""The name of a role or user in an ARN: those of two lines may differ in a number only, and yet be two."""


class Excerpt(NamedTuple):
    """The lines of a log that were picked out."""

    text: str
    lines: int
    """How many lines the log has."""
    kept: int
    repeats: Mapping[str, int]
    """How many further lines differ from one of those only in times, numbers and identifiers, by that line."""


def excerpt(log: Iterable[str], room: int, means_something: Callable[[str], bool]) -> Excerpt:
    """Return the lines of a log that have a denial, or that `means_something` knows, in at most `room` characters.

    Of lines of the same roles that differ only in times, numbers and identifiers the first is kept. What does not fit
    is left out.
    """
    lines: list[str] = []
    first_lines: dict[tuple[str, ...], str] = {}
    repeats: dict[str, int] = {}
    # A log repeats itself, down to a million empty lines.
    is_wanted = lru_cache(1000)(lambda line: bool(_ON_ACCESS.search(line)) or means_something(line))
    count = length = 0
    for line in log:
        count += 1
        if not is_wanted(line):
            continue
        alike = (_CHANGING.sub("", line), *_PRINCIPAL.findall(line))
        if alike in first_lines:
            repeats[first_lines[alike]] = repeats.get(first_lines[alike], 0) + 1
        elif length + len(line) <= room:
            first_lines[alike] = line
            lines.append(line)
            length += len(line)
    return Excerpt("".join(lines), count, len(lines), repeats)
