"""Where the four panes and the bars of the first screen are."""

from typing import Literal, get_args

from textual.geometry import Offset, Region, Size, Spacing
from textual.layout import ArrangeResult, WidgetPlacement
from textual.layouts.vertical import VerticalLayout
from textual.widget import Widget

from ekstui.tui.widgets.bars import TWO_LINES

PaneId = Literal["policies", "permissions", "versions", "attached"]
PANES: tuple[PaneId, ...] = get_args(PaneId)

_WIDE = 90
"""Columns from which all four panes are shown; below that, one pane fills the screen."""

_LEFT: tuple[PaneId, PaneId] = ("policies", "versions")
_RIGHT: tuple[PaneId, PaneId] = ("permissions", "attached")

_LEFT_SHARE = 0.52
"""The largest share of the width that the left column takes for long names."""

_PLACED = ("header", *PANES, "progress", "line", "footer")
"""The ids of the widgets that have places."""


class PanesLayout(VerticalLayout):
    """Two columns of two panes, the focused pane larger, or else the upper one; in a narrow terminal, one pane."""

    name = "panes"

    pane: PaneId = "policies"
    """The focused pane."""
    is_alone = False
    """Whether it is maximized."""
    left_wanted = 0
    """The columns that the list needs for its longest name."""
    is_working = False
    """Whether the progress line is shown."""

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Return the placements: panes without a place are hidden, all else, such as a toast, is vertical."""
        places = self.places(size)
        other_widgets = [child for child in children if child.id not in _PLACED]
        placements = [
            WidgetPlacement(places[child.id], Offset(), Spacing(), child, 0, False, False, False)
            for child in children
            if child.id is not None and child.id in places
        ]
        return placements + (list(super().arrange(parent, other_widgets, size, greedy)) if other_widgets else [])

    def is_single(self, width: int) -> bool:
        """Return whether one pane fills a screen of this width."""
        return self.is_alone or width < _WIDE

    def places(self, size: Size) -> dict[str, Region]:
        """Return the regions of bars and panes on a screen of this size; a hidden pane has none."""
        width, height = size
        line = 2 if height >= TWO_LINES else 1
        bottom = height - 1 - line
        places = {"header": Region(0, 0, width, 1), "footer": Region(0, height - 1, width, 1)}
        # The progress line takes a row of the details, so that no pane moves.
        if line > self.is_working:
            places["line"] = Region(0, bottom, width, line - self.is_working)
        if self.is_working:
            places["progress"] = Region(0, height - 2, width, 1)
        body = Region(0, 1, width, bottom - 1)
        if self.is_single(width):
            return {**places, self.pane: body}
        left_width = max(min(self.left_wanted, int(width * _LEFT_SHARE)), width // 3)
        for (upper, lower), x, columns in ((_LEFT, 0, left_width), (_RIGHT, left_width, width - left_width)):
            large = max(round(body.height * 0.64), 3)
            rows = body.height - large if self.pane == lower else large
            places[upper] = Region(x, 1, columns, rows)
            places[lower] = Region(x, 1 + rows, columns, body.height - rows)
        return places
