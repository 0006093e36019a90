"""The policy documents in a file of a repository: in JSON, a Terraform plan or a CloudFormation template.

One that cannot be judged, such as a trust policy or what a template computes, is found all the same, with the reason.
Sources: Terraform, "JSON Output Format" (`resource_changes`); the reference of CloudFormation's AWS::IAM resource types.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ekstui.core.document import Document, Repeated, broken_rules, parse
from ekstui.errors import DocumentError
from ekstui.sources.repository import ChangedFile, read_json, value_in

_COMPUTED = "parts of it are computed by the template"
"""Why a document that a template puts together cannot be judged."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A policy document in a file."""

    place: str
    """Where in the file, such as `aws_iam_policy.cni`; empty for a file that is one document."""
    document: Document | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""
    written: str = ""
    """The JSON of one that cannot be judged, with a checksum of what it is computed from, to detect changes."""
    condition: str = ""
    """A checksum of what decides whether it exists; empty if nothing does."""


def before_and_after(file: ChangedFile) -> tuple[dict[str, Embedded], dict[str, Embedded]]:
    """Return the documents of a file before and after its change, by place; DocumentError if they are not certain."""
    before, after = value_in(file.path, file.before), value_in(file.path, file.after)
    try:
        sides = _plan_sides(after)
        if sides is None:
            # A plan that is gone, or was replaced, applied to a state of its own.
            sides = ({} if _plan_sides(before) else _by_place(_documents(before)), _by_place(_documents(after)))
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    return sides


def _documents(value: object) -> Iterator[Embedded]:
    if isinstance(value, Mapping) and "Statement" in value:
        yield _parsed("", value)
    elif isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping):
        yield from _of_template(value)
    else:
        yield from _search(value, "")


def _by_place(found: Iterable[Embedded]) -> dict[str, Embedded]:
    """Return documents by place, with a number for a further one in the same place."""
    places: dict[str, Embedded] = {}
    counts: dict[str, int] = {}
    for each in found:
        place = each.place
        while place in places:
            counts[each.place] = counts.get(each.place, 1) + 1
            place = f"{each.place} ({counts[each.place]})"
        places[place] = replace(each, place=place)
    return places


def _search(value: object, place: str, *, computes: bool = False) -> Iterator[Embedded]:
    """Yield the policy documents anywhere in a JSON value, whatever their kind.

    In a template, which `computes`, what a function may yield is not known.
    """
    if isinstance(value, str):
        yield from _in_text(value, place)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _search(entry, f"{place}[{number}]", computes=computes)
    elif isinstance(value, Mapping):
        if _is_document(value):
            yield _parsed(place, value)
        elif isinstance(value, Repeated):
            raise DocumentError(f"{value.name}: two elements have this name")
        elif computes and any(map(_is_function, value)):
            yield from _doubtful(place, value, _COMPUTED)
        else:
            for key, entry in value.items():
                yield from _search(entry, f"{place} › {key}" if place else str(key), computes=computes)


def _in_text(text: str, place: str) -> Iterator[Embedded]:
    if _hints(text):
        value = read_json(text)
        if isinstance(value, Mapping) and "Statement" in value:
            yield _parsed(place, value)
        else:
            yield Embedded(place, None, "it is text that seems to have a policy document", text)


def _doubtful(place: str, value: object, reason: str) -> Iterator[Embedded]:
    """Yield a value that cannot be judged, if it may have a policy document."""
    if _hints(value):
        yield Embedded(place, None, reason, _json_text(value))


def _is_document(value: Mapping[str, Any]) -> bool:
    if "Statement" not in value:
        return False
    statements = value["Statement"]
    entries = statements if isinstance(statements, list) else [statements]
    return any(isinstance(each, Mapping) and ("Effect" in each or any(map(_is_function, each))) for each in entries)


def _is_function(key: object) -> bool:
    """Return whether a name is that of a CloudFormation function."""
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def _hints(value: object) -> bool:
    """Return whether a value may have, or become, a policy document."""
    names = ("Statement", "PolicyDocument", "Policies", "Fn::Transform")

    def hints(part: object) -> bool:
        if isinstance(part, str):
            return ("Statement" in part and "Effect" in part) or "AWS::IAM::" in part
        return isinstance(part, Mapping) and any(name in part for name in names)

    return _anywhere(hints, value)


def _anywhere(test: Callable[[object], bool], value: object) -> bool:
    """Return whether a test holds for a JSON value, or for one inside it."""
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return test(value) or any(map(partial(_anywhere, test), inside))


