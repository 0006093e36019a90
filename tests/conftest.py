"""Every test: isolated from the user, the network and other tests; `rig` is an AWS account to ask."""

import os

# A user's Python keeps its bytecode; without it every process that a test starts compiles what it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["tests.rig.fixtures"]
