"""How long ago something was."""

from datetime import datetime


def age_in_words(since: datetime, now: datetime) -> str:
    """Return how long ago something was: `just now`, `3 min ago`, `2 h ago`, `212 d ago`, or `in the future`."""
    seconds = (now - since).total_seconds()
    if seconds < -60:
        return "in the future"
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    return f"{int(seconds // 3600)} h ago" if seconds < 86400 * 2 else f"{int(seconds // 86400)} d ago"
