"""What an explanation says: what was not looked at, where a remedy helps, and what else is to know.

The rules are those of the IAM User Guide, "Policy evaluation logic" and "Troubleshoot access denied error messages".
"""

from typing import Any

import pytest

from ekstui.denial.answer import Explanation, Policies
from ekstui.denial.explain import ON_NODE_ROLE, TAGS_REFUSED, explain, explain_symptom
from ekstui.denial.message import Cause, Denial
from ekstui.denial.purpose import NODE_ROLES, POD_ROLES, CandidatePolicy, Purpose, RoleOfItsOwn
from ekstui.iam.evaluation import AppliedPolicy, Organization, PolicyLevel
from ekstui.iam.reference import reference_day
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge
from tests.denial.subjects import ACCOUNT, BUCKET, GET, MAY, NO_ALLOW, REGION, ROLE, SESSION, candidate, managed_policy
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
    explanation = explain(anonymous, policies, (), knowledge=knowledge())
    assert explanation.not_looked_at == ("resource control policies", "VPC endpoint policies", "the bucket policy")
    assert (explanation.smallest_statement, explanation.allowed_by) == (None, ())


@pytest.mark.parametrize(
    ("request_", "policies", "candidates", "is_helped"),
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
    request_: Request, policies: Policies, candidates: list[CandidatePolicy], is_helped: bool
) -> None:
    explanation = explain(request_, policies, candidates, knowledge=knowledge())
    assert (explanation.smallest_statement is not None) is is_helped
    assert bool(explanation.allowed_by) is (is_helped and bool(candidates))
    # What is attached already is not offered.
    with_candidates = policies._replace(
        identity=(
            *policies.identity,
            *(managed_policy(allow("ec2:*"), name=candidate.policy.name) for candidate in candidates),
        )
    )
    explanation_with_candidates = explain(request_, with_candidates, candidates, knowledge=knowledge())
    assert explanation_with_candidates.allowed_by == ()


def test_a_symptom_is_judged_by_the_actions_behind_it() -> None:
    symptom = next(symptom for symptom in knowledge().symptoms if len(symptom.actions) > 1)
    actions = symptom.actions
    first_actions = [action for action in actions if action != actions[-1]]

    def answer(policies: Policies) -> Explanation:
        return explain_symptom((symptom,), policies, SESSION, knowledge())

    unknown_answer = answer(Policies())
    assert (unknown_answer.verdict, unknown_answer.nearest, unknown_answer.symptoms) == ("depends", (), (symptom,))
    lacking_answer = answer(Policies((managed_policy(allow(first_actions)),), identity_known=True))
    assert (lacking_answer.verdict, lacking_answer.action) == ("implicit-deny", actions[-1])
    assert (lacking_answer.allowed_by, lacking_answer.smallest_statement) == ((), None)
    assert answer(Policies((managed_policy(allow(list(actions))),), identity_known=True)).verdict == "allowed"
    # What the policies say of all of them.
    full_answer = answer(Policies((managed_policy(allow(list(actions))),), identity_known=True))
    conditional_answer = answer(Policies((managed_policy(allow(first_actions, **MAY)),), identity_known=True))
    assert unknown_answer.notes == ()
    assert lacking_answer.notes == (f"The policies looked at do not allow {actions[-1]}.",)
    assert full_answer.notes == ("The policies looked at allow everything that is usually missing here.",)
    assert conditional_answer.notes == (
        f"The policies looked at do not allow {actions[-1]}.",
        f"Whether they allow {', '.join(first_actions)} depends on the resource and the conditions.",
    )
    denied_answer = answer(
        Policies((managed_policy(allow(list(actions)), deny(actions[0], Sid="no")),), identity_known=True)
    )
    assert (denied_answer.verdict, denied_answer.action) == ("explicit-deny", actions[0])
    assert [result.statement.sid for result in denied_answer.nearest] == ["no"]


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


@pytest.mark.parametrize("api_call", [None, "s3:ListObjects"])
def test_a_call_that_is_authorised_by_another_action_is_named(api_call: str | None) -> None:
    denial = Denial("s3:ListBucket", BUCKET, SESSION, called=api_call)
    request = Request("s3:ListBucket", (BUCKET,), SESSION)
    notes = explain(request, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial).notes
    expected = ["The call was s3:ListObjects; it needs s3:ListBucket to be allowed."] if api_call else []
    assert [note for note in notes if "The call was" in note] == expected


