"""What the library needs of a place that holds policies: the bundled corpus and the cache both offer it."""

from collections.abc import Iterable
from typing import Protocol

from ekstui.core.history import PolicyHistory
from ekstui.core.policy import Policy
from ekstui.scope import Scope


class PolicyReader(Protocol):
    """A place that holds policies and their documents; safe to call from any thread.

    Names given to it are exact and known to be there.
    """

    def names(self) -> Iterable[str]:
        """Return all names, the EKS family first in its order, then by name."""

    def policies(self, scope: Scope = "all") -> Iterable[Policy]:
        """Return the policies of a scope in the same order."""

    def policy(self, name: str) -> Policy:
        """Return one policy."""

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""

    def history(self, name: str) -> PolicyHistory:
        """Return a policy with all its documents."""

    def histories(self, scope: Scope = "all") -> Iterable[PolicyHistory]:
        """Yield the policies of a scope with all their documents, in the same order."""
