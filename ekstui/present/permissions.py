"""What a document permits, a row for each service and action: laid out once for the pane, the command and Markdown."""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from itertools import zip_longest

from ekstui.iam.console import LevelCount
from ekstui.iam.reference import LEVELS
from ekstui.iam.summary import ActionSummary, ServiceSummary, too_large_to_list
from ekstui.iam.text import clean_line
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Span,
    Table,
    TableRow,
    code,
    grant_line,
    level_style,
    note,
)
from ekstui.present.grants_in_short import ALL, conditions_in_short, key_in_short, resource_in_short, resources_in_short
from ekstui.present.rendering import styled_line
from ekstui.present.styled import Row, Style, Styled, cells, cut_end, plain, styled, wrap

EIGHTHS = "▏▎▍▌▋▊▉█"

SHORT_LEVELS = {"Tagging": "Tag", "Permissions management": "Perm"}
"""The levels whose names are shortened in columns."""


def bar(count: int, total: int) -> str:
    """Return a share as one cell: at least an eighth if any is granted, and whole only if all is."""
    if not count:
        return ""
    eighths = round(len(EIGHTHS) * count / total)
    return EIGHTHS[min(max(eighths, 1), len(EIGHTHS) - (count < total)) - 1]


def share(level: str, count: LevelCount | None) -> Styled:
    """Return a bar and a count, such as `▏14/224`; nothing if none is granted."""
    if count is None or not count.granted:
        return ()
    style: Style = "" if level == "List" else level_style(level)
    if not count.total:  # of actions that the reference lacks, how many there are is not known
        return ((str(count.granted), "muted"),)
    return (bar(count.granted, count.total), style), (f"{count.granted}/{count.total}", "muted")


def _shares(service: ServiceSummary, levels: Sequence[str]) -> list[Styled]:
    return [share(level, service.levels.get(level)) for level in levels]


def granted_levels(services: Sequence[ServiceSummary]) -> list[str]:
    """Return the access levels of which any service has something, in the console's order."""
    granted_levels_of_any = {level for service in services for level, count in service.levels.items() if count.granted}
    levels_in_order = dict.fromkeys(level for service in services for level in service.levels)
    return [
        level
        for level in (*LEVELS, *(level for level in levels_in_order if level not in LEVELS))
        if level in granted_levels_of_any
    ]


def _title(service: ServiceSummary) -> str:
    return service.service if service.effect == "Allow" else f"{service.service} (deny)"


def _service_style(service: ServiceSummary) -> Style:
    return "bad" if service.effect == "Deny" else ""


def _access_words(service: ServiceSummary) -> str:
    return service.access or "unknown to the reference"


def _remarks(action: ActionSummary) -> Styled:
    if len(action.levels) == 1 and not action.denied and not action.warnings:
        return ()  # as most
    remarks: list[tuple[str, Style]] = []
    if len(action.levels) > 1:
        remarks.append((f"also {' and '.join(action.levels[1:])}", "muted"))
    if action.denied:
        remarks.append((f"denied: {action.denied}", "bad"))
    return (*remarks, *((f"! {clean_line(warning)}", "warn") for warning in action.warnings))


_ACCESS = Column("Access level", 24, shrink=1)
_SCOPE = (Column("Resource", 14, shrink=1), Column("Condition", 14, shrink=1))
_ACTIONS = (Column(""), Column(""), Column("", 12, shrink=1), Column("", 12, shrink=1), Column("", 12, shrink=2))


def services_table(services: Sequence[ServiceSummary]) -> Table:
    """Return a row per service: what it has of each level, its resource and condition, in the console's words."""
    levels = granted_levels(services)
    titles = [Column(SHORT_LEVELS.get(level, level)) for level in levels] or [_ACCESS]
    rows = []
    for service in services:
        shares: list[Line] = [tuple(Span(*piece) for piece in pieces) for pieces in _shares(service, levels)]
        if not any(shares):
            shares[:1] = [_access_words(service)]
        condition = service.conditioned.words(service.condition)
        title = Span(_title(service), _service_style(service))
        rows.append(TableRow((title, *shares, code(service.resource), code(condition))))
    return Table((Column("Service"), *titles, *_SCOPE), rows)


