"""A screen of four panes under a header: where they lie, which one the keys are for, and which one fills the screen."""

from __future__ import annotations

from typing import Literal, get_args

from textual import on
from textual.events import DescendantFocus
from textual.getters import app, query_one
from textual.screen import Screen

from ekstui.present.rows import Row
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import keys_of
from ekstui.tui.widgets.bars import FooterBar, HeaderBar
from ekstui.tui.widgets.pane import Pane

PaneId = Literal["policies", "permissions", "versions", "attached"]
PANES: tuple[PaneId, ...] = get_args(PaneId)

ROOMS = ((0, "-tiny"), (78, "-narrow"), (110, "-wide"))
"""From how many columns on the screen is laid out how."""


class PanesScreen(Screen[None]):
    """Where there is room all panes are shown, else the list and the pane used last, else one."""

    BLANK = True
    """Nothing of the screen itself is seen: bars and panes cover it."""
    HORIZONTAL_BREAKPOINTS = [*ROOMS]  # noqa: RUF012 - Textual declares it as an instance variable

    app = app(LibraryApp)

    header = query_one(HeaderBar)
    footer = query_one(FooterBar)

    def __init__(self, width: int) -> None:
        # Classes that are there from the start spare looking at every style again, a seventh of the start.
        super().__init__(classes=next(name for least, name in reversed(ROOMS) if width >= least))
        self.pane: PaneId = "policies"
        """The pane that the keys are for."""
        self._beside: PaneId = "permissions"

    @property
    def row(self) -> Row | None:
        """The row under the cursor of that pane."""
        return self.query_one(f"#{self.pane}", Pane).rows.current

    @on(DescendantFocus)
    def _note_pane(self, event: DescendantFocus) -> None:
        """Remember which pane has the focus, however it came there."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Pane) and node.id in PANES:
                self._note(node.id)
                if node.owns(event.widget):
                    self.footer.show_words(node.FILTER_HINT)
                else:
                    self.show_keys()

    def show_keys(self) -> None:
        """Show the keys that matter here in the footer."""
        self.footer.show_keys([key for key in keys_of(("explorer", "app")) if key.footer])

    def _note(self, pane: PaneId) -> None:
        self.pane = pane
        if pane != "policies":
            self._beside = pane
        for other in self.query(".detail"):
            other.set_class(other.id == self._beside, "-on")
        self.set_class(pane != "policies", "-beside")

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane; where the screen shows one beside the list, that one is shown."""
        self.remove_class("-zoom")
        self.query(".-zoomed").remove_class("-zoomed")
        self._note(pane)
        self.query_one(f"#{pane}", Pane).focus_rows()

    def action_next_pane(self, step: int) -> None:
        """Go to the next pane, or the one before."""
        self.action_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_zoom(self) -> None:
        """Let the focused pane fill the screen, or put it back."""
        zoomed = self.query(".-zoomed")
        if zoomed:
            zoomed.remove_class("-zoomed")
            self.remove_class("-zoom")
            return
        self.query_one(f"#{self.pane}", Pane).add_class("-zoomed")
        self.add_class("-zoom")

    async def action_filter(self) -> None:
        """Let the user type a filter for the focused pane."""
        await self.query_one(f"#{self.pane}", Pane).open_filter()
