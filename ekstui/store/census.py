"""How many rows there are and what their seals add up to, so that a row that is missing is damage too.

A seal tells that a row is whole; a damaged page of the file can hide rows without a trace.
"""

import sqlite3
import zlib
from collections.abc import Iterable

from ekstui.store.errors import DamagedCacheError


def put_down(connection: sqlite3.Connection, subject: str, seals: Iterable[int]) -> None:
    """Put down how many rows a subject has, and the sum of their seals."""
    count, total = _added_up(seals)
    connection.execute(
        "INSERT OR REPLACE INTO census (subject, count, seals, seal) VALUES (?, ?, ?, ?)",
        (subject, count, total, _seal(subject, count, total)),
    )


def is_put_down(connection: sqlite3.Connection, subject: str) -> bool:
    """Return whether a subject's rows are counted."""
    return connection.execute("SELECT 1 FROM census WHERE subject = ?", (subject,)).fetchone() is not None


def compare(connection: sqlite3.Connection, subject: str, seals: Iterable[int]) -> None:
    """Raise DamagedCacheError unless the rows read are those that were put down."""
    row = connection.execute("SELECT count, seals, seal FROM census WHERE subject = ?", (subject,)).fetchone()
    count, total = _added_up(seals)
    if row is None:
        if count:
            raise DamagedCacheError(f"The cache does not say how many {subject} it has.")
    elif row[2] != _seal(subject, row[0], row[1]) or (row[0], row[1]) != (count, total):
        raise DamagedCacheError(f"The cache has not all of its {subject}.")


def count_policies(connection: sqlite3.Connection, partition: str) -> None:
    """Put down the policies of a partition, as every transaction must that stores or changes one."""
    rows = connection.execute("SELECT name, seal, family FROM policy WHERE partition = ?", (partition,)).fetchall()
    put_down(connection, f"names of {partition}", (name_seal(name) for name, _, _ in rows))
    put_down(connection, f"policies of {partition}", (seal for _, seal, _ in rows))
    put_down(connection, f"EKS policies of {partition}", (seal for _, seal, family in rows if family is not None))


def name_seal(name: str) -> int:
    """Return the checksum of a name."""
    return zlib.crc32(name.encode())


def _added_up(seals: Iterable[int]) -> tuple[int, int]:
    listed = list(seals)
    return len(listed), sum(listed)


def _seal(subject: str, count: int, total: int) -> int:
    return zlib.crc32(repr((subject, count, total)).encode())
