"""The logic of what is not known: neither true nor false (Kleene's strong logic)."""

from collections.abc import Iterable

Truth = bool | None
"""None if unknown."""


def every(values: Iterable[Truth]) -> Truth:
    """Return whether all values are true: False if any is false, else None if any is unknown."""
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def some(values: Iterable[Truth]) -> Truth:
    """Return whether any value is true: True if one is, else None if any is unknown."""
    unknown = False
    for value in values:
        if value is True:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def negation(value: Truth) -> Truth:
    """Return the opposite of `value`; None for None."""
    return None if value is None else not value
