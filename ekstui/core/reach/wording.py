"""A judgement in words: one sentence that names the actions, and notes on what it does not say."""

from collections.abc import Iterable

from ekstui.core import wildcard
from ekstui.core.grants import Extent, Reach
from ekstui.core.reach.judgement import TOO_LARGE, Denies, Judgement, Outcome
from ekstui.core.reach.phrases import Names, Phrase, Spelling, gain, loss
from ekstui.core.reach.touched import Grants

NAMES_SHOWN = 3
"""How many actions a phrase names before it counts the rest."""

LONGEST = 450
"""About how many characters a verdict has before it counts the actions that are left."""


def verdict_on(judgement: Judgement, spelling: Spelling, names: Names | None = None) -> str:
    """Return one sentence on what a change of grants means for the requests allowed.

    `names` are those of two policies; without them the sides are two versions of one.
    """
    if judgement.reach == "same":
        if judgement.denies:
            denied = [each for each in judgement.outcomes if each.before.deny != each.after.deny]
            return _of_denies(judgement.denies, denied, spelling, names)
        return "same access: the same requests are allowed, written differently"
    phrases = _phrases(judgement.outcomes, spelling, names)
    unsettled = [each for each in judgement.outcomes if not each.is_settled and not _is_new(each)]
    if judgement.reach == "unknown" and unsettled:
        phrase = "changed in a way that cannot be judged"
        phrases.append(_counted(unsettled, Phrase(phrase, phrase), spelling))
    return f"{_opening(judgement.reach, names)}: {'; '.join(phrases)}"


def _opening(reach: Reach, names: Names | None) -> str:
    if names is None:
        return reach
    words = {
        "widened": f"{names.after} allows more",
        "narrowed": f"{names.after} allows less",
        "mixed": "each allows something that the other does not",
        "same": "same access",
        "unknown": "which allows more cannot be told",
    }
    return words[reach]


def _of_denies(denies: Denies, outcomes: list[Outcome], spelling: Spelling, names: Names | None) -> str:
    """Return what changed Denies mean where what is allowed stays the same, as in a policy that only denies."""
    cases = {"more": "in more cases", "less": "in fewer cases", "otherwise": "otherwise"}[denies]
    groups: dict[str, list[Outcome]] = {}
    for each in outcomes:
        said = (
            "newly denied" if not each.before.deny else "no longer denied" if not each.after.deny else f"denied {cases}"
        )
        groups.setdefault(said, []).append(each)
    counted = [_counted(group, Phrase(said, said), spelling) for said, group in groups.items()]
    who = f"{names.after} " if names else ""
    return f"{who}denies {denies}{': ' if counted else ''}{'; '.join(counted)}"


def _is_new(outcome: Outcome) -> bool:
    """Return whether one side alone names an action: that counts, whether or not a request is known that shows it."""
    return bool(outcome.before.allow) != bool(outcome.after.allow)


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


def _phrases(outcomes: Iterable[Outcome], spelling: Spelling, names: Names | None) -> list[str]:
    """Return what happened to the actions, those with the same phrase together: what came and went, then the most."""
    groups: dict[tuple[Phrase, bool], list[Outcome]] = {}
    for outcome in outcomes:
        new = _is_new(outcome)
        phrases: dict[Phrase, None] = {}
        if outcome.gained or (new and not outcome.nothing_gained and outcome.after.allow):
            phrases[gain(outcome.before, outcome.after, spelling, names)] = None
        if outcome.lost or (new and not outcome.nothing_lost and outcome.before.allow):
            phrases[loss(outcome.before, outcome.after, spelling, names)] = None
        for phrase in phrases:
            groups.setdefault((phrase, wildcard.is_wild(outcome.action)), []).append(outcome)
    ranked = sorted(groups.items(), key=lambda group: (not _is_new(group[1][0]), -len(group[1])))
    said: list[str] = []
    shown: set[str] = set()
    rest: set[str] = set()
    for (phrase, _), group in ranked:
        text = _counted(group, phrase, spelling)
        if said and sum(map(len, said)) + len(text) > LONGEST:
            rest.update(each.action for each in group)
        else:
            said.append(text)
            shown.update(each.action for each in group)
    rest -= shown
    differ = "differs" if len(rest) == 1 else "differ"
    return said + ([f"{len(rest):,} more {differ} in resources or conditions"] if rest else [])


def _counted(outcomes: list[Outcome], phrase: Phrase, spelling: Spelling) -> str:
    """Return a phrase, in the singular or the plural, with how many actions it is about and the first of them."""
    names = [spelling.get(each.action, each.action) for each in outcomes]
    listed = ", ".join(names[:NAMES_SHOWN])
    if len(names) > NAMES_SHOWN:
        listed += f" and {len(names) - NAMES_SHOWN:,} more"
    one = len(names) == 1
    said = phrase.of_one if one else phrase.of_several
    if wildcard.is_wild(outcomes[0].action):
        # It counts as far as AWS has, or adds, such actions.
        noun = "pattern that matches" if one else "patterns that match"
        return f"{len(names):,} {noun} no known action {said} ({listed})"
    return f"{len(names):,} {'action' if one else 'actions'} {said} ({listed})"


def _doubt(outcome: Outcome, spelling: Spelling) -> str:
    """Return why it is not proven what an action gained or lost."""
    name = spelling.get(outcome.action, outcome.action)
    if outcome.too_large:
        return f"{name}: {TOO_LARGE}."
    if _is_new(outcome) and not (outcome.before.deny or outcome.after.deny):
        what = (
            "its resource"
            if not _keys([*outcome.before.allow, *outcome.after.allow], spelling)
            else "its resource or condition"
        )
        return f"{name}: the reference does not list {what} for the action, which is no proof that it gives nothing."
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
    what = f"{keys} or these resources" if keys else "such a resource"
    return f"the reference does not list {what} for the action, which proves nothing"


def _keys(extents: Iterable[Extent], spelling: Spelling) -> str:
    return ", ".join(sorted({spelling.get(line.key, line.key) for extent in extents for line in extent.conditions}))
