"""The matrix of services and access levels as rows: numbers where there is room for them, else a sign for each policy."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ekstui.core.matrix import MATRIX_LEVELS, Extent, MatrixAction, MatrixCell, MatrixRow, extent
from ekstui.core.text import clean_line
from ekstui.core.where import PolicyAt
from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.permissions import LEVEL_TONES

LETTERS = "ABCD"
"""What the policies are called in the cells."""

_SHORT = {"Permissions management": "Perms", "Tagging": "Tag", "unknown": "Other"}
_SIGNS: dict[Extent, tuple[str, Tone]] = {
    "all": ("●", "strong"), "some": ("○", ""), "denied": ("×", "bad"), "none": ("·", "muted"),
}  # fmt: skip
_SERVICE = 16
"""The fewest columns for the name of a service."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the cells are written."""

    levels: tuple[str, ...]
    numbers: bool
    """Whether there is room for numbers, and they are wanted."""
    digits: dict[str, tuple[int, int]]
    """By level, how wide a policy's number and the total are."""
    columns: tuple[Column, ...]


def layout(rows: Sequence[MatrixRow], policies: int, width: int, *, signs: bool) -> Layout:
    """Return how the rows are written in `width` columns; with `signs` without numbers even where there is room."""
    levels = tuple(level for level in MATRIX_LEVELS if any(level in row.cells for row in rows))
    digits = {level: _digits([row.cells[level] for row in rows if level in row.cells]) for level in levels}
    room = width - _SERVICE - len(levels)
    cells = [_width(digits[level], policies) for level in levels]
    titles = [_SHORT.get(level, level) for level in levels]
    numbers = not signs and sum(map(max, cells, map(len, titles))) <= room
    if not numbers:
        # A sign a policy, and perhaps an exclamation mark.
        cells = [policies + 1 for _ in levels]
    if sum(map(max, cells, map(len, levels))) <= room:
        titles = list(levels)
    columns = (
        Column("Service", _SERVICE, share=2, middle=True),
        *(Column(title, max(cell, len(title)), share=1) for title, cell in zip(titles, cells, strict=True)),
    )
    return Layout(levels, numbers, digits, columns)


def matrix_rows(
    rows: Sequence[MatrixRow],
    places: Sequence[PolicyAt],
    opened: Collection[str],
    form: Layout,
    width: int,
    whole: Sequence[MatrixRow],
) -> list[Row]:
    """Return what the signs mean, then a row a service, and under an opened one its actions by level.

    `whole` has the services that a filter leaves out too: what is said of a policy is of all of it.
    """
    found = _legend(whole, places, form, width, actions=any(row.service in opened for row in rows))
    for row in rows:
        is_open = row.service in opened
        name: Styled = (("▾ " if is_open else "▸ ", "muted"), (clean_line(row.service), "strong"))
        cells = (_cell(row.cells.get(level), form, level) for level in form.levels)
        found.append(Row(("service", row.service), (name, *cells), row))
        if is_open:
            found += _actions(row, len(places), width)
    return found


def _legend(
    rows: Sequence[MatrixRow], places: Sequence[PolicyAt], form: Layout, width: int, *, actions: bool
) -> list[Row]:
    lines: list[Styled] = []
    for index, place in enumerate(places):
        letter = f"{LETTERS[index]} " if len(places) > 1 else ""
        given = [sum(cell.given[index] for cell in row.cells.values()) for row in rows]
        counts = f"  {_counted(sum(given), 'action')} of {_counted(sum(map(bool, given)), 'service')}"
        lines.append(((letter, "accent"), (clean_line(str(place)), "strong"), (counts, "muted")))
    if form.numbers:
        words = "Actions given of all that there are" + (", a number a policy" if len(places) > 1 else "")
    else:
        words = "● all, ○ some, · none of the actions" + (", a sign a policy" if len(places) > 1 else "")
    if any(any(cell.denied) for row in rows for cell in row.cells.values()):
        words += "; ! denied in part by the policy itself"
    lines += wrap(styled(words, "muted"), width)
    if actions:
        lines += wrap(styled("An action: ● unlimited, ○ limited, × denied, · not given", "muted"), width)
    return [Row(("legend", index), (line,), selectable=False) for index, line in enumerate(lines)]


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _cell(cell: MatrixCell | None, form: Layout, level: str) -> Styled:
    if cell is None:
        return styled("")
    pieces: list[tuple[str, Tone]] = []
    denied: Styled = (("!", "bad"),) if any(cell.denied) else ()
    if not form.numbers:
        signs: list[Extent] = ["none" if not n else "all" if n == cell.total else "some" for n in cell.given]
        return (*(_SIGNS[sign] for sign in signs), *denied)
    if not any(cell.given) and not denied:
        # A total beside nothing would hide where something is given.
        return styled(" ".join("·".rjust(form.digits[level][0]) for _ in cell.given), "muted")
    for index, given in enumerate(cell.given):
        text = (str(given) if given else "·").rjust(form.digits[level][0])
        tone: Tone = "muted" if not given else "accent" if cell.differs else "strong" if given == cell.total else ""
        pieces.append((f"{' ' if index else ''}{text}", tone))
    if cell.total:
        pieces.append((f"{' ' if len(cell.given) > 1 else ''}/{cell.total}", "muted"))
    return (*pieces, *denied)


def _actions(row: MatrixRow, policies: int, width: int) -> list[Row]:
    rows: list[Row] = []
    names = [clean_line(action.action.partition(":")[2]) for action in row.actions]
    room = max(min(max(map(len, names)), width - 10 - 4 * policies), 8)
    level = None
    for name, action in zip(names, row.actions, strict=True):
        if action.level != level:
            level = action.level
            heading = styled(f"    {level}", LEVEL_TONES.get(level, ""))
            rows.append(Row((row.service, level), (heading,), selectable=False))
        fitting = name if len(name) <= room else name[: room - 1] + "…"
        pieces: list[tuple[str, Tone]] = [(f"      {fitting.ljust(room)}", "")]
        for index, each in enumerate(action.given):
            pieces += [(f"  {LETTERS[index]}" if policies > 1 else " ", "muted"), _SIGNS[extent(each)]]
        if policies == 1:
            pieces.append((_limits(action), "muted"))
        value = next(each for each in action.given if each)
        rows.append(Row(("action", row.service, action.action), (tuple(pieces),), value))
    return rows


def _limits(action: MatrixAction) -> str:
    """Return on what and under which condition the only policy gives an action, in the console's words."""
    (given,) = action.given
    if given is None or extent(given) == "all":
        return ""
    condition = "" if given.condition == "None" else f" if {given.condition}"
    denied = f"  denied: {given.denied}" if given.denied else ""
    return clean_line(f"  {given.resource}{condition}{denied}")


def _digits(cells: Sequence[MatrixCell]) -> tuple[int, int]:
    return len(str(max(max(cell.given) for cell in cells))), len(str(max(cell.total for cell in cells)))


def _width(digits: tuple[int, int], policies: int) -> int:
    given, total = digits
    # A space behind each number, or none behind the only one, a slash before the total, perhaps an exclamation mark.
    return policies * (given + 1) + total + 2
