"""The versions of a policy on a line to scale: when each was made, and whether it allowed more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from ekstui.present.blocks import reach_style
from ekstui.present.styled import Style, Styled

if TYPE_CHECKING:
    from ekstui.change.policy import Policy
    from ekstui.change.steps import Step

SIGNS = {"widened": "▲", "narrowed": "▼", "mixed": "◆", "same": "○", "unknown": "?"}
"""What a step did to the access, as one cell."""

_WORDS = {"▲": "wider", "▼": "narrower", "◆": "both", "○": "same", "?": "unknown"}

IN_FORCE = "●"

_YEAR = 3
"""The cells that the label of a year needs with the space after it."""


def step_sign(step: Step) -> tuple[str, Style]:
    """Return what a step did, as a sign with its style; for the version in force, that it is."""
    if step.default:
        return IN_FORCE, "strong"
    if step.change is None or step.change.kind == "none":
        return SIGNS["same"], "muted"
    return SIGNS[step.change.reach or "same"], reach_style(step.change.reach)


def in_force_words(policy: Policy) -> str:
    """Return what a policy's default version is called: a project's releases are in force nowhere by themselves."""
    return "newest" if policy.home else "in force"


def legend(steps: Sequence[Step], in_force: str) -> str:
    """Return what the signs of these steps mean."""
    signs = {step_sign(step)[0] for step in steps}
    words = _WORDS | {IN_FORCE: in_force}
    return " ".join(f"{sign} {meaning}" for sign, meaning in words.items() if sign in signs)


def time_line(
    steps: Sequence[Step], until: datetime, width: int, current_version: int | None = None
) -> tuple[Styled, ...]:
    """Return the line of versions with the years below it, each `width` cells long; nothing if no version has a date.

    It ends at `until`, up to which changes are known. The cell of `current_version` looks like the cursor.
    """
    days = _days(steps)
    if not days or width < 2 * _YEAR:
        return ()
    first, last = days[0], max(*days, until.timestamp())
    scale = (width - 1) / max(last - first, 1)
    places = _places([round((day - first) * scale) for day in days], width)
    cells: list[tuple[str, Style]] = [("─", "muted")] * width
    for step, place in zip(steps, places, strict=True):
        cells[place] = _merged_sign(cells[place], step_sign(step))
    for step, place in zip(steps, places, strict=True):
        if step.version == current_version:
            cells[place] = step_sign(step)[0], "cursor"
    return _runs(cells), ((_years(first, last, scale, width), "muted"),)


def _days(steps: Sequence[Step]) -> list[float]:
    """Return when the versions were made, in seconds; if unknown, when the one before or else after was."""
    times = [step.created.timestamp() for step in steps if step.created]
    if not times:
        return []
    days: list[float] = []
    for step in steps:
        days.append(max(step.created.timestamp() if step.created else 0, days[-1] if days else times[0]))
    return days


def _places(ideal_places: Sequence[int], width: int) -> list[int]:
    """Return a cell for each version, as near as possible to the wanted one; shared where there are too few."""
    if len(ideal_places) > width:
        return list(ideal_places)
    places: list[int] = []
    for place in ideal_places:
        places.append(max(place, places[-1] + 1 if places else 0))
    end = width
    for index in range(len(places) - 1, -1, -1):
        end = places[index] = min(places[index], end - 1)
    return places


def _merged_sign(before: tuple[str, Style], after: tuple[str, Style]) -> tuple[str, Style]:
    """Return the sign of a cell that several versions share."""
    signs = {before[0], after[0]}
    if after[0] == IN_FORCE or before[0] in ("─", SIGNS["same"]):
        return after
    if after[0] == SIGNS["same"] or len(signs) == 1:
        return before
    return SIGNS["unknown" if "?" in signs else "mixed"], "warn"


def _years(first: float, last: float, scale: float, width: int) -> str:
    """Return two digits of each year below its beginning where they fit; the first year is below the start."""
    begin = datetime.fromtimestamp(first, UTC).year
    labels = [" "] * width
    free = 0
    for year in range(begin, datetime.fromtimestamp(last, UTC).year + 1):
        place = max(round((datetime(year, 1, 1, tzinfo=UTC).timestamp() - first) * scale), 0)
        if place >= free and place + 2 <= width:
            labels[place : place + 2] = f"{year % 100:02}"
            free = place + _YEAR
    return "".join(labels)


def _runs(cells: Sequence[tuple[str, Style]]) -> Styled:
    runs = groupby(cells, key=lambda cell: cell[1])
    return tuple(("".join(text for text, _ in run), style) for style, run in runs)
