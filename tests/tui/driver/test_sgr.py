"""SGR is read as ECMA-48 has it, and what is sent does to a terminal what was read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ekstui.tui.driver.sgr import PLAIN, SgrStyle, style_after, transition

COLOURS = ("31", "97", "38;5;200", "38;2;1;2;3")
BACKGROUNDS = ("41", "107", "48;5;200", "48;2;1;2;3")
STYLES = st.builds(
    SgrStyle,
    st.sampled_from(("", *COLOURS)),
    st.sampled_from(("", *BACKGROUNDS)),
    st.frozensets(st.sampled_from((1, 2, 3, 4, 5, 6, 7, 8, 9, 21, 51, 52, 53))),
)


@pytest.mark.parametrize(
    ("start", "parameters", "expected"),
    [
        (PLAIN, "1;31;42", SgrStyle("31", "42", frozenset({1}))),
        (SgrStyle("31", "42", frozenset({1})), "", PLAIN),
        (SgrStyle("31", "42", frozenset({1})), "0;4", SgrStyle(attributes=frozenset({4}))),
        (SgrStyle("31", "42", frozenset({1, 2, 4})), "22;39;49", SgrStyle(attributes=frozenset({4}))),
        (PLAIN, "38;2;1;2;3;48;5;7;1", SgrStyle("38;2;1;2;3", "48;5;7", frozenset({1}))),
        (PLAIN, "38:5:9", SgrStyle("38;5;9")),
        (PLAIN, "38;2;1;2", PLAIN),
        (PLAIN, "38;2;1;2;999;1", SgrStyle(attributes=frozenset({1}))),
        (PLAIN, "38", PLAIN),
        (PLAIN, "77;999;58", PLAIN),
        (PLAIN, "9" * 5000, PLAIN),
    ],
)
def test_parameters_are_read(start: SgrStyle, parameters: str, expected: SgrStyle) -> None:
    assert style_after(start, parameters) == expected


@given(STYLES, STYLES)
def test_a_transition_leads_where_it_should(current: SgrStyle, target: SgrStyle) -> None:
    sequence = transition(current, target)
    assert (sequence == "") == (current == target)
    if sequence:
        assert style_after(current, sequence.removeprefix("\x1b[").removesuffix("m")) == target
        fresh = ";".join(filter(None, ("0", *map(str, target.attributes), target.foreground, target.background)))
        assert len(sequence) <= len(f"\x1b[{fresh}m")


@pytest.mark.parametrize(
    ("current", "target", "sequence"),
    [
        (SgrStyle("31", "48;2;1;2;3"), SgrStyle("32", "48;2;1;2;3"), "\x1b[32m"),
        (SgrStyle("31", "", frozenset({1, 2})), SgrStyle("31", "", frozenset({2})), "\x1b[22;2m"),
        (SgrStyle("31", "41", frozenset({1})), PLAIN, "\x1b[m"),
        (SgrStyle("31", "41"), SgrStyle("31"), "\x1b[49m"),
    ],
)
def test_only_the_attributes_that_change_are_sent(current: SgrStyle, target: SgrStyle, sequence: str) -> None:
    assert transition(current, target) == sequence
