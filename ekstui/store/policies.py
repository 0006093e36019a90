"""The policies in the cache: read them, and put in what a source knows.

Every row that an answer rests on carries a checksum that is compared when it is read, so a flipped bit in the file
is damage that is found, never another answer.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ekstui.core.history import PolicyHistory
from ekstui.core.policy import Policy, VersionInfo, format_time, parse_time
from ekstui.store import census
from ekstui.store.database import Database
from ekstui.store.errors import DamagedCacheError
from ekstui.store.holding import Holding, read_holding
from ekstui.store.schema import APPLICATION_ID, MIGRATIONS


@dataclass(frozen=True, slots=True)
class PolicyCache:
    """The policies of one partition in `policies.db`; every method opens the file anew and raises CacheError."""

    database: Database
    partition: str = "aws"

    @staticmethod
    def in_folder(folder: Path, partition: str = "aws") -> "PolicyCache":
        """Return the cache in a folder; nothing is opened yet."""
        return PolicyCache(Database(folder / "policies.db", APPLICATION_ID, MIGRATIONS), partition)

    def holding(self) -> Holding:
        """Return what is held; AbsentCacheError where nothing is."""
        with self.database.reading() as connection:
            return read_holding(connection, self.partition)

    def names(self) -> tuple[str, ...]:
        """Return all names, the EKS family first in its order, then by name."""
        with self.database.reading() as connection:
            rows = connection.execute(
                "SELECT name FROM policy WHERE partition = ? ORDER BY family IS NULL, family, name", (self.partition,)
            )
            names = tuple(str(name) for (name,) in rows)
            census.compare(connection, f"names of {self.partition}", map(census.name_seal, names))
            return names

    def policies(self, *, family: bool = False) -> tuple[Policy, ...]:
        """Return the policies without their documents in the same order, or only the EKS family."""
        with self.database.reading() as connection:
            return tuple(policy for _, policy in read_policies(connection, self.partition, family=family))

    def policy(self, name: str) -> Policy:
        """Return one policy by its exact name."""
        with self.database.reading() as connection:
            return read_policy(connection, self.partition, name)[1]

    def text(self, name: str, version: int) -> bytes:
        """Return one document's JSON."""
        with self.database.reading() as connection:
            row = connection.execute(
                """
                SELECT document.text, document.seal
                FROM policy JOIN document ON document.policy = policy.id
                WHERE policy.partition = ? AND policy.name = ? AND document.number = ?
                """,
                (self.partition, name, version),
            ).fetchone()
            if row is None:
                raise DamagedCacheError(f"The cache lacks the document of {name} v{version}.")
            return opened(self.partition, name, version, *row)

    def history(self, name: str) -> PolicyHistory:
        """Return one policy with its documents."""
        with self.database.reading() as connection:
            identifier, policy = read_policy(connection, self.partition, name)
            return PolicyHistory(policy, read_texts(connection, self.partition, identifier, policy))

    def histories(self, *, family: bool = False) -> Iterator[PolicyHistory]:
        """Yield the policies with their documents in the same order, or only the EKS family."""
        with self.database.reading() as connection:
            defaults = {
                identifier: (text, seal)
                for identifier, text, seal in connection.execute(
                    """
                    SELECT policy.id, document.text, document.seal
                    FROM policy JOIN document
                      ON document.policy = policy.id AND document.number = policy.default_version
                    WHERE policy.partition = ? AND (? OR policy.family IS NOT NULL)
                    """,
                    (self.partition, not family),
                )
            }
            policies = list(read_policies(connection, self.partition, family=family))
        for identifier, policy in policies:
            if identifier not in defaults:
                raise DamagedCacheError(f"The cache lacks the default document of {policy.name}.")
            text = opened(self.partition, policy.name, policy.default_version, *defaults[identifier])
            yield PolicyHistory(policy, _Texts(self, policy, text))


class _Texts(Mapping[int, bytes]):
    """The documents of a policy: the default version's at hand, the others read when they are asked for.

    Most questions about all policies look at the default versions only, a quarter of the documents.
    """

    def __init__(self, cache: PolicyCache, policy: Policy, default: bytes) -> None:
        self._cache = cache
        self._policy = policy
        self._read = {policy.default_version: default}

    def __getitem__(self, version: int) -> bytes:
        if version not in self._read:
            if all(info.number != version for info in self._policy.versions):
                raise KeyError(version)
            self._read[version] = self._cache.text(self._policy.name, version)
        return self._read[version]

    def __iter__(self) -> Iterator[int]:
        return (info.number for info in self._policy.versions)

    def __len__(self) -> int:
        return len(self._policy.versions)