def _parsed(place: str, value: object) -> Embedded:
    """Return the policy document that a value is, or is the text of."""
    if isinstance(value, str):
        written, value = value, read_json(value)
        if value is None:
            return Embedded(place, None, "it is not JSON", written)
    try:
        written = _json_text(value)
    except (TypeError, ValueError, RecursionError):
        return Embedded(place, None, "it is not JSON", repr(value))
    if _is_computed(value):
        return Embedded(place, None, _COMPUTED, written)
    try:
        document = parse(value)
        for broken in broken_rules(document):
            raise broken
    except DocumentError as error:
        return Embedded(place, None, error.message.rstrip("."), written)
    return Embedded(place, document)


def _is_computed(value: object) -> bool:
    """Return whether a value contains a function or a dynamic reference of CloudFormation."""

    def computes(part: object) -> bool:
        if isinstance(part, Mapping):
            return any(map(_is_function, map(str, part)))
        return isinstance(part, str) and "{{resolve:" in part

    return _anywhere(computes, value)


def _json_text(value: object) -> str:
    """Return a value as text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, default=str)


def _checksum(text: str) -> str:
    """Return the SHA-256 of text, in hexadecimal."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


_UNKNOWN_FORMAT = "it is a plan in an unknown format"

_TERRAFORM = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
"""The Terraform resources whose `policy` is an identity policy, as a JSON string."""


def _plan_sides(value: object) -> tuple[dict[str, Embedded], dict[str, Embedded]] | None:
    """Return the policies before and after a Terraform plan, or None if the value is not a plan."""
    if not isinstance(value, Mapping) or "resource_changes" not in value or "format_version" not in value:
        return None
    before: list[Embedded] = []
    after: list[Embedded] = []
    for kind, resource in _resources(value):
        what, address = _fields(resource, "change"), str(resource.get("address", ""))
        before += _of_terraform(address, kind, _fields(what, "before"))
        known = tuple(_of_terraform(address, kind, _fields(what, "after")))
        unknown = tuple(_unknown(address, kind, _fields(what, "after_unknown"), value.get("configuration")))
        hidden = {each.place for each in unknown}
        after += (*(each for each in known if each.place not in hidden), *unknown)
    return _by_place(before), _by_place(after)


