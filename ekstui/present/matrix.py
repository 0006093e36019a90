"""Several policies as a matrix: services by access level, and how much of each a policy allows."""

from collections.abc import Collection, Hashable, Sequence

from ekstui.iam.access_levels import MATRIX_LEVELS, MatrixAction, MatrixCell, MatrixRow, extent
from ekstui.iam.text import counted
from ekstui.library.notation import PolicyAt
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Sentence,
    Span,
    Table,
    TableRow,
    joined,
    level_style,
    muted,
    spans,
)
from ekstui.present.styled import Style

LETTERS = "ABCD"
"""The names of the policies in the cells."""

_SHORT_LEVELS = {"Permissions management": "Perms", "Tagging": "Tag", "unknown": "Other"}

_SIGNS: dict[str, Span] = {
    "all": Span("●", "strong"), "some": Span("○"), "denied": Span("×", "bad"), "none": Span("·", "muted"),
}  # fmt: skip

_SERVICE_WIDTH = 16
"""The minimum width of a service's name, in columns."""


class _Layout(NamedTuple):
    digits: dict[str, int]
    """The width of a policy's number, by level."""
    numbers: bool
    """Whether cells show numbers: if wanted, and if there is room."""
    columns: tuple[Column, ...]


def _layout(rows: Sequence[MatrixRow], policies: int, width: int, *, signs: bool) -> _Layout:
    """Return how to lay out the rows in `width` columns; `signs` asks for symbols even if there is room for numbers."""
    by_level = {level: [row.cells[level] for row in rows if level in row.cells] for level in MATRIX_LEVELS}
    cells_by_level = {level: cells for level, cells in by_level.items() if cells}
    digits = {level: len(str(max(max(cell.granted) for cell in cells))) for level, cells in cells_by_level.items()}
    totals = [len(str(max(cell.total for cell in cells))) for cells in cells_by_level.values()]
    room = width - _SERVICE_WIDTH - len(cells_by_level)
    # A space after each number (none after a single one), a slash before the total, perhaps an exclamation mark.
    cells = [policies * (digits_of + 1) + total + 2 for digits_of, total in zip(digits.values(), totals, strict=True)]
    titles = [_SHORT_LEVELS.get(level, level) for level in cells_by_level]
    numbers = not signs and sum(map(max, cells, map(len, titles))) <= room
    if not numbers:
        # One symbol per policy, and perhaps an exclamation mark.
        cells = [policies + 1 for _ in cells_by_level]
    if sum(map(max, cells, map(len, cells_by_level))) <= room:
        titles = list(cells_by_level)
    columns = (
        Column("Service", _SERVICE_WIDTH, share=2, names=True),
        *(Column(title, max(cell, len(title)), share=1) for title, cell in zip(titles, cells, strict=True)),
    )
    return _Layout(digits, numbers, columns)


NO_ACTION_ROWS = "No action is allowed."


def matrix_blocks(
    rows: Sequence[MatrixRow],
    places: Sequence[PolicyAt],
    width: int,
    *,
    filtered_rows: Sequence[MatrixRow] | None = None,
    open_services: Collection[Hashable] = (),
    signs: bool = False,
) -> tuple[list[Block], Table]:
    """Return services by access level: a heading with a legend, and a table (of those `filtered_rows`).

    A cell has numbers if there is room for them and `signs` does not ask for symbols. An opened service is followed by
    its actions by level.
    """
    block = rows if filtered_rows is None else filtered_rows
    form = _layout(block, len(places), width, signs=signs)
    legend = _legend(rows, places, numbers=form.numbers, actions=any(row.service in open_services for row in block))
    lines: list[TableRow] = []
    for row in block:
        is_open = row.service in open_services
        name = (Span("▾ " if is_open else "▸ ", "muted", media="app"), Span(row.service, "strong"))
        cells = (_matrix_cell(row.cells.get(level), form, digits) for level, digits in form.digits.items())
        lines.append(TableRow((name, *cells), row, ("service", row.service)))
        if is_open:
            lines += _action_rows(row, len(places), width)
    return [Heading(", ".join(map(str, places)), 1), *legend], Table(form.columns, lines)


