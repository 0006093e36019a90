"""What decides a request, and which statements are nearest to it.

The documents are the smallest that show a rule; the rules are those of the IAM User Guide, "Policy evaluation logic".
"""

from typing import Any

import pytest

from ekstui.denial.answer import Policies
from ekstui.denial.deciding import cause_in_words, decide, nearest_statements, other_resource_types
from ekstui.denial.message import Cause, Denial
from ekstui.iam.evaluation import Organization, PolicyLevel, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from tests.denial.subjects import ACCOUNT, BUCKET, GET, NO_ALLOW, SESSION, SNAPSHOT, TAGGED, VOLUME, managed_policy
from tests.support.documents import allow, deny


def nearest(request: Request, *statements: dict[str, Any]) -> list[str | None]:
    """The Sids of the nearest statements, best first."""
    evaluation = evaluate(request, (managed_policy(*statements),), reference=reference())
    return [
        result.statement.sid
        for result in nearest_statements(evaluation.decisive.statements, evaluation.verdict, request.action)
    ]


ELSEWHERE: dict[str, Any] = {"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}
"""A condition that does not hold."""


def test_the_statement_that_decides_is_first_and_then_those_that_nearly_do() -> None:
    assert nearest(
        GET,
        allow("s3:GetObjects", Sid="similar"),
        allow("s3:GetObject", "arn:aws:s3:::other/*", Sid="resource", **ELSEWHERE),
        allow("s3:GetObject", **ELSEWHERE, Sid="condition"),
        allow("s3:GetObject", "arn:aws:s3:::other/*", Sid="only-resource"),
        allow("s3:GetObject", Sid="may", Condition={"StringEquals": {"aws:PrincipalTag/a": "a", "aws:PrincipalTag/b": "b"}}),
        allow("s3:GetObject", **TAGGED, Sid="may-sooner"),
        deny("s3:GetObject", **TAGGED, Sid="may-deny"),
        deny("s3:GetObject", Sid="denies"),
        deny("s3:PutObject", Sid="another"),
    ) == ["denies", "may-deny", "may-sooner", "may", "condition"]  # fmt: skip
    assert nearest(
        GET,
        allow("s3:GetObject", "arn:aws:s3:::other/*", Sid="both", **ELSEWHERE),
        allow("s3:GetObject", "arn:aws:s3:::other/*", Sid="resource"),
        allow("s3:GetObject", **ELSEWHERE, Sid="condition"),
        allow("s3:GetObjectAcl", Sid="similar"),
    ) == ["condition", "resource", "both"]


def test_statements_about_similar_actions_are_shown_only_if_none_is_about_the_action() -> None:
    similar = [
        allow("s3:GetObjectVersionAcl", Sid="far"),
        allow("s3:GetObjects", Sid="near"),
        allow("ec2:GetObject", Sid="another-service"),
        allow("s3:ListAllMyBuckets", Sid="unlike"),
        {"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*", "Sid": "all-but"},
        allow("s3:GetObjects", "arn:aws:s3:::other/*", Sid="near-elsewhere"),
        deny("s3:GetObjects", Sid="denies-another"),
    ]
    assert nearest(GET, *similar) == ["near", "far", "near-elsewhere"]
    assert nearest(GET, *similar, allow("s3:GetObject", "arn:aws:s3:::other/*", Sid="it")) == ["it"]


def test_at_most_five_statements_are_shown() -> None:
    allowing_statements = [allow("s3:*", Sid=f"s{number}") for number in range(7)]
    assert nearest(GET, *allowing_statements) == ["s0", "s1", "s2", "s3", "s4"]
    # Of an allowed request, only what allows it.
    assert nearest(GET, deny("s3:PutObject", Sid="no"), allow("ec2:*", Sid="other"), *allowing_statements[:1]) == ["s0"]
    near_statements = [allow("s3:GetObject", "arn:aws:s3:::other/*", Sid=f"s{number}") for number in range(7)]
    assert nearest(GET, *near_statements) == ["s0", "s1", "s2", "s3", "s4"]


def wanted(request: Request, statement: dict[str, Any]) -> tuple[str, ...]:
    """What the nearest statement wants in the part that fails first."""
    evaluation = evaluate(request, (managed_policy(statement),), reference=reference())
    return nearest_statements(evaluation.decisive.statements, evaluation.verdict, request.action)[0].failed[0].wanted


def test_of_a_long_list_the_five_most_similar_values_are_shown_in_their_order() -> None:
    names = [
        "ListBucket",
        "GetObjectAcl",
        "PutObject",
        "GetObjectTagging",
        "GetObjects",
        "GetObjectVersion",
        "CreateJob",
    ]
    similar = tuple(
        f"s3:{name}" for name in ["GetObjectAcl", "PutObject", "GetObjectTagging", "GetObjects", "GetObjectVersion"]
    )
    assert wanted(GET, allow([f"s3:{name}" for name in names])) == similar
    assert wanted(GET, allow([f"s3:{name}" for name in names[:5]])) == tuple(f"s3:{name}" for name in names[:5])
    buckets = [f"arn:aws:s3:::{name}/*" for name in ("a", "LOG", "logs-1", "x", "logs-2", "logger", "logs")]
    request = Request("s3:GetObject", ("arn:aws:s3:::log-archive/a",), SESSION)
    assert wanted(request, allow("s3:GetObject", buckets)) == tuple(buckets[number] for number in (1, 2, 4, 5, 6))
    # The values of a condition are all shown: any of them would do.
    values = [f"o-{number}" for number in range(9)]
    assert wanted(GET, allow("s3:*", Condition={"StringEquals": {"aws:PrincipalOrgID": values}})) == tuple(values)


MAY_DENY = Organization((PolicyLevel(None, (managed_policy(allow("*", Sid="a"), deny("s3:*", Sid="b", **TAGGED)),)),))
"""Service control policies that may deny a request."""

CREATE = "ec2:CreateVolume"
OWNED: dict[str, Any] = {"Condition": {"StringLike": {"aws:RequestTag/ebs.csi.aws.com/cluster": "true"}}}
TAG = {"aws:RequestTag/ebs.csi.aws.com/cluster": ("true",)}


@pytest.mark.parametrize(
    ("cause", "policies", "verdict", "is_judged", "statements"),
    [
        # Nothing is known: the message decides, and without one nothing does.
        (NO_ALLOW, Policies(), "implicit-deny", False, []),
        (None, Policies(), "implicit-deny", False, []),
        ("none", Policies(), "depends", False, []),
        ("none", Policies(identity_known=True), "implicit-deny", True, []),
        # The message's reason cannot be changed by an identity policy.
        (Cause("service-control", explicit=True), Policies((managed_policy(allow("s3:*", Sid="a")),)), "explicit-deny", False, []),
        (Cause("boundary", explicit=False), Policies((managed_policy(allow("s3:*", Sid="a")),), managed_policy(allow("ec2:*", Sid="b"), deny("s3:*", Sid="c"))),
         "implicit-deny", False, ["b"]),
        (Cause("session", explicit=True), Policies((managed_policy(deny("s3:*", Sid="a")),), None, (managed_policy(allow("ec2:*", Sid="b"), deny("s3:*", Sid="c")),)),
         "explicit-deny", False, ["c"]),
        (Cause("identity", explicit=True), Policies((managed_policy(allow("s3:*", Sid="a"), deny("s3:*", Sid="b")),)), "explicit-deny", False, ["b"]),
        (Cause(None, explicit=True), Policies((managed_policy(deny("s3:*", Sid="a")),), managed_policy(deny("s3:*", Sid="b"))), "explicit-deny", False, ["a", "b"]),
        # The policies decide, by the layer that denies.
        (NO_ALLOW, Policies((managed_policy(allow("s3:*", Sid="a")),), managed_policy(allow("ec2:*", Sid="b"))), "implicit-deny", True, ["b"]),
        ("none", Policies((managed_policy(allow("s3:*", Sid="a")),), managed_policy(allow("s3:*", Sid="b"))), "allowed", True, ["a", "b"]),
        ("none", Policies((managed_policy(allow("ec2:*", Sid="a")),), managed_policy(allow("s3:*", Sid="b"))), "implicit-deny", True, ["a"]),
        # Of the organization alone, what is open the message knows; its Deny is shown if the message names one.
        (NO_ALLOW, Policies(organization=MAY_DENY), "implicit-deny", False, []),
        (None, Policies(organization=MAY_DENY), "implicit-deny", False, []),
        (Cause("service-control", explicit=True), Policies(organization=MAY_DENY), "explicit-deny", False, ["b"]),
        # What the caller's own policies leave open stays open: they may not be all.
        (NO_ALLOW, Policies((managed_policy(allow("s3:*", Sid="a", **TAGGED)),)), "depends", True, ["a"]),
    ],
)  # fmt: skip
def test_what_decides_a_request(
    cause: Cause | str | None, policies: Policies, verdict: str, is_judged: bool, statements: list[str]
) -> None:
    denial = None if cause == "none" else Denial("s3:GetObject", f"{BUCKET}/a", cause=cause)  # type: ignore[arg-type]
    decision = decide(GET, policies, denial)
    assert (decision.verdict, decision.is_judged) == (verdict, is_judged)
    assert [result.statement.sid for result in decision.statements] == statements
    is_limited = verdict != "allowed" and (is_judged and policies.boundary is not None and statements == ["b"])
    by_message = isinstance(cause, Cause) and cause != NO_ALLOW
    assert decision.is_by_message is by_message
    assert decision.is_decided_outside_identity_policies is (is_limited or by_message)


def test_a_resource_that_a_message_leaves_out_may_be_what_is_denied() -> None:
    """Service Authorization Reference: ec2:RunInstances needs a subnet and more; s3:GetObject needs an object alone."""
    policies = Policies((managed_policy(allow("*", "arn:aws:ec2:*:*:instance/*"), allow("s3:*")),))
    run = Request("ec2:RunInstances", (f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*",), SESSION)

    def verdict(request: Request, resource: str | None) -> tuple[str, tuple[str, ...]]:
        decision = decide(request, policies, Denial(request.action, resource))
        return decision.verdict, decision.missing

    assert verdict(run, None) == ("depends", ("resource",))
    assert verdict(run, run.resources[0]) == ("allowed", ())
    assert verdict(GET, None) == ("allowed", ())
    assert decide(run, policies, None).verdict == "allowed"


def test_which_other_types_of_resource_a_call_has() -> None:
    """Service Authorization Reference: types that are needed have a star there."""

    def others(action: str, *resources: str) -> dict[str, bool]:
        return {use.name: use.required for use in other_resource_types(Request(action, resources))}

    assert others(CREATE, VOLUME) == {"snapshot": False}
    assert others(CREATE, SNAPSHOT) == {"volume": True}
    assert others(CREATE, SNAPSHOT, VOLUME) == {}
    assert others("eks:DescribeCluster") == others("ecr:GetAuthorizationToken") == others("nosuch:Action") == {}
    # Of the many of ec2:RunInstances the needed ones, of the hundred of ec2:CreateTags none.
    other_types = others("ec2:RunInstances")
    assert set(other_types.values()) == {True}
    assert {"image", "instance", "network-interface"} <= other_types.keys()
    assert others("ec2:CreateTags") == {}


@pytest.mark.parametrize(
    ("statements", "request_", "verdict", "tag_keys_of_new_resource"),
    [
        # The tags of the volume that is made do not count for the snapshot (kubernetes-sigs/aws-ebs-csi-driver#2190).
        ([allow(CREATE, **OWNED)], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "depends", list(TAG)),
        ([allow(CREATE, **OWNED)], Request(CREATE, (VOLUME,), SESSION, TAG), "allowed", []),
        ([allow(CREATE, **OWNED)], Request(CREATE, ("*",), SESSION, TAG), "allowed", []),
        # Something else allows it.
        ([allow(CREATE, **OWNED), allow(CREATE)], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "allowed", list(TAG)),
        ([allow("ec2:DeleteVolume"), allow(CREATE, **OWNED)], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "depends", list(TAG)),
        # A condition that holds without its key loses nothing, nor does a Deny.
        ([allow(CREATE, Condition={"StringLikeIfExists": OWNED["Condition"]["StringLike"]})], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "allowed", []),
        ([allow(CREATE), deny(CREATE, **OWNED)], Request(CREATE, (SNAPSHOT,), SESSION, {"aws:RequestTag/ebs.csi.aws.com/cluster": ("no",)}), "allowed", []),
        # To tag what is there is another matter, and so is another service or a call that makes nothing.
        ([allow("ec2:CreateTags", **OWNED)], Request("ec2:CreateTags", (SNAPSHOT,), SESSION, TAG), "allowed", []),
        ([allow("ec2:DeleteVolume", **OWNED)], Request("ec2:DeleteVolume", (SNAPSHOT,), SESSION, TAG), "allowed", []),
        # A statement about another action, or that fails for something else, decides nothing.
        ([allow("ec2:CreateVolumes", **OWNED)], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "implicit-deny", []),
        ([allow(CREATE, "arn:aws:ec2:*:*:volume/*", **OWNED)], Request(CREATE, (SNAPSHOT,), SESSION, TAG), "implicit-deny", []),
    ],
)  # fmt: skip
def test_tags_of_what_a_call_makes_are_no_tags_of_what_it_uses(
    statements: list[dict[str, Any]], request_: Request, verdict: str, tag_keys_of_new_resource: list[str]
) -> None:
    denial = Denial(request_.action, request_.resources[0], cause=NO_ALLOW)
    decision = decide(request_, Policies((managed_policy(*statements),)), denial)
    assert list(decision.tag_keys_of_new_resource) == tag_keys_of_new_resource
    # Where the tags are not known to be those of the resource, nothing more certain than this may be said.
    assert decision.verdict == verdict
    assert decide(request_, Policies((managed_policy(*statements),)), None).tag_keys_of_new_resource == ()


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (Cause("boundary", explicit=False), "no permissions boundary allows it"),
        (Cause("boundary", explicit=True), "an explicit deny in a permissions boundary:"),
        (Cause("identity", explicit=True), "an explicit deny in an identity policy:"),
        (Cause("trust", explicit=True), "an explicit deny in the trust policy of the role:"),
        (Cause("trust", explicit=False), "the trust policy of the role does not allow it"),
        (
            Cause("service-control", explicit=True, policy="arn:p"),
            "an explicit deny in a service control policy (arn:p):",
        ),
        (
            Cause("resource", explicit=False, is_one_of_several=True),
            "whether no resource policy allows it, one denies it, or",
        ),
    ],
)
def test_a_cause_in_words(cause: Cause, words: str) -> None:
    assert words in cause_in_words(cause)
