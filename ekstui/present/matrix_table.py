"""The matrix of services and access levels: numbers if there is room for them, else a symbol for each policy."""

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple

from ekstui.core.access_levels import MATRIX_LEVELS, Extent, MatrixAction, MatrixCell, MatrixRow, extent
from ekstui.core.notation import PolicyAt
from ekstui.core.text import counted
from ekstui.present.blocks import Block, Column, Heading, Sentence, Span, Table, TableRow, joined, level_style, spans
from ekstui.present.styled import Style

LETTERS = "ABCD"
"""The names of the policies in the cells."""

_SHORT = {"Permissions management": "Perms", "Tagging": "Tag", "unknown": "Other"}
_SIGNS: dict[Extent, Span] = {
    "all": Span("●", "strong"), "some": Span("○"), "denied": Span("×", "bad"), "none": Span("·", "muted"),
}  # fmt: skip
_SERVICE = 16
"""The minimum width of a service's name, in columns."""


class Layout(NamedTuple):
    """How the cells are laid out."""

    levels: tuple[str, ...]
    numbers: bool
    """Whether cells show numbers: if wanted, and if there is room."""
    digits: dict[str, tuple[int, int]]
    """The width of a policy's number and of the total, by level."""
    columns: tuple[Column, ...]


def layout(rows: Sequence[MatrixRow], policies: int, width: int, *, signs: bool) -> Layout:
    """Return how to lay out the rows in `width` columns; `signs` asks for symbols even if there is room for numbers."""
    levels = tuple(level for level in MATRIX_LEVELS if any(level in row.cells for row in rows))
    digits = {level: _digits([row.cells[level] for row in rows if level in row.cells]) for level in levels}
    room = width - _SERVICE - len(levels)
    cells = [_width(digits[level], policies) for level in levels]
    titles = [_SHORT.get(level, level) for level in levels]
    numbers = not signs and sum(map(max, cells, map(len, titles))) <= room
    if not numbers:
        # One symbol per policy, and perhaps an exclamation mark.
        cells = [policies + 1 for _ in levels]
    if sum(map(max, cells, map(len, levels))) <= room:
        titles = list(levels)
    columns = (
        Column("Service", _SERVICE, share=2, middle=True),
        *(Column(title, max(cell, len(title)), share=1) for title, cell in zip(titles, cells, strict=True)),
    )
    return Layout(levels, numbers, digits, columns)


def matrix_blocks(places: Sequence[PolicyAt], rows: Sequence[MatrixRow], width: int) -> list[Block]:
    """Return the whole matrix without its actions."""
    form = layout(rows, len(places), width, signs=False)
    return [
        Heading(", ".join(map(str, places)), 1),
        *legend_blocks(rows, places, numbers=form.numbers, actions=False),
        matrix_table(rows, places, (), form, width),
    ]


def matrix_table(
    rows: Sequence[MatrixRow], places: Sequence[PolicyAt], opened: Collection[Hashable], form: Layout, width: int
) -> Table:
    """Return one row per service, an opened one followed by its actions by level."""
    found: list[TableRow] = []
    for row in rows:
        is_open = row.service in opened
        name = (Span("▾ " if is_open else "▸ ", "muted", shown="app"), Span(row.service, "strong"))
        cells = (_cell(row.cells.get(level), form, level) for level in form.levels)
        found.append(TableRow((name, *cells), row, ("service", row.service)))
        if is_open:
            found += _actions(row, len(places), width)
    return Table(form.columns, found)


