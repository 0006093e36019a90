"""The map of changes: policies by quarter, with a sign for what each step did."""

from datetime import UTC, datetime

import pytest

from ekstui.change.steps import FeedStep, StepCounts, quarter_label
from ekstui.present.change_map import MapPlace, change_map, direction_of, map_quarters
from ekstui.present.styled import cells, plain, styled

UNTIL = datetime(2026, 9, 30, tzinfo=UTC)


def step(policy: str, version: int, day: str, reach: str | None = "widened") -> FeedStep:
    kind = "none" if reach == "same" else "scope"
    counts = StepCounts(kind, reach, 1, 0, 0)  # type: ignore[arg-type]
    return FeedStep(policy, version, version - 1 if reach else None, datetime.fromisoformat(f"{day}T00:00Z"), counts)


STEPS = [
    step("Busy", 9, "2026-07-01"), step("Busy", 8, "2026-06-30", "narrowed"), step("Busy", 7, "2026-04-01", "mixed"),
    step("Rare", 2, "2026-01-01", "unknown"), step("New", 1, "2025-12-31", None),
]  # fmt: skip


def map_lines(width: int = 80, chosen_step: int | None = None) -> list[str]:
    quarters = map_quarters(STEPS, UNTIL, width)
    return [plain(row.cells[0]) for row in change_map(STEPS, quarters, chosen_step, styled("only"), width)]


def test_each_step_stands_in_its_quarter_oldest_first() -> None:
    titles, busy, new_line, rare = map_lines()
    assert titles.split() == ["only", "25Q4", "26Q1", "26Q2", "26Q3"]
    at = [titles.index(label) for label in ("25Q4", "26Q1", "26Q2", "26Q3")]
    assert [busy[place : place + 2].strip() for place in at] == ["·", "·", "◆▼", "▲"]
    assert [new_line[place] for place in at] == ["+", "·", "·", "·"]
    assert [rare[place] for place in at] == ["·", "?", "·", "·"]


@pytest.mark.parametrize("width", [40, 60, 80, 118])
def test_the_map_fits_any_width(width: int) -> None:
    assert {cells(line) <= width for line in map_lines(width)} == {True}
    assert map_quarters(STEPS, UNTIL, 30) == ()
    assert map_quarters(STEPS[:1], UNTIL, 80) == ()


def test_the_chosen_quarter_is_marked_and_rows_stand_for_policies() -> None:
    quarters = map_quarters(STEPS, UNTIL, 80)
    titles, *rows = change_map(STEPS, quarters, quarters[2], (), 80)
    assert [text.strip() for text, style in titles.cells[0] if style == "cursor"] == [quarter_label(quarters[2])]
    assert [row.value for row in rows] == [MapPlace("Busy"), MapPlace("New"), MapPlace("Rare")]


def test_many_policies_and_many_steps_are_counted() -> None:
    many_steps = [step(f"P{number:02}", 2, "2026-05-01") for number in range(9)]
    often = [step("Often", number, "2026-08-01") for number in range(12, 2, -1)]
    quarters = map_quarters([*many_steps, *often], UNTIL, 80)
    lines = [plain(row.cells[0]) for row in change_map([*often, *many_steps], quarters, None, (), 80)]
    assert lines[1].split() == ["Often", "·", "▲×10"]
    assert lines[-1] == "and 3 more policies"


def test_the_direction_of_a_step() -> None:
    assert [direction_of(change) for change in STEPS] == ["widened", "narrowed", "mixed", "unknown", "new"]
    assert direction_of(step("P", 2, "2026-05-01", "same")) is None
