"""Bringing the cache up to date from AWS and from archives."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ekstui import files
from ekstui.change.policy import Policy, VersionInfo, format_time
from ekstui.errors import AccountError, DataError, InputError
from ekstui.library import AccountChoice, Library
from ekstui.library.own_account import Account
from ekstui.library.syncing import SyncReport, sync, undo_sync
from ekstui.sources.aws.connection import Connection
from ekstui.sources.corpus import Corpus
from ekstui.store.policy_store import DeliveryInfo
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.support.bundled import CNI, LATER, newest
from tests.support.documents import allow_statement
from tests.support.filled import library_with

pytestmark = pytest.mark.usefixtures("small_bundle")

NEWEST = newest(CNI)
NEXT = NEWEST + 1
NAMED = 0


@pytest.fixture
def cached_library(filled_file: Path) -> Library:
    """A library on a filled cache."""
    return library_with(filled_file)


@pytest.fixture
def custom_endpoint_library(cached_library: Library, rig: Rig) -> Library:
    """A library on a filled cache that reaches the rig, which is an endpoint of somebody's own."""
    rig.reset(NAMED)
    for name in set(rig.catalogue.names()) - {entry.policy.name for entry in cached_library.policies("all")}:
        rig.catalogue.withdraw(name)
    rig.world.short_pages = 100  # two, as for the 1,500 policies of AWS
    return reached(cached_library, rig.account.home)


@pytest.fixture
def aws_library(custom_endpoint_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The same, as if the rig were AWS's own endpoint."""
    monkeypatch.setattr(Connection, "custom_endpoint", lambda *_: None)
    return custom_endpoint_library


def reached(library: Library, region: str) -> Library:
    connection = Connection(region=region)
    return Library(
        library.corpus,
        library.store,
        Account(AccountChoice(), files.cache_dir() / "accounts", _connection=connection),
    )


def calls(library: Library) -> int:
    return library.account.connection().calls


def changed(report: SyncReport) -> Mapping[str, object]:
    return {
        "new_policies": report.new_policies,
        "new_versions": report.new_versions,
        "conflicts": report.conflicts,
        "withdrawn": report.withdrawn,
    }


NOTHING = {"new_policies": (), "new_versions": (), "conflicts": (), "withdrawn": ()}


def test_where_nothing_changed_two_calls_are_made_and_nothing_is_written(aws_library: Library) -> None:
    before = aws_library.policies("all")
    first = sync(aws_library)
    assert (changed(first), first.complete, calls(aws_library)) == (NOTHING, True, 2)
    status = aws_library.data()
    assert (status.source, status.synced_at) == ("AWS", first.known_until)
    assert status.newest == first.known_until
    after = aws_library.policies("all")
    assert [entry.policy for entry in after] == [entry.policy for entry in before]
    second = sync(aws_library)
    assert (changed(second), calls(aws_library)) == (NOTHING, 4)
    assert aws_library.policies("all") == after


def test_only_what_is_new_is_fetched_and_what_is_gone_is_kept(aws_library: Library, rig: Rig) -> None:
    rig.catalogue.publish(CNI, allow_statement("ec2:NewThing"), LATER)
    rig.catalogue.publish("AmazonEKSBrandNewPolicy", allow_statement("eks:Thing"), LATER, "/service-role/")
    listed_before = rig.catalogue.named("AmazonEKSServicePolicy")
    rig.catalogue.withdraw("AmazonEKSServicePolicy")
    old = aws_library.find("AmazonEKSServicePolicy").policy
    report = sync(aws_library)
    assert changed(report) == NOTHING | {
        "new_policies": ("AmazonEKSBrandNewPolicy",),
        "new_versions": ((CNI, NEXT),),
        "withdrawn": ("AmazonEKSServicePolicy",),
    }
    assert calls(aws_library) == 2 + 2 * 2
    cni = aws_library.find(CNI).policy
    assert (cni.default_version, cni.versions[-1]) == (NEXT, VersionInfo(NEXT, LATER))
    assert aws_library.document_json(cni) == allow_statement("ec2:NewThing")
    assert aws_library.find("AmazonEKSBrandNewPolicy").policy.arn.endswith("/service-role/AmazonEKSBrandNewPolicy")
    withdrawn_policy = aws_library.find("AmazonEKSServicePolicy").policy
    assert withdrawn_policy.withdrawn
    assert withdrawn_policy.versions == old.versions
    assert aws_library.document(withdrawn_policy)
    assert not sync(aws_library).changed
    # AWS lists it again, and nothing else of it is new.
    rig.catalogue.restore(listed_before)
    sync(aws_library)
    assert aws_library.find("AmazonEKSServicePolicy").policy == old


def test_what_fails_is_named_and_the_next_sync_goes_on(aws_library: Library, rig: Rig) -> None:
    names = [CNI, "AmazonEKSClusterPolicy", "AmazonEKSWorkerNodePolicy"]
    for name in names:
        rig.catalogue.publish(name, allow_statement("ec2:NewThing"), LATER)
    rig.proxy.fail("denied", "iam", "GetPolicyVersion", times=1)
    report = sync(aws_library)
    assert not report.complete
    assert len(report.new_versions) == 2
    (skipped,) = report.skipped
    assert "denied" in skipped.reason
    assert aws_library.data().synced_at is None
    second_report = sync(aws_library)
    assert second_report.complete
    assert {name for name, _ in (*report.new_versions, *second_report.new_versions)} == set(names)


def test_a_throttled_sync_gets_there(aws_library: Library, rig: Rig) -> None:
    rig.catalogue.publish(CNI, allow_statement("ec2:NewThing"), LATER)
    rig.proxy.fail("throttled", "iam", times=3)
    assert sync(aws_library).new_versions == ((CNI, NEXT),)


def test_a_list_that_breaks_off_withdraws_nothing(aws_library: Library, rig: Rig) -> None:
    rig.proxy.add(Effect("no_marker"), "iam", "ListPolicies")
    before = aws_library.policies("all")
    with pytest.raises(AccountError):
        sync(aws_library)
    assert aws_library.policies("all") == before


class Lying(Connection):
    """A connection to AWS's own endpoint whose list is one page, and that has no documents."""

    def __init__(self, page: dict[str, Any]) -> None:
        super().__init__()
        self._page = page

    def ask(self, action: str, region: str | None = None, **_: Any) -> dict[str, Any]:
        return self._page if action == "iam:ListPolicies" else {"Versions": [], "IsTruncated": False}

    def custom_endpoint(self, service: str = "iam") -> None:
        return None


def listed(policies: Iterable[Policy], **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "PolicyName": policy.name,
            "Arn": policy.arn,
            "DefaultVersionId": f"v{policy.default_version}",
            "UpdateDate": policy.updated or LATER,
            **changes,
        }
        for policy in policies
    ]


