"""How long ago something was, in words."""

from datetime import UTC, datetime, timedelta

import pytest

from ekstui.present.ages import age_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-61, "in the future"), (-60, "just now"), (0, "just now"), (59.9, "just now"), (60, "1 min ago"),
        (119.9, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"), (7199, "1 h ago"), (2 * 86400 - 1, "47 h ago"),
        (2 * 86400, "2 d ago"), (3 * 86400 - 1, "2 d ago"), (212 * 86400, "212 d ago"),
    ],
)  # fmt: skip
def test_an_age_is_said_in_its_largest_whole_unit(seconds: float, words: str) -> None:
    now = datetime(2026, 9, 1, tzinfo=UTC)
    assert age_in_words(now - timedelta(seconds=seconds), now) == words
