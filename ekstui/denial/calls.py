"""Denials that name a call instead of saying who may not perform which action: errors of SDKs and logs of tools.

Sources: the errors of the AWS SDKs for Go, Python and Java; CloudFormation's events; the logs of Fluent Bit's plugins
for AWS, the Cluster Autoscaler, Hadoop's S3A and container runtimes, as in public threads.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from ekstui.denial.message import (
    Cause,
    Denial,
    action_of_operation,
    as_in_reference,
    prefix_of_service,
)
from ekstui.denial.patterns import compiled_later
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple


class _Call(NamedTuple):
    start: int
    """Where the text names it."""
    end: int
    denial: Denial
    """With an empty action if the text does not tell it."""
    ambiguous: tuple[str, ...] = ()
    """The actions that it may be, if several services have an operation of that name."""


DENIED_CODE = (
    r"(?:Client\.)?(?:UnauthorizedOperation|AccessDenied(?:Exception)?|UnauthorizedAccess|NotAuthorized\w*|AuthorizationError\w*"
    r"|Forbidden\w*|403)"
)
_SAID = rf"[^{{}}]{{0,400}}?\b(?:{DENIED_CODE}|Access Denied|not authorized)"

# The Go SDK names the service, botocore does not.
_GO = compiled_later(rf"operation error ([A-Za-z0-9 -]{{1,64}}?): ([A-Za-z0-9]{{1,128}}),(?={_SAID})")
_BOTOCORE = compiled_later(rf"An error occurred \(({DENIED_CODE})\) ?when calling the ([A-Za-z0-9]{{1,128}}) operation")
_CLOUDFORMATION = compiled_later(
    r"API: ([a-z0-9-]{2,40}:[A-Za-z0-9]{3,128}) (?:Access Denied|You are not authorized to (?!use launch))"
)
_FLUENT_BIT = compiled_later(
    r"([A-Z][A-Za-z]{3,60}) API responded with error='?(?:AccessDenied|UnrecognizedClient.{0,3}Denied)\w*"
)
_PLUGIN = compiled_later(r"output:([a-z0-9_]{2,40})")
_EC2_WORDS = compiled_later(
    r"\b(?:(?P<CreateFleet>creating fleet)|(?P<CreateVolume>could not create volume in EC2)"
    r"|(?P<AttachVolume>could not attach volume)|(?P<DetachVolume>could not detach volume)"
    r"|(?P<ModifyVolume>(?:could not|unable to) modify volume)|(?P<CreateSnapshot>error creating snapshot)"
    r"|(?P<CreateLaunchTemplate>creating launch template)|(?P<DescribeInstanceTypes>generate AWS EC2 Instance Types)"
    r"|(?P<DescribeAvailabilityZones>(?:get|getting|fetching) availability zones?))"
    r"(?: (?:of|for|in|to|from) [\w-]{1,63}| \"[^\"]{1,100}\"){0,4}[,:]? ?(?=UnauthorizedOperation\b)",
    re.IGNORECASE,
)
"""What tools say they were doing where the message of EC2 names no action: Karpenter, the EBS CSI driver, eksctl,
Terraform and the Cluster Autoscaler. The group's name is the operation."""
_LAUNCH_TEMPLATE = compiled_later(
    r"not authorized to (?:use|launch instances with th(?:is|e)) launch template(?:: ?([\w()./-]{1,128}))?"
)
_S3A = compiled_later(
    rf"\b(?:([A-Za-z-]{{2,40}})(?: [a-z0-9-]+){{0,3}} on )?s3[an]?://([a-z0-9][a-z0-9.-]{{2,62}})(/[^\s:]{{0,900}})?: "
    rf"(?![A-Za-z-]{{2,40}}(?: [a-z0-9-]+){{0,3}} on s3)(?={_SAID})"
)
_REGISTRY = compiled_later(
    r"([0-9A-Za-z*<>_-]{1,40})\.dkr\.ecr(?:-fips)?\.([a-z0-9*-]{1,30})\.amazonaws\.com(?:\.cn)?/(?:v2/)?([^\s\"',]{1,300})"
)
_REFUSED = (
    r"(?:no basic auth credentials|401 Unauthorized|authentication required|authorization failed|pull access denied"
    r"|denied: User)"
)
_PULL_REFUSED = compiled_later(rf"(403) Forbidden|{_REFUSED}(?:.{{0,70}}?{_REFUSED}){{0,3}}")
"""What a registry says; one refusal says it in several ways."""
_KMS = compiled_later(r"Access to KMS is not allowed")
_WANTED = compiled_later(r"policy must include the [`'\"]?([A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128})[`'\"]? action")
_ASSOCIATED_ROLE = compiled_later(r"EKS does not have permissions to assume the associated role", re.IGNORECASE)
_UNNAMED = compiled_later(
    r"encoded authorization failure message|UnauthorizedOperation: You are not authorized to perform this operation"
    r"|AccessDenied: Access Denied|operation: Access Denied"
    r"|\b(?:Access Denied|Forbidden) \(Service: [\w ]{1,64}[;,] Status Code: 403(?:[;,] Error Code: \w+)?"
    r"|\(Service: [\w ]{1,64}[;,] Status Code: 40\d[;,] Error Code: AccessDenied\w*"
    r"|AccessDenied: Access to the resource \S{1,300} is denied",
    re.IGNORECASE,
)

