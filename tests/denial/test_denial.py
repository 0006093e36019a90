# ruff: noqa: ISC004 (messages are longer than a line)
"""Denials are read in the wordings that people paste; most lines are from public trackers, with ids replaced."""

import contextlib
import json
import re
import time
from typing import Any

import pytest

from ekstui.denial.event import objects_in, pieces_of, strings_in
from ekstui.denial.excerpt import excerpt
from ekstui.denial.message import Cause, Denial, action_of_operation, prefix_of_service
from ekstui.denial.parameters import made_by, request_tags
from ekstui.denial.parsing import MAX_CHARACTERS, parse_denial, refusals_in
from ekstui.denial.question import merged_refusals
from ekstui.denial.wrapping import unframed, unwrapped
from ekstui.errors import InputError
from tests.support.patience import PROCESSOR

SESSION = "arn:aws:sts::111122223333:assumed-role/ebs-csi/1736761400000000000"
NO_ALLOW = Cause("identity", explicit=False)
ENCODED = "H8F0jDN9KPpyINgZ_awdx-5x8V34ntzRNtdI5Uqz5sS4Bj6mIUboysBgNK2ml" * 4


def denials_in(text: str) -> list[Denial]:
    """What a text says that IAM denied, repeats together."""
    subjects = (group.refusal.what for group in merged_refusals(refusals_in(text)))
    return [subject for subject in subjects if isinstance(subject, Denial) and subject.action]


def every_denial_in(text: str) -> list[Denial]:
    """What a text says that IAM denied, each time that it says so."""
    return [refusal.what for refusal in refusals_in(text) if isinstance(refusal.what, Denial)]


# The message, then action, resource, principal and cause.
MESSAGES: list[tuple[str, str, str | None, str | None, Cause | None]] = [
    # EC2, from the CSI driver's log by way of the Go SDK and gRPC.
    (
        'E0113 09:43:20.123456 1 driver.go:108] "GRPC error" err="rpc error: code = Internal desc = Could not create volume '
        '\\"pvc-87ad104a-5ee1-4912-8375-0e249a68c51c\\": could not create volume in EC2: operation error EC2: CreateVolume, '
        "https response error StatusCode: 403, RequestID: f1b0d1e4-63b6-4c53-9b0e-2f3c1f0b8b73, api error "
        f"UnauthorizedOperation: You are not authorized to perform this operation. User: {SESSION} is not authorized to "
        "perform: ec2:CreateVolume on resource: arn:aws:ec2:eu-west-1::snapshot/snap-0abc because no identity-based policy "
        f'allows the ec2:CreateVolume action. Encoded authorization failure message: {ENCODED}"',
        "ec2:CreateVolume", "arn:aws:ec2:eu-west-1::snapshot/snap-0abc", SESSION, NO_ALLOW,
    ),
    # Terraform's box around the same, wrapped.
    (
        "│ Error: creating EC2 Instance: UnauthorizedOperation: You are not authorized to perform this\n"
        f"│ operation. User: {SESSION} is not\n│ authorized to perform: ec2:RunInstances on resource:\n"
        "│ arn:aws:ec2:eu-central-1:111122223333:volume/* with an explicit deny in a service control\n│ policy. Encoded "
        f"authorization failure message: {ENCODED}\n│ \tstatus code: 403, request id: a0f62ebe-66a4\n│\n│   with aws_instance.a,",
        "ec2:RunInstances", "arn:aws:ec2:eu-central-1:111122223333:volume/*", SESSION, Cause("service-control", explicit=True),
    ),
    # Karpenter's log line in JSON.
    (
        '{"level":"ERROR","time":"2024-11-12T16:46:59.426Z","logger":"controller","message":"Reconciler error","error":'
        '"launching nodeclaim, creating instance, with fleet error(s), UnauthorizedOperation: You are not authorized to '
        f"perform this operation. User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: "
        'arn:aws:ec2:us-east-2:111122223333:instance/* with an explicit deny in a service control policy. Encoded '
        'authorization failure message: g4oZPBqZ4Bni8dE5dGjxYTnOZ..."}',
        "ec2:RunInstances", "arn:aws:ec2:us-east-2:111122223333:instance/*", SESSION, Cause("service-control", explicit=True),
    ),
    # botocore; ECR, EKS, Network Firewall.
    (
        f"An error occurred (AccessDeniedException) when calling the DescribeCluster operation: User: {SESSION} is not "
        "authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:eu-west-1:111122223333:cluster/prod",
        "eks:DescribeCluster", "arn:aws:eks:eu-west-1:111122223333:cluster/prod", SESSION, None,
    ),
    (
        '{"level":"error","ts":1725541882.6136096,"logger":"controllers.ExternalSecret","msg":"could not get secret data from '
        f'provider","error":"could not generate [0]: unable to get authorization token: AccessDeniedException: User: {SESSION} '
        "is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the "
        'ecr:GetAuthorizationToken action\\n\\tstatus code: 400, request id: 1","stacktrace":"github.com/a/b.(*R).R\\n\\t/c.go:1"}',
        "ecr:GetAuthorizationToken", "*", SESSION, NO_ALLOW,
    ),
    # The action that must be allowed is not the one that was called.
    (
        f"api error UnauthorizedOperation: You are not authorized to perform this operation. User: {SESSION} is not authorized "
        "to perform: ec2:CreateVpcEndpoint on resource: arn:aws:ec2:eu-west-2:111122223333:vpc-endpoint/* because no "
        "identity-based policy allows the vpce:AllowMultiRegion action.",
        "vpce:AllowMultiRegion", "arn:aws:ec2:eu-west-2:111122223333:vpc-endpoint/*", SESSION, NO_ALLOW,
    ),
    # IAM, old and new.
    (
        f"API: iam:UpdateRole User: {SESSION} is not authorized to perform: iam:UpdateRole on resource: role svcop-main-acc",
        "iam:UpdateRole", None, SESSION, None,
    ),
    (
        "API: iam:CreateRole User: arn:aws:iam::111122223333:user/ada is not authorized to perform: iam:CreateRole on resource: "
        "arn:aws:iam::111122223333:role/limitmonitor with an explicit deny",
        "iam:CreateRole", "arn:aws:iam::111122223333:role/limitmonitor", "arn:aws:iam::111122223333:user/ada",
        Cause(None, explicit=True),
    ),
    (
        "AccessDenied: User: arn:aws:iam::111122223333:user/ada is not authorized to perform: iam:PassRole on resource: "
        "arn:aws:iam::111122223333:role/node because no permissions boundary allows the iam:PassRole action\n"
        "\tstatus code: 403, request id: 6bcc1ed4-f323-4db4-86fa-5e23b5df90ae",
        "iam:PassRole", "arn:aws:iam::111122223333:role/node", "arn:aws:iam::111122223333:user/ada",
        Cause("boundary", explicit=False),
    ),
    # STS.
    (
        f"An error occurred (AccessDenied) when calling the AssumeRole operation: User: {SESSION} is not authorized to perform: "
        "sts:AssumeRole on resource: arn:aws:iam::444455556666:role/prod",
        "sts:AssumeRole", "arn:aws:iam::444455556666:role/prod", SESSION, None,
    ),
    (
        "Error: User: arn:aws:iam::***:user/[IAMUSERNAME] is not authorized to perform: sts:TagSession on resource: ***",
        "sts:TagSession", None, "arn:aws:iam::***:user/[IAMUSERNAME]", None,
    ),
    (
        '{"level":"error","msg":"Reconciler error","error":"WebIdentityErr: failed to retrieve credentials\\ncaused by: '
        'AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\\n\\tstatus code: 403, request id: 5c3f"}',
        "sts:AssumeRoleWithWebIdentity", None, None, None,
    ),
    # S3 quotes the resource, Java adds its own tail.
    (
        f'User: {SESSION} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::logs/a file.txt" because no '
        "session policy allows the s3:GetObject action (Service: S3, Status Code: 403, Request ID: X)",
        "s3:GetObject", "arn:aws:s3:::logs/a file.txt", SESSION, Cause("session", explicit=False),
    ),
    (
        f"User: {SESSION} is not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::logs with an explicit deny in "
        "a VPC endpoint policy",
        "s3:ListBucket", "arn:aws:s3:::logs", SESSION, Cause("vpc-endpoint", explicit=True),
    ),
    (
        f'User: {SESSION} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::logs" because public '
        "policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
        "s3:PutBucketPolicy", "arn:aws:s3:::logs", SESSION,
        Cause("public-access-block", explicit=True, policy="BlockPublicPolicy"),
    ),
    # KMS.
    (
        f"AccessDeniedException: User: {SESSION} is not authorized to perform: kms:GenerateDataKey on resource: "
        "arn:aws:kms:eu-west-2:111122223333:key/a466d1fa because no resource-based policy allows the kms:GenerateDataKey action",
        "kms:GenerateDataKey", "arn:aws:kms:eu-west-2:111122223333:key/a466d1fa", SESSION, Cause("resource", explicit=False),
    ),
    (
        f"User: {SESSION} is not authorized to perform: kms:Decrypt on this resource because the resource does not exist in this "
        "Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
        "kms:Decrypt", None, SESSION, Cause("resource", explicit=False, is_one_of_several=True),
    ),
    # Each policy type of a deny; the newest messages name the policy.
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in an "
     "identity-based policy", "ec2:RunInstances", "*", SESSION, Cause("identity", explicit=True)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in a permissions "
     "boundary", "ec2:RunInstances", "*", SESSION, Cause("boundary", explicit=True)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in a session "
     "policy", "ec2:RunInstances", "*", SESSION, Cause("session", explicit=True)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in a resource "
     "control policy", "ec2:RunInstances", "*", SESSION, Cause("resource-control", explicit=True)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in a "
     "resource-based policy", "ec2:RunInstances", "*", SESSION, Cause("resource", explicit=True)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * because no service control policy allows "
     "the ec2:RunInstances action", "ec2:RunInstances", "*", SESSION, Cause("service-control", explicit=False)),
    (f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: * with an explicit deny in a service control "
     "policy: arn:aws:organizations::111122223333:policy/o-a/service_control_policy/p-1",
     "ec2:RunInstances", "*", SESSION,
     Cause("service-control", explicit=True, policy="arn:aws:organizations::111122223333:policy/o-a/service_control_policy/p-1")),
    # The wording of events and conditions.
    ("Warning  MissingIAMPermissions  5s  aws-node  Unauthorized operation: failed to call ec2:DescribeSubnets due to missing "
     "permissions. Please refer https://github.com/aws/amazon-vpc-cni-k8s/blob/master/docs/iam-policy.md",
     "ec2:DescribeSubnets", None, None, None),
    # EKS, of those who make a node group or a cluster (terraform-modules 396, aws-cdk 8574).
    ("InvalidRequestException: Failed to create service linked role: AWSServiceRoleForAmazonEKSNodegroup due to missing permissions "
     "for 'iam:CreateServiceLinkedRole'", "iam:CreateServiceLinkedRole", None, None, None),
    ("Failed to create resource. Error: Caller does not have permission to perform `iam:listAttachedRolePolicies`",
     "iam:ListAttachedRolePolicies", None, None, None),
    ("Failed to create resource. IAM role's policy must include the `ec2:DescribeVpcs` action Logs: /aws/lambda/x",
     "ec2:DescribeVpcs", None, None, None),
    ("message: Controller isn't authorized to call ec2:CreateFleet", "ec2:CreateFleet", None, None, None),
    # Only the wrapper tells.
    ("An error occurred (UnauthorizedOperation) when calling the DescribeVolumes operation: You are not authorized to perform "
     "this operation.", "ec2:DescribeVolumes", None, None, None),
    # Of the services only EKS has it.
    ("An error occurred (AccessDeniedException) when calling the DescribeNodegroup operation: no", "eks:DescribeNodegroup",
     None, None, None),
    ("An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied", "s3:ListBucket", None, None, None),
    ("operation error Elastic Load Balancing v2: CreateLoadBalancer, https response error StatusCode: 403, RequestID: 1, api "
     "error AccessDenied: no", "elasticloadbalancing:CreateLoadBalancer", None, None, None),
    # GovCloud and China.
    ("User: arn:aws-cn:sts::111122223333:assumed-role/a/b is not authorized to perform: ec2:DescribeVpcs because no "
     "identity-based policy allows the ec2:DescribeVpcs action",
     "ec2:DescribeVpcs", None, "arn:aws-cn:sts::111122223333:assumed-role/a/b", NO_ALLOW),
    # An action that the reference lacks stays as it is written.
    (f"User: {SESSION} is not authorized to perform: nosuch:DoIt on resource: *", "nosuch:DoIt", "*", SESSION, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "action", "resource", "principal", "cause"), MESSAGES)
