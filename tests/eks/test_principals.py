"""Who in an account may do something, with AWS's own documents and the smallest beside them."""

from typing import Any

import pytest

from ekstui.eks import principals
from ekstui.eks.account_snapshot import Use
from ekstui.eks.principals import (
    TOO_LARGE,
    Ceiling,
    PrincipalCan,
    PrincipalKind,
    Subject,
    by_cluster_and_use,
    principal_can,
    within_work,
)
from ekstui.iam.document import parse
from ekstui.iam.evaluation import AppliedPolicy
from tests.eks import random_principals
from tests.support.corpus import raw_document
from tests.support.documents import applied_policy, deny
from tests.support.effort import examples
from tests.torture.worst_documents import SHAPES, document

TAGS = "ec2:CreateTags"
CLUSTER = AppliedPolicy("AmazonEKSClusterPolicy", 8, parse(raw_document("AmazonEKSClusterPolicy", 8)))
CNI = AppliedPolicy("AmazonEKS_CNI_Policy", 6, parse(raw_document("AmazonEKS_CNI_Policy", 6)))


def role_with(*policies: AppliedPolicy, boundary: AppliedPolicy | None = None, **fields: Any) -> Subject:
    return Subject("role", "prod", "arn:aws:iam::111122223333:role/prod", policies, boundary=boundary, **fields)


def asked(subject: Subject, action: str = TAGS, resource: str | None = None) -> PrincipalCan:
    answer = principal_can(subject, action, resource)
    assert answer is not None
    return answer


def test_a_plain_grant_is_allowed_through_each_policy_that_has_it() -> None:
    answer = asked(role_with(CLUSTER, CNI))
    assert (answer.verdict, answer.reasons) == ("allowed", ())
    assert [policy.name for policy in answer.through] == ["AmazonEKSClusterPolicy", "AmazonEKS_CNI_Policy"]
    assert principal_can(role_with(CNI), "ec2:RunInstances") is None


def test_a_resource_leaves_what_reaches_it() -> None:
    volume = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"
    assert principal_can(role_with(CNI), TAGS, volume) is None
    assert asked(role_with(CLUSTER), TAGS, volume).verdict == "allowed"


def test_only_what_every_needed_resource_allows_is_allowed() -> None:
    """By the service authorization reference, with its `*` for required resource types."""

    def on(action: str, **resource: str | list[str]) -> tuple[str, tuple[str, ...]]:
        answer = asked(role_with(applied_policy("a", {"Effect": "Allow", "Action": "*", **resource})), action)
        return answer.verdict, answer.reasons

    instances = "arn:aws:ec2:*:*:instance/*"
    assert on("ec2:RunInstances", Resource="*") == ("allowed", ())
    assert on("ec2:RunInstances", Resource="arn:aws:ec2:*:*:*")[0] == "allowed"
    assert on("ec2:RunInstances", Resource=instances) == (
        "depends", ("not on every image, network-interface, security-group or subnet",),
    )  # fmt: skip
    assert on("ec2:TerminateInstances", Resource=instances) == ("allowed", ())
    # What NotResource leaves nothing of is not allowed.
    clusters = "arn:aws:eks:*:*:cluster/*"
    for excluded_resources in ("*", ["arn:aws:s3:::a", clusters]):
        statement = {"Effect": "Allow", "Action": "*", "NotResource": excluded_resources}
        assert principal_can(role_with(applied_policy("a", statement)), "eks:DescribeCluster") is None
    assert on("eks:DescribeCluster", NotResource="arn:aws:eks:*:*:cluster/prod") == ("allowed", ())
    assert on("eks:ListClusters", NotResource=clusters) == ("allowed", ())


def test_a_deny_takes_all_away_and_one_with_a_condition_makes_it_depend() -> None:
    denied_answer = asked(role_with(CLUSTER, applied_policy("guard", deny("ec2:*Tags"))))
    assert (denied_answer.verdict, denied_answer.reasons) == ("taken", ("denied by guard",))
    other_regions = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    partly_denied = asked(role_with(CLUSTER, applied_policy("guard", deny("ec2:*", Condition=other_regions))))
    assert (partly_denied.verdict, partly_denied.reasons) == ("depends", ("guard denies a part",))


