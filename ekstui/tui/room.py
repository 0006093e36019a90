"""How much room the app needs."""

from textual.geometry import Size

LEAST = Size(60, 15)
"""The columns and lines that the app needs."""


def is_too_small(size: Size) -> bool:
    """Return whether a terminal of this size cannot show the app."""
    return size.width < LEAST.width or size.height < LEAST.height
