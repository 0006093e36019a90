"""Where the policies are read: the cache when it is filled and whole, else the bundled corpus.

Imports inside methods are late for the reason that facade.py gives.

Whatever is wrong with the cache is said once and the corpus answers instead; a file that cannot be trusted is set
aside, so that the next filling starts a new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from ekstui import __version__
from ekstui.core.history import Provenance
from ekstui.core.reference import reference_version
from ekstui.errors import DataError
from ekstui.library.reader import PolicyReader
from ekstui.sources.corpus import Corpus
from ekstui.store.errors import (
    AbsentCacheError,
    CacheError,
    DamagedCacheError,
    NewerCacheError,
    UnavailableCacheError,
)
from ekstui.store.holding import Holding
from ekstui.store.policies import PolicyCache
from ekstui.store.verifying import Counts, counts, verify

if TYPE_CHECKING:
    from ekstui.core.steps import FeedStep
    from ekstui.core.targets import Candidate

Answer = TypeVar("Answer")

LEFT_ALONE = 30.0
"""How long a cache that could not be used is not tried again, in seconds."""


@dataclass(slots=True)
class Store:
    """The cache in front of the corpus; safe to call from any thread."""

    corpus: Corpus
    cache: PolicyCache
    _notices: list[str] = field(default_factory=list)
    _left_alone_until: float = 0.0
    """On the monotonic clock."""
    _lock: Lock = field(default_factory=Lock)

    def in_partition(self, partition: str) -> Store | None:
        """Return the same place for another partition, or None where no policy of it is known."""
        other = Store(self.corpus, replace(self.cache, partition=partition))
        return other if other.holding() is not None or partition == self.corpus.manifest().partition else None

    def ask(self, question: Callable[[PolicyReader], Answer]) -> Answer:
        """Return the cache's answer to a question, or the corpus's where there is no cache to use."""
        if self.holding() is not None:
            try:
                return question(self.cache)
            except CacheError as error:
                self._answer(error)
        return question(self.corpus)

    def holding(self) -> Holding | None:
        """Return what the cache holds if it can answer: filled, and no older than the corpus."""
        if time.monotonic() < self._left_alone_until:
            return None
        try:
            holding = self.cache.holding()
        except CacheError as error:
            self._answer(error)
            return None
        manifest = self.corpus.manifest()
        current = (
            self.cache.partition != manifest.partition
            or holding.corpus == manifest.sha256
            or holding.known_until >= manifest.known_until
        )
        return holding if holding.filled and current else None

    def candidates(self, action: str, *, family: bool) -> tuple[Candidate, ...]:
        """Return the policies that may allow an action or a pattern, in the list's order."""
        from ekstui.store.searching import candidates

        wanted = action.lower()
        indexed = self._of_index(lambda: candidates(self.cache, wanted, family=family))
        if indexed is not None:
            return indexed
        from ekstui.library.searching import read_candidates

        return self.ask(lambda reader: read_candidates(reader, wanted, family=family))

    def feed(self, since: datetime | None, *, family: bool) -> tuple[FeedStep, ...]:
        """Return the steps between versions since a time, newest first."""
        from ekstui.store.searching import feed

        indexed = self._of_index(lambda: feed(self.cache, since, judged_by(), family=family))
        if indexed is not None:
            return indexed
        from ekstui.library.searching import read_feed

        return self.ask(lambda reader: read_feed(reader, since, family=family))

    def index(
        self, progress: Callable[[int, int], None], cancelled: Callable[[], bool], *, gently: bool = False
    ) -> bool:
        """Index what is new or changed in a filled cache, and return whether all of it is indexed."""
        from ekstui.store.indexing import index

        if self.holding() is None or not self.cache.database.writable():
            return False
        try:
            return index(self.cache, judged_by(), progress, cancelled, gently=gently)
        except CacheError as error:
            self._answer(error)
            return False

    def _of_index(self, question: Callable[[], Answer]) -> Answer | None:
        """Return the index's answer, or None while it cannot answer."""
        if self.holding() is None:
            return None
        try:
            return question()
        except CacheError as error:
            self._answer(error)
            return None

    def counts(self) -> Counts:
        """Return how many policies and versions are known."""
        if self.holding() is not None:
            try:
                return counts(self.cache)
            except CacheError as error:
                self._answer(error)
        manifest = self.corpus.manifest()
        return Counts(manifest.policies, manifest.versions)

    def verify(self) -> Counts | None:
        """Read all of the corpus and all of the cache; return what the cache holds, None if there is none.

        Raises DataError for what is wrong with either; a cache that cannot be trusted is set aside then.
        """
        self.corpus.verify()
        try:
            return verify(self.cache)
        except AbsentCacheError:
            return None
        except CacheError as error:
            self._answer(error)
            raise DataError(error.message, "ekstui works from its bundled data.") from None

    def clear(self) -> int:
        """Delete the cached policies, and return how many bytes that freed; DataError where they cannot be."""
        from ekstui.store.opening import clear_openings

        try:
            return clear_openings() + self.cache.database.clear()
        except CacheError as error:
            raise DataError(error.message) from None

    def fill(self, progress: Callable[[int, int], None], cancelled: Callable[[], bool]) -> bool:
        """Fill the cache from the corpus and return whether it is filled; a cache that cannot be used is not."""
        if self.holding() is not None:
            return True
        from ekstui.store.filling import Filling, fill

        manifest = self.corpus.manifest()
        provenance = Provenance(manifest.label, "archive", manifest.known_until, datetime.now(UTC))
        filling = Filling(manifest.sha256, manifest.family, manifest.policies, provenance)
        for _ in range(2):
            try:
                return fill(self.cache, filling, self.corpus.histories, progress, cancelled)
            except (DamagedCacheError, NewerCacheError) as error:
                # The file is out of the way now, so the second try meets a new one.
                self._answer(error)
            except CacheError as error:
                self._answer(error)
                return False
        return False

    def sync(
        self, work: Callable[[PolicyCache], Answer], progress: Callable[[int, int], None], cancelled: Callable[[], bool]
    ) -> Answer:
        """Do some work on the cache once it is filled; DataError where it cannot be used."""
        if not self.fill(progress, cancelled):
            reasons = " ".join(self.notices())
            raise DataError(reasons or "The cache is not filled.", "EKSTUI_CACHE names another folder for it.")
        try:
            return work(self.cache)
        except CacheError as error:
            self._answer(error)
            raise DataError(error.message, "Run the same again.") from None

    def notices(self) -> tuple[str, ...]:
        """Return what went wrong with the cache so far, a sentence each; every one is returned once."""
        with self._lock:
            said = tuple(self._notices)
            self._notices.clear()
            return said

    def _answer(self, error: CacheError) -> None:
        match error:
            case AbsentCacheError():
                return
            case DamagedCacheError() | NewerCacheError():
                self._set_aside(error)
            case _:
                self._leave_alone(f"{error.message} ekstui works from its bundled data.")

    def _set_aside(self, error: CacheError) -> None:
        try:
            aside = self.cache.database.set_aside(error)
        except UnavailableCacheError:
            self._leave_alone(f"{error.message} ekstui works from its bundled data.")
        else:
            if aside is not None:
                self._say(
                    f"{error.message} It was set aside as {aside.name}; the bundled data answers until there is a new one."
                )

    def _leave_alone(self, notice: str) -> None:
        self._left_alone_until = time.monotonic() + LEFT_ALONE
        self._say(notice)

    def _say(self, notice: str) -> None:
        with self._lock:
            if notice not in self._notices:
                self._notices.append(notice)


def judged_by() -> str:
    """Return what the reach of a step depends on beside its documents: another reference or ekstui may judge anew."""
    return f"reference {reference_version()}, ekstui {__version__}"
