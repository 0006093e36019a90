"""The policies in a CloudFormation template. Source: the reference of CloudFormation's AWS::IAM resource types."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from ekstui.iam.document import Repeated
from ekstui.sources.written import WrittenPolicy
from ekstui.sources.written.search import COMPUTED, checksum, doubtful, is_function, json_text, parsed, search

_CLOUDFORMATION = (
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy",
)  # fmt: skip
"""The types of resources whose `PolicyDocument` is an identity policy."""

_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
"""The macros that leave a document as it is written, apart from functions in it."""

_NAME = re.compile(r"[A-Za-z0-9]+")
"""A logical name in a template."""


def is_template(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a template of CloudFormation."""
    return isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping)


def of_template(template: Mapping[str, Any]) -> Iterator[WrittenPolicy]:
    """Yield the documents of a CloudFormation template, each with what it is computed from."""
    transforms = template.get("Transform") or ()
    listed = transforms if isinstance(transforms, list) else [transforms] if transforms else []
    if isinstance(template, Repeated) or not all(each in _TRANSFORMS for each in listed):
        yield from doubtful("", template, "a macro of the template may change it")
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


def _of_entry(name: str, resource: object) -> Iterator[WrittenPolicy]:
    """Yield the documents of an entry of a template's `Resources`."""
    if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("Type"), str) or is_function(name):
        yield from doubtful(name, resource, COMPUTED)
        return
    properties = resource.get("Properties", {})
    if not isinstance(properties, Mapping) or isinstance(resource, Repeated) or isinstance(properties, Repeated):
        yield from doubtful(name, resource, "its properties are not certain")
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


def _inline(name: str, policies: object) -> Iterator[WrittenPolicy]:
    if not isinstance(policies, list):
        if policies:
            yield WrittenPolicy(f"{name} › Policies", None, COMPUTED, json_text(policies))
        return
    for number, inline in enumerate(policies):
        if isinstance(inline, Mapping) and "PolicyDocument" in inline and not any(map(is_function, inline)):
            label = inline.get("PolicyName")
            place = f"{name} › {label if isinstance(label, str) else f'[{number}]'}"
            if isinstance(inline, Repeated):
                yield WrittenPolicy(place, None, "two of its elements have the same name", json_text(inline))
            else:
                yield parsed(place, inline["PolicyDocument"])
        elif inline != {"Ref": "AWS::NoValue"}:
            yield WrittenPolicy(f"{name} › [{number}]", None, COMPUTED, json_text(inline))
