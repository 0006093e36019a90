"""The decision, by IAM's rules: explicit deny, then allow, else implicit deny; every resource; every layer."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from ekstui.iam.document import Condition, Statement, parse
from ekstui.iam.evaluation import AppliedPolicy, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request, context_of
from tests.support.corpus import raw_corpus, raw_document
from tests.support.documents import applied_policy

VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/*"
SNAPSHOT = "arn:aws:ec2:eu-west-1::snapshot/snap-1"
ROLE = "arn:aws:sts::111122223333:assumed-role/node/i-1"


@pytest.mark.parametrize(
    ("action", "element", "value", "expected"),
    [
        ("ec2:CreateVolume", "Action", ["EC2:createVOLUME"], "allowed"),
        ("EC2:CREATEVOLUME", "Action", "ec2:Create*", "allowed"),
        ("ec2:CreateVolume", "Action", "*", "allowed"),
        ("ec2:CreateVolume", "Action", "ec2:Create?olume", "allowed"),
        ("ec2:CreateVolume", "Action", "ec2:[C]reateVolume", "implicit-deny"),
        ("ec2:CreateVolume", "Action", "ec2:CreateVolume2", "implicit-deny"),
        ("ec2:CreateVolume", "Action", [], "implicit-deny"),
        ("ec2:CreateVolume", "NotAction", ["iam:*", "ec2:createvolume"], "implicit-deny"),
        ("ec2:CreateVolume", "NotAction", "iam:*", "allowed"),
        ("ec2:CreateVolume", "NotAction", [], "allowed"),
    ],
)
def test_action(action: str, element: str, value: object, expected: str) -> None:
    assert evaluate(Request(action, ("*",)), [applied_policy("p", {element: value})]).verdict == expected


@pytest.mark.parametrize(
    ("element", "value", "resource", "expected"),
    [
        ("Resource", "arn:aws:ec2:*:*:volume/*", VOLUME, "allowed"),
        ("Resource", "arn:aws:ec2:*:*:Volume/*", VOLUME, "implicit-deny"),  # case counts
        ("Resource", "arn:aws:ec2:*:volume/*", VOLUME, "depends"),  # a star that ends a part may run over the colon
        ("NotResource", "arn:aws:ec2:*:volume/*", VOLUME, "depends"),
        ("Resource", "arn:aws:ec2:*:snapshot/*", VOLUME, "implicit-deny"),
        ("Resource", "arn:aws:ec2:*", VOLUME, "allowed"),  # short ARNs are padded
        ("Resource", "arn:aws:ec2:*:*:volume/vol-1", VOLUME, "implicit-deny"),  # `volume/*` of a message is no pattern
        ("Resource", "arn:aws:ec2:*:*:volume/${*}", VOLUME, "allowed"),
        ("Resource", ["arn:aws:s3:::a", "*"], VOLUME, "allowed"),
        ("Resource", [], VOLUME, "implicit-deny"),
        ("Resource", "arn:aws:ec2:*:${aws:PrincipalAccount}:volume/*", VOLUME, "allowed"),
        ("Resource", "arn:aws:ec2:*:*:volume/${aws:username}", VOLUME, "implicit-deny"),  # a role has no user name
        ("Resource", "arn:aws:ec2:*:*:volume/${aws:PrincipalTag/a}", VOLUME, "depends"),
        ("Resource", "arn:aws:ec2:*:*:snapshot/${aws:PrincipalTag/a}", VOLUME, "implicit-deny"),
        ("Resource", "*", None, "allowed"),
        ("Resource", "arn:aws:ec2:*:*:volume/*", None, "depends"),
        ("NotResource", "arn:aws:ec2:*:*:snapshot/*", VOLUME, "allowed"),
        ("NotResource", ["arn:aws:ec2:*:*:snapshot/*", "arn:aws:ec2:*:*:volume/*"], VOLUME, "implicit-deny"),
        ("NotResource", "arn:aws:ec2:*:*:volume/${aws:username}", VOLUME, "allowed"),
        ("NotResource", "arn:aws:ec2:*:*:volume/${aws:PrincipalTag/a}", VOLUME, "depends"),
        ("NotResource", "*", None, "implicit-deny"),
    ],
)
def test_resource(element: str, value: object, resource: str | None, expected: str) -> None:
    statement = {"Effect": "Allow", "Action": "ec2:*", element: value}
    policy = AppliedPolicy("p", 1, parse({"Version": "2012-10-17", "Statement": statement}))
    request = Request("ec2:CreateVolume", () if resource is None else (resource,), ROLE)
    assert evaluate(request, [policy]).verdict == expected


ALLOW = {"Action": "*"}
DENY = {"Effect": "Deny", "Action": "ec2:*"}
IF_TAGGED = {"Action": "*", "Condition": {"StringEquals": {"aws:RequestTag/a": "1"}}}
DENY_UNLESS_TAGGED = {**DENY, "Condition": {"StringNotEquals": {"aws:RequestTag/a": "1"}}}
NOTHING = {"Action": "s3:*"}


@pytest.mark.parametrize(
    ("identity", "boundary", "session", "tag", "expected", "missing"),
    [
        ([ALLOW], None, [], None, "allowed", ()),
        ([], None, [], None, "implicit-deny", ()),
        ([ALLOW, DENY], None, [], None, "explicit-deny", ()),
        ([ALLOW], [ALLOW], [ALLOW], None, "allowed", ()),
        ([ALLOW], [NOTHING], [], None, "implicit-deny", ()),
        ([ALLOW], [ALLOW], [NOTHING], None, "implicit-deny", ()),
        ([NOTHING], [ALLOW], [ALLOW], None, "implicit-deny", ()),
        ([ALLOW], [ALLOW, DENY], [], None, "explicit-deny", ()),
        ([ALLOW], None, [DENY], None, "explicit-deny", ()),
        # What is not told is neither present nor absent.
        ([IF_TAGGED], None, [], None, "depends", ("aws:RequestTag/a",)),
        ([IF_TAGGED], None, [], "1", "allowed", ()),
        ([IF_TAGGED], None, [], "2", "implicit-deny", ()),
        ([IF_TAGGED], None, [], "", "implicit-deny", ()),  # declared absent
        ([ALLOW, DENY_UNLESS_TAGGED], None, [], None, "depends", ("aws:RequestTag/a",)),
        ([ALLOW, DENY_UNLESS_TAGGED], None, [], "1", "allowed", ()),
        ([ALLOW, DENY_UNLESS_TAGGED], None, [], "", "explicit-deny", ()),  # a negated operator holds for an absent key
        ([IF_TAGGED, ALLOW], None, [], None, "allowed", ()),
        ([NOTHING, DENY_UNLESS_TAGGED], None, [], None, "implicit-deny", ()),  # denied whatever the tag is
        ([IF_TAGGED, DENY], None, [], None, "explicit-deny", ()),
        ([ALLOW], [IF_TAGGED], [], None, "depends", ("aws:RequestTag/a",)),
        ([IF_TAGGED], [NOTHING], [], None, "implicit-deny", ()),
    ],
)
def test_layers(
    identity: list[Any], boundary: list[Any] | None, session: list[Any], tag: str | None, expected: str, missing: object
) -> None:
    context = {"aws:RequestTag/a": (tag,)} if tag else {}
    request = Request(
        "ec2:CreateVolume", (VOLUME,), None, context, frozenset({"aws:requesttag/a"} if tag == "" else ())
    )
    evaluation = evaluate(
        request,
        [applied_policy("p", statement) for statement in identity],
        applied_policy("p", *boundary) if boundary is not None else None,
        [applied_policy("p", statement) for statement in session],
    )
    assert (evaluation.verdict, evaluation.missing) == (expected, missing)


def test_which_layer_denied() -> None:
    request = Request("ec2:CreateVolume", (VOLUME,))
    assert (
        evaluate(request, [applied_policy("p", ALLOW)], applied_policy("p", NOTHING)).decisive.decided_by == "boundary"
    )
    assert (
        evaluate(request, [applied_policy("p", ALLOW)], None, [applied_policy("p", DENY)]).decisive.decided_by
        == "session"
    )
    assert (
        evaluate(request, [applied_policy("p", NOTHING)], applied_policy("p", NOTHING)).decisive.decided_by
        == "identity"
    )
    assert evaluate(request, [applied_policy("p", ALLOW)]).decisive.decided_by is None


@pytest.mark.parametrize(
    ("statements", "verdict", "position"),
    [
        ([NOTHING, ALLOW, ALLOW], "allowed", 1),
        ([ALLOW, {**NOTHING, "Effect": "Deny"}, DENY, DENY], "explicit-deny", 2),
        ([NOTHING, IF_TAGGED, IF_TAGGED], "depends", 1),
        ([NOTHING], "implicit-deny", None),
    ],
)
def test_the_first_statement_that_gives_the_verdict_decides(
    statements: list[Any], verdict: str, position: int | None
) -> None:
    (layer,) = evaluate(Request("ec2:CreateVolume", (VOLUME,)), [applied_policy("p", *statements)]).decisive.layers
    assert layer.verdict == verdict
    assert (layer.decided_by and layer.decided_by.position) == position


def test_only_resources_that_may_match_ask_for_their_variables() -> None:
    team, other_team = (
        f"arn:aws:ec2:*:*:{kind}/${{aws:PrincipalTag/{tag}}}" for kind, tag in (("volume", "a"), ("snapshot", "b"))
    )
    request = Request("ec2:CreateVolume", (VOLUME,))
    evaluation = evaluate(request, [applied_policy("p", {"Action": "*", "Resource": [other_team, team]})])
    assert (evaluation.verdict, evaluation.missing) == ("depends", ("aws:PrincipalTag/a",))


def test_every_resource_must_be_allowed_possibly_by_different_statements() -> None:
    on_volume = {"Action": "ec2:CreateVolume", "Resource": "arn:aws:ec2:*:*:volume/*"}
    on_snapshot = {"Action": "ec2:CreateVolume", "Resource": "arn:aws:ec2:*::snapshot/*"}
    request = Request("ec2:CreateVolume", (VOLUME, SNAPSHOT))
    assert evaluate(request, [applied_policy("p", on_volume)]).verdict == "implicit-deny"
    assert evaluate(request, [applied_policy("p", on_volume)]).decisive.resource == SNAPSHOT
    assert evaluate(request, [applied_policy("p", on_volume), applied_policy("p", on_snapshot)]).verdict == "allowed"
    if_tagged = {**on_snapshot, "Condition": {"Null": {"aws:ResourceTag/a": "false"}}}
    evaluation = evaluate(request, [applied_policy("p", on_volume, if_tagged)])
    assert (evaluation.verdict, evaluation.missing, evaluation.decisive.resource) == (
        "depends",
        ("aws:ResourceTag/a",),
        SNAPSHOT,
    )


def test_what_failed_is_named_with_wanted_and_given() -> None:
    statement = {
        "Sid": "S", "Action": "ec2:CreateVolume", "Resource": "arn:aws:ec2:*:*:volume/*",
        "Condition": {"StringLike": {"aws:RequestTag/a": "b*", "aws:RequestTag/c": "*"}, "Bool": {"x:y": "true"}},
    }  # fmt: skip
    request = Request("ec2:CreateVolume", (SNAPSHOT,), None, {"AWS:requesttag/A": ("c",)}, frozenset({"X:Y"}))
    (result,) = evaluate(request, [applied_policy("p", statement)]).decisive.statements
    assert result.matches is False
    assert [
        (failure.part, failure.key, failure.operator, failure.wanted, failure.actual) for failure in result.failed
    ] == [
        ("resource", None, "Resource", ("arn:aws:ec2:*:*:volume/*",), (SNAPSHOT,)),
        ("condition", "aws:RequestTag/a", "StringLike", ("b*",), ("c",)),
        ("condition", "x:y", "Bool", ("true",), ()),
    ]
    request = Request("ec2:CreateVolume", (VOLUME,), None, {"aws:RequestTag/a": ("bc",), "x:y": ("true",)})
    evaluation = evaluate(request, [applied_policy("p", statement)])
    assert evaluation.missing == ("aws:RequestTag/c",)
    assert [(failure.key, failure.actual) for failure in evaluation.decisive.statements[0].failed] == [
        ("aws:RequestTag/c", None)
    ]


def test_a_statement_without_resource_grants_nothing() -> None:
    policy = AppliedPolicy("p", 1, parse({"Statement": {"Effect": "Allow", "Action": "*"}}))
    assert evaluate(Request("ec2:CreateVolume", ("*",)), [policy]).verdict == "implicit-deny"


def test_variables_are_not_replaced_in_an_old_document() -> None:
    bucket = {"Action": "*", "Resource": "arn:aws:s3:::${aws:PrincipalAccount}"}
    request = Request("s3:ListBucket", ("arn:aws:s3:::111122223333",), ROLE)
    assert evaluate(request, [applied_policy("p", bucket)]).verdict == "allowed"
    assert evaluate(request, [applied_policy("p", bucket, version="2008-10-17")]).verdict == "implicit-deny"


@pytest.mark.parametrize(
    ("principal", "key", "values"),
    [
        (ROLE, "aws:PrincipalAccount", ("111122223333",)),
        (ROLE, "aws:username", ()),
        (ROLE, "aws:PrincipalArn", None),  # the session's ARN leaves out the role's path
        ("arn:aws:iam::111122223333:role/path/node", "aws:PrincipalArn", ("arn:aws:iam::111122223333:role/path/node",)),
        ("arn:aws:iam::111122223333:user/dev/ada", "aws:username", ("ada",)),
        ("arn:aws:iam::111122223333:user/dev/ada", "aws:PrincipalType", ("User",)),
        ("arn:aws:iam::111122223333:root", "aws:PrincipalType", ("Account",)),
        ("arn:aws:sts::XXXX:assumed-role/a/b", "aws:PrincipalAccount", None),  # blanked out in a log
        ("garbage", "aws:PrincipalAccount", None),
        ("*", "aws:PrincipalAccount", None),
    ],
)
def test_what_follows_from_the_principal(principal: str, key: str, values: tuple[str, ...] | None) -> None:
    statement = {"Action": "*", "Condition": {"StringEquals": {key: list(values or ["?"])}}}
    result = evaluate(Request("ec2:CreateVolume", (VOLUME,), principal), [applied_policy("p", statement)])
    assert result.verdict == ("depends" if values is None else "allowed" if values else "implicit-deny")


@pytest.mark.parametrize(
    ("action", "expected"), [("ec2:DeleteVolume", "allowed"), ("ec2:CreateVolume", "depends"), ("ebs:GetX", "depends")]
)
def test_the_account_of_the_resource_follows_where_the_action_has_it(action: str, expected: str) -> None:
    policy = applied_policy(
        "p", {"Action": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}}
    )
    assert evaluate(Request(action, (VOLUME,), ROLE), [policy]).verdict == expected


def test_what_was_told_goes_before_what_follows() -> None:
    request = Request("ec2:CreateVolume", (VOLUME,), ROLE, {"AWS:principalaccount": ("9",)})
    policy = applied_policy("p", {"Action": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": "9"}}})
    assert evaluate(request, [policy]).verdict == "allowed"
    absent = Request("ec2:CreateVolume", (VOLUME,), ROLE, {}, frozenset({"aws:PrincipalAccount"}))
    assert evaluate(absent, [policy]).verdict == "implicit-deny"


def tag_conditions() -> Iterator[tuple[str, Statement, Condition]]:
    """Yield each line on tags of request or resource in AWS's policies of today, with its policy and statement."""
    for entry in raw_corpus():
        for statement in parse(raw_document(entry["name"], int(entry["default"][1:]))).statements:
            for line in statement.conditions:
                if re.search(r"(?<!principal)tag(/|keys$)", line.key, re.IGNORECASE):
                    yield entry["name"], statement, line