def lied_to(library: Library, page: dict[str, Any]) -> Library:
    account = Account(AccountChoice(), Path("/x"), _connection=Lying(page))
    return Library(library.corpus, library.store, account)


def test_a_list_that_is_empty_or_does_not_say_that_it_is_whole_changes_nothing(cached_library: Library) -> None:
    """An empty server once withdrew all policies, a list without IsTruncated those after the first page."""
    policies = [entry.policy for entry in cached_library.policies("all")]
    before = cached_library.data(), cached_library.policies("all")
    for page in ({"Policies": [], "IsTruncated": False}, {"Policies": listed(policies[:60])}):
        with pytest.raises(AccountError):
            sync(lied_to(cached_library, page))
        assert (cached_library.data(), cached_library.policies("all")) == before


def test_a_list_that_lacks_much_withdraws_nothing_until_that_is_accepted_and_can_be_undone(
    cached_library: Library,
) -> None:
    policies = [entry.policy for entry in cached_library.policies("all")]
    lacking = len(policies) - 60
    newest = cached_library.data().newest
    library = lied_to(cached_library, {"Policies": listed(policies[:60]), "IsTruncated": False})
    report = sync(library)
    assert (report.withdrawn, report.complete, report.known_until) == ((), False, None)
    assert f"{lacking} of {len(policies)}" in report.skipped[0].reason
    assert (cached_library.data().newest, cached_library.data().synced_at) == (newest, None)
    assert len(sync(library, accept_withdrawals=True).withdrawn) == lacking
    assert cached_library.data().newest > newest
    assert sum(entry.policy.withdrawn for entry in cached_library.policies("all")) == lacking
    assert undo_sync(library) is not None
    assert not any(entry.policy.withdrawn for entry in cached_library.policies("all"))
    assert (cached_library.data().newest, cached_library.data().synced_at) == (newest, None)
    assert undo_sync(library) is None


