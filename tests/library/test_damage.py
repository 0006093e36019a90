"""A flipped bit in the cache or a state file: the right answer, or a report and a rebuild; nothing else.

With EKSTUI_TORTURE it is 5,000 flips or more.
"""

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui import files
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.iam.reference import reference_version
from ekstui.library import AccountChoice, Library
from ekstui.library.feed import changes_feed
from ekstui.library.maintenance import index_cache
from ekstui.library.own_account import Account
from ekstui.library.remembered import seen_versions
from ekstui.library.searching import who_can_answer
from ekstui.sources.aws.credentials import caller_digest
from ekstui.sources.corpus import Corpus
from ekstui.store import accounts
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from tests.store.policies import document, fill_from_the_corpus, history, provenance
from tests.support.accounts import snapshot
from tests.support.effort import EFFORT

FLIPS = 150 if EFFORT == 1 else max(5_000, 600 * EFFORT)

CNI = "AmazonEKS_CNI_Policy"
ACTION = "ec2:DescribeSecurityGroups"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a synced and indexed cache of the EKS family, an account's snapshot, and the versions that were seen."""
    home = tmp_path_factory.mktemp("whole")
    store = fill_from_the_corpus(home / "cache", family=True)
    cni = store.policy(CNI)
    newer = history({7: (NOW, document(ACTION))}, name=CNI)
    newer = newer._replace(policy=type(cni)(CNI, cni.arn, 7, newer.policy.versions))
    store.put([pack(newer)], DeliveryInfo(provenance("aws", 1)._replace(as_of=NOW), NOW, synced_at=NOW), undoable=True)
    assert index_cache(Library(Corpus.bundled(), PolicyStore(store.file)))
    accounts.store(home / "cache" / "accounts", snapshot(), "digest")
    return home


def answers(library: Library) -> dict[str, object]:
    """What one user asks; each part is read from another place of the files."""
    policy = library.find(CNI).policy
    return {
        "list": [entry.policy for entry in library.policies("eks")],
        "show": library.document_json(policy),
        "old version": library.document_json(policy, 3),
        "who-can": [(holder.policy.name, holder.version) for holder in who_can_answer(library, ACTION).holders],
        "changes": changes_feed(library, datetime(2026, 1, 1, tzinfo=UTC)).changes,
        "data": library.data(),
        "reference": library.cached(lambda: library.store.outlines(reference_version())),
    }


def known_account(home: Path) -> AccountSnapshot | None:
    """The stored snapshot, None if it is reported as damaged."""
    try:
        return accounts.load(home / "cache" / "accounts", "aws", snapshot().identity.account)
    except accounts.StoreError:
        return None


def flips(content: bytes, seed: str) -> Iterator[bytes]:
    chance = random.Random(seed)
    while True:
        flip = bytearray(content)
        for _ in range(chance.choice((1, 1, 1, 3))):
            place = chance.randrange(len(flip))
            flip[place] ^= 1 << chance.randrange(8) if chance.random() < 0.5 else chance.randrange(1, 256)
        yield bytes(flip)


def test_every_flip_in_the_policies_gives_the_right_answer_or_is_reported_and_rebuilt(
    filled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit in a policy's partition once lost it from who-can until the cache was verified."""
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path))
    bundled_answers = answers(Library.open())
    shutil.copy(filled_home / "cache" / "policies.db", tmp_path)
    right_answers = answers(Library.open())
    assert right_answers != bundled_answers
    content, reports = (tmp_path / "policies.db").read_bytes(), 0
    for number, flip in zip(range(FLIPS // 2), flips(content, "policies"), strict=False):
        # Most of the file is documents: every third flip goes where everything else stands.
        (tmp_path / "policies.db").write_bytes(flip if number % 3 else flip[:4096] + content[4096:])
        library = Library.open()
        answer_by_part = answers(library)
        notices = library.notices()
        reports += bool(notices)
        for part, answer in answer_by_part.items():
            assert answer == right_answers[part] or (answer == bundled_answers[part] and notices), (number, part)
        for file_aside in tmp_path.glob("*.aside-*"):
            file_aside.unlink()
    assert reports > FLIPS // 20


def test_every_flip_in_a_snapshot_gives_the_snapshot_or_is_reported(filled_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(filled_home, home)
    (path,) = (home / "cache" / "accounts").glob("*.db")
    stored_snapshot, content = known_account(home), path.read_bytes()
    assert stored_snapshot == snapshot()
    for _, flip in zip(range(FLIPS // 3), flips(content, "account"), strict=False):
        path.write_bytes(flip)
        assert known_account(home) in (stored_snapshot, None)


def test_a_damaged_snapshot_is_called_damaged_and_not_taken_for_none(tmp_path: Path) -> None:
    folder = tmp_path / "accounts"
    accounts.store(folder, snapshot(), caller_digest(None))
    (path,) = folder.glob("*.db")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE object SET body = zeroblob(20)")
    account = Account(AccountChoice(offline=True), folder)
    assert account.last_snapshot() is None
    (notice,) = account.notices()
    assert "damaged" in notice
    path.write_bytes(b"no cache at all" * 100)
    account = Account(AccountChoice(offline=True), folder)
    assert account.last_snapshot() is None
    assert "damaged" in account.notices()[0]


def test_every_flip_in_what_was_looked_at_leaves_marks_or_starts_over(tmp_path: Path) -> None:
    policies = list(Corpus.bundled().policies("eks"))
    seen_versions().changed_since([], datetime(2026, 8, 1, tzinfo=UTC))
    changed_arns = seen_versions().changed_since(policies, NOW)
    assert changed_arns
    path = files.state_dir() / "looked.json"
    content = path.read_bytes()
    for _, flip in zip(range(FLIPS // 6), flips(content, "looked"), strict=False):
        path.write_bytes(flip)
        assert seen_versions().changed_since(policies, NOW) <= frozenset(policy.arn for policy in policies)
        path.write_bytes(content)
    assert seen_versions().changed_since(policies, NOW) == changed_arns