def services_blocks(services: Sequence[ServiceSummary]) -> list[Block]:
    """Return the services without their actions, and below them what to beware of in each."""
    warnings = [note(f"{_title(service)}: {warning}") for service in services for warning in service.warnings]
    return [services_table(services), *warnings]


def actions_blocks(services: Sequence[ServiceSummary], reasons: Mapping[str, str]) -> list[Block]:
    """Return each service's actions and why it is needed, by prefix; of too large a document, only that it is."""
    too_large = too_large_to_list(services)
    if too_large is not None:
        return [note(f"{too_large}.")]
    blocks: list[Block] = []
    for service in services:
        reason = reasons.get(service.service)
        blocks.append(Heading(f"{_title(service)}: {reason}" if reason else _title(service)))
        blocks += [note(warning) for warning in service.warnings]
        blocks.append(Table(_ACTIONS, list(map(_table_row, service.actions))))
    return blocks


def _table_row(action: ActionSummary) -> TableRow:
    remarks = [piece for remark in _remarks(action) for piece in ("; ", Span(*remark))]
    condition = action.conditioned.words(action.condition)
    return TableRow((code(action.action), action.level, action.resource, condition, tuple(remarks[1:])))


_MARK = "▸ "
"""What a service begins with, folded."""

IF = "  if"

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
    texts = list(map(_texts, actions))
    widths = [max((cells(plain(row[index])) for row in texts), default=0) for index in range(3)]
    level = max((len(_short(action.level)) for action in actions), default=4) + 2
    if level + sum(widths) + sum(map(bool, widths)) > width:
        remaining = width - level - widths[0] - min(widths[1], RESOURCE_FIRST) - 3
        widths[2] = min(widths[2], remaining) if remaining >= MIN_WIDTHS[2] else 0
    # The name shrinks last: other resources than all go below.
    for index, least in ((1, MIN_WIDTHS[1]), (1, len(ALL)), (0, MIN_WIDTHS[0])):
        over = level + sum(widths) + sum(map(bool, widths)) - width
        widths[index] -= max(min(over, widths[index] - least), 0)
    return (Column("", level), *(Column("", room) for room in widths))


def permission_rows(services: Sequence[ServiceSummary], open_services: Collection[Hashable], width: int) -> list[Row]:
    """Return the rows of a pane: one per service and, below an unfolded one, its actions by level."""
    rows: list[Row] = []
    columns = _columns(width, [service for service in services if (service.effect, service.service) in open_services])
    titles, heads = _heads(services, width - len(_MARK))
    if titles:
        rows.append(Row("levels", (((" " * len(_MARK), ""), *titles),), selectable=False))
    sections = {_section(service) for service in services}
    section = None
    for service, head in zip(services, heads, strict=True):
        if len(sections) > 1 and _section(service) != section:
            section = _section(service)
            rows.append(Row(("section", section), (styled(section, "strong"),), selectable=False))
        rows += _service(service, head, columns, width, is_open=(service.effect, service.service) in open_services)
    return rows


def unfolded(services: Sequence[ServiceSummary], room: int) -> set[tuple[str, str]]:
    """Return the first services that fit unfolded into this number of rows, as (effect, service) pairs.

    If that leaves more than half of the rows empty, the smallest of the others is unfolded too, although it does not
    fit.
    """
    open_services: set[tuple[str, str]] = set()
    sections = {_section(service) for service in services}
    # The titles of columns and of sections, and one row per service.
    free_rows = room - 1 - (len(sections) if len(sections) > 1 else 0) - len(services)
    free_rows -= sum(len(service.warnings) for service in services)
    # Use the counts: listing the actions would build them.
    sizes = {
        (service.effect, service.service): sum(count.granted for count in service.levels.values())
        for service in services
    }
    for service, actions in sizes.items():
        if actions <= free_rows:
            free_rows -= actions
            open_services.add(service)
    if 2 * free_rows > room and (closed_services := sizes.keys() - open_services):
        open_services.add(min(closed_services, key=lambda service: (sizes[service], service)))
    return open_services


