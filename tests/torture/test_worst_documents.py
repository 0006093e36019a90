"""The worst documents that IAM accepts: each is accepted, and what it permits is said with bounded work."""

import pytest

from ekstui.iam.document import broken_rules, parse
from ekstui.iam.summary import MAX_LISTED, services_in, too_large_to_list
from tests.torture.worst_documents import INLINE, MANAGED, SHAPES, document


@pytest.mark.parametrize("shape", SHAPES)
def test_iam_accepts_a_document_of_every_shape_that_fills_its_limit(shape: str) -> None:
    for size in (MANAGED, INLINE):
        text = str(document(shape, size)).replace(" ", "")
        assert size * 0.9 < len(text) <= size
        assert not list(broken_rules(parse(document(shape, size))))
    assert document(shape, INLINE) == document(shape, INLINE)
    assert document(shape, INLINE, 1) != document(shape, INLINE, 2)


def test_what_is_too_large_to_list_is_counted_instead() -> None:
    rows = services_in(parse(document("NotAction with NotResource", INLINE)))
    assert sum(row.characters for row in rows) > MAX_LISTED
    actions = sum(count.granted for row in rows for count in row.levels.values())
    assert actions > 20_000
    assert too_large_to_list(rows) == f"too large to list whole: {actions:,} actions of {len(rows)} services"
    assert too_large_to_list(services_in(parse(document("plain", INLINE)))) is None


def test_actions_in_the_same_situation_share_what_is_granted() -> None:
    (lambda_row,) = (
        row for row in services_in(parse(document("NotAction with NotResource", INLINE))) if row.service == "lambda"
    )
    # Those without resource types are in another one.
    assert len({id(action.grants) for action in lambda_row.actions}) == 2
    assert len(lambda_row.actions) > 50
