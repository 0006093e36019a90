"""The policy of a resource: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"."""

import pytest

from ekstui.iam.evaluation import AppliedPolicy, Organization, PolicyLevel, evaluate
from ekstui.iam.request import Request
from ekstui.iam.resource_control import is_resource_controlled
from tests.support.documents import applied_policy

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/jo"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one"
QUEUE = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:jobs"
THEIR_QUEUE = f"arn:aws:sqs:eu-west-1:{OTHER}:jobs"
KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1"
BUCKET = "arn:aws:s3:::logs"
ACCOUNT_ITSELF = f"arn:aws:iam::{ACCOUNT}:root"


def to(principal: object, **fields: object) -> AppliedPolicy:
    return applied_policy(
        "of the resource", {"Principal": principal if principal == "*" else {"AWS": principal}, **fields}
    )


ALL = applied_policy("all", {})
NOTHING = applied_policy("nothing", {"Action": "ec2:*"})


@pytest.mark.parametrize(
    ("caller", "grantee", "identity", "boundary", "session", "expected"),
    [
        # A user and a session that are named directly are limited by no implicit deny; a role's session is by some.
        (USER, USER, NOTHING, NOTHING, None, "allowed"),
        (SESSION, SESSION, NOTHING, NOTHING, NOTHING, "allowed"),
        (SESSION, ROLE, NOTHING, None, None, "allowed"),
        (SESSION, ROLE, NOTHING, ALL, ALL, "allowed"),
        (SESSION, ROLE, NOTHING, NOTHING, None, "implicit-deny"),
        (SESSION, ROLE, ALL, None, NOTHING, "implicit-deny"),
        (SESSION, "*", NOTHING, NOTHING, NOTHING, "allowed"),
        # An account delegates: the caller's own policies have to allow it.
        (SESSION, ACCOUNT_ITSELF, NOTHING, None, None, "implicit-deny"),
        (SESSION, ACCOUNT, ALL, None, None, "allowed"),
        (SESSION, ACCOUNT, ALL, NOTHING, None, "implicit-deny"),
        # Within an account, the caller's own policies are enough.
        (SESSION, USER, ALL, None, None, "allowed"),
        (SESSION, USER, NOTHING, None, None, "implicit-deny"),
        # A role without its session may be the session that is named.
        (ROLE, SESSION, NOTHING, None, None, "depends"),
        (SESSION, SESSION.replace("/one", "/two"), NOTHING, None, None, "implicit-deny"),
    ],
)  # fmt: skip
def test_within_an_account(
    caller: str, grantee: str, identity: AppliedPolicy, boundary: AppliedPolicy | None, session: AppliedPolicy | None,
    expected: str,
) -> None:  # fmt: skip
    evaluation = evaluate(
        Request("sqs:SendMessage", (QUEUE,), caller), [identity], boundary, [session] if session else [],
        resource_policies={QUEUE: to(grantee)},
    )  # fmt: skip
    assert evaluation.verdict == expected


@pytest.mark.parametrize(
    ("grantee", "identity", "expected", "decided_by"),
    [
        (SESSION, ALL, "allowed", None),
        (ROLE, ALL, "allowed", None),
        (ACCOUNT_ITSELF, ALL, "allowed", None),
        ("*", ALL, "allowed", None),
        (SESSION, NOTHING, "implicit-deny", "identity"),
        (USER, ALL, "implicit-deny", "resource"),
        (USER, NOTHING, "implicit-deny", "resource"),
    ],
)
def test_across_accounts_both_must_allow(
    grantee: str, identity: AppliedPolicy, expected: str, decided_by: str | None
) -> None:
    request = Request("sqs:SendMessage", (THEIR_QUEUE,), SESSION)
    evaluation = evaluate(request, [identity], resource_policies={THEIR_QUEUE: to(grantee)})
    assert (evaluation.verdict, evaluation.decisive.decided_by) == (expected, decided_by)


@pytest.mark.parametrize(
    ("grantee", "identity", "expected", "decided_by"),
    [
        (ACCOUNT_ITSELF, ALL, "allowed", None),
        (ACCOUNT_ITSELF, NOTHING, "implicit-deny", "identity"),
        (ROLE, NOTHING, "allowed", None),
        (USER, ALL, "implicit-deny", "resource"),
    ],
)
def test_a_key_policy_must_allow_it(
    grantee: str, identity: AppliedPolicy, expected: str, decided_by: str | None
) -> None:
    evaluation = evaluate(Request("kms:Decrypt", (KEY,), SESSION), [identity], resource_policies={KEY: to(grantee)})
    assert (evaluation.verdict, evaluation.decisive.decided_by) == (expected, decided_by)
    # What lists keys is on no key, and so no key policy takes part.
    list_evaluation = evaluate(Request("kms:ListKeys", ("*",), SESSION), [ALL], resource_policies={KEY: to(USER)})
    assert list_evaluation.verdict == "allowed"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        # An alias has no policy of its own, and a key of another service needs none.
        ("kms:UpdateAlias", f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/jobs"),
        ("payment-cryptography:GetKey", f"arn:aws:payment-cryptography:eu-west-1:{ACCOUNT}:key/1"),
    ],
)
def test_other_resources_of_the_account_need_no_policy(action: str, resource: str) -> None:
    evaluation = evaluate(Request(action, (resource,), SESSION), [ALL], resource_policies={resource: to(USER)})
    assert evaluation.verdict == "allowed"


