"""What the explorer shows, what the user marked, and what is compared because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ekstui.core.notation import PolicyAt
    from ekstui.library import PolicyEntry


class Shown(NamedTuple):
    """A policy and the version that the panes are about."""

    entry: PolicyEntry
    version: int

    @property
    def place(self) -> PolicyAt:
        """The version as what is compared and explained is named."""
        from ekstui.core.notation import PolicyAt  # 3 ms, which the first paint does without

        return PolicyAt(self.entry.policy.name, self.version)


class Bookmark(NamedTuple):
    """What finds a screen again, as it would be typed into the line that finds anything."""

    text: str
    of_account: bool = False
    """Whether it shows something of the account."""


class Start(NamedTuple):
    """Where the app opens."""

    shown: Shown
    compare_with: int | None = None
    """The version that is compared with the shown one at once."""


Marks: TypeAlias = "tuple[PolicyAt, ...]"
"""The policies and versions that are marked, oldest mark first; `MAX_MARKS` at most."""

MAX_MARKS = 4
"""As many as the table of services and access levels puts side by side."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with one more, or without it if it was there; one too many takes the place of the first."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-MAX_MARKS:]


def sides_to_compare(marks: Marks, shown: Shown) -> tuple[PolicyAt, PolicyAt] | None:
    """Return the last two marks, or one and what is shown, or the shown version and the one before; None for a first.

    Two versions of one policy are compared from the older to the newer, in whatever order they were marked.
    """
    policy, here = shown.entry.policy, shown.place
    if len(marks) >= 2:
        return _older_first(*marks[-2:])
    if marks and marks[0] != here:
        return _older_first(marks[0], here)
    numbers = [info.number for info in policy.versions]
    index = numbers.index(shown.version)
    return (Shown(shown.entry, numbers[index - 1]).place, here) if index else None


def _older_first(one: PolicyAt, other: PolicyAt) -> tuple[PolicyAt, PolicyAt]:
    if one.name == other.name and one.version and other.version and one.version > other.version:
        return other, one
    return one, other
