"""What a denial says, whatever shape it came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

PolicyType = Literal[
    "identity", "resource", "trust", "boundary", "session", "service-control", "resource-control", "vpc-endpoint"
]


@dataclass(frozen=True, slots=True)
class Cause:
    """What the message names as the reason."""

    policy_type: PolicyType | None
    """None where it speaks of a deny without saying of which policy."""
    explicit: bool
    """True for a Deny; False where no policy of the type allows."""
    policy: str | None = None
    """The ARN of the policy, in the messages that name it."""

    @property
    def has_remedy(self) -> bool:
        """Whether an identity policy could help: only if what is missing is an Allow there."""
        return self.policy_type == "identity" and not self.explicit


@dataclass(frozen=True, slots=True)
class Denial:
    """A denied request, as far as a message tells it."""

    action: str
    """The action that must be allowed, in the reference's spelling where it has it."""
    resource: str | None = None
    """An ARN or `*`; None where the message names none."""
    principal: str | None = None
    cause: Cause | None = None
    """None where the message gives no reason."""
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Condition keys with the values that the message gives."""
    absent: frozenset[str] = frozenset()
    """Condition keys that the request did not have, as the message shows; `aws:RequestTag/*` is every such key."""
    parameter_resources: tuple[str, ...] = ()
    """ARNs that follow from the parameters of the call, where the message names no resource."""
    called: str | None = None
    """The action that was called, where it is another: `ec2:CreateVpcEndpoint` may need `vpce:AllowMultiRegion`."""
    encoded: str | None = None
    """The encoded authorization message that came with it, which holds more context."""
