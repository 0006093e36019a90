"""What an explanation says: what was not looked at, where a remedy helps, and what else is to know.

The rules are those of the IAM User Guide, "Policy evaluation logic" and "Troubleshoot access denied error messages".
"""

import pytest

from ekstui.denial.answer import Explanation, Policies
from ekstui.denial.explain import ON_NODE_ROLE, TAGS_REFUSED, explain, explain_symptom
from ekstui.denial.message import Cause, Denial
from ekstui.denial.purpose import NODE_ROLES, POD_ROLES, CandidatePolicy, Purpose
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge
from tests.denial.subjects import ACCOUNT, BUCKET, GET, MAY, NO_ALLOW, ROLE, SESSION, candidate, managed_policy
from tests.support.documents import allow, deny

READ_ALL = managed_policy(allow("s3:Get*"))
NOTHING = managed_policy(allow("ec2:*"))
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
    explanation = explain(GET, policies, (), knowledge=knowledge(), denial=denial)
    assert explanation.not_looked_at == unseen
    anonymous = GET._replace(principal="Anonymous")
    unsigned = explain(anonymous, policies, (), knowledge=knowledge())
    assert unsigned.not_looked_at == ("resource control policies", "VPC endpoint policies", "the bucket policy")
    assert (unsigned.smallest_statement, unsigned.allowed_by) == (None, ())


