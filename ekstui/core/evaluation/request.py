"""A request as IAM sees it, and what is known of its context."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ekstui.core import wildcard

RESOURCE = "resource"
"""Stands among the missing keys where the resource itself was not told; a condition key always has a colon."""


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


class Context:
    """Look-up of condition keys by name, ignoring case."""

    __slots__ = ("_absent", "_absent_patterns", "_values")

    def __init__(self, values: Mapping[str, tuple[str, ...]], absent: frozenset[str]) -> None:
        self._values = {key.lower(): tuple(entries) for key, entries in values.items()}
        names = {name.lower() for name in absent}
        self._absent_patterns = tuple(sorted(name for name in names if name.endswith("/*")))
        self._absent = names.difference(self._absent_patterns)

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return the values of `key`: empty if the request does not have it, None if that is not known."""
        name = key.lower()
        if name in self._values:
            return self._values[name]
        if name in self._absent or any(wildcard.matches(pattern, name) for pattern in self._absent_patterns):
            return ()
        return None
