"""Commands for scripts and for a quick look."""

import sys


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments (the process's own by default) and return the exit code.

    Its version is told before anything is imported that other commands need.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given in (["--version"], ["-V"]):
        from ekstui.cli.version import print_version

        return print_version()
    from ekstui.cli.main import main as run

    return run(given)


__all__ = ["main"]
