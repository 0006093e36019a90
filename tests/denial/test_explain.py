"""What an explanation consists of: the statements that decide, what would help, and how both are said.

The documents are the smallest that show a rule; the rules are those of the IAM User Guide, "Policy evaluation logic" and
"Troubleshoot access denied error messages".
"""

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.change.holders import Since
from ekstui.change.policy import Policy, VersionInfo
from ekstui.denial.answer import (
    Allower,
    Explanation,
    NewerVersion,
    OldCopy,
    Policies,
    statement_in_words,
)
from ekstui.denial.deciding import cause_in_words, decide, nearest_statements, other_resource_types
from ekstui.denial.explain import explain, explain_symptom
from ekstui.denial.message import Cause, Denial
from ekstui.denial.own_statement import smallest_statement
from ekstui.denial.purpose import (
    NODE_ROLES,
    POD_ROLES,
    UNKNOWN_PURPOSE,
    CandidatePolicy,
    Purpose,
    components_of,
    controllers_calling,
    fit_of,
    is_call_of_node,
    policies_of_component,
    purpose_by_signs,
)
from ekstui.denial.question import Question, asked, check_arn, is_arn_or_star, parse_context
from ekstui.denial.remedies import MAX_ALLOWERS, allowers, newer_release, newer_version
from ekstui.errors import InputError
from ekstui.iam.document import Statement
from ekstui.iam.evaluation import AppliedPolicy, Failure, LayerEvaluation, StatementResult, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge
from ekstui.present.explanation import behind_in_words, failure_in_words, newer_in_words, since_in_words
from ekstui.present.verdicts import verdict_in_words
from tests.support.documents import allow, deny, parsed

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"
BUCKET = "arn:aws:s3:::logs"
REGION = {"aws:RequestedRegion": ("eu-west-1",)}
GET = Request("s3:GetObject", (f"{BUCKET}/a",), SESSION, REGION)


def applied(*statements: dict[str, Any], name: str = "own", version: int | None = None) -> AppliedPolicy:
    return AppliedPolicy(name, version, parsed(*statements), f"arn:aws:iam::aws:policy/{name}")


# Which statements decide


def nearest(request: Request, *statements: dict[str, Any]) -> list[str | None]:
    """The Sids of the nearest statements, best first."""
    found = evaluate(request, (applied(*statements),), reference=reference())
    return [
        result.statement.sid for result in nearest_statements(found.decisive.statements, found.verdict, request.action)
    ]


TAGGED: dict[str, Any] = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}
"""A condition on what is not known."""
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
    giving = [allow("s3:*", Sid=f"s{number}") for number in range(7)]
    assert nearest(GET, *giving) == ["s0", "s1", "s2", "s3", "s4"]
    # Of an allowed request, only what allows it.
    assert nearest(GET, deny("s3:PutObject", Sid="no"), allow("ec2:*", Sid="other"), *giving[:1]) == ["s0"]
    refused = [allow("s3:GetObject", "arn:aws:s3:::other/*", Sid=f"s{number}") for number in range(7)]
    assert nearest(GET, *refused) == ["s0", "s1", "s2", "s3", "s4"]


def wanted(request: Request, statement: dict[str, Any]) -> tuple[str, ...]:
    """What the nearest statement wants in the part that fails first."""
    found = evaluate(request, (applied(statement),), reference=reference())
    return nearest_statements(found.decisive.statements, found.verdict, request.action)[0].failed[0].wanted


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


