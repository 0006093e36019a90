"""What differs between two documents, action by action, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ekstui.core import wildcard
from ekstui.core.document import ActionElement, Condition, Document, Effect, ResourceElement, Statement
from ekstui.core.grants import (
    MAX_GRANTS,
    Effort,
    Target,
    is_too_large,
    normalised_conditions,
    targets_of,
    without_repetitions,
)
from ekstui.core.place_changes import (
    MAX_STEPS,
    ConditionChange,
    Place,
    Places,
    ResourceChange,
    Way,
    Ways,
    apart,
    joined,
    place_changes,
    same,
)
from ekstui.core.reference import reference
from ekstui.errors import DocumentError

Side = Literal["before", "after"]


class GrantedOn(NamedTuple):
    """The resources on which an action is allowed, and in which ways; any one of them is enough."""

    place: Place
    ways: tuple[Way, ...]


class ActionDifference(NamedTuple):
    """How an action differs, or several actions in the same way."""

    effect: Effect
    element: ActionElement
    actions: tuple[str, ...]
    """For `NotAction` the whole list."""
    granted: tuple[GrantedOn, ...] = ()
    """Where and how one side allows it, if the other does not name it."""
    resources: tuple[ResourceChange, ...] = ()
    conditions: tuple[ConditionChange, ...] = ()
    names_removed: tuple[str, ...] = ()
    """For `NotAction`: actions that are no longer excluded."""
    names_added: tuple[str, ...] = ()
    part: tuple[str, ...] = ()
    """For a pattern of which the other side has some actions: those that it lacks."""


class StillCovered(NamedTuple):
    """Actions that one side names and the other covers equally by a pattern, so that they are unchanged."""

    effect: Effect
    side: Side
    """The side that names them."""
    actions: tuple[str, ...]
    by: str
    """The other side's pattern, or `its actions by name` if a pattern is now spelled out."""


SPELLED_OUT = "its actions by name"


class Differences(NamedTuple):
    """The differences between two documents, action by action."""

    added: tuple[ActionDifference, ...]
    removed: tuple[ActionDifference, ...]
    changed: tuple[ActionDifference, ...]
    covered: tuple[StillCovered, ...]
    alike: tuple[tuple[Effect, tuple[str, ...]], ...]
    """What both sides have in common, by effect: action patterns, and `NotAction` lists as one text."""

    @property
    def counts(self) -> tuple[int, int, int]:
        """The numbers of actions added, removed and changed."""
        added, removed, changed = (
            sum(1 if each.element == "NotAction" else len(each.actions) for each in group)
            for group in (self.added, self.removed, self.changed)
        )
        return added, removed, changed


def differences(before: Document, after: Document) -> Differences:
    """Return what differs between two documents, with actions that differ in the same way together.

    Raises DocumentError if they are too large.
    """
    before, after = without_repetitions(before), without_repetitions(after)
    if before != after and (is_too_large(before) or is_too_large(after)):
        raise DocumentError(f"too large to compare: more than {MAX_GRANTS:,} grants, an action on a resource each.")
    if before == after and is_too_large(before):
        return Differences((), (), (), (), ())
    one, other = _Reading(before), _Reading(after)
    found = _Found()
    exceptions = _paired_exceptions(one, other)
    for target in sorted((one.places.keys() | other.places.keys()) - exceptions.keys()):
        _compare(target, one, other, found)
    found.changed += dict.fromkeys(exceptions.values())
    return Differences(
        _alike_together(found.added), _alike_together(found.removed), _alike_together(found.changed),
        _covered_together(found.covered), tuple((effect, tuple(names)) for effect, names in found.alike.items() if names),
    )  # fmt: skip


@dataclass(slots=True)
class _Found:
    """The parts of `Differences` as they are collected."""

    added: list[ActionDifference] = field(default_factory=list)
    removed: list[ActionDifference] = field(default_factory=list)
    changed: list[ActionDifference] = field(default_factory=list)
    covered: list[StillCovered] = field(default_factory=list)
    alike: dict[Effect, list[str]] = field(default_factory=dict)
    effort: Effort = field(default_factory=lambda: Effort(MAX_STEPS))


