"""What AWS changed across the policies, newest first."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ekstui.core.account_snapshot import AccountSnapshot
from ekstui.core.notation import PolicyAt
from ekstui.core.policy import version_label
from ekstui.core.steps import FeedStep
from ekstui.core.text import clean_line
from ekstui.library import ChangesFeed
from ekstui.library.attachments import attached_names
from ekstui.library.catalog import knowledge
from ekstui.library.searching import changes
from ekstui.present.change_lists import COLUMNS, changes_table
from ekstui.present.rendering import Row, list_rows
from ekstui.present.styled import Column, Styled, cells, plain, styled
from ekstui.scope import SCOPE_WORDS, Scope, next_scope
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.messages import ShowComparison, ShowPlace
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.shown import Bookmark

PERIODS = (
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("a year", timedelta(days=365)),
    ("all years", None),
)
"""How far back the changes go, counted from the newest known one; `p` goes to the next."""


VIEWS = ("changed", "attached", "all")
"""Which changes are shown; `v` goes to the next."""


@dataclass(frozen=True, slots=True)
class _Answer:
    feed: ChangesFeed
    snapshot: AccountSnapshot | None
    attached: Mapping[str, int]
    """By policy name, how many roles, users and groups of the account have it attached."""


class ChangesScreen(ReportScreen[_Answer]):
    """One version per row; enter compares it with the version before, or shows a new policy."""

    HEADING = "Changes"
    KEYS = (
        keys.OPEN.here("Compare the version with the one before it, or show a new policy."),
        keys.COMPARE.here("Compare the version with the one before it."),
        keys.PERIOD.here("Look further back: 30 days, 90 days, a year, all years."), keys.SCOPE,
        keys.VIEW.here("Go to the next view: versions that changed something, those attached in the account, or all versions."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    COLUMNS = COLUMNS
    WAITING = "reading the history of the policies…"
    OPENS = (FeedStep,)
    STOP = "change"
    HAS_LINE = True

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope
        self._period = 0
        self._view = 0

    def question(self) -> Styled:
        """Return the period and the scope."""
        newest = self.app.library.known_until(self._scope)
        shown = {"attached": " · attached in the account", "all": " · with versions that change nothing"}
        quiet = shown.get(VIEWS[self._view], "")
        return (
            ("changes ", ""),
            (f"{PERIODS[self._period][0]} up to {newest:%Y-%m-%d}", "strong"),
            (f", when the data ends · {SCOPE_WORDS[self._scope]}{quiet}", "muted"),
        )

    @property
    def bookmark(self) -> Bookmark | None:
        """What to type into the palette to get here again."""
        return Bookmark(keys.CHANGES.label)

    def ask(self) -> Callable[[], _Answer]:
        """Return what reads the changes of the period."""
        library, scope = self.app.library, self._scope
        period = PERIODS[self._period][1]

        def ask() -> _Answer:
            feed = changes(library, None if period is None else library.known_until(scope) - period, scope)
            snapshot = library.account.last()
            return _Answer(feed, snapshot, attached_names(snapshot) if snapshot else {})

        return ask

    def answer_rows(self, answer: _Answer) -> list[Row]:
        """Return one row per version."""
        view = VIEWS[self._view]
        shown = [step for step in answer.feed.changes if view == "all" or step.change.kind != "none"]
        if view == "attached":
            shown = [step for step in shown if step.family != "access-policy" and answer.attached.get(step.policy)]
        found = list_rows(changes_table(shown), self.width)
        self.rows.set_columns(_columns(found, self.width))
        return found

    def about_row(self, row: Row) -> Styled:
        """Return why AWS made the version, and how many in the account have the policy attached."""
        step, answer = row.value, self.answer
        if not isinstance(step, FeedStep) or answer is None:
            return ()
        if step.family == "access-policy":
            access = knowledge().access_policies.get(step.policy)
            return (clean_line(step.policy), "strong"), (f"  {access.text}" if access else "", "")
        known = knowledge().policies.get(step.policy)
        why = next((each.text for each in known.updates if each.version == step.version), "") if known else ""
        has = (
            f"  attached to {answer.attached.get(step.policy, 0)} in the account"
            if answer.snapshot and self._scope != "controllers"
            else ""
        )
        name = f"{step.policy} {version_label(step.version)}"
        return (clean_line(name), "strong"), (f"  {clean_line(why)}" if why else "", ""), (has, "muted")

    def nothing(self) -> Sequence[Styled]:
        """Return why there are no rows."""
        if VIEWS[self._view] == "attached":
            unknown = self.answer is not None and self.answer.snapshot is None
            return (
                styled(
                    "No account was read yet, so it is not known what is attached; a lists the profiles."
                    if unknown
                    else "Nothing attached in the account changed in this period, as far as is known.",
                    "muted",
                ),
                styled("p looks further back; v shows the changes of all policies.", "muted"),
            )
        return (
            styled("Nothing changed in this period, as far as is known.", "muted"),
            styled("p looks further back.", "muted"),
        )

    def action_period(self) -> None:
        """Look further back; after all years, start again with 30 days."""
        self._period = (self._period + 1) % len(PERIODS)
        self.ask_again()

    def action_scope(self) -> None:
        """Go to the next scope."""
        self._scope = next_scope(self._scope)
        self.ask_again()

    def action_diff(self) -> None:
        """Compare the version under the cursor with the one before it."""
        self.rows.action_open()

    def action_view(self) -> None:
        """Go to the next view."""
        self._view = (self._view + 1) % len(VIEWS)
        self.show_header()
        self.show_answer()

    def open_row(self, row: Row) -> None:
        """Compare a version with the one before it, or show a new policy."""
        step = row.value
        if not isinstance(step, FeedStep):
            return
        if step.family == "access-policy":
            self.post_message(ShowPlace(PolicyAt(f"access:{step.policy}")))
        elif step.previous is None:
            self.post_message(ShowPlace(PolicyAt(step.policy, step.version)))
        else:
            before, after = PolicyAt(step.policy, step.previous), PolicyAt(step.policy, step.version)
            self.post_message(ShowComparison(before, after))


def _columns(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """Return the columns with steps whole, names as far as there is room, and no gap between them."""
    date, policy, step, reach, change = COLUMNS
    names, steps = (max((cells(plain(row.cells[at])) for row in rows), default=1) for at in (1, 2))
    steps = max(steps, step.width)
    room = width - sum((date.width, steps, reach.width, change.width, len(COLUMNS) - 1))
    return (
        date, policy._replace(width=min(names, max(room, policy.width)), share=0), step._replace(width=steps), reach,
        change._replace(share=1),
    )  # fmt: skip
