"""What reach says of two condition blocks, evaluation says of every request: one never contradicts the other.

Lines and contexts are random; the contexts have the key absent, empty, with one value and with several. Of keys whose
values are of one kind only such contexts are tried as AWS could send.
"""

import random
from collections.abc import Iterator
from functools import cache, reduce
from itertools import combinations, pairwise, product
from math import ceil
from operator import or_
from typing import NamedTuple

import pytest

from ekstui.change.reach import reach_between
from ekstui.iam.condition_operators import OPERATOR_FAMILIES, ComparisonSign, Kind, operator
from ekstui.iam.conditions.predicates import condition_holds, excludes, implies_all, opposite, union_of_values
from ekstui.iam.conditions.spans import (
    POINTS,
    MalformedValue,
    ValueSpan,
    complement,
    contains,
    examples,
    intersection,
    span,
    union,
)
from ekstui.iam.conditions.values import covered_by, disjoint, value_covers
from ekstui.iam.document import Condition, parse
from ekstui.iam.grants import ConditionLine, Extent, Reach, Target, grants, normalised_conditions
from ekstui.iam.policy_variables import Context
from ekstui.iam.truth import Truth, every
from tests.support.effort import EFFORT, SEED, sample

TEXTS = [
    "a", "A", "ab", "a*", "*", "?", "a?", "**", "", "${*}", "a${*}", "${k:tag}", "${k:tag, 'a'}", "${k:tag, 'A'}", "${k:tag}b",
    "x${k:tag}", "x${k:tag, 'a'}*", "${k:many}", "true",
]  # fmt: skip
ARNS = [
    "*", "arn:*", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/*", "arn:aws:iam::*:role/a", "arn:aws:iam::${k:tag}:role/a",
    "arn:aws:iam::1:role/${k:tag}", "arn:aws:iam::1:*", "arn:aws:iam::1:role/?", "a",
]  # fmt: skip
WANTED = {
    "exact": TEXTS + ARNS,
    "folded": TEXTS,
    "like": TEXTS + ARNS,
    "arn": ARNS,
    "truth": ["true", "false", "True", "${k:tag}", "x"],
    "bytes": ["QQ==", "Qg==", "?"],
    "number": ["1", "1.0", "2", "-1", "0.5", "x"],
    "date": ["2026-01-01", "2026-01-01T00:00:00Z", "1767225600", "2026-06-01", "x"],
    "address": [
        "10.0.0.1",
        "10.0.0.1/32",
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.128.0.0/9",
        "2001:db8::/32",
        "0.0.0.0/0",
        "x",
    ],
}
SENT = [
    "a", "A", "ab", "aB", "", "b", "*", "a*", "xa", "x", "true", "false", "arn:aws:iam::1:role/a", "arn:aws:iam::1:role/ab",
    "arn:aws:iam::2:role/a", "arn:aws:iam::1:user/a", "arn:aws:iam::1:2:role/a", "1", "1.00", "0.75", "3", "10.0.0.1",
    "10.200.0.1", "192.0.2.1", "2001:db8::1", "2026-01-01T00:00:00Z", "2026-03-01", "QQ==", "QUE=",
]  # fmt: skip
TAGS = [(), ("a",), ("A",), ("",), ("a:b",), ("*",), ("true",), ("1:2",)]
KEYS: dict[str, list[tuple[str, ...]]] = {
    "k:one": [(), *((value,) for value in SENT)],
    "k:many": [(), *((value,) for value in SENT), ("a", "ab"), ("", "a"), ("", ""), ("a", "x"), ("1", "3"), ("10.0.0.1", "::1")],
    "aws:TagKeys": [(), ("a",), ("A",), ("a", "b"), ("",)],
    "aws:ResourceTag/t": [(), ("a",), ("",), ("A",), ("ab",)],
    # Every request has these, of these kinds.
    "aws:PrincipalArn": [("arn:aws:iam::1:role/a",), ("arn:aws:iam::1:role/ab",), ("arn:aws:iam::2:user/x/a",)],
    "aws:SecureTransport": [("true",), ("false",)],
    "aws:MultiFactorAuthPresent": [(), ("true",), ("false",)],
    "aws:PrincipalAccount": [("111122223333",), ("444455556666",)],
}  # fmt: skip
MORE = {"aws:PrincipalAccount": ["111122223333", "1*", "????????????"]}


def names() -> list[str]:
    plain = [name for name in OPERATOR_FAMILIES if name != "Null"]
    prefixes, endings = ("", "ForAllValues:", "ForAnyValue:"), ("", "IfExists")
    return ["Null", *plain, *(f"{prefix}{name}{end}" for prefix in prefixes for name in plain for end in endings)]


NAMES = names()


def random_condition(rng: random.Random, key: str) -> Condition:
    name = rng.choice(NAMES)
    rule = operator(name)
    assert rule is not None
    values = ["true", "false"] if rule.base == "Null" else WANTED[rule.family.compared_as] + MORE.get(key, [])
    return Condition(
        name, key, tuple(rng.sample(values, rng.choice((1, 1, 1, 2, 3)) if len(values) > 2 else rng.choice((1, 2))))
    )


def compared_as(name: str) -> str:
    known_operator = operator(name)
    assert known_operator is not None
    return known_operator.family.compared_as


def similar(rng: random.Random, condition: Condition) -> Condition:
    """A condition that often relates to another: its set operator, its ending or its values differ."""
    base = condition.operator.rpartition(":")[2].removesuffix("IfExists")
    name = condition.operator
    if base != "Null" and rng.random() < 0.6:
        name = rng.choice(("", "", "ForAllValues:", "ForAnyValue:")) + base + rng.choice(("", "", "IfExists"))
    if base.startswith("String") and rng.random() < 0.3:
        name = name.replace(
            base, rng.choice(("StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotLike", "ArnLike"))
        )
    neighbour = random_condition(rng, condition.key)
    values = condition.values
    if neighbour.operator != "Null" and compared_as(neighbour.operator) == compared_as(name):
        values = rng.choice((values, values[:1], values + neighbour.values, neighbour.values))
    return Condition(name, condition.key, tuple(dict.fromkeys(values)))


def contexts(key: str) -> Iterator[Context]:
    for values, tag in ((values, tag) for values in KEYS[key] for tag in TAGS):
        values_by_key = {"k:tag": tag, "k:many": ("a",), key: values}
        yield Context(values_by_key, frozenset(name for name, values in values_by_key.items() if not values))


CONTEXTS = {key: list(contexts(key)) for key in KEYS}


def judged(block: tuple[Condition, ...], context: Context) -> Truth:
    return every(condition_holds(condition, context, has_variables=True).holds for condition in block)


def check(seed: int, count: int) -> dict[str, int]:
    """Try random pairs of blocks; return how often each thing was claimed."""
    rng = random.Random(seed)
    claims = dict.fromkeys(("implied", "same", "excluded"), 0)
    for _ in range(count):
        key = rng.choice(list(KEYS))
        conditions_a = tuple(random_condition(rng, key) for _ in range(rng.choice((1, 1, 2))))
        conditions_b = (similar(rng, rng.choice(conditions_a)) if rng.random() < 0.8 else random_condition(rng, key),)
        blocks: tuple[frozenset[ConditionLine], ...] = (
            normalised_conditions(conditions_a),
            normalised_conditions(conditions_b),
        )
        forth, converse = implies_all(*blocks), implies_all(*reversed(blocks))
        exclusive = excludes(*blocks)
        claims["implied"] += forth
        claims["same"] += forth and converse
        claims["excluded"] += exclusive
        if not (forth or converse or exclusive):
            continue
        for context in CONTEXTS[key]:
            first, second = judged(conditions_a, context), judged(conditions_b, context)
            story = (conditions_a, conditions_b, context.values(key), context.values("k:tag"), first, second)
            assert not (forth and first is True and second is not True), story
            assert not (forth and first is None and second is False), story
            assert not (converse and second is True and first is not True), story
            assert not (converse and second is None and first is False), story
            assert not (exclusive and first and second), story
    return claims


def test_reach_and_evaluation_agree_about_random_conditions() -> None:
    count = 1_000 if EFFORT == 1 else 2_000 * EFFORT
    claims = check(SEED, count)
    assert min(claims.values()) > count // 60, claims


@pytest.mark.parametrize(
    ("condition_a", "condition_b", "is_implied", "implies_back"),
    [
        (("Null", "aws:TagKeys", ("false",)), ("ForAnyValue:StringLike", "aws:TagKeys", ("*",)), False, True),
        (("NumericEquals", "k:n", ("1",)), ("NumericEquals", "k:n", ("1.0",)), True, True),
        (("NumericLessThan", "k:n", ("5",)), ("NumericLessThanEquals", "k:n", ("5",)), True, False),
        (("IpAddress", "aws:SourceIp", ("10.0.0.1",)), ("IpAddress", "aws:SourceIp", ("10.0.0.1/32",)), True, True),
        (
            ("IpAddress", "aws:SourceIp", ("10.0.0.0/8",)),
            ("IpAddress", "aws:SourceIp", ("10.0.0.0/9", "10.128.0.0/9")),
            True,
            True,
        ),
        (("NotIpAddress", "k:i", ("10.0.0.0/8",)), ("NotIpAddress", "k:i", ("10.1.0.0/16",)), True, False),
        (("DateGreaterThan", "k:d", ("2026-06-01",)), ("DateGreaterThan", "k:d", ("2026-01-01",)), True, False),
        (
            ("Bool", "aws:MultiFactorAuthPresent", ("true", "false")),
            ("Null", "aws:MultiFactorAuthPresent", ("false",)),
            True,
            True,
        ),
        (("StringEquals", "aws:TagKeys", ("a",)), ("ForAllValues:StringEquals", "aws:TagKeys", ("a",)), False, False),
        (("StringEquals", "aws:TagKeys", ("a",)), ("ForAnyValue:StringEquals", "aws:TagKeys", ("a",)), True, False),
        # Of several values one may match and another not, so that only lines of one kind say something of each other.
        (("StringEquals", "aws:TagKeys", ("a",)), ("StringLike", "aws:TagKeys", ("a*",)), True, False),
        (("StringEquals", "aws:TagKeys", ("a",)), ("StringNotEqualsIfExists", "aws:TagKeys", ("b",)), False, False),
        # Bytes differ by the case of their letters.
        (("StringEqualsIgnoreCase", "k:b", ("QQ==",)), ("BinaryEquals", "k:b", ("QQ==",)), False, False),
        (("StringEquals", "k:b", ("QQ==",)), ("BinaryEquals", "k:b", ("QQ==",)), True, False),
        (("StringEquals", "k:a", ("${k:t}",)), ("StringEquals", "k:a", ("${k:t, 'x'}",)), True, False),
        (("StringEquals", "k:a", ("${k:t, 'x'}",)), ("StringEquals", "k:a", ("${k:t, 'X'}",)), False, False),
        (("StringNotEquals", "k:a", ("${k:t, 'x'}",)), ("StringNotEquals", "k:a", ("${k:t}",)), True, False),
        # A variable may be of any length, so a text with one covers none with a sign for one character.
        (("StringLike", "k:a", ("x*",)), ("StringLike", "k:a", ("${k:t}?",)), False, False),
        (("StringLike", "k:r", ("arn:aws:iam::1:role/*",)), ("ArnLike", "k:r", ("arn:aws:iam::1:role/*",)), True, True),
        (("StringLike", "k:r", ("arn:aws:iam::*:role/a",)), ("ArnLike", "k:r", ("arn:aws:iam::*:role/a",)), False, True),
        # A principal is in the partition of the policy: in the one that is named, if it is only one.
        (("ArnLike", "aws:PrincipalArn", ("arn:*:iam::1:role/a",)), ("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::1:role/a",)), True, True),
        (("ArnLike", "aws:PrincipalArn", ("arn:*:iam::1:role/a",)),
         ("ArnLike", "aws:PrincipalArn", ("arn:aws:iam::1:role/a", "arn:aws-cn:iam::1:role/a")), False, True),
    ],
)  # fmt: skip
def test_lines_that_imply_each_other(
    condition_a: tuple[str, str, tuple[str, ...]],
    condition_b: tuple[str, str, tuple[str, ...]],
    is_implied: bool,
    implies_back: bool,
) -> None:
    blocks = [normalised_conditions((Condition(*condition),)) for condition in (condition_a, condition_b)]
    assert (implies_all(*blocks), implies_all(*reversed(blocks))) == (is_implied, implies_back)


@pytest.mark.parametrize("key", ["aws:MultiFactorAuthPresent", "aws:SecureTransport", "aws:ViaAWSService", "k:b"])
@pytest.mark.parametrize("name", ["Bool", "BoolIfExists", "ForAllValues:Bool", "StringEqualsIfExists"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_no_comparison_implies_that_its_key_is_absent(key: str, name: str, value: str) -> None:
    """`Null` asks whether there is a value; its own `true` was once compared with the value `true` of the key."""
    comparison, absent = (
        normalised_conditions((Condition(*condition),))
        for condition in ((name, key, (value,)), ("Null", key, ("true",)))
    )
    assert not implies_all(comparison, absent)
    assert implies_all(absent, comparison) == (name != "Bool" or key in {"aws:SecureTransport", "aws:ViaAWSService"})


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("aws:PrincipalArn", "StringLike", "*"),
        ("aws:PrincipalArn", "ArnLike", "arn:*"),
        ("aws:PrincipalArn", "ArnLike", "*"),
        ("aws:SecureTransport", "Null", "false"),
        ("aws:ResourceAccount", "StringLike", "????????????"),
    ],
)
def test_a_line_that_every_request_meets(key: str, name: str, value: str) -> None:
    assert implies_all(frozenset(), normalised_conditions((Condition(name, key, (value,)),)))


@pytest.mark.parametrize("quantifier", ["", "ForAllValues:", "ForAnyValue:"])
@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize("base", sorted(OPERATOR_FAMILIES))
def test_a_line_needs_its_key_where_evaluation_is_certain_that_it_fails_without(
    base: str, suffix: str, quantifier: str
) -> None:
    name = f"{quantifier}{base}{suffix}"
    rule = operator(name)
    for values in (("false",), ("true",), ("false", "true"), ("FALSE",)):
        holds = condition_holds(
            Condition(name, "k:one", values), Context({"k:one": ()}, frozenset()), has_variables=True
        )
        assert (rule is not None and rule.needs_key(values)) == (holds.holds is False), (name, values)


COMPARISONS: tuple[ComparisonSign, ...] = ("=", "<", "<=", ">", ">=")
HALVES = [f"{number / 2}" for number in range(9)]
"""0 to 4 with everything between: a span whose ends are whole numbers from 1 to 3 holds one of them, unless it is empty."""


def among_halves(interval: ValueSpan) -> set[str]:
    return {text for text in HALVES if contains(interval, POINTS["number"](text))}


def test_spans_are_the_sets_of_what_they_hold() -> None:
    intervals = [span("number", str(number), comparison) for number in (1, 2, 3) for comparison in COMPARISONS]
    ends = [interval for interval in intervals if isinstance(interval, ValueSpan)]
    assert len(ends) == 15
    spans = [
        *ends,
        *(interval for span_a, span_b in combinations(ends, 2) for interval in intersection([span_a], [span_b])),
    ]
    for span_a, span_b in product(spans, repeat=2):
        first, second = among_halves(span_a), among_halves(span_b)
        assert disjoint(span_a, span_b) is first.isdisjoint(second)
        assert value_covers(span_a, span_b) is (second <= first)
        union_spans = union([span_a, span_b])
        assert set().union(*map(among_halves, union_spans)) == first | second
        assert all(before.high < after.low for before, after in pairwise(union_spans))
        gaps = complement("number", [span_a, span_b])
        assert set().union(*map(among_halves, gaps)) == set(HALVES) - first - second
    for end_spans in combinations(ends, 3):
        union_spans = union(end_spans)
        assert set().union(*map(among_halves, union_spans)) == set().union(*map(among_halves, end_spans))
        assert all(before.high < after.low for before, after in pairwise(union_spans))
        assert all(covered_by(interval, end_spans) for interval in union_spans)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "-2"), ("number", "0"), ("number", "3"), ("date", "1960-01-01"), ("date", "2026-01-01")],
)
def test_examples_of_a_span_lie_in_it_and_at_its_end(kind: Kind, text: str) -> None:
    point = POINTS[kind](text)
    for comparison in COMPARISONS:
        interval = span(kind, text, comparison)
        assert isinstance(interval, ValueSpan)
        points = [POINTS[kind](value) for value in examples(interval)]
        assert points
        assert all(contains(interval, value) for value in points)
        assert (point in points) is ("=" in comparison)


@pytest.mark.parametrize(
    ("kind", "value_a", "value_b"),
    [
        # W3C's note on date and time, which IAM refers to: a part that is left out is its first.
        ("date", "2024", "2024-01-01T00:00:00Z"),
        ("date", "2024-06", "2024-06-01T00:00:00Z"),
        ("date", "2024-06-02", "2024-06-02T00:00:00Z"),
        ("date", "2024-06-02T10:30Z", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T10:30:15.5Z", "2024-06-02T10:30:15.500000Z"),
        ("date", "2024-06-02T10:30:15.123456789Z", "2024-06-02T10:30:15.123456Z"),
        ("date", "2024-06-02T20:30:00+10:00", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-01T22:30:00-12:00", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T12:30:00+02:00", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T08:00:00-02:30", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T16:15:00+05:45", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T10:30:00+00:00", "2024-06-02T10:30:00Z"),
        ("date", "0", "1970-01-01T00:00:00Z"),
        ("date", " 86400.5 ", "1970-01-02T00:00:00.5Z"),
        ("number", "1", "1.0"),
        ("number", "+7", " 7 "),
        ("number", "-0", "0"),
        ("truth", "TRUE", " true "),
        ("bytes", "AAE=", "AAE="),
        ("address", "2001:db8:0:0::1", " 2001:DB8::1 "),
    ],
)
def test_values_of_one_meaning_are_one_point(kind: Kind, value_a: str, value_b: str) -> None:
    assert POINTS[kind](value_a) is not None
    assert POINTS[kind](value_a) == POINTS[kind](value_b)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "2024-13-01"), ("date", "2024-06-02T10:30"), ("date", "2024-06-02 10:30Z"), ("date", "2024-06-02T24:30Z"),
        ("date", "20240602x"), ("date", "-1"), ("number", "1e3"), ("number", ".5"), ("number", "1."), ("number", "0x1"),
        ("number", "1,5"), ("number", "1" * 41), ("number", "\u0661"), ("truth", "yes"), ("truth", "1"), ("truth", ""),
        ("bytes", "A"), ("bytes", "AA=*"), ("bytes", "A*A=="), ("address", "10.0.0.256"), ("address", "10.0.0"), ("address", "10.0.0.0/8"),
        ("date", "999999999999"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_form_are_no_point(kind: Kind, text: str) -> None:
    assert POINTS[kind](text) is None
    if text != "10.0.0.0/8":
        assert span(kind, text) == MalformedValue(kind, text)


@pytest.mark.parametrize(
    ("network", "members", "neighbours"),
    [
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.2", "10.1.2.4", "::ffff:a01:203"]),
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:0"]),
        ("10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
        (
            "2001:db8::/32",
            ["2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"],
            ["2001:db7:ffff::", "2001:db9::", "32.1.13.184"],
        ),
    ],
)
def test_a_network_holds_its_addresses_of_its_version(network: str, members: list[str], neighbours: list[str]) -> None:
    interval = span("address", network)
    assert isinstance(interval, ValueSpan)
    assert [text for text in (*members, *neighbours) if contains(interval, POINTS["address"](text))] == members
    assert {text for text in examples(interval) if not contains(interval, POINTS["address"](text))} == set()
    assert (examples(interval)[0], examples(interval)[-1]) == (members[0], members[-1])
    for mask in ("10.0.0.0/255.0.0.0", "10.0.0.0/33", "10.0.0.0/a", "2001:db8::/129"):
        assert span("address", mask) == MalformedValue("address", mask)


LAST_OF_4, LAST_OF_6 = "255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"


@pytest.mark.parametrize(
    ("networks", "addresses_left"),
    [
        (["10.0.0.0/8", "2001:db8::/32"], {
            "0.0.0.0", "9.255.255.255", "11.0.0.0", LAST_OF_4, "::", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::",
            LAST_OF_6,
        }),
        # Nothing is before the first address of a version or after its last.
        (["0.0.0.0/0"], {"::", LAST_OF_6}),
        (["::/0"], {"0.0.0.0", LAST_OF_4}),
        (["0.0.0.0"], {"0.0.0.1", LAST_OF_4, "::", LAST_OF_6}),
        ([LAST_OF_4], {"0.0.0.0", "255.255.255.254", "::", LAST_OF_6}),
        (["::"], {"0.0.0.0", LAST_OF_4, "::1", LAST_OF_6}),
        (["0.0.0.0/0", "::/0"], set()),
    ],
)  # fmt: skip
def test_what_networks_leave_starts_and_ends_beside_them(networks: list[str], addresses_left: set[str]) -> None:
    spans = [interval for text in networks if isinstance(interval := span("address", text), ValueSpan)]
    gaps = complement("address", spans)
    assert {text for interval in gaps for text in examples(interval)} == addresses_left
    assert not any(contains(interval, POINTS["address"](text)) for interval in spans for text in addresses_left)


def test_values_that_only_together_leave_less() -> None:
    """Two lines about a key with one value narrow each other; of several values, different ones may satisfy them."""

    def narrow(key: str, quantifier: str) -> bool:
        lines = (("StringEquals", ("a", "b")), ("StringNotEquals", ("b",)))
        line_pair = normalised_conditions(tuple(Condition(quantifier + name, key, values) for name, values in lines))
        return implies_all(line_pair, normalised_conditions((Condition(f"{quantifier}StringEquals", key, ("a",)),)))

    assert narrow("aws:PrincipalTag/a", "")
    assert narrow("k:one", "")
    assert narrow("aws:TagKeys", "ForAllValues:")
    assert not narrow("aws:TagKeys", "ForAnyValue:")
    assert not narrow("aws:TagKeys", "")


def each_alone(*values: str) -> list[tuple[str, ...]]:
    return [(value,) for value in values]


def with_if_exists(*operators: str) -> list[str]:
    return [name + end for name in operators for end in ("", "IfExists")]


def in_sets(*operators: str) -> list[str]:
    return [prefix + name for prefix in ("ForAllValues:", "ForAnyValue:") for name in operators]


def short_texts(length: int, letters: str = "aAbz*?") -> Iterator[str]:
    return ("".join(text) for size in range(1, length + 1) for text in product(letters, repeat=size))


LIKE = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"]
FOLDED = ["StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"]
ORDERED = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
NUMERIC, DATED = ([f"{kind}{name}" for name in ORDERED] for kind in ("Numeric", "Date"))
SHORT = [*each_alone("a", "A", "ab", "a*", "*", "?", "?a"), ("a", "ab"), ("a*", "b"), ("?", "a*")]
UP_TO_THREE = [(), ("",), *each_alone(*short_texts(3))]
SOME = each_alone("a", "A", "ab", "b", "z", "*", "?", "a*", "zz", "a?")
LISTS = [(), ("",), *SOME, *(values_a + values_b for values_a, values_b in combinations(SOME, 2))]
ROLES = each_alone(
    "*", "arn:*", "arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:role/a",
    "arn:aws:iam::111122223333:*", "arn:aws:iam::*:user/?", "arn:aws:*",
)  # fmt: skip
SOURCES = [(), *each_alone(*(
    f"arn:{partition}:{service}::{account}:{resource}"
    for partition, service, account, resource in product(
        ("aws", "q"), ("iam", "q"), ("111122223333", "444455556666", "*"),
        ("role/a", "role/ab", "user/a", "user/ab", "role/*", "user/?", "*", "role/x:user/a", "user/a:role/a", "x:role/a"),
    )
))]  # fmt: skip
NETWORKS = each_alone(
    "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9", "10.0.0.1", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32"
)
ADDRESSES = [(), *each_alone("10.0.0.1", "10.0.0.2", "10.200.0.1", "192.0.2.1", "2001:db8::1", "2001:db9::")]
DAYS = [
    (),
    *each_alone("2025-01-01", "2026-01-01", "2026-03-01", "2026-06-01", "2026-09-01", "2027-01-01", "2028-01-01"),
]
Values = list[tuple[str, ...]]


class Judged(NamedTuple):
    """A block, and for which of the requests tried it holds and may hold, in bits."""

    block: frozenset[ConditionLine]
    holds: int
    may: int


def all_lines(
    key: str,
    operators: list[str],
    values: Values,
    request_values: Values,
    variable: str = "k:v",
    variable_values: Values | None = None,
) -> Iterator[Judged]:
    requests = Requests(key, variable, tuple(request_values), tuple(variable_values or [()]))
    for name in operators:
        for compared_values in each_alone("true", "false") if name == "Null" else values:
            yield judged_line(Condition(name, key, compared_values), requests)


class Requests(NamedTuple):
    """Requests with each of some values of a key, and of a variable."""

    key: str
    variable: str
    sent: tuple[tuple[str, ...], ...]
    its: tuple[tuple[str, ...], ...]


@cache
def contexts_of(requests: Requests) -> list[Context]:
    values = [{requests.key: value, requests.variable: its} for value, its in product(requests.sent, requests.its)]
    return [Context(value, frozenset(name for name, texts in value.items() if not texts)) for value in values]


@cache
def judged_line(line: Condition, requests: Requests) -> Judged:
    truths = [condition_holds(line, context, has_variables=True).holds for context in contexts_of(requests)]
    holds, may = (
        sum(1 << place for place, truth in enumerate(truths) if truth in truths_counted)
        for truths_counted in ((True,), (True, None))
    )
    return Judged(normalised_conditions((line,)), holds, may)


@pytest.mark.parametrize(
    ("key", "operators", "values", "request_values"),
    [
        ("aws:PrincipalTag/t", [*with_if_exists(*LIKE), "Null"], SHORT, UP_TO_THREE),
        ("aws:PrincipalTag/t", [*with_if_exists(*FOLDED), "Null"], SHORT, UP_TO_THREE),
        ("aws:PrincipalTag/t", [*LIKE, *in_sets(*LIKE), "Null"], [*SHORT[:6], ("a", "ab")], UP_TO_THREE),
        ("aws:TagKeys", [*in_sets(*LIKE), "Null"], [*SHORT[:6], ("a", "b")], LISTS),
        ("aws:SourceArn", [*with_if_exists("ArnLike", "ArnNotLike"), "Null"], ROLES[2:], SOURCES),
        ("aws:SourceIp", [*with_if_exists("IpAddress", "NotIpAddress"), "Null"], NETWORKS, ADDRESSES),
        ("aws:MultiFactorAuthPresent", [*with_if_exists("Bool"), "Null"], [("true",), ("false",), ("true", "false")],
         [(), ("true",), ("false",)]),
        ("aws:MultiFactorAuthAge", [*with_if_exists(*NUMERIC), "Null"], [*each_alone("1", "1.0", "2", "3"), ("1", "3")],
         [(), *each_alone(*HALVES)]),
        ("aws:TokenIssueTime", [*with_if_exists(*DATED), "Null"],
         [*each_alone("2026-01-01", "2026-01-01T00:00:00Z", "2026-06-01"), ("2026-01-01", "2027-01-01")], DAYS),
    ],
)  # fmt: skip
def test_one_line_implies_or_excludes_another_exactly_if_every_request_says_so(
    key: str, operators: list[str], values: Values, request_values: Values
) -> None:
    """All short values, and one between any two compared values, stand for all possible requests."""
    lines = list(all_lines(key, operators, values, request_values))
    for line_a, line_b in product(lines, repeat=2):
        is_implied = not (line_a.holds & ~line_b.holds or line_a.may & ~line_b.may)
        assert implies_all(line_a.block, line_b.block) is is_implied, (line_a, line_b)
        assert excludes(line_a.block, line_b.block) is (not line_a.may & line_b.may), (line_a, line_b)


@pytest.mark.parametrize(
    ("key", "operators", "values", "request_values"),
    [
        ("aws:MultiFactorAuthAge", [*NUMERIC, "Null"], [*each_alone("1", "2", "3"), ("1", "3")], [(), *each_alone(*HALVES)]),
        ("aws:TokenIssueTime", DATED, [*each_alone("2026-01-01", "2026-06-01"), ("2026-01-01", "2027-01-01")], DAYS),
        ("aws:SourceIp", ["IpAddress", "NotIpAddress", "Null"], [*NETWORKS[:4], NETWORKS[5]], ADDRESSES),
    ],
)  # fmt: skip
def test_two_lines_about_values_in_an_order_imply_a_third_exactly_if_every_request_says_so(
    key: str, operators: list[str], values: Values, request_values: Values
) -> None:
    """What remains of two lines that both only exclude values is not compared, so missing an implication is no
    contradiction.
    """
    lines = list(all_lines(key, operators, values, request_values))
    for (line_a, line_b), third in product(combinations(lines, 2), lines):
        block, holds, may = line_a.block | line_b.block, line_a.holds & line_b.holds, line_a.may & line_b.may
        is_implied = not (holds & ~third.holds or may & ~third.may)
        if is_implied and not all("Not" in line.operator for line in block):
            assert implies_all(block, third.block), (line_a, line_b, third)
        assert is_implied or not implies_all(block, third.block), (line_a, line_b, third)
        assert not (excludes(block, third.block) and may & third.may), (line_a, line_b, third)


@pytest.mark.parametrize(
    ("key", "operators", "values", "request_values"),
    [
        ("aws:PrincipalTag/t", [*LIKE, *FOLDED, "Null"], SHORT[:-2], UP_TO_THREE),
        ("aws:TagKeys", [*in_sets(*LIKE, *FOLDED), "Null"], SHORT[:4], LISTS),
        ("aws:SourceArn", ["ArnLike", "ArnNotLike", *LIKE, "Null"], ROLES, SOURCES),
    ],
)
def test_lines_that_compare_texts_differently_are_never_contradicted(
    key: str, operators: list[str], values: Values, request_values: Values
) -> None:
    lines = list(all_lines(key, operators, values, request_values))
    for line_a, line_b in product(lines, repeat=2):
        if implies_all(line_a.block, line_b.block):
            assert not (line_a.holds & ~line_b.holds or line_a.may & ~line_b.may), (line_a, line_b)
        if excludes(line_a.block, line_b.block):
            assert not line_a.may & line_b.may, (line_a, line_b)


@pytest.mark.parametrize(
    ("key", "operators", "values", "request_values"),
    [
        ("aws:PrincipalTag/t", [*with_if_exists(*LIKE, *FOLDED), *in_sets(*LIKE)], [(), *SHORT[:6], ("a", "ab")],
         [(), ("",), *each_alone(*short_texts(2))]),
        ("k:one", [*with_if_exists(*LIKE), "Bool", "NumericLessThan"], [(), *SHORT[:4], ("1",)], KEYS["k:many"]),
        ("aws:TagKeys", [*LIKE, *in_sets(*LIKE)], [(), *SHORT[:6], ("a", "b")], LISTS),
        ("aws:SourceArn", with_if_exists("ArnLike", "ArnNotLike"), [(), *ROLES[2:]], SOURCES),
        ("aws:SourceIp", with_if_exists("IpAddress", "NotIpAddress"), [(), *NETWORKS, ("x",)], ADDRESSES),
        ("aws:MultiFactorAuthPresent", with_if_exists("Bool"), [("true",), ("FALSE",), ("true", "false"), ("x",)], [(), ("true",), ("false",)]),
        ("aws:MultiFactorAuthAge", with_if_exists(*NUMERIC), [(), *each_alone("1", "2", "x"), ("1", "3")], [(), *each_alone(*HALVES)]),
        ("aws:TokenIssueTime", with_if_exists(*DATED), each_alone("2026-01-01", "2026-06-01"), DAYS),
        ("aws:TokenIssueTime", ["Null"], [("true",), ("false",), ("true", "false")], DAYS),
    ],
)  # fmt: skip
def test_the_opposite_of_a_line_holds_where_it_fails_and_its_values_alone_hold_where_it_does(
    key: str, operators: list[str], values: Values, request_values: Values
) -> None:
    requests = Requests(key, "k:v", tuple(request_values), ((),))
    every_request = (1 << len(request_values)) - 1
    for name, compared_values in product(operators, values):
        line = judged_line(Condition(name, key, compared_values), requests)
        (condition_line,) = line.block
        opposite_line = opposite(condition_line)
        if opposite_line is not None:
            reverse = judged_line(Condition(opposite_line.operator, key, tuple(sorted(opposite_line.values))), requests)
            assert reverse.holds == every_request & ~line.may, (line, opposite_line)
            assert reverse.may == every_request & ~line.holds, (line, opposite_line)
        if compared_values and union_of_values(condition_line):
            parts = [judged_line(Condition(name, key, (value,)), requests) for value in compared_values]
            assert (line.holds, line.may) == (
                reduce(or_, (part.holds for part in parts)),
                reduce(or_, (part.may for part in parts)),
            ), line


@pytest.mark.parametrize(
    ("line", "reverse"),
    [
        (("StringEquals", "aws:PrincipalTag/t", ("a", "b")), ("StringNotEquals", ("a", "b"))),
        (("StringNotLikeIfExists", "aws:PrincipalTag/t", ("a*",)), ("StringLike", ("a*",))),
        (("Bool", "aws:MultiFactorAuthPresent", ("TRUE",)), ("BoolIfExists", ("false",))),
        (("NumericLessThan", "aws:MultiFactorAuthAge", ("5",)), ("NumericGreaterThanEqualsIfExists", ("5",))),
        (("DateGreaterThan", "aws:CurrentTime", ("2026-01-01",)), ("DateLessThanEqualsIfExists", ("2026-01-01",))),
        (("Null", "aws:TagKeys", ("false",)), ("Null", ("true",))),
        # Without the key both hold; several values are between two opposites; of a set no line says the opposite.
        (("StringEqualsIfExists", "aws:PrincipalTag/t", ("a",)), None),
        (("NumericLessThan", "aws:MultiFactorAuthAge", ("5", "6")), None),
        (("Bool", "aws:MultiFactorAuthPresent", ("true", "false")), None),
        (("Null", "aws:TagKeys", ("true", "false")), None),
        (("ForAllValues:StringEquals", "aws:TagKeys", ("a",)), None),
        (("StringEquals", "aws:TagKeys", ("a",)), None),
        (("BinaryEquals", "aws:PrincipalTag/t", ("QQ==",)), None),
        (("NumericNotEquals", "aws:MultiFactorAuthAge", ("x",)), None),
        (("StringMatches", "aws:PrincipalTag/t", ("a",)), None),
    ],
)  # fmt: skip
def test_which_lines_have_an_opposite(
    line: tuple[str, str, tuple[str, ...]], reverse: tuple[str, tuple[str, ...]] | None
) -> None:
    (condition_line,) = normalised_conditions((Condition(*line),))
    expected = None if reverse is None else condition_line._replace(operator=reverse[0], values=frozenset(reverse[1]))
    assert opposite(condition_line) == expected


ACCOUNT = "111122223333"
PRINCIPAL_ARN, PRINCIPAL_TYPE, PRINCIPAL_ACCOUNT = "aws:PrincipalArn", "aws:PrincipalType", "aws:PrincipalAccount"
ROLE, USER = f"arn:aws:iam::{ACCOUNT}:role/a", f"arn:aws:iam::{ACCOUNT}:user/b"


@pytest.mark.parametrize(
    ("condition_a", "condition_b", "is_implied", "implies_back", "is_exclusive"),
    [
        # What a principal's ARN says of its type, and the other way round.
        (("ArnLike", PRINCIPAL_ARN, ("arn:*:iam::*:user/*",)), ("StringEquals", PRINCIPAL_TYPE, ("User",)), True, True, False),
        (("ArnLike", PRINCIPAL_ARN, (ROLE,)), ("StringEquals", PRINCIPAL_TYPE, ("AssumedRole",)), True, False, False),
        (("ArnLike", PRINCIPAL_ARN, (ROLE,)), ("StringEquals", PRINCIPAL_TYPE, ("User",)), False, False, True),
        (("ArnLike", PRINCIPAL_ARN, (ROLE, USER)), ("StringEquals", PRINCIPAL_TYPE, ("AssumedRole",)), False, False, False),
        (("ArnLike", PRINCIPAL_ARN, (ROLE, USER)), ("StringEquals", PRINCIPAL_TYPE, ("AssumedRole", "User")), True, False, False),
        (("ArnLike", PRINCIPAL_ARN, (f"arn:aws:iam::{ACCOUNT}:root",)), ("StringEquals", PRINCIPAL_TYPE, ("Account",)), True, False, False),
        (("ArnLike", PRINCIPAL_ARN, (f"arn:aws:sts::{ACCOUNT}:federated-user/f",)),
         ("StringEquals", PRINCIPAL_TYPE, ("FederatedUser",)), True, False, False),
        (("StringLike", PRINCIPAL_TYPE, ("*User",)),
         ("ArnLike", PRINCIPAL_ARN, ("arn:*:iam::*:user/*", "arn:*:sts::*:federated-user/*")), True, True, False),
        (("StringLike", PRINCIPAL_TYPE, ("*User",)), ("ArnLike", PRINCIPAL_ARN, ("arn:*:iam::*:user/*",)), False, True, False),
        # What it says of its account.
        (("ArnLike", PRINCIPAL_ARN, (ROLE, USER)), ("StringEquals", PRINCIPAL_ACCOUNT, (ACCOUNT,)), True, False, False),
        (("ArnLike", PRINCIPAL_ARN, ("arn:aws:iam::1*:role/a",)), ("StringLike", PRINCIPAL_ACCOUNT, ("1*",)), True, False, False),
        (("ArnLike", PRINCIPAL_ARN, ("arn:aws:iam::444455556666:*",)), ("StringEquals", PRINCIPAL_ACCOUNT, (ACCOUNT,)), False, False, True),
        (("StringEquals", PRINCIPAL_ACCOUNT, (ACCOUNT,)), ("ArnLike", PRINCIPAL_ARN, (f"arn:*:*:*:{ACCOUNT}:*",)), True, True, False),
        (("StringEquals", PRINCIPAL_ACCOUNT, (ACCOUNT,)), ("StringEquals", PRINCIPAL_TYPE, ("User",)), False, False, False),
        # An excluded ARN, a variable and a name in any case say nothing.
        (("ArnNotLike", PRINCIPAL_ARN, (ROLE,)), ("StringEquals", PRINCIPAL_ACCOUNT, (ACCOUNT,)), False, False, False),
        (("ArnLike", PRINCIPAL_ARN, ("${aws:PrincipalTag/a}",)), ("StringEquals", PRINCIPAL_TYPE, ("User",)), False, False, False),
        (("StringEqualsIgnoreCase", PRINCIPAL_TYPE, ("user",)), ("ArnLike", PRINCIPAL_ARN, ("arn:*:iam::*:user/*",)), False, True, False),
    ],
)  # fmt: skip
def test_what_one_key_of_the_principal_says_of_another(
    condition_a: tuple[str, str, tuple[str, ...]],
    condition_b: tuple[str, str, tuple[str, ...]],
    is_implied: bool,
    implies_back: bool,
    is_exclusive: bool,
) -> None:
    block_a, block_b = (normalised_conditions((Condition(*condition),)) for condition in (condition_a, condition_b))
    assert (implies_all(block_a, block_b), implies_all(block_b, block_a)) == (is_implied, implies_back)
    assert excludes(block_a, block_b) is excludes(block_b, block_a) is is_exclusive


LETTERS = "abz*" if EFFORT == 1 else "aAbz*?"
"""What texts are made of where a variable multiplies them."""
VARIABLES = each_alone("${k:v}", "a${k:v}", "${k:v}a", "${k:v}${k:v}", "a*", "*a", "ab", "a", "${k:v, 'a'}")
ARNS_WITH_VARIABLES = each_alone(*(
    f"arn:aws:iam::{rest}"
    for rest in ("1:role/a", "1:role/*", "1:role/${k:v}", "${k:v}:role/a", "*:role/a", "${k:v}:role/*", "1:${k:v}", "*:role/${k:v}")
))  # fmt: skip
ITS = [(), *each_alone("a", "1", "2", "role/a", "1:role/a", "x", "*", "1:2", "a:role/a")]
WITH_ITS = [(), *each_alone(*(
    f"arn:{partition}:iam::{account}:{start}{end}"
    for partition, (account,), start, (end,) in product(("aws", "q"), ITS[1:], ("role/", "user/", ""), ITS[1:])
))]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "variable", "operators", "values", "request_values", "variable_values"),
    [
        ("aws:PrincipalTag/t", "k:v", LIKE, VARIABLES, [(), ("",), *each_alone(*short_texts(3, LETTERS))], [(), *each_alone(*short_texts(2, LETTERS))]),
        ("aws:SourceArn", "k:v", ["ArnLike", "ArnNotLike", *LIKE], ARNS_WITH_VARIABLES, WITH_ITS, ITS),
        ("aws:SourceArn", "aws:username", ["ArnLike", "ArnNotLike"], [(pattern.replace("k:v", "aws:username"),) for (pattern,) in ARNS_WITH_VARIABLES], WITH_ITS, [values for values in ITS if ":" not in "".join(values)]),
    ],
)  # fmt: skip
def test_lines_with_policy_variables_against_every_value_of_theirs(
    key: str, variable: str, operators: list[str], values: Values, request_values: Values, variable_values: Values
) -> None:
    """A value may contain anything, so also the colons of an ARN, but not that of a key whose values have none."""
    lines = list(all_lines(key, operators, values, request_values, variable, variable_values))
    for line_a, line_b in product(lines, repeat=2):
        is_implied = not (line_a.holds & ~line_b.holds or line_a.may & ~line_b.may)
        claims = implies_all(line_a.block, line_b.block)
        if not any("Not" in line.operator for line in line_a.block | line_b.block):
            assert claims is is_implied, (line_a, line_b)
        assert is_implied or not claims, (line_a, line_b)
        assert not (excludes(line_a.block, line_b.block) and line_a.may & line_b.may), (line_a, line_b)


def reach_of(before: Judged, after: Judged) -> Reach:
    """What a change from one line to another means, by the requests for which they hold."""
    requests_gained, requests_lost = after.holds & ~before.may, before.holds & ~after.may
    if requests_gained and requests_lost:
        return "mixed"
    if requests_gained:
        return "unknown" if before.may & ~after.holds else "widened"
    if requests_lost:
        return "unknown" if after.may & ~before.holds else "narrowed"
    return "same" if before.may == after.holds and after.may == before.holds else "unknown"


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
@pytest.mark.parametrize(
    ("action", "key", "operators", "values", "request_values", "tolerance"),
    [
        ("s3:GetObject", "aws:PrincipalTag/t", [*LIKE, "Null"], SHORT, UP_TO_THREE, 8),
        ("s3:GetObject", "aws:PrincipalTag/t", [*FOLDED, "Null"], SHORT[:6], UP_TO_THREE, 0),
        ("s3:GetObject", "aws:PrincipalTag/t", in_sets(*LIKE), SHORT[:5], UP_TO_THREE, 0),
        ("ec2:CreateTags", "aws:TagKeys", [*in_sets(*LIKE), "Null"], [*SHORT[:6], ("a", "b")], LISTS, 6),
        ("s3:GetObject", "aws:SourceIp", ["IpAddress", "NotIpAddress", "IpAddressIfExists", "Null"], NETWORKS, ADDRESSES, 0),
        ("s3:GetObject", "aws:MultiFactorAuthAge", [*with_if_exists(*NUMERIC), "Null"], each_alone("1", "2", "3"),
         [(), *each_alone(*HALVES)], 12),
        ("s3:GetObject", "aws:TokenIssueTime", DATED, each_alone("2026-01-01", "2026-06-01"), DAYS, 0),
        ("s3:GetObject", "aws:MultiFactorAuthPresent", [*with_if_exists("Bool"), "Null"], [("true",), ("false",)],
         [(), ("true",), ("false",)], 0),
        ("s3:GetObject", "aws:PrincipalArn", ["ArnLike", "ArnNotLike"], ROLES[2:-1], each_alone(*(
            f"arn:aws:iam::{account}:{rest}"
            for account in ("111122223333", "444455556666") for rest in ("role/a", "role/ab", "user/a", "user/ab", "root")
        )), 0),
    ],
)  # fmt: skip
def test_what_a_change_of_one_line_means_is_what_every_request_says(
    action: str, key: str, operators: list[str], values: Values, request_values: Values, tolerance: int, effect: str
) -> None:
    """Few pairs may stay undecided, since few requests are tried; every decision must be right."""

    def sides(line: ConditionLine) -> dict[Target, frozenset[Extent]]:
        condition = {line.operator: {line.key: sorted(line.values)}}
        statements = [{"Effect": effect, "Action": action, "Resource": "*", "Condition": condition}]
        if effect == "Deny":
            statements.append({"Effect": "Allow", "Action": action, "Resource": "*"})
        return grants(parse({"Version": "2012-10-17", "Statement": statements}))

    lines = [(line, sides(*line.block)) for line in all_lines(key, operators, values, request_values)]
    pairs = list(combinations(lines, 2))
    tried_pairs = sample(pairs, 200)
    unknown = 0
    for (line_before, before), (line_after, after) in tried_pairs:
        reach = reach_between(before, after, thorough=False).reach
        if reach == "unknown":
            unknown += 1
        else:
            assert reach == (
                reach_of(line_before, line_after) if effect == "Allow" else reach_of(line_after, line_before)
            ), (line_before, line_after)
    assert unknown <= ceil(tolerance * len(tried_pairs) / len(pairs))
