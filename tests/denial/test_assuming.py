"""Requests to assume a role, held against its trust policy.

The documents are those of the EKS User Guide ("Assign IAM roles to Kubernetes service accounts", "Create IAM role with
trust policy required by EKS Pod Identity") and of the IAM User Guide ("Principal"), with the mistakes people make.
"""

import json
from typing import Any

import pytest

from ekstui.denial.answer import Explanation, Policies, TrustJudgement, refused_tags
from ekstui.denial.assuming import TRUST_UNSEEN, judge_trust, judged_together, wanted_tokens, with_trust
from ekstui.denial.deciding import TRUST_MUST_ALLOW
from ekstui.denial.explain import explain
from ekstui.denial.parsing import parse_denial
from ekstui.denial.purpose import is_instance_session
from ekstui.iam.document import parse
from ekstui.iam.evaluation import AppliedPolicy, Failure, Organization, PolicyLevel, evaluate
from ekstui.iam.principals import same_principal, same_service
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from ekstui.library.catalog import knowledge
from tests.support.documents import allow, deny, document, document_of, trust

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
OTHER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLEOFANOTHERCLUSTER0EXAMPLE"
SA = "system:serviceaccount:kube-system:aws-node"
NODE = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"
WEB = "sts:AssumeRoleWithWebIdentity"
POD = "eks-auth:AssumeRoleForPodIdentity"

Part = tuple[str, str | None]


def provider(issuer: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"


def irsa(operator: str = "StringEquals", issuer: str = ISSUER, action: str = WEB, **claims: str) -> dict[str, Any]:
    keys = {f"{issuer}:{claim}": value for claim, value in claims.items()}
    return trust({"Federated": provider(ISSUER)}, action, {operator: keys})


def judged(document: dict[str, Any], request: Request, role: str | None = ROLE) -> TrustJudgement:
    return judge_trust(request, AppliedPolicy("trust policy of app", None, parse(document), role))


def token(subject: str, audience: str = "sts.amazonaws.com", issuer: str = ISSUER) -> dict[str, tuple[str, ...]]:
    claims = {f"{issuer}:sub": (subject,), f"{issuer}:aud": (audience,)}
    return {"aws:FederatedProvider": (provider(issuer),), **claims}


POD_SERVICE = "pods.eks.amazonaws.com"
PODS = {"Service": POD_SERVICE}
GUIDE = irsa(sub=SA, aud="sts.amazonaws.com")
TOKENS: list[tuple[str, dict[str, Any], dict[str, tuple[str, ...]], str, list[Part], str]] = [
    ("as in the guide", GUIDE, token(SA), "allowed", [], ""),
    ("another service account", GUIDE, token("system:serviceaccount:default:app"), "implicit-deny",
     [("condition", f"{ISSUER}:sub")], f"service account kube-system/aws-node of the cluster with issuer {ISSUER}"),
    ("another audience", GUIDE, token(SA, "kubernetes"), "implicit-deny", [("condition", f"{ISSUER}:aud")], ""),
    ("another cluster", GUIDE, token(SA, issuer=OTHER), "implicit-deny", [("principal", None)], f"issuer is {OTHER}, which belongs to another"),
    ("a wildcard taken literally", irsa(sub="system:serviceaccount:kube-system:*"), token(SA), "implicit-deny",
     [("condition", f"{ISSUER}:sub")], "literally"),
    ("the same, of no token known", irsa(sub="system:serviceaccount:kube-system:*"), {}, "implicit-deny",
     [("condition", f"{ISSUER}:sub")], "literally"),
    ("a wildcard", irsa("StringLike", sub="system:serviceaccount:kube-*:aws-*"), token(SA), "allowed", [], ""),
    ("no subject of a service account", irsa(sub="sts.amazonaws.com"), {}, "implicit-deny", [("condition", f"{ISSUER}:sub")], ""),
    ("a namespace without a name", irsa(sub="system:serviceaccount:kube-system"), {}, "implicit-deny", [("condition", f"{ISSUER}:sub")], ""),
    ("the keys of another issuer", irsa(issuer=OTHER, sub=SA), token(SA), "implicit-deny", [("condition", f"{OTHER}:sub")], "belongs to another issuer"),
    ("the same, of no token known", irsa(issuer=OTHER, sub=SA), {}, "implicit-deny", [("condition", f"{OTHER}:sub")], "belongs to another issuer"),
    ("the action of roles", irsa(action="sts:AssumeRole", sub=SA), token(SA), "implicit-deny", [("action", None)], f"does not allow {WEB}"),
    ("a service", trust({"Service": "eks.amazonaws.com"}, "sts:AssumeRole"), token(SA), "implicit-deny",
     [("principal", None), ("action", None)], "accepts no token"),
    ("nothing known of the token", GUIDE, {}, "depends",
     [("principal", None), ("condition", f"{ISSUER}:sub"), ("condition", f"{ISSUER}:aud")], "kube-system/aws-node"),
    ("only the subject known", GUIDE, {f"{ISSUER}:sub": (SA,)}, "depends", [("condition", f"{ISSUER}:aud")], ""),
    ("excluded", trust({"Federated": provider(ISSUER)}, WEB, {"StringNotEquals": {f"{ISSUER}:sub": SA}}), token(SA),
     "implicit-deny", [("condition", f"{ISSUER}:sub")], ""),
]  # fmt: skip


@pytest.mark.parametrize(("document", "context", "verdict", "failed_parts", "note"), [case[1:] for case in TOKENS],
                         ids=[case[0] for case in TOKENS])  # fmt: skip
def test_a_token_against_a_trust_policy(
    document: dict[str, Any], context: dict[str, tuple[str, ...]], verdict: str, failed_parts: list[Part], note: str
) -> None:
    judgement = judged(document, Request(WEB, context=context))
    assert judgement.verdict == verdict
    assert [(failure.part, failure.key) for failure in judgement.statements[0].failed] == failed_parts
    assert note in " ".join(judgement.notes)
    assert bool(judgement.missing) is (verdict == "depends")


def test_that_it_is_a_token_is_known_of_every_one() -> None:
    (result,) = judged(trust(PODS, "sts:AssumeRole"), Request(WEB)).statements
    assert [failure.actual for failure in result.failed] == [("a web identity token",), (WEB,)]


def test_a_service_account_may_be_named_without_its_cluster() -> None:
    assert judged(GUIDE, Request(WEB, principal="system:serviceaccount:a:b")).verdict == "implicit-deny"
    judgement = judged(GUIDE, Request(WEB, principal=SA))
    assert (judgement.verdict, judgement.caller.subject) == ("depends", SA)


def test_what_is_not_known_of_a_token_is_missing_and_what_is_known_is_not() -> None:
    subject, audience = f"{ISSUER}:sub", f"{ISSUER}:aud"
    # Every cluster may have a service account of that name; the key of its claim names the one that is meant.
    assert judged(GUIDE, Request(WEB, principal=SA)).missing == (subject, audience)
    assert judged(GUIDE, Request(WEB)).missing == (subject, audience)
    assert judged(GUIDE, Request(WEB, context={subject: (SA,)})).missing == (audience,)
    anyone = trust({"Federated": provider(ISSUER)}, WEB)
    assert judged(anyone, Request(WEB, principal=SA)).missing == (subject,)
    assert judged(anyone, Request(WEB, context={subject: (SA,)})).missing == ()


def test_all_but_some_is_judged_by_what_is_known_of_the_caller() -> None:
    def but(arn: str, effect: str) -> str:
        statement = {"Effect": effect, "NotPrincipal": {"AWS": arn}, "Action": "sts:AssumeRole"}
        allowing = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
        document = {"Version": "2012-10-17", "Statement": [statement, *([allowing] if effect == "Deny" else [])]}
        return judged(document, Request("sts:AssumeRole", (ROLE,), NODE)).verdict

    # A Deny exempts a session only if its role and its account are named too (IAM User Guide, "NotPrincipal with Deny").
    unnamed_role = f"arn:aws:iam::{ACCOUNT}:role/other"
    assert (but(NODE, "Deny"), but(unnamed_role, "Deny")) == ("depends", "explicit-deny")
    assert (but(NODE, "Allow"), but(unnamed_role, "Allow")) == ("implicit-deny", "allowed")


def test_who_the_caller_would_have_to_be_leaves_out_what_it_is() -> None:
    # The token is of the right service account and cluster: only its audience is another.
    notes = judged(GUIDE, Request(WEB, context=token(SA, "kubernetes"))).notes
    assert notes == ("The token's audience would have to be sts.amazonaws.com, not kubernetes.",)
    of_another_account = json.loads(json.dumps(GUIDE).replace(ACCOUNT, "444455556666"))
    judgement = judged(of_another_account, Request(WEB, context=token(SA)))
    assert (judgement.verdict, judgement.notes) == ("implicit-deny", ())


def test_whether_everybody_means_a_token_is_said_to_be_open() -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": WEB, "Condition": {"StringEquals": {f"{ISSUER}:sub": SA}}}
    judgement = judged({**GUIDE, "Statement": [*GUIDE["Statement"], deny]}, Request(WEB, context=token(SA)))
    assert judgement.verdict == "depends"
    assert any('"*"' in note for note in judgement.notes)
    assert not any("would have to be" in note for note in judgement.notes)


def test_tags_of_a_session_need_an_action_of_their_own() -> None:
    document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "sts:AssumeRole")
    judgement = judged(document, Request("sts:TagSession", principal=NODE))
    assert judgement.verdict == "implicit-deny"
    assert any("does not allow sts:TagSession" in note for note in judgement.notes)


