"""The steps between versions as values, apart from what judges them: the index hands them out unjudged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.core.change import Kind
    from ekstui.core.grants import Reach


@dataclass(frozen=True, slots=True)
class StepCounts:
    """What one step changed, as counts of (effect, element, action)."""

    kind: Kind
    reach: Reach
    added: int
    removed: int
    changed: int


@dataclass(frozen=True, slots=True)
class Step:
    """One version and how it differs from the known version before it."""

    version: int
    created: datetime | None
    default: bool
    missing_before: tuple[int, ...]
    """Version numbers right before this one that nobody saw."""
    change: StepCounts | None
    """None for the first known version."""


@dataclass(frozen=True, slots=True)
class FeedStep:
    """One step from a version of a policy to the next."""

    policy: str
    """The policy's name."""
    version: int
    previous: int
    """The known version before it."""
    created: datetime | None
    change: StepCounts
