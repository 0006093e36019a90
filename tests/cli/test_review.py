"""`ekstui review` where reviewers look: SARIF, annotations, what releases need, and locks elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ekstui.cli.main import main
from tests.library.test_written_access import AWS, Repository, actions, data, doc, ekstl
from tests.support.documents import allow

CNI = [
    "ec2:AssignPrivateIpAddresses", "ec2:AttachNetworkInterface", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeInstances", "ec2:DescribeTags", "ec2:DescribeNetworkInterfaces", "ec2:DescribeInstanceTypes",
    "ec2:DescribeSubnets", "ec2:DetachNetworkInterface", "ec2:ModifyNetworkInterfaceAttribute", "ec2:UnassignPrivateIpAddresses",
    "ec2:CreateTags",
]  # fmt: skip
"""What a module's policy for the VPC CNI allowed before the releases that call ec2:DescribeSecurityGroups at start."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    (tmp_path / "repository").mkdir()
    monkeypatch.chdir(tmp_path / "repository")
    return Repository(tmp_path / "repository")


def test_sarif_and_annotations_have_file_line_and_level(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit({"a/main.tf": "# first\n" + data(actions("s3:GetObject")), "deploy.sh": "true"})
    repository.write({
        "a/main.tf": "# first\n" + data(actions("s3:GetObject", "iam:PassRole")),
        "deploy.sh": "aws iam attach-role-policy", "odd: name,%.json": doc(allow("s3:GetObject")),
    })  # fmt: skip
    sarif, notes = tmp_path / "review.sarif", tmp_path / "notes"
    words = ["review", "--sarif", str(sarif), "--annotations", str(notes), "--markdown", "--fail-on", "widened"]
    assert main(words) == 1
    log = json.loads(sarif.read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    results = {}
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        results[place["artifactLocation"]["uri"]] = (result["ruleId"], result["level"], place["region"]["startLine"])
    assert results["a/main.tf"] == ("access-widened", "error", 9)
    assert results["deploy.sh"] == ("file-not-read", "warning", 1)
    assert results["odd%3A%20name%2C%25.json"][0] == "access-widened"
    lines = notes.read_text().splitlines()
    assert any(line.startswith("::error file=a/main.tf,line=9,title=ekstui::") for line in lines)
    assert any("iam:PassRole" in line for line in lines)
    assert any("file=odd%3A name%2C%25.json," in line for line in lines)
    # What can pass on rights comes first.
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| `")]
    assert "can change or pass on rights (iam:PassRole)" in table[0]


@pytest.mark.parametrize(
    ("release", "allowed", "code", "words"),
    [
        ("v1.21.1", CNI, 0, ""),
        ("v1.22.0", CNI, 1, "needs ec2:DescribeSecurityGroups"),
        ("v1.22.1", CNI, 1, "needs ec2:DescribeSecurityGroups"),
        ("v1.22.1", [*CNI, "ec2:DescribeSecurityGroups"], 0, ""),
        # From v1.22.2 on security groups are not demanded.
        ("v1.22.2", CNI, 0, ""),
        ("v1.23.0", CNI, 0, ""),
        ("v1.23.0", CNI[:8] + CNI[9:], 1, "needs ec2:DescribeSubnets"),
    ],
)
def test_what_a_release_needs(
    repository: Repository, capsys: pytest.CaptureFixture[str], release: str, allowed: list[str], code: int, words: str
) -> None:
    """The breakage of summer 2026, on a policy as modules wrote it."""
    text = data(actions(*allowed)).replace('"p"', '"vpc_cni"')
    repository.commit({"modules/irsa/policies.tf": text})
    assert main(["review", "--needs", f"vpc-cni@{release}"]) == code
    output = " ".join(capsys.readouterr().out.split())
    assert words in output
    assert ("needs ec2:DescribeSecurityGroups" in output) == (code == 1 and "Security" in words)
    # The same in the repository's own file, and for a file that has another name.
    repository.write({"ekstui.toml": f'needs = ["vpc-cni@{release}"]\n'})
    assert main(["review"]) == code
    repository.replace({"other.json": doc(allow(allowed))})
    assert main(["review", "--needs", f"other.json=vpc-cni@{release}"]) == code


def test_a_release_that_is_not_known_is_named(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.commit({"a.json": doc(allow("s3:GetObject"))})
    for name in ("vpc-cni", "vpc-cni@v9.9.9", "cni@v1.1.1", "b.json=vpc-cni@v1.23.0"):
        assert main(["review", "--needs", name]) in (1, 2)
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_lock_elsewhere_and_the_policies_of_a_manifest(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write(
        {"cluster.yaml": ekstl(f"      attachPolicyARNs: ['{AWS}/AmazonEKS_CNI_Policy']"), "empty.yaml": "a: b"}
    )
    (repository.folder / "locks").mkdir()
    assert main(["pin", "cluster.yaml", "AmazonEKSClusterPolicy", "--lock", "locks/prod.lock"]) == 0
    text = (repository.folder / "locks/prod.lock").read_text()
    assert "AmazonEKS_CNI_Policy" in text
    assert "AmazonEKSClusterPolicy" in text
    assert not (repository.folder / "ekstui.lock").exists()
    assert main(["check", "--exit-code", "--lock", "locks/prod.lock"]) == 0
    assert main(["check"]) == 2
    assert main(["pin", "empty.yaml"]) == 2
    assert "attaches no policy that AWS manages" in capsys.readouterr().err
