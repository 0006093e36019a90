"""The index gives the answers that the documents give."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui.core.document import Document, parse_text, serialise
from ekstui.core.feed import newest_first, steps_since
from ekstui.core.history import PolicyHistory
from ekstui.core.steps import StepCounts
from ekstui.core.targets import Candidate, candidate_of, read_numbers, target_uses, written_numbers
from ekstui.store import census
from ekstui.store.database import Database
from ekstui.store.errors import AbsentCacheError, DamagedCacheError
from ekstui.store.index_rows import STEPS
from ekstui.store.indexing import index
from ekstui.store.policies import PolicyCache
from ekstui.store.schema import APPLICATION_ID, MIGRATIONS
from ekstui.store.searching import candidates, feed
from tests.store.policies import document, fill_from_the_corpus, history, moment, put

JUDGES = "reference 1"


def make_index(cache: PolicyCache, judges: str = JUDGES) -> list[int]:
    """Index the cache and return how many policies were done at each report."""
    done: list[int] = []
    assert index(cache, judges, lambda count, _: done.append(count), lambda: False)
    return done


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> PolicyCache:
    cache = fill_from_the_corpus(tmp_path_factory.mktemp("family"), family=True)
    make_index(cache)
    return cache


def documents_of(entry: PolicyHistory) -> dict[int, Document]:
    return {number: parse_text(text) for number, text in entry.texts.items()}


def said(candidate: Candidate) -> tuple[str, tuple[int, ...], object]:
    """What a candidate says, whatever the document's version and Sids."""
    return candidate.policy.name, candidate.allowing, serialise(candidate.document)["Statement"]


@pytest.mark.parametrize(
    "action",
    [
        "ec2:DescribeSecurityGroups",
        "EC2:describesubnets",
        "ec2:Describe*",
        "shield:CreateProtection",
        "iam:CreateServiceLinkedRole",
        "ecr:*",
        "*",
        "nosuch:Action",
        "nocolon",
    ],
)
def test_candidates_are_those_of_the_documents(family: PolicyCache, action: str) -> None:
    by_hand = [candidate_of(entry.policy, documents_of(entry), action.lower()) for entry in family.histories()]
    expected = [said(candidate) for candidate in by_hand if candidate]
    assert [said(candidate) for candidate in candidates(family, action)] == expected
    assert [said(candidate) for candidate in candidates(family, action, family=True)] == expected


def test_a_candidate_knows_since_which_version_it_is_one(family: PolicyCache) -> None:
    (cni,) = [each for each in candidates(family, "ec2:DescribeSecurityGroups") if "CNI" in each.policy.name]
    assert cni.allowing == (6,)
    (statement,) = cni.document.statements
    assert statement.actions == ("ec2:DescribeSecurityGroups",)


@pytest.mark.parametrize("since", [None, datetime(2026, 2, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)])
def test_the_feed_is_that_of_the_documents(family: PolicyCache, since: datetime | None) -> None:
    steps = [step for entry in family.histories() for step in steps_since(entry.policy, documents_of(entry), since)]
    assert feed(family, since, JUDGES) == newest_first(steps)
    if since is None:
        assert len(steps) == sum(len(policy.versions) for policy in family.policies())


def test_not_action_lists_and_denials_are_found(tmp_path: Path) -> None:
    cache = PolicyCache.in_folder(tmp_path)
    everything_but_iam = (
        b'{"Statement": [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:List"], "Resource": "*"},'
        b'{"Effect": "Deny", "Action": "s3:Get*", "Resource": "arn:aws:s3:::a/*"}]}'
    )
    put(cache, history({1: (None, document("s3:GetObject")), 3: (None, everything_but_iam)}), "archive", 1)
    make_index(cache)
    (candidate,) = candidates(cache, "s3:GetObject")
    assert candidate.allowing == (1, 3)
    assert [statement.effect for statement in candidate.document.statements] == ["Allow", "Deny"]
    assert len(candidates(cache, "organizations:ListRoots")) == 1
    assert candidates(cache, "iam:PassRole") == ()
    assert candidates(cache, "organizations:List") == ()


