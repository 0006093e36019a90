"""The worst documents that IAM accepts: each is accepted, and what it permits is said with bounded work."""

from collections import Counter
from typing import Any

import pytest

from ekstui.change import coverage
from ekstui.change.reach import reach_between, witness
from ekstui.change.reach.witness import named_in
from ekstui.iam import arn
from ekstui.iam.conditions import predicates
from ekstui.iam.conditions.predicates import predicate
from ekstui.iam.document import broken_rules, parse
from ekstui.iam.grants import grants
from ekstui.iam.policy_variables import NOTHING_KNOWN
from ekstui.iam.summary import MAX_LISTED, ServiceSummary, services_in, too_large_to_list
from tests.torture.worst_documents import INLINE, MANAGED, SHAPES, document


@pytest.fixture(scope="module")
def largest() -> tuple[ServiceSummary, ...]:
    """Return what the document permits whose summary is the largest."""
    return services_in(parse(document("NotAction with NotResource", INLINE)))


@pytest.mark.parametrize("shape", SHAPES)
def test_iam_accepts_a_document_of_every_shape_that_fills_its_limit(shape: str) -> None:
    for size in (MANAGED, INLINE):
        text = str(document(shape, size)).replace(" ", "")
        assert size * 0.9 < len(text) <= size
        assert not list(broken_rules(parse(document(shape, size))))
    assert document(shape, INLINE) == document(shape, INLINE)
    assert document(shape, INLINE, 1) != document(shape, INLINE, 2)


def test_what_is_too_large_to_list_is_counted_instead(largest: tuple[ServiceSummary, ...]) -> None:
    assert sum(row.characters for row in largest) > MAX_LISTED
    actions = sum(count.granted for row in largest for count in row.levels.values())
    assert actions > 20_000
    assert too_large_to_list(largest) == f"too large to list whole: {actions:,} actions of {len(largest)} services"
    assert too_large_to_list(services_in(parse(document("plain", INLINE)))) is None


def test_actions_in_the_same_situation_share_what_is_granted(largest: tuple[ServiceSummary, ...]) -> None:
    (lambda_row,) = (row for row in largest if row.service == "lambda")
    # Those without resource types are in another one.
    assert len({id(action.grants) for action in lambda_row.actions}) == 2
    assert len(lambda_row.actions) > 50


def _counted(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> Counter[str]:
    """Count the calls of a function by its name."""
    counts: Counter[str] = Counter()
    function = getattr(owner, name)

    def counting(*values: Any, **options: Any) -> Any:
        counts[name] += 1
        return function(*values, **options)

    monkeypatch.setattr(owner, name, counting)
    return counts


@pytest.mark.parametrize(
    ("operator", "value", "matched"),
    [
        ("StringEquals", "v7", True),
        ("StringEquals", "V7", False),
        ("StringEqualsIgnoreCase", "V7", True),
        ("StringLike", "v7", True),
        ("StringLike", "wild-7", True),
        ("StringLike", "wild*", True),
        ("StringEquals", "wild-7", False),
        ("StringEquals", "wild*", True),
        ("StringNotLike", "v7", False),
        ("StringNotLike", "other", True),
    ],
)
def test_hundreds_of_values_are_looked_up_and_only_patterns_compared(
    monkeypatch: pytest.MonkeyPatch, operator: str, value: str, matched: bool
) -> None:
    line = predicate(operator, "aws:principaltag/a", (*(f"v{place}" for place in range(900)), "wild*"))
    counts = _counted(monkeypatch, predicates, "value_matches")
    assert line.holds((value,), NOTHING_KNOWN) is matched
    assert counts["value_matches"] <= 1


def test_what_searches_avoid_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sides = [grants(parse(document("NotAction on buckets", 1_500, seed))) for seed in (1, 2)]
    searches = _counted(monkeypatch, witness, "named_in")
    named_in.cache_clear()
    reach_between(*sides)
    assert searches["named_in"] > 5 * named_in.cache_info().misses


def test_more_condition_keys_than_iam_accepts_are_compared_without_a_search() -> None:
    """A file may have thousands."""
    conditions = {"StringEquals": {f"aws:ResourceTag/{place}": "a" for place in range(1_500)}}
    many = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": conditions}]}
    everything = parse({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    assert reach_between(grants(parse(many)), grants(everything)).reach in ("widened", "unknown")


def test_long_lists_and_short_arns_count_as_what_they_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = parse({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    sides = grants(parse(document("short ARNs", INLINE))), grants(everything)
    counts = _counted(monkeypatch, arn, "_covers")
    coverage.extent_covers.cache_clear()
    reach_between(*sides)
    assert counts["_covers"] < 100_000
