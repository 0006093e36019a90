"""Gates: options that turn an answer into exit code 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from ekstui.cli.parser import ExitCode, argument

if TYPE_CHECKING:
    from ekstui.change.comparison import Change
    from ekstui.change.reach import Denies
    from ekstui.iam.grants import Reach

FailingDirection = Literal["widened", "narrowed", "any"]

_FAILS: dict[FailingDirection, frozenset[Reach]] = {
    "widened": frozenset({"widened", "mixed", "unknown"}),
    "narrowed": frozenset({"narrowed", "mixed", "unknown"}),
    "any": frozenset({"widened", "narrowed", "mixed", "unknown"}),
}
"""The reaches that fail each gate; an unknown reach fails all of them, since it may be the change to stop."""

FAIL_ON = argument(
    "--fail-on",
    choices=tuple(_FAILS),
    help="exit with 1 if access was widened, narrowed, or either (any), or if that cannot be decided",
)
"""The gate on how access changed."""


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


def fails_on(direction: FailingDirection | None, reaches: Iterable[Reach]) -> bool:
    """Return whether any of the reaches fails the gate; without a gate none does."""
    return direction is not None and any(reach in _FAILS[direction] for reach in reaches)
