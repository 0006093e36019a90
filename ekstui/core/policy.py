"""An AWS managed policy and its versions, as values."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

PolicyKind = Literal["managed", "service-role", "service-linked", "job-function", "root-task", "customer", "published"]
PolicyFamily = Literal["aws-managed", "customer", "inline", "access-policy", "published"]
"""What sort of policy it is; a new sort is one more word here and one more source."""

_KIND_OF_PATH: dict[str, PolicyKind] = {
    "/service-role/": "service-role",
    "/aws-service-role/": "service-linked",
    "/job-function/": "job-function",
    "/root-task/": "root-task",
}


class PolicyId(NamedTuple):
    """What distinguishes policies, as names do not: an IAM policy and an EKS access policy may share one."""

    kind: PolicyFamily
    arn: str
    """For an inline policy its holder's ARN, a `#` and its name; for a published one `published:COMPONENT`."""


class ReleaseNumber(int):
    """The number of a version that a project publishes, with the release that is meant: several may share a document."""

    label: str

    def __new__(cls, number: int, label: str) -> "ReleaseNumber":
        """Return the number, which is equal to that of every release with the same document."""
        made = super().__new__(cls, number)
        made.label = label
        return made


class VersionInfo(NamedTuple):
    """What is known about a version without its document."""

    number: int
    """5 for `v5`."""
    created: datetime | None
    """When IAM made it, or a project released it, UTC; None where nobody knows."""
    through: str | None = None
    """Of what a project publishes: the last release that has this document, by version."""


class Policy(NamedTuple):
    """A policy and the versions that are known, without their documents."""

    name: str
    arn: str
    default_version: int
    versions: tuple[VersionInfo, ...]
    """Oldest first; numbers that nobody saw are absent."""
    withdrawn: bool = False
    """True for a policy that AWS no longer lists; its documents are kept."""
    home: str | None = None
    """The address of the project that publishes it; None for a policy of IAM."""

    @property
    def id(self) -> PolicyId:
        """Its identity."""
        return PolicyId(self.family, self.arn)

    @property
    def family(self) -> PolicyFamily:
        """What sort of policy it is."""
        if self.home is not None:
            return "published"
        return "customer" if self.kind == "customer" else "aws-managed"

    @property
    def address(self) -> str:
        """Where it is: its ARN, or the project's address."""
        return self.home or self.arn

    @property
    def path(self) -> str:
        """The ARN's path with both slashes, such as `/service-role/`, or `/`."""
        if self.home is not None:
            return "/"
        resource = self.arn.split(":", 5)[5]
        return resource[resource.index("/") : resource.rindex("/") + 1]

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return "aws" if self.home is not None else self.arn.split(":", 2)[1]

    @property
    def kind(self) -> PolicyKind:
        """What the path says the policy is for; a policy of an account is `customer`."""
        if self.home is not None:
            return "published"
        if self.arn.split(":", 5)[4] != "aws":
            return "customer"
        return _KIND_OF_PATH.get(self.path, "managed")

    @property
    def attachable(self) -> bool:
        """Whether a user may attach it: AWS keeps service-linked and root-task policies to itself."""
        return self.kind not in ("service-linked", "root-task")

    @property
    def created(self) -> datetime | None:
        """When version 1 was made, or None where that is not known."""
        first = self.versions[0]
        return first.created if first.number == 1 else None

    @property
    def updated(self) -> datetime | None:
        """When the default version was made, or None where that is not known."""
        return next((info.created for info in self.versions if info.number == self.default_version), None)


def version_label(number: int) -> str:
    """Return a version as IAM writes it, `v5`, or the release that it stands for."""
    return number.label if isinstance(number, ReleaseNumber) else f"v{number}"


def parse_version(label: str) -> int | None:
    """Return the number of a label such as `v5` or `5`, or None if it is none."""
    digits = label[1:] if label[:1] in ("v", "V") else label
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < len(digits) < 6 and int(digits) else None


def format_time(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 UTC with Z and whole seconds, or None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the UTC time of an ISO 8601 text; ValueError if it is none."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
