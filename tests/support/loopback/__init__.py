"""Keeps the tests, and every Python that they start, on loopback.

What leads off it raises at the call and fails the test, also where the code under test took the error for an answer,
and in threads that outlive their test.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.loopback import sitecustomize

FOLDER = Path(__file__).parent


def keep_to_loopback(log: Path) -> None:
    """Refuse strays in this process (importing `sitecustomize` did) and in those that it starts; write them to `log`."""
    log.touch()
    os.environ[sitecustomize.LOG] = str(log)
    os.environ.update(_guarded(os.environ))
    popen: Any = subprocess.Popen
    start = popen.__init__

    def start_guarded(self: Any, *arguments: Any, env: Any = None, **options: Any) -> None:
        start(self, *arguments, env=None if env is None else {**env, **_guarded(env)}, **options)

    popen.__init__ = start_guarded


def strays() -> list[str]:
    """Return where this process and those that it started wanted to go since the last call, each with who wanted it."""
    log = Path(os.environ[sitecustomize.LOG])
    lines = log.read_text(encoding="utf-8").splitlines()
    if lines:
        log.write_text("")
    return lines


def _guarded(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that guard a process which would start with this environment."""
    paths = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(FOLDER)]
    return {
        "PYTHONPATH": os.pathsep.join((str(FOLDER), *paths)),
        sitecustomize.LOG: os.environ[sitecustomize.LOG],
    }
