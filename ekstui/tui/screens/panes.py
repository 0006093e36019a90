"""A screen of four panes under a header: where they lie, and which one the keys are for."""

from __future__ import annotations

from typing import Literal, get_args

from textual import on
from textual.events import DescendantFocus
from textual.geometry import Offset, Region, Size, Spacing
from textual.getters import app, query_one
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.vertical import VerticalLayout
from textual.screen import Screen
from textual.widget import Widget

from ekstui.present.styled import Row
from ekstui.tui.base import LibraryApp
from ekstui.tui.widgets.bars import FooterBar, HeaderBar, LineBar
from ekstui.tui.widgets.pane import Pane

PaneId = Literal["policies", "permissions", "versions", "attached"]
PANES: tuple[PaneId, ...] = get_args(PaneId)

WIDE = 110
"""Columns from which all four panes are shown; in fewer one fills the screen."""

LEFT: tuple[PaneId, PaneId] = ("policies", "versions")
RIGHT: tuple[PaneId, PaneId] = ("permissions", "attached")

LEFT_SHARE = 0.48
"""The most of the width that the left column takes for the names."""

TWO_LINES = 24
"""Rows from which the line about the row under the cursor has a second one."""


class PanesLayout(VerticalLayout):
    """Places the panes where the screen says; what is no pane or bar, such as a toast, goes where Textual puts it."""

    name = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Return where the children lie; a pane without a place is not shown."""
        if not isinstance(parent, PanesScreen):
            return super().arrange(parent, children, size, greedy)
        places = parent.places(size)
        others = [child for child in children if child.id not in parent.PLACED]
        placed = [
            WidgetPlacement(places[child.id], Offset(), Spacing(), child, 0, False, False, False)
            for child in children
            if child.id is not None and child.id in places
        ]
        return placed + (list(super().arrange(parent, others, size, greedy)) if others else [])


class PanesScreen(Screen[None]):
    """Where there is room all panes are shown in two columns, the focused one of each the larger; else one pane."""

    PLACED = ("header", *PANES, "progress", "line", "footer")
    """The ids of what the layout places."""

    BLANK = True
    """Nothing of the screen itself is seen: bars and panes cover it."""

    app = app(LibraryApp)

    header = query_one("#header", HeaderBar)
    line = query_one("#line", LineBar)
    progress = query_one("#progress", LineBar)
    footer = query_one(FooterBar)

    def __init__(self) -> None:
        super().__init__()
        self._panes_layout = PanesLayout()
        self.pane: PaneId = "policies"
        """The pane that the keys are for."""
        self._large: dict[tuple[PaneId, PaneId], PaneId] = {LEFT: "policies", RIGHT: "permissions"}
        """The larger pane of each column."""
        self._alone = False
        self._left_wanted = 0
        """The columns that the names of the list need."""
        self._working = False
        """Whether long work goes on, which has a line of its own."""

    @property
    def layout(self) -> Layout:
        """The layout that places the panes."""
        return self._panes_layout

    def places(self, size: Size) -> dict[str, Region]:
        """Return where header, panes and lines lie on a screen of this size; a pane that is not shown has no place."""
        width, height = size
        line = 2 if height >= TWO_LINES else 1
        bottom = height - 1 - line
        places = {"header": Region(0, 0, width, 1), "footer": Region(0, height - 1, width, 1)}
        # What is being done takes a row of the line, so that no pane moves for it.
        if line > self._working:
            places["line"] = Region(0, bottom, width, line - self._working)
        if self._working:
            places["progress"] = Region(0, height - 2, width, 1)
        body = Region(0, 1, width, bottom - 1)
        if self._alone or width < WIDE:
            return {**places, self.pane: body}
        left = max(min(self._left_wanted, int(width * LEFT_SHARE)), width // 3)
        for (upper, lower), x, columns in ((LEFT, 0, left), (RIGHT, left, width - left)):
            large = max(round(body.height * 0.64), 3)
            rows = large if self._large[upper, lower] == upper else body.height - large
            places[upper] = Region(x, 1, columns, rows)
            places[lower] = Region(x, 1 + rows, columns, body.height - rows)
        return places

    def place_anew(self) -> None:
        """Lay the panes out again; it is a child that has to ask for that."""
        self.footer.refresh(layout=True)

    @property
    def row(self) -> Row | None:
        """The row under the cursor of that pane."""
        return self.focused_pane.rows.current

    @property
    def focused_pane(self) -> Pane:
        """The pane that the keys are for."""
        return self.query_one(f"#{self.pane}", Pane)

    @on(DescendantFocus)
    def _note_pane(self, event: DescendantFocus) -> None:
        """Remember which pane has the focus, however it came there."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Pane) and node.id in PANES:
                self._note(node.id)
                if node.owns(event.widget):
                    self.footer.show_words(node.FILTER_HINT)
                else:
                    self.show_line()

    def show_line(self) -> None:
        """Show all about the row under the cursor, and in the footer the keys that do something with it."""
        raise NotImplementedError

    def _note(self, pane: PaneId) -> None:
        if pane != self.pane:
            self.pane = pane
            self._large[LEFT if pane in LEFT else RIGHT] = pane
            self.place_anew()

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane."""
        self._note(pane)
        self.focused_pane.focus_rows()

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane, or the one before."""
        self.action_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_alone(self) -> None:
        """Give the focused pane the whole screen, or put it back."""
        self._alone = not self._alone
        self.place_anew()

    async def action_filter(self) -> None:
        """Let the user type a filter for the focused pane."""
        await self.focused_pane.open_filter()

    def say_work(self, words: str) -> None:
        """Show what is being done for long in a line of its own; empty: nothing is."""
        if bool(words) != self._working:
            self._working = bool(words)
            self.place_anew()
        self.progress.show_words(words)
