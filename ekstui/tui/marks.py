"""What the user marked, and what is compared because of it."""

from ekstui.core.where import PolicyAt
from ekstui.tui.shown import Shown

Marks = tuple[PolicyAt, ...]
"""The policies and versions that are marked, oldest mark first; two at most."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with one more, or without it if it was there; a third takes the place of the first."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-2:]


def sides_to_compare(marks: Marks, shown: Shown) -> tuple[PolicyAt, PolicyAt] | None:
    """Return the two marks, or one mark and what is shown, or the shown version and the one before; None for a first."""
    policy = shown.entry.policy
    here = PolicyAt(policy.name, shown.version)
    if len(marks) == 2:
        return marks[0], marks[1]
    if marks and marks[0] != here:
        return marks[0], here
    numbers = [info.number for info in policy.versions]
    index = numbers.index(shown.version)
    return (PolicyAt(policy.name, numbers[index - 1]), here) if index else None