def test_only_what_changed_is_indexed_again(tmp_path: Path) -> None:
    cache = PolicyCache.in_folder(tmp_path)
    for name in "ABC":
        put(cache, history({1: (moment(1), document("a:one"))}, name=name), "archive", 1)
    with pytest.raises(AbsentCacheError):
        candidates(cache, "a:one")
    assert make_index(cache) == [0, 3]
    assert make_index(cache) == []  # so nobody is told of work that there is none of
    put(cache, history({2: (moment(2), document("a:two"))}, name="B"), "archive", 2)
    with pytest.raises(AbsentCacheError):
        candidates(cache, "a:one")
    assert make_index(cache) == [2, 3]
    assert [each.policy.name for each in candidates(cache, "a:two")] == ["B"]
    assert [each.policy.name for each in candidates(cache, "a:one")] == ["A", "C"]
    put(cache, history({1: (moment(1), document("a:three"))}, name="C"), "aws", 3)
    assert make_index(cache) == [2, 3]
    assert [each.policy.name for each in candidates(cache, "a:three")] == ["C"]
    with pytest.raises(AbsentCacheError):
        feed(cache, None, "reference 2")
    assert make_index(cache, "reference 2") == [0, 3]
    assert [(step.policy, step.previous) for step in feed(cache, None, "reference 2")] == [
        ("B", 1), ("A", None), ("B", None), ("C", None)
    ]  # fmt: skip


def test_an_index_from_before_new_policies_were_told_is_made_again(tmp_path: Path) -> None:
    old = PolicyCache(Database(tmp_path / "policies.db", APPLICATION_ID, MIGRATIONS[:2]))
    put(old, history({1: (moment(1), document("a:one"))}), "archive", 1)
    with old.database.writing() as connection:
        connection.execute("INSERT INTO indexed SELECT id, seal, ? FROM policy", (JUDGES,))
        census.put_down(connection, STEPS, ())
    assert feed(old, None, JUDGES) == ()
    cache = PolicyCache.in_folder(tmp_path)
    with pytest.raises(AbsentCacheError):
        feed(cache, None, JUDGES)
    make_index(cache)
    (step,) = feed(cache, None, JUDGES)
    assert (step.version, step.previous, step.change) == (1, None, StepCounts("new", None, 1, 0, 0))


def test_indexing_can_be_stopped_and_goes_on(tmp_path: Path) -> None:
    cache = PolicyCache.in_folder(tmp_path)
    for number in range(60):
        put(cache, history({1: (None, document("a:one"))}, name=f"P{number:02}"), "archive", 1)
    done: list[int] = []
    assert not index(cache, JUDGES, lambda count, _: done.append(count), lambda: done[-1] == 25)
    assert make_index(cache) == [25, 50, 60]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE use SET versions = '1'",
        "UPDATE statement SET text = replace(text, '*', '?')",
        "UPDATE target SET actions = 'a:two' WHERE actions = 'a:one'",
    ],
)
def test_a_changed_row_is_damage(tmp_path: Path, damage: str) -> None:
    cache = PolicyCache.in_folder(tmp_path)
    put(cache, history({1: (None, document("a:one")), 2: (None, document("a:one"))}), "archive", 1)
    make_index(cache)
    with closing(sqlite3.connect(cache.database.path)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(DamagedCacheError):
        candidates(cache, "a:*")


def test_version_numbers_are_written_as_runs() -> None:
    for numbers in [(), (1,), (1, 2, 3), (1, 3, 4, 7), tuple(range(1, 200, 3))]:
        assert read_numbers(written_numbers(numbers)) == numbers
    assert written_numbers((1, 2, 3, 6)) == "1-3,6"
    uses = target_uses({1: parse_text(document("a:B")), 2: parse_text(document("a:C"))}, 2)
    assert [(use.actions, use.versions, use.statements, use.service) for use in uses] == [
        (("a:B",), (1,), (), "a"),
        (("a:C",), (2,), (0,), "a"),
    ]
