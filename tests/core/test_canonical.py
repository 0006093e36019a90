"""The lines that comparisons are made of."""

import pytest

from ekstui.core.canonical import canonical_lines
from ekstui.core.document import parse


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_no_text_can_make_a_line_of_its_own(separator: str) -> None:
    def lines(sid: str) -> int:
        statement = {"Sid": sid, "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        return len(canonical_lines(parse({"Statement": [statement]})))

    assert lines(f'a{separator}"Effect": "Deny"') == lines("a")
