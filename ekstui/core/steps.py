"""The steps between versions as values, apart from what judges them: the index hands them out unjudged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.core.change import Kind
    from ekstui.core.grants import Reach
    from ekstui.core.reach.judgement import Denies


JUDGEMENT = 3
"""Raised where the same two documents may be judged otherwise than before: what was judged then is judged anew."""


@dataclass(frozen=True, slots=True)
class StepCounts:
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
        """Which way the step went, in a word or two; empty where there is nothing to compare with."""
        if self.kind == "none":
            return "no change"
        if self.reach == "same":
            return f"denies {self.denies}" if self.denies else "same access"
        return self.reach or ""


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
    """One step from a version of a policy to the next, or its first version."""

    policy: str
    """The policy's name."""
    version: int
    previous: int | None
    """The known version before it; None for the first that is known."""
    created: datetime | None
    change: StepCounts
