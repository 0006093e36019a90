"""`ekstui --version`: what is installed, and what its data is."""

import json

from ekstui import __version__, paths
from ekstui.cli.streams import flush_out, write_out
from ekstui.errors import OutputError


def print_version() -> int:
    """Print ekstui's version, the bundled corpus with its last known day, and the reference's version."""
    # The manifest alone is read: the cache may know more, which `ekstui cache info` tells.
    try:
        manifest = json.loads((paths.assets() / "manifest.json").read_text(encoding="utf-8"))
        corpus = (
            f"{manifest['source']} {manifest['source_version']}: {manifest['policies']:,} policies with "
            f"{manifest['versions']:,} versions, known until {manifest['known_until'][:10]}"
        )
    except (OSError, ValueError, KeyError):
        corpus = "no corpus: install ekstui again"
    from ekstui.core.reference import reference_version

    try:
        write_out(f"ekstui {__version__}\n{corpus}\niamdata {reference_version()}\n")
        flush_out()
    except OutputError as error:
        from ekstui.cli.exit_code import ExitCode
        from ekstui.cli.output import narrate

        narrate(error)
        return ExitCode.NO_OUTPUT
    return 0
