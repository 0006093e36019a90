"""Services by access levels: several policies side by side, and what those of a role permit together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ekstui.core import console
from ekstui.core.document import Document
from ekstui.core.reference import LEVELS, UNKNOWN_LEVEL, reference
from ekstui.core.summary import ActionSummary, LevelCount, ServiceSummary, services_in

Extent = Literal["all", "some", "denied", "none"]
"""How far a policy gives an action: on all resources without a condition, within limits, not, or taken back by itself."""

MATRIX_LEVELS = (*LEVELS, UNKNOWN_LEVEL)


class MatrixCell(NamedTuple):
    """One access level of one service."""

    given: tuple[int, ...]
    """By policy, the actions that it gives and does not take back altogether."""
    denied: tuple[bool, ...]
    """By policy, whether it takes some of them back, wholly or in part."""
    total: int
    """The actions that the reference knows; 0 for the level `unknown`."""

    @property
    def differs(self) -> bool:
        """Whether the policies give different numbers of actions."""
        return len(set(self.given)) > 1


class MatrixAction(NamedTuple):
    """One action and how each policy gives it."""

    action: str
    level: str
    given: tuple[ActionSummary | None, ...]
    """By policy; None where it does not name the action."""


class MatrixRow(NamedTuple):
    """One service that at least one of the policies gives an action of."""

    service: str
    cells: Mapping[str, MatrixCell]
    """By access level, in the order of `MATRIX_LEVELS`; a level that the service does not have is left out."""
    actions: tuple[MatrixAction, ...]
    """In the order of the levels, then by name."""

    @property
    def differs(self) -> bool:
        """Whether the policies differ in how far they give an action."""
        return any(len(set(map(extent, action.given))) > 1 for action in self.actions)


def matrix(policies: Sequence[Sequence[ServiceSummary]]) -> tuple[MatrixRow, ...]:
    """Return the services that the policies give actions of, by name; `policies` holds the summary of each."""
    allowed = [{each.service: each for each in services if each.effect == "Allow"} for services in policies]
    names = sorted({name for services in allowed for name in services})
    rows = (_row(name, [services.get(name) for services in allowed]) for name in names)
    return tuple(row for row in rows if row.actions)


def holding(row: MatrixRow, words: Sequence[str]) -> MatrixRow | None:
    """Return a row if its service has every word, else with the actions that have them; None if there are none.

    The words are in small letters; an action has those of its name and access levels.
    """
    if all(word in row.service.casefold() for word in words):
        return row
    actions = tuple(action for action in row.actions if all(word in _text(action) for word in words))
    return row._replace(actions=actions) if actions else None


def extent(action: ActionSummary | None) -> Extent:
    """Return how far a policy gives an action."""
    if action is None or not action.given:
        return "none"
    if action.denied == "full":
        return "denied"
    unlimited = action.resource == "All resources" and action.condition == "None" and action.denied is None
    return "all" if unlimited else "some"


def _row(service: str, summaries: Sequence[ServiceSummary | None]) -> MatrixRow:
    by_name: dict[str, list[ActionSummary | None]] = {}
    for index, summary in enumerate(summaries):
        for each in summary.actions if summary else ():
            if each.given:
                by_name.setdefault(each.action, [None] * len(summaries))[index] = each
    actions = [
        MatrixAction(name, next(each.level for each in given if each), tuple(given)) for name, given in by_name.items()
    ]
    actions.sort(key=lambda action: (MATRIX_LEVELS.index(action.level), action.action.lower()))
    totals = reference().level_totals(service)
    levels = [level for level in MATRIX_LEVELS if level in totals or any(each.level == level for each in actions)]
    return MatrixRow(
        service,
        {level: _cell([each for each in actions if each.level == level], len(summaries), totals.get(level, 0)) for level in levels},
        tuple(actions),
    )  # fmt: skip


def _cell(actions: Sequence[MatrixAction], policies: int, total: int) -> MatrixCell:
    columns = [[action.given[index] for action in actions] for index in range(policies)]
    return MatrixCell(
        tuple(sum(extent(each) in ("all", "some") for each in column) for column in columns),
        tuple(any(each is not None and each.denied is not None for each in column) for column in columns),
        total,
    )


def _text(action: MatrixAction) -> str:
    levels = next(each.levels for each in action.given if each)
    return " ".join((action.action, *levels)).casefold()


class SumAccess(NamedTuple):
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
    return row._replace(levels=levels, access=access, actions=actions)
