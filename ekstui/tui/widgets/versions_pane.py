"""The third pane: the versions of a policy on a line of time, and what each changed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from ekstui.library.catalog import knowledge_of
from ekstui.present.access import access_timeline_blocks
from ekstui.present.change_lists import pane_rows, version_line
from ekstui.present.rendering import rows as rendered
from ekstui.present.styled import Column, Row, Styled
from ekstui.present.time_line import in_force_words, legend, time_line
from ekstui.tui import keys
from ekstui.tui.messages import PolicyView, ShowComparison
from ekstui.tui.widgets.pane import ONE_VIEW, Pane, rows_with
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from datetime import datetime

    from ekstui.change.policy import Policy
    from ekstui.change.steps import Step
    from ekstui.eks.knowledge import PolicyKnowledge
    from ekstui.library import Library
    from ekstui.library.changed_actions import ChangedActions
    from ekstui.library.notation import PolicyAt
    from ekstui.tui.background import Job


_COLUMNS = (Column("", 1), Column("Version", 4), Column("Date", 10), Column("Change", 10, share=1))
RELEASES = (_COLUMNS[0], Column("Release", 8), *_COLUMNS[2:])
"""The columns for controllers' releases such as `v1.14.10`."""

ROOM_FOR_LINE, ROOM_FOR_YEARS = 5, 8
"""The heights of the pane from which the line of time, and the years below it, are shown."""