def test_messages(text: str, action: str, resource: str | None, principal: str | None, cause: Cause | None) -> None:
    denial = parse_denial(text)
    assert (denial.action, denial.resource, denial.principal, denial.cause) == (action, resource, principal, cause)


def test_the_action_that_was_called_and_the_encoded_part_are_kept() -> None:
    denial = parse_denial(MESSAGES[5][0])
    assert (denial.called, denial.encoded) == ("ec2:CreateVpcEndpoint", None)
    assert parse_denial(MESSAGES[0][0]).encoded == ENCODED
    assert parse_denial(MESSAGES[1][0]).encoded == ENCODED
    assert parse_denial(MESSAGES[2][0]).encoded is None  # cut off


@pytest.mark.parametrize("escape", ["\x1b", "␛", "^[", "\\u001b", "\\x1b"])
def test_a_message_in_colours(escape: str) -> None:
    text = MESSAGES[0][0]
    words = text.split(" ")
    in_colour = " ".join(f"{escape}[1;31m{word}{escape}[0m" if index % 3 else word for index, word in enumerate(words))
    assert parse_denial(in_colour) == parse_denial(text)


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_a_message_that_a_terminal_wrapped(width: int) -> None:
    text = MESSAGES[0][0]
    cut = "\n".join(text[start : start + width] for start in range(0, len(text), width))
    denial = parse_denial(cut)
    assert (denial.action, denial.resource) == ("ec2:CreateVolume", "arn:aws:ec2:eu-west-1::snapshot/snap-0abc")
    assert denial.cause == NO_ALLOW


def at_words(text: str, width: int) -> str:
    """Return a text as tools wrap it that break words only after a hyphen or slash, or where they are too long."""
    lines = []
    while len(text) > width:
        end = max((match.end() for match in re.finditer("[ /-]", text[:width])), default=width)
        lines.append(text[:end].rstrip())
        text = text[end:]
    return "\n".join([*lines, text])


PULL = (
    "E0114 03:02:11 failed: User: arn:aws:sts::111122223333:assumed-role/prod-node/i-0abc1234567890def is not authorized "
    "to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:111122223333:repository/team/app because no "
    "identity-based policy allows the ecr:BatchGetImage action"
)


@pytest.mark.parametrize("prefix", ["", "    ", "I1201 10:00:00.123456 1 log.go:33] "])
@pytest.mark.parametrize("width", range(30, 200, 7))
def test_an_arn_that_is_broken_after_a_slash_goes_on_in_the_next_line(width: int, prefix: str) -> None:
    wrapped_text = "\n".join(f"{prefix}{line}" for line in at_words(PULL, width).split("\n"))
    assert parse_denial(wrapped_text) == parse_denial(PULL)


@pytest.mark.parametrize(
    ("after", "cause"),
    [
        ("", None), ("\nFailed to pull the image, because there is none", None),
        ("\nI0114 03:02:12 because no image is there", None),
        (" because no identity-based policy allows the ecr:BatchGetImage action", NO_ALLOW),
    ],
)  # fmt: skip
def test_an_arn_without_the_name_that_has_to_follow_is_cut_off(after: str, cause: Cause | None) -> None:
    begin = PULL[: PULL.index("team/app")]
    denial = parse_denial(begin + after)
    assert (denial.action, denial.resource, denial.cause) == ("ecr:BatchGetImage", None, cause)
    assert denial.resource_name == "arn:aws:ecr:eu-west-1:111122223333:repository/"
    assert denial.is_resource_cut_off
    (folder,) = denials_in(begin.replace("ecr:eu-west-1:111122223333:repository/", "s3:::logs/2026/") + after)
    assert (folder.resource, folder.is_resource_cut_off) == ("arn:aws:s3:::logs/2026/", False)


@pytest.mark.parametrize(
    ("text", "resource", "name"),
    [
        ("prod/db", None, "prod/db"),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db", None,
         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db"),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3",
         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1B2c3", None),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:*",
         "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*", None),
        ("*", "*", None), ("xxxxx", None, None), ("REDACTED", None, None), ("role dev", None, None),
    ],
)  # fmt: skip
def test_a_resource_may_be_named_without_its_arn(text: str, resource: str | None, name: str | None) -> None:
    denial = parse_denial(
        "User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: secretsmanager:GetSecretValue on "
        f"resource: {text} because no identity-based policy allows the secretsmanager:GetSecretValue action"
    )
    assert (denial.resource, denial.resource_name) == (resource, name)
    assert denial.cause == NO_ALLOW


def boxed(lines: list[str], width: int, bar: str = "│", margin: str = " ") -> str:
    rows = [f"{bar}{margin}{line.ljust(width)}{margin}{bar}" for line in lines]
    return "\n".join([f"┌{'── Logs(prod) ──'.ljust(width, '─')}┐", *rows, f"└{'─' * (width + 2)}┘"])


@pytest.mark.parametrize("width", [20, 33, 50, 76, 77, 78, 120])
@pytest.mark.parametrize("before", ["", "E0114 03:02:11.004123 1 driver.go:108] err="])
def test_a_message_in_a_frame_or_beside_another_pane(width: int, before: str) -> None:
    text = before + MESSAGES[0][0]
    lines = [text[start : start + width] for start in range(0, len(text), width)]
    output = ["$ kubectl get pods -n kube-system", "NAME  READY  STATUS  RESTARTS", "ebs-csi-controller-0  1/6"]
    right_pane = [output[number % 3].ljust(30) for number in range(len(lines))]
    panes = "\n".join(f"{line.ljust(width)}│{beside}" for line, beside in zip(lines, right_pane, strict=True))
    swapped_panes = "\n".join(f"{beside}│{line.ljust(width)}" for line, beside in zip(lines, right_pane, strict=True))
    # A selection that begins within the frame's first line, and ends within its last.
    selection = boxed(lines, width).split("\n", 1)[1].rpartition("\n")[0].removeprefix("│ ").rstrip("│ ")
    screens = [
        boxed(lines, width), boxed(lines, width, "┃"), boxed(lines, width, margin=""), selection, panes, swapped_panes,
        "\n".join(f"| {line.ljust(width)} |" for line in lines),
        "\n".join(f"\x1b[36m│\x1b[0m {line.ljust(width)} \x1b[36m│\x1b[0m" for line in lines),
    ]  # fmt: skip
    for screen in screens:
        denial = parse_denial(screen)
        assert (denial.action, denial.resource) == ("ec2:CreateVolume", "arn:aws:ec2:eu-west-1::snapshot/snap-0abc")
        assert denial.cause == NO_ALLOW
        assert denial.principal == parse_denial(text).principal


