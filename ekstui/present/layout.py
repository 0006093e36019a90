"""Lays blocks out in lines of a given width: what rows of the app and lines of a terminal have in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

from ekstui.core.text import clean_line
from ekstui.present.blocks import (
    Block,
    Code,
    Column,
    Heading,
    Line,
    Node,
    Place,
    Sentence,
    Table,
    TableRow,
    Tree,
    spans,
)
from ekstui.present.styled import Style, Styled, plain, styled
from ekstui.present.wrapping import cells, cut_end, cut_middle, wrap

STEP = "  "
"""What is below a heading or a node stands this much to the right of it."""

GAP = "  "
"""Between two columns."""

LEAST = 20
"""The fewest cells that words are broken for."""


class Laid(NamedTuple):
    """One line; only the first line of what has a value carries it."""

    key: Hashable
    line: Styled
    value: object = None


def lay_out(blocks: Sequence[Block], width: int, place: Place, *, whole_tables: bool = False) -> Iterator[Laid]:
    """Yield the lines of an answer; with `whole_tables` those of a table may be longer than `width`."""
    indent = ""
    previous: Block | None = None
    for index, block in enumerate(blocks):
        key: Hashable = index if isinstance(block, Table | Tree) or block.key is None else block.key
        if (
            isinstance(block, Table) != isinstance(previous, Table)
            and previous
            and not indent
            and not _is_section(block)
        ):
            yield Laid(("space", key), ())
        match block:
            case Heading():
                if not fitted(block.line, place) or (block.level == 1 and place == "app"):
                    continue
                if previous is not None:
                    yield Laid(("space", key), ())
                if block.level > 1:
                    indent = STEP
                line = styled_line(block.line, place, "strong")
                yield from _broken(key, line, width, "", STEP * 2, block.value)
            case Sentence(line, value):
                if not fitted(line, place):
                    continue
                yield from _broken(key, styled_line(line, place), width, indent, STEP if indent else "", value)
            case Table():
                yield from _table(block, key, indent, None if whole_tables else width, place)
            case Tree(nodes):
                folds = any(node.opened is not None for node in nodes)
                for number, node in enumerate(nodes):
                    yield from _node(node, (key, number), indent, width, place, folds)
            case Code(text, value=value):
                for number, part in enumerate(text.splitlines()):
                    line = styled(indent + clean_line(part))
                    yield Laid((key, number) if number else key, line, None if number else value)
        previous = block


def _is_section(block: Block) -> bool:
    return isinstance(block, Heading) and block.level > 1


def fitted(line: Line, place: Place) -> bool:
    """Return whether anything of a line is for this place."""
    return any(span.text and span.is_for(place) for span in spans(line))


def styled_line(line: Line, place: Place, style: Style = "") -> Styled:
    """Return the spans that are for this place, cleaned; a line that is one plain text gets the style."""
    if isinstance(line, str):
        return ((clean_line(line), style),)
    return tuple((clean_line(span.text), span.style) for span in spans(line) if span.is_for(place))


def _broken(key: Hashable, line: Styled, width: int, indent: str, hang: str, value: object = None) -> Iterator[Laid]:
    room = max(width - len(indent), LEAST)
    for number, part in enumerate(wrap(line, room, max(room - len(hang), LEAST))):
        if not number:
            yield Laid(key, _indented(indent, part), value)
        else:
            yield Laid((key, "line", number), _indented(indent + hang, part))


def _indented(indent: str, line: Styled) -> Styled:
    return ((indent, ""), *line) if indent else line


def _node(node: Node, path: tuple[Hashable, ...], indent: str, width: int, place: Place, folds: bool) -> Iterator[Laid]:
    if not fitted(node.line, place):
        return
    key = path if node.key is None else node.key
    mark: Styled = ()
    if place == "app" and folds:
        mark = ((STEP if node.opened is None else "▾ " if node.opened else "▸ ", "muted"),)
    # Below a node that cannot be folded its children stand apart from the rest of its own words.
    hang, deeper = (STEP * 2 if mark else STEP, STEP) if folds else (STEP, STEP * 2)
    yield from _broken(key, (*mark, *styled_line(node.line, place)), width, indent, hang, node.value)
    if node.opened is not False or place != "app":
        for number, child in enumerate(node.children):
            yield from _node(child, (*path, number), indent + deeper, width, place, folds)


def _table(table: Table, key: Hashable, indent: str, width: int | None, place: Place) -> Iterator[Laid]:
    rows = [(row, [styled_line(cell, place) for cell in row.cells]) for row in table.rows]
    if not rows:
        return
    lengths = column_widths(table.columns, [line for _, line in rows], None if width is None else width - len(indent))
    if any(column.title for column in table.columns):
        titles = [
            styled(column.title.upper() if place == "terminal" else column.title, "strong") for column in table.columns
        ]
        yield from _row(TableRow(()), titles, (key, "titles"), table.columns, lengths, indent, width)
    for number, (row, line) in enumerate(rows):
        own = (key, number) if row.key is None else row.key
        yield from _row(row, line, own, table.columns, lengths, indent, width)
        for place_below, below in enumerate(row.below):
            if fitted(below, place):
                deeper = indent + STEP * 2
                yield from _broken((own, place_below), styled_line(below, place), width or 80, deeper, STEP)


def _row(
    row: TableRow,
    line: Sequence[Styled],
    key: Hashable,
    columns: Sequence[Column],
    lengths: Sequence[int],
    indent: str,
    width: int | None,
) -> Iterator[Laid]:
    if len(line) == 1:
        yield from _broken(key, line[0], width or cells(plain(line[0])) + len(indent), indent, "", row.value)
        return
    broken = [_cell(cell, room, column) for cell, room, column in zip(line, lengths, columns, strict=False)]
    for number in range(max(map(len, broken))):
        pieces: list[tuple[str, Style]] = [(indent, "")] if indent else []
        for place, (parts, room, column) in enumerate(zip(broken, lengths, columns, strict=False)):
            part = parts[number] if number < len(parts) else ()
            spare = " " * (room - cells(plain(part)))
            last = place == len(broken) - 1
            pieces += [(spare, ""), *part] if column.right else [*part, ("" if last else spare, "")]
            if not last:
                pieces.append((GAP, ""))
        laid = _stripped(pieces)
        if width is not None:
            laid = cut_end(laid, width)
        yield Laid((key, "line", number) if number else key, laid, None if number else row.value)


def _cell(cell: Styled, room: int, column: Column) -> list[Styled]:
    if cells(plain(cell)) <= room:
        return [cell]
    return [cut_middle(cell, room)] if column.middle else wrap(cell, max(room, 1))


def _stripped(pieces: list[tuple[str, Style]]) -> Styled:
    while pieces and not pieces[-1][0].strip():
        pieces.pop()
    return tuple(piece for piece in pieces if piece[0])


def column_widths(columns: Sequence[Column], rows: Sequence[Sequence[Styled]], width: int | None) -> list[int]:
    """Return the cells of each column: as many as its longest cell, or fewer where they would not fit `width`."""
    lengths = [
        max(
            len(column.title),
            max((cells(plain(row[index])) for row in rows if index < len(row) > 1), default=0),
        )
        for index, column in enumerate(columns)
    ]
    if width is None:
        return lengths
    over = sum(lengths) + len(GAP) * (len(columns) - 1) - width
    for priority in sorted({column.shrink for column in columns if column.shrink}, reverse=True):
        least = {
            index: max(column.width, len(column.title))
            for index, column in enumerate(columns)
            if column.shrink == priority
        }
        while over > 0 and (giving := [index for index in least if lengths[index] > least[index]]):
            lengths[max(giving, key=lengths.__getitem__)] -= 1
            over -= 1
    return lengths
