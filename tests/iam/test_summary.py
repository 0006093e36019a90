"""The console's tables: AWS's own examples, the warnings, and where ekstui says more than the console."""

import json

import pytest

from ekstui.iam.action_facts import ResourceRow, resources_of
from ekstui.iam.console import NO_ACTIONS
from ekstui.iam.document import Document, parse
from ekstui.iam.reference import reference
from ekstui.iam.summary import ActionSummary, ServiceSummary, remaining, services_in
from tests.support.corpus import raw_document
from tests.support.documents import allow, deny, document_of

ACCOUNT = "123456789012"
NEEDS_WILDCARD = (
    "This action does not support resource-level permissions. This requires a wildcard (*) for the resource."
)


def row(document: Document, service: str, effect: str = "Allow") -> ServiceSummary:
    return next(entry for entry in services_in(document) if (entry.service, entry.effect) == (service, effect))


def action(document: Document, name: str, effect: str = "Allow") -> ActionSummary:
    service = row(document, name.split(":")[0].lower(), effect)
    return next(entry for entry in service.actions if entry.action == name)


def cells(entry: ServiceSummary) -> tuple[str, str, str, str, str]:
    return entry.service, entry.effect, entry.access, entry.resource, entry.condition


# The JSON is the IAM User Guide's ("Policy summary", "Examples of policy summaries"); the cells are what its text and
# tables say of them, where access levels have not changed since.
SUMMARY_ALL_ELEMENTS = document_of(
    allow(
        [f"aws-portal:{name}" for name in ("ViewBilling", "ViewPaymentMethods", "ModifyPaymentMethods", "ViewAccount")]
        + ["aws-portal:ModifyAccount", "aws-portal:ViewUsage"],
        ["*"],
        Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
    ),
    deny(["s3:*"], ["arn:aws:s3:::customer", "arn:aws:s3:::customer/*"]),
    allow(["ec2:GetConsoleScreenshots"], ["*"]),
    allow(
        ["codedploy:*", "codecommit:*"],
        [
            f"arn:aws:codedeploy:us-west-2:{ACCOUNT}:deploymentgroup:*",
            f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/my-demo-project",
        ],
    ),
    allow(
        ["s3:ListAllMyBuckets", "s3:GetObject", "s3:DeletObject", "s3:PutObject", "s3:PutObjectAcl"],
        [
            "arn:aws:s3:::developer_bucket",
            "arn:aws:s3:::developer_bucket/*",
            f"arn:aws:autoscling:us-east-2:{ACCOUNT}:autoscalgrp",
        ],
        Condition={"StringEquals": {"s3:x-amz-acl": ["public-read"], "s3:prefix": ["custom", "other"]}},
    ),
)


def test_the_user_guides_policy_with_all_elements() -> None:
    unknown_service, s3_deny, *allow_rows = services_in(SUMMARY_ALL_ELEMENTS)
    assert (unknown_service.service, unknown_service.recognised, unknown_service.access) == ("codedploy", False, "")
    assert cells(s3_deny) == ("s3", "Deny", "Full access", "Multiple", "None")
    assert s3_deny.warnings == ("One or more actions do not have an applicable resource.",)
    by_name = {entry.service: entry for entry in allow_rows}
    billing = by_name["aws-portal"]
    assert (billing.resource, billing.condition) == ("All resources", "aws:SourceIp IpAddress 203.0.113.0/24")
    assert by_name["codebuild"].access == "⚠ No actions are defined."
    assert by_name["codecommit"].warnings == ("No resources are defined.",)
    assert (by_name["codecommit"].access, by_name["codecommit"].resource) == ("None", "")
    s3 = by_name["s3"]
    assert s3.resource == "arn:aws:s3:::developer_bucket/*"
    assert s3.condition == "s3:x-amz-acl = public-read"
    assert s3.warnings[:2] == (
        "One or more resources do not have an applicable action.",
        "One or more conditions do not have an applicable action.",
    )
    assert "One or more actions are not recognised." in s3.warnings
    assert "One or more actions are not recognised." in by_name["ec2"].warnings


