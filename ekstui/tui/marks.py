"""What the user marked, and what is compared because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ekstui.tui.shown import Shown

if TYPE_CHECKING:
    from ekstui.core.where import PolicyAt

Marks: TypeAlias = "tuple[PolicyAt, ...]"
"""The policies and versions that are marked, oldest mark first; `MOST` at most."""

MOST = 4
"""As many as the table of services and access levels puts side by side."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with one more, or without it if it was there; one too many takes the place of the first."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-MOST:]


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
