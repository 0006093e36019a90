"""Bytes, which hardly vary and so are held by a test, and the time from a key to the last byte, which does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from tests.support.terminal import Link, Terminal
from tests.tools.bench.subject import NARROW, WIDE, Subject

DOWN: Final = "\x1b[B"
PAGE_DOWN: Final = "\x1b[6~"

GAP: Final = 0.06
"""Seconds of quiet after which a key is answered; panes follow the cursor later."""

FOLLOWED: Final = 0.8
"""Seconds of quiet after which the panes have followed."""

THIN_LINE: Final = Link(bits_per_second=256_000, round_trip=0.1)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure about a started app, and what it may be at most."""

    name: str
    subject: Subject
    measure: Callable[[Terminal], float]
    limit: float | None
    unit: str
    """B or ms."""
    link: Link | None = None

    def value(self, env: Mapping[str, str]) -> float:
        """Start the app anew and measure."""
        with self.subject.started(env, self.link) as terminal:
            return self.measure(terminal)


def _first_paint(terminal: Terminal) -> float:
    return terminal.received


def _moving(terminal: Terminal) -> float:
    return median(terminal.press(DOWN, GAP).bytes for _ in range(8))


def _followed(terminal: Terminal) -> float:
    return max(terminal.press(DOWN, FOLLOWED).bytes for _ in range(4))


def _page_down(terminal: Terminal) -> float:
    terminal.press(PAGE_DOWN, FOLLOWED)  # to the end of the page that is shown
    return terminal.press(PAGE_DOWN, GAP).bytes


def _page_followed(terminal: Terminal) -> float:
    return max(terminal.press(PAGE_DOWN, FOLLOWED).bytes for _ in range(2))


def _switch(terminal: Terminal) -> float:
    return max(terminal.press(key, FOLLOWED).bytes for key in "231")


def _opened_and_closed(terminal: Terminal, key: str, title: str) -> float:
    """Return the bytes of opening or of closing a dialog, whichever are more."""
    before = terminal.received
    terminal.send(key)
    terminal.wait_for(title)
    terminal.settle(1)
    opened = terminal.received - before
    return max(opened, terminal.press("\x1b", FOLLOWED).bytes)


def _palette(terminal: Terminal) -> float:
    return _opened_and_closed(terminal, ":", "Find anything")


def _help(terminal: Terminal) -> float:
    return _opened_and_closed(terminal, "?", "What may it do?")


def _idle(terminal: Terminal, keys: str = "") -> float:
    if keys:
        terminal.press(keys, FOLLOWED)
    terminal.settle(2)
    before = terminal.received
    terminal.pump(10)
    return terminal.received - before


def _idle_filter(terminal: Terminal) -> float:
    return _idle(terminal, "/")


def _move_time(terminal: Terminal) -> float:
    return 1000 * median(terminal.press(DOWN, GAP).seconds for _ in range(12))


def _filter_time(terminal: Terminal) -> float:
    terminal.press("s", FOLLOWED)
    terminal.press("/", FOLLOWED)
    return 1000 * median(terminal.press(key, 0.15).seconds for key in "eks\x7f\x7f\x7f")


def _held_key(terminal: Terminal) -> float:
    terminal.press("s", 1.5)
    return 1000 * terminal.hold(DOWN, per_second=30, seconds=3).seconds


BYTES = (
    Row("first paint", NARROW, _first_paint, 8_000, "B"),
    Row("first paint", WIDE, _first_paint, 13_000, "B"),
    Row("cursor move, while moving", NARROW, _moving, 400, "B"),
    Row("cursor move, while moving", WIDE, _moving, 400, "B"),
    Row("cursor move, panes followed", NARROW, _followed, 3_000, "B"),
    Row("cursor move, panes followed", WIDE, _followed, 3_000, "B"),
    Row("page down", NARROW, _page_down, 2_700, "B"),
    Row("page down", WIDE, _page_down, 2_700, "B"),
    Row("page down, panes followed", NARROW, _page_followed, 5_000, "B"),
    Row("page down, panes followed", WIDE, _page_followed, 5_000, "B"),
    Row("switching a pane", NARROW, _switch, 5_000, "B"),
    Row("switching a pane", WIDE, _switch, 5_000, "B"),
    Row("opening or closing what finds anything", WIDE, _palette, 3_000, "B"),
    Row("opening or closing the help", NARROW, _help, 3_000, "B"),
    Row("opening or closing the help", WIDE, _help, 3_000, "B"),
    Row("ten idle seconds, list", NARROW, _idle, 0, "B"),
    Row("ten idle seconds, filter", NARROW, _idle_filter, 0, "B"),
)

TIMES = (
    Row("key to last byte, move", NARROW, _move_time, 10, "ms"),
    Row("key to last byte, filter over all policies", NARROW, _filter_time, 65, "ms"),
    Row("held key, 256 kbit/s and 100 ms, last key to last byte", NARROW, _held_key, 300, "ms", THIN_LINE),
    Row(
        "the same with Textual's own driver",
        replace(NARROW, env={"EKSTUI_DRIVER": "plain"}),
        _held_key,
        None,
        "ms",
        THIN_LINE,
    ),
)