def test_a_resource_of_another_service_has_a_row_of_its_own_and_warns_on_none() -> None:
    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"
    rows = services_in(document_of(allow(["s3:GetObject", "ec2:DescribeSubnets"], ["arn:aws:s3:::b/*", queue])))
    queue_row = next(entry for entry in rows if entry.service == "sqs")
    assert (queue_row.access, queue_row.resource, queue_row.actions) == ("⚠ No actions are defined.", queue, ())
    assert row(document_of(allow("s3:GetObject", ["arn:aws:s3:::b/*", queue])), "s3").warnings == ()


def test_the_user_guides_service_summary_of_s3() -> None:
    s3 = {entry.action: entry for entry in row(SUMMARY_ALL_ELEMENTS, "s3").actions}
    assert [name for name, entry in s3.items() if entry.is_granted and entry.level != "unknown"] == [
        "s3:PutObject",
        "s3:PutObjectAcl",
    ]
    assert s3["s3:ListAllMyBuckets"].warnings == ("This action does not have an applicable resource and condition.",)
    assert s3["s3:GetObject"].warnings[0].endswith("not supported for this action.")
    assert s3["s3:DeletObject"].level == "unknown"
    assert resources_of(s3["s3:PutObject"])[0].resource == "arn:aws:s3:::developer_bucket/*"
    assert (resources_of(s3["s3:PutObject"])[0].region, resources_of(s3["s3:PutObject"])[0].account) == (
        "All regions",
        "All accounts",
    )


def test_example_1_allow_and_deny_of_one_service() -> None:
    document = document_of(
        allow(["s3:*"], ["*"], Sid="FullAccess"),
        deny(["s3:*"], ["arn:aws:s3:::customer", "arn:aws:s3:::customer/*"], Sid="DenyCustomerBucket"),
    )
    assert [cells(entry) for entry in services_in(document)] == [
        ("s3", "Deny", "Full access", "Multiple", "None"),
        ("s3", "Allow", "Full access", "All resources", "None"),
    ]
    get = action(document, "s3:GetObject", "Deny")
    assert (get.level, get.resource, get.sids) == ("Read", "arn:aws:s3:::customer/*", ("DenyCustomerBucket",))
    assert action(document, "s3:GetObject").denied == "partial"
    assert action(document, "s3:ListAllMyBuckets").denied is None


def test_example_2_one_table_and_one_condition() -> None:
    table = f"arn:aws:dynamodb:us-west-1:{ACCOUNT}:table/myDynamoTable"
    document = document_of(
        allow(
            ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"],
            [table],
            Condition={
                "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${cognito-identity.amazonaws.com:sub}"]}
            },
        )
    )
    condition = "dynamodb:LeadingKeys ForAllValues:StringEquals ${cognito-identity.amazonaws.com:sub}"
    assert [cells(entry) for entry in services_in(document)] == [
        ("dynamodb", "Allow", "Limited: Read, Write", table, condition)
    ]
    assert resources_of(action(document, "dynamodb:GetItem"), ACCOUNT) == (
        ResourceRow(table, "us-west-1", "This account", condition),
    )
    assert resources_of(action(document, "dynamodb:GetItem"))[0].account == ACCOUNT


def test_example_3_several_resources_and_conditions() -> None:
    actions = ["s3:PutObject", "s3:PutObjectAcl"]
    grants = {"s3:x-amz-acl": ["custom"], "s3:x-amz-grant-full-control": ["1234"]}
    document = document_of(
        allow(actions, ["arn:aws:s3:::Apple_bucket/*"], Condition={"StringEquals": {"s3:x-amz-acl": ["public-read"]}}),
        allow(actions, ["arn:aws:s3:::Orange_bucket/*"], Condition={"StringEquals": grants}),
    )
    assert [cells(entry) for entry in services_in(document)] == [
        ("s3", "Allow", "Limited: Write, Permissions management", "Multiple", "Multiple")
    ]
    rows = [(entry.resource, entry.condition) for entry in resources_of(action(document, "s3:PutObject"))]
    assert rows == [
        ("arn:aws:s3:::Apple_bucket/*", "s3:x-amz-acl = public-read"),
        ("arn:aws:s3:::Orange_bucket/*", "Multiple"),
    ]