def test_an_event_in_a_frame_is_read_as_one() -> None:
    lines = json.dumps(event(), indent=1).split("\n")
    assert parse_denial(boxed(lines, max(map(len, lines)))) == parse_denial(json.dumps(event()))


def event(**changes: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.10",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROA:1",
            "arn": "arn:aws:sts::111122223333:assumed-role/karpenter/1",
            "accountId": "111122223333",
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/eks/karpenter"},
                "attributes": {"creationDate": "2025-06-16T12:27:13Z", "mfaAuthenticated": "false"},
            },
        },
        "eventTime": "2025-06-16T12:27:16Z",
        "eventSource": "ec2.amazonaws.com",
        "eventName": "CreateFleet",
        "awsRegion": "eu-west-1",
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-sdk-go-v2/1.36.3",
        "errorCode": "Client.UnauthorizedOperation",
        "errorMessage": "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/"
        "karpenter/1 is not authorized to perform: ec2:CreateFleet on resource: arn:aws:ec2:eu-west-1:111122223333:"
        "launch-template/* because no identity-based policy allows the ec2:CreateFleet action.",
        **changes,
    }


def test_a_cloudtrail_event() -> None:
    denial = parse_denial(json.dumps(event(), indent=2))
    assert denial.action == "ec2:CreateFleet"
    assert denial.resource == "arn:aws:ec2:eu-west-1:111122223333:launch-template/*"
    assert denial.principal == "arn:aws:sts::111122223333:assumed-role/karpenter/1"
    assert denial.cause == NO_ALLOW
    assert denial.context == {
        "aws:RequestedRegion": ("eu-west-1",),
        "aws:CurrentTime": ("2025-06-16T12:27:16Z",),
        "aws:UserAgent": ("aws-sdk-go-v2/1.36.3",),
        "aws:SourceIp": ("192.0.2.1",),
        "aws:PrincipalArn": ("arn:aws:iam::111122223333:role/eks/karpenter",),
        "aws:userid": ("AROA:1",),
    }


@pytest.mark.parametrize(
    ("source", "name", "action"),
    [
        ("s3.amazonaws.com", "HeadObject", "s3:GetObject"),
        ("monitoring.amazonaws.com", "PutMetricData", "cloudwatch:PutMetricData"),
        ("lambda.amazonaws.com", "GetFunction20150331v2", "lambda:GetFunction"),
        ("elasticloadbalancing.amazonaws.com", "describeloadbalancers", "elasticloadbalancing:DescribeLoadBalancers"),
        ("ecr.amazonaws.com", "BatchImportUpstreamImage", "ecr:BatchImportUpstreamImage"),
    ],
)
def test_a_cloudtrail_event_whose_message_says_nothing(source: str, name: str, action: str) -> None:
    bare = event(eventSource=source, eventName=name, errorCode="AccessDenied", errorMessage="Access Denied")
    bare["resources"] = [{"ARN": "arn:aws:s3:::a/b", "type": "AWS::S3::Object"}]
    bare["sourceIPAddress"] = "eks.amazonaws.com"
    denial = parse_denial(json.dumps(bare))
    assert (denial.action, denial.resource) == (action, "arn:aws:s3:::a/b")
    assert "aws:SourceIp" not in denial.context


@pytest.mark.parametrize(
    "event_in_wrapper",
    [
        {"Records": [event(errorCode=None), event()]},
        {"Events": [{"EventId": "1", "CloudTrailEvent": json.dumps(event())}]},
        {"detail-type": "AWS API Call via CloudTrail", "detail": event()},
    ],
)
def test_wrapped_cloudtrail_events(event_in_wrapper: dict[str, Any]) -> None:
    assert parse_denial("2026-01-19 " + json.dumps(event_in_wrapper)).action == "ec2:CreateFleet"


def recorded(name: str, parameters: object, source: str = "ec2", **changes: Any) -> str:
    """A denied call whose message names no resource."""
    return json.dumps(
        event(
            eventSource=f"{source}.amazonaws.com", eventName=name, requestParameters=parameters,
            errorMessage="Access denied", errorCode="AccessDenied", recipientAccountId="111122223333", **changes,
        )
    )  # fmt: skip


PLACE = "eu-west-1:111122223333"
OF_VOLUME = {
    "items": [{"resourceType": "volume", "tags": [{"key": "team", "value": "shop"}, {"key": "Name", "value": "a"}]}]
}

