"""Random pairs of documents, judged by ekstui and tried with concrete requests against the brute force.

A request keeps to what AWS could send: keys that hang together agree, and those that every request has are there.
"""

import random
from typing import Any

from ekstui.change.reach import reach_between
from ekstui.change.reach.witness import request_gained
from ekstui.iam.document import parse
from ekstui.iam.grants import grants
from tests.support.brute_force import Request, allows

ACTIONS = [
    "zz:GetOne", "zz:GetTwo", "zz:Put", "ZZ:getone", "zz:Get*", "zz:*", "zz:*One", "yy:Foo", "yy:*", "ec2:NewThing*",
    "ec2:NewThing1", "ec2:StartInstances", "ec2:St*",
]  # fmt: skip
ASKED = [
    "zz:GetOne",
    "zz:GetTwo",
    "zz:Put",
    "zz:GetZ",
    "zz:Z",
    "zz:ZOne",
    "yy:Foo",
    "yy:Z",
    "ec2:NewThing1",
    "ec2:NewThingZ",
]
RESOURCES = [
    "*", "arn:aws:zz:::*", "arn:aws:zz:::b", "arn:aws:zz:::b/*", "arn:aws:zz:::b?", "arn:aws:zz:::${*}",
    "arn:aws:zz:::b/${aws:PrincipalTag/t}", "arn:aws:zz:::b/${aws:PrincipalTag/t, 'x'}", "arn:aws:zz:::b/${aws:PrincipalTag/t, 'X'}",
]  # fmt: skip
TARGETS = ["arn:aws:zz:::b", "arn:aws:zz:::b/a", "arn:aws:zz:::b/x", "arn:aws:zz:::b/X", "arn:aws:zz:::b/c/d", "arn:aws:zz:::bx",
           "arn:aws:zz:::*", "arn:aws:zz:::${*}", "arn:aws:zz:::b/${aws:PrincipalTag/t}"]  # fmt: skip

STRINGS = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "StringNotEqualsIgnoreCase",
]
TEXTS = [
    "a",
    "b",
    "A",
    "ab",
    "a*",
    "*",
    "?",
    "${aws:PrincipalTag/t}",
    "${aws:PrincipalTag/t, 'a'}",
    "${aws:PrincipalTag/t, 'A'}",
]
ROLES = ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::444455556666:role/b"]
ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")