def test_example_4_two_services() -> None:
    document = document_of(
        allow(["ec2:GetConsoleScreenshot"], ["*"]), allow(["s3:ListBucket"], ["arn:aws:s3:::developer"])
    )
    assert [cells(entry) for entry in services_in(document)] == [
        ("ec2", "Allow", "Limited: Read", "All resources", "None"),
        ("s3", "Allow", "Limited: List", "arn:aws:s3:::developer", "None"),
    ]
    assert not any(entry.warnings for entry in services_in(document))


def test_example_5_unrecognised_service_and_action() -> None:
    names = ["ec2:RunInstances", "ec2:StartInstances", "ec2:StopInstances"]

    def in_region(region: str) -> dict[str, object]:
        return {"StringEquals": {"ec2:Region": region}}

    document = document_of(
        allow(["dynamobd:*"], ["*"]),
        deny([*names, "ec2:RebootoInstances"], Condition=in_region("ap-northeast-2")),
        allow([*names, "ec2:RebootInstances"], Condition=in_region("us-east-2")),
    )
    assert [cells(entry) for entry in services_in(document)] == [
        ("dynamobd", "Allow", "", "", ""),
        ("ec2", "Deny", "Limited: Write", "All resources", "ec2:Region = ap-northeast-2"),
        ("ec2", "Allow", "Limited: Write", "All resources", "ec2:Region = us-east-2"),
    ]
    assert action(document, "ec2:StartInstances").denied == "partial"
    assert action(document, "ec2:RebootInstances").denied is None


def test_example_6_resources_appear_with_their_service_only() -> None:
    project = f"arn:aws:codebuild:us-east-2:{ACCOUNT}:project/my-demo-project"
    repository = f"arn:aws:codecommit:us-east-2:{ACCOUNT}:MyDemoRepo"
    document = document_of(
        allow(
            ["codebuild:*", "codecommit:*", "codedeploy:*"],
            [
                project,
                repository,
                f"arn:aws:codedeploy:us-east-2:{ACCOUNT}:application:WordPress_App",
                f"arn:aws:codedeploy:us-east-2:{ACCOUNT}:instance/AssetTag*",
            ],
        )
    )
    assert {entry.service: entry.resource for entry in services_in(document)} == {
        "codebuild": project,
        "codecommit": repository,
        "codedeploy": "Multiple",
    }
    start = action(document, "codebuild:StartBuild")
    assert resources_of(start) == (ResourceRow(project, "us-east-2", ACCOUNT, "None"),)


UNSUPPORTED = (
    "is not a supported condition key for this action. AWS's reference, which says so, is not complete: whether this action "
    "is allowed is not known."
)


