"""Denials in JSON: CloudTrail events, including calls that assume a role, and decoded authorization messages.

CloudTrail User Guide, "CloudTrail userIdentity element"; IAM User Guide, "Logging IAM and AWS STS API calls with AWS
CloudTrail".
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ekstui.denial.message import (
    Cause,
    Denial,
    action_of_operation,
    as_in_reference,
    prefix_of_service,
    sentences_in,
)
from ekstui.denial.parameters import request_tags, resources_named
from ekstui.errors import InputError
from ekstui.iam import arn
from ekstui.iam.conditions.known_keys import forms_of
from ekstui.iam.reference import ActionInfo, reference
from ekstui.named_tuples import NamedTuple

_PARAMETERS = {
    "roleSessionName": "sts:RoleSessionName",
    "externalId": "sts:ExternalId",
    "sourceIdentity": "sts:SourceIdentity",
}
_OIDC_PROVIDER = ":oidc-provider/"


def with_assumption(denial: Denial, event: Mapping[str, Any]) -> Denial:
    """Return the denial of an assume-role call with the role and what the token says; any other unchanged."""
    action = denial.action.lower()
    if not action.startswith(("sts:assumerole", "sts:tagsession")):
        return denial
    objects, identity = _object(event, "requestParameters"), _object(event, "userIdentity")
    context = dict(denial.context)
    for name, key in _PARAMETERS.items():
        if value := _text(objects, name):
            context[key] = (value,)
        elif objects and name not in objects and action == "sts:assumerole":
            context[key] = ()  # CloudTrail records every given parameter
    context.update(_of_token(action, identity, objects))
    if _text(identity, "sessionContext", "attributes", "mfaAuthenticated") == "true":
        # "false" is also recorded if the request lacks the key.
        context["aws:MultiFactorAuthPresent"] = ("true",)
    service = _text(identity, "invokedBy") if identity.get("type") == "AWSService" else None
    return denial._replace(
        resource=denial.resource or _text(objects, "roleArn"),
        principal=denial.principal if service is None else service,
        context=context,
    )


def _object(value: object, *names: str) -> Mapping[str, Any]:
    """Return the object at the end of a path of names; empty if there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _text(value: object, *names: str) -> str | None:
    """Return the text at the end of a path of names; None if there is none."""
    text = _object(value, *names[:-1]).get(names[-1])
    return text if isinstance(text, str) else None