# For each key: operators, values of a policy, and values of a request.
KEYS: dict[str, tuple[list[str], list[str], list[tuple[str, ...]]]] = {
    "zz:one": (STRINGS, TEXTS, [(), ("a",), ("A",), ("ab",), ("z",)]),
    "zz:n": ([f"Numeric{order}" for order in ORDERS], ["1", "1.0", "2", "5", "-1"], [(), ("0",), ("1",), ("1.5",), ("2",), ("9",)]),
    "zz:d": (
        [f"Date{order}" for order in ORDERS],
        ["2026-01-01T00:00:00Z", "2026-06-01T00:00:00Z"],
        [(), ("2025-01-01T00:00:00Z",), ("2026-01-01T00:00:00Z",), ("2026-03-01T00:00:00Z",), ("2027-01-01T00:00:00Z",)],
    ),
    "aws:SourceIp": (
        ["IpAddress", "NotIpAddress"],
        ["10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.0.0.1", "10.0.0.1/32", "192.0.2.0/24"],
        [(), ("10.0.0.1",), ("10.0.0.2",), ("10.200.0.1",), ("192.0.2.9",), ("198.51.100.1",)],
    ),
    "aws:SecureTransport": (["Bool"], ["true", "false"], [("true",), ("false",)]),
    "aws:PrincipalArn": (
        ["ArnLike", "ArnNotLike", "StringLike", "StringEquals", "ArnEquals"],
        [*ROLES, "*", "arn:*", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:*", "arn:aws:iam::*:user/*"],
        [(principal,) for principal in (*ROLES, "arn:aws:iam::111122223333:user/a")],
    ),
    "aws:PrincipalAccount": (["StringEquals", "StringNotEquals", "StringLike"], ["111122223333", "444455556666", "*", "1*"], []),
    "aws:MultiFactorAuthPresent": (["Bool"], ["true", "false"], [(), ("true",), ("false",)]),
    "aws:MultiFactorAuthAge": (["NumericLessThan", "NumericGreaterThan"], ["300", "900"], []),
    "zz:many": ([], ["a", "b", "A", "a*", "*"], [(), ("a",), ("a", "b"), ("z",), ("a", "z")]),
    "aws:CalledVia": ([], ["athena.amazonaws.com", "glue.amazonaws.com", "*"],
                      [(), ("athena.amazonaws.com",), ("glue.amazonaws.com",), ("athena.amazonaws.com", "glue.amazonaws.com"), ("x.amazonaws.com",)]),
}  # fmt: skip


def condition(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.35:
        return {}
    block: dict[str, Any] = {}
    for _ in range(rng.choice((1, 1, 2))):
        key = rng.choice(list(KEYS))
        names, values, _ = KEYS[key]
        if rng.random() < 0.1:
            block.setdefault("Null", {})[key] = rng.choice(("true", "false", False))
            continue
        name = rng.choice(names or STRINGS)
        if not names or rng.random() < 0.1:
            name = rng.choice(("ForAllValues:", "ForAnyValue:")) + name
        elif rng.random() < 0.2:
            name += "IfExists"
        block.setdefault(name, {})[rng.choice((key, key.upper()))] = rng.sample(
            values, min(len(values), rng.choice((1, 1, 2)))
        )
    return block


def statement(rng: random.Random) -> dict[str, Any]:
    return {
        "Effect": rng.choice(("Allow", "Allow", "Allow", "Deny")),
        # Seldom all actions, which takes long.
        "NotAction" if rng.random() < 0.0005 else "Action": (
            ["*"] if rng.random() < 0.0005 else rng.sample(ACTIONS, rng.choice((1, 1, 2)))
        ),
        rng.choice(("Resource", "Resource", "Resource", "NotResource")): rng.sample(RESOURCES, rng.choice((1, 1, 2))),
        "Condition": condition(rng),
    }


def pair(rng: random.Random) -> tuple[Any, Any]:
    """Two documents that share statements, so that they often differ by little."""
    shared_statements = [statement(rng) for _ in range(rng.choice((0, 1, 1, 2)))]
    before, after = ([statement(rng) for _ in range(rng.choice((0, 1, 1, 2)))] for _ in range(2))
    if before and rng.random() < 0.7:
        after = [dict(statement) for statement in before]
        tweak = statement(rng)
        part = rng.choice(("Condition", "Condition", "Effect", "Resource", "Action"))
        if part in tweak and part in after[0]:
            after[0][part] = tweak[part]
        elif part in tweak:
            after[0] = {**tweak, "Condition": after[0]["Condition"]}
    versions = rng.choice(
        (("2012-10-17", "2012-10-17"),) * 4 + (("2012-10-17", "2008-10-17"), ("2008-10-17", "2008-10-17"))
    )
    return (
        {"Version": version, "Statement": shared_statements + part}
        for version, part in zip(versions, (before, after), strict=True)
    )  # type: ignore[return-value]


def request(rng: random.Random) -> Request:
    context = {key.lower(): rng.choice(values) for key, (_, _, values) in KEYS.items() if values}
    context["aws:principaltag/t"] = rng.choice(((), ("a",), ("x",), ("A",)))
    context["aws:principalaccount"] = (context["aws:principalarn"][0].split(":")[4],)
    with_mfa = context["aws:multifactorauthpresent"] == ("true",)
    context["aws:multifactorauthage"] = (rng.choice(("60", "600", "3600")),) if with_mfa else ()
    context["aws:viaawsservice"] = (str(bool(context["aws:calledvia"])).lower(),)
    return Request(rng.choice(ASKED), rng.choice(TARGETS), context)


def check(seed: int, count: int, request_count: int = 120) -> dict[str, int]:
    """Judge random pairs; return how often each reach was found. Fails where a request contradicts what is proven."""
    rng = random.Random(seed)
    counts: dict[str, int] = {}
    requests = [request(rng) for _ in range(4000)]
    for number in range(count):
        before, after = pair(rng)
        sides = grants(parse(before)), grants(parse(after))
        judgement = reach_between(*sides)
        story = (seed, number, judgement.reach, before, after)
        assert reach_between(*sides, thorough=False).reach == judgement.reach, story
        counts[judgement.reach] = counts.get(judgement.reach, 0) + 1
        nothing_gained = judgement.reach in ("same", "narrowed")
        nothing_lost = judgement.reach in ("same", "widened")
        for api_request in rng.sample(requests, request_count):
            allowed_before, allowed_after = allows(before, api_request), allows(after, api_request)
            assert not (nothing_gained and allowed_after and not allowed_before), (story, api_request)
            assert not (nothing_lost and allowed_before and not allowed_after), (story, api_request)
        for outcome in judgement.outcomes[:4]:
            if any(sign in outcome.action for sign in "*?"):
                continue
            for is_claimed, grant_pair, documents in (
                (outcome.gained, (outcome.before, outcome.after), (before, after)),
                (outcome.lost, (outcome.after, outcome.before), (after, before)),
            ):
                witness = request_gained(outcome.action.lower(), *grant_pair) if is_claimed else None
                if witness is not None:
                    concrete = Request(witness.action, witness.resource, witness.context)
                    assert allows(documents[1], concrete), (story, concrete)
                    assert not allows(documents[0], concrete), (story, concrete)
    return counts


if __name__ == "__main__":
    import sys

    print(f"{sys.argv[1]} pairs, 0 contradictions: {check(20261201, int(sys.argv[1]))}")
