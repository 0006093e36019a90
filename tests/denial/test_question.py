"""What is asked: by a message, by what is given beside it, or without one."""

import json
from typing import Any

import pytest

from ekstui.denial.question import Question, check_arn, denied_requests, is_arn_or_star, parse_context
from ekstui.errors import InputError
from ekstui.iam.request import Request
from tests.denial.subjects import BUCKET, REGION, ROLE, SESSION, VOLUME


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
    ("question", "error_text"),
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
def test_a_question_that_cannot_be_meant_is_refused(question: Question, error_text: str) -> None:
    with pytest.raises(InputError, match=error_text):
        denied_requests(question)


def test_a_question_without_a_message_is_taken_as_it_is() -> None:
    question = Question(None, "S3:getobject", (f"{BUCKET}/a",), "eks.amazonaws.com", REGION, ("aws:RequestTag/*",))
    (entry,) = denied_requests(question)
    assert entry[:2] == (
        Request("s3:GetObject", (f"{BUCKET}/a",), "eks.amazonaws.com", REGION, frozenset({"aws:RequestTag/*"})),
        None,
    )
    assert entry.times == 1
    (unknown,) = denied_requests(Question(action="nosuch:Action", principal="system:serviceaccount:a:b"))
    assert (unknown.request.action, unknown.request.principal) == ("nosuch:Action", "system:serviceaccount:a:b")


def test_what_is_given_beside_a_message_goes_before_what_it_says() -> None:
    template = f"User: {SESSION} is not authorized to perform: {{}} on resource: {{}}"
    log = "\n".join((template.format("ec2:RunInstances", VOLUME), template.format("s3:GetObject", f"{BUCKET}/a")))

    def requests(message: str = log, **options: Any) -> list[Request]:
        return [question.request for question in denied_requests(Question(message, **options))]

    assert [request.action for request in requests()] == ["ec2:RunInstances", "s3:GetObject"]
    assert all(request.principal == SESSION for request in requests())
    # A correction is of the denial of that action, or else of the most complete one.
    (correction,) = requests(action="s3:getobject")
    assert (correction.action, correction.resources) == ("s3:GetObject", (f"{BUCKET}/a",))
    (replacement,) = requests(action="s3:PutObject")
    assert replacement.action == "s3:PutObject"
    (transfer,) = requests(template.format("s3:GetObject", f"{BUCKET}/a"), resources=(f"{BUCKET}/b",), principal=ROLE)
    assert (transfer.resources, transfer.principal) == ((f"{BUCKET}/b",), ROLE)
    event = {"context": {"action": "s3:GetObject", "resource": f"{BUCKET}/a", "conditions": {"items": [
        {"key": "aws:RequestedRegion", "values": {"items": [{"value": "eu-west-1"}]}},
        {"key": "s3:prefix", "values": {"items": [{"value": "a"}]}}]}}}  # fmt: skip
    (override,) = requests(json.dumps(event), context={"AWS:requestedregion": ("us-east-1",)}, absent=("S3:Prefix",))
    assert override.context == {"AWS:requestedregion": ("us-east-1",)}
    assert "S3:Prefix" in override.absent
    assert "aws:requesttag/*" in override.absent
