"""What an explanation says of itself: the names of its statements and which of the policies are worth attaching."""

import pytest

from ekstui.change.holders import Since
from ekstui.change.policy import PolicyScope
from ekstui.denial.answer import Allower, Explanation, is_narrow, statement_in_words
from ekstui.denial.purpose import Fit
from ekstui.iam.document import Statement
from ekstui.iam.evaluation import Layer, StatementResult
from tests.denial.subjects import BUCKET, managed_policy
from tests.support.documents import Statement as JsonStatement
from tests.support.documents import allow, deny, document_of


@pytest.mark.parametrize(
    ("layer", "version", "statement", "words"),
    [
        ("identity", None, allow("s3:*"), "own, statement 3"),
        ("identity", 2, allow("s3:*"), "own v2, statement 3"),
        ("identity", None, allow("s3:*", Sid="Read"), "own, Read"),
        ("identity", None, deny("s3:*"), "own, statement 3, a Deny"),
        ("boundary", None, allow("s3:*"), "own, statement 3 (boundary)"),
        ("session", 1, deny("s3:*", Sid="No"), "own v1, No (session), a Deny"),
    ],
)
def test_a_statement_in_words(layer: Layer, version: int | None, statement: JsonStatement, words: str) -> None:
    policy = managed_policy(statement, version=version)
    result = StatementResult(layer, policy, 2, policy.document.statements[0], True, (), ())
    assert statement_in_words(result) == words


def offered(name: str, fit: Fit, scope: PolicyScope = "eks", *, wildcard: bool = False) -> Allower:
    return Allower(name, 1, Since(1, None, at_latest=False), (), wildcard, scope, fit=fit)


@pytest.mark.parametrize(
    ("policies", "names"),
    [
        ((offered("a", "other"), offered("b", "own"), offered("c", "own"), offered("d", "kind")), "bc"),
        ((offered("a", "other"), offered("b", "kind"), offered("c", "unknown")), "b"),
        # Where nothing tells what the caller is for, those of EKS and its controllers that are not for everything.
        ((offered("a", "unknown"), offered("b", "unknown", "aws"), offered("c", "unknown", wildcard=True)), "a"),
        ((offered("a", "other"), offered("b", "other", wildcard=True)), ""),
        # What is made for the caller is worth it whatever else it allows.
        ((offered("a", "own", "aws", wildcard=True), offered("b", "unknown")), "a"),
        ((), ""),
    ],
)
def test_which_policies_are_worth_attaching(policies: tuple[Allower, ...], names: str) -> None:
    worth = Explanation("implicit-deny", "s3:GetObject", allowed_by=policies).worth_attaching
    assert "".join(allower.policy for allower in worth) == names


def test_a_statement_is_narrow_if_it_is_about_the_resource_in_question() -> None:
    def of(*resources: str) -> Statement:
        return document_of(allow("s3:GetObject", resources)).statements[0]

    def narrow(resource: str | None, statement: Statement | None) -> bool:
        return is_narrow(Explanation("implicit-deny", "s3:GetObject", resource, smallest_statement=statement))

    assert narrow(None, of(f"{BUCKET}/*"))
    assert not narrow(None, of("*"))
    assert not narrow(None, None)
    # An action without types of resources is asked about with `*`, and allowed with it.
    assert narrow("*", of("*"))
    assert narrow(BUCKET, None)


@pytest.mark.parametrize(
    ("tag_keys", "missing", "outcome"),
    [
        ((), (), "unknown"),
        ((), ("aws:RequestTag/a",), "unknown"),
        # Tags of what is made are not those of the denied resource, so that nothing is left open.
        (("aws:RequestTag/a",), (), "denied"),
        (("aws:RequestTag/a", "aws:TagKeys"), ("aws:TagKeys",), "denied"),
        (("aws:RequestTag/a",), ("aws:RequestTag/a", "aws:PrincipalTag/b"), "unknown"),
    ],
)
def test_what_only_tags_of_something_else_would_allow_is_denied(
    tag_keys: tuple[str, ...], missing: tuple[str, ...], outcome: str
) -> None:
    explanation = Explanation("depends", "ec2:CreateVolume", missing_context=missing, tag_keys_of_new_resource=tag_keys)
    assert explanation.outcome == outcome


def test_an_explanation_is_of_one_denial_and_offers_nothing_unless_it_says_so() -> None:
    bare = Explanation("implicit-deny", "s3:GetObject")
    assert (bare.times, bare.allowed_by_more, bare.judged, bare.denied) == (1, 0, False, False)
    with_remedies = bare._replace(allowed_by=(offered("a", "own"),), allowed_by_more=3)
    assert with_remedies.without_remedies() == bare
