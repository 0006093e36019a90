"""Random abuse of what reads pasted text and judges foreign policies; EKSTUI_TORTURE=20 tries twenty times as much."""

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.denial.message import Denial
from ekstui.denial.parsing import MAX_CHARACTERS, parse_denial
from ekstui.errors import InputError
from ekstui.iam.document import Condition, Document, Statement, parse
from ekstui.iam.evaluation import AppliedPolicy, evaluate
from ekstui.iam.reference import reference
from ekstui.iam.request import Request
from tests.denial.test_denial import DECODED, MESSAGES, event
from tests.support.effort import EFFORT, examples
from tests.support.patience import PROCESSOR

SEEDS = [text for text, *_ in MESSAGES] + [json.dumps(event(), indent=1), json.dumps(DECODED)]
SCRAPS = [
    "", " ", "\n", "\t", "\r\n", "\\n", '\\"', '"', "{", "}", "[", "]", "\x00", "\x1b[2J", "\u202e", "\ud800", "│ ", "> ", "*",
    "${", "is not authorized to perform: ", "on resource: ", "because no ", "with an explicit deny in a ", "User: ", "arn:",
    "Encoded authorization failure message: ", "An error occurred (", "operation error EC2: ", '{"eventSource":', "a" * 5000,
    "ec2:RunInstances", ":", "::::::", "{" * 500, '{"a":' * 500,
]  # fmt: skip


def mutated_message(chance: random.Random) -> str:
    """A real message with pieces cut, doubled, swapped or replaced by scraps."""
    text = chance.choice(SEEDS)
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 3, 20, 200)))
        match chance.randrange(5):
            case 0:
                text = text[:start] + text[end:]
            case 1:
                text = text[:end] + text[start:]
            case 2:
                text = text[:start] + chance.choice(SCRAPS) + text[end:]
            case 3:
                text = text[:start] + chance.choice(SEEDS) + text[end:]
            case _:
                text = text[:start] + text[start:end].swapcase() + text[end:]
    return text[:MAX_CHARACTERS]


@pytest.mark.parametrize("seed", range(8))
def test_no_text_breaks_the_reading_of_denials(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(100 * EFFORT):
        text = mutated_message(chance)
        start = time.process_time()
        try:
            denial = parse_denial(text)
        except InputError as error:
            assert error.message
            assert len(error.message) < 500
        else:
            assert isinstance(denial, Denial)
            assert ":" in denial.action
            assert " " not in denial.action
            assert len(denial.action) < 200
            assert denial.resource is None or denial.resource == "*" or denial.resource.startswith("arn:")
        assert time.process_time() - start < PROCESSOR, text[:300]


def test_a_long_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(InputError, match="characters"):
        parse_denial("x" * 50_000_000)


# Policies as strange as a document may be: IAM would refuse many of them, ekstui must not fall over any.
words = st.one_of(
    st.sampled_from(
        ["*", "?", "", "a", "A", "s3:*", "S3:get*", "s3:GetObject", "*:*", "ec2:[a]", "arn:aws:s3:::b/*", "arn:aws:s3",
         "arn:*:*:*:*:*", "${aws:username}", "${aws:username, 'x'}", "${*}", "${", "${}", "${a:b,}", "10", "1e1", "10.0.0.0/8",
         "2026-01-01T00:00:00Z", "true", "QQ==", "arn:aws:s3:::${k:a}/${k:b}"]
    ),
    st.text(max_size=12),
)  # fmt: skip
lists = st.one_of(words, st.lists(words, max_size=4))
operators = st.one_of(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
        st.sampled_from(
            ["StringEquals", "StringNotLike", "StringLike", "NumericLessThan", "DateGreaterThan", "Bool", "BinaryEquals",
             "IpAddress", "NotIpAddress", "ArnLike", "ArnNotEquals", "Null", "NumericNotEquals", "DateNotEquals"]
        ),
        st.sampled_from(["", "IfExists"]),
    ),
    st.text(max_size=8),
)  # fmt: skip
keys = st.sampled_from(["aws:username", "k:a", "K:B", "aws:RequestTag/a", "aws:TagKeys", "x", ""])
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={"Condition": st.dictionaries(operators, st.dictionaries(keys, lists, max_size=2), max_size=2)},
).flatmap(
    lambda fixed: st.builds(
        lambda action, actions, resource, resources: {**fixed, action: actions, resource: resources},
        st.sampled_from(["Action", "NotAction"]),
        lists,
        st.sampled_from(["Resource", "NotResource"]),
        lists,
    )
)
documents = st.builds(
    lambda version, entries: parse({"Version": version, "Statement": entries}),
    st.sampled_from(["2012-10-17", "2008-10-17", "x"]),
    st.lists(statements, max_size=4),
)
contexts = st.dictionaries(keys, st.lists(words, max_size=3).map(tuple), max_size=4)
requests = st.builds(
    Request,
    st.one_of(st.sampled_from(["s3:GetObject", "ec2:CreateVolume", "nosuch:x", "*"]), st.text(max_size=10)),
    st.lists(st.one_of(st.sampled_from(["*", "arn:aws:s3:::b/k", "arn:aws:ec2:r:1:volume/*"]), words), max_size=2).map(
        tuple
    ),
    st.one_of(
        st.none(), st.sampled_from(["arn:aws:iam::111122223333:user/a", "arn:aws:sts::1:assumed-role/a/b"]), words
    ),
    contexts,
    st.frozensets(st.one_of(keys, st.just("aws:RequestTag/*")), max_size=2),
)
ALLOW_ALL = Statement(None, "Allow", "Action", ("*",), "Resource", ("*",), ())


