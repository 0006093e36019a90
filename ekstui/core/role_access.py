"""What several policies permit together, within a permissions boundary: services by access level."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ekstui.core import console
from ekstui.core.document import Document
from ekstui.core.summary import LevelCount, ServiceSummary, services_in


@dataclass(frozen=True, slots=True)
class SumAccess:
    """What is permitted in sum, and what was taken off it."""

    services: tuple[ServiceSummary, ...]
    """The allowed services; their levels count what is left, their actions are those that are left."""
    denied: int
    """Actions that a Deny takes away whole; one that takes a part leaves them in."""
    withheld: int
    """Further actions that the boundary does not allow at all."""


def sum_access(documents: Iterable[Document], boundary: Document | None) -> SumAccess:
    """Return what documents permit together; the boundary grants nothing, and its conditions are not weighed."""
    merged = services_in(_merged(documents))
    within = None if boundary is None else {action for row in _left(services_in(boundary)) for action in _given(row)}
    kept = _left(merged)
    denied = sum(len(_given(row)) for row in merged if row.effect == "Allow") - sum(map(len, map(_given, kept)))
    if within is None:
        return SumAccess(tuple(kept), denied, 0)
    limited = [row for each in kept if (row := _only(each, within)) is not None]
    return SumAccess(tuple(limited), denied, sum(map(len, map(_given, kept))) - sum(map(len, map(_given, limited))))


def _merged(documents: Iterable[Document]) -> Document:
    return Document("2012-10-17", None, tuple(each for document in documents for each in document.statements))


def _given(row: ServiceSummary) -> list[str]:
    return [action.action for action in row.actions if action.given]


def _left(rows: Sequence[ServiceSummary]) -> list[ServiceSummary]:
    """Return the allowed services without the actions that a Deny takes away whole."""
    denied = {row.service for row in rows if row.effect == "Deny"}
    left: list[ServiceSummary] = []
    for row in rows:
        if row.effect == "Allow":
            names = {action.action for action in row.actions if action.given and action.denied != "full"}
            limited = row if row.service not in denied else _only(row, names)
            left += [] if limited is None else [limited]
    return left


def _only(row: ServiceSummary, names: set[str]) -> ServiceSummary | None:
    """Return the service with these actions only; None where none of them is left."""
    if not _given(row):
        return row  # nothing known of it: a service or an action that the reference lacks
    actions = tuple(action for action in row.actions if not action.given or action.action in names)
    counted = Counter(action.level for action in actions if action.given)
    if not counted:
        return None
    levels = {level: LevelCount(counted[level], count.total) for level, count in row.levels.items()}
    access = console.access_words(levels, counted) if row.access else row.access
    return replace(row, levels=levels, access=access, actions=actions)
