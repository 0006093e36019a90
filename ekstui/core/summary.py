"""What a document permits, service by service, in the words of the IAM console's policy summary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ekstui.core.document import Effect
from ekstui.core.grants import Grant

Denied = Literal["full", "partial", "unknown"]


@dataclass(frozen=True, slots=True)
class LevelCount:
    """How many actions of one access level are given, of those that the reference knows."""

    granted: int
    total: int


@dataclass(frozen=True, slots=True)
class ActionSummary:
    """One effective action of a service."""

    action: str
    """In the reference's spelling, such as `ec2:DescribeSubnets`; as written where the reference lacks it."""
    level: str
    """The strongest access level, or `unknown`."""
    levels: tuple[str, ...]
    """All of them, strongest first: some of the reference's are composite."""
    grants: tuple[Grant, ...]
    patterns: tuple[str, ...]
    """The patterns of the document that give the action."""
    sids: tuple[str, ...]
    denied: Denied | None
    """How far a Deny of the same document takes it back; None where no Deny touches it."""
    resource: str
    """The console's word: `All resources`, `Multiple`, or the one resource."""
    condition: str
    """The console's word: `None`, `Multiple`, or the one condition."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """One row of the console's table: a service under one effect."""

    service: str
    """The prefix, such as `ec2`."""
    effect: Effect
    recognised: bool
    """Whether the reference knows the service; the others come first, as `Uncategorized services`."""
    access: str
    """The console's words, such as `Full: List Limited: Read, Write`; empty where the service is unknown."""
    levels: Mapping[str, LevelCount]
    """By access level, in the console's order: List, Read, Tagging, Write, Permissions management."""
    resource: str
    condition: str
    warnings: tuple[str, ...]
    actions: tuple[ActionSummary, ...]
    """Sorted by level, then name."""
