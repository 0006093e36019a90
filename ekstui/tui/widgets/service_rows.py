"""Permissions as rows: services with their access levels, and their actions."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ekstui.iam.text import clean_line, short_resource
from ekstui.present.blocks import grant_line, level_style
from ekstui.present.rendering import styled_line
from ekstui.present.shares import SHORT_LEVELS, granted_levels, share
from ekstui.present.styled import Column, Row, Style, Styled, cut_end, plain, styled, wrap

if TYPE_CHECKING:
    from ekstui.iam.grants import Grant
    from ekstui.iam.summary import ActionSummary, ServiceSummary

_MARK = "▸ "
"""What a service begins with, folded."""

IF = "  if"

_ALL = "all"
"""Every resource, in short."""

MIN_NAME = 14
"""The fewest cells for the name of a service beside columns."""

WRAPPED = 12
"""The indent of what of a service does not fit its line."""

MIN_WIDTHS = (20, 12, 12)
"""The smallest widths of an action's name, resource and condition."""

RESOURCE_FIRST = 24
"""The width that resources get before conditions do; a condition that does not fit beside them goes below."""


def _columns(width: int, services: Sequence[ServiceSummary]) -> tuple[Column, ...]:
    """Return the columns for actions (level, name, resource, condition), each as wide as needed.

    If that is more than `width`, the conditions get what the others leave, then the resources shrink; where they would
    be too narrow to be read, there is room for `all` only.
    """
    actions = [action for service in services for action in service.actions]
    cells = [_cells(action) for action in actions]
    wanted = [max((cell_len(plain(row[at])) for row in cells), default=0) for at in range(3)]
    level = max((len(_short(action.level)) for action in actions), default=4) + 2
    if level + sum(wanted) + sum(map(bool, wanted)) > width:
        left = width - level - wanted[0] - min(wanted[1], RESOURCE_FIRST) - 3
        wanted[2] = min(wanted[2], left) if left >= MIN_WIDTHS[2] else 0
    # The name shrinks last: other resources than all go below.
    for at, least in ((1, MIN_WIDTHS[1]), (1, len(_ALL)), (0, MIN_WIDTHS[0])):
        over = level + sum(wanted) + sum(map(bool, wanted)) - width
        wanted[at] -= max(min(over, wanted[at] - least), 0)
    return (Column("", level), *(Column("", room) for room in wanted))


def service_rows(services: Sequence[ServiceSummary], opened: Collection[Hashable], width: int) -> list[Row]:
    """Return one row per service and, below an unfolded one, its actions by level."""
    rows: list[Row] = []
    columns = _columns(width, [service for service in services if (service.effect, service.service) in opened])
    titles, heads = _heads(services, width - len(_MARK))
    if titles:
        rows.append(Row("levels", (((" " * len(_MARK), ""), *titles),), selectable=False))
    sections = {_section(service) for service in services}
    section = None
    for service, head in zip(services, heads, strict=True):
        if len(sections) > 1 and _section(service) != section:
            section = _section(service)
            rows.append(Row(("section", section), (styled(section, "strong"),), selectable=False))
        rows += _service(service, head, columns, width, opened=(service.effect, service.service) in opened)
    return rows


def unfolded(services: Sequence[ServiceSummary], room: int) -> set[tuple[str, str]]:
    """Return the first services that fit unfolded into this number of rows, as (effect, service) pairs.

    If that leaves more than half of the rows empty, the smallest of the others is unfolded too, although it does not fit.
    """
    opened: set[tuple[str, str]] = set()
    sections = {_section(service) for service in services}
    # The titles of columns and of sections, and one row per service.
    left = room - 1 - (len(sections) if len(sections) > 1 else 0) - len(services)
    left -= sum(len(service.warnings) for service in services)
    # Use the counts: listing the actions would build them.
    sizes = {
        (service.effect, service.service): sum(count.granted for count in service.levels.values())
        for service in services
    }
    for service, actions in sizes.items():
        if actions <= left:
            left -= actions
            opened.add(service)
    if 2 * left > room and (others := sizes.keys() - opened):
        opened.add(min(others, key=lambda service: (sizes[service], service)))
    return opened


def _section(service: ServiceSummary) -> str:
    if not service.recognised:
        return "Uncategorized services"
    return "Explicit deny" if service.effect == "Deny" else "Allow"


