"""The manual is up to date, and every example in it runs."""

import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from docs.make import DOCS, examples_of, man_page, pages
from ekstui import files
from ekstui.cli.main import main, with_command
from ekstui.cli.parser import build_parser, command_of, commands_of, declared_commands, titles
from ekstui.settings import SETTINGS
from ekstui.tui.keys import all_keys
from tests.rig.rig import Rig
from tests.support.command import ekstui
from tests.support.filled import copy_of_cache
from tests.support.git import commit_all, git, make_repository
from tests.support.kubernetes import aws_auth, of_all_namespaces, pod
from tests.support.packages import TWO_VERSIONS, npm_package, tarball
from tests.support.patience import PATIENCE

ROOT = DOCS.parent
# What a pod's log says, for the examples that read standard input.
DENIAL = """\
api error UnauthorizedOperation: You are not authorized to perform this operation. User:
arn:aws:sts::111122223333:assumed-role/ebs-csi/1747307062150341641 is not authorized to perform: ec2:CreateVolume on
resource: arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0 because no identity-based policy allows the
ec2:CreateVolume action.
"""
DOCUMENT = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}'


PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_its_maker_makes(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name], "run make docs"


def test_the_text_of_the_modules_names_the_commands_that_they_declare() -> None:
    assert {name: title.text for name, title in titles().items()} == {
        name: command_of(name).title for name in commands_of(build_parser())
    }
    assert declared_commands.keys() == titles().keys()
    # A command with a module of its own name is found without reading any.
    assert {title.module for title in titles().values()} <= {name.replace("-", "_") for name in titles()}


def test_every_key_command_and_setting_is_documented() -> None:
    commands, settings = PAGES["commands.md"], PAGES["settings.md"]
    manual = man_page(build_parser())
    assert [key.id for key in all_keys() if f"({key.id})" not in manual.replace("\\-", "-")] == []
    assert [
        name
        for name in titles()
        if f"## ekstui {name}" not in commands or f"ekstui {name}" not in manual.replace("\\-", "-")
    ] == []
    assert [setting.name for setting in SETTINGS if f"| `{setting.name}` |" not in settings] == []


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [*DOCS.glob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} links to {target}"


WRITTEN = [ROOT / "README.md", *sorted(page for page in DOCS.glob("*.md") if page.name not in PAGES)]
"""The pages that are written by hand; the examples in the others come from the help."""