# CloudTrail's shapes of parameters (AWS's examples of log entries, CloudTrail User Guide and each service's own), with the
# tags and resources that they mean.
TAG_SET = {"items": [{"key": "a", "value": "b"}]}
PARAMETERS: list[tuple[str, str, object, dict[str, str], list[str]]] = [
    ("ec2", "CreateVolume", {"size": "4", "zone": "eu-west-1a", "tagSpecificationSet": OF_VOLUME},
     {"team": "shop", "Name": "a"}, [f"arn:aws:ec2:{PLACE}:volume/*"]),
    ("ec2", "CreateTags", {"resourcesSet": {"items": [{"resourceId": "vol-1"}, {"resourceId": "snap-1"}]}, "tagSet": TAG_SET},
     {"a": "b"}, [f"arn:aws:ec2:{PLACE}:volume/vol-1", "arn:aws:ec2:eu-west-1::snapshot/snap-1"]),
    ("ec2", "CreateTags", {"resourcesSet": {"items": [{"resourceId": "vol-1"}, {"resourceId": "zz-1"}]}, "tagSet": TAG_SET},
     {"a": "b"}, []),
    ("ec2", "AttachVolume", {"volumeId": "vol-1", "instanceId": "i-1", "device": "/dev/xvdaa"}, {},
     [f"arn:aws:ec2:{PLACE}:instance/i-1", f"arn:aws:ec2:{PLACE}:volume/vol-1"]),
    ("elasticfilesystem", "CreateAccessPoint",
     {"fileSystemId": "fs-1", "clientToken": "x", "tags": [{"key": "efs.csi.aws.com/cluster", "value": "true"}]},
     {"efs.csi.aws.com/cluster": "true"}, [f"arn:aws:elasticfilesystem:{PLACE}:file-system/fs-1"]),
    ("eks", "CreateCluster", {"name": "prod", "roleArn": "arn:aws:iam::111122223333:role/c", "tags": {"team": "shop"}},
     {"team": "shop"}, []),
    ("eks", "DescribeCluster", {"name": "prod"}, {}, [f"arn:aws:eks:{PLACE}:cluster/prod"]),
    ("kms", "CreateKey", {"description": "d", "tags": [{"tagKey": "team", "tagValue": "shop"}]}, {"team": "shop"}, []),
    ("kms", "Decrypt", {"keyId": f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"}, {},
     [f"arn:aws:kms:{PLACE}:key/1234abcd-12ab-34cd-56ef-1234567890ab"]),
    # An alias is not what IAM compares.
    ("kms", "Decrypt", {"keyId": "alias/prod"}, {}, []),
    ("elasticloadbalancing", "DeleteLoadBalancer",
     {"loadBalancerArn": f"arn:aws:elasticloadbalancing:{PLACE}:loadbalancer/net/a/1"}, {},
     [f"arn:aws:elasticloadbalancing:{PLACE}:loadbalancer/net/a/1"]),
    ("ecr", "BatchGetImage", {"repositoryName": "hub/library/nginx"}, {}, [f"arn:aws:ecr:{PLACE}:repository/hub/library/nginx"]),
    ("s3", "PutObject", {"bucketName": "logs", "key": "a/b.txt"}, {}, ["arn:aws:s3:::logs/a/b.txt"]),
    ("s3", "PutObject", {"bucketName": ["logs", "data"], "key": "a"}, {}, ["arn:aws:s3:::logs/a", "arn:aws:s3:::data/a"]),
    # Which of two buckets has which of two objects is not known.
    ("s3", "PutObject", {"bucketName": ["logs", "data"], "key": ["a", "b"]}, {}, []),
    # A parameter of Systems Manager may begin with a slash, which its ARN has already.
    ("ssm", "GetParameter", {"name": "/prod/db"}, {}, [f"arn:aws:ssm:{PLACE}:parameter/prod/db"]),
    ("ssm", "GetParameter", {"name": "db"}, {}, [f"arn:aws:ssm:{PLACE}:parameter/db"]),
    # What is filtered by is not what the call concerns, nor is what a template has in it.
    ("ec2", "DeleteVolume", {"volumeId": "vol-1", "filterSet": {"items": [{"volumeId": "vol-2"}]}}, {},
     [f"arn:aws:ec2:{PLACE}:volume/vol-1"]),
    # A role's path is not among the parameters, a secret's suffix neither.
    ("iam", "GetRole", {"roleName": "node"}, {}, []),
    ("secretsmanager", "GetSecretValue", {"secretId": "prod/db"}, {}, []),
]  # fmt: skip


@pytest.mark.parametrize(("source", "name", "parameters", "tags", "resources"), PARAMETERS)
def test_the_parameters_of_an_event_give_tags_and_resources(
    source: str, name: str, parameters: object, tags: dict[str, str], resources: list[str]
) -> None:
    denial = parse_denial(recorded(name, parameters, source))
    tag_context = {
        key: value for key, value in denial.context.items() if key.startswith(("aws:RequestTag", "aws:TagKeys"))
    }
    expected: dict[str, tuple[str, ...]] = {f"aws:RequestTag/{key}": (value,) for key, value in tags.items()}
    assert tag_context == (expected | {"aws:TagKeys": tuple(tags)} if tags else {})
    assert "aws:RequestTag/*" in denial.absent
    assert ("aws:TagKeys" in denial.absent) is not bool(tags)
    assert sorted(denial.parameter_resources) == sorted(resources)


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        # The tags of a launch template are added to those of the call, and stand nowhere in the event.
        {"launchTemplate": {"launchTemplateId": "lt-1"}, "subnetId": "subnet-1"},
        {"LaunchTemplateConfigs": {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"}, "tag": 1}},
        {"tags": "HIDDEN_DUE_TO_SECURITY_REASONS"},
        {"somethingTagged": {"a": "b"}},
        # Deeper than any call of AWS.
        json.loads('{"a": [' * 200 + "1" + "]}" * 200),
        # These are the volume's; the snapshot that it is made from is asked about without them.
        {"snapshotId": "snap-0a1", "tagSpecificationSet": OF_VOLUME},
    ],
)
def test_tags_that_an_event_does_not_list_whole_are_not_absent(parameters: object) -> None:
    denial = parse_denial(recorded("CreateVolume", parameters))
    assert "aws:RequestTag/*" not in denial.absent
    assert not [key for key in denial.context if key.startswith("aws:RequestTag")]


def test_what_a_launch_template_has_in_it_is_not_what_a_call_concerns() -> None:
    parameters = {"launchTemplateId": "lt-1", "launchTemplateData": {"launchTemplateId": "lt-2"}}
    denial = parse_denial(recorded("CreateLaunchTemplateVersion", parameters))
    assert denial.parameter_resources == (f"arn:aws:ec2:{PLACE}:launch-template/lt-1",)


def test_tags_belong_to_the_type_of_resource_that_was_denied() -> None:
    parameters = {"tagSpecificationSet": OF_VOLUME}
    message = (
        "You are not authorized to perform this operation. User: arn:aws:sts::111122223333:assumed-role/a/b is not authorized to "
        "perform: {} on resource: arn:aws:ec2:eu-west-1:111122223333:{}/* because no identity-based policy allows the {} action"
    )

    def of(action: str, kind: str) -> Any:
        return parse_denial(
            json.dumps(
                event(
                    eventName="RunInstances",
                    requestParameters=parameters,
                    errorMessage=message.format(action, kind, action),
                )
            )
        )

    assert of("ec2:RunInstances", "volume").context["aws:TagKeys"] == ("team", "Name")
    assert "aws:TagKeys" not in of("ec2:RunInstances", "instance").context
    assert "aws:RequestTag/*" not in of("ec2:RunInstances", "instance").absent
    # A tag that is given with what is made is a call of its own, which names what makes it.
    tagging = of("ec2:CreateTags", "volume")
    assert (tagging.context["ec2:CreateAction"], tagging.context["aws:TagKeys"]) == (
        ("RunInstances",),
        ("team", "Name"),
    )
    # What the call passes on to another service has none of them.
    assert "aws:TagKeys" not in of("iam:PassRole", "volume").context


def test_a_denial_that_is_named_twice_is_one() -> None:
    message = f"User: {SESSION} is not authorized to perform: ec2:CreateTags on resource: * because no identity-based policy allows"
    text = f"Failed to call ec2:CreateTags: UnauthorizedOperation: {message} the ec2:CreateTags action"
    (denial,) = denials_in(text)
    assert (denial.principal, denial.resource, denial.cause) == (SESSION, "*", NO_ALLOW)


@pytest.mark.parametrize("before", ["", "ebs-plugin-1 | "], ids=["alone", "after the name of a container"])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_denials_that_begin_alike_each_keep_their_resource(count: int, before: str) -> None:
    """The beginning that they have in common is theirs, not something that a tool has put before each line."""
    volumes = [f"arn:aws:ec2:eu-west-1:111122223333:volume/vol-{number}" for number in range(count + 1)]
    session = "arn:aws:sts::111122223333:assumed-role/ebs-csi/1736761400000000000"
    lines = [
        f"{before}User: {session} is not authorized to perform: ec2:DeleteVolume on resource: {arn}" for arn in volumes
    ]
    lines[-1] += " because no identity-based policy allows the ec2:DeleteVolume action"
    assert [denial.resource for denial in every_denial_in("\n".join(lines))] == volumes


def test_several_denials_are_all_read() -> None:
    first = (
        f"User: {SESSION} is not authorized to perform: ec2:CreateVolume on resource: arn:aws:ec2:eu-west-1:1:volume/*"
    )
    second = (
        f"User: {SESSION} is not authorized to perform: ec2:CreateTags on resource: arn:aws:ec2:eu-west-1:1:volume/*"
    )
    reason = " because no identity-based policy allows the {} action"
    text = "\n".join(
        [
            f"E1 1 controller.go:1] {first}{reason.format('ec2:CreateVolume')}",
            "E1 1 controller.go:1] failed to call ec2:CreateVolume due to missing permissions",
            f"E1 1 controller.go:1] {second}{reason.format('ec2:CreateTags')}",
            f"E1 1 controller.go:1] {first}{reason.format('ec2:CreateVolume')}",
        ]
    )
    assert [denial.action for denial in denials_in(text)] == ["ec2:CreateVolume", "ec2:CreateTags"]
    wrapped_text = "\n".join(text[start : start + 90] for start in range(0, len(text), 90))
    assert {denial.action for denial in denials_in(wrapped_text)} == {"ec2:CreateVolume", "ec2:CreateTags"}
    records = {"Records": [event(), event(errorCode=None), event(errorMessage="no", eventName="RunInstances")]}
    assert [denial.action for denial in denials_in(json.dumps(records))] == ["ec2:CreateFleet", "ec2:RunInstances"]
    lines = "\n".join(json.dumps({"level": "error", "error": message}) for message in (first, second))
    assert [denial.action for denial in denials_in(lines)] == ["ec2:CreateVolume", "ec2:CreateTags"]


@pytest.mark.parametrize(
    ("text", "principal", "resource"),
    [
        ("autoscaling.amazonaws.com is not authorized to perform: iam:PassRole on role arn:aws:iam::111122223333:role/n",
         "autoscaling.amazonaws.com", "arn:aws:iam::111122223333:role/n"),
        ("Access denied: arn:aws:iam::111122223333:role/deploy is not authorized to perform: iam:PassRole on role node",
         "arn:aws:iam::111122223333:role/deploy", None),
        ('the role "build" is not authorized to perform: eks:DescribeCluster on resource: *', "build", "*"),
        ("You are not authorized to perform: ec2:RunInstances", None, None),
        ("msg: Controller is not authorized to perform: ec2:RunInstances", None, None),
        # What was replaced by several words is shown as the message has it; a role that is whole is told even so.
        ("AccessDenied: User: arn:aws:sts::{{ account }}:assumed-role/{{ name }}2020/1590 is not authorized to perform: ec2:RunInstances",
         "arn:aws:sts::{{ account }}:assumed-role/{{ name }}2020/1590", None),
        ("User: arn:aws:sts::111122223333:assumed-role/node/the session is not authorized to perform: ec2:RunInstances",
         "arn:aws:sts::111122223333:assumed-role/node", None),
        # kubernetes-sigs/aws-load-balancer-controller#3399, aws-controllers-k8s/community#2118
        ("Failed deploy model due to AccessDenied:  is not authorized to perform: elasticloadbalancing:AddTags", None, None),
        ("User: arn:aws:sts::***:assumed-role/node/i-***is not authorized to perform: ec2:RunInstances",
         "arn:aws:sts::***:assumed-role/node/i-***", None),
        (f"(User [{SESSION}], is not authorized to perform: ec2:RunInstances)", SESSION, None),
        # Brackets belong to the name if it has both.
        ("denied (build is not authorized to perform: ec2:RunInstances", "build", None),
        ("denied (as build) is not authorized to perform: ec2:RunInstances", "build", None),
        ("[build(1)] is not authorized to perform: ec2:RunInstances", "[build(1)]", None),
        # Between quotes is all of a key, even if it ends like a sentence; without them, the bracket is the sentence's.
        (f'User: {SESSION} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/report (1)" because no '
         "identity-based policy allows the s3:GetObject action", SESSION, "arn:aws:s3:::b/report (1)"),
        (f"User: {SESSION} is not authorized to perform: s3:GetObject on resource: 'arn:aws:s3:::b/v1.'", SESSION,
         "arn:aws:s3:::b/v1."),
        (f"(User: {SESSION} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k)", SESSION,
         "arn:aws:s3:::b/k"),
        # A short ARN, as some services name what they list.
        (f"User: {SESSION} is not authorized to perform: elasticfilesystem:DescribeFileSystems on resource: "
         "arn:aws:elasticfilesystem:us-east-1:*", SESSION, "arn:aws:elasticfilesystem:us-east-1:*"),
    ],
)  # fmt: skip
def test_principals_and_resources_of_other_forms(text: str, principal: str | None, resource: str | None) -> None:
    denial = parse_denial(text)
    assert (denial.principal, denial.resource) == (principal, resource)


DECODED = {
    "allowed": False,
    "explicitDeny": False,
    "matchedStatements": {"items": []},
    "failures": {"items": []},
    "context": {
        "principal": {"id": "AROA:1", "arn": SESSION},
        "action": "ec2:RunInstances",
        "resource": "arn:aws:ec2:us-east-1:111122223333:launch-template/lt-0638ed6a3b7addbf5",
        "conditions": {
            "items": [
                {"key": "aws:RequestTag/Name", "values": {"items": [{"value": "karpenter"}]}},
                {"key": "aws:TagKeys", "values": {"items": [{"value": "Name"}, {"value": "team"}]}},
                {"key": "ec2:Region", "values": {"items": [{"value": "us-east-1"}]}},
            ]
        },
    },
}


@pytest.mark.parametrize("text", [json.dumps(DECODED), json.dumps({"DecodedMessage": json.dumps(DECODED)}, indent=4)])
def test_a_decoded_message_gives_the_context(text: str) -> None:
    denial = parse_denial(text)
    assert (denial.action, denial.principal, denial.cause) == ("ec2:RunInstances", SESSION, None)
    assert denial.resource == "arn:aws:ec2:us-east-1:111122223333:launch-template/lt-0638ed6a3b7addbf5"
    assert denial.context == {
        "aws:RequestTag/Name": ("karpenter",), "aws:TagKeys": ("Name", "team"), "ec2:Region": ("us-east-1",),
    }  # fmt: skip
    # It lists all that is known of the request and its resource, and nothing of the caller, the session or the network.
    assert {"aws:requesttag/*", "aws:resourcetag/*", "ec2:instancetype", "ec2:resourcetag/*"} <= denial.absent
    assert not denial.absent & {
        "ec2:region",
        "aws:tagkeys",
        "aws:sourceip",
        "aws:principalorgid",
        "aws:requestedregion",
    }
    assert not [key for key in denial.absent if key.startswith("aws:principal")]
    # As karpenter-provider-aws 1488 has it: who blanks out a key leaves nothing to conclude from those that are missing.
    assert parse_denial(text.replace("ec2:Region", "******:Region")).absent == frozenset()


def test_what_stands_around_a_refused_token_is_read_where_it_is_one_thing() -> None:
    message = "api error AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
    role, account = "arn:aws:iam::111122223333:role/app", "system:serviceaccount:shop:cart"
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE0123456789"
    denial = parse_denial(f"role_arn={role} sub={account} iss=https://{issuer} err={message}")
    assert (denial.resource, denial.principal) == (role, account)
    assert denial.context == {"aws:FederatedProvider": (issuer,)}
    two = parse_denial(f"{role} {role}2 {account} {message}")
    assert (two.resource, two.principal, two.context) == (None, account, {})


def test_parameters_that_were_too_large_to_record_say_nothing_of_tags() -> None:
    left_out = {"omitted": True, "originalSize": 104_000, "reason": "requestParameters too large"}
    denial = parse_denial(json.dumps(event(eventName="CreateVolume", requestParameters=left_out)))
    assert not [key for key in denial.absent if key.lower().startswith(("aws:requesttag", "aws:tagkeys"))]


def test_a_decoded_message_with_a_deny_and_a_bare_action() -> None:
    message = {**DECODED, "explicitDeny": True, "context": {**DECODED["context"], "action": "RunInstances"}}  # type: ignore[dict-item]
    denial = parse_denial(json.dumps(message))
    assert (denial.action, denial.cause) == ("ec2:RunInstances", Cause(None, explicit=True))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a denial"),
        ("hello", "not a denial"),
        ("{}", "not a denial"),
        ("{" * 5000, "not a denial"),
        ('[{"a": ' * 5000, "not a denial"),
        ("User: is not authorized to perform:", "not a denial"),
        ("You are not authorized to perform this operation.", "not a denial"),
        (json.dumps(event(errorCode=None)), "records no denial"),
        (json.dumps({**DECODED, "allowed": True}), "was allowed"),
        ("An error occurred (AccessDenied) when calling the TagResource operation: no", "several services"),
        ("An error occurred (AccessDenied) when calling the NobodysOwn operation: no", "not a denial"),
        ("An error occurred (ExpiredToken) when calling the ListRoles operation: The security token included in the request "
         "is expired", "expired"),
        ("api error InvalidClientTokenId: The security token included in the request is invalid.", "not accepted"),
        ('pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group ""', "Kubernetes"),
        ("x" * (MAX_CHARACTERS + 1), "more characters than the 200,000"),
    ],
)  # fmt: skip
def test_what_is_no_denial(text: str, says: str) -> None:
    with pytest.raises(InputError) as error:
        parse_denial(text)
    assert says in str(error.value)


