"""How many versions of a policy changed something, quarter by quarter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.core.steps import Step

Quarter = int
"""Quarters since the year 0, so that neighbours differ by one."""


@dataclass(frozen=True, slots=True)
class Quarters:
    """The changes of a policy over time."""

    first: Quarter
    """That of the first version with a date."""
    counts: tuple[int, ...]
    """Versions that changed something, a number for each quarter from the first to the last that is known."""
    undated: int
    """How many more are in no quarter, as nobody knows their dates."""


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
