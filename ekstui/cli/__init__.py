"""Commands for scripts and for a quick look."""

import gc
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments (the process's own by default) and return the exit code.

    Its version is told before anything is imported that other commands need. A process of its own ends here.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        # Hardly anything that a command makes is garbage, and looking for some is a third of the time of
        # `show ReadOnlyAccess`, and a sixth of that of a short one. The app turns it on again.
        gc.disable()
    if given in (["--version"], ["-V"]):
        from ekstui.cli.version import print_version

        return print_version()
    from ekstui.cli.main import main as run

    return run(arguments)


__all__ = ["main"]