@pytest.mark.parametrize(
    ("policies", "kinds", "codes"),
    [
        ((NOTHING,), NODE_ROLES, [ON_NODE_ROLE]),
        ((READ_ALL,), NODE_ROLES, []),
        ((NOTHING,), POD_ROLES, []),
        ((NOTHING,), frozenset(), []),
    ],
)
def test_a_call_of_a_controller_with_the_role_of_its_node_is_a_symptom(
    policies: tuple[AppliedPolicy, ...], kinds: frozenset[str], codes: list[str]
) -> None:
    karpenter = candidate("karpenter", [allow("s3:GetObject")], home="github.com/a/b")
    explanation = explain(
        GET, Policies(policies), [karpenter], knowledge=knowledge(), purpose=Purpose(is_known=True, kinds=kinds)
    )
    assert [symptom.code for symptom in explanation.symptoms] == codes
    # No pod on the node should get what one of them lacks.
    assert (explanation.smallest_statement is None) is (bool(codes) or policies == (READ_ALL,))


def test_what_block_public_access_prevents_no_policy_allows() -> None:
    denial = Denial(
        GET.action, GET.resources[0], SESSION, Cause("public-access-block", explicit=True, policy="BlockPublicAcls")
    )
    explanation = explain(GET, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial)
    assert (explanation.verdict, explanation.smallest_statement, explanation.fixes) == ("explicit-deny", None, ())


IDENTITY_CALL = GET._replace(action="sts:GetCallerIdentity", resources=("*",))
ROOT = GET._replace(principal=f"arn:aws:iam::{ACCOUNT}:root")


@pytest.mark.parametrize(
    ("request_", "policies", "is_denied", "outcome"),
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
def test_what_becomes_of_a_request(request_: Request, policies: Policies, is_denied: bool, outcome: str) -> None:
    denial = Denial(request_.action, principal=SESSION) if is_denied else None
    assert explain(request_, policies, (), knowledge=knowledge(), denial=denial).outcome == outcome


@pytest.mark.parametrize("is_denied", [False, True])
@pytest.mark.parametrize(
    ("request_", "always", "if_denied"),
    [
        (IDENTITY_CALL, "needs no permission, and no Deny", "So the call failed for another reason"),
        (ROOT, "The root user may do everything", "So a service control policy"),
    ],
)
def test_why_what_no_identity_policy_decides_was_denied(
    request_: Request, always: str, if_denied: str, is_denied: bool
) -> None:
    denial = Denial(request_.action, principal=request_.principal) if is_denied else None
    notes = " ".join(explain(request_, Policies((NOTHING,)), (), knowledge=knowledge(), denial=denial).notes)
    assert always in notes
    assert (if_denied in notes) is is_denied


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
    ("keys", "refusal"),
    [(("team",), ""), (("team", "cost"), "Refused for the tag cost: own, statement 1"), (("a", "b"), "for the tag a and b:")],
)  # fmt: skip
def test_the_tags_that_a_statement_refuses_are_named(keys: tuple[str, ...], refusal: str) -> None:
    team_tags_only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    request = Request("sqs:CreateQueue", (QUEUE,), SESSION, {"aws:TagKeys": keys})
    policies = Policies((managed_policy(allow("sqs:CreateQueue", Condition=team_tags_only)),))
    notes = [note for note in explain(request, policies, (), knowledge=knowledge()).notes if "Refused" in note]
    assert [refusal in note for note in notes] == ([True] if refusal else [])


