"""How the explorer lays out its panes, follows the cursor, and leads to other screens."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from textual import on
from textual.events import DescendantFocus
from textual.geometry import Offset, Region, Size, Spacing
from textual.getters import app, query_one
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.layouts.vertical import VerticalLayout
from textual.reactive import reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from ekstui.change.policy import Scope
from ekstui.present.styled import Row, styled
from ekstui.tui import keys
from ekstui.tui.base import FOLLOW_AFTER, LibraryApp
from ekstui.tui.messages import (
    AccountView,
    AskExplain,
    AskWhoCan,
    Marks,
    RowReached,
    ShowComparison,
    ShowMatrix,
    Shown,
    action_of,
    one_action_of,
    sides_to_compare,
    with_mark,
)
from ekstui.tui.widgets.bars import TWO_LINES, FilterLine, FooterBar, HeaderBar, LineBar
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.permissions_pane import PermissionsPane
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.versions_pane import VersionsPane

if TYPE_CHECKING:
    from ekstui.library.notation import PolicyAt

PaneId = Literal["policies", "permissions", "versions", "attached"]
PANES: tuple[PaneId, ...] = get_args(PaneId)

WIDE = 110
"""Columns from which all four panes are shown; below that, one pane fills the screen."""

LEFT: tuple[PaneId, PaneId] = ("policies", "versions")
RIGHT: tuple[PaneId, PaneId] = ("permissions", "attached")

LEFT_SHARE = 0.48
"""The largest share of the width that the left column takes for long names."""


class PanesLayout(VerticalLayout):
    """Puts panes and bars where the screen says; anything else, such as a toast, is laid out vertically."""

    name = "panes"

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        """Return the placements; a pane without a place is not shown."""
        if not isinstance(parent, NavigationScreen):
            return super().arrange(parent, children, size, greedy)
        places = parent.places(size)
        others = [child for child in children if child.id not in parent.PLACED]
        placed = [
            WidgetPlacement(places[child.id], Offset(), Spacing(), child, 0, False, False, False)
            for child in children
            if child.id is not None and child.id in places
        ]
        return placed + (list(super().arrange(parent, others, size, greedy)) if others else [])


class NavigationScreen(Screen[None]):
    """Shows the panes in two columns, the last focused pane of each larger; in a narrow terminal, one pane.

    Also has what is shown and marked, and the keys that act on it.
    """

    PLACED = ("header", *PANES, "progress", "line", "footer")
    """The ids of the widgets that `places` puts on the screen."""

    BLANK = True
    """Bars and panes cover the whole screen."""

    app = app(LibraryApp)

    header = query_one("#header", HeaderBar)
    line = query_one("#line", LineBar)
    progress = query_one("#progress", LineBar)
    footer = query_one(FooterBar)
    policies = query_one(PoliciesPane)
    permissions = query_one(PermissionsPane)
    versions = query_one(VersionsPane)

    shown: reactive[Shown | None] = reactive(None, init=False)
    account: reactive[AccountView] = reactive(AccountView())
    """The account, as far as it is known."""
    marks: reactive[Marks] = reactive(())
    """The marked policies and versions, oldest mark first."""
    scope: Scope
    """The scope of the list."""

    def __init__(self) -> None:
        super().__init__()
        self._panes_layout = PanesLayout()
        self._following: Timer | None = None
        self._describing: Timer | None = None
        self.pane: PaneId = "policies"
        """The focused pane."""
        self._large: dict[tuple[PaneId, PaneId], PaneId] = {LEFT: "policies", RIGHT: "permissions"}
        """The larger pane of each column."""
        self._alone = False
        self._left_wanted = 0
        """The columns that the list needs for its longest name."""
        self._working = False
        """Whether the progress line is shown."""

    @property
    def layout(self) -> Layout:
        """The layout of the panes."""
        return self._panes_layout

    def places(self, size: Size) -> dict[str, Region]:
        """Return the regions of bars and panes on a screen of this size; a hidden pane has none."""
        width, height = size
        line = 2 if height >= TWO_LINES else 1
        bottom = height - 1 - line
        places = {"header": Region(0, 0, width, 1), "footer": Region(0, height - 1, width, 1)}
        # The progress line takes a row of the details, so that no pane moves.
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
        """Lay the panes out again, which only a child can request."""
        self.footer.refresh(layout=True)

    @property
    def row(self) -> Row | None:
        """The row under the cursor of the focused pane."""
        return self.focused_pane.rows.current

    @property
    def focused_pane(self) -> Pane:
        """The focused pane."""
        return self.query_one(f"#{self.pane}", Pane)

    @on(DescendantFocus)
    def _note_pane(self, event: DescendantFocus) -> None:
        """Remember which pane has the focus, however it got it."""
        for node in event.widget.ancestors_with_self:
            if isinstance(node, Pane) and node.id in PANES:
                self._note(node.id)
                if isinstance(event.widget, FilterLine):
                    self.footer.show_words(node.FILTER_HINT)
                else:
                    self.show_line()

    def show_keys(self) -> None:
        """Show the keys that work on the row under the cursor, the most useful first."""
        first, *others = self.focused_pane.footer_keys(self.row, marks=len(self.marks))
        # Where one pane fills the screen, nothing else says that there are others.
        panes = (keys.NEXT_PANE.here("", "pane"),) if self.is_single else ()
        self.footer.show_keys((first, *panes, *others))

    def show_line(self) -> None:
        """Show the details of the row under the cursor, and the keys that work on it."""
        row = self.row
        self.line.show(self.focused_pane.about_row(row) if row else ())
        if not self.focused_pane.is_typing:
            self.show_keys()

    @on(RowReached)
    def _describe(self) -> None:
        """Update the details once the cursor rests."""
        if self._describing:
            self._describing.stop()
        self._describing = self.set_timer(FOLLOW_AFTER, self.show_line)

    def _note(self, pane: PaneId) -> None:
        if pane != self.pane:
            self.pane = pane
            self._large[LEFT if pane in LEFT else RIGHT] = pane
            self.place_anew()

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane of the policy under the cursor."""
        self.catch_up()
        self._note(pane)
        self.focused_pane.focus_rows()

    def action_next_pane(self, step: int) -> None:
        """Go to the next or previous pane."""
        self.action_pane(PANES[(PANES.index(self.pane) + step) % len(PANES)])

    def action_alone(self) -> None:
        """Maximize the focused pane, or restore it."""
        self._alone = not self._alone
        self.place_anew()

    async def action_filter(self) -> None:
        """Let the user type a filter for the focused pane."""
        await self.focused_pane.open_filter()

    @property
    def is_single(self) -> bool:
        """Whether one pane fills the screen."""
        return self._alone or self.app.size.width < WIDE

    def show_work(self, words: str) -> None:
        """Show the progress line with these words; hide it if there are none."""
        if bool(words) != self._working:
            self._working = bool(words)
            self.place_anew()
        self.progress.show(styled(words, "accent"))

    def catch_up(self) -> None:
        """Show the policy under the list's cursor now, without waiting for the cursor to rest."""
        from ekstui.library.catalog import PolicyEntry

        row, shown = self.policies.rows.current, self.shown
        if row is None or not isinstance(row.value, PolicyEntry):
            if self.policies.filter:
                # Nothing may be done to a policy that the filter hides.
                self.shown = None
            return
        if shown is None or row.value.policy.arn != shown.entry.policy.arn:
            self.shown = Shown(row.value, row.value.policy.default_version)

    @on(RowReached)
    def _follow(self, message: RowReached) -> None:
        """Show the policy under the list's cursor, or the version that the user moved to, once the cursor rests."""
        row, shown = message.row, self.shown
        if message.pane == "policies":
            if row and shown and row.key == shown.entry.policy.arn:
                # The rows were set anew, as for a mark: a version that the cursor has just reached is still to be shown.
                return
            then: Callable[[], object] | None = self.catch_up
        elif message.pane == "versions" and row and shown and self.versions.rows.has_focus:
            version = next((step.version for step in self.versions.steps if step is row.value), shown.version)
            then = (
                partial(setattr, self, "shown", shown._replace(version=version)) if version != shown.version else None
            )
        else:
            return
        if self._following:
            self._following.stop()
        if then:
            self._following = self.set_timer(FOLLOW_AFTER, then)

    def action_mark(self) -> None:
        """Mark or unmark the policy or version under the cursor."""
        place = self.place
        if place is None:
            self.notify("Only policies and versions can be marked; 1 and 3 go to them.")
            return
        self.marks = with_mark(self.marks, place)

    def action_unmark(self) -> None:
        """Clear the marks."""
        if not self.marks:
            self.notify("Nothing is marked; space marks a policy or a version.")
        self.marks = ()

    @property
    def place(self) -> PolicyAt | None:
        """The policy or version under the cursor of the focused pane."""
        from ekstui.change.steps import Step
        from ekstui.library.catalog import PolicyEntry

        row = self.row
        if row is not None and isinstance(row.value, PolicyEntry):
            return Shown(row.value, row.value.policy.default_version).place
        if row is not None and isinstance(row.value, Step) and self.shown:
            return Shown(self.shown.entry, row.value.version).place
        return None

    def action_diff(self) -> None:
        """Compare the two marks, or the row under the cursor with the mark or with the version before it."""
        from ekstui.change.steps import Step

        self.catch_up()
        if self.shown is None:
            self.notify("No policy is shown; esc clears the filter of the list.")
            return
        row, here = self.row, self.shown
        if row and isinstance(row.value, Step):
            here = Shown(here.entry, row.value.version)
        elif self.marks and self.pane == "policies":
            # A row of the list stands for the version in force, which may differ from the shown one.
            here = Shown(here.entry, here.entry.policy.default_version)
        sides = sides_to_compare(self.marks, here)
        if sides is None and here.entry.access:
            self.notify("An access policy has one version; mark two of them with space, and d compares them.")
        elif sides is None:
            self.notify(f"{here.place} is the first known version; mark another one with space.")
        else:
            self.post_message(ShowComparison(*sides))

    def action_copy(self) -> None:
        """Let the user choose what to copy from the row under the cursor."""
        from ekstui.tui.screens.copying import advised, copyables, offer_copies

        # The command to sign in is what the user wants most.
        copies = advised(self.account.error) if self.pane == "attached" else []
        if row := self.row:
            copies += copyables(row, self.shown, self.app.library)
        if copies:
            offer_copies(self, copies)
        else:
            self.notify("There is nothing under the cursor to copy.")

    def action_export(self) -> None:
        """Let the user save the shown version to a file."""
        from ekstui.tui.screens.copying import offer_exports, version_exports

        self.catch_up()
        if self.shown:
            offer_exports(self, version_exports(self.shown, self.app.library, self.account.snapshot))

    async def action_notes(self) -> None:
        """Show all notes: in the attached pane those of the account, elsewhere those of the policy."""
        if self.pane == "attached":
            await self.run_action("app.account")
            return
        self.catch_up()
        if self.pane != "permissions":
            self.action_pane("permissions")
        self.permissions.show_about()

    def action_walk(self, step: int) -> None:
        """Show the known version before or after this one."""
        self.catch_up()
        if self.shown is None:
            return
        numbers = [info.number for info in self.shown.entry.policy.versions]
        index = numbers.index(self.shown.version) + step
        if 0 <= index < len(numbers):
            self.shown = Shown(self.shown.entry, numbers[index])
        else:
            self.notify(f"{self.shown.entry.policy.name} has no {'older' if step < 0 else 'newer'} known version.")

    def action_next(self, step: int) -> None:
        """Go to the next or previous stop of the focused pane, such as a policy that changed."""
        pane = self.focused_pane
        if not pane.to_next(step):
            self.notify(f"No {'next' if step > 0 else 'previous'} {pane.STOP} here.")

    def action_matrix(self) -> None:
        """Show services by access level for the marks, or for the shown version."""
        self.catch_up()
        places = self.marks if len(self.marks) > 1 else (self.shown.place,) if self.shown else ()
        if any(place.name.startswith("access:") for place in places):
            self.notify("Access policies have no services of AWS; d compares two of them.")
        elif places:
            self.post_message(ShowMatrix(places))

    def action_who_can(self) -> None:
        """Show who can do the action under the cursor, or let the user type one."""
        self.post_message(AskWhoCan(action_of(self.focused_pane.rows.value)))

    def action_explain(self) -> None:
        """Explain a request for the action under the cursor, or let the user paste a message."""
        self.catch_up()
        action = one_action_of(self.focused_pane.rows.value)
        against = f"policy:{self.shown.place}" if self.shown and not self.shown.entry.access else ""
        self.post_message(AskExplain(f"{against} {action}" if action else ""))
