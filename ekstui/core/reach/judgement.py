"""The judgement: for each action that a change touches what is proven, and what that makes of the whole."""

from dataclasses import dataclass

from ekstui.core.grants import Reach
from ekstui.core.reach.coverage import Held, lies_within
from ekstui.core.reach.touched import Grants, Side, touched_actions
from ekstui.core.reach.witness import request_gained


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is proven about one action whose grants differ."""

    action: str
    """In the reference's spelling; a pattern in lower case where the reference lacks its service."""
    before: Held
    after: Held
    gained: bool
    """Whether some request is allowed after and was not before."""
    lost: bool
    """Whether some request was allowed before and is not after."""
    nothing_gained: bool
    nothing_lost: bool

    @property
    def is_settled(self) -> bool:
        """Whether it is proven both what is gained and what is lost."""
        return (self.gained or self.nothing_gained) and (self.lost or self.nothing_lost)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is proven about the requests that two documents allow."""

    reach: Reach
    outcomes: tuple[Outcome, ...]
    """One for each action of which the grants differ, sorted by name."""


def reach_between(before: Grants, after: Grants, *, thorough: bool = True) -> Judgement:
    """Return whether the requests allowed became more or fewer, as far as it is proven.

    The requests are those of the reference's actions and of the actions that either document names. Without
    `thorough` the reach is the same, but the outcomes are those that it took to find it.
    """
    if before == after:
        return Judgement("same", ())
    known, unlisted = touched_actions(before, after)
    side_before, side_after = Side(before), Side(after)
    proven: dict[tuple[Held, Held], bool] = {}
    gained_before = lost_before = False

    def within(inner: Held, outer: Held) -> bool:
        answer = proven.get((inner, outer))
        if answer is None:
            answer = proven[inner, outer] = lies_within(inner, outer)
        return answer

    outcomes: list[Outcome] = []
    for action, spelling in sorted(known.items()):
        held_before, held_after = side_before.held(action), side_after.held(action)
        if held_before == held_after:
            continue
        nothing_lost, nothing_gained = within(held_before, held_after), within(held_after, held_before)
        gained = lost = False
        if not nothing_gained and (thorough or not gained_before):
            gained = request_gained(action, held_before, held_after) is not None
        if not nothing_lost and (thorough or not lost_before):
            lost = request_gained(action, held_after, held_before) is not None
        gained_before, lost_before = gained_before or gained, lost_before or lost
        outcomes.append(Outcome(spelling, held_before, held_after, gained, lost, nothing_gained, nothing_lost))
        if gained_before and lost_before and not thorough:
            break
    for pattern in unlisted:
        (least_before, most_before), (least_after, most_after) = side_before.bounds(pattern), side_after.bounds(pattern)
        nothing_lost, nothing_gained = within(most_before, least_after), within(most_after, least_before)
        outcomes.append(Outcome(pattern, most_before, most_after, False, False, nothing_gained, nothing_lost))
    return Judgement(_reach(outcomes), tuple(outcomes))


def _reach(outcomes: list[Outcome]) -> Reach:
    gained, lost = any(each.gained for each in outcomes), any(each.lost for each in outcomes)
    if gained and lost:
        return "mixed"
    nothing_gained = all(each.nothing_gained for each in outcomes)
    nothing_lost = all(each.nothing_lost for each in outcomes)
    if nothing_gained and nothing_lost:
        return "same"
    if gained and nothing_lost:
        return "widened"
    return "narrowed" if lost and nothing_gained else "unknown"
