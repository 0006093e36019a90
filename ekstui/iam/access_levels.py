"""Services by access level: several policies side by side, and what the policies of a role allow together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from ekstui.iam import console
from ekstui.iam.console import LevelCount
from ekstui.iam.document import Document
from ekstui.iam.grants import merged_document
from ekstui.iam.reference import LEVELS, UNKNOWN_LEVEL, reference
from ekstui.iam.summary import ActionSummary, ConditionShare, ServiceSummary, services_in
from ekstui.named_tuples import NamedTuple

_Extent = Literal["all", "some", "denied", "none"]
"""How far a policy grants an action: on all resources without conditions, in part, not at all, or denied by it."""

MATRIX_LEVELS = (*LEVELS, UNKNOWN_LEVEL)


class MatrixCell(NamedTuple):
    """One access level of one service."""

    granted: tuple[int, ...]
    """By policy, the number of actions that it grants and does not deny completely."""
    denied: tuple[bool, ...]
    """By policy, whether it denies some of them, completely or in part."""
    total: int
    """The number of actions in the reference; 0 for the level `unknown`."""

    @property
    def differs(self) -> bool:
        """Whether the policies grant different numbers of actions."""
        return len(set(self.granted)) > 1


class MatrixAction(NamedTuple):
    """One action and how each policy grants it."""

    action: str
    level: str
    by_policy: tuple[ActionSummary | None, ...]
    """By policy; None if it does not match the action."""


class MatrixRow(NamedTuple):
    """A service of which at least one of the policies grants an action."""

    service: str
    cells: Mapping[str, MatrixCell]
    """By access level, in the order of `MATRIX_LEVELS`, without levels that the service does not have."""
    actions: tuple[MatrixAction, ...]
    """Sorted by level, then by name."""

    @property
    def differs(self) -> bool:
        """Whether the policies differ in how far they grant some action."""
        return any(len(set(map(extent, action.by_policy))) > 1 for action in self.actions)


def matrix(policies: Sequence[Sequence[ServiceSummary]]) -> tuple[MatrixRow, ...]:
    """Return the services of which the policies grant actions, by name; `policies` are the summaries of each."""
    allow_rows = [
        {summary.service: summary for summary in services if summary.effect == "Allow"} for services in policies
    ]
    names = sorted({name for services in allow_rows for name in services})
    rows = (_row(name, [services.get(name) for services in allow_rows]) for name in names)
    return tuple(row for row in rows if row.actions)


def holding(row: MatrixRow, words: Sequence[str]) -> MatrixRow | None:
    """Return a row if its service contains every word, or reduced to the actions that do; None if there are none.

    The words are in lower case; they are looked up in an action's name and access levels.
    """
    if all(word in row.service.casefold() for word in words):
        return row
    actions = tuple(action for action in row.actions if all(word in _text(action) for word in words))
    return row._replace(actions=actions) if actions else None


def extent(action: ActionSummary | None) -> _Extent:
    """Return how far a policy grants an action."""
    if action is None or not action.is_granted:
        return "none"
    if action.denied == "full":
        return "denied"
    is_unlimited = action.resource == "All resources" and action.condition == "None" and action.denied is None
    return "all" if is_unlimited else "some"


def _row(service: str, summaries: Sequence[ServiceSummary | None]) -> MatrixRow:
    by_name: dict[str, list[ActionSummary | None]] = {}
    for index, summary in enumerate(summaries):
        for action in summary.actions if summary else ():
            if action.is_granted:
                by_name.setdefault(action.action, [None] * len(summaries))[index] = action
    actions = [
        MatrixAction(name, next(entry.level for entry in by_policy if entry), tuple(by_policy))
        for name, by_policy in by_name.items()
    ]
    actions.sort(key=lambda action: (MATRIX_LEVELS.index(action.level), action.action.lower()))
    totals = reference().level_totals(service)
    levels = [level for level in MATRIX_LEVELS if level in totals or any(action.level == level for action in actions)]
    return MatrixRow(
        service,
        {
            level: _cell([action for action in actions if action.level == level], len(summaries), totals.get(level, 0))
            for level in levels
        },
        tuple(actions),
    )  # fmt: skip


def _cell(actions: Sequence[MatrixAction], policies: int, total: int) -> MatrixCell:
    columns = [[action.by_policy[index] for action in actions] for index in range(policies)]
    return MatrixCell(
        tuple(sum(extent(summary) in ("all", "some") for summary in column) for column in columns),
        tuple(any(summary is not None and summary.denied is not None for summary in column) for column in columns),
        total,
    )


def _text(action: MatrixAction) -> str:
    levels = next(summary.levels for summary in action.by_policy if summary)
    return " ".join((action.action, *levels)).casefold()


class SumAccess(NamedTuple):
    """What is allowed in total, and what was deducted."""

    services: tuple[ServiceSummary, ...]
    """The allowed services, each summarised from the actions that remain."""
    denies: tuple[ServiceSummary, ...]
    """The services that the documents themselves deny."""
    denied: int
    """The number of actions that a Deny revokes completely; those revoked in part remain."""
    withheld: int
    """The number of further actions that the boundary does not allow at all."""
    withheld_above: int = 0
    """How many more actions the organization's policies, or another given layer, do not allow at all."""


