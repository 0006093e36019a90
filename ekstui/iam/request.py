"""A request to AWS, and the context that follows from it: condition keys with their values."""

import re
from collections.abc import Mapping

from ekstui.iam import arn
from ekstui.iam.policy_variables import NOTHING_KNOWN, Context
from ekstui.iam.truth import Truth
from ekstui.named_tuples import NamedTuple

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)


class Request(NamedTuple):
    """A request to evaluate. A context key that is neither in `context` nor in `absent` is unknown."""

    action: str
    """Such as `ec2:CreateVolume`; case is ignored."""
    resources: tuple[str, ...] = ()
    """ARNs that must all be allowed, or `*` for an action without resources; empty if not given."""
    principal: str | None = None
    """The caller's ARN: a user, a role, or `arn:aws:sts::…:assumed-role/NAME/SESSION`."""
    context: Mapping[str, tuple[str, ...]] = {}
    """Values by condition key; case is ignored in keys, and a key without values is absent."""
    absent: frozenset[str] = frozenset()
    """Keys that the request lacks; `aws:RequestTag/*` stands for every key of that form."""


def is_service_linked(principal: str | None, context: Context) -> Truth:
    """Return whether the caller is a service-linked role, which no policy of an organization restricts.

    A session's ARN omits the path that tells; only the names of such roles start with AWSServiceRoleFor.
    """
    if arns := context.values("aws:PrincipalArn"):
        return ":role/aws-service-role/" in arns[0]
    entity = arn.entity_of(principal)
    return None if entity.kind == "session" and entity.name.startswith("AWSServiceRoleFor") else False


# IAM User Guide, "AWS global condition context keys": actions without `aws:ResourceAccount`. No EBS action has it.
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

    A key is not taken to be absent because the reference does not list it; many are missing there.
    """
    values: dict[str, tuple[str, ...]] = {}
    if request.principal is not None:
        values |= keys_of_principal(request.principal)
    action = request.action.lower()
    if resource is not None and action not in _WITHOUT_RESOURCE_ACCOUNT and not action.startswith("ebs:"):
        account = arn.split_arn(resource).account
        if _ACCOUNT.fullmatch(account):
            values["aws:resourceaccount"] = (account,)
    # Given values override what follows from ARNs.
    values |= {key.lower(): entries for key, entries in request.context.items()}
    absent = {key.lower() for key in request.absent}
    for key in absent.intersection(values).difference(key.lower() for key in request.context):
        del values[key]
    if (tags := values.get("aws:tagkeys")) and all(f"aws:requesttag/{tag.lower()}" in values for tag in tags):
        # `aws:TagKeys` lists every tag of the request, so there are no others.
        absent.add("aws:requesttag/*")
    return Context(values, frozenset(absent))


def keys_of_principal(principal: str) -> Mapping[str, tuple[str, ...]]:
    """Return the condition keys, in lower case, that a principal's ARN tells."""
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
        # The role's ARN stays unknown, because the session's ARN omits the path.
        values |= {"aws:principaltype": ("AssumedRole",), "aws:username": ()}
    elif parts.service == "iam" and parts.resource == "root":
        values |= {"aws:principalarn": (principal,), "aws:principaltype": ("Account",), "aws:username": ()}
    else:
        return values
    return values | {"aws:principalisawsservice": ("false",)}


def caller_facts(principal: str | None) -> tuple[object, ...]:
    """Return all that identity policies can tell about a caller: the same for the sessions of an account's roles."""
    return (*sorted(keys_of_principal(principal or "").items()), is_service_linked(principal, NOTHING_KNOWN))


def is_same_account(context: Context, resource: str | None) -> Truth:
    """Return whether the caller's account owns the resource; None if unknown, as an S3 bucket's ARN has no account."""
    caller_account, account = context.values("aws:PrincipalAccount"), arn.split_arn(resource or "").account
    resource_account = (account,) if _ACCOUNT.fullmatch(account) else context.values("aws:ResourceAccount")
    return caller_account == resource_account if caller_account and resource_account else None
