"""Who owns a policy that denies a request and that no identity policy changes: whom to ask for what, and what shows it.

IAM User Guide, "Troubleshoot access denied error messages"; Organizations User Guide, "Service control policies".
"""

from collections.abc import Iterator

from ekstui.denial.message import Cause
from ekstui.eks.commands import Command, aws
from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.request import Request

_OF_ORGANIZATION = {"service-control": "SERVICE_CONTROL_POLICY", "resource-control": "RESOURCE_CONTROL_POLICY"}


def whom_to_ask(cause: Cause, request: Request) -> str:
    """Return who owns the policy that a message blames and what to ask for, in a sentence; may be empty."""
    # A decoded message names statements, and `*` for its policy.
    name = split_arn(cause.policy or "").resource.rpartition("/")[2].strip("*")
    match cause.policy_type:
        case "service-control" | "resource-control":
            ask = f"{_of_organization(cause, request, name)}: ask there"
        case "boundary":
            ask = f"Whoever sets the permissions boundaries of the account owns {name or 'it'}: ask"
        case "session":
            ask = (
                "The session policy comes from whoever started the session: the association of Pod Identity, "
                "or the call of AssumeRole. Ask there"
            )
        case "resource" if not cause.is_one_of_several:
            ask = f"The owner of the resource{_account_of(request)} has its policy: ask"
        case "vpc-endpoint":
            ask = "The owner of the VPC has the policy of its endpoint: ask"
        case "identity" | None if cause.explicit:
            ask = f"Whoever wrote {name or 'the Deny'} owns it: ask"
        case _:
            return ""
    caller = entity_of(request.principal).name or request.principal or "the caller"
    return f"{ask} to {'except' if cause.explicit else 'allow'} {request.action} for {caller}."


def checks_of_owner(cause: Cause, request: Request) -> Iterator[Command]:
    """Yield what shows the policy that a message blames."""
    entity, policy = entity_of(request.principal), cause.policy or ""
    resource = next((arn for arn in request.resources if arn.startswith("arn:")), "")
    if cause.policy_type in _OF_ORGANIZATION:
        yield from _in_organization(cause, request)
    elif cause.policy_type == "boundary" and entity.kind in ("role", "session"):
        about = "shows the permissions boundary of the role"
        yield aws(about, "iam", "get-role", "--role-name", entity.name, "--query", "Role.PermissionsBoundary")
    elif cause.policy_type in ("identity", None) and cause.explicit and entity.kind in ("role", "session"):
        yield aws("shows which policies it has", "iam", "list-attached-role-policies", "--role-name", entity.name)
    elif cause.policy_type == "resource" and resource:
        yield from _of_resource(resource)
    elif cause.policy_type == "vpc-endpoint":
        yield aws("shows the endpoints and their policies", "ec2", "describe-vpc-endpoints")
    if ":policy/" in policy and split_arn(policy).service == "iam":
        yield aws("shows which version of the policy is in force", "iam", "get-policy", "--policy-arn", policy)


def _of_organization(cause: Cause, request: Request, name: str) -> str:
    parts = split_arn(cause.policy or "")
    if parts.service == "organizations":
        organization = parts.resource.split("/")[1] if parts.resource.count("/") > 1 else "the organization"
        return f"Policy {name} is of organization {organization}, whose management account is {parts.account}"
    account = split_arn(request.principal or "").account
    suffix = f" of account {account}" if account.isdigit() else ""
    return f"The {cause.kind} belongs to the management account of the organization{suffix}"


def _in_organization(cause: Cause, request: Request) -> Iterator[Command]:
    parts = split_arn(cause.policy or "")
    account = split_arn(request.principal or "").account
    if parts.service == "organizations":
        about = f"shows it, with the credentials of account {parts.account}"
        yield aws(about, "organizations", "describe-policy", "--policy-id", parts.resource.rpartition("/")[2])
    elif account.isdigit():
        arguments = ("--target-id", account, "--filter", _OF_ORGANIZATION[cause.policy_type or ""])
        about = "lists them, with the credentials of the management account"
        yield aws(about, "organizations", "list-policies-for-target", *arguments)


def _account_of(request: Request) -> str:
    accounts = {split_arn(resource).account for resource in request.resources if resource.startswith("arn:")}
    (account,) = accounts if len(accounts) == 1 else ("",)
    return f" in account {account}" if account.isdigit() else ""


def _of_resource(resource: str) -> Iterator[Command]:
    parts = split_arn(resource)
    name, about = parts.resource.partition("/")[2] or parts.resource, "shows the policy of the resource"
    match parts.service:
        case "s3":
            yield aws(about, "s3api", "get-bucket-policy", "--bucket", parts.resource.partition("/")[0])
        case "kms":
            arguments = ("--key-id", resource, "--policy-name", "default")
            yield aws("shows the key policy", "kms", "get-key-policy", *arguments, region=parts.region)
        case "ecr":
            arguments = ("--registry-id", parts.account, "--repository-name", name)
            yield aws(about, "ecr", "get-repository-policy", *arguments, region=parts.region)
        case "secretsmanager":
            yield aws(about, "secretsmanager", "get-resource-policy", "--secret-id", resource, region=parts.region)
        case "sns":
            yield aws(about, "sns", "get-topic-attributes", "--topic-arn", resource, region=parts.region)
        case "lambda":
            yield aws(about, "lambda", "get-policy", "--function-name", resource, region=parts.region)
        case "elasticfilesystem" if parts.resource.startswith("file-system/"):
            yield aws(about, "efs", "describe-file-system-policy", "--file-system-id", name, region=parts.region)
        case _:
            return
