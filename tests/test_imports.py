"""What is imported only where it is needed, and what a command does without."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import ekstui
from tests.support.patience import PATIENCE

MOST_LATE = 235
"""Imports inside functions; a new one needs a figure beside it, and the number only goes down."""

INDENTED = re.compile(r"^[ \t]+(?:import|from)\b|[;:][ \t]*(?:import|from)\b", re.MULTILINE)
"""What every import inside a function matches."""


def late_imports(module: ast.Module) -> Iterator[ast.stmt]:
    """Yield the imports inside a module's functions, each once."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    nodes = {node for function in functions for node in ast.walk(function)}
    yield from (node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def test_imports_stand_at_the_top_of_their_module() -> None:
    texts = (path.read_text(encoding="utf-8") for path in Path(ekstui.__file__).parent.rglob("*.py"))
    # A module without an indented import has no late one, and need not be parsed.
    late = sum(len([*late_imports(ast.parse(text))]) for text in texts if re.search(INDENTED, text))
    assert late <= MOST_LATE


def test_no_module_leads_back_to_itself() -> None:
    # The contract of import-linter compares siblings; a package's own `__init__` is none of them.
    graph = grimp.build_graph("ekstui", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()


@pytest.mark.parametrize("words", [["show", "AmazonEKS_CNI_Policy"], ["diff", "AmazonEKS_CNI_Policy@v5..v6"]])
def test_policies_are_read_without_the_modules_for_denials(words: list[str]) -> None:
    # 30 of 100 ms.
    probe = (
        f"import sys; from ekstui.cli import main; main({words})\n"
        "print(sorted(name for name in sys.modules if name.startswith('ekstui.denial')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stderr.strip() == "[]"
