"""Every test: isolated from the user, the network and other tests; `rig` is an AWS account to ask."""

import os
from collections.abc import Iterator

import pytest

from ekstui import logbook

# A user's Python keeps its bytecode; without it every process that a test starts compiles what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["tests.rig.fixtures"]


@pytest.fixture(autouse=True)
def _no_log_left_open() -> Iterator[None]:
    """Close the log that a test opened: what the next one is told of a bug names it."""
    yield
    logbook.close_log()