def arns_of(action: str) -> Iterator[str]:
    """Yield an ARN of each resource type of an action, or `*` where it has none."""
    info = reference().find(action)
    uses = () if info is None else info.resource_types
    parts = {"Partition": "aws", "Region": "eu-west-1", "Account": "111122223333"}
    for use in uses:
        kind = reference().resource_type(action.partition(":")[0], use.name)
        for form in () if kind is None else kind.arn_formats:
            yield re.sub(r"\$\{(\w+)\}", lambda match: parts.get(match[1], "a"), form)
    if not uses:
        yield "*"


def test_no_tag_that_aws_asks_for_is_absent_because_the_reference_is_silent() -> None:
    verdicts_by_case: dict[tuple[str, str, str], set[str]] = {}

    @cache
    def verdicts_of(action: str, key: str) -> set[str]:
        present = [applied_policy("p", {"Action": "*", "Condition": {"Null": {key: "false"}}})]
        return {evaluate(Request(action, (arn,)), present, reference=reference()).verdict for arn in arns_of(action)}

    for name, statement, line in tag_conditions():
        for action in statement.actions if statement.action_element == "Action" else ():
            if reference().find(action) is not None:
                verdicts_by_case[name, action, line.key] = verdicts_of(action, line.key)
    assert len({(name, action) for name, action, _ in verdicts_by_case}) > 1_500
    assert {case: verdicts for case, verdicts in verdicts_by_case.items() if verdicts != {"depends"}} == {}


SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:a-AbCdEf"
FILE_SYSTEM = "arn:aws:fsx:eu-west-1:111122223333:file-system/fs-1"


@pytest.mark.parametrize(
    ("action", "resource", "key"),
    [
        ("secretsmanager:GetSecretValue", SECRET, "secretsmanager:ResourceTag/env"),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/a", "ssm:resourceTag/env"),
        ("fsx:DeleteFileSystem", FILE_SYSTEM, "aws:ResourceTag/env"),
        ("ec2:CreateVolume", SNAPSHOT, "aws:RequestTag/a"),
        ("nosuch:Action", VOLUME, "aws:ResourceTag/a"),
    ],
)
def test_a_deny_by_a_key_that_was_not_given_leaves_the_verdict_open(action: str, resource: str, key: str) -> None:
    prod = applied_policy("p", ALLOW, {"Effect": "Deny", "Action": "*", "Condition": {"StringEquals": {key: "prod"}}})
    open_ = evaluate(Request(action, (resource,)), [prod], reference=reference())
    assert (open_.verdict, open_.missing) == ("depends", (key,))
    absent = Request(action, (resource,), absent=frozenset({key}))
    assert evaluate(absent, [prod], reference=reference()).verdict == "allowed"


def test_a_volume_is_copied_by_the_tag_that_aws_asks_for() -> None:
    document = parse(raw_document("AmazonEBSCSIDriverPolicyV2", 1))
    request = Request("ec2:CopyVolumes", ("arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",), ROLE)
    result = evaluate(request, [AppliedPolicy("p", 1, document)], reference=reference())
    assert result.verdict == "depends"
    assert "ec2:ResourceTag/ebs.csi.aws.com/cluster" in result.missing


