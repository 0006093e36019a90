"""`ekstui --version`: what is installed, and what its data is."""

import json
import sys

from ekstui import __version__, paths


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

    sys.stdout.write(f"ekstui {__version__}\n{corpus}\niamdata {reference_version()}\n")
    return 0
