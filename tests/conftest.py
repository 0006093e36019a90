"""Every test: isolated from the user, the network and other tests; `rig` is an AWS account to ask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ekstui import logbook
from tests.filled import copied, filled_once

# A user's Python keeps its bytecode; without it every process that a test starts compiles what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["tests.rig.fixtures"]


@pytest.fixture(autouse=True)
def _no_log_left_open() -> Iterator[None]:
    """Close the log that a test opened: what the next one is told of a bug names it."""
    yield
    logbook.close_log()


@pytest.fixture(scope="session")
def filled_cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Return the folder of a filled and indexed cache; each process of the tests has one, and only one makes it."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent
    return copied(filled_once(shared), tmp_path_factory.mktemp("filled-cache"))
