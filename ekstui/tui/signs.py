"""Which signs the terminal can be sent."""

import sys

BARS = "▁▂▃▄▅▆▇█"
"""No change, then more of them."""


def can_show(signs: str) -> bool:
    """Return whether the encoding of stderr has these signs; frames are written there."""
    try:
        signs.encode(getattr(sys.__stderr__, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
