"""The filters of the policies and versions panes: their syntax, and what matches."""

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
    """A part of a filter that needs more than the list itself, such as `action:ec2:CreateTags` or `changed:30d`."""

    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.text}"


def parse_filter(text: str) -> tuple[tuple[str, ...], tuple[Facet, ...]]:
    """Return the words to look for, in lower case, and the facets; incomplete facets are left out."""
    words: list[str] = []
    facets: list[Facet] = []
    for word in text.split():
        kind, colon, rest = word.partition(":")
        if not colon or kind.casefold() not in _KINDS:
            words.append(word.casefold())
        elif rest:
            facets.append(Facet(_KINDS[kind.casefold()], rest))
    return tuple(words), tuple(facets)


def matching_policies(facet: Facet, entries: Sequence[PolicyEntry], library: Library) -> frozenset[str]:
    """Return the ARNs of the policies that match a facet. Slow.

    `changed:30d` counts back from the newest known change. Raises InputError for an invalid date or action.
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
    """Return a pattern for a typed action or the beginning of one."""
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
"""By version, the (element, actions) of the grants that it changed; for the first known version, all of them."""


def actions_touched(policy: Policy, library: Library) -> Touched:
    """Return the actions that each known version changed. Slow: reads and compares all versions."""
    from ekstui.core.change import changes  # 20 ms, only for this filter

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
    """Return whether a version changed a grant of an action that starts with what was typed."""
    pattern = f"{typed.removeprefix('action:').lower()}*"
    return any(may_match(element, actions, pattern) for element, actions in touched.get(version, ()))
