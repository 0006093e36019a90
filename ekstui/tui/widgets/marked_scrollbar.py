"""A scrollbar that shows where some of the rows are, such as the differences of two documents."""

from collections.abc import Collection

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style
from textual.scrollbar import ScrollBarRender

BEHIND = Color.default()

_MARK = "▐"
"""What stands in the scrollbar beside marked rows."""


class MarkedScrollBar(ScrollBarRender):
    """Renders a scrollbar with marks; `with_marks` gives it some."""

    marked: Collection[int] = ()
    """The indices of the marked rows."""
    style_of_marks = Style.null()

    @classmethod
    def render_bar(
        cls,
        size: int = 25,
        virtual_size: float = 50,
        window_size: float = 20,
        position: float = 0,
        thickness: int = 1,
        vertical: bool = True,
        back_color: Color = BEHIND,
        bar_color: Color = BEHIND,
    ) -> Segments:
        """Return the scrollbar with its marks, or without them if all rows are in view."""
        bar = super().render_bar(
            size, virtual_size, window_size, position, thickness, vertical, back_color, bar_color
        )  # fmt: skip
        if not window_size:
            return bar
        segments = list(bar.segments)
        for line in {int(index * size / virtual_size) for index in cls.marked if index < virtual_size}:
            style = segments[line].style or Style.null()
            behind = Style(bgcolor=style.color if style.reverse else style.bgcolor, reverse=False)
            segments[line] = Segment(_MARK, style + cls.style_of_marks + behind)
        return Segments(segments, new_lines=True)


def with_marks(marked: Collection[int], style: Style) -> type[ScrollBarRender]:
    """Return a renderer that marks the rows with these indices."""
    return type("Marked", (MarkedScrollBar,), {"marked": marked, "style_of_marks": style})