def _section(service: ServiceSummary) -> str:
    if not service.recognised:
        return "Uncategorized services"
    return "Explicit deny" if service.effect == "Deny" else "Allow"


def _heads(services: Sequence[ServiceSummary], width: int) -> tuple[Styled, list[Styled]]:
    """Return the columns' titles, if any, and each service with its shares, its resource and its condition.

    The shares are in columns, which have titles where there is no room to name the level in each, or else one after the
    other. Where there is no room for the resource and the condition, `if` says that there is one.
    """
    levels_shown = granted_levels(services)
    levels = [SHORT_LEVELS.get(level, level) for level in levels_shown]
    counts = [_shares(service, levels_shown) for service in services]
    parts_with_levels = [
        [((f"{level} ", ""), *part) if part else part for level, part in zip(levels, shares, strict=True)]
        for shares in counts
    ]
    titles = [styled(level, "muted") for level in levels]
    names = max((cells(clean_line(service.service)) for service in services), default=0)
    for parts, head in ((parts_with_levels, ()), (counts, titles)):
        rooms = [max(cells(plain(line[index])) for line in (*parts, head) if line) for index in range(len(levels))]
        for gap in (2, 1):
            room = width - len(IF) - sum(rooms) - gap * len(rooms)
            if room >= min(names, MIN_NAME):
                starts = [min(names, room) + gap + sum(rooms[:index]) + gap * index for index in range(len(rooms))]
                lines = [_in_columns(of, line, starts, width) for of, line in zip(services, parts, strict=True)]
                return _columns_line((), head, starts), lines
    return (), [
        _with_scope(of, _flowing(of, line), width) for of, line in zip(services, parts_with_levels, strict=True)
    ]


def _in_columns(service: ServiceSummary, shares: Sequence[Styled], starts: Sequence[int], width: int) -> Styled:
    if not any(map(plain, shares)):
        return _flowing(service, shares)
    return _with_scope(service, _columns_line(_name(service), shares, starts), width)


def _columns_line(name: Styled, shares: Sequence[Styled], starts: Sequence[int]) -> Styled:
    """Return shares where their columns start, after a name that is cut if need be; nothing if there are none."""
    if not shares:
        return ()
    line = [*cut_end(name, starts[0] - 1)]
    position = cells(plain(tuple(line)))
    for part, start in zip(shares, starts, strict=True):
        if plain(part):
            line += [(" " * (start - position), ""), *part]
            position = start + cells(plain(part))
    return tuple(line)


def _flowing(service: ServiceSummary, shares: Sequence[Styled]) -> Styled:
    """Return a service with one share after the other; without any, what is known of its access."""
    parts = [part for part in shares if plain(part)] or [styled(_access_words(service), "muted")]
    return (*_name(service), *(piece for part in parts for piece in (("  ", ""), *part)))


def _name(service: ServiceSummary) -> Styled:
    return styled(clean_line(service.service), _service_style(service) or "strong")


def _with_scope(service: ServiceSummary, line: Styled, width: int) -> Styled:
    """Return the line with its service's resource and condition if there is room, else `if` if there is a condition."""
    on, condition = service.resource, _condition(service, in_full=False)
    resource: Styled = ()
    if on not in ("", "All resources", "Multiple"):
        resource = ((f"  on {resource_in_short(on)}", "muted"),)
    whole_line: Styled = (*line, *resource, *(((f"  {condition}", "warn"),) if condition else ()))
    if cells(plain(whole_line)) <= width:
        return whole_line
    return (*line, (IF, "warn")) if condition else line


