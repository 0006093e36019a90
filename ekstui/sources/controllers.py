"""Policies that controllers publish, from the data that ships; their versions are releases."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

from ekstui import paths
from ekstui.core.policy import PolicyHistory
from ekstui.core.published import Component, ComponentVersion, policy_of, read_components
from ekstui.errors import DataError

if TYPE_CHECKING:
    from ekstui.core.policy import Policy
    from ekstui.scope import Scope

_REINSTALL = "Install ekstui again."


@cache
def components() -> Mapping[str, Component]:
    """Return the components by name; DataError if the data cannot be read."""
    try:
        with lzma.open(paths.assets() / "published.jsonl.xz") as file:
            return read_components(file.read().splitlines())
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The published policies cannot be read: {error}.", _REINSTALL) from None


@cache
def published_until() -> date:
    """Return until when releases are known; DataError if the data cannot be read."""
    try:
        manifest = json.loads((paths.assets() / "published.json").read_text(encoding="utf-8"))
        return date.fromisoformat(manifest["known_until"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The published policies' manifest cannot be read: {error}.", _REINSTALL) from None


class PublishedPolicies:
    """Reads components as policies; parameters in their documents are left as they are."""

    def names(self) -> Iterator[str]:
        """Yield all names, whole components such as `karpenter` before their parts."""
        yield from sorted(components(), key=lambda name: ("/" in name, name))

    def policies(self, scope: Scope = "controllers") -> Iterator[Policy]:  # noqa: ARG002 (it is PolicyReader's)
        """Yield the components, without their parts."""
        yield from (policy_of(component) for component in components().values() if not component.is_part)

    def policy(self, name: str) -> Policy:
        """Return one component as a policy."""
        return policy_of(components()[name])

    def version(self, name: str, number: int) -> ComponentVersion:
        """Return one run of releases."""
        return components()[name].versions[number - 1]

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""
        return json.dumps(self.version(name, version).json()).encode()

    def has_policy(self, name: str, part: str) -> bool:
        """Return whether a component has a policy with a text in its name."""
        return any(part in policy.name.lower() for policy in components()[name].versions[-1].policies)

    def history(self, name: str) -> PolicyHistory:
        """Return a component with all its documents."""
        policy = self.policy(name)
        return PolicyHistory(policy, {info.number: self.text(name, info.number) for info in policy.versions})

    def histories_of(self, names: Iterable[str]) -> Iterator[PolicyHistory]:
        """Yield some components with all their documents, in the order of the names."""
        yield from map(self.history, names)

    def histories(self, scope: Scope = "controllers") -> Iterator[PolicyHistory]:
        """Yield the components with all their documents."""
        for policy in self.policies(scope):
            yield self.history(policy.name)
