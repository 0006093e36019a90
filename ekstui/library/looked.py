"""Which policies changed since the user last looked at them.

Kept in the state directory and not in the cache, since clearing the cache must not mark everything. The file says
until when everything counts as seen, and which version was seen of the policies that were looked at later.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ekstui import paths
from ekstui.core.policy import Policy, format_time, parse_time
from ekstui.files import read_state, write_state


def users_looked(*, demo: bool = False) -> "Looked":
    """Return what the user of this machine has looked at; in the demo, which writes nothing, nothing."""
    return Looked((Path(os.devnull) if demo else paths.state_dir()) / "looked.json")


@dataclass(slots=True)
class Looked:
    """What the user has looked at; safe to call from any thread, and silent where it cannot be kept."""

    path: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def changed_since(self, policies: Iterable[Policy], known_until: datetime) -> frozenset[str]:
        """Return the ARNs of the policies whose default version is newer than what was seen.

        The first time nothing is: all that is known by then counts as seen.
        """
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

    def look_at(self, policies: Iterable[Policy]) -> None:
        """Record that the default versions of some policies were seen."""
        with self._lock:
            until, versions = self._read()
            seen = {policy.arn: policy.default_version for policy in policies}
            if until is not None and any(versions.get(arn, 0) < version for arn, version in seen.items()):
                self._write(until, versions | seen)

    def _read(self) -> tuple[datetime | None, dict[str, int]]:
        """Return until when everything was seen, None if nothing is kept or something else is in its place."""
        fields = read_state(self.path)
        try:
            seen: dict[str, int] = {}
            for arn, version in fields["versions"].items():  # type: ignore[index]
                if type(version) is not int or not arn.startswith("arn:"):
                    return None, {}
                seen[arn] = version
            return parse_time(fields["until"]), seen  # type: ignore[index]
        except (ValueError, TypeError, KeyError, AttributeError):
            return None, {}

    def _write(self, until: datetime, versions: dict[str, int]) -> None:
        write_state(self.path, {"until": format_time(until), "versions": versions})
