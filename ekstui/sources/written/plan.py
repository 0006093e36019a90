"""The policies in a Terraform plan, before and after. Source: Terraform, "JSON Output Format" (`resource_changes`)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from ekstui.errors import DocumentError
from ekstui.iam.document import Repeated
from ekstui.sources.written import WrittenPolicy
from ekstui.sources.written.search import anywhere, parsed, search

_UNKNOWN_FORMAT = "it is a plan in an unknown format"

_TERRAFORM = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
"""The Terraform resources whose `policy` is an identity policy, as a JSON string."""


def is_plan(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Return whether a value is what `terraform show -json` prints about a plan."""
    return isinstance(value, Mapping) and "resource_changes" in value and "format_version" in value


def plan_sides(value: Mapping[str, Any]) -> tuple[list[WrittenPolicy], list[WrittenPolicy]]:
    """Return the policies before and after a Terraform plan is applied; DocumentError if they are not certain."""
    before: list[WrittenPolicy] = []
    after: list[WrittenPolicy] = []
    for kind, resource in _resources(value):
        what, address = _fields(resource, "change"), str(resource.get("address", ""))
        before += _of_terraform(address, kind, _fields(what, "before"))
        known = tuple(_of_terraform(address, kind, _fields(what, "after")))
        unknown = tuple(_unknown(address, kind, _fields(what, "after_unknown"), value.get("configuration")))
        hidden = {each.place for each in unknown}
        after += (*(each for each in known if each.place not in hidden), *unknown)
    return before, after


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


def _of_terraform(address: str, kind: str, attributes: Mapping[str, Any]) -> Iterator[WrittenPolicy]:
    for key, value in attributes.items():
        if kind in _TERRAFORM and key == "policy":
            if value is not None:
                yield parsed(address, value)
        elif kind == "aws_iam_role" and key == "inline_policy" and isinstance(value, list):
            for number, inline in enumerate(value):
                fields = inline if isinstance(inline, Mapping) else {"policy": inline}
                if fields.get("policy") is not None:
                    yield parsed(f"{address} › {fields.get('name') or f'[{number}]'}", fields["policy"])
        else:
            yield from search(value, f"{address} › {key}")


def _unknown(address: str, kind: str, attributes: Mapping[str, Any], configuration: object) -> Iterator[WrittenPolicy]:
    """Yield the policies that are known only after a plan is applied."""
    reason = "it is known only after the plan is applied"
    for key, value in attributes.items():
        if not anywhere(lambda each: each is True, value):
            continue
        if kind in _TERRAFORM and key == "policy":
            yield WrittenPolicy(address, None, reason, "unknown")
        # Whatever AWS may fill in itself is unknown too: of that, only what the configuration sets is a document.
        elif re.search(r"polic(y|ies)(_document|json_text)?$|template_body$", key) and _is_set(
            configuration, kind, key
        ):
            yield WrittenPolicy(f"{address} › {key}", None, reason, "unknown")


def _is_set(configuration: object, kind: str, key: str) -> bool:
    """Return whether a plan's configuration sets an attribute for any resource of a type."""

    def sets(value: object) -> bool:
        expressions = value.get("expressions") if isinstance(value, Mapping) and value.get("type") == kind else None
        return isinstance(expressions, Mapping) and key in expressions

    return anywhere(sets, configuration)
