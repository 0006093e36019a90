"""Asking the index: which policies may allow an action, and what the steps between versions changed."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from ekstui.core.document import ActionElement, Document, Effect, parse
from ekstui.core.policy import format_time, parse_time
from ekstui.core.steps import FeedStep, StepCounts
from ekstui.core.targets import Candidate, TargetUse, may_speak_of, read_numbers
from ekstui.core.wildcard import is_wild
from ekstui.store import census
from ekstui.store.errors import AbsentCacheError, DamagedCacheError
from ekstui.store.index_rows import ACTIONS_SEPARATOR, STEPS, seal
from ekstui.store.policies import PolicyCache, read_policies_of


def candidates(cache: PolicyCache, action: str, *, family: bool = False) -> tuple[Candidate, ...]:
    """Return the policies that may allow an action or a pattern, in the list's order.

    Raises AbsentCacheError while the index is not whole, or another CacheError.
    """
    wanted = action.lower()
    with cache.database.reading() as connection:
        _require_index(connection, cache.partition)
        uses: dict[int, list[TargetUse]] = {}
        for row, use in _uses(connection, cache.partition, _targets(connection, wanted), family=family):
            uses.setdefault(row, []).append(use)
        allowing = {row: versions for row, of_policy in uses.items() if (versions := _allowing(of_policy))}
        policies = dict(read_policies_of(connection, allowing))
        chosen = {row: policy for row, policy in policies.items() if policy.default_version in allowing[row]}
        documents = _documents(connection, {row: uses[row] for row in chosen})
        return tuple(Candidate(policy, documents[row], allowing[row]) for row, policy in chosen.items())


def feed(cache: PolicyCache, since: datetime | None, judges: str, *, family: bool = False) -> tuple[FeedStep, ...]:
    """Return the steps since a time, newest first; those of unknown time only where no time is given.

    `judges` names what reach must have been judged by (see `index`). Raises AbsentCacheError while the index
    is not whole, or another CacheError.
    """
    earliest = format_time(since)
    with cache.database.reading() as connection:
        _require_index(connection, cache.partition, judges)
        rows = connection.execute(
            """
            SELECT policy.partition, policy.family, policy.name, step.policy, step.version, step.previous,
                step.created, step.kind, step.reach, step.added, step.removed, step.changed, step.seal
            FROM step LEFT JOIN policy ON policy.id = step.policy
            ORDER BY step.created DESC, policy.name, step.version DESC
            """
        ).fetchall()
        census.compare(connection, STEPS, (row[-1] for row in rows))
        return tuple(
            _feed_step(*row)
            for partition, place, *row in rows
            if partition in (cache.partition, None)
            and (place is not None or not family)
            and (earliest is None or (row[4] is not None and row[4] >= earliest))
        )


def _feed_step(name: str, row: int, version: int, previous: int | None, created: str | None, *rest: object) -> FeedStep:
    *change, sealed = rest
    if seal(name, row, version, previous, created, *change) != sealed:
        raise DamagedCacheError(f"What the cache says of {name} v{version} is damaged.")
    moment = None if created is None else parse_time(created)
    return FeedStep(name, version, previous, moment, StepCounts(*change))  # type: ignore[arg-type]


def _require_index(connection: sqlite3.Connection, partition: str, judges: str | None = None) -> None:
    missing = connection.execute(
        """
        SELECT count(*) FROM policy LEFT JOIN indexed ON indexed.policy = policy.id
        WHERE policy.partition = ? AND (indexed.seal IS NOT policy.seal OR indexed.judges <> ifnull(?, judges))
        """,
        (partition, judges),
    ).fetchone()[0]
    if missing or not census.is_put_down(connection, STEPS):
        raise AbsentCacheError("The index is not whole.")


def _targets(connection: sqlite3.Connection, action: str) -> dict[int, int]:
    """Return the targets that may hold for an action or a pattern in lower case, and how many policies have each."""
    service = action.partition(":")[0]
    anywhere = ":" not in action or is_wild(service)
    rows = connection.execute(
        """
        SELECT id, effect, element, service, actions, uses, seal FROM target
        WHERE ? OR service IN (?, '*')
        """,
        (anywhere, service),
    ).fetchall()
    seals: dict[str, list[int]] = {name: [] for name in (() if anywhere else (service, "*"))}
    for _, effect, element, name, actions, uses, sealed in rows:
        if seal(effect, element, name, actions, uses) != sealed:
            raise DamagedCacheError("The cache's index is damaged.")
        seals.setdefault(name, []).append(sealed)
    if anywhere:
        subjects = connection.execute("SELECT subject FROM census WHERE subject LIKE 'targets of %'")
        seals |= {name: [] for (subject,) in subjects if (name := subject.removeprefix("targets of ")) not in seals}
    for name, of_service in seals.items():
        census.compare(connection, f"targets of {name}", of_service)
    return {
        row: uses
        for row, _, element, _, actions, uses, _ in rows
        if may_speak_of(element, actions.split(ACTIONS_SEPARATOR), action)
    }


def _uses(
    connection: sqlite3.Connection, partition: str, targets: Mapping[int, int], *, family: bool
) -> Iterable[tuple[int, TargetUse]]:
    """Yield what the policies have of some targets, each with the policy's row."""
    rows = connection.execute(
        """
        SELECT target.id, policy.partition, policy.family, use.policy,
            target.effect, target.element, target.actions, use.versions, use.statements, use.seal
        FROM json_each(?) AS wanted
        CROSS JOIN target ON target.id = wanted.value
        CROSS JOIN use ON use.target = target.id
        LEFT JOIN policy ON policy.id = use.policy
        """,
        (json.dumps(list(targets)),),
    )
    effect: Effect
    element: ActionElement
    found: Counter[int] = Counter()
    for target, of_partition, place, row, effect, element, actions, versions, statements, sealed in rows:
        found[target] += 1
        if seal(row, effect, element, actions, versions, statements) != sealed or of_partition is None:
            raise DamagedCacheError("The cache's index is damaged.")
        if of_partition == partition and (place is not None or not family):
            listed = tuple(actions.split(ACTIONS_SEPARATOR))
            yield row, TargetUse(effect, element, listed, read_numbers(versions), read_numbers(statements))
    if found != targets:
        raise DamagedCacheError("The cache has not all of its index.")