def read_policies(
    connection: sqlite3.Connection, partition: str, *, family: bool = False
) -> Iterator[tuple[int, Policy]]:
    """Yield the row and the value of each policy, the EKS family first.

    Raises DamagedCacheError where a seal is broken, and at the end where a policy is missing.
    """
    condition = "policy.partition = ? AND (? OR policy.family IS NOT NULL)"
    seals: list[int] = []
    for row, policy, seal in _read(connection, condition, (partition, not family)):
        seals.append(seal)
        yield row, policy
    census.compare(connection, f"{'EKS ' if family else ''}policies of {partition}", seals)


def read_policies_of(connection: sqlite3.Connection, rows: Iterable[int]) -> Iterator[tuple[int, Policy]]:
    """Yield the policies of some rows in the same way."""
    wanted = list(rows)
    found = list(_read(connection, "policy.id IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)))
    if len(found) != len(wanted):
        raise DamagedCacheError("The cache has not all of its policies.")
    for row, policy, _ in found:
        yield row, policy


def _read(
    connection: sqlite3.Connection, condition: str, parameters: tuple[object, ...]
) -> Iterator[tuple[int, Policy, int]]:
    """Yield the row, the value and the seal of each policy."""
    versions: dict[int, list[tuple[int, str | None]]] = {}
    for policy, number, created in connection.execute(
        f"""
        SELECT version.policy, version.number, version.created
        FROM version JOIN policy ON policy.id = version.policy
        WHERE {condition}
        ORDER BY version.policy, version.number
        """,  # noqa: S608 the condition is one of the two above
        parameters,
    ):
        versions.setdefault(policy, []).append((number, created))
    for row in connection.execute(
        f"""
        SELECT id, name, arn, default_version, family, withdrawn, seal FROM policy
        WHERE {condition}
        ORDER BY family IS NULL, family, name
        """,  # noqa: S608 the condition is one of the two above
        parameters,
    ):
        yield row[0], _policy(row, versions.get(row[0], [])), row[-1]


def read_policy(connection: sqlite3.Connection, partition: str, name: str) -> tuple[int, Policy]:
    """Return the row and the value of one policy by its exact name."""
    row = connection.execute(
        """
        SELECT id, name, arn, default_version, family, withdrawn, seal FROM policy
        WHERE partition = ? AND name = ?
        """,
        (partition, name),
    ).fetchone()
    if row is None:
        raise DamagedCacheError(f"The cache lacks {name}.")
    versions = connection.execute(
        "SELECT number, created FROM version WHERE policy = ? ORDER BY number", (row[0],)
    ).fetchall()
    return row[0], _policy(row, versions)


def read_texts(connection: sqlite3.Connection, partition: str, identifier: int, policy: Policy) -> dict[int, bytes]:
    """Return the JSON of a policy's documents by version number."""
    texts = {
        number: opened(partition, policy.name, number, text, seal)
        for number, text, seal in connection.execute(
            "SELECT number, text, seal FROM document WHERE policy = ? ORDER BY number", (identifier,)
        )
    }
    if list(texts) != [info.number for info in policy.versions]:
        raise DamagedCacheError(f"The cache lacks documents of {policy.name}.")
    return texts


def opened(partition: str, name: str, number: int, text: bytes, seal: int) -> bytes:
    """Return the JSON of a stored document, once its seal is found whole."""
    if document_seal(partition, name, number, text) != seal:
        raise DamagedCacheError(f"The cached document of {name} v{number} is damaged.")
    return zlib.decompress(text)


def document_seal(partition: str, name: str, number: int, text: bytes) -> int:
    """Return the checksum of a stored document and of whose it is."""
    return zlib.crc32(text, zlib.crc32(f"{partition} {name} {number}".encode()))


def policy_seal(
    name: str,
    arn: str,
    default_version: int,
    family: int | None,
    withdrawn: bool,
    versions: Iterable[tuple[int, str | None]],
) -> int:
    """Return the checksum of what is known of a policy without its documents."""
    return zlib.crc32(repr((name, arn, default_version, family, withdrawn, list(versions))).encode())


def seal_of(policy: Policy, family: int | None) -> int:
    """Return the checksum of a policy's value."""
    versions = [(info.number, format_time(info.created)) for info in policy.versions]
    return policy_seal(policy.name, policy.arn, policy.default_version, family, policy.withdrawn, versions)


def _policy(row: tuple[int, str, str, int, int | None, int, int], versions: list[tuple[int, str | None]]) -> Policy:
    _, name, arn, default_version, family, withdrawn, seal = row
    if policy_seal(name, arn, default_version, family, bool(withdrawn), versions) != seal or not versions:
        raise DamagedCacheError(f"What the cache says of {name} is damaged.")
    return Policy(
        name=name,
        arn=arn,
        default_version=default_version,
        versions=tuple(VersionInfo(number, parse_time(created) if created else None) for number, created in versions),
        withdrawn=bool(withdrawn),
    )
