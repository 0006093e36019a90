"""What an answer is made of: headings, sentences, tables, trees, code. A module an answer makes them of values.

Texts are data as they came; the renderers clean them (`core/text.py`). Nothing here knows where it will be shown.
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
    """Whether it is an identifier, such as an action or an ARN: code in Markdown."""
    shown: Shown = ""
    """Where it is shown, such as only in the app for a hint that names a key."""

    def is_for(self, place: Place) -> bool:
        """Return whether it is shown in a place."""
        return self.shown in ("", place) or (self.shown == "outside" and place != "app")


Line: TypeAlias = "str | Span | tuple[str | Span, ...]"
"""What is said in one go; renderers break it where it is too long."""


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
    """Return lines as one, with a separator between them."""
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
    """Return a line as spans, those of every place."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts(line))


def restyled(line: Line, style: Style) -> tuple[Span, ...]:
    """Return a line in which what has no style of its own has this one."""
    return tuple(span._replace(style=span.style or style) for span in spans(line))


class Heading(NamedTuple):
    """The title of the answer (level 1, which the app has in its header) or of a section."""

    line: Line
    level: int = 2
    value: object = None
    """What it stands for in the app: what opening or copying acts on. The cursor rests only on what has a value."""
    key: Hashable = None
    """Where the cursor stays when the answer is laid out anew; without one, the place among the blocks."""


class Sentence(NamedTuple):
    """One sentence, or a line about one thing."""

    line: Line
    value: object = None
    key: Hashable = None


def note(text: Line, style: Style = "warn", *, key: Hashable = None) -> Sentence:
    """Return what to beware of: a sentence behind an exclamation mark."""
    said = restyled(text, style)
    return Sentence((Span("! ", style, shown=said[0].shown), *said), key=key)


class TableRow(NamedTuple):
    """A row of a table; a single cell spans the columns."""

    cells: tuple[Line, ...]
    value: object = None
    key: Hashable = None
    below: tuple[Line, ...] = ()
    """What is said below the row."""


class Table(NamedTuple):
    """Rows in columns. Where they are too wide, cells go on below themselves before anything is cut."""

    columns: tuple[Column, ...]
    rows: Sequence[TableRow]


class Node(NamedTuple):
    """A node of a tree, or an item of a list."""

    line: Line
    children: Sequence[Node] = ()
    value: object = None
    key: Hashable = None
    opened: bool | None = None
    """Whether it is unfolded in the app; None where it cannot be folded."""


class Tree(NamedTuple):
    """Nodes below each other; without children a list."""

    nodes: Sequence[Node]


class Code(NamedTuple):
    """A document or a command, shown as it is."""

    text: str
    language: str = "json"
    value: object = None
    key: Hashable = None


Block: TypeAlias = Heading | Sentence | Table | Tree | Code

_LEVELS: dict[str, Style] = {"Tagging": "warn", "Write": "warn", "Permissions management": "bad"}
_SEVERITIES: dict[str, Style] = {"problem": "bad", "advice": "warn", "note": "muted"}
_REACHES: dict[str, Style] = {"widened": "warn", "narrowed": "good", "mixed": "warn"}
