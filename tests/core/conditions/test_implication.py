"""What reach says of two condition blocks, evaluation says of every request: one never contradicts the other.

Lines and contexts are random; the contexts have the key absent, empty, with one value and with several. Of keys whose
values are of one kind only such contexts are tried as AWS could send.
"""

import random
from collections.abc import Iterator
from itertools import combinations, pairwise, product

import pytest

from ekstui.core.conditions import Truth, every
from ekstui.core.conditions.implication import excludes, implies_all
from ekstui.core.conditions.operators import FAMILIES, Comparison, Kind, operator
from ekstui.core.conditions.predicates import condition_holds
from ekstui.core.conditions.spans import POINTS, Malformed, Span, complement, examples, holds, intersection, span, union
from ekstui.core.conditions.values import covered_by, covers, disjoint
from ekstui.core.conditions.variables import Context
from ekstui.core.document import Condition
from ekstui.core.grants import Line, normalised_conditions

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
    "k:one": [(), *((each,) for each in SENT)],
    "k:many": [(), *((each,) for each in SENT), ("a", "ab"), ("", "a"), ("", ""), ("a", "x"), ("1", "3"), ("10.0.0.1", "::1")],
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
    plain = [name for name in FAMILIES if name != "Null"]
    prefixes, endings = ("", "ForAllValues:", "ForAnyValue:"), ("", "IfExists")
    return ["Null", *plain, *(f"{prefix}{name}{end}" for prefix in prefixes for name in plain for end in endings)]


NAMES = names()


def random_condition(rng: random.Random, key: str) -> Condition:
    name = rng.choice(NAMES)
    known = operator(name)
    assert known is not None
    values = ["true", "false"] if known.base == "Null" else WANTED[known.family.how] + MORE.get(key, [])
    return Condition(
        name, key, tuple(rng.sample(values, rng.choice((1, 1, 1, 2, 3)) if len(values) > 2 else rng.choice((1, 2))))
    )


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
    other = random_condition(rng, condition.key)
    values = condition.values
    if other.operator != "Null" and operator(other.operator).family.how == operator(name).family.how:  # type: ignore[union-attr]
        values = rng.choice((values, values[:1], values + other.values, other.values))
    return Condition(name, condition.key, tuple(dict.fromkeys(values)))


def contexts(key: str) -> Iterator[Context]:
    for values, tag in ((values, tag) for values in KEYS[key] for tag in TAGS):
        given = {"k:tag": tag, "k:many": ("a",), key: values}
        yield Context(given, frozenset(name for name, each in given.items() if not each))


CONTEXTS = {key: list(contexts(key)) for key in KEYS}


def judged(block: tuple[Condition, ...], context: Context) -> Truth:
    return every(condition_holds(each, context, has_variables=True).holds for each in block)


def check(seed: int, count: int) -> dict[str, int]:
    """Try random pairs of blocks; return how often each thing was claimed."""
    rng = random.Random(seed)
    claimed = dict.fromkeys(("implied", "same", "excluded"), 0)
    for _ in range(count):
        key = rng.choice(list(KEYS))
        one = tuple(random_condition(rng, key) for _ in range(rng.choice((1, 1, 2))))
        other = (similar(rng, rng.choice(one)) if rng.random() < 0.8 else random_condition(rng, key),)
        blocks: tuple[frozenset[Line], ...] = (normalised_conditions(one), normalised_conditions(other))
        forth, back = implies_all(*blocks), implies_all(*reversed(blocks))
        apart = excludes(*blocks)
        claimed["implied"] += forth
        claimed["same"] += forth and back
        claimed["excluded"] += apart
        if not (forth or back or apart):
            continue
        for context in CONTEXTS[key]:
            first, second = judged(one, context), judged(other, context)
            story = (one, other, context.values(key), context.values("k:tag"), first, second)
            assert not (forth and first is True and second is not True), story
            assert not (forth and first is None and second is False), story
            assert not (back and second is True and first is not True), story
            assert not (back and second is None and first is False), story
            assert not (apart and first and second), story
    return claimed


def test_reach_and_evaluation_agree_about_random_conditions() -> None:
    claimed = check(20261201, 6_000)
    assert min(claimed.values()) > 100, claimed


