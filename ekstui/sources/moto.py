"""The newest moto as a source of policies, fetched by the user's own pip, from the index that it is set up for."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from ekstui import log
from ekstui.change.policy import Delivery, Policy
from ekstui.errors import InputError, NetworkError
from ekstui.named_tuples import NamedTuple
from ekstui.sources import processes
from ekstui.sources.archives import Archive
from ekstui.sources.packages import MOTO_PACKAGE
from ekstui.sources.processes import Bounds
from ekstui.waiting import Cancelled, never

_PATIENCE = 120.0
"""How long pip may take, in seconds; the wheel has 7 MB."""

BY_HAND = "Run pip download --no-deps moto where pip works, then ekstui sync --from FILE.whl."

_MOST_OUTPUT = 1 << 20

_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15")
"""pip, which gives up soon, and asks for no password."""

_DOWNLOAD = ("download", "--quiet", "--no-deps", "--only-binary", ":all:", MOTO_PACKAGE)
"""Only a wheel, since pip would run the set-up code of anything else."""


class Moto(NamedTuple):
    """moto's newest wheel as a source."""

    now: datetime
    partition: str = "aws"
    cancelled: Cancelled = never

    def deliver(self, stored_policies: Callable[[str], Mapping[str, Policy]]) -> Delivery:
        """Fetch the wheel and return what is in it; NetworkError if pip cannot fetch it, InputError without pip."""
        with tempfile.TemporaryDirectory(prefix="ekstui-moto-") as folder:
            # -P: a pip.py in the current folder is not pip. It runs there, since settings may name folders from there.
            command = (sys.executable, "-P", *_PIP, *_DOWNLOAD, "--dest", folder)
            start = time.monotonic()
            result = processes.run(command, os.environ, Bounds(_PATIENCE, _MOST_OUTPUT), b"", self.cancelled)
            log.info("pip ended with %s after %.2f s", result.code, time.monotonic() - start)
            if "No module named pip" in result.errors:
                raise InputError("This Python has no pip.", BY_HAND)
            if result.late:
                raise NetworkError(f"pip did not fetch moto within {_PATIENCE:.0f} s.", BY_HAND)
            wheels = sorted(Path(folder).glob("*.whl"))
            if result.code or not wheels:
                raise NetworkError(f"pip could not fetch moto: {_reason(result.errors)}.", BY_HAND)
            return Archive(wheels[0], self.now, self.partition, self.cancelled).deliver(stored_policies)


def _reason(errors: str) -> str:
    """Return what pip says, without passwords or tokens, which an index's address may have."""
    # Without a network pip ends by saying that there is no such package.
    if "connection broken by" in errors:
        return "no connection to the package index"
    lines = [line for line in errors.splitlines() if line.startswith("ERROR: ")] or errors.splitlines()[-1:]
    line = lines[0].removeprefix("ERROR: ").rstrip(". ") if lines else "it says nothing"
    return re.sub(r"(?<=//)[^/\s]*@|\?[^\s'\"]+", "…", line)
