"""What changed in the policy documents of a repository since a base, wherever they are in its files.

Documents are found in JSON, in Terraform plans ("JSON Output Format", `resource_changes`) and in CloudFormation templates
(the reference of the AWS::IAM resource types). One that may have changed and cannot be judged, such as a trust policy or
what a template computes, is reported as such, never as unchanged.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ekstui.core.change import Change, changes
from ekstui.core.document import Document, Repeated, broken_rules, object_of, parse
from ekstui.errors import DocumentError
from ekstui.sources.repository import MOST_BYTES, ChangedFile, changed_files

_TERRAFORM = {
    "aws_iam_policy": "policy",
    "aws_iam_role_policy": "policy",
    "aws_iam_user_policy": "policy",
    "aws_iam_group_policy": "policy",
}
"""The attributes of Terraform resources that have an identity policy, as a JSON string."""

_CLOUDFORMATION = (
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy",
)  # fmt: skip
"""The types of resources whose `PolicyDocument` is an identity policy."""

_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

_TRUST = ("AssumeRolePolicyDocument", "assume_role_policy")
"""The attributes with the trust policy of a role: with the role gone, it allows nothing."""

_TRANSFORMS = ("AWS::Serverless-2016-10-31", "AWS::LanguageExtensions")
"""The macros that leave a document as it is written, apart from functions in it."""

_MOST_TEMPLATE = 1_000_000
"""The largest CloudFormation template, in bytes (its quota), which limits how long reading one takes."""

_MOST_NODES = 200_000
"""The most values in a template: nested aliases can expand a few lines to gigabytes."""

_LONGEST_NUMBER = 40
"""The most characters of an integer: half a million digits in YAML's base 60 take minutes."""

_MENTIONS = re.compile(r"Statement|PolicyDocument|AWS::|resource_changes|\\u")
"""What a JSON file with a policy document has; a name may be written in escapes."""

_ESCAPES = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|\r?\n[ \t]*)")
"""The escapes of YAML's double quotes that can be part of a name."""

_NAME = re.compile(r"[A-Za-z0-9]+")
"""A logical name in a template."""

_COMPUTED = "parts of it are computed by the template"


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


def documents_in(value: object) -> dict[str, Embedded]:
    """Return the policy documents in the JSON of a file, by place; DocumentError if they are not certain."""
    return _by_place(_documents(value))


def plan_sides(value: object) -> tuple[dict[str, Embedded], dict[str, Embedded]] | None:
    """Return the policies before and after a Terraform plan, or None if the value is not a plan."""
    if not isinstance(value, Mapping) or "resource_changes" not in value or "format_version" not in value:
        return None
    if isinstance(value, Repeated) or "Statement" in value or "Resources" in value:
        raise DocumentError("it is a plan and something else too")
    if value.get("errored") is True:
        raise DocumentError("the plan ended with an error")
    deferred = value.get("deferred_changes")
    resources = value["resource_changes"]
    if not isinstance(resources, list) or not isinstance(deferred, list | None):
        raise DocumentError("it is a plan in an unknown format")
    before: list[Embedded] = []
    after: list[Embedded] = []
    for resource in (*resources, *(_fields(each, "resource_change") for each in deferred or ())):
        if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("type"), str):
            raise DocumentError("it is a plan in an unknown format")
        what, address = _fields(resource, "change"), str(resource.get("address", ""))
        before += _of_terraform(address, kind, _fields(what, "before"))
        known = tuple(_of_terraform(address, kind, _fields(what, "after")))
        unknown = tuple(_unknown(address, kind, _fields(what, "after_unknown"), value.get("configuration")))
        hidden = {each.place for each in unknown}
        after += (*(each for each in known if each.place not in hidden), *unknown)
    return _by_place(before), _by_place(after)


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


def _fields(value: object, name: str) -> Mapping[str, Any]:
    """Return an object of a plan, an empty one if there is none; DocumentError for anything else."""
    if not isinstance(value, Mapping):
        raise DocumentError("it is a plan in an unknown format")
    fields = value.get(name)
    if fields is None or fields is False:
        return {}
    if not isinstance(fields, Mapping) or isinstance(fields, Repeated):
        raise DocumentError("it is a plan in an unknown format")
    return fields


