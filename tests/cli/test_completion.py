"""Completion, as shells request it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from ekstui.cli import parser
from ekstui.cli.commands.completion import declare_from_text, themes
from ekstui.cli.parser import build_parser, command_of, commands_of, titles
from tests.support.bundled import newest
from tests.support.patience import PATIENCE
from tests.support.terminal import Terminal

PROTOCOL = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_SHELL": "bash", "_ARGCOMPLETE_COMP_WORDBREAKS": " "}
"""What a shell sets for argcomplete, beside the line and where the answer goes."""


def completions(line: str, folder: Path) -> list[str]:
    """Return what argcomplete's protocol answers for a line with the cursor at its end."""
    answer = folder / "answer"
    subprocess.run([sys.executable, "-m", "ekstui"], env=_request(line, answer), timeout=PATIENCE, check=True)
    return completions_in(answer.read_text(encoding="utf-8"))


def _request(line: str, answer: Path) -> dict[str, str]:
    environment_of_shell = {
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    return {**os.environ, **PROTOCOL, **environment_of_shell}


def _declared(name: str) -> list[object]:
    command = command_of(name)
    actions = commands_of(build_parser(name))[name]._actions
    return [command.title, command.description, command.examples, command.answers, *map(str, actions)]


@pytest.mark.parametrize("name", titles())
def test_a_command_is_declared_from_its_text_as_by_its_module(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    by_module = _declared(name)
    monkeypatch.setattr(parser, "declared_commands", {})
    declare_from_text(name)
    assert _declared(name) == by_module


def completions_in(answer: str) -> list[str]:
    return answer.replace(" ", "").split("\x0b")


TENS = [n for n in range(1, newest("AmazonEKSClusterPolicy") + 1) if str(n).startswith("1")]

FITTING = {
    "ekstui di": ["diff"],
    "ekstui AmazonEKSCl": ["AmazonEKSClusterPolicy"],
    "ekstui show AmazonEKS_": ["AmazonEKS_CNI_Policy"],
    "ekstui diff AmazonEKSClusterPolicy@v1": [f"AmazonEKSClusterPolicy@v{n}" for n in TENS],
    "ekstui list --scope al": ["all"],
    "ekstui explain --action ec2:CreateVol": ["ec2:CreateVolume"],
    "ekstui explain --action eks-a": ["eks-auth:"],
    "ekstui attached --profile st": ["staging"],
    "ekstui attached --profile on": ["only-credentials"],
    "ekstui diff AmazonEKSClusterPolicy@v8..v1": [f"AmazonEKSClusterPolicy@v8..v{n}" for n in TENS],
    "ekstui open --theme textual-l": ["textual-light"],
    "ekstui show NoSuchPolicy@": [""],
    "ekstui show aws-ef": ["aws-efs-csi-driver"],
    "ekstui vpc-cni/i": ["vpc-cni/ipv6"],
    "ekstui diff karpenter@v1.14": ["karpenter@v1.14.0", "karpenter@v1.14.1"],
    "ekstui diff cluster-autoscaler@1.17.0..1.36": [f"cluster-autoscaler@1.17.0..1.36.{n}" for n in (0, 1)],
    "ekstui show AmazonEKSEd": ["AmazonEKSEditPolicy"],
    "ekstui diff AmazonEKSViewPolicy access:AmazonEKSEd": ["access:AmazonEKSEditPolicy"],
    "ekstui versions AmazonEKSEd": [""],
    "ekstui cluster --demo pr": ["prod"],
    "ekstui explain --demo --cluster le": ["legacy"],
    "ekstui show --demo role:prod-vpc": ["role:prod-vpc-cni"],
    "ekstui upgrade --demo prod --to karp": ["karpenter="],
    "ekstui upgrade --demo prod --to karpenter=v1.14": ["karpenter=v1.14.0", "karpenter=v1.14.1"],
    "ekstui pin AmazonEKSCl": ["AmazonEKSClusterPolicy"],
    "ekstui config e": ["edit"],
}
"""Lines with the cursor at their end, and the words that fit there."""

EACH_FORKED = """
import json, os, pathlib, sys
from ekstui.cli import main
from ekstui.cli.commands import completion
answers, answer = [], pathlib.Path(os.environ["_ARGCOMPLETE_STDOUT_FILENAME"])
for line in json.load(sys.stdin):
    if not os.fork():
        os.environ.update(COMP_LINE=line, COMP_POINT=str(len(line)))
        main([])
    assert os.wait()[1] == 0
    answers.append(answer.read_text(encoding="utf-8"))
    answer.unlink()
print(json.dumps(answers))
"""
"""Answers each line in a process of its own, but imports for all of them once."""


def test_words_that_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[default]\nregion = eu-west-1\n[profile staging]\nregion = eu-west-1\n[sso-session st]\n[profile st\x1b]0;x\x07b]\n[profile st\u202eb]\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    credentials = tmp_path / "credentials"
    credentials.write_text("[only-credentials]\naws_access_key_id = AKIAEXAMPLE\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("_ARGCOMPLETE_STDOUT_FILENAME", str(tmp_path / "answer"))
    result = subprocess.run(
        [sys.executable, "-c", EACH_FORKED], env={**os.environ, **PROTOCOL}, input=json.dumps([*FITTING]), text=True,
        capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    assert dict(zip(FITTING, map(completions_in, json.loads(result.stdout)), strict=True)) == FITTING


def test_an_empty_word_is_completed_by_commands_alone(tmp_path: Path) -> None:
    assert set(completions("ekstui ", tmp_path)) <= {*titles(), "-h", "--help", "-V", "--version"}


BASH = """
source <(ekstui completion bash)
COMP_LINE="ekstui versions AmazonEKSCl" COMP_POINT=${#COMP_LINE} COMP_WORDS=($COMP_LINE) COMP_CWORD=2
_python_argcomplete ekstui
echo ${COMPREPLY[@]}
"""
FISH = """
ekstui completion fish | source
complete --do-complete 'ekstui versions AmazonEKSCl'
"""
# zsh completes only in its line editor, so here it only tells who would.
ZSH = """
autoload -U compinit && compinit -u -D
source <(ekstui completion zsh)
print $_comps[ekstui]
"""


@pytest.mark.parametrize(
    ("shell", "script", "answer"),
    [
        ("bash", BASH, "AmazonEKSClusterPolicy"),
        ("fish", FISH, "AmazonEKSClusterPolicy"),
        ("zsh", ZSH, "_python_argcomplete"),
    ],
)
def test_the_shells_read_the_code(shell: str, script: str, answer: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.run(
        [shell, "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert answer in process.stdout, process.stderr
    assert process.stderr == ""


BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
LOAD = "source <(ekstui completion bash)"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], LOAD),
    "bash with bash-completion": (["bash", "--norc", "--noprofile", "-i"], f"source {BASH_COMPLETION}; {LOAD}"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit; compinit -u -D; source <(ekstui completion zsh)"),
    "fish": (["fish", "-N", "-i"], "ekstui completion fish | source"),
}


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_completes_what_is_typed_in_it(name: str, tmp_path: Path) -> None:
    """Names, and versions behind an at sign, where readline splits words."""
    command, load = SHELLS[name]
    if shutil.which(command[0]) is None or ("with" in name and not BASH_COMPLETION.exists()):
        pytest.skip(f"{name} is not installed")
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PS1": "> ", "INPUTRC": os.devnull,
        "HOME": str(tmp_path), "fish_greeting": "",
    }  # fmt: skip
    with Terminal(command, env={**os.environ, **environment}) as shell:
        shell.send(f'{load}; echo rea""dy\n')
        shell.wait_for("\nready")
        shell.send("ekstui versions AmazonEKSCl\t")
        shell.wait_for("ekstui versions AmazonEKSClusterPolicy ")
        shell.send("\x15ekstui diff AmazonEKSClusterPolicy@v8..v9")
        # fish may take a tab for one of the line before, if it comes with the line.
        shell.wait_for(lambda: before_cursor(shell).endswith("ekstui diff AmazonEKSClusterPolicy@v8..v9"))
        shell.send("\t")
        # The space that ends a word is the answer: all before it is what was typed.
        shell.wait_for(lambda: before_cursor(shell).endswith("ekstui diff AmazonEKSClusterPolicy@v8..v9 "))
        shell.send(" AmazonEKSClusterPolicy@v1\t\t")
        shell.wait_for("@v10")


def before_cursor(terminal: Terminal) -> str:
    cursor = terminal.screen.cursor
    return terminal.screen.display[cursor.y][: cursor.x]


SLOW = {"boto3", "botocore", "hcl2", "rich", "textual", "yaml"}

# argcomplete leaves without what atexit registers.
AND_TELL = """
import os, sys
leave = os._exit
os._exit = lambda status: (print(*sys.modules, flush=True), leave(status))
from ekstui.cli import main
main([])
"""
"""Completes, and prints the modules that this loaded."""


@pytest.mark.parametrize(
    "line",
    ["ekstui di", "ekstui show AmazonEKS_", "ekstui attached --profile st", "ekstui show role:", "ekstui cluster "],
)
def test_a_word_needs_no_slow_library(line: str, tmp_path: Path) -> None:
    """A word is to appear as fast as it is typed; how fast that is, the benchmark of commands says."""
    request = _request(line, tmp_path / "answer")
    process = subprocess.run(
        [sys.executable, "-c", AND_TELL], env=request, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    modules = process.stdout.split()
    assert "ekstui.cli.commands.completion" in modules
    assert SLOW & set(modules) == set()


def test_the_themes_are_textuals() -> None:
    assert set(themes()) == set(BUILTIN_THEMES)


def test_completion_costs_commands_nothing() -> None:
    probe = "import sys; from ekstui.cli import main; main(['config']); print('argcomplete' in sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert process.stdout.splitlines()[-1] == "False"
