"""Ten user tasks in the real app, with the keys that each takes, not counting typed or pasted text."""

import base64
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.isolation import isolated
from tests.support.bundled import CNI, counts, newest
from tests.support.filled import copied
from tests.support.terminal import Terminal

APP = (sys.executable, "-m", "ekstui", "--demo")

DENIAL = (
    "An error occurred (AccessDenied) when calling the CreateVolume operation: User: "
    "arn:aws:sts::111122223333:assumed-role/prod-ebs-csi/i-0abc is not authorized to perform: ec2:CreateVolume on "
    "resource: arn:aws:ec2:eu-central-1:111122223333:volume/* because no identity-based policy allows the "
    "ec2:CreateVolume action"
)


class User:
    """A user of the app who counts keys."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.keys = 0

    def press(self, keys: str, seen: str) -> None:
        """Press keys one by one, and wait for a text."""
        for key in keys:
            self.terminal.send(key)
        self.keys += len(keys)
        self.terminal.wait_for(seen)

    def type(self, text: str, seen: str) -> None:
        """Type a text, and wait for the match."""
        self.terminal.send(text)
        self.terminal.wait_for(seen)

    def find(self, text: str, match: str, seen: str) -> None:
        """Type a text into "find anything", and open the match."""
        self.press(":", "Find anything")
        self.type(text, match)
        self.press("\r", seen)

    def paste(self, text: str, seen: str) -> None:
        """Paste a text."""
        self.terminal.send(f"\x1b[200~{text}\x1b[201~".encode())
        self.terminal.wait_for(seen)

    def sees(self, *parts: str) -> None:
        """Wait until a row of the screen has all of these parts."""
        self.terminal.wait_for(
            lambda: any(all(part in line for part in parts) for line in self.terminal.text.splitlines())
        )

    def copied(self) -> str:
        """Return the last text sent to the clipboard."""
        found = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", bytes(self.terminal.raw))
        return base64.b64decode(found[-1]).decode() if found else ""


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, filled_cache: Path) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("home")
    copied(filled_cache, home / "cache")
    with Terminal(APP, columns=120, rows=40, env=isolated(home)) as terminal:
        terminal.wait_for("111122223333")
        terminal.settle(0.6)
        yield terminal


@pytest.fixture
def user(terminal: Terminal) -> Iterator[User]:
    yield User(terminal)
    # Go back to the first screen.
    for _ in range(6):
        terminal.send("\x1b")
        terminal.settle(0.15)
    terminal.wait_for("1 Policies")


def test_the_last_change_of_a_policy_and_why(user: User) -> None:
    user.find(
        "AmazonEKSServiceRolePolicy", "For the service-linked role", "Permissions · AmazonEKSServiceRolePolicy v27"
    )
    user.press("d", "v27: Trunk interfaces can be read")
    user.sees("+", "ec2:DescribeTrunkInterfaceAssociations")
    assert user.keys <= 3


def test_one_version_against_another(user: User) -> None:
    user.find("cni@v5..v6", "comparison", "compare AmazonEKS_CNI_Policy@v5 → v6")
    user.sees("ec2:DescribeSecurityGroups")
    assert user.keys <= 2


def test_two_policies(user: User) -> None:
    user.find(
        "diff WorkerNodePolicy WorkerNodeMin",
        "AmazonEKSWorkerNodePolicy with AmazonEKSWorkerNodeMinimalPolicy",
        "only A 9 · only B 0 · unlike 0 · alike 1",
    )
    user.sees("ec2:DescribeInstances ×8", "all", "✓", "–")
    assert user.keys <= 2


def test_which_eks_policies_allow_an_action(user: User) -> None:
    user.find("ec2:CreateTags", "action", "19 EKS policies")
    user.sees(CNI, f"v{newest(CNI)}", "network-interface")
    user.sees("AmazonEKSClusterPolicy", f"v{newest('AmazonEKSClusterPolicy')}", "all")
    assert user.keys <= 2


def test_which_roles_in_the_account_may_do_it(user: User) -> None:
    user.find("ec2:CreateTags", "action", "In my account: ")
    user.sees("legacy-cluster", "role", "AmazonEKSClusterPolicy v10")
    user.sees("    cluster legacy")
    assert user.keys <= 2


def test_which_roles_have_a_policy(user: User) -> None:
    user.find("AmazonEKS_CNI_Policy", "policy", f"Permissions · {CNI} v{newest(CNI)}")
    user.press("4", "8 roles")
    user.sees("prod-node", "nodes general of prod")
    user.sees("KarpenterNodeRole-prod")
    assert user.keys <= 3


def test_the_worst_problem_of_a_cluster_and_its_remedy_on_the_clipboard(user: User) -> None:
    user.find("prod", "cluster", "lacks CloudWatchAgentServerPolicy")
    user.press("nn", "prod-efs-csi")
    user.press("y", "y chooses")
    user.press("\r", "Sent ")
    assert user.copied().startswith("aws iam update-assume-role-policy --role-name prod-efs-csi ")
    assert user.keys <= 6


def test_a_denial_that_is_pasted_is_explained(user: User) -> None:
    user.paste(DENIAL, "Explain this message")
    user.press("\r", "ec2:CreateVolume: ")
    user.sees("prod-ebs-csi")
    assert user.keys <= 1


def test_what_a_role_may_do(user: User) -> None:
    user.find("prod-node", "role", "What it may do, all policies together")
    user.press("v", "permissions · ")
    user.sees("ec2", f"/{counts(CNI, 'ec2')['List'].total}")
    user.sees("ecr", f"/{counts('AmazonEC2ContainerRegistryReadOnly', 'ecr')['Read'].total}")
    assert user.keys <= 3


def test_what_changed_this_year_in_policies_that_our_roles_have(user: User) -> None:
    user.press("f", "changes 30 days")
    user.press("v", "attached in the account")
    user.press("pp", "changes a year")
    number = newest("AmazonEKSServiceRolePolicy")
    user.sees("AmazonEKSServiceRolePolicy", f"v{number - 1}→v{number}")
    assert user.keys <= 4