@pytest.mark.parametrize(
    ("one", "other", "forth", "back"),
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
        (("StringEquals", "k:a", ("${k:t}",)), ("StringEquals", "k:a", ("${k:t, 'x'}",)), True, False),
        (("StringEquals", "k:a", ("${k:t, 'x'}",)), ("StringEquals", "k:a", ("${k:t, 'X'}",)), False, False),
        (("StringNotEquals", "k:a", ("${k:t, 'x'}",)), ("StringNotEquals", "k:a", ("${k:t}",)), True, False),
        # A variable may be of any length, so a text with one covers none with a sign for one character.
        (("StringLike", "k:a", ("x*",)), ("StringLike", "k:a", ("${k:t}?",)), False, False),
        (("StringLike", "k:r", ("arn:aws:iam::1:role/*",)), ("ArnLike", "k:r", ("arn:aws:iam::1:role/*",)), True, True),
        (("StringLike", "k:r", ("arn:aws:iam::*:role/a",)), ("ArnLike", "k:r", ("arn:aws:iam::*:role/a",)), False, True),
    ],
)  # fmt: skip
def test_lines_that_imply_each_other(
    one: tuple[str, str, tuple[str, ...]], other: tuple[str, str, tuple[str, ...]], forth: bool, back: bool
) -> None:
    blocks = [normalised_conditions((Condition(*each),)) for each in (one, other)]
    assert (implies_all(*blocks), implies_all(*reversed(blocks))) == (forth, back)


@pytest.mark.parametrize("key", ["aws:MultiFactorAuthPresent", "aws:SecureTransport", "aws:ViaAWSService", "k:b"])
@pytest.mark.parametrize("name", ["Bool", "BoolIfExists", "ForAllValues:Bool", "StringEqualsIfExists"])
@pytest.mark.parametrize("value", ["true", "false"])
def test_no_comparison_implies_that_its_key_is_absent(key: str, name: str, value: str) -> None:
    """`Null` asks whether there is a value; its own `true` was once compared with the value `true` of the key."""
    compared, absent = (
        normalised_conditions((Condition(*each),)) for each in ((name, key, (value,)), ("Null", key, ("true",)))
    )
    assert not implies_all(compared, absent)
    assert implies_all(absent, compared) == (name != "Bool" or key in {"aws:SecureTransport", "aws:ViaAWSService"})


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
@pytest.mark.parametrize("base", sorted(FAMILIES))
def test_a_line_needs_its_key_where_evaluation_is_certain_that_it_fails_without(
    base: str, suffix: str, quantifier: str
) -> None:
    name = f"{quantifier}{base}{suffix}"
    known = operator(name)
    for values in (("false",), ("true",), ("false", "true"), ("FALSE",)):
        holds = condition_holds(
            Condition(name, "k:one", values), Context({"k:one": ()}, frozenset()), has_variables=True
        )
        assert (known is not None and known.needs_key(values)) == (holds.holds is False), (name, values)


COMPARISONS: tuple[Comparison, ...] = ("=", "<", "<=", ">", ">=")
HALVES = [f"{number / 2}" for number in range(9)]
"""0 to 4 with everything between: a span whose ends are whole numbers from 1 to 3 holds one of them, unless it is empty."""


def among_halves(each: Span) -> set[str]:
    return {text for text in HALVES if holds(each, POINTS["number"](text))}


