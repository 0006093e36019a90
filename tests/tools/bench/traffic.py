"""The time from a key to the last byte."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from tests.support.terminal import Link, Terminal
from tests.tools.bench.subject import NARROW, Subject

DOWN: Final = "\x1b[B"
PAGE_DOWN: Final = "\x1b[6~"

GAP: Final = 0.06
"""Seconds of quiet after which a key is answered; panes follow the cursor later."""

FOLLOWED: Final = 0.8
"""Seconds of quiet after which the panes have followed."""

THIN_LINE: Final = Link(bits_per_second=256_000, round_trip=0.1)


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a started app in milliseconds, and what it may be at most."""

    name: str
    subject: Subject
    measure: Callable[[Terminal], float]
    limit: float | None
    link: Link | None = None

    def value(self, env: Mapping[str, str]) -> float:
        """Start the app anew and measure."""
        with self.subject.started(env, self.link) as terminal:
            return self.measure(terminal)


def _move_time(terminal: Terminal) -> float:
    return 1000 * median(terminal.press(DOWN, GAP).seconds for _ in range(12))


def _filter_time(terminal: Terminal) -> float:
    terminal.press("s", FOLLOWED)
    terminal.press("/", FOLLOWED)
    return 1000 * median(terminal.press(key, 0.15).seconds for key in "eks\x7f\x7f\x7f")


def _held_key(terminal: Terminal) -> float:
    terminal.press("s", 1.5)
    return 1000 * terminal.hold(DOWN, per_second=30, seconds=3).seconds


TIMES = (
    Row("key to last byte, move", NARROW, _move_time, 10),
    Row("key to last byte, filter over all policies", NARROW, _filter_time, 65),
    Row("held key, 256 kbit/s and 100 ms, last key to last byte", NARROW, _held_key, 300, THIN_LINE),
    Row(
        "the same with Textual's own driver",
        replace(NARROW, env={"EKSTUI_DRIVER": "plain"}),
        _held_key,
        None,
        THIN_LINE,
    ),
)
