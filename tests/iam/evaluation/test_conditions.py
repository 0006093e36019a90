"""Condition operators hold as IAM's guide says; expectations are read from its pages, not from our code.

Pages of the IAM User Guide: "Condition operators", "Conditions with multiple context keys or values", "Variables and tags".
"""

import pytest

from ekstui.iam.condition_operators import OPERATOR_FAMILIES, operator
from ekstui.iam.conditions.predicates import condition_holds
from ekstui.iam.document import Condition
from ekstui.iam.policy_variables import Context

UNKNOWN = None
ABSENT: tuple[str, ...] = ()
Given = tuple[str, ...] | None

STRING: list[tuple[str, list[str], Given, bool | None]] = [
    ("StringEquals", ["a"], ("a",), True),
    ("StringEquals", ["a"], ("A",), False),
    ("StringEquals", ["a", "b"], ("b",), True),
    ("StringEquals", ["a*"], ("ab",), False),  # wildcards are literal here
    ("StringEquals", ["a*"], ("a*",), True),
    ("StringEquals", ["[a]"], ("[a]",), True),
    ("StringEquals", [""], ("",), True),
    ("StringEquals", [], ("a",), False),
    ("StringEquals", ["a"], ABSENT, False),
    ("StringEquals", ["a"], UNKNOWN, None),
    ("StringNotEquals", ["a"], ("a",), False),
    ("StringNotEquals", ["a"], ("A",), True),
    ("StringNotEquals", ["a", "b"], ("b",), False),  # NOR: none of them may match
    ("StringNotEquals", ["a", "b"], ("c",), True),
    ("StringNotEquals", ["a"], ABSENT, True),
    ("StringNotEquals", ["a"], UNKNOWN, None),
    ("StringEqualsIgnoreCase", ["Key"], ("kEY",), True),
    ("StringEqualsIgnoreCase", ["Key*"], ("keys",), False),
    ("StringEqualsIgnoreCase", ["a"], ABSENT, False),
    ("StringNotEqualsIgnoreCase", ["Key"], ("kEY",), False),
    ("StringNotEqualsIgnoreCase", ["Key"], ("lock",), True),
    ("StringNotEqualsIgnoreCase", ["a"], ABSENT, True),
    ("StringLike", ["eks-*"], ("eks-a/b:c",), True),
    ("StringLike", ["eks-*"], ("EKS-a",), False),
    ("StringLike", ["a?c"], ("abc",), True),
    ("StringLike", ["a?c"], ("ac",), False),
    ("StringLike", ["[ab]"], ("a",), False),
    ("StringLike", ["*"], ("",), True),
    ("StringLike", ["*"], ABSENT, False),
    ("StringLike", ["*"], UNKNOWN, None),
    ("StringNotLike", ["eks-*"], ("eks-a",), False),
    ("StringNotLike", ["eks-*", "x*"], ("y",), True),
    ("StringNotLike", ["*"], ABSENT, True),
]
NUMERIC: list[tuple[str, list[str], Given, bool | None]] = [
    ("NumericEquals", ["10"], ("10.0",), True),
    ("NumericEquals", ["10"], ("1e1",), False),  # integers and decimals only
    ("NumericEquals", ["10", "11"], ("11",), True),
    ("NumericEquals", ["10"], ("ten",), False),
    ("NumericEquals", ["ten"], ("10",), False),
    ("NumericEquals", ["0.1"], ("0.10000000000000000001",), False),
    ("NumericEquals", ["-1"], ("-1",), True),
    ("NumericEquals", ["10"], ABSENT, False),
    ("NumericNotEquals", ["10"], ("10",), False),
    ("NumericNotEquals", ["10"], ("11",), True),
    ("NumericNotEquals", ["10"], ABSENT, True),
    ("NumericNotEquals", ["10"], ("ten",), None),  # not documented
    ("NumericLessThan", ["10"], ("9.99",), True),
    ("NumericLessThan", ["10"], ("10",), False),
    ("NumericLessThanEquals", ["10"], ("10",), True),
    ("NumericLessThanEquals", ["10"], ("10.01",), False),
    ("NumericLessThanEquals", ["10"], ABSENT, False),
    ("NumericGreaterThan", ["10"], ("10",), False),
    ("NumericGreaterThan", ["10"], ("11",), True),
    ("NumericGreaterThanEquals", ["1.2"], ("1.2",), True),  # s3:TlsVersion in the corpus
    ("NumericGreaterThanEquals", ["1.2"], ("1.10",), False),
    ("NumericGreaterThanEquals", ["1.2"], ABSENT, False),
    ("NumericGreaterThanEqualsIfExists", ["1.2"], ABSENT, True),
    ("NumericEquals", ["9" * 5000], ("1",), False),
]
DATE: list[tuple[str, list[str], Given, bool | None]] = [
    ("DateEquals", ["2026-03-04T00:00:00Z"], ("2026-03-04",), True),
    ("DateEquals", ["2026-03-04T01:00:00+01:00"], ("2026-03-04T00:00:00Z",), True),
    ("DateEquals", ["1970-01-01T00:01:00Z"], ("60",), True),  # seconds of the epoch
    ("DateEquals", ["2026"], ("2026-01-01T00:00Z",), True),
    ("DateEquals", ["2026-13-01"], ("2026-01-01",), False),
    ("DateNotEquals", ["2026-03-04"], ("2026-03-05",), True),
    ("DateNotEquals", ["2026-03-04"], ("2026-03-04",), False),
    ("DateNotEquals", ["2026-03-04"], ABSENT, True),
    ("DateLessThan", ["2026-03-04T00:00:00Z"], ("2026-03-03T23:59:59Z",), True),
    ("DateLessThan", ["2026-03-04T00:00:00Z"], ("2026-03-04T00:00:00Z",), False),
    ("DateLessThan", ["2026-03-04"], ("yesterday",), False),
    ("DateLessThanEquals", ["2026-03-04T00:00:00Z"], ("2026-03-04T00:00:00.000Z",), True),
    ("DateGreaterThan", ["2020-01-01T00:00:01Z"], ("2020-01-01T00:00:01.5Z",), True),
    ("DateGreaterThan", ["2020-01-01T00:00:01Z"], ("2020-01-01T00:00:01Z",), False),
    ("DateGreaterThanEquals", ["2020-01-01T00:00:01Z"], ("1577836801",), True),
    ("DateGreaterThanEquals", ["2020-01-01T00:00:01Z"], ABSENT, False),
    ("DateGreaterThanIfExists", ["2020-01-01T00:00:01Z"], ABSENT, True),
]
OTHERS: list[tuple[str, list[str], Given, bool | None]] = [
    ("Bool", ["true"], ("true",), True),
    ("Bool", ["true"], ("True",), True),
    ("Bool", ["false"], ("true",), False),
    ("Bool", ["true"], ("1",), False),
    ("Bool", ["false"], ABSENT, False),
    ("Bool", ["true", "false"], ("false",), True),
    ("BoolIfExists", ["true"], ABSENT, True),
    ("BoolIfExists", ["true"], ("false",), False),
    ("BinaryEquals", ["QmluYXJ5VmFsdWVJbkJhc2U2NA=="], ("QmluYXJ5VmFsdWVJbkJhc2U2NA==",), True),
    ("BinaryEquals", ["QmluYXJ5VmFsdWVJbkJhc2U2NA=="], ("QmluYXJ5VmFsdWU=",), False),
    ("BinaryEquals", ["QmluYXJ5VmFsdWVJbkJhc2U2NA=="], ("no base64!",), False),
    ("BinaryEquals", ["QQ=="], ABSENT, False),
    ("IpAddress", ["203.0.113.0/24"], ("203.0.113.255",), True),
    ("IpAddress", ["203.0.113.0/24"], ("203.0.114.0",), False),
    ("IpAddress", ["203.0.113.7"], ("203.0.113.7",), True),  # no prefix: /32
    ("IpAddress", ["203.0.113.7"], ("203.0.113.8",), False),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], ("2001:db8:1234:5678::1",), True),
    ("IpAddress", ["2001:DB8:1234:5678::/64"], ("203.0.113.1",), False),
    ("IpAddress", ["0.0.0.0/0"], ("::1",), False),
    ("IpAddress", ["203.0.113.0/24"], ("cloudformation.amazonaws.com",), False),
    ("IpAddress", ["203.0.113.0/24"], ABSENT, False),
    ("NotIpAddress", ["203.0.113.0/24"], ("203.0.113.1",), False),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], ("198.51.100.9",), False),
    ("NotIpAddress", ["203.0.113.0/24"], ("192.0.2.1",), True),
    ("NotIpAddress", ["203.0.113.0/24"], ABSENT, True),
    ("ArnEquals", ["arn:aws:iam::*:role/a*"], ("arn:aws:iam::111122223333:role/ab/c",), True),  # as ArnLike
    ("ArnLike", ["arn:aws:iam::*:role/a*"], ("arn:aws:iam::111122223333:role/ab/c",), True),
    ("ArnLike", ["arn:aws:s*:key"], ("arn:aws:sqs:eu-west-1:111122223333:key",), False),  # part by part
    ("ArnLike", ["arn:aws:iam::1:role/A"], ("arn:aws:iam::1:role/a",), False),
    ("ArnLike", ["arn:aws:iam::1:role/?"], ("arn:aws:iam::1:role/a",), True),
    ("ArnLike", ["arn:aws:iam::1:role/a"], ABSENT, False),
    ("ArnLikeIfExists", ["arn:aws:iam::1:role/a"], ABSENT, True),
    ("ArnNotLike", ["arn:aws:iam::1:role/*"], ("arn:aws:iam::1:role/a",), False),
    ("ArnNotLike", ["arn:aws:iam::1:role/*"], ("arn:aws:iam::1:user/a",), True),
    ("ArnNotEquals", ["arn:aws:iam::1:role/*"], ABSENT, True),
    ("Null", ["true"], ABSENT, True),
    ("Null", ["true"], ("a",), False),
    ("Null", ["false"], ABSENT, False),
    ("Null", ["false"], ("a",), True),
    ("Null", ["true"], UNKNOWN, None),
]
SETS: list[tuple[str, list[str], Given, bool | None]] = [
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "b", "a"), True),
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
    ("ForAllValues:StringEquals", ["a"], ABSENT, True),  # vacuously, the guide's own warning
    ("ForAllValues:StringEquals", ["a"], ("",), True),  # an empty string is an empty set
    ("ForAllValues:StringEquals", ["a"], UNKNOWN, None),
    ("ForAllValues:StringEqualsIfExists", ["a"], ABSENT, True),
    ("ForAllValues:StringLike", ["PostDateTime", "Mess*"], ("PostDateTime", "Message"), True),
    ("ForAllValues:StringLike", ["PostDateTime", "Mess*"], ("PostDateTime", "UserName"), False),
    ("ForAllValues:StringNotEquals", ["a"], ("b", "c"), True),
    ("ForAllValues:StringNotEquals", ["a"], ("b", "a"), False),
    ("ForAllValues:StringNotLike", ["kubernetes.io/*"], ("Name", "kubernetes.io/cluster/a"), False),
    ("ForAllValues:ArnEquals", ["arn:aws:iam::1:role/*"], ("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"), True),
    ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
    ("ForAnyValue:StringEquals", ["a"], ("c",), False),
    ("ForAnyValue:StringEquals", ["a"], ABSENT, False),
    ("ForAnyValue:StringLike", ["*"], ("",), False),
    ("ForAnyValue:StringEquals", ["a"], UNKNOWN, None),
    ("ForAnyValue:StringLikeIfExists", ["a*"], ABSENT, None),
    ("ForAnyValue:StringNotEquals", ["a"], ("a", "b"), True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
    ("StringEqualsIfExists", ["a"], ABSENT, True),
    ("StringEqualsIfExists", ["a"], ("b",), False),
    ("StringEqualsIfExists", ["a"], UNKNOWN, None),
    ("StringNotEqualsIfExists", ["a"], ABSENT, True),
    ("StringNotLikeIfExists", ["a*"], ("ab",), False),
    ("StringLikeIfExists", ["a*"], ABSENT, True),
    ("NotIpAddressIfExists", ["10.0.0.0/8"], ABSENT, True),
    # Several values without a set operator: the guide gives no rule, so only what all values say counts.
    ("StringEquals", ["a"], ("a", "b"), None),
    ("StringEquals", ["a"], ("b", "c"), False),
]
NO_OPERATORS = [
    "stringEquals", "StringMatches", "NullIfExists", "ForAllValues:Null", "ForAnyValues:StringEquals", "IfExists", "",
    "BinaryNotEquals", "StringEqualsIfExistsIfExists", "StringLikeIgnoreCase",
]  # fmt: skip