SNAPSHOT = "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0"
VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/*"
CREATE = "ec2:CreateVolume"
OWNED: dict[str, Any] = {"Condition": {"StringLike": {"aws:RequestTag/ebs.csi.aws.com/cluster": "true"}}}
NO_ALLOW = Cause("identity", explicit=False)
TAG = {"aws:RequestTag/ebs.csi.aws.com/cluster": ("true",)}


@pytest.mark.parametrize(
    ("cause", "policies", "verdict", "judged", "statements"),
    [
        # Nothing is known: the message decides, and without one nothing does.
        (NO_ALLOW, Policies(), "implicit-deny", False, []),
        (None, Policies(), "implicit-deny", False, []),
        ("none", Policies(), "depends", False, []),
        ("none", Policies(identity_known=True), "implicit-deny", True, []),
        # The message's reason cannot be changed by an identity policy.
        (Cause("service-control", explicit=True), Policies((applied(allow("s3:*", Sid="a")),)), "explicit-deny", False, []),
        (Cause("boundary", explicit=False), Policies((applied(allow("s3:*", Sid="a")),), applied(allow("ec2:*", Sid="b"), deny("s3:*", Sid="c"))),
         "implicit-deny", False, ["b"]),
        (Cause("session", explicit=True), Policies((applied(deny("s3:*", Sid="a")),), None, (applied(allow("ec2:*", Sid="b"), deny("s3:*", Sid="c")),)),
         "explicit-deny", False, ["c"]),
        (Cause("identity", explicit=True), Policies((applied(allow("s3:*", Sid="a"), deny("s3:*", Sid="b")),)), "explicit-deny", False, ["b"]),
        (Cause(None, explicit=True), Policies((applied(deny("s3:*", Sid="a")),), applied(deny("s3:*", Sid="b"))), "explicit-deny", False, ["a", "b"]),
        # The policies decide, by the layer that denies.
        (NO_ALLOW, Policies((applied(allow("s3:*", Sid="a")),), applied(allow("ec2:*", Sid="b"))), "implicit-deny", True, ["b"]),
        ("none", Policies((applied(allow("s3:*", Sid="a")),), applied(allow("s3:*", Sid="b"))), "allowed", True, ["a", "b"]),
        ("none", Policies((applied(allow("ec2:*", Sid="a")),), applied(allow("s3:*", Sid="b"))), "implicit-deny", True, ["a"]),
    ],
)  # fmt: skip
def test_what_decides_a_request(
    cause: Cause | str | None, policies: Policies, verdict: str, judged: bool, statements: list[str]
) -> None:
    denial = None if cause == "none" else Denial("s3:GetObject", f"{BUCKET}/a", cause=cause)  # type: ignore[arg-type]
    decision = decide(GET, policies, denial)
    assert (decision.verdict, decision.is_judged) == (verdict, judged)
    assert [result.statement.sid for result in decision.statements] == statements
    limited = verdict != "allowed" and (judged and policies.boundary is not None and statements == ["b"])
    by_message = isinstance(cause, Cause) and cause != NO_ALLOW
    assert decision.is_by_message is by_message
    assert decision.is_decided_outside_identity_policies is (limited or by_message)


def test_a_resource_that_a_message_leaves_out_may_be_what_is_denied() -> None:
    """Service Authorization Reference: ec2:RunInstances needs a subnet and more; s3:GetObject needs an object alone."""
    policies = Policies((applied(allow("*", "arn:aws:ec2:*:*:instance/*"), allow("s3:*")),))
    run = Request("ec2:RunInstances", (f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/*",), SESSION)

    def verdict(request: Request, named: str | None) -> tuple[str, tuple[str, ...]]:
        decision = decide(request, policies, Denial(request.action, named))
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
    needed = others("ec2:RunInstances")
    assert set(needed.values()) == {True}
    assert {"image", "instance", "network-interface"} <= needed.keys()
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
    decision = decide(request_, Policies((applied(*statements),)), denial)
    assert list(decision.tag_keys_of_new_resource) == tag_keys_of_new_resource
    # Where the tags are not known to be those of the resource, nothing more certain than this may be said.
    assert decision.verdict == verdict
    assert decide(request_, Policies((applied(*statements),)), None).tag_keys_of_new_resource == ()


# What would help


def candidate(
    name: str,
    *versions: list[dict[str, Any]],
    scope: str = "eks",
    arn: str | None = None,
    home: str | None = None,
    withdrawn: bool = False,
    superseded: bool = False,
    meant_for: tuple[str, ...] = (),
    default: int | None = None,
) -> CandidatePolicy:
    """A policy whose versions have these statements, the last the default."""
    infos = tuple(
        VersionInfo(number, datetime(2020 + number, 1, 1, tzinfo=UTC)) for number in range(1, len(versions) + 1)
    )
    policy = Policy(name, arn or f"arn:aws:iam::aws:policy/{name}", default or len(versions), infos, withdrawn, home)
    documents = {number: parsed(*statements) for number, statements in enumerate(versions, 1)}
    return CandidatePolicy(policy, documents, scope, superseded, meant_for)  # type: ignore[arg-type]


def offered(*candidates: CandidatePolicy, request: Request = GET, purpose: Purpose = UNKNOWN_PURPOSE) -> list[str]:
    return [allower.policy for allower in allowers(request, candidates, purpose)[0]]


MAY: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
"""A condition on what is not known of the resource."""
READ = [allow("s3:GetObject")]


def test_the_policies_that_would_help_are_those_that_can_be_attached() -> None:
    roles = "arn:aws:iam::aws:policy/aws-service-role/linked"
    assert offered(
        candidate("reads", READ),
        candidate("linked", READ, arn=roles),
        candidate("gone", READ, withdrawn=True),
        candidate("writes", [allow("s3:PutObject")]),
        candidate("denies", [*READ, deny("s3:*")]),
        candidate("may", [allow("s3:GetObject", **MAY)]),
    ) == ["reads", "may"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # What is made for what the principal runs, then for its kind of role, then what nothing is known of.
        (candidate("own", READ, scope="all"), candidate("kind", READ, meant_for=("node role",))),
        (candidate("kind", READ, scope="all", meant_for=("node role",)), candidate("x", READ)),
        (candidate("x", [allow("*")], scope="all", meant_for=("node role",)), candidate("b", READ)),
        # Then AWS's for EKS, those of projects, and all others.
        (candidate("a", [allow("*")]), candidate("p", READ, scope="all", arn="published:p", home="https://p.example")),
        (candidate("p", [allow("*")], scope="all", arn="published:p", home="https://p.example"), candidate("b", READ, scope="all")),
        # Then one that names the action.
        (candidate("a", [allow("s3:Get*")], superseded=True), candidate("b", [allow("s3:*")])),
        (candidate("a", [allow("s3:Get*")], superseded=True), candidate("b", [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}])),
        # Then one that nothing supersedes, the narrower one, and the more certain one.
        (candidate("a", [allow("s3:Get*")]), candidate("b", READ, superseded=True)),
        (candidate("a", READ), candidate("b", [allow(["s3:GetObject", "s3:PutObject"])])),
        (candidate("a", [*READ, deny("ec2:*")]), candidate("b", [allow(["s3:GetObject", "s3:PutObject"])])),
        (candidate("a", [allow("s3:GetObject", **MAY)]), candidate("b", [allow("s3:Get*")])),
        (candidate("a", READ), candidate("b", [allow("s3:GetObject", **MAY)])),
        # Outside EKS every pattern counts like a small service, and all but some as more than any.
        (candidate("a", [allow(["s3:GetObject", "s3:PutObject"])], scope="all"), candidate("b", [allow("s3:Get*")], scope="all")),
        (candidate("a", [allow("*")], scope="all"), candidate("b", [{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], scope="all")),
        (candidate("a", [*READ, allow("iam:*")], scope="all"), candidate("b", [*READ, {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}], scope="all")),
    ],
)  # fmt: skip
def test_the_policies_that_would_help_are_ranked(first: CandidatePolicy, second: CandidatePolicy) -> None:
    purpose = Purpose(True, frozenset({"node role"}), frozenset({"own"}))
    expected = [first.policy.name, second.policy.name]
    assert offered(first, second, purpose=purpose) == offered(second, first, purpose=purpose) == expected


def test_a_policy_made_for_the_caller_that_only_may_help_comes_after_those_that_do() -> None:
    purpose = Purpose(True, frozenset({"node role"}), frozenset({"mine", "doubtful"}))
    may = candidate("doubtful", [allow("s3:GetObject", **MAY)])
    assert offered(may, candidate("mine", [allow("*")], scope="all"), candidate("b", READ), purpose=purpose) == [
        "mine", "doubtful", "b",
    ]  # fmt: skip


def test_at_most_fifteen_policies_are_offered_and_the_others_counted() -> None:
    many = [candidate(f"p{number}", READ) for number in range(18)]
    shown, more = allowers(GET, many, UNKNOWN_PURPOSE)
    assert (len(shown), more) == (15, 3) == (MAX_ALLOWERS, 3)
    assert allowers(GET, many[:15], UNKNOWN_PURPOSE)[1] == 0


def test_what_is_said_of_a_policy_that_would_help() -> None:
    (published,), _ = allowers(
        GET, [candidate("p", READ, arn="published:p", home="https://p.example")], UNKNOWN_PURPOSE
    )
    assert (published.arn, published.published, published.wildcard) == (None, True, False)
    (wild,), _ = allowers(GET, [candidate("a", [allow("*")])], UNKNOWN_PURPOSE)
    assert (wild.arn, wild.published, wild.wildcard, wild.fit) == ("arn:aws:iam::aws:policy/a", False, True, "unknown")
    # It is the statement that allows it that counts, not a wildcard in another.
    (named,), _ = allowers(GET, [candidate("a", [allow("ec2:*"), *READ, deny("s3:Put*")])], UNKNOWN_PURPOSE)
    assert not named.wildcard
    (both,), _ = allowers(GET, [candidate("a", [allow("s3:*"), *READ])], UNKNOWN_PURPOSE)
    assert not both.wildcard
    (listed,), _ = allowers(GET, [candidate("a", [allow(["S3:*", "s3:PutObject"])])], UNKNOWN_PURPOSE)
    assert listed.wildcard


@pytest.mark.parametrize(
    ("versions", "since"),
    [
        ([READ], 1),
        ([[allow("s3:PutObject")], READ, READ], 2),
        # A gap ends the run.
        ([READ, [allow("s3:PutObject")], READ], 3),
        # A version that allows it for certain belongs to the run of one that may.
        ([READ, [allow("s3:GetObject", **MAY)]], 1),
        # One that only may is not of the run of one that certainly does.
        ([[allow("s3:GetObject", **MAY)], READ], 2),
        # The conditions are the same, or more than one way leads there.
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY)]], 1),
        ([[allow("s3:GetObject", **MAY), allow("s3:GetObject", **TAGGED)], [allow("s3:GetObject", **MAY)]], 1),
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY), allow("s3:GetObject", **TAGGED)]], 2),
        ([[allow("s3:GetObject", **TAGGED)], [allow("s3:GetObject", **MAY)]], 2),
        # A Deny or a statement about another action is no way.
        ([[allow("s3:GetObject", **MAY)], [allow("s3:GetObject", **MAY), allow("s3:PutObject", **TAGGED)]], 1),
    ],
)
def test_since_when_a_policy_helps(versions: list[list[dict[str, Any]]], since: int) -> None:
    (found,), _ = allowers(GET, [candidate("a", *versions)], UNKNOWN_PURPOSE)
    assert found.since == Since(since, datetime(2020 + since, 1, 1, tzinfo=UTC), at_latest=False)


NONE = [allow("s3:PutObject")]
PERHAPS = [allow("s3:GetObject", **MAY)]
PERHAPS_BOTH = [
    allow("s3:GetObject", Condition={"StringEquals": {"aws:ResourceTag/team": "a", "aws:PrincipalTag/team": "a"}})
]


@pytest.mark.parametrize(
    ("versions", "current", "default", "newer", "missing"),
    [
        ([NONE, READ], 1, None, 2, ()),
        ([NONE, NONE, READ, READ], 1, None, 3, ()),
        ([NONE, READ, NONE, READ], 1, None, 4, ()),
        ([NONE, READ], 2, None, None, ()),
        # Only up to the version that AWS has made the default.
        ([NONE, NONE, READ], 1, 2, None, ()),
        ([NONE, PERHAPS], 1, None, 2, ("aws:ResourceTag/team",)),
        ([NONE, PERHAPS, READ], 1, None, 3, ()),
        # What depends already gains nothing from what depends, but from what does not.
        ([PERHAPS, PERHAPS], 1, None, None, ()),
        ([PERHAPS, READ], 1, None, 2, ()),
        # An older version that depends on more is not the one to name.
        ([NONE, PERHAPS_BOTH, PERHAPS], 1, None, 3, ("aws:ResourceTag/team",)),
        ([NONE, PERHAPS, PERHAPS_BOTH], 1, None, 2, ("aws:ResourceTag/team",)),
    ],
)  # fmt: skip
def test_a_newer_version_that_helps(
    versions: list[list[dict[str, Any]]], current: int, default: int | None, newer: int | None, missing: tuple[str, ...]
) -> None:
    known = candidate("a", *versions, default=default)
    in_force = applied(*versions[current - 1], name="a", version=current)
    found = newer_version(GET, (in_force,), [known])
    assert (found and (found.current, found.version, found.missing)) == (newer and (current, newer, missing))
    assert newer_version(GET, (in_force._replace(arn="arn:aws:iam::aws:policy/b"),), [known]) is None
    assert newer_version(GET, (in_force._replace(version=None),), [known]) is None


def test_of_the_newer_versions_of_two_policies_the_one_that_certainly_helps_is_named() -> None:
    may, does = candidate("a", NONE, PERHAPS), candidate("b", NONE, READ)
    both = (applied(*NONE, name="a", version=1), applied(*NONE, name="b", version=1))
    for identity in (both, both[::-1]):
        found = newer_version(GET, identity, [may, does])
        assert found is not None
        assert (found.policy, found.version) == ("b", 2)


@pytest.mark.parametrize(
    ("versions", "newer"),
    [
        ([PERHAPS, PERHAPS], None),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 2),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 2),
        # What came and went helps nobody.
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], PERHAPS], None),
        ([PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)], PERHAPS, [*PERHAPS, allow("s3:GetObject", **TAGGED)]], 4),
        ([PERHAPS, [*PERHAPS, deny("s3:GetObject", **TAGGED)]], None),
        ([NONE, NONE, READ], 3),
    ],
)  # fmt: skip
def test_a_newer_release_with_another_way_to_be_allowed(
    versions: list[list[dict[str, Any]]], newer: int | None
) -> None:
    found = newer_release(GET, candidate("a", *versions), 1)
    assert (found and found.version) == newer


def smallest(request: Request, *statements: dict[str, Any], name: str | None = None) -> Statement:
    evaluation = evaluate(request, (applied(*statements),), reference=reference()) if statements else None
    near = (
        ()
        if evaluation is None
        else nearest_statements(evaluation.decisive.statements, evaluation.verdict, request.action)
    )
    return smallest_statement(request, evaluation, near, name)


def test_the_smallest_statement_allows_what_is_not_allowed_yet_and_no_more() -> None:
    two = Request("s3:GetObject", (f"{BUCKET}/a", f"{BUCKET}/b"), SESSION)
    assert smallest(two, allow("s3:GetObject", f"{BUCKET}/a")).resources == (f"{BUCKET}/b",)
    assert smallest(two).resources == two.resources
    assert smallest(two, allow("s3:PutObject")).conditions == ()
    # It has the conditions of the nearest one only where that refuses tags.
    keys = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    tagging = Request("ec2:CreateTags", (SNAPSHOT,), SESSION, REGION | {"aws:TagKeys": ("b",)})
    found = smallest(tagging, allow("ec2:*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), allow("ec2:CreateTags", Condition=keys))  # fmt: skip
    assert found.conditions == ()
    found = smallest(tagging, allow("ec2:CreateTags", Condition=keys))
    assert [(condition.operator, condition.key, condition.values) for condition in found.conditions] == [
        ("StringEquals", "aws:RequestedRegion", ("eu-west-1",))
    ]
    refused = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    assert smallest(tagging, allow("ec2:CreateTags", Condition=refused)).conditions == ()


@pytest.mark.parametrize(
    ("action", "name", "resource"),
    [
        # A secret's ARN ends in six characters that its name has not (Secrets Manager User Guide, "Secrets Manager ARN").
        ("secretsmanager:GetSecretValue", "prod/db", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:prod/db-??????"),
        ("secretsmanager:GetSecretValue", "prod/db-a1B2c3", f"arn:aws:secretsmanager:*:{ACCOUNT}:secret:prod/db-a1B2c3"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db",
         f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:prod/db-??????"),
        ("ssm:GetParameter", "/prod/db", f"arn:aws:ssm:*:{ACCOUNT}:parameter/prod/db"),
        ("eks:DescribeCluster", "prod", f"arn:aws:eks:*:{ACCOUNT}:cluster/prod"),
        ("iam:UpdateRole", "node", f"arn:aws:iam::{ACCOUNT}:role/node"),
        # An alias is no key; the ARN of a node group has three names; a table may be one of several types.
        ("kms:Decrypt", "alias/app", "*"),
        ("kms:Decrypt", "a466d1fa-0000-0000-0000-000000000000", f"arn:aws:kms:*:{ACCOUNT}:key/a466d1fa-0000-0000-0000-000000000000"),
        ("eks:DescribeNodegroup", "workers", "*"),
        ("eks:TagResource", "prod", "*"),
        ("nosuch:Action", "prod", "*"),
        ("eks:DescribeCluster", None, "*"),
    ],
)  # fmt: skip
def test_a_resource_that_a_message_only_names_is_taken_to_be_in_the_callers_account(
    action: str, name: str | None, resource: str
) -> None:
    assert smallest(Request(action, (), SESSION), name=name).resources == (resource,)
    redacted = SESSION.replace(ACCOUNT, "***")
    assert smallest(Request(action, (), redacted), name=name).resources == ("*",)
    assert smallest(Request(action, (VOLUME,), SESSION), name=name).resources == (VOLUME,)


# How it is said


ABOVE = LayerEvaluation("service-control", None, "implicit-deny", None)


def explanation(**fields: Any) -> Explanation:
    found = explain(GET, Policies(), (), knowledge=knowledge())
    return found._replace(**{"verdict": "implicit-deny", **fields})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"verdict": "depends"}, "CANNOT TELL: no policy was given to judge it by"),
        ({"judged": True, "denied": True}, "DENIED: none of the policies looked at allows it"),
        (
            {"judged": True, "layers": (ABOVE, LayerEvaluation("identity", None, "allowed", None))},
            "DENIED: the service control policy does not allow it, though identity policies do",
        ),
        (
            {"judged": True, "layers": (ABOVE, LayerEvaluation("identity", None, "implicit-deny", None))},
            "DENIED: none of the policies looked at allows it",
        ),
        ({"verdict": "allowed", "judged": True}, "ALLOWED: the policies looked at allow it"),
        ({"verdict": "allowed", "judged": True, "denied": True},
         "DENIED: the policies looked at allow it, so something else denied it, or they have changed since"),
        ({"verdict": "allowed", "judged": True, "must_allow_too": "the key policy"},
         "ALLOWED: the policies looked at allow it, but the key policy must allow it too"),
        ({"judged": False, "denied": True, "action": None}, "DENIED: the message does not name the action; the lines around it may"),
        ({"judged": False, "denied": True, "action": None, "encoded": "A1b"},
         "DENIED: the message does not name the action; only its encoded part does"),
        ({"judged": False, "denied": True, "action": "sts:AssumeRoleWithWebIdentity"},
         "DENIED: the role does not exist, or its trust policy does not accept the token"),
        ({"judged": False, "denied": True, "action": "sts:AssumeRole", "principal": "arn:aws:sts::111122223333:assumed-role/a/b",
          "resource": "arn:aws:iam::111122223333:role/a"},
         "DENIED: the role assumes itself, which its own trust policy would have to allow"),
        ({"judged": False, "denied": True, "action": "sts:AssumeRole", "principal": "arn:aws:sts::111122223333:assumed-role/a/b",
          "resource": "arn:aws:iam::444455556666:role/a"},
         "DENIED: across accounts, the caller's policies and the trust policy of the role must both allow it"),
        ({"judged": False, "denied": True, "action": "sts:AssumeRole", "principal": "arn:aws:sts::111122223333:assumed-role/a/b",
          "resource": "arn:aws:iam::111122223333:role/c"},
         "DENIED: the caller's policies do not allow it, or the trust policy of the role does not"),
        ({"cause": Cause("public-access-block", explicit=True, policy="BlockPublicPolicy")},
         "DENIED: S3 Block Public Access (BlockPublicPolicy), which no policy overrides, denies it, as the message says"),
        ({"judged": False, "denied": True}, "DENIED: the message does not say by which policy"),
        ({"cause": Cause("identity", explicit=False)}, "DENIED: no identity policy allows it, as the message says"),
        ({"cause": Cause("identity", explicit=True)}, "DENIED: an identity policy denies it explicitly, as the message says"),
        ({"cause": Cause("session", explicit=True)}, "DENIED: a session policy denies it explicitly, as the message says"),
        ({"cause": Cause(None, explicit=True)}, "DENIED: a policy denies it explicitly, as the message says"),
        ({"cause": Cause("trust", explicit=True)}, "DENIED: the trust policy of the role denies it explicitly, as the message says"),
        ({"cause": Cause("trust", explicit=False)}, "DENIED: the trust policy of the role does not allow it, as the message says"),
        ({"cause": Cause("resource", explicit=False, is_one_of_several=True)},
         "DENIED: the resource policy denies it, or the resource does not exist, as the message says"),
        # What only tags of something else could allow is denied, but not what depends on more.
        ({"verdict": "depends", "missing_context": ("a",), "tag_keys_of_new_resource": ("a", "b"), "judged": True},
         "DENIED: the policies cover only the new resource, by its tags; S3 also checks the object"),
        ({"verdict": "depends", "missing_context": ("a",), "tag_keys_of_new_resource": ("a",), "judged": True, "action": "ec2:CreateVolume",
          "resource": "arn:aws:ec2:eu-west-1::snapshot/snap-1"},
         "DENIED: the policies cover only the new volume, by its tags; EC2 also checks the snapshot"),
        ({"verdict": "depends", "missing_context": ("a", "c"), "tag_keys_of_new_resource": ("a",), "judged": True},
         "CANNOT TELL: it depends on c, which was not given"),
        ({"verdict": "depends", "judged": True, "missing_context": ("aws:RequestTag/x", "aws:TagKeys"), "denied": True},
         "DENIED: whether the policies allow it depends on tags that the message does not show"),
        ({"verdict": "depends", "judged": True, "missing_context": ("resource", "aws:TagKeys"), "denied": True},
         "DENIED: whether the policies allow it depends on the resource and tags, which the message does not show"),
        ({"verdict": "depends", "judged": True, "missing_context": ("resource",)},
         "CANNOT TELL: it depends on the resource, which was not given"),
        ({"verdict": "depends", "judged": True}, "CANNOT TELL: it depends on what the policies do not tell"),
    ],
)  # fmt: skip
def test_a_verdict_in_words(fields: Mapping[str, Any], words: str) -> None:
    of_message = {"denied": True, "judged": False} if "cause" in fields else {"denied": False, "judged": False}
    assert ": ".join(verdict_in_words(explanation(**of_message | dict(fields)))) == words


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


def test_versions_and_statements_in_words() -> None:
    day = datetime(2024, 5, 6, tzinfo=UTC)
    assert newer_in_words(NewerVersion("P", 1, 3, day)) == "P v3 (2024-05-06); in force is v1"
    assert newer_in_words(NewerVersion("P", 1, 3, None, ("a", "b"))) == "P v3, if a, b fits; in force is v1"
    assert (
        behind_in_words(OldCopy("ours", ROLE, NewerVersion("P", 1, 3, day)), "s3:X")
        == "ours is like P v1; v3 (2024-05-06) allows s3:X"
    )
    assert behind_in_words(OldCopy("ours", ROLE, NewerVersion("P", 1, 3, None, ("a",))), "s3:X").endswith(
        "v3 has a further statement for s3:X"
    )
    helps = Allower("P", 4, Since(2, day, at_latest=False), (), False, "eks")
    assert since_in_words(helps) == "since v2 (2024-05-06)"
    assert since_in_words(helps._replace(since=Since(2, None, at_latest=True))) == "since at latest v2"
    policy, statement = applied(READ[0], name="P", version=2), parsed(READ[0]).statements[0]
    near = StatementResult("identity", policy, 3, statement, False, (), ())
    assert statement_in_words(near) == "P v2, statement 4"
    unnamed = near._replace(
        layer="boundary",
        policy=policy._replace(name="own", version=None),
        statement=statement._replace(sid="Sid1", effect="Deny"),
    )
    assert statement_in_words(unnamed) == "own, Sid1 (boundary), a Deny"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure("effect", None, "Effect", ("Allow",), ("Deny",)), "it denies the request"),
        (Failure("resource", None, "Resource", ("a", "b"), ("c",)), "Resource a or b; the request has c"),
        (Failure("action", None, "Action", (), None), "Action nothing; not given"),
        (Failure("condition", "aws:x", "Null", ("false",), ()), "condition aws:x: Null false; the request does not have the key"),
        (Failure("condition", "aws:TagKeys", "ForAllValues:StringEquals", ("a",), ("a", "b")),
         "condition aws:TagKeys: ForAllValues:StringEquals a; refused: b; the request has a, b"),
    ],
)  # fmt: skip
def test_a_failure_in_words(failure: Failure, words: str) -> None:
    assert failure_in_words(failure) == words


def allower(name: str, fit: str, missing: tuple[str, ...] = (), *, published: bool = False) -> Allower:
    arn = None if published else f"arn:aws:iam::aws:policy/{name}"
    return Allower(name, 1, Since(1, None, at_latest=False), missing, False, "eks", (), arn, fit)  # type: ignore[arg-type]


SMALLEST = smallest(GET)


# What is asked


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("*", True),
        (ROLE, True),
        (BUCKET, True),
        ("arn:aws:elasticfilesystem:us-east-1:*", True),
        ("arn:aws:s3:*", True),
        ("arn:aws:*", False),
        ("arn:aws:s3:::", False),
        ("arn::s3:::a", False),
        ("arn:aws::::a", False),
        ("urn:aws:s3:::a", False),
        ("arn:aws:ec2:eu-west-1:x", False),
        ("a*", False),
        ("", False),
    ],
)
def test_the_form_of_an_arn(text: str, is_one: bool) -> None:
    assert is_arn_or_star(text) is is_one
    if is_one:
        check_arn(text)
    else:
        with pytest.raises(InputError, match="is not an ARN"):
            check_arn(text)


def test_context_is_given_as_keys_and_values() -> None:
    assert parse_context(["a:b=1", "c:d=x=y", "a:b=2", "e:f="]) == {"a:b": ("1", "2"), "c:d": ("x=y",), "e:f": ("",)}
    for wrong in ("a:b", "=1", ""):
        with pytest.raises(InputError, match="is not KEY=VALUE"):
            parse_context([wrong])


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question(), "nothing to explain"),
        (Question(action="RunInstances"), "is not an action"),
        (Question(action="ec2:*"), "is not an action"),
        (Question(action="s3:GetObject", resources=("logs",)), "is not an ARN"),
        (Question(action="s3:GetObject", principal="ana"), "is not an ARN"),
        (Question(action="s3:GetObject", context={"aws:RequestedRegin": ("a",)}), "not a known condition key"),
        (Question(action="s3:GetObject", absent=("aws:RequestedRegin",)), "not a known condition key"),
        (Question(action="s3:GetObject", absent=("nothing/*",)), "not a known condition key"),
        (Question(action="s3:GetObject", context={"aws:RequestedRegion": ("a",)}, absent=("AWS:requestedregion",)), "both as absent"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_meant_is_refused(question: Question, said: str) -> None:
    with pytest.raises(InputError, match=said):
        asked(question)


def test_a_question_without_a_message_is_taken_as_it_is() -> None:
    question = Question(None, "S3:getobject", (f"{BUCKET}/a",), "eks.amazonaws.com", REGION, ("aws:RequestTag/*",))
    (only,) = asked(question)
    assert only[:2] == (
        Request("s3:GetObject", (f"{BUCKET}/a",), "eks.amazonaws.com", REGION, frozenset({"aws:RequestTag/*"})),
        None,
    )
    (unknown,) = asked(Question(action="nosuch:Action", principal="system:serviceaccount:a:b"))
    assert (unknown.request.action, unknown.request.principal) == ("nosuch:Action", "system:serviceaccount:a:b")


def test_what_is_given_beside_a_message_goes_before_what_it_says() -> None:
    said = f"User: {SESSION} is not authorized to perform: {{}} on resource: {{}}"
    two = "\n".join((said.format("ec2:RunInstances", VOLUME), said.format("s3:GetObject", f"{BUCKET}/a")))

    def requests(message: str = two, **given: Any) -> list[Request]:
        return [question.request for question in asked(Question(message, **given))]

    assert [request.action for request in requests()] == ["ec2:RunInstances", "s3:GetObject"]
    assert all(request.principal == SESSION for request in requests())
    # A correction is of the denial of that action, or else of the most complete one.
    (corrected,) = requests(action="s3:getobject")
    assert (corrected.action, corrected.resources) == ("s3:GetObject", (f"{BUCKET}/a",))
    (other,) = requests(action="s3:PutObject")
    assert other.action == "s3:PutObject"
    (moved,) = requests(said.format("s3:GetObject", f"{BUCKET}/a"), resources=(f"{BUCKET}/b",), principal=ROLE)
    assert (moved.resources, moved.principal) == ((f"{BUCKET}/b",), ROLE)
    event = {"context": {"action": "s3:GetObject", "resource": f"{BUCKET}/a", "conditions": {"items": [
        {"key": "aws:RequestedRegion", "values": {"items": [{"value": "eu-west-1"}]}},
        {"key": "s3:prefix", "values": {"items": [{"value": "a"}]}}]}}}  # fmt: skip
    (told,) = requests(json.dumps(event), context={"AWS:requestedregion": ("us-east-1",)}, absent=("S3:Prefix",))
    assert told.context == {"AWS:requestedregion": ("us-east-1",)}
    assert "S3:Prefix" in told.absent
    assert "aws:requesttag/*" in told.absent


READ_ALL = applied(allow("s3:Get*"))
NOTHING = applied(allow("ec2:*"))
ELSE = ("service control policies", "resource control policies", "VPC endpoint policies", "the bucket policy")


@pytest.mark.parametrize(
    ("policies", "cause", "unseen"),
    [
        (Policies(), None, (f"the identity policies of {SESSION}", "the permissions boundary", "session policies", *ELSE)),
        (Policies((NOTHING,)), None, (f"other identity policies of {SESSION}", "the permissions boundary", "session policies", *ELSE)),
        (Policies((NOTHING,), identity_known=True, boundary_known=True), None, ("session policies", *ELSE)),
        (Policies((NOTHING,), READ_ALL, (READ_ALL,), identity_known=True), None, ELSE),
        (Policies((NOTHING,), identity_known=True, boundary_known=True, unread=("the policy x",)), None, ("the policy x", "session policies", *ELSE)),
        # A message that says that no identity policy allows it, while one does: only other identity policies matter.
        (Policies((READ_ALL,), unread=("the policy x",)), NO_ALLOW, ("the policy x", f"other identity policies of {SESSION}")),
        (Policies((READ_ALL,), identity_known=True), NO_ALLOW, ()),
        (Policies((READ_ALL,), identity_known=True, boundary_known=True), None, ("session policies", *ELSE)),
        (Policies((NOTHING,), identity_known=True, boundary_known=True), NO_ALLOW, ("session policies", *ELSE)),
    ],
)  # fmt: skip
def test_what_was_not_looked_at(policies: Policies, cause: Cause | None, unseen: tuple[str, ...]) -> None:
    denial = Denial(GET.action, GET.resources[0], SESSION, cause)
    found = explain(GET, policies, (), knowledge=knowledge(), denial=denial)
    assert found.not_looked_at == unseen
    anonymous = GET._replace(principal="Anonymous")
    unsigned = explain(anonymous, policies, (), knowledge=knowledge())
    assert unsigned.not_looked_at == ("resource control policies", "VPC endpoint policies", "the bucket policy")
    assert (unsigned.smallest_statement, unsigned.allowed_by) == (None, ())


@pytest.mark.parametrize(
    ("request_", "policies", "candidates", "helped"),
    [
        (GET, Policies((NOTHING,)), [], True),
        (GET, Policies((READ_ALL,)), [], False),
        (GET, Policies((applied(deny("s3:*")),)), [], False),
        (GET, Policies((READ_ALL,), NOTHING), [], False),
        (GET, Policies((READ_ALL,), None, (NOTHING,)), [], False),
        # An action that nothing names may be mistyped; one that a policy names is only new.
        (GET._replace(action="s3:GetObjct"), Policies((NOTHING,)), [], False),
        (GET._replace(action="s3:GetObjct"), Policies((NOTHING,)), [candidate("a", [allow("s3:getobjct")])], True),
        (GET._replace(action="s3:GetObjct"), Policies((NOTHING,)), [candidate("a", [allow("s3:Get*")])], False),
    ],
)
def test_a_remedy_is_offered_only_where_an_identity_policy_helps(
    request_: Request, policies: Policies, candidates: list[CandidatePolicy], helped: bool
) -> None:
    found = explain(request_, policies, candidates, knowledge=knowledge())
    assert (found.smallest_statement is not None) is helped
    assert bool(found.allowed_by) is (helped and bool(candidates))
    # What is attached already is not offered.
    attached = policies._replace(
        identity=(
            *policies.identity,
            *(applied(allow("ec2:*"), name=candidate.policy.name) for candidate in candidates),
        )
    )
    again = explain(request_, attached, candidates, knowledge=knowledge())
    assert again.allowed_by == ()


def test_a_symptom_is_judged_by_the_actions_behind_it() -> None:
    symptom = next(symptom for symptom in knowledge().symptoms if len(symptom.actions) > 1)
    actions = symptom.actions
    rest = [action for action in actions if action != actions[-1]]

    def answer(policies: Policies) -> Explanation:
        return explain_symptom((symptom,), policies, SESSION, knowledge())

    unknown = answer(Policies())
    assert (unknown.verdict, unknown.nearest, unknown.symptoms) == ("depends", (), (symptom,))
    lacking = answer(Policies((applied(allow(rest)),), identity_known=True))
    assert (lacking.verdict, lacking.action) == ("implicit-deny", actions[-1])
    assert (lacking.allowed_by, lacking.smallest_statement) == ((), None)
    assert answer(Policies((applied(allow(list(actions))),), identity_known=True)).verdict == "allowed"
    denied = answer(Policies((applied(allow(list(actions)), deny(actions[0])),), identity_known=True))
    assert (denied.verdict, denied.action) == ("explicit-deny", actions[0])


KNOWN = Purpose(True, frozenset({"add-on role"}), frozenset({"mine", "karpenter"}), frozenset({"theirs"}))


@pytest.mark.parametrize(
    ("policy", "purpose", "fit"),
    [
        (candidate("mine", READ), Purpose(False, own=frozenset({"mine"})), "unknown"),
        (candidate("mine", READ), KNOWN, "own"),
        # A part of what a project publishes is as much its own as the whole, and a variant of something else is not.
        (candidate("karpenter/KarpenterControllerPolicy", READ), KNOWN, "own"),
        (candidate("other/karpenter", READ), KNOWN, "other"),
        (candidate("a", READ, meant_for=("add-on role",)), KNOWN, "kind"),
        (candidate("a", READ, meant_for=("node role",)), KNOWN, "other"),
        (candidate("a", READ, meant_for=("add-on role",), superseded=True), KNOWN, "other"),
        # What is made for another add-on is for none of this one's pods, but for a workload it may be.
        (candidate("theirs", READ, meant_for=("add-on role",)), KNOWN, "other"),
        (
            candidate("theirs", READ, meant_for=("add-on role", "workload role")),
            KNOWN._replace(kinds=POD_ROLES),
            "kind",
        ),
        (candidate("theirs", READ, meant_for=("node role",)), KNOWN._replace(kinds=NODE_ROLES), "kind"),
    ],
)
def test_how_a_policy_fits_what_a_caller_is_for(policy: CandidatePolicy, purpose: Purpose, fit: str) -> None:
    assert fit_of(policy, purpose) == fit


def test_who_may_have_made_a_call_is_known_from_the_policies_that_allow_it() -> None:
    node = "AmazonEKSWorkerNodePolicy"
    calls, denies = candidate(node, READ), candidate(node, [deny("s3:*")])
    assert is_call_of_node("s3:GetObject", [calls], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node("s3:GetObject", [denies], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node("s3:PutObject", [calls], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node(
        "s3:GetObject", [candidate("AmazonEKSClusterPolicy", READ), candidate("x", READ)], knowledge(), UNKNOWN_PURPOSE
    )
    # What nodes need only for what has a role of its own in all of their clusters, they do not call.
    cni = candidate("AmazonEKS_CNI_Policy", READ)
    assert is_call_of_node("s3:GetObject", [cni], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node(
        "s3:GetObject",
        [cni],
        knowledge(),
        UNKNOWN_PURPOSE._replace(with_own_role_in_every_cluster=frozenset({"vpc-cni"})),
    )
    project = candidate("karpenter/Part", READ, arn="published:karpenter", home="https://k.example")
    assert controllers_calling("s3:GetObject", [project, cni, candidate("x", READ)], knowledge()) == (
        "karpenter",
        "vpc-cni",
    )
    assert controllers_calling("s3:PutObject", [project, cni], knowledge()) == ()
    assert (
        controllers_calling(
            "s3:GetObject", [candidate("karpenter", [deny("s3:*")], arn="published:karpenter", home="h")], knowledge()
        )
        == ()
    )


@pytest.mark.parametrize(
    ("principal", "text", "in_force", "kinds", "runs"),
    [
        # The session says most, then the policies, then the names.
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/karpenter/i-0123456789abcdef0", "", (), NODE_ROLES, ()),
        # A user is a person, unless it is named after what runs, or the message is.
        (f"arn:aws:iam::{ACCOUNT}:user/ana", "", (), {"user"}, ()),
        (f"arn:aws:iam::{ACCOUNT}:user/karpenter", "", (), {"add-on role"}, ("karpenter",)),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_1/ana", "", (), {"user"}, ()),
        (SESSION, '{"invokedBy": "eks.amazonaws.com"}', ("AmazonEKSWorkerNodePolicy",), {"cluster role", "auto mode cluster role", "local cluster role"}, ()),
        (SESSION.replace("/app/", "/karpenter/"), "", ("AmazonEBSCSIDriverPolicy",), {"add-on role"}, ("aws-ebs-csi-driver",)),
        (SESSION.replace("/app/", "/karpenter/"), "aws-node", ("AmazonEKSWorkerNodePolicy",), {"add-on role"}, ("karpenter",)),
        (SESSION.replace("/app/", "/prod-nodes/"), "", (), NODE_ROLES, ()),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/eks-prod-app-1", "karpenter", (), POD_ROLES, ()),
        (SESSION, "karpenter failed", (), {"add-on role"}, ("karpenter",)),
        # Of two names in a message, neither is meant.
        (SESSION, "karpenter and aws-node failed", (), (), ()),
        (None, "", (), (), ()),
        # A policy for one kind of role tells more than one for several.
        (SESSION, "", ("AmazonEKSWorkerNodePolicy",), None, ()),
    ],
)  # fmt: skip
def test_signs_of_what_a_caller_is_for(
    principal: str | None, text: str, in_force: tuple[str, ...], kinds: Collection[str] | None, runs: tuple[str, ...]
) -> None:
    found = purpose_by_signs(principal, text, in_force, knowledge())
    if kinds is None:
        kinds = knowledge().policies[in_force[0]].attached_to
    own = frozenset(name for component in runs for name in policies_of_component(component, knowledge()))
    assert (found.kinds, found.own) == (frozenset(kinds), own)
    assert found.is_known is bool(kinds)
    assert found.is_of_nodes is (bool(kinds) and frozenset(kinds) <= NODE_ROLES)


def test_the_policies_in_force_tell_the_kind_by_those_that_are_for_one_kind() -> None:
    policies = knowledge().policies
    one = [name for name, policy in policies.items() if set(policy.attached_to) == {"node role"}]
    several = next(
        name
        for name, policy in policies.items()
        if len(policy.attached_to) > 1 and "node role" not in policy.attached_to
    )
    plain = next((name for name in one if not components_of([name], knowledge())), None)
    if plain is not None:
        assert purpose_by_signs(SESSION, "", (plain, several), knowledge()).kinds == {"node role"}
    assert purpose_by_signs(SESSION, "", (several,), knowledge()).kinds == frozenset(policies[several].attached_to)
    assert components_of(["AmazonEBSCSIDriverPolicy", "AmazonEKSWorkerNodePolicy"], knowledge()) == (
        "aws-ebs-csi-driver",
    )
    assert components_of(["AmazonEKSWorkerNodePolicy", "nothing"], knowledge()) == ()


def test_what_is_said_of_who_decides() -> None:
    def notes(request: Request, policies: Policies, cause: Cause | None = None) -> str:
        denial = None if cause is None else Denial(request.action, cause=cause)
        return " ".join(explain(request, policies, (), knowledge=knowledge(), denial=denial).notes)

    must = "The trust policy of the role must allow this"
    assume = GET._replace(action="sts:AssumeRole", resources=(ROLE,))
    assert must in notes(assume, Policies((NOTHING,)))
    assert must in notes(assume._replace(action="sts:TagSession"), Policies((NOTHING,)))
    assert must not in notes(assume, Policies((NOTHING,)), NO_ALLOW)
    assert must not in notes(GET, Policies((NOTHING,)))
    # A limit of the caller that denies is told from one that lacks an Allow.
    denies, lacks = applied(deny("s3:*")), NOTHING
    for layer, policies in (
        ("permissions boundary", [Policies((READ_ALL,), limit) for limit in (denies, lacks)]),
        ("session policy", [Policies((READ_ALL,), None, (limit,)) for limit in (denies, lacks)]),
    ):
        assert [
            verb in notes(GET, case)
            for case, verb in zip(policies, (f"The {layer} denies it", f"The {layer} does not allow it"), strict=True)
        ] == [True, True]
    assert "no identity policy changes that" not in notes(GET, Policies((READ_ALL,), READ_ALL))


def test_how_a_message_names_its_resource_is_said_where_that_matters() -> None:
    def notes(action: str, name: str | None, *resources: str) -> str:
        denial = Denial(action, None, SESSION, NO_ALLOW, resource_name=name)
        request = Request(action, resources, SESSION)
        return " ".join(explain(request, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial).notes)

    secret = "secretsmanager:GetSecretValue"
    assert "The message names no resource." in notes("s3:GetObject", None)
    assert "names the resource, but not its ARN" in notes("s3:GetObject", "logs")
    assert "-??????" not in notes("s3:GetObject", "logs") + notes(secret, None)
    assert "-??????" in notes(secret, "prod/db")
    assert "The message names" not in notes("s3:GetObject", "logs", f"{BUCKET}/a")


@pytest.mark.parametrize(
    ("policies", "request_", "cause", "said", "unsaid"),
    [
        (Policies((READ_ALL,)), GET, None, ("does not say what denied it", "Most likely one of them is not attached", "Or they were attached", "deleted and recreated", "a policy that was not looked at denied it"), ("other tags or context", "another role or user")),
        (Policies((READ_ALL,), identity_known=True), GET, None, ("Most likely they were attached or changed after",), ("one of them is not attached",)),
        (Policies((READ_ALL,)), GET._replace(principal=None), None, ("another role or user",), ("deleted and recreated",)),
        (Policies((READ_ALL,)), GET, NO_ALLOW, ("So it is not a service control policy",), ("a policy that was not looked at denied it", "does not say what denied it")),
        (Policies((READ_ALL,)), GET, Cause("identity", explicit=True), ("have none that applies",), ("So it is not",)),
        (Policies((READ_ALL,)), GET, Cause("service-control", explicit=True), ("which agrees with the message",), ("Most likely",)),
        (Policies((applied(allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),)), GET, None, ("other tags or context",), ()),
        (Policies((applied(allow("s3:*", **MAY)),)), GET, NO_ALLOW, ("a condition on something that is not given did not hold",), ("Most likely",)),
        (Policies((applied(allow("s3:*", **MAY)),)), GET, None, (), ("a condition on something", "Most likely")),
        (Policies((NOTHING,)), GET, None, (), ("Most likely", "does not say what denied it")),
    ],
)  # fmt: skip
def test_why_a_request_that_the_policies_allow_may_have_been_denied(
    policies: Policies, request_: Request, cause: Cause | None, said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    """IAM User Guide, "Troubleshoot access denied error messages": what a message names and what it leaves open."""
    denial = Denial(request_.action, request_.resources[0], request_.principal, cause)
    notes = " ".join(explain(request_, policies, (), knowledge=knowledge(), denial=denial).notes)
    assert [note for note in said if note not in notes] == []
    assert [note for note in unsaid if note in notes] == []
