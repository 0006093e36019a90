"""Who can do something, as the command and the app both ask."""

from pathlib import Path

import pytest

from ekstui.errors import AccountError, InputError
from ekstui.library import AccountChoice, Library
from ekstui.library.own_account import Account
from ekstui.library.who_can import who_can_in_account, who_can_in_clusters


@pytest.fixture
def own_demo() -> Library:
    """The demo for one test."""
    return Library.open(AccountChoice(demo=True, offline=True))


def refused() -> None:
    raise AccountError("AWS could not be asked.")


def test_of_a_misspelt_action_only_the_nearest_are_named(own_demo: Library) -> None:
    def read() -> None:
        raise AssertionError("nobody in the account may do what does not exist")

    answer = who_can_in_account(own_demo, "ec2:CreatTags", account=read)
    assert "ec2:CreateTags" in answer.near
    assert (answer.policies.holders, answer.principals, answer.error) == ((), None, None)
    # What has no near name may be new, so the policies that allow it by a pattern count.
    new_action_answer = who_can_in_account(own_demo, "newservice:DoThing", scope="all", account=None)
    assert (new_action_answer.near, new_action_answer.policies.is_named) == ((), False)
    assert new_action_answer.policies.holders


def test_policies_are_listed_also_where_the_account_cannot_be_read(own_demo: Library) -> None:
    answer = who_can_in_account(own_demo, "ec2:CreateTags", account=refused)
    assert answer.policies.holders
    assert (answer.principals, str(answer.error)) == (None, "AWS could not be asked.")
    with_account = who_can_in_account(own_demo, "ec2:CreateTags", account=own_demo.account.last_snapshot)
    assert with_account.policies == answer.policies
    assert with_account.principals is not None and with_account.principals.principals
    assert who_can_in_account(own_demo, "ec2:CreateTags", account=lambda: None).principals is None


def test_access_policies_are_listed_also_where_the_account_cannot_be_read(own_demo: Library) -> None:
    request = "k8s:create:pods/exec"
    answer = who_can_in_clusters(own_demo, request, account=refused)
    assert answer.holders.holders
    assert (answer.in_clusters, str(answer.error)) == (None, "AWS could not be asked.")
    with_account = who_can_in_clusters(own_demo, request, account=own_demo.account.last_snapshot)
    assert with_account.in_clusters is not None and with_account.in_clusters.principals
    with pytest.raises(InputError):
        who_can_in_clusters(own_demo, "k8s:create", account=None)


def test_the_entries_of_the_last_snapshot_are_listed_where_eks_cannot_be_asked(
    own_demo: Library, tmp_path: Path
) -> None:
    request = "k8s:get:pods"
    snapshot = own_demo.account.last_snapshot()
    assert snapshot is not None
    known_answer = who_can_in_clusters(own_demo, request, account=lambda: snapshot).in_clusters
    assert known_answer is not None and known_answer.principals
    lacking = known_answer.principals[0]
    clusters = tuple(
        cluster._replace(
            access_entries=tuple(
                entry._replace(policies=None) if entry.principal_arn == lacking.principal else entry
                for entry in cluster.access_entries or ()
            )
        )
        for cluster in snapshot.clusters
    )
    # With a profile that is nowhere, what that entry has cannot be read from EKS.
    assert snapshot.eks is not None
    partial = snapshot._replace(eks=snapshot.eks._replace(clusters=clusters))
    library = Library(
        own_demo.corpus, own_demo.store, Account(AccountChoice(profile="nowhere"), tmp_path, held_snapshot=partial)
    )
    answer = who_can_in_clusters(library, request, account=lambda: partial)
    assert answer.in_clusters is not None
    assert len(known_answer.principals) > 1
    assert answer.in_clusters.principals == tuple(
        principal for principal in known_answer.principals if principal.principal != lacking.principal
    )
    assert f"the access policies of 1 access entry of {lacking.cluster}, which were not read" in (
        answer.in_clusters.not_looked_at
    )
    assert {error.action for error in answer.in_clusters.errors} == {"eks:ListAssociatedAccessPolicies"}
    assert "nowhere" in answer.in_clusters.errors[0].message
    assert who_can_in_clusters(library, request, account=lambda: partial, ask=False).in_clusters == (
        answer.in_clusters._replace(errors=())
    )