def _of_terraform(address: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[Embedded]:
    for key, value in attributes.items():
        if key == _TERRAFORM.get(kind):
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
        if not _has_unknown(value):
            continue
        if key == _TERRAFORM.get(kind):
            yield Embedded(address, None, reason, "unknown")
        # Whatever AWS may fill in itself is unknown too: of that, only what the configuration sets is a document.
        elif re.search(r"polic(y|ies)(_document|_json)?$|template_body$", key) and _is_set(configuration, kind, key):
            yield Embedded(f"{address} › {key}", None, reason, "unknown")


def _has_unknown(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_unknown, value.values()))
    return any(map(_has_unknown, value)) if isinstance(value, list) else value is True


def _is_set(configuration: object, kind: str, key: str) -> bool:
    """Return whether a plan's configuration sets an attribute for any resource of a type."""
    if isinstance(configuration, list):
        return any(_is_set(each, kind, key) for each in configuration)
    if not isinstance(configuration, Mapping):
        return False
    expressions = configuration.get("expressions")
    if configuration.get("type") == kind and isinstance(expressions, Mapping) and key in expressions:
        return True
    return any(_is_set(each, kind, key) for each in configuration.values())


def _documents(value: object) -> Iterator[Embedded]:
    if isinstance(value, Mapping) and "Statement" in value:
        yield _parsed("", value)
    elif isinstance(value, Mapping) and isinstance(value.get("Resources"), Mapping):
        yield from _of_template(value)
    else:
        yield from _search(value, "")


def _search(value: object, place: str, *, computes: bool = False) -> Iterator[Embedded]:
    """Yield the policy documents anywhere in a JSON value, whatever their kind.

    In a template, which `computes`, what a function may yield is not known.
    """
    if isinstance(value, str):
        if _hints(value) and isinstance(read := _read(value), Mapping) and "Statement" in read:
            yield _parsed(place, read)
        elif _hints(value):
            yield Embedded(place, None, "it is text that seems to have a policy document", value)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _search(entry, f"{place}[{number}]", computes=computes)
    elif isinstance(value, Mapping):
        if _is_document(value):
            yield _parsed(place, value)
        elif isinstance(value, Repeated):
            raise DocumentError(f"{value.name}: two elements have this name")
        elif computes and any(map(_is_function, value)):
            if _hints(value):
                yield Embedded(place, None, _COMPUTED, _json(value))
        else:
            for key, entry in value.items():
                yield from _search(entry, f"{place} › {key}" if place else str(key), computes=computes)


def _is_document(value: Mapping[str, Any]) -> bool:
    if "Statement" not in value:
        return False
    statements = value["Statement"]
    entries = statements if isinstance(statements, list) else [statements]
    return any(isinstance(each, Mapping) and ("Effect" in each or any(map(_is_function, each))) for each in entries)


def _is_function(key: object) -> bool:
    return isinstance(key, str) and (key == "Ref" or key.startswith("Fn::"))


def _hints(value: object) -> bool:
    """Return whether a value may have, or become, a policy document."""
    if isinstance(value, str):
        return ("Statement" in value and "Effect" in value) or "AWS::IAM::" in value
    if isinstance(value, Mapping):
        names = ("Statement", "PolicyDocument", "Policies", "Fn::Transform")
        return any(name in value for name in names) or any(map(_hints, value.values()))
    return isinstance(value, list) and any(map(_hints, value))


