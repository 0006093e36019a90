"""Frames drawn on a canvas come out, by fewer bytes, as the same picture, and never as anything but a picture."""

import re

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekstui.tui.driver.canvas import Canvas, cells_in
from ekstui.tui.driver.terminal_output import is_frame
from tests.support.effort import examples
from tests.support.terminal import as_seen

WIDTH, HEIGHT = 12, 4

TEXT = st.text(alphabet=st.sampled_from("ab  │█é漢字한 "), min_size=1, max_size=9)
SGR = st.sampled_from(
    ["", "31", "38;2;1;2;3", "48;2;4;5;6", "1;38;2;1;2;3;48;2;4;5;6", "7", "4;9", "3;38;5;17;48;5;200", "1;3;4;7;9"]
)
SPANS = st.lists(st.tuples(st.integers(0, HEIGHT - 1), st.integers(0, WIDTH - 1), SGR, TEXT), min_size=1, max_size=12)

ALLOWED = re.compile(r"(?:\x1b\[[\d;]*m|\x1b\[\d*(?:;\d+)?[HABCD]|[\r\x08]|[^\x00-\x1f\x7f-\x9f\u202a-\u202e])*")


def frame(spans: list[tuple[int, int, str, str]], *, clip: bool = True) -> str:
    """Return a frame as the compositor writes it: each strip at its place, cut to the screen."""
    parts = []
    for y, x, sgr, text in spans:
        text = _cut(text, WIDTH - x) if clip else text
        parts.append(f"\x1b[{y + 1};{x + 1}H" + (f"\x1b[{sgr}m{text}\x1b[0m" if sgr else text))
    return "".join(parts) + "\x1b[1;1H"


def _cut(text: str, width: int) -> str:
    while len(cells_in(text)) > width:
        text = text[:-1]
    return text or " "


def terminal() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    screen.reset_mode(7, private=True)
    return screen, pyte.Stream(screen)


def cells(screen: pyte.Screen) -> list[object]:
    return [as_seen(screen.buffer[y][x]) for y in range(HEIGHT) for x in range(WIDTH)]


def _without_halves(spans: list[tuple[int, int, str, str]]) -> list[tuple[int, int, str, str]]:
    """Return the spans on rows that begin and end with whole rows, so that none leaves half a wide character.

    What a terminal shows in place of the half is its own affair, and the compositor never leaves one.
    """
    whole_rows = []
    for y, x, sgr, text in spans:
        row = _cut(" " * x + text, WIDTH)
        whole_rows.append((y, 0, sgr, row + " " * (WIDTH - len(cells_in(row)))))
    return whole_rows


@settings(max_examples=examples(60, in_torture=150), deadline=None)
@given(st.lists(SPANS, min_size=1, max_size=6))
def test_the_picture_is_the_same(frames: list[list[tuple[int, int, str, str]]]) -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    (stock, to_stock), (ours, to_ours) = terminal(), terminal()
    for number, spans in enumerate(frames):
        data = frame(_without_halves(spans))
        to_stock.feed(data)
        canvas.draw(data)
        if number % 2:
            to_ours.feed(canvas.changes())
    to_ours.feed(canvas.changes())
    assert cells(ours) == cells(stock)
    assert canvas.changes() == ""
    canvas.repaint()
    repainted_screen, to_again = terminal()
    to_again.feed(canvas.reset() + canvas.changes())
    assert cells(repainted_screen) == cells(stock)


@settings(max_examples=examples(60, in_torture=150), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, HEIGHT),
            st.integers(0, WIDTH),
            SGR,
            st.text(
                alphabet=st.sampled_from("a漢\x1b[]2;HJm\x07\x9b\x9d\x00\x7f\n\r\t\x08\u202e\u200b\u0301\u200d\ufe0f❤")
            ),
        ),
        max_size=10,
    )
)
def test_no_control_character_of_a_text_comes_out(spans: list[tuple[int, int, str, str]]) -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(frame(spans, clip=False))
    changes = canvas.changes()
    assert ALLOWED.fullmatch(changes)
    for row, column in re.findall(r"\x1b\[(\d+);?(\d*)H", changes):
        assert 1 <= int(row) <= HEIGHT
        assert int(column or 1) <= WIDTH


