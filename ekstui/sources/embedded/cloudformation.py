"""The policy documents of a CloudFormation template (the reference of the AWS::IAM resource types)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ekstui.core.document import Repeated
from ekstui.sources.embedded.documents import (
    COMPUTED,
    Embedded,
    checksum,
    hints,
    is_function,
    json_text,
    parsed,
    search,
)

_CLOUDFORMATION = (
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy",
)  # fmt: skip
"""The types of resources whose `PolicyDocument` is an identity policy."""

_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
"""The macros that leave a document as it is written, apart from functions in it."""

_NAME = re.compile(r"[A-Za-z0-9]+")
"""A logical name in a template."""


def of_template(template: Mapping[str, Any]) -> Iterator[Embedded]:
    """Yield the documents of a CloudFormation template, each with what it is computed from."""
    transforms = template.get("Transform") or ()
    listed = transforms if isinstance(transforms, list) else [transforms] if transforms else []
    if isinstance(template, Repeated) or not all(each in _TRANSFORMS for each in listed):
        if hints(template):
            yield Embedded("", None, "a macro of the template may change it", json_text(template))
        return
    parts = _Parts(template)
    for name, resource in template["Resources"].items():
        condition = (
            parts.behind(resource["Condition"]) if isinstance(resource, Mapping) and "Condition" in resource else ""
        )
        for each in _of_entry(str(name), resource):
            if each.document is None:
                each = replace(each, written=each.written + parts.behind(each.written))
            yield replace(each, condition=condition)
    for section, value in template.items():
        if section not in ("Resources", "Outputs", "Metadata", "Description"):
            yield from search(value, section, computes=True)


class _Parts:
    """The parts of a template that others name: parameters, mappings, conditions and resources."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        texts: dict[str, str] = {}
        for section in ("Parameters", "Mappings", "Conditions", "Resources"):
            entries = template.get(section)
            for name, entry in entries.items() if isinstance(entries, Mapping) else ():
                texts[str(name)] = texts.get(str(name), "") + json_text(entry)
        self.checksums = {name: checksum(text) for name, text in texts.items()}
        self.named = {name: self._names(text) for name, text in texts.items()}
        self.known: dict[frozenset[str], str] = {}
        # With language extensions, a name may be put together from pieces.
        extended = "AWS::LanguageExtensions" in json_text(template.get("Transform"))
        self.whole = checksum(json_text(template)) if extended or any(map(is_function, texts)) else ""

    def _names(self, text: str) -> frozenset[str]:
        return frozenset(_NAME.findall(text)).intersection(self.checksums)

    def behind(self, value: object) -> str:
        """Return a checksum of all that a value names, and of what that names in turn."""
        if self.whole:
            return self.whole
        start = self._names(value if isinstance(value, str) else json_text(value))
        if start not in self.known:
            found: set[str] = set()
            left = [*start]
            while left:
                name = left.pop()
                if name not in found:
                    found.add(name)
                    left += self.named[name]
            self.known[start] = checksum("".join(self.checksums[name] for name in sorted(found)))
        return self.known[start]


def _of_entry(name: str, resource: object) -> Iterator[Embedded]:
    """Yield the documents of an entry of a template's `Resources`."""
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    if not isinstance(resource, Mapping) or not isinstance(kind, str) or is_function(name):
        if hints(resource):
            yield Embedded(name, None, COMPUTED, json_text(resource))
        return
    properties = resource.get("Properties", {})
    if isinstance(resource, Repeated) or not isinstance(properties, Mapping) or isinstance(properties, Repeated):
        if hints(resource):
            yield Embedded(name, None, "its properties are not certain", json_text(resource))
        return
    for key, value in properties.items():
        if is_function(key):
            yield from search({key: value}, name, computes=True)
        elif kind in _CLOUDFORMATION and key == "PolicyDocument":
            yield parsed(name, value)
        elif kind in _WITH_INLINE and key == "Policies":
            yield from _inline(name, value)
        else:
            yield from search(value, f"{name} › {key}", computes=True)


def _inline(name: str, policies: object) -> Iterator[Embedded]:
    if not isinstance(policies, list):
        if policies:
            yield Embedded(f"{name} › Policies", None, COMPUTED, json_text(policies))
        return
    for number, inline in enumerate(policies):
        if isinstance(inline, Mapping) and "PolicyDocument" in inline and not any(map(is_function, inline)):
            label = inline.get("PolicyName")
            place = f"{name} › {label if isinstance(label, str) else f'[{number}]'}"
            if isinstance(inline, Repeated):
                yield Embedded(place, None, "two of its elements have the same name", json_text(inline))
            else:
                yield parsed(place, inline["PolicyDocument"])
        elif inline != {"Ref": "AWS::NoValue"}:
            yield Embedded(f"{name} › [{number}]", None, COMPUTED, json_text(inline))
