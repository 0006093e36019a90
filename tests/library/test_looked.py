"""The marks of what changed since the user last looked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui import files
from ekstui.change.policy import Policy, VersionInfo
from ekstui.library import Library
from ekstui.library.cache_file import clear_cache
from ekstui.library.remembered import RememberedPlace, SeenVersions, forget_place, keep_place, kept_place, seen_versions


def in_september(day: int) -> datetime:
    return datetime(2026, 9, day, tzinfo=UTC)


def policy(name: str, *days: int) -> Policy:
    versions = tuple(VersionInfo(number, in_september(day)) for number, day in enumerate(days, 1))
    return Policy(name, f"arn:aws:iam::aws:policy/{name}", len(days), versions)


@pytest.fixture
def record(tmp_path: Path) -> SeenVersions:
    return SeenVersions(tmp_path / "state" / "looked.json")


def test_nothing_is_marked_at_first_and_then_what_changed_until_it_is_looked_at(record: SeenVersions) -> None:
    before = [policy("A", 1), policy("B", 1, 2), policy("C", 3)]
    assert record.changed_since(before, in_september(5)) == frozenset()
    after = [policy("A", 1, 6), policy("B", 1, 2, 7), policy("C", 3), policy("D", 8)]
    assert record.changed_since(after, in_september(8)) == {after[0].arn, after[1].arn, after[3].arn}
    record.mark_seen(after[:1])
    assert record.changed_since(after, in_september(8)) == {after[1].arn, after[3].arn}
    # The same policy changes once more.
    assert after[0].arn in record.changed_since([policy("A", 1, 6, 9)], in_september(9))


def test_a_version_of_unknown_time_is_not_marked(record: SeenVersions) -> None:
    record.changed_since([], in_september(5))
    undated_policy = policy("A", 1)._replace(versions=(VersionInfo(1, None),))
    assert record.changed_since([undated_policy], in_september(6)) == frozenset()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"until": 3}', '{"until": "noon", "versions": {}}', "[" * 9999])
def test_a_file_that_cannot_be_read_marks_nothing_and_is_rewritten(record: SeenVersions, content: str) -> None:
    record.path.parent.mkdir()
    record.path.write_text(content)
    assert record.changed_since([policy("A", 1, 6)], in_september(6)) == frozenset()
    assert record.changed_since([policy("A", 1, 7)], in_september(7)) == {policy("A", 1).arn}


def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    record = SeenVersions(tmp_path / "file" / "looked.json")
    assert record.changed_since([policy("A", 1)], in_september(2)) == frozenset()
    record.mark_seen([policy("A", 1)])


def test_clearing_the_cache_leaves_the_marks() -> None:
    library = Library.open()

    def changed_arns() -> frozenset[str]:
        return seen_versions().changed_since(
            [entry.policy for entry in library.policies()], datetime(2026, 8, 1, tzinfo=UTC)
        )

    assert changed_arns() == frozenset()
    assert files.state_dir() in seen_versions().path.parents
    clear_cache(library)
    assert seen_versions().path.exists()
    marked_arns = changed_arns()
    policy = next(entry.policy for entry in library.policies() if entry.policy.arn in marked_arns)
    seen_versions().mark_seen([policy])
    assert changed_arns() == marked_arns - {policy.arn}


def test_only_what_was_looked_at_stops_being_marked(record: SeenVersions) -> None:
    record.mark_seen([policy("A", 1)])
    assert not record.path.exists(), "nothing is recorded before the first look"
    record.changed_since([], in_september(5))
    # A change at the very time until which everything counts as seen is no news.
    assert record.changed_since([policy("A", 1, 5)], in_september(8)) == frozenset()
    record.mark_seen([policy("A", 1, 6, 7)])
    content = record.path.read_bytes()
    # Neither an older version nor the same one again changes what was seen.
    record.mark_seen([policy("A", 1, 6)])
    record.mark_seen([policy("A", 1, 6, 7)])
    assert record.path.read_bytes() == content
    assert record.changed_since([policy("A", 1, 6, 7), policy("A", 1, 6)], in_september(8)) == frozenset()


@pytest.mark.parametrize("marks", ['{"arn:a": true}', '{"arn:a": "1"}', '{"a": 1}', '{"arn:a": 1.0}', "[]"])
def test_marks_that_are_not_numbers_of_versions_by_arn_count_for_nothing(record: SeenVersions, marks: str) -> None:
    record.path.parent.mkdir()
    record.path.write_text(f'{{"until": "2026-09-01T00:00:00Z", "versions": {marks}}}')
    assert record.changed_since([policy("A", 1, 6)], in_september(6)) == frozenset()


AT = datetime(2026, 9, 1, 12, tzinfo=UTC)
PLACE = RememberedPlace(AT, "eks", "arn:aws:iam::aws:policy/A", 2, "cni", ("A@v1", "A@v2", "B@v1", "C@v9"), "prod", 7)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("later", "is_offered"),
    [(timedelta(0), True), (HOUR - SECOND, True), (HOUR, False), (HOUR + SECOND, False), (-SECOND, False)],
)
def test_a_place_is_offered_for_an_hour(later: timedelta, is_offered: bool) -> None:
    assert kept_place(AT) is None
    keep_place(PLACE)
    assert kept_place(AT + later) == (PLACE if is_offered else None)
    forget_place()
    forget_place()
    assert kept_place(AT) is None


@pytest.mark.parametrize(
    ("place", "is_sound"),
    [
        (PLACE._replace(row=19_999), True),
        (PLACE._replace(row=0), True),
        (PLACE._replace(row=-1), False),
        (PLACE._replace(row=20_000), False),
        (PLACE._replace(opened="x" * 20_000), True),
        (PLACE._replace(opened="x" * 20_001), False),
        (PLACE._replace(filter="x" * 20_001), False),
        (PLACE._replace(policy="x" * 20_001), False),
        (PLACE._replace(marks=("x" * 20_001,)), False),
        (PLACE._replace(marks=("A@v1",) * 5), False),
    ],
)
def test_a_place_that_ekstui_would_not_have_kept_is_not_offered(place: RememberedPlace, is_sound: bool) -> None:
    keep_place(place)
    assert (kept_place(AT) is not None) is is_sound


def test_visitors_of_a_served_app_leave_no_place_and_see_none(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_place(PLACE)
    monkeypatch.setattr(files, "is_served", lambda: True)
    keep_place(PLACE._replace(opened="theirs"))
    assert kept_place(AT) is None
    monkeypatch.setattr(files, "is_served", lambda: False)
    assert kept_place(AT) == PLACE