def test_of_who_tags_no_session_it_is_not_said_that_tags_are_not_allowed() -> None:
    document = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "sts:TagSession")
    assert judged(document, Request("sts:AssumeRole", principal=NODE)).notes == ()
    of_service = trust({"Service": "ec2.amazonaws.com"}, "sts:TagSession")
    assert judged(of_service, Request("sts:TagSession", principal=NODE)).notes == (
        "The trust policy does not allow sts:TagSession, which the session's tags or source identity need.",
    )


def test_a_deny_goes_before_what_is_allowed() -> None:
    refusal = trust({"Federated": provider(ISSUER)}, WEB, {"StringEquals": {f"{ISSUER}:sub": SA}}, Effect="Deny")
    allow_and_deny = {"Version": "2012-10-17", "Statement": [*GUIDE["Statement"], *refusal["Statement"]]}
    assert judged(allow_and_deny, Request(WEB, context=token(SA))).verdict == "explicit-deny"
    assert judged(allow_and_deny, Request(WEB)).verdict == "depends"


@pytest.mark.parametrize(
    ("document", "verdict", "note"),
    [
        (trust(PODS, ["sts:AssumeRole", "sts:TagSession"]), "allowed", ""),
        (trust(PODS, "sts:*"), "allowed", ""),
        (trust(PODS, "sts:AssumeRole"), "implicit-deny", "sts:TagSession"),
        (GUIDE, "implicit-deny", "does not name pods.eks.amazonaws.com"),
        (trust({"Service": "eks.amazonaws.com"}, ["sts:AssumeRole", "sts:TagSession"]), "implicit-deny", "does not name"),
        (trust(PODS, ["sts:AssumeRole", "sts:TagSession"],
               {"StringEquals": {"aws:RequestTag/kubernetes-namespace": "shop"}}), "depends", ""),
        (trust(PODS, ["sts:AssumeRole", "sts:TagSession"],
               {"StringEquals": {"aws:RequestTag/eks-cluster-name": "test"}}), "implicit-deny", ""),
    ],
)  # fmt: skip
def test_pod_identity_needs_both_actions(document: dict[str, Any], verdict: str, note: str) -> None:
    cluster = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
    judgement = judged(document, Request(POD, (cluster,), NODE))
    assert judgement.verdict == verdict
    assert note in " ".join(judgement.notes)
    assert judged(document, Request("sts:AssumeRole", (ROLE,), "pods.eks.amazonaws.com", {
        "aws:RequestTag/eks-cluster-name": ("prod",)})).verdict == verdict  # fmt: skip


def own(*actions: str) -> AppliedPolicy:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return AppliedPolicy("own", None, parse({"Version": "2012-10-17", "Statement": statement}))


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
SELF = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/eks/node"}
ELSEWHERE = "arn:aws:iam::444455556666:role/app"