def test_no_resource_follows_from_the_reference() -> None:
    # The reference gives iam:ListInstanceProfiles no resource; IAM's own messages name `instance-profile/` all the same.
    narrow = AppliedPolicy("p", 25, parse(raw_document("AmazonEKSServiceRolePolicy", 25)))
    list_request = Request("iam:ListInstanceProfiles")
    result = evaluate(list_request, [narrow], reference=reference())
    assert (result.verdict, result.missing, result.decisive.resource) == ("depends", ("resource",), "*")
    assert evaluate(list_request, [applied_policy("p", ALLOW)], reference=reference()).verdict == "allowed"
    request = Request("iam:ListInstanceProfiles", ("arn:aws:iam::111122223333:instance-profile/eks-a",))
    assert evaluate(request, [narrow], reference=reference()).verdict == "allowed"
    assert evaluate(Request("iam:ListInstanceProfiles", ("*",)), [narrow]).verdict == "implicit-deny"


@pytest.mark.parametrize(("tags", "expected"), [(["Name"], "implicit-deny"), (["Name", "team"], "depends")])
def test_all_tag_keys_told_leave_no_other_tag(tags: list[str], expected: str) -> None:
    context = {"aws:TagKeys": tuple(tags), "aws:RequestTag/Name": ("a",)}
    policy = applied_policy("p", {"Action": "*", "Condition": {"StringLike": {"aws:RequestTag/team": "*"}}})
    assert evaluate(Request("ec2:CreateVolume", (VOLUME,), None, context), [policy]).verdict == expected