@pytest.mark.parametrize(
    ("statement", "name", "is_granted", "warning"),
    [
        (
            allow("ec2:DescribeSubnets", "arn:aws:ec2:*:*:subnet/*"),
            "ec2:DescribeSubnets",
            False,
            "This action does not support resource-level permissions. This requires a wildcard (*) for the resource.",
        ),
        (
            allow("ec2:DeleteVolume", "arn:aws:ec2:*:*:snapshot/*"),
            "ec2:DeleteVolume",
            False,
            "This action does not have an applicable resource.",
        ),
        (allow("ec2:DeleteVolume", "arn:aws:ec2:*:*:vol*"), "ec2:DeleteVolume", True, None),
        (allow("ec2:DeleteVolume", ["arn:aws:ec2:*:*:snapshot/*", "*"]), "ec2:DeleteVolume", True, None),
        # An object's ARN is no bucket's, and the other way round.
        (
            allow("s3:ListBucket", "arn:aws:s3:::bucket/*"),
            "s3:ListBucket",
            False,
            "This action does not have an applicable resource.",
        ),
        (
            allow("s3:GetObject", "arn:aws:s3:::bucket"),
            "s3:GetObject",
            False,
            "This action does not have an applicable resource.",
        ),
        (allow("s3:GetObject", "arn:aws:s3:::buck*"), "s3:GetObject", True, None),
        # A policy variable may be anything.
        (allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/bucket}"), "s3:GetObject", True, None),
        # A slash of a variable's name is none of the resource.
        (allow("s3:ListBucket", "arn:aws:s3:::team-${aws:PrincipalTag/team}"), "s3:ListBucket", True, None),
        # A short ARN has two readings where a `*` may run over the colon.
        (
            allow("ec2:DeleteVolume", "arn:aws:ec2:*:volume/*"),
            "ec2:DeleteVolume",
            True,
            "Whether this resource matches is not certain: a part of its ARN is missing.",
        ),
        (
            allow("ec2:DeleteVolume", "arn:aws:ec2:*:snapshot/*"),
            "ec2:DeleteVolume",
            False,
            "This action does not have an applicable resource.",
        ),
        (allow("ec2:DeleteVolume", "arn:aws:ec2:*"), "ec2:DeleteVolume", True, None),
        # What NotResource leaves out.
        (
            {"Effect": "Allow", "Action": "ec2:DescribeSubnets", "NotResource": "arn:aws:ec2:*:*:subnet/*"},
            "ec2:DescribeSubnets",
            True,
            None,
        ),
        (
            {"Effect": "Allow", "Action": "ec2:DeleteVolume", "NotResource": "arn:*:ec2:*:*:volume/*"},
            "ec2:DeleteVolume",
            False,
            "This action does not have an applicable resource.",
        ),
        # All but everything is nothing.
        (
            {"Effect": "Allow", "Action": "ec2:DescribeSubnets", "NotResource": ["arn:aws:s3:::a", "*"]},
            "ec2:DescribeSubnets",
            False,
            "This action does not support resource-level permissions. This requires a wildcard (*) for the resource.",
        ),
        # The reference does not list every key: AWS's own policies use some that it lacks.
        (
            allow("s3:GetObject", "*", Condition={"StringEquals": {"s3:x-amz-acl": "private"}}),
            "s3:GetObject",
            None,
            f"s3:x-amz-acl {UNSUPPORTED}",
        ),
        (
            allow("s3:GetObject", "*", Condition={"StringNotEquals": {"s3:x-amz-acl": "private"}}),
            "s3:GetObject",
            True,
            None,
        ),
        (
            allow("s3:GetObject", "*", Condition={"StringEqualsIfExists": {"S3:X-Amz-Acl": "private"}}),
            "s3:GetObject",
            True,
            None,
        ),
        (allow("s3:GetObject", "*", Condition={"Null": {"s3:x-amz-acl": True}}), "s3:GetObject", True, None),
        (allow("s3:PutObject", "*", Condition={"StringEquals": {"S3:X-Amz-Acl": "a"}}), "s3:PutObject", True, None),
        (
            allow("kms:Decrypt", "*", Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            "kms:Decrypt",
            None,
            f"kms:GrantIsForAWSResource {UNSUPPORTED}",
        ),
        (
            allow("aws-marketplace:Subscribe", Condition={"StringEquals": {"aws-marketplace:ProductId": "a"}}),
            "aws-marketplace:Subscribe",
            None,
            f"aws-marketplace:ProductId {UNSUPPORTED}",
        ),
        # A region or account that is empty, where the reference has none and where it has one.
        (allow("s3:GetObject", "arn:aws:s3:::b/*"), "s3:GetObject", True, None),
        (allow("ec2:CreateVolume", "arn:aws:ec2:*::snapshot/*"), "ec2:CreateVolume", True, None),
        (allow("ssm:GetParameter", "arn:aws:ssm:*::parameter/aws/service/*"), "ssm:GetParameter", True, None),
        # "An engagement is a resource owned by AWS", with its snapshots, says Partner Central's guide.
        (
            allow("partnercentral:CreateResourceSnapshot", "arn:aws:partnercentral:*::catalog/AWS/engagement/*"),
            "partnercentral:CreateResourceSnapshot",
            True,
            None,
        ),
        *(
            (allow("dynamodb:GetItem", f"arn:aws:dynamodb:{place}:table/x"), "dynamodb:GetItem", False, warning)
            for warning in ("This action does not have an applicable resource.",)
            for place in (":", "*:", ":*", ":111122223333", "eu-west-1:")
        ),
        # Of other services, what AWS's policies and guides say beside its reference.
        (
            allow("sagemaker-mlflow:AccessUI", "arn:aws:sagemaker:*:*:mlflow-tracking-server/a"),
            "sagemaker-mlflow:AccessUI",
            True,
            None,
        ),
        (
            allow("arc-zonal-shift:GetManagedResource", "arn:aws:eks:*:*:cluster/*"),
            "arc-zonal-shift:GetManagedResource",
            None,
            "AWS's reference does not list such a resource for this action: whether it is allowed is not known.",
        ),
        (
            allow("ec2:DeleteVolume", Condition={"StringEquals": {"aws:ResourceTag/a:b": "c"}}),
            "ec2:DeleteVolume",
            True,
            None,
        ),
    ],
)
def test_what_an_action_is_really_given(
    statement: dict[str, object], name: str, is_granted: bool | None, warning: str | None
) -> None:
    entry = action(document_of(statement), name)
    assert entry.is_granted is is_granted
    assert bool(entry.grants) is (is_granted is not False)
    assert " ".join(entry.warnings) == (warning or "")


@pytest.mark.parametrize(
    ("allow_statement", "deny_statement", "expected"),
    [
        (allow("s3:GetObject"), deny("s3:*"), "full"),
        (allow("s3:GetObject"), deny("S3:get*"), "full"),
        (allow("s3:GetObject"), deny("s3:Put*"), None),
        (allow("s3:GetObject", "arn:aws:s3:::a/*"), deny("s3:*", "arn:aws:s3:::a/*"), "full"),
        (allow("s3:GetObject", "arn:aws:s3:::a/*"), deny("s3:*", "arn:aws:s3:::*"), "full"),
        (allow("s3:GetObject", "arn:aws:s3:::a/*"), deny("s3:*", "arn:aws:s3:::b/*"), None),
        (allow("s3:GetObject", "arn:aws:s3:::*"), deny("s3:*", "arn:aws:s3:::b/*"), "partial"),
        (allow("s3:GetObject", ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]), deny("s3:*", "arn:aws:s3:::b/*"), "partial"),
        (allow("s3:GetObject", "arn:aws:s3:::${aws:username}/*"), deny("s3:*", "arn:aws:s3:::b/*"), "unknown"),
        (allow("s3:GetObject", "arn:aws:s3:::b/*"), deny("s3:*", "arn:aws:s3:::${aws:username}/*"), "unknown"),
        (allow("s3:GetObject"), deny("s3:*", "arn:aws:s3:::${aws:username}/*"), "partial"),
        (allow("s3:GetObject"), deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}), "partial"),
        (allow("sqs:DeleteQueue"), deny("sqs:*", "arn:aws:sqs:*:prod-*"), "unknown"),
        (allow("sqs:DeleteQueue", "arn:aws:sqs:*:*:prod-a"), deny("sqs:*", "arn:aws:sqs:*:prod-*"), "unknown"),
        (allow("sqs:DeleteQueue", "arn:aws:sqs:*:prod-*"), deny("sqs:*", "arn:aws:sqs:*"), "full"),
        # The same condition on both sides leaves nothing.
        (
            allow("s3:GetObject", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
            "full",
        ),
        (allow("s3:GetObject"), {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}, "full"),
        (allow("s3:GetObject"), {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}, None),
        (
            allow("s3:GetObject", "arn:aws:s3:::a/*"),
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::a/*"},
            None,
        ),
        (
            allow("s3:GetObject", "arn:aws:s3:::a/*"),
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"},
            "full",
        ),
        (
            allow("s3:GetObject", "arn:aws:s3:::*"),
            {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"},
            "partial",
        ),
        # The unknown action is denied by pattern too.
        (allow("s3:NoSuchAction"), deny("s3:No*"), "full"),
        (allow("s3:NoSuchAction"), {"Effect": "Deny", "NotAction": "s3:No*", "Resource": "*"}, None),
    ],
)
def test_deny_beside_allow(
    allow_statement: dict[str, object], deny_statement: dict[str, object], expected: str | None
) -> None:
    name = str(allow_statement["Action"])
    entry = action(document_of(allow_statement, deny_statement), name)
    assert entry.is_granted
    assert entry.denied == expected


def test_not_action_gives_everything_else() -> None:
    document = document_of({"Effect": "Allow", "NotAction": ["iam:*", "ec2:Describe*"], "Resource": "*"})
    rows = {entry.service: entry for entry in services_in(document)}
    assert set(rows) == set(reference().services()) - {"iam"}
    assert rows["eks"].access == "Full access"
    assert not any(entry.action.startswith("ec2:Describe") for entry in rows["ec2"].actions)
    assert rows["ec2"].actions[0].patterns == ("NotAction: iam:*, ec2:Describe*",)


def test_not_action_on_one_resource_shows_only_the_services_that_it_fits() -> None:
    document = document_of({"Effect": "Allow", "NotAction": "iam:*", "Resource": f"arn:aws:eks:*:{ACCOUNT}:cluster/a"})
    rows = services_in(document)
    # Amazon Managed Service for Prometheus and EKS Auth have actions on EKS clusters.
    assert [entry.service for entry in rows] == ["aps", "eks", "eks-auth"]
    assert all("cluster" in resource_types(entry.action) for service in rows for entry in service.actions)
    assert not any(entry.warnings for entry in rows)


def resource_types(name: str) -> set[str]:
    info = reference().find(name)
    assert info is not None
    return {use.name for use in info.resource_types}


def test_odd_case_and_stray_spaces_and_wildcards_in_the_service() -> None:
    document = document_of(allow([" SNS:publish ", "e?s:LIST*"]))
    names = {entry.action for service in services_in(document) for entry in service.actions}
    assert "sns:Publish" in names
    assert {"eks:ListClusters", "ecs:ListClusters"} <= names
    assert action(document, "sns:Publish").patterns == ("SNS:publish",)


def test_a_literal_that_the_reference_lacks_counts_and_a_pattern_that_fits_it_gives_it_too() -> None:
    document = document_of(allow("eks:NoSuchAction", Sid="One"), allow("eks:No*", Sid="Two"), allow("eks:Nothing*"))
    entry = action(document, "eks:NoSuchAction")
    assert (entry.level, entry.is_granted, entry.sids) == ("unknown", True, ("One", "Two"))
    assert row(document, "eks").levels["unknown"].granted == 1
    pattern = action(document, "eks:Nothing*")
    assert (pattern.is_granted, pattern.warnings) == (False, ("No known action matches this pattern.",))


@pytest.mark.parametrize(
    ("actions", "access"),
    [
        (["cloudwatch:*"], "Full access"),
        (["activate:*"], "Full access"),
        (["datapipeline:DescribeObjects", "datapipeline:ListPipelines"], "Limited: List, Read"),
        (["eks:ListClusters", "eks:TagResource", "eks:UntagResource"], "Full: Tagging Limited: List"),
    ],
)
def test_access_words(actions: list[str], access: str) -> None:
    assert services_in(document_of(allow(actions)))[0].access == access


def test_a_level_is_full_and_alone_when_every_action_of_it_is_named() -> None:
    lists = [info.name for info in reference().actions("cloudwatch").values() if info.level == "List"]
    entry = row(document_of(allow(lists)), "cloudwatch")
    assert entry.access == "Full: List"
    assert entry.levels["List"].granted == entry.levels["List"].total == len(lists)
    assert entry.levels["Write"].granted == 0


def test_resources_of_a_not_resource_statement() -> None:
    document = document_of({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::a/*"})
    assert row(document, "s3").resource == "Multiple"
    assert resources_of(action(document, "s3:GetObject")) == (
        ResourceRow("All resources except arn:aws:s3:::a/*", "All regions", "All accounts", "None"),
    )


def test_remaining_is_what_no_allow_gives() -> None:
    document = document_of(
        allow("eks:*"), allow("ec2:DescribeSubnets"), allow("s3:ListBucket", "arn:aws:sqs:::q"), deny("sqs:*")
    )
    remainder = remaining(document)
    assert {"s3", "sqs", "iam"} <= set(remainder.services)
    assert "eks" not in remainder.services
    assert "eks" not in remainder.actions
    assert {info.name for info in remainder.actions["ec2"]} == set(reference().expand("ec2:*")) - {
        "ec2:DescribeSubnets"
    }


def test_a_trust_policy_summarises_without_resources() -> None:
    document = document_of(
        {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    )
    assert cells(services_in(document)[0]) == ("sts", "Allow", "Limited: Write", "All resources", "None")


def test_an_empty_document_has_no_services() -> None:
    assert services_in(document_of()) == ()
    assert services_in(document_of(allow([]), allow("s3:GetObject", []))) != ()
    assert json.dumps([entry.access for entry in services_in(document_of(allow("s3:GetObject", [])))]) == '["None"]'


OWNER = {"StringEquals": {"ec2:ResourceTag/eks:eni:owner": "amazon-vpc-cni"}}
OWNED = "ec2:ResourceTag/eks:eni:owner = amazon-vpc-cni"


def test_a_condition_of_some_grants_is_not_said_of_all() -> None:
    """The cluster policy of EKS: one action of 28 has the condition, and EC2 is not held to tagged interfaces."""
    cluster = parse(raw_document("AmazonEKSClusterPolicy", 10))
    ec2 = row(cluster, "ec2")
    assert ec2.condition == OWNED, "the console's own word"
    assert ec2.conditioned.words(ec2.condition) == f"1 of 28 if {OWNED}"
    everywhere = allow("ec2:DeleteNetworkInterface", "arn:aws:ec2:*:*:network-interface/eni-1")
    owned_only = allow("ec2:DeleteNetworkInterface", Condition=OWNER)
    deleting = action(document_of(owned_only, everywhere), "ec2:DeleteNetworkInterface")
    assert deleting.conditioned.words(deleting.condition) == f"some if {OWNED}"
    for statements, condition_text in (
        ((owned_only,), OWNED),
        ((owned_only, everywhere), f"some if {OWNED}"),
        ((owned_only, everywhere, allow("ec2:DescribeVpcs")), f"1 of 2: some if {OWNED}"),
        ((owned_only, allow("ec2:RunInstances", Condition={"StringEquals": {"ec2:Region": "a"}})), "Multiple"),
        (
            (
                owned_only,
                allow("ec2:RunInstances", Condition={"StringEquals": {"ec2:Region": "a"}}),
                allow("ec2:DescribeVpcs"),
            ),
            "2 of 3 with conditions",
        ),
        ((allow("ec2:DescribeVpcs"),), "None"),
    ):
        ec2 = row(document_of(*statements), "ec2")
        assert ec2.conditioned.words(ec2.condition) == condition_text


QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"


@pytest.mark.parametrize(
    ("statements", "rows"),
    [
        ([allow("s3:GetObject", [QUEUE])], {("s3", "Allow"), ("sqs", "Allow")}),
        ([deny("s3:GetObject", [QUEUE])], {("s3", "Deny"), ("sqs", "Deny")}),
        # A service some of whose actions are named, allowed or denied, has its row for those.
        ([allow("s3:GetObject", [QUEUE]), deny("sqs:*", ["*"])], {("s3", "Allow"), ("sqs", "Deny")}),
        ([deny("s3:GetObject", [QUEUE]), allow("sqs:*", ["*"])], {("s3", "Deny"), ("sqs", "Allow")}),
        # ARNs of services that do not exist, and all but a resource, name none.
        ([allow("s3:GetObject", ["arn:aws:nosuch:::a"])], {("s3", "Allow")}),
        ([{**allow("s3:GetObject", ["*"]), "Resource": None, "NotResource": [QUEUE]}], {("s3", "Allow")}),
    ],
)
def test_a_service_that_only_resources_name_has_a_row_without_actions(
    statements: list[dict[str, object]], rows: set[tuple[str, str]]
) -> None:
    written_statements = [
        {key: value for key, value in statement.items() if value is not None} for statement in statements
    ]
    services = services_in(document_of(*written_statements))
    assert {(service.service, service.effect) for service in services} == rows
    assert all(
        bool(service.actions) is (service.access != NO_ACTIONS) for service in services if service.service != "s3"
    )
