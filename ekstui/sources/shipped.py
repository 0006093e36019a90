"""The families of policies that ship with ekstui beside AWS's own: an entry for each, and what its reader says."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ekstui.core.policy import Policy, PolicyFamily, PolicyHistory, VersionInfo, version_label

if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.published import Component
    from ekstui.scope import Scope


class ShippedPolicies(ABC):
    """Reads the policies of a family, whose ids are `FAMILY:NAME` and which all have a `home`.

    A family's own class says what there is; what else it overrides is for templates with parameters and for releases.
    """

    family: ClassVar[PolicyFamily]

    @abstractmethod
    def names(self) -> Iterable[str]:
        """Return all names, in the list's order."""

    @abstractmethod
    def policy(self, name: str) -> Policy:
        """Return one policy."""

    @abstractmethod
    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""

    @abstractmethod
    def until(self) -> date:
        """Return until when the policies are known."""

    def policies(self, scope: Scope = "any") -> Iterable[Policy]:  # noqa: ARG002 (it is PolicyReader's)
        """Return the policies that are listed."""
        return map(self.policy, self.names())

    def history(self, name: str) -> PolicyHistory:
        """Return a policy with all its documents."""
        policy = self.policy(name)
        return PolicyHistory(policy, {info.number: self.text(name, info.number) for info in policy.versions})

    def histories_of(self, names: Iterable[str]) -> Iterator[PolicyHistory]:
        """Yield some policies with all their documents, in the order of the names."""
        yield from map(self.history, names)

    def histories(self, scope: Scope = "any") -> Iterator[PolicyHistory]:
        """Yield the policies that are listed, with all their documents."""
        yield from self.histories_of(policy.name for policy in self.policies(scope))

    def purpose(self, name: str) -> str | None:  # noqa: ARG002
        """Return what a policy is for, if that is known."""
        return None

    def component(self, name: str) -> Component | None:  # noqa: ARG002
        """Return the component whose policy it is, if it is one."""
        return None

    def claims(self, text: str) -> bool:
        """Return whether a text can only mean a policy of the family."""
        return text.lower().startswith(f"{self.family}:")

    def contains(self, name: str, part: str) -> bool:  # noqa: ARG002
        """Return whether a policy is made of several, one of which has a text in its name."""
        return False

    def labels(self, name: str) -> list[str]:
        """Return what users may call the versions of a policy."""
        return [version_label(info.number) for info in self.policy(name).versions]

    def release(self, name: str, text: str) -> VersionInfo | None:  # noqa: ARG002
        """Return the version of a release and the release's own day, None if there is none of that name."""
        return None

    def document(
        self,
        name: str,
        version: int,
        values: Mapping[str, str] | None = None,  # noqa: ARG002
        *,
        named: bool = True,  # noqa: ARG002
    ) -> Document:
        """Return a document with the given parameters; the others become names if `named`, else stay variables."""
        from ekstui.core.document import parse_text  # 4 ms, which a list does without

        return parse_text(self.text(name, version))

    def document_json(self, name: str, version: int, values: Mapping[str, str]) -> object:  # noqa: ARG002
        """Return a document as it is published, with the given parameters filled in."""
        found: object = json.loads(self.text(name, version))
        return found

    def parameters(self, name: str, version: int, values: Mapping[str, str]) -> Mapping[str, str | None]:  # noqa: ARG002
        """Return the parameters of a document with the given values; None for the others."""
        return {}

    def values_in(self, name: str, version: int, document: Document) -> Mapping[str, str]:  # noqa: ARG002
        """Return the parameters of a document as another one fills them in."""
        return {}


class Family(NamedTuple):
    """A family: the scope that lists it, and where its reader is, which is imported on first use."""

    scope: Scope
    module: str
    reader: str


FAMILIES: Mapping[PolicyFamily, Family] = {
    "published": Family("controllers", "ekstui.sources.controllers", "PublishedPolicies"),
}


def shipped_in(scope: Scope) -> tuple[ShippedPolicies, ...]:
    """Return the readers of the families that a scope lists."""
    return tuple(_reader(family) for family, known in FAMILIES.items() if scope in (known.scope, "any"))


def reader_of(policy: Policy) -> ShippedPolicies:
    """Return the reader of the family that a policy belongs to."""
    return _reader(policy.family)


def _reader(family: PolicyFamily) -> ShippedPolicies:
    # 3 ms for controllers, and most answers are about AWS's policies.
    reader: ShippedPolicies = getattr(import_module(FAMILIES[family].module), FAMILIES[family].reader)()
    return reader