def _resources(plan: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the changes of resources in a plan, each with its type; DocumentError if they are not certain."""
    if isinstance(plan, Repeated) or "Statement" in plan or "Resources" in plan:
        raise DocumentError("it is a plan and something else too")
    if plan.get("errored") is True:
        raise DocumentError("the plan ended with an error")
    resources, deferred = plan["resource_changes"], plan.get("deferred_changes")
    if not isinstance(resources, list) or not isinstance(deferred, list | None):
        raise DocumentError(_UNKNOWN_FORMAT)
    for resource in (*resources, *(_fields(each, "resource_change") for each in deferred or ())):
        if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("type"), str):
            raise DocumentError(_UNKNOWN_FORMAT)
        yield kind, resource


def _fields(value: object, name: str) -> Mapping[str, Any]:
    """Return an object of a plan, an empty one if there is none; DocumentError for anything else."""
    if not isinstance(value, Mapping):
        raise DocumentError(_UNKNOWN_FORMAT)
    fields = value.get(name)
    if fields is None or fields is False:
        return {}
    if not isinstance(fields, Mapping) or isinstance(fields, Repeated):
        raise DocumentError(_UNKNOWN_FORMAT)
    return fields


def _of_terraform(address: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[Embedded]:
    for key, value in attributes.items():
        if kind in _TERRAFORM and key == "policy":
            if value is not None:
                yield _parsed(address, value)
        elif kind == "aws_iam_role" and key == "inline_policy" and isinstance(value, list):
            for number, inline in enumerate(value):
                fields = inline if isinstance(inline, Mapping) else {"policy": inline}
                if fields.get("policy") is not None:
                    yield _parsed(f"{address} › {fields.get('name') or f'[{number}]'}", fields["policy"])
        else:
            yield from _search(value, f"{address} › {key}")


def _unknown(address: str, kind: str, attributes: Mapping[str, Any], configuration: object) -> Iterator[Embedded]:
    """Yield the policies that are known only after a plan is applied."""
    reason = "it is known only after the plan is applied"
    for key, value in attributes.items():
        if not _anywhere(lambda each: each is True, value):
            continue
        if kind in _TERRAFORM and key == "policy":
            yield Embedded(address, None, reason, "unknown")
        # Whatever AWS may fill in itself is unknown too: of that, only what the configuration sets is a document.
        elif re.search(r"polic(y|ies)(_document|_json_text)?$|template_body$", key) and _is_set(
            configuration, kind, key
        ):
            yield Embedded(f"{address} › {key}", None, reason, "unknown")


def _is_set(configuration: object, kind: str, key: str) -> bool:
    """Return whether a plan's configuration sets an attribute for any resource of a type."""

    def sets(value: object) -> bool:
        expressions = value.get("expressions") if isinstance(value, Mapping) and value.get("type") == kind else None
        return isinstance(expressions, Mapping) and key in expressions

    return _anywhere(sets, configuration)


_CLOUDFORMATION = (
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy",
)  # fmt: skip
"""The types of resources whose `PolicyDocument` is an identity policy."""

_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
"""The macros that leave a document as it is written, apart from functions in it."""

_NAME = re.compile(r"[A-Za-z0-9]+")
"""A logical name in a template."""


def _of_template(template: Mapping[str, Any]) -> Iterator[Embedded]:
    """Yield the documents of a CloudFormation template, each with what it is computed from."""
    transforms = template.get("Transform") or ()
    listed = transforms if isinstance(transforms, list) else [transforms] if transforms else []
    if isinstance(template, Repeated) or not all(each in _TRANSFORMS for each in listed):
        yield from _doubtful("", template, "a macro of the template may change it")
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
            yield from _search(value, section, computes=True)


class _Parts:
    """The parts of a template that others name: parameters, mappings, conditions and resources."""

    def __init__(self, template: Mapping[str, Any]) -> None:
        texts: dict[str, str] = {}
        for section in ("Parameters", "Mappings", "Conditions", "Resources"):
            entries = template.get(section)
            for name, entry in entries.items() if isinstance(entries, Mapping) else ():
                texts[str(name)] = texts.get(str(name), "") + _json_text(entry)
        self.checksums = {name: _checksum(text) for name, text in texts.items()}
        self.named = {name: self._names(text) for name, text in texts.items()}
        self.known: dict[frozenset[str], str] = {}
        # With language extensions, a name may be put together from pieces.
        extended = "AWS::LanguageExtensions" in _json_text(template.get("Transform"))
        self.whole = _checksum(_json_text(template)) if extended or any(map(_is_function, texts)) else ""

    def _names(self, text: str) -> frozenset[str]:
        return frozenset(_NAME.findall(text)).intersection(self.checksums)

    def behind(self, value: object) -> str:
        """Return a checksum of all that a value names, and of what that names in turn."""
        if self.whole:
            return self.whole
        start = self._names(value if isinstance(value, str) else _json_text(value))
        if start not in self.known:
            found: set[str] = set()
            left = [*start]
            while left:
                name = left.pop()
                if name not in found:
                    found.add(name)
                    left += self.named[name]
            self.known[start] = _checksum("".join(self.checksums[name] for name in sorted(found)))
        return self.known[start]


def _of_entry(name: str, resource: object) -> Iterator[Embedded]:
    """Yield the documents of an entry of a template's `Resources`."""
    if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("Type"), str) or _is_function(name):
        yield from _doubtful(name, resource, _COMPUTED)
        return
    properties = resource.get("Properties", {})
    if not isinstance(properties, Mapping) or isinstance(resource, Repeated) or isinstance(properties, Repeated):
        yield from _doubtful(name, resource, "its properties are not certain")
        return
    for key, value in properties.items():
        if _is_function(key):
            yield from _search({key: value}, name, computes=True)
        elif kind in _CLOUDFORMATION and key == "PolicyDocument":
            yield _parsed(name, value)
        elif kind in _WITH_INLINE and key == "Policies":
            yield from _inline(name, value)
        else:
            yield from _search(value, f"{name} › {key}", computes=True)


def _inline(name: str, policies: object) -> Iterator[Embedded]:
    if not isinstance(policies, list):
        if policies:
            yield Embedded(f"{name} › Policies", None, _COMPUTED, _json_text(policies))
        return
    for number, inline in enumerate(policies):
        if isinstance(inline, Mapping) and "PolicyDocument" in inline and not any(map(_is_function, inline)):
            label = inline.get("PolicyName")
            place = f"{name} › {label if isinstance(label, str) else f'[{number}]'}"
            if isinstance(inline, Repeated):
                yield Embedded(place, None, "two of its elements have the same name", _json_text(inline))
            else:
                yield _parsed(place, inline["PolicyDocument"])
        elif inline != {"Ref": "AWS::NoValue"}:
            yield Embedded(f"{name} › [{number}]", None, _COMPUTED, _json_text(inline))
