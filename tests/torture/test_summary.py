"""Random and hostile documents: a summary, or one sentence, in bounded time; EKSTUI_TORTURE=20 tries twenty times as much."""

import json
import lzma
import random
import resource
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.errors import EkstuiError
from ekstui.export.encoding import encode
from ekstui.iam.action_facts import resources_of
from ekstui.iam.document import parse, parse_text
from ekstui.iam.reference import reference
from ekstui.iam.summary import remaining, services_in, too_large_to_list
from tests.support.effort import EFFORT, examples
from tests.support.terminal import ROOT

CORPUS = Path(__file__).parents[2] / "assets" / "corpus.jsonl.xz"
SMALLER = 1 if EFFORT > 1 else 3
"""Hostile documents are this much smaller in the short form, and get as much less time."""
MAX_SECONDS = 20.0 / SMALLER
"""What one hostile document may take, in seconds of processor time, on a slow machine under load."""
MAX_MEGABYTES = 400
SEED_DOCUMENTS = 60


def read_text(text: str | bytes) -> None:
    """Do all that a front end does with a document."""
    document = parse_text(text)
    for service in services_in(document):
        for action in service.actions:
            resources_of(action, "111122223333")
    remaining(document)


def survives(text: str | bytes) -> bool:
    """Return whether a document could be read; what cannot be is refused with one sentence."""
    try:
        read_text(text)
    except EkstuiError as error:
        assert error.message
        assert "\n" not in error.message
        return False
    return True


words = st.one_of(
    st.sampled_from(
        [
            "*", "?", "", " ", "a", ":", "*:*", "s3:*", " S3:get* ", "s?:*", "ec2:[a]", "eks:NoSuch", "nosuch:*", "::", "ec2:",
            "../../etc:passwd", "arn:aws:s3:::b/*", "arn:aws:s3", "arn:*:*:*:*:*", "arn:aws:ec2:*:*:volume/*", "**", "${", "${}",
            "${aws:username}", "arn:aws:s3:::${aws:username, 'x:y'}/${*}", "İ:İ*", "\ud800", "\x00", "\u202e",
        ]
    ),
    st.text(max_size=12),
)  # fmt: skip
one_or_many = st.one_of(words, st.lists(words, max_size=4))
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "ForAllValues:StringLike", "Null", "nonsense", "StringNotLikeIfExists"]),
    st.dictionaries(st.one_of(words, st.sampled_from(["s3:prefix", "aws:ResourceTag/a", "ec2:Region"])), one_or_many),
    max_size=2,
)
statements = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Action": one_or_many,
        "NotAction": one_or_many,
        "Resource": one_or_many,
        "NotResource": one_or_many,
        "Condition": conditions,
        "Sid": words,
    },
)


@settings(max_examples=examples(25, in_torture=60), deadline=None)
@given(st.lists(statements, max_size=4))
def test_no_document_breaks_the_summary(entries: list[dict[str, Any]]) -> None:
    survives(json.dumps({"Statement": entries}))


@pytest.mark.parametrize("seed", range(4 if EFFORT > 1 else 2))
def test_no_damage_to_a_real_document_breaks_it(seed: int) -> None:
    chance = random.Random(seed)
    with lzma.open(CORPUS, "rt", encoding="utf-8") as lines:
        seeds = [json.loads(line)["versions"][-1]["document"] for line in islice(lines, SEED_DOCUMENTS)]
    texts = [json.dumps(document) for document in seeds]
    read_whole = 0
    for _ in range(60 * EFFORT):
        text = chance.choice(texts)
        for _ in range(chance.randint(1, 5)):
            start = chance.randrange(len(text))
            end = min(len(text), start + chance.choice((0, 1, 2, 10)))
            text = (
                text[:start] + chance.choice(["", "*", "?", ":", '"', "/", "${", "[", "é", "0", "\\u0000"]) + text[end:]
            )
        read_whole += survives(text)
    assert read_whole > 5


def statement(action: object, resource: object = "*", effect: str = "Allow", **fields: object) -> dict[str, object]:
    return {"Effect": effect, "Action": action, "Resource": resource, **fields}


