"""Putting what a source knows of a policy into the cache, beside what others have said before.

A version never changes: the same version with another document is a conflict, which is reported. AWS's word
replaces an archive's; an archive's word replaces nothing.
"""

import json
import sqlite3
import zlib
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from ekstui.core.history import PolicyHistory, Provenance
from ekstui.core.policy import Policy, VersionInfo, format_time, parse_time
from ekstui.store import census
from ekstui.store.index_rows import forget
from ekstui.store.policies import PolicyCache, document_seal, opened, read_policy, seal_of

_LEVEL = 1
"""zlib's fastest: 8 MB for the whole corpus, where the slowest takes twice as long for 7."""


UNSAID = -1
"""The place in the EKS family that a source gives which does not know the family."""


@dataclass(frozen=True, slots=True)
class PackedHistory:
    """A history whose documents are compressed, which is worth doing before a transaction begins."""

    policy: Policy
    texts: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """What was new about one policy."""

    policy: str
    new_policy: bool
    new_versions: tuple[int, ...]
    conflicts: tuple[int, ...]
    """Versions whose document differs from the one that was there."""
    changed: bool
    """Whether anything at all is different now."""


@contextmanager
def storing(cache: PolicyCache) -> Iterator[sqlite3.Connection]:
    """Open the cache for one transaction that stores or changes policies; raises CacheError."""
    with cache.database.writing() as connection:
        yield connection
        census.count_policies(connection, cache.partition)


def packed(history: PolicyHistory) -> PackedHistory:
    """Return a history as it will be stored."""
    texts: dict[int, bytes] = {}
    previous: tuple[bytes, bytes] = (b"", b"")
    for number, text in history.texts.items():
        # A version in eight has the very text of the one before it.
        if text != previous[0]:
            previous = (text, zlib.compress(text, _LEVEL))
        texts[number] = previous[1]
    return PackedHistory(history.policy, texts)


def store(
    connection: sqlite3.Connection, partition: str, history: PackedHistory, provenance: Provenance, family: int | None
) -> Stored:
    """Put one policy in, inside of `storing`; `family` is its place in the EKS family, None outside it, or UNSAID."""
    row = connection.execute(
        "SELECT as_of, family FROM policy WHERE partition = ? AND name = ?", (partition, history.policy.name)
    ).fetchone()
    if row is None:
        return _store_new(connection, partition, history, provenance, None if family == UNSAID else family)
    return _merge(
        connection, partition, history, provenance, parse_time(row[0]), row[1] if family == UNSAID else family
    )


