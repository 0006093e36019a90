"""Where somebody was in the app when the line was lost, to be offered again for an hour.

What is public is kept in the state directory; what is the account's, such as a role's name, in the account's own file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

from ekstui import paths
from ekstui.core.policy import format_time, parse_time
from ekstui.files import read_state, write_state
from ekstui.scope import Scope

OFFERED = timedelta(hours=1)
"""How long a place is offered."""

_LONGEST = 20_000
"""The longest text in a place that is read, in characters: a message that was explained."""

_MOST_MARKS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """What was shown in the app."""

    at: datetime
    scope: Scope
    policy: str
    """The ARN of the policy in the panes."""
    version: int
    filter: str = ""
    """The filter of the policies."""
    marks: tuple[str, ...] = ()
    """As `POLICY@v5`."""
    opened: str = ""
    """What finds the screen that was over the panes; empty where none was, or where it was about the account."""


def keep_place(place: Place) -> None:
    """Keep a place, silently not where it cannot be written, nor where the app is served to strangers."""
    if not paths.is_served():
        write_state(
            _file(),
            {
                "at": format_time(place.at), "scope": place.scope, "policy": place.policy, "version": place.version,
                "filter": place.filter, "marks": list(place.marks), "opened": place.opened,
            },
        )  # fmt: skip


def kept_place(now: datetime) -> Place | None:
    """Return the place that was kept within the last hour; None for none, and for one that is not of this form."""
    if paths.is_served():
        return None
    match read_state(_file()):
        case {"at": str(at), "scope": scope, "policy": str(policy), "version": int(version), "filter": str(words),
              "marks": [*marks], "opened": str(opened)} if scope in get_args(Scope):  # fmt: skip
            with suppress(ValueError):
                place = Place(parse_time(at), scope, policy, version, words, tuple(map(str, marks)), opened)
                return place if is_offered(place.at, now) and _is_sound(place) else None
    return None


def forget_place() -> None:
    """Offer no place any more."""
    with suppress(OSError):
        _file().unlink()


def is_offered(at: datetime, now: datetime) -> bool:
    """Return whether a place is young enough to be offered."""
    return timedelta(0) <= now.astimezone(UTC) - at < OFFERED


def _is_sound(place: Place) -> bool:
    texts = (place.policy, place.filter, place.opened, *place.marks)
    return len(place.marks) <= _MOST_MARKS and all(len(text) <= _LONGEST for text in texts)


def _file() -> Path:
    return paths.state_dir() / "place.json"
