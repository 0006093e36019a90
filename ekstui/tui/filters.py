"""What can be typed into the policies' filter, and which policies fit it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ekstui.core.reference import reference
from ekstui.core.since import parse_since
from ekstui.core.wildcard import is_wild
from ekstui.library import Library, PolicyEntry

Kind = Literal["action", "service", "level", "changed"]
_KINDS: dict[str, Kind] = {"action": "action", "service": "service", "level": "level", "changed": "changed"}


@dataclass(frozen=True, slots=True)
class Facet:
    """A part of a filter that takes more than the list itself to answer: `action:ec2:CreateTags`, `changed:30d`."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.text}"


def parse_filter(text: str) -> tuple[tuple[str, ...], tuple[Facet, ...]]:
    """Return the words that a name or purpose must hold, in lower case, and the facets; unfinished facets are left out."""
    words: list[str] = []
    facets: list[Facet] = []
    for word in text.split():
        kind, colon, rest = word.partition(":")
        if not colon or kind.casefold() not in _KINDS:
            words.append(word.casefold())
        elif rest:
            facets.append(Facet(_KINDS[kind.casefold()], rest))
    return tuple(words), tuple(facets)


def policies_that_fit(facet: Facet, entries: Sequence[PolicyEntry], library: Library) -> frozenset[str]:
    """Return the ARNs of the policies that fit a facet; InputError for a date or action that is none. Slow.

    `changed:30d` counts from the last day that is known.
    """
    match facet.kind:
        case "action":
            return _holders(_pattern(facet.text), library)
        case "service":
            return _holders(f"{facet.text}:*", library)
        case "level":
            wanted = facet.text.casefold()
            return frozenset(entry.policy.arn for entry in entries if _has_level(entry, wanted, library))
        case "changed":
            steps = library.changes(parse_since(facet.text, library.data().newest), "all").changes
            names = {step.policy for step in steps if step.change.kind != "none"}
            return frozenset(entry.policy.arn for entry in entries if entry.policy.name in names)


def _pattern(text: str) -> str:
    """Return what is typed as an action, or as the beginning of one."""
    if is_wild(text) or reference().find(text) is not None:
        return text
    return f"{text}*" if ":" in text else f"*:{text}*"


def _holders(action: str, library: Library) -> frozenset[str]:
    return frozenset(holder.policy.arn for holder in library.who_can(action, None, "all").holders)


def _has_level(entry: PolicyEntry, wanted: str, library: Library) -> bool:
    return any(
        count.granted and level.casefold().startswith(wanted)
        for service in library.summary(entry.policy)
        if service.effect == "Allow"
        for level, count in service.levels.items()
    )
