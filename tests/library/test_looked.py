"""The marks of what changed since the user last looked."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui import files
from ekstui.core.policy import Policy, VersionInfo
from ekstui.library import Library
from ekstui.library.maintenance import clear_cache
from ekstui.library.remembered import SeenVersions, seen_versions


def moment(day: int) -> datetime:
    return datetime(2026, 9, day, tzinfo=UTC)


def policy(name: str, *days: int) -> Policy:
    versions = tuple(VersionInfo(number, moment(day)) for number, day in enumerate(days, 1))
    return Policy(name, f"arn:aws:iam::aws:policy/{name}", len(days), versions)


@pytest.fixture
def looked(tmp_path: Path) -> SeenVersions:
    return SeenVersions(tmp_path / "state" / "looked.json")


def test_nothing_is_marked_at_first_and_then_what_changed_until_it_is_looked_at(looked: SeenVersions) -> None:
    before = [policy("A", 1), policy("B", 1, 2), policy("C", 3)]
    assert looked.changed_since(before, moment(5)) == frozenset()
    after = [policy("A", 1, 6), policy("B", 1, 2, 7), policy("C", 3), policy("D", 8)]
    assert looked.changed_since(after, moment(8)) == {after[0].arn, after[1].arn, after[3].arn}
    looked.mark_seen(after[:1])
    assert looked.changed_since(after, moment(8)) == {after[1].arn, after[3].arn}
    # The same policy changes once more.
    assert after[0].arn in looked.changed_since([policy("A", 1, 6, 9)], moment(9))


def test_a_version_of_unknown_time_is_not_marked(looked: SeenVersions) -> None:
    looked.changed_since([], moment(5))
    undated = policy("A", 1)._replace(versions=(VersionInfo(1, None),))
    assert looked.changed_since([undated], moment(6)) == frozenset()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"until": 3}', '{"until": "noon", "versions": {}}', "[" * 9999])
def test_a_file_that_cannot_be_read_marks_nothing_and_is_rewritten(looked: SeenVersions, content: str) -> None:
    looked.path.parent.mkdir()
    looked.path.write_text(content)
    assert looked.changed_since([policy("A", 1, 6)], moment(6)) == frozenset()
    assert looked.changed_since([policy("A", 1, 7)], moment(7)) == {policy("A", 1).arn}


def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    looked = SeenVersions(tmp_path / "file" / "looked.json")
    assert looked.changed_since([policy("A", 1)], moment(2)) == frozenset()
    looked.mark_seen([policy("A", 1)])


def test_clearing_the_cache_leaves_the_marks() -> None:
    library = Library.open()

    def changed() -> frozenset[str]:
        return seen_versions().changed_since(
            [entry.policy for entry in library.policies()], datetime(2026, 8, 1, tzinfo=UTC)
        )

    assert changed() == frozenset()
    assert files.state_dir() in seen_versions().path.parents
    clear_cache(library)
    assert seen_versions().path.exists()
    marked = changed()
    assert "arn:aws:iam::aws:policy/AmazonEKSNetworkingPolicy" in marked
    seen_versions().mark_seen([library.find("AmazonEKSNetworkingPolicy").policy])
    assert changed() == marked - {"arn:aws:iam::aws:policy/AmazonEKSNetworkingPolicy"}
