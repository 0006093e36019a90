"""Policy documents inside other files: bare, in a plan of Terraform, or in a template of CloudFormation.

Sources: Terraform, "JSON Output Format" (`resource_changes`); CloudFormation, reference of the AWS::IAM resource types.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ekstui.core.document import Document, broken_rules, object_of, parse
from ekstui.errors import DocumentError

_TERRAFORM = {
    "aws_iam_policy": ("policy",),
    "aws_iam_role_policy": ("policy",),
    "aws_iam_user_policy": ("policy",),
    "aws_iam_group_policy": ("policy",),
}
"""Where resources of Terraform keep identity policies, as JSON in a text."""

_CLOUDFORMATION = {
    "AWS::IAM::ManagedPolicy": ("PolicyDocument",),
    "AWS::IAM::Policy": ("PolicyDocument",),
    "AWS::IAM::RolePolicy": ("PolicyDocument",),
    "AWS::IAM::UserPolicy": ("PolicyDocument",),
    "AWS::IAM::GroupPolicy": ("PolicyDocument",),
}
_WITH_INLINE = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group")


@dataclass(frozen=True, slots=True)
class Embedded:
    """A policy document in a file."""

    place: str
    """Where in the file, such as `aws_iam_policy.cni`; empty for a file that is one document."""
    document: Document | None
    """None where it cannot be judged."""
    reason: str = ""
    """Why it cannot be judged."""
    written: str = ""
    """Of one that cannot be judged, its JSON, so that a change is seen."""


def documents_in(value: object) -> dict[str, Embedded]:
    """Return the identity policies that the JSON of a file holds, by place; none for a file that is about something else."""
    if not isinstance(value, Mapping):
        return {}
    return {each.place: each for each in _documents(value)}


def plan_sides(value: object) -> tuple[dict[str, Embedded], dict[str, Embedded]] | None:
    """Return the policies before and after what a Terraform plan would do, or None where the value is no plan."""
    if not isinstance(value, Mapping) or "resource_changes" not in value or "format_version" not in value:
        return None
    sides: tuple[dict[str, Embedded], dict[str, Embedded]] = ({}, {})
    for change in value["resource_changes"]:
        for key in _TERRAFORM.get(change.get("type", ""), ()):
            place = str(change.get("address", ""))
            what = change.get("change") or {}
            for side, name in zip(sides, ("before", "after"), strict=True):
                if name == "after" and (what.get("after_unknown") or {}).get(key) is True:
                    side[place] = Embedded(place, None, "it is known only after it is applied")
                elif isinstance(text := (what.get(name) or {}).get(key), str):
                    side[place] = _parsed(place, text)
    return sides


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
        for number, inline in enumerate(properties.get("Policies") or ()):
            if isinstance(inline, Mapping) and "PolicyDocument" in inline:
                label = inline.get("PolicyName")
                place = f"{name} › {label if isinstance(label, str) else number}"
                yield _parsed(place, inline["PolicyDocument"])


def _parsed(place: str, value: object) -> Embedded:
    if isinstance(value, str):
        try:
            value = json.loads(value, object_pairs_hook=object_of)
        except (ValueError, RecursionError):
            return Embedded(place, None, "it is no JSON", str(value))
    written = json.dumps(value, sort_keys=True, default=str)
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
    """Return whether a function of CloudFormation stands in a value."""
    if isinstance(value, Mapping):
        if len(value) == 1 and (name := str(next(iter(value)))) and (name == "Ref" or name.startswith("Fn::")):
            return True
        return any(_is_computed(entry) for entry in value.values())
    return isinstance(value, list) and any(_is_computed(entry) for entry in value)
