"""Rows of the app, made of blocks."""

from __future__ import annotations

from collections.abc import Sequence

from ekstui.present.blocks import Block, Table
from ekstui.present.layout import STEP, fitted, lay_out, styled_line
from ekstui.present.styled import Row as Row
from ekstui.present.wrapping import wrap


def rows(blocks: Sequence[Block], width: int) -> list[Row]:
    """Return blocks as rows of one cell; the cursor rests on those that have a value."""
    return [
        Row(laid.key, (laid.line,), laid.value, selectable=laid.value is not None)
        for laid in lay_out(blocks, width, "app")
    ]


def list_rows(table: Table, width: int) -> list[Row]:
    """Return a table as rows of a cell a column, for a list that has the table's columns as its own."""
    found: list[Row] = []
    for number, row in enumerate(table.rows):
        key = number if row.key is None else row.key
        cells = tuple(styled_line(cell, "app") for cell in row.cells)
        found.append(Row(key, cells, row.value, selectable=row.value is not None))
        found += [
            Row((key, index, part), (((STEP * 2, ""), *line),), selectable=False)
            for index, below in enumerate(row.below)
            if fitted(below, "app")
            for part, line in enumerate(wrap(styled_line(below, "app"), max(width - 4, 20)))
        ]
    return found
