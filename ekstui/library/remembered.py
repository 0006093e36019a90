"""What the app remembers: where the user was when the connection was lost, and which versions of policies were seen.

It is in the state directory, since clearing the cache must not mark every policy as changed; what belongs to an
account, such as a role's name, is in the account's own file. The file of seen versions has a time until which
everything counts as seen, and the versions that were seen later.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ekstui import files
from ekstui.change.policy import Policy, Scope, format_time, parse_time
from ekstui.files import from_record, read_state, to_record, write_state
from ekstui.named_tuples import NamedTuple

OFFERED = timedelta(hours=1)
"""How long a place is offered."""

_LONGEST = 20_000
"""The longest text that a place may contain, in characters: a message that was explained."""

_MOST_MARKS = 4


class RememberedPlace(NamedTuple):
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
    """The text that finds the screen that was open; empty if none was, or if it was about the account."""
    row: int = 0
    """The index of the row that the cursor was on in that screen."""


def keep_place(place: RememberedPlace) -> None:
    """Store a place, but not for visitors of a served app; a failure to write is ignored."""
    if not files.is_served():
        write_state(_file(), to_record(place))


def kept_place(now: datetime) -> RememberedPlace | None:
    """Return the place that was stored within the last hour; None if there is none or it is invalid."""
    if files.is_served():
        return None
    with suppress(ValueError):
        place = from_record(RememberedPlace, read_state(_file()))
        return place if _is_sound(place) and is_offered(place.at, now) else None
    return None


def forget_place() -> None:
    """Delete the stored place."""
    with suppress(OSError):
        _file().unlink()


def is_offered(at: datetime, now: datetime) -> bool:
    """Return whether a place is young enough to be offered."""
    return timedelta(0) <= now.astimezone(UTC) - at < OFFERED


def _is_sound(place: RememberedPlace) -> bool:
    texts = (place.policy, place.filter, place.opened, *place.marks)
    is_short = len(place.marks) <= _MOST_MARKS and all(len(text) <= _LONGEST for text in texts)
    return is_short and 0 <= place.row < _LONGEST and place.at.tzinfo is not None


def _file() -> Path:
    return files.state_dir() / "place.json"


def seen_versions(*, demo: bool = False) -> SeenVersions:
    """Return the versions that the user has seen; none in the demo and a served app, which write nothing."""
    return SeenVersions((Path(os.devnull) if demo or files.is_served() else files.state_dir()) / "looked.json")


@dataclass(slots=True)
class SeenVersions:
    """The versions of policies that the user has seen; safe for any thread. Failures to write are ignored."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def changed_since(self, policies: Iterable[Policy], known_until: datetime) -> frozenset[str]:
        """Return the ARNs of policies with a newer default version than was seen; the first time all count as seen."""
        with self._lock:
            until, versions = self._read()
            if until is None:
                self._write(known_until, {})
                return frozenset()
        return frozenset(
            policy.arn
            for policy in policies
            if policy.updated is not None
            and policy.updated > until
            and versions.get(policy.arn, 0) < policy.default_version
        )

    def mark_seen(self, policies: Iterable[Policy]) -> None:
        """Record that the default versions of policies were seen."""
        with self._lock:
            until, versions = self._read()
            default_versions = {policy.arn: policy.default_version for policy in policies}
            if until is not None and any(versions.get(arn, 0) < version for arn, version in default_versions.items()):
                self._write(until, versions | default_versions)

    def _read(self) -> tuple[datetime | None, dict[str, int]]:
        """Return until when everything was seen, and the versions seen later; None if there is no valid file."""
        fields = read_state(self.path)
        try:
            versions: dict[str, int] = {}
            for arn, version in fields["versions"].items():  # type: ignore[index]
                if type(version) is not int or not arn.startswith("arn:"):
                    return None, {}
                versions[arn] = version
            return parse_time(fields["until"]), versions  # type: ignore[index]
        except (ValueError, TypeError, KeyError, AttributeError):
            return None, {}

    def _write(self, until: datetime, versions: dict[str, int]) -> None:
        write_state(self.path, {"until": format_time(until), "versions": versions})
