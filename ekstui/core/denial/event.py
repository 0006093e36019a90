"""Denials in JSON: CloudTrail events and decoded authorization messages."""

import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ekstui.core import arn
from ekstui.core.denial.assumption import with_assumption
from ekstui.core.denial.denial import Cause, Denial
from ekstui.core.denial.message import denials_in
from ekstui.core.denial.services import action_of_operation, prefix_of_service, spelled
from ekstui.core.reference import Reference
from ekstui.errors import InputError

_MAX_OBJECTS = 200
"""How many places of a text are tried as the start of a JSON object."""

_DECODER = json.JSONDecoder()


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that stand in the text, outermost first; what does not parse is passed over."""
    position = 0
    for _ in range(_MAX_OBJECTS):
        position = text.find("{", position)
        if position < 0:
            return
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        if isinstance(value, dict):
            yield value


def strings_in(value: object, depth: int = 20) -> Iterator[str]:
    """Yield every string value of a JSON value, in order."""
    if isinstance(value, str):
        yield value
    elif depth > 0 and isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from strings_in(entry, depth - 1)


def denial_of_object(value: Mapping[str, Any], reference: Reference) -> Denial | None:
    """Return the denial of a CloudTrail event or a decoded authorization message, or None if it is neither.

    Raises InputError for a CloudTrail event that records no denial.
    """
    if isinstance(value.get("DecodedMessage"), str):
        for decoded in objects_in(value["DecodedMessage"]):
            return denial_of_object(decoded, reference)
    if isinstance(value.get("context"), dict) and isinstance(value["context"].get("action"), str):
        return _of_decoded_message(value, reference)
    records = value.get("Records", value.get("Events"))
    events = records if isinstance(records, list) else [value]
    events = [_inner_event(event) for event in events if isinstance(event, dict)]
    events = [event for event in events if _is_event(event)]
    if not events:
        return None
    for event in events:
        if any(word in str(event.get("errorCode", "")) for word in ("AccessDenied", "Unauthorized", "NotAuthorized")):
            return _of_event(event, reference)
    raise InputError("the CloudTrail event records no denial.", "A denied call has an errorCode such as AccessDenied.")


def _inner_event(value: dict[str, Any]) -> dict[str, Any]:
    """Return the event itself where EventBridge or `lookup-events` wraps it."""
    if isinstance(value.get("detail"), dict):
        return _inner_event(value["detail"]) if _is_event(value["detail"]) else value
    if isinstance(value.get("CloudTrailEvent"), str):
        return next(objects_in(value["CloudTrailEvent"]), value)
    return value


def _is_event(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("eventSource"), str) and isinstance(value.get("eventName"), str)


def _of_event(event: Mapping[str, Any], reference: Reference) -> Denial:
    label = event["eventSource"].partition(".")[0]
    service = prefix_of_service(label, reference) or label
    denial = Denial(action_of_operation(service, event["eventName"], reference))
    message = event.get("errorMessage")
    if isinstance(message, str):
        for said, _ in denials_in(" ".join(message.split()), reference):
            denial = said
            break
    identity = event.get("userIdentity")
    principal = identity.get("arn") if isinstance(identity, dict) else None
    resource = denial.resource or _only_resource_of(event)
    denial = replace(
        denial,
        resource=resource,
        principal=denial.principal or (principal if isinstance(principal, str) else None),
        context=_context_of_event(event),
    )
    return with_assumption(denial, event)


def _only_resource_of(event: Mapping[str, Any]) -> str | None:
    listed = event.get("resources")
    named = [entry.get("ARN") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    named = [entry for entry in named if isinstance(entry, str)]
    return named[0] if len(named) == 1 else None


def _context_of_event(event: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    told: dict[str, object] = {
        "aws:RequestedRegion": event.get("awsRegion"),
        "aws:CurrentTime": event.get("eventTime"),
        "aws:UserAgent": event.get("userAgent"),
        "aws:SourceVpce": event.get("vpcEndpointId"),
    }
    address = event.get("sourceIPAddress")
    if isinstance(address, str) and _is_address(address):
        told["aws:SourceIp"] = address
    identity = event.get("userIdentity")
    session = identity.get("sessionContext") if isinstance(identity, dict) else None
    issuer = session.get("sessionIssuer") if isinstance(session, dict) else None
    if isinstance(issuer, dict) and issuer.get("type") == "Role":
        told["aws:PrincipalArn"] = issuer.get("arn")
    return {key: (value,) for key, value in told.items() if isinstance(value, str) and value}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _of_decoded_message(value: Mapping[str, Any], reference: Reference) -> Denial:
    if value.get("allowed") is True:
        raise InputError("the decoded message says that the request was allowed.", "Paste the message of the denial.")
    context = value["context"]
    principal = context.get("principal")
    name = principal.get("arn") if isinstance(principal, dict) else None
    resource = context.get("resource")
    resource = resource if isinstance(resource, str) and (resource == "*" or resource.startswith("arn:")) else None
    action = context["action"]
    if ":" not in action and resource not in (None, "*"):
        action = f"{arn.split_arn(str(resource)).service}:{action}"
    return Denial(
        action=spelled(action, reference),
        resource=resource,
        principal=name if isinstance(name, str) else None,
        cause=Cause(None, explicit=True) if value.get("explicitDeny") is True else None,
        context=_conditions_of(context.get("conditions")),
    )


def _conditions_of(value: object) -> dict[str, tuple[str, ...]]:
    told: dict[str, tuple[str, ...]] = {}
    for entry in _items(value):
        key = entry.get("key")
        values = [item.get("value") for item in _items(entry.get("values"))]
        if isinstance(key, str) and ":" in key:
            told[key] = tuple(text for text in values if isinstance(text, str))
    return told


def _items(value: object) -> list[dict[str, Any]]:
    items = value.get("items") if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
