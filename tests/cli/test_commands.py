"""The commands as a user runs them: stdout, stderr and exit code, here and there of real processes."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ekstui import files
from ekstui.sources.corpus import Corpus
from tests.support.bundled import CNI, FAMILY, KNOWN_UNTIL, POLICIES, newest
from tests.support.command import ekstui, ekstui_process
from tests.support.corpus import raw_corpus
from tests.support.documents import actions_in
from tests.support.patience import PATIENCE


def answer(*arguments: str) -> dict[str, Any]:
    process = ekstui(*arguments, "--json")
    assert process.returncode == 0, process.stderr
    value: dict[str, Any] = json.loads(process.stdout)
    return value


def test_the_list_of_the_scope_and_of_all() -> None:
    family = answer("list")["policies"]
    assert [entry["name"] for entry in family[:2]] == ["AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy"]
    assert {entry["scope"] for entry in family} == {"eks"}
    everything = answer("list", "--scope", "all")["policies"]
    assert len(everything) == POLICIES
    assert everything[: len(family)] == family
    service_linked = next(entry for entry in family if entry["name"] == "AmazonEKSServiceRolePolicy")
    assert service_linked["kind"] == "service-linked"
    assert service_linked["attachable"] is False


def test_the_document_is_the_one_that_iam_has() -> None:
    process = ekstui("show", "AmazonEKS_CNI_Policy@v6", "--document")
    document = json.loads(process.stdout)
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert "ec2:DescribeSecurityGroups" in actions
    assert document["Statement"][1]["Resource"] == ["arn:aws:ec2:*:*:network-interface/*"]


def test_what_is_known_beyond_the_documents_is_said() -> None:
    text = " ".join(ekstui("show", "AmazonEKSComputePolicy").stdout.split())
    assert "For: auto mode cluster role." in text
    assert "Worth knowing" in text
    assert "AWSElasticBeanstalkEKSTagging" in text
    service_linked = " ".join(ekstui("show", "AmazonEKSForFargateServiceRolePolicy").stdout.split())
    assert "the service-linked role AWSServiceRoleForAmazonEKSForFargate" in service_linked
    timeline = ekstui("versions", "AmazonEKSLocalOutpostServiceRolePolicy").stdout
    assert "But: AWS writes ec2:DescribeSecret, which does not exist" in timeline
    assert max(map(len, timeline.splitlines())) <= 80


def test_the_timeline_has_the_right_dates_and_names_missing_versions() -> None:
    name = "AmazonEKSServiceRolePolicy"
    versions = answer("versions", name)["versions"]
    created = {entry["version"]: entry["created"] for entry in versions}
    with (files.assets() / "version-dates.csv").open(encoding="utf-8") as rows:
        dates = {version: time for policy, version, time in (row.strip().split(",") for row in rows) if policy == name}
    assert len(dates) >= 17
    assert created.items() >= dates.items()
    # What came later has the date that its package tells.
    (policy,) = (policy for policy in raw_corpus() if policy["name"] == name)
    assert created == {version["version"]: version["created"] for version in policy["versions"]}
    numbers = sorted(int(version["version"][1:]) for version in policy["versions"])
    missing = {
        f"v{number}": [f"v{gap}" for gap in range(before + 1, number)]
        for before, number in pairwise(numbers) if number > before + 1
    }  # fmt: skip
    assert {entry["version"]: entry["missing_before"] for entry in versions if entry["missing_before"]} == missing
    assert missing["v17"] == ["v12", "v13", "v14", "v15", "v16"]
    assert missing["v23"] == ["v18", "v19", "v20", "v21", "v22"]


def test_a_condition_that_vanished_is_a_change_of_scope() -> None:
    change = answer("diff", "AmazonEKSLoadBalancingPolicy@v5..v6")
    assert change["kind"] == "scope"
    assert change["added"] == change["removed"] == []
    shield = {entry["actions"][0]: entry for entry in change["changed"]}
    assert {"shield:CreateProtection", "shield:DeleteProtection"} <= shield.keys()
    assert shield["shield:CreateProtection"]["after"][0]["conditions"] == {}


def test_a_diff_reads_files_and_standard_input(tmp_path: Path) -> None:
    document = ekstui("show", "AmazonEKS_CNI_Policy@v6", "--document").stdout
    path = tmp_path / "mine.json"
    path.write_text(document, encoding="utf-8")
    assert answer("diff", "AmazonEKS_CNI_Policy@v6", str(path))["kind"] == "none"
    process = ekstui_process("diff", "AmazonEKS_CNI_Policy@v5", "-", "--json", stdin=document)
    assert [entry["actions"] for entry in json.loads(process.stdout)["added"]] == [["ec2:DescribeSecurityGroups"]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["show", "AmazonEKSClusterPolcy"], 1, "AmazonEKSClusterPolicy"),
        (["show", "EKSService"], 2, "AmazonEKSServicePolicy"),
        (["show", "AmazonEKSClusterPolicy@v99"], 1, "has no v99. Known are v1 to v"),
        (["show", "AmazonEKSClusterPolicy@nine"], 2, "'nine' is not a version"),
        (["versions", "AmazonEKSServiceRolePolicy", "--jsn"], 2, "--jsn"),
        (["diff", "AmazonEKSClusterPolicy"], 2, "two sides"),
        (["diff", "AmazonEKSClusterPolicy", "./absent.json"], 2, "absent.json"),
        ([], 2, "needs a terminal"),
        (["AmazonEKSClusterPolicy"], 2, "needs a terminal"),
    ],
)
def test_bad_input_is_answered_with_one_line(arguments: list[str], code: int, words: str) -> None:
    process = (ekstui_process if arguments[:1] == ["diff"] or not arguments else ekstui)(*arguments)
    assert process.returncode == code
    assert process.stdout == ""
    assert words in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_commands_load_neither_textual_nor_aws() -> None:
    probe = (
        "import sys; from ekstui.cli import main\n"
        "for words in (['list'], ['show', 'AmazonEKS_CNI_Policy'], ['versions', 'AmazonEKS_CNI_Policy']): main(words)\n"
        "print(sorted(name for name in ('textual', 'rich', 'boto3', 'botocore') if name in sys.modules), file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert process.stderr.strip() == "[]"


def test_a_list_loads_neither_dataclasses_nor_openssl() -> None:
    # 4 and 3 ms of its 45.
    probe = (
        "import sys; from ekstui.cli import main; main(['list'])\n"
        "print(sorted(name for name in ('dataclasses', 'inspect', '_hashlib') if name in sys.modules), file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert process.stderr.strip() == "[]"


@pytest.mark.usefixtures("own_filled_cache")
def test_who_can_loads_no_dataclasses() -> None:
    # A tenth of its time; the index has what the answer needs.
    probe = (
        "import sys; from ekstui.cli import main; main(['who-can', 'ec2:CreateVolume'])\n"
        "print(sorted(name for name in ('dataclasses', 'inspect', '_hashlib') if name in sys.modules), file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert process.stderr.strip() == "[]"


def test_piped_output_has_no_colour_and_ends_quietly_when_the_reader_leaves() -> None:
    assert "\x1b" not in ekstui_process("show", "AmazonEKSClusterPolicy").stdout
    process = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m ekstui list --scope all | head -1', sys.executable],
        capture_output=True, text=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert process.stdout.startswith("POLICY")
    assert process.stderr == ""


def test_who_can_names_the_version_that_brought_an_action() -> None:
    holders = {entry["policy"]: entry for entry in answer("who-can", "ec2:describesecuritygroups")["policies"]}
    assert holders["AmazonEKS_CNI_Policy"]["since"] == {
        "version": "v6",
        "created": "2026-03-04T19:12:14Z",
        "at_latest": False,
    }
    assert holders["PowerUserAccess"]["via"] == "NotAction"
    assert "PowerUserAccess" not in {entry["policy"] for entry in answer("who-can", "iam:CreateUser")["policies"]}


def test_an_action_that_may_not_exist_is_not_simply_allowed() -> None:
    process = ekstui("who-can", "ec2:CreateVolum")
    assert (process.returncode, process.stdout) == (1, "")
    assert "There is no known action ec2:CreateVolum. Nearest: ec2:CreateVolume" in process.stderr
    process = ekstui("who-can", "newservice:DoThing")
    assert "by a pattern, if it exists" in " ".join(process.stdout.split("\n\n")[0].split())


def test_what_no_policy_allows_is_said_plainly() -> None:
    process = ekstui("who-can", "ec2:DescribeSecurityGroups", "--resource", "arn:aws:s3:::bucket", "--scope", "eks")
    assert process.returncode in (0, 1)
    process = ekstui("who-can", "AmazonEKSAdminPolicy")
    assert process.returncode == 1
    assert "EKS access policy" in process.stderr


def test_a_period_after_the_data_ends_is_incomplete_not_empty() -> None:
    process = ekstui("changes", "--since", "1h", "--json")
    assert process.returncode == 0
    assert json.loads(process.stdout)["complete"] is False
    assert f"known until {KNOWN_UNTIL:%Y-%m-%d}" in process.stderr


def test_the_settings_that_hold_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('scope = "all"\nthem = "nord"\n[keys]\ncompar = "D"\n', encoding="utf-8")
    environment = {"EKSTUI_CONFIG": str(file), "EKSTUI_THEME": "gruvbox"}
    process = ekstui_process("config", "--json", environment=environment)
    assert process.returncode == 0
    answer = json.loads(process.stdout)
    assert answer["settings"]["scope"] == {"value": "all", "from": f"{file}:1"}
    assert answer["settings"]["theme"] == {"value": "gruvbox", "from": "EKSTUI_THEME"}
    assert answer["warnings"] == [
        f"{file}:2: there is no setting them; the nearest is theme.",
        "No key has the id compar; the nearest is compare.",
    ]
    # A command takes the file's scope, and an option counts more.
    assert len(json.loads(ekstui("list", "--json", environment=environment).stdout)["policies"]) == POLICIES
    process = ekstui("list", "--scope", "eks", "--json", environment=environment)
    assert len(json.loads(process.stdout)["policies"]) == FAMILY
    assert process.stderr == f"ekstui: {file}:2: there is no setting them; the nearest is theme.\n"
    file.write_text("offline = 1\n", encoding="utf-8")
    process = ekstui("list", environment=environment)
    assert (process.returncode, process.stdout) == (2, "")
    assert (
        process.stderr
        == f"ekstui: {file}:1: offline is invalid: it must be true or false. ekstui config edit opens the settings.\n"
    )


def test_a_cache_that_cannot_be_trusted_is_said_once_and_stops_no_answer() -> None:
    (files.cache_dir() / "policies.db").write_bytes(b"no cache at all" * 1000)
    first, second = ekstui_process("list"), ekstui_process("list")
    assert (first.returncode, first.stdout) == (0, second.stdout)
    assert "set aside" in first.stderr
    assert first.stderr.count("\n") == 1
    assert second.stderr == ""


def test_a_version_as_terraform_cloudformation_and_markdown() -> None:
    document = json.loads(ekstui("show", "AmazonEKS_CNI_Policy@v5", "--document").stdout)
    terraform = ekstui("show", "AmazonEKS_CNI_Policy@v5", "--terraform").stdout
    assert 'resource "aws_iam_policy"' in terraform
    template = json.loads(ekstui("show", "AmazonEKS_CNI_Policy@v5", "--cloudformation").stdout)
    (resource,) = template["Resources"].values()
    assert resource["Type"] == "AWS::IAM::ManagedPolicy"
    assert resource["Properties"]["PolicyDocument"] == document
    assert "| ec2 |" in ekstui("show", "AmazonEKS_CNI_Policy@v5", "--markdown").stdout.replace("`", "")


def test_a_difference_as_markdown_and_as_a_patch() -> None:
    step = "AmazonEKS_CNI_Policy@v5..v6"
    assert "ec2:DescribeSecurityGroups" in ekstui("diff", step, "--markdown").stdout
    patch = ekstui("diff", step, "--patch").stdout.splitlines()
    assert patch[0].startswith("--- ")
    assert any(line.startswith("+") and "ec2:DescribeSecurityGroups" in line for line in patch)
    assert ekstui("diff", step, "--patch", "--markdown").returncode == 2


def test_a_start_without_what_eks_no_longer_uses() -> None:
    document = json.loads(ekstui("show", "AmazonEKSClusterPolicy", "--document").stdout)
    process = ekstui("trim", "AmazonEKSClusterPolicy")
    assert process.returncode == 0
    left, everything = actions_in(json.loads(process.stdout)), actions_in(document)
    assert left == [action for action in everything if not action.startswith("autoscaling:")]
    assert left != everything
    assert "Left out autoscaling:" in process.stderr


def test_a_policy_that_has_nothing_unused_stays_whole() -> None:
    process = ekstui("trim", "AmazonEKS_CNI_Policy", "--json")
    answer = json.loads(process.stdout)
    assert answer["dropped"] == []
    document = Corpus.bundled().text(CNI, newest(CNI))
    assert len(answer["document"]["Statement"]) == len(json.loads(document)["Statement"])
    assert "Nothing is left out" in process.stderr
