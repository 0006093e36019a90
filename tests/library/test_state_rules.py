"""Rules about stored state that one would take for granted, each of which was once broken unnoticed."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.events import Callback
from textual.message import Message
from textual.message_pump import MessagePump

from ekstui.change.policy import Delivery, Policy, PolicyHistory, SkippedPart, VersionInfo
from ekstui.change.steps import steps_since, undated_versions_possibly_since
from ekstui.denial.question import Question
from ekstui.eks.account_snapshot import AccountSnapshot, ErrorKind, SourceError
from ekstui.eks.uses import uses_in
from ekstui.errors import AccountError, InputError
from ekstui.iam.document import parse
from ekstui.library import AccountChoice, Library, own_account
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.notation import FileSide
from ekstui.library.own_account import Account
from ekstui.library.syncing import SyncReport, sync_from, undo_sync
from ekstui.sources.corpus import Corpus
from ekstui.store import accounts
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from ekstui.tui.background import Background, Job
from ekstui.tui.messages import PaneFailed
from ekstui.waiting import never, silent
from tests.store.policies import document, fill_from_the_corpus, history, moment, provenance
from tests.support.accounts import snapshot
from tests.support.filled import library_on

ASKED = snapshot()._replace(complete=True, fetched_at=datetime(2030, 1, 1, tzinfo=UTC))


@pytest.fixture
def asks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """AWS, which answers with ASKED; the list has an entry for each time it was asked."""
    requests: list[str] = []

    def ask(*_: object) -> AccountSnapshot:
        requests.append("AWS")
        return ASKED

    monkeypatch.setattr(Account, "ask_aws", ask)
    return requests


def aged(age: timedelta, *, complete: bool = True) -> AccountSnapshot:
    return snapshot()._replace(complete=complete, fetched_at=datetime.now(UTC) - age)


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("age", "complete", "is_fresh"),
    [(14 * MINUTE, True, True), (16 * MINUTE, True, False), (MINUTE, False, False), (None, True, False)],
)
def test_only_a_complete_snapshot_of_the_last_minutes_answers_in_place_of_aws(
    age: timedelta | None, complete: bool, is_fresh: bool, asks: list[str], tmp_path: Path
) -> None:
    held_snapshot = None if age is None else aged(age, complete=complete)
    account = Account(AccountChoice(), tmp_path / "accounts", held_snapshot=held_snapshot)
    assert (account.fresh_snapshot() is held_snapshot) is is_fresh
    assert asks == ([] if is_fresh else ["AWS"])


@pytest.mark.parametrize("held_snapshot", [aged(1500 * MINUTE), aged(MINUTE, complete=False), None])
def test_offline_never_asks_aws(held_snapshot: AccountSnapshot | None, asks: list[str], tmp_path: Path) -> None:
    account = Account(AccountChoice(offline=True), tmp_path / "accounts", held_snapshot=held_snapshot)
    for question in (account.fresh_snapshot, account.refresh, account.last_snapshot_or_error):
        if held_snapshot is None:
            with pytest.raises(AccountError):
                question()
        else:
            assert question() is held_snapshot
    assert asks == []


def test_an_incomplete_snapshot_does_not_replace_a_complete_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "accounts"
    accounts.store(folder, ASKED)
    partial_snapshot = ASKED._replace(complete=False, roles=())
    monkeypatch.setattr(Account, "ask_aws", lambda *_: partial_snapshot)
    assert Account(AccountChoice(), folder).refresh() == partial_snapshot
    assert accounts.load(folder, "aws", ASKED.identity.account) == ASKED
    account = Account(AccountChoice(), folder, held_snapshot=ASKED)
    assert account.refresh() == partial_snapshot
    assert account.last_snapshot() is ASKED
    # One of another account does.
    second_account = partial_snapshot._replace(identity=partial_snapshot.identity._replace(account="444455556666"))
    monkeypatch.setattr(Account, "ask_aws", lambda *_: second_account)
    assert account.refresh() == second_account
    assert account.last_snapshot() == second_account


@pytest.mark.parametrize(
    ("kinds", "is_made_anew"),
    [((), False), (("denied",), False), (("expired",), True), (("denied", "credentials"), True), (("mfa",), True)],
)
def test_a_connection_whose_credentials_do_not_work_any_more_is_made_anew(
    kinds: tuple[ErrorKind, ...], is_made_anew: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    errors = tuple(SourceError("roles", "iam:ListRoles", kind, "It failed.") for kind in kinds)
    monkeypatch.setattr(own_account, "sweep_account", lambda *_: ASKED._replace(errors=errors))
    account = Account(AccountChoice(), tmp_path / "accounts")
    connection = account.connection()
    assert account.ask_aws(silent, never).errors == errors
    assert (account.connection() is not connection) is is_made_anew


def test_uses_and_details_are_those_of_the_snapshot_that_is_asked_about(tmp_path: Path) -> None:
    account = Account(AccountChoice(), tmp_path / "accounts", held_snapshot=ASKED)
    snapshot_without_roles = ASKED._replace(eks=None, roles=(), fetched_at=ASKED.fetched_at - MINUTE)
    assert account.uses(ASKED) == uses_in(ASKED) != {}
    assert account.uses(snapshot_without_roles) == {}
    account.add_details(snapshot_without_roles)  # it was read before the one that is shown
    assert account.last_snapshot() is ASKED
    detailed_snapshot = ASKED._replace(eks=None)
    account.add_details(detailed_snapshot)
    assert account.last_snapshot() is detailed_snapshot


class Owner(MessagePump):
    """What jobs bring their results to."""

    def __init__(self) -> None:
        super().__init__()
        self.posted: list[Message] = []

    def post_message(self, message: Message) -> bool:
        self.posted.append(message)
        return True


def test_a_job_that_was_replaced_or_cancelled_brings_nothing() -> None:
    owner, background, go = Owner(), Background(), threading.Event()
    results: list[str] = []

    def waiting(name: str) -> Callable[[Job], str]:
        def work(_: Job) -> str:
            go.wait()
            if name == "failed":
                raise AccountError("No.")
            return name

        return work

    before = set(threading.enumerate())
    for group, name in (("a", "first"), ("a", "second"), ("b", "other"), ("c", "cancelled"), ("d", "failed"),
                        ("e", "late")):  # fmt: skip
        background.run(owner, group, waiting(name), results.append)
    background.cancel("c", "none")
    go.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()
    background.cancel("e")  # after its result was posted, and before it is handled
    for message in owner.posted:
        if isinstance(message, Callback):
            message.callback()
    assert set(results) == {"second", "other"}
    assert [str(message.error) for message in owner.posted if isinstance(message, PaneFailed)] == ["No."]


def test_a_change_at_the_very_time_belongs_to_the_period_without_an_index_too() -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    allow = {"Effect": "Allow", "Resource": "*"}
    documents = {n: parse({"Statement": {**allow, "Action": f"s3:Get{n}"}}) for n in (1, 2, 3)}
    policy = Policy("P", "arn:aws:iam::aws:policy/P", 3, tuple(VersionInfo(n, days[n - 1]) for n in (1, 2, 3)))
    for since, versions in ((days[1], [2, 3]), (days[1] + MINUTE, [3]), (days[2] + MINUTE, []), (None, [1, 2, 3])):
        assert [step.version for step in steps_since(policy, documents, since)] == versions
    # A version between two times may be as new as the later one.
    unknown = policy._replace(versions=(policy.versions[0], VersionInfo(2, None), policy.versions[2]))
    assert [undated_versions_possibly_since(unknown, since) for since in (days[2], days[2] + MINUTE)] == [(2,), ()]


def test_a_use_that_is_found_twice_counts_once() -> None:
    account_snapshot = snapshot()
    assert account_snapshot.eks is not None
    assert uses_in(account_snapshot)
    doubled_snapshot = account_snapshot._replace(
        eks=account_snapshot.eks._replace(clusters=(*account_snapshot.eks.clusters, *account_snapshot.eks.clusters))
    )
    assert uses_in(doubled_snapshot) == uses_in(account_snapshot)


def test_a_policy_that_aws_withdrew_is_not_offered(tmp_path: Path) -> None:
    store = fill_from_the_corpus(tmp_path / "cache", family=True)
    library = Library(Corpus.bundled(), PolicyStore(store.file))
    nothing = tmp_path / "nothing.json"
    nothing.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}))
    inquiry = Inquiry(Question(action="ec2:AssignPrivateIpAddresses", resources=("*",)), (FileSide(str(nothing)),))

    def offered_policies() -> set[str]:
        (explanation,) = explain_all(library, inquiry)
        return {allower.policy for allower in explanation.allowed_by}

    before = offered_policies()
    assert "AmazonEKS_CNI_Policy" in before
    store.put([], DeliveryInfo(provenance("aws", 1), None, withdrawn=("AmazonEKS_CNI_Policy",)))
    assert offered_policies() == before - {"AmazonEKS_CNI_Policy"}


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
    library_after_undo = Library(Corpus.bundled(), PolicyStore(store.file))
    library_after_undo.policies()
    assert library_after_undo.notices() == ()


def test_the_demo_and_account_files_have_no_place_that_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "accounts"
    accounts.store(folder, ASKED)
    fetched_at = ASKED.fetched_at
    file_account = Account(AccountChoice(file=tmp_path / "account.json"), folder, held_snapshot=ASKED)
    demo_account, users_account = (
        Account(AccountChoice(demo=is_demo), folder, held_snapshot=ASKED) for is_demo in (True, False)
    )
    for account_without_place in (file_account, demo_account):
        account_without_place.keep_place(fetched_at, "theirs")
        assert users_account.place(ASKED, fetched_at) == ""
    users_account.keep_place(fetched_at, "roles")
    assert [account.place(ASKED, fetched_at) for account in (users_account, file_account, demo_account)] == [
        "roles",
        "",
        "",
    ]


def test_without_a_cache_there_is_no_sync_to_undo(tmp_path: Path) -> None:
    assert undo_sync(library_on(tmp_path / "cache")) is None


# Bringing the cache up to date, from a source as small as the rule


class Given:
    """A source that delivers what it is given."""

    def __init__(self, *entries: PolicyHistory | SkippedPart, **fields: Any) -> None:
        source = provenance("aws" if fields.get("asked") else "archive", 9)
        source = source._replace(as_of=fields.pop("as_of", source.as_of))
        self.delivery = Delivery("aws", source, len(entries), entries, **fields)

    def deliver(self, _: object) -> Delivery:
        return self.delivery


NOW = moment(10)
DAY = timedelta(days=1)
READS = document("s3:GetObject")


@pytest.fixture
def store(tmp_path: Path) -> PolicyStore:
    """A store with a hundred policies of one version, known until the eighth."""
    filled_store = PolicyStore.in_folder(tmp_path / "synced")
    histories = [pack(history({1: (moment(1), READS)}, name=f"P{number}")) for number in range(100)]
    filled_store.put(histories, DeliveryInfo(provenance("archive", 1), moment(8)))
    return filled_store


def synced(store: PolicyStore, source: Given, **options: Any) -> SyncReport:
    return sync_from(source, store, {}, NOW, lambda *_: None, lambda: False, **options)


@pytest.mark.parametrize(
    ("entries", "new_policies", "new_versions", "conflicts", "withdrawn"),
    [
        ([], (), (), (), ()),
        ([history({1: (moment(1), READS)}, name="P0")], (), (), (), ()),
        ([history({1: (moment(1), READS)}, name="New")], ("New",), (), (), ()),
        ([history({1: (moment(1), READS), 2: (moment(9), document("s3:*"))}, name="P0")], (), (("P0", 2),), (), ()),
        ([history({1: (moment(1), document("s3:*"))}, name="P0")], (), (), (("P0", 1),), ()),
        ([], (), (), (), ("P0",)),
    ],
)  # fmt: skip
def test_a_sync_reports_each_kind_of_change(
    store: PolicyStore,
    entries: list[PolicyHistory],
    new_policies: tuple[str, ...],
    new_versions: tuple[tuple[str, int], ...],
    conflicts: tuple[tuple[str, int], ...],
    withdrawn: tuple[str, ...],
) -> None:
    listed_names = frozenset(f"P{number}" for number in range(100)) - set(withdrawn)
    report = synced(store, Given(*entries, listed=listed_names, asked=True, known_until=moment(9)))
    assert (report.new_policies, report.new_versions) == (new_policies, new_versions)
    assert (report.conflicts, report.withdrawn) == (conflicts, withdrawn)
    assert report.changed is bool(new_policies or new_versions or conflicts or withdrawn)
    assert (report.complete, report.known_until) == (True, moment(9))
    assert {policy.name for policy in store.policies() if policy.withdrawn} == set(withdrawn)


@pytest.mark.parametrize(
    ("withdrawn_count", "accept", "accepted_count"),
    [(1, False, 1), (2, False, 2), (3, False, 0), (3, True, 3), (100, True, 100)],
)
def test_more_than_one_policy_in_fifty_is_withdrawn_at_once_only_if_that_is_accepted(
    store: PolicyStore, withdrawn_count: int, accept: bool, accepted_count: int
) -> None:
    listed_names = frozenset(f"P{number}" for number in range(withdrawn_count, 100))
    report = synced(store, Given(listed=listed_names, asked=True, known_until=moment(9)), accept_withdrawals=accept)
    assert len(report.withdrawn) == accepted_count
    # What is not certain is not known until today, and the next sync says so again.
    assert report.complete is (withdrawn_count == accepted_count)
    assert [skipped.place for skipped in report.skipped] == ([] if report.complete else ["iam:ListPolicies"])
    assert report.known_until == (moment(9) if report.complete else None)


@pytest.mark.parametrize(
    ("ahead", "is_believed"), [(DAY - MINUTE, True), (DAY, True), (DAY + MINUTE, False), (400 * DAY, False)]
)
def test_a_time_is_believed_up_to_a_day_ahead_of_the_clock(
    store: PolicyStore, ahead: timedelta, is_believed: bool
) -> None:
    new_history = history({1: (moment(1), READS), 2: (NOW + ahead, document("s3:*"))}, name="New")
    report = synced(store, Given(new_history))
    (stored_policy,) = (policy for policy in store.policies() if policy.name == "New")
    assert [info.created for info in stored_policy.versions] == [moment(1), NOW + ahead if is_believed else None]
    assert [skipped.place for skipped in report.skipped] == ([] if is_believed else ["New v2"])
    # The same of a source as a whole, which then delivers nothing.
    later_source = Given(history({1: (moment(1), READS)}, name="Later"), as_of=NOW + ahead)
    if is_believed:
        assert synced(store, later_source).new_policies == ("Later",)
    else:
        with pytest.raises(InputError, match="in the future"):
            synced(store, later_source)


@pytest.mark.parametrize(
    ("known_count", "known_until", "complete", "expected_until"),
    [
        # An archive tells until when nothing else changed only if it has nine of ten policies.
        (90, moment(9), True, moment(9)),
        (89, moment(9), True, None),
        (90, None, True, None),
        # It ends before what is known already: it is stored, but tells nothing new.
        (90, moment(7), True, moment(7)),
    ],
)
def test_what_an_archive_tells_of_the_policies_that_it_lacks(
    store: PolicyStore, known_count: int, known_until: datetime | None, complete: bool, expected_until: datetime | None
) -> None:
    names = frozenset(f"P{number}" for number in range(known_count - 1))
    last_history = history({1: (moment(1), READS)}, name=f"P{known_count - 1}")
    report = synced(store, Given(last_history, names=names, known_until=known_until))
    assert (report.complete, report.known_until) == (complete, expected_until)
    is_older = known_until is not None and known_until < moment(8)
    assert ["ends on" in skipped.reason for skipped in report.skipped] == ([True] if is_older else [])
    # A source that is asked is not an archive that ends.
    assert synced(store, Given(known_until=moment(7), asked=True)).skipped == ()
    assert store.state().known_until == max(moment(8), expected_until or moment(8))


@pytest.mark.parametrize(
    ("policy_fields", "is_stored"),
    [
        ({}, True),
        ({"arn": "arn:aws:iam::aws:policy/service-role/New"}, True),
        ({"arn": "arn:aws-cn:iam::aws:policy/New"}, False),
        ({"arn": "arn:aws:iam::111122223333:policy/New"}, False),
        ({"arn": "arn:aws:iam:eu-west-1:aws:policy/New"}, False),
        ({"arn": "arn:aws:s3::aws:policy/New"}, False),
        ({"arn": "arn:aws:iam::aws:role/New"}, False),
        ({"arn": "arn:aws:iam::aws:policy/Other"}, False),
        ({"name": "../New", "arn": "arn:aws:iam::aws:policy/../New"}, False),
        ({"name": "N" * 128, "arn": f"arn:aws:iam::aws:policy/{'N' * 128}"}, True),
        ({"name": "N" * 129, "arn": f"arn:aws:iam::aws:policy/{'N' * 129}"}, False),
        # A default version without its document would be one that cannot be shown.
        ({"default_version": 2}, False),
    ],
)
def test_only_what_iam_would_call_an_aws_policy_is_stored(
    store: PolicyStore, policy_fields: dict[str, Any], is_stored: bool
) -> None:
    policy_history = history({1: (moment(1), READS)}, name="New")
    report = synced(store, Given(policy_history._replace(policy=policy_history.policy._replace(**policy_fields))))
    assert bool(report.new_policies) is is_stored
    assert bool(report.skipped) is (not is_stored and "default_version" not in policy_fields)


def test_a_version_that_cannot_be_read_does_not_keep_back_the_others(store: PolicyStore) -> None:
    new_history = history({1: (moment(1), READS), 2: (moment(2), b'{"Statement": 1}')}, default=1, name="New")
    p0_history = history({1: (moment(1), READS), 2: (moment(2), b"{")}, name="P0")
    report = synced(store, Given(new_history, p0_history, SkippedPart("a file", "cannot be read")))
    assert (report.new_policies, report.new_versions) == (("New",), ())
    assert [skipped.place for skipped in report.skipped] == ["New v2", "P0 v2", "a file"]
    # From a service, what is missing may come the next time.
    assert report.complete
    assert not synced(store, Given(SkippedPart("a policy", "denied"), asked=True)).complete


def test_a_sync_that_is_cancelled_keeps_what_arrived_and_withdraws_nothing(store: PolicyStore) -> None:
    entries = [history({1: (moment(1), READS)}, name=name) for name in ("A", "B", "C")]
    polls: list[None] = []

    def cancelled() -> bool:
        polls.append(None)
        return len(polls) > 2

    source = Given(*entries, listed=frozenset(), asked=True, known_until=moment(9))
    reports: list[tuple[int, int]] = []
    report = sync_from(source, store, {}, NOW, lambda *progress: reports.append(progress), cancelled)
    assert (report.new_policies, report.withdrawn) == (("A", "B"), ())
    assert (report.complete, report.known_until) == (False, None)
    assert reports[:2] == [(0, 3), (1, 3)]
    assert store.state().synced_at is None


@pytest.mark.parametrize(
    ("stored_accounts", "caller", "profile", "offline", "is_chosen", "expected_account"),
    [
        # The same credentials lead to the same account; others may lead anywhere.
        (["a", "b"], "caller-a", None, False, True, "a"),
        (["a", "b"], "caller-b", None, True, True, "b"),
        (["a"], "caller-x", "profile-a", False, True, None),
        (["a"], None, None, False, False, None),
        # Offline, the account to which the profile led last, though its credentials have changed.
        (["a", "b"], "caller-x", "profile-a", True, True, "a"),
        (["a", "b"], None, "profile-both", True, True, "b"),
        (["a", "b"], None, "profile-x", True, True, None),
        # Or the only one, where nobody chose another.
        (["a"], None, None, True, False, "a"),
        (["a"], None, None, True, True, None),
        (["a", "b"], None, None, True, False, None),
        ([], None, None, True, False, None),
    ],
)
def test_which_stored_account_the_credentials_mean(
    stored_accounts: list[str], caller: str | None, profile: str | None, offline: bool, is_chosen: bool, expected_account: str | None,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    numbers = {"a": "111122223333", "b": "444455556666"}
    for minutes_later, name in enumerate(stored_accounts):
        account_snapshot = snapshot(numbers[name])
        dated_snapshot = account_snapshot._replace(fetched_at=account_snapshot.fetched_at + minutes_later * MINUTE)
        accounts.store(tmp_path, dated_snapshot, f"caller-{name}", f"profile-{name}")
        accounts.keep_profile(tmp_path, "aws", numbers[name], "profile-both", dated_snapshot.fetched_at)
    monkeypatch.setattr(own_account, "caller_digest", lambda _: caller)
    monkeypatch.setattr(own_account, "profile_digest", lambda _: profile)
    monkeypatch.setattr(own_account, "is_any_chosen", lambda _: is_chosen)
    account = Account(AccountChoice(offline=offline), tmp_path)
    last_snapshot = account.last_snapshot()
    assert (last_snapshot and last_snapshot.identity.account) == (expected_account and numbers[expected_account])
    if last_snapshot is None and offline:
        # That there are snapshots, and none of them is known to be the right one, is said.
        with pytest.raises(
            AccountError, match="known to be of the account" if stored_accounts else "no snapshot of this account"
        ):
            account.last_snapshot_or_error()
    with pytest.raises(InputError, match="is not an account number"):
        account.forget("prod")
    assert account.forget("111122223333") == (1 if "a" in stored_accounts else 0)
    assert account.forget() == (1 if "b" in stored_accounts else 0)
    assert account.stored() == ()