def verdict(request: Request, *policies: Document, boundary: Document | None = None) -> str:
    applied_policies = [AppliedPolicy("p", None, document) for document in policies]
    evaluation = evaluate(
        request, applied_policies, None if boundary is None else AppliedPolicy("b", None, boundary), (), reference()
    )
    assert evaluation.missing == () or evaluation.verdict == "depends"
    return evaluation.verdict


@settings(max_examples=examples(70, in_torture=200), deadline=None)
@given(request=requests, document=documents, boundary=st.none() | documents)
def test_no_policy_breaks_the_evaluation(request: Request, document: Document, boundary: Document | None) -> None:
    before = verdict(request, document, boundary=boundary)
    # The order of statements, saying one twice, and cutting a policy in two change nothing.
    backwards = Document(document.version, None, document.statements[::-1] + document.statements)
    assert verdict(request, backwards, boundary=boundary) == before
    parts = [Document(document.version, None, (statement,)) for statement in document.statements]
    assert verdict(request, *parts, boundary=boundary) == before
    # A boundary that allows everything is none; one more Allow never takes anything away.
    everything = Document("2012-10-17", None, (ALLOW_ALL,))
    if boundary is None:
        assert verdict(request, document, boundary=everything) == before
        wider = verdict(request, document, everything)
        assert before != "allowed" or wider == "allowed"
        assert wider != "implicit-deny"
    deny_all = Statement(None, "Deny", "Action", ("*",), "Resource", ("*",), ())
    assert verdict(request, document, Document("2012-10-17", None, (deny_all,)), boundary=boundary) == "explicit-deny"


def swapped_document(document: Document) -> Document:
    def statement(original: Statement) -> Statement:
        conditions = tuple(Condition(c.operator, c.key.swapcase(), c.values) for c in original.conditions)
        actions = tuple(action.swapcase() for action in original.actions)
        return Statement(
            original.sid,
            original.effect,
            original.action_element,
            actions,
            original.resource_element,
            original.resources,
            conditions,
        )

    return Document(document.version, document.id, tuple(map(statement, document.statements)))


ascii_documents = documents.filter(lambda document: repr(document).isascii())


@settings(max_examples=examples(50, in_torture=150), deadline=None)
@given(request=requests.filter(lambda request: repr(request).isascii()), document=ascii_documents)
def test_case_of_actions_and_keys_does_not_count(request: Request, document: Document) -> None:
    assert verdict(request, swapped_document(document)) == verdict(request, document)


def test_huge_policies_are_judged_in_reasonable_time() -> None:
    stars: dict[str, Any] = {
        "Effect": "Allow",
        "Action": ["s3:" + "*a" * 60 for _ in range(500)],
        "Resource": ["arn:aws:s3:::" + "*a" * 200 for _ in range(500)],
        "Condition": {"StringLike": {"k:a": ["*a?" * 100 for _ in range(200)]}},
    }
    document = parse({"Version": "2012-10-17", "Statement": [stars] * 20})
    request = Request("s3:" + "a" * 100, ("arn:aws:s3:::" + "a" * 1000,), None, {"k:a": ("a" * 1000,)})
    start = time.process_time()
    verdict(request, document)
    assert time.process_time() - start < 20
