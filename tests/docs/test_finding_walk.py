"""What CONTRIBUTING says about adding a finding is done, step by step, in a copy of the tree."""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from docs.make import DOCS

ROOT = DOCS.parent
MODULE, TEST = "ekstui/eks/findings/entries.py", "tests/eks/findings/test_entries.py"
KEPT = ("ekstui", "tests", "docs", "assets", "pyproject.toml", "README.md", "CONTRIBUTING.md")


def files_in(tree: Path) -> dict[str, bytes]:
    """Return the content of every file of a tree but what tools leave behind."""
    paths = (path for path in tree.rglob("*") if path.is_file() and not {"__pycache__", ".mypy_cache"} & {*path.parts})
    return {str(path.relative_to(tree)): path.read_bytes() for path in paths}


def run(tree: Path, *arguments: str) -> str:
    """Run a module of Python in a tree, and return what it prints; fail if it does."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run(
        (sys.executable, "-m", *arguments), cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, f"{arguments}: {process.stdout[-3000:]}{process.stderr[-3000:]}"
    return process.stdout


def test_a_finding_is_added_as_contributing_says_in_three_files(tmp_path: Path) -> None:
    walk = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## A finding, step by step")[2]
    blocks = [textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", walk, re.DOTALL)]
    assert len(blocks) == 2
    assert f"`{MODULE}`" in walk
    assert f"`{TEST}`" in walk
    for name in KEPT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, tmp_path / name)
    before = files_in(tmp_path)
    for name, block in zip((MODULE, TEST), blocks, strict=True):
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{block}")
    run(tmp_path, "assets.build_schema")
    after = files_in(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} == {MODULE, TEST, "assets/schema.json"}

    run(tmp_path, "ruff", "format", "--check", "--no-cache", MODULE, TEST)
    run(tmp_path, "ruff", "check", "--no-cache", MODULE, TEST)
    # What `make check` found of all other modules it need not find again.
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", tmp_path / ".mypy_cache")
    run(tmp_path, "mypy", MODULE, TEST)
    output = run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "tests/eks/findings/test_table.py", TEST)
    assert "passed" in output
    assert "entry-of-user" in run(tmp_path, "ekstui", "help", "findings")