def _compare(target: Target, one: _Reading, other: _Reading, found: _Found) -> None:
    side: Side = "before" if target in one.places else "after"
    here, there = (one, other) if side == "before" else (other, one)
    alike = found.alike.setdefault(target.effect, [])
    on_both = target in there.places
    if on_both and same(one.places[target], other.places[target]):
        alike.append(_label(target, one))
        return
    name = (other.spelled.get(target) or one.spelled[target])[0] if target.element == "Action" else ""
    had, has = one.everywhere(target), other.everywhere(target)
    if not had or not has:
        _compare_alone(target, side, here, there, found)
    elif not same(had, has):
        found.changed.append(_changed(target, name, had, has, found.effort))
    else:
        alike.append(_label(target, here))
        if not on_both:
            found.covered.append(StillCovered(target.effect, side, (name,), next(iter(there.covering(target)))))


def _compare_alone(target: Target, side: Side, here: _Reading, there: _Reading, found: _Found) -> None:
    """Compare a target that the other side neither names nor covers."""
    lacking = _lacking(target, there, here)
    spelled = here.spelled[target]
    if lacking == ():
        found.covered.append(StillCovered(target.effect, side, spelled, SPELLED_OUT))
        found.alike[target.effect].extend(spelled)
        return
    granted = _granted_on(here.everywhere(target))
    difference = ActionDifference(target.effect, target.element, spelled, granted=granted, part=lacking or ())
    (found.removed if side == "before" else found.added).append(difference)


class _Reading:
    """A document's grants by target, as written."""

    def __init__(self, document: Document) -> None:
        self.places: dict[Target, Places] = {}
        self.spelled: dict[Target, tuple[str, ...]] = {}
        self._wild: dict[tuple[str, str], list[Target]] = {}
        for statement in document.statements:
            self._add(statement)
        for target in self.places:
            if target.element == "NotAction":
                self._wild.setdefault((target.effect, "*"), []).append(target)
            elif wildcard.is_wild(target.actions[0]):
                service = target.actions[0].partition(":")[0]
                service = "*" if wildcard.is_wild(service) else service
                self._wild.setdefault((target.effect, service), []).append(target)

    def _add(self, statement: Statement) -> None:
        conditions = (*statement.conditions, *_principals(statement))
        lines = normalised_conditions(conditions)
        way = tuple(sorted(conditions, key=lambda each: (each.key.lower(), each.operator)))
        if statement.resource_element == "NotResource":
            places = [Place("NotResource", tuple(sorted(set(statement.resources))))]
        else:
            places = [Place("Resource", (each,)) for each in statement.resources or ("",)]
        whole = statement.action_element == "NotAction"
        for target, action in zip(targets_of(statement), statement.actions or ("",), strict=False):
            self.spelled.setdefault(target, statement.actions if whole else (action,))
            known = self.places.setdefault(target, {})
            for place in places:
                known.setdefault(place, {}).setdefault(lines, way)

    def covering(self, target: Target) -> dict[str, Places]:
        """Return the other targets of the same effect that cover one, by name."""
        if target.element == "NotAction":
            return {}
        (action,) = target.actions
        service = action.partition(":")[0]
        found: dict[str, Places] = {}
        for key in ((target.effect, service), (target.effect, "*")):
            for wild in self._wild.get(key, ()):
                if wild != target and _holds_for(wild, action):
                    found[_label(wild, self)] = self.places[wild]
        return found

    def named_under(self, pattern: str) -> dict[str, str]:
        """Return the actions without wildcards that a pattern matches, in lower case, with their spelling."""
        named = {known.actions[0]: spelled[0] for known, spelled in self.spelled.items() if known.element == "Action"}
        return {
            action: spelling
            for action, spelling in named.items()
            if not wildcard.is_wild(action) and wildcard.matches(pattern, action)
        }

    def everywhere(self, target: Target) -> Places:
        """Return where and how a target is allowed or denied, by itself and by others that cover it."""
        return joined([self.places.get(target), *self.covering(target).values()])


