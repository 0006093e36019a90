"""The access that a CloudFormation template gives, with what its functions compute as holes.

Source: AWS CloudFormation User Guide, "Intrinsic function reference"; the reference of its AWS::IAM and AWS::EKS
resource types.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from ekstui.change.holes import DIGEST, PARTITION, hole, without_hole_marks
from ekstui.iam.document import ObjectWithRepeatedName
from ekstui.sources.written import Written, WrittenAttachment, WrittenPolicy
from ekstui.sources.written.resources import permission
from ekstui.sources.written.search import (
    access_policies,
    attachments,
    document_in,
    json_text,
    search,
    seems_to_hold,
)
from ekstui.sources.written.values import ObjectWithLine, line_of

_DOCUMENTS = (
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "KeyPolicy",
    "ResourcePolicy",
    "RepositoryPolicyText",
    "InlinePolicy",
)
"""Properties with a policy document."""

_SECTIONS = ("Resources", "Outputs", "Metadata", "Description", "Parameters", "Mappings", "Conditions", "Rules")
"""The sections of a template that give no access by themselves, or are read otherwise."""

_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
"""The macros that leave a document as it is written, apart from functions in it."""

_NAME = re.compile(r"[A-Za-z0-9]+")
"""A logical name in a template."""

_PSEUDO = {"AWS::Partition": PARTITION, "AWS::AccountId": "account", "AWS::Region": "region"}
"""The names of the holes for CloudFormation's pseudo parameters."""

_SUFFIX = {"AWS::URLSuffix": "amazonaws.com"}

_MACRO = "a macro of the template may change it"