def sum_access(
    documents: Iterable[Document], boundary: Document | None, ceilings: Sequence[Document] = ()
) -> SumAccess:
    """Return what documents allow together, within the actions of a boundary and of each of the documents above."""
    rows = services_in(merged_document(documents))
    allowed_rows = _allowed_rows(rows)
    denied_count = _count(row for row in rows if row.effect == "Allow") - _count(allowed_rows)
    denies = tuple(row for row in rows if row.effect == "Deny")
    within = _within(allowed_rows, () if boundary is None else (boundary,))
    limited_rows = _within(within, ceilings)
    return SumAccess(
        tuple(limited_rows),
        denies,
        denied_count,
        _count(allowed_rows) - _count(within),
        _count(within) - _count(limited_rows),
    )


def _within(rows: list[ServiceSummary], ceilings: Iterable[Document]) -> list[ServiceSummary]:
    """Return what remains of services within ceilings."""
    for ceiling in ceilings:
        names = {action for row in _allowed_rows(services_in(ceiling)) for action in _granted_names(row)}
        rows = [limited_row for row in rows if (limited_row := _only(row, names)) is not None]
    return rows


def _count(rows: Iterable[ServiceSummary]) -> int:
    return sum(len(_granted_names(row)) for row in rows)


def _granted_names(row: ServiceSummary) -> list[str]:
    return [action.action for action in row.actions if action.is_granted]


def _allowed_rows(rows: Sequence[ServiceSummary]) -> list[ServiceSummary]:
    """Return the allowed services without the actions that a Deny revokes completely."""
    denied_services = {row.service for row in rows if row.effect == "Deny"}
    allowed_rows: list[ServiceSummary] = []
    for row in rows:
        if row.effect == "Allow":
            names = {action.action for action in row.actions if action.is_granted and action.denied != "full"}
            limited_row = row if row.service not in denied_services else _only(row, names)
            allowed_rows += [] if limited_row is None else [limited_row]
    return allowed_rows


def _only(row: ServiceSummary, names: set[str]) -> ServiceSummary | None:
    """Return the service with only these actions; None if none of them is left."""
    # Without any action granted it is a service or action that the reference lacks.
    if names.issuperset(_granted_names(row)):
        return row
    actions = tuple(action for action in row.actions if not action.is_granted or action.action in names)
    return _of_actions(row, actions) if any(action.is_granted for action in actions) else None


def _of_actions(row: ServiceSummary, actions: tuple[ActionSummary, ...]) -> ServiceSummary:
    """Return a service's row with only these actions, of which some are granted."""
    granted_actions = [action for action in actions if action.is_granted]
    granted_by_level = Counter(action.level for action in granted_actions)
    levels = {level: LevelCount(granted_by_level[level], count.total) for level, count in row.levels.items()}
    actions_of_known_level = [action for action in granted_actions if action.level != UNKNOWN_LEVEL] or granted_actions
    shares = [action.conditioned for action in actions_of_known_level]
    return row._replace(
        access=console.access_words(levels, granted_by_level) if row.access else row.access,
        levels=levels,
        resource=console.resource_words(
            (grant.resource_element, grant.resources) for action in actions_of_known_level for grant in action.grants
        ),
        condition=console.condition_words(line for action in actions_of_known_level for line in action.conditions),
        conditioned=ConditionShare(*map(sum, zip(*shares, strict=True))),
        actions=actions,
    )
