"""What happens when several sources speak of the same policy."""

from pathlib import Path

import pytest

from ekstui.core.policy import VersionInfo
from ekstui.store.policies import PolicyCache
from tests.store.policies import document, history, moment, put

A, B = document("ec2:A"), document("ec2:B")
B_SPELLED_OTHERWISE = b" " + B.replace(b": ", b":")


@pytest.fixture
def cache(tmp_path: Path) -> PolicyCache:
    cache = PolicyCache.in_folder(tmp_path)
    put(cache, history({1: (moment(1), A), 2: (None, B)}), "archive", 10)
    return cache


def test_what_is_put_in_comes_out(cache: PolicyCache) -> None:
    assert cache.history("P") == history({1: (moment(1), A), 2: (None, B)})
    assert cache.text("P", 2) == B


def test_putting_the_same_in_again_changes_nothing(cache: PolicyCache) -> None:
    stored = put(cache, history({1: (moment(1), A), 2: (None, B_SPELLED_OTHERWISE)}), "archive", 11)
    assert (stored.changed, stored.new_versions, stored.conflicts) == (False, (), ())
    assert cache.text("P", 2) == B


def test_a_new_version_of_a_newer_source_becomes_the_default(cache: PolicyCache) -> None:
    stored = put(cache, history({3: (moment(11), A)}), "aws", 12)
    assert stored.new_versions == (3,)
    assert cache.policy("P").default_version == 3
    assert cache.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, None), VersionInfo(3, moment(11)))


def test_an_older_source_adds_versions_but_does_not_choose_the_default(cache: PolicyCache) -> None:
    put(cache, history({3: (moment(11), A)}), "aws", 12)
    stored = put(cache, history({1: (moment(1), A), 4: (moment(5), B)}, default=1), "archive", 9)
    assert stored.new_versions == (4,)
    assert cache.policy("P").default_version == 3


def test_an_archives_other_document_for_a_version_is_reported_and_not_taken(cache: PolicyCache) -> None:
    stored = put(cache, history({2: (None, A)}), "archive", 20)
    assert stored.conflicts == (2,)
    assert cache.text("P", 2) == B


def test_awss_other_document_for_a_version_is_reported_and_taken(cache: PolicyCache) -> None:
    stored = put(cache, history({2: (None, A)}), "aws", 20)
    assert stored.conflicts == (2,)
    assert cache.text("P", 2) == A


def test_a_time_fills_a_gap_and_only_awss_replaces_another(cache: PolicyCache) -> None:
    put(cache, history({1: (moment(2), A), 2: (moment(3), B)}), "archive", 20)
    assert cache.policy("P").versions == (VersionInfo(1, moment(1)), VersionInfo(2, moment(3)))
    put(cache, history({1: (moment(2), A), 2: (moment(4), B)}), "aws", 20)
    assert cache.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))
    put(cache, history({1: (None, A), 2: (None, B)}), "aws", 21)
    assert cache.policy("P").versions == (VersionInfo(1, moment(2)), VersionInfo(2, moment(4)))


def test_partitions_are_kept_apart(cache: PolicyCache) -> None:
    china = PolicyCache(cache.database, "aws-cn")
    assert china.names() == ()
    assert cache.names() == ("P",)


def test_awss_default_is_taken_although_the_clock_went_back(cache: PolicyCache) -> None:
    put(cache, history({3: (moment(11), A)}), "aws", 20)
    put(cache, history({4: (moment(12), B)}), "aws", 2)
    assert cache.policy("P").default_version == 4