def test_a_boundary_takes_away_what_it_does_not_allow() -> None:
    s3_only = applied_policy("edge", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    whole_ec2 = applied_policy("edge", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"})
    volumes_only = applied_policy(
        "edge", {"Effect": "Allow", "Action": "ec2:*", "Resource": "arn:aws:ec2:*:*:volume/*"}
    )
    assert asked(role_with(CLUSTER, boundary=s3_only)).verdict == "taken"
    assert asked(role_with(CLUSTER, boundary=whole_ec2)).verdict == "allowed"
    assert asked(role_with(CLUSTER, boundary=volumes_only)).verdict == "depends"


def test_what_was_not_read_is_not_taken_for_absent() -> None:
    assert asked(role_with(CLUSTER, unread=("own",))).verdict == "depends"
    assert asked(role_with(CLUSTER, boundary_unread=True)).verdict == "depends"


def test_conditions_are_what_it_depends_on() -> None:
    driver = AppliedPolicy("AmazonEBSCSIDriverPolicy", 15, parse(raw_document("AmazonEBSCSIDriverPolicy", 15)))
    answer = asked(role_with(driver))
    assert (answer.verdict, answer.reasons) == ("depends", ("if ec2:CreateAction",))


def test_principals_come_by_cluster_and_use() -> None:
    def used(name: str, *uses: Use) -> PrincipalCan:
        subject = Subject("role", name, None, (CLUSTER,), used_by=uses)
        return asked(subject)

    b, a = Use("nodegroup", "confirmed", "b"), Use("nodegroup", "confirmed", "a")
    answers = by_cluster_and_use([used("z"), used("n", b), used("c", Use("cluster", "confirmed", "b")), used("m", a)])
    assert [principal.subject.name for principal in answers] == ["m", "c", "n", "z"]


VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1"


def test_a_boundary_lets_through_only_what_it_certainly_allows() -> None:
    def within(resource: str | None = None, **statement: Any) -> tuple[str, tuple[str, ...]]:
        edge = applied_policy("edge", {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", **statement})
        answer = asked(role_with(CLUSTER, boundary=edge), TAGS, resource)
        return answer.verdict, answer.reasons

    volumes = "arn:aws:ec2:*:*:volume/*"
    region = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    assert within() == within(VOLUME) == within(VOLUME, Resource=volumes) == ("allowed", ())
    assert within(Condition=region) == within(VOLUME, Condition=region) == ("depends", ("boundary edge",))
    assert within(Resource=VOLUME) == ("depends", ("boundary edge",))
    assert within(VOLUME.replace("volume/vol", "snapshot/snap"), Resource=volumes) == (
        "taken", ("boundary edge does not allow it",),
    )  # fmt: skip
    boundary = applied_policy("edge", {"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::a"})
    assert asked(role_with(CLUSTER, boundary=boundary)).reasons == ("boundary edge",)
    boundary = applied_policy("edge", {"Effect": "Allow", "Action": "*", "Resource": "*"}, deny(TAGS))
    assert asked(role_with(CLUSTER, boundary=boundary)).reasons == ("denied by boundary edge",)
    boundary = applied_policy("edge", {"Effect": "Allow", "Action": "*", "Resource": "*"}, deny(TAGS, Condition=region))
    assert (asked(role_with(CLUSTER, boundary=boundary)).verdict, asked(role_with(CLUSTER, boundary=boundary)).reasons) == (
        "depends", ("boundary edge",),
    )  # fmt: skip


def test_on_one_resource_and_for_a_pattern_of_actions() -> None:
    def on(resource: str | None, action: str = TAGS, **statement: Any) -> str:
        answer = principal_can(
            role_with(applied_policy("a", {"Effect": "Allow", "Action": "ec2:*", **statement})), action, resource
        )
        return "nobody" if answer is None else answer.verdict

    assert on(VOLUME, Resource="arn:aws:ec2:*:*:volume/*") == "allowed"
    assert on(VOLUME, Resource="arn:aws:ec2:*:*:snapshot/*") == "nobody"
    assert on(VOLUME, NotResource="arn:aws:ec2:*:*:snapshot/*") == "allowed"
    assert on(VOLUME, NotResource="arn:aws:ec2:*:*:volume/*") == "nobody"
    assert on("arn:aws:ec2:*:*:volume/*", NotResource=VOLUME) == "depends"
    assert on(None, Resource="arn:aws:ec2:*:*:volume/${aws:userid}") == "depends"  # which may have no value
    assert on(None, Resource="arn:aws:ec2:*:*:volume/${aws:username}") == "nobody"  # which no role has
    assert on(None, "ec2:*Tags", Resource="*") == "allowed"
    # A Deny of a pattern may deny only some of its actions.
    guarded_role = role_with(CLUSTER, applied_policy("guard", deny("ec2:CreateTags")))
    answer = asked(guarded_role, "ec2:Create*")
    assert (answer.verdict, answer.reasons) == ("depends", ("guard denies a part",))


def test_whose_a_policy_is() -> None:
    arns = (None, "arn:aws:iam::aws:policy/a", "arn:aws:iam::1:policy/a")
    owners = [AppliedPolicy("a", 1, parse({"Statement": []}), arn).owner for arn in arns]
    assert owners == ["inline", "AWS managed", "customer managed"]


def test_what_the_action_is_never_used_on_does_not_count() -> None:
    def on(action: str, resources: str | list[str], resource: str | None = None) -> str:
        answer = principal_can(
            role_with(applied_policy("a", {"Effect": "Allow", "Action": action, "Resource": resources})),
            action,
            resource,
        )
        return "nobody" if answer is None else answer.verdict

    assert on("s3:ListBucket", "arn:aws:s3:::b/*") == "nobody"
    assert on("s3:ListBucket", ["arn:aws:s3:::b/*", "arn:aws:s3:::b"]) == "allowed"
    assert on("iam:PassRole", "arn:aws:sqs:*:*:*") == "nobody"
    assert on("dynamodb:GetItem", "arn:aws:dynamodb:::table/x") == "nobody"
    # An action of a service that the reference lacks may be used on anything.
    assert on("zz:Get", "arn:aws:sqs:*:*:*") == "allowed"


def test_who_asks_decides_conditions_on_who_asks() -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    def can(subject: Subject) -> tuple[str, tuple[str, ...]]:
        answer = principal_can(subject, "s3:GetObject")
        return ("nobody", ()) if answer is None else (answer.verdict, answer.reasons)

    def with_(arn: str, *statements: Any, **fields: Any) -> Subject:
        kind: PrincipalKind = "user" if ":user/" in arn else "role"
        return Subject(
            kind,
            arn.rpartition("/")[2],
            arn,
            (applied_policy("p", everything), applied_policy("guard", *statements)),
            **fields,
        )

    def when(effect: str, operator: str, key: str, value: str) -> dict[str, Any]:
        return {"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}

    admin_arn, developer_arn = "arn:aws:iam::111122223333:role/admin", "arn:aws:iam::111122223333:role/other"
    unless_admin = when("Deny", "ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin")
    assert can(with_(admin_arn, unless_admin)) == ("allowed", ())
    assert can(with_(developer_arn, unless_admin)) == ("taken", ("denied by guard",))
    other_accounts_denied = when("Deny", "StringNotEquals", "aws:PrincipalAccount", "111122223333")
    assert can(with_(developer_arn, other_accounts_denied)) == ("allowed", ())
    assert can(with_(developer_arn, when("Deny", "StringEquals", "aws:PrincipalType", "User"))) == ("allowed", ())
    user = "arn:aws:iam::111122223333:user/ada"
    assert can(with_(user, when("Deny", "StringEquals", "aws:username", "ada")))[0] == "taken"
    red_team_only = when("Deny", "StringNotEquals", "aws:PrincipalTag/team", "red")
    assert can(with_(user, red_team_only, tags=(("team", "red"),))) == ("allowed", ())
    assert can(with_(user, red_team_only)) == ("taken", ("denied by guard",))
    # A session of a role may have tags that the role does not have.
    assert can(with_(developer_arn, red_team_only)) == ("depends", ("guard denies a part",))
    own_home = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}
    user_ada = Subject("user", "ada", user, (applied_policy("p", own_home),))
    assert principal_can(user_ada, "s3:GetObject", "arn:aws:s3:::home/bob/a") is None
    answer = principal_can(user_ada, "s3:GetObject", "arn:aws:s3:::home/ada/a")
    assert answer is not None and answer.verdict == "allowed"


def test_what_the_boundary_and_several_denies_leave_nothing_of_is_taken() -> None:
    def on(resource: str, effect: str = "Allow") -> dict[str, Any]:
        return {"Effect": effect, "Action": "s3:GetObject", "Resource": resource}

    a, b = on("arn:aws:s3:::a/*"), on("arn:aws:s3:::b/*")
    assert (
        asked(role_with(applied_policy("p", a), boundary=applied_policy("edge", b)), "s3:GetObject").verdict == "taken"
    )
    assert (
        asked(role_with(applied_policy("p", a), boundary=applied_policy("edge", a, b)), "s3:GetObject").verdict
        == "allowed"
    )
    deny_a, deny_b = (
        applied_policy("one", on("arn:aws:s3:::a/*", "Deny")),
        applied_policy("other", on("arn:aws:s3:::b/*", "Deny")),
    )
    answer = asked(role_with(applied_policy("p", a, b), deny_a, deny_b), "s3:GetObject")
    assert (answer.verdict, answer.reasons) == ("taken", ("denied by one and other",))
    # A Deny of another bucket is nothing to somebody who asks about this one.
    assert asked(role_with(applied_policy("p", a, b), deny_b), "s3:GetObject", "arn:aws:s3:::a/x").verdict == "allowed"
    assert asked(role_with(applied_policy("p", a, b), deny_b), "s3:GetObject").verdict == "allowed"


def test_actions_that_need_no_permission_and_the_root_user() -> None:
    denied_role = role_with(applied_policy("p", deny("*")))
    assert asked(denied_role, "sts:getcalleridentity").verdict == "allowed"
    assert principal_can(denied_role, "sts:GetSessionToken") is None
    user_ada = Subject("user", "ada", "arn:aws:iam::111122223333:user/ada", ())
    assert asked(user_ada, "sts:GetSessionToken").verdict == "allowed"
    assert principal_can(user_ada, "sts:GetFederationToken") is None


def test_random_principals_are_never_contradicted_by_a_request() -> None:
    counts = random_principals.check(20261202, examples(750, in_torture=1_500))
    assert min(counts[verdict] for verdict in ("allowed", "depends", "taken", "nobody")) > 20, counts
    # Whoever could do it in every request that was tried, or in none, is seldom said to depend.
    assert counts["depends, always"] + counts["depends, never"] < counts["depends"] / 3, counts


def test_every_level_of_the_organization_must_allow_it() -> None:
    full_access = applied_policy("full", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    ec2, s3 = (
        applied_policy("some", {"Effect": "Allow", "Action": action, "Resource": "*"}) for action in ("ec2:*", "s3:*")
    )
    guard = applied_policy("guard", deny("ec2:*Tags"))
    region = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    regional_guard = applied_policy("some", deny("ec2:*", Condition=region))

    def under(*levels: tuple[AppliedPolicy, ...]) -> tuple[str, tuple[str, ...]]:
        ceilings = tuple(Ceiling(f"level {place}", policies) for place, policies in enumerate(levels))
        answer = asked(role_with(CLUSTER, above=ceilings))
        return answer.verdict, answer.reasons

    assert under((full_access,), (s3, ec2)) == ("allowed", ())
    assert under((full_access,), (s3,)) == ("taken", ("level 1 does not allow it",))
    assert under((full_access, guard), (full_access,)) == ("taken", ("denied by level 0",))
    assert under((full_access, regional_guard)) == ("depends", ("level 0",))


def test_a_principal_that_the_policy_of_the_resource_names_needs_no_policy_of_its_own() -> None:
    s3_boundary = applied_policy("edge", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    resource_policy = applied_policy("of the resource", {"Effect": "Allow", "Action": "ec2:*", "Resource": VOLUME})
    named_role = role_with(boundary=s3_boundary, named=(resource_policy,))
    assert principal_can(role_with(), TAGS, VOLUME) is None
    assert asked(named_role, TAGS, VOLUME).verdict == "allowed"
    assert asked(named_role._replace(limits_named=True), TAGS, VOLUME).verdict == "taken"
    denied_role = named_role._replace(policies=(applied_policy("own", deny("ec2:*")),))
    assert asked(denied_role, TAGS, VOLUME).reasons == ("denied by own",)
    # Where it must allow it, what the principal has of its own is not enough.
    role_with_ceiling = role_with(
        CLUSTER,
        needed=Ceiling(
            "of the resource",
            (
                applied_policy(
                    "of the resource",
                    *(),
                ),
            ),
        ),
    )
    assert asked(role_with_ceiling, TAGS, VOLUME).reasons == ("of the resource does not allow it",)


def _bucket(number: int) -> str:
    return f"arn:aws:s3:::b{number}*"


def test_more_denies_than_can_be_compared_may_deny_it() -> None:
    """What is too large to decide is unknown, whatever the Denies are; a hundred pairs fewer are decided."""
    allow = [{"Effect": "Allow", "Action": "s3:*", "NotResource": _bucket(n)} for n in range(10)]
    denies = [{"Effect": "Deny", "Action": "s3:*", "NotResource": _bucket(n)} for n in range(200)]
    decided_answer = asked(role_with(applied_policy("few", *allow, *denies[:100], deny("s3:*"))), "s3:GetObject")
    assert (decided_answer.verdict, decided_answer.reasons) == ("taken", ("denied by few",))
    undecided_answer = asked(role_with(applied_policy("many", *allow, *denies, deny("s3:*"))), "s3:GetObject")
    assert (undecided_answer.verdict, undecided_answer.reasons) == ("depends", ("many may deny it",))


def test_past_the_work_of_a_question_the_largest_are_left_open_and_the_rest_is_decided_as_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roles = [
        role_with(AppliedPolicy(shape, None, parse(document(shape, 300 + 150 * place))))._replace(
            name=f"{shape} {copy}"
        )
        for place, shape in enumerate(SHAPES)
        for copy in (1, 2)
    ]
    answers_before = {role.name: principal_can(role, "s3:GetObject") for role in roles}
    monkeypatch.setattr(principals, "MAX_WORK", 400)
    left_open: set[str] = set()
    for role in within_work(roles, "s3:GetObject"):
        can, before = principal_can(role, "s3:GetObject"), answers_before[role.name]
        if can is not None and TOO_LARGE in can.reasons:
            assert (can.verdict, [policy.name for policy in can.through]) == ("depends", [role.name[:-2]])
            left_open.add(role.name)
        elif can is None or before is None:
            assert can is before
        else:
            assert (can.verdict, can.reasons) == (before.verdict, before.reasons)
    # Equal documents are decided once, so both or none of their roles are.
    assert {name[:-2] for name in left_open if name.endswith("1")} == {
        name[:-2] for name in left_open if name.endswith("2")
    }
    assert 4 <= len(left_open) < len(roles) - 4
    monkeypatch.setattr(principals, "MAX_WORK", 1)
    (single_role,) = within_work([roles[-1]], "s3:GetObject")
    assert principal_can(single_role, "s3:GetObject") is not None
    assert not single_role.is_too_large


def test_conditions_on_who_asks_are_left_open_where_they_are_too_many() -> None:
    def statements(count: int) -> list[dict[str, Any]]:
        names = [f"arn:aws:iam::*:role/{n}" for n in range(count)]
        return [
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": name}}}
            for name in names
        ]

    assert principal_can(role_with(applied_policy("few", *statements(20))), "s3:GetObject") is None
    answer_of_many = asked(role_with(applied_policy("many", *statements(40))), "s3:GetObject")
    assert (answer_of_many.verdict, answer_of_many.reasons) == ("depends", ("if aws:PrincipalArn",))


def test_what_one_role_may_do_says_nothing_of_another_with_the_same_policy() -> None:
    own_team = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}-*", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/prod"}}}  # fmt: skip
    policy = applied_policy("same", own_team)
    assert asked(role_with(policy), "s3:GetObject").verdict == "depends"
    assert principal_can(role_with(policy)._replace(arn="arn:aws:iam::111122223333:role/dev"), "s3:GetObject") is None
