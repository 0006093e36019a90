"""A judgement in words: one sentence that names the actions, and notes on what it does not say."""

from collections.abc import Iterable, Mapping

from ekstui.core import wildcard
from ekstui.core.grants import Extent
from ekstui.core.reach.coverage import Held, covers
from ekstui.core.reach.judgement import Judgement, Outcome
from ekstui.core.reach.touched import Grants

NAMES_SHOWN = 3
"""How many actions a phrase names before it counts the rest."""

Spelling = Mapping[str, str]
"""The documents' spelling of actions and condition keys, by lower case."""


def verdict_on(judgement: Judgement, spelling: Spelling) -> str:
    """Return one sentence on what a change of grants means for the requests allowed."""
    if judgement.reach == "same":
        denied = [each for each in judgement.outcomes if each.before.deny != each.after.deny]
        if denied:
            phrase = "denied otherwise, which takes nothing from what it allows itself"
            return f"same access: {_counted(denied, (phrase, phrase), spelling)}"
        return "same access: the same requests are allowed, written differently"
    phrases = _phrases(judgement.outcomes, spelling)
    unsettled = [each for each in judgement.outcomes if not each.is_settled]
    if judgement.reach == "unknown":
        phrase = "changed in a way that cannot be judged"
        phrases.append(_counted(unsettled, (phrase, phrase), spelling))
    return f"{judgement.reach}: {'; '.join(phrases)}"


def notes_on(judgement: Judgement, before: Grants, after: Grants, spelling: Spelling) -> tuple[str, ...]:
    """Return why something could not be judged, and what to keep in mind about actions to come."""
    unsettled = [each for each in judgement.outcomes if not each.is_settled]
    notes = [_doubt(each, spelling) for each in unsettled[:NAMES_SHOWN]]
    if len(unsettled) > NAMES_SHOWN:
        notes.append(f"{len(unsettled) - NAMES_SHOWN:,} more actions could not be judged.")
    for one, other, verb in ((before, after, "no longer covers"), (after, before, "now covers")):
        replaced = _patterns_replaced(one, other, judgement)
        notes += [f"It {verb} actions that AWS may add under {spelling.get(each, each)}." for each in replaced]
    return tuple(notes)


def _patterns_replaced(one: Grants, other: Grants, judgement: Judgement) -> list[str]:
    """Return the patterns of one side that the other side spells out action by action."""
    differing = {each.action.lower() for each in judgement.outcomes if not (each.nothing_gained and each.nothing_lost)}
    replaced: list[str] = []
    for target in one:
        if target.effect == "Deny" or target.element == "NotAction" or target in other:
            continue
        (pattern,) = target.actions
        if not wildcard.is_wild(pattern) or any(wildcard.matches(pattern, action) for action in differing):
            continue
        others = (each for each in other if each.effect == "Allow" and each.element == "Action")
        if not any(wildcard.covers(each.actions[0], pattern) for each in others):
            replaced.append(pattern)
    return replaced


def _phrases(outcomes: Iterable[Outcome], spelling: Spelling) -> list[str]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.gained:
            groups.setdefault(_gain(outcome.before, outcome.after, spelling), []).append(outcome)
        if outcome.lost:
            groups.setdefault(_loss(outcome.before, outcome.after, spelling), []).append(outcome)
    return [_counted(group, phrase, spelling) for phrase, group in groups.items()]


def _counted(outcomes: list[Outcome], phrase: tuple[str, str], spelling: Spelling) -> str:
    """Return a phrase, in the singular or the plural, with how many actions it is about and the first of them."""
    names = [spelling.get(each.action, each.action) for each in outcomes]
    listed = ", ".join(names[:NAMES_SHOWN])
    if len(names) > NAMES_SHOWN:
        listed += f" and {len(names) - NAMES_SHOWN:,} more"
    noun, said = ("action", phrase[0]) if len(names) == 1 else ("actions", phrase[1])
    return f"{len(names):,} {noun} {said} ({listed})"


def _gain(before: Held, after: Held, spelling: Spelling) -> tuple[str, str]:
    if not before.allow:
        return "added", "added"
    if before.allow == after.allow:
        return "no longer denied in some cases", "no longer denied in some cases"
    dropped = _dropped_keys(before, after, spelling)
    if dropped:
        return f"no longer needs {dropped}", f"no longer need {dropped}"
    aspect = {"resources": "allowed on more resources", "conditions": "allowed under wider conditions"}
    phrase = aspect.get(_aspect(before.allow, after.allow), "allowed in more cases")
    return phrase, phrase


def _loss(before: Held, after: Held, spelling: Spelling) -> tuple[str, str]:
    if not after.allow:
        return "removed", "removed"
    if before.allow == after.allow:
        return "newly denied in some cases", "newly denied in some cases"
    dropped = _dropped_keys(after, before, spelling)
    if dropped:
        return f"now needs {dropped}", f"now need {dropped}"
    aspect = {"resources": "allowed on fewer resources", "conditions": "allowed under narrower conditions"}
    phrase = aspect.get(_aspect(after.allow, before.allow), "allowed in fewer cases")
    return phrase, phrase


def _dropped_keys(narrow: Held, wide: Held, spelling: Spelling) -> str:
    """Return the conditions that the wide side no longer asks for where all else is the same, in words; or nothing."""
    dropped: set[str] = set()
    for general in wide.allow - narrow.allow:
        for special in narrow.allow - wide.allow:
            if general.conditions < special.conditions and covers(general, special):
                kept = {line.key for line in general.conditions}
                dropped.update(line.key for line in special.conditions - general.conditions if line.key not in kept)
    if not dropped:
        return ""
    names = [spelling.get(key, key) for key in sorted(dropped)]
    return f"the condition {names[0]}" if len(names) == 1 else f"the conditions {', '.join(names[:-1])} and {names[-1]}"


def _aspect(narrow: frozenset[Extent], wide: frozenset[Extent]) -> str:
    """Return in what the grants of the wide side differ from the others: `resources`, `conditions` or both."""
    new = wide - narrow
    if all(any(each.conditions == other.conditions for other in narrow) for each in new):
        return "resources"
    places = {(other.element, other.resources) for other in narrow}
    return "conditions" if all((each.element, each.resources) in places for each in new) else "both"


def _doubt(outcome: Outcome, spelling: Spelling) -> str:
    """Return why it is not proven what an action gained or lost."""
    name = spelling.get(outcome.action, outcome.action)
    if wildcard.is_wild(outcome.action):
        return f"{name}: the reference lacks the service, so its actions cannot be listed."
    one, other = outcome.before, outcome.after
    differing = [*(one.allow ^ other.allow), *(one.deny ^ other.deny)]
    which = ""
    if one.allow == other.allow:
        which = "that the changed Deny decides"
    elif one.deny == other.deny and one.allow < other.allow:
        which = "that only the new grant lets through"
    elif one.deny == other.deny and one.allow > other.allow:
        which = "that only the old grant let through"
    if which:
        return f"{name}: no request is known {which}; {_why_none(differing, spelling)}."
    keys = _keys(differing, spelling)
    if keys:
        return f"{name}: neither more nor less is proven; how the conditions on {keys} relate is not known."
    return f"{name}: neither more nor less is proven; how the resources relate is not known."


def _why_none(extents: list[Extent], spelling: Spelling) -> str:
    keys = _keys(extents, spelling)
    if keys:
        return f"the reference may not list {keys} or these resources for the action"
    return "the reference lists no such resource for the action"


def _keys(extents: Iterable[Extent], spelling: Spelling) -> str:
    return ", ".join(sorted({spelling.get(line.key, line.key) for extent in extents for line in extent.conditions}))
