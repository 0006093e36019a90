"""Filling the cache from a corpus: the EKS family in the first transaction, the rest in chunks that can be resumed."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from ekstui.core.history import PolicyHistory, Provenance
from ekstui.store import lock
from ekstui.store.errors import AbsentCacheError
from ekstui.store.holding import Holding, read_holding, write_holding
from ekstui.store.policies import PolicyCache
from ekstui.store.storing import PackedHistory, packed, store, storing

CHUNK = 100
"""Policies in a transaction after the first."""

_LOOK = 0.1
"""The time between two looks at another process's filling, in seconds."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills the cache."""

    corpus: str
    """SHA-256 of the corpus, which tells one from another."""
    family: int
    """How many policies of the EKS family stand first."""
    total: int
    provenance: Provenance


def fill(
    cache: PolicyCache,
    filling: Filling,
    histories: Callable[[], Iterable[PolicyHistory]],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> bool:
    """Store every policy of a corpus that the cache lacks and return whether all are in, False when cancelled.

    `progress` gets how many policies are stored, and of how many. One process fills at a time and the others wait
    for it; what is committed is kept, so whoever comes next goes on from there. Raises CacheError.
    """
    cache.database.make_folder()
    while not cancelled():
        with lock.attempt(cache.database.path.with_suffix(".fill")) as mine:
            if mine:
                return _fill(cache, filling, histories, progress, cancelled)
        stored = _stored(cache, filling)
        progress(stored, filling.total)
        if stored >= filling.total:
            return True
        time.sleep(_LOOK)
    return False


def _fill(
    cache: PolicyCache,
    filling: Filling,
    histories: Callable[[], Iterable[PolicyHistory]],
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
) -> bool:
    stored = _stored(cache, filling)
    progress(stored, filling.total)
    if stored >= filling.total:
        return True
    remaining = islice(histories(), stored, None)
    for chunk in _chunks(remaining, max(filling.family - stored, 0)):
        if cancelled():
            return False
        _store_chunk(cache, filling, stored, chunk)
        stored += len(chunk)
        progress(stored, filling.total)
    return True


def _chunks(histories: Iterator[PolicyHistory], first: int) -> Iterator[list[PackedHistory]]:
    """Yield the histories ready to be stored: `first` of them, then always CHUNK."""
    size = first or CHUNK
    while chunk := [packed(history) for history in islice(histories, size)]:
        yield chunk
        size = CHUNK


def _store_chunk(cache: PolicyCache, filling: Filling, start: int, chunk: list[PackedHistory]) -> None:
    provenance = filling.provenance
    with storing(cache) as connection:
        for place, history in enumerate(chunk, start):
            store(connection, cache.partition, history, provenance, place if place < filling.family else None)
        _put_down(connection, cache.partition, filling, start + len(chunk))


def _put_down(connection: sqlite3.Connection, partition: str, filling: Filling, stored: int) -> None:
    given = filling.provenance
    holding = Holding(given.source, given.as_of, None, filling.corpus, stored, filling.total)
    try:
        known = read_holding(connection, partition)
    except AbsentCacheError:
        pass
    else:
        holding = replace(holding, synced_at=known.synced_at)
        if known.known_until > given.as_of:
            holding = replace(holding, source=known.source, known_until=known.known_until)
    write_holding(connection, partition, holding)


def _stored(cache: PolicyCache, filling: Filling) -> int:
    """Return how many policies of this corpus are stored."""
    try:
        with cache.database.reading() as connection:
            holding = read_holding(connection, cache.partition)
    except AbsentCacheError:
        return 0
    return holding.stored if holding.corpus == filling.corpus else 0
