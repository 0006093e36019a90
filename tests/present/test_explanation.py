"""How verdicts, versions, statements and failures are said."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ekstui.change.holders import Since
from ekstui.change.policy import PolicyScope
from ekstui.denial.answer import Allower, Explanation, NewerVersion, OldCopy, Policies, statement_in_words
from ekstui.denial.explain import explain
from ekstui.denial.message import Cause
from ekstui.denial.purpose import Fit
from ekstui.iam.evaluation import Failure, LayerEvaluation, StatementResult
from ekstui.library.catalog import knowledge
from ekstui.present.explanation import (
    copy_in_words,
    explanation_blocks,
    failure_in_words,
    newer_in_words,
    since_in_words,
)
from ekstui.present.rendering import lines
from ekstui.present.verdicts import OUTCOMES, reason_in_words
from tests.denial.subjects import GET, READ, ROLE, managed_policy
from tests.support.documents import document_of

ABOVE = LayerEvaluation("service-control", None, "implicit-deny", None)


def explanation(**fields: Any) -> Explanation:
    plain_explanation = explain(GET, Policies(), (), knowledge=knowledge())
    return plain_explanation._replace(**{"verdict": "implicit-deny", **fields})


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
    answer = explanation(**of_message | dict(fields))
    assert f"{OUTCOMES[answer.outcome][0]}: {reason_in_words(answer)}" == words


def test_versions_and_statements_in_words() -> None:
    day = datetime(2024, 5, 6, tzinfo=UTC)
    assert newer_in_words(NewerVersion("P", 1, 3, day)) == "P v3 (2024-05-06); in force is v1"
    assert newer_in_words(NewerVersion("P", 1, 3, None, ("a", "b"))) == "P v3, if a, b fits; in force is v1"
    assert (
        copy_in_words(OldCopy("ours", ROLE, NewerVersion("P", 1, 3, day)), "s3:X")
        == "ours is like P v1; v3 (2024-05-06) allows s3:X"
    )
    assert copy_in_words(OldCopy("ours", ROLE, NewerVersion("P", 1, 3, None, ("a",))), "s3:X").endswith(
        "v3 has a further statement for s3:X"
    )
    helps = Allower("P", 4, Since(2, day, at_latest=False), (), False, "eks")
    assert since_in_words(helps) == "since v2 (2024-05-06)"
    assert since_in_words(helps._replace(since=Since(2, None, at_latest=True))) == "since at latest v2"
    policy, statement = managed_policy(READ[0], name="P", version=2), document_of(READ[0]).statements[0]
    nearest_statement = StatementResult("identity", policy, 3, statement, False, (), ())
    assert statement_in_words(nearest_statement) == "P v2, statement 4"
    unnamed_statement = nearest_statement._replace(
        layer="boundary",
        policy=policy._replace(name="own", version=None),
        statement=statement._replace(sid="Sid1", effect="Deny"),
    )
    assert statement_in_words(unnamed_statement) == "own, Sid1 (boundary), a Deny"


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


@pytest.mark.parametrize(
    ("fit", "scope", "more", "words"),
    [
        ("other", "aws", 59, "No policy for this kind of role allows it (60 unrelated ones do):"),
        ("other", "aws", 0, "No policy for this kind of role allows it (1 unrelated one does):"),
        ("unknown", "aws", 22, "No EKS policy allows it (23 others do):"),
        # Of EKS is one too, but by a wildcard.
        ("unknown", "eks", 22, "23 policies, those of EKS by a wildcard:"),
    ],
)
def test_policies_that_are_not_worth_attaching_are_counted(fit: Fit, scope: PolicyScope, more: int, words: str) -> None:
    allower = Allower("a", 1, Since(1, None, at_latest=False), (), wildcard=True, scope=scope, fit=fit)
    blocks = explanation_blocks((explanation(allowed_by=(allower,), allowed_by_more=more),), now=datetime.now(UTC))
    assert words in [line.strip() for line in lines(blocks, 80, colours=False, whole_tables=False)]
