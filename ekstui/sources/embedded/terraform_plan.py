"""The policy documents before and after a Terraform plan ("JSON Output Format", `resource_changes`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ekstui.core.document import Repeated
from ekstui.errors import DocumentError
from ekstui.sources.embedded.documents import Embedded, by_place, parsed, search

_TERRAFORM = {
    "aws_iam_policy": "policy",
    "aws_iam_role_policy": "policy",
    "aws_iam_user_policy": "policy",
    "aws_iam_group_policy": "policy",
}
"""The attributes of Terraform resources that have an identity policy, as a JSON string."""


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
    return by_place(before), by_place(after)


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
                yield parsed(address, value)
        elif kind == "aws_iam_role" and key == "inline_policy" and isinstance(value, list):
            for number, inline in enumerate(value):
                fields = inline if isinstance(inline, Mapping) else {"policy": inline}
                if fields.get("policy") is not None:
                    yield parsed(f"{address} › {fields.get('name') or f'[{number}]'}", fields["policy"])
        else:
            yield from search(value, f"{address} › {key}")


def _unknown(address: str, kind: str, attributes: Mapping[str, Any], configuration: object) -> Iterator[Embedded]:
    """Yield the policies that are known only after a plan is applied."""
    reason = "it is known only after the plan is applied"
    for key, value in attributes.items():
        if not _has_unknown(value):
            continue
        if key == _TERRAFORM.get(kind):
            yield Embedded(address, None, reason, "unknown")
        # Whatever AWS may fill in itself is unknown too: of that, only what the configuration sets is a document.
        elif re.search(r"polic(y|ies)(_document|json_text)?$|template_body$", key) and _is_set(
            configuration, kind, key
        ):
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