WRAPPED = "\n".join(ENCODED[start : start + 60] for start in range(0, len(ENCODED), 60))


@pytest.mark.parametrize(
    "text",
    [
        f"UnauthorizedOperation: You are not authorized to perform this operation. Encoded authorization failure message: {ENCODED}",
        f"creating fleet UnauthorizedOperation: no. Encoded authorization failure message: {ENCODED}\n\tstatus code: 403",
        f"no. Encoded authorization failure message:\n{WRAPPED}\n\tstatus code: 403, request id: 1",
        f"An error occurred (UnauthorizedOperation) when calling the CreateVolume operation: no. Encoded authorization failure "
        f"message: {ENCODED}",
        f'{{"error": "no. Encoded authorization failure message: {ENCODED}"}}',
        ENCODED,
        WRAPPED,
    ],
)
def test_an_encoded_message_is_answered_with_the_command_that_decodes_it(text: str) -> None:
    with pytest.raises(InputError) as error:
        parse_denial(text)
    assert f"aws sts decode-authorization-message --encoded-message {ENCODED} " in error.value.next_step


def test_an_encoded_message_may_begin_with_a_hyphen() -> None:
    """The AWS CLI takes such a value for an option, unless it stands behind an equals sign."""
    with pytest.raises(InputError) as error:
        parse_denial(f"no. Encoded authorization failure message: -{ENCODED}")
    assert f" --encoded-message=-{ENCODED} " in error.value.next_step


def test_an_encoded_message_that_is_cut_off() -> None:
    with pytest.raises(InputError, match="cut off"):
        parse_denial("Encoded authorization failure message: g4oZPBqZ4Bni8dE5dGjxYTnOZ...")


@pytest.mark.parametrize(
    "part",
    ["", "***", "<redacted>", "[REDACTED]", "REDACTED", "xxxxxxxxxxxxxxxx", "XXXXXXXX", "encoded", "...", '"', "\n\tstatus code: 403",
     "RequestID: 12", "User: nobody"],
)  # fmt: skip
def test_an_encoded_message_that_was_taken_out_gives_no_command(part: str) -> None:
    with pytest.raises(InputError) as error:
        parse_denial(f"You are not authorized to perform this operation. Encoded authorization failure message: {part}")
    assert "decode-authorization-message" not in str(error.value) + error.value.next_step
    message = (
        f"User: {SESSION} is not authorized to perform: ec2:RunInstances. Encoded authorization failure message: {part}"
    )
    assert parse_denial(message).encoded is None


@pytest.mark.parametrize(
    "text",
    [
        "User: " * 30_000,
        "User: " + "a" * 190_000 + " is not authorized to perform: ec2:RunInstances",
        "is not authorized to perform: " * 6_000,
        "is not authorized to perform: ec2:RunInstances " * 4_000,
        "with an explicit deny in a " * 7_000,
        "x is not authorized to perform: ec2:RunInstances on resource: * because no " + "a " * 90_000,
        "operation error " * 12_000,
        "{" * 190_000,
        '{"a":' * 39_000,
        "\n" * 190_000,
        " " * 190_000,
        "│" * 190_000,
        "encoded authorization failure message: " * 5_000,
        "An error occurred (" * 10_000,
        "${" * 90_000,
    ],
    ids=range(15),
)
def test_hostile_text_takes_bounded_time(text: str) -> None:
    started_at = time.process_time()
    with contextlib.suppress(InputError):
        parse_denial(text)
    assert time.process_time() - started_at < PROCESSOR


