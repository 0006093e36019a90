"""Ten user tasks in the real app, with the keys that each takes from the four panes: typed text counts, pasted text does not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.isolation import isolated
from tests.support.bundled import CNI, newest
from tests.support.corpus import raw_document
from tests.support.filled import copy_of_cache
from tests.support.terminal import Terminal

APP = (sys.executable, "-m", "ekstui", "--demo")

DENIAL = (
    "User: arn:aws:sts::111122223333:assumed-role/prod-ebs-csi/i-0abc is not authorized to perform: ec2:DeleteVolume on "
    "resource: arn:aws:ec2:eu-central-1:111122223333:volume/vol-0abc because no identity-based policy allows the "
    "ec2:DeleteVolume action"
)


class User:
    """A user of the app who counts keys."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0

    def press(self, keys: str, *parts: str) -> None:
        """Press keys one by one, and wait for a row of the screen that has all of these parts."""
        for key in keys:
            self.terminal.send(key)
        self.keys += len(keys)
        self.sees(*parts)

    def paste(self, text: str, text_after: str) -> None:
        """Paste a text."""
        self.terminal.send(f"\x1b[200~{text}\x1b[201~".encode())
        self.terminal.wait_for(text_after)

    def sees(self, *parts: str) -> None:
        """Wait until a row of the screen has all of these parts."""
        self.terminal.wait_for(
            lambda: any(all(part in line for part in parts) for line in self.terminal.text.splitlines())
        )


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, filled_cache: Path) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("home")
    copy_of_cache(filled_cache, home / "cache")
    with Terminal(APP, columns=120, rows=40, env=isolated(home), forked=True) as terminal:
        terminal.wait_for("111122223333")
        terminal.settle(0.6)
        yield terminal


@pytest.fixture
def user(terminal: Terminal) -> Iterator[User]:
    yield User(terminal)
    # Go back to the first row of the first screen: each key takes effect after the one before it.
    terminal.send("\x1b" * 8 + "1g")
    terminal.wait_for("Permissions · AmazonEKS_CNI_Policy")


def test_which_policies_allow_an_action_of_ecr_and_since_when(user: User) -> None:
    user.press("wbatchi\r", "AmazonEC2ContainerRegistryPullOnly", "since v1")
    user.sees("ecr:BatchImportUpstreamImage")
    assert user.keys <= 10


def test_what_the_newest_version_of_the_cni_policy_changed(user: User) -> None:
    number = newest(CNI)
    user.press("d", CNI, f"v{number - 1}", f"v{number}")
    before, after = (
        {action for statement in raw_document(CNI, version)["Statement"] for action in statement["Action"]}
        for version in (number - 1, number)
    )
    user.sees(min(after - before))
    assert user.keys <= 10


def test_who_has_the_cni_policy_and_what_uses_it(user: User) -> None:
    user.sees("prod-node", "nodes general of prod")
    user.sees("KarpenterNodeRole-prod", "Karpenter nodes")
    assert user.keys <= 2


def test_a_denial_that_is_pasted_leads_to_its_fix(user: User) -> None:
    user.paste(DENIAL, "Explain this message")
    user.press("\r", "DENIED  ec2:DeleteVolume on vol-0abc: ")
    user.sees("role prod-ebs-csi ✓ → AmazonEBSCSIDriverPolicy", "tags ?")
    user.sees("CHECK")
    user.sees("aws ec2 create-tags --resources vol-0abc --tags Key=ebs.csi.aws.com/cluster,Value=true")
    assert user.keys <= 2


def test_what_is_wrong_with_a_cluster(user: User) -> None:
    user.press("cp\r", "✗", "lacks CloudWatchAgentServerPolicy", "prod-cloudwatch")
    user.sees("prod 1.34", "problems")
    assert user.keys <= 3


def test_two_policies_of_ebs_compared(user: User) -> None:
    user.press("/ebsc\r jjd", "AmazonEBSCSIDriverPolicy v", "(A) ⇄ AmazonEBSCSIDriverPolicyV2 v", "only A")
    assert user.keys <= 10


def test_a_role_s_copy_against_todays_policy(user: User) -> None:
    user.press("4Gd", "role:legacy-node-NodeInstanceRole", f"AmazonEKS_CNI_Policy v{newest(CNI)}")
    assert user.keys <= 3


def test_what_a_controller_needs_from_one_release_to_another(user: User) -> None:
    user.press(":kar@1.8..1.14", "karpenter@v1.8.0..v1.14.0", "comparison")
    user.press("\r", "karpenter", "v1.8.0", "v1.14.0")
    user.sees("ec2:DescribeInstanceStatus")
    assert user.keys <= 15


def test_who_may_exec_in_a_cluster(user: User) -> None:
    user.press("wexec", "k8s:create:pods/exec", "in Kubernetes")
    user.press("\r", "prod", "AWSReservedSSO_AdministratorAccess", "AmazonEKSClusterAdminPolicy")
    assert user.keys <= 6


def test_what_a_year_widened_of_what_is_attached(user: User) -> None:
    user.press("fvppO", "a year", "attached in the account", "only wider")
    number = newest("AmazonEKSServiceRolePolicy")
    user.sees("AmazonEKSServiceRolePolicy", f"v{number - 1}→v{number}", "widened")
    assert user.keys <= 6
