"""The matrix of services and access levels as a Markdown table."""

from collections.abc import Sequence

from ekstui.core.matrix import MATRIX_LEVELS, MatrixCell, MatrixRow
from ekstui.core.where import PolicyAt
from ekstui.export.markdown import escaped


def matrix_markdown(places: Sequence[PolicyAt], rows: Sequence[MatrixRow]) -> str:
    """Return a row a service and a column an access level: the actions that each policy gives, of all that there are."""
    levels = [level for level in MATRIX_LEVELS if any(level in row.cells for row in rows)]
    lines = [
        f"# {', '.join(escaped(str(place)) for place in places)}",
        "",
        "Actions given of all that there are" + (", in the order of the policies." if len(places) > 1 else "."),
        "",
        f"| Service | {' | '.join(levels)} |",
        "|---" + "|---:" * len(levels) + "|",
    ]
    lines += [
        f"| {escaped(row.service)} | {' | '.join(_cell(row.cells.get(level)) for level in levels)} |" for row in rows
    ]
    if any(any(cell.denied) for row in rows for cell in row.cells.values()):
        lines += ["", "! denied in part by the policy itself"]
    return "\n".join(lines) + "\n"


def _cell(cell: MatrixCell | None) -> str:
    if cell is None:
        return ""
    total = f" of {cell.total}" if cell.total else ""
    return f"{', '.join(map(str, cell.given))}{total}{' !' if any(cell.denied) else ''}"
