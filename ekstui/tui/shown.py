"""What the explorer shows: a policy at one of its versions."""

from dataclasses import dataclass

from ekstui.library import PolicyEntry


@dataclass(frozen=True, slots=True)
class Shown:
    """A policy and the version that the panes are about."""

    entry: PolicyEntry
    version: int


@dataclass(frozen=True, slots=True)
class Start:
    """Where the app opens."""

    shown: Shown
    compare_with: int | None = None
    """The version that is compared with the shown one at once."""
