"""`python -m tests.tools.bench.imports`: what each late import in the table of tests/test_imports.py saves its command.

After a command, in its own process and with a filled cache, it imports what functions import of a name, and prints the
processor's milliseconds that this took, the least of ROUNDS: what the command would load already costs nothing here.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.test_imports import COMMANDS, PACKAGE, SAVED, is_of, late_modules

ROUNDS = 3

PROBE = """
import gc, importlib, os, sys
from time import process_time
gc.disable()
try:
    {run}
except SystemExit:
    pass
start = process_time()
for name in {names!r}:
    importlib.import_module(name)
print(f"\\n{{(process_time() - start) * 1000:.1f}}", file=sys.stderr)
"""


def main() -> None:
    """Print the table's lines with the milliseconds as measured here."""
    late = sorted({module for path in PACKAGE.rglob("*.py") for module in late_modules(path)})
    with tempfile.TemporaryDirectory() as folder:
        places = {name: str(Path(folder) / name) for name in ("EKSTUI_CACHE", "EKSTUI_STATE", "EKSTUI_CONFIG")}
        environment = {**os.environ, **places}
        for words in (["list"], ["who-can", "ec2:CreateVolume"]):
            subprocess.run([sys.executable, "-m", "ekstui", *words], env=environment, capture_output=True, check=True)
        for command, saved_modules in SAVED.items():
            for name in saved_modules:
                names = [module for module in late if is_of(module, [name])] or [name]
                probe = PROBE.format(run=COMMANDS[command].replace("; ", "\n    "), names=names)
                took = [
                    float(
                        subprocess.run(
                            [sys.executable, "-c", probe],
                            env=environment,
                            stdin=subprocess.DEVNULL,
                            capture_output=True,
                            text=True,
                            check=True,
                        ).stderr.splitlines()[-1]
                    )
                    for _ in range(ROUNDS)
                ]
                print(f"{command}: {name} {min(took):.1f}", flush=True)


if __name__ == "__main__":
    main()
