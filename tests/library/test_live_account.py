"""The account as the library reads it from the rig: everything is found, and nothing that is missing counts as none."""

import fnmatch
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import AccountSnapshot, Use, attachments_of
from ekstui.eks.uses import uses_in
from ekstui.errors import AccountError, AmbiguousError, InputError, NotFoundError
from ekstui.iam.reference import reference
from ekstui.library import AccountChoice, Library
from ekstui.library.account_choice import LIMITED
from ekstui.library.attachments import attached, attached_everywhere
from ekstui.library.cluster_answers import cluster_answer, clusters
from ekstui.library.comparing import compare
from ekstui.library.copies import copies_in
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.own_account import Account
from ekstui.library.roles import role_answer
from ekstui.sources.aws import connection as connections
from ekstui.sources.aws.connection import Connection
from ekstui.sources.shipped import components
from tests.rig.documents import trusting_pods
from tests.rig.isolation import access_key
from tests.rig.proxy import Effect
from tests.rig.rig import Rig
from tests.support.effort import pairs

CNI = "AmazonEKS_CNI_Policy"
NAMED = 0
"""Seeds the account's named roles alone, which is quick."""


def asking(account: Account) -> Library:
    """A library over the bundled policies that asks an account."""
    library = Library.open()
    return Library(library.corpus, library.store, account)


@pytest.fixture
def live_library(rig: Rig) -> Library:
    return Library.open()


@pytest.fixture(scope="module")
def shared_connections() -> dict[str, Connection]:
    """Connections by endpoint: a new one reads the SDK's models, half a second that most tests need not pay."""
    return {}


@pytest.fixture(scope="module")
def snapshots() -> dict[str, AccountSnapshot]:
    return {}


@pytest.fixture
def named_roles_account(rig: Rig, shared_connections: dict[str, Connection], tmp_path: Path) -> Iterator[Account]:
    """The account's named roles, asked over a connection that tests share."""
    rig.standing()
    if rig.url not in shared_connections:
        shared_connections[rig.url] = Connection()
    yield Account(AccountChoice(), tmp_path / "cache" / "accounts", _connection=shared_connections[rig.url])
    rig.proxy.clear()


@pytest.fixture
def iam_only_account(named_roles_account: Account) -> Account:
    """The same, asked for a region without clusters: two thirds of a sweep's calls are for those."""
    return replace_choice(named_roles_account, AccountChoice(regions=("eu-north-1",)))


@pytest.fixture
def snapshot_without_failures(named_roles_account: Account, snapshots: dict[str, AccountSnapshot]) -> AccountSnapshot:
    """What the account looks like when nothing fails, read once."""
    if "whole" not in snapshots:
        snapshots["whole"] = named_roles_account.refresh()
    return snapshots["whole"]


@pytest.fixture
def library_without_failures(named_roles_account: Account, snapshot_without_failures: AccountSnapshot) -> Library:
    """A library over the account as it was read once: a sweep takes a quarter of a second of the processor."""
    return asking(replace(named_roles_account, held_snapshot=snapshot_without_failures))


def named(rig: Rig) -> set[str]:
    return {role.name for role in rig.account.builder.iam.roles.values()}


def carriers(snapshot: AccountSnapshot, rig: Rig, policy: str = CNI) -> list[str]:
    arn = rig.account.builder.aws_policy(policy)
    return [entry.role.name for entry in attachments_of(snapshot, arn).roles]


def entities(snapshot: AccountSnapshot) -> int:
    return len(snapshot.roles) + len(snapshot.users) + len(snapshot.groups) + len(snapshot.local_policies)


def joined(uses: dict[str, tuple[Use, ...]]) -> set[tuple[str | None, ...]]:
    return {
        (arn, use.kind, use.cluster, use.region, use.namespace, use.service_account)
        for arn, uses_of_role in uses.items()
        for use in uses_of_role
    }


def truth(rig: Rig) -> set[tuple[str | None, ...]]:
    return {
        (use.role, use.kind, use.cluster, use.region, use.namespace or None, use.service_account or None)
        for use in rig.account.builder.uses
    }


def test_every_role_is_read_once_over_short_pages(rig: Rig, live_library: Library) -> None:
    rig.world.short_pages = 7
    reports: list[str] = []
    snapshot = live_library.account.refresh(reports.append)
    assert snapshot.complete
    assert snapshot.errors == ()
    assert sorted(role.name for role in snapshot.roles) == sorted(named(rig))
    assert sorted(carriers(snapshot, rig)) == sorted(rig.account.roles_with(CNI))
    assert f"roles, page {-(-len(named(rig)) // 7)}" in reports
    assert LIMITED not in reports
    rig.proxy.fail("throttled", "iam", "ListOpenIDConnectProviders", times=1)
    assert live_library.account.refresh(reports.append).errors == ()
    assert LIMITED in reports
    answer = attached(live_library, CNI)
    assert answer.complete
    assert {entry.role.name for entry in answer.attachments.roles} == rig.account.roles_with(CNI)