class VersionsPane(Pane):
    """The versions of the shown policy; enter compares one with the version before."""

    NUMBER, TITLE = 3, "Versions"
    FILTER_HINT = "part of a version, date, kind or reach; or an action that it changed: ec2:CreateTags"
    STOP = "version that changed something"
    KEYS = (keys.VIEW.here("Switch between all versions and those that changed something."),)
    FOOTER = (
        keys.OPEN.here("", "what it changed"), keys.MARK, keys.COMPARE, keys.UNMARK, keys.VIEW, keys.NOTES, keys.SAVE,
        keys.COPY, keys.FILTER, keys.FIND, keys.HELP,
    )  # fmt: skip

    marks: reactive[tuple[PolicyAt, ...]] = reactive((), init=False)

    def __init__(self) -> None:
        super().__init__(_COLUMNS)
        self.policy_arn: str | None = None
        """The policy whose versions are shown; None for none."""
        self.steps: Sequence[Step] = ()
        """The known versions of the shown policy, oldest first; empty until they are read."""
        self._knowledge: PolicyKnowledge | None = None
        self._until: datetime | None = None
        """Until when changes are known."""
        self._quiet_hidden = False
        self._changed_actions: ChangedActions | None = None

    def watch_policy_view(self, policy_view: PolicyView | None) -> None:
        """Read the versions in the background, or just show which one is current."""
        if policy_view is not None and policy_view.entry.policy.arn == self.policy_arn and self.steps:
            self.show_rows()
            self.rows.move_to(policy_view.version)
            return
        self.app.background.cancel("timeline", "changed actions")
        self.steps, self._changed_actions = (), None
        if policy_view is None or policy_view.entry.access:
            if policy_view is not None or self.policy_arn is not None:
                self.policy_arn = policy_view.entry.policy.arn if policy_view else None
                self.set_note("")
                self.set_title()
                self.show_rows()
            return
        policy, library = policy_view.entry.policy, self.app.library
        self.policy_arn = policy.arn
        self.rows.set_columns(RELEASES if policy.home else _COLUMNS)
        self.app.background.run(self, "timeline", lambda _: _read_timeline(policy, library), self._show_timeline)

    def on_resize(self) -> None:
        super().on_resize()
        if self.steps or (self.policy_view and self.policy_view.entry.access):
            self.show_rows()

    def action_view(self) -> None:
        """Hide or show the versions that change nothing."""
        if self.policy_view and self.policy_view.entry.access:
            self.notify(ONE_VIEW)
            return
        self._quiet_hidden = not self._quiet_hidden
        self.show_rows()

    def watch_marks(self) -> None:
        """Update the marks."""
        if self.steps:
            self.show_rows()

    def build_rows(self) -> list[Row]:
        policy_view = self.policy_view
        if policy_view is None:
            return []
        if access := policy_view.entry.access:
            return rows_with(self.words, rendered(access_timeline_blocks(access)[1:], self.rows.row_width))
        name = policy_view.entry.policy.name
        mark_letters = {
            mark.version: "ABCD"[at] for at, mark in enumerate(self.marks) if mark.name == name and mark.version
        }
        steps = [step for step in self.steps if not self._is_hidden(step, policy_view)]
        rows = pane_rows(policy_view.entry.policy, steps, mark_letters)
        return self._matching_rows(rows, policy_view) if self.words else rows

    def show_rows(self, *, cursor: Hashable | None = None) -> None:
        """Show the rows below the line of time."""
        super().show_rows(cursor=cursor)
        self._show_line()

    @on(RowList.Highlighted)
    def _show_line(self) -> None:
        """Show the line of time where there is room, with the version under the cursor; a filter hides it."""
        height, row = self.rows.size.height, self.rows.current
        lines: Sequence[Styled] = ()
        if self.steps and self._until and height >= ROOM_FOR_LINE and not self.words:
            step = self.step_of(row)
            lines = time_line(self.steps, self._until, self.rows.row_width, step.version if step else None)
        if height < ROOM_FOR_YEARS:
            lines = lines[:1]
        self.rows.set_head([Row(number, (line,)) for number, line in enumerate(lines)])

    def _is_hidden(self, step: Step, policy_view: PolicyView) -> bool:
        return self._quiet_hidden and is_quiet(step) and step.version != policy_view.version and not step.default

    def _matching_rows(self, rows: Sequence[Row], policy_view: PolicyView) -> list[Row]:
        """Return the versions that match the filter; until the changed actions are read, every version has them."""
        actions = [word for word in self.words if ":" in word]
        changed_actions = self._changed_actions
        if actions and changed_actions is None:
            self._read_changed_actions(policy_view)
        return [
            row
            for row in rows_with([word for word in self.words if ":" not in word], rows)
            if (step := self.step_of(row))
            and (changed_actions is None or all(changed_actions.matches(step.version, action) for action in actions))
        ]

    def _read_changed_actions(self, policy_view: PolicyView) -> None:
        library, policy = self.app.library, policy_view.entry.policy

        def read(_: Job) -> ChangedActions:
            from ekstui.library.changed_actions import changed_actions

            return changed_actions(policy, library)

        def show(actions: ChangedActions) -> None:
            self._changed_actions = actions
            self.show_rows()

        self.app.background.run(self, "changed actions", read, show)

    def _show_timeline(self, timeline: tuple[Sequence[Step], PolicyKnowledge | None, datetime]) -> None:
        self.steps, self._knowledge, self._until = timeline
        quiet = sum(map(is_quiet, self.steps))
        undated_count = sum(step.created is None for step in self.steps)
        self.set_note(
            f"{len(self.steps)} known"
            + (f", {quiet} change nothing" if quiet else "")
            + (f", {undated_count} undated" if undated_count else "")
        )
        self.set_title(
            "", legend(self.steps, in_force_words(self.policy_view.entry.policy)) if self.policy_view else ""
        )
        self.show_rows(cursor=self.policy_view.version if self.policy_view else None)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        """Compare a version with the one before it."""
        event.stop()
        policy_view, step = self.policy_view, self.step_of(event.row)
        if policy_view is None or step is None:
            return
        numbers = [step.version for step in self.steps]
        if index := numbers.index(step.version):
            before = policy_view._replace(version=numbers[index - 1])
            self.post_message(ShowComparison(before.place, policy_view._replace(version=step.version).place))
        else:
            self.notify("This is the first known version; 2 shows what it allows.")

    def about_row(self, row: Row) -> Styled:
        """Return why AWS made a version, and where its announcement contradicts the document."""
        step = self.step_of(row)
        return version_line(step, self._knowledge) if step else ()

    def is_stop(self, row: Row) -> bool:
        step = self.step_of(row)
        return step is not None and not is_quiet(step)

    def step_of(self, row: Row | None) -> Step | None:
        """Return the step that a row stands for; None for none, or a row of another pane."""
        return next((step for step in self.steps if row and row.value is step), None)


def _read_timeline(policy: Policy, library: Library) -> tuple[Sequence[Step], PolicyKnowledge | None, datetime]:
    return library.timeline(policy), knowledge_of(policy), library.data().newest


def is_quiet(step: Step) -> bool:
    """Return whether a version changed nothing."""
    return step.change is not None and step.change.kind == "none"