def _of_token(
    action: str, identity: Mapping[str, Any], fields: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is known about the token: its provider and, for OIDC, its claims as context keys."""
    provider = _text(identity, "identityProvider")
    if action == "sts:assumerolewithsaml":
        if (provider := _text(fields, "principalArn") or provider) is not None:
            yield "aws:FederatedProvider", (provider,)
        return
    if action != "sts:assumerolewithwebidentity" or not provider:
        return
    yield "aws:FederatedProvider", (provider,)
    issuer = provider.partition(_OIDC_PROVIDER)[2] or provider
    if subject := _text(identity, "userName"):
        yield f"{issuer}:sub", (subject,)
        # PROVIDER:AUDIENCE:SUBJECT
        principal = _text(identity, "principalId") or ""
        if principal.startswith(f"{provider}:") and principal.endswith(f":{subject}"):
            audience = principal[len(provider) + 1 : -len(subject) - 1]
            if audience:
                yield f"{issuer}:aud", (audience,)


_MAX_ATTEMPTS = 200
"""How many positions in a text are tried as the start of a JSON object without success."""
_MAX_WRAPPED = 40_000
"""The longest JSON object, in characters, that is read although a terminal wrapped it."""

_DECODER = json.JSONDecoder()
_LENIENT = json.JSONDecoder(strict=False)
_DENIED = re.compile("AccessDenied|Unauthorized|NotAuthorized")
_START = re.compile(r'"\s*\{\s*\\|\{(?=\s*")')
"""An object, or one in a JSON string, as `--query DecodedMessage` prints it."""


class Piece(NamedTuple):
    """A part of a text: a JSON object, or what is between two."""

    text: str
    value: dict[str, Any] | None = None


def pieces_of(text: str) -> Iterator[Piece]:
    """Yield the outermost JSON objects in a text and what is between them, in order."""
    text_start = position = attempts = 0
    while attempts < _MAX_ATTEMPTS and (match := _START.search(text, position)):
        start = match.start()
        value, end = _object_at(text, start)
        if value is None:
            attempts += 1
            position = start + 1
            continue
        if text_start < start:
            yield Piece(text[text_start:start])
        yield Piece(text[start:end], value)
        text_start = position = end
    if text_start < len(text):
        yield Piece(text[text_start:])


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the outermost JSON objects in a text, skipping what cannot be parsed."""
    return (piece.value for piece in pieces_of(text) if piece.value is not None)


def _object_at(text: str, start: int) -> tuple[dict[str, Any] | None, int]:
    """Return the JSON object at a position and where it ends; None if there is none."""
    for decoder in (_DECODER, _LENIENT):
        value, end = _decoded(decoder, text, start)
        if isinstance(value, str):
            inner = next(objects_in(value), None)
            return inner, end
        if isinstance(value, dict):
            return (value if decoder is _DECODER else _without_breaks(value)), end
    # A terminal may break numbers, names and escapes too.
    wrapped_text = text[start : start + _MAX_WRAPPED]
    if text[start] != "{" or "\n" not in wrapped_text or '":' not in wrapped_text:
        return None, start
    value, length = _decoded(_DECODER, wrapped_text.replace("\n", ""), 0)
    if not isinstance(value, dict):
        return None, start
    places = [place for place, character in enumerate(wrapped_text) if character != "\n"]
    return value, start + places[length - 1] + 1


def _decoded(decoder: json.JSONDecoder, text: str, start: int) -> tuple[Any, int]:
    try:
        value, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return value, end


def _without_breaks(value: Any, depth: int = 20) -> Any:
    """Return a JSON value without the line breaks that a terminal put into its strings."""
    if isinstance(value, str):
        return value.replace("\n", "")
    if depth > 0 and isinstance(value, dict):
        return {key.replace("\n", ""): _without_breaks(entry, depth - 1) for key, entry in value.items()}
    if depth > 0 and isinstance(value, list):
        return [_without_breaks(entry, depth - 1) for entry in value]
    return value


def strings_in(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, in order."""
    pending = [value]
    while pending:
        entry = pending.pop()
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict | list):
            pending += reversed([*(entry.values() if isinstance(entry, dict) else entry)])


def denials_of_object(value: Mapping[str, Any]) -> tuple[Denial, ...] | None:
    """Return the denials in CloudTrail events or a decoded message.

    None if the text is neither; InputError for events without a denial.
    """
    for message in objects_in(_text(value, "DecodedMessage") or ""):
        return denials_of_object(message)
    if _text(value, "context", "action") is not None:
        return (_of_decoded_message(value),)
    records = value.get("Records", value.get("Events"))
    events = records if isinstance(records, list) else [value]
    events = [_inner_event(event) for event in events if isinstance(event, dict)]
    events = [event for event in events if _is_event(event)]
    if not events:
        return None
    denied_events = [event for event in events if _DENIED.search(str(event.get("errorCode", "")))]
    if not denied_events:
        raise InputError(
            "the CloudTrail event records no denial.", "A denied call has an errorCode such as AccessDenied."
        )
    return tuple(_of_event(event) for event in denied_events)


def _inner_event(value: dict[str, Any]) -> dict[str, Any]:
    """Return the event, unwrapped from what EventBridge or `lookup-events` puts around it."""
    if isinstance(value.get("detail"), dict):
        return _inner_event(value["detail"]) if _is_event(value["detail"]) else value
    return next(objects_in(_text(value, "CloudTrailEvent") or ""), value)


def _is_event(value: Mapping[str, Any]) -> bool:
    return _text(value, "eventSource") is not None and _text(value, "eventName") is not None


def _of_event(event: Mapping[str, Any]) -> Denial:
    label = event["eventSource"].partition(".")[0]
    service = prefix_of_service(label) or label
    called_action = action_of_operation(service, event["eventName"])
    message = " ".join((_text(event, "errorMessage") or "").split())
    denial = next((sentence.denial for sentence in sentences_in(message)), Denial(called_action))
    denial = denial._replace(
        resource=denial.resource or _only_resource_of(event),
        principal=denial.principal or _text(event, "userIdentity", "arn"),
        context=_context_of_event(event),
    )
    return with_assumption(_with_parameters(denial, called_action, event), event)


def _with_parameters(denial: Denial, called_action: str, event: Mapping[str, Any]) -> Denial:
    """Return the denial with the tags of the request, and with its resources if the message names none."""
    info = reference().find(denial.action)
    is_same = denial.action.lower() == called_action.lower()
    # A call that is passed on to another service has neither these tags nor these resources.
    if info is None or not (
        is_same or ("Tagging" in info.levels and denial.action.partition(":")[0] == called_action.partition(":")[0])
    ):
        return denial
    parameters = event.get("requestParameters")
    resources = _resources_of(denial, info, event) if is_same else ()
    tags = request_tags(parameters, resources if denial.resource is None else (denial.resource,))
    context = dict(denial.context) | {
        f"aws:RequestTag/{key}": (value,) for key, value in tags.tags.items() if value is not None
    }
    absent = set(denial.absent)
    if tags.known_whole:
        absent.add("aws:RequestTag/*")
        if tags.tags:
            context["aws:TagKeys"] = tuple(tags.tags)
        else:
            absent.add("aws:TagKeys")
    creation = f"{info.name.partition(':')[0]}:CreateAction"
    if creation.lower() in forms_of(info.name):
        if is_same:
            absent.add(creation)
        else:
            context[creation] = (event["eventName"],)
    return denial._replace(context=context, absent=frozenset(absent), parameter_resources=resources)


def _resources_of(denial: Denial, info: ActionInfo, event: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the resources that the parameters name, if the message names none and they are of the caller's account."""
    account, region = _text(event, "userIdentity", "accountId"), str(event.get("awsRegion") or "")
    is_own = event.get("recipientAccountId", account) == account
    partition = arn.split_arn(denial.principal).partition if denial.principal else "*"
    if denial.resource is not None or account is None or not is_own or not region or "*" in partition:
        return ()
    return resources_named(event.get("requestParameters"), info, (partition, region, account))


def _only_resource_of(event: Mapping[str, Any]) -> str | None:
    entries = event.get("resources")
    arns = list(filter(None, (_text(entry, "ARN") for entry in entries))) if isinstance(entries, list) else []
    return arns[0] if len(arns) == 1 else None


def _context_of_event(event: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    identity, issuer = _object(event, "userIdentity"), _object(event, "userIdentity", "sessionContext", "sessionIssuer")
    context = {
        "aws:RequestedRegion": _text(event, "awsRegion"),
        "aws:CurrentTime": _text(event, "eventTime"),
        "aws:UserAgent": _text(event, "userAgent"),
        "aws:SourceVpce": _text(event, "vpcEndpointId"),
        "aws:SourceIp": _address(_text(event, "sourceIPAddress")),
        "aws:userid": _text(identity, "principalId"),
        "aws:username": _text(identity, "userName") if identity.get("type") == "IAMUser" else None,
        "aws:PrincipalArn": _text(issuer, "arn") if issuer.get("type") == "Role" else None,
    }
    return {key: (value,) for key, value in context.items() if value}


def _address(text: str | None) -> str | None:
    """Return an IP address; None for the name of a service that calls for the principal."""
    with suppress(ValueError):
        ipaddress.ip_address(text or "")
        return text
    return None


def _of_decoded_message(value: Mapping[str, Any]) -> Denial:
    if value.get("allowed") is True:
        raise InputError("the decoded message says that the request was allowed.", "Paste the message of the denial.")
    context = value["context"]
    resource = _text(context, "resource")
    if resource is not None and resource != "*" and not resource.startswith("arn:"):
        resource = None
    action = context["action"]
    if ":" not in action and resource is not None and resource != "*":
        action = f"{arn.split_arn(resource).service}:{action}"
    action = as_in_reference(action)
    conditions = _conditions_of(context.get("conditions"))
    return Denial(
        action=action,
        resource=resource,
        principal=_text(context, "principal", "arn"),
        cause=Cause(None, explicit=True) if value.get("explicitDeny") is True else None,
        context=conditions,
        absent=_keys_left_out(action, conditions),
    )


def _keys_left_out(action: str, conditions: Mapping[str, object]) -> frozenset[str]:
    """Return the keys of the request and its resource that a decoded message would list if the request had them.

    It never lists keys of the caller, the session, the network or the organisation, so nothing follows for those. If
    somebody has redacted a key, nothing follows at all.
    """
    prefixes = {key.partition(":")[0] for key in conditions}
    if not prefixes or not all(prefix.lower() == "aws" or reference().has_service(prefix) for prefix in prefixes):
        return frozenset()
    service = action.partition(":")[0].lower()
    keys = {"aws:requesttag/*", "aws:tagkeys", "aws:resourcetag/*", f"{service}:resourcetag/*"}
    # A form ends in `/?*` if any tag may follow.
    keys |= {form.replace("/?*", "/*") for form in forms_of(action) if form.startswith(f"{service}:")}
    return frozenset(keys.difference(key.lower() for key in conditions))


def _conditions_of(value: object) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {}
    for entry in _items(value):
        key = entry.get("key")
        values = (_text(item, "value") for item in _items(entry.get("values")))
        if isinstance(key, str) and ":" in key:
            context[key] = tuple(text for text in values if text is not None)
    # EC2 lists a resource tag under its own key; AWS's global key has the same value.
    for key in tuple(context):
        service, slash, tag = key.partition(":ResourceTag/")
        if slash and service != "aws":
            context.setdefault(f"aws:ResourceTag/{tag}", context[key])
    return context


def _items(value: object) -> list[dict[str, Any]]:
    items = value.get("items") if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