def test_boundaries_are_told_from_attachments(library_without_failures: Library) -> None:
    attachments = attached(library_without_failures, "AmazonEKSClusterPolicy").attachments
    ways = {entry.role.name: entry.attached_as for entry in attachments.roles}
    assert ways["prod-orders"] == ("boundary",)
    assert ways["prod-cluster"] == ("permissions",)
    users = attached(library_without_failures, "AmazonEC2ContainerRegistryReadOnly").attachments.users
    assert {entry.user.name: entry.attached_as for entry in users} == {"ci-bot": ("permissions", "boundary")}
    assert [group.name for group in attachments.groups] == ["platform"]


def test_every_use_is_found_and_no_other_confirmed(rig: Rig, snapshot_without_failures: AccountSnapshot) -> None:
    uses = dict(uses_in(snapshot_without_failures))
    assert truth(rig) - joined(uses) == set()
    through_association = (
        rig.account.builder.arn("iam", "role/prod-ebs-csi"),
        "addon", "prod", rig.account.home, "kube-system", "ebs-csi-controller-sa",
    )  # fmt: skip
    certain_uses = {arn: tuple(use for use in of_role if use.certainty == "confirmed") for arn, of_role in uses.items()}
    assert joined(certain_uses) - truth(rig) == {through_association}
    irsa_uses = [use for of_role in uses.values() for use in of_role if use.kind == "irsa"]
    assert irsa_uses
    assert all(use.certainty == "inferred" for use in irsa_uses)
    orphan = uses[rig.account.builder.arn("iam", "role/old-cluster-app")]
    assert [(use.kind, use.cluster) for use in orphan] == [("irsa", None)]
    assert rig.account.builder.arn("iam", "role/prod-never-matches") not in uses
    assert not any(role.arn in uses for role in snapshot_without_failures.roles if role.service_linked)


def test_session_policy_and_tags_of_pod_identity(library_without_failures: Library) -> None:
    (use,) = role_answer(library_without_failures, "prod-reports").subject.uses
    assert isinstance(use, Use)
    assert use.session_tags is False
    assert use.session_policy is not None
    assert "acme-reports" in use.session_policy


def test_counts_agree_with_the_sweep(snapshot_without_failures: AccountSnapshot) -> None:
    snapshot = snapshot_without_failures
    assert snapshot.counts is not None
    for arn, count in snapshot.counts.items():
        attachments = attachments_of(snapshot, arn)
        ways = [*(role.attached_as for role in attachments.roles), *(user.attached_as for user in attachments.users)]
        assert count.attachments == sum("permissions" in way for way in ways) + len(attachments.groups), arn
    attached_policies = [*(role.attached for role in snapshot.roles), *(user.attached for user in snapshot.users)]
    attached_policies += [group.attached for group in snapshot.groups]
    attached_arns = {policy.arn for policies in attached_policies for policy in policies}
    assert not {arn for arn in attached_arns if ":aws:policy/" in arn} - set(snapshot.counts)


REFRESH = [
    ("iam", "GetAccountAuthorizationDetails"), ("iam", "ListPolicies"), ("iam", "ListOpenIDConnectProviders"),
    ("eks", "ListClusters"), ("eks", "DescribeCluster"), ("eks", "ListNodegroups"), ("eks", "DescribeNodegroup"),
    ("eks", "ListFargateProfiles"), ("eks", "DescribeFargateProfile"), ("eks", "ListAddons"), ("eks", "DescribeAddon"),
    ("eks", "ListAccessEntries"), ("eks", "DescribeAccessEntry"), ("eks", "ListCapabilities"),
    ("eks", "DescribeCapability"), ("eks", "ListPodIdentityAssociations"), ("eks", "DescribePodIdentityAssociation"),
    ("ec2", "DescribeInstances"),
]  # fmt: skip
"""What a refresh calls besides GetCallerIdentity, which cannot be denied."""