@pytest.mark.parametrize(
    ("action", "resource", "words"),
    [
        ("ec2:DeleteVolume", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc", "ec2 create-tags --resources vol-0abc"),
        ("sqs:DeleteQueue", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q", "resourcegroupstaggingapi tag-resources"),
        # Which resource is not known, and tags of IAM's are for its own commands.
        ("ec2:DeleteVolume", f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/*", ""),
        ("ec2:DeleteVolume", "arn:aws:ec2:eu-west-1:***:volume/vol-0abc", ""),
        ("iam:PassRole", ROLE, ""),
    ],
)  # fmt: skip
def test_a_resource_whose_tag_is_missing_is_tagged_if_it_is_known(action: str, resource: str, words: str) -> None:
    request = Request(action, (resource,), SESSION, absent=frozenset({"aws:ResourceTag/team"}))
    policies = Policies((managed_policy(allow(action, **MAY)),), identity_known=True)
    fixes = explain(request, policies, (), knowledge=knowledge()).fixes
    tagging = [
        " ".join(command.arguments) for fix in fixes for command in fix.commands if "tag" in command.arguments[2]
    ]
    assert [words in command for command in tagging] == ([True] if words else [])


@pytest.mark.parametrize(
    ("name", "action", "keys", "codes"),
    [
        ("AmazonEKSComputePolicy", "ec2:RunInstances", ("own",), [TAGS_REFUSED]),
        ("AmazonEKSComputePolicy", "ec2:RunInstances", ("eks:a",), []),
        ("AmazonEKSComputePolicy", "ec2:CreateTags", ("own",), []),
        ("other", "ec2:RunInstances", ("own",), []),
    ],
)
def test_a_launch_that_is_refused_for_its_tags_is_a_symptom(
    name: str, action: str, keys: tuple[str, ...], codes: list[str]
) -> None:
    eks_tags_only = {"ForAllValues:StringLike": {"aws:TagKeys": ["eks:*"]}}
    request = Request(action, ("*",), SESSION, {"aws:TagKeys": keys})
    policies = Policies((managed_policy(allow(action, Condition=eks_tags_only), name=name),))
    symptoms = explain(request, policies, (), knowledge=knowledge()).symptoms
    assert [symptom.code for symptom in symptoms] == codes


VOLUME_1 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/vol-0abc"
TEAM, NAME = "aws:ResourceTag/team", "ec2:ResourceTag/Name"


@pytest.mark.parametrize(
    ("conditions", "tags"),
    [
        ({"StringEquals": {TEAM: "a"}}, ["Key=team,Value=a"]),
        # Of several values the first that is no pattern.
        ({"StringEquals": {TEAM: ["a", "b"]}}, ["Key=team,Value=a"]),
        ({"StringLike": {TEAM: ["x*", "b", "c"]}}, ["Key=team,Value=b"]),
        ({"StringLike": {TEAM: ["x*"]}}, ["Key=team,Value=${VALUE:?}"]),
        ({"Null": {TEAM: "false"}}, ["Key=team,Value=${VALUE:?}"]),
        ({"StringEquals": {TEAM: "a", NAME: "n"}}, ["Key=team,Value=a", "Key=Name,Value=n"]),
        # The short form of the CLI takes a comma apart.
        ({"StringEquals": {TEAM: "a,b"}}, ['[{"Key": "team", "Value": "a,b"}]']),
        # A tag whose value hangs on the caller, or one that must not be, or something else that is missing too.
        ({"StringEquals": {TEAM: "${aws:PrincipalTag/team}"}}, []),
        ({"StringEquals": {TEAM: ["a", "${aws:PrincipalTag/team}"]}}, []),
        ({"Null": {TEAM: ["false", "true"]}}, []),
        ({"StringEquals": {TEAM: "a", "aws:RequestedRegion": "us-east-1"}}, []),
        ({"StringResembles": {TEAM: "a"}}, []),
    ],
)
def test_a_resource_gets_the_tags_that_are_all_it_lacks(conditions: dict[str, Any], tags: list[str]) -> None:
    request = Request("ec2:DeleteVolume", (VOLUME_1,), SESSION, REGION, frozenset({TEAM, NAME}))
    policies = Policies((managed_policy(allow("ec2:DeleteVolume", Condition=conditions)),), identity_known=True)
    explanation = explain(request, policies, (), knowledge=knowledge())
    commands = [command for fix in explanation.fixes for command in fix.commands if "create-tags" in command.arguments]
    assert [argument for command in commands for argument in command.arguments[6:-2]] == tags
    checks = [command.arguments[2] for command in explanation.checks if "tags" in command.arguments[2]]
    assert checks == (["describe-tags"] if tags else [])


def test_a_tag_that_is_none_of_a_resource_that_has_it_already_is_not_set() -> None:
    """A value that a condition rules out is no value to give."""
    policies = Policies((managed_policy(allow("ec2:DeleteVolume", Condition={"StringNotEquals": {TEAM: "a"}})),))
    request = Request("ec2:DeleteVolume", (VOLUME_1,), SESSION, {TEAM: ("a",)})
    assert not any("create-tags" in command.arguments for fix in explain(request, policies, (), knowledge=knowledge()).fixes for command in fix.commands)  # fmt: skip


def test_of_a_caller_whose_policies_are_not_known_those_made_for_it_tell_the_tags() -> None:
    def tagged(name: str, tag: str) -> CandidatePolicy:
        return candidate(name, [allow("ec2:DeleteVolume", Condition={"StringEquals": {f"aws:ResourceTag/{tag}": "x"}})])

    request = Request("ec2:DeleteVolume", (VOLUME_1,), SESSION)
    candidates = [tagged("another", "theirs"), tagged("made", "ours"), tagged("more", "others")]
    purpose = Purpose(is_known=True, own=frozenset({"made"}))
    denial = Denial(request.action, VOLUME_1, SESSION, NO_ALLOW)
    fixes = explain(request, Policies(), candidates, knowledge=knowledge(), denial=denial, purpose=purpose).fixes
    commands = [" ".join(command.arguments) for fix in fixes for command in fix.commands]
    assert [command for command in commands if "create-tags" in command and "Key=ours,Value=x" in command]
    assert not [command for command in commands if "theirs" in command or "others" in command]


@pytest.mark.parametrize(
    ("policies", "limits", "checks"),
    [
        (Policies((NOTHING,), identity_known=True), False, []),
        (Policies((NOTHING,), READ_ALL, (READ_ALL,), identity_known=True), False, []),
        (Policies((NOTHING,), NOTHING, identity_known=True), "the permissions boundary does not allow it either",
         [["iam", "get-role", "--role-name", "app", "--query", "Role.PermissionsBoundary"]]),
        (Policies((NOTHING,), None, (NOTHING,), identity_known=True), "the session policy does not allow it either",
         [["eks", "list-pod-identity-associations", "--cluster-name", "${CLUSTER:?}"]]),
    ],
)  # fmt: skip
def test_what_limits_the_caller_besides_is_shown_by_a_command(
    policies: Policies, limits: str | bool, checks: list[list[str]]
) -> None:
    explanation = explain(GET, policies, (), knowledge=knowledge())
    assert ("is not enough: " in " ".join(explanation.notes)) is bool(limits)
    assert not limits or f"is not enough: {limits}." in " ".join(explanation.notes)
    assert [list(command.arguments[1:]) for command in explanation.checks] == checks
    assert bool(explanation.fixes) is not bool(limits)


@pytest.mark.parametrize(
    ("action", "principal", "is_shown"),
    [
        ("sts:AssumeRole", SESSION, True),
        ("sts:TagSession", SESSION, True),
        # A role that is only passed on is not assumed by the caller.
        ("iam:PassRole", SESSION, False),
        # Who assumes its own role sees why in the trust policy, and no policy helps.
        ("sts:AssumeRole", SESSION.replace("/app/", "/deploy/"), True),
        ("iam:PassRole", SESSION.replace("/app/", "/deploy/"), False),
    ],
)
def test_the_trust_policy_of_a_role_to_assume_is_shown(action: str, principal: str, is_shown: bool) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/deploy"
    explanation = explain(Request(action, (role,), principal), Policies((NOTHING,)), (), knowledge=knowledge())
    commands = [" ".join(command.arguments) for command in explanation.checks]
    query = "aws iam get-role --role-name deploy --query Role.AssumeRolePolicyDocument"
    assert [command for command in commands if "AssumeRolePolicyDocument" in command] == ([query] if is_shown else [])
    is_own = action == "sts:AssumeRole" and "/deploy/" in principal
    assert (explanation.smallest_statement is None) is is_own
    assert any("assumes itself" in note for note in explanation.notes) is is_own


def test_an_action_that_nothing_knows_is_said_to_be_new_or_mistyped() -> None:
    def said(action: str) -> list[str]:
        notes = explain(GET._replace(action=action), Policies(), (), knowledge=knowledge()).notes
        return [note for note in notes if "AWS's reference" in note]

    assert said("s3:GetObject") == said("S3:getobject") == said("") == []
    (suggestion,) = said("s3:GetObjct")
    assert suggestion.startswith("AWS's reference has no action s3:GetObjct, so it is new or mistyped. Nearest: ")
    assert "s3:GetObject" in suggestion


@pytest.mark.parametrize(
    ("request_", "policies", "unseen_layer", "seen_layer"),
    [
        (GET, Policies(resource={None: READ_ALL}), "VPC endpoint policies", "the bucket policy"),
        (GET._replace(action="kms:Decrypt", resources=(KEY,)), Policies(resource={KEY: ALL}), "grants of the KMS key", "the key policy and grants of the KMS key"),
        (GET._replace(action="kms:Decrypt", resources=(KEY,)), Policies(), "the key policy and grants of the KMS key", "grants of the KMS key"),
        # A policy of the role itself is its trust policy, which was not given by that.
        (GET._replace(action="sts:AssumeRole", resources=(ROLE,)), Policies(resource={ROLE: ALL}), "the trust policy of the role", "resource policies"),
        (GET, Policies(organization=Organization((PolicyLevel(None, (ALL,)),))), "resource control policies", "service control policies"),
        (GET, Policies(organization=Organization((), (PolicyLevel(None, (ALL,)),))), "service control policies", "resource control policies"),
        (GET, Policies(without=frozenset({"service-control"})), "resource control policies", "service control policies"),
        (GET, Policies(without=frozenset({"boundary"})), "session policies", "the permissions boundary"),
        (ROOT, Policies(), "service control policies", "session policies"),
    ],
)  # fmt: skip
def test_what_was_looked_at_is_not_listed_as_unseen(
    request_: Request, policies: Policies, unseen_layer: str, seen_layer: str
) -> None:
    not_looked_at = explain(request_, policies, (), knowledge=knowledge()).not_looked_at
    assert unseen_layer in not_looked_at
    assert seen_layer not in not_looked_at


RESTRICTED = Policies(organization=Organization((), (PolicyLevel(None, (ALL,)),)))
MANAGEMENT = "Resource control policies do not restrict the resources of the management account."
NOT_LISTED = (
    f"Until {reference_day()}, AWS had not listed ec2 among the services that resource control policies apply to, so a "
    "Deny of one is left open."
)


@pytest.mark.parametrize(
    ("action", "policies", "notes"),
    [
        ("s3:GetObject", RESTRICTED, [MANAGEMENT]),
        # AWS lists the services that resource control policies apply to; EC2 is none of them, and may be one since.
        (
            "ec2:RunInstances",
            RESTRICTED,
            [NOT_LISTED],
        ),
        ("s3:GetObject", Policies(), []),
    ],
)
def test_what_resource_control_policies_leave_alone_is_said_where_there_are_some(
    action: str, policies: Policies, notes: list[str]
) -> None:
    explanation = explain(GET._replace(action=action), policies, (), knowledge=knowledge())
    assert [note for note in explanation.notes if "resource control policies" in note.lower()] == notes


def test_nothing_is_unseen_of_an_action_that_needs_no_permission() -> None:
    assert explain(IDENTITY_CALL, Policies(), (), knowledge=knowledge()).not_looked_at == ()


@pytest.mark.parametrize(
    ("text", "own_roles", "component"),
    [
        # The one that the message names, or that alone makes such calls.
        ("velero and karpenter: denied", (), "karpenter"),
        ("cluster-autoscaler: denied", (), "cluster-autoscaler"),
        ("denied", (), None),
        ("karpenter and cluster-autoscaler: denied", (), None),
        # One with a role of its own did not get it for another reason than that it has none.
        ("karpenter: denied", ("karpenter",), None),
        ("cluster-autoscaler: denied", ("karpenter",), "cluster-autoscaler"),
    ],
)
def test_the_controller_that_called_with_the_role_of_its_node_gets_one(
    text: str, own_roles: tuple[str, ...], component: str | None
) -> None:
    candidates = [
        candidate(name, [allow("s3:GetObject")], home="github.com/a/b", arn=f"published:{name}")
        for name in ("karpenter", "cluster-autoscaler")
    ]
    roles_of_controllers = tuple(RoleOfItsOwn(name, "prod", None, f"prod-{name}", "IRSA") for name in own_roles)
    purpose = Purpose(is_known=True, kinds=NODE_ROLES, own_roles=roles_of_controllers)
    explanation = explain(GET, Policies((NOTHING,)), candidates, knowledge=knowledge(), purpose=purpose, text=text)
    roles = [fix.commands[0].arguments[4] for fix in explanation.fixes]
    assert roles == ([component] if component else [])
