"""What a request's own ARNs and the reference say about its context, so that nobody has to be asked for it."""

import re
from collections.abc import Mapping

from ekstui.core import arn
from ekstui.core.conditions.context import Context
from ekstui.core.conditions.variables import literal
from ekstui.core.evaluation.request import Request
from ekstui.core.reference import ActionInfo, Reference, ResourceUse

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")

_RESOURCE_TAG = "resourcetag/${tagkey}"
_REQUEST_TAG_KEYS = {"aws:requesttag/${tagkey}": "aws:requesttag/*", "aws:tagkeys": "aws:tagkeys"}


def context_of(
    request: Request, resource: str | None, action: ActionInfo | None, reference: Reference | None
) -> Context:
    """Return the context of the request for one of its resources: what was told, and what follows from the ARNs."""
    values: dict[str, tuple[str, ...]] = {}
    absent: set[str] = set()
    if request.principal is not None:
        values |= _of_principal(request.principal)
    if resource is not None:
        account = arn.split_arn(resource).account
        if _ACCOUNT.fullmatch(account):
            values["aws:resourceaccount"] = (account,)
        if action is not None and reference is not None:
            absent |= _absent_tags(resource, action, reference)
    # What was told goes before what follows.
    values |= {key.lower(): entries for key, entries in request.context.items()}
    told_absent = {key.lower() for key in request.absent}
    if (tags := values.get("aws:tagkeys")) and all(f"aws:requesttag/{tag.lower()}" in values for tag in tags):
        # `aws:TagKeys` holds every tag of the request, so there is no other.
        absent.add("aws:requesttag/*")
    for key in told_absent.intersection(values).difference(key.lower() for key in request.context):
        del values[key]
    return Context(values, frozenset(told_absent | absent))


def _of_principal(principal: str) -> Mapping[str, tuple[str, ...]]:
    parts = arn.split_arn(principal)
    kind, _, name = parts.resource.partition("/")
    values: dict[str, tuple[str, ...]] = {}
    if _ACCOUNT.fullmatch(parts.account):
        values["aws:principalaccount"] = (parts.account,)
    if parts.service == "iam" and kind == "user" and name:
        values |= {
            "aws:principalarn": (principal,),
            "aws:principaltype": ("User",),
            "aws:username": (name.rpartition("/")[2],),
        }
    elif parts.service == "iam" and kind == "role" and name:
        values |= {"aws:principalarn": (principal,), "aws:principaltype": ("AssumedRole",), "aws:username": ()}
    elif parts.service == "sts" and kind == "assumed-role":
        # The role's own ARN stays unknown: the session's ARN leaves out the role's path.
        values |= {"aws:principaltype": ("AssumedRole",), "aws:username": ()}
    elif parts.service == "iam" and parts.resource == "root":
        values |= {"aws:principalarn": (principal,), "aws:principaltype": ("Account",), "aws:username": ()}
    else:
        return values
    return values | {"aws:principalisawsservice": ("false",)}


def _absent_tags(resource: str, action: ActionInfo, reference: Reference) -> set[str]:
    """Return the forms of tag keys that the request cannot have, as the reference lists them for its resource type.

    Tags of the request are judged only where the reference gives them to another resource type of the same action:
    it is not complete enough to conclude more from silence.
    """
    service = action.name.partition(":")[0]
    uses = [use for use in action.resource_types if is_of_type(resource, service, use.name, reference)]
    if not uses:
        return set()
    listed = {key.lower() for use in uses for key in _keys_of(use, service, action, reference)}
    absent = {f"{prefix}:resourcetag/*" for prefix in ("aws", service) if f"{prefix}:{_RESOURCE_TAG}" not in listed}
    elsewhere = {key.lower() for use in action.resource_types for key in use.condition_keys}
    absent |= {form for key, form in _REQUEST_TAG_KEYS.items() if key in elsewhere and key not in listed}
    return absent


def _keys_of(use: ResourceUse, service: str, action: ActionInfo, reference: Reference) -> tuple[str, ...]:
    # Only some services list keys for each action and resource type; for the others the resource type's list stands.
    if any(other.condition_keys for other in action.resource_types):
        return use.condition_keys + action.condition_keys
    kind = reference.resource_type(service, use.name)
    return action.condition_keys + (kind.condition_keys if kind is not None else ())


def is_of_type(resource: str, service: str, name: str, reference: Reference) -> bool:
    """Return whether an ARN has the form of a resource type of the service."""
    kind = reference.resource_type(service, name)
    return kind is not None and any(
        arn.matches_resource(_PLACEHOLDER.sub("*", form), literal(resource)) for form in kind.arn_formats
    )