def blocks(page: Path) -> list[tuple[str, str]]:
    """Return a page's blocks of code, each with its language, which is "" if it has none or is indented."""
    matches = re.findall(
        r"^```(\w*)\n(.*?)^```|((?:^ {4}[^\n]*\n)+)", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [(language, fenced_text + indented_text) for language, fenced_text, indented_text in matches]


def steps_of(page: Path) -> list[tuple[str, str]]:
    """Return the steps of a page to follow: commands, and after them some of what they print."""
    return [
        (block[1], next_block[1])
        for block, next_block in pairwise(blocks(page))
        if (block[0], next_block[0]) == ("sh", "text")
    ]


def examples() -> Iterator[str]:
    """Yield every command line with ekstui in the pages that are written by hand and in the help, but not in steps."""
    for page in WRITTEN:
        texts = [block[1] for block in blocks(page) if block[0] in ("", "sh", "console", "bash")]
        code = "\n".join(text for text in texts if text not in dict(steps_of(page)))
        for line in code.splitlines():
            # Two spaces and more lead to a remark.
            yield re.split(r"\s{2,}", line.strip().removeprefix("$ "))[0]
        yield from re.findall(r"`(ekstui [^`]+)`", page.read_text(encoding="utf-8"))
    yield from re.findall(r"^  (ekstui.*?)(?:  .*)?$", build_parser().epilog or "", re.MULTILINE)
    for command in commands_of(build_parser()).values():
        yield from (re.split(r"\s{3,}", line)[0] for line in examples_of(command))


def ekstui_words(example: str) -> list[str] | None:
    """Return the words after `ekstui`; None if a line only installs it, or has a placeholder."""
    piece = next((part for part in re.split(r"\||<\(|\)", example) if re.search(r"(^|\s)ekstui( |$)", part)), "")
    words = shlex.split(piece.split(" # ")[0].split(" <")[0].split(" >")[0])
    setting = [word for word in words[: words.index("ekstui")] if "=" not in word] if words else ["nothing"]
    if setting or PLACEHOLDERS & set(words):
        return None
    return words[words.index("ekstui") + 1 :]


PLACEHOLDERS = {
    "POLICY",
    "NUMBER",
    "SHELL",
    "ACTION",
    "NAME",
    "FILE",
    "WHERE",
    "COMMAND",
    "A",
    "B",
    "REGION",
    "OWNER",
    "…",
}
MOTO_WHEEL = "./moto-5.2.5-py3-none-any.whl"
CLUSTER_CONFIG = """\
apiVersion: eksctl.io/v1alpha5
kind: ClusterConfig
managedNodeGroups:
  - name: general
    iam:
      attachPolicyARNs: ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"]
"""
"""A file of eksctl that attaches a policy."""

EXAMPLES = sorted({example for example in examples() if ekstui_words(example) is not None})


def test_there_are_examples_of_every_command() -> None:
    assert {with_command(ekstui_words(example) or [])[0] for example in EXAMPLES} >= set(titles())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(
    example: str,
    lasting_rig: Rig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    filled_cache: Path,
) -> None:
    lasting_rig.standing()
    words = ekstui_words(example) or []
    copy_of_cache(filled_cache, files.cache_dir())
    # Not where the cache is, which git would take for the user's files.
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in re.findall(r"[\w./-]+\.json|\w+/$", example):
        path = Path(name) / "policy.json" if name.endswith("/") else Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(DOCUMENT, encoding="utf-8")
    for name in re.findall(r"[\w./-]+\.yaml", example):
        Path(name).write_text(CLUSTER_CONFIG, encoding="utf-8")
    for name in re.findall(r"[\w./-]+\.tgz", example):
        tarball(Path(name), ("package/dist/managedPolicies.json", json.dumps(npm_package(Alpha=TWO_VERSIONS)).encode()))
    config = tmp_path / "aws-config"
    config.write_text("[profile prod]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("EDITOR", "true")
    lines = aws_auth("- rolearn: arn:aws:iam::111122223333:role/dev\n  groups: [devs]\n")
    piped_text = of_all_namespaces([pod("web-6f7d-x1"), lines]) if example.startswith("kubectl get") else DENIAL
    monkeypatch.setattr("sys.stdin", io.StringIO(piped_text))
    if with_command(words)[0] in ("open", "serve") or {"mamip", MOTO_WHEEL} & set(words):
        # One needs a terminal, one serves until it is stopped, one reaches the network: that the words are right is
        # seen without them.
        build_parser().parse_args(with_command(words))
        return
    if "--version" in words or "--help" in words:
        with pytest.raises(SystemExit) as exit_info:
            main(words)
        assert exit_info.value.code == 0
        return
    if "--offline" in words:
        assert main([word for word in words if word != "--offline"]) == 0
    command = with_command(words)[0]
    if command == "check":
        assert main(["pin", "AmazonEKSClusterPolicy"]) == 0
    if command == "review":
        make_repository(folder)
        commit_all(folder)
        git(folder, "branch", "-f", "origin/main")
    # There is nothing of that account to delete, no sync to undo, and gates that are held.
    expected = {"clear": (0, 1), "undo-sync": 1, "--exit-code": (0, 1), "--fail-on": (0, 1)}
    allowed_codes = next((codes for word, codes in expected.items() if word in words), 0)
    assert main(words) in (allowed_codes if isinstance(allowed_codes, tuple) else (allowed_codes,)), (
        capsys.readouterr().err
    )


def recipes() -> list[str]:
    """Return the lines of the pages that need a shell: they hand ekstui a text, or its answer to another program."""
    lines = [
        line for page in WRITTEN for language, text in blocks(page) if language == "sh" for line in text.splitlines()
    ]
    return [line for line in lines if " | " in line and "| source" not in line]


def in_shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as it is written, in bash, with this ekstui first on the PATH."""
    program = folder / "bin" / "ekstui"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m ekstui "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("line", recipes())
def test_a_recipe_runs_as_written(line: str, rig: Rig, tmp_path: Path, filled_cache: Path) -> None:
    rig.standing()
    if "jq " in line and shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    copy_of_cache(filled_cache, files.cache_dir())
    process = in_shell(line, tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() or "cluster" in line


def test_the_recipe_for_what_a_policy_allows_leaves_out_what_is_denied(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    recipe = next(line for line in recipes() if line.startswith("ekstui show AmazonEKS_CNI_Policy --json"))
    process = in_shell(recipe.replace("AmazonEKS_CNI_Policy", "AWSLakeFormationDataAdmin"), tmp_path)
    allowed_words = process.stdout.split()
    assert "lakeformation:GetDataLakeSettings" in allowed_words
    assert "lakeformation:PutDataLakeSettings" not in allowed_words


def follow(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as it is written; only one that needs a shell is given to one."""
    if line.startswith("ekstui ") and not re.search(r"[|<>$`;&]", line):
        return ekstui(*shlex.split(line)[1:])
    return in_shell(line, folder)


@pytest.mark.parametrize(("page", "steps"), [("first-ten-minutes.md", 7), ("layers.md", 5)])
def test_a_page_to_follow_shows_what_it_says(
    page: str, steps: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filled_cache: Path
) -> None:
    copy_of_cache(filled_cache, files.cache_dir())
    monkeypatch.chdir(tmp_path)
    assert len(steps_of(DOCS / page)) == steps
    for commands, parts in steps_of(DOCS / page):
        runs = [follow(line, tmp_path) for line in commands.splitlines()]
        assert [run.returncode for run in runs] == [0] * len(runs)
        output = " ".join("".join(run.stdout for run in runs).split())
        assert [part for part in parts.splitlines() if " ".join(part.split()) not in output] == []


def test_every_answer_has_json_and_markdown() -> None:
    """The others print code for a shell or a schema, write a file, or start the app."""
    missing_keys = {
        name
        for name, command in commands_of(build_parser()).items()
        if not {"--json", "--markdown"} <= {*command._option_string_actions}
    }
    assert missing_keys == {"open", "pin", "schema", "completion", "serve"}
