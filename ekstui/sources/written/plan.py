"""The access in a Terraform plan, before and after. Source: Terraform, "JSON Output Format" (`resource_changes`)."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from ekstui.change.holes import hole
from ekstui.errors import DocumentError
from ekstui.iam.document import ObjectWithRepeatedName
from ekstui.sources.written import Written
from ekstui.sources.written.resources import of_resource
from ekstui.sources.written.search import anywhere

_SET = ("policy", "inline_policy", "assume_role_policy")
"""Attributes that AWS does not fill in itself."""

_UNKNOWN_FORMAT = "it is a plan in an unknown format"


def is_plan(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is what `terraform show -json` prints about a plan."""
    return isinstance(value, Mapping) and "resource_changes" in value and "format_version" in value


def plan_sides(value: Mapping[str, Any]) -> tuple[list[Written], list[Written]]:
    """Return what resources give before and after a Terraform plan is applied; DocumentError if that is not certain."""
    before: list[Written] = []
    after: list[Written] = []
    for kind, resource in _resources(value):
        change, address = _fields(resource, "change"), str(resource.get("address", ""))
        before += of_resource(address, kind, _fields(change, "before"))
        unknown = {
            key: part
            for key, part in _fields(change, "after_unknown").items()
            # What AWS may fill in itself is unknown too: of that, only what the configuration sets is a document.
            if (key in _SET and kind.startswith("aws_iam_")) or _is_set(value.get("configuration"), kind, key)
        }
        after += of_resource(address, kind, _with_unknown(_fields(change, "after"), unknown, address))
    return before, after


def _with_unknown(value: Any, unknown: Any, name: str) -> Any:
    """Return a value with a hole for each part that is known only after a plan is applied."""
    if unknown is True:
        return hole(f"{name}, known only after the plan is applied")
    if isinstance(unknown, Mapping):
        fields = dict(value) if isinstance(value, Mapping) else {}
        return fields | {
            key: _with_unknown(fields.get(key), part, f"{name}.{key}") for key, part in unknown.items() if part
        }
    if isinstance(unknown, list) and isinstance(value, list):
        parts = [*unknown, *[False] * (len(value) - len(unknown))]
        return [_with_unknown(*pair, name) for pair in zip(value, parts, strict=False)]
    return value


def _resources(plan: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the changes of resources in a plan, each with its type; DocumentError if they are not certain."""
    if isinstance(plan, ObjectWithRepeatedName) or "Statement" in plan or "Resources" in plan:
        raise DocumentError("it is a plan and something else too")
    if plan.get("errored") is True:
        raise DocumentError("the plan ended with an error")
    resources, deferred_changes = plan["resource_changes"], plan.get("deferred_changes")
    if not isinstance(resources, list) or not isinstance(deferred_changes, list | None):
        raise DocumentError(_UNKNOWN_FORMAT)
    for resource in (*resources, *(_fields(entry, "resource_change") for entry in deferred_changes or ())):
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
    if not isinstance(fields, Mapping) or isinstance(fields, ObjectWithRepeatedName):
        raise DocumentError(_UNKNOWN_FORMAT)
    return fields


def _is_set(configuration: object, kind: str, key: str) -> bool:
    """Return whether a plan's configuration sets an attribute for any resource of a type."""

    def sets(value: object) -> bool:
        expressions = value.get("expressions") if isinstance(value, Mapping) and value.get("type") == kind else None
        return isinstance(expressions, Mapping) and key in expressions

    return anywhere(sets, configuration)