@pytest.mark.parametrize(
    ("screen", "text"),
    [
        # Frames as k9s and less draw them; a line may be a title, and a table of psql has a frame of ASCII.
        ("┌── logs ──┐\n│ a │\n│ b │\n└──────────┘", "a\nb"),
        ("─────\n┃a┃\n┃b┃", "a\nb"),
        ("+---+\n| a |\n| b |\n+---+", "a\nb"),
        # A bar of ASCII is a frame only around two lines and more, all of them.
        ("| a |", "| a |"),
        ("a | b\nc | d", "a | b\nc | d"),
        ("| a |\nb |", "| a |\nb |"),
        # Panes of tmux come one after the other; the selection begins in the right one and ends in the left one.
        ("r0\nl1│r1\nl2│r2\nl3", "l1\nl2\nl3\nr0\nr1\nr2"),
        # The line beside the one that the selection begins or ends in tells that, even if another is empty on the right.
        ("r0\nl1│r1\nl2│\nl3│r3\nl4", "l1\nl2\nl3\nl4\nr0\nr1\nr3"),
        # A bar alone is text.
        ("| a |\n| b |\n|", "a\nb\n|"),
        ("│".join("abcdefghi"), "\n".join("abcdefghi")),
        ("│".join("abcdefghij"), "│".join("abcdefghij")),
        *((f"{escape}[31mdenied{escape}[0m", "denied") for escape in ("\x1b", "␛", "^[", "ESC", "\\u001b", "\\x1b", "\\033")),
        ("\x1b[1;31mdenied\x1b[K", "denied"),
        ("a -- b", "a -- b"),
    ],
)  # fmt: skip
def test_frames_are_taken_off(screen: str, text: str) -> None:
    assert [line.strip() for line in unframed(screen).split("\n") if line.strip()] == text.split("\n")


@pytest.mark.parametrize(
    ("service", "operation", "action"),
    [
        # S3 User Guide, "Required permissions for Amazon S3 API operations"; other services have operations so named too.
        ("s3", "HeadBucket", "s3:ListBucket"),
        ("s3", "listObjectsV2", "s3:ListBucket"),
        ("s3", "CreateMultipartUpload", "s3:PutObject"),
        ("s3", "GetBucketPolicy", "s3:GetBucketPolicy"),
        ("securityhub", "HeadBucket", "securityhub:HeadBucket"),
        ("lambda", "HeadBucket", "lambda:HeadBucket"),
        # CloudTrail names operations of Lambda and CloudFront with the version of the API.
        ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
        ("lambda", "GetFunction20150331v2", "lambda:GetFunction"),
        ("lambda", "GetFunction2015033", "lambda:GetFunction2015033"),
        ("ec2", "describeInstances", "ec2:DescribeInstances"),
        ("nowhere", "DoIt", "nowhere:DoIt"),
    ],
)
def test_the_action_that_authorises_an_operation(service: str, operation: str, action: str) -> None:
    assert action_of_operation(service, operation) == action


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("Elastic Load Balancing v2", "elasticloadbalancing"),
        ("EFS", "elasticfilesystem"),
        ("monitoring", "cloudwatch"),
        ("SFN", "states"),
        ("Amazon EKS", "eks"),
        ("EKS Auth", "eks-auth"),
        ("ec2", "ec2"),
        ("Auto Scaling", "autoscaling"),
        ("Resource Explorer 2", "resource-explorer-2"),
        ("Nothing At All", None),
    ],
)
def test_the_prefix_of_a_service(name: str, prefix: str | None) -> None:
    assert prefix_of_service(name) == prefix


def test_a_log_that_repeats_itself_is_read_once() -> None:
    """A million empty lines took more than a minute."""
    lines_asked: list[str] = []

    def means_something(line: str) -> bool:
        lines_asked.append(line)
        return False

    assert excerpt(["\n", "a\n"] * 1000, 100, means_something) == ("", 2000, 0, {})
    assert len(lines_asked) == 2


def test_an_excerpt_has_each_kind_of_line_once_within_its_room() -> None:
    denial = "10:00:01 AccessDenied for 0123456789abcdef\n"
    log = ["10:00:00 started\n", denial, denial.replace("10:00:01", "11:30:45"), "known\n", "pods is forbidden\n"]

    def kept(room: int) -> tuple[str, int, int]:
        return excerpt(log, room, lambda line: line == "known\n")[:3]

    all_lines = denial + "known\n" + "pods is forbidden\n"
    assert kept(len(all_lines)) == kept(len(all_lines) + 9) == (all_lines, 5, 3)
    assert kept(len(all_lines) - 1) == (denial + "known\n", 5, 2)
    # A line that is too long leaves its room to those after it.
    assert kept(len(denial) - 1) == ("known\npods is forbidden\n", 5, 2)
    assert kept(5) == ("", 5, 0)
    assert excerpt(log, 1000, lambda _: False).repeats == {denial: 1}
    # Two accounts are two denials.
    accounts = [f"AccessDenied for arn:aws:iam::{number}:role/a\n" for number in ("111122223333", "444455556666")]
    assert excerpt(accounts, 1000, lambda _: False).kept == 2
    # So are two roles, but not two sessions of one.
    sessions = [
        f"AccessDenied for arn:aws:sts::111122223333:assumed-role/team-{team}/{session}\n"
        for team in (1, 2)
        for session in ("1736761400000000000", "1736761500000000000")
    ]
    assert excerpt(sessions, 1000, lambda _: False)[2:] == (2, {sessions[0]: 1, sessions[2]: 1})


@pytest.mark.parametrize(
    "line",
    [
        "is not authorized to", "ISN'T AUTHORIZED", "isnot authorized", "Unauthorized", "AccessDenied", "access denied",
        "is forbidden", "explicit deny", "NoSuchEntity", "AuthFailure", "no identity-based policy", "no permissions policy",
        "no resource-based policy", "no session policy", "no service control policy", "no resource control policy",
        "permission to perform", "permissions for", "Encoded authorization failure",
    ],
)  # fmt: skip
def test_a_line_of_a_denial_is_kept(line: str) -> None:
    assert excerpt([line, "authorized", "allowed by policy"], 100, lambda _: False) == (line, 3, 1, {})


SAML_PROVIDER = "arn:aws:iam::111122223333:saml-provider/okta"


@pytest.mark.parametrize(
    ("name", "identity", "parameters", "context"),
    [
        # CloudTrail User Guide, "Example AWS STS API event in CloudTrail log file" (AssumeRoleWithSAML).
        ("AssumeRoleWithSAML", {"type": "SAMLUser", "identityProvider": "x"}, {"principalArn": SAML_PROVIDER},
         {"aws:FederatedProvider": (SAML_PROVIDER,)}),
        ("AssumeRoleWithSAML", {"type": "SAMLUser", "identityProvider": SAML_PROVIDER}, {}, {"aws:FederatedProvider": (SAML_PROVIDER,)}),
        ("AssumeRoleWithSAML", {"type": "SAMLUser"}, {"principalArn": 1}, {}),
        ("AssumeRoleWithWebIdentity", {"type": "WebIdentityUser", "identityProvider": "accounts.google.com", "userName": "1"}, {},
         {"aws:FederatedProvider": ("accounts.google.com",), "accounts.google.com:sub": ("1",)}),
        ("AssumeRoleWithWebIdentity", {"type": "WebIdentityUser", "identityProvider": "", "userName": "1"}, {}, {}),
        ("AssumeRoleWithWebIdentity", {"type": "WebIdentityUser", "identityProvider": "g", "userName": ""}, {}, {"aws:FederatedProvider": ("g",)}),
        ("AssumeRoleWithWebIdentity", {"type": "WebIdentityUser"}, {"principalArn": SAML_PROVIDER}, {}),
        # What AssumeRole was given is recorded, so that what is not recorded was not given.
        ("AssumeRole", {"type": "AssumedRole", "identityProvider": "g"}, {"externalId": "7", "roleSessionName": "s"},
         {"sts:ExternalId": ("7",), "sts:RoleSessionName": ("s",), "sts:SourceIdentity": ()}),
        ("AssumeRole", {"type": "AssumedRole"}, {"externalId": ""}, {"sts:RoleSessionName": (), "sts:SourceIdentity": ()}),
        ("AssumeRole", {"type": "AssumedRole"}, None, {}),
        ("AssumeRoleWithWebIdentity", {"type": "WebIdentityUser"}, {"roleSessionName": "s"}, {"sts:RoleSessionName": ("s",)}),
        ("AssumeRole", {"type": "AssumedRole", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}, None,
         {"aws:MultiFactorAuthPresent": ("true",)}),
        ("AssumeRole", {"type": "AssumedRole", "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}}, None, {}),
        ("GetCallerIdentity", {"type": "AssumedRole", "sessionContext": {"attributes": {"mfaAuthenticated": "true"}}}, {"externalId": "7"}, {}),
    ],
)  # fmt: skip
def test_what_an_event_tells_of_who_assumes_a_role(
    name: str, identity: dict[str, Any], parameters: object, context: dict[str, tuple[str, ...]]
) -> None:
    event = recorded(name, parameters, "sts", userIdentity=identity, awsRegion="eu-west-1")
    of_assuming = ("aws:Federated", "aws:MultiFactor", "sts:")
    caller_context = {key: values for key, values in parse_denial(event).context.items() if key.startswith(of_assuming) or key.endswith(":sub")}  # fmt: skip
    assert caller_context == context


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"userIdentity": {"type": "IAMUser", "userName": "ana", "principalId": "AIDA"}}, "aws:username", ("ana",)),
        ({"userIdentity": {"type": "AssumedRole", "userName": "ana"}}, "aws:username", None),
        ({"userIdentity": {"type": "IAMUser", "principalId": "AIDA"}}, "aws:userid", ("AIDA",)),
        (
            {"userIdentity": {"sessionContext": {"sessionIssuer": {"type": "Role", "arn": "a"}}}},
            "aws:PrincipalArn",
            ("a",),
        ),
        (
            {"userIdentity": {"sessionContext": {"sessionIssuer": {"type": "Root", "arn": "a"}}}},
            "aws:PrincipalArn",
            None,
        ),
        ({"vpcEndpointId": "vpce-1"}, "aws:SourceVpce", ("vpce-1",)),
        ({"vpcEndpointId": ""}, "aws:SourceVpce", None),
        ({"vpcEndpointId": 7}, "aws:SourceVpce", None),
        ({"sourceIPAddress": "2001:db8::1"}, "aws:SourceIp", ("2001:db8::1",)),
        ({"sourceIPAddress": "AWS Internal"}, "aws:SourceIp", None),
        ({"sourceIPAddress": None}, "aws:SourceIp", None),
        ({"awsRegion": "us-east-1"}, "aws:RequestedRegion", ("us-east-1",)),
    ],
)
def test_an_event_gives_the_context_that_iam_had(
    changes: dict[str, Any], key: str, value: tuple[str, ...] | None
) -> None:
    assert parse_denial(json.dumps(event(**changes))).context.get(key) == value


