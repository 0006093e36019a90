"""The cache under fire, in its short form; EKSTUI_TORTURE=20 kills and damages twenty times as often."""

import subprocess
import sys

import pytest

from tests.support.effort import EFFORT
from tests.support.patience import PATIENCE


@pytest.mark.slow
def test_the_cache_comes_through_kills_damage_full_disks_and_refused_locks() -> None:
    """In a process of its own, since it forks, and a process with threads must not."""
    program = [sys.executable, "-m", "tests.torture.cache_fire"]
    numbers = ["--kills", str(3 * EFFORT), "--damaged", str(6 * EFFORT), *(["--short"] if EFFORT == 1 else [])]
    ran = subprocess.run(
        [*program, *numbers], check=False, capture_output=True, text=True, timeout=12 * PATIENCE * EFFORT
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    print(ran.stdout)
