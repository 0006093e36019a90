"""Renders blocks as rows of the app, lines of a terminal, or Markdown."""

import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import zip_longest

from ekstui.iam.text import clean, clean_line, is_plain
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import (
    Block,
    Code,
    Column,
    Heading,
    Line,
    Medium,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    spans,
)
from ekstui.present.short_names import names_in
from ekstui.present.styled import Row as Row
from ekstui.present.styled import Style, Styled, cells, cut_end, plain, shell_lines, styled, wrap

STEP = "  "
"""The indent of what is below a heading or a node."""

GAP = "  "
"""The space between two columns."""

LEAST = 20
"""The narrowest width, in cells, that text is wrapped to."""

_NARROWEST = 12
"""The fewest cells that a column is cut down to, unless all in it is shorter."""

_ROOM_FOR_REMARKS = 24
"""The fewest cells for the last column of a table that gives it no title: with less it stands below its row."""


class Laid(NamedTuple):
    """One line; a value belongs to its first line only."""

    key: Hashable
    line: Styled
    value: object = None


_Cell = tuple[Styled, int]
"""A cell of a table, and its width in the terminal's cells."""

_Cells = Sequence[_Cell]
"""The cells of a row."""


def lay_out(blocks: Sequence[Block], width: int, place: Medium, *, whole_tables: bool = False) -> Iterator[Laid]:
    """Yield the lines of an answer; with `whole_tables`, those of tables are not fitted to `width`."""
    indent = ""
    previous: Block | None = None
    for index, block in enumerate(blocks):
        key: Hashable = index if isinstance(block, Table | Tree) or block.key is None else block.key
        if previous and not indent and _parts_table(previous, block):
            yield Laid(("space", key), ())
        if isinstance(block, Heading | Sentence | Code) and not is_shown_in(
            block if isinstance(block, Code) else block.line, place
        ):
            continue
        if isinstance(block, Heading):
            if block.level == 1 and place == "app":
                continue
            if previous is not None:
                yield Laid(("space", key), ())
            indent = STEP if block.level > 1 else indent
        yield from _laid_block(block, key, indent, width, place, whole_tables)
        previous = block


def _laid_block(
    block: Block, key: Hashable, indent: str, width: int, place: Medium, whole_tables: bool
) -> Iterator[Laid]:
    match block:
        case Heading(line, value=value):
            yield from _wrapped(key, styled_line(line, place, "strong"), width, "", STEP * 2, value)
        case Sentence(line, value):
            yield from _wrapped(key, styled_line(line, place), width, indent, STEP if indent else "", value)
        case Table():
            yield from _laid_table(block, key, indent, None if whole_tables else width, place)
        case Tree(nodes):
            folds = any(node.opened is not None for node in nodes)
            for number, node in enumerate(nodes):
                yield from _laid_node(node, (key, number), indent, width, place, folds)
        case Code():
            yield from _laid_code(block, key, (key,), indent, width, place)


def _laid_code(
    block: Code, key: Hashable, later: tuple[Hashable, ...], indent: str, width: int, place: Medium
) -> Iterator[Laid]:
    """Yield the lines of a document or command; `later` begins the keys of all but the first."""
    parts = [clean_line(part) for part in block.text.splitlines()]
    if block.language == "sh" and place == "app":
        room = max(width - len(indent), LEAST)
        parts = [plain(row) for part in parts for line in shell_lines(part, room) for row in wrap(styled(line), room)]
    for number, part in enumerate(parts):
        yield Laid((*later, number) if number else key, styled(indent + part), None if number else block.value)


def _parts_table(previous: Block, block: Block) -> bool:
    """Return whether a blank line separates two blocks: around a table, except before a heading, which adds its own."""
    is_section = isinstance(block, Heading) and block.level > 1
    return isinstance(block, Table) != isinstance(previous, Table) and not is_section


