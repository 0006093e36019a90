"""What can be typed into the policies' filter, and which policies fit it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ekstui.core.document import ActionElement, Document
from ekstui.core.notation import parse_since
from ekstui.core.policy import Policy
from ekstui.core.reference import reference
from ekstui.core.targets import may_match
from ekstui.core.wildcard import is_wild
from ekstui.library import Library, PolicyEntry
from ekstui.library.allowing import who_can_answer

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
            from ekstui.library.searching import changes

            steps = changes(library, parse_since(facet.text, library.data().newest), "all").changes
            names = {step.policy for step in steps if step.change.kind != "none"}
            return frozenset(entry.policy.arn for entry in entries if entry.policy.name in names)


def _pattern(text: str) -> str:
    """Return what is typed as an action, or as the beginning of one."""
    if is_wild(text) or reference().find(text) is not None:
        return text
    return f"{text}*" if ":" in text else f"*:{text}*"


def _holders(action: str, library: Library) -> frozenset[str]:
    return frozenset(holder.policy.arn for holder in who_can_answer(library, action, None, "all", types=False).holders)


def _has_level(entry: PolicyEntry, wanted: str, library: Library) -> bool:
    return any(
        count.granted and level.casefold().startswith(wanted)
        for service in library.summary(entry.policy)
        if service.effect == "Allow"
        for level, count in service.levels.items()
    )


Touched = Mapping[int, frozenset[tuple[ActionElement, tuple[str, ...]]]]
"""By version, the targets whose grants it changed, as (element, actions); the first known version has all of its own."""


def actions_touched(policy: Policy, library: Library) -> Touched:
    """Return which actions each known version changed. Slow: it reads and compares the whole history."""
    from ekstui.core.change import changes  # with the judgement of reach 20 ms, and only for such a filter

    touched: dict[int, frozenset[tuple[ActionElement, tuple[str, ...]]]] = {}
    before = Document(None, None, ())
    for info in policy.versions:
        after = library.document(policy, info.number)
        change = changes(before, after)
        differences = (*change.added, *change.removed, *change.changed)
        touched[info.number] = frozenset((each.element, each.actions) for each in differences)
        before = after
    return touched


def touches(touched: Touched, version: int, typed: str) -> bool:
    """Return whether a version changed the grants of an action, or of one that begins so."""
    pattern = f"{typed.removeprefix('action:').lower()}*"
    return any(may_match(element, actions, pattern) for element, actions in touched.get(version, ()))
