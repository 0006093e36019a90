"""Two policies as a grid: a row for what differs in the same way, with what each of them allows."""

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence

from ekstui.change.differences import (
    ActionDifference,
    BeforeOrAfter,
    ConditionChange,
    Differences,
    GrantedOn,
    ResourceChange,
    ResourceList,
    Way,
)
from ekstui.iam.document import Condition, Effect
from ekstui.iam.reference import reference
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import Column, Line, Span, Table, TableRow, code, parts, spans
from ekstui.present.grants_in_short import resource_in_short
from ekstui.present.styled import Style

ALLOWED, NOT_ALLOWED = "✓", "–"

FEWER, MORE, OTHER = "fewer cases", "more cases", "other cases"
"""What stands for conditions that are too long for a cell."""

_ROOM = 36
"""The most characters of conditions in a cell."""

_LEAST_FOR_ACTION, _MOST_FOR_ACTION = 12, 28
"""The characters that the column of actions keeps where there is little room, so that most names stay whole."""

_ONE_VALUE = ("stringequals", "stringlike", "stringequalsignorecase", "arnequals", "arnlike", "bool")
"""Operators that go without saying where a key has a value."""

Cells = tuple[Line, Line, Line]
"""Where an action is allowed, and what each policy allows there."""


class Alike(NamedTuple):
    """Actions of one service that both policies have in the same way."""

    effect: Effect
    actions: tuple[str, ...]


def grid(
    differences: Differences, open_rows: Collection[Hashable], sentences: Callable[[ActionDifference], Sequence[Line]]
) -> Table:
    """Return what only A has, what only B has, what both have but not alike, and what both have alike.

    In the app a row unfolds the `sentences` of its difference, or its names; elsewhere all names are below it.
    """
    one_service = _service_of_all(differences)
    rows: list[TableRow] = []
    different = [
        *((removal, _of_one(removal, "before")) for removal in differences.removed),
        *((addition, _of_one(addition, "after")) for addition in differences.added),
        *((change, _of_both(change)) for change in differences.changed),
    ]
    for difference, cells in different:
        details = sentences(difference) if difference in open_rows else ()
        rows += _rows(difference, cells, one_service, difference in open_rows, details)
    for alike in (Alike(effect, names) for effect, actions in differences.alike for names in _by_service(actions)):
        details = (", ".join(_bare(alike.actions, one_service)),) if alike in open_rows else ()
        sign = Span("=", "muted")
        rows += _rows(alike, [("", sign, sign)], one_service, alike in open_rows, details)
    title = f"Action of {one_service}" if one_service else "Action"
    longest_name = max((len("".join(span.text for span in spans(row.cells[0]))) for row in rows), default=0)
    columns = (
        Column(title, min(max(longest_name, _LEAST_FOR_ACTION), _MOST_FOR_ACTION), shrink=2),
        Column("On", 6, shrink=3),
        Column("A", 12, shrink=1),
        Column("B", 12, shrink=1),
    )
    return Table(columns, rows)


def counts_by_side(differences: Differences) -> str:
    """Return how many actions only A has, only B has, and both have, alike or not."""
    only_b, only_a, unlike = differences.counts
    alike = sum(len(names) for _, names in differences.alike)
    return f"only A {only_a:,} · only B {only_b:,} · unlike {unlike:,} · alike {alike:,}"


