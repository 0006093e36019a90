"""What an answer is made of: headings, sentences, tables, trees and code, made by one module per answer.

Texts are unchanged data; the renderers clean them (`core/text.py`). Blocks do not depend on where they are shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple, TypeAlias

from ekstui.present.styled import Column as Column
from ekstui.present.styled import Style

Place = Literal["app", "terminal", "markdown"]

Shown = Literal["", "app", "terminal", "markdown", "outside"]
"""Where a span is shown: in one place, everywhere (empty), or everywhere but in the app."""


class Span(NamedTuple):
    """A piece of text in one style."""

    text: str
    style: Style = ""
    code: bool = False
    """Whether it is an identifier, such as an action or an ARN, which is code in Markdown."""
    shown: Shown = ""
    """Where it is shown; a hint about a key, for example, only in the app."""

    def is_for(self, place: Place) -> bool:
        """Return whether it is shown in this place."""
        return self.shown in ("", place) or (self.shown == "outside" and place != "app")


Line: TypeAlias = "str | Span | tuple[str | Span, ...]"
"""Text of one paragraph; the renderers wrap it."""


def code(text: str, style: Style = "") -> Span:
    """Return an identifier."""
    return Span(text, style, code=True)


def level_style(level: str) -> Style:
    """Return the style of an access level."""
    return _LEVELS.get(level, "muted")


def reach_style(reach: str | None) -> Style:
    """Return the style of a change's reach."""
    return _REACHES.get(reach or "", "muted")


def severity_style(severity: str) -> Style:
    """Return the style of a finding's severity."""
    return _SEVERITIES[severity]


def joined(separator: str, lines: Sequence[Line]) -> tuple[str | Span, ...]:
    """Return the lines as one, with a separator between them."""
    found: list[str | Span] = []
    for line in lines:
        if found:
            found.append(separator)
        found += parts(line)
    return tuple(found)


def parts(line: Line) -> tuple[str | Span, ...]:
    """Return a line's pieces."""
    return (line,) if isinstance(line, str | Span) else line


def spans(line: Line) -> tuple[Span, ...]:
    """Return a line as spans, wherever they are shown."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts(line))


def restyled(line: Line, style: Style) -> tuple[Span, ...]:
    """Return a line with this style where it had none."""
    return tuple(span._replace(style=span.style or style) for span in spans(line))


class Heading(NamedTuple):
    """The title of the answer (level 1, which the app shows in its header) or of a section."""

    line: Line
    level: int = 2
    value: object = None
    """What opening or copying it in the app acts on; the cursor rests only on what has a value."""
    key: Hashable = None
    """Identifies it, so that the cursor stays when the answer is laid out again; default: its position."""


class Sentence(NamedTuple):
    """One sentence, or a line about one thing."""

    line: Line
    value: object = None
    key: Hashable = None


def note(text: Line, style: Style = "warn", *, key: Hashable = None) -> Sentence:
    """Return a warning: a sentence after an exclamation mark."""
    said = restyled(text, style)
    return Sentence((Span("! ", style, shown=said[0].shown), *said), key=key)


class TableRow(NamedTuple):
    """A row of a table; a single cell spans the columns."""

    cells: tuple[Line, ...]
    value: object = None
    key: Hashable = None
    below: tuple[Line, ...] = ()
    """Lines below the row."""


class Table(NamedTuple):
    """Rows in columns; if they are too wide, cells are wrapped before anything is cut."""

    columns: tuple[Column, ...]
    rows: Sequence[TableRow]


class Node(NamedTuple):
    """A node of a tree, or an item of a list."""

    line: Line
    children: Sequence[Node] = ()
    value: object = None
    key: Hashable = None
    opened: bool | None = None
    """Whether it is unfolded in the app; None if it cannot be folded."""


class Tree(NamedTuple):
    """Nodes, one below the other; a list if they have no children."""

    nodes: Sequence[Node]


class Code(NamedTuple):
    """A document or a command, shown unchanged."""

    text: str
    language: str = "json"
    value: object = None
    key: Hashable = None


Block: TypeAlias = Heading | Sentence | Table | Tree | Code

_LEVELS: dict[str, Style] = {"Tagging": "warn", "Write": "warn", "Permissions management": "bad"}
_SEVERITIES: dict[str, Style] = {"problem": "bad", "advice": "warn", "note": "muted"}
_REACHES: dict[str, Style] = {"widened": "warn", "narrowed": "good", "mixed": "warn"}