@pytest.mark.parametrize(
    ("account", "grantee", "identity", "expected"),
    [
        (None, SESSION, ALL, "allowed"), (None, USER, NOTHING, "implicit-deny"), (None, SESSION, NOTHING, "depends"),
        (None, USER, ALL, "depends"), (ACCOUNT, SESSION, NOTHING, "allowed"), (OTHER, SESSION, NOTHING, "implicit-deny"),
        (OTHER, USER, ALL, "implicit-deny"),
    ],
)  # fmt: skip
def test_the_account_of_a_bucket_is_not_in_its_arn(
    account: str | None, grantee: str, identity: AppliedPolicy, expected: str
) -> None:
    context = {} if account is None else {"aws:ResourceAccount": (account,)}
    evaluation = evaluate(
        Request("s3:ListBucket", (BUCKET,), SESSION, context), [identity], resource_policies={BUCKET: to(grantee)}
    )
    assert evaluation.verdict == expected
    assert ("aws:ResourceAccount" in evaluation.missing) == (expected == "depends")


def test_a_deny_decides_whatever_allows() -> None:
    deny = to(ROLE, Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    for secure, expected in (("false", "explicit-deny"), ("true", "allowed")):
        request = Request("sqs:SendMessage", (QUEUE,), SESSION, {"aws:SecureTransport": (secure,)})
        assert evaluate(request, [ALL], resource_policies={QUEUE: deny}).verdict == expected
    request = Request("sqs:SendMessage", (QUEUE,), USER)
    denying_policy = applied_policy("own", {}, {"Effect": "Deny", "Action": "sqs:SendMessage"})
    assert evaluate(request, [denying_policy], resource_policies={QUEUE: to(USER)}).verdict == "explicit-deny"
    # Nor do the identity policies have to be known for what the resource's policy decides: but one of them may deny it.
    assert evaluate(request, None, resource_policies={QUEUE: to(USER)}).missing == ("identity",)


def test_a_deny_of_all_but_some_catches_whoever_has_a_boundary() -> None:
    but = applied_policy("but", {"Effect": "Deny", "NotPrincipal": {"AWS": [USER, ACCOUNT_ITSELF]}})
    request = Request("sqs:SendMessage", (QUEUE,), USER)
    assert evaluate(request, [ALL], ALL, resource_policies={QUEUE: but}).verdict == "explicit-deny"
    assert evaluate(request, [ALL], resource_policies={QUEUE: but}).verdict != "explicit-deny"


def test_levels_of_the_organization_limit_what_the_policy_of_the_resource_grants() -> None:
    request = Request("sqs:SendMessage", (QUEUE,), SESSION)
    nothing = Organization((PolicyLevel("ou", (NOTHING,)),))
    evaluation = evaluate(request, [ALL], organization=nothing, resource_policies={QUEUE: to(SESSION)})
    assert (evaluation.verdict, evaluation.decisive.decided_by) == ("implicit-deny", "service-control")


@pytest.mark.parametrize(
    ("caller", "principal", "expected"),
    [
        ("sns.amazonaws.com", {"Service": "sns.amazonaws.com"}, "allowed"),
        ("sns.amazonaws.com", {"Service": "s3.amazonaws.com"}, "implicit-deny"),
        ("sns.amazonaws.com", {"AWS": USER}, "implicit-deny"),
        ("anonymous", "*", "allowed"),
        ("anonymous", {"AWS": USER}, "implicit-deny"),
    ],
)
def test_a_caller_without_policies_needs_that_of_the_resource(caller: str, principal: object, expected: str) -> None:
    evaluation = evaluate(
        Request("sqs:SendMessage", (QUEUE,), caller), None,
        resource_policies={QUEUE: applied_policy("of the queue", {"Principal": principal})},
    )  # fmt: skip
    assert evaluation.verdict == expected


def test_the_layer_names_the_statement_that_decides_it() -> None:
    evaluation = evaluate(
        Request("sqs:SendMessage", (QUEUE,), SESSION), [ALL], resource_policies={None: to(ROLE, Sid="Role")}
    )
    layer = next(layer for layer in evaluation.decisive.layers if layer.layer == "resource")
    assert layer.decided_by is not None and layer.decided_by.statement.sid == "Role"
    evaluation = evaluate(Request("sqs:SendMessage", (QUEUE,), SESSION), [NOTHING], resource_policies={None: to(USER)})
    (result,) = [statement for statement in evaluation.decisive.statements if statement.layer == "resource"]
    assert [(failure.part, failure.wanted, failure.actual) for failure in result.failed] == [
        ("principal", (USER,), (SESSION,))
    ]


def test_which_services_resource_control_policies_apply_to() -> None:
    assert [is_resource_controlled(action) for action in ("s3:GetObject", "DynamoDB:GetItem", "ec2:RunInstances", "kms:RetireGrant")] == [
        True, True, None, False,
    ]  # fmt: skip
