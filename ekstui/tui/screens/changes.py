"""What AWS changed across the policies, newest first."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from textual import on

from ekstui.core.timeline import FeedStep
from ekstui.core.where import PolicyAt
from ekstui.library import ChangesFeed
from ekstui.present.changes import COLUMNS, changes_table
from ekstui.present.rendering import Row, list_rows
from ekstui.present.styled import Styled, styled
from ekstui.scope import SCOPE_WORDS, Scope, next_scope
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.screens.compare import CompareScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.shown import Shown, Sought
from ekstui.tui.widgets.rows import RowList

PERIODS = (
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("a year", timedelta(days=365)),
    ("all years", None),
)
"""How far back the feed goes, counted from the last day that is known; `p` goes to the next."""


class ChangesScreen(ReportScreen):
    """A step a row; enter compares its two versions, or shows a new policy."""

    KEYS = (
        keys.OPEN.here("Compare the two versions of the step, or show a new policy."),
        keys.PERIOD.here("Look further back: 30 days, 90 days, a year, all years."), keys.SCOPE,
        keys.VIEW.here("Go to the next view: the steps that changed something, or all."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    COLUMNS = COLUMNS
    WAITING = "reading the history of the policies…"

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope
        self._period = 0
        self._quiet = False

    def question(self) -> Styled:
        """Return the period, the scope and until when anything is known."""
        data = self.app.library.data()
        quiet = "" if self._quiet else " · steps that change nothing are left out"
        return (
            ("changes ", ""),
            (f"{PERIODS[self._period][0]} up to {data.newest:%Y-%m-%d}", "strong"),
            (f", when the data ends · {SCOPE_WORDS[self._scope]}{quiet}", "muted"),
        )

    @property
    def sought(self) -> Sought | None:
        """What finds this screen again."""
        return Sought(keys.CHANGES.label)

    def ask(self) -> Callable[[], object]:
        """Return the question for the feed of the period."""
        library, scope = self.app.library, self._scope
        period = PERIODS[self._period][1]
        return lambda: library.changes(None if period is None else library.data().newest - period, scope)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return a row a step."""
        if not isinstance(answer, ChangesFeed):
            return []
        shown = [step for step in answer.changes if self._quiet or step.change.kind != "none"]
        return list_rows(changes_table(shown), self.width)

    def nothing(self) -> Sequence[Styled]:
        """Return why there are no rows."""
        return (
            styled("Nothing changed in this period, as far as is known.", "muted"),
            styled("p looks further back.", "muted"),
        )

    def action_period(self) -> None:
        """Look further back, and after all years at the last 30 days again."""
        self._period = (self._period + 1) % len(PERIODS)
        self.ask_again()

    def action_scope(self) -> None:
        """Switch between the policies of EKS and all."""
        self._scope = next_scope(self._scope)
        self.ask_again()

    def action_quiet(self) -> None:
        """Show or hide the steps that change nothing."""
        self._quiet = not self._quiet
        self.show_header()
        self.show_answer()

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        step = event.row.value if event.row else None
        if not isinstance(step, FeedStep):
            return
        if step.previous is None:
            self.app.go_to(Shown(self.app.library.find(step.policy), step.version))
        else:
            self.app.push_screen(
                CompareScreen(PolicyAt(step.policy, step.previous), PolicyAt(step.policy, step.version))
            )
