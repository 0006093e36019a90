"""A request as IAM sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

RESOURCE = "resource"
"""Stands among the missing keys where the resource itself was not told; a condition key always has a colon."""

PRINCIPAL = "principal"
"""The same for the principal, which the trust policy of a role is asked about."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asked for. A context key that is neither in `context` nor in `absent` is unknown."""

    action: str
    """Such as `ec2:CreateVolume`; case does not count."""
    resources: tuple[str, ...] = ()
    """The ARNs that must all be allowed, or `*` for an action without resources; empty where they were not told."""
    principal: str | None = None
    """The ARN of who asks, as a message has it: a user, a role, or `arn:aws:sts::…:assumed-role/NAME/SESSION`."""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values by condition key; key names ignore case, and no values at all means absent."""
    absent: frozenset[str] = frozenset()
    """Keys that the request does not have; `aws:RequestTag/*` stands for every key of that form."""