def is_shown_in(line: Line | Code, place: Medium) -> bool:
    """Return whether any of a line is shown in this place."""
    if isinstance(line, Code):
        return Span("", media=line.media).is_for(place)
    return any(span.text and span.is_for(place) for span in spans(line))


def styled_line(line: Line, place: Medium, style: Style = "") -> Styled:
    """Return the spans shown in this place, cleaned; a line of plain text gets the style."""
    if isinstance(line, str):
        return ((clean_line(line), style),)
    if isinstance(line, Span):
        return ((clean_line(line.text), line.style),) if line.is_for(place) else ()
    return tuple((clean_line(span.text), span.style) for span in spans(line) if span.is_for(place))


def _wrapped(key: Hashable, line: Styled, width: int, indent: str, hang: str, value: object = None) -> Iterator[Laid]:
    room = max(width - len(indent), LEAST)
    for number, part in enumerate(wrap(line, room, max(room - len(hang), LEAST))):
        start, line_key = (indent + hang, (key, "line", number)) if number else (indent, key)
        yield Laid(line_key, ((start, ""), *part) if start else part, None if number else value)


def _laid_node(
    node: Node, path: tuple[Hashable, ...], indent: str, width: int, place: Medium, folds: bool
) -> Iterator[Laid]:
    if not is_shown_in(node.line, place):
        return
    key = path if node.key is None else node.key
    mark: Styled = ()
    if place == "app" and folds:
        mark = ((STEP if node.opened is None else "▾ " if node.opened else "▸ ", "muted"),)
    # Without folding marks, children are indented further than the wrapped lines of their parent.
    hang, deeper = (STEP * 2 if mark else STEP, STEP) if folds else (STEP, STEP * 2)
    if isinstance(node.line, Code):
        start = indent + plain(mark)
        yield from _laid_code(node.line._replace(value=node.value), key, (key, "line"), start, width, place)
        return
    yield from _wrapped(key, (*mark, *styled_line(node.line, place)), width, indent, hang, node.value)
    if node.opened is not False or place != "app":
        for number, child in enumerate(node.children):
            yield from _laid_node(child, (*path, number), indent + deeper, width, place, folds)


def _table_rows(table: Table, place: Medium) -> list[tuple[TableRow, list[_Cell]]]:
    cells_by_rest: dict[tuple[Line, ...], list[_Cell]] = {}
    rows = []
    for row in table.rows:
        later_cells = row.cells[1:]  # thousands of rows are alike but for their first cell
        if later_cells not in cells_by_rest:
            cells_by_rest[later_cells] = [_cell_of(cell, place) for cell in later_cells]
        rows.append((row, [_cell_of(row.cells[0], place), *cells_by_rest[later_cells]]))
    if not any(column.title for column in table.columns):
        return rows
    titles = (column.title.upper() if place == "terminal" else column.title for column in table.columns)
    return [(TableRow(()), [_with_size(styled(title, "strong")) for title in titles]), *rows]