@pytest.mark.parametrize(
    ("request_", "policies", "candidates", "helped"),
    [
        (GET, Policies((NOTHING,)), [], True),
        (GET, Policies((READ_ALL,)), [], False),
        (GET, Policies((managed_policy(deny("s3:*")),)), [], False),
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
    explanation = explain(request_, policies, candidates, knowledge=knowledge())
    assert (explanation.smallest_statement is not None) is helped
    assert bool(explanation.allowed_by) is (helped and bool(candidates))
    # What is attached already is not offered.
    attached = policies._replace(
        identity=(
            *policies.identity,
            *(managed_policy(allow("ec2:*"), name=candidate.policy.name) for candidate in candidates),
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
    lacking = answer(Policies((managed_policy(allow(rest)),), identity_known=True))
    assert (lacking.verdict, lacking.action) == ("implicit-deny", actions[-1])
    assert (lacking.allowed_by, lacking.smallest_statement) == ((), None)
    assert answer(Policies((managed_policy(allow(list(actions))),), identity_known=True)).verdict == "allowed"
    # What the policies say of all of them.
    everything = answer(Policies((managed_policy(allow(list(actions))),), identity_known=True))
    open_ones = answer(Policies((managed_policy(allow(rest, **MAY)),), identity_known=True))
    assert unknown.notes == ()
    assert lacking.notes == (f"The policies looked at do not allow {actions[-1]}.",)
    assert everything.notes == ("The policies looked at allow everything that is usually missing here.",)
    assert open_ones.notes == (
        f"The policies looked at do not allow {actions[-1]}.",
        f"Whether they allow {', '.join(rest)} depends on the resource and the conditions.",
    )
    denied = answer(Policies((managed_policy(allow(list(actions)), deny(actions[0])),), identity_known=True))
    assert (denied.verdict, denied.action) == ("explicit-deny", actions[0])


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
    denies, lacks = managed_policy(deny("s3:*")), NOTHING
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
    ("policies", "request_", "cause", "phrases", "absent_phrases"),
    [
        (Policies((READ_ALL,)), GET, None, ("does not say what denied it", "Most likely one of them is not attached", "Or they were attached", "deleted and recreated", "a policy that was not looked at denied it"), ("other tags or context", "another role or user")),
        (Policies((READ_ALL,), identity_known=True), GET, None, ("Most likely they were attached or changed after",), ("one of them is not attached",)),
        (Policies((READ_ALL,)), GET._replace(principal=None), None, ("another role or user",), ("deleted and recreated",)),
        (Policies((READ_ALL,)), GET, NO_ALLOW, ("So it is not a service control policy",), ("a policy that was not looked at denied it", "does not say what denied it")),
        (Policies((READ_ALL,)), GET, Cause("identity", explicit=True), ("have none that applies",), ("So it is not",)),
        (Policies((READ_ALL,)), GET, Cause("service-control", explicit=True), ("which agrees with the message",), ("Most likely",)),
        (Policies((managed_policy(allow("s3:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})),)), GET, None, ("other tags or context",), ()),
        (Policies((managed_policy(allow("s3:*", **MAY)),)), GET, NO_ALLOW, ("a condition on something that is not given did not hold",), ("Most likely",)),
        (Policies((managed_policy(allow("s3:*", **MAY)),)), GET, None, (), ("a condition on something", "Most likely")),
        (Policies((NOTHING,)), GET, None, (), ("Most likely", "does not say what denied it")),
    ],
)  # fmt: skip
def test_why_a_request_that_the_policies_allow_may_have_been_denied(
    policies: Policies,
    request_: Request,
    cause: Cause | None,
    phrases: tuple[str, ...],
    absent_phrases: tuple[str, ...],
) -> None:
    """IAM User Guide, "Troubleshoot access denied error messages": what a message names and what it leaves open."""
    denial = Denial(request_.action, request_.resources[0], request_.principal, cause)
    notes = " ".join(explain(request_, policies, (), knowledge=knowledge(), denial=denial).notes)
    assert [phrase for phrase in phrases if phrase not in notes] == []
    assert [phrase for phrase in absent_phrases if phrase in notes] == []


KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
QUEUE, TABLE = (
    f"arn:aws:{name}" for name in ("sqs:eu-west-1:444455556666:q", "dynamodb:eu-west-1:444455556666:table/t")
)
ALL = managed_policy(allow("*"))


@pytest.mark.parametrize(
    ("action", "resource", "principal", "of_resource", "must"),
    [
        ("s3:GetObject", f"{BUCKET}/a", SESSION, ACCOUNT, None),
        ("s3:GetObject", f"{BUCKET}/a", SESSION, "444455556666", "the bucket policy in its account"),
        ("kms:Decrypt", KEY, SESSION, None, "the key policy or a grant of the KMS key"),
        ("sqs:SendMessage", QUEUE, SESSION, None, "the queue policy in its account"),
        ("sqs:SendMessage", QUEUE.replace("444455556666", ACCOUNT), SESSION, None, None),
        ("dynamodb:GetItem", TABLE, SESSION, None, "the policy of the resource in its account"),
        ("sts:AssumeRole", ROLE, SESSION, None, "the trust policy of the role"),
        # Without a signature, the resource's policy is all that counts; some actions need no permission.
        ("sqs:SendMessage", QUEUE, "Anonymous", None, None),
        ("sts:GetCallerIdentity", "*", SESSION, "444455556666", None),
    ],
)
def test_what_must_allow_it_too_is_said_of_what_the_callers_own_policies_allow(
    action: str, resource: str, principal: str, of_resource: str | None, must: str | None
) -> None:
    context = {"aws:ResourceAccount": (of_resource,)} if of_resource else {}
    request = Request(action, (resource,), principal, context)
    assert explain(request, Policies((ALL,)), (), knowledge=knowledge()).must_allow_too == must
    if action != "sts:GetCallerIdentity":
        for policies in (Policies((NOTHING,)), Policies((ALL, managed_policy(deny("*"))))):
            assert explain(request, policies, (), knowledge=knowledge()).must_allow_too is None


@pytest.mark.parametrize("called", [None, "s3:ListObjects"])
def test_a_call_that_is_authorised_by_another_action_is_named(called: str | None) -> None:
    denial = Denial("s3:ListBucket", BUCKET, SESSION, called=called)
    request = Request("s3:ListBucket", (BUCKET,), SESSION)
    notes = explain(request, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial).notes
    expected = ["The call was s3:ListObjects; it needs s3:ListBucket to be allowed."] if called else []
    assert [note for note in notes if "The call was" in note] == expected


@pytest.mark.parametrize(
    ("policies", "kinds", "shown"),
    [
        ((NOTHING,), NODE_ROLES, [ON_NODE_ROLE]),
        ((READ_ALL,), NODE_ROLES, []),
        ((NOTHING,), POD_ROLES, []),
        ((NOTHING,), frozenset(), []),
    ],
)
def test_a_call_of_a_controller_with_the_role_of_its_node_is_a_symptom(
    policies: tuple[AppliedPolicy, ...], kinds: frozenset[str], shown: list[str]
) -> None:
    karpenter = candidate("karpenter", [allow("s3:GetObject")], home="github.com/a/b")
    explanation = explain(
        GET, Policies(policies), [karpenter], knowledge=knowledge(), purpose=Purpose(is_known=True, kinds=kinds)
    )
    assert [symptom.code for symptom in explanation.symptoms] == shown
    # No pod on the node should get what one of them lacks.
    assert (explanation.smallest_statement is None) is (bool(shown) or policies == (READ_ALL,))


def test_what_block_public_access_prevents_no_policy_allows() -> None:
    denial = Denial(
        GET.action, GET.resources[0], SESSION, Cause("public-access-block", explicit=True, policy="BlockPublicAcls")
    )
    explanation = explain(GET, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial)
    assert (explanation.verdict, explanation.smallest_statement, explanation.fixes) == ("explicit-deny", None, ())


IDENTITY_CALL = GET._replace(action="sts:GetCallerIdentity", resources=("*",))
ROOT = GET._replace(principal=f"arn:aws:iam::{ACCOUNT}:root")


@pytest.mark.parametrize(
    ("request_", "policies", "denied", "outcome"),
    [
        (GET, Policies((NOTHING,)), False, "denied"),
        (GET, Policies((ALL, managed_policy(deny("s3:*")))), False, "denied"),
        (GET, Policies((READ_ALL,)), False, "allowed"),
        (GET, Policies((READ_ALL,)), True, "denied"),
        (GET, Policies((managed_policy(allow("s3:*", **MAY)),)), False, "unknown"),
        (GET, Policies((managed_policy(allow("s3:*", **MAY)),)), True, "denied"),
        # No policy denies what needs no permission, so a message of it is about something else.
        (IDENTITY_CALL, Policies((managed_policy(deny("*")),)), False, "allowed"),
        (IDENTITY_CALL, Policies((managed_policy(deny("*")),)), True, "allowed"),
    ],
)
def test_what_becomes_of_a_request(request_: Request, policies: Policies, denied: bool, outcome: str) -> None:
    denial = Denial(request_.action, principal=SESSION) if denied else None
    assert explain(request_, policies, (), knowledge=knowledge(), denial=denial).outcome == outcome


@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize(
    ("request_", "always", "if_denied"),
    [
        (IDENTITY_CALL, "needs no permission, and no Deny", "So the call failed for another reason"),
        (ROOT, "The root user may do everything", "So a service control policy"),
    ],
)
def test_why_what_no_identity_policy_decides_was_denied(
    request_: Request, always: str, if_denied: str, denied: bool
) -> None:
    denial = Denial(request_.action, principal=request_.principal) if denied else None
    notes = " ".join(explain(request_, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial).notes)
    assert always in notes
    assert (if_denied in notes) is denied


@pytest.mark.parametrize(
    ("policies", "breaking", "limiting"),
    [
        (Policies((READ_ALL,)), None, None),
        (Policies((NOTHING,)), "identity", None),
        (Policies((READ_ALL,), NOTHING), "boundary", "boundary"),
        (Policies((READ_ALL,), None, (NOTHING,)), "session", "session"),
        (Policies((NOTHING,), NOTHING), "identity", None),
        (Policies((READ_ALL,), managed_policy(allow("s3:*", **MAY))), "boundary", "boundary"),
    ],
)
def test_which_layer_denies_what_the_identity_policies_allow(
    policies: Policies, breaking: str | None, limiting: str | None
) -> None:
    explanation = explain(GET, policies, (), knowledge=knowledge())
    layers = explanation.breaking_layer, explanation.limiting_layer
    assert [layer and layer.layer for layer in layers] == [breaking, limiting]


@pytest.mark.parametrize(
    ("principal", "action", "cause", "could"),
    [
        (SESSION, "s3:GetObject", None, True),
        (SESSION, "s3:GetObject", NO_ALLOW, True),
        (SESSION, "s3:GetObject", Cause("service-control", explicit=True), False),
        ("Anonymous", "s3:GetObject", None, False),
        (SESSION, "sts:AssumeRole", None, False),
        (None, None, None, True),
    ],
)
def test_whether_a_policy_of_the_caller_could_have_allowed_it(
    principal: str | None, action: str | None, cause: Cause | None, could: bool
) -> None:
    explanation = Explanation("implicit-deny", action, principal=principal, cause=cause)
    assert explanation.identity_policies_could_allow is could


@pytest.mark.parametrize(
    ("keys", "refused"),
    [(("team",), ""), (("team", "cost"), "Refused for the tag cost: own, statement 1"), (("a", "b"), "for the tag a and b:")],
)  # fmt: skip
def test_the_tags_that_a_statement_refuses_are_named(keys: tuple[str, ...], refused: str) -> None:
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    request = Request("sqs:CreateQueue", (QUEUE,), SESSION, {"aws:TagKeys": keys})
    policies = Policies((managed_policy(allow("sqs:CreateQueue", Condition=only)),))
    notes = [note for note in explain(request, policies, (), knowledge=knowledge()).notes if "Refused" in note]
    assert [refused in note for note in notes] == ([True] if refused else [])


@pytest.mark.parametrize(
    ("action", "resource", "called"),
    [
        ("ec2:DeleteVolume", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc", "ec2 create-tags --resources vol-0abc"),
        ("sqs:DeleteQueue", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q", "resourcegroupstaggingapi tag-resources"),
        # Which resource is not known, and tags of IAM's are for its own commands.
        ("ec2:DeleteVolume", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/*", ""),
        ("ec2:DeleteVolume", "arn:aws:ec2:eu-west-1:***:volume/vol-0abc", ""),
        ("iam:PassRole", ROLE, ""),
    ],
)  # fmt: skip
def test_a_resource_whose_tag_is_missing_is_tagged_if_it_is_known(action: str, resource: str, called: str) -> None:
    request = Request(action, (resource,), SESSION, absent=frozenset({"aws:ResourceTag/team"}))
    policies = Policies((managed_policy(allow(action, **MAY)),), identity_known=True)
    fixes = explain(request, policies, (), knowledge=knowledge()).fixes
    tagging = [
        " ".join(command.arguments) for fix in fixes for command in fix.commands if "tag" in command.arguments[2]
    ]
    assert [called in command for command in tagging] == ([True] if called else [])


@pytest.mark.parametrize(
    ("name", "action", "keys", "shown"),
    [
        ("AmazonEKSComputePolicy", "ec2:RunInstances", ("own",), [TAGS_REFUSED]),
        ("AmazonEKSComputePolicy", "ec2:RunInstances", ("eks:a",), []),
        ("AmazonEKSComputePolicy", "ec2:CreateTags", ("own",), []),
        ("other", "ec2:RunInstances", ("own",), []),
    ],
)
def test_a_launch_that_is_refused_for_its_tags_is_a_symptom(
    name: str, action: str, keys: tuple[str, ...], shown: list[str]
) -> None:
    only = {"ForAllValues:StringLike": {"aws:TagKeys": ["eks:*"]}}
    request = Request(action, ("*",), SESSION, {"aws:TagKeys": keys})
    policies = Policies((managed_policy(allow(action, Condition=only), name=name),))
    symptoms = explain(request, policies, (), knowledge=knowledge()).symptoms
    assert [symptom.code for symptom in symptoms] == shown
