"""Which policies match a facet of the filter, such as `action:ec2:CreateTags` or `changed:30d`."""

from collections.abc import Sequence

from ekstui.iam.reference import reference
from ekstui.iam.wildcard import is_wild
from ekstui.library.catalog import PolicyEntry
from ekstui.library.facets import Facet
from ekstui.library.feed import changes_feed
from ekstui.library.library import Library
from ekstui.library.notation import parse_since
from ekstui.library.searching import who_can_answer


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
            level_start = facet.text.casefold()
            return frozenset(entry.policy.arn for entry in entries if _has_level(entry, level_start, library))
        case _:
            steps = changes_feed(library, parse_since(facet.text, library.data().newest), "all").changes
            names = {step.policy for step in steps if step.change.kind != "none"}
            return frozenset(entry.policy.arn for entry in entries if entry.policy.name in names)


def _pattern(text: str) -> str:
    """Return a pattern for a typed action or the beginning of one."""
    if is_wild(text) or reference().find(text) is not None:
        return text
    return f"{text}*" if ":" in text else f"*:{text}*"


def _holders(action: str, library: Library) -> frozenset[str]:
    return frozenset(holder.policy.arn for holder in who_can_answer(library, action, None, "all", types=False).holders)


def _has_level(entry: PolicyEntry, level_start: str, library: Library) -> bool:
    return any(
        count.granted and level.casefold().startswith(level_start)
        for service in library.summary(entry.policy)
        if service.effect == "Allow"
        for level, count in service.levels.items()
    )
