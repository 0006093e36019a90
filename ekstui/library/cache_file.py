"""The cache as a file: where it is and how large, whether it and the corpus are whole, and how it is cleared."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from pathlib import Path

from ekstui import files
from ekstui.errors import DataError
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.sources.corpus import REINSTALL, Corpus
from ekstui.sources.mirror import clear_mirrors, is_intact, mirrors
from ekstui.store.objects import AbsentCacheError, CacheError


class Counts(NamedTuple):
    """How many policies and versions are known."""

    policies: int
    versions: int


class CacheInfo(NamedTuple):
    """The cache: where it is, how large, and what is in it."""

    path: Path
    source: str
    """Where the policies in use come from: the cache's source, or the corpus if the cache cannot answer."""
    newest: datetime
    policies: int
    versions: int
    synced_at: datetime | None
    size: int
    """In bytes; 0 if there is no cache."""
    in_use: bool
    """Whether the cache answers; otherwise the bundled corpus does."""


def cache_info(library: Library) -> CacheInfo:
    """Return where the cache is and how much is in it."""
    status, counts = library.data(), count(library)
    return CacheInfo(
        path=library.store.file.path,
        source=status.source,
        newest=status.newest,
        policies=counts.policies,
        versions=counts.versions,
        synced_at=status.synced_at,
        size=library.store.file.size(),
        in_use=library.state() is not None,
    )


def count(library: Library) -> Counts:
    """Return how many policies and versions are known."""
    version_counts = library.cached(lambda: [len(policy.versions) for policy in library.store.policies()])
    manifest = library.corpus.manifest()
    return (
        Counts(manifest.policies, manifest.versions)
        if version_counts is None
        else Counts(len(version_counts), sum(version_counts))
    )


def verify_cache(library: Library) -> Counts | None:
    """Read all of the corpus and the cache; return how much is cached (None: no cache), DataError if damaged."""
    verify_corpus(library.corpus)
    damaged_mirrors = [path for path in mirrors(files.archives_dir()) if not is_intact(path)]
    if damaged_mirrors:
        names = " and ".join(map(str, damaged_mirrors))
        raise DataError(f"{names}: git cannot read this mirror of an archive.", "The next sync from it clones it anew.")
    try:
        return Counts(*library.store.verify())
    except AbsentCacheError:
        return None
    except CacheError as error:
        library.recover_from(error)
        raise DataError(error.message, "ekstui works from its bundled data.") from None


def verify_corpus(corpus: Corpus) -> None:
    """Compare the corpus with the manifest's checksum; DataError if they differ."""
    digest = sha256()
    for line in corpus.lines():
        digest.update(line)
    if digest.hexdigest() != corpus.manifest().sha256:
        raise DataError("The bundled corpus does not match the checksum in its manifest.", REINSTALL)


def clear_cache(library: Library) -> int:
    """Delete the cached policies, the archives' mirrors and what was set aside; return how many bytes it freed."""
    try:
        return library.store.file.clear() + clear_mirrors(files.archives_dir())
    except CacheError as error:
        raise DataError(error.message) from None
    except OSError as error:
        raise DataError(f"{error.filename} cannot be deleted: {error.strerror}.") from None
