"""The versions of a policy as a timeline: when each came, and what it changed."""

from dataclasses import dataclass
from datetime import datetime

from ekstui.core.change import Kind, Reach


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
