"""What the explorer shows, what the user has marked, and which two versions are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from ekstui.core.notation import PolicyAt
    from ekstui.library import PolicyEntry


class Shown(NamedTuple):
    """The policy and version that the panes show."""

    entry: PolicyEntry
    version: int

    @property
    def place(self) -> PolicyAt:
        """The version as a side of a comparison."""
        from ekstui.core.notation import PolicyAt  # 3 ms, after the first paint

        return PolicyAt(self.entry.name, None if self.entry.access else self.version)


class Bookmark(NamedTuple):
    """What to type into the palette to get to a screen again."""

    text: str
    of_account: bool = False
    """Whether the text names something in the account."""


class Start(NamedTuple):
    """What the app opens with."""

    shown: Shown
    compare_with: int | None = None
    """The version to compare with it at once."""


Marks: TypeAlias = "tuple[PolicyAt, ...]"
"""The marked policies and versions, oldest mark first; at most MAX_MARKS."""

MAX_MARKS = 4
"""How many the table of services by access level can put side by side."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with this one toggled; when there are too many, the oldest goes."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-MAX_MARKS:]


def sides_to_compare(marks: Marks, shown: Shown) -> tuple[PolicyAt, PolicyAt] | None:
    """Return the last two marks, or the mark and what is shown, or the shown version and the one before it.

    None for the first version. Two versions of one policy are compared from older to newer, however they were marked.
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
