"""Permissions as rows: services with their access levels, and their actions."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from ekstui.iam.text import clean_line
from ekstui.present.blocks import grant_line, level_style
from ekstui.present.styled import Column, Row, Style, Styled, plain, styled, wrap

if TYPE_CHECKING:
    from ekstui.iam.grants import Grant
    from ekstui.iam.summary import ActionSummary, ServiceSummary

MIN_WIDTHS = (20, 12, 12)
"""The smallest widths of an action's name, resource and condition."""

RESOURCE_FIRST = 24
"""The width that resources get before conditions do; a condition that does not fit beside them goes below."""


def _columns(width: int, services: Sequence[ServiceSummary]) -> tuple[Column, ...]:
    """Return the columns for actions (level, name, resource, condition), each as wide as needed.

    If that is more than `width`, the conditions get what the others leave, then the wider of the others shrinks.
    """
    actions = [action for service in services for action in service.actions]
    cells = [_cells(action) for action in actions]
    wanted = [max((cell_len(plain(row[at])) for row in cells), default=0) for at in range(3)]
    level = max((len(_short(action.level)) for action in actions), default=4) + 2
    if level + sum(wanted) + sum(map(bool, wanted)) > width:
        left = width - level - wanted[0] - min(wanted[1], RESOURCE_FIRST) - 3
        wanted[2] = min(wanted[2], left) if left >= MIN_WIDTHS[2] else 0
    # The name shrinks last: the details show the resource in full.
    for at in (1, 0):
        over = level + sum(wanted) + sum(map(bool, wanted)) - width
        wanted[at] -= max(min(over, wanted[at] - MIN_WIDTHS[at]), 0)
    return (Column("", level), *(Column("", room) for room in wanted))


def service_rows(services: Sequence[ServiceSummary], opened: Collection[Hashable], width: int) -> list[Row]:
    """Return one row per service and, below an unfolded one, its actions by level."""
    rows: list[Row] = []
    columns = _columns(width, [each for each in services if (each.effect, each.service) in opened])
    sections = {_section(service) for service in services}
    section = None
    for service in services:
        if len(sections) > 1 and _section(service) != section:
            section = _section(service)
            rows.append(Row(("section", section), (styled(section, "strong"),), selectable=False))
        rows += _service(service, columns, width, opened=(service.effect, service.service) in opened)
    return rows


def unfolded(services: Sequence[ServiceSummary], room: int) -> set[tuple[str, str]]:
    """Return the first services that fit unfolded into this number of rows, as (effect, service) pairs."""
    found: set[tuple[str, str]] = set()
    # Section titles, and one row per service.
    left = room - 2 * len({_section(service) for service in services}) - len(services)
    left -= sum(len(service.warnings) for service in services)
    for service in services:
        # Use the counts: listing the actions would build them.
        actions = sum(count.granted for count in service.levels.values())
        if actions <= left:
            left -= actions
            found.add((service.effect, service.service))
    return found


def _section(service: ServiceSummary) -> str:
    if not service.recognised:
        return "Uncategorized services"
    return "Explicit deny" if service.effect == "Deny" else "Allow"


def _service(service: ServiceSummary, columns: Sequence[Column], width: int, *, opened: bool) -> list[Row]:
    key = (service.effect, service.service)
    style: Style = "bad" if service.effect == "Deny" else "strong"
    head: Styled = (("▾ " if opened else "▸ ", "muted"), (f"{clean_line(service.service)}  ", style))
    words: Styled = (*access(service), *(() if opened else scope(service)))
    indent = min(cell_len(plain(head)), 12)
    first, *more = wrap(words, max(width - cell_len(plain(head)), 20))
    rows = [Row(key, ((*head, *first),), service)]
    rows += [
        Row((key, "more", index), (((" " * indent, ""), *line),), selectable=False) for index, line in enumerate(more)
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

    A condition that is wider than its column stands below, across all columns but the first.
    """
    title = styled(f"  {_short(level)}", level_style(level) if level else "")
    name, where, condition = _cells(action)
    below = cell_len(plain(condition)) > columns[3].width
    cells = (title, name, where, () if below else condition)
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
        for index, line_below in enumerate(wrap(condition, max(width - indent, MIN_WIDTHS[2]))):
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


def scope(service: ServiceSummary) -> Styled:
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


def access(service: ServiceSummary) -> Styled:
    """Return a service's access levels, with counts for limited ones."""
    full, separator, limited = service.access.partition("Limited: ")
    if not separator:
        return styled(service.access or "unknown to the reference", "" if service.access else "muted")
    words: list[tuple[str, Style]] = [(f"{full.strip()} · " if full else "", "")]
    for index, level in enumerate(limited.split(", ")):
        count = service.levels.get(level)
        words.append((" · " if index else "", "muted"))
        words.append((level, level_style(level) if level != "List" else ""))
        if count:
            words.append((f" {count.granted}/{count.total}", "muted"))
    return tuple(words)


def grants_short(grants: Sequence[Grant]) -> tuple[str, str]:
    """Return resources and conditions of grants in short, without duplicates: `network-interface`, `if RequestTag/Name`."""
    where: dict[str, None] = {}
    conditions: dict[str, None] = {}
    free = False
    for grant in grants:
        words = [short_resource(each) for each in grant.resources]
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


def short_resource(resource: str) -> str:
    """Return a resource in short: `network-interface` for `arn:aws:ec2:*:*:network-interface/*`, `all` for `*`."""
    resource = clean_line(resource)
    if resource == "*":
        return "all"
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return resource
    name = parts[5].removesuffix("/*").removesuffix(":*")
    return f"all of {parts[2]}" if name in ("*", "") else name


def _key(key: str) -> str:
    """Return a condition key without `aws:`."""
    return clean_line(key.removeprefix("aws:"))


def action_line(action: ActionSummary) -> Styled:
    """Return the details of an action: all its grants."""
    from ekstui.present.rendering import styled_line

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
