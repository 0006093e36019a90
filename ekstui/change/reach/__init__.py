"""Whether a change allows more or fewer requests: those allowed, minus those denied, on each side.

Start with `reach_between`, which returns a `Judgement`. `affected_actions` finds the actions concerned. `coverage`
proves, within a limit of work, that nothing is lost. `witness` proves that something is gained, by finding a request
that is `feasible` and consistent with the table in `dependent_keys`. Here the proofs become a judgement on each action
and on the whole change, with why something is not known; `wording` puts it into a sentence.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from ekstui.change.coverage import ActionExtents, lies_within
from ekstui.change.reach.affected_actions import (
    Grants,
    GrantsOfSide,
    affected_actions,
    cases_of,
    differing_patterns,
    unlisted_patterns,
)
from ekstui.change.reach.feasible import is_void, kind_of, services_of
from ekstui.change.reach.witness import request_gained
from ekstui.iam import wildcard
from ekstui.iam.grants import ConditionLine, Effort, Extent, Reach, Target
from ekstui.named_tuples import NamedTuple

Denies = Literal["more", "less", "otherwise"]
"""How the denied requests changed, if the allowed ones are the same."""

MAX_FAILURES = 60
"""How many searches may fail for actions with the same grants before the search stops."""

_TOO_LARGE = "too large to decide"
"""Why nothing is proven about an action once a comparison has used up its limit of work."""

PRINCIPALS = "the principals of trust and resource policies are not compared"
"""Why nothing is proven about an action if only some principals may use it."""

NAMES_SHOWN = 3
"""The most actions that are named before the rest are counted."""

Spelling = Mapping[str, str]
"""The documents' spelling of actions and condition keys, by lower case."""

_NOT_READ = ActionExtents(frozenset(), frozenset())
"""The extents of a pattern after the limit of work."""


class Outcome(NamedTuple):
    """What is proven about an action whose grants differ."""

    action: str
    """In the reference's spelling; for actions that cannot be listed, a pattern in lower case."""
    before: ActionExtents
    after: ActionExtents
    gained: bool
    """Whether some request is allowed after and was not before."""
    lost: bool
    """Whether some request was allowed before and is not after."""
    nothing_gained: bool
    nothing_lost: bool
    too_large: bool = False
    """Whether the comparison reached its limit of work before this was decided."""

    @property
    def is_settled(self) -> bool:
        """Whether both gain and loss are decided."""
        return (self.gained or self.nothing_gained) and (self.lost or self.nothing_lost)

    @property
    def is_new(self) -> bool:
        """Whether only one side allows the action, which counts even if no request is known that shows it."""
        return bool(self.before.allow) != bool(self.after.allow)


class Judgement(NamedTuple):
    """What is proven about the requests that two documents allow."""

    reach: Reach
    outcomes: tuple[Outcome, ...]
    """One for each action whose grants differ, sorted by name, then the patterns that cannot be expanded."""
    denies: Denies | None = None
    """How the denied requests changed if the same requests are allowed, as in a policy that only denies."""
    denied: Denies | None = None
    """The same whatever is allowed, which counts beside other policies; None if not `thorough`."""


def reach_between(before: Grants, after: Grants, *, thorough: bool = True) -> Judgement:
    """Return whether more or fewer requests are allowed, as far as that is proven.

    The requests considered are those for the reference's actions, for the actions that either document names, and for
    one made-up action for each pattern that matches none of these and each service that the reference lacks. Without
    `thorough` there are no outcomes.
    """
    if before == after:
        return Judgement("same", ())
    comparison = _Comparison(before, after)
    reach = comparison.reach()
    outcomes = tuple(comparison.outcomes()) if thorough else ()
    denies = _denies(before, after) if thorough or reach == "same" else None
    return Judgement(reach, outcomes, denies if reach == "same" else None, denies)


