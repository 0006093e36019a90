"""The terminal of the tests shows what pyte's own shows."""

import random

import pyte

from tests.support.effort import EFFORT
from tests.support.emulator import Screen, Stream

PIECES = (
    "plain text", "ärger │█▌", "漢字", "e\u0301", "\u0308", "\u200b", "x" * 90, "\x1b[0m", "\x1b[1;38;2;1;2;3;48;5;200m", "\x1b[m",
    "\x1b[7;9;4m", "\x1b[10;70H", "\x1b[;5H", "\x1b[H", "\x1b[3A", "\x1b[99999C", "\x1b[2J", "\x1b[K", "\x1b[1J", "\x1b[4h", "\x1b[4l",
    "\x1b[?7l", "\x1b[?7h", "\x1b[?25l", "\x1b[5P", "\x1b[3X", "\x1b[2L", "\x1b[4@", "\x1b[5;15r", "\x1b[r", "\x1b[S", "\x1b[1z", "\x1b7",
    "\x1b8", "\x1bM", "\x1bc", "\x1b(0", "\x9b3m", "\x1b]2;title\x07", "\x1b[3\r1m", "\x1b[12\x18", "\r\n", "\n", "\t", "\b", "\x0e", "\x7f",
)  # fmt: skip
CUT = 7
"""Most bytes that come at once."""


def test_it_shows_what_pyte_shows() -> None:
    chance = random.Random(1)
    for _ in range(20 * EFFORT):
        stock, ours = pyte.Screen(80, 24), Screen(80, 24)
        to_stock, to_ours = pyte.ByteStream(stock), Stream(ours)
        data = "".join(chance.choices(PIECES, k=200)).encode()
        while data:
            size = chance.randint(1, CUT)
            for stream in (to_stock, to_ours):
                stream.feed(data[:size])
            data = data[size:]
        to_stock.feed(b"the end")
        to_ours.feed(b"the end")
        assert [{**ours.buffer[y]} for y in range(24)] == [{**stock.buffer[y]} for y in range(24)]
        assert (ours.cursor.x, ours.cursor.y, ours.cursor.attrs, ours.mode, ours.title, ours.margins) == (
            stock.cursor.x, stock.cursor.y, stock.cursor.attrs, stock.mode, stock.title, stock.margins
        )  # fmt: skip
