"""The families of policies that ship with ekstui beside AWS's own, a reader for each: so far the controllers'."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

from ekstui import files
from ekstui.change.policy import Policy, PolicyFamily, PolicyHistory, Scope, VersionInfo
from ekstui.eks.published import Component, ComponentVersion, is_component, policy_of, read_components, values_in
from ekstui.errors import DataError

if TYPE_CHECKING:
    from ekstui.iam.document import Document

_REINSTALL = "Install ekstui again."


@cache
def components() -> Mapping[str, Component]:
    """Return the components by name; DataError if the data cannot be read."""
    try:
        with lzma.open(files.asset("published.jsonl.xz")) as file:
            return read_components(file.read().splitlines())
    except (OSError, EOFError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The published policies cannot be read: {error}.", _REINSTALL) from None


@cache
def published_until() -> date:
    """Return until when releases are known; DataError if the data cannot be read."""
    try:
        manifest = json.loads(files.asset("published.json").read_text(encoding="utf-8"))
        return date.fromisoformat(manifest["known_until"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"The published policies' manifest cannot be read: {error}.", _REINSTALL) from None


class PublishedPolicies:
    """Reads the components that projects publish as policies with a `home`, whose versions are releases."""

    family: PolicyFamily = "published"
    scope: Scope = "controllers"
    """The scope that lists them."""

    def names(self) -> Iterator[str]:
        """Yield all names, whole components such as `karpenter` before their parts."""
        yield from sorted(components(), key=lambda name: ("/" in name, name))

    def policies(self) -> Iterator[Policy]:
        """Yield the components, without their parts."""
        yield from (self.policy(name) for name, component in components().items() if not component.is_part)

    def policy(self, name: str) -> Policy:
        """Return one component as a policy."""
        return policy_of(components()[name])

    def histories(self) -> Iterator[PolicyHistory]:
        """Yield the components, without their parts, with all their documents."""
        for policy in self.policies():
            yield PolicyHistory(policy, {info.number: self.text(policy.name, info.number) for info in policy.versions})

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""
        return _text(name, version)

    def until(self) -> date:
        """Return until when releases are known."""
        return published_until()

    def purpose(self, name: str) -> str:
        """Return the component's title."""
        return components()[name].title

    def component(self, name: str) -> Component:
        """Return the component."""
        return components()[name]

    def claims(self, text: str) -> bool:
        """Return whether a text starts with the name of a component."""
        return is_component(text)

    def contains(self, name: str, part: str) -> bool:
        """Return whether a component has a policy whose name begins with a text."""
        return any(policy.name.lower().startswith(part) for policy in components()[name].versions[-1].policies)

    def labels(self, name: str) -> list[str]:
        """Return all releases."""
        component = components()[name]
        return [component.short(release) for version in component.versions for release in version.releases]

    def release(self, name: str, text: str) -> VersionInfo | None:
        """Return the version of a release and the release's own day."""
        component = components()[name]
        release = component.release(text)
        if release is None:
            return None
        return VersionInfo(component.number(release), datetime.combine(release.day, datetime.min.time(), UTC))

    def document(
        self, name: str, version: int, values: Mapping[str, str] | None = None, *, named: bool = True
    ) -> Document:
        """Return a document with the given parameters; the others become names if `named`, else stay variables."""
        component_version = _version(name, version)
        return component_version.document(component_version.named(values or {}) if named else values)

    def document_json(self, name: str, version: int, values: Mapping[str, str]) -> object:
        """Return a document as the project publishes it, with the given parameters and the ARNs that they determine."""
        component_version = _version(name, version)
        return component_version.json(component_version.with_made(values))

    def parameters(self, name: str, version: int, values: Mapping[str, str]) -> Mapping[str, str | None]:
        """Return the parameters of a document with the given values; None for the others."""
        component_version = _version(name, version)
        names = [*component_version.to_fill_in, *(key for key in component_version.parameters if key in values)]
        return {parameter: values.get(parameter) for parameter in dict.fromkeys(names) if parameter != "AWS::Partition"}

    def values_in(self, name: str, version: int, document: Document) -> Mapping[str, str]:
        """Return the parameters of a document as another one fills them in."""
        return values_in(_version(name, version), document)


@cache
def _text(name: str, version: int) -> bytes:
    # Each explanation looks through the newest document of every component.
    return json.dumps(_version(name, version).json()).encode()


def _version(name: str, number: int) -> ComponentVersion:
    return components()[name].versions[number - 1]


SHIPPED_FAMILIES: Mapping[PolicyFamily, PublishedPolicies] = {"published": PublishedPolicies()}


def shipped_in(scope: Scope) -> tuple[PublishedPolicies, ...]:
    """Return the readers of the families that a scope lists."""
    return tuple(reader for reader in SHIPPED_FAMILIES.values() if scope in (reader.scope, "any"))


def reader_of(policy: Policy) -> PublishedPolicies:
    """Return the reader of the family that a policy belongs to."""
    return SHIPPED_FAMILIES[policy.family]