USER, ASSUMED = "arn:aws:iam::111122223333:user/team/ada", "arn:aws:sts::111122223333:assumed-role/r/s"


@pytest.mark.parametrize(
    ("principal", "resource", "action", "key", "values"),
    [
        # "AWS global condition context keys", and "Where you can use policy variables" for what each principal has.
        (USER, None, "s3:GetObject", "aws:PrincipalArn", (USER,)),
        (USER, None, "s3:GetObject", "aws:username", ("ada",)),
        (USER, None, "s3:GetObject", "aws:PrincipalType", ("User",)),
        (USER, None, "s3:GetObject", "aws:PrincipalAccount", ("111122223333",)),
        (USER, None, "s3:GetObject", "aws:PrincipalIsAWSService", ("false",)),
        ("arn:aws:iam::111122223333:role/x/r", None, "s3:GetObject", "aws:PrincipalArn", ("arn:aws:iam::111122223333:role/x/r",)),
        ("arn:aws:iam::111122223333:role/x/r", None, "s3:GetObject", "aws:username", ()),
        # The ARN of a session lacks the path of its role.
        (ASSUMED, None, "s3:GetObject", "aws:PrincipalArn", None),
        (ASSUMED, None, "s3:GetObject", "aws:PrincipalType", ("AssumedRole",)),
        (ASSUMED, None, "s3:GetObject", "aws:username", ()),
        ("arn:aws:iam::111122223333:root", None, "s3:GetObject", "aws:PrincipalType", ("Account",)),
        ("arn:aws:iam::111122223333:root", None, "s3:GetObject", "aws:username", ()),
        ("arn:aws:iam::111122223333:group/g", None, "s3:GetObject", "aws:PrincipalType", None),
        ("arn:aws:iam::111122223333:user", None, "s3:GetObject", "aws:username", None),
        ("arn:aws:iam::111122223333:group/g", None, "s3:GetObject", "aws:PrincipalAccount", ("111122223333",)),
        (None, "arn:aws:sqs:eu-west-1:444455556666:q", "sqs:SendMessage", "aws:ResourceAccount", ("444455556666",)),
        (None, "arn:aws:s3:::b", "s3:ListBucket", "aws:ResourceAccount", None),
        (None, "arn:aws:ec2:eu-west-1:444455556666:volume/v", "ec2:CreateVolume", "aws:ResourceAccount", None),
        (None, "arn:aws:ec2:eu-west-1:444455556666:volume/v", "EC2:createvolume", "aws:ResourceAccount", None),
        (None, "arn:aws:ec2:eu-west-1:444455556666:snapshot/s", "ebs:GetSnapshotBlock", "aws:ResourceAccount", None),
    ],
)  # fmt: skip
def test_keys_that_follow_from_the_arns_of_a_request(
    principal: str | None, resource: str | None, action: str, key: str, values: tuple[str, ...] | None
) -> None:
    assert context_of(Request(action, principal=principal), resource).values(key) == values
    # What is given or said to be absent comes before what follows.
    request = Request(action, principal=principal, context={key.upper(): ("x",)}, absent=frozenset({key}))
    assert context_of(request, resource).values(key) == ("x",)
    absent = Request(action, principal=principal, absent=frozenset({key.lower()}))
    assert context_of(absent, resource).values(key) == ()


def test_a_request_whose_tags_are_all_given_has_no_others() -> None:
    tags = {"aws:TagKeys": ("Team", "Env"), "aws:RequestTag/team": ("a",), "aws:RequestTag/ENV": ("b",)}
    assert context_of(Request("ec2:CreateTags", context=tags), None).values("aws:RequestTag/other") == ()
    del tags["aws:RequestTag/ENV"]
    assert context_of(Request("ec2:CreateTags", context=tags), None).values("aws:RequestTag/other") is None
    assert context_of(Request("ec2:CreateTags", context={"aws:TagKeys": ()}), None).values("aws:RequestTag/a") is None
