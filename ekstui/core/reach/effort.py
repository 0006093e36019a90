"""A limit on the work of one comparison, counted in steps so that the answer does not hang on the machine."""

MAX_STEPS = 60_000
"""After how many steps a comparison is too large to decide; AWS's own take fewer."""


class Effort:
    """The work that one comparison has left."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Count work that was done."""
        self._left -= steps

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0