def _allowing(uses: Iterable[TargetUse]) -> tuple[int, ...]:
    return tuple(sorted({number for use in uses if use.effect == "Allow" for number in use.versions}))


def _documents(connection: sqlite3.Connection, uses: Mapping[int, Iterable[TargetUse]]) -> dict[int, Document]:
    """Return by the policy's row the default version's document, cut to what the uses name."""
    wanted = {
        (row, place): use.element for row, of_policy in uses.items() for use in of_policy for place in use.statements
    }
    actions: dict[tuple[int, int], list[str]] = {key: [] for key in wanted}
    for row, of_policy in uses.items():
        for use in of_policy:
            for place in use.statements:
                actions[row, place].extend(use.actions)
    statements: dict[int, list[object]] = {row: [] for row in uses}
    rows = connection.execute(
        """
        SELECT statement.policy, statement.place, statement.text, statement.seal
        FROM json_each(?) AS wanted
        CROSS JOIN statement ON statement.policy = wanted.value ->> 0 AND statement.place = wanted.value ->> 1
        """,
        (json.dumps(sorted(wanted)),),
    )
    for row, place, text, sealed in rows:
        if seal(row, place, text) != sealed:
            raise DamagedCacheError("A statement in the cache's index is damaged.")
        element, listed = wanted[row, place], actions[row, place]
        statements[row].append({**json.loads(text), element: sorted(listed) if element == "Action" else listed})
    if sum(map(len, statements.values())) != len(wanted):
        raise DamagedCacheError("The cache has not all of its statements.")
    return {row: parse({"Statement": found}) for row, found in statements.items()}
