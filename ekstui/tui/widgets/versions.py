"""The third pane: the versions of the shown policy, newest first, and what each changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeGuard

from textual import on
from textual.getters import app
from textual.reactive import reactive

from ekstui.present.styled import Column, Row, Styled
from ekstui.tui import keys
from ekstui.tui.base import LibraryApp
from ekstui.tui.messages import ActionsTouchedRead, CompareWanted, TimelineLoaded, VersionChosen
from ekstui.tui.shown import Shown
from ekstui.tui.signs import BARS, can_show
from ekstui.tui.widgets.pane import Pane, rows_with
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.core.knowledge import PolicyKnowledge
    from ekstui.core.policy import Policy
    from ekstui.core.steps import Quarters, Step
    from ekstui.core.where import PolicyAt
    from ekstui.library import Library
    from ekstui.tui.filters import Touched

COLUMNS = (Column("", 1), Column("Version", 4), Column("Date", 10), Column("Change", 10, share=1))

ROOM_FOR_QUARTERS = (30, 12)
"""Columns and rows from which the changes per quarter have a line of their own above the versions."""


class VersionsPane(Pane):
    """The timeline; enter on a version shows that version in the permissions pane."""

    FILTER_HINT = "a part of a version, date, kind or reach; or an action that it changed: ec2:CreateTags"
    NOTEWORTHY = "version that changed something"
    FOOTER = (
        keys.OPEN.here("", "what it changed"), keys.MARK, keys.COMPARE, keys.UNMARK, keys.VIEW, keys.NOTES, keys.SAVE,
        keys.COPY, keys.FILTER, keys.FIND, keys.HELP,
    )  # fmt: skip

    app = app(LibraryApp)

    shown: reactive[Shown | None] = reactive(None)
    marks: reactive[tuple[PolicyAt, ...]] = reactive((), init=False)

    def __init__(self) -> None:
        super().__init__(3, "Versions", COLUMNS, id="versions")
        self._arn: str | None = None
        self._steps: Sequence[Step] = ()
        self._knowledge: PolicyKnowledge | None = None
        self._quarters: Quarters | None = None
        self._quiet_hidden = False
        self._touched: Touched | None = None

    @property
    def steps(self) -> Sequence[Step]:
        """The known versions of the shown policy, oldest first; empty until they are read."""
        return self._steps

    def watch_shown(self, shown: Shown | None) -> None:
        """Read the history in the background, or mark another version of the same history."""
        if shown is None:
            return
        policy = shown.entry.policy
        if policy.arn == self._arn and self._steps:
            self.show_rows()
            self.rows.move_to(shown.version)
            return
        self._arn, self._steps, self._touched = policy.arn, (), None
        library = self.app.library
        self.app.background.run(self, "timeline", lambda _: _read(policy, library))

    def on_resize(self) -> None:
        """Show the changes per quarter where there is room for them."""
        super().on_resize()
        if self._steps:
            self.show_rows()

    def next_view(self) -> bool:
        """Hide the steps that change nothing, or show them again."""
        self._quiet_hidden = not self._quiet_hidden
        self.show_rows()
        return True

    def watch_marks(self) -> None:
        """Show the marks."""
        if self._steps:
            self.show_rows()

    def build_rows(self) -> list[Row]:
        """Return the timeline, or the versions whose row has every word of the filter."""
        from ekstui.tui.present.versions import version_rows

        words = self.words
        shown = self.shown
        if shown is None:
            return []
        name = shown.entry.policy.name
        marked = {
            mark.version: "ABCD"[index]
            for index, mark in enumerate(self.marks)
            if mark.name == name and mark.version is not None
        }
        steps = [
            step
            for step in self._steps
            if not (self._quiet_hidden and is_quiet(step)) or step.version == shown.version or step.default
        ]
        rows = version_rows(steps, shown.version, marked)
        if not words:
            return self._quarter_rows() + rows
        actions = [word for word in words if ":" in word]
        others = [word for word in words if ":" not in word]
        if actions and self._touched is None:
            self._read_touched(shown)
        return [row for row in rows_with(others, rows) if row.selectable and self._fits(row, actions)]

    def _quarter_rows(self) -> list[Row]:
        from ekstui.tui.present.versions import sparkline

        columns, lines = ROOM_FOR_QUARTERS
        if self._quarters is None or self.rows.row_width < columns or self.rows.size.height < lines:
            return []
        line = sparkline(self._quarters, self.rows.row_width, bars=can_show(BARS))
        return [Row("quarters", (line,), selectable=False)] if line else []

    def _fits(self, row: Row, actions: Sequence[str]) -> bool:
        from ekstui.core.steps import Step
        from ekstui.tui.filters import touches

        touched = self._touched
        # What is still being read leaves nothing out.
        return (
            touched is None
            or not isinstance(row.value, Step)
            or all(touches(touched, row.value.version, action) for action in actions)
        )

    def _read_touched(self, shown: Shown) -> None:
        from ekstui.tui.filters import actions_touched

        library, policy = self.app.library, shown.entry.policy
        self.app.background.run(
            self, "touched", lambda _: ActionsTouchedRead(policy.arn, actions_touched(policy, library))
        )

    @on(ActionsTouchedRead)
    def _touched_read(self, message: ActionsTouchedRead) -> None:
        message.stop()
        if message.arn == self._arn:
            self._touched = message.touched
            self.show_rows()

    @on(TimelineLoaded)
    def _loaded(self, message: TimelineLoaded) -> None:
        message.stop()
        if message.arn != self._arn or self.shown is None:
            return
        self._steps, self._knowledge, self._quarters = message.steps, message.knowledge, message.quarters
        quiet = sum(map(is_quiet, message.steps))
        self.set_note(f"{len(message.steps)} known" + (f", {quiet} change nothing" if quiet else ""))
        self.rows.set_rows(self.build_rows(), cursor=self.shown.version)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        """Compare a version with the one before."""
        event.stop()
        shown, step = self.shown, event.row.value if event.row else None
        if shown is None or not _is_step(step):
            return
        numbers = [each.version for each in self._steps]
        if index := numbers.index(step.version):
            self.post_message(CompareWanted(shown.entry.policy.name, numbers[index - 1], step.version))
        else:
            self.notify("It is the first version that is known; 2 shows what it allows.", markup=False)

    def highlighted(self, row: Row | None) -> None:
        """Say which version the cursor is on, where it is the user who moves it."""
        if self.shown and self.rows.has_focus and row and _is_step(row.value):
            self.post_message(VersionChosen(self.shown.entry.policy.arn, row.value.version))

    def about_row(self, row: Row) -> Styled:
        """Return why AWS made a version, and where what it says and the document differ."""
        from ekstui.tui.present.versions import version_line

        return version_line(row.value, self._knowledge) if _is_step(row.value) else ()

    def is_of_note(self, row: Row) -> bool:
        """Return whether a version changed something."""
        return _is_step(row.value) and not is_quiet(row.value)


def _is_step(value: object) -> TypeGuard[Step]:
    from ekstui.core.steps import Step

    return isinstance(value, Step)


def _read(policy: Policy, library: Library) -> TimelineLoaded:
    from ekstui.core.steps import changes_per_quarter
    from ekstui.library.catalog import knowledge_of

    steps = library.timeline(policy)
    quarters = changes_per_quarter(steps, library.data().newest)
    return TimelineLoaded(policy.arn, steps, knowledge_of(policy), quarters)


def is_quiet(step: Step) -> bool:
    """Return whether a version changed nothing."""
    return step.change is not None and step.change.kind == "none"
