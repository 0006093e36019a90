"""The exit codes, which scripts rely on, and the gates: 1 where what was asked about is so. Without one, an answer is 0."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ekstui.core.grants import Reach


class ExitCode(IntEnum):
    """What the process says when it ends; 128 + n means ended by signal n."""

    DONE = 0
    NOTHING = 1
    """Unknown policy or version, who-can without a match, attached or changes proven empty."""
    USAGE = 2
    """A wrong flag, or input that cannot be read."""
    NO_ACCOUNT = 3
    """The account could not be asked at all, or --offline without a snapshot."""
    NO_DATA = 4
    """Neither corpus nor cache can be read."""
    BROKEN = 70
    """An error of our own, EX_SOFTWARE of sysexits."""
    NO_OUTPUT = 74
    """Standard output cannot be written, EX_IOERR of sysexits."""
    INTERRUPTED = 130
    """Ended by SIGINT."""


Direction = Literal["widened", "narrowed", "any"]

_FAILS: dict[Direction, frozenset[Reach]] = {
    "widened": frozenset({"widened", "mixed", "unknown"}),
    "narrowed": frozenset({"narrowed", "mixed", "unknown"}),
    "any": frozenset({"widened", "narrowed", "mixed", "unknown"}),
}
"""What fails a gate. What cannot be judged may be what the gate is there to stop."""


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """Declare the gate on how access changed."""
    parser.add_argument(
        "--fail-on",
        choices=tuple(_FAILS),
        help="exit with 1 if access was widened, narrowed or either; what cannot be judged fails too",
    )


def add_exit_code(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Declare the gate on whether the answer is what one hopes for."""
    parser.add_argument("--exit-code", action="store_true", help=help_text)


def gate(fails: bool) -> int:
    """Return the exit code of a gate."""
    return ExitCode.NOTHING if fails else ExitCode.DONE


def fails_on(direction: Direction | None, reaches: Iterable[Reach]) -> bool:
    """Return whether one of the reaches fails the gate; without one nothing does."""
    return direction is not None and any(reach in _FAILS[direction] for reach in reaches)
