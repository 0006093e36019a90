"""The command line: commands for scripts and for a quick look."""

import gc
import sys


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
        return print_version()
    from ekstui.cli.main import main as run

    return run(arguments)


def print_version() -> int:
    """Print the versions of ekstui, of the bundled corpus (with its last day) and of the reference."""
    from datetime import UTC, datetime

    from ekstui import __version__
    from ekstui.cli.streams import flush_out, write_out
    from ekstui.errors import DataError, OutputError
    from ekstui.iam.reference import reference_version
    from ekstui.sources.corpus import Corpus

    # Only the manifest is read; the cache may know more, which `ekstui cache info` shows.
    try:
        manifest = Corpus.bundled().manifest()
        corpus = (
            f"{manifest.label}: {manifest.policies:,} policies with {manifest.versions:,} versions, known until "
            f"{manifest.known_until:%Y-%m-%d}, {(datetime.now(UTC) - manifest.known_until).days} days ago"
        )
    except DataError:
        corpus = "no corpus: reinstall ekstui"
    try:
        write_out(f"ekstui {__version__}\n{corpus}\niamdata {reference_version()}\n")
        flush_out()
    except OutputError as error:
        from ekstui.cli.parser import ExitCode
        from ekstui.cli.streams import remark

        remark(error)
        return ExitCode.NO_OUTPUT
    return 0


__all__ = ["main", "print_version"]