@pytest.mark.parametrize(
    ("principal", "role", "identity", "verdict"),
    [
        # A trust policy that names the account leaves it to the caller's own policies.
        (ROOT, ROLE, own("sts:AssumeRole"), "allowed"),
        (ROOT, ROLE, own("s3:*"), "implicit-deny"),
        (ROOT, ROLE, None, "depends"),
        ({"AWS": ACCOUNT}, ROLE, own("s3:*"), "implicit-deny"),
        # One that names the caller is enough in its own account, and only there.
        (SELF, ROLE, own("s3:*"), "allowed"),
        (SELF, ROLE, None, "allowed"),
        (SELF, ELSEWHERE, own("s3:*"), "implicit-deny"),
        (SELF, ELSEWHERE, None, "depends"),
        (SELF, None, own("s3:*"), "depends"),
        ({"AWS": NODE}, ROLE, None, "allowed"),
        # Whether `*` is enough is not written anywhere.
        ({"AWS": "*"}, ROLE, own("s3:*"), "depends"),
        ({"AWS": "*"}, ROLE, own("sts:*"), "allowed"),
        ({"AWS": "arn:aws:iam::444455556666:root"}, ROLE, own("*"), "implicit-deny"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, ROLE, own("*"), "implicit-deny"),
        ({"AWS": NODE.replace("i-0", "i-1")}, ROLE, own("*"), "implicit-deny"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/node"}, ROLE, own("*"), "implicit-deny"),
        ({"AWS": "AROAEXAMPLEEXAMPLE000"}, ROLE, own("*"), "implicit-deny"),
        ({"Service": "ec2.amazonaws.com"}, ROLE, own("*"), "implicit-deny"),
    ],
)
def test_the_callers_own_policies_count_where_they_must(
    principal: object, role: str | None, identity: AppliedPolicy | None, verdict: str
) -> None:
    request = Request("sts:AssumeRole", (role,) if role else (), NODE)
    judgement = judged(trust(principal, "sts:AssumeRole"), request, role)
    evaluation = None if identity is None else evaluate(request, (identity,), reference=reference())
    assert judged_together(judgement, evaluation)[0] == verdict


def test_what_is_not_known_of_the_caller_is_asked_for() -> None:
    external = trust(ROOT, "sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "12345"}})
    request = Request("sts:AssumeRole", (ROLE,), NODE)
    assert judged(external, request).missing == ("sts:ExternalId",)
    assert judged(external, Request("sts:AssumeRole", (ROLE,))).missing == ("principal", "sts:ExternalId")
    assert judged(trust(ROOT, "sts:AssumeRole"), Request("sts:TagSession", (ROLE,), NODE)).verdict == "implicit-deny"
    saml = trust({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}, "sts:AssumeRoleWithSAML")
    assert judged(saml, Request("sts:AssumeRoleWithSAML")).missing == ("aws:FederatedProvider",)
    assert judged(saml, Request(WEB, context=token(SA))).verdict == "implicit-deny"


# The shapes of the IAM User Guide's "Example AWS STS API events in CloudTrail log".
WEB_EVENT: dict[str, Any] = {
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRoleWithWebIdentity",
    "errorCode": "AccessDenied",
    "errorMessage": "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    "userIdentity": {
        "type": "WebIdentityUser",
        "principalId": f"{provider(ISSUER)}:sts.amazonaws.com:{SA}",
        "userName": SA,
        "identityProvider": provider(ISSUER),
    },
    "requestParameters": {"roleArn": ROLE, "roleSessionName": "botocore-session-1"},
}


def test_an_event_tells_role_provider_subject_and_audience() -> None:
    denial = parse_denial(json.dumps(WEB_EVENT))
    assert (denial.action, denial.resource) == (WEB, ROLE)
    assert all(denial.context[key] == values for key, values in token(SA).items())
    assert denial.context["sts:RoleSessionName"] == ("botocore-session-1",)
    assert judged(GUIDE, Request(denial.action, (ROLE,), denial.principal, denial.context)).verdict == "allowed"


@pytest.mark.parametrize(
    "principal",
    [
        f"{provider(ISSUER)}:sts.amazonaws.com",
        f"{provider(OTHER)}:sts.amazonaws.com:{SA}",
        f"{provider(ISSUER)}:{SA}",
        f"sts.amazonaws.com:{SA}",
        None,
    ],
)
def test_an_audience_is_read_only_between_the_provider_and_the_subject(principal: str | None) -> None:
    event = {**WEB_EVENT, "userIdentity": {**WEB_EVENT["userIdentity"], "principalId": principal}}
    context = parse_denial(json.dumps(event)).context
    assert context[f"{ISSUER}:sub"] == (SA,)
    assert f"{ISSUER}:aud" not in context


def test_an_event_of_a_role_tells_what_it_gave_and_what_not() -> None:
    event = {
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRole",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {NODE} is not authorized to perform: sts:AssumeRole on resource: {ROLE}",
        "userIdentity": {"type": "AssumedRole", "arn": NODE, "sessionContext": {"attributes": {"mfaAuthenticated": "false"}}},
        "requestParameters": {"roleArn": ROLE, "roleSessionName": "s"},
    }  # fmt: skip
    denial = parse_denial(json.dumps(event))
    request = Request(denial.action, (ROLE,), denial.principal, denial.context)
    external = trust(ROOT, "sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "12345"}})
    assert judged(external, request).verdict == "implicit-deny"
    service = {
        **event,
        "errorMessage": "Access denied",
        "userIdentity": {"type": "AWSService", "invokedBy": "pods.eks.amazonaws.com"},
    }
    assert parse_denial(json.dumps(service)).principal == "pods.eks.amazonaws.com"


def test_the_tokens_that_a_trust_policy_wants() -> None:
    def audiences(*statements: dict[str, Any]) -> list[tuple[str, ...]]:
        union = [statement for document in statements for statement in document["Statement"]]
        return [token.audiences for token in wanted_tokens(parse({"Version": "2012-10-17", "Statement": union}))]

    def on(**conditions: dict[str, Any]) -> dict[str, Any]:
        return trust({"Federated": provider(ISSUER)}, WEB, conditions)

    aud = f"{ISSUER}:aud"
    assert audiences(GUIDE) == audiences(GUIDE, GUIDE) == [("sts.amazonaws.com",)]
    # Only the issuer's audience counts, whatever its case, and only where it is listed as accepted.
    assert audiences(on(StringEquals={aud.upper(): ["a", "b"], "aws:PrincipalOrgID": "o-1", f"{ISSUER}:sub": SA})) == [
        ("a", "b")
    ]
    assert audiences(on(StringLike={aud: "a*"})) == [("a*",)]
    assert audiences(on(StringNotEquals={aud: "a"})) == [()]
    assert audiences(on(StringEquals={f"{OTHER}:aud": "a"})) == []
    assert audiences(on(StringEqualsIfExists={f"{OTHER}:aud": "a"})) == [()]
    # A subject in place of the audience is met by no token.
    assert audiences(on(StringEquals={aud: [SA, SA + "x"]})) == []
    assert audiences(on(StringEquals={aud: [SA, "a"]})) == [(SA, "a")]
    assert audiences(trust({"Federated": provider(ISSUER)}, "sts:AssumeRole")) == []
    assert audiences(trust(PODS, WEB)) == []


@pytest.mark.parametrize(
    ("operator", "key", "accepted_tags", "request_tags", "refused_keys"),
    [
        ("ForAllValues:StringEquals", "aws:TagKeys", ("a", "b"), ("a", "b", "c", "d"), ("c", "d")),
        ("ForAllValues:StringEquals", "aws:tagkeys", ("b",), ("a", "b", "c"), ("a", "c")),
        ("forallvalues:stringequalsignorecase", "aws:TagKeys", ("A",), ("a", "b"), ("b",)),
        ("ForAllValues:StringLike", "aws:TagKeys", ("team*",), ("team-a", "x"), ("x",)),
        ("ForAllValues:StringEquals", "aws:TagKeys", ("team*",), ("team-a",), ("team-a",)),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ("a",), ("b",), ()),
        ("ForAllValues:StringNotLike", "aws:TagKeys", ("a",), ("b",), ()),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ("a",), ("b",), ()),
        ("StringEquals", "aws:TagKeys", ("a",), ("b",), ()),
        ("ForAllValues:StringEquals", "aws:RequestTag/a", ("a",), ("b",), ()),
        ("ForAllValues:StringEquals", None, ("a",), ("b",), ()),
        ("ForAllValues:StringEquals", "aws:TagKeys", ("a",), None, ()),
        ("ForAllValues:StringEquals", "aws:TagKeys", (), ("b",), ("b",)),
    ],
)
def test_tags_that_a_condition_on_all_of_them_refuses(
    operator: str,
    key: str | None,
    accepted_tags: tuple[str, ...],
    request_tags: tuple[str, ...] | None,
    refused_keys: tuple[str, ...],
) -> None:
    assert refused_tags(Failure("condition", key, operator, accepted_tags, request_tags)) == refused_keys