def _laid_table(table: Table, key: Hashable, indent: str, width: int | None, place: Medium) -> Iterator[Laid]:
    if not table.rows:
        return
    room = None if width is None else width - len(indent)
    if room is not None:
        table = _with_long_cells_above(table, place)
    if room is not None and place == "app":
        table = _without_yielding(table, room)
    rows = _table_rows(table, place)
    lengths = column_widths(table.columns, [line for _, line in rows], room)
    if room is not None and _crowds_its_remarks(table.columns, [line for _, line in rows], lengths, room):
        yield from _laid_table(_with_remarks_below(table), key, indent, width, place)
        return
    names = {
        index: names_in(line[index][0] for _, line in rows if index < len(line) > 1)
        for index, column in enumerate(table.columns)
        if column.names and room is not None
    }
    tails: dict[tuple[Line, ...], Styled] = {}
    for number, (row, line) in enumerate(rows):
        row_key = (key, number) if row.key is None else row.key
        if width is None and len(line) > 1 and not row.below:
            # In a pipe thousands of rows are like this, and alike but for their first cell.
            later_cells = row.cells[1:]
            if later_cells not in tails:
                tails[later_cells] = _side_by_side(line[1:], table.columns[1:], lengths[1:], "")
            first, size = line[0]
            spare = " " * (lengths[0] - size)
            before, after = (indent + spare, GAP) if table.columns[0].right else (indent, spare + GAP)
            yield Laid(row_key, ((before, ""), *first, (after, ""), *tails[later_cells]), row.value)
            continue
        if names and len(line) > 1:
            line = [
                _with_size(names[index].fitted_cell(cell, lengths[index])) if index in names else (cell, size)
                for index, (cell, size) in enumerate(line)
            ]
        if len(line) == 1:
            yield from _wrapped(row_key, line[0][0], width or line[0][1] + len(indent), indent, "", row.value)
        else:
            cut = table.one_line and place == "app"
            for part, laid in enumerate(_row_lines(line, table.columns, lengths, indent, width, cut=cut)):
                yield Laid((row_key, "line", part) if part else row_key, laid, None if part else row.value)
        for part, detail in enumerate(row.below):
            if isinstance(detail, Node):
                yield from _laid_node(detail, (row_key, part), indent + STEP * 2, width or 80, place, folds=False)
            elif is_shown_in(detail, place):
                yield from _wrapped((row_key, part), styled_line(detail, place), width or 80, indent + STEP * 2, STEP)


def _with_long_cells_above(table: Table, place: Medium) -> Table:
    """Return the table with each first cell that is longer than its column allows in a row of its own."""
    limit = table.columns[0].longest
    if limit is None:
        return table
    rows: list[TableRow] = []
    for row in table.rows:
        first, *later_cells = row.cells
        if later_cells and _cell_of(first, place)[1] > limit:
            rows += (TableRow((first,), row.value, row.key), TableRow(("", *later_cells), below=row.below))
        else:
            rows.append(row)
    return table._replace(rows=rows)


def _without_yielding(table: Table, room: int) -> Table:
    """Return the table without its last column if that yields and leaves the others, with names cut, too little."""
    *other_columns, last = table.columns
    if not last.yields:
        return table
    cut = [row._replace(cells=row.cells[: len(other_columns)]) for row in table.rows]
    without = table._replace(columns=tuple(other_columns), rows=cut)
    natural = column_widths(other_columns, [line for _, line in _table_rows(without, "app")], None)
    least = [
        min(size, column.width) if column.names else size for size, column in zip(natural, other_columns, strict=True)
    ]
    return table if sum(least) + last.width + len(GAP) * len(other_columns) <= room else without