def _heads(services: Sequence[ServiceSummary], width: int) -> tuple[Styled, list[Styled]]:
    """Return the titles of the columns, if there are any, and each service with its shares, its resource and its condition.

    The shares are in columns, which have titles where there is no room to name the level in each, or else one after the
    other. Where there is no room for the resource and the condition, `if` says that there is one.
    """
    levels = granted_levels(services)
    named = [[_share(level, service, named=True) for level in levels] for service in services]
    counts = [[_share(level, service, named=False) for level in levels] for service in services]
    titles = [styled(SHORT_LEVELS.get(level, level), "muted") for level in levels]
    names = max((cell_len(clean_line(service.service)) for service in services), default=0)
    for shares, head in ((named, ()), (counts, titles)):
        rooms = [max(cell_len(plain(row[at])) for row in (*shares, head) if row) for at in range(len(levels))]
        for gap in (2, 1):
            room = width - len(IF) - sum(rooms) - gap * len(rooms)
            if room >= min(names, MIN_NAME):
                starts = [min(names, room) + gap + sum(rooms[:at]) + gap * at for at in range(len(rooms))]
                lines = [
                    _in_columns(service, row, starts, width) for service, row in zip(services, shares, strict=True)
                ]
                return _columns_line((), head, starts), lines
    return (), [
        _with_scope(service, _flowing(service, row), width) for service, row in zip(services, named, strict=True)
    ]


def _in_columns(service: ServiceSummary, shares: Sequence[Styled], starts: Sequence[int], width: int) -> Styled:
    if not any(map(plain, shares)):
        return _flowing(service, shares)
    return _with_scope(service, _columns_line(_name(service), shares, starts), width)


def _columns_line(name: Styled, cells: Sequence[Styled], starts: Sequence[int]) -> Styled:
    """Return cells where their columns start, after a name that is cut if need be; nothing if there are no cells."""
    if not cells:
        return ()
    line = [*cut_end(name, starts[0] - 1)]
    used = cell_len(plain(tuple(line)))
    for cell, start in zip(cells, starts, strict=True):
        if plain(cell):
            line += [(" " * (start - used), ""), *cell]
            used = start + cell_len(plain(cell))
    return tuple(line)


def _flowing(service: ServiceSummary, shares: Sequence[Styled]) -> Styled:
    """Return a service with one share after the other; without any, what is known of its access."""
    cells = [cell for cell in shares if plain(cell)] or [styled(service.access or "unknown to the reference", "muted")]
    return (*_name(service), *(piece for cell in cells for piece in (("  ", ""), *cell)))


def _name(service: ServiceSummary) -> Styled:
    return styled(clean_line(service.service), "bad" if service.effect == "Deny" else "strong")


def _share(level: str, service: ServiceSummary, *, named: bool) -> Styled:
    """Return the share of an access level that a service is granted."""
    drawn = share(level, service.levels.get(level))
    return ((f"{SHORT_LEVELS.get(level, level)} ", ""), *drawn) if drawn and named else drawn


def _with_scope(service: ServiceSummary, line: Styled, width: int) -> Styled:
    """Return the line with its service's resource and condition if there is room, else `if` if there is a condition."""
    whole = _scope(service)
    if cell_len(plain(line)) + cell_len(plain(whole)) <= width:
        return (*line, *whole)
    return (*line, (IF, "warn")) if _condition(service, whole=False) else line


def _service(
    service: ServiceSummary, head: Styled, columns: Sequence[Column], width: int, *, opened: bool
) -> list[Row]:
    key = (service.effect, service.service)
    first, *more = wrap(head, max(width - len(_MARK), 20), max(width - WRAPPED, 20))
    rows = [Row(key, ((("▾ " if opened else "▸ ", "muted"), *first),), service)]
    rows += [
        Row((key, "more", index), (((" " * WRAPPED, ""), *line),), selectable=False) for index, line in enumerate(more)
    ]
    rows += [
        Row((key, "warning", text, part), (((("  ! " if not part else "    "), "warn"), *line),), selectable=False)
        for text in service.warnings
        for part, line in enumerate(wrap(styled(clean_line(text), "warn"), max(width - 4, 20)))
    ]
    if not opened:
        return rows
    level = None
    for action in service.actions:
        rows += action_rows(action, key, columns, width, level=action.level if action.level != level else "")
        level = action.level
    return rows