BUCKETS = [f"arn:aws:s3:::bucket{number}/*" for number in range(20_000 // SMALLER)]
BOMBS: dict[str, Any] = {
    "every action ten thousand times": [statement("*") for _ in range(10_000 // SMALLER)],
    "every action on thousands of resources": [statement("*", BUCKETS)],
    "one action a hundred thousand times": [statement(["s3:GetObject"] * (100_000 // SMALLER))],
    "thousands of wide patterns": [statement([f"*:*{number}*" for number in range(15_000 // SMALLER)])],
    "dozens of wide patterns": [statement([f"*:*{number}*" for number in range(90 // SMALLER)])],
    "thousands of patterns of one service": [statement([f"ec2:*{number}*e*" for number in range(3_900 // SMALLER)])],
    "thousands of exceptions": [
        {"Effect": "Deny", "NotAction": [f"ec2:*{n}*" for n in range(3_900 // SMALLER)], "Resource": "*"}
    ],
    "thousands of allows against thousands of denies": [
        statement("s3:GetObject", BUCKETS[: 8_000 // SMALLER]),
        statement("s3:GetObject", BUCKETS[8_000 // SMALLER : 16_000 // SMALLER], "Deny"),
    ],
    "a pattern of a million stars": [statement("ec2:" + "*a" * 500_000, "arn:aws:ec2:*:*:" + "*a?" * 200_000)],
    "stars in every part": [statement("ec2:*" + "a*" * 200, "arn:aws:ec2:*:*:" + "*a?" * 2_000)],
    "thousands of conditions": [
        statement("*", Condition={"StringEquals": {f"s3:key{number}": "a" for number in range(20_000 // SMALLER)}})
    ],
    "thousands of unknown services": [statement([f"service{number}:Action" for number in range(15_000 // SMALLER)])],
    "thousands of unknown literals and as many patterns": [
        statement(
            [f"ec2:Unknown{number}" for number in range(3_900 // SMALLER)]
            + [f"ec2:Unknown{n}*" for n in range(3_900 // SMALLER)]
        )
    ],
    "thousands of unknown literals, allowed and denied": [
        statement([f"ec2:Unknown{number}" for number in range(3_900 // SMALLER)]),
        statement([f"ec2:*n{number}*" for number in range(400 // SMALLER)], effect="Deny"),
    ],
    "variables in variables": [statement("s3:GetObject", "arn:aws:s3:::" + "${aws:a" * 2_000 + "}" * 2_000)],
    "one pattern of many actions thousands of times": [statement(["ec2:*"] * 2_500)],
    "variables that never end": [
        statement("s3:*", [f"arn:aws:s3:::{'${' * 3_900}{effect}{number}" for number in range(36)], effect)
        for effect in ("Allow", "Deny")
    ],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_document_is_bounded_in_time(name: str) -> None:
    reference().expand("*")
    text = json.dumps({"Statement": BOMBS[name]})
    began = time.process_time()
    survives(text)
    assert time.process_time() - began < MAX_SECONDS


def peak() -> float:
    """Return the most memory that this process has had, in megabytes."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def test_hostile_documents_are_bounded_in_memory() -> None:
    # What can pass the limits and names most; the reference itself is not counted.
    bombs = ["every action ten thousand times", "thousands of unknown literals and as many patterns"]
    program = (
        "from tests.torture.test_summary import *\n"
        "for service in reference().services(): reference().actions(service)\n"
        "before = peak()\n"
        f"for name in {bombs}: survives(json.dumps({{'Statement': BOMBS[name]}}))\n"
        "print(peak() - before)"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert float(ran.stdout) < MAX_MEGABYTES


LONG = "arn:aws:s3:::" + "x" * 20_000


@pytest.mark.parametrize(
    "entry",
    [
        statement("*", LONG),
        {"Effect": "Deny", "NotAction": "a:b", "Resource": LONG},
        statement("*", Condition={"StringEquals": {"aws:RequestTag/a": LONG}}),
        statement([f"ec2:Unknown{number}" for number in range(6_000)], LONG),
    ],
    ids=["all actions", "all but one", "a condition", "actions that nobody knows"],
)
def test_what_would_be_repeated_for_every_action_is_not_listed(entry: dict[str, object]) -> None:
    # As JSON the summary of such a document would have half a gigabyte.
    text = json.dumps({"Statement": [entry]})
    if survives(text):
        rows = services_in(parse_text(text))
        assert too_large_to_list(rows) or len(json.dumps(encode([list(row.actions) for row in rows]))) < 10_000_000


def test_a_service_name_never_becomes_a_path() -> None:
    rows = services_in(
        parse({"Statement": [statement(["../actions/ec2:*", "..\\ec2:*", "/etc/passwd:read", "ec2.json:*"])]})
    )
    assert not any(row.recognised for row in rows)
