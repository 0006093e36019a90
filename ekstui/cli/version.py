"""The versions of ekstui, of the bundled corpus and of the reference."""

from datetime import UTC, datetime

from ekstui import __version__
from ekstui.cli.streams import flush_out, write_out
from ekstui.errors import DataError
from ekstui.iam.reference import reference_version
from ekstui.sources.corpus import Corpus


def print_version() -> None:
    """Print the versions, and the last day of the corpus, of which only the manifest is read."""
    try:
        manifest = Corpus.bundled().manifest()
        corpus = (
            f"{manifest.label}: {manifest.policies:,} policies with {manifest.versions:,} versions, known until "
            f"{manifest.known_until:%Y-%m-%d}, {(datetime.now(UTC) - manifest.known_until).days} days ago"
        )
    except DataError:
        corpus = "no corpus: reinstall ekstui"
    write_out(f"ekstui {__version__}\n{corpus}\niamdata {reference_version()}\n")
    flush_out()
