"""Fixtures for every test: files and variables of its own, no way off loopback, and the rig for those that ask AWS."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rig.isolation import isolated, loopback_guard

if TYPE_CHECKING:
    from tests.rig.rig import Rig

_UNSET = ("NO_COLOR", "FORCE_COLOR", "TEXTUAL_THEME", "COLUMNS", "LINES")
"""Variables of the developer's terminal that would change what tests see."""


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    """Return the test's own home folder, where its cache, state and settings are, all absent at first."""
    return tmp_path


@pytest.fixture(autouse=True)
def isolation(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test variables that lead nowhere: no real credentials, files or network."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "EKSTUI_", "BOTO_")) or name in _UNSET:
            monkeypatch.delenv(name)
    for name, value in isolated(own_home).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(autouse=True)
def loopback_only() -> Iterator[None]:
    """Fail the test if a socket of this process is connected off loopback, or a name is looked up."""
    with loopback_guard() as strayed:
        yield
    if strayed:
        pytest.fail(f"the test went off loopback: {', '.join(strayed)}")


@pytest.fixture(scope="session")
def _rig() -> Iterator["Rig"]:
    # moto takes 2 s to import, which only the tests that ask AWS should pay.
    from tests.rig.rig import Rig

    with Rig() as running:
        yield running


@pytest.fixture
def rig(_rig: "Rig", own_home: Path, monkeypatch: pytest.MonkeyPatch) -> "Rig":
    """Return the rig, seeded anew with 300 roles, with the test's environment leading to it."""
    _rig.reset()
    for name, value in _rig.environment(own_home).items():
        monkeypatch.setenv(name, value)
    return _rig
