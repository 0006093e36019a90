"""The judgement: for each action that a change touches what is proven, and what that makes of the whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ekstui.core.grants import Extent, Reach, Target
from ekstui.core.reach.coverage import Held, lies_within
from ekstui.core.reach.effort import Effort
from ekstui.core.reach.touched import Grants, Side, cases_of, touched_actions, unlisted_patterns
from ekstui.core.reach.witness import request_gained

Denies = Literal["more", "less", "otherwise"]
"""How a change of Deny statements that takes nothing from what is allowed changed what is denied."""

TOO_LARGE = "too large to decide"
"""Why nothing is proven of an action once a comparison took all the work that it may."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is proven about one action whose grants differ."""

    action: str
    """In the reference's spelling; a pattern in lower case where it stands for actions that nobody can list."""
    before: Held
    after: Held
    gained: bool
    """Whether some request is allowed after and was not before."""
    lost: bool
    """Whether some request was allowed before and is not after."""
    nothing_gained: bool
    nothing_lost: bool
    too_large: bool = False
    """Whether the comparison ran out of work before this was decided."""

    @property
    def is_settled(self) -> bool:
        """Whether it is proven both what is gained and what is lost."""
        return (self.gained or self.nothing_gained) and (self.lost or self.nothing_lost)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is proven about the requests that two documents allow."""

    reach: Reach
    outcomes: tuple[Outcome, ...]
    """One for each action of which the grants differ, sorted by name, then the patterns that nobody can expand."""
    denies: Denies | None = None
    """What changed Deny statements mean where the same requests are allowed, as in a policy that only denies."""


def reach_between(before: Grants, after: Grants, *, thorough: bool = True) -> Judgement:
    """Return whether the requests allowed became more or fewer, as far as it is proven.

    The requests are those of the reference's actions, of the actions that either document names, and of one action of
    its own for each pattern that matches none of these and each service that the reference lacks. Without `thorough`
    there are no outcomes.
    """
    if before == after:
        return Judgement("same", ())
    outcomes: tuple[Outcome, ...] = ()
    if thorough:
        outcomes = tuple(_Comparison(before, after).outcomes())
        reach = _reach(
            any(each.gained for each in outcomes),
            any(each.lost for each in outcomes),
            all(each.nothing_gained for each in outcomes),
            all(each.nothing_lost for each in outcomes),
        )
    else:
        reach = _Comparison(before, after).reach()
    return Judgement(reach, outcomes, _denies(before, after) if reach == "same" else None)


class _Comparison:
    """Two sides with what is proven of them so far."""

    def __init__(self, before: Grants, after: Grants) -> None:
        self._grants = before, after
        self._sides = Side(before), Side(after)
        self._effort = Effort()
        self._proven: dict[tuple[int, int], bool] = {}
        self._kept: list[Held] = []

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what is proven of each action of which the grants differ, then of the patterns nobody can expand."""
        for spelling, action, before, after in self._differing():
            nothing_lost, nothing_gained = self._within(before, after), self._within(after, before)
            gained = not nothing_gained and self._is_gained(action, before, after)
            lost = not nothing_lost and self._is_gained(action, after, before)
            yield Outcome(spelling, before, after, gained, lost, nothing_gained, nothing_lost, self._effort.is_spent)
        yield from self._of_patterns()

    def reach(self) -> Reach:
        """Return what all outcomes together mean, with only the searches that it takes."""
        groups: dict[tuple[int, int], tuple[Held, Held, list[str]]] = {}
        for _, action, before, after in self._differing():
            groups.setdefault((id(before), id(after)), (before, after, []))[2].append(action)
            self._kept += (before, after)
        unlisted = list(self._of_patterns())
        sides = [(before, after, actions) for before, after, actions in groups.values()]
        gained = any(each.gained for each in unlisted) or self._is_any_gained(sides)
        lost = any(each.lost for each in unlisted) or self._is_any_gained(
            [(after, before, actions) for before, after, actions in sides]
        )
        nothing_gained = all(each.nothing_gained for each in unlisted) and all(
            self._within(after, before) for before, after, _ in sides
        )
        nothing_lost = all(each.nothing_lost for each in unlisted) and all(
            self._within(before, after) for before, after, _ in sides
        )
        return _reach(gained, lost, nothing_gained, nothing_lost)

    def _differing(self) -> Iterator[tuple[str, str, Held, Held]]:
        before, after = self._sides
        for action, spelling in sorted(touched_actions(*self._grants).items()):
            held_before, held_after = before.held(action), after.held(action)
            if held_before != held_after:
                yield spelling, action, held_before, held_after

    def _of_patterns(self) -> Iterator[Outcome]:
        before, after = self._sides
        for pattern, action, exists in unlisted_patterns(*self._grants):
            held_before, held_after = before.held(action), after.held(action)
            cases = cases_of(pattern, before, after)
            if cases is not None and all(one == other for one, other in cases):
                continue
            nothing_lost = cases is not None and all(self._within(one, other) for one, other in cases)
            nothing_gained = cases is not None and all(self._within(other, one) for one, other in cases)
            gained = exists and not nothing_gained and self._is_gained(action, held_before, held_after)
            lost = exists and not nothing_lost and self._is_gained(action, held_after, held_before)
            spent = self._effort.is_spent
            yield Outcome(pattern, held_before, held_after, gained, lost, nothing_gained, nothing_lost, spent)

    def _within(self, inner: Held, outer: Held) -> bool:
        key = (id(inner), id(outer))
        answer = self._proven.get(key)
        if answer is None:
            self._kept += (inner, outer)  # so that no other gets their ids
            answer = self._proven[key] = lies_within(inner, outer, self._effort)
        return answer

    def _is_gained(self, action: str, before: Held, after: Held) -> bool:
        return not self._effort.is_spent and request_gained(action, before, after, self._effort) is not None

    def _is_any_gained(self, sides: list[tuple[Held, Held, list[str]]]) -> bool:
        """Return whether a request is found: of one action for each pair of sides, then of the next."""
        waiting = [
            (before, after, iter(actions)) for before, after, actions in sides if not self._within(after, before)
        ]
        while waiting:
            left = []
            for before, after, actions in waiting:
                action = next(actions, None)
                if action is not None:
                    if self._is_gained(action, before, after):
                        return True
                    left.append((before, after, actions))
            waiting = left
        return False


def _reach(gained: bool, lost: bool, nothing_gained: bool, nothing_lost: bool) -> Reach:
    if gained and lost:
        return "mixed"
    if nothing_gained and nothing_lost:
        return "same"
    if gained and nothing_lost:
        return "widened"
    return "narrowed" if lost and nothing_gained else "unknown"


def _denies(before: Grants, after: Grants) -> Denies | None:
    """Return whether more or less is denied, whether or not it is allowed elsewhere."""
    one, other = _denied(before), _denied(after)
    if one == other:
        return None
    found: dict[Reach, Denies | None] = {"widened": "more", "narrowed": "less", "same": None}
    return found.get(_Comparison(one, other).reach(), "otherwise")


def _denied(grants: Grants) -> dict[Target, frozenset[Extent]]:
    """Return what is denied as if it were allowed, so that it can be compared in the same way."""
    return {target._replace(effect="Allow"): extents for target, extents in grants.items() if target.effect == "Deny"}
