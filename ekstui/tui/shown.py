"""What the explorer shows: a policy at one of its versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ekstui.core.where import PolicyAt
    from ekstui.library import PolicyEntry


class Shown(NamedTuple):
    """A policy and the version that the panes are about."""

    entry: PolicyEntry
    version: int

    @property
    def place(self) -> PolicyAt:
        """The version as what is compared and explained is named."""
        from ekstui.core.where import PolicyAt  # 3 ms, which the first paint does without

        return PolicyAt(self.entry.policy.name, self.version)


class Sought(NamedTuple):
    """What finds a screen again, as it would be typed into the line that finds anything."""

    text: str
    of_account: bool = False
    """Whether it tells something of the account."""


class Start(NamedTuple):
    """Where the app opens."""

    shown: Shown
    compare_with: int | None = None
    """The version that is compared with the shown one at once."""
