"""What a request's own ARNs say about its context, so that nobody has to be asked for it."""

import re
from collections.abc import Mapping

from ekstui.core import arn
from ekstui.core.conditions.context import Context
from ekstui.core.conditions.variables import literal
from ekstui.core.evaluation.request import Request
from ekstui.core.reference import Reference

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_PLACEHOLDER = re.compile(r"\$\{[^{}]*\}")


# IAM User Guide, "AWS global condition context keys": the actions without `aws:ResourceAccount`. EBS has it for none.
_WITHOUT_RESOURCE_ACCOUNT = frozenset(
    {
        *(
            f"ec2:{name}"
            for name in (
                "accepttransitgatewaypeeringattachment", "acceptvpcendpointconnections", "acceptvpcpeeringconnection",
                "copyimage", "copysnapshot", "createtransitgatewaypeeringattachment", "createvolume",
                "createvpcendpoint", "createvpcpeeringconnection", "deletetransitgatewaypeeringattachment",
                "deletevpcpeeringconnection", "rejecttransitgatewaypeeringattachment", "rejectvpcendpointconnections",
                "rejectvpcpeeringconnection",
            )
        ),
        *(
            f"route53:{name}"
            for name in (
                "associatevpcwithhostedzone", "createvpcassociationauthorization", "deletevpcassociationauthorization",
                "disassociatevpcfromhostedzone", "listhostedzonesbyvpc",
            )
        ),
        "es:acceptinboundconnection", "events:putevents", "guardduty:acceptadministratorinvitation",
        "macie2:acceptinvitation", "securityhub:acceptadministratorinvitation",
    }
)  # fmt: skip


def context_of(request: Request, resource: str | None) -> Context:
    """Return the context of the request for one of its resources: what was given, and what follows from the ARNs.

    What the service authorization reference does not list follows from nothing: it is silent about many keys.
    """
    values: dict[str, tuple[str, ...]] = {}
    if request.principal is not None:
        values |= _of_principal(request.principal)
    action = request.action.lower()
    if resource is not None and action not in _WITHOUT_RESOURCE_ACCOUNT and not action.startswith("ebs:"):
        account = arn.split_arn(resource).account
        if _ACCOUNT.fullmatch(account):
            values["aws:resourceaccount"] = (account,)
    # What was given goes before what follows.
    values |= {key.lower(): entries for key, entries in request.context.items()}
    absent = {key.lower() for key in request.absent}
    for key in absent.intersection(values).difference(key.lower() for key in request.context):
        del values[key]
    if (tags := values.get("aws:tagkeys")) and all(f"aws:requesttag/{tag.lower()}" in values for tag in tags):
        # `aws:TagKeys` holds every tag of the request, so there is no other.
        absent.add("aws:requesttag/*")
    return Context(values, frozenset(absent))


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


def is_of_type(resource: str, service: str, name: str, reference: Reference) -> bool:
    """Return whether an ARN has the form of a resource type of the service."""
    kind = reference.resource_type(service, name)
    return kind is not None and any(
        arn.matches_resource(_PLACEHOLDER.sub("*", form), literal(resource)) for form in kind.arn_formats
    )