def test_a_few_policies_are_withdrawn_without_a_word(cached_library: Library) -> None:
    policies = [entry.policy for entry in cached_library.policies("all")]
    assert len(sync(lied_to(cached_library, {"Policies": listed(policies[:-2]), "IsTruncated": False})).withdrawn) == 2


def test_dates_in_the_future_are_not_believed(cached_library: Library, tmp_path: Path) -> None:
    """A package of the year 2099 once made every question about changes come out empty."""
    before = cached_library.data()
    policies = [entry.policy for entry in cached_library.policies("all")]
    future = datetime(2099, 1, 1, tzinfo=UTC)
    pages = [*listed(policies[1:]), *listed(policies[:1], UpdateDate=future)]
    report = sync(lied_to(cached_library, {"Policies": pages, "IsTruncated": False}))
    assert (report.complete, report.known_until) == (False, None)
    assert [skipped.place for skipped in report.skipped] == [policies[0].name]
    archive = tmp_path / "future.json"
    text = json.dumps(package(cached_library.find(CNI).policy, NEXT, "ec2:NewThing"))
    archive.write_text(re.sub(r'"lastUpdatedDate": "\d{4}', '"lastUpdatedDate": "2099', text))
    with pytest.raises(InputError, match="in the future"):
        sync(cached_library, archive)
    assert cached_library.data().newest == before.newest
    archive.write_text(re.sub(r'("v\d+": {"createdDate": )"\d{4}', r'\1"2099', text))
    report = sync(cached_library, archive)
    assert [(skipped.place, "future" in skipped.reason) for skipped in report.skipped] == [(f"{CNI} v{NEXT}", True)]
    assert cached_library.find(CNI).policy.versions[-1] == VersionInfo(NEXT, None)


def test_an_endpoint_that_is_not_awss_is_named_and_has_not_awss_authority(
    custom_endpoint_library: Library, rig: Rig
) -> None:
    rig.catalogue.publish(CNI, allow_statement("ec2:NewThing"), LATER)
    rig.catalogue.withdraw("AmazonEKSServicePolicy")
    report = sync(custom_endpoint_library)
    assert changed(report) == NOTHING | {"new_versions": ((CNI, NEXT),)}
    status = custom_endpoint_library.data()
    assert "http://127.0.0.1:" in report.source
    assert "http://127.0.0.1:" in status.source
    assert status.newest == LATER  # the newest change that it showed, and not now
    archive = Corpus.bundled().deliver(lambda _: {})
    later = archive.provenance._replace(source="a later archive", as_of=LATER + timedelta(minutes=1))
    custom_endpoint_library.store.put([], DeliveryInfo(later, later.as_of))
    assert "a later archive and AWS at http://127.0.0.1:" in custom_endpoint_library.data().source


def test_a_partition_of_its_own_does_not_touch_the_other(aws_library: Library, rig: Rig) -> None:
    before = aws_library.policies("all")
    rig.reset(NAMED, partition="aws-cn")
    aws_library = reached(aws_library, rig.account.home)
    names = rig.world.catalogue("aws-cn").names()
    for name in names[60:]:
        rig.world.catalogue("aws-cn").withdraw(name)
    report = sync(aws_library)
    assert (report.partition, len(report.new_policies)) == ("aws-cn", 60)
    assert aws_library.policies("all") == before
    china = aws_library.in_partition("aws-cn")
    assert len(china.policies("all")) == 60
    assert china.policies("eks")[0].policy.arn == f"arn:aws-cn:iam::aws:policy/{CNI}"
    assert (china.data().partition, china.data().policies) == ("aws-cn", 60)
    assert aws_library.in_partition("aws-us-gov").data().partition == "aws"
    # An ARN is answered from its own partition.
    policy = aws_library.find(f"arn:aws-cn:iam::aws:policy/{CNI}").policy
    assert policy == china.find(CNI).policy
    assert aws_library.document(policy) == china.document(policy)


def test_offline_never_asks(cached_library: Library) -> None:
    with pytest.raises(AccountError, match="offline"):
        sync(cached_library.with_account(AccountChoice(offline=True)))


def package(policy: Policy, number: int, action: str) -> dict[str, Any]:
    return {
        policy.name: {
            "arn": policy.arn,
            "latestVersionId": f"v{number}",
            "createdDate": "2018-05-27T21:07:42.000Z",
            "lastUpdatedDate": format_time(LATER),
            "versions": {f"v{number}": {"createdDate": format_time(LATER), "document": allow_statement(action)}},
        }
    }


