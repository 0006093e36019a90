"""A map of what changed: policies by quarter, with the sign of what each step did to the access."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from ekstui.change.steps import FeedStep, Quarter, quarter_label, quarter_of
from ekstui.iam.text import clean_line, counted
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import reach_style
from ekstui.present.short_names import ShortNames
from ekstui.present.styled import Row, Style, Styled, cells, cut_end, plain, styled
from ekstui.present.time_line import SIGNS

Direction = Literal["widened", "mixed", "narrowed", "new", "unknown"]

DIRECTIONS: tuple[tuple[Direction, str], ...] = (
    ("widened", "wider"), ("mixed", "both"), ("narrowed", "narrower"), ("new", "new"), ("unknown", "unknown"),
)  # fmt: skip
"""What steps can be asked for alone, with the words for it."""

NEW = "+"

_MOST_POLICIES = 7
_MOST_QUARTERS = 8
_LEAST_NAME = 24
"""The fewest cells for the name of a policy."""
_CELL = 5
"""The width of a quarter, in cells; of more signs the last one and their number are shown."""

_GAP = "  "


class MapPlace(NamedTuple):
    """A row of the map."""

    policy: str


def direction_of(step: FeedStep) -> Direction | None:
    """Return what a step did to the access; None if it stayed the same."""
    if step.previous is None or step.change.reach is None:
        return "new"
    return None if step.change.kind == "none" or step.change.reach == "same" else step.change.reach


def map_quarters(steps: Iterable[FeedStep], until: datetime, width: int) -> tuple[Quarter, ...]:
    """Return the quarters from the first step's to that of `until`, the last ones that fit; none if only one."""
    last = quarter_of(until)
    first = min((quarter_of(step.created) for step in steps if step.created), default=last)
    limit = min(_MOST_QUARTERS, (width - _LEAST_NAME) // (_CELL + len(_GAP)))
    quarters = tuple(range(max(first, last - limit + 1), last + 1))
    return quarters if len(quarters) > 1 else ()


def change_map(
    steps: Sequence[FeedStep], quarters: Sequence[Quarter], chosen_quarter: Quarter | None, words: Styled, width: int
) -> list[Row]:
    """Return a row with `words` and the quarters, then one row per policy, those with the most changes first."""
    room = len(quarters) * (_CELL + len(_GAP))
    names = width - room
    words = cut_end(words, names - 1)
    titles: list[tuple[str, Style]] = [*words, (" " * (names - cells(plain(words))), "")]
    for quarter in quarters:
        titles += [
            (f"{quarter_label(quarter):<{_CELL}}", "cursor" if quarter == chosen_quarter else "muted"),
            (_GAP, ""),
        ]
    rows = [Row("quarters", (tuple(titles),), selectable=False)]
    by_policy: dict[str, list[FeedStep]] = {}
    for step in steps:
        by_policy.setdefault(step.policy, []).append(step)
    busiest = sorted(by_policy, key=lambda policy: (-len(by_policy[policy]), policy))
    short_names = ShortNames(map(clean_line, by_policy))
    for policy in busiest[:_MOST_POLICIES]:
        line: list[tuple[str, Style]] = [(f"{short_names.fitted(clean_line(policy), names - 1):<{names}}", "")]
        for quarter in quarters:
            line += [*_cell([step for step in by_policy[policy] if is_in(step, quarter)]), (_GAP, "")]
        rows.append(Row(("map", policy), (tuple(line),), MapPlace(policy)))
    if (left_out := len(busiest) - _MOST_POLICIES) > 0:
        words = styled(f"and {counted(left_out, 'more policy', 'more policies')}", "muted")
        rows.append(Row("more", (words,), selectable=False))
    return rows


def is_in(step: FeedStep, quarter: Quarter) -> bool:
    """Return whether a step was made in a quarter."""
    return step.created is not None and quarter_of(step.created) == quarter


def _cell(steps: Sequence[FeedStep]) -> list[tuple[str, Style]]:
    if not steps:
        return [("·", "muted"), (" " * (_CELL - 1), "")]
    signs = [_sign(step) for step in reversed(steps)]
    if len(signs) > _CELL:
        sign, style = signs[-1]
        return [(f"{sign}×{len(signs)}"[:_CELL].ljust(_CELL), style)]
    return [*signs, (" " * (_CELL - len(signs)), "")]


def _sign(step: FeedStep) -> tuple[str, Style]:
    direction = direction_of(step)
    if direction == "new":
        return NEW, "strong"
    return SIGNS[direction or "same"], reach_style(direction)
