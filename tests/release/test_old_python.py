"""What a Python that is too old says: one sentence, and nothing is left behind."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.make import DOCS
from tests.support.patience import PATIENCE

ROOT = DOCS.parent

OLD = '#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.10.13; else exit 1; fi\n'
"""Stands in for a Python 3.10: it has a version, and fails the check of it."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, and with a `bin` of the few programs that it may find."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("make", "sh", "rm", "touch"):
        (programs / name).symlink_to(str(shutil.which(name)))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    return tmp_path


def program(folder: Path, name: str, text: str) -> None:
    (folder / "bin" / name).write_text(text)
    (folder / "bin" / name).chmod(0o755)


def make(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(folder / "bin"), "HOME": str(folder), **variables}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.parametrize("arguments", [(), ("PYTHON=python3",)])
@pytest.mark.parametrize("is_half_made", [False, True])
def test_make_run_with_an_old_python_says_so_in_one_line_and_leaves_nothing(
    arguments: tuple[str, ...], is_half_made: bool, checkout: Path
) -> None:
    program(checkout, "python3", OLD)
    if is_half_made:
        (checkout / ".venv" / "bin").mkdir(parents=True)
        shutil.copy(checkout / "bin" / "python3", checkout / ".venv" / "bin" / "python")
    process = make(checkout, "run", *arguments)
    assert process.returncode != 0
    sentence, *rest = process.stderr.splitlines()
    assert "3.11 or newer" in sentence
    assert "python3 is Python 3.10.13" in sentence
    assert [line for line in rest if not line.startswith("make:")] == []
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('#!/bin/sh\n[ "$1" = --version ] && echo Python 2.7.18 >&2\n', "python3 is Python 2.7.18. "),
        ("#!/bin/sh\necho 'pyenv: python3: command not found' >&2; exit 127\n", "python3 is missing. "),
        (None, "python3 is missing. "),
    ],
    ids=["says its version on stderr", "does not run", "is not there"],
)
def test_make_run_says_which_python_there_is(text: str | None, words: str, checkout: Path) -> None:
    if text:
        program(checkout, "python3", text)
    process = make(checkout, "run")
    assert process.returncode != 0
    assert words in process.stderr.splitlines()[0]


@pytest.mark.parametrize("name", ["python3.13", "uv"])
def test_make_run_looks_for_a_newer_python_and_for_uv(name: str, checkout: Path) -> None:
    """The one that is found is called on to make the environment; here it notes that, and fails."""
    program(checkout, "python3", OLD)
    note = checkout / "note"
    program(
        checkout,
        name,
        f'#!/bin/sh\ncase "$*" in *" .venv"|*" venv .venv") echo "$@" > {note}; exit 3;; esac\n',
    )
    process = make(checkout, "run")
    assert process.returncode != 0
    assert ".venv" in note.read_text()
    assert not (checkout / ".venv").exists()


def test_make_passes_on_nothing_that_sends_python_or_pip_elsewhere(checkout: Path) -> None:
    note = checkout / "note"
    program(checkout, "python3", f'#!/bin/sh\ncase "$*" in *" .venv") export -p > {note}; exit 3;; esac\n')
    names = ("PYTHONHOME", "PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
    make(checkout, "run", **dict.fromkeys(names, "elsewhere"), LC_ALL="C")
    passed_on = note.read_text()
    assert "elsewhere" not in passed_on
    assert "LC_ALL" not in passed_on
    assert re.search(r"LC_CTYPE=['\"]?C\b", passed_on)


def test_the_module_says_that_a_python_is_too_old() -> None:
    source = ROOT / "ekstui" / "__main__.py"
    # An old Python reads the whole file before it runs the first line.
    ast.parse(source.read_text(encoding="utf-8"), feature_version=(3, 7))
    program = (
        "import runpy, sys; sys.version_info = (3, 10, 13, 'final', 0); runpy.run_module('ekstui', run_name='__main__')"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr == "ekstui needs Python 3.11 or newer; this is Python 3.10.\n"


@pytest.mark.skipif(not any(shutil.which(f"python3.{minor}") for minor in (8, 9, 10)), reason="no old Python here")
def test_a_real_old_python_says_the_same() -> None:
    for minor in (8, 9, 10):
        python = shutil.which(f"python3.{minor}")
        is_python = python and not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode
        if is_python:
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            process = subprocess.run(
                [str(python), "-m", "ekstui", "list"],
                env=environment,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            assert process.stderr == f"ekstui needs Python 3.11 or newer; this is Python 3.{minor}.\n"
