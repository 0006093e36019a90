"""Whatever a terminal sends, the parser makes keys of it or nothing, and goes on."""

from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.events import Key, MouseDown, MouseUp, Paste
from textual.message import Message

from ekstui.tui.driver.escape import EscapedKey
from ekstui.tui.driver.terminal import Decoder, Parser
from tests.support.effort import examples
from tests.support.patience import PATIENCE

TAIL = b"~\x1b[200~end\x1b[201~"
"""Ends whatever may have begun, then pastes a word."""


def messages(*reads: bytes) -> list[Message]:
    decoder, parser = Decoder(), Parser()
    return [message for data in reads for message in parser.feed(decoder.feed(data))]


def keys(*reads: bytes) -> list[str]:
    return [message.key for message in messages(*reads) if isinstance(message, Key)]


@pytest.mark.parametrize(
    ("reads", "expected"),
    [
        pytest.param([b"ab"], ["a", "b"], id="letters"),
        pytest.param(["ü".encode()[:1], "ü".encode()[1:]], ["ü"], id="a character in two reads"),
        pytest.param([b"\x1b[", b"A"], ["up"], id="a sequence in two reads"),
        pytest.param([b"\x1b[113;1:3u", b"a"], ["a"], id="a key that was released"),
        pytest.param([b"\x1b[113;1:1u"], ["q"], id="a key that was pressed"),
        pytest.param([b"\x1b[1;5:2A"], ["ctrl+up"], id="a key that repeats"),
        pytest.param([b"\x1b[113:81:113;2;81u"], ["Q"], id="a key with its alternatives"),
        pytest.param([b"\x1b[99999999u", b"a"], ["a"], id="a key that is no character"),
    ],
)
def test_keys_are_read(reads: list[bytes], expected: list[str]) -> None:
    assert keys(*reads) == expected


@pytest.mark.parametrize(
    ("data", "keys_bound", "expected"),
    [
        (b"\x1bj", set(), ["escape", "j"]),
        (b"\x1bJ", set(), ["escape", "J"]),
        (b"\x1b:", {"colon"}, ["escape", "colon"]),
        (b"\x1b\r", {"enter"}, ["escape", "enter"]),
        (b"\x1b\t", {"tab", "shift+tab"}, ["escape", "tab"]),
        (b"\x1b1", {"1"}, ["escape", "1"]),
        (b"\x1b[", {"left_square_bracket"}, ["escape", "left_square_bracket"]),
        (b"\x1bf", set(), ["escape", "f"]),
        (b"\x1bj", {"alt+j"}, ["alt+j"]),
        # An input goes to the next word.
        (b"\x1bf", {"ctrl+right"}, ["ctrl+right"]),
    ],
)
def test_a_key_right_after_escape_is_one_with_alt_only_if_that_is_bound(
    data: bytes, keys_bound: set[str], expected: list[str]
) -> None:
    parser = Parser()
    parsed_keys = [*parser.feed(data.decode())]
    deadline = monotonic() + PATIENCE
    # An opening bracket may begin a sequence.
    while not parsed_keys and monotonic() < deadline:
        parsed_keys.extend(parser.tick())
    (key,) = parsed_keys
    assert isinstance(key, EscapedKey)
    assert [part.key for part in key.read(keys_bound)] == expected


@pytest.mark.parametrize("data", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x80\x81", b"\xf8\x88"])
def test_a_byte_that_is_no_utf8_does_no_harm(data: bytes) -> None:
    assert keys(data, b"a")[-1] == "a"


@pytest.mark.parametrize("cut", range(3, 7))
def test_an_old_mouse_report_is_read_though_it_comes_in_two(cut: int) -> None:
    report = b"\x1b[M\x20" + bytes([32 + 150, 32 + 9])
    release = b"\x1b[M\x23" + bytes([32 + 150, 32 + 9])
    down, up, key = messages(report[:cut], report[cut:] + release + b"a")
    assert isinstance(down, MouseDown)
    assert (down.x, down.y, down.button) == (149, 8, 1)
    assert isinstance(up, MouseUp)
    assert isinstance(key, Key)
    assert key.key == "a"


COLOURED = b"\x1b[200~\x1b[31mq\x1bq\x1b]2;x\x1b\\q\x1b[200~\x1b[20\x1b[201~"


@pytest.mark.parametrize("size", [1, 2, 5, 7, 100])
def test_an_escape_in_a_paste_is_no_key(size: int) -> None:
    # However the terminal cuts it; a paste from tmux's buffer of a coloured log is such a text.
    parsed_messages = messages(*(COLOURED[start : start + size] for start in range(0, len(COLOURED), size)), b"a")
    assert [message.text if isinstance(message, Paste) else message for message in parsed_messages[:-1]] == [
        "␛[31mq␛q␛]2;x␛\\q␛[200~␛[20"
    ]
    assert isinstance(parsed_messages[-1], Key)


def test_what_looked_like_a_mouse_report_is_let_go() -> None:
    decoder = Decoder()
    assert decoder.feed(b"\x1b[M") == ""
    assert decoder.idle() == "\x1b[M"
    assert decoder.idle() == ""


def test_a_mouse_report_in_pixels_of_a_terminal_without_any_is_nothing() -> None:
    parser = Parser()
    parser.terminal_size, parser.terminal_pixel_size, parser.mouse_pixels = (80, 24), (0, 0), True
    assert [message.key for message in parser.feed("\x1b[<0;5;5Ma") if isinstance(message, Key)] == ["a"]


@settings(max_examples=examples(100, in_torture=300), deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=12),
            st.from_regex(rb"\x1b\[[<>=?]?[\d;:]{0,10}[@-~]", fullmatch=True),
            st.sampled_from([b"\x1b[M\xff\xff\xff", b"\x1b[M", b"\x1b[200~", b"\x1b[201~", b"\x1b", b"\x1bO", b"\x9b"]),
        ),
        max_size=8,
    )
)
def test_nothing_stops_the_parser(reads: list[bytes]) -> None:
    last = messages(*reads, b"", TAIL, TAIL)[-1]
    assert isinstance(last, Paste)
    assert last.text.endswith("end")
