"""The exit codes that scripts rely on, and the gates: options that turn an answer into exit code 1."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from ekstui.core.change import Change
    from ekstui.core.grants import Reach
    from ekstui.core.reach.judgement import Denies


class ExitCode(IntEnum):
    """How the process ended; 128 + n means by signal n."""

    DONE = 0
    NOTHING = 1
    """Nothing was found: an unknown policy or version, no match for who-can, attached or changes proven empty."""
    USAGE = 2
    """A wrong option, or input that cannot be read."""
    NO_ACCOUNT = 3
    """The account could not be asked at all, or there is no snapshot for --offline."""
    NO_DATA = 4
    """Neither the corpus nor the cache can be read."""
    BROKEN = 70
    """A bug in ekstui (EX_SOFTWARE of sysexits)."""
    NO_OUTPUT = 74
    """Standard output cannot be written (EX_IOERR of sysexits)."""
    INTERRUPTED = 130
    """Ended by SIGINT."""


Direction = Literal["widened", "narrowed", "any"]

_FAILS: dict[Direction, frozenset[Reach]] = {
    "widened": frozenset({"widened", "mixed", "unknown"}),
    "narrowed": frozenset({"narrowed", "mixed", "unknown"}),
    "any": frozenset({"widened", "narrowed", "mixed", "unknown"}),
}
"""The reaches that fail each gate; an unknown reach fails all of them, since it may be the change to stop."""


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """Add the gate on how access changed."""
    parser.add_argument(
        "--fail-on",
        choices=tuple(_FAILS),
        help="exit with 1 if access was widened, narrowed, or either (any), or if that cannot be decided",
    )


def add_exit_code(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add the gate on whether the answer is a good one."""
    parser.add_argument("--exit-code", action="store_true", help=help_text)


def gate(fails: bool) -> int:
    """Return a gate's exit code."""
    return ExitCode.NOTHING if fails else ExitCode.DONE


_DENIED: dict[Denies, Reach] = {"less": "widened", "more": "narrowed", "otherwise": "unknown"}


def reaches_of(change: Change | None) -> Iterator[Reach]:
    """Yield what a change may mean for whoever has other policies too; None is a change that cannot be judged.

    A Deny that is gone widens what those policies allow, and a new one narrows it.
    """
    yield "unknown" if change is None else change.reach
    if change is not None and change.denied is not None:
        yield _DENIED[change.denied]


def fails_on(direction: Direction | None, reaches: Iterable[Reach]) -> bool:
    """Return whether any of the reaches fails the gate; without a gate none does."""
    return direction is not None and any(reach in _FAILS[direction] for reach in reaches)
