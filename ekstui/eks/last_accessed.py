"""What an entity or a policy was used for, by IAM's last accessed data, and what of a policy provably was not used.

IAM User Guide, "Refine permissions in AWS using last accessed information".
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

from ekstui.iam.document import Document, TrimmedDocument, trimmed
from ekstui.iam.reference import reference
from ekstui.iam.wildcard import is_wild
from ekstui.named_tuples import NamedTuple

TRACKED_DAYS = 400
"""How many days back IAM knows, or fewer in a Region that began to track later."""

_NEVER_TRACKED = frozenset({"iam:passrole"})
"""Actions, in lower case, that do not count as use of their service either."""

RecentUse = Literal["used", "not-in-days", "not-in-period", "not-tracked"]


class ActionAccess(NamedTuple):
    """An action that IAM tracks, and when it was last attempted."""

    action: str
    """With its service, such as `s3:CreateBucket`."""
    last_used: datetime | None
    """None if not in the tracking period."""
    by: str | None = None
    """The ARN of the last entity that did."""
    region: str | None = None


class ServiceAccess(NamedTuple):
    """A service that the policies allow, and when a request to it was last attempted, allowed or not."""

    service: str
    """The prefix of its actions."""
    name: str
    last_used: datetime | None
    """None if not in the tracking period."""
    by: str | None
    region: str | None
    actions: tuple[ActionAccess, ...]
    """Those that IAM tracks: management actions of some services; no others are known to be unused."""


class LastAccessed(NamedTuple):
    """IAM's report on a role, a user or a policy."""

    arn: str
    fetched_at: datetime
    services: tuple[ServiceAccess, ...]


def use_in(last_used: datetime | None, now: datetime, days: int) -> RecentUse:
    """Return whether something was used in the last days."""
    if last_used is None:
        return "not-in-period"
    return "used" if now - last_used <= timedelta(days=days) else "not-in-days"


class Less(NamedTuple):
    """A document without what provably was not used, and why some of the rest stays."""

    trimmed: TrimmedDocument
    kept: tuple[tuple[str, tuple[str, ...]], ...]
    """Patterns that stay because of what else they match, each with the unused actions that they match too."""


def without_unused(document: Document, report: LastAccessed, days: int) -> Less:
    """Return a document without the Allow statements' actions that were not used in the report's last days."""
    services = {service.service.lower(): service for service in report.services}
    fetched_at = report.fetched_at
    unused_actions = {
        action.action.lower()
        for service in report.services
        for action in service.actions
        if use_in(action.last_used, fetched_at, days) != "used"
    }

    def is_unused(pattern: str) -> bool:
        prefix, _, name = pattern.strip().lower().partition(":")
        service = services.get(prefix)
        if service is None or pattern.lower() in _NEVER_TRACKED:
            return False
        if use_in(service.last_used, fetched_at, days) != "used":
            # What the service did not see at all, no action of it was used for; but PassRole never counts.
            return prefix != "iam" or not any(full.lower() in _NEVER_TRACKED for full in reference().expand(pattern))
        return not is_wild(name) and pattern.lower() in unused_actions

    trimming = trimmed(document, is_unused)
    return Less(trimming, tuple(_kept_patterns(trimming.document, unused_actions)))


def _kept_patterns(document: Document, unused_actions: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    patterns = dict.fromkeys(
        pattern
        for statement in document.statements
        if statement.effect == "Allow" and statement.action_element == "Action"
        for pattern in statement.actions
        if is_wild(pattern)
    )
    for pattern in patterns:
        actions = [action for action in reference().expand(pattern) if action.lower() in unused_actions]
        if actions:
            yield pattern, tuple(actions)