def action_rows(
    action: ActionSummary, key: object, columns: Sequence[Column], width: int, *, level: str = ""
) -> Iterator[Row]:
    """Yield an action as level, name, resource and condition; long cells continue on further rows.

    A condition that is wider than its column stands below, across all columns but the first; so do resources for which
    their column is too narrow to be read.
    """
    title = styled(f"  {_short(level)}", level_style(level) if level else "")
    name, where, condition = _cells(action)
    below: Styled = ()
    if cell_len(plain(where)) > columns[2].width < MIN_WIDTHS[1]:
        where, below = (), (("on ", "muted"), *where)
    if cell_len(plain(condition)) > columns[3].width:
        condition, below = (), (*below, (" " if below else "", ""), *condition)
    cells = (title, name, where, condition)
    wrapped = [wrap(cell, column.width) if plain(cell) else [()] for cell, column in zip(cells, columns, strict=True)]
    for part, beside in enumerate(zip_longest(*wrapped, fillvalue=())):
        line: list[tuple[str, Style]] = []
        for cell, column in zip(beside, columns, strict=True):
            if column.width:
                line += [*cell, (" " * (column.width + 1 - cell_len(plain(cell))), "")]
        while line and not line[-1][0].strip():
            line.pop()
        own = (key, "action", action.action)
        yield Row((*own, part) if part else own, (tuple(line),), None if part else action, selectable=not part)
    if below:
        indent = columns[0].width + 3
        for index, line_below in enumerate(wrap(below, max(width - indent, MIN_WIDTHS[2]))):
            yield Row((key, "if", action.action, index), (((" " * indent, ""), *line_below),), selectable=False)


def _short(level: str) -> str:
    return level.removesuffix(" management")


def _cells(action: ActionSummary) -> tuple[Styled, Styled, Styled]:
    """Return an action's name with remarks, its resources, and its conditions."""
    name: list[tuple[str, Style]] = [(clean_line(action.action.partition(":")[2]), "")]
    if len(action.levels) > 1:
        name.append((f" also {' and '.join(action.levels[1:])}", "muted"))
    if action.denied:
        name.append((f" denied: {action.denied}", "bad"))
    name += [(f" ! {clean_line(warning)}", "warn") for warning in action.warnings]
    where, condition = grants_short(action.grants) if action.grants else ("", "")
    return tuple(name), styled(where), styled(condition, "warn")


def _scope(service: ServiceSummary) -> Styled:
    """Return a service's resource and condition, if each can be said in a word."""
    parts: list[tuple[str, Style]] = []
    if service.resource not in ("", "All resources", "Multiple"):
        parts.append((f"  on {short_resource(service.resource)}", "muted"))
    if condition := _condition(service, whole=False):
        parts.append((f"  {condition}", "warn"))
    return tuple(parts)


def _condition(service: ServiceSummary, *, whole: bool) -> str:
    """Return a service's condition and how many of its actions have it; in full if `whole`, else only the key."""
    if service.condition in ("", "None"):
        return ""
    several = service.condition == "Multiple"
    word = service.condition if whole or several else _key(service.condition.split(" ")[0])
    words = service.conditioned.words(word)
    return clean_line(words if words != word else "several conditions" if several else f"if {word}")


def grants_short(grants: Sequence[Grant]) -> tuple[str, str]:
    """Return resources and conditions of grants in short, without duplicates: `network-interface`, `if RequestTag/Name`."""
    where: dict[str, None] = {}
    conditions: dict[str, None] = {}
    free = False
    for grant in grants:
        words = [short_resource(resource) for resource in grant.resources]
        if grant.resource_element != "Resource":
            words = [f"all but {', '.join(words)}"]
        where.update(dict.fromkeys(words))
        keys = list(dict.fromkeys(_key(condition.key) for condition in grant.conditions))
        if keys:
            conditions[" and ".join(keys)] = None
        else:
            free = True
    if not conditions:
        return ", ".join(where), ""
    word = "some if" if free else "if"
    return ", ".join(where), f"{word} {', or '.join(conditions)}"


def _key(key: str) -> str:
    """Return a condition key without `aws:`."""
    return clean_line(key.removeprefix("aws:"))


def action_line(action: ActionSummary) -> Styled:
    """Return the details of an action: all its grants."""
    grants = "; or on ".join(plain(styled_line(grant_line(grant), "app")) for grant in action.grants)
    return (
        (clean_line(action.action), "strong"),
        (f"  {action.level}", "muted"),
        (f"  on {grants}" if grants else "", ""),
    )


def service_line(service: ServiceSummary, reason: str | None) -> Styled:
    """Return the details of a service: its access as the IAM console words it, and why it is needed."""
    why = f"  {clean_line(reason)}" if reason else ""
    condition = _condition(service, whole=True)
    return (
        (clean_line(service.service), "strong"),
        (
            f"  {service.access or 'unknown to the reference'} on {clean_line(service.resource)}{condition and f', {condition}'}",
            "muted",
        ),
        (why, ""),
    )