@pytest.mark.parametrize(
    ("value", "service", "same"),
    [
        ("pods.eks.amazonaws.com", "PODS.eks.amazonaws.com", True),
        ("ec2.amazonaws.com.cn", "ec2.amazonaws.com", True),
        ("ec2.amazonaws.com", "ec2.amazonaws.com.cn", True),
        ("states.eu-west-1.amazonaws.com", "states.amazonaws.com", None),
        ("states.amazonaws.com", "states.us-gov-east-1.amazonaws.com", None),
        ("states.eu-west-1.amazonaws.com", "states.eu-west-2.amazonaws.com", None),
        ("ec2.amazonaws.com", "eks.amazonaws.com", False),
        ("eks.amazonaws.com", "ec2.amazonaws.com", False),
        ("states.eu-west-1.amazonaws.com", "sns.eu-west-1.amazonaws.com", False),
    ],
)
def test_names_of_one_service(value: str, service: str, same: bool | None) -> None:
    assert same_service(value, service) is same


def explanation_of(
    document: dict[str, Any], request: Request, identity: AppliedPolicy | None = None, cause: str | None = None
) -> Explanation:
    """Explain a request to assume ROLE by its trust policy and the caller's own; `cause` is what a message says, if any."""
    denial = None if cause is None else parse_denial(f"User: {request.principal} is not authorized to perform: {request.action} on resource: {ROLE}{cause}")  # fmt: skip
    policies = Policies((identity,), identity_known=True) if identity is not None else Policies()
    explanation = explain(request, policies, (), knowledge=knowledge(), denial=denial)
    policy = AppliedPolicy("trust policy of app", None, parse(document), ROLE)
    return with_trust(explanation, request, policies, policy, denial=denial)


ELSE = "The trust policy looked at allows the caller"
ANYBODY = 'a trust policy that names "*" is enough for callers of its own account'
MAY_ASSUME = AppliedPolicy(
    "own", None, document_of(allow("sts:*", Condition={"StringEquals": {"aws:PrincipalTag/a": "b"}}))
)
"""A policy that may allow it: nothing is known of the caller's tags."""
NAME_ROLE = "name its role with --role"
NEITHER = "The trust policy of the role does not allow it either."
MISSES = trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/other"}, "sts:AssumeRole")
NO_IDENTITY = " because no identity-based policy allows the sts:AssumeRole action"
SCP = " with an explicit deny in a service control policy"