def _service(
    service: ServiceSummary, head: Styled, columns: Sequence[Column], width: int, *, is_open: bool
) -> list[Row]:
    key = (service.effect, service.service)
    first, *further_lines = wrap(head, max(width - len(_MARK), 20), max(width - WRAPPED, 20))
    rows = [Row(key, ((("▾ " if is_open else "▸ ", "muted"), *first),), service)]
    rows += [
        Row((key, "more", index), (((" " * WRAPPED, ""), *line),), selectable=False)
        for index, line in enumerate(further_lines)
    ]
    rows += [
        Row((key, "warning", text, part), (((("  ! " if not part else "    "), "warn"), *line),), selectable=False)
        for text in service.warnings
        for part, line in enumerate(wrap(styled(clean_line(text), "warn"), max(width - 4, 20)))
    ]
    if not is_open:
        return rows
    level = None
    for action in service.actions:
        rows += _action(action, key, columns, width, level=action.level if action.level != level else "")
        level = action.level
    return rows


def _action(
    action: ActionSummary, key: object, columns: Sequence[Column], width: int, *, level: str = ""
) -> Iterator[Row]:
    """Yield an action as level, name, resource and condition; long cells continue on further rows.

    A condition that is wider than its column stands below, across all columns but the first; so do resources for which
    their column is too narrow to be read.
    """
    title = styled(f"  {_short(level)}", level_style(level) if level else "")
    name, resources, condition = _texts(action)
    lines_below: Styled = ()
    if cells(plain(resources)) > columns[2].width < MIN_WIDTHS[1]:
        resources, lines_below = (), (("on ", "muted"), *resources)
    if cells(plain(condition)) > columns[3].width:
        condition, lines_below = (), (*lines_below, (" " if lines_below else "", ""), *condition)
    texts = (title, name, resources, condition)
    wrapped_cells = [
        wrap(cell, column.width) if plain(cell) else [()] for cell, column in zip(texts, columns, strict=True)
    ]
    for part, beside in enumerate(zip_longest(*wrapped_cells, fillvalue=())):
        line: list[tuple[str, Style]] = []
        for cell, column in zip(beside, columns, strict=True):
            if column.width:
                line += [*cell, (" " * (column.width + 1 - cells(plain(cell))), "")]
        while line and not line[-1][0].strip():
            line.pop()
        row_key = (key, "action", action.action)
        yield Row((*row_key, part) if part else row_key, (tuple(line),), None if part else action, selectable=not part)
    if lines_below:
        indent = columns[0].width + 3
        for index, line_below in enumerate(wrap(lines_below, max(width - indent, MIN_WIDTHS[2]))):
            yield Row((key, "if", action.action, index), (((" " * indent, ""), *line_below),), selectable=False)


def _short(level: str) -> str:
    return level.removesuffix(" management")


def _texts(action: ActionSummary) -> tuple[Styled, Styled, Styled]:
    name: list[tuple[str, Style]] = [(clean_line(action.action.partition(":")[2]), "")]
    name += [(f" {remark}", style) for remark, style in _remarks(action)]
    resources, condition = ", ".join(resources_in_short(action.grants)), conditions_in_short(action.grants)
    return tuple(name), styled(resources), styled(condition, "warn")


def _condition(service: ServiceSummary, *, in_full: bool) -> str:
    """Return a service's condition and how many of its actions have it; in full if `in_full`, else only the key."""
    if service.condition in ("", "None"):
        return ""
    several = service.condition == "Multiple"
    word = service.condition if in_full or several else key_in_short(service.condition.split(" ")[0])
    words = service.conditioned.words(word)
    return clean_line(words if words != word else "several conditions" if several else f"if {word}")


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
    reason_words = f"  {clean_line(reason)}" if reason else ""
    condition = _condition(service, in_full=True)
    return (
        (clean_line(service.service), "strong"),
        (f"  {_access_words(service)} on {clean_line(service.resource)}{condition and f', {condition}'}", "muted"),
        (reason_words, ""),
    )
