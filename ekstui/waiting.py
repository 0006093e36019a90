"""What long work is handed by whoever waits for it: functions to ask whether to go on and to say how far it is."""

from collections.abc import Callable

Cancelled = Callable[[], bool]
"""Returns whether the answer is no longer wanted."""

Tell = Callable[[str], object]
"""Takes in a few words what is done now; called in the thread that does it, as are the others."""

Progress = Callable[[int, int], object]
"""Takes how much is done, and how much there is."""

Activity = Callable[[str, int, int], object]
"""Takes what is done now, such as `indexing`, how much of it is done, and how much there is."""


def never() -> bool:
    """Always False: the default for `cancelled`."""
    return False


def silent(*_: object) -> None:
    """Say nothing: the default for progress."""
