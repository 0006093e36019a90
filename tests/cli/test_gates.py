"""The exit codes that CI relies on, and the script of the GitHub Action, on temporary repositories."""

import json
import os
import subprocess
import sys
from contextlib import chdir
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ekstui import files
from ekstui.change.policy import format_time
from ekstui.cli.gates import FailingDirection, fails_on, reaches_of
from ekstui.cli.main import main
from ekstui.iam.grants import Reach
from ekstui.library.pins import Pin, read_lock, write_lock
from ekstui.library.reviewing import review
from tests.rig.clients import client
from tests.rig.rig import Rig
from tests.support.bundled import CNI, KNOWN_UNTIL, newest
from tests.support.command import ekstui
from tests.support.filled import known_later
from tests.support.git import commit_all, git, make_repository

QUIET = str(format_time(KNOWN_UNTIL + timedelta(seconds=1)))
"""A time since which nothing has changed, where that is known."""

ROOT = Path(__file__).parents[2]

READ = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeTags", "Resource": "*"}]}
WRITE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ec2:DescribeTags", "ec2:CreateTags"], "Resource": "*"}],
}
AGAIN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["ec2:DescribeTags"], "Resource": ["*"]}}
# IAM's documentation lets this ARN be read in two ways.
NOT_DECIDED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DeleteVolume", "Resource": "arn:aws:ec2:*:volume/*"}],
}


@pytest.mark.parametrize(
    ("before", "after", "gate", "code"),
    [
        (READ, WRITE, [], 0), (READ, WRITE, ["--exit-code"], 1), (READ, AGAIN, ["--exit-code"], 0),
        (READ, WRITE, ["--fail-on", "widened"], 1), (READ, WRITE, ["--fail-on", "narrowed"], 0),
        (WRITE, READ, ["--fail-on", "widened"], 0), (WRITE, READ, ["--fail-on", "narrowed"], 1),
        (READ, AGAIN, ["--fail-on", "any"], 0), (READ, WRITE, ["--fail-on", "any"], 1), (WRITE, READ, ["--fail-on", "any"], 1),
        (NOT_DECIDED, READ, ["--fail-on", "narrowed"], 1),
        (READ, READ, ["--exit-code", "--json"], 0), (READ, WRITE, ["--exit-code", "--json"], 1),
        (READ, WRITE, ["--exit-code", "--patch"], 1),
    ],
)  # fmt: skip
def test_the_gates_of_diff(tmp_path: Path, before: object, after: object, gate: list[str], code: int) -> None:
    sides = []
    for name, document in (("a.json", before), ("b.json", after)):
        (tmp_path / name).write_text(json.dumps(document))
        sides.append(str(tmp_path / name))
    process = ekstui("diff", *sides, *gate)
    assert process.returncode == code, process.stderr
    assert process.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["explain", "--action", "ec2:DescribeSubnets", "--policy", "AmazonEKSClusterPolicy", "--exit-code"], 0),
        (["explain", "--action", "ec2:RunInstances", "--policy", "AmazonEKSClusterPolicy", "--exit-code"], 1),
        (["explain", "--action", "ec2:RunInstances", "--policy", "AmazonEKSClusterPolicy"], 0),
        (["changes", "--since", "2026-08-01", "--exit-code"], 1),
        (["changes", "--since", QUIET, "--exit-code"], 0),
        (["changes", "--since", "2027-01-01", "--exit-code"], 1),
    ],
)
def test_the_gates_of_explain_and_changes(words: list[str], code: int, filled_cache: Path, tmp_path: Path) -> None:
    assert known_later(filled_cache, tmp_path) == QUIET
    process = ekstui(*words, environment={"EKSTUI_CACHE": str(tmp_path)})
    assert process.returncode == code, process.stdout + process.stderr


def test_pins_say_what_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"PYTHONPATH": str(ROOT)}
    assert ekstui("check", environment=environment).returncode == 2
    assert ekstui("pin", "AmazonEKS_CNI_Policy@v5", "AmazonEKSClusterPolicy", environment=environment).returncode == 0
    for gate, code in (([], 0), (["--exit-code"], 1), (["--fail-on", "widened"], 1), (["--fail-on", "narrowed"], 0)):
        assert ekstui("check", *gate, environment=environment).returncode == code
    changed_pins = json.loads(ekstui("check", "--json", environment=environment).stdout)["moved"]
    assert changed_pins == [
        {"policy": "AmazonEKS_CNI_Policy", "from": "v5", "to": f"v{newest(CNI)}", "kind": "actions", "reach": "widened"}
    ]
    # A pin is replaced by its name, the others stay.
    assert ekstui("pin", "AmazonEKS_CNI_Policy", environment=environment).returncode == 0
    process = ekstui("check", "--exit-code", environment=environment)
    assert process.returncode == 0
    assert "None of 2" in process.stdout
    lock = tmp_path / "ekstui.lock"
    lock.write_text(lock.read_text().replace('sha256 = "', 'sha256 = "0'))
    process = ekstui("check", "--fail-on", "narrowed", environment=environment)
    assert process.returncode == 1
    assert "document of the pinned version has changed" in " ".join(process.stdout.split())


@pytest.mark.parametrize(
    "text", ["", "policy = 3", '[[policy]]\nname = "x"', "]", '[[policy]]\nname="a"\nversion="w"\nsha256=""']
)
def test_a_broken_lock_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ekstui.lock").write_text(text)
    process = ekstui("check", environment={"PYTHONPATH": str(ROOT)})
    assert process.returncode == 2
    assert "ekstui.lock" in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_a_name_in_the_lock_is_only_a_name(tmp_path: Path) -> None:
    names = ('Evil"\n[[policy]]\nname="x', "a\\u0041", "b\x7f\x1b\x9b", "c\U0001f600é", "plain")
    pins = tuple(Pin(name, number, "0" * 64) for number, name in enumerate(names, start=1))
    write_lock(pins, tmp_path / "ekstui.lock")
    assert read_lock(tmp_path / "ekstui.lock") == pins


class Repository:
    """A temporary repository with one commit."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        make_repository(folder)

    def write(self, name: str, value: object) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value if isinstance(value, str) else json.dumps(value))

    def commit(self) -> None:
        commit_all(self.folder)

    def review(self, *words: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        """Run `ekstui review` in a folder of it."""
        with chdir(self.folder / folder):
            return ekstui("review", "--fail-on", "widened", *words)

    def fails(self, gate: FailingDirection) -> bool:
        """Return whether the review fails a gate."""
        return gate in self.failing()

    def failing(self) -> set[FailingDirection]:
        """Return the gates that the review fails."""
        answer = review(self.folder, "HEAD")
        reaches: list[Reach] = ["unknown" for _ in answer.not_read]
        reaches += [reach for document in answer.documents for reach in reaches_of(document.change)]
        gates: tuple[FailingDirection, ...] = ("widened", "narrowed", "any")
        return {gate for gate in gates if fails_on(gate, reaches)}

    def summary(self, *paths: str, fail_on: str = "widened") -> tuple[int, str]:
        """Run the command that the action runs; return its exit code and the job's summary, or the error."""
        process = self.review("--markdown", "--base=HEAD", f"--fail-on={fail_on}", "--", *paths)
        return process.returncode, process.stdout or process.stderr

    def action(self, **environment: str) -> tuple[int, str]:
        """Run the script of the action, as processes; return its exit code and the job's summary, or the error."""
        summary = self.folder.parent / "summary.md"
        summary.unlink(missing_ok=True)
        process = subprocess.run(
            ["bash", str(ROOT / ".github" / "review.sh")],
            cwd=self.folder, capture_output=True, text=True, check=False,
            env={
                **os.environ, "BASE": "HEAD", "FAIL_ON": "widened", "GITHUB_STEP_SUMMARY": str(summary),
                "EKSTUI": str(Path(sys.executable).with_name("ekstui")), **environment,
            },
        )  # fmt: skip
        return process.returncode, summary.read_text() if summary.exists() else process.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "repository").mkdir()
    made_repository = Repository(tmp_path / "repository")
    made_repository.write("policies/cni.json", READ)
    made_repository.write("package.json", {"name": "x", "version": "1"})
    made_repository.commit()
    return made_repository


GUARD = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
REGIONS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"]}}


def document_with_denies(document: Any, *denies: Any) -> dict[str, Any]:
    return {**document, "Statement": [*document["Statement"], *denies]}


@pytest.mark.parametrize(
    ("before", "after", "failing"),
    [
        # A Deny revokes what other policies of the role allow, so the document's own Allow statements do not decide.
        (document_with_denies(READ, GUARD), READ, {"widened", "any"}),
        (READ, document_with_denies(READ, GUARD), {"narrowed", "any"}),
        (document_with_denies(WRITE, GUARD), READ, {"widened", "narrowed", "any"}),
        (READ, document_with_denies(WRITE, GUARD), {"widened", "narrowed", "any"}),
        (document_with_denies(READ, {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}), document_with_denies(READ, GUARD), {"widened", "any"}),
        (document_with_denies(READ, GUARD), document_with_denies(READ, {**GUARD, "Condition": REGIONS}), {"widened", "any"}),
        # A Deny that covers the one that is gone.
        (document_with_denies(READ, GUARD), document_with_denies(READ, {**GUARD, "Action": ["IAM:*", "iam:PassRole"]}), set()),
        (document_with_denies(WRITE, GUARD), document_with_denies(READ, {**GUARD, "Action": "*"}), {"narrowed", "any"}),
    ],
)  # fmt: skip
def test_a_deny_that_goes_or_comes_counts_whatever_the_document_allows(
    repository: Repository, before: Any, after: Any, failing: set[FailingDirection]
) -> None:
    repository.write("policies/guard.json", before)
    repository.commit()
    repository.write("policies/guard.json", after)
    assert repository.failing() == failing
    if failing == {"widened", "narrowed", "any"}:
        (document,) = review(repository.folder, "HEAD").documents
        assert document.change is not None
        assert document.change.verdict.endswith("is denied besides")


def test_a_guard_that_is_removed_as_a_whole_fails_the_gate(repository: Repository) -> None:
    repository.write("policies/guard.json", {"Version": "2012-10-17", "Statement": [GUARD]})
    repository.commit()
    (repository.folder / "policies/guard.json").unlink()
    assert repository.failing() == {"widened", "any"}
    assert repository.review().returncode == 1


@pytest.mark.parametrize(
    ("after", "code", "words"),
    [(WRITE, 1, "widened: 1 action added"), (READ, 0, "No policy document changes"), (AGAIN, 0, "No policy document changes"),
     ({"name": "y"}, 0, "narrowed")],
    ids=["widened", "unchanged", "written otherwise", "removed from it"],
)  # fmt: skip
def test_the_action_on_a_policy(repository: Repository, after: object, code: int, words: str) -> None:
    repository.write("policies/cni.json", after)
    outcome = repository.action()
    assert outcome[0] == code
    assert words in outcome[1]


def test_the_action_judges_no_document_that_iam_refuses(repository: Repository) -> None:
    twice = '{"Statement": {"Effect": "Allow", "Action": "ec2:DescribeTags", "Action": "ec2:*", "Resource": "*"}}'
    trust = {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111122223333"}}}
    repository.write("twice.json", twice)
    repository.write("trust.json", trust)
    repository.commit()
    assert "No policy document changes" in repository.summary()[1]
    repository.write("twice.json", twice.replace("ec2:*", "ec2:DescribeTags"))
    repository.write("trust.json", json.dumps(trust).replace("111122223333", "*"))
    summary = repository.summary()[1]
    assert "Action: two elements have this name" in summary
    assert "Anyone may assume it" in summary


def test_the_action_on_files_that_are_not_policies(repository: Repository) -> None:
    repository.write("package.json", {"name": "x", "version": "2"})
    repository.write("notes.yaml", "a: [1")
    code, summary = repository.summary()
    assert code == 0
    assert "No policy document changes" in summary


def test_the_action_on_narrowing_and_on_new_documents(repository: Repository) -> None:
    repository.write("policies/cni.json", WRITE)
    repository.commit()
    repository.write("policies/cni.json", READ)
    assert repository.summary()[0] == 0
    assert repository.action(FAIL_ON="any")[0] == 1
    assert repository.action(BASE="HEAD~1")[0] == 0
    repository.write("policies/new.json", READ)
    code, summary = repository.summary()
    assert code == 1
    assert "policies/new.json" in summary
    assert repository.action(PATHS="policies/cni.json")[0] == 0
    assert repository.action(FAIL_ON="")[0] == 0
    assert repository.action(BASE="no-such-commit")[0] == 2


def test_a_path_that_does_not_exist_does_not_pass_review(repository: Repository, tmp_path: Path) -> None:
    """A mistyped folder would make a gate that always passes."""
    for name in ("no-such-dir", "plan.json", "policies/cmi.json", "no*.json"):
        process = repository.review(name)
        assert process.returncode == 2, process.stdout
        assert f"{name} cannot be read" in process.stderr
    (tmp_path / "outside.json").write_text(json.dumps(plan(READ, WRITE)))
    (repository.folder / "link.json").symlink_to(tmp_path / "outside.json")
    assert repository.summary("link.json")[0] == 2
    assert repository.summary("policies")[0] == 0
    # Nothing would be read of a folder that git ignores.
    repository.write(".gitignore", "build\n")
    repository.write("build/plan.json", plan(READ, WRITE))
    assert "build cannot be read: git ignores" in repository.review("build").stderr
    assert repository.review("build/plan.json").returncode == 1
    # What was removed since the base is something, and so is what a plan without an ending holds.
    repository.write("plan", plan(READ, WRITE))
    assert repository.summary("plan")[0] == 1
    (repository.folder / "policies" / "cni.json").unlink()
    assert "narrowed" in repository.summary("policies/cni.json")[1]
    assert "narrowed" in repository.summary("policies")[1]


def test_a_path_above_the_folder_is_reviewed(repository: Repository) -> None:
    repository.write("policies/cni.json", WRITE)
    repository.write("deep/er/new.json", WRITE)
    for words in (["../policies"], ["../policies/cni.json"], ["er"], ["er/new.json"], []):
        process = repository.review(*words, folder="deep")
        assert process.returncode == 1, (words, process.stdout + process.stderr)
        assert ("policies/cni.json" in process.stdout) == ("policies" in " ".join(words)), process.stdout


def plan(before: object, after: object, *, unknown: bool = False) -> dict[str, Any]:
    change = {
        "before": None if before is None else {"policy": json.dumps(before)},
        "after": {} if unknown else {"policy": json.dumps(after)},
        "after_unknown": {"policy": True} if unknown else {},
    }
    resource = {"address": "aws_iam_policy.cni", "type": "aws_iam_policy", "change": change}
    return {"format_version": "1.2", "resource_changes": [resource, {"address": "x", "type": "aws_vpc", "change": {}}]}


def test_a_plan_of_terraform_has_both_sides(repository: Repository) -> None:
    repository.write(".gitignore", "plan.json\n")
    repository.write("plan.json", plan(READ, WRITE))
    code, summary = repository.summary("plan.json")
    assert code == 1
    assert "aws\\_iam\\_policy.cni" in summary or "aws_iam_policy.cni" in summary
    repository.write("plan.json", plan(WRITE, READ))
    assert repository.summary("plan.json")[0] == 0
    repository.write("plan.json", plan(READ, None, unknown=True))
    code, summary = repository.summary("plan.json")
    assert code == 1
    assert "only after the plan is applied" in summary


def template(document: object) -> dict[str, Any]:
    return {
        "Resources": {
            "Policy": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": document}},
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {},
                    "Policies": [{"PolicyName": "own", "PolicyDocument": READ}],
                },
            },
        }
    }


def test_templates_of_cloudformation(repository: Repository) -> None:
    repository.write("stack.template", template(READ))
    repository.commit()
    repository.write("stack.template", template(WRITE))
    code, summary = repository.summary()
    assert code == 1
    assert "1 policy document changes: 1 widened" in summary
    # Each of CloudFormation's functions and its dynamic references: what they give is not in the template.
    for resource in (
        {"Fn::Sub": "${Bucket}"},
        {"Ref": "Bucket"},
        [{"Ref": "Bucket"}],
        "{{resolve:ssm:bucket}}",
    ):
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}
        repository.write("stack.template", template({**READ, "Statement": [statement]}))
        code, summary = repository.summary()
        assert code == 1
        assert "cannot tell" in summary


YAML = """
Resources:
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - {Effect: Allow, Action: %s, Resource: %s}
"""


def test_a_template_in_yaml(repository: Repository) -> None:
    repository.write("stack.yaml", YAML % ("ec2:DescribeTags", "'*'"))
    repository.commit()
    repository.write("stack.yaml", YAML % ("'ec2:*'", "'*'"))
    assert repository.summary()[0] == 1
    repository.write("stack.yaml", YAML % ("ec2:DescribeTags", "!GetAtt Bucket.Arn"))
    assert "narrowed" in repository.summary()[1]


def test_no_file_of_a_reviewed_commit_starts_a_program(repository: Repository, tmp_path: Path) -> None:
    """User settings that run programs of the work tree, as husky's hooks and a file system monitor do."""
    ran = tmp_path / "ran"
    program = f"#!/bin/sh\necho $0 >> '{ran}'\ncat\n"
    names = ("post-index-change", "fsmonitor-watchman", "textconv", "external")
    for name in names:
        repository.write(f".hooks/{name}", program)
        (repository.folder / ".hooks" / name).chmod(0o755)
    repository.write(".gitattributes", "*.json diff=policy\n")
    repository.commit()
    for key, value in (
        ("core.hooksPath", ".hooks"), ("core.fsmonitor", ".hooks/fsmonitor-watchman"),
        ("diff.policy.textconv", ".hooks/textconv"), ("diff.external", ".hooks/external"),
    ):  # fmt: skip
        git(repository.folder, "config", key, value)
    repository.write("policies/cni.json", WRITE)
    ran.unlink(missing_ok=True)
    os.utime(repository.folder / "package.json", (1, 1))  # what makes git write its index anew
    assert repository.action()[0] == 1
    assert not ran.exists(), ran.read_text()


def test_the_action_writes_through_no_link_of_the_work_tree(repository: Repository, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (repository.folder / "review.md").symlink_to(victim)
    repository.write("##[add-mask]x.json", READ)
    repository.write("a.json", READ)
    process = subprocess.run(
        ["bash", str(ROOT / ".github" / "review.sh")], cwd=repository.folder, capture_output=True, text=True, check=False,
        env={
            **os.environ, "BASE": "HEAD", "PATHS": "a.json\n##[add-mask]x.json\n",
            "EKSTUI": str(Path(sys.executable).with_name("ekstui")),
        },
    )  # fmt: skip
    assert victim.read_text() == "kept"
    assert (repository.folder / "review.md").is_symlink()
    lines = process.stdout.splitlines()
    # The runner takes a line for a command wherever ##[ stands in it, unless commands are stopped.
    assert "::stop-commands::" in lines[0]
    end = lines.index(f"::{lines[0].removeprefix('::stop-commands::')}::")
    # What follows are annotations, in which no other command can start.
    assert len(lines[end + 1 :]) == 2
    assert all(line.startswith("::error file=") and "##[" not in line for line in lines[end + 1 :])
    assert "a.json" in process.stdout
    assert "x.json" in process.stdout


def test_no_module_of_the_work_tree_is_taken_for_pythons() -> None:
    text = (ROOT / "action.yml").read_text()
    assert "working-directory: ${{ runner.temp }}" in text
    assert "python3 -I -m venv" in text


NARROW = json.dumps(READ)
# Every action of a service, which is judged as `*` is, in a hundredth of the time.
WIDE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]})
DENY = WIDE.replace("Allow", "Deny")


def properties(kind: str, text: str, resource: str = "") -> str:
    return f"{resource}\nResources:\n  R:\n    Type: {kind}\n    Properties: {text}\n"


def managed_policy(text: str, resource: str = "") -> str:
    return properties("AWS::IAM::ManagedPolicy", f"{{PolicyDocument: {text}}}", resource)


def statement(action: str) -> str:
    return f"{{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: {action}, Resource: '*'}}]}}"


def template_with_role(*inline: str) -> str:
    return (
        f'{{"Resources": {{"R": {{"Type": "AWS::IAM::Role", "Properties": {{"Policies": [{", ".join(inline)}]}}}}}}}}'
    )


def inline(name: str, document: str) -> str:
    return f'{{"PolicyName": {name}, "PolicyDocument": {document}}}'


def changed_resource(kind: str, after: dict[str, Any], **fields: Any) -> str:
    change = {"before": None, "after": after, **fields}
    return json.dumps(
        {"format_version": "1.2", "resource_changes": [{"address": "a.b", "type": kind, "change": change}]}
    )


MAPPED = "Mappings: {M: {a: {b: '%s'}}}"
CHAIN = "Parameters: {A: {Type: String, Default: '%s'}}\nConditions: {C: !Equals [!Ref A, x]}"
EXISTS = "Parameters: {A: {Default: '%s'}}\nConditions: {C: !Equals [!Ref A, b]}\n" + managed_policy(WIDE).replace(
    "    Type:", "    Condition: C\n    Type:"
)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("t.yaml", managed_policy(statement("!Sub s3:GetObject")), managed_policy(statement("!Sub '*'"))),
        ("t.yaml", managed_policy(statement("!Join ['', [s3, ':Get']]")), managed_policy(statement("!Join ['', ['*', '']]"))),
        ("t.yaml", managed_policy(f"!Sub '{NARROW}'"), managed_policy(f"!Sub '{WIDE}'")),
        ("t.yaml", managed_policy(statement("!Ref A"), CHAIN % "s3:Get"), managed_policy(statement("!Ref A"), CHAIN % "*")),
        ("t.yaml", managed_policy(statement("!If [C, '*', 'a:b']"), CHAIN % "y"), managed_policy(statement("!If [C, '*', 'a:b']"), CHAIN % "x")),
        (
            "t.yaml",
            managed_policy(statement("!FindInMap [M, a, b]"), MAPPED % "s3:Get"),
            managed_policy(statement("!FindInMap [M, a, b]"), MAPPED % "*"),
        ),
        ("t.yaml", EXISTS % "a", EXISTS % "b"),
        ("t.yaml", None, managed_policy(WIDE).replace("AWS::IAM::", '"AWS:\\x3aIAM\\u003A:').replace("ManagedPolicy", 'ManagedPolicy"')),
        ("t.yaml", None, properties("AWS::IAM::Role", f"{{Policies: [!If [C, {inline('w', WIDE)}, !Ref 'AWS::NoValue']]}}")),
        ("t.yaml", None, properties("AWS::SSO::PermissionSet", f"{{InlinePolicy: {WIDE}}}")),
        ("t.json", template_with_role(), template_with_role(f'{{"Fn::If": ["C", {inline("1", WIDE)}, {{"Ref": "AWS::NoValue"}}]}}')),
        ("t.json", template_with_role(), template_with_role(inline('{"Fn::Sub": "w"}', WIDE), inline('"0"', DENY), inline('"[0]"', DENY))),
        ("t.json", template_with_role(), template_with_role(inline('"a"', WIDE), inline('"a"', DENY))),
        ("t.json", None, f'{{"Resources": {{"Fn::ForEach::X": ["N", ["a"], {{"P": {{"Type": "AWS::IAM::ManagedPolicy", "Properties": {{"PolicyDocument": {WIDE}}}}}}}]}}}}'),
        ("t.json", None, template_with_role(inline('"a"', WIDE)).replace('"Resources"', '"Transform": "Mine", "Resources"')),
        ("t.json", None, f'{{"Resources": {{"R": {{"Type": "AWS::IAM::ManagedPolicy", "Properties": {{"PolicyDocument": {WIDE}, "PolicyDocument": {NARROW}}}}}}}}}'),
        ("p.json", NARROW, f"[{WIDE}]"),
        ("p.json", NARROW, json.dumps(WIDE)),
        ("p.json", NARROW, WIDE.replace("Statement", "statement")),
        ("p.json", None, f'{{"PolicyVersion": {{"Document": {WIDE}}}}}'),
        ("P.JSON", NARROW, WIDE),
        ("plan.json", None, changed_resource("aws_iam_role", {"inline_policy": [{"name": "w", "policy": WIDE}]})),
        ("plan.json", None, changed_resource("aws_ssoadmin_permission_set_inline_policy", {"inline_policy": WIDE})),
        ("plan.json", None, changed_resource("awscc_iam_role", {"policies": [{"policy_document": WIDE}]})),
        ("plan.json", None, changed_resource("aws_iam_policy", {}, after_unknown={"policy": True})),
        ("plan.json", None, changed_resource("aws_iam_policy", {"policy": NARROW}).replace('{"format', '{"errored": true, "format')),
    ],
    ids=range(26),
)  # fmt: skip
def test_no_document_widens_unseen(repository: Repository, name: str, before: str | None, after: str) -> None:
    """Each of these lets something do more, or may: where that is not decided, the gate fails as well."""
    if before is not None:
        repository.write(name, before)
        repository.commit()
        assert not repository.fails("widened"), "nothing changed yet"
    repository.write(name, after)
    assert repository.fails("widened")


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_a_type_on_two_lines_is_read_as_yaml_reads_it(repository: Repository, line_break: str) -> None:
    """YAML 1.1 has six line breaks, and a backslash before any of them joins the lines (section 5.4, `b-char`)."""
    split = f'"AWS:\\{line_break}        :IAM::ManagedPolicy"'
    text = managed_policy(WIDE).replace("AWS::IAM::ManagedPolicy", split)
    (repository.folder / "t.yaml").write_bytes(text.encode())
    assert repository.fails("widened")


def test_no_link_submodule_or_sparse_file_widens_unseen(repository: Repository, tmp_path: Path) -> None:
    """Whoever opens a path follows its links; git compares where they lead, not what is there."""
    folder = repository.folder
    for name, text in (("wide.data", WIDE), ("narrow.data", NARROW), ("one/a.json", NARROW), ("two/a.json", WIDE)):
        repository.write(name, text)
    for name, target in (("link.json", "hop"), ("hop", "narrow.data"), ("current", "one"), ("same.json", "one/a.json")):
        (folder / name).symlink_to(target)
    repository.commit()
    policy = folder / "policies" / "cni.json"

    def judged(change: str, path: str, target: str = "") -> None:
        place = folder / path
        if place.is_symlink() or place.exists():
            place.unlink()
        if change == "link":
            place.symlink_to(target)
        elif change == "pipe":
            os.mkfifo(place)
        elif change == "write":
            place.write_text(target)
        assert repository.fails("widened"), (change, path)
        assert not any(document.state == "removed" for document in review(folder, "HEAD").documents)
        git(repository.folder, "checkout", "--quiet", "HEAD", "--", ".")
        git(repository.folder, "clean", "-fdq")
        assert not repository.fails("any")

    judged("link", "policies/cni.json", "../wide.data")
    judged("link", "new.json", "wide.data")
    judged("link", "outside.json", str(tmp_path / "nowhere"))
    judged("pipe", "policies/cni.json")
    judged("write", "narrow.data", WIDE)
    judged("link", "hop", "wide.data")
    judged("link", "current", "two")
    # Reviewed in its own place, a file is not told twice for a link to it.
    repository.write("one/a.json", AGAIN)
    assert not repository.fails("any")
    assert repository.review("same.json").returncode == 2
    git(repository.folder, "checkout", "--quiet", "HEAD", "--", ".")
    # A folder becomes a link.
    policy.unlink()
    policy.parent.rmdir()
    policy.parent.symlink_to("two")
    process = repository.review()
    assert process.returncode == 1
    assert "narrowed" not in process.stdout
    policy.parent.unlink()
    git(repository.folder, "checkout", "--quiet", "HEAD", "--", ".")
    # What a sparse checkout leaves out is in the commit all the same.
    repository.write("policies/cni.json", WRITE)
    repository.commit()
    git(repository.folder, "sparse-checkout", "set", "--no-cone", "/package.json")
    assert not policy.exists()
    process = repository.review("--base", "HEAD~1")
    assert process.returncode == 1
    assert "widened: 1 action added (ec2:CreateTags)" in process.stdout


def test_what_is_as_it_was_fails_no_gate(repository: Repository) -> None:
    """What may have changed is little: the parts that a computed document names, not the whole template."""
    chain = CHAIN % "s3:Get" + "\nMappings: {M: {a: {b: '%s'}}}"
    template = properties("AWS::IAM::Role", "{Tags: [%s], AssumeRolePolicyDocument: %s}")
    trust = json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "a.b"}}]}
    )
    repository.write("t.yaml", managed_policy(statement("!Ref A"), chain % "x"))
    repository.write("role.yaml", template % ("", trust))
    repository.write("chart.yaml", 'a: {{ .Values.b }}\nb: "\\x41"\n')
    repository.commit()
    repository.write("t.yaml", managed_policy(statement("!Ref A"), chain % "y"))
    repository.write("role.yaml", template % ("a", trust))
    repository.write("chart.yaml", 'a: {{ .Values.c }}\nb: "\\x41"\n')
    assert not repository.fails("any")
    repository.write("role.yaml", template % ("a", trust.replace("a.b", "c.d")))
    assert repository.fails("narrowed")
    # With the role gone its trust allows nothing.
    (repository.folder / "role.yaml").unlink()
    assert not repository.fails("any")


def test_no_folder_of_a_commit_is_taken_for_a_repository(repository: Repository, tmp_path: Path) -> None:
    """git takes a folder with HEAD, objects and refs for one, and starts the filters that its config names."""
    ran = tmp_path / "ran"
    inner = repository.folder / "inner"
    subprocess.run(["git", "init", "--quiet", "--bare", str(inner)], check=True)
    (inner / "config").write_text(
        f'[core]\nrepositoryformatversion=0\nbare=false\nworktree=.\n[filter "x"]\nclean="touch {ran}; cat"\n'
    )
    (inner / ".gitattributes").write_text("*.json filter=x\n")
    (inner / "a.json").write_text(NARROW)
    for words in (("add", "a.json"), ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "--quiet", "-m", "x")):
        subprocess.run(["git", *words], cwd=inner, check=True, capture_output=True)
    assert ran.exists()
    ran.unlink()
    (inner / "a.json").write_text(WIDE)
    process = repository.review(folder="inner")
    assert process.returncode == 2, process.stdout
    assert not ran.exists()


LAUGHS = "\n".join(f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)).replace("*a0", "AWS::X")
MERGED = "\n".join(
    ["x0: &a0 {a: AWS::X}", *(f"x{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 30))]
)


ODD = [
    ("laughs.yaml", LAUGHS),
    ("merged.yaml", MERGED),
    ("circle.yaml", YAML % ("&a [*a]", "'*'")),
    ("keys.yaml", YAML % ("{1: a, b: c}", "'*'")),
    ("base60.yaml", f"a: AWS::X\nb: {':'.join(['1'] * 400_000)}"),
    ("large.yaml", f"a: AWS::X\nb: '{'x' * 1_100_000}'"),
    ("deep.yaml", f"a: AWS::X\nb: {'[' * 50_000}"),
    ("deep.json", f'{{"Statement": {"[" * 200_000}'),
    ("plan.json", json.dumps({"format_version": "1", "resource_changes": 7})),
    ("plan.json", json.dumps({"format_version": "1", "resource_changes": [{"type": ["a"]}]})),
    ("plan.json", json.dumps({"format_version": "1", "resource_changes": {"type": "a"}})),
    (
        "plan.json",
        json.dumps(
            {"format_version": "1", "resource_changes": [{"type": "aws_iam_policy", "change": {"after": [1]}}]}
        ),
    ),
    ("policies.template", json.dumps({"Resources": {"A": {"Type": "AWS::IAM::Role", "Properties": {"Policies": 7}}}})),
    ("bad\udce9name.json", '{"Statement"'),
    # Comparing each name with all before it would take an hour.
    ("repeated.json", '{"Statement": [], ' + ", ".join(f'"{n:x}": 0' for n in range(300_000)) + ', "0": 1}'),
    *((f"tag{n}.yaml", f"a: AWS::X\nb: !!{tag}\n") for n, tag in enumerate(('bool maybe', 'int ""', 'set [a]'))),
]  # fmt: skip
"""Files whose shapes no reader expects: name and contents."""


@pytest.mark.parametrize(("name", "text"), ODD, ids=range(len(ODD)))
def test_files_of_odd_shapes_are_said_and_not_read(repository: Repository, name: str, text: str) -> None:
    repository.write(name, text)
    code, summary = repository.summary(fail_on="any")
    assert code in (0, 1), summary
    assert (code == 1) == (name != "base60.yaml"), summary
    assert "in ekstui itself" not in summary


def test_all_files_of_odd_shapes_together_end_no_process(repository: Repository) -> None:
    for number, (name, text) in enumerate(ODD):
        repository.write(f"{number}/{name}", text)
    code, summary = repository.action(FAIL_ON="any")
    assert code == 1
    assert [
        number for number, (name, _) in enumerate(ODD) if f"{number}/" not in summary and name != "base60.yaml"
    ] == []
    assert "Traceback" not in summary


def test_what_stands_in_the_place_of_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe is not waited for, a link is not written through, and a device never ends."""
    monkeypatch.chdir(tmp_path)
    lock, victim = tmp_path / "ekstui.lock", tmp_path / "victim"
    os.mkfifo(lock)
    for words in (["check"], ["pin", "AmazonEKSClusterPolicy"]):
        process = ekstui(*words, environment={"PYTHONPATH": str(ROOT)})
        assert process.returncode == 2
        assert "ekstui.lock" in process.stderr
    lock.unlink()
    victim.write_text("")
    lock.symlink_to("/dev/zero")
    assert ekstui("check", environment={"PYTHONPATH": str(ROOT)}).returncode == 2
    lock.unlink()
    lock.symlink_to(tmp_path / "nowhere")
    assert ekstui("pin", "AmazonEKSClusterPolicy", environment={"PYTHONPATH": str(ROOT)}).returncode == 0
    assert not (tmp_path / "nowhere").exists()
    assert lock.is_file()
    assert not lock.is_symlink()


GATES: dict[str, tuple[list[str], list[str]]] = {
    "diff A B --exit-code": (["diff", "read.json", "again.json", "--exit-code"], ["diff", "read.json", "write.json", "--exit-code"]),
    "diff A B --fail-on widened": (
        ["diff", "write.json", "read.json", "--fail-on", "widened"],
        ["diff", "read.json", "write.json", "--fail-on", "widened"],
    ),
    "diff A B --fail-on narrowed": (
        ["diff", "read.json", "write.json", "--fail-on", "narrowed"],
        ["diff", "write.json", "read.json", "--fail-on", "narrowed"],
    ),
    "diff A B --fail-on any": (
        ["diff", "read.json", "again.json", "--fail-on", "any"],
        ["diff", "read.json", "write.json", "--fail-on", "any"],
    ),
    "review --fail-on …, check --fail-on …": (
        ["check", "--fail-on", "narrowed"],
        ["check", "--fail-on", "widened"],
    ),
    "review --needs COMPONENT@RELEASE": (
        ["review", "--needs", "vpc-cni@v1.23.0"],
        ["review", "--needs", "read.json=vpc-cni@v1.23.0"],
    ),
    "check --exit-code": (["check"], ["check", "--exit-code"]),
    "changes --exit-code": (
        ["changes", "--since", QUIET, "--exit-code"],
        ["changes", "--since", "2027-01-01", "--exit-code"],
    ),
    "explain … --exit-code": (
        ["explain", "--action", "ec2:DescribeTags", "--policy", "read.json", "--exit-code"],
        ["explain", "--action", "ec2:CreateTags", "--policy", "read.json", "--exit-code"],
    ),
    "cluster NAME --fail-on problem": (
        ["cluster", "clean", "--fail-on", "problem"],
        ["cluster", "legacy", "--fail-on", "problem"],  # its findings are advice, but EKS reports a problem

    ),
    "cluster NAME --fail-on advice": (
        ["cluster", "clean", "--fail-on", "advice"],
        ["cluster", "prod", "--fail-on", "advice"],
    ),
}  # fmt: skip
"""By each row of the table in docs/ci.md: what passes it, and what fails it."""


def test_every_gate_of_the_manual_exits_as_its_table_says(
    rig: Rig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    filled_cache: Path,
) -> None:
    rig.reset(0)
    monkeypatch.chdir(tmp_path)
    assert known_later(filled_cache, files.cache_dir()) == QUIET
    for name, document in (("read", READ), ("write", WRITE), ("again", AGAIN)):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    for words in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "--allow-empty", "-m", "x"],
    ):
        subprocess.run(["git", *words], check=True)
    assert main(["pin", "AmazonEKS_CNI_Policy@v5"]) == 0
    # A cluster about which there is nothing to say.
    trust = {"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = client("iam").create_role(
        RoleName="clean-cluster", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    client("iam").attach_role_policy(
        RoleName="clean-cluster", PolicyArn="arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
    )
    client("eks").create_cluster(
        name="clean",
        roleArn=role["Arn"],
        resourcesVpcConfig={"subnetIds": ["subnet-1"]},
        accessConfig={"authenticationMode": "API"},
    )
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8").partition("## Gates")[2]
    rows = [
        line.split(" | ")[0].removeprefix("| ").replace("`", "") for line in page.splitlines() if line.startswith("| `")
    ]
    assert rows == list(GATES)
    codes = {row: tuple(main(words) for words in GATES[row]) for row in rows}
    assert codes == dict.fromkeys(rows, (0, 1)), capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("app/stack.ts", "role.addToPolicy(new PolicyStatement({actions: ['s3:*'], resources: ['*']}))", "TypeScript"),
        ("app/stack.py", 'bucket.grant_read_write(role)\nimport aws_cdk.aws_iam as iam', "Python"),
        ("policy.tftpl", '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]', "template of Terraform"),
        ("run.sh", "aws iam attach-role-policy --role-name r --policy-arn $ARN", "shell script"),
        ("charts/x-1.0.tgz", "\x1f\x8b", "archive"),
        ("templates/sa.yaml", "{{ if .Values.b }}\neffect: Allow\nrole: arn:aws:iam::1:role/x\n", "template"),
        ("thing", "statement { effect = \"Allow\" }", "not read"),
        # These cannot hold a policy.
        ("README.md", "Effect: Allow, iam:PassRole", ""),
        ("app/query.py", "STATEMENT = 'select effect from actions'", ""),
        ("tsconfig.json", '{\n  // a comment\n  "compilerOptions": {"strict": true,},\n}', ""),
        ("go.mod", "require github.com/aws/aws-sdk-go-v2/service/iam v1", ""),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_was_not_read_is_never_nothing(repository: Repository, name: str, text: str, reason: str) -> None:
    repository.write(name, text if reason != "archive" else "")
    if reason == "archive":
        (repository.folder / name).write_bytes(text.encode("latin-1"))
    answer = review(repository.folder, "HEAD")
    assert [document.path for document in answer.not_read] == ([name] if reason else [])
    assert all(reason in document.reason for document in answer.not_read)
    assert repository.fails("widened") == bool(reason)
    # An exception is on record: in the repository's own file, and in the answer.
    pattern = f"*{name.rpartition('/')[2]}"
    repository.write("ekstui.toml", f'allow_unread = ["{pattern}"]\n')
    answer = review(repository.folder, "HEAD")
    assert not answer.not_read
    assert [exception.allowed_by for exception in answer.exceptions] == ([pattern] if reason else [])


def test_a_first_push_is_compared_with_nothing(repository: Repository) -> None:
    answer = review(repository.folder, "0" * 40)
    assert [(document.path, document.state) for document in answer.documents] == [("policies/cni.json", "new")]


def test_a_gate_file_with_a_mistake_is_named(repository: Repository) -> None:
    for text in ("allow_unread = 3", "allowed = []", "]"):
        repository.write("ekstui.toml", text)
        process = repository.review()
        assert process.returncode == 2
        assert process.stderr.startswith("ekstui: ekstui.toml"), process.stderr
