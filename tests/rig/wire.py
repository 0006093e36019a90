"""What a request to AWS asks, read off the wire, and how each service spells an error."""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.session

Protocol = Literal["query", "ec2", "json", "rest-json"]

PROTOCOLS: dict[str, Protocol] = {"iam": "query", "sts": "query", "ec2": "ec2", "config": "json", "eks": "rest-json"}

Cause = Literal["denied", "denied-by-scp", "throttled", "expired", "bad-key", "skewed", "not-opted-in", "unavailable"]

_CODES: dict[Cause, dict[str, tuple[str, int]]] = {
    "denied": {
        "*": ("AccessDenied", 403),
        "eks": ("AccessDeniedException", 403),
        "config": ("AccessDeniedException", 400),
        "ec2": ("UnauthorizedOperation", 403),
    },
    "throttled": {
        "*": ("Throttling", 400),
        "eks": ("TooManyRequestsException", 429),
        "config": ("ThrottlingException", 400),
        "ec2": ("RequestLimitExceeded", 503),
    },
    "expired": {
        "*": ("ExpiredToken", 403),
        "eks": ("ExpiredTokenException", 403),
        "config": ("ExpiredTokenException", 400),
        "ec2": ("RequestExpired", 400),
    },
    "bad-key": {
        "*": ("InvalidClientTokenId", 403),
        "eks": ("UnrecognizedClientException", 403),
        "config": ("UnrecognizedClientException", 400),
        "ec2": ("AuthFailure", 401),
    },
    "skewed": {
        "*": ("SignatureDoesNotMatch", 403),
        "eks": ("InvalidSignatureException", 403),
        "config": ("InvalidSignatureException", 400),
        "ec2": ("AuthFailure", 401),
    },
    "not-opted-in": {"*": ("OptInRequired", 403)},
    "unavailable": {"*": ("ServiceUnavailable", 503), "eks": ("ServiceUnavailableException", 503)},
}
"""Cause -> service, or `*` for those that spell it in the old way -> code and HTTP status."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what was asked, of which service, in which region; status is 0 when no answer went out whole."""

    service: str
    action: str
    region: str
    status: int = 0
    marker: str | None = None
    """The marker or token that the request carried."""


def call_of(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Call:
    """Return what a request asks; an unsigned one has the service `unsigned`."""
    scope = headers.get("Authorization", "").partition("Credential=")[2].split(",")[0].split("/")
    region, service = (scope[2], scope[3]) if len(scope) > 4 else ("", "unsigned")
    bare, _, query = path.partition("?")
    if target := headers.get("X-Amz-Target"):
        marker = re.search(rb'"NextToken"\s*:\s*"([^"]*)"', body)
        return Call(service, target.rpartition(".")[2], region, marker=marker[1].decode() if marker else None)
    form = parse_qs(body.decode("latin-1") if method == "POST" and PROTOCOLS.get(service) != "rest-json" else query)
    marker_text = next((form[key][0] for key in ("Marker", "NextToken", "nextToken") if key in form), None)
    if "Action" in form:
        return Call(service, form["Action"][0], region, marker=marker_text)
    if service == "eks":
        for action, verb, pattern in _eks_operations():
            if verb == method and pattern.fullmatch(bare):
                return Call(service, action, region, marker=marker_text)
    return Call(service, "", region, marker=marker_text)


def error_for(cause: Cause, service: str) -> tuple[str, int]:
    """Return the code and HTTP status by which a service says `cause`."""
    codes = _CODES["denied" if cause == "denied-by-scp" else cause]
    return codes.get(service, codes["*"])


def message_for(cause: Cause, call: Call, account_id: str) -> str:
    """Return AWS's words for `cause`."""
    action = f"{call.service}:{call.action}"
    caller = f"arn:aws:sts::{account_id}:assumed-role/OnCall/alex"
    refusal = f"User: {caller} is not authorized to perform: {action} on resource: *"
    match cause:
        case "denied":
            return f"{refusal} because no identity-based policy allows the {action} action"
        case "denied-by-scp":
            return f"{refusal} with an explicit deny in a service control policy"
        case "throttled":
            return "Rate exceeded"
        case "expired":
            return "The security token included in the request is expired"
        case "bad-key":
            return "The security token included in the request is invalid."
        case "skewed":
            return (
                "Signature expired: 20261130T110000Z is now earlier than 20261130T115500Z (20261130T120000Z - 5 min.)"
            )
        case "not-opted-in":
            return "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe."
        case "unavailable":
            return "The service is temporarily unavailable."


def error_body(service: str, code: str, message: str) -> tuple[dict[str, str], bytes]:
    """Return headers and body of an error in the service's own format."""
    match PROTOCOLS.get(service, "query"):
        case "query":
            text = (
                '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>'
                f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
                "<RequestId>rig</RequestId></ErrorResponse>"
            )
            return {"Content-Type": "text/xml"}, text.encode()
        case "ec2":
            text = (
                f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
                "</Errors><RequestID>rig</RequestID></Response>"
            )
            return {"Content-Type": "text/xml"}, text.encode()
        case "json":
            return {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(
                {"__type": code, "message": message}
            ).encode()
        case "rest-json":
            headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
            return headers, json.dumps({"message": message}).encode()


@functools.cache
def _eks_operations() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    model = botocore.session.Session().get_service_model("eks")
    operations = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(http["requestUri"]))
        operations.append((name, http["method"], re.compile(pattern)))
    return tuple(operations)
