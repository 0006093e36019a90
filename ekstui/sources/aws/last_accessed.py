"""IAM's last accessed data of a role, user or policy: one job, asked about less and less often.

IAM API Reference, GenerateServiceLastAccessedDetails and GetServiceLastAccessedDetails.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ekstui.eks.last_accessed import ActionAccess, LastAccessed, ServiceAccess
from ekstui.errors import AccountError
from ekstui.sources.aws.connection import Connection, IncompleteError
from ekstui.sources.aws.failures import account_error, failures
from ekstui.waiting import Cancelled, Tell

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0)
"""How long to wait before each question whether the job is done, in seconds."""

_GENERATE, _GET = "iam:GenerateServiceLastAccessedDetails", "iam:GetServiceLastAccessedDetails"


def read_last_accessed(connection: Connection, arn: str, progress: Tell, cancelled: Cancelled) -> LastAccessed:
    """Return IAM's report, down to actions; AccountError if it fails, takes too long or is cancelled."""
    action = _GENERATE
    try:
        job = str(connection.ask(_GENERATE, Arn=arn, Granularity="ACTION_LEVEL")["JobId"])
        action = _GET
        page = _finished(connection, job, progress, cancelled)
        services = [*page.get("ServicesLastAccessed", ())]
        markers: set[str] = set()
        while page.get("IsTruncated"):
            marker = page.get("Marker")
            if not marker or marker in markers:
                raise IncompleteError(f"{_GET} says that there is more, but not where")
            markers.add(marker)
            page = connection.ask(_GET, JobId=job, Marker=marker)
            services += page.get("ServicesLastAccessed", ())
    except failures() as error:
        raise account_error(error, "last-accessed", action, connection.profile) from None
    completed_at = page.get("JobCompletionDate")
    time = completed_at.astimezone(UTC) if isinstance(completed_at, datetime) else datetime.now(UTC)
    return LastAccessed(arn, time, tuple(map(_service, services)))


def _finished(connection: Connection, job: str, progress: Tell, cancelled: Cancelled) -> Mapping[str, Any]:
    seconds = 0.0
    for pause in PAUSES:
        _wait(pause, cancelled)
        seconds += pause
        page = connection.ask(_GET, JobId=job)
        status = page.get("JobStatus")
        if status == "COMPLETED":
            return page
        if status == "FAILED":
            error = page.get("Error", {})
            raise AccountError(
                f"IAM could not make the report: {error.get('Message') or error.get('Code') or 'no reason given'}."
            )
        progress(f"IAM makes the report ({seconds:.0f} s)")
    raise AccountError(
        f"IAM did not finish the report within {seconds:.0f} s.", "Ask again later: it may be done then."
    )


def _wait(seconds: float, cancelled: Cancelled) -> None:
    """Wait, and look often whether nobody wants the answer any more."""
    for _ in range(max(1, int(seconds / 0.1))):
        if cancelled():
            raise AccountError("The report was cancelled.")
        time.sleep(min(0.1, seconds))


def _service(entry: Mapping[str, Any]) -> ServiceAccess:
    prefix = str(entry["ServiceNamespace"])
    return ServiceAccess(
        prefix,
        str(entry["ServiceName"]),
        _time(entry.get("LastAuthenticated")),
        entry.get("LastAuthenticatedEntity"),
        entry.get("LastAuthenticatedRegion"),
        tuple(
            ActionAccess(
                f"{prefix}:{action['ActionName'].rpartition(':')[2]}",
                _time(action.get("LastAccessedTime")),
                action.get("LastAccessedEntity"),
                action.get("LastAccessedRegion"),
            )
            for action in entry.get("TrackedActionsLastAccessed", ())
        ),
    )


def _time(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