@pytest.mark.parametrize(
    ("document", "identity", "cause", "verdict", "phrase", "absent_phrases"),
    [
        # Without a message, the two policies together decide.
        (trust(SELF, "sts:AssumeRole"), None, None, "allowed", "", (ELSE, NAME_ROLE)),
        (trust(ROOT, "sts:AssumeRole"), None, None, "depends", NAME_ROLE, (ELSE,)),
        (trust(ROOT, "sts:AssumeRole"), own("s3:*"), None, "implicit-deny", "", (ELSE, NAME_ROLE)),
        # Whether `*` is enough is open, but the caller's own policies are known.
        (trust({"AWS": "*"}, "sts:AssumeRole"), own("s3:*"), None, "depends", ANYBODY, (ELSE, NAME_ROLE)),
        (trust({"AWS": "*"}, "sts:AssumeRole"), None, None, "depends", NAME_ROLE, (ELSE, ANYBODY)),
        (trust({"AWS": "*"}, "sts:AssumeRole"), own("sts:*"), None, "allowed", "", (ELSE, NAME_ROLE, ANYBODY)),
        (trust(ROOT, "sts:AssumeRole"), MAY_ASSUME, None, "depends", "", (ELSE, NAME_ROLE, ANYBODY)),
        (MISSES, own("sts:*"), None, "implicit-deny", "role/other", (ELSE, NAME_ROLE, NEITHER)),
        # A message that gives no reason: what the policies allow now, something else denied.
        (trust(SELF, "sts:AssumeRole"), None, "", "allowed", ELSE, (NAME_ROLE,)),
        (trust(ROOT, "sts:AssumeRole"), own("sts:*"), "", "allowed", ELSE, (NAME_ROLE,)),
        (trust(ROOT, "sts:AssumeRole"), None, "", "depends", NAME_ROLE, (ELSE,)),
        (trust(ROOT, "sts:AssumeRole"), own("s3:*"), "", "implicit-deny", "", (ELSE, NAME_ROLE)),
        (MISSES, None, "", "implicit-deny", "role/other", (ELSE, NEITHER)),
        # A message that names another kind of policy is right about it; the trust policy may fail as well.
        (trust(SELF, "sts:AssumeRole"), own("sts:*"), SCP, "explicit-deny", "service control policy", (ELSE, NEITHER)),
        (MISSES, own("sts:*"), SCP, "explicit-deny", NEITHER, (ELSE,)),
        (trust(ROOT, "sts:AssumeRole"), own("s3:*"), NO_IDENTITY, "implicit-deny", "", (ELSE, NEITHER)),
    ],
)  # fmt: skip
def test_an_explanation_takes_the_trust_policy_into_account(
    document: dict[str, Any], identity: AppliedPolicy | None, cause: str | None, verdict: str, phrase: str, absent_phrases: tuple[str, ...]
) -> None:  # fmt: skip
    answer = explanation_of(document, Request("sts:AssumeRole", (ROLE,), NODE), identity, cause)
    notes = " ".join(answer.notes)
    assert answer.verdict == verdict
    assert phrase in notes
    assert not [note for note in absent_phrases if note in notes]
    # What the trust policy must allow is said only where it was not looked at.
    assert TRUST_MUST_ALLOW not in answer.notes
    assert TRUST_UNSEEN not in answer.not_looked_at
    assert answer.judged is (cause in (None, "") or (cause == NO_IDENTITY and identity is not None))


def test_what_helps_depends_on_which_of_the_two_policies_denies() -> None:
    request = Request("sts:AssumeRole", (ROLE,), NODE)
    by_own = explanation_of(trust(ROOT, "sts:AssumeRole"), request, own("sts:AssumeRoles"))
    assert by_own.smallest_statement is not None
    assert [statement.layer for statement in by_own.nearest] == ["identity"]
    # The caller's own policies say nothing like it, so the statement of the trust policy is shown.
    assert [
        statement.layer for statement in explanation_of(trust(ROOT, "sts:AssumeRole"), request, own("s3:*")).nearest
    ] == ["trust"]
    for answer in (
        explanation_of(MISSES, request, own("s3:*")),
        explanation_of(trust(SELF, "sts:AssumeRole"), request),
    ):
        assert (answer.smallest_statement, answer.allowed_by, answer.newer_version) == (None, (), None)
        assert [statement.layer for statement in answer.nearest] == ["trust"]
    # A call that nobody signs is not about policies of the caller, nor about limits of its organization.
    token_only = explanation_of(GUIDE, Request(WEB, (ROLE,)))
    assert token_only.not_looked_at == ("resource control policies", "VPC endpoint policies")
    assert "service control policies" in by_own.not_looked_at


