"""Who can do something, and the map of a cluster, as the reader sees them."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ekstui.change.policy import version_label
from ekstui.eks.principals import PrincipalsCan
from ekstui.iam.action_facts import action_card
from ekstui.iam.document import parse
from ekstui.iam.summary import services_in
from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_answers import cluster_answer, clusters
from ekstui.library.copies import copies_in
from ekstui.library.own_account import Account
from ekstui.library.principals_can import principals_can
from ekstui.library.searching import who_can_answer
from ekstui.present.account_report import account_blocks, copies_blocks
from ekstui.present.cards import AllowedAction, action_blocks
from ekstui.present.change_lists import pane_rows, timeline_blocks
from ekstui.present.cluster_map import map_blocks
from ekstui.present.cluster_report import clusters_blocks
from ekstui.present.rendering import lines, markdown
from ekstui.present.styled import plain
from ekstui.present.who_can_report import principals_blocks, who_can_blocks
from tests.support.accounts import WHEN, snapshot
from tests.support.bundled import newest

KNOWN = datetime(2026, 8, 26, tzinfo=UTC)


def report_lines(library: Library, action: str, width: int = 120, *, full: bool = False) -> list[str]:
    answer = who_can_answer(library, action, None, "eks", types=full, history=True)
    blocks = who_can_blocks(answer, "eks", KNOWN, full=full, types=full)
    return list(lines(blocks, width, colours=False, whole_tables=False))


def row_of(report: list[str], policy: str) -> str:
    return next(line for line in report if policy in line)


def test_each_policy_is_one_row_on_one_screen(library: Library) -> None:
    report = report_lines(library, "ec2:CreateTags")
    assert len(report) <= 40
    row = row_of(report, "AmazonEKSServiceRolePolicy")
    for words in (
        f"v{newest('AmazonEKSServiceRolePolicy')}",
        "v1 2020-02-21",
        "vpc, subnet, +2",
        "if TagKeys",
        "service-linked",
    ):
        assert words in row
    assert not any("capacity-reservation" in line for line in report)


def test_all_of_it_is_there_if_asked_for(library: Library) -> None:
    text = " ".join(report_lines(library, "ec2:CreateTags", full=True))
    assert "capacity-reservation" in text
    assert "arn:aws:ec2:*:*:security-group/* if aws:RequestTag/Name StringLike eks-cluster-*" in text


def test_a_pattern_has_no_level_and_an_action_has_one(library: Library) -> None:
    assert re.match(r"ec2:Create\*  \d+ EKS policies allow it, known until", report_lines(library, "ec2:Create*")[0])
    assert re.match(r"ec2:CreateTags  Tagging  \d+ EKS policies allow it", report_lines(library, "ec2:CreateTags")[0])


def test_a_condition_that_was_dropped_is_named_with_its_version(library: Library) -> None:
    row = row_of(report_lines(library, "elasticloadbalancing:SetRulePriorities"), "AmazonEKSLoadBalancingPolicy")
    assert "v8 2026-06-03" in row
    assert "without the cluster tag since v9 2026-06-16" in row


def account(library: Library, action: str, *, complete: bool = True) -> PrincipalsCan:
    """Who may do it in an account with nobody, as far as it was read."""
    account_snapshot = snapshot()._replace(roles=(), users=(), groups=(), complete=complete)
    account = Account(AccountChoice(offline=True), Path("/nowhere"), held_snapshot=account_snapshot)
    return principals_can(Library(library.corpus, library.store, account), action)


def test_nobody_is_said_only_where_everybody_was_read(library: Library) -> None:
    blocks_of_all = principals_blocks(account(library, "iam:CreateUser"), "iam:CreateUser", WHEN)
    blocks_of_part = principals_blocks(account(library, "iam:CreateUser", complete=False), "iam:CreateUser", WHEN)
    all_read, partly_read = (
        next(lines(blocks, 200, colours=False, whole_tables=False)) for blocks in (blocks_of_all, blocks_of_part)
    )
    assert "nobody may do it" in all_read
    assert "nobody that was read" in partly_read


@pytest.mark.parametrize("short", [True, False])
def test_a_policy_of_the_account_is_told_from_aws_s_of_the_same_name(library: Library, *, short: bool) -> None:
    """The demo's legacy-node has a copy of AmazonEKS_CNI_Policy made when AWS's was still at v1."""
    choice = AccountChoice(demo=True, offline=True)
    answer = principals_can(Library.open(choice), "ec2:CreateTags")
    blocks = principals_blocks(answer, "ec2:CreateTags", WHEN, short=short)
    text = " ".join(lines(blocks, 400, colours=False, whole_tables=False))
    assert text.count("AmazonEKS_CNI_Policy v1 customer managed") == 1
    assert "AmazonEKS_CNI_Policy v6 customer" not in text
    # Of an action that nothing names, that nobody may do it would be no answer.
    assert principals_blocks(account(library, "iam:CreatUser"), "iam:CreatUser", WHEN, is_named=False) == []


@pytest.mark.parametrize(
    ("cluster", "lines"),
    [
        (
            "prod",
            {
                "access entries  7 entries",
                "role/…/AWSReservedSSO_AdministratorAccess_0123456789abcdef  STANDARD  AmazonEKSClusterAdminPolicy in the cluster",
                "role/prod-node  EC2_LINUX  group system:nodes",
            },
        ),
        ("legacy", {"access entries  none: the cluster uses the aws-auth ConfigMap"}),
    ],
)
def test_the_map_has_who_may_use_the_cluster(cluster: str, lines: set[str]) -> None:
    answer = cluster_answer(Library.open(AccountChoice(demo=True, offline=True)), cluster)
    page = markdown(map_blocks(answer, (), datetime.now(UTC)))
    assert lines <= {
        line.strip().lstrip("- ").replace("`", "").replace("*", "").replace("\\", "") for line in page.splitlines()
    }
    assert "111122223333" not in page


@pytest.mark.parametrize(("own", "named"), [("111122223333", "This account"), (None, "111122223333")])
def test_an_action_says_which_resources_are_in_the_users_own_account(own: str | None, named: str) -> None:
    """The words are the IAM console's, as its policy summary has them in the column Account."""
    table = "arn:aws:dynamodb:us-west-1:111122223333:table/t"
    statement = {"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": table}
    (service,) = services_in(parse({"Version": "2012-10-17", "Statement": [statement]}))
    (action,) = service.actions
    action_in_policy = AllowedAction(action, action_card(action.action), (), (), (), None, None, own)
    text_lines = lines(action_blocks(action_in_policy), 120, colours=False, whole_tables=False)
    assert any(line.endswith(f"us-west-1, {named}") for line in text_lines)


