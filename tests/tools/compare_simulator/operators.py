"""Requests over made-up policies that use every condition operator, which AWS's own policies do not."""

import json
import random
from collections.abc import Iterator

from tests.tools.compare_simulator.requests import ALWAYS, Case

_ACTION = "s3:ListBucket"
_RESOURCE = "arn:aws:s3:::logs"

# By family: operators, keys that the request may have, values for policies and values for requests.
_NUMBERS = ["0", "10", "10.0", "-1", "1.5", "ten"]
_DATES = [
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "1767225600",
    "2027",
    "2025-12-31T23:59:59Z",
]
_TEXTS = [
    "a",
    "A",
    "ab",
    "a*",
    "?",
    "*",
    "a?",
    "home/${aws:PrincipalTag/team}/*",
    "${aws:PrincipalTag/none, 'ab'}",
    "${*}",
]
_ARNS = [
    "arn:aws:sns:eu-west-1:111122223333:a",
    "arn:aws:sns:*:*:a",
    "arn:aws:sns:*:*:*",
    "arn:aws:s*:eu-west-1:1*:?",
    "*",
]
_FAMILIES: tuple[tuple[list[str], list[str], list[str], list[str]], ...] = (
    (
        [
            "StringEquals",
            "StringNotEquals",
            "StringEqualsIgnoreCase",
            "StringNotEqualsIgnoreCase",
            "StringLike",
            "StringNotLike",
        ],
        ["s3:prefix", "aws:PrincipalTag/team"],
        _TEXTS,
        ["a", "A", "ab", "a*", "*", "", "home/a/b", "home/b/b"],
    ),
    (
        [
            f"Numeric{name}"
            for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
        ],
        ["s3:max-keys", "aws:MultiFactorAuthAge"],
        _NUMBERS,
        _NUMBERS,
    ),
    (
        [
            f"Date{name}"
            for name in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
        ],
        ["aws:CurrentTime", "aws:TokenIssueTime"],
        _DATES,
        _DATES,
    ),
    (["Bool"], ["aws:SecureTransport", "aws:MultiFactorAuthPresent"], ["true", "false"], ["true", "false", "True"]),
    (
        ["IpAddress", "NotIpAddress"],
        ["aws:SourceIp", "aws:VpcSourceIp"],
        ["203.0.113.0/24", "203.0.113.7", "0.0.0.0/0", "2001:DB8:1234:5678::/64", "::/0"],
        ["203.0.113.7", "203.0.113.8", "203.0.114.0", "2001:db8:1234:5678::1"],
    ),
    (
        ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        ["aws:SourceArn"],
        _ARNS,
        ["arn:aws:sns:eu-west-1:111122223333:a", "arn:aws:sns:eu-west-1:111122223333:b:c", "arn:aws:sqs:eu-west-1:1:a"],
    ),
)
_SETS = ["ForAllValues:", "ForAnyValue:"]
_SEVERAL = ["aws:TagKeys", "aws:CalledVia"]


def operator_cases(count: int, seed: int, first: int) -> Iterator[tuple[Case, bytes]]:
    """Yield `count` cases, numbered from `first`, each with the text of its one policy."""
    chance = random.Random(seed)
    for number in range(first, first + count):
        context = dict(ALWAYS)
        block: dict[str, dict[str, list[str]]] = {}
        for _ in range(chance.choice((1, 1, 2))):
            operators, keys, policy_values, possible_values = chance.choice(_FAMILIES)
            name = chance.choice(operators)
            key = chance.choice(keys)
            several = operators is _FAMILIES[0][0] and chance.random() < 0.4
            if several:
                name = chance.choice(_SETS) + name
                key = chance.choice(_SEVERAL)
            if chance.random() < 0.25:
                name += "IfExists"
            if chance.random() < 0.1:
                name, policy_values = "Null", ["true", "false"]
            values = [chance.choice(policy_values) for _ in range(chance.choice((1, 1, 2)))]
            block.setdefault(name, {})[key] = values
            if chance.random() < 0.75 and key not in context:
                context[key] = tuple(dict.fromkeys(chance.choice(possible_values) for _ in range(2 if several else 1)))
        statements: list[dict[str, object]] = (
            [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}] if chance.random() < 0.5 else []
        )
        statements.append(
            {"Effect": "Deny" if statements else "Allow", "Action": _ACTION, "Resource": _RESOURCE, "Condition": block}
        )
        text = json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()
        label = f"operators-{number}@v1"
        yield Case(number, _ACTION, _RESOURCE, context, (label,), None), text
