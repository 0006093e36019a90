"""ARCHITECTURE.md names only files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("ekstui", "assets", "tests", "screenshots")
NAMED = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|toml|tsv|csv|json|jsonl\.xz|json\.xz)|(?:[\w-]+/)+)`")
"""A file or a folder, as in `iam/arn.py`; within a row the folder may be left out."""


def test_every_file_and_folder_that_it_names_exists() -> None:
    paths = [path for folder in FOLDERS for path in (ROOT / folder, *(ROOT / folder).rglob("*"))]
    present = {f"/{path.relative_to(ROOT).as_posix()}{'/' if path.is_dir() else ''}" for path in paths}
    named_files = set(NAMED.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    assert len(named_files) > 100
    assert [name for name in sorted(named_files) if not any(path.endswith(f"/{name}") for path in present)] == []
