"""How a trust or resource policy changes who may do something."""

from typing import Any

import pytest

from ekstui.change.holes import hole
from ekstui.change.permitted import principal_changes
from ekstui.iam.document import Document
from tests.support.documents import Statement, allow, document_of

ONE, TWO = "111122223333", "444455556666"
ROLE, ROOT = f"arn:aws:iam::{ONE}:role/a", f"arn:aws:iam::{ONE}:root"
EC2, EKS = "ec2.amazonaws.com", "eks.amazonaws.com"
A, B = hole("var.a"), hole("var.b")
GET = "s3:GetObject"


def aws(*principals: str) -> dict[str, Any]:
    return {"Principal": {"AWS": list(principals)}}


def services(*principals: str) -> dict[str, Any]:
    return {"Principal": {"Service": list(principals)}}


def objects(principals: dict[str, Any], condition: dict[str, Any] | None = None) -> Statement:
    """A statement of a bucket's policy."""
    return allow(GET, "arn:aws:s3:::x/*", **principals, **({"Condition": condition} if condition else {}))


def assume_statement(principals: dict[str, Any], **claims: dict[str, str]) -> Statement:
    """A statement of a trust policy."""
    condition = {"Condition": claims} if claims else {}
    return {"Effect": "Allow", "Action": "sts:AssumeRole", **principals, **condition}


def denied_but_for(*principals: str) -> list[Statement]:
    exception = {"Effect": "Deny", "NotPrincipal": {"AWS": list(principals)}}
    return [objects({"Principal": "*"}), {**objects({}), **exception}]


def who_may(document: Document, account: str) -> list[str]:
    principals = (principal for statement in document.statements for principal in statement.principals)
    return [f"{value} may." for principal in principals for value in principal.values]


def verdict(before: list[Statement], after: list[Statement]) -> str:
    return principal_changes(document_of(*before), document_of(*after), who_may).verdict


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # An account is the same however it is named, and whoever trusts it trusts all that is in it.
        (aws(ROOT), aws(ONE), "same access: every statement says the same"),
        (aws(ROLE), aws(ROOT),
         "widened: 1 action no longer needs principal arn:aws:iam::111122223333:role/a (s3:GetObject)"),
        (aws(ROOT), aws(ROLE), "narrowed: 1 action now needs principal arn:aws:iam::111122223333:role/a (s3:GetObject)"),
        (aws(ROLE), aws(ROLE, TWO), "widened: 1 action also allowed under principal account 444455556666 (s3:GetObject)"),
        (services(EC2), services(EC2, EKS),
         "widened: 1 action also allowed under principal Service eks.amazonaws.com (s3:GetObject)"),
        (aws(ONE), {"Principal": "*"}, "widened: 1 action no longer needs principal account 111122223333 (s3:GetObject)"),
        (aws(ONE), aws(TWO), "mixed: 1 action needs principal account 444455556666 instead of principal account 111122223333 (s3:GetObject)"),
        # A number is an account's only among AWS principals.
        ({"Principal": {"Federated": ONE}}, aws(ONE),
         "mixed: 1 action needs principal account 111122223333 instead of principal Federated 111122223333 (s3:GetObject)"),
        # A principal that a template computes is one unknown principal.
        (aws(A), aws(A), "same access: every statement says the same"),
        (aws(A), aws(A, ONE), "widened: 1 action also allowed under principal account 111122223333 (s3:GetObject)"),
        (aws(A), aws(B), "cannot tell whether wider: it depends on principal account <var.a> and principal account <var.b>"),
    ],
)  # fmt: skip
def test_other_principals_of_a_resource_policy(before: dict[str, Any], after: dict[str, Any], expected: str) -> None:
    assert verdict([objects(before)], [objects(after)]) == expected


def test_whom_a_deny_excepts() -> None:
    assert verdict(denied_but_for(ROLE), denied_but_for(ROLE, TWO)).startswith("widened")
    assert verdict(denied_but_for(ROLE, TWO), denied_but_for(ROLE)).startswith("narrowed")
    assert verdict(denied_but_for(ROLE), denied_but_for(ROLE)).startswith("same")
    allow_statement, deny_statement = objects(aws(TWO)), denied_but_for(TWO)[1]
    assert verdict([allow_statement], [allow_statement, deny_statement]).startswith("denies more")
    assert verdict([objects(aws(ROLE))], [objects(aws(ROLE)), deny_statement]).startswith("narrowed")


def test_what_a_statement_excepts_stays_excepted() -> None:
    one, two = (
        {"Effect": "Allow", **aws(ONE), "Action": GET, "NotResource": [f"arn:aws:s3:::{name}/*" for name in names]}
        for names in ("x", "xy")
    )
    assert verdict([one], [two]).startswith("narrowed")
    assert verdict([two], [one]).startswith("widened")


def test_conditions_count_as_in_other_policies_and_a_claim_of_a_token_is_plain_text() -> None:
    everyone = {"Principal": "*"}
    in_organization = objects(everyone, {"StringEquals": {"aws:PrincipalOrgID": "o-a"}})
    assert verdict([objects(everyone)], [in_organization]) == (
        "narrowed: 1 action now needs the condition aws:PrincipalOrgID (s3:GetObject)"
    )
    # Without a principal nobody is singled out.
    assert verdict([objects({})], [objects(everyone)]).startswith("same")
    token = {"Principal": {"Federated": "x"}}
    of_sub = "widened: 1 action allowed under wider conditions on oidc.eks.x/id/A:sub (sts:AssumeRole)"
    for claim, words in (("oidc.eks.x/id/A:sub", of_sub), ("other:thing", "unknown: 1 action changed")):
        exact, wild = (
            assume_statement(token, **{name: {claim: value}})
            for name, value in (("StringEquals", "a"), ("StringLike", "a*"))
        )
        assert principal_changes(document_of(exact), document_of(wild), lambda *_: ()).verdict.startswith(words)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([aws(ROLE)], [aws(ROLE, TWO)], f"widened: added: {TWO} may."),
        ([aws(ROLE, TWO)], [aws(ROLE)], f"narrowed: removed: {TWO} may."),
        ([aws(ROLE)], [aws(TWO)], f"mixed: added: {TWO} may.; removed: {ROLE} may."),
        ([], [aws(ROLE)], f"widened: added: {ROLE} may."),
        ([aws(ROLE)], [], f"narrowed: removed: {ROLE} may."),
        ([aws(A)], [aws(B)], "cannot tell whether wider: added: <var.b> may.; removed: <var.a> may."),
        ([aws(ROLE)], [aws(ROLE)], "same access: every statement says the same"),
    ],
)
def test_a_trust_policy_says_who_was_added_and_removed(
    before: list[dict[str, Any]], after: list[dict[str, Any]], expected: str
) -> None:
    assert verdict(list(map(assume_statement, before)), list(map(assume_statement, after))) == expected