class _Comparison:
    """Two sides, with what is proven about them so far."""

    def __init__(self, before: Grants, after: Grants) -> None:
        self._grants = before, after
        self._sides = GrantsOfSide(before), GrantsOfSide(after)
        self._effort = Effort()
        # Patterns that match nothing known are rare, and do not use up what the actions need.
        self._effort_for_patterns = Effort()
        self._proven: dict[tuple[int, int], bool] = {}
        self._kept_extents: list[ActionExtents] = []
        self._search_results: dict[tuple[object, int, int], bool] = {}
        self._cuts: dict[tuple[int, int, frozenset[str]], bool] = {}
        self._failures: dict[tuple[int, ...], int] = {}

    def reach(self) -> Reach:
        """Return what is gained and lost over all actions, with as few searches as possible."""
        groups: dict[tuple[int, int], tuple[ActionExtents, ActionExtents, list[str]]] = {}
        for _, action, before, after in self._differing_actions:
            groups.setdefault((id(before), id(after)), (before, after, []))[2].append(action)
        sides = list(groups.values())
        swapped_sides = [(after, before, actions) for before, after, actions in sides]
        patterns = self._patterns
        return _reach(
            any(pattern.gained for pattern in patterns) or self._is_any_gained(sides),
            any(pattern.lost for pattern in patterns) or self._is_any_gained(swapped_sides),
            all(pattern.nothing_gained for pattern in patterns)
            and all(self._are_within(old, new, actions) for new, old, actions in sides),
            all(pattern.nothing_lost for pattern in patterns)
            and all(self._are_within(old, new, actions) for new, old, actions in swapped_sides),
        )

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what is proven about each action whose grants differ, then about patterns that cannot be expanded."""
        self._effort = Effort()
        for spelling, action, before, after in self._differing_actions:
            nothing_lost = self._are_within(before, after, [action])
            nothing_gained = self._are_within(after, before, [action])
            is_gained = not nothing_gained and self._is_gained(action, before, after)
            is_lost = not nothing_lost and self._is_gained(action, after, before)
            yield Outcome(
                spelling, before, after, is_gained, is_lost, nothing_gained, nothing_lost, self._effort.is_spent
            )
        yield from self._patterns

    @cached_property
    def _named_actions(self) -> frozenset[str]:
        return frozenset(action for side in self._grants for target in side for action in target.actions)

    @cached_property
    def _differing_patterns(self) -> Collection[str]:
        return differing_patterns(*self._grants)

    @cached_property
    def _differing_actions(self) -> list[tuple[str, str, ActionExtents, ActionExtents]]:
        before, after = self._sides
        differences = []
        for action, spelling in sorted(affected_actions(self._differing_patterns, *self._grants).items()):
            extents_before, extents_after = before.extents_of(action), after.extents_of(action)
            if extents_before != extents_after:
                differences.append((spelling, action, extents_before, extents_after))
        return differences

    @cached_property
    def _patterns(self) -> list[Outcome]:
        before, after = self._sides
        patterns = []
        for pattern, action, exists in unlisted_patterns(self._differing_patterns, *self._grants):
            if self._effort_for_patterns.is_spent:
                patterns.append(Outcome(pattern, _NOT_READ, _NOT_READ, False, False, False, False, too_large=True))
                continue
            extents_before, extents_after = before.extents_of(action), after.extents_of(action)
            cases = cases_of(pattern, before, after, self._effort_for_patterns)
            if cases is not None and all(old == new for old, new in cases):
                continue
            nothing_lost = cases is not None and all(self._within(old, new) for old, new in cases)
            nothing_gained = cases is not None and all(self._within(new, old) for old, new in cases)
            is_gained = exists and not nothing_gained and self._is_gained(action, extents_before, extents_after)
            is_lost = exists and not nothing_lost and self._is_gained(action, extents_after, extents_before)
            is_spent = self._effort.is_spent or self._effort_for_patterns.is_spent
            patterns.append(
                Outcome(
                    pattern, extents_before, extents_after, is_gained, is_lost, nothing_gained, nothing_lost, is_spent
                )
            )
        return patterns

    def _within(self, inner: ActionExtents, outer: ActionExtents) -> bool:
        key = (id(inner), id(outer))
        answer = self._proven.get(key)
        if answer is None:
            self._kept_extents += (inner, outer)  # so that their IDs are not reused
            answer = self._proven[key] = lies_within(inner, outer, self._effort)
        return answer

    def _are_within(self, inner: ActionExtents, outer: ActionExtents, actions: list[str]) -> bool:
        """Return True only if everything that one side allows of the actions is allowed by the other.

        If necessary, resources on which an action is never requested are ignored.
        """
        if self._within(inner, outer):
            return True
        if self._effort.is_spent:
            return False
        kinds = {services_of(action) for action in actions}
        if None in kinds:
            return False
        return all(self._is_within_of(inner, outer, kind) for kind in sorted(filter(None, kinds), key=sorted))

    def _is_within_of(self, inner: ActionExtents, outer: ActionExtents, services: frozenset[str]) -> bool:
        """Return the same for actions on resources of some services."""
        key = (id(inner), id(outer), services)
        answer = self._cuts.get(key)
        if answer is None:
            # Cutting them counts only where they are many, as in a search.
            self._effort.spend(sum(map(len, (*inner, *outer))) // 16)
            answer = lies_within(_cut(inner, services), _cut(outer, services), self._effort)
            self._cuts[key] = answer
        return answer

    def _is_gained(self, action: str, before: ActionExtents, after: ActionExtents) -> bool:
        if not before.allow and not after.deny and any(map(_is_of_everything, after.allow)):
            return True
        # What requests are possible depends only on what the reference says about an action.
        key = (kind_of(action), id(before), id(after))
        answer = self._search_results.get(key)
        if answer is None:
            sides = key[1:]
            # After many failures, further searches are unlikely to succeed.
            if self._effort.is_spent or self._failures.get(sides, 0) >= MAX_FAILURES:
                return False
            self._kept_extents += (before, after)
            answer = self._search_results[key] = request_gained(action, before, after, self._effort) is not None
            self._failures[sides] = 0 if answer else self._failures.get(sides, 0) + 1
        return answer

    def _sample_of_actions(self, actions: list[str]) -> list[str]:
        """Return the actions most worth a search: those that a document names, then one of each service in turn."""
        if len(actions) <= MAX_FAILURES:
            return actions
        turns: dict[str, int] = {}
        places: dict[str, tuple[bool, int, str]] = {}
        for action in actions:
            service = action.partition(":")[0]
            turns[service] = turns.get(service, 0) + 1
            places[action] = (action not in self._named_actions, turns[service], action)
        return sorted(actions, key=places.__getitem__)[:MAX_FAILURES]

    def _is_any_gained(self, sides: list[tuple[ActionExtents, ActionExtents, list[str]]]) -> bool:
        """Return whether a request is found, trying one action for each pair of sides, then the next."""
        searches = [
            (before, after, self._sample_of_actions(actions))
            for before, after, actions in sides
            if not self._within(after, before)
        ]
        for place in range(max((len(actions) for _, _, actions in searches), default=0)):
            searches = [entry for entry in searches if len(entry[2]) > place]
            if any(self._is_gained(actions[place], before, after) for before, after, actions in searches):
                return True
        return False


def _is_of_everything(extent: Extent) -> bool:
    """Return whether an extent matches a request for each action, made by a caller who may have any tags."""
    if extent.principals or (extent.element, extent.resources) != ("Resource", ("*",)):
        return False
    tags = {line.key for line in extent.conditions}
    return len(tags) == len(extent.conditions) and all(map(_is_of_a_tagged_caller, extent.conditions))


def _is_of_a_tagged_caller(line: ConditionLine) -> bool:
    return (
        line.operator == "StringEquals"
        and line.key.startswith("aws:principaltag/")
        and any("${" not in value for value in line.values)
    )


def _cut(action_extents: ActionExtents, services: frozenset[str]) -> ActionExtents:
    """Return the extents without resources on which an action that uses those of these services is never requested."""
    allow, deny = (
        frozenset(
            extent
            for extent in extents
            if extent.element == "NotResource"
            or extent.has_implicit_resource
            or not all(is_void(resource, services) for resource in extent.resources)
        )
        for extents in (action_extents.allow, action_extents.deny)
    )
    return ActionExtents(allow, deny)


def _reach(is_gained: bool, is_lost: bool, nothing_gained: bool, nothing_lost: bool) -> Reach:
    if is_gained and is_lost:
        return "mixed"
    if nothing_gained and nothing_lost:
        return "same"
    if is_gained and nothing_lost:
        return "widened"
    return "narrowed" if is_lost and nothing_gained else "unknown"


def _denies(before: Grants, after: Grants) -> Denies | None:
    """Return whether more or less is denied, regardless of what is allowed."""
    old, new = _denied(before), _denied(after)
    if old == new:
        return None
    denies: dict[Reach, Denies | None] = {"widened": "more", "narrowed": "less", "same": None}
    return denies.get(_Comparison(old, new).reach(), "otherwise")


def _denied(grants: Grants) -> dict[Target, frozenset[Extent]]:
    """Return what is denied as if it were allowed, to be compared in the same way."""
    return {target._replace(effect="Allow"): extents for target, extents in grants.items() if target.effect == "Deny"}


def notes_on(judgement: Judgement, before: Grants, after: Grants, spelling: Spelling) -> tuple[str, ...]:
    """Return why something could not be judged, and what applies to future actions."""
    unsettled_outcomes = [outcome for outcome in judgement.outcomes if not outcome.is_settled]
    notes = [_doubt(outcome, spelling) for outcome in unsettled_outcomes[:NAMES_SHOWN]]
    if len(unsettled_outcomes) > NAMES_SHOWN:
        notes.append(f"{len(unsettled_outcomes) - NAMES_SHOWN:,} more actions could not be judged.")
    for side, other_side, verb in ((before, after, "no longer covers"), (after, before, "now covers")):
        patterns = _patterns_replaced(side, other_side, judgement)
        notes += [f"It {verb} actions that AWS may add under {spelling.get(pattern, pattern)}." for pattern in patterns]
    return tuple(notes)


def _patterns_replaced(grants: Grants, other_grants: Grants, judgement: Judgement) -> list[str]:
    """Return the patterns of one side that the other side replaces by single actions."""
    actions_by_service: dict[str, list[str]] = {}
    for outcome in judgement.outcomes:
        if not (outcome.nothing_gained and outcome.nothing_lost):
            action = outcome.action.lower()
            actions_by_service.setdefault(action.partition(":")[0], []).append(action)
    patterns: list[str] = []
    for target in grants:
        if target.effect == "Deny" or target.element == "NotAction" or target in other_grants:
            continue
        (pattern,) = target.actions
        if not wildcard.is_wild(pattern) or _matches_any(pattern, actions_by_service):
            continue
        candidates = (
            candidate for candidate in other_grants if candidate.effect == "Allow" and candidate.element == "Action"
        )
        if not any(wildcard.covers(candidate.actions[0], pattern) for candidate in candidates):
            patterns.append(pattern)
    return patterns


def _matches_any(pattern: str, actions: Mapping[str, list[str]]) -> bool:
    """Return whether a pattern matches any of the actions, which are given by service."""
    service = pattern.partition(":")[0]
    groups = (actions.get(service, ()),) if not wildcard.is_wild(service) else actions.values()
    return any(wildcard.matches(pattern, action) for group in groups for action in group)


def _doubt(outcome: Outcome, spelling: Spelling) -> str:
    """Return why it is not certain what an action gained or lost."""
    name = spelling.get(outcome.action, outcome.action)
    if outcome.too_large:
        return f"{name}: {_TOO_LARGE}."
    if any(extent.principals for side in (outcome.before, outcome.after) for extent in (*side.allow, *side.deny)):
        return f"{name}: {PRINCIPALS}."
    old, new = outcome.before, outcome.after
    if outcome.is_new and not (old.deny or new.deny):
        unlisted = "its resource or condition" if _keys([*old.allow, *new.allow], spelling) else "its resource"
        return f"{name}: the reference does not list {unlisted} for the action, which does not prove that it grants nothing."
    if wildcard.is_wild(outcome.action):
        return f"{name}: the reference lacks the service, so its actions cannot be listed."
    keys = _keys([*(old.allow ^ new.allow), *(old.deny ^ new.deny)], spelling)
    if differing_keys := _only_difference(old, new):
        unlisted = f"{keys} or these resources" if keys else "such a resource"
        reason = f"the reference does not list {unlisted} for the action, which proves nothing"
        return f"{name}: no request is known {differing_keys}; {reason}."
    elements = f"the conditions on {keys}" if keys else "the resources"
    return f"{name}: neither more nor less is proven; how {elements} relate is not known."


def _only_difference(old: ActionExtents, new: ActionExtents) -> str:
    """Return what alone differs, as what would decide a request; empty if more does."""
    if old.allow == new.allow:
        return "that the changed Deny decides"
    if old.deny != new.deny:
        return ""
    if old.allow < new.allow:
        return "that only the new grant allows"
    return "that only the old grant allowed" if old.allow > new.allow else ""


def _keys(extents: Iterable[Extent], spelling: Spelling) -> str:
    return ", ".join(sorted({spelling.get(line.key, line.key) for extent in extents for line in extent.conditions}))
