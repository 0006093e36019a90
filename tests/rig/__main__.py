"""Serve the rig by hand, or run a command against it.

`python -m tests.rig --roles 300` prints the variables that lead a shell to it and serves until killed;
`python -m tests.rig -- ekstui` runs the command with them set and ends with it.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from tests.rig.account import REGIONS
from tests.rig.rig import Rig


def main() -> int:
    """Serve, and return the command's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig", description="Serve an AWS account on loopback.")
    parser.add_argument("--roles", type=int, default=300, help="how many roles the account has (default 300)")
    parser.add_argument("--partition", choices=sorted(REGIONS), default="aws")
    parser.add_argument("--latency", type=float, default=0, metavar="SECONDS", help="how much longer each call takes")
    parser.add_argument("--hostile", action="store_true", help="add names and texts with markup and escape sequences")
    parser.add_argument("--home", type=Path, help="where the cache, state and settings go (default: a new folder)")
    parser.add_argument("command", nargs="*", help="what to run, after `--`; else the rig serves until killed")
    options = parser.parse_args()
    home = options.home or Path(tempfile.mkdtemp(prefix="ekstui-rig-"))
    home.mkdir(parents=True, exist_ok=True)
    with Rig(options.roles) as rig:
        rig.reset(partition=options.partition, hostile=options.hostile, now=datetime.now(UTC).replace(microsecond=0))
        rig.proxy.latency = options.latency
        variables = rig.environment(home)
        if options.command:
            # Ctrl+C is for the command alone; a handler, unlike SIG_IGN, is not passed on to it.
            signal.signal(signal.SIGINT, lambda *_: None)
            return subprocess.run(options.command, env=os.environ | variables, check=False).returncode
        for name, value in variables.items():
            # A shell keeps its own HOME: everything of ours has a variable of its own.
            if name != "HOME":
                print(f"export {name}={value}", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