def _crowds_its_remarks(columns: Sequence[Column], rows: Sequence[_Cells], lengths: Sequence[int], room: int) -> bool:
    """Return whether the last column, if it has no title and may shrink, is too narrow to be read."""
    last = columns[-1]
    if last.title or not last.shrink or len(columns) < 2:
        return False
    longest_remark = max((row[-1][1] for row in rows if len(row) == len(columns)), default=0)
    fits = sum(lengths) + len(GAP) * (len(columns) - 1) <= room
    is_narrow = lengths[-1] < _ROOM_FOR_REMARKS or (lengths[-1] < room // 2 and 2 * lengths[-1] < longest_remark)
    return not fits or (is_narrow and lengths[-1] < longest_remark)


def _with_remarks_below(table: Table) -> Table:
    """Return the table with the cells of its last column below the rows."""
    count = len(table.columns)
    return table._replace(
        columns=table.columns[:-1],
        rows=[
            row._replace(cells=row.cells[:-1], below=(row.cells[-1], *row.below)) if len(row.cells) == count else row
            for row in table.rows
        ],
    )


def _cell_of(line: Line, place: Medium) -> _Cell:
    if isinstance(line, Span) and not line.media and is_plain(line.text):  # as in thousands of rows
        return ((line.text, line.style),), len(line.text)
    return _with_size(styled_line(line, place))


def _with_size(cell: Styled) -> _Cell:
    return cell, cells(plain(cell))


def _row_lines(
    line: _Cells, columns: Sequence[Column], lengths: Sequence[int], indent: str, width: int | None, *, cut: bool
) -> Iterator[Styled]:
    """Yield the lines of a row: several if a cell is too long for its column, unless `cut` asks for a single one."""
    parts: Iterable[_Cells] = (line,)
    if width is not None and any(size > room for (_, size), room in zip(line, lengths, strict=False)):
        cell_lines = [
            [(cell, size)]
            if size <= room
            else map(_with_size, [cut_end(cell, room)] if cut or column.names else wrap(cell, max(room, 1)))
            for (cell, size), room, column in zip(line, lengths, columns, strict=False)
        ]
        parts = zip_longest(*cell_lines, fillvalue=((), 0))
    for part in parts:
        laid = _side_by_side(part, columns, lengths, indent)
        if width is not None and sum(lengths) + len(GAP) * (len(lengths) - 1) + len(indent) > width:
            laid = cut_end(laid, width)
        yield laid


def _side_by_side(line: _Cells, columns: Sequence[Column], lengths: Sequence[int], indent: str) -> Styled:
    """Return cells as one line, each padded to the width of its column, without trailing spaces."""
    pieces: list[tuple[str, Style]] = []
    before = indent
    for (cell, size), room, column in zip(line, lengths, columns, strict=False):
        spare = " " * (room - size)
        if not size and not plain(cell):
            before += spare + GAP
            continue
        if column.right:
            before += spare
        if before:
            pieces.append((before, ""))
        pieces += cell
        before = GAP if column.right else spare + GAP
    return tuple(pieces)


def column_widths(columns: Sequence[Column], rows: Sequence[_Cells], width: int | None) -> list[int]:
    """Return the width of each column: that of its longest cell, or less if they would not fit `width`."""
    lengths = [
        max(len(column.title), max((row[index][1] for row in rows if index < len(row) > 1), default=0))
        for index, column in enumerate(columns)
    ]
    if width is None:
        return lengths
    over = sum(lengths) + len(GAP) * (len(columns) - 1) - width
    # Those that never give way, with 0, do so in the end: what is cut out of a row says less than what goes on below.
    for priority in sorted({column.shrink for column in columns}, reverse=True):
        least = {
            index: max(column.width, len(column.title), min(lengths[index], _NARROWEST))
            for index, column in enumerate(columns)
            if column.shrink == priority
        }
        while over > 0 and (giving := [index for index in least if lengths[index] > least[index]]):
            lengths[max(giving, key=lengths.__getitem__)] -= 1
            over -= 1
    return lengths


_CODES: dict[Style, str] = {
    "strong": "1", "muted": "2", "accent": "36", "good": "32", "bad": "31", "warn": "33", "added": "32",
    "removed": "31", "hit": "7", "cursor": "7", "key": "1;36",
}  # fmt: skip


def lines(blocks: Sequence[Block], width: int, *, colours: bool, whole_tables: bool) -> Iterator[str]:
    """Yield the lines of an answer, without line ends.

    Sentences are wrapped at `width`; with `whole_tables`, rows of tables are not, for programs that read them.
    """
    for laid in lay_out(blocks, width, "terminal", whole_tables=whole_tables):
        yield _with_colours(laid.line) if colours else plain(laid.line).rstrip()


def _with_colours(line: Styled) -> str:
    return "".join(f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style and text else text for text, style in line).rstrip()


def rows(blocks: Sequence[Block], width: int) -> list[Row]:
    """Return blocks as rows of one cell; those with a value are selectable."""
    return [
        Row(laid.key, (laid.line,), laid.value, selectable=laid.value is not None)
        for laid in lay_out(blocks, width, "app")
    ]


def list_rows(table: Table, width: int) -> list[Row]:
    """Return a table as rows with one cell per column, for a list that has the table's columns."""
    rows: list[Row] = []
    for number, row in enumerate(table.rows):
        key = number if row.key is None else row.key
        cells = tuple(styled_line(cell, "app") for cell in row.cells)
        rows.append(Row(key, cells, row.value, selectable=row.value is not None))
        rows += [
            Row((key, index, part), (((STEP * 2, ""), *line),), selectable=False)
            for index, detail in enumerate(row.below)
            if not isinstance(detail, Node) and is_shown_in(detail, "app")
            for part, line in enumerate(wrap(styled_line(detail, "app"), max(width - 4, 20)))
        ]
    return rows


def markdown(blocks: Sequence[Block]) -> str:
    """Return an answer as Markdown."""
    parts = ["\n".join(lines) for block in blocks if (lines := list(_block(block)))]
    return "\n\n".join(parts) + "\n"


_MARKS = r"(?i)[\\`*_{}\[\]<>#|$&]|~(?=\S)|:(?=//)|(?<=www)\."
"""What Markdown takes for markup, an entity (which may stand for a character that turns the text round) or a link.

It is compiled where it is used, as few answers are Markdown.
"""


def escaped(text: str) -> str:
    """Return text escaped for Markdown, and for what GitHub adds: strikethrough, mathematics and bare addresses."""
    return re.sub(_MARKS, r"\\\g<0>", clean_line(text))


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(line, level) if is_shown_in(line, "markdown"):
            yield f"{'#' * level} {_inline(line, strong=False)}"
        case Sentence(line) if is_shown_in(line, "markdown"):
            yield _inline(line)
        case Tree(nodes):
            for node in nodes:
                yield from _item(node, "")
        case Code() if is_shown_in(block, "markdown"):
            yield from _code_lines(block)
        case Table(columns, rows) if rows:
            yield f"| {' | '.join(escaped(column.title) for column in columns)} |"
            yield "|" + "|".join("---:" if column.right else "---" for column in columns) + "|"
            for row in rows:
                yield _table_row(row, len(columns))


def _code_lines(block: Code) -> Iterator[str]:
    fence = "```"
    while fence in block.text:
        fence += "`"
    yield f"{fence}{block.language}"
    yield from clean(block.text).rstrip("\n").split("\n")
    yield fence


def _table_row(row: TableRow, columns: int) -> str:
    cells = [_inline(cell, strong=False) for cell in row.cells]
    cells[-1] += "".join(
        f"<br>{_inline(detail)}"
        for detail in row.below
        if not isinstance(detail, Node) and is_shown_in(detail, "markdown")
    )
    return f"| {' | '.join([*cells, *[''] * (columns - len(cells))])} |"


def _item(node: Node, indent: str) -> Iterator[str]:
    if not is_shown_in(node.line, "markdown"):
        return
    if isinstance(node.line, Code):
        # A fence is part of the item above it if it is indented like that item's text.
        yield from ("", *(f"{indent}{line}" for line in _code_lines(node.line)), "")
        return
    yield f"{indent}- {_inline(node.line)}"
    for child in node.children:
        yield from _item(child, indent + "  ")


def _inline(line: Line, *, strong: bool = True) -> str:
    return "".join(_span(span, strong=strong) for span in spans(line) if span.is_for("markdown")).strip()


def _span(span: Span, *, strong: bool) -> str:
    if span.code:
        return _code(span.text)
    text = escaped(span.text)
    if not strong or span.style not in ("strong", "bad") or not text.strip():
        return text
    # Markdown allows no space between asterisks and words.
    words = text.strip()
    return text.replace(words, f"**{words}**", 1)


def _code(text: str) -> str:
    """Return text as inline code that is safe in a table; a backtick becomes an apostrophe."""
    text = clean_line(text)
    return "`" + text.replace("`", "'").replace("|", "\\|") + "`" if text else ""
