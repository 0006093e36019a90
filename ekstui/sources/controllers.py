"""Policies that controllers publish, from the data that ships; their versions are releases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING

from ekstui import paths
from ekstui.core.policy import VersionInfo
from ekstui.core.published import Component, ComponentVersion, is_component, policy_of, read_components, values_in
from ekstui.errors import DataError
from ekstui.sources.shipped import ShippedPolicies

if TYPE_CHECKING:
    from ekstui.core.document import Document
    from ekstui.core.policy import Policy
    from ekstui.scope import Scope

_REINSTALL = "Install ekstui again."


@cache
def components() -> Mapping[str, Component]:
    """Return the components by name; DataError if the data cannot be read."""
    import lzma  # 4 ms with its buffers, and to know their names is enough for most answers

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


class PublishedPolicies(ShippedPolicies):
    """Reads components as policies; parameters in their documents are left as they are."""

    family = "published"

    def names(self) -> Iterator[str]:
        """Yield all names, whole components such as `karpenter` before their parts."""
        yield from sorted(components(), key=lambda name: ("/" in name, name))

    def policies(self, scope: Scope = "any") -> Iterator[Policy]:  # noqa: ARG002 (it is PolicyReader's)
        """Yield the components, without their parts."""
        yield from (policy_of(component) for component in components().values() if not component.is_part)

    def policy(self, name: str) -> Policy:
        """Return one component as a policy."""
        return policy_of(components()[name])

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""
        return json.dumps(_version(name, version).json()).encode()

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
        """Return whether a component has a policy with a text in its name."""
        return any(part in policy.name.lower() for policy in components()[name].versions[-1].policies)

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
        published = _version(name, version)
        return published.document(published.named(values or {}) if named else values)

    def document_json(self, name: str, version: int, values: Mapping[str, str]) -> object:
        """Return a document as the project publishes it, with the given parameters and the ARNs that they determine."""
        published = _version(name, version)
        return published.json(published.with_made(values))

    def parameters(self, name: str, version: int, values: Mapping[str, str]) -> Mapping[str, str | None]:
        """Return the parameters of a document with the given values; None for the others."""
        published = _version(name, version)
        names = [*published.to_fill_in, *(each for each in published.parameters if each in values)]
        return {each: values.get(each) for each in dict.fromkeys(names) if each != "AWS::Partition"}

    def values_in(self, name: str, version: int, document: Document) -> Mapping[str, str]:
        """Return the parameters of a document as another one fills them in."""
        return values_in(_version(name, version), document)


def _version(name: str, number: int) -> ComponentVersion:
    """Return one run of releases."""
    return components()[name].versions[number - 1]