@pytest.mark.parametrize("name", ["AmazonEBSCSIDriverPolicy", "karpenter"])
def test_the_pane_says_of_a_version_what_the_command_says(library: Library, name: str) -> None:
    policy = library.find(name).policy
    steps = library.timeline(policy)
    command = list(lines(timeline_blocks(policy, steps, None, KNOWN), 120, colours=False, whole_tables=False))
    for row in pane_rows(policy, steps, {}):
        if row.selectable:
            (line,) = (line for line in command if line.split()[1:2] == [plain(row.cells[1])])
        else:
            (line,) = (line for line in command if "never recorded" in line and plain(row.cells[0]).split()[0] in line)
        assert set(" ".join(map(plain, row.cells)).replace(" · ", " ").split()) <= set(line.split())


def test_the_account_says_of_a_cluster_what_the_list_of_clusters_says() -> None:
    demo = Library.open(AccountChoice(demo=True, offline=True))
    account = demo.account.last_snapshot_or_error()
    of_account, of_clusters = (
        [line.split() for line in lines(blocks, 120, colours=False, whole_tables=False)]
        for blocks in (account_blocks(account, WHEN), clusters_blocks(account, clusters(demo)))
    )
    for name, mode in (("auto", "Mode"), ("prod", "standard"), ("legacy", "standard")):
        (short_row,), (judged_row,) = ([row for row in rows if row[:1] == [name]] for rows in (of_account, of_clusters))
        assert mode in short_row
        *cells, reports = short_row
        assert (judged_row[: len(cells)], judged_row[-1]) == (cells, reports)


def test_a_copy_is_identical_to_a_version_or_like_it() -> None:
    demo = Library.open(AccountChoice(demo=True, offline=True))
    answer = next(answer for answer in copies_in(demo) if answer.copy.local.name == "AmazonEKS_CNI_Policy")
    half = answer._replace(copy=answer.copy._replace(nearness=0.5))
    whole_words, half_words = (
        " ".join(" ".join(lines(copies_blocks([copy]), 200, colours=False, whole_tables=False)).split())
        for copy in (answer, half)
    )
    change = f"To {version_label(answer.copy.original.default_version)}: widened: "
    assert f"AmazonEKS_CNI_Policy is identical to AmazonEKS_CNI_Policy v5. {change}" in whole_words
    assert f"is like AmazonEKS_CNI_Policy v5 (50% of the grants are the same). {change}" in half_words
