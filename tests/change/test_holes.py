"""What is said of documents with holes holds whatever the holes are filled with."""

import json
from typing import Any

import pytest

from ekstui.change.comparison import changes
from ekstui.change.holes import changes_around, has_hole, hole, is_hole, plainly, with_quotes, without_hole_marks
from ekstui.iam.document import Document, parse
from tests.support.documents import Statement, allow, deny, document

A, B, C, D = (hole(f"var.{letter}") for letter in "abcd")
GET, PUT, SEND = "s3:GetObject", "s3:PutObject", "sqs:SendMessage"
OF_A, OF_B, OF_X = (f"arn:aws:s3:::{bucket}/*" for bucket in (A, B, "x"))
TAG, TAGS = "aws:PrincipalTag/team", "aws:TagKeys"


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def all_but(actions: str | list[str]) -> Statement:
    return {"Effect": "Allow", "NotAction": actions, "Resource": "*"}


def on_all_but(*resources: str) -> Statement:
    return {"Effect": "Allow", "Action": GET, "NotResource": list(resources)}


Statements = list[Statement]
CASES: list[tuple[Statements, Statements, str]] = [
    # Both have the hole: it is the same text on both sides.
    ([allow(GET, A)], [allow(GET, A)], "same access: every statement says the same"),
    ([allow(GET, A)], [allow([GET, PUT], A)], "widened: 1 action added (s3:PutObject)"),
    ([allow([GET, PUT], OF_A)], [allow(GET, OF_A)], "narrowed: 1 action removed (s3:PutObject)"),
    ([allow(GET, OF_A)], [allow(GET, [OF_A, OF_X])], "widened: 1 action allowed on more resources (s3:GetObject)"),
    ([allow(A)], [allow(A), allow(GET)], "widened: 1 action is no longer limited to <var.a> (s3:GetObject)"),
    ([allow(GET, A, **when("StringEquals", TAG, "a"))], [allow(GET, A)],
     "widened: 1 action no longer needs the condition aws:PrincipalTag/team (s3:GetObject)"),
    ([allow(GET, **when("StringEquals", TAG, A))], [allow(GET, **when("StringEquals", TAG, A, "a"))],
     "widened: 1 action also allowed under the condition aws:PrincipalTag/team (s3:GetObject)"),
    ([allow(GET, **when("StringNotEquals", TAG, A))], [allow(GET, **when("StringNotEquals", TAG, A))],
     "same access: every statement says the same"),
    ([allow(GET, **when("StringEquals", A, "a"))], [allow(GET, **when("StringEquals", A, "a"))],
     "same access: every statement says the same"),
    ([allow([GET, PUT], A, **when("StringEquals", TAG, "a"))], [allow(GET, A, **when("StringEquals", TAG, "a"))],
     "narrowed: 1 action removed (s3:PutObject)"),
    ([all_but([A, "s3:*"])], [all_but([A, "s3:*"])], "same access: every statement says the same"),
    ([on_all_but(OF_A)], [on_all_but(OF_A, OF_X)], "narrowed: 1 action allowed on fewer resources (s3:GetObject)"),
    # One side alone has it: a statement more allows more, whatever is in it, and one that is gone allowed more.
    ([], [allow(GET, A)], "widened: 1 action added (s3:GetObject)"),
    ([allow(GET, A)], [], "narrowed: 1 action removed (s3:GetObject)"),
    ([allow("s3:*")], [allow("s3:*"), deny(GET, OF_A)], "narrowed: 1 action newly denied in some cases (s3:GetObject)"),
    ([allow(GET)], [allow(GET, **when("StringNotEquals", TAG, A))], "narrowed: 1 action removed (s3:GetObject)"),
    ([allow(GET, **when("StringEquals", A, "a"))], [allow(GET)], "widened: 1 action added (s3:GetObject)"),
    ([allow(GET)], [allow(PUT), allow("sqs:SendMessage", A)],
     "mixed: 2 actions added (s3:PutObject, sqs:SendMessage); 1 action removed (s3:GetObject)"),
    ([allow(GET), allow(SEND, A)], [allow(PUT), allow(SEND, B)],
     "mixed: 2 actions added (s3:PutObject, sqs:SendMessage); 1 action removed (s3:GetObject)"),
    # The words are of what is certain.
    ([], [allow(GET, A), allow(PUT)], "widened: 1 action added (s3:PutObject)"),
    ([allow(GET, A), allow(PUT)], [], "narrowed: 1 action removed (s3:PutObject)"),
    # It may be anything, and so may what is in its place on the other side.
    ([allow(GET, OF_A)], [allow(GET, OF_B)],
     "cannot tell whether wider: it depends on var.a and var.b"),
    ([allow(GET, A)], [allow(GET, B)], "cannot tell whether wider: it depends on <var.a> and <var.b>"),
    # A place in an ARN of a service is a name; an ARN of no known service may be anything.
    ([allow(SEND, f"arn:aws:sqs:{A}:111122223333:q")], [allow(SEND, f"arn:aws:sqs:{B}:111122223333:q")],
     "cannot tell whether wider: it depends on var.a and var.b"),
    ([allow("logs:PutLogEvents", f"arn:aws:logs:*:*:log-group:{A}:*")], [allow("logs:PutLogEvents", f"arn:aws:logs:*:*:log-group:{B}:*")],
     "cannot tell whether wider: it depends on var.a and var.b"),
    ([allow(SEND, f"arn:aws:{A}:eu-west-1:111122223333:q")], [allow(SEND, f"arn:aws:{B}:eu-west-1:111122223333:q")],
     "cannot tell whether wider: it depends on arn:aws:<var.a>:eu-west-1:111122223333:q and arn:aws:<var.b>:eu-west-1:111122223333:q"),
    ([allow(GET, OF_X)], [allow(GET, OF_A)], "cannot tell whether wider: it depends on var.a"),
    ([allow(GET, **when("StringEquals", TAG, A))], [allow(GET, **when("StringEquals", TAG, B))],
     "cannot tell whether wider: it depends on StringEquals aws:PrincipalTag/team <var.a> and StringEquals aws:PrincipalTag/team <var.b>"),
    ([allow(GET, OF_A), allow(SEND)], [allow(GET, OF_B)],
     "narrowed, and cannot tell whether also widened: it depends on var.a and var.b"),
    ([allow(GET, OF_A)], [allow(GET, OF_B), allow(SEND)],
     "widened, and cannot tell whether also narrowed: it depends on var.a and var.b"),
    ([allow(GET, f"arn:aws:s3:::{A}/{B}")], [allow(GET, f"arn:aws:s3:::{C}/*")],
     "cannot tell whether wider: it depends on var.a, var.b and var.c"),
    ([allow(GET, f"arn:aws:s3:::{A}/{B}")], [allow(GET, f"arn:aws:s3:::{C}/{D}")],
     "cannot tell whether wider: it depends on var.a, var.b and var.c and 1 more"),
    # A negated operator excludes all of its values; of lists for all values of a request it is not known which is wider.
    ([allow(GET, **when("StringNotEquals", TAG, A))], [allow(GET, **when("StringNotEquals", TAG, A, "a"))],
     "narrowed: 1 action now needs the condition aws:PrincipalTag/team (s3:GetObject)"),
    ([allow(GET, **when("StringNotEquals", TAG, A, "a"))], [allow(GET, **when("StringNotEquals", TAG, "a"))],
     "widened: 1 action added (s3:GetObject)"),
    ([allow(GET, **when("ForAllValues:StringEquals", TAGS, A))], [allow(GET, **when("ForAllValues:StringEquals", TAGS, A, "a"))],
     "cannot tell whether wider: it depends on ForAllValues:StringEquals aws:TagKeys <var.a>"),
    # Exceptions of which none is known may be none.
    ([all_but([A, SEND])], [all_but(A)], "widened: 1 action added (sqs:SendMessage)"),
    ([on_all_but(A, OF_X)], [on_all_but(A)], "widened: 1 action allowed on more resources (s3:GetObject)"),
    # An unknown name may be the one that is denied or excepted.
    ([allow(GET, OF_A), deny(GET, OF_X)], [allow(GET, OF_A)], "widened: 1 action no longer denied in some cases (s3:GetObject)"),
    ([allow(GET, OF_X), deny(GET, OF_A)], [allow(GET, OF_X)], "widened: 1 action no longer denied in some cases (s3:GetObject)"),
    ([allow(GET, OF_A)], [allow(GET, OF_A), deny(GET, OF_X)], "narrowed: 1 action newly denied in some cases (s3:GetObject)"),
    ([allow(GET, OF_A)], [allow(GET, OF_A), on_all_but(OF_X)], "widened: 1 action allowed on more resources (s3:GetObject)"),
]  # fmt: skip