@pytest.mark.parametrize(("name", "policy_values", "actual", "expected"), STRING + NUMERIC + DATE + OTHERS + SETS)
def test_operator(name: str, policy_values: list[str], actual: Given, expected: bool | None) -> None:
    context = Context({} if actual is UNKNOWN else {"a:Key": actual}, frozenset())
    result = condition_holds(Condition(name, "A:key", tuple(policy_values)), context, has_variables=True)
    assert result.holds is expected
    assert result.missing == (("A:key",) if actual is UNKNOWN else ())


def test_every_operator_of_the_guide_is_in_the_tables() -> None:
    names = {name.rpartition(":")[2].removesuffix("IfExists") for name, *_ in STRING + NUMERIC + DATE + OTHERS}
    assert names == {
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
        "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
        "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
        "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
        "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
    }  # fmt: skip


@pytest.mark.parametrize("name", NO_OPERATORS)
def test_an_operator_that_the_guide_lacks_is_unknown(name: str) -> None:
    assert operator(name) is None
    context = Context({"a:b": ("a",)}, frozenset())
    assert condition_holds(Condition(name, "a:b", ("a",)), context, has_variables=True).holds is None


VARIABLES = {
    "aws:username": ("ada",), "aws:PrincipalTag/team": ("a*b",), "aws:TagKeys": ("x", "y"), "aws:userid": (),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "policy_value", "actual", "expected", "missing"),
    [
        ("StringEquals", "${aws:username}", "ada", True, ()),
        ("StringEquals", "${AWS:UserName}", "ada", True, ()),
        ("StringEquals", "home/${aws:username}/${aws:username}", "home/ada/ada", True, ()),
        ("StringLike", "home/${aws:username}/*", "home/ada/x", True, ()),
        ("StringLike", "${aws:PrincipalTag/team}", "a*b", True, ()),
        ("StringLike", "${aws:PrincipalTag/team}", "axb", False, ()),  # a star in a tag is no wildcard
        # Literals.
        ("StringLike", "a${*}", "a*", True, ()),
        ("StringLike", "a${*}", "ab", False, ()),
        ("StringLike", "a${?}c", "abc", False, ()),
        ("StringEquals", "${$}1", "$1", True, ()),
        # Absent: a default if there is one, else nothing equals it.
        ("StringEquals", "${aws:userid, 'company-wide'}", "company-wide", True, ()),
        ("StringEquals", "${aws:username, 'company-wide'}", "ada", True, ()),
        ("StringLike", "${aws:userid, '*'}", "x", False, ()),
        ("StringEquals", "${aws:userid, 'a}b'}", "a}b", True, ()),
        ("StringEquals", "${aws:userid, ''}it's}", "it's}", True, ()),
        ("StringEquals", "${aws:username}'s", "ada's", True, ()),
        ("StringEquals", "${aws:username, 'it}", "ada", True, ()),
        ("StringEquals", "${*}${aws:username}", "*ada", True, ()),
        ("StringEquals", "${aws:userid}", "${aws:userid}", False, ()),
        ("StringLike", "*${aws:userid}", "x", False, ()),
        ("StringNotEquals", "${aws:userid}", "x", True, ()),
        ("ArnNotLike", "arn:aws:iam::1:role/${aws:userid}", "arn:aws:iam::1:role/x", True, ()),
        # Not told: only what cannot be whatever the value decides.
        ("StringEquals", "team-${aws:PrincipalTag/x}", "team-a", None, ("aws:PrincipalTag/x",)),
        ("StringEquals", "team-${aws:PrincipalTag/x}", "crew-a", False, ()),
        ("StringNotEquals", "team-${aws:PrincipalTag/x}", "crew-a", True, ()),
        ("StringNotEquals", "team-${aws:PrincipalTag/x}", "team-a", None, ("aws:PrincipalTag/x",)),
        ("StringEquals", "${aws:PrincipalTag/x, 'a'}", "a", None, ("aws:PrincipalTag/x",)),
        ("StringEquals", "${aws:TagKeys}", "x", None, ("aws:TagKeys",)),
        ("ArnLike", "arn:aws:iam::${aws:PrincipalAccount}:role/x", "arn:aws:iam::1:role/x", None, ("aws:PrincipalAccount",)),
        ("Bool", "${aws:userid}", "true", False, ()),
        ("Bool", "${aws:userid, 'TRUE'}", "true", True, ()),
        ("Bool", "${aws:MultiFactorAuthPresent}", "true", None, ("aws:MultiFactorAuthPresent",)),
        # No variables in these families, and text that is no variable.
        ("NumericEquals", "${aws:username}", "1", False, ()),
        ("StringEquals", "${aws:username", "${aws:username", True, ()),
        ("StringEquals", "$aws", "$aws", True, ()),
    ],
)  # fmt: skip
def test_policy_variables(
    name: str, policy_value: str, actual: str, expected: bool | None, missing: tuple[str, ...]
) -> None:
    context = Context({**VARIABLES, "a:key": (actual,)}, frozenset())
    result = condition_holds(Condition(name, "a:key", (policy_value,)), context, has_variables=True)
    assert (result.holds, result.missing) == (expected, missing)