@pytest.mark.parametrize(
    ("changes", "resources"),
    [
        ({}, [f"arn:aws:eks:{PLACE}:cluster/prod"]),
        # A call to another account is about what that account has, and so is one of an unknown caller.
        ({"recipientAccountId": "444455556666"}, []),
        ({"userIdentity": {"type": "AssumedRole", "arn": SESSION}}, []),
        ({"awsRegion": None}, []),
        # The partition is the caller's; a caller without an ARN does not tell it.
        ({"userIdentity": {"accountId": "111122223333", "arn": SESSION.replace("arn:aws:", "arn:aws-cn:")}},
         [f"arn:aws-cn:eks:{PLACE}:cluster/prod"]),
        ({"userIdentity": {"accountId": "111122223333"}}, []),
    ],
)  # fmt: skip
def test_what_a_call_concerns_is_in_the_account_and_region_that_were_called(
    changes: dict[str, Any], resources: list[str]
) -> None:
    event = json.loads(recorded("DescribeCluster", {"name": "prod"}, "eks")) | changes
    assert list(parse_denial(json.dumps(event)).parameter_resources) == resources


@pytest.mark.parametrize(
    ("resources", "resource"),
    [
        ([{"ARN": "arn:aws:s3:::a/b"}], "arn:aws:s3:::a/b"),
        ([{"ARN": "arn:aws:s3:::a/b"}, {"ARN": "arn:aws:s3:::a"}], None),
        ([{"ARN": "arn:aws:s3:::a/b"}, {"type": "AWS::S3::Bucket"}, "x"], "arn:aws:s3:::a/b"),
        ([], None),
        ({"ARN": "arn:aws:s3:::a/b"}, None),
        ([{"ARN": 7}], None),
    ],
)
def test_an_event_that_lists_one_resource_is_about_that(resources: object, resource: str | None) -> None:
    assert parse_denial(recorded("GetObject", None, "s3", resources=resources)).resource == resource


@pytest.mark.parametrize(
    ("parameters", "tags", "known_whole"),
    [
        # Tags in each of the shapes that services write them in.
        ({"tagKeys": ["a", "b"]}, {}, True),
        ({"tagKeys": {"items": ["a"]}}, {}, True),
        ({"tagKeyList": ["a", 1]}, {}, False),
        ({"tags": {"a": "b", "c": "d"}}, {"a": "b", "c": "d"}, True),
        ({"tags": {"a": 1}}, {}, False),
        ({"tags": {"a": "HIDDEN_DUE_TO_SECURITY_REASONS"}}, {}, False),
        ({"tags": [{"key": "a", "value": "HIDDEN_DUE_TO_SECURITY_REASONS"}]}, {}, False),
        ({"tags": [{"key": "a", "value": "b"}, "x"]}, {}, False),
        ({"tags": {"Key": "a", "Value": "b"}}, {"a": "b"}, True),
        ({"TagList": [{"TagKey": "a", "TagValue": "b"}]}, {"a": "b"}, True),
        ({"tags": [{"name": "a"}]}, {}, False),
        ({"taggable": True, "tagged": 1, "tags": None}, {}, True),
        ({"tagPolicy": {"x": "y"}}, {}, False),
        # One part that is not understood leaves the others known, and the whole not.
        ({"list": [{"tagPolicy": {"x": "y"}}, {"tags": {"a": "b"}}]}, {"a": "b"}, False),
        ({"x": {"tags": {"a": "b"}}, "launchTemplate": {}}, {"a": "b"}, False),
        ({"deep": json.loads('{"x":' * 18 + '{"tags": {"a": "b"}}' + "}" * 18)}, {"a": "b"}, True),
        ({"deep": json.loads('{"x":' * 30 + '{"tags": {"a": "b"}}' + "}" * 30)}, {}, False),
    ],
)
def test_tags_in_the_parameters_of_a_call(parameters: dict[str, Any], tags: dict[str, str], known_whole: bool) -> None:
    tags_of_call = request_tags(parameters, ("arn:aws:eks:eu-west-1:111122223333:cluster/prod",))
    assert {key: value for key, value in tags_of_call.tags.items() if value is not None} == tags
    assert tags_of_call.known_whole is known_whole
    keys = parameters.get("tagKeys")
    if keys and known_whole:
        assert list(tags_of_call.tags) == (keys["items"] if isinstance(keys, dict) else keys)


def test_the_tags_of_a_call_that_makes_several_things_are_those_of_the_denied_one() -> None:
    """EC2 API Reference, "TagSpecification": each type of resource has tags of its own."""

    def of(kind: str | None, **tags: str) -> dict[str, Any]:
        return {**({"resourceType": kind} if kind else {}), "tags": tags}

    parameters = {"tagSpecificationSet": {"items": [of("instance", a="1"), of("volume", a="2")]}, "tags": {"b": "3"}}
    place = "arn:aws:ec2:eu-west-1:111122223333"
    instance, volume, subnet = (f"{place}:{kind}/*" for kind in ("instance", "volume", "subnet"))
    assert request_tags(parameters, (instance,)) == ({"b": "3", "a": "1"}, True)
    assert request_tags(parameters, (volume,)) == ({"b": "3", "a": "2"}, True)
    # Of a type without tags of its own, or of several, only the shared ones are certain.
    assert request_tags(parameters, (subnet,)) == ({"b": "3"}, False)
    assert request_tags(parameters, (instance, volume)) == ({"b": "3"}, False)
    assert request_tags(parameters, ()) == ({"b": "3"}, False)
    alike = {"tagSpecificationSet": {"items": [of("instance", a="1"), of("volume", a="1")]}}
    assert request_tags(alike, (instance, volume)) == ({"a": "1"}, True)
    # Without a resource, what is the same for all types holds, but there may be a type without tags.
    assert request_tags(alike, ()) == ({"a": "1"}, False)


@pytest.mark.parametrize(
    ("action", "resource_types"),
    [
        ("ec2:CreateVolume", ("volume",)),
        ("ec2:CreateNetworkInterface", ("network-interface",)),
        ("ec2:CreateVpcEndpoint", ("vpc-endpoint",)),
        ("ec2:RunInstances", ("instance", "network-interface")),
        ("ec2:runinstances", ("instance", "network-interface")),
        ("ec2:DeleteVolume", ()),
        ("ec2:StartInstances", ()),
    ],
)
def test_what_a_call_makes(action: str, resource_types: tuple[str, ...]) -> None:
    assert made_by(action) == resource_types


@pytest.mark.parametrize(
    ("resource", "expected", "action"),
    [
        ("*", "*", "RunInstances"),
        ("arn:aws:s3:::a", "arn:aws:s3:::a", "s3:RunInstances"),
        ("volume", None, "RunInstances"),
        (7, None, "RunInstances"),
        (None, None, "RunInstances"),
    ],
)
def test_the_resource_of_a_decoded_message(resource: object, expected: str | None, action: str) -> None:
    context = {**DECODED["context"], "resource": resource, "action": "RunInstances"}  # type: ignore[dict-item]
    denial = parse_denial(json.dumps({**DECODED, "context": context}))
    assert (denial.resource, denial.action) == (expected, action)
    assert denial.cause is None


def test_what_a_decoded_message_lists_of_tags_is_under_both_keys() -> None:
    items = [
        {"key": "ec2:ResourceTag/team", "values": {"items": [{"value": "a"}, {"value": 7}, "x"]}},
        {"key": "aws:ResourceTag/Name", "values": {"items": [{"value": "n"}]}},
        {"key": "nothing", "values": {"items": [{"value": "n"}]}},
        {"key": 7},
        {"key": "ec2:Vpc"},
    ]
    context = {**DECODED["context"], "conditions": {"items": items}}  # type: ignore[dict-item]
    assert parse_denial(json.dumps({**DECODED, "context": context})).context == {
        "ec2:ResourceTag/team": ("a",), "aws:ResourceTag/team": ("a",), "aws:ResourceTag/Name": ("n",), "ec2:Vpc": (),
    }  # fmt: skip
    without = {**DECODED["context"], "conditions": None}  # type: ignore[dict-item]
    denial = parse_denial(json.dumps({**DECODED, "context": without}))
    assert (denial.context, denial.absent) == ({}, frozenset())


