"""Three-valued logic: what is not known is neither true nor false (Kleene's strong logic)."""

from collections.abc import Iterable

Truth = bool | None
"""None where it is not known."""


def every(values: Iterable[Truth]) -> Truth:
    """Return whether all of `values` are true: False as soon as one is false, else None if one is unknown."""
    unknown = False
    for value in values:
        if value is False:
            return False
        unknown = unknown or value is None
    return None if unknown else True


def some(values: Iterable[Truth]) -> Truth:
    """Return whether any of `values` is true: True as soon as one is true, else None if one is unknown."""
    unknown = False
    for value in values:
        if value is True:
            return True
        unknown = unknown or value is None
    return None if unknown else False


def negation(value: Truth) -> Truth:
    """Return the opposite of `value`; what is unknown stays unknown."""
    return None if value is None else not value