# Everything is more than any list, and all of it stays all of it.
EVERYTHING: list[tuple[Statements, Statements, str]] = [
    ([allow("*")], [allow("*"), allow(GET, A)], "same access: everything"),
    ([allow("*")], [allow(A)], "narrowed: no longer everything"),
    ([allow("*")], [allow("s3:*", A)], "narrowed: no longer everything"),
    ([allow(A)], [allow("*")], "widened: everything: all actions on all resources"),
    ([allow(GET, A)], [allow("*:*", "**")], "widened: everything: all actions on all resources"),
    ([allow(A)], [allow(A), allow("*")], "widened: everything: all actions on all resources"),
    ([all_but(GET)], [allow("*"), allow(GET, A)], "widened: 1 action added (s3:GetObject)"),
]

FILLINGS = [dict(zip("abcd", texts, strict=True)) for texts in ("xxxx", "xyxy", "xyzu", "*yyy", "y*x*")]


def with_holes(statements: Statements) -> Document:
    return parse(document(*statements))


def filled_document(statements: Statements, values: dict[str, str]) -> Document:
    text = json.dumps(document(*statements), ensure_ascii=False)
    for letter, value in values.items():
        text = text.replace(hole(f"var.{letter}"), value)
    return parse(json.loads(text))


@pytest.mark.parametrize(("before", "after", "verdict"), CASES + EVERYTHING)
def test_what_a_change_around_holes_means(before: Statements, after: Statements, verdict: str) -> None:
    assert changes_around(with_holes(before), with_holes(after)).verdict == verdict


