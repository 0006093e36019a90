"""Commands for scripts and for a quick look."""

import gc
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run ekstui with the given arguments (the process's own by default) and return the exit code.

    The version is printed before anything is imported that other commands need. A process of its own ends here.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if arguments is None:
        # Hardly anything that a command makes is garbage, and looking for some is a third of the time of
        # `show ReadOnlyAccess`, and a sixth of that of a short one. The app turns it on again.
        gc.disable()
    if given in (["--version"], ["-V"]):
        return print_version()
    from ekstui.cli.main import main as run

    return run(arguments)


def print_version() -> int:
    """Print ekstui's version, the bundled corpus with its last known day, and the reference's version."""
    import json

    from ekstui import __version__, paths
    from ekstui.cli.streams import flush_out, write_out
    from ekstui.core.reference import reference_version
    from ekstui.errors import OutputError

    # The manifest alone is read: the cache may know more, as `ekstui cache info` shows.
    try:
        manifest = json.loads((paths.assets() / "manifest.json").read_text(encoding="utf-8"))
        corpus = (
            f"{manifest['source']} {manifest['source_version']}: {manifest['policies']:,} policies with "
            f"{manifest['versions']:,} versions, known until {manifest['known_until'][:10]}"
        )
    except (OSError, ValueError, KeyError):
        corpus = "no corpus: install ekstui again"
    try:
        write_out(f"ekstui {__version__}\n{corpus}\niamdata {reference_version()}\n")
        flush_out()
    except OutputError as error:
        from ekstui.cli.exit_codes import ExitCode
        from ekstui.cli.streams import narrate

        narrate(error)
        return ExitCode.NO_OUTPUT
    return 0


__all__ = ["main", "print_version"]
