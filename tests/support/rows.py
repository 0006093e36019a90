"""What the lists of a screen or a pane say, read without drawing them."""

from textual.widget import Widget

from ekstui.present.styled import plain
from ekstui.tui.widgets.rows import RowList


def row_texts(widget: Widget) -> list[str]:
    """Return the text of each row of all lists in a screen or widget."""
    return [
        " ".join(plain(cell).strip() for cell in row.cells).strip()
        for rows in widget.query(RowList)
        for row in rows.rows
    ]


def words(widget: Widget) -> str:
    """Return the text of all lists in a screen or widget, one line per row."""
    return "\n".join(row_texts(widget))
