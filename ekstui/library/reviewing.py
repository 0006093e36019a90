"""What changed in the policy documents of a repository since a base, wherever they are in its files.

Documents are read as they are, from Terraform plans ("JSON Output Format", `resource_changes`) and from CloudFormation
templates (the reference of the AWS::IAM resource types).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ekstui.core.change import Change, changes
from ekstui.core.document import Document, broken_rules, load_json, object_of, parse
from ekstui.errors import DocumentError
from ekstui.sources.repository import MOST_BYTES, ChangedFile, changed_files

_TERRAFORM = {
    "aws_iam_policy": ("policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_user_policy": ("policy",),
    "aws_iam_group_policy": ("policy",),
}
"""The attributes of Terraform resources that have identity policies, as a JSON string."""

_CLOUDFORMATION = {
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::IAM::UserPolicy": ("PolicyDocument",),
    "AWS::IAM::GroupPolicy": ("PolicyDocument",),
}
_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")

_MOST_TEMPLATE = 1_000_000
"""The largest CloudFormation template, in bytes (its quota), which limits how long parsing YAML takes."""

_MOST_NODES = 200_000
"""The most values in a template: nested aliases can expand a few lines to gigabytes."""

_LONGEST_NUMBER = 40
"""The most characters of an integer: half a million digits in YAML's base 60 take minutes."""


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
    """The JSON of one that cannot be judged, to detect changes."""


def documents_in(value: object) -> dict[str, Embedded]:
    """Return the identity policies in the JSON of a file, by place; none for a file of another kind."""
    if not isinstance(value, Mapping):
        return {}
    return {each.place: each for each in _documents(value)}


def plan_sides(value: object) -> tuple[dict[str, Embedded], dict[str, Embedded]] | None:
    """Return the policies before and after a Terraform plan, or None if the value is not a plan."""
    if not isinstance(value, Mapping) or "resource_changes" not in value or "format_version" not in value:
        return None
    sides: tuple[dict[str, Embedded], dict[str, Embedded]] = ({}, {})
    resources = value["resource_changes"]
    for resource in resources if isinstance(resources, list) else (None,):
        if not isinstance(resource, Mapping) or not isinstance(kind := resource.get("type"), str):
            raise DocumentError("it is a plan in an unknown format")
        what = _fields(resource, "change")
        for key in _TERRAFORM.get(kind, ()):
            place = str(resource.get("address", ""))
            for side, name in zip(sides, ("before", "after"), strict=True):
                if name == "after" and _fields(what, "after_unknown").get(key) is True:
                    side[place] = Embedded(place, None, "it is known only after the plan is applied")
                elif isinstance(text := _fields(what, name).get(key), str):
                    side[place] = _parsed(place, text)
    return sides


def _fields(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object of a plan, an empty one if there is none; DocumentError for anything else."""
    fields = value.get(name)
    if fields is None or fields is False:
        return {}
    if not isinstance(fields, Mapping):
        raise DocumentError("it is a plan in an unknown format")
    return fields


def _documents(value: Mapping[str, Any]) -> Iterator[Embedded]:
    if "Statement" in value:
        yield _parsed("", value)
    elif isinstance(resources := value.get("Resources"), Mapping):
        for name, resource in resources.items():
            if isinstance(resource, Mapping) and isinstance(properties := resource.get("Properties"), Mapping):
                yield from _of_resource(str(name), str(resource.get("Type")), properties)


def _of_resource(name: str, kind: str, properties: Mapping[str, Any]) -> Iterator[Embedded]:
    for key in _CLOUDFORMATION.get(kind, ()):
        if key in properties:
            yield _parsed(name, properties[key])
    if kind in _WITH_INLINE:
        policies = properties.get("Policies")
        if policies and not isinstance(policies, list):
            yield _parsed(f"{name} › Policies", policies)
            return
        for number, inline in enumerate(policies or ()):
            if isinstance(inline, Mapping) and "PolicyDocument" in inline:
                label = inline.get("PolicyName")
                place = f"{name} › {label if isinstance(label, str) else number}"
                yield _parsed(place, inline["PolicyDocument"])


def _parsed(place: str, value: object) -> Embedded:
    if isinstance(value, str):
        try:
            value = json.loads(value, object_pairs_hook=object_of)
        except (ValueError, RecursionError):
            return Embedded(place, None, "it is not JSON", str(value))
    try:
        written = json.dumps(value, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError):
        return Embedded(place, None, "it is not JSON", repr(value))
    if _is_computed(value):
        return Embedded(place, None, "parts of it are computed by the template", written)
    try:
        document = parse(value)
        for broken in broken_rules(document):
            raise broken
    except DocumentError as error:
        return Embedded(place, None, error.message.rstrip("."), written)
    return Embedded(place, document)


def _is_computed(value: object) -> bool:
    """Return whether a value contains a CloudFormation function."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (name := str(next(iter(value)))) and (name == "Ref" or name.startswith("Fn::")):
            return True
        return any(_is_computed(entry) for entry in value.values())
    return isinstance(value, list) and any(_is_computed(entry) for entry in value)


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
    before, after = _value(file.path, file.before), _value(file.path, file.after)
    sides = plan_sides(after)
    old, new = sides if sides is not None else (documents_in(before), documents_in(after))
    for place in sorted({*old, *new}):
        document = _reviewed(file.path, place, old, new)
        if document is not None:
            yield document


def _reviewed(
    path: str, place: str, old: Mapping[str, Embedded], new: Mapping[str, Embedded]
) -> ReviewedDocument | None:
    one, other = old.get(place), new.get(place)
    state = "changed" if one and other else "new" if other else "removed"
    unknown = next((each for each in (other, one) if each is not None and each.document is None), None)
    if unknown is not None:
        return None if one == other else ReviewedDocument(path, place, state, None, unknown.reason)
    change = changes(_document(one), _document(other))
    return None if change.kind == "none" else ReviewedDocument(path, place, state, change)


def _document(side: Embedded | None) -> Document:
    return side.document if side is not None and side.document is not None else _NOTHING


def _value(path: str, content: bytes | None) -> object:
    """Return the contents of a file, None if it does not exist; DocumentError if they cannot be read."""
    if content is None:
        return None
    if len(content) > MOST_BYTES:
        raise DocumentError(f"it has more than {MOST_BYTES:,} bytes")
    if not path.endswith((".yaml", ".yml", ".template")) or content.lstrip()[:1] in (b"{", b"["):
        try:
            return json.loads(content, object_pairs_hook=object_of) if path.endswith(".json") else load_json(content)
        except (ValueError, RecursionError):
            raise DocumentError("it is not JSON") from None
    return _template(content)


def _template(content: bytes) -> object:
    """Return a CloudFormation template in YAML; other YAML is ignored."""
    if b"AWS::" not in content:
        return None
    if len(content) > _MOST_TEMPLATE:
        raise DocumentError(f"a CloudFormation template has at most {_MOST_TEMPLATE:,} bytes")
    try:
        import yaml
    except ImportError:
        raise DocumentError("reading a YAML template needs the extra `ci`") from None

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """Reads CloudFormation's short forms as functions, and counts values, repetitions by aliases included."""

        def __init__(self, stream: bytes) -> None:
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

        def construct_yaml_int(self, node: Any) -> object:
            text = self.construct_scalar(node)
            return super().construct_yaml_int(node) if len(text) <= _LONGEST_NUMBER else text

    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    Loader.add_multi_constructor("!", lambda _, name, __: {f"Fn::{name}": None})
    try:
        return yaml.load(content, Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, RecursionError):
        raise DocumentError("it is not YAML") from None
