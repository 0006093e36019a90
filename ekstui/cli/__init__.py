"""The command line: commands for scripts and for a quick look.

- A command is declared by `@command` above the function that runs it, in `commands`; start reading with
  `commands.list`.
- `main` finds and runs it, `parser` has what its declaration may say, `session` the library that it asks.
- `streams` has the ways out: answers on stdout, remarks on stderr; `gates` turns an answer into an exit code.
"""

import gc
import sys

from ekstui.cli.streams import remark
from ekstui.errors import OutputError


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments, the process's own by default, and return the exit code.

    `--version` is answered here, before the imports that only commands need.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        # A command leaves hardly any garbage, and collecting it would take a third of the time of `show ReadOnlyAccess`
        # and a sixth of that of a short command. The app turns collection on again.
        gc.disable()
    if words in (["--version"], ["-V"]):
        return answer_version()
    from ekstui.cli.main import main as run

    return run(arguments)


def answer_version() -> int:
    """Print the versions and return the exit code."""
    from ekstui.cli.version import print_version

    try:
        print_version()
    except OutputError as error:
        from ekstui.cli.parser import ExitCode

        remark(error)
        return ExitCode.NO_OUTPUT
    return 0


__all__ = ["main"]
