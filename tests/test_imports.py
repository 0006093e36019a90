"""What is imported only where it is needed: no import stands in a function unless a command does without the module."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import ekstui
from ekstui.sources import aws
from ekstui.tui import screens
from tests.support.patience import PATIENCE

PACKAGE = Path(ekstui.__file__).parent

LATE_IN = {"screens": screens, "aws": aws}
"""The packages that import modules of theirs when these are asked for, by the name under which others know them."""

SDK = ("boto3", "botocore", "urllib3")
"""What no command loads that does not ask AWS."""

APP = "the app, before its first paint"
NO_TERMINAL = "open, without a terminal"
COMPLETING = "completing ekstui cluster"
COMMANDS: Mapping[str, str] = {
    "--version": "from ekstui.cli import main; main(['--version'])",
    NO_TERMINAL: "from ekstui.cli import main; main(['open'])",
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

# A name stands for its submodules too. The milliseconds are the processor's, as `python -m tests.tools.bench.imports` prints
# them: what the late imports of a name take together when the command has run, the least of three. What saves less than 10
# by itself is here for its group, since a command does without many such modules: those of list add up to at most
# 50, and those of the app to 45, as some need the same modules.
# fmt: off
SAVED: Mapping[str, Mapping[str, int]] = {
    "--version": {
        "ekstui.cli.main": 3, "ekstui.cli.parser": 2, "ekstui.present": 67, "ekstui.library": 93,
    },
    NO_TERMINAL: {"ekstui.cli.session": 15},
    "list": {
        "ekstui.sources.aws.sdk": 103, "hcl2": 42, "yaml": 10, "difflib": 1, "platformdirs": 4,
        "subprocess": 1, "tomllib": 3, "rich.cells": 3,
        "ekstui.cli.commands.completion": 11, "ekstui.cli.version": 2, "ekstui.logbook": 9,
        "ekstui.change.steps": 3, "ekstui.export": 9, "ekstui.iam.document": 2,
        "ekstui.iam.reference": 2, "ekstui.iam.summary": 6, "ekstui.library.access_policies": 4,
    },
    "show": {
        "ekstui.cli.web": 166, "ekstui.denial": 9, "ekstui.eks.findings": 22, "ekstui.library.comparing": 6,
        "ekstui.library.own_account": 26, "ekstui.tui": 269,
    },
    "diff": {
        "ekstui.library.roles": 31,
        "ekstui.sources.aws": 9,
    },
    "who-can": {
        "ekstui.change.reach": 3, "ekstui.library.cluster_access": 37,
        "ekstui.library.principals_can": 23, "ekstui.sources.levels": 3,
    },
    "explain": {
        "ekstui.library.account_of_case": 16, "ekstui.library.kubernetes_denials": 17,
        "ekstui.library.peeling": 30, "ekstui.library.pod_answers": 32, "ekstui.library.requester": 19,
        "ekstui.present.cluster_report": 43,
    },
    "cluster": {"ekstui.sources.kubectl": 15},
    COMPLETING: {
        "ekstui.library.roles": 30, "ekstui.present.cluster_report": 38,
    },
    APP: {
        "textual._xterm_parser": 1, "textual.drivers": 3,
        "ekstui.iam.summary": 9, "ekstui.library.access_policies": 7, "ekstui.library.attachments": 27,
        "ekstui.library.copies": 19, "ekstui.library.facet_matches": 12,
        "ekstui.library.last_used": 46, "ekstui.library.maintenance": 5, "ekstui.library.syncing": 27,
        "ekstui.library.changed_actions": 4,
        "ekstui.tui.row_actions": 14, "ekstui.tui.widgets.attached_content": 18,
        "ekstui.tui.widgets.permissions_content": 8, "ekstui.tui.widgets.last_use": 3,
        "ekstui.tui.screens.account_screen": 43, "ekstui.tui.screens.card_screens": 53, "ekstui.tui.screens.changes_screen": 51,
        "ekstui.tui.screens.cluster_screens": 58, "ekstui.tui.screens.compare_screen": 59, "ekstui.tui.screens.copying": 51,
        "ekstui.tui.screens.dialogs": 2, "ekstui.tui.screens.explain_screen": 67, "ekstui.tui.screens.found_things": 21,
        "ekstui.tui.screens.help_screen": 3, "ekstui.tui.screens.matrix_screen": 57, "ekstui.tui.screens.opening": 6,
        "ekstui.tui.screens.palette_screen": 23, "ekstui.tui.screens.pod_screen": 77, "ekstui.tui.screens.role_screen": 74,
        "ekstui.tui.screens.theme_screen": 3, "ekstui.tui.screens.who_can_screen": 61,
    },
}
# fmt: on
"""What each command does without, and how many milliseconds that saves."""

WITHOUT_DATACLASSES = ("list", "show", "who-can", "explain")
"""The commands whose values are all named tuples: the module of dataclasses takes 5 to 7 ms."""

BEHIND: Mapping[str, Sequence[str]] = {
    "list": ("ekstui.iam.expansion",),
    "explain": ("ekstui.library.cluster_access", "ekstui.library.cluster_facts", "ekstui.library.role_purposes"),
    APP: (
        "ekstui.eks.account_snapshot", "ekstui.eks.cluster", "ekstui.eks.last_accessed", "ekstui.eks.pods",
        "ekstui.library.find_anything", "ekstui.library.lookup", "ekstui.library.searching",
        "ekstui.present.attachment_report", "ekstui.present.permissions",
    ),
}  # fmt: skip
"""What else a command does without, since only modules that are imported late import it."""


def late_modules(path: Path) -> Iterator[str]:
    """Yield the modules that functions import, each import once, and those that they ask a package for."""
    text = path.read_text(encoding="utf-8")
    # Most have none, and parsing them all takes a second.
    tree = ast.parse(text if re.search(r"^ +(?:from|import) |\b(?:screens|aws)\.", text, re.MULTILINE) else "")
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
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in LATE_IN:
            package = LATE_IN[node.value.id]
            if node.attr in package.__all__:
                yield f"{package.__name__}.{node.attr}"


def is_of(module: str, names: Iterable[str]) -> bool:
    """Return whether a module is one of these or of their submodules."""
    return any(f"{module}.".startswith(f"{name}.") for name in names)


def test_each_import_in_a_function_saves_what_the_table_says() -> None:
    late = {module for path in PACKAGE.rglob("*.py") for module in late_modules(path)}
    names = {name for saved_modules in SAVED.values() for name in saved_modules}
    assert {module for module in late if not is_of(module, names)} == set()
    assert {name for name in names if not any(is_of(module, [name]) for module in late)} == set()


def test_what_a_package_imports_late_is_asked_for_and_in_the_table() -> None:
    late = {module for path in PACKAGE.rglob("*.py") for module in late_modules(path)}
    listed_names = {f"{package.__name__}.{name}" for package in LATE_IN.values() for name in package.__all__}
    assert listed_names <= late
    assert listed_names <= SAVED[APP].keys() | SAVED["list"].keys()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("own_filled_cache")
def test_a_command_does_without(command: str) -> None:
    probe = (
        f"import sys\ntry:\n    {COMMANDS[command].replace('; ', chr(10) + '    ')}\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    process = subprocess.run(
        [sys.executable, "-c", probe], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=True,
        env=os.environ,
    )  # fmt: skip
    loaded_modules = process.stderr.splitlines()[-1].split()
    needless = (
        *SAVED[command],
        *BEHIND.get(command, ()),
        *SDK,
        *(["dataclasses"] if command in WITHOUT_DATACLASSES else []),
    )
    assert [module for module in loaded_modules if is_of(module, needless)] == []
