"""Steps between versions as values, without the code that judges them, and how many there were in each quarter."""

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
"""Increase it when two documents may be judged differently than before, so that stored judgements are renewed."""


class StepCounts(NamedTuple):
    """What one step changed, as counts of (effect, element, action)."""

    kind: Kind | Literal["new"]
    """`new` if there is nothing to compare with, so that everything is added."""
    reach: Reach | None
    """None if there is nothing to compare with."""
    added: int
    removed: int
    changed: int
    denies: Denies | None = None
    """How its Deny statements changed if the same requests are allowed, as in a policy that only denies."""

    @property
    def words(self) -> str:
        """Whether the step widened or narrowed access, in a word or two; empty if there is nothing to compare with."""
        if self.kind == "none":
            return "no change"
        if self.reach == "same":
            return f"denies {self.denies}" if self.denies else "same access"
        return self.reach or ""


class Step(NamedTuple):
    """A version and how it differs from the known version before it."""

    version: int
    created: datetime | None
    default: bool
    missing_before: tuple[int, ...]
    """Unknown versions right before this one."""
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
    """An EKS access policy has no versions: only its introduction is known."""


Quarter = int
"""Quarters since the year 0, so that neighbours differ by one."""


class Quarters(NamedTuple):
    """The changes of a policy over time."""

    first: Quarter
    """The quarter of the first version with a date."""
    counts: tuple[int, ...]
    """The number of versions that changed something, for each quarter from the first to the last."""
    undated: int
    """The number of such versions whose dates are not known."""


def changes_per_quarter(steps: Sequence[Step], until: datetime) -> Quarters | None:
    """Return the changes in each quarter up to that of `until`; None if no version has a date.

    The first version, and versions that changed nothing, do not count.
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
    """Return the quarter of a day."""
    return day.year * 4 + (day.month - 1) // 3


def quarter_label(quarter: Quarter) -> str:
    """Return a quarter in four characters, such as `26Q3`."""
    year, place = divmod(quarter, 4)
    return f"{year % 100:02}Q{place + 1}"