@pytest.mark.parametrize(("service", "action"), REFRESH)
def test_one_denied_action_is_named_and_hides_nothing_else(
    rig: Rig, named_roles_account: Account, snapshot_without_failures: AccountSnapshot, service: str, action: str
) -> None:
    snapshot = snapshot_without_failures
    assert snapshot.errors == ()
    rig.proxy.fail("denied", service, action)
    partial_snapshot = named_roles_account.refresh()
    assert {(error.action, error.kind) for error in partial_snapshot.errors} == {(f"{service}:{action}", "denied")}
    answer = attached(asking(named_roles_account), CNI)
    assert {entry.role.name for entry in answer.attachments.roles} == rig.account.roles_with(CNI)
    if action == "GetAccountAuthorizationDetails":
        assert not partial_snapshot.complete
        return
    assert partial_snapshot.roles == snapshot.roles
    assert (partial_snapshot.counts is None) is (action == "ListPolicies")
    assert (partial_snapshot.oidc_providers is None) is (action == "ListOpenIDConnectProviders")
    if service != "iam":
        assert not answer.complete
        assert partial_snapshot.eks is not None
        unread_sources = [cluster.unread for cluster in partial_snapshot.eks.clusters]
        assert any(unread_sources) or partial_snapshot.eks.regions == ()
        # What EKS confirms is the truth still, and whatever else is said is said to be inferred. A profile that was
        # not read leaves its access entry, which says Fargate without the profile's name.
        confirmed_uses = {
            arn: tuple(use for use in uses if use.certainty == "confirmed")
            for arn, uses in uses_in(partial_snapshot).items()
        }
        assert joined(confirmed_uses) <= joined(dict(uses_in(snapshot)))


