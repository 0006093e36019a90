"""What the library needs of a place that holds policies: the bundled corpus and the cache both offer it."""

from collections.abc import Iterator
from typing import Protocol

from ekstui.core.history import PolicyHistory
from ekstui.core.policy import Policy


class PolicyReader(Protocol):
    """A place that holds policies and their documents; safe to call from any thread."""

    def policies(self, *, family: bool = False) -> Iterator[Policy]:
        """Yield the policies, the EKS family first, or only the family."""

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON; the policy and the version are known to be there."""

    def history(self, name: str) -> PolicyHistory:
        """Return a policy with all its documents; the policy is known to be there."""
