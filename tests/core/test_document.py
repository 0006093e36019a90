"""Parsing holds for every document that AWS has published, and refuses what is no policy with a place."""

import json
import lzma
from collections.abc import Iterator
from typing import Any

import pytest

from ekstui import paths
from ekstui.core.document import parse, parse_text, serialise
from ekstui.errors import DocumentError


def corpus_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    with lzma.open(paths.assets() / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            policy = json.loads(line)
            for version in policy["versions"]:
                yield f"{policy['name']}@{version['version']}", version["document"]


def as_lists(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a list wherever IAM allows one, made without ekstui's own code."""

    def listed(value: Any) -> list[Any]:
        return value if isinstance(value, list) else [value]

    def scalar(value: Any) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    statements = []
    for statement in listed(document["Statement"]):
        result = dict(statement)
        for key in ("Action", "NotAction", "Resource", "NotResource"):
            if key in result:
                result[key] = [entry.strip() for entry in listed(result[key])]
        if "Condition" in result:
            block = {
                operator: {key: [scalar(entry) for entry in listed(values)] for key, values in keys.items()}
                for operator, keys in result.pop("Condition").items()
                if keys
            }
            if block:
                result["Condition"] = block
        statements.append(result)
    return {**document, "Statement": statements}


def test_every_document_of_the_corpus_survives_the_round_trip() -> None:
    count = 0
    for name, raw in corpus_documents():
        document = parse(raw)
        assert serialise(document) == as_lists(raw), name
        assert parse(serialise(document)) == document, name
        count += 1
    assert count == 6194


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "not JSON"),
        ("{", "line 1"),
        ("[]", "not a list"),
        ('{"Version": "2012-10-17"}', "has none"),
        ('{"Statement": 3}', "Statement: "),
        ('{"Statement": [3]}', "Statement[0]: "),
        ('{"Statement": {"Effect": "allow"}}', "Statement[0].Effect: "),
        ('{"Statement": {"Effect": "Allow"}}', "Statement[0]: "),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "NotAction": "a:c"}}', "both Action and NotAction"),
        ('{"Statement": {"Effect": "Allow", "Action": ["a:b", 7]}}', "Statement[0].Action[1]: "),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Actoin": 1}}', "'Actoin'"),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": {"Bool": 1}}}', "Condition.Bool: "),
        ('{"Statement": {"Effect": "Allow", "Action": "a:b", "Condition": {"Bool": {"k": {}}}}}', "Condition.Bool.k: "),
        ('{"Statement": [], "Colour": 1}', "'Colour'"),
        ("[" * 100_000, "nested too deep"),
        ('{"Statement": ' + "9" * 5000 + "}", "number is too long"),
        ('"' + "x" * 3_000_000 + '"', "2,000,000 bytes"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_text(text)
    assert place in caught.value.message


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DocumentError, match="UTF-8"):
        parse_text(b'{"Statement": "\xff"}')
