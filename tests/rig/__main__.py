"""Serve the rig by hand: `eval "$(python -m tests.rig --roles 300)"` would wait, so run it apart and copy its lines."""

import argparse
import contextlib
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from tests.rig.account import REGIONS
from tests.rig.rig import Rig


def main() -> None:
    """Print the variables that lead a shell to the rig, and serve until killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description=main.__doc__)
    parser.add_argument("--roles", type=int, default=300, help="how many roles the account has (default 300)")
    parser.add_argument("--partition", choices=sorted(REGIONS), default="aws")
    parser.add_argument("--hostile", action="store_true", help="add names and texts with markup and escape sequences")
    parser.add_argument("--home", type=Path, help="where the cache, state and settings go (default: a new folder)")
    given = parser.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="ekstui-rig-"))
    home.mkdir(parents=True, exist_ok=True)
    with Rig(given.roles) as rig:
        now = datetime.now(UTC).replace(microsecond=0)
        rig.reset(partition=given.partition, hostile=given.hostile, now=now)
        for name, value in rig.environment(home).items():
            print(f"export {name}={value}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