def _of_template(template: Mapping[str, Any]) -> Iterator[Embedded]:
    """Yield the documents of a CloudFormation template, each with what it is computed from."""
    transforms = template.get("Transform") or ()
    listed = transforms if isinstance(transforms, list) else [transforms] if transforms else []
    if isinstance(template, Repeated) or not all(each in _TRANSFORMS for each in listed):
        if _hints(template):
            yield Embedded("", None, "a macro of the template may change it", _json(template))
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
                texts[str(name)] = texts.get(str(name), "") + _json(entry)
        self.checksums = {name: _checksum(text) for name, text in texts.items()}
        self.named = {name: self._names(text) for name, text in texts.items()}
        self.known: dict[frozenset[str], str] = {}
        # With language extensions, a name may be put together from pieces.
        extended = "AWS::LanguageExtensions" in _json(template.get("Transform"))
        self.whole = _checksum(_json(template)) if extended or any(map(_is_function, texts)) else ""

    def _names(self, text: str) -> frozenset[str]:
        return frozenset(_NAME.findall(text)).intersection(self.checksums)

    def behind(self, value: object) -> str:
        """Return a checksum of all that a value names, and of what that names in turn."""
        if self.whole:
            return self.whole
        start = self._names(value if isinstance(value, str) else _json(value))
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
    kind = resource.get("Type") if isinstance(resource, Mapping) else None
    if not isinstance(resource, Mapping) or not isinstance(kind, str) or _is_function(name):
        if _hints(resource):
            yield Embedded(name, None, _COMPUTED, _json(resource))
        return
    properties = resource.get("Properties", {})
    if isinstance(resource, Repeated) or not isinstance(properties, Mapping) or isinstance(properties, Repeated):
        if _hints(resource):
            yield Embedded(name, None, "its properties are not certain", _json(resource))
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
            yield Embedded(f"{name} › Policies", None, _COMPUTED, _json(policies))
        return
    for number, inline in enumerate(policies):
        if isinstance(inline, Mapping) and "PolicyDocument" in inline and not any(map(_is_function, inline)):
            label = inline.get("PolicyName")
            place = f"{name} › {label if isinstance(label, str) else f'[{number}]'}"
            if isinstance(inline, Repeated):
                yield Embedded(place, None, "two of its elements have the same name", _json(inline))
            else:
                yield _parsed(place, inline["PolicyDocument"])
        elif inline != {"Ref": "AWS::NoValue"}:
            yield Embedded(f"{name} › [{number}]", None, _COMPUTED, _json(inline))


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _read(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        return None


def _object_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; one with repeated names keeps all its elements, since any may be what changed."""
    fields = object_of(pairs)
    if isinstance(fields, Repeated):
        fields[""] = pairs
    return fields


def _parsed(place: str, value: object) -> Embedded:
    if isinstance(value, str):
        written, value = value, _read(value)
        if value is None:
            return Embedded(place, None, "it is not JSON", written)
    try:
        written = _json(value)
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
    if isinstance(value, Mapping):
        return any(key.startswith("Fn::") or key == "Ref" for key in map(str, value)) or any(
            map(_is_computed, value.values())
        )
    if isinstance(value, list):
        return any(map(_is_computed, value))
    return isinstance(value, str) and "{{resolve:" in value


_NOTHING = Document(version="2012-10-17", id=None, statements=())
"""The other side of a document that is new or removed: it allows nothing."""


@dataclass(frozen=True, slots=True)
class ReviewedDocument:
    """A policy document that changed."""

    path: str
    place: str
    """Where in the file it is; empty for a file that is one document."""
    state: str
    """`new`, `changed` or `removed`."""
    change: Change | None
    """None if it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""


@dataclass(frozen=True, slots=True)
class Review:
    """All policy documents that changed, and what was not read."""

    documents: tuple[ReviewedDocument, ...]
    not_read: tuple[str, ...]


def review(folder: Path, base: str, paths: tuple[str, ...] = ()) -> Review:
    """Return what changed in the documents below a folder of a git repository; InputError if git fails."""
    documents: list[ReviewedDocument] = []
    not_read: list[str] = []
    for file in changed_files(folder, base, paths):
        try:
            documents.extend(_in_file(file))
        except DocumentError as error:
            not_read.append(f"{file.path}: {error.message}")
    return Review(tuple(documents), tuple(not_read))


def _in_file(file: ChangedFile) -> Iterator[ReviewedDocument]:
    if file.unread:
        raise DocumentError(file.unread)
    before, after = _value(file.path, file.before), _value(file.path, file.after)
    try:
        sides = plan_sides(after)
        if sides is None:
            # A plan that is gone, or was replaced, applied to a state of its own.
            sides = ({} if plan_sides(before) else documents_in(before), documents_in(after))
    except RecursionError:
        raise DocumentError("it is nested too deep") from None
    old, new = sides
    if "" in old and not new and file.after is not None and re.search(rb"(?i)statement|\\u", file.after):
        yield ReviewedDocument(
            file.path, "", "changed", None, "it is no longer a policy document, or written otherwise"
        )
        return
    for place in sorted({*old, *new}):
        document = _reviewed(file.path, place, old, new)
        if document is not None:
            yield document


def _reviewed(
    path: str, place: str, old: Mapping[str, Embedded], new: Mapping[str, Embedded]
) -> ReviewedDocument | None:
    one, other = old.get(place), new.get(place)
    state = "changed" if one and other else "new" if other else "removed"
    if other is None and place.endswith(_TRUST):
        return None
    unknown = next((each for each in (other, one) if each is not None and each.document is None), None)
    if unknown is not None:
        return None if one == other else ReviewedDocument(path, place, state, None, unknown.reason)
    if one and other and one.condition != other.condition:
        return ReviewedDocument(path, place, state, None, "a condition of the template decides whether it exists")
    change = changes(_document(one), _document(other))
    return None if change.kind == "none" else ReviewedDocument(path, place, state, change)


def _document(side: Embedded | None) -> Document:
    return side.document if side is not None and side.document is not None else _NOTHING


def _value(path: str, content: bytes | None) -> object:
    """Return the contents of a file, None if it has no policy documents; DocumentError if they cannot be read."""
    if content is None:
        return None
    if len(content) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    is_yaml = path.lower().endswith((".yaml", ".yml", ".template"))
    try:
        text = content.decode(json.detect_encoding(content), "surrogatepass")
        value: object = json.loads(text, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        if is_yaml:
            return _template(content)
        raise DocumentError("it is not JSON") from None
    if not _MENTIONS.search(text):
        return None
    if isinstance(value, Mapping) and "Resources" in value and len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    return value


def _template(content: bytes) -> object:
    """Return a CloudFormation template in YAML; other YAML is ignored."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    text = content.decode(encoding, "replace")
    if "AWS::" not in _ESCAPES.sub(_unescaped, text):
        if text.lstrip()[:1] in ("{", "[") and _MENTIONS.search(text):
            raise DocumentError("it is not JSON")
        return None
    if len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading a YAML template needs the extra `ci`") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """Reads CloudFormation's short forms as functions, and counts values, repetitions by aliases included."""

        def __init__(self, stream: str) -> None:
            super().__init__(stream)
            self.size = 0
            self.sizes: dict[int, int] = {}

        def compose_node(self, parent: object, index: object) -> object:
            before, is_alias = self.size, self.check_event(yaml.AliasEvent)
            node: object = super().compose_node(parent, index)
            # An alias to a node that is still being read, and so has no size, is a cycle.
            self.size += self.sizes.get(id(node), _MOST_NODES) if is_alias else 1
            self.sizes.setdefault(id(node), self.size - before)
            if self.size > _MOST_NODES:
                raise DocumentError(f"it has more than {_MOST_NODES:,} values, repetitions by aliases included")
            return node

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            # Before keys that are merged in, which its own replace.
            names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if len(set(names)) < len(names):
                raise DocumentError("two of its elements have the same name")
            return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

        def construct_yaml_int(self, node: Any) -> object:
            text = self.construct_scalar(node)
            return super().construct_yaml_int(node) if len(text) <= _LONGEST_NUMBER else text

        def construct_function(self, name: str, node: Any) -> object:
            value: object
            if isinstance(node, yaml.ScalarNode):
                value = self.construct_scalar(node)
            elif isinstance(node, yaml.SequenceNode):
                value = self.construct_sequence(node, deep=True)
            else:
                value = self.construct_mapping(node, deep=True)
            return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    # Dates and numbers with a point are what is written: such as an unquoted Version, which is no date to IAM.
    for kind in ("timestamp", "float"):
        Loader.add_constructor(f"tag:yaml.org,2002:{kind}", Loader.construct_yaml_str)
    Loader.add_multi_constructor("!", Loader.construct_function)
    try:
        return yaml.load(content.decode(encoding), Loader)  # noqa: S506 (a SafeLoader)
    except DocumentError:
        raise
    except Exception:  # noqa: BLE001 (PyYAML raises a dozen kinds for values that do not suit their tags)
        raise DocumentError("it is not YAML") from None


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    return "" if digits is None else chr(min(int(digits, 16), 0x10FFFF))
