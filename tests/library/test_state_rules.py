"""Rules about stored state that one would take for granted, each of which was once broken unnoticed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui.core.account_snapshot import AccountSnapshot
from ekstui.core.explain import Question
from ekstui.core.notation import FileSide
from ekstui.core.uses import uses_in
from ekstui.errors import AccountError
from ekstui.library import AccountChoice, Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.own_account import FRESH, Account
from ekstui.library.syncing import undo_sync
from ekstui.sources.corpus import Corpus
from ekstui.store import accounts
from ekstui.store.policy_store import DeliveryInfo, PolicyStore
from tests.accounts import snapshot
from tests.store.policies import fill_from_the_corpus, provenance

ASKED = replace(snapshot(), complete=True, fetched_at=datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """AWS, which answers with ASKED; the list has an entry for each time it was asked."""
    asked: list[str] = []

    def ask(*_: object) -> AccountSnapshot:
        asked.append("AWS")
        return ASKED

    monkeypatch.setattr(Account, "_ask", ask)
    return asked


def aged(age: timedelta, *, complete: bool = True) -> AccountSnapshot:
    return replace(snapshot(), complete=complete, fetched_at=datetime.now(UTC) - age)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("age", "complete", "fresh"),
    [(FRESH - MINUTE, True, True), (FRESH + MINUTE, True, False), (MINUTE, False, False), (None, True, False)],
)
def test_only_a_complete_snapshot_of_the_last_minutes_answers_in_place_of_aws(
    age: timedelta | None, complete: bool, fresh: bool, asks: list[str], tmp_path: Path
) -> None:
    known = None if age is None else aged(age, complete=complete)
    account = Account(AccountChoice(), tmp_path / "accounts", _snapshot=known)
    assert (account.recent() is known) is fresh
    assert asks == ([] if fresh else ["AWS"])


@pytest.mark.parametrize("known", [aged(100 * FRESH), aged(MINUTE, complete=False), None])
def test_offline_never_asks_aws(known: AccountSnapshot | None, asks: list[str], tmp_path: Path) -> None:
    account = Account(AccountChoice(offline=True), tmp_path / "accounts", _snapshot=known)
    for question in (account.recent, account.refresh, account.required):
        if known is None:
            with pytest.raises(AccountError):
                question()
        else:
            assert question() is known
    assert asks == []


def test_an_incomplete_snapshot_does_not_replace_a_complete_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "accounts"
    accounts.store(folder, ASKED)
    part = replace(ASKED, complete=False, roles=())
    monkeypatch.setattr(Account, "_ask", lambda *_: part)
    assert Account(AccountChoice(), folder).refresh() == part
    assert accounts.load(folder, "aws", ASKED.identity.account) == ASKED


def test_a_use_that_is_found_twice_counts_once() -> None:
    known = snapshot()
    assert known.eks is not None
    assert uses_in(known)
    twice = replace(known, eks=replace(known.eks, clusters=(*known.eks.clusters, *known.eks.clusters)))
    assert uses_in(twice) == uses_in(known)


def test_a_policy_that_aws_withdrew_is_not_offered(tmp_path: Path) -> None:
    store = fill_from_the_corpus(tmp_path / "cache", family=True)
    library = Library(Corpus.bundled(), PolicyStore(store.file))
    nothing = tmp_path / "nothing.json"
    nothing.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}))
    wanted = Inquiry(Question(action="ec2:AssignPrivateIpAddresses", resources=("*",)), (FileSide(str(nothing)),))

    def offered() -> set[str]:
        (explanation,) = explain_all(library, wanted)
        return {allower.policy for allower in explanation.allowed_by}

    before = offered()
    assert "AmazonEKS_CNI_Policy" in before
    store.put([], DeliveryInfo(provenance("aws", 1), None, withdrawn=("AmazonEKS_CNI_Policy",)))
    assert offered() == before - {"AmazonEKS_CNI_Policy"}


def test_an_endpoint_of_somebodys_own_is_reported_with_every_answer_until_the_sync_is_undone(tmp_path: Path) -> None:
    store = fill_from_the_corpus(tmp_path / "cache", family=True)
    assert Library(Corpus.bundled(), store).notices() == ()
    store.put([], DeliveryInfo(provenance("archive", 1), None, endpoint="http://localhost:5000"), undoable=True)
    library = Library(Corpus.bundled(), PolicyStore(store.file))
    library.policies()
    (notice,) = library.notices()
    assert "http://localhost:5000" in notice
    library.policies()
    assert library.notices() == ()  # once is enough for a process
    assert "http://localhost:5000" in library.data().source
    undo_sync(library)
    fresh = Library(Corpus.bundled(), PolicyStore(store.file))
    fresh.policies()
    assert fresh.notices() == ()


def test_the_demo_and_account_files_have_no_place_that_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "accounts"
    accounts.store(folder, ASKED)
    at = ASKED.fetched_at
    given = Account(AccountChoice(file=tmp_path / "account.json"), folder, _snapshot=ASKED)
    demo, own = (Account(AccountChoice(demo=demo), folder, _snapshot=ASKED) for demo in (True, False))
    for other in (given, demo):
        other.keep_place(at, "theirs")
        assert own.place(ASKED, at) == ""
    own.keep_place(at, "roles")
    assert [each.place(ASKED, at) for each in (own, given, demo)] == ["roles", "", ""]


def test_without_a_cache_there_is_no_sync_to_undo(tmp_path: Path) -> None:
    assert undo_sync(Library(Corpus.bundled(), PolicyStore.in_folder(tmp_path / "cache"))) is None