def test_an_archive_adds_what_is_new_and_replaces_nothing(cached_library: Library, tmp_path: Path) -> None:
    cni, until = cached_library.find(CNI).policy, cached_library.data().newest
    archive = tmp_path / "newer.json"
    archive.write_text(json.dumps(package(cni, NEXT, "ec2:NewThing")))
    report = sync(cached_library, archive)
    assert changed(report) == NOTHING | {"new_versions": ((CNI, NEXT),)}
    assert cached_library.find(CNI).policy.default_version == NEXT
    assert cached_library.data().newest == until  # nothing is known of what happened to all other policies
    archive.write_text(json.dumps(package(cni, NEWEST, "ec2:Other")))
    report = sync(cached_library, archive)
    assert changed(report) == NOTHING | {"conflicts": ((CNI, NEWEST),)}
    assert cached_library.document_json(cni, NEWEST) != allow_statement("ec2:Other")


@pytest.mark.parametrize(("share", "moves"), [(0.91, True), (0.89, False)])
def test_only_an_archive_of_most_policies_knows_until_when_nothing_else_changed(
    cached_library: Library, tmp_path: Path, share: float, moves: bool
) -> None:
    policies = [entry.policy for entry in cached_library.policies("all") if not entry.policy.withdrawn]
    archive = tmp_path / "most.json"
    archive.write_text(
        json.dumps(
            {
                key: value
                for policy in policies[: round(share * len(policies))]
                for key, value in package(policy, 9_999, "a:B").items()
            }
        )
    )
    until = cached_library.data().newest
    sync(cached_library, archive)
    expected_source = ("most.json", LATER) if moves else (cached_library.data().source, until)
    assert (cached_library.data().source, cached_library.data().newest) == expected_source


ODD_NAMES = (
    "", "a b", "a\nb", "../../a", "A/B", "${file(\"x\")}", "$(id)", "a\x1b[2J", "\u202ea", "\u0410", "A" * 129, "v@1:x",
)  # fmt: skip


def test_what_iam_would_not_call_a_policy_does_not_arrive(cached_library: Library, tmp_path: Path) -> None:
    """IAM's CreatePolicy takes `[\\w+=,.@-]+`, at most 128; the name goes to paths, shells, Terraform and the terminal."""
    archive = tmp_path / "odd.json"
    fields = next(iter(package(cached_library.find(CNI).policy, 1, "a:B").values()))
    entries = {name: fields | {"arn": f"arn:aws:iam::aws:policy/{name}"} for name in ODD_NAMES}
    # An ARN of another policy is no better.
    archive.write_text(json.dumps(entries | {"Renamed": fields}))
    report = sync(cached_library, archive)
    assert changed(report) == NOTHING
    assert sorted(skipped.place for skipped in report.skipped) == sorted([*ODD_NAMES, "Renamed"])


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_is_in_no_year_is_not_read(cached_library: Library, tmp_path: Path, moment: str) -> None:
    archive = tmp_path / "odd.json"
    text = json.dumps(package(cached_library.find(CNI).policy, NEXT, "a:B"))
    archive.write_text(re.sub(r'"\d{4}-[^"]*"', f'"{moment}"', text))
    with pytest.raises(InputError):
        sync(cached_library, archive)


def test_a_folder_does_not_pretend_to_know_of_everything(cached_library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    version = {"VersionId": f"v{NEXT}", "IsDefaultVersion": True, "CreateDate": format_time(LATER)}
    (folder / f"{CNI}.json").write_text(json.dumps({"PolicyVersion": version | {"Document": allow_statement("a:B")}}))
    (folder / "broken.json").write_text("{")
    newest = cached_library.data().newest
    report = sync(cached_library, folder)
    assert report.new_versions == ((CNI, NEXT),)
    assert [skipped.place for skipped in report.skipped] == ["broken.json"]
    assert cached_library.data().newest == newest
    assert cached_library.find(CNI).policy.default_version == NEXT


def test_a_sync_that_cannot_be_done_is_reported(
    cached_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="There is no"):
        sync(cached_library, tmp_path / "absent")
    before = cached_library.data()
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(InputError, match="can be read"):
        sync(cached_library, tmp_path)
    assert cached_library.data() == before
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match="cannot be used"):
        sync(Library.open(), tmp_path)
