"""Who can do something, as the command and the app both ask."""

import pytest

from ekstui.errors import AccountError, InputError
from ekstui.library import AccountChoice, Library
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
    unnamed = who_can_in_account(own_demo, "newservice:DoThing", scope="all", account=None)
    assert (unnamed.near, unnamed.policies.is_named) == ((), False)
    assert unnamed.policies.holders


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
