"""The first screen, painted from what was painted last time, before anything of a policy is read.

Reading and judging policies takes half as long as Textual takes to start. So the rows of the explorer's panes are kept
as text, with no word of an account in them, and are shown where all that they were made from is still the same. What
the library says takes their place right after the first paint, and before the first key is heard.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ekstui.core.text import clean_line
from ekstui.present.rows import Row
from ekstui.present.styled import STYLES, Styled, Tone

if TYPE_CHECKING:
    from ekstui.tui.widgets.pane import Pane


MOST_ROWS = 10_000
"""A list that is longer is none of ours."""


class PanePicture(NamedTuple):
    """A pane as it was painted."""

    about: str
    """What its title says after its name."""
    note: str
    width: int
    """The cells that its rows had."""
    cursor: int | None
    """The index of the row under the cursor."""
    rows: tuple[Row, ...]
    """Those that were in view, and empty ones in the place of the others."""


class Opening(NamedTuple):
    """The first screen."""

    header: Styled
    panes: dict[str, PanePicture]
    """By the pane's id; panes that were not on the screen are absent."""


def picture_of(header: Styled, panes: Sequence[Pane]) -> object:
    """Return the first screen as a JSON value; of a pane only the rows that are in view."""
    return {
        "header": header,
        "panes": {
            pane.id: [
                pane.about,
                pane.note,
                pane.rows.row_width,
                pane.rows.cursor,
                len(pane.rows.rows),
                [[row.cells, row.selectable, row.merged] for row in pane.public_rows[: pane.rows.size.height + 1]],
            ]
            for pane in panes
            if pane.region.width
        },
    }


def opening_of(picture: object) -> Opening | None:
    """Return the first screen that a JSON value has, or None where it has none."""
    try:
        header, panes = picture["header"], picture["panes"]  # type: ignore[index]  # checked by what comes of it
        return Opening(_line(header), {name: _pane(*pane) for name, pane in panes.items()})
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None


def _pane(about: str, note: str, width: int, cursor: int | None, count: int, rows: Sequence[Any]) -> PanePicture:
    shown = [_row(index, row) for index, row in enumerate(rows)]
    rest = (Row("rest", (), selectable=False),) * min(count - len(shown), MOST_ROWS)
    if cursor is not None and not shown[cursor].selectable:
        raise ValueError(cursor)
    return PanePicture(clean_line(about), clean_line(note), int(width), cursor, (*shown, *rest))


def _row(index: int, row: Sequence[Any]) -> Row:
    cells, selectable, merged = row
    return Row(("opening", index), tuple(map(_line, cells)), selectable=bool(selectable), merged=int(merged))


def _line(pieces: Sequence[Any]) -> Styled:
    return tuple((clean_line(text), _tone(tone)) for text, tone in pieces)


def _tone(name: object) -> Tone:
    if name != "" and name not in STYLES:
        raise ValueError(name)
    return name
