"""Parsing holds for every document that AWS has published, and refuses what is no policy with a place."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from ekstui.errors import DocumentError
from ekstui.iam import expansion
from ekstui.iam.document import broken_rules, parse, parse_text, serialise, trimmed
from ekstui.iam.expansion import (
    MAX_BROAD_PATTERNS,
    MAX_CHARACTERS_COMPARED,
    MAX_PAIRS,
    MAX_PATTERNS,
    MAX_WILD_PATTERNS,
    PairCount,
    check_patterns,
    named_actions,
)
from tests.support.bundled import VERSIONS
from tests.support.corpus import raw_corpus


def corpus_documents() -> Iterator[tuple[str, dict[str, Any]]]:
    for policy in raw_corpus():
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
    assert count == VERSIONS


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
    with pytest.raises(DocumentError) as error:
        parse_text(text)
    assert place in error.value.message


def made(**statement: Any) -> dict[str, Any]:
    fields = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **statement}
    return {"Version": "2012-10-17", "Statement": [{key: value for key, value in fields.items() if value is not None}]}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"Statement": [], "Statement": []}', "Statement: "),
        ('{"Version": "2012-10-17", "Version": "2008-10-17", "Statement": []}', "Version: "),
        ('{"Statement": {"Effect": "Allow", "Effect": "Deny", "Action": "a:b"}}', "Statement[0].Effect: "),
        ('{"Statement": [{"Effect": "Allow", "Action": "*", "Action": "s3:GetObject"}]}', "Statement[0].Action: "),
        (
            '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"a:b": "1"}, "Bool": {"a:c": "1"}}}}',
            "Statement[0].Condition.Bool: ",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"Bool": {"a:b": "1", "a:b": "2"}}}}',
            "Statement[0].Condition.Bool.a:b: ",
        ),
        (
            '{"Statement": {"Effect": "Allow", "Action": "*", "Principal": {"AWS": "1", "AWS": "2"}}}',
            "Statement[0].Principal.AWS: ",
        ),
    ],
)
def test_two_elements_of_one_name_are_refused_with_their_place(text: str, place: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse_text(text)
    assert error.value.message == f"{place}two elements have this name."


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (made(), None),
        (made(Action=["s3:*", "*", "EC2:describe?pcs"], Resource=["arn:aws:s3:::a", "*"]), None),
        ({**made(), "Version": "2008-10-17"}, None),
        ({"Statement": made()["Statement"]}, None),
        ({**made(), "Version": "2012-10-18"}, "Version"),
        ({**made(), "Statement": []}, "Statement"),
        (made(Principal="*"), "Statement[0].Principal"),
        (made(NotPrincipal={"AWS": "1"}), "Statement[0].NotPrincipal"),
        (made(Resource=None), "Statement[0]"),
        (made(Resource=[]), "Statement[0].Resource"),
        (made(Resource="bucket"), "Statement[0].Resource"),
        (made(Action=[]), "Statement[0].Action"),
        (made(Action="GetObject"), "Statement[0].Action"),
        (made(Action="s3: GetObject"), "Statement[0].Action"),
        (made(Sid="a b"), "Statement[0].Sid"),
        ({**made(), "Statement": made(Sid="a")["Statement"] * 2}, "Statement[1].Sid"),
        # IAM: "Action vendors (e.g., aws, ec2, etc.) must not contain wildcards", "Invalid Condition type : stringEquals".
        (made(Action="*:Untag*"), "Statement[0].Action"),
        (made(Action="s?:GetObject"), "Statement[0].Action"),
        (made(Action="*:*"), None),
        (made(Condition={"stringEquals": {"aws:username": "a"}}), "Statement[0].Condition.stringEquals"),
        (made(Condition={"ForAnyValue:Null": {"aws:TagKeys": "true"}}), "Statement[0].Condition.ForAnyValue:Null"),
        (made(Condition={"ForAllValues:StringLikeIfExists": {"aws:TagKeys": "a"}}), None),
    ],
)
def test_what_iam_refuses_in_an_identity_policy(document: dict[str, Any], place: str | None) -> None:
    places = [rule.place for rule in broken_rules(parse(document))]
    assert places == ([] if place is None else [place])


def test_a_trust_policy_has_a_principal_and_no_resource() -> None:
    trust = made(Action="sts:AssumeRole", Principal={"Service": "eks.amazonaws.com"}, Resource=None)
    assert list(broken_rules(parse(trust), "trust")) == []
    assert [rule.place for rule in broken_rules(parse(made()), "trust")] == [
        "Statement[0]",
        "Statement[0].Resource",
    ]


def test_two_documents_of_aws_break_a_rule_and_are_still_read() -> None:
    messages = {
        name: [rule.message for rule in broken_rules(parse(document))]
        for name, document in corpus_documents()
        if next(broken_rules(parse(document)), None)
    }
    assert messages == {
        "AdministratorAccess-Amplify@v1": [
            "Statement[2].Action: 'amplifybackend: *' is not an action such as ec2:CreateVolume."
        ],
        "ViewOnlyAccess@v1": [
            "Statement[0].Action: 'ec2: DescribeAccountAttributes' is not an action such as ec2:CreateVolume."
        ],
    }


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    with pytest.raises(DocumentError, match="UTF-8"):
        parse_text(b'{"Statement": "\xff"}')


@pytest.mark.parametrize(
    ("actions", "refusal"),
    [
        (["s3:a"] * MAX_PATTERNS, ""),
        (["s3:a"] * (MAX_PATTERNS + 1), "20,001 action patterns"),
        ([f"s3:{n}*" for n in range(MAX_WILD_PATTERNS)] * 2, ""),
        ([f"s3:{n}?" for n in range(MAX_WILD_PATTERNS + 1)], "4,001 different patterns"),
        ([f"*:{n}" for n in range(MAX_BROAD_PATTERNS)], ""),
        ([f"s?:{n}" for n in range(MAX_BROAD_PATTERNS + 1)], "101 patterns with a wildcard for the service"),
    ],
    ids=["all", "one more", "wild", "one more wild", "broad", "one more broad"],
)
def test_what_is_too_large_to_expand(actions: list[str], refusal: str) -> None:
    half = len(actions) // 2
    document = parse({"Statement": [made(Action=part)["Statement"][0] for part in (actions[:half], actions[half:])]})
    with pytest.raises(DocumentError, match=refusal) if refusal else nullcontext():
        check_patterns(document)


def test_pairs_are_counted_over_all_statements() -> None:
    pairs = PairCount()
    pairs.add(0, MAX_PAIRS // 4, 3)
    pairs.add(
        1, MAX_PAIRS // 4, 0, MAX_CHARACTERS_COMPARED // (MAX_PAIRS // 4)
    )  # without a resource, an action counts once
    with pytest.raises(DocumentError, match="pairs of an action and a resource") as error:
        pairs.add(2, 1, 1)
    assert error.value.place == "Statement[2]"
    with pytest.raises(DocumentError, match="characters"):
        PairCount().add(3, 2, 1, MAX_CHARACTERS_COMPARED // 2 + 1)


def test_resources_and_conditions_count_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_PAIRS", 6)
    statement = {"Action": ["ec2:RunInstances", "ec2:CreateTags"], "Resource": ["a", "b"]}
    keys = {"aws:SecureTransport": "true", "aws:ViaAWSService": "true"}
    one, two = {"Bool": {"aws:SecureTransport": "true"}}, {"Bool": keys}
    assert named_actions(parse(made(**statement, Condition=one)), "Allow").keys() == {"ec2"}
    with pytest.raises(DocumentError, match="pairs of an action and a resource"):
        named_actions(parse(made(**statement, Condition=two)), "Allow")
    # So do actions that the reference lacks.
    with pytest.raises(DocumentError, match="pairs of an action and a resource"):
        named_actions(parse(made(Action=["zz:A", "zz:B"], Resource=["a", "b"], Condition=two)), "Allow")


def test_services_are_taken_out_of_what_is_allowed_and_nothing_else() -> None:
    other_statements = [
        {"Effect": "Deny", "Action": ["s3:*"], "Resource": "*"},
        {"Effect": "Allow", "NotAction": ["s3:*"], "Resource": "*"},
        {"Effect": "Allow", "Action": ["*", "s*:Get"], "Resource": "*"},
    ]
    mixed_statement = {"Effect": "Allow", "Action": ["S3:Get", "ec2:Run", "kms:*", "S3:Get"], "Resource": "*"}
    trimmed_statement = {"Effect": "Allow", "Action": "kms:Sign", "Resource": "*"}
    trim = trimmed(
        parse({"Statement": [*other_statements, mixed_statement, trimmed_statement]}),
        lambda pattern: pattern.lower().startswith(("s3:", "kms:")),
    )
    assert trim.document == parse({"Statement": [*other_statements, {**mixed_statement, "Action": "ec2:Run"}]})
    assert trim.dropped == ("S3:Get", "kms:*", "kms:Sign")
