"""The start of a period as users write it: a day, a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

from ekstui.core.policy import parse_time
from ekstui.errors import InputError

_AGO = re.compile(r"(\d{1,5})([hdwmy])", re.IGNORECASE)
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}


def parse_since(text: str, now: datetime) -> datetime:
    """Return the UTC time of `2026-02-01`, `2026-02-01T10:00Z`, `36h`, `7d`, `2w`, `3m` or `1y` before `now`.

    Raises InputError for anything else.
    """
    if match := _AGO.fullmatch(text.strip()):
        try:
            return now - timedelta(days=int(match[1]) * _DAYS[match[2].lower()])
        except OverflowError:
            return datetime(1, 1, 1, tzinfo=UTC)
    try:
        return parse_time(text.strip())
    except (ValueError, OverflowError):
        raise InputError(f"{text!r} is no date.", "Write 2026-02-01, or 7d for the last seven days.") from None
