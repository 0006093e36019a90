"""Records come back as the same values, and what does not fit is refused."""

import json

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, Role
from ekstui.files import from_record, to_record
from tests.support.accounts import snapshot


def test_a_whole_account_comes_back_equal() -> None:
    record = json.loads(json.dumps(to_record(snapshot())))
    assert from_record(AccountSnapshot, record) == snapshot()


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {"name": "x"},
        {"name": 3, "arn": None},
        {"name": "x", "arn": None, "novel": 1},
        {"name": "x", "arn": None, "extent": "whole"},
        {"name": "x", "arn": None, "created": "yesterday"},
        {"name": "x", "arn": None, "tags": [["a"]]},
    ],
)
def test_what_does_not_fit_is_refused(record: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        from_record(Role, record)