def test_a_denied_sweep_is_gone_round(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.fail("denied", "iam", "GetAccountAuthorizationDetails")
    named_roles_account.refresh()
    library = asking(named_roles_account)
    answer = attached(library, "AmazonEKSClusterPolicy").attachments
    ways = {entry.role.name: entry.attached_as for entry in answer.roles}
    assert ways["prod-orders"] == ("boundary",)
    assert set(ways) == rig.account.roles_with("AmazonEKSClusterPolicy") | {"prod-orders"}
    assert answer.complete
    by_name = {entry.role.name: entry for entry in answer.roles}
    assert by_name["prod-cluster"].role.extent == "detail"
    assert [use.kind for use in by_name["prod-cluster"].used_by] == ["cluster"]
    nodes = attached(library, "AmazonEKSWorkerNodePolicy").attachments
    assert nodes.complete
    # Without the sweep nobody says whose instance profile the nodes of `legacy` have.
    assert not nodes.uses_complete
    assert any("instance profiles" in note and "legacy" in note for note in nodes.not_looked_at)
    absent = attached(library, f"arn:aws:iam::{rig.account.builder.account_id}:policy/none").attachments
    assert absent.proven_empty
    assert [error.kind for error in absent.errors if error.source == "entities"] == ["absent"]


def test_rate_limits_lose_no_role(rig: Rig, iam_only_account: Account) -> None:
    rig.proxy.fail("denied", "iam", "GetAccountAuthorizationDetails")
    iam_only_account.refresh()
    # By numbers: whether so many calls a second are too many would be for a busy machine to decide.
    rig.proxy.fail("throttled", "iam", "GetRole", every=4, times=3)
    answer = attached(asking(iam_only_account), CNI).attachments
    assert {entry.role.extent for entry in answer.roles} == {"detail"}
    assert len(answer.roles) == len(rig.account.roles_with(CNI))
    assert rig.proxy.counts()["iam:GetRole"] == len(answer.roles) + 3


def test_a_denied_sweep_and_get_role_leave_the_names(rig: Rig, iam_only_account: Account) -> None:
    rig.proxy.fail("denied", "iam", "GetAccountAuthorizationDetails")
    rig.proxy.fail("denied", "iam", "GetRole")
    iam_only_account.refresh()
    answer = attached(asking(iam_only_account), CNI)
    assert {entry.role.name for entry in answer.attachments.roles} == rig.account.roles_with(CNI)
    assert {entry.role.extent for entry in answer.attachments.roles} == {"name"}
    assert [error.action for error in answer.attachments.errors if error.source == "entities"] == ["iam:GetRole"]


def test_nothing_allowed_in_iam_is_not_zero(rig: Rig, iam_only_account: Account) -> None:
    rig.proxy.fail("denied", "iam", "*")
    snapshot = iam_only_account.refresh()
    assert not snapshot.complete
    assert {error.action for error in snapshot.errors} >= {"iam:GetAccountAuthorizationDetails", "iam:ListPolicies"}
    with pytest.raises(AccountError, match="iam:GetAccountAuthorizationDetails is denied"):
        attached(asking(iam_only_account), CNI)


def test_new_keys_are_seen_after_the_old_ones_expired(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rig.reset(NAMED)
    rig.add_account("444455556666", NAMED)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    keys = Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    keys.parent.mkdir(exist_ok=True)

    def sign_in(account: str) -> None:
        keys.write_text(f"[default]\naws_access_key_id = {access_key(account)}\naws_secret_access_key = x\n")

    sign_in(rig.account.builder.account_id)
    account = Account(AccountChoice(), tmp_path / "accounts")
    rig.proxy.fail("expired")
    with pytest.raises(AccountError, match="expired"):
        account.refresh()
    rig.proxy.clear()
    sign_in("444455556666")
    assert account.refresh().identity.account == "444455556666"


def test_texts_that_hurt_are_read_as_they_are(rig: Rig, named_roles_account: Account) -> None:
    rig.reset(NAMED, hostile=True)
    snapshot = named_roles_account.refresh()
    assert snapshot.errors == ()
    (role,) = [role for role in snapshot.roles if role.name == "hostile"]
    assert role.inline[0].document is not None
    assert "\x1b" in (role.inline[0].document.statements[0].sid or "")
    cluster = cluster_answer(asking(named_roles_account), "hostile").cluster
    assert "\x1b" in cluster.all_issues[0].message
    stored_snapshot = Account(AccountChoice(), named_roles_account.folder).last_snapshot()
    assert stored_snapshot == snapshot


def test_a_role_deleted_between_list_and_get_is_gone(rig: Rig, iam_only_account: Account) -> None:
    rig.proxy.fail("denied", "iam", "GetAccountAuthorizationDetails")
    rig.proxy.add(Effect("error", code="NoSuchEntity", status=404), "iam", "GetRole", times=1)
    iam_only_account.refresh()
    answer = attached(asking(iam_only_account), CNI).attachments
    assert len(answer.roles) == len(rig.account.roles_with(CNI)) - 1
    assert {entry.role.name for entry in answer.roles} < rig.account.roles_with(CNI)
    assert answer.complete


def test_a_page_without_marker_is_incomplete(rig: Rig, iam_only_account: Account) -> None:
    rig.world.short_pages = 7
    rig.proxy.add(Effect("no_marker"), "iam", "GetAccountAuthorizationDetails", nth=2, times=1)
    snapshot = iam_only_account.refresh()
    assert not snapshot.complete
    assert entities(snapshot) == 14
    assert [(error.source, error.kind) for error in snapshot.errors] == [("roles", "incomplete")]
    answer = attached(asking(iam_only_account), "AmazonEKSServicePolicy")
    assert not answer.complete
    assert not answer.attachments.proven_empty


@pytest.mark.parametrize("service", ["iam", "eks"])
def test_a_marker_that_leads_nowhere_is_incomplete(rig: Rig, named_roles_account: Account, service: str) -> None:
    rig.world.short_pages = 3
    action = "ListPolicies" if service == "iam" else "ListAddons"
    rig.proxy.add(Effect("same_marker"), service, action, nth=2)
    snapshot = named_roles_account.refresh()
    assert (f"{service}:{action}", "incomplete") in {(error.action, error.kind) for error in snapshot.errors}


def test_expiry_on_page_three_keeps_two(rig: Rig, iam_only_account: Account) -> None:
    complete_snapshot = iam_only_account.refresh()
    rig.world.short_pages = 7
    rig.proxy.fail("expired", "iam", "GetAccountAuthorizationDetails", nth=3)
    snapshot = iam_only_account.refresh()
    assert entities(snapshot) == 14
    assert not snapshot.complete
    assert [(error.source, error.kind) for error in snapshot.errors] == [("roles", "expired")]
    stored_snapshot = Account(AccountChoice(), iam_only_account.folder).last_snapshot()
    assert stored_snapshot == complete_snapshot


def test_expiry_before_anything_keeps_the_last_snapshot(rig: Rig, iam_only_account: Account) -> None:
    complete_snapshot = iam_only_account.refresh()
    rig.proxy.fail("expired")
    with pytest.raises(AccountError, match="session has expired"):
        iam_only_account.refresh()
    assert iam_only_account.last_snapshot() == complete_snapshot


def test_trouble_that_passes_is_not_seen(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.fail("throttled", "eks", "*", every=9, times=3)
    rig.proxy.fail("unavailable", "iam", "GetAccountAuthorizationDetails", times=1)
    rig.proxy.add(Effect("reset"), "iam", "ListPolicies", times=1)
    snapshot = named_roles_account.refresh()
    assert snapshot.errors == ()
    assert sorted(role.name for role in snapshot.roles) == sorted(named(rig))


@pytest.mark.parametrize(
    ("action", "kind"),
    pairs(["ListClusters", "ListNodegroups", "DescribeAddon", "ListPodIdentityAssociations"], ["truncate", "html"]),
)
def test_an_answer_that_is_not_of_eks_is_not_an_empty_list(
    rig: Rig, named_roles_account: Account, action: str, kind: str
) -> None:
    rig.proxy.add(Effect("truncate" if kind == "truncate" else "html"), "eks", action)
    snapshot = named_roles_account.refresh()
    assert {(error.action, error.kind) for error in snapshot.errors} == {(f"eks:{action}", "unexpected")}
    assert snapshot.eks is not None
    assert any(cluster.unread for cluster in snapshot.eks.clusters) or snapshot.eks.regions == ()


@pytest.mark.parametrize("kind", ["html", "bad_xml"])
def test_an_answer_that_is_not_of_iam_is_not_an_empty_list(rig: Rig, iam_only_account: Account, kind: str) -> None:
    rig.proxy.add(Effect("html" if kind == "html" else "bad_xml"), "iam", "*")
    snapshot = iam_only_account.refresh()
    assert not snapshot.complete
    assert snapshot.counts is None
    assert snapshot.oidc_providers is None
    assert {error.kind for error in snapshot.errors} == {"unexpected"}
    assert all("captive portal" in error.next_step for error in snapshot.errors)


def test_a_captive_portal_is_reported(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.add(Effect("html"))
    with pytest.raises(AccountError, match="captive portal"):
        named_roles_account.refresh()


def test_a_wrong_clock_is_reported(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.fail("skewed")
    with pytest.raises(AccountError, match="clock is off"):
        named_roles_account.refresh()


def test_a_call_that_hangs_is_reported(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.reset(NAMED)
    monkeypatch.setattr(connections, "SWEEP_READ_TIMEOUT", 0.2)
    # All of IAM: of others, the machine would decide whether they answer in this time.
    rig.proxy.add(Effect("hang"), "iam")
    snapshot = Library.open().account.refresh()
    assert {((error.action or "").partition(":")[0], error.kind) for error in snapshot.errors} == {("iam", "network")}
    assert "roles" in {error.source for error in snapshot.errors}
    assert not snapshot.complete
    assert snapshot.eks is not None
    # Only IAM's OIDC providers say that there are clusters in another region.
    assert {cluster.name for cluster in snapshot.eks.clusters} == {"prod", "auto"}


def test_regions_without_opt_in_are_reported_and_others_read(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.fail("not-opted-in", "eks", region=rig.account.away)
    snapshot = named_roles_account.refresh()
    assert [(error.kind, error.region) for error in snapshot.errors] == [("region", rig.account.away)]
    assert snapshot.eks is not None
    assert {cluster.name for cluster in snapshot.eks.clusters} == {"prod", "auto"}


def test_all_regions_are_those_that_are_enabled(rig: Rig, named_roles_account: Account) -> None:
    rig.world.not_opted_in = frozenset({"ap-east-1"})
    account_in_all_regions = replace_choice(named_roles_account, AccountChoice(regions=("all",)))
    snapshot = account_in_all_regions.refresh()
    assert snapshot.eks is not None
    assert len(snapshot.eks.regions) > 20
    assert "ap-east-1" not in snapshot.eks.regions
    legacy_snapshot = replace_choice(named_roles_account, AccountChoice(regions=(rig.account.away,))).refresh()
    assert legacy_snapshot.eks is not None
    assert [cluster.name for cluster in legacy_snapshot.eks.clusters] == ["legacy"]
    assert rig.account.away in legacy_snapshot.not_looked_at[0]


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_other_partitions(rig: Rig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, partition: str) -> None:
    rig.reset(NAMED, partition=partition)
    for name, value in rig.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    library = Library.open()
    snapshot = library.account.refresh()
    assert snapshot.errors == ()
    assert snapshot.identity.partition == partition
    answer = attached(library, CNI)
    assert answer.attachments.policy_arn.startswith(f"arn:{partition}:")
    assert {entry.role.name for entry in answer.attachments.roles} == rig.account.roles_with(CNI)
    assert truth(rig) - joined(dict(uses_in(snapshot))) == set()
    # The documents at hand are of partition aws, and are not taken for this partition's.
    assert all(policy.document is None for policy in role_answer(library, "prod-cluster").subject.policies)


def test_two_accounts_do_not_mix(rig: Rig, live_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.reset(NAMED)
    second_account = rig.add_account("444455556666", 60)
    first = live_library.account.refresh()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key("444455556666"))
    second = Library.open()
    assert second.account.last_snapshot() is None
    snapshot = second.account.refresh()
    assert snapshot.identity.account == "444455556666"
    assert sorted(role.name for role in snapshot.roles) == sorted(
        r.name for r in second_account.builder.iam.roles.values()
    )
    assert {role.arn.split(":")[4] for role in snapshot.roles if role.arn} == {"444455556666"}
    stored_snapshot = Library.open().account.last_snapshot()
    assert stored_snapshot == snapshot
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key(first.identity.account))
    assert Library.open().account.last_snapshot() == first
    with pytest.raises(InputError, match="444455556666"):
        attached(Library.open(), "arn:aws:iam::444455556666:policy/x")


def test_offline_needs_a_snapshot(rig: Rig, live_library: Library) -> None:
    rig.reset(NAMED)
    offline = Library.open(AccountChoice(offline=True))
    for ask in (offline.account.refresh, lambda: attached(offline, CNI), lambda: cluster_answer(offline, "prod")):
        with pytest.raises(AccountError, match="no snapshot"):
            ask()
    snapshot = live_library.account.refresh()
    rig.proxy.clear()
    later_library = Library.open(AccountChoice(offline=True))
    assert later_library.account.refresh() == snapshot
    assert cluster_answer(later_library, "prod").cluster.name == "prod"
    assert attached(later_library, CNI).complete
    assert rig.proxy.counts() == {}


def test_offline_answers_only_for_the_account_of_the_profile(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.reset(NAMED)
    rig.add_account("444455556666", 60)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    config, keys = Path(os.environ["AWS_CONFIG_FILE"]), Path(os.environ["AWS_SHARED_CREDENTIALS_FILE"])
    config.parent.mkdir(exist_ok=True)
    config.write_text("[profile dev]\n[profile prod]\nrole_session_name = a\n")

    def set_keys(dev: str, prod: str) -> None:
        lines = (
            f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = x\n"
            for name, key in (("dev", dev), ("prod", prod))
        )
        keys.write_text("".join(lines))

    def offline(profile: str | None) -> str | None:
        snapshot = Library.open(AccountChoice(offline=True, profile=profile)).account.last_snapshot()
        return snapshot.identity.account if snapshot else None

    first, second = access_key("123456789012"), access_key("444455556666")
    set_keys(first, second)
    account = Library.open(AccountChoice(profile="dev")).account.refresh().identity.account
    assert offline("dev") == account
    for unread_profile in ("prod", "deb"):
        assert offline(unread_profile) is None
        with pytest.raises(AccountError, match="no snapshot known"):
            attached(Library.open(AccountChoice(offline=True, profile=unread_profile)), CNI)
    # With no profile chosen, no other is meant; keys in the environment may be of any account.
    assert offline(None) == account
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", second)
    assert offline(None) is None
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    # Keys are renewed, and the profile is the same; with other settings it may lead elsewhere.
    set_keys(first.replace("AKIA", "ASIA"), second)
    assert offline("dev") == account
    config.write_text(
        "[profile dev]\nrole_arn = arn:aws:iam::444455556666:role/x\n[profile prod]\nrole_session_name = a\n"
    )
    assert offline("dev") is None
    # The account that a profile led to last is the one that counts.
    assert Library.open(AccountChoice(profile="prod")).account.refresh().identity.account == "444455556666"
    set_keys(first, first)
    assert Library.open(AccountChoice(profile="prod")).account.refresh().identity.account == account
    set_keys(first, first.replace("AKIA", "ASIA"))
    assert offline("prod") == account


def test_clusters_by_name(rig: Rig, library_without_failures: Library) -> None:
    answer = cluster_answer(library_without_failures, "prod")
    assert answer.complete
    assert [(issue.kind, issue.name, issue.code) for issue in answer.cluster.all_issues] == [
        ("nodegroup", "spot", "AccessDenied"),
        ("addon", "amazon-cloudwatch-observability", "AddonPermissionFailure"),
    ]
    needs = {addon.name: addon for addon in answer.cluster.addons or ()}
    assert needs["vpc-cni"].requires_permissions is True
    assert needs["coredns"].requires_permissions is False
    recommended_policies = needs["aws-ebs-csi-driver"].recommended_policies
    assert recommended_policies is not None
    assert recommended_policies[0][0] == "ebs-csi-controller-sa"
    role_names = {role.arn.rsplit("/", 1)[-1] for role in answer.roles}
    assert role_names >= {use.role.rsplit("/", 1)[-1] for use in rig.account.builder.uses if use.cluster == "prod"}
    assert "prod-never-matches" in role_names
    assert "legacy-cluster" not in role_names
    with pytest.raises(NotFoundError) as unknown:
        cluster_answer(library_without_failures, "prd")
    assert unknown.value.nearest == ("prod",)
    with pytest.raises(NotFoundError):
        cluster_answer(library_without_failures, "prod", rig.account.away)


def test_a_name_in_two_regions_is_ambiguous(rig: Rig, named_roles_account: Account) -> None:
    rig.reset(NAMED)
    role = rig.account.role("legacy-cluster")
    rig.account.builder.cluster(rig.account.away, "prod", role)
    named_roles_account.refresh()
    library = asking(named_roles_account)
    with pytest.raises(AmbiguousError) as ambiguous:
        cluster_answer(library, "prod")
    assert set(ambiguous.value.candidates) == {rig.account.home, rig.account.away}
    assert cluster_answer(library, "prod", rig.account.away).cluster.region == rig.account.away


def test_a_cluster_is_not_missing_where_eks_is_denied(rig: Rig, named_roles_account: Account) -> None:
    rig.proxy.fail("denied", "eks", "ListClusters")
    named_roles_account.refresh()
    with pytest.raises(AccountError, match="eks:ListClusters is denied"):
        cluster_answer(asking(named_roles_account), "prod")


def test_copies_are_reported_with_the_version_they_started_from(library_without_failures: Library) -> None:
    copies = copies_in(library_without_failures)
    assert {(copy.copy.local.name, copy.copy.original.name, copy.copy.same_name) for copy in copies} == {
        ("AmazonEKS_CNI_Policy", "AmazonEKS_CNI_Policy", True),
        ("acme-eks-control-plane", "AmazonEKSClusterPolicy", False),
    }
    assert all(copy.change.kind == "actions" for copy in copies)


def test_an_aggregator_answers_for_every_account(rig: Rig, named_roles_account: Account) -> None:
    second_account = rig.add_account("444455556666", 60)
    library = asking(named_roles_account)
    policy = library.find("AmazonEKSClusterPolicy").policy
    answer = attached_everywhere(library, policy, "organisation")
    roles = {(attachment.account, attachment.name) for attachment in answer.attachments if attachment.kind == "role"}
    carriers_by_account = {(rig.account.builder.account_id, name) for name in rig.account.roles_with(policy.name)}
    carriers_by_account |= {("444455556666", name) for name in second_account.roles_with(policy.name)}
    roles_with_boundary = {(account, "prod-orders") for account in (rig.account.builder.account_id, "444455556666")}
    assert roles == carriers_by_account | roles_with_boundary
    assert len(answer.attachments) == len({(attachment.account, attachment.arn) for attachment in answer.attachments})
    assert {attachment.attached_as for attachment in answer.attachments if attachment.name == "prod-orders"} == {
        ("boundary",)
    }
    assert any("last used" in note for note in answer.not_looked_at)
    with pytest.raises(NotFoundError) as unknown:
        attached_everywhere(library, policy, "organization")
    assert unknown.value.nearest == ("organisation",)
    rig.proxy.fail("denied", "config")
    with pytest.raises(AccountError, match="SelectAggregateResourceConfig is denied"):
        attached_everywhere(library, policy, "organisation")


def replace_choice(account: Account, choice: AccountChoice) -> Account:
    return replace(account, choice=choice, held_snapshot=None)


def test_a_role_is_compared_as_a_whole(library_without_failures: Library) -> None:
    comparison = compare(library_without_failures, RoleSide("PROD-cluster"), PolicyAt("AmazonEKSClusterPolicy"))
    assert comparison.before.label == "role:prod-cluster"
    # The role carries one more policy, so nothing is added on the way to the cluster policy alone.
    assert comparison.change.added == ()
    removed = {action for difference in comparison.change.removed for action in difference.actions}
    document = library_without_failures.document(library_without_failures.find("AmazonEKSVPCResourceController").policy)
    assert removed <= {action for statement in document.statements for action in statement.actions}
    role_with_itself = compare(library_without_failures, RoleSide("prod-orders"), RoleSide("prod-orders"))
    assert role_with_itself.change.kind == "none"
    assert "before its boundary AmazonEKSClusterPolicy" in role_with_itself.before.label
    with pytest.raises(NotFoundError):
        compare(library_without_failures, RoleSide("prod-clustre"), PolicyAt("AmazonEKSClusterPolicy"))


def test_what_is_kept_can_be_listed_and_forgotten(rig: Rig, iam_only_account: Account) -> None:
    snapshot = iam_only_account.refresh()
    assert [(snapshot.partition, snapshot.account, snapshot.fetched_at) for snapshot in iam_only_account.stored()] == [
        ("aws", snapshot.identity.account, snapshot.fetched_at.replace(microsecond=0))
    ]
    assert iam_only_account.forget() == 1
    assert iam_only_account.stored() == ()
    assert iam_only_account.last_snapshot() is None


def test_access_entries_are_read_whole_where_a_cluster_is_looked_at(
    rig: Rig, library_without_failures: Library
) -> None:
    entries = {
        row.entry.principal_arn.rpartition("/")[2]: row.entry
        for row in cluster_answer(library_without_failures, "prod").entries
    }
    assert entries["deleted-since"].kind == "STANDARD"
    assert [(association.policy, association.scope) for association in entries["deleted-since"].policies or ()] == [
        ("AmazonEKSViewPolicy", "cluster")
    ]
    assert entries["prod-node"].policies is None
    calls = rig.proxy.counts()["eks:ListAssociatedAccessPolicies"]
    assert calls == sum(row.takes_policies for row in entries.values())
    # They are known from then on, offline too.
    offline = Library.open(AccountChoice(offline=True))
    offline = Library(
        offline.corpus, offline.store, Account(AccountChoice(offline=True), library_without_failures.account.folder)
    )
    entries_offline = cluster_answer(offline, "prod").entries
    assert {row.entry.principal_arn.rpartition("/")[2]: row.entry for row in entries_offline} == entries


def test_a_list_of_clusters_asks_nobody(rig: Rig, library_without_failures: Library) -> None:
    calls_before = rig.proxy.counts()
    assert {answer.cluster.name for answer in clusters(library_without_failures)} >= {"prod", "legacy"}
    assert rig.proxy.counts() == calls_before


def test_entries_that_cannot_be_read_hide_nothing_else(
    rig: Rig,
    named_roles_account: Account,
    library_without_failures: Library,
    snapshot_without_failures: AccountSnapshot,
) -> None:
    answer_without_failures = cluster_answer(library_without_failures, "prod")
    rig.proxy.fail("denied", "eks", "ListAssociatedAccessPolicies")
    partial_answer = cluster_answer(
        asking(replace(named_roles_account, held_snapshot=snapshot_without_failures)), "prod"
    )
    assert [error.action for error in partial_answer.errors] == ["eks:ListAssociatedAccessPolicies"]
    assert not partial_answer.complete
    assert [role.arn for role in partial_answer.roles] == [role.arn for role in answer_without_failures.roles]
    assert all(row.entry.policies is None for row in partial_answer.entries)
    assert len(partial_answer.entries) == len(answer_without_failures.entries)


def test_a_copy_of_a_controllers_policy_is_recognised_with_all_that_it_lacks(
    rig: Rig, named_roles_account: Account
) -> None:
    """By brute force: each action of the reference against the words of both documents, as IAM matches them."""
    component = components()["aws-load-balancer-controller"]
    old, new = component.at("v2.4.7"), component.at("v3.5.0")
    assert old
    assert new
    builder = rig.reset(NAMED).builder
    policy = builder.policy("our-lbc", old.json())
    builder.role("prod-lbc", trusting_pods(), policy.arn)
    named_roles_account.refresh()
    (copy,) = role_answer(asking(named_roles_account), "prod-lbc").copies
    match = copy.copy
    assert (match.original.name, version_label(match.version)) == ("aws-load-balancer-controller", "v2.4.7")
    assert (match.overlap, match.nearness) == (1.0, 1.0)
    comparison = compare(asking(named_roles_account), RoleSide("prod-lbc"), PolicyAt(component.name, release="v3.5.0"))

    def allowed_actions(document: dict[str, Any]) -> set[str]:
        action_lists = [statement["Action"] for statement in document["Statement"]]
        patterns = [
            pattern for actions in action_lists for pattern in ([actions] if isinstance(actions, str) else actions)
        ]
        matches = re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns), re.IGNORECASE).match
        return {name for name in names if matches(name)}

    names = [name for service in reference().services() for name in reference().names(service).values()]
    lacking = {name for difference in comparison.differences.added for name in difference.actions}
    assert lacking == allowed_actions(new.json()) - allowed_actions(old.json())
    assert len(lacking) > 5
    assert comparison.differences.removed == ()
    assert copy.change.reach == comparison.change.reach == "widened"