def test_spans_are_the_sets_of_what_they_hold() -> None:
    made = [span("number", str(number), comparison) for number in (1, 2, 3) for comparison in COMPARISONS]
    ends = [each for each in made if isinstance(each, Span)]
    assert len(ends) == 15
    spans = [*ends, *(each for one, other in combinations(ends, 2) for each in intersection([one], [other]))]
    for one, other in product(spans, repeat=2):
        first, second = among_halves(one), among_halves(other)
        assert disjoint(one, other) is first.isdisjoint(second)
        assert covers(one, other) is (second <= first)
        joined = union([one, other])
        assert set().union(*map(among_halves, joined)) == first | second
        assert all(before.high < after.low for before, after in pairwise(joined))
        outside = complement("number", [one, other])
        assert set().union(*map(among_halves, outside)) == set(HALVES) - first - second
    for three in combinations(ends, 3):
        joined = union(three)
        assert set().union(*map(among_halves, joined)) == set().union(*map(among_halves, three))
        assert all(before.high < after.low for before, after in pairwise(joined))
        assert all(covered_by(each, three) for each in joined)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("number", "-2"), ("number", "0"), ("number", "3"), ("date", "1960-01-01"), ("date", "2026-01-01")],
)
def test_examples_of_a_span_lie_in_it_and_at_its_end(kind: Kind, text: str) -> None:
    point = POINTS[kind](text)
    for comparison in COMPARISONS:
        each = span(kind, text, comparison)
        assert isinstance(each, Span)
        points = [POINTS[kind](value) for value in examples(each)]
        assert points
        assert all(holds(each, value) for value in points)
        assert (point in points) is ("=" in comparison)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        # W3C's note on date and time, which IAM refers to: a part that is left out is its first.
        ("date", "2024", "2024-01-01T00:00:00Z"),
        ("date", "2024-06", "2024-06-01T00:00:00Z"),
        ("date", "2024-06-02", "2024-06-02T00:00:00Z"),
        ("date", "2024-06-02T10:30Z", "2024-06-02T10:30:00Z"),
        ("date", "2024-06-02T10:30:15.5Z", "2024-06-02T10:30:15.500000Z"),
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
def test_values_of_one_meaning_are_one_point(kind: Kind, one: str, other: str) -> None:
    assert POINTS[kind](one) is not None
    assert POINTS[kind](one) == POINTS[kind](other)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("date", "2024-13-01"), ("date", "2024-06-02T10:30"), ("date", "2024-06-02 10:30Z"), ("date", "2024-06-02T24:30Z"),
        ("date", "20240602x"), ("date", "-1"), ("number", "1e3"), ("number", ".5"), ("number", "1."), ("number", "0x1"),
        ("number", "1,5"), ("number", "1" * 41), ("number", "\u0661"), ("truth", "yes"), ("truth", "1"), ("truth", ""),
        ("bytes", "A"), ("bytes", "AA=*"), ("address", "10.0.0.256"), ("address", "10.0.0"), ("address", "10.0.0.0/8"),
        ("date", "999999999999"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_form_are_no_point(kind: Kind, text: str) -> None:
    assert POINTS[kind](text) is None
    if text != "10.0.0.0/8":
        assert span(kind, text) == Malformed(kind, text)


@pytest.mark.parametrize(
    ("network", "within", "outside"),
    [
        ("10.1.2.3", ["10.1.2.3"], ["10.1.2.2", "10.1.2.4", "::ffff:a01:203"]),
        ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0", "::a00:0"]),
        ("10.1.2.3/8", ["10.0.0.0", "10.255.255.255"], ["9.255.255.255", "11.0.0.0"]),
        ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
        ("2001:db8::/32", ["2001:db8::", "2001:db8:ffff::1"], ["2001:db7:ffff::", "2001:db9::", "32.1.13.184"]),
    ],
)
def test_a_network_holds_its_addresses_of_its_version(network: str, within: list[str], outside: list[str]) -> None:
    each = span("address", network)
    assert isinstance(each, Span)
    assert [text for text in (*within, *outside) if holds(each, POINTS["address"](text))] == within
    assert {text for text in examples(each) if not holds(each, POINTS["address"](text))} == set()
    assert examples(each)[0] == within[0]
    for mask in ("10.0.0.0/255.0.0.0", "10.0.0.0/33", "10.0.0.0/a", "2001:db8::/129"):
        assert span("address", mask) == Malformed("address", mask)


def test_values_that_only_together_leave_less() -> None:
    """Two lines about a key with one value narrow each other; of several values, different ones may satisfy them."""

    def narrow(key: str, quantifier: str) -> bool:
        lines = (("StringEquals", ("a", "b")), ("StringNotEquals", ("b",)))
        held = normalised_conditions(tuple(Condition(quantifier + name, key, values) for name, values in lines))
        return implies_all(held, normalised_conditions((Condition(f"{quantifier}StringEquals", key, ("a",)),)))

    assert narrow("aws:PrincipalTag/a", "")
    assert narrow("aws:TagKeys", "ForAllValues:")
    assert not narrow("aws:TagKeys", "ForAnyValue:")
    assert not narrow("aws:TagKeys", "")