_NEAR = 700
"""How far after an image's name the registry's refusal may follow, in characters."""

_SERVICES_OF_PLUGINS = {
    "cloudwatch": "logs", "cloudwatch_logs": "logs", "firehose": "firehose", "kinesis": "kinesis",
    "kinesis_firehose": "firehose", "kinesis_streams": "kinesis", "s3": "s3",
}  # fmt: skip

# Hadoop, "S3A: what operations need which permissions"; the first part of what it says it was doing.
_S3A_ACTIONS = {
    "delete": "DeleteObject", "innerdelete": "DeleteObject", "list": "ListBucket", "liststatus": "ListBucket",
    "copyfile": "PutObject", "create": "PutObject", "mkdir": "PutObject", "put": "PutObject", "upload": "PutObject",
    "writing": "PutObject", "multipart": "PutObject", "doesbucketexist": "ListBucket",
}  # fmt: skip


def calls_in(text: str) -> Iterator[_Call]:
    """Yield the denied calls that a text on one line names, by each form in turn."""
    for form, read in _FORMS.items():
        for match in form.finditer(text):
            call = read(match, text)
            if call is not None:
                yield call


def _call(match: re.Match[str], denial: Denial, group: int = 0, ambiguous: tuple[str, ...] = ()) -> _Call:
    return _Call(match.start(group), match.end(), denial, ambiguous)


def _of_go(match: re.Match[str], _: str) -> _Call | None:
    service = prefix_of_service(match[1])
    return None if service is None else _call(match, Denial(action_of_operation(service, match[2])), 2)


def _of_botocore(match: re.Match[str], _: str) -> _Call | None:
    code, operation = match.groups()
    if "UnauthorizedOperation" in code:
        return _call(match, Denial(action_of_operation("ec2", operation)), 2)
    return _of_operation(match, operation, 2)


def _of_operation(match: re.Match[str], operation: str, group: int = 0) -> _Call | None:
    """Return the call of an operation whose service is not named."""
    actions = reference().expand(f"*:{operation}")
    s3 = action_of_operation("s3", operation)
    if not actions and reference().find(s3) is not None:
        actions = (s3,)
    if not actions:
        return None
    if len(actions) > 1:
        return _call(match, Denial(""), group, actions)
    return _call(match, Denial(actions[0]), group)


def _of_fluent_bit(match: re.Match[str], text: str) -> _Call | None:
    plugins = _PLUGIN.findall(text, max(0, match.start() - 200), match.start())
    service = _SERVICES_OF_PLUGINS.get(plugins[-1]) if plugins else None
    if service is None:
        return _of_operation(match, match[1])
    return _call(match, Denial(action_of_operation(service, match[1])))


def _of_s3a(match: re.Match[str], _: str) -> _Call:
    name = _S3A_ACTIONS.get((match[1] or "").lower(), "GetObject")
    resource = f"arn:aws:s3:::{match[2]}{'' if name == 'ListBucket' else match[3] or ''}"
    return _call(match, Denial(as_in_reference(f"s3:{name}"), resource=resource), 2)


def _of_registry(match: re.Match[str], text: str) -> _Call | None:
    next_registry = _REGISTRY.search(text, match.end(), match.end() + _NEAR)
    refusal = _PULL_REFUSED.search(text, match.end(), next_registry.start() if next_registry else match.end() + _NEAR)
    if refusal is None:
        return None
    # Without a token the registry answers 401; with one, 403 for what its bearer may not pull.
    action = "ecr:BatchGetImage" if refusal[1] else "ecr:GetAuthorizationToken"
    name = re.split(r"/manifests/|/blobs/|[:@]", match[3])[0]
    return _Call(refusal.start(), refusal.end(), Denial(action, resource_name=name if refusal[1] else None))


def _of_association(match: re.Match[str], _: str) -> _Call:
    return _call(
        match, Denial(as_in_reference("eks-auth:AssumeRoleForPodIdentity"), cause=Cause("trust", explicit=False))
    )


_FORMS: Mapping[re.Pattern[str], Callable[[re.Match[str], str], _Call | None]] = {
    _WANTED: lambda match, _: _call(match, Denial(as_in_reference(match[1])), 1),
    _ASSOCIATED_ROLE: _of_association,
    _GO: _of_go,
    _BOTOCORE: _of_botocore,
    _CLOUDFORMATION: lambda match, _: _call(match, Denial(as_in_reference(match[1])), 1),
    _FLUENT_BIT: _of_fluent_bit,
    _EC2_WORDS: lambda match, _: _call(match, Denial(f"ec2:{match.lastgroup}")),
    # Amazon EC2 Auto Scaling User Guide, "Permissions to launch with a launch template": ec2:RunInstances is lacking.
    _LAUNCH_TEMPLATE: lambda match, _: _call(match, Denial("ec2:RunInstances", resource_name=match[1])),
    _S3A: _of_s3a,
    _REGISTRY: _of_registry,
    _KMS: lambda match, _: _call(match, Denial("kms:Decrypt")),
    _UNNAMED: lambda match, _: _call(match, Denial("")),
}
"""How each form of a denied call is read; the last names no action."""
