"""Gates for scripts and CI: an exit code of 1 where what was asked about is so. Without one, an answer is 0."""

import argparse
from collections.abc import Iterable
from typing import Literal

from ekstui.cli.exit_code import ExitCode
from ekstui.core.grants import Reach

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
