"""Every test: isolated from the user, the network and other tests; `rig` is an AWS account to ask."""

import gc
import os
import shutil
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import settings

from ekstui import logbook
from tests.support.corpus import read_once, unpack_once
from tests.support.effort import EFFORT
from tests.support.filled import copy_of_cache, filled_once

# A user's Python keeps its bytecode; without it every process that a test starts compiles what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What the app shows is drawn at most twenty times a second, not sixty: nobody looks, and drawing is half of what it does.
os.environ["TEXTUAL_FPS"] = "20"

# How long an example takes says how busy the machine is. Other examples each time are for torture.
settings.register_profile("ekstui", deadline=None, derandomize=EFFORT == 1)
settings.load_profile("ekstui")

pytest_plugins = ["tests.rig.fixtures", "tests.support.counting", "tests.support.libraries"]

read_once()
unpack_once()


def pytest_collection() -> None:
    """Look for no garbage while tests are collected: hardly any of what that makes is."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave out what all tests share wherever garbage is looked for: it lives as long as the run."""
    gc.enable()
    gc.collect()
    gc.freeze()
    # Most tests leave little garbage, and looking for it each 700 objects is a tenth of their time.
    gc.set_threshold(50_000, 20, 20)
    # An app does so too once it is shown: in a process of hundreds of apps that would keep each of them, 9 MB and more.
    gc.freeze = lambda: None


_open_after_collection = 0
"""How many files this process had open when garbage was last looked for."""


@pytest.fixture(autouse=True)
def _no_garbage_keeps_files_open() -> Iterator[None]:
    """Look for garbage once that seems to hold hundreds of files and sockets: `select` takes none from number 1,024 on."""
    global _open_after_collection
    yield
    if len(os.listdir("/dev/fd")) > _open_after_collection + MANY_FILES:  # noqa: PTH208 (paths take five times as long, in each test)
        gc.collect()
        _open_after_collection = len(os.listdir("/dev/fd"))  # noqa: PTH208


MANY_FILES = 200


@pytest.fixture(autouse=True)
def _no_log_left_open() -> Iterator[None]:
    """Close the log that a test opened: what the next one is told of a bug names it."""
    yield
    logbook.close_log()


PATIENCE = 5.0
"""Seconds that the work in the background of a test may take to hear that nobody waits any more."""


@pytest.fixture(autouse=True)
def _nothing_left_running(isolation: None) -> Iterator[None]:
    """Let the app's threads end while the test's variables still hold: later they would ask AWS itself."""
    yield
    until = time.monotonic() + PATIENCE
    for thread in threading.enumerate():
        if thread.name.startswith("ekstui-"):
            # One that hangs on purpose is left to the next test, where it is refused.
            thread.join(max(until - time.monotonic(), 0))


@pytest.fixture(scope="session")
def filled_cache(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    """Yield the folder of a filled and indexed cache, of which each test makes its own copy; one process makes it."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent
    cache = filled_once(shared)
    before = _contents(cache)
    yield cache
    assert _contents(cache) == before, "a test wrote into the cache that all tests copy"


@pytest.fixture
def own_filled_cache(own_home: Path, filled_cache: Path) -> Iterator[None]:
    """Give the test a filled and indexed cache of its own, where it looks for one."""
    cache = copy_of_cache(filled_cache, own_home / "cache")
    yield
    # pytest keeps the folders of three runs; 10 MB for each test is too much of that.
    shutil.rmtree(cache, ignore_errors=True)


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test have no cache at first, also where tests have a filled one."""
    monkeypatch.setenv("EKSTUI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Return where a file of settings may be; it is absent at first."""
    return tmp_path / "config.toml"


def _contents(folder: Path) -> dict[str, bytes]:
    return {file.name: sha256(file.read_bytes()).digest() for file in folder.iterdir()}