def legend_blocks(
    rows: Sequence[MatrixRow], places: Sequence[PolicyAt], *, numbers: bool, actions: bool
) -> list[Block]:
    """Return how much each policy allows, and what the symbols mean; `rows` are all rows, without a filter."""
    blocks: list[Block] = []
    for index, place in enumerate(places):
        letter = f"{LETTERS[index]} " if len(places) > 1 else ""
        given = [sum(cell.given[index] for cell in row.cells.values()) for row in rows]
        counts = f"  {counted(sum(given), 'action')} of {counted(sum(map(bool, given)), 'service')}"
        line = (Span(letter, "accent"), Span(str(place), "strong"), Span(counts, "muted"))
        blocks.append(Sentence(line, key=("legend", index)))
    if numbers:
        words = "Actions allowed of all that exist"
        if len(places) > 1:
            words = f"{' '.join(LETTERS[: len(places)])} /all: how many actions each policy allows, and how many exist"
    else:
        words = "● all, ○ some, · none of the actions" + (", one symbol per policy" if len(places) > 1 else "")
    if any(any(cell.denied) for row in rows for cell in row.cells.values()):
        words += "; ! partly denied by the policy itself"
    blocks.append(Sentence(Span(words, "muted"), key=("legend", "cells")))
    if actions:
        words = "An action: ● unlimited, ○ limited, × denied, · not allowed"
        blocks.append(Sentence(Span(words, "muted"), key=("legend", "actions")))
    return blocks


def _cell(cell: MatrixCell | None, form: Layout, level: str) -> tuple[Span, ...]:
    if cell is None:
        return ()
    denied = (Span("!", "bad"),) if any(cell.denied) else ()
    digits, _ = form.digits[level]
    if not form.numbers:
        return (*(_SIGNS[_sign(given, cell.total)] for given in cell.given), *denied)
    if not any(cell.given) and not denied:
        # A total beside nothing would distract from cells with something.
        return (Span(" ".join("·".rjust(digits) for _ in cell.given), "muted"),)
    numbers = joined(
        " ", [Span((str(given) if given else "·").rjust(digits), _style(given, cell)) for given in cell.given]
    )
    total = Span(f"{' ' if len(cell.given) > 1 else ''}/{cell.total}", "muted")
    return (*spans(numbers), *((total,) if cell.total else ()), *denied)


def _sign(given: int, total: int) -> Extent:
    return "none" if not given else "all" if given == total else "some"


def _style(given: int, cell: MatrixCell) -> Style:
    """Return the style of a number, which stands out if the policies differ, then if all actions are allowed."""
    if not given:
        return "muted"
    if cell.differs:
        return "accent"
    return "strong" if given == cell.total else ""


def _actions(row: MatrixRow, policies: int, width: int) -> list[TableRow]:
    rows: list[TableRow] = []
    names = [action.action.partition(":")[2] for action in row.actions]
    room = max(min(max(map(len, names)), width - 10 - 4 * policies), 8)
    level = None
    for name, action in zip(names, row.actions, strict=True):
        if action.level != level:
            level = action.level
            rows.append(TableRow((Span(f"    {level}", level_style(level)),), key=(row.service, level)))
        fitting = name if len(name) <= room else name[: room - 1] + "…"
        spans = [Span(f"      {fitting.ljust(room)}")]
        for index, each in enumerate(action.given):
            spans += [Span(f"  {LETTERS[index]}" if policies > 1 else " ", "muted"), _SIGNS[extent(each)]]
        if policies == 1:
            spans.append(Span(_limits(action), "muted"))
        value = next(each for each in action.given if each)
        rows.append(TableRow((tuple(spans),), value, ("action", row.service, action.action)))
    return rows


def _limits(action: MatrixAction) -> str:
    """Return the resources and condition under which a single policy allows an action, in the console's words."""
    (given,) = action.given
    if given is None or extent(given) == "all":
        return ""
    condition = "" if given.condition == "None" else f"  condition: {given.conditioned.words(given.condition)}"
    denied = f"  denied: {given.denied}" if given.denied else ""
    return f"  {given.resource}{condition}{denied}"


def _digits(cells: Sequence[MatrixCell]) -> tuple[int, int]:
    return len(str(max(max(cell.given) for cell in cells))), len(str(max(cell.total for cell in cells)))


def _width(digits: tuple[int, int], policies: int) -> int:
    given, total = digits
    # A space after each number (none after a single one), a slash before the total, perhaps an exclamation mark.
    return policies * (given + 1) + total + 2
