"""The steps between versions as values, apart from what judges them, and how many there were in each quarter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.core.change import Kind
    from ekstui.core.grants import Reach
    from ekstui.core.policy import PolicyFamily
    from ekstui.core.reach.judgement import Denies


JUDGEMENT = 5
"""Raised where the same two documents may be judged otherwise than before: what was judged then is judged anew."""


class StepCounts(NamedTuple):
    """What one step changed, as counts of (effect, element, action)."""

    kind: Kind | Literal["new"]
    """`new` where there is nothing to compare with, and all that is there is added."""
    reach: Reach | None
    """None where there is nothing to compare with."""
    added: int
    removed: int
    changed: int
    denies: Denies | None = None
    """What its Deny statements do where the same requests are allowed, as in a policy that only denies."""

    @property
    def words(self) -> str:
        """Whether the step widened or narrowed, in a word or two; empty where there is nothing to compare with."""
        if self.kind == "none":
            return "no change"
        if self.reach == "same":
            return f"denies {self.denies}" if self.denies else "same access"
        return self.reach or ""


class Step(NamedTuple):
    """One version and how it differs from the known version before it."""

    version: int
    created: datetime | None
    default: bool
    missing_before: tuple[int, ...]
    """Version numbers right before this one that are not known."""
    change: StepCounts | None
    """None for the first known version."""


class FeedStep(NamedTuple):
    """One step from a version of a policy to the next, or its first version."""

    policy: str
    """The policy's name."""
    version: int
    previous: int | None
    """The known version before it; None for the first that is known."""
    created: datetime | None
    change: StepCounts
    family: PolicyFamily = "aws-managed"
    """An EKS access policy has no versions: only that it came is known."""


if TYPE_CHECKING:
    from datetime import datetime


Quarter = int
"""Quarters since the year 0, so that neighbours differ by one."""


class Quarters(NamedTuple):
    """The changes of a policy over time."""

    first: Quarter
    """That of the first version with a date."""
    counts: tuple[int, ...]
    """Versions that changed something, a number for each quarter from the first to the last that is known."""
    undated: int
    """How many more are in no quarter, as their dates are not known."""


def changes_per_quarter(steps: Sequence[Step], until: datetime) -> Quarters | None:
    """Return the changes of each quarter up to the one of `until`; None where no version has a date.

    A version that changed nothing, and the first one, which is compared with none, count for no change.
    """
    dated = [quarter_of(step.created) for step in steps if step.created]
    if not dated:
        return None
    changed = [step for step in steps if step.change is not None and step.change.kind != "none"]
    found = Counter(quarter_of(step.created) for step in changed if step.created)
    first, last = min(dated), max(*dated, quarter_of(until))
    return Quarters(
        first,
        tuple(found[quarter] for quarter in range(first, last + 1)),
        sum(step.created is None for step in changed),
    )


def quarter_of(day: datetime) -> Quarter:
    """Return the quarter that a day is in."""
    return day.year * 4 + (day.month - 1) // 3


def quarter_label(quarter: Quarter) -> str:
    """Return a quarter in four signs, such as `26Q3`."""
    year, place = divmod(quarter, 4)
    return f"{year % 100:02}Q{place + 1}"
