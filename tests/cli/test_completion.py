"""Completion, as shells request it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ekstui.cli.parser import COMMANDS
from tests.terminal import Terminal


def completed(line: str, folder: Path) -> list[str]:
    """Return what argcomplete's protocol answers for a line with the cursor at its end."""
    answer = folder / "answer"
    environment = {
        **os.environ,
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_SHELL": "bash",
        "_ARGCOMPLETE_COMP_WORDBREAKS": " ",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    subprocess.run([sys.executable, "-m", "ekstui"], env=environment, timeout=60, check=True)
    return answer.read_text(encoding="utf-8").replace(" ", "").split("\x0b")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ekstui di", ["diff"]),
        ("ekstui AmazonEKSCl", ["AmazonEKSClusterPolicy"]),
        ("ekstui show AmazonEKS_", ["AmazonEKS_CNI_Policy"]),
        ("ekstui diff AmazonEKSClusterPolicy@v1", ["AmazonEKSClusterPolicy@v1", "AmazonEKSClusterPolicy@v10"]),
        ("ekstui list --scope al", ["all"]),
        ("ekstui explain --action ec2:CreateVol", ["ec2:CreateVolume"]),
        ("ekstui explain --action eks-a", ["eks-auth:"]),
        ("ekstui attached --profile st", ["staging"]),
        ("ekstui attached --profile on", ["only-credentials"]),
        (
            "ekstui diff AmazonEKSClusterPolicy@v8..v1",
            ["AmazonEKSClusterPolicy@v8..v1", "AmazonEKSClusterPolicy@v8..v10"],
        ),
        ("ekstui open --theme textual-l", ["textual-light"]),
        ("ekstui show NoSuchPolicy@", [""]),
        ("ekstui show aws-ef", ["aws-efs-csi-driver"]),
        ("ekstui vpc-cni/i", ["vpc-cni/ipv6"]),
        ("ekstui diff karpenter@v1.14", ["karpenter@v1.14.0", "karpenter@v1.14.1"]),
        ("ekstui diff cluster-autoscaler@1.17.0..1.36", [f"cluster-autoscaler@1.17.0..1.36.{n}" for n in (0, 1)]),
        ("ekstui show AmazonEKSEd", ["AmazonEKSEditPolicy"]),
        ("ekstui diff AmazonEKSViewPolicy access:AmazonEKSEd", ["access:AmazonEKSEditPolicy"]),
        ("ekstui versions AmazonEKSEd", [""]),
    ],
)
def test_words_that_fit(line: str, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = eu-west-1\n[profile staging]\nregion = eu-west-1\n[sso-session st]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    credentials = tmp_path / "credentials"
    credentials.write_text("[only-credentials]\naws_access_key_id = AKIAEXAMPLE\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    assert completed(line, tmp_path) == words


def test_an_empty_word_is_completed_by_commands_alone(tmp_path: Path) -> None:
    assert set(completed("ekstui ", tmp_path)) <= {*COMMANDS, "-h", "--help", "-V", "--version"}


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
    done = subprocess.run(
        [shell, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer in done.stdout, done.stderr
    assert done.stderr == ""


def test_bash_completes_versions_behind_an_at_sign_in_a_real_line() -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PS1": "> ", "INPUTRC": os.devnull
    }  # fmt: skip
    with Terminal(["bash", "--norc", "--noprofile", "-i"], env={**os.environ, **environment}) as shell:
        shell.send('source <(ekstui completion bash); echo rea""dy\n')
        shell.wait_for("\nready")
        shell.send("ekstui diff AmazonEKSClusterPolicy@v8..v9\t")
        shell.wait_for("ekstui diff AmazonEKSClusterPolicy@v8..v9 ")
        shell.send("AmazonEKSClusterPolicy@v1\t\t")
        shell.wait_for("@v10")
        whole = "AmazonEKSClusterPolicy@v8..v9 AmazonEKSClusterPolicy@v1"
        shell.wait_for(lambda: shell.text.rstrip().endswith(whole))  # bash draws the line anew below what fits


def test_completion_costs_commands_nothing() -> None:
    probe = "import sys; from ekstui.cli import main; main(['config']); print('argcomplete' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "False"
