"""What is imported only where it is needed: no import stands in a function unless a command does without the module."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import ekstui
from tests.support.patience import PATIENCE

PACKAGE = Path(ekstui.__file__).parent

APP = "the app, before its first paint"
COMPLETING = "completing ekstui cluster"
COMMANDS: Mapping[str, str] = {
    "--version": "from ekstui.cli import main; main(['--version'])",
    "list": "from ekstui.cli import main; main(['list'])",
    "show": "from ekstui.cli import main; main(['show', 'AmazonEKS_CNI_Policy'])",
    "diff": "from ekstui.cli import main; main(['diff', 'AmazonEKS_CNI_Policy@v5..v6'])",
    "who-can": "from ekstui.cli import main; main(['who-can', 'ec2:CreateVolume'])",
    "explain": "from ekstui.cli import main; main(['explain', '--action', 'ec2:CreateVolume', '--policy', 'AmazonEBSCSIDriverPolicy'])",
    "cluster": "from ekstui.cli import main; main(['cluster', 'prod', '--demo'])",
    COMPLETING: "import os; os.environ.update({'_ARGCOMPLETE': '1', '_ARGCOMPLETE_SHELL': 'bash', 'COMP_LINE': 'ekstui cluster ',"
    " 'COMP_POINT': '15', '_ARGCOMPLETE_COMP_WORDBREAKS': ' ', '_ARGCOMPLETE_STDOUT_FILENAME': os.devnull}); os._exit = sys.exit;"
    " from ekstui.cli import main; main([])",
    APP: "import ekstui.tui.app",
}

# A name stands for its submodules too. The milliseconds are those of the module and of what only it imports, by `python -X
# importtime`, the least of seven runs: the most that one of its late imports saves. What saves less than 10 by itself is
# here since a command does without many such modules: list, whose goal is 2.5 times a bare Python, saves 60 by them, and
# the app 20 before its first paint.
# fmt: off
SAVED: Mapping[str, Mapping[str, int]] = {
    "--version": {
        "ekstui.cli.main": 17, "ekstui.cli.parser": 6, "ekstui.present": 4, "ekstui.library": 16,
    },
    "list": {
        "boto3": 129, "botocore": 107, "urllib3": 49, "hcl2": 48, "yaml": 13,
        "dataclasses": 12, "difflib": 1, "getpass": 1, "hashlib": 4, "platform": 2, "platformdirs": 9, "shutil": 3,
        "subprocess": 3, "textwrap": 1, "tomllib": 2, "rich.cells": 2,
        "ekstui.cli.commands.completion": 24, "ekstui.cli.version": 2, "ekstui.logbook": 15,
        "ekstui.change.steps": 4, "ekstui.export": 4, "ekstui.iam.document": 2, "ekstui.iam.expansion": 6,
        "ekstui.iam.reference": 2, "ekstui.iam.summary": 10, "ekstui.library.access_policies": 9,
    },
    "show": {
        "dataclasses": 12, "shutil": 3, "xml": 3,
        "ekstui.cli.web": 223, "ekstui.denial": 58, "ekstui.eks.findings": 50, "ekstui.library.comparing": 7,
        "ekstui.library.own_account": 57, "ekstui.tui": 180,
    },
    "diff": {
        "ekstui.library.cluster_answers": 125, "ekstui.library.maintenance": 19, "ekstui.library.roles": 76,
        "ekstui.sources.aws": 12,
    },
    "who-can": {
        "dataclasses": 12, "ekstui.change.comparison": 8, "ekstui.change.reach": 12,
        "ekstui.library.principals_can": 85, "ekstui.sources.levels": 21, "ekstui.sources.mirror": 20,
    },
    "explain": {
        "dataclasses": 12, "hashlib": 4, "ekstui.library.cluster_access": 56, "ekstui.library.cluster_facts": 16,
        "ekstui.library.peeling": 37, "ekstui.library.pod_answers": 35, "ekstui.library.requester": 19,
        "ekstui.library.role_purposes": 17, "ekstui.present.cluster_report": 132,
    },
    "cluster": {"ekstui.sources.kubectl": 14},
    COMPLETING: {
        "ekstui.library.cluster_answers": 125, "ekstui.library.roles": 76, "ekstui.present.cluster_report": 132,
    },
    APP: {
        "textual._xterm_parser": 2, "textual.drivers": 3, "ekstui.library.attachments": 33, "ekstui.library.copies": 28,
        "ekstui.library.last_used": 93, "ekstui.library.syncing": 50,
    },
}
# fmt: on
"""What each command does without, and how many milliseconds that saves."""


def late_modules(path: Path) -> Iterator[str]:
    """Yield the modules that functions import, each import once."""
    text = path.read_text(encoding="utf-8")
    # Most have none, and parsing them all takes a second.
    tree = ast.parse(text if re.search(r"^ +(?:from|import) ", text, re.MULTILINE) else "")
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for node in {node for function in functions for node in ast.walk(function)}:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = PACKAGE.parent.joinpath(*(node.module or "").split("."))
            submodules = [
                name for name in (alias.name for alias in node.names) if folder.joinpath(f"{name}.py").exists()
            ]
            yield f"{node.module}.{submodules[0]}" if submodules else str(node.module)


def _is_of(module: str, names: Iterable[str]) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in names)


def test_each_import_in_a_function_saves_what_the_table_says() -> None:
    late = {module for path in PACKAGE.rglob("*.py") for module in late_modules(path)}
    names = {name for saved in SAVED.values() for name in saved}
    assert {module for module in late if not _is_of(module, names)} == set()
    own = {name for name in names if name.startswith("ekstui")}
    assert {name for name in own if not any(_is_of(module, [name]) for module in late)} == set()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("own_filled_cache")
def test_a_command_does_without(command: str) -> None:
    probe = (
        f"import sys\ntry:\n    {COMMANDS[command].replace('; ', chr(10) + '    ')}\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True, env=os.environ
    )
    loaded = done.stderr.splitlines()[-1].split()
    assert [module for module in loaded if _is_of(module, SAVED[command])] == []
