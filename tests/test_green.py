"""What green means: tests were run, and all of them passed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.again import Run, run_tests, table

ROOT = Path(__file__).parents[1]

PASSES = "def test_passes(): pass\n"
SKIPS = "import pytest\ndef test_skips(): pytest.skip()\n"
LEAN = ("-p", "xdist", "-p", "no:cacheprovider", "-n", "0")
"""Options with which a run loads no plugin and starts no worker that it does not need, where PYTEST_DISABLE_PLUGIN_AUTOLOAD is set."""

FAILS = "def test_fails(): assert False\n"
WAITS = "import pathlib, time\ndef test_waits():\n    pathlib.Path({started!r}).touch()\n    time.sleep(600)\n"


@pytest.fixture
def lean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins that nothing of this needs take most of such a run."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.parametrize(("text", "options", "code"), [
    (PASSES, (), 0), (PASSES + SKIPS, (), 0), (SKIPS, (), 5), (PASSES, ("-k", "other"), 5), (PASSES + FAILS, (), 1),
    (SKIPS, ("-p", "xdist", "-n", "1"), 5), (PASSES, ("-p", "xdist", "-n", "1"), 0), (PASSES, ("--collect-only",), 0),
])  # fmt: skip
def test_a_run_without_a_test_that_passed_is_not_green(
    tmp_path: Path, text: str, options: tuple[str, ...], code: int, lean: None
) -> None:
    (tmp_path / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.counting", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stdout + process.stderr


def test_the_gate_is_not_passed_by_a_make_that_only_prints(tmp_path: Path) -> None:
    """Neither flags of make nor those of pytest that somebody has in their environment let it pass without a test."""
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_bytes((ROOT / ".ci" / "run").read_bytes())
    results = '<testsuite name="pytest" tests="{}">'
    for recipe, flags, code in (
        (f"@mkdir -p build && echo '{results.format(5453)}' > build/tests.xml", "", 0),
        (f"@mkdir -p build && echo '{results.format(5453)}' > build/tests.xml", "n", 0),
        (f"@mkdir -p build && echo '{results.format(0)}' > build/tests.xml", "", 1),
        ("@true", "", 1),
        ("@false", "", 2),
    ):
        (tmp_path / "Makefile").write_text(f"test:\n\t{recipe}\n")
        process = subprocess.run(
            ["bash", ".ci/run"], cwd=tmp_path, env={**os.environ, "MAKEFLAGS": flags}, capture_output=True, check=False
        )
        assert process.returncode == code, recipe


def test_what_fell_is_told_by_how_often_idle_and_busy(tmp_path: Path, lean: None) -> None:
    (tmp_path / "test_it.py").write_text(PASSES + FAILS)
    options = (*LEAN, "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path))
    run = run_tests(0, options, tmp_path / "said")
    assert "assert False" in (tmp_path / "said").read_text()
    assert (run.passed, [name.rpartition("::")[2] for name in run.fallen], run.is_green) == (1, ["test_fails"], False)
    text = table([run, run._replace(busy=8), Run(8, 2, (), 1, 1)])
    assert "1 of 3 runs were green" in text
    assert [line.split()[:2] for line in text.splitlines() if "test_fails" in line] == [["1", "1"]]


def test_a_run_that_found_no_test_is_not_green(tmp_path: Path, lean: None) -> None:
    assert not run_tests(0, (*LEAN, "-c", os.devnull, str(tmp_path)), tmp_path / "said").is_green


def test_an_interrupted_proof_tells_of_its_whole_runs_and_leaves_nothing_running(tmp_path: Path, lean: None) -> None:
    (tmp_path / "test_it.py").write_text(WAITS.format(started=str(tmp_path / "started")))
    # What works beside it sleeps: that it ends is tested, not that it costs time.
    program = "from tests import again; again.BUSY = again.BUSY.replace('pass', '__import__(\"time\").sleep(0.05)'); exit(again.main())"
    command = (sys.executable, "-c", program, "--times", "1", "--only", "busy", "--busy", "1", "--")
    # With a worker, which must end too.
    options = (*LEAN, "-n", "1", "--rootdir", str(tmp_path), "-c", os.devnull, str(tmp_path))
    with subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, text=True) as again:
        while not (tmp_path / "started").exists():
            assert again.poll() is None
            time.sleep(0.05)
        again.terminate()
        assert again.stdout
        # The end of its output is that of all that it started.
        assert "0 of 0 runs were green; run 1 was interrupted" in again.stdout.read()
    assert again.returncode == 130
