"""What AWS changed across the policies, with a map of it by policy and quarter."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from ekstui.change.policy import SCOPE_WORDS, Scope, next_scope
from ekstui.change.steps import FeedStep, Quarter, quarter_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.library import Library
from ekstui.library.attachments import attached_names
from ekstui.library.catalog import knowledge
from ekstui.library.feed import ChangesFeed, changes_feed, steps_of_attached
from ekstui.library.notation import PolicyAt
from ekstui.named_tuples import NamedTuple
from ekstui.present.change_lists import STEP_COLUMNS, changes_table, no_change_words, step_about
from ekstui.present.change_map import DIRECTIONS, Direction, MapPlace, change_map, direction_of, is_in, map_quarters
from ekstui.present.rendering import Row, list_rows, styled_line
from ekstui.present.styled import Column, Style, Styled, cells, plain, styled
from ekstui.tui import keys
from ekstui.tui.messages import Bookmark, Open, ShowComparison
from ekstui.tui.screens.report import ReportScreen, question_line
from ekstui.tui.widgets.pane import rows_with

PERIODS = (
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("a year", timedelta(days=365)),
    ("all years", None),
)
"""How far back the changes go, counted from the newest known one; `p` goes to the next."""

_LEAST_REASON = 12
"""The fewest columns of a reason that say something."""

_ROOM_FOR_CHOICES = 100
"""The columns from which all directions stand above the map; below, only the current one does."""


class _Changes(NamedTuple):
    feed: ChangesFeed
    snapshot: AccountSnapshot | None
    attached: Mapping[str, int]
    """By policy name, how many roles, users and groups of the account have it attached."""


class ChangesScreen(ReportScreen[_Changes]):
    """One version per row; enter compares it with the version before, or shows a new policy."""

    HEADING = "Changes"
    SEARCH_FILTERS = True
    KEYS = (
        keys.OPEN.here("Compare the version with the one before it, or show a new policy."),
        keys.COMPARE.here("Compare the version with the one before it."),
        keys.Key(
            "only",
            "O",
            "only",
            "only …",
            "Show the changes of one direction alone: wider, both, narrower, new or unknown; then all again.",
        ),
        keys.Key("period", "p", "period", "period", "Look further back: 30 days, 90 days, a year, all years."),
        keys.SCOPE,
        keys.VIEW.here(
            "Go to the next view: versions that changed something, those attached in the account, or all versions."
        ),
    )
    SYMBOLS = (
        ("▲ ▼ ◆", "wider, narrower, both"),
        ("+", "new"),
        ("?", "unknown"),
        ("+1 −0 ~2", "added, removed, changed"),
    )
    COLUMNS = STEP_COLUMNS
    WAITING = "reading the history of the policies…"
    OPENS = (FeedStep, MapPlace)
    STOP = "change"
    VIEWS = ("changed", "attached", "all")
    bookmark = Bookmark(keys.CHANGES.label)

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope
        self._period = 0
        self._only: Direction | None = None
        """The direction of the shown changes; None for all."""
        self.quarter: Quarter | None = None
        """The chosen quarter of the map."""
        self._cell: tuple[str, Quarter | None] | None = None
        """The policy, and the quarter if one was chosen, that the list is limited to."""

    def question(self) -> Styled:
        newest = self.app.library.known_until(self._scope)
        filters = {"attached": " · attached in the account", "all": " · with versions that change nothing"}
        quiet = filters.get(self.view, "")
        if self._only:
            quiet += f" · only {dict(DIRECTIONS)[self._only]}"
        if self._cell:
            policy, quarter = self._cell
            quiet += f" · only {policy}{f' in {quarter_label(quarter)}' if quarter else ''}"
        period = f"{PERIODS[self._period][0]} up to {newest:%Y-%m-%d}"
        return question_line("changes", period, f", when the data ends · {SCOPE_WORDS[self._scope]}{quiet}")

    def find(self, library: Library) -> _Changes:
        scope, period = self._scope, PERIODS[self._period][1]
        feed = changes_feed(library, None if period is None else library.known_until(scope) - period, scope)
        snapshot = library.account.last_snapshot()
        return _Changes(feed, snapshot, attached_names(snapshot) if snapshot else {})

    def answer_rows(self, answer: _Changes) -> list[Row]:
        steps = [step for step in answer.feed.changes if self.view == "all" or step.change.kind != "none"]
        if self.view == "attached":
            steps = steps_of_attached(steps, answer.attached)
        if self._only:
            steps = [step for step in steps if direction_of(step) == self._only]
        quarters = map_quarters(steps, self.app.library.known_until(self._scope), self.width)
        map_rows = change_map(steps, quarters, self.quarter, self._choices(), self.width) if quarters else []
        if self._cell:
            policy, quarter = self._cell
            steps = [step for step in steps if step.policy == policy and (quarter is None or is_in(step, quarter))]
        lines = list_rows(changes_table(steps, knowledge()), self.width)
        self.rows.set_columns(columns_of_steps(lines, self.width))
        words = self._search_text.casefold().split()
        return rows_with(words, lines) if words else [*map_rows, *lines]

    def _choices(self) -> Styled:
        """Return the period, the view and the directions that can be asked for alone, the current one marked."""
        words = [
            PERIODS[self._period][0],
            *filter(None, [{"attached": "attached", "all": "all versions"}.get(self.view)]),
        ]
        directions: list[tuple[str, Style]] = [
            (f"{word} ", "cursor" if direction == self._only else "muted")
            for direction, word in DIRECTIONS
            if direction == self._only or self.width >= _ROOM_FOR_CHOICES
        ]
        return ((" · ".join([*words, "only "] if directions else words), "muted"), *directions)

    def action_only(self) -> None:
        directions = [None, *(direction for direction, _ in DIRECTIONS)]
        self._only = directions[(directions.index(self._only) + 1) % len(directions)]
        self.show_header()
        self.show_answer()

    def fold(self, row: Row, *, fold: bool) -> None:
        """Choose a quarter of the map: the one before or after."""
        if not isinstance(row.value, MapPlace) or self.answer is None:
            super().fold(row, fold=fold)
            return
        quarters: list[Quarter | None] = [
            None,
            *map_quarters(self.answer.feed.changes, self.app.library.known_until(self._scope), self.width),
        ]
        at = quarters.index(self.quarter) if self.quarter in quarters else 0
        self.quarter = quarters[(at + (-1 if fold else 1)) % len(quarters)]
        self.show_answer()

    def step_back(self) -> bool:
        """Clear the search, show all cells of the map, then all directions; False if there is nothing to clear."""
        if super().step_back():
            return True
        if self._cell is None and self._only is None:
            return False
        if self._cell is not None:
            self._cell = None
        else:
            self._only = None
        self.show_header()
        self.show_answer()
        return True

    def about_row(self, row: Row) -> Styled:
        """Return why AWS made the version, and how many in the account have the policy attached."""
        step, answer = row.value, self.answer
        if not isinstance(step, FeedStep) or answer is None:
            return ()
        is_known = answer.snapshot is not None and self._scope != "controllers"
        role_count = answer.attached.get(step.policy, 0) if is_known else None
        return styled_line(step_about(step, knowledge(), role_count), "app")

    def nothing(self) -> Sequence[Styled]:
        """Return why there are no rows, and where to look instead."""
        is_of_attached = self.view == "attached"
        is_known = self.answer is None or self.answer.snapshot is not None
        return (
            styled(no_change_words(attached=is_of_attached, is_account_known=is_known), "muted"),
            styled(
                f"p looks further back{'; v shows the changes of all policies' if is_of_attached else ''}.", "muted"
            ),
        )

    def action_period(self) -> None:
        self._period = (self._period + 1) % len(PERIODS)
        self.ask_again()

    def action_scope(self) -> None:
        self._scope = next_scope(self._scope)
        self.ask_again()

    def action_diff(self) -> None:
        self.rows.action_open()

    def open_row(self, row: Row) -> None:
        """Compare a version with the one before it, or show a new policy."""
        step = row.value
        if isinstance(step, MapPlace):
            cell = (step.policy, self.quarter)
            self._cell = None if cell == self._cell else cell
            self.show_header()
            self.show_answer()
        if not isinstance(step, FeedStep):
            return
        if step.family == "access-policy":
            self.post_message(Open(PolicyAt(f"access:{step.policy}")))
        elif step.previous is None:
            self.post_message(Open(PolicyAt(step.policy, step.version)))
        else:
            before, after = PolicyAt(step.policy, step.previous), PolicyAt(step.policy, step.version)
            self.post_message(ShowComparison(before, after))


def columns_of_steps(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """Return the columns with steps whole, names as far as there is room, and reasons if enough of them can be read."""
    date, policy, step, reach, change, reason = STEP_COLUMNS
    names, steps = (max((cells(plain(row.cells[at])) for row in rows), default=1) for at in (1, 2))
    steps = max(steps, step.width)
    room = width - sum((date.width, steps, reach.width, change.width, len(STEP_COLUMNS) - 2))
    reasons = (reason,) if room - min(names, room) > _LEAST_REASON else ()
    return (
        date, policy._replace(width=min(names, max(room, policy.width)), share=0), step._replace(width=steps), reach,
        change, *reasons,
    )  # fmt: skip
