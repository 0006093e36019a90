"""What the rig's AWS holds beside moto's own backends, and how it behaves: one place that a test may change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import ServiceException

from tests.rig.catalogue import Catalogue

Simulation = Callable[[Mapping[str, Any]], list[dict[str, Any]]]
"""Takes the parameters of SimulatePrincipalPolicy, returns its EvaluationResults."""


Reports = Callable[[str], list[dict[str, Any]]]
"""Takes the ARN of a role, user or policy, returns the ServicesLastAccessed of IAM's report."""


def implicit_deny(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Answer a simulation as IAM does for a principal that nothing allows anything."""
    return [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "implicitDeny",
            "MatchedStatements": [],
        }
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns") or ["*"]
    ]


@dataclass(slots=True)
class World:
    """State that every corrected service reads."""

    callers: dict[str, str] = field(default_factory=dict)
    """Account ID -> the ARN that GetCallerIdentity answers."""
    instances: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    """(account ID, region) -> EC2 instances in the shape of DescribeInstances."""
    aggregators: dict[str, "Aggregator"] = field(default_factory=dict)
    """Name -> what AWS Config's aggregator of that name covers."""
    recorded: bool = True
    """Whether AWS Config records IAM and EKS types; where it does not, its answers are empty."""
    short_pages: int | None = None
    """At most so many items on a page, whatever the caller asks for, as IAM may do."""
    simulation: Simulation = implicit_deny
    reports: Reports = lambda arn: []
    questions_per_report: int = 2
    """How often a caller has to ask for a report until it is done."""
    jobs: dict[str, list[str]] = field(default_factory=dict)
    """Job ID -> the ARN, and one more entry each time it was asked for."""
    not_opted_in: frozenset[str] = frozenset()
    """Regions that DescribeRegions calls not-opted-in."""
    catalogues: dict[str, Catalogue] = field(default_factory=dict)

    def catalogue(self, partition: str) -> Catalogue:
        """Return the partition's AWS managed policies, read on first use."""
        if partition not in self.catalogues:
            self.catalogues[partition] = Catalogue.of(partition)
        return self.catalogues[partition]

    def page(
        self, items: list[Any], marker: str | None, page_size: int | None, limit: int = 1000
    ) -> tuple[list[Any], str | None]:
        """Return a page of `items` and the marker of the next one, or None at the end.

        `page_size` is the caller's MaxItems or maxResults, `limit` the service's; a marker or size that AWS would
        refuse raises ValidationError.
        """
        if page_size is not None and not 1 <= page_size <= limit:
            raise ServiceException("ValidationError", f"Value '{page_size}' at 'maxItems' failed to satisfy constraint")
        start = 0
        if marker:
            if not marker.startswith("at-") or not marker[3:].isdecimal():
                raise ServiceException("ValidationError", "Invalid Marker.")
            start = int(marker[3:])
        end = start + min(page_size or 100, self.short_pages or limit)
        return items[start:end], f"at-{end}" if end < len(items) else None


@dataclass(frozen=True, slots=True)
class Aggregator:
    """An AWS Config aggregator: the accounts and regions it collects from."""

    accounts: tuple[str, ...]
    regions: tuple[str, ...]


class SignedRegion:
    """Takes the region from the signature: moto looks for it in the URL, and finds one in a role's path."""

    def get_region_from_url(self, request: Any, full_url: str) -> str:
        scope = request.headers.get("Authorization", "").partition("Credential=")[2].split("/")
        return scope[2] if len(scope) > 3 else "us-east-1"


world = World()
"""The one world of this process; moto's backends are global too."""