def _legend(rows: Sequence[MatrixRow], places: Sequence[PolicyAt], *, numbers: bool, actions: bool) -> list[Block]:
    """Return how much each policy allows, and what the symbols mean; `rows` are all rows, without a filter."""
    blocks: list[Block] = []
    for index, place in enumerate(places):
        letter = f"{LETTERS[index]} " if len(places) > 1 else ""
        totals = [sum(cell.granted[index] for cell in row.cells.values()) for row in rows]
        counts = f"  {counted(sum(totals), 'action')} of {counted(sum(map(bool, totals)), 'service')}"
        blocks.append(Sentence((Span(letter, "strong"), Span(str(place), "strong"), Span(counts, "muted"))))
    if numbers:
        words = "Actions allowed of all that exist"
        if len(places) > 1:
            words = f"{' '.join(LETTERS[: len(places)])} /all: how many actions each policy allows, and how many exist"
    else:
        words = "● all, ○ some, · none of the actions" + (", one symbol per policy" if len(places) > 1 else "")
    if any(any(cell.denied) for row in rows for cell in row.cells.values()):
        words += "; ! partly denied by the policy itself"
    blocks.append(muted(words))
    if actions:
        blocks.append(muted("An action: ● unlimited, ○ limited, × denied, · not allowed"))
    return blocks


def _matrix_cell(cell: MatrixCell | None, form: _Layout, digits: int) -> tuple[Span, ...]:
    if cell is None:
        return ()
    deny_sign = (Span("!", "bad"),) if any(cell.denied) else ()
    if not form.numbers:
        signs = ("none" if not count else "all" if count == cell.total else "some" for count in cell.granted)
        return (*(_SIGNS[sign] for sign in signs), *deny_sign)
    if not any(cell.granted) and not deny_sign:
        # A total beside nothing would distract from cells with something.
        return (Span(" ".join("·".rjust(digits) for _ in cell.granted), "muted"),)
    numbers = joined(
        " ", [Span((str(count) if count else "·").rjust(digits), _number_style(count, cell)) for count in cell.granted]
    )
    total = Span(f"{' ' if len(cell.granted) > 1 else ''}/{cell.total}", "muted")
    return (*spans(numbers), *((total,) if cell.total else ()), *deny_sign)


def _number_style(count: int, cell: MatrixCell) -> Style:
    """Return the style of a number, which stands out if the policies differ, then if all actions are allowed."""
    if not count:
        return "muted"
    if cell.differs:
        return "accent"
    return "strong" if count == cell.total else ""


def _action_rows(row: MatrixRow, policies: int, width: int) -> list[TableRow]:
    rows: list[TableRow] = []
    names = [action.action.partition(":")[2] for action in row.actions]
    room = max(min(max(map(len, names)), width - 10 - 4 * policies), 8)
    level = None
    for name, action in zip(names, row.actions, strict=True):
        if action.level != level:
            level = action.level
            rows.append(TableRow((Span(f"    {level}", level_style(level)),)))
        shown_name = name if len(name) <= room else name[: room - 1] + "…"
        pieces = [Span(f"      {shown_name.ljust(room)}")]
        for index, summary in enumerate(action.by_policy):
            pieces += [Span(f"  {LETTERS[index]}" if policies > 1 else " ", "muted"), _SIGNS[extent(summary)]]
        if policies == 1:
            pieces.append(Span(_limits(action), "muted"))
        value = next(summary for summary in action.by_policy if summary)
        rows.append(TableRow((tuple(pieces),), value, ("action", row.service, action.action)))
    return rows


def _limits(action: MatrixAction) -> str:
    """Return the resources and condition under which a single policy allows an action, in the console's words."""
    (summary,) = action.by_policy
    if summary is None or extent(summary) == "all":
        return ""
    condition = "" if summary.condition == "None" else f"  condition: {summary.conditioned.words(summary.condition)}"
    denial = f"  denied: {summary.denied}" if summary.denied else ""
    return f"  {summary.resource}{condition}{denial}"
