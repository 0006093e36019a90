"""Looking at every page and every row of the cache, which a normal read has no time for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ekstui.store.errors import DamagedCacheError
from ekstui.store.holding import read_holding
from ekstui.store.policies import PolicyCache, read_policies, read_texts


@dataclass(frozen=True, slots=True)
class Counts:
    """How much the cache holds of a partition."""

    policies: int
    versions: int


def counts(cache: PolicyCache) -> Counts:
    """Return how much the cache holds; raises CacheError."""
    with cache.database.reading() as connection:
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM policy WHERE partition = :partition),
                   (SELECT count(*) FROM version JOIN policy ON policy.id = version.policy WHERE policy.partition = :partition)
            """,
            {"partition": cache.partition},
        ).fetchone()
        return Counts(*row)


def verify(cache: PolicyCache) -> Counts:
    """Read everything once and return how much was read; DamagedCacheError names the first thing that is wrong."""
    with cache.database.reading() as connection:
        for (said,) in connection.execute("PRAGMA integrity_check"):
            if said != "ok":
                raise DamagedCacheError(f"{cache.database.path}: {said}.")
        read_holding(connection, cache.partition)
        versions = [
            len(_parsed(read_texts(connection, cache.partition, row, policy)))
            for row, policy in read_policies(connection, cache.partition)
        ]
        return Counts(len(versions), sum(versions))


def _parsed(texts: Mapping[int, bytes]) -> list[object]:
    return [json.loads(text) for text in texts.values()]
