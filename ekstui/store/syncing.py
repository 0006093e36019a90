"""What a sync writes beside the policies themselves: which are withdrawn, and until when all is known."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from ekstui.core.history import Authority
from ekstui.store.errors import AbsentCacheError
from ekstui.store.holding import Holding, read_holding, write_holding
from ekstui.store.index_rows import forget
from ekstui.store.policies import PolicyCache, read_policies, seal_of
from ekstui.store.storing import storing


def withdraw_all_but(cache: PolicyCache, listed: Collection[str]) -> tuple[str, ...]:
    """Mark the policies that AWS does not list any more, and return those that were not marked before.

    What is known of them is kept. Raises CacheError.
    """
    withdrawn: list[str] = []
    with storing(cache) as connection:
        for row, policy in list(read_policies(connection, cache.partition)):
            if policy.withdrawn or policy.name in listed:
                continue
            withdrawn.append(policy.name)
            (family,) = connection.execute("SELECT family FROM policy WHERE id = ?", (row,)).fetchone()
            seal = seal_of(replace(policy, withdrawn=True), family)
            connection.execute("UPDATE policy SET withdrawn = 1, seal = ? WHERE id = ?", (seal, row))
            forget(connection, row)
    return tuple(withdrawn)


def put_down_sync(
    cache: PolicyCache, source: str, authority: Authority, known_until: datetime | None, synced_at: datetime
) -> None:
    """Put down that a source was read, and until when it knows of every change, or None if it does not.

    AWS's word replaces whatever was known, an archive's only what is older. Raises CacheError.
    """
    with cache.database.writing() as connection:
        try:
            holding = read_holding(connection, cache.partition)
        except AbsentCacheError:
            holding = Holding(source, known_until or datetime.min.replace(tzinfo=synced_at.tzinfo), None, "", 0, 0)
        if known_until is not None and (authority == "aws" or known_until > holding.known_until):
            holding = replace(holding, source=source, known_until=known_until)
        write_holding(connection, cache.partition, replace(holding, synced_at=synced_at))