def _store_new(
    connection: sqlite3.Connection, partition: str, history: PackedHistory, provenance: Provenance, family: int | None
) -> Stored:
    policy = history.policy
    connection.execute(
        """
        INSERT INTO policy
            (partition, name, arn, default_version, family, withdrawn, source, authority, as_of, fetched_at, seal)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            partition,
            policy.name,
            policy.arn,
            policy.default_version,
            family,
            policy.withdrawn,
            provenance.source,
            provenance.authority,
            format_time(provenance.as_of),
            format_time(provenance.fetched_at),
            seal_of(policy, family),
        ),
    )
    (identifier,) = connection.execute("SELECT last_insert_rowid()").fetchone()
    _insert_versions(connection, partition, identifier, history, [info.number for info in policy.versions], provenance)
    return Stored(policy.name, True, tuple(info.number for info in policy.versions), (), True)


def _merge(
    connection: sqlite3.Connection,
    partition: str,
    history: PackedHistory,
    provenance: Provenance,
    as_of: datetime,
    family: int | None,
) -> Stored:
    # AWS speaks of now, whatever the local clock says.
    newer = provenance.authority == "aws" or provenance.as_of >= as_of
    identifier, known = read_policy(connection, partition, history.policy.name)
    times = {info.number: info.created for info in known.versions}
    new = [number for number in history.texts if number not in times]
    conflicts = [
        number
        for number, text in history.texts.items()
        if number in times and not _is_stored(connection, partition, identifier, known.name, number, text)
    ]
    _insert_versions(connection, partition, identifier, history, new, provenance)
    if provenance.authority == "aws":
        for number in conflicts:
            connection.execute("DELETE FROM document WHERE policy = ? AND number = ?", (identifier, number))
            _insert_document(connection, partition, identifier, known.name, number, history.texts[number])
    for info in history.policy.versions:
        if info.created and (info.number in new or _redate(connection, identifier, info, provenance)):
            times[info.number] = info.created
        elif info.number in new:
            times[info.number] = None
    merged = replace(
        known,
        versions=tuple(VersionInfo(number, times[number]) for number in sorted(times)),
        arn=history.policy.arn if newer else known.arn,
        default_version=_default_version(known, history.policy, newer, times),
        withdrawn=known.withdrawn and provenance.authority != "aws",
    )
    connection.execute(
        """
        UPDATE policy SET arn = ?, default_version = ?, family = ?, withdrawn = ?, seal = ? WHERE id = ?
        """,
        (merged.arn, merged.default_version, family, merged.withdrawn, seal_of(merged, family), identifier),
    )
    if newer:
        connection.execute(
            "UPDATE policy SET source = ?, authority = ?, as_of = ?, fetched_at = ? WHERE id = ?",
            (
                provenance.source,
                provenance.authority,
                format_time(provenance.as_of),
                format_time(provenance.fetched_at),
                identifier,
            ),
        )
    changed = merged != known or bool(conflicts)
    if changed:
        forget(connection, identifier)
    return Stored(known.name, False, tuple(new), tuple(conflicts), changed)


def _default_version(known: Policy, given: Policy, newer: bool, stored: Container[int]) -> int:
    """Return the default that the newer of two sources names, as long as its document is there."""
    return given.default_version if newer and given.default_version in stored else known.default_version


def _redate(connection: sqlite3.Connection, identifier: int, info: VersionInfo, provenance: Provenance) -> bool:
    """Take over a version's creation time where none was known, or where AWS says it; return whether it was taken."""
    cursor = connection.execute(
        """
        UPDATE version SET created = ?, authority = ?
        WHERE policy = ? AND number = ? AND (created IS NULL OR (? = 'aws' AND created <> ?))
        """,
        (
            created := format_time(info.created),
            provenance.authority,
            identifier,
            info.number,
            provenance.authority,
            created,
        ),
    )
    return cursor.rowcount > 0


def _is_stored(
    connection: sqlite3.Connection, partition: str, identifier: int, name: str, number: int, text: bytes
) -> bool:
    """Return whether the stored document is this one, however either is written."""
    row = connection.execute(
        "SELECT text, seal FROM document WHERE policy = ? AND number = ?", (identifier, number)
    ).fetchone()
    if row is None:
        return False
    stored = opened(partition, name, number, *row)
    return row[0] == text or bool(json.loads(stored) == json.loads(zlib.decompress(text)))


def _insert_versions(
    connection: sqlite3.Connection,
    partition: str,
    identifier: int,
    history: PackedHistory,
    numbers: list[int],
    provenance: Provenance,
) -> None:
    times = {info.number: info.created for info in history.policy.versions}
    fetched_at = format_time(provenance.fetched_at)
    connection.executemany(
        "INSERT INTO version (policy, number, created, source, authority, fetched_at) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (identifier, number, format_time(times[number]), provenance.source, provenance.authority, fetched_at)
            for number in numbers
        ],
    )
    for number in numbers:
        _insert_document(connection, partition, identifier, history.policy.name, number, history.texts[number])


def _insert_document(
    connection: sqlite3.Connection, partition: str, identifier: int, name: str, number: int, text: bytes
) -> None:
    connection.execute(
        "INSERT INTO document (policy, number, text, seal) VALUES (?, ?, ?, ?)",
        (identifier, number, text, document_seal(partition, name, number, text)),
    )
