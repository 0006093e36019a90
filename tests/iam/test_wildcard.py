"""IAM's wildcards against brute force over a small alphabet, and in bounded time."""

import time
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.iam.wildcard import MAX_LENGTH, covers, matches, overlaps
from tests.support.effort import examples
from tests.support.patience import PROCESSOR
from tests.support.wildcards import as_regex

ALPHABET = "ab["
"""A letter that no short pattern is likely to use up stands for the rest of the world, so three are enough."""

patterns = st.text("ab*?", max_size=6)
texts = st.text(ALPHABET, max_size=8)
ALL_TEXTS = tuple("".join(letters) for length in range(8) for letters in product(ALPHABET, repeat=length))


def language(pattern: str) -> set[str]:
    regex = as_regex(pattern)
    return {text for text in ALL_TEXTS if regex.fullmatch(text)}


@given(st.text("ab[*?", max_size=8), texts)
def test_a_pattern_matches_what_its_regular_expression_matches(pattern: str, text: str) -> None:
    assert matches(pattern, text) == bool(as_regex(pattern).fullmatch(text))


@settings(max_examples=examples(100, in_torture=250), deadline=None)
@given(st.text("ab*?", max_size=4), st.text("ab*?", max_size=4))
def test_covering_and_overlapping_are_inclusion_and_intersection_of_languages(general: str, special: str) -> None:
    # With at most four characters a side, a text of seven is long enough to tell any two patterns apart.
    general_texts, special_texts = language(general), language(special)
    assert covers(general, special) == (special_texts <= general_texts)
    assert overlaps(general, special) == bool(general_texts & special_texts)


def test_short_patterns_cover_and_overlap_each_other_as_their_languages_do() -> None:
    """All patterns of up to three characters; texts of up to five tell any two of them apart."""
    short = ["".join(letters) for length in range(4) for letters in product("ab*?", repeat=length)]
    texts_by_pattern = {pattern: {text for text in language(pattern) if len(text) <= 5} for pattern in short}
    for (general, general_texts), (special, special_texts) in product(texts_by_pattern.items(), repeat=2):
        assert covers(general, special) is (special_texts <= general_texts), (general, special)
        assert overlaps(general, special) is not general_texts.isdisjoint(special_texts), (general, special)


@given(patterns, patterns)
def test_overlap_has_no_direction_and_follows_from_cover(a: str, b: str) -> None:
    assert overlaps(a, b) == overlaps(b, a)
    if covers(a, b):
        assert overlaps(a, b)


@pytest.mark.parametrize(
    ("general", "special", "is_covered"),
    [
        ("ec2:Describe*", "ec2:DescribeSubnets", True),
        ("ec2:Describe*", "ec2:DescribeV*s", True),
        ("ec2:Describe*s", "ec2:Describe*", False),
        ("*", "", True),
        ("?*", "*?", True),
        ("?*", "*a", True),
        ("?*", "*", False),
        ("??", "?*", False),
        ("*a*b*", "*b*a*b*", True),
        ("[ab]", "a", False),
    ],
)
def test_covers(general: str, special: str, is_covered: bool) -> None:
    assert covers(general, special) is is_covered


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a" * 4_000, "a" * 3_999),
        ("*a" * 1_000_000, "a" * 9_999),
        ("*a" * 1_000 + "?b", "a" * 20_000),
        ("*" + "a" * 2_000 + "b", "a" * 20_000),
        ("*?a" * 2_000 + "b", "a" * 7_000),
    ],
    ids=["stars", "too long", "stars and one", "long piece", "ones in stars"],
)
def test_hostile_patterns_take_bounded_time(pattern: str, text: str) -> None:
    began = time.process_time()
    assert not matches(pattern, text)
    assert not overlaps(pattern, text)
    assert not covers(pattern, text + "*")
    assert time.process_time() - began < PROCESSOR


def test_a_pattern_beyond_the_longest_matches_nothing_on_either_side() -> None:
    longest_pattern, longer_pattern = "a" * (MAX_LENGTH - 1) + "*", "a" * MAX_LENGTH + "*"
    text = "a" * MAX_LENGTH
    assert matches(longest_pattern, text)
    assert covers("a*", longest_pattern)
    assert overlaps("*a", longest_pattern)
    assert overlaps(longest_pattern, "*a")
    assert not matches(longer_pattern, text + "a")
    assert not covers("a*", longer_pattern)
    assert not covers(longer_pattern, "a")
    assert not overlaps("*a", longer_pattern)
    assert not overlaps(longer_pattern, "*a")
    assert not overlaps(longer_pattern + "a", longer_pattern + "a")
