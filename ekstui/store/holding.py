"""What the cache holds of a partition: until when its policies are known, and how far its filling has come."""

import sqlite3
import zlib
from dataclasses import dataclass
from datetime import datetime

from ekstui.core.policy import format_time, parse_time
from ekstui.store.errors import AbsentCacheError, DamagedCacheError


@dataclass(frozen=True, slots=True)
class Holding:
    """One partition's row."""

    source: str
    """What knows of the newest changes."""
    known_until: datetime
    synced_at: datetime | None
    corpus: str
    """SHA-256 of the corpus that fills it; empty for a partition that no corpus fills."""
    stored: int
    """Policies of that corpus stored so far."""
    total: int

    @property
    def filled(self) -> bool:
        """Whether all of the corpus is in."""
        return self.stored >= self.total


def read_holding(connection: sqlite3.Connection, partition: str) -> Holding:
    """Return what is held of a partition; AbsentCacheError where nothing is."""
    row = connection.execute(
        "SELECT source, known_until, synced_at, corpus, stored, total, seal FROM holding WHERE partition = ?",
        (partition,),
    ).fetchone()
    if row is None:
        raise AbsentCacheError(f"The cache holds nothing of partition {partition}.")
    *fields, seal = row
    if _seal(partition, *fields) != seal:
        raise DamagedCacheError(f"What the cache says of partition {partition} is damaged.")
    source, known_until, synced_at, corpus, stored, total = fields
    return Holding(source, parse_time(known_until), parse_time(synced_at) if synced_at else None, corpus, stored, total)


def write_holding(connection: sqlite3.Connection, partition: str, holding: Holding) -> None:
    """Put down what is held of a partition."""
    fields = (
        holding.source,
        format_time(holding.known_until),
        format_time(holding.synced_at),
        holding.corpus,
        holding.stored,
        holding.total,
    )
    connection.execute(
        """
        INSERT OR REPLACE INTO holding (partition, source, known_until, synced_at, corpus, stored, total, seal)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (partition, *fields, _seal(partition, *fields)),
    )


def _seal(*fields: object) -> int:
    return zlib.crc32(repr(fields).encode())