def is_template(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is a template of CloudFormation."""
    return isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping)


def of_template(template: Mapping[str, Any]) -> Iterator[Written]:
    """Yield the documents and attachments of a CloudFormation template."""
    transforms = template.get("Transform") or ()
    transform_list = transforms if isinstance(transforms, list) else [transforms] if transforms else []
    if isinstance(template, ObjectWithRepeatedName) or not all(
        transform in _TRANSFORMS for transform in transform_list
    ):
        yield from _doubtful("", template, _MACRO)
        return
    parts = _Template(template)
    for name, resource in template["Resources"].items():
        yield from _of_entry(str(name), resource, parts)
    for section, value in template.items():
        if section not in _SECTIONS:
            yield from search(parts.value(value), section)


def _of_entry(name: str, resource: object, parts: "_Template") -> Iterator[Written]:
    if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("Type"), str) or _is_function(name):
        yield from _doubtful(name, resource, "parts of it are computed by the template")
        return
    properties = resource.get("Properties", {})
    if (
        isinstance(resource, ObjectWithRepeatedName)
        or isinstance(properties, ObjectWithRepeatedName)
        or not isinstance(properties, Mapping)
    ):
        yield from _doubtful(name, resource, "its properties are not certain")
        return
    condition = parts.behind(resource["Condition"]) if "Condition" in resource else ""
    for entry in _of_properties(name, kind, parts.value(properties), line_of(resource)):
        yield entry._replace(condition=condition) if condition and isinstance(entry, WrittenPolicy) else entry


def _of_properties(name: str, kind: str, properties: Any, line: int) -> Iterator[Written]:
    if not isinstance(properties, Mapping):
        yield WrittenPolicy(name, None, "its properties are computed by the template", json_text(properties), line=line)
        return
    if kind == "AWS::Lambda::Permission":
        yield permission(name, {key.lower(): value for key, value in properties.items()}, line)
        return
    for key, value in properties.items():
        place = name if key == "PolicyDocument" else f"{name} › {key}"
        if key in _DOCUMENTS and value not in (None, {}, ""):
            yield document_in(place, value, line)
        elif key == "Policies" and kind.startswith(("AWS::IAM::", "AWS::Serverless::")):
            yield from _policies(name, value, line)
        elif kind == "AWS::EKS::PodIdentityAssociation" and key in ("RoleArn", "TargetRoleArn"):
            account = f"{properties.get('Namespace')}/{properties.get('ServiceAccount')}"
            yield WrittenAttachment(place, "role", account, str(value), line)
        elif kind == "AWS::EKS::AccessEntry" and key == "AccessPolicies" and isinstance(value, list):
            yield from access_policies(place, str(properties.get("PrincipalArn", name)), value, line)
        elif kind == "AWS::IAM::InstanceProfile" and key == "Roles":
            yield from attachments(place, "role", value, line, name)
        elif kind == "AWS::IAM::ManagedPolicy" and key in ("Roles", "Users", "Groups") and isinstance(value, list):
            for entity in value:
                yield WrittenAttachment(place, "policy", str(entity), hole(name), line)
        elif kind == "AWS::IAM::UserToGroupAddition" and key == "GroupName":
            for user in properties.get("Users") or ():
                yield WrittenAttachment(place, "role", str(user), str(value), line)
        else:
            yield from search({key: value}, name, line=line, attached_to=name)


def _policies(name: str, policies: object, line: int) -> Iterator[Written]:
    """Yield the inline policies of a role, or what SAM takes as `Policies` of a function."""
    if isinstance(policies, str):
        yield from attachments(f"{name} › Policies", "policy", policies, line, name)
        return
    for number, inline in enumerate(policies if isinstance(policies, list) else [policies]):
        place = f"{name} › [{number}]"
        if (
            isinstance(inline, Mapping)
            and not isinstance(inline, ObjectWithRepeatedName)
            and "PolicyDocument" in inline
        ):
            label = inline.get("PolicyName")
            inner_place = f"{name} › {label}" if isinstance(label, str) else place
            yield document_in(inner_place, inline["PolicyDocument"], line_of(inline) or line)
        elif isinstance(inline, Mapping) and "Statement" in inline:
            yield document_in(place, inline, line_of(inline) or line)
        elif isinstance(inline, str | Mapping) and inline and not isinstance(inline, ObjectWithRepeatedName):
            text = inline if isinstance(inline, str) else f"SAM's {json_text(inline)}"
            yield WrittenAttachment(f"{name} › Policies", "policy", name, text, line)
        else:
            same = "two of its elements have the same name"
            reason = same if isinstance(inline, ObjectWithRepeatedName) else "its properties are not certain"
            yield WrittenPolicy(place, None, reason, json_text(inline), line=line)


def _doubtful(place: str, value: object, reason: str) -> Iterator[Written]:
    """Yield a value that cannot be judged, if it may have a policy document."""
    if seems_to_hold(value):
        yield WrittenPolicy(place, None, reason, json_text(value), line=line_of(value))


def _is_function(key: object) -> bool:
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


class _Template:
    """The values of a template's expressions, as far as the template decides them."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        def section(name: str) -> Mapping[str, Any]:
            content = template.get(name)
            return content if isinstance(content, Mapping) else {}

        self._parameters = section("Parameters")
        texts: dict[str, str] = {}
        for part in ("Parameters", "Mappings", "Conditions"):
            for name, entry in section(part).items():
                texts[str(name)] = texts.get(str(name), "") + json_text(entry)
        self._texts = texts
        self._named = {name: frozenset(_NAME.findall(text)).intersection(texts) for name, text in texts.items()}

    def value(self, value: object) -> Any:
        """Return a value with its functions evaluated; what they compute is a hole."""
        if isinstance(value, str):
            text = without_hole_marks(value)
            return (
                re.sub(r"\{\{resolve:[^}]*\}\}", lambda match: hole(match[0]), text) if "{{resolve:" in text else text
            )
        if isinstance(value, list):
            entries = [self.value(entry) for entry in value]
            return [entry for entry in entries if entry is not _NO_VALUE]
        if not isinstance(value, Mapping) or isinstance(value, ObjectWithRepeatedName):
            return value
        if len(value) == 1 and _is_function(key := next(iter(value))):
            return self._function(key, value[key])
        if any(map(_is_function, value)):
            return self._computed(value)
        fields = ObjectWithLine(
            {key: entry_value for key, entry in value.items() if (entry_value := self.value(entry)) is not _NO_VALUE}
        )
        fields.line = line_of(value)
        return fields

    def _function(self, name: str, argument: object) -> Any:
        if name == "Ref" and isinstance(argument, str):
            return self._reference(argument)
        if name == "Fn::GetAtt":
            if isinstance(argument, list):
                return hole(".".join(map(str, argument)))
            return hole(argument if isinstance(argument, str) else json_text(argument))
        if name == "Fn::Sub":
            return self._substituted(argument)
        if name == "Fn::Join" and isinstance(argument, list) and len(argument) == 2:
            pieces = self.value(argument[1])
            if isinstance(pieces, list) and all(isinstance(piece, str) for piece in pieces):
                return str(argument[0]).join(pieces)
        if name == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
            left, right = self.value(argument[1]), self.value(argument[2])
            if json_text(left) == json_text(right):
                return left
        return self._computed({name: argument})

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        if name in _SUFFIX:
            return _SUFFIX[name]
        parameter = self._parameters.get(name)
        kind = str(parameter.get("Type", "")) if isinstance(parameter, Mapping) else ""
        if not isinstance(parameter, Mapping) or "Default" not in parameter or kind.startswith("AWS::SSM"):
            return hole(_PSEUDO.get(name, name))
        default = parameter["Default"]
        is_list = kind.startswith(("List<", "CommaDelimitedList")) and isinstance(default, str)
        return [part.strip() for part in default.split(",")] if is_list else default

    def _substituted(self, argument: object) -> Any:
        text, values = argument, {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, values = argument[0], {key: self.value(entry) for key, entry in argument[1].items()}
        if not isinstance(text, str):
            return self._computed({"Fn::Sub": argument})

        def filled(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            value = values[name] if name in values else hole(name) if "." in name else self._reference(name)
            return value if isinstance(value, str) else hole(f"{name}{DIGEST}{_digest(json_text(value))}")

        return re.sub(r"\$\{([^}]+)\}", filled, without_hole_marks(text))

    def _computed(self, value: object) -> str:
        """Return the hole for what a function computes, named by the function and by all that it is computed from."""
        text = json_text(value)
        return hole(f"{text[:60]}{DIGEST}{_digest(text + self.behind(value))}")

    def behind(self, value: object) -> str:
        """Return a digest of the parameters, mappings and conditions that a value names, and of what those name."""
        pending_names = [
            name for name in _NAME.findall(value if isinstance(value, str) else json_text(value)) if name in self._texts
        ]
        names: set[str] = set()
        while pending_names:
            name = pending_names.pop()
            if name not in names:
                names.add(name)
                pending_names += self._named[name]
        return _digest("".join(self._texts[name] for name in sorted(names)))


_NO_VALUE = object()
"""What CloudFormation leaves out: `AWS::NoValue`."""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