def _rows(
    value: ActionDifference | Alike, cells: Sequence[Cells], one_service: str, is_open: bool, details: Sequence[Line]
) -> list[TableRow]:
    """Return a row for each service and place; what is unfolded is below the last one."""
    fold = Span("▾ " if is_open else "▸ ", "muted", media="app")
    deny = (Span("deny ", "bad"),) if value.effect == "Deny" else ()
    rows: list[TableRow] = []
    if isinstance(value, ActionDifference) and value.element == "NotAction":
        heads: list[tuple[Line, tuple[Line, ...]]] = [((*deny, "everything but ", code(", ".join(value.actions))), ())]
    else:
        style: Style = "muted" if isinstance(value, Alike) else ""
        heads = [_head(deny, _bare(names, one_service), style) for names in _by_service(value.actions)]
    for index, (head, names) in enumerate(heads):
        for number, (place, of_a, of_b) in enumerate(cells):
            # Only the first row has the sign, since they are unfolded together.
            sign = Span("  ", media="app") if index or number else fold
            start = (sign,) if number else (sign, *parts(head))
            rows.append(TableRow((start, place, of_a, of_b), value, (type(value).__name__, value, index, number)))
        rows[-1] = rows[-1]._replace(below=names)
    rows[-1] = rows[-1]._replace(below=(*rows[-1].below, *details))
    return rows


def _head(deny: tuple[Span, ...], names: Sequence[str], style: Style) -> tuple[Line, tuple[Line, ...]]:
    """Return an action and how many others there are, and the line below the row with all of them."""
    if len(names) == 1:
        return (*deny, code(names[0], style)), ()
    line = (*deny, code(names[0], style), Span(f" ×{len(names):,}", "strong"))
    return line, (Span(", ".join(_bare(names, names[0].partition(":")[0])), "muted", media="outside"),)


def _of_one(difference: ActionDifference, side: BeforeOrAfter) -> list[Cells]:
    """Return where one side allows an action that the other does not name."""
    lacks: Line = Span(NOT_ALLOWED, "muted")
    if difference.part:
        total = len(reference().expand(difference.actions[0]))
        lacks = f"lacks {len(difference.part):,} of {total:,}"
    grants = difference.granted or (GrantedOn(ResourceList("Resource", ()), ()),)
    return [(_place(grant.place), *_sides(_ways(grant.ways), lacks, side)) for grant in grants]


def _of_both(difference: ActionDifference) -> list[Cells]:
    """Return how an action differs, place by place."""
    cells: list[Cells] = []
    if difference.names_removed or difference.names_added:
        left_out = (", ".join(names) for names in (difference.names_removed, difference.names_added))
        of_a, of_b = (code(names) if names else Span(NOT_ALLOWED, "muted") for names in left_out)
        cells.append((Span("what is left out", "muted"), of_a, of_b))
    for resources in difference.resources:
        cells += _of_resources(resources)
    cells += [(_place(change.place), *_of_conditions(change)) for change in difference.conditions]
    return cells or [("", OTHER, OTHER)]


def _sides(cell: Line, lacks: Line, side: BeforeOrAfter) -> tuple[Line, Line]:
    """Return the cells of both sides, of which `side` has something."""
    return (cell, lacks) if side == "before" else (lacks, cell)


def _of_resources(change: ResourceChange) -> Iterator[Cells]:
    """Yield the resources that one side has and the other has not."""
    ways_cell, lacks = _ways(change.ways), Span(NOT_ALLOWED, "muted")
    if change.listed:  # where what one side leaves out, the other allows
        pairs: tuple[tuple[tuple[str, ...], BeforeOrAfter], ...] = (change.removed, "after"), (change.added, "before")
    else:
        pairs = (change.removed, "before"), (change.added, "after")
    for resources, side in pairs:
        if resources:
            place = ResourceList("Resource" if change.listed else change.element, resources)
            yield _place(place), *_sides(ways_cell, lacks, side)


def _of_conditions(change: ConditionChange) -> tuple[Line, Line]:
    """Return what each side allows on resources that both have."""
    ways_before, ways_after = change.had, change.has
    for with_operators in (False, True):  # with operators, where without them both sides would read alike
        cells = (
            _ways_text(ways_before, with_operators=with_operators),
            _ways_text(ways_after, with_operators=with_operators),
        )
        if cells[0] != cells[1]:
            break
    if cells[0] == cells[1] or (ALLOWED not in cells and any(len(cell) > _ROOM for cell in cells)):
        cells = {"before": (MORE, FEWER), "after": (FEWER, MORE), None: (OTHER, OTHER)}[change.wider]
        return _span_of_cell(cells[0]), _span_of_cell(cells[1])
    return _cell_that_fits(cells[0], ways_before), _cell_that_fits(cells[1], ways_after)