@pytest.mark.parametrize(
    ("request_", "count", "lines"),
    [
        (Request(POD, (f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod",), NODE), 1, 1),
        (Request("sts:AssumeRole", (ROLE,), "ecs-tasks.amazonaws.com"), 6, 4),
        (Request("sts:AssumeRole", (ROLE,), NODE), 6, 4),
        (Request("sts:AssumeRoleWithSAML", (ROLE,)), 2, 2),
        # It is the action that is missing, not the caller.
        (Request("sts:TagSession", (ROLE,), NODE), 2, 0),
        (Request("sts:SetSourceIdentity", (ROLE,), NODE), 2, 0),
        (Request("sts:TagSession", (ROLE,), "ecs-tasks.amazonaws.com"), 2, 0),
        # What a token must be is said more exactly.
        (Request(WEB, (ROLE,)), 2, 0),
    ],
)
def test_who_may_assume_the_role_is_listed_for_those_who_may_not(request_: Request, count: int, lines: int) -> None:
    services = ["ec2", "lambda", "glue", "sagemaker", "batch", "codebuild"][:count]
    answer = explanation_of(
        trust({"Service": [f"{service}.amazonaws.com" for service in services]}, "sts:AssumeRole"), request_
    )
    assert answer.verdict == "implicit-deny"
    assert sum(any(f"{service}.amazonaws.com" in note for service in services) for note in answer.notes) == lines


@pytest.mark.parametrize(
    ("boundary", "session", "verdict"),
    [(own("s3:*"), (), "depends"), (None, (own("s3:*"),), "depends"), (own("sts:*"), (own("sts:*"),), "allowed")],
)
def test_a_limit_of_the_caller_may_take_away_what_a_trust_policy_gives_directly(
    boundary: AppliedPolicy | None, session: tuple[AppliedPolicy, ...], verdict: str
) -> None:
    """IAM User Guide, "Permissions boundaries": an implicit deny in one limits a role that a resource policy names."""
    request = Request("sts:AssumeRole", (ROLE,), NODE)
    evaluation = evaluate(request, (own("sts:*"),), boundary, session, reference())
    assert judged_together(judged(trust(SELF, "sts:AssumeRole"), request), evaluation)[0] == verdict


SUB = f"{ISSUER}:sub"
GITHUB = "token.actions.githubusercontent.com"


@pytest.mark.parametrize(
    ("operator", "values", "verdict"),
    [
        ("StringEquals", [SA], "depends"),
        ("StringEquals", ["sts.amazonaws.com", SA], "depends"),
        ("StringEquals", ["sts.amazonaws.com", "system:serviceaccount:kube-system:*"], "implicit-deny"),
        ("StringEqualsIgnoreCase", [SA.upper()], "depends"),
        ("StringEqualsIgnoreCase", ["sts.amazonaws.com"], "implicit-deny"),
        ("StringEquals", ["${aws:PrincipalTag/subject}"], "depends"),
        ("StringLike", ["system:serviceaccount:*"], "depends"),
        ("StringLike", ["*:aws-node"], "depends"),
        ("StringLike", ["sts.amazonaws.com*", "repo:*"], "implicit-deny"),
        ("StringLike", ["sts.amazonaws.com*", "*"], "depends"),
        ("StringLike", ["x-${aws:PrincipalTag/subject}"], "depends"),
        # A negation holds for a token of any subject, and so does a condition on all of none.
        ("StringNotEquals", ["sts.amazonaws.com"], "depends"),
        ("StringNotLike", ["sts.amazonaws.com*"], "depends"),
        ("ForAllValues:StringEquals", ["sts.amazonaws.com"], "depends"),
        ("ForAnyValue:StringEquals", ["sts.amazonaws.com"], "implicit-deny"),
    ],
)
def test_a_subject_that_no_service_account_has(operator: str, values: list[str], verdict: str) -> None:
    """EKS User Guide, "Assign IAM roles to Kubernetes service accounts": a subject is system:serviceaccount:NAMESPACE:NAME."""
    document = trust({"Federated": provider(ISSUER)}, WEB, {operator: {SUB.upper(): values}})
    assert judged(document, Request(WEB)).verdict == verdict
    # The tokens of other issuers have other subjects.
    github_trust = trust({"Federated": provider(GITHUB)}, WEB, {operator: {f"{GITHUB}:sub": values}})
    assert judged(github_trust, Request(WEB)).verdict == "depends"


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, "allowed"),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, "implicit-deny"),
        ({"StringEquals": {"aws:PrincipalServiceName": "pods.eks.amazonaws.com"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalServiceName": "ec2.amazonaws.com"}}, "implicit-deny"),
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "kube-system"}}, "allowed"),
        ({"StringEquals": {"aws:RequestTag/kubernetes-namespace": "default"}}, "implicit-deny"),
        ({"StringEquals": {"aws:RequestTag/kubernetes-service-account": "aws-node"}}, "allowed"),
        ({"StringEquals": {"aws:RequestTag/kubernetes-service-account": "kube-system"}}, "implicit-deny"),
        ({"StringEquals": {"aws:RequestTag/eks-cluster-name": "prod"}}, "allowed"),
        ({"ArnEquals": {"aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"}}, "allowed"),
        ({"ArnEquals": {"aws:RequestTag/eks-cluster-arn": f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/dev"}}, "implicit-deny"),
        ({"StringEquals": {"aws:RequestTag/kubernetes-pod-uid": "1"}}, "depends"),
    ],
)  # fmt: skip
def test_what_a_session_of_pod_identity_is_known_to_have(condition: dict[str, Any], verdict: str) -> None:
    """EKS User Guide, "Grant Pods access to AWS resources based on tags"."""
    document = trust(PODS, ["sts:AssumeRole", "sts:TagSession"], condition)
    cluster = f"arn:aws:eks:eu-west-1:{ACCOUNT}:cluster/prod"
    assert judged(document, Request(POD, (cluster,), SA)).verdict == verdict
    # Neither another resource of the cluster nor a cluster of another service names it.
    for neighbour in (cluster.replace("cluster/", "nodegroup/"), cluster.replace(":eks:", ":ecs:")):
        of_cluster = "eks-cluster" in str(condition)
        assert judged(document, Request(POD, (neighbour,), SA)).verdict == ("depends" if of_cluster else verdict)


SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"


@pytest.mark.parametrize(
    ("principal", "action", "context", "verdict", "actual"),
    [
        ({"Federated": SAML}, "sts:AssumeRoleWithSAML", {"aws:FederatedProvider": (SAML,)}, "allowed", None),
        ({"Federated": SAML}, "sts:AssumeRoleWithSAML", {"aws:FederatedProvider": (SAML + "2",)}, "implicit-deny", (SAML + "2",)),
        ({"Federated": SAML}, "sts:AssumeRoleWithSAML", {}, "depends", None),
        ({"Federated": SAML}, WEB, {}, "implicit-deny", ("a web identity token",)),
        ({"Federated": provider(ISSUER)}, "sts:AssumeRoleWithSAML", {}, "implicit-deny", ("a SAML assertion",)),
        ({"Federated": provider(ISSUER)}, WEB, {SUB: (SA,)}, "allowed", None),
        # A statement may name a public provider by its host alone.
        ({"Federated": "accounts.google.com"}, WEB, {"accounts.google.com:sub": ("1",)}, "allowed", None),
        ({"Federated": "Accounts.Google.com"}, WEB, {"aws:FederatedProvider": ("accounts.google.com",)}, "allowed", None),
        ({"Federated": provider(ISSUER)}, WEB, {"aws:FederatedProvider": (ISSUER.upper(),)}, "allowed", None),
        # The same issuer in another account is another provider.
        ({"Federated": provider(ISSUER)}, WEB, {"aws:FederatedProvider": (provider(ISSUER).replace("1111", "4444"),)},
         "implicit-deny", (provider(ISSUER).replace("1111", "4444"),)),
        # Of two issuers, neither is known to be the token's.
        ({"Federated": provider(ISSUER)}, WEB, {SUB: (SA,), f"{OTHER}:sub": (SA,)}, "depends", None),
        ({"CanonicalUser": "79a59d"}, WEB, {}, "implicit-deny", ("a web identity token",)),
    ],
)  # fmt: skip
def test_who_bears_a_token(
    principal: object, action: str, context: dict[str, tuple[str, ...]], verdict: str, actual: tuple[str, ...] | None
) -> None:
    judgement = judged(trust(principal, action), Request(action, context=context))
    assert judgement.verdict == verdict
    if verdict != "allowed":
        assert judgement.statements[0].failed[0].actual == actual
    else:
        assert (judgement.named_as, judgement.missing) == ("direct", ())


@pytest.mark.parametrize(
    ("principal", "caller", "verdict", "grant", "same_account"),
    [
        # Of several principals of a statement, the one that names the caller best counts.
        ({"AWS": [ACCOUNT, SELF["AWS"]]}, NODE, "allowed", "direct", True),
        ({"AWS": [ACCOUNT, "*"]}, NODE, "allowed", "open", True),
        ({"AWS": ["444455556666", ACCOUNT]}, NODE, "allowed", "account", True),
        ({"AWS": ["444455556666", ELSEWHERE]}, NODE, "implicit-deny", None, True),
        ({"AWS": [ELSEWHERE, "*"]}, NODE.replace(ACCOUNT, "444455556666"), "allowed", "open", False),
        ({"Service": "ec2.amazonaws.com", "AWS": ACCOUNT}, NODE, "allowed", "account", True),
        # Nothing is known of the caller: who is named could be it, a canonical user of S3 could not.
        ({"AWS": ACCOUNT}, None, "depends", "account", None),
        ({"AWS": SELF["AWS"]}, None, "depends", "direct", None),
        ({"Service": "ec2.amazonaws.com"}, None, "depends", "direct", None),
        ({"CanonicalUser": "79a59d"}, None, "implicit-deny", None, None),
        ("*", None, "depends", "open", None),
        # Whether `*` means a service is not documented.
        ("*", "ec2.amazonaws.com", "depends", "open", None),
        ({"Service": ["eks.amazonaws.com", "ec2.amazonaws.com"]}, "ec2.amazonaws.com", "allowed", "direct", None),
        ({"AWS": ACCOUNT}, "ec2.amazonaws.com", "implicit-deny", None, None),
        ({"Service": "states.eu-west-1.amazonaws.com"}, "states.amazonaws.com", "depends", "direct", None),
        ({"Service": ["ec2.amazonaws.com", "states.eu-west-1.amazonaws.com"]}, "states.amazonaws.com", "depends", "direct", None),
        ({"Service": ["states.eu-west-1.amazonaws.com", "ec2.amazonaws.com"]}, "states.amazonaws.com", "depends", "direct", None),
        ({"Service": ["states.eu-west-1.amazonaws.com", "states.amazonaws.com"]}, "states.amazonaws.com", "allowed", "direct", None),
        ({"AWS": "*", "Service": "ec2.amazonaws.com"}, "ec2.amazonaws.com", "allowed", "direct", None),
        ({"Service": "ec2.amazonaws.com", "AWS": "*"}, "ec2.amazonaws.com", "allowed", "direct", None),
    ],
)  # fmt: skip
def test_how_a_statement_names_the_caller(
    principal: object, caller: str | None, verdict: str, grant: str | None, same_account: bool | None
) -> None:
    judgement = judged(trust(principal, "sts:AssumeRole"), Request("sts:AssumeRole", (ROLE,), caller))
    assert (judgement.verdict, judgement.named_as, judgement.same_account) == (verdict, grant, same_account)
    assert ("principal" in judgement.missing) is (verdict == "depends" and caller is None)


def test_only_a_statement_that_may_allow_the_caller_names_it() -> None:
    """The caller's own policies must allow it too if only its account is let in."""
    elsewhere = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    by_account, by_name = trust(ROOT, "sts:AssumeRole"), trust(SELF, "sts:AssumeRole")
    other_region = trust(SELF, "sts:AssumeRole", elsewhere)
    open_deny = trust(SELF, "sts:AssumeRole", {"StringEquals": {"aws:PrincipalTag/a": "b"}}, Effect="Deny")
    request = Request("sts:AssumeRole", (ROLE,), NODE, {"aws:RequestedRegion": ("eu-west-1",)})

    def named_as(*documents: dict[str, Any]) -> str | None:
        statements = [statement for document in documents for statement in document["Statement"]]
        return judged(document(*statements), request).named_as

    assert (named_as(by_account), named_as(by_name)) == ("account", "direct")
    assert named_as(by_account, by_name) == named_as(by_name, by_account) == "direct"
    assert named_as(by_account, other_region) == named_as(other_region, by_account) == "account"
    assert named_as(by_account, open_deny) == named_as(open_deny, by_account) == "account"


@pytest.mark.parametrize(
    ("principal", "caller", "identity", "levels", "outcome"),
    [
        # The organization decides before all else; what it leaves open is all that is missing of a service.
        (SELF, NODE, None, ["deny"], ("explicit-deny", ())),
        (SELF, NODE, None, ["nothing"], ("implicit-deny", ())),
        (SELF, NODE, None, ["allow"], ("allowed", ())),
        (SELF, NODE, None, ["may"], ("depends", ("identity", "aws:PrincipalTag/a"))),
        (ROOT, NODE, None, ["allow"], ("depends", ())),
        (SELF, NODE, "sts:*", ["may"], ("depends", ("aws:PrincipalTag/a",))),
        (ROOT, NODE, "sts:*", ["allow"], ("allowed", ())),
        (ROOT, NODE, "s3:*", ["allow"], ("implicit-deny", ())),
        (ROOT, NODE, "sts:*", ["allow", "may"], ("depends", ("aws:PrincipalTag/a",))),
        (PODS, POD_SERVICE, None, ["allow"], ("allowed", ())),
        (PODS, POD_SERVICE, None, ["may"], ("depends", ("aws:PrincipalTag/a",))),
        ({"Service": "ec2.amazonaws.com"}, POD_SERVICE, None, ["may"], ("implicit-deny", ())),
    ],
)  # fmt: skip
def test_the_policies_of_the_organization_must_allow_it_too(
    principal: object, caller: str, identity: str | None, levels: list[str], outcome: tuple[str, tuple[str, ...]]
) -> None:
    """Organizations User Guide: service control policies restrict roles, resource control policies also services."""
    tag_condition: dict[str, Any] = {"Condition": {"StringEquals": {"aws:PrincipalTag/a": "b"}}}
    policies = {
        "allow": (allow("*"),), "nothing": (allow("s3:*"),), "deny": (allow("*"), deny("sts:*")),
        "may": (allow("*"), deny("sts:*", **tag_condition)),
    }  # fmt: skip
    control = tuple(
        PolicyLevel(level, (AppliedPolicy(level, None, document_of(*policies[level])),)) for level in levels
    )
    organization = Organization(control) if caller == NODE else Organization((), control)
    request = Request("sts:AssumeRole", (ROLE,), caller)
    judgement = judged(trust(principal, ["sts:AssumeRole", "sts:TagSession"]), request)
    identity_policies = None if identity is None else (own(identity),)
    evaluation = evaluate(request, identity_policies, reference=reference(), organization=organization)
    assert judged_together(judgement, evaluation) == outcome


ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/eks/node"


@pytest.mark.parametrize(
    ("value", "caller", "same"),
    [
        (ROLE_ARN, ROLE_ARN, True),
        (ROLE_ARN, NODE, True),
        (NODE, NODE, True),
        # Without its session, a role may be the one meant.
        (NODE, ROLE_ARN, None),
        (NODE, NODE.rpartition("/")[0], False),
        (NODE.rpartition("/")[0], ROLE_ARN, False),
        (ROLE_ARN, f"arn:aws:iam::{ACCOUNT}:role/node", False),
        (ROLE_ARN, NODE.replace("/node/", "/other/"), False),
        (ROLE_ARN, NODE.replace(ACCOUNT, "444455556666"), False),
        (ROLE_ARN, NODE.replace("arn:aws:", "arn:aws-cn:"), False),
        (f"arn:aws:iam::{ACCOUNT}:user/node", NODE, False),
        (f"arn:aws:iam::{ACCOUNT}:user/node", ROLE_ARN, False),
        (f"arn:aws:sts::{ACCOUNT}:role/node", NODE, False),
        (f"arn:aws:iam::{ACCOUNT}:role/", f"arn:aws:sts::{ACCOUNT}:assumed-role/", False),
    ],
)
def test_names_of_one_principal(value: str, caller: str, same: bool | None) -> None:
    """IAM User Guide, "IAM identifiers": the ARN of a session has the role's name, without its path."""
    assert same_principal(value, caller) is same


@pytest.mark.parametrize(
    ("session", "of_instance"),
    [
        ("i-0123456789abcdef0", True),
        ("i-01234567", True),
        ("i-0123456", False),
        ("i-0123456789abcdef01", False),
        ("i-0123456789ABCDEF0", False),
        ("xi-01234567", False),
        ("i-01234567/x", False),
    ],
)
def test_a_session_of_an_instance_has_its_identifier_as_name(session: str, of_instance: bool) -> None:
    assert is_instance_session(f"arn:aws:sts::{ACCOUNT}:assumed-role/node/{session}") is of_instance


def test_what_would_have_to_be_known_of_the_caller_and_its_account() -> None:
    request = Request("sts:AssumeRole", (), NODE)
    grant = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}  # fmt: skip
    depends = evaluate(request, (AppliedPolicy("own", None, parse({"Statement": grant})),), reference=reference())
    # Whether the caller's own policies matter depends on the role's account, which its ARN would tell.
    unknown = judged(trust(SELF, "sts:AssumeRole"), request, None)
    assert judged_together(unknown, None) == ("depends", ("resource",))
    assert judged_together(unknown, depends) == ("depends", ("aws:PrincipalTag/team",))
    assert judged_together(judged(trust(ROOT, "sts:AssumeRole"), request, None), None) == ("depends", ())
    external = trust(ROOT, "sts:AssumeRole", {"StringEquals": {"sts:ExternalId": "1"}})
    assert judged_together(judged(external, request), depends) == (
        "depends",
        ("sts:ExternalId", "aws:PrincipalTag/team"),
    )


@pytest.mark.parametrize(
    ("trusting", "request_", "unclear"),
    [
        (trust("*", WEB), Request(WEB, principal=SA), True),
        (trust("*", "sts:AssumeRole"), Request("sts:AssumeRole", principal="ec2.amazonaws.com"), True),
        (trust("*", "sts:AssumeRoleWithSAML"), Request("sts:AssumeRoleWithSAML"), True),
        # It depends on something else.
        (GUIDE, Request(WEB, principal=SA), False),
        (trust("*", condition={"StringEquals": {"aws:PrincipalTag/a": "b"}}), Request("sts:AssumeRole", principal=NODE), False),
        # It is decided.
        (trust("*", WEB), Request("sts:AssumeRole", principal="ec2.amazonaws.com"), False),
        (trust("*"), Request("sts:AssumeRole", principal=NODE), False),
        (document(trust("*")["Statement"][0], {**trust("ec2.amazonaws.com")["Statement"][0], "Effect": "Deny"}),
         Request("sts:AssumeRole", principal="ec2.amazonaws.com"), False),
    ],
)  # fmt: skip
def test_only_where_everybody_is_trusted_is_it_unclear_whether_services_and_tokens_are(
    trusting: dict[str, Any], request_: Request, unclear: bool
) -> None:
    notes = judged(trusting, request_).notes
    assert any("AWS does not say whether" in note for note in notes) is unclear


@pytest.mark.parametrize("identity", [None, own("sts:*"), own("s3:*")])
def test_a_service_has_no_policies_of_its_own(identity: AppliedPolicy | None) -> None:
    request = Request("sts:AssumeRole", (ROLE,), "ec2.amazonaws.com")
    for service, verdict in (("ec2.amazonaws.com", "allowed"), ("eks.amazonaws.com", "implicit-deny")):
        answer = explanation_of(trust(service), request, identity)
        assert (answer.verdict, answer.missing_context) == (verdict, ())


@pytest.mark.parametrize(
    ("principal", "identity", "unclear"),
    [
        ({"AWS": "*"}, own("s3:*"), True),
        # It is enough with them, and without them it is not known what they are.
        ({"AWS": "*"}, own("sts:*"), False),
        ({"AWS": "*"}, None, False),
        (ROOT, own("s3:*"), False),
        (ROOT, None, False),
        (SELF, own("s3:*"), False),
    ],
)
def test_whether_everybody_is_enough_within_an_account_is_left_open(
    principal: object, identity: AppliedPolicy | None, unclear: bool
) -> None:
    notes = explanation_of(trust(principal), Request("sts:AssumeRole", (ROLE,), NODE), identity).notes
    assert any("is enough for callers of its own account" in note for note in notes) is unclear


def test_the_account_of_the_role_is_called_its_own_where_it_is_known() -> None:
    request = Request("sts:AssumeRole", principal=NODE)
    for role, owner in ((ROLE, "this account"), (ELSEWHERE, f"account {ACCOUNT}"), (None, f"account {ACCOUNT}")):
        (words,) = judged(trust(ROOT), request, role).may_assume
        assert words == f"Principals of {owner} may assume it if their own policies allow that."