def test_variables_are_literal_text_before_2012() -> None:
    context = Context({"aws:username": ("ada",), "a:key": ("${aws:username}",)}, frozenset())
    condition = Condition("StringEquals", "a:key", ("${aws:username}",))
    assert condition_holds(condition, context, has_variables=False).holds is True
    assert condition_holds(condition, context, has_variables=True).holds is False


def test_keys_declared_absent_by_form() -> None:
    context = Context({"aws:RequestTag/Name": ("a",)}, frozenset({"AWS:RequestTag/*", "aws:TagKeys"}))
    assert context.values("aws:requesttag/Owner") == ()
    assert context.values("aws:requesttag/name") == ("a",)
    assert context.values("aws:tagkeys") == ()
    assert context.values("aws:ResourceTag/Owner") is None


def test_only_strings_arns_and_truths_are_compared_with_policy_variables() -> None:
    """The tables of "Condition operators" say for each whether it supports them, and wildcards."""
    with_variables = {name for name, family in OPERATOR_FAMILIES.items() if family.takes_variables}
    assert with_variables == {
        name for name in OPERATOR_FAMILIES if name.startswith(("String", "Arn")) or name == "Bool"
    }
    with_wildcards = {
        name for name in OPERATOR_FAMILIES if (info := operator(name)) is not None and info.takes_wildcards
    }
    assert with_wildcards == {name for name in OPERATOR_FAMILIES if name.startswith("Arn") or name.endswith("Like")}
    negations = {name for name in OPERATOR_FAMILIES if (info := operator(name)) is not None and info.negated}
    assert negations == {name for name in OPERATOR_FAMILIES if "Not" in name}
