"""How long work hears that nobody waits for it any more: it is handed a function to ask."""

from collections.abc import Callable

Cancelled = Callable[[], bool]
"""Returns whether the answer is no longer wanted."""


def never() -> bool:
    """Always False: the default for `cancelled`."""
    return False