def test_the_tagging_of_what_a_call_makes_is_told_from_a_call_of_its_own() -> None:
    """EC2 User Guide, "Grant permission to tag resources during creation": ec2:CreateAction is the call that makes it."""
    message = f"You are not authorized to perform this operation. User: {SESSION} is not authorized to perform: ec2:CreateTags"
    tags = {"tagSpecificationSet": OF_VOLUME}
    tagging = parse_denial(json.dumps(event(eventName="CreateVolume", requestParameters=tags, errorMessage=message)))
    assert (tagging.action, tagging.context["ec2:CreateAction"]) == ("ec2:CreateTags", ("CreateVolume",))
    assert tagging.context["aws:RequestTag/team"] == ("shop",)
    parameters = {"resourcesSet": {"items": [{"resourceId": "vol-1"}]}, "tagSet": TAG_SET}
    tagging_call = parse_denial(
        json.dumps(event(eventName="CreateTags", requestParameters=parameters, errorMessage=message))
    )
    assert "ec2:CreateAction" in tagging_call.absent
    assert "ec2:CreateAction" not in tagging_call.context
    # A call that is passed on to another service has neither these tags nor these resources.
    message_of_grant = message.replace("ec2:CreateTags", "kms:CreateGrant")
    grant = parse_denial(
        json.dumps(event(eventName="CreateVolume", requestParameters=tags, errorMessage=message_of_grant))
    )
    assert grant.action == "kms:CreateGrant"
    assert not [key for key in (*grant.context, *grant.absent) if "Tag" in key]
    assert grant.parameter_resources == ()


@pytest.mark.parametrize(
    ("less", "count"),
    [
        ("User: {} is not authorized to perform: ec2:RunInstances", 1),
        ("not authorized to perform: ec2:runinstances on resource: *", 1),
        ("User: {} is not authorized to perform: ec2:RunInstances on resource: * because no identity-based policy allows the ec2:RunInstances action", 1),
        ("User: {}2 is not authorized to perform: ec2:RunInstances", 1),
        ("User: arn:aws:sts::111122223333:assumed-role/other/1 is not authorized to perform: ec2:RunInstances", 2),
        ("not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:111122223333:instance/*", 2),
        ("not authorized to perform: ec2:RunInstances with an explicit deny in a session policy", 2),
        ("not authorized to perform: ec2:StopInstances", 2),
    ],
)  # fmt: skip
def test_a_denial_that_another_includes_is_no_second_one(less: str, count: int) -> None:
    long_form = "User: {} is not authorized to perform: ec2:RunInstances on resource: * because no identity-based policy allows the ec2:RunInstances action."
    (complete,) = denials_in(long_form.replace("{}", SESSION))
    for text in (f"{long_form}\n{less}.", f"{less}.\n{long_form}"):
        denials = denials_in(text.replace("{}", SESSION))
        assert len(denials) == count
        # The one that says more stands for both.
        assert complete in [denial._replace(principal=SESSION) for denial in denials]
    thirty_lines = "\n".join(f"not authorized to perform: ec2:Run{number}" for number in range(30))
    assert len(denials_in(thirty_lines)) == 30


def test_the_encoded_part_of_an_event_ends_with_its_line() -> None:
    message = f"{event()['errorMessage']} Encoded authorization failure message: {ENCODED}\nRequestID: 1"
    assert parse_denial(json.dumps(event(errorMessage=message))).encoded == ENCODED
    # Of two denied calls, it is not known whose it is.
    pair = {"Records": [event(errorMessage=message), event(eventName="RunInstances", errorMessage="Access denied")]}
    assert [denial.encoded for denial in denials_in(json.dumps(pair))] == [None, None]


@pytest.mark.parametrize("width", [7, 60])
def test_what_follows_a_wrapped_object_is_read_from_where_it_ends(width: int) -> None:
    def line(bucket: str) -> str:
        return f"User: {SESSION} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::{bucket}/a"

    log_object = json.dumps({"time": 1736761400000, "done": True, "error": line("one")})
    wrapped_object = "\n".join(log_object[start : start + width] for start in range(0, len(log_object), width))
    for between in ("\n", " ", ""):
        pieces = [*pieces_of(f"before {wrapped_object}{between}{line('two')}")]
        assert [(piece.text, piece.value) for piece in pieces if piece.value is None] == [
            ("before ", None),
            (f"{between}{line('two')}", None),
        ]
        assert [piece.value for piece in pieces if piece.value is not None] == [json.loads(log_object)]


@pytest.mark.parametrize("depth", [0, 1, 30, 500])
def test_the_strings_of_an_object_are_read_in_order_however_deep(depth: int) -> None:
    value: object = ["b", 1, {"x": "c", "y": ["d", None]}]
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    assert [*strings_in({"first": "a", "then": value, "last": "e"})] == ["a", "b", "c", "d", "e"]


REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
S3A = "java.nio.file.AccessDeniedException: "


@pytest.mark.parametrize(
    ("text", "action", "resource", "name"),
    [
        # Fluent Bit names the operation, and its plugin the service.
        ("[error] [output:cloudwatch_logs:cloudwatch_logs.0] CreateLogGroup API responded with error='AccessDeniedException'", "logs:CreateLogGroup", None, None),
        ("[error] [output:s3:s3.0] PutObject API responded with error='AccessDenied'", "s3:PutObject", None, None),
        ("[output:s3:s3.0] up\n[output:kinesis_streams:k.1] PutRecords API responded with error='AccessDeniedException'", "kinesis:PutRecords", None, None),
        # A plugin that names none: the only service with such an operation.
        ("[error] [output:of_its_own:o.0] PutRecordBatch API responded with error='AccessDeniedException'", "firehose:PutRecordBatch", None, None),
        # Hadoop says what it was doing, or nothing.
        (f"{S3A}delete on s3a://logs/a/b: delete: AmazonS3Exception: Access Denied", "s3:DeleteObject", "arn:aws:s3:::logs/a/b", None),
        (f"{S3A}listStatus on s3a://logs/a/b: AmazonS3Exception: Access Denied", "s3:ListBucket", "arn:aws:s3:::logs", None),
        (f"{S3A}s3a://logs: AmazonS3Exception: Access Denied", "s3:GetObject", "arn:aws:s3:::logs", None),
        # A registry refuses who has no token, or what its bearer may not pull.
        (f'failed to pull image "{REGISTRY}/team/app:v1": unexpected status from HEAD request to https://{REGISTRY}/v2/team/app/manifests/v1: 403 Forbidden', "ecr:BatchGetImage", None, "team/app"),
        (f'failed to pull image "{REGISTRY}/team/app@sha256:00": authorization failed: no basic auth credentials', "ecr:GetAuthorizationToken", None, None),
    ],
)  # fmt: skip
def test_what_tools_say_they_were_doing_names_the_action(
    text: str, action: str, resource: str | None, name: str | None
) -> None:
    (denial,) = denials_in(text)
    assert (denial.action, denial.resource, denial.resource_name) == (action, resource, name)


def test_a_role_that_eks_may_not_assume_is_refused_by_its_trust_policy() -> None:
    text = "AccessDeniedException: EKS does not have permissions to assume the associated role, check its trust policy"
    (denial,) = denials_in(text)
    assert (denial.action, denial.cause) == ("eks-auth:AssumeRoleForPodIdentity", Cause("trust", explicit=False))


def test_the_pull_of_an_image_that_is_not_refused_is_no_denial() -> None:
    filler = "x" * 800
    for text in (f"pulled {REGISTRY}/team/app:v1", f"pulled {REGISTRY}/team/app:v1 {filler} 403 Forbidden"):
        with pytest.raises(InputError):
            parse_denial(text)


def test_an_object_after_one_that_is_broken_is_read() -> None:
    assert [*objects_in('{"a": {"b": x} {"c": 1} and {"d": [}, then {"e": 2}')] == [{"c": 1}, {"e": 2}]


def test_a_line_is_joined_to_a_longer_one_by_a_space() -> None:
    """A terminal would have broken the longer one too."""
    assert unwrapped(f"{'a' * 25}\n{'b' * 25}\n{'c' * 40}")[0] == f"{'a' * 25}{'b' * 25} {'c' * 40}"


@pytest.mark.parametrize("cut", [40, 90, 160, 200])
@pytest.mark.parametrize("after", ["", "\n\tstatus code: 403, request id: 1", " status code: 403", "\nstacktrace a b"])
def test_an_encoded_message_on_two_lines_is_one(cut: int, after: str) -> None:
    """Lines of other lengths than a terminal's tell nothing, so that the longer one may as well end in a space."""
    message = f"not authorized to perform: ec2:RunInstances. Encoded authorization failure message: {ENCODED[:cut]}\n{ENCODED[cut:]}{after}"
    assert parse_denial(message).encoded == ENCODED
    assert parse_denial(message.replace(ENCODED[cut:], f"{ENCODED[cut:]}...")).encoded is None


def test_of_calls_that_overlap_the_one_that_exists_is_read() -> None:
    """A word that was joined to the name of an operation is none of it."""
    text = "[output:s3:s3.0] ERROR\nPutObject API responded with error='AccessDenied'"
    before = f"User: {SESSION} is not authorized to perform: ec2:RunInstances on resource: *"
    assert [denial.action for denial in every_denial_in(text)] == ["s3:PutObject"]
    assert [denial.action for denial in every_denial_in(f"{before}\n{text}")] == ["ec2:RunInstances", "s3:PutObject"]