def _principals(statement: Statement) -> Iterable[Condition]:
    """Yield the principals of a trust or resource policy as conditions on the caller."""
    for principal in statement.principals:
        yield Condition("", f"{statement.principal_element} {principal.kind}", principal.values)


def _holds_for(wild: Target, action: str) -> bool:
    if wild.element == "Action":
        return wildcard.covers(wild.actions[0], action)
    return not any(wildcard.overlaps(each, action) for each in wild.actions)


def _label(target: Target, reading: _Reading) -> str:
    spelled = reading.spelled[target]
    return f"everything but {', '.join(spelled)}" if target.element == "NotAction" else spelled[0]


def _lacking(target: Target, there: _Reading, here: _Reading) -> tuple[str, ...] | None:
    """Return the actions of a pattern that the other side lacks; None if it lacks all, or has them differently."""
    if target.element == "NotAction" or not wildcard.is_wild(target.actions[0]):
        return None
    (pattern,) = target.actions
    known = {name.lower(): name for name in reference().expand(pattern)}
    named = there.named_under(pattern)
    names = {Target(target.effect, "Action", (action,)): name for action, name in (known | named | known).items()}
    lacking = [name for each, name in names.items() if not there.everywhere(each)]
    if len(lacking) == len(names):
        return None
    if lacking:
        return tuple(lacking)
    return () if all(same(there.everywhere(each), here.everywhere(each)) for each in names) else None


def _changed(target: Target, name: str, had: Places, has: Places, effort: Effort) -> ActionDifference:
    resources, conditions = place_changes(had, has, effort)
    actions = (name,) if target.element == "Action" else target.actions
    return ActionDifference(target.effect, target.element, actions, resources=resources, conditions=conditions)


def _paired_exceptions(one: _Reading, other: _Reading) -> dict[Target, ActionDifference]:
    """Return the `NotAction` lists that became another list, under both targets."""
    found: dict[Target, ActionDifference] = {}
    effects: tuple[Effect, ...] = ("Allow", "Deny")
    for effect in effects:
        old, new = (
            [each for each in here.places if each[:2] == (effect, "NotAction") and each not in there.places]
            for here, there in ((one, other), (other, one))
        )
        if len(old) == len(new) == 1:
            (was,), (now,) = old, new
            changed = _changed(now, "", one.places[was], other.places[now], Effort(MAX_STEPS))
            removed, added = apart(one.spelled[was], other.spelled[now], str.lower)
            difference = changed._replace(actions=other.spelled[now], names_removed=removed, names_added=added)
            found |= {was: difference, now: difference}
    return found


def _granted_on(places: Places) -> tuple[GrantedOn, ...]:
    """Return where and how an action is allowed, with places that have the same ways together."""
    groups: dict[tuple[ResourceElement, object], tuple[list[str], Ways]] = {}
    for place, ways in places.items():
        key = place.resources if place.element == "NotResource" else frozenset(ways)
        groups.setdefault((place.element, key), ([], ways))[0].extend(place.resources)
    return tuple(
        GrantedOn(Place(element, tuple(resources)), tuple(ways.values()))
        for (element, _), (resources, ways) in groups.items()
    )


def _alike_together(found: Iterable[ActionDifference]) -> tuple[ActionDifference, ...]:
    """Return the differences, with actions that differ in the same way together."""
    together: dict[ActionDifference, list[str]] = {}
    for each in dict.fromkeys(found):
        if each.element == "NotAction" or each.part:
            together[each] = list(each.actions)
        else:
            together.setdefault(each._replace(actions=()), []).extend(each.actions)
    return tuple(each._replace(actions=tuple(actions)) for each, actions in together.items())


def _covered_together(found: Iterable[StillCovered]) -> tuple[StillCovered, ...]:
    together: dict[tuple[Effect, Side, str], list[str]] = {}
    for each in found:
        together.setdefault((each.effect, each.side, each.by), []).extend(each.actions)
    return tuple(StillCovered(effect, side, tuple(actions), by) for (effect, side, by), actions in together.items())
