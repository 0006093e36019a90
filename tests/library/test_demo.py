"""The demo account: AWS is not asked, nothing is written, and recent times stay recent."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ekstui import files
from ekstui.cli.main import main
from ekstui.eks.account_snapshot import InlinePolicy
from ekstui.eks.commands import one_line
from ekstui.eks.last_accessed import TRACKED_DAYS
from ekstui.errors import AccountError, InputError
from ekstui.iam.document import parse_text
from ekstui.library import AccountChoice, Library
from ekstui.library.cluster_answers import cluster_answer, findings_worst_first
from ekstui.library.cluster_facts import find_cluster, with_cluster
from ekstui.library.last_used import used_answer
from ekstui.library.pod_answers import Wish, answers_for
from ekstui.library.syncing import sync
from ekstui.library.upgrading import upgrade
from ekstui.present.cluster_report import cluster_blocks
from ekstui.present.pod_report import pod_words
from ekstui.present.rendering import lines as lines_of
from ekstui.present.upgrade_report import upgrade_blocks
from ekstui.sources.account_file import demo_account
from tests.rig.isolation import ACCOUNT_ID
from tests.support.command import ekstui


@pytest.fixture
def own_demo() -> Library:
    """The demo for one test, which may change what its account holds."""
    return Library.open(AccountChoice(demo=True, offline=True))


def test_the_account_is_nobody_s() -> None:
    text = repr(demo_account(datetime.now(UTC)))
    assert "111122223333" in text
    assert ACCOUNT_ID not in text
    assert "127.0.0.1" not in text
    assert (files.assets() / "demo.json.xz").stat().st_size < 60_000


def test_what_was_lately_stays_lately_and_what_is_old_stays_where_it_was() -> None:
    now, later = datetime(2026, 12, 1, tzinfo=UTC), datetime(2031, 12, 1, tzinfo=UTC)
    account_now, account_later = demo_account(now), demo_account(later)
    assert account_now.fetched_at == now
    last_uses = [
        (a.last_used, b.last_used)
        for a, b in zip(account_now.roles, account_later.roles, strict=True)
        if a.last_used and b.last_used
    ]
    assert last_uses
    assert all(b - a == later - now for a, b in last_uses)
    created = {cluster.name: cluster.created for cluster in account_later.eks.clusters} if account_later.eks else {}
    assert any(moment and later - moment > timedelta(days=1500) for moment in created.values())


def test_it_never_asks_aws(demo: Library) -> None:
    assert demo.account.is_set_up
    assert demo.account.refresh().identity.profile == "DEMO"
    with pytest.raises(AccountError, match="never asks AWS"):
        demo.account.connection()
    with pytest.raises(AccountError, match="never asks AWS"):
        sync(demo)


def test_commands_answer_and_write_nothing(own_home: Path) -> None:
    before = sorted(own_home.rglob("*"))
    cluster = ekstui("cluster", "prod", "--demo").stdout
    assert "✗  lacks CloudWatchAgentServerPolicy" in cluster
    assert "KarpenterNodeRole-prod" in ekstui("attached", "AmazonEKS_CNI_Policy", "--demo").stdout
    assert "prod-node" in ekstui("who-can", "ec2:CreateTags", "--demo").stdout
    administrators = "AWSReservedSSO_AdministratorAccess_0123456789abcdef"
    assert administrators in ekstui("who-can", "k8s:create:pods/exec", "--demo").stdout
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/prod-node/i-0123456789abcdef0 is not authorized to perform: "
        "iam:CreateUser because no identity-based policy allows the iam:CreateUser action"
    )
    assert (
        "judged by  all policies of arn:aws:iam::111122223333:role/prod-node"
        in ekstui("explain", message, "--demo", "--full").stdout
    )
    counts = {line.split()[0]: line.split()[-3:] for line in ekstui("clusters", "--demo").stdout.splitlines() if line}
    heading = re.search(r"prod 1\.34   ✗ (\d+) problems   ! (\d+) advice .* EKS reports (\d+)", cluster)
    assert heading is not None
    assert counts["prod"] == list(heading.groups())
    assert sorted(own_home.rglob("*")) == before


def test_a_cluster_has_no_problem_of_another_that_shares_a_role(demo: Library) -> None:
    """The role of prod's EFS driver trusts the issuer of auto alone: prod's pods fail, and nothing of auto does."""
    codes = {
        name: {
            (role.arn.rpartition("/")[2], finding.code)
            for role, finding in findings_worst_first(cluster_answer(demo, name))
        }
        for name in ("prod", "auto")
    }
    wrong = ("prod-efs-csi", "irsa-issuer-of-another-cluster")
    assert wrong in codes["prod"]
    assert "prod-efs-csi" in {role.arn.rpartition("/")[2] for role in cluster_answer(demo, "auto").roles}
    assert wrong not in codes["auto"]


def test_a_note_about_missing_actions_has_the_command_that_gives_them(
    own_demo: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether pods have security groups of their own is nowhere in AWS, so the cluster role's lack is never a problem."""
    snapshot = own_demo.account.last_snapshot_or_error()

    def command_with(**fields: object) -> set[str]:
        roles = tuple(
            role._replace(attached=tuple(p for p in role.attached if "VPCResource" not in p.name), **fields)  # type: ignore[arg-type]
            if role.name == "prod-cluster"
            else role
            for role in snapshot.roles
        )
        monkeypatch.setattr(own_demo.account, "held_snapshot", snapshot._replace(roles=roles))
        answer = cluster_answer(own_demo, "prod")
        return {
            one_line(finding.commands)
            for role, finding in findings_worst_first(answer)
            if finding.severity == "note" and role.arn.endswith("/prod-cluster") and "branch interfaces" in finding.text
        }

    policy = "arn:aws:iam::aws:policy/AmazonEKSVPCResourceController"
    assert command_with() == {f"aws iam attach-role-policy --role-name prod-cluster --policy-arn {policy}"}
    # Nothing that is attached helps against a boundary.
    assert command_with(boundary_arn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy") == {""}


def test_an_upgrade_judges_the_roles_that_pods_use(own_demo: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """An association comes before the add-on's role, as the EKS User Guide says, but only where the agent runs."""
    (driver,) = upgrade(own_demo, "prod", {"aws-ebs-csi-driver": "v1.64.0"}, {}, {}).components
    assert driver.role == "prod-ebs-csi"
    assert "prod-ebs-csi-irsa is not used: an association of Pod Identity comes first" in driver.reasons
    snapshot = own_demo.account.last_snapshot_or_error()
    prod = find_cluster("prod", None, snapshot)
    addons = tuple(addon for addon in prod.addons or () if addon.name != "eks-pod-identity-agent")
    monkeypatch.setattr(own_demo.account, "held_snapshot", with_cluster(snapshot, prod._replace(addons=addons)))
    components = upgrade(own_demo, "prod", {"aws-ebs-csi-driver": "v1.64.0"}, {}, {}).components
    assert {component.role for component in components} == {"prod-ebs-csi", "prod-ebs-csi-irsa"}
    partial = snapshot._replace(complete=False, roles=tuple(r for r in snapshot.roles if r.name != "prod-ebs-csi"))
    monkeypatch.setattr(own_demo.account, "held_snapshot", partial)
    (driver,) = upgrade(own_demo, "prod", {"aws-ebs-csi-driver": "v1.64.0"}, {}, {}).components
    assert (driver.role, driver.is_judged) == ("prod-ebs-csi", False)
    assert "what prod-ebs-csi allows, which was not read" in driver.not_known


def test_an_upgrade_asks_for_what_a_release_needs_and_its_own_policy_lacks(
    own_demo: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amazon-vpc-cni-k8s #3705: v1.22 does not start with version 5 of AWS's policy, nor with what its own guide lists."""
    copy = parse_text(own_demo.ask(lambda reader: reader.text("AmazonEKS_CNI_Policy", 5)).decode())
    snapshot = own_demo.account.last_snapshot_or_error()
    roles = tuple(
        role._replace(attached=(), inline=(InlinePolicy("cni", copy),)) if role.name == "prod-vpc-cni" else role
        for role in snapshot.roles
    )
    monkeypatch.setattr(own_demo.account, "held_snapshot", snapshot._replace(roles=roles))
    (before,) = upgrade(own_demo, "prod", {"vpc-cni": "v1.21.1"}, {}, {}).components
    assert (before.is_judged, before.before) == (True, ())
    (at_start,) = upgrade(own_demo, "prod", {"vpc-cni": "v1.22.1"}, {}, {}).components
    assert [statement.actions for statement in at_start.before] == [("ec2:DescribeSecurityGroups",)]
    assert "issues/3705" in at_start.besides[0]
    assert "only since v1.23.0" in at_start.besides[0]
    # The call was taken back in v1.22.2 (#3720), and the policy that v1.23.0 publishes asks for it all the same.
    (later,) = upgrade(own_demo, "prod", {"vpc-cni": "v1.22.4"}, {}, {}).components
    assert (later.before, later.optional) == ((), ())
    (newest,) = upgrade(own_demo, "prod", {"vpc-cni": "v1.23.0"}, {}, {}).components
    assert newest.before == ()
    assert [statement.actions for need in newest.optional for statement in need.statements] == [
        ("ec2:DescribeSecurityGroups",)
    ]


def test_an_upgrade_tells_what_a_role_has_in_some_cases_from_what_it_lacks(demo: Library) -> None:
    answer = upgrade(demo, "prod", {"aws-efs-csi-driver": "v3.4.1"}, {}, {})
    lines = [line.strip() for line in lines_of(upgrade_blocks(answer), 200, colours=False, whole_tables=False)]
    partly = next(row for row, line in enumerate(lines) if "only in some" in line)
    (create,) = (row for row, line in enumerate(lines) if line.startswith("+ elasticfilesystem:CreateAccessPoint"))
    optional = lines.index("only if volumes are on S3 file systems (S3 Files), not only on EFS:")
    assert partly < create < optional < lines.index("+ s3files:CreateAccessPoint")
    assert any(
        "has it on * if aws:RequestTag/efs.csi.aws.com/cluster Null false and aws:TagKeys" in line for line in lines
    )
    unknown_answer = upgrade(demo, "prod", {"karpenter": "9.9.9"}, {}, {})
    text = "\n".join(lines_of(upgrade_blocks(unknown_answer), 200, colours=False, whole_tables=False))
    assert "is not one of the releases" in text
    assert "has all" not in text


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("list", 0), ("show AmazonEKS_CNI_Policy", 0), ("versions AmazonEKS_CNI_Policy", 0), ("who-can ec2:RunInstances", 0),
        ("changes --since 2026-08-01 --attached", 0), ("attached AmazonEKS_CNI_Policy", 0), ("cluster prod", 0),
        ("role prod-node", 0), ("account", 0), ("cache info", 2), ("cache verify", 2), ("cache undo-sync", 2),
        ("cache clear", 2), ("cache clear --accounts", 2), ("pin AmazonEKS_CNI_Policy", 2), ("sync", 3), ("config edit", 2),
    ],
)  # fmt: skip
def test_no_command_reads_or_writes_what_is_kept(
    command: str, code: int, own_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(own_home)
    monkeypatch.setenv("EDITOR", "touch edited")
    accounts = own_home / "cache" / "accounts"
    accounts.mkdir(parents=True)
    # Whoever reads these reports them as damaged and sets them aside.
    for path in (own_home / "cache" / "policies.db", accounts / "aws-111122223333.db"):
        path.write_bytes(b"damaged")
    before = {path: path.read_bytes() for path in own_home.rglob("*") if path.is_file()}
    assert main([*command.split(), "--demo"]) == code
    assert {path: path.read_bytes() for path in own_home.rglob("*") if path.is_file()} == before
    error = capsys.readouterr().err
    assert "set aside" not in error
    assert "renews" not in error
    assert "Run ekstui sync" not in error


def test_the_demo_offers_no_renewal(demo: Library) -> None:
    blocks = cluster_blocks(cluster_answer(demo, "prod"), demo.data().newest, datetime.now(UTC))
    text = "\n".join(lines_of(blocks, 200, colours=False, whole_tables=False))
    assert "asks AWS" not in text
    assert "renews" not in text


def test_pods_of_the_demo_have_the_problems_that_pods_have(demo: Library) -> None:
    def first_lines(name: str) -> list[str]:
        return [pod_words(answer) for answer in answers_for(demo, name, "prod", Wish())]

    old, new = first_lines("orders/deployment/api")
    assert "has no role of its own and uses its node's role" in old
    assert old.endswith("; 1 problem")
    # The role that hands over to the target role may do nothing, which no pod of its own would say.
    assert "uses role orders-data by Pod Identity" in new
    assert new.endswith("; 1 problem")
    assert first_lines("shop/web")[0].endswith("; 1 problem")
    assert "uses static access keys" in first_lines("ci/runner")[0]
    (checkout,) = first_lines("payments/checkout")
    assert "uses role prod-payments by IRSA" in checkout


def test_uses_that_the_demo_s_kubernetes_shows_are_confirmed(demo: Library) -> None:
    uses = demo.account.uses(demo.account.last_snapshot_or_error())
    irsa = [
        use for of_role in uses.values() for use in of_role if use.kind == "irsa" and use.cluster and not use.overruled
    ]
    assert irsa
    assert {use.certainty for use in irsa} == {"confirmed"}
    assert any(use.pods == 12 for use in irsa)


def test_the_demo_knows_what_roles_were_last_used_for(demo: Library) -> None:
    answer = used_answer(demo, "role:prod-node", 90, less=True)
    assert {service.service for service in answer.report.services if service.last_used} == {
        "ec2", "ecr", "eks", "eks-auth", "ssm",
    }  # fmt: skip
    assert answer.less is not None
    assert answer.less.reach == "narrowed"
    with pytest.raises(AccountError, match="no report on this"):
        used_answer(demo, "ReadOnlyAccess")


@pytest.mark.parametrize("days", [-1, 0, TRACKED_DAYS + 1])
def test_use_is_asked_of_the_days_that_iam_tracks(demo: Library, days: int) -> None:
    with pytest.raises(InputError, match=f"tracks the last {TRACKED_DAYS} days, and {days} are asked"):
        used_answer(demo, "role:prod-node", days)
    assert used_answer(demo, "role:prod-node", 1).days == 1
