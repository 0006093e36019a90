"""The changes of a policy per quarter."""

from datetime import UTC, datetime

import pytest

from ekstui.core.steps import Step, StepCounts, changes_per_quarter, quarter_label, quarter_of
from ekstui.library import Library
from tests.core.corpus import raw_corpus

NEWEST = datetime(2026, 8, 26, tzinfo=UTC)


def step(version: int, day: str | None, kind: str | None = "actions") -> Step:
    change = None if kind is None else StepCounts(kind, "widened", 1, 0, 0)  # type: ignore[arg-type]
    created = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
    return Step(version, created, False, (), change)


@pytest.mark.parametrize(
    ("steps", "first", "counts", "undated"),
    [
        # The first version is compared with none; nothing happens after it.
        ([step(1, "2026-01-01", None)], "26Q1", (0, 0, 0), 0),
        # The days at both ends of a quarter belong to it, and a year's end is no gap.
        (
            [
                step(1, "2025-12-31", None),
                step(2, "2026-01-01"),
                step(3, "2026-03-31", "scope"),
                step(4, "2026-04-01"),
            ],
            "25Q4",
            (0, 2, 1, 0),
            0,
        ),
        # What changes nothing is no change.
        ([step(1, "2026-04-01", None), step(2, "2026-05-01", "none")], "26Q2", (0, 0), 0),
        # A date that nobody knows is put into no quarter, even between two that are known.
        ([step(1, "2026-01-01", None), step(2, None), step(3, "2026-07-01")], "26Q1", (0, 0, 1), 1),
        # A source may know of a version later than the day that all are known until.
        ([step(1, "2026-07-01", None), step(2, "2026-11-01")], "26Q3", (0, 1), 0),
    ],
)
def test_changes_are_counted_in_their_quarter(
    steps: list[Step], first: str, counts: tuple[int, ...], undated: int
) -> None:
    found = changes_per_quarter(steps, NEWEST)
    assert found is not None
    assert (quarter_label(found.first), found.counts, found.undated) == (first, counts, undated)


def test_without_any_date_there_are_no_quarters() -> None:
    assert changes_per_quarter([step(1, None, None), step(2, None)], NEWEST) is None
    assert changes_per_quarter([], NEWEST) is None


def test_over_the_family_every_change_is_counted_once_and_within_the_days_of_its_versions() -> None:
    library = Library.open()
    days = {policy["name"]: [version["created"] for version in policy["versions"]] for policy in raw_corpus()}
    for entry in library.policies("eks"):
        steps = library.timeline(entry.policy)
        found = changes_per_quarter(steps, NEWEST)
        assert found is not None
        changed = [each for each in steps if each.change and each.change.kind != "none"]
        assert sum(found.counts) + found.undated == len(changed)
        known = sorted(day for day in days[entry.policy.name] if day)
        assert found.first == quarter_of(datetime.fromisoformat(known[0]))
        assert found.first + len(found.counts) - 1 == quarter_of(NEWEST)