def _ways(ways: Sequence[Way]) -> Line:
    return _cell_that_fits(_ways_text(ways, with_operators=False), ways)


def _cell_that_fits(text: str, ways: Sequence[Way]) -> Line:
    """Return ways, or of longer ones the first of their keys."""
    return _span_of_cell(text if len(text) <= _ROOM else f"if {_keys(ways)}")


def _span_of_cell(cell: str) -> Span:
    return Span(cell, "good" if cell == ALLOWED else "" if cell.startswith("if ") else "warn")


def _keys(ways: Sequence[Way]) -> str:
    """Return one of the keys of long conditions, and how many others there are."""
    first, *other_keys = dict.fromkeys(_key(condition.key) for way in ways for condition in way)
    return f"{first}, +{len(other_keys)}" if other_keys else f"{first} …"


def _ways_text(ways: Sequence[Way], *, with_operators: bool) -> str:
    """Return ways, any one of which is enough, or that no condition stands."""
    if not ways or any(not way for way in ways):
        return ALLOWED
    return "if " + " or ".join(
        dict.fromkeys(
            " and ".join(_condition(condition, with_operators=with_operators) for condition in way) for way in ways
        )
    )


def _condition(condition: Condition, *, with_operators: bool) -> str:
    """Return a condition in short: `cluster=true`, `pvc/name` where any value will do, or else with its operator."""
    key, operator, values = _key(condition.key), condition.operator.lower(), "|".join(condition.values)
    if operator == "null" and values in ("true", "false"):
        return f"no {key}" if values == "true" else f"{key} is set"
    if with_operators or operator not in _ONE_VALUE:
        return f"{key} {condition.operator} {values}"
    return key if operator == "stringlike" and values == "*" else f"{key}={values}"


def _key(key: str) -> str:
    """Return a condition key without what goes without saying: a tag of the resource without its domain."""
    kind, slash, tag = key.partition("/")
    if not slash or not kind.lower().endswith("tag"):
        return key.removeprefix("aws:")
    parts = tag.split("/")
    name = "/".join((parts[1:] if len(parts) > 1 and "." in parts[0] else parts)[-2:])
    kind = kind.partition(":")[2]
    return name if kind.lower() == "resourcetag" else f"{kind}/{name}"


def _place(place: ResourceList) -> Line:
    first, *other_resources = dict.fromkeys(
        resource_in_short(resource) for resource in place.resources if resource
    ) or ("",)
    names = ", ".join((first, *other_resources))
    if len(names) > _ROOM and other_resources:
        names = f"{first}, +{len(other_resources)}"
    return names if place.element == "Resource" else f"all but {names}"


def _by_service(actions: Iterable[str]) -> list[tuple[str, ...]]:
    names: dict[str, list[str]] = {}
    for action in actions:
        names.setdefault(action.partition(":")[0], []).append(action)
    return [tuple(names) for _, names in sorted(names.items())]


def _bare(actions: Sequence[str], one_service: str) -> list[str]:
    """Return actions without the service that all of them have."""
    return [action.removeprefix(f"{one_service}:") if one_service else action for action in actions]


def _service_of_all(differences: Differences) -> str:
    """Return the service of all actions; empty if there are several."""
    groups = (*differences.removed, *differences.added, *differences.changed)
    names = [name for group in groups for name in group.actions] + [
        name for _, names in differences.alike for name in names
    ]
    services = {name.partition(":")[0].lower() for name in names}
    is_one = len(services) == 1 and all(":" in name for name in names)
    return names[0].partition(":")[0] if is_one and not any(group.element == "NotAction" for group in groups) else ""