@pytest.mark.parametrize(
    ("before", "after", "output"),
    [
        pytest.param("abcdef", "abcdef", "", id="nothing has changed"),
        pytest.param("abcdef", "abXdef", "\x1b[2CX\r", id="one cell"),
        pytest.param("abcdef", "XbXdXf", "XbXdX\r", id="short gaps are written again"),
        pytest.param("abcdefghijk", "XbcdefghijY", "X\x1b[9CY\r", id="long gaps are moved over"),
        pytest.param("a漢d", "aX d", "\x1b[CX \r", id="both halves of a wide character"),
        pytest.param("a漢d", "a字d", "\x1b[C字\r", id="a wide character for another"),
        pytest.param("ae\u0301d", "ae\u0301X", "\x1b[2CX\r", id="a combining mark is no cell"),
        pytest.param("aed", "ae\u0301d", "\x1b[Ce\u0301\x1b[H", id="after it the cursor may be anywhere"),
    ],
)
def test_only_what_changed_is_sent(before: str, after: str, output: str) -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(f"\x1b[1;1H{before}\x1b[1;1H")
    canvas.changes()
    canvas.draw(f"\x1b[1;1H{after}\x1b[1;1H")
    assert canvas.changes() == output


def test_a_blank_is_sent_for_what_is_behind_it_alone() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw("\x1b[1;1H\x1b[31;44ma \x1b[4m b")
    canvas.changes()
    canvas.draw("\x1b[1;1H\x1b[0;32;44ma \x1b[4m \x1b[1;1H")
    changes = canvas.changes()
    assert " " in changes  # the line of the second one has another colour
    assert changes.count(" ") == 1


def test_a_colour_that_costs_more_than_a_move_is_chosen_once() -> None:
    one, two = "38;2;100;101;102", "38;2;200;201;202"
    rows = "".join(f"\x1b[{y};1H\x1b[{one}m|\x1b[0m\x1b[{two}mtext\x1b[0m\x1b[{one}m|\x1b[0m" for y in (1, 2, 3))
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(rows)
    changes = canvas.changes()
    assert changes.count(one) == changes.count(two) == 1


LABEL, KEY = "38;2;100;101;102", "38;2;200;201;202"


def test_a_few_cells_of_another_colour_are_written_over_rather_than_moved_over() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(f"\x1b[1;1H\x1b[{LABEL}mopen\x1b[0m\x1b[{KEY}m d \x1b[0m\x1b[{LABEL}msave\x1b[0m\x1b[1;1H")
    assert canvas.changes() == f"\x1b[H\x1b[{LABEL}mopen d save\x1b[6D\x1b[{KEY}md \r"


def test_a_blank_is_written_with_the_text_beside_it() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(f"\x1b[1;1H\x1b[{KEY}m  \x1b[0m\x1b[{LABEL}mopen\x1b[0m   \x1b[1;1H")
    assert canvas.changes() == f"\x1b[H\x1b[{LABEL}m  open   \r"


def test_the_sides_of_a_frame_are_drawn_downwards() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    rows = "".join(f"\x1b[{y};2H\x1b[{KEY}m│\x1b[{y};{WIDTH - 2}H│\x1b[0m" for y in range(1, HEIGHT + 1))
    canvas.draw(f"{rows}\x1b[1;1H")
    down = "\x1b[B\b│" * (HEIGHT - 1)
    assert canvas.changes().startswith(f"\x1b[1;2H\x1b[{KEY}m│{down}")


def test_what_lies_outside_is_left_out() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw(f"\x1b[1;{WIDTH - 1}Habcd\x1b[9;9Hlost\x1b[1;99999H!\x1b[2;{WIDTH}H漢\x1b[1;1H")
    screen, stream = terminal()
    stream.feed(canvas.changes())
    assert screen.display[0].endswith(" ab")
    assert "".join(screen.display).split() == ["ab"]


def test_forgotten_cells_are_sent_only_when_drawn_again() -> None:
    canvas = Canvas(WIDTH, HEIGHT)
    canvas.draw("\x1b[1;1Habcdef\x1b[1;1H")
    canvas.changes()
    canvas.resize(canvas.width, canvas.height)
    assert canvas.changes() == ""
    canvas.draw("\x1b[1;1Hab\x1b[1;1H")
    assert canvas.changes() == "\x1b[Hab\r"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("\x1b[1;1Htext", True),
        ("\n\x1b[12;3H", True),
        ("\x1b[?1049h", False),
        ("\x07", False),
        ("\x1b]52;c;dGV4dA==\x07", False),
        ("", False),
    ],
)
def test_a_frame_is_told_from_a_sequence(data: str, expected: bool) -> None:
    assert is_frame(data) == expected


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("abc", ("a", "b", "c")),
        ("漢a", ("漢", "", "a")),
        ("e\u0301x", ("e\u0301", "x")),
        ("\u0301x", ("\0\u0301", "x")),
        ("❤\ufe0fx", ("❤\ufe0f", "", "x")),
        ("👩\u200d🚀x", ("👩\u200d🚀", "", "x")),
        ("a\u202eb\u200bc", ("a", "b", "c")),
    ],
)
def test_text_is_split_into_cells(text: str, cells: tuple[str, ...]) -> None:
    assert cells_in(text) == cells
