"""Making the index: for each policy, which versions have which action pattern, and what each step changed."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ekstui.core.document import Document, Statement, parse_text, serialise_statement
from ekstui.core.feed import steps_since
from ekstui.core.policy import Policy, format_time
from ekstui.core.steps import FeedStep
from ekstui.core.targets import TargetUse, target_uses, written_numbers
from ekstui.store import census, lock
from ekstui.store.index_rows import ACTIONS_SEPARATOR, STEPS, forget, seal
from ekstui.store.policies import PolicyCache, read_policy, read_texts

CHUNK = 25
"""Policies in a transaction."""

LONGEST_REST = 0.05
"""In seconds, after one policy."""


@dataclass(frozen=True, slots=True)
class IndexedPolicy:
    """What the index keeps of one policy."""

    row: int
    policy: Policy
    uses: tuple[TargetUse, ...]
    statements: tuple[Statement, ...]
    """Those of the default version."""
    steps: tuple[FeedStep, ...]


def index(
    cache: PolicyCache,
    judges: str,
    progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    *,
    gently: bool = False,
) -> bool:
    """Index every policy that is new, changed or judged by something else; return whether none is left.

    `judges` names what the reach of a step depends on beside the documents, such as the reference's version.
    `progress` gets how many policies are indexed, and of how many; it is not called where none waits. False where it was cancelled, or where another
    process is at it. What is committed is kept. `gently` rests as long as it works, so that another thread of the
    process, which draws, gets the interpreter in between. Raises CacheError.
    """
    with lock.attempt(cache.database.path.with_suffix(".index")) as mine:
        if not mine:
            return False
        waiting, total, whole = waiting_for_the_index(cache, judges)
        done = total - len(waiting)
        for start in range(0, len(waiting), CHUNK):
            progress(done + start, total)
            chunk: list[IndexedPolicy] = []
            for name in waiting[start : start + CHUNK]:
                if cancelled():
                    return False
                began = time.perf_counter()
                chunk.append(_indexed(cache, name))
                if gently:
                    time.sleep(min(time.perf_counter() - began, LONGEST_REST))
            with cache.database.writing() as connection:
                for indexed in chunk:
                    _write(connection, indexed, judges)
        if not whole or waiting:
            with cache.database.writing() as connection:
                _count(connection)
        if waiting:
            progress(total, total)
        return True


def waiting_for_the_index(cache: PolicyCache, judges: str) -> tuple[list[str], int, bool]:
    """Return the names that the index lacks or has wrong, the EKS family first, how many there are, and if it is whole."""
    with cache.database.reading() as connection:
        rows = connection.execute(
            """
            SELECT policy.name, indexed.seal IS policy.seal AND indexed.judges = ?
            FROM policy LEFT JOIN indexed ON indexed.policy = policy.id
            WHERE policy.partition = ?
            ORDER BY policy.family IS NULL, policy.family, policy.name
            """,
            (judges, cache.partition),
        ).fetchall()
        whole = census.is_put_down(connection, STEPS)
        return [name for name, current in rows if not current], len(rows), whole


def _indexed(cache: PolicyCache, name: str) -> IndexedPolicy:
    with cache.database.reading() as connection:
        row, policy = read_policy(connection, cache.partition, name)
        texts = read_texts(connection, cache.partition, row, policy)
    documents: dict[int, Document] = {number: parse_text(text) for number, text in texts.items()}
    return IndexedPolicy(
        row=row,
        policy=policy,
        uses=target_uses(documents, policy.default_version),
        statements=documents[policy.default_version].statements,
        steps=tuple(steps_since(policy, documents, None)),
    )


def _write(connection: sqlite3.Connection, indexed: IndexedPolicy, judges: str) -> None:
    """Put one policy's rows in place of what the index had of it, unless the policy has changed meanwhile."""
    row = indexed.row
    known = connection.execute("SELECT name, partition, seal FROM policy WHERE id = ?", (row,)).fetchone()
    if known is None or read_policy(connection, known[1], known[0])[1] != indexed.policy:
        return
    forget(connection, row)
    connection.executemany(
        "INSERT INTO use (policy, target, versions, statements, seal) VALUES (?, ?, ?, ?, ?)",
        _use_rows(connection, row, indexed.uses),
    )
    connection.executemany(
        "INSERT INTO statement (policy, place, text, seal) VALUES (?, ?, ?, ?)",
        [
            (row, place, text := _statement_text(statement), seal(row, place, text))
            for place, statement in enumerate(indexed.statements)
        ],
    )
    connection.executemany(
        """
        INSERT INTO step (policy, version, previous, created, kind, reach, added, removed, changed, seal)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [(*fields, seal(indexed.policy.name, *fields)) for fields in _step_fields(row, indexed.steps)],
    )
    connection.execute("INSERT INTO indexed (policy, seal, judges) VALUES (?, ?, ?)", (row, known[2], judges))


def _count(connection: sqlite3.Connection) -> None:
    """Put down how many rows the index has, now that it is whole."""
    connection.execute("DELETE FROM target WHERE id NOT IN (SELECT target FROM use)")
    seals: dict[str, list[int]] = {}
    rows = connection.execute(
        """
        SELECT target.id, target.effect, target.element, target.service, target.actions, count(*)
        FROM target JOIN use ON use.target = target.id GROUP BY target.id
        """
    ).fetchall()
    for row, effect, element, service, actions, uses in rows:
        sealed = seal(effect, element, service, actions, uses)
        connection.execute("UPDATE target SET uses = ?, seal = ? WHERE id = ?", (uses, sealed, row))
        seals.setdefault(service, []).append(sealed)
    connection.execute("DELETE FROM census WHERE subject LIKE 'targets of %'")
    for service, of_service in seals.items():
        census.put_down(connection, f"targets of {service}", of_service)
    census.put_down(connection, STEPS, (sealed for (sealed,) in connection.execute("SELECT seal FROM step")))


def _use_rows(
    connection: sqlite3.Connection, row: int, uses: tuple[TargetUse, ...]
) -> Iterator[tuple[int, int, str, str, int]]:
    for use in uses:
        actions = ACTIONS_SEPARATOR.join(use.actions)
        target = _target(connection, use, actions)
        versions, statements = written_numbers(use.versions), written_numbers(use.statements)
        yield row, target, versions, statements, seal(row, use.effect, use.element, actions, versions, statements)


def _target(connection: sqlite3.Connection, use: TargetUse, actions: str) -> int:
    key = (use.effect, use.element, actions)
    find = "SELECT id FROM target WHERE effect = ? AND element = ? AND actions = ?"
    found = connection.execute(find, key).fetchone()
    if found is None:
        connection.execute(
            "INSERT INTO target (effect, element, actions, service) VALUES (?, ?, ?, ?)", (*key, use.service)
        )
        found = connection.execute(find, key).fetchone()
    return int(found[0])


def _statement_text(statement: Statement) -> str:
    value = serialise_statement(statement)
    del value[statement.action_element]
    return json.dumps(value, separators=(",", ":"))


def _step_fields(row: int, steps: tuple[FeedStep, ...]) -> Iterator[tuple[int | str | None, ...]]:
    for step in steps:
        change = step.change
        yield (
            row,
            step.version,
            step.previous,
            format_time(step.created),
            change.kind,
            change.reach,
            change.added,
            change.removed,
            change.changed,
        )
