"""Fixtures for every test: files and variables of its own, no way off loopback, and the rig for those that ask AWS."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rig.isolation import isolated
from tests.support.loopback import keep_to_loopback, strays
from tests.support.patience import PATIENCE

if TYPE_CHECKING:
    from tests.rig.rig import Rig

_KEPT = ("PATH", "LD_", "DYLD_", "TMPDIR", "TZ", "VIRTUAL_ENV", "PYTEST_", "COV")
"""What the names of variables begin with that tests take from the developer: what programs are found by and run with."""

_TERMINAL = {"LANG": "C.UTF-8", "TERM": "xterm-256color"}


def pytest_configure(config: pytest.Config) -> None:
    """Let this process lead nowhere, also between tests: a thread that outlives its test meets what holds then.

    A proxy, a profile, a pager, a kubeconfig: any variable of the developer may change what tests see.
    """
    folder = Path(tempfile.mkdtemp(prefix="ekstui-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    # With workers this process runs no test, and theirs may have plugins that are told something by variables.
    if not config.getoption("numprocesses", None):
        for name in [name for name in os.environ if not name.startswith(_KEPT)]:
            del os.environ[name]
    os.environ.update(isolated(folder) | _TERMINAL)
    keep_to_loopback(folder / "strays")


@pytest.fixture(scope="session")
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("tests")
    return (folder / str(number) for number in count())


@pytest.fixture
def tmp_path(_folders: Iterator[Path]) -> Path:
    """Return a folder of the test's own; pytest would list those of all tests before for a name, 5 ms after 2,000."""
    folder = next(_folders)
    folder.mkdir()
    return folder


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    """Return the test's own home folder, where its cache, state and settings are, all absent at first."""
    return tmp_path


@pytest.fixture(autouse=True)
def isolation(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test variables that lead nowhere: no real credentials, files or network."""
    for name, value in isolated(own_home).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail the test if this process, or one that it started, wanted to leave loopback or looked up a name."""
    yield
    if stray_calls := strays():
        pytest.fail(f"the test went off loopback: {'; '.join(stray_calls)}")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a program that the test starts, such as pip or npm, no way off loopback: the guard is for Python alone."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost,::1")


@pytest.fixture(scope="session")
def _rig() -> Iterator["Rig"]:
    # moto takes 2 s to import, which only the tests that ask AWS should pay.
    from tests.rig.rig import Rig

    with Rig() as running:
        yield running


@pytest.fixture
def rig(_rig: "Rig", own_home: Path, monkeypatch: pytest.MonkeyPatch) -> "Rig":
    """Return the rig, to be seeded anew with 300 roles, with the test's environment leading to it."""
    _rig.forget()
    # It answers at last, however busy the machine is.
    for name in ("connection.CONNECT_TIMEOUT", "connection.READ_TIMEOUT", "connection.SWEEP_READ_TIMEOUT"):
        monkeypatch.setattr(f"ekstui.sources.aws.{name}", PATIENCE)
    for name in ("answers.ANSWER_SECONDS", "answers.CALL_SECONDS"):
        monkeypatch.setattr(f"ekstui.sources.aws.{name}", 2 * PATIENCE)
    for name, value in _rig.environment(own_home).items():
        monkeypatch.setenv(name, value)
    return _rig


@pytest.fixture
def lasting_rig(rig: "Rig", monkeypatch: pytest.MonkeyPatch) -> "Rig":
    """Return the rig for a test that leaves its account as it was seeded: ekstui reads such an account once in a process.

    The rig's reports on what was last used are ready at once, so nobody waits for them.
    """
    from ekstui.library import own_account
    from ekstui.sources.aws import last_accessed
    from tests.rig.reading import SweepOnce

    monkeypatch.setattr(last_accessed, "PAUSES", (0.0,) * 4)
    monkeypatch.setattr(own_account, "sweep_account", SweepOnce(rig))
    return rig