@pytest.mark.parametrize(("before", "after"), [case[:2] for case in CASES])
def test_no_filling_of_the_holes_contradicts_what_is_said(before: Statements, after: Statements) -> None:
    reach = changes_around(with_holes(before), with_holes(after)).reach
    for values in FILLINGS:
        concrete = changes(filled_document(before, values), filled_document(after, values)).reach
        assert reach in ("unknown", concrete) or concrete in ("same", "unknown"), values
        assert concrete in ("same", "unknown") or reach != "same"
        assert reach != "mixed" or concrete == "mixed", values


@pytest.mark.parametrize(
    ("before", "after", "denied"),
    [
        ([], [deny(PUT), allow(GET, A)], "more"),
        ([deny([GET, PUT]), allow(GET, A)], [deny(PUT)], "less"),
        ([deny(PUT)], [deny(PUT), allow(GET, A)], None),
        ([], [deny(GET, OF_A)], "otherwise"),
        ([deny(GET, OF_B)], [deny(GET, OF_A)], "otherwise"),
        ([deny(GET, OF_A)], [deny([GET, PUT], OF_A)], "more"),
    ],
)
def test_what_is_denied_counts_beside_other_policies(before: Statements, after: Statements, denied: str | None) -> None:
    assert changes_around(with_holes(before), with_holes(after)).denied == denied


def test_a_hole_stands_in_json_and_reads_as_its_name() -> None:
    name = hole('join("/", [a])')
    assert json.loads(f'"{name}"') == name
    assert plainly(f"arn:aws:s3:::{name}/*") == "arn:aws:s3:::<join('/', [a])>/*"
    assert (is_hole(name), is_hole(f"{name}/"), has_hole(f"{name}/"), has_hole("a")) == (True, False, True, False)
    assert json.loads(with_quotes(f'{{"a\\"b": {name}, "c": "x{name}"}}')) == {'a"b': name, "c": f"x{name}"}
    assert not has_hole(without_hole_marks(f"é{name}"))
    assert without_hole_marks("é<a>") == "é<a>"


def test_too_many_unknown_parts_are_never_called_the_same() -> None:
    actions, resources = ([hole(f"var.{kind}{number}") for number in range(9)] for kind in ("action", "resource"))
    nine_actions, eight_actions = with_holes([allow(actions, resources)]), with_holes([allow(actions[:8], resources)])
    for before, after in ((nine_actions, eight_actions), (eight_actions, nine_actions)):
        change = changes_around(before, after)
        assert (change.reach, change.denied) == ("unknown", "otherwise")
        assert change.verdict == "cannot tell whether wider: a statement has more than 64 unknown parts"
    assert changes_around(nine_actions, nine_actions).reach == "same"
    fewer = with_holes([allow(actions[:7], resources)]), with_holes([allow(actions[:6], resources)])
    assert changes_around(*fewer).reach == "narrowed"
