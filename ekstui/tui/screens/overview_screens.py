"""Overviews: what AWS changed across the policies, the services of a few policies by access level, and cards of one thing."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ekstui.change.holders import types_covered
from ekstui.change.policy import SCOPE_WORDS, Policy, Scope, next_scope
from ekstui.change.steps import FeedStep, Quarter, quarter_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.errors import EkstuiError
from ekstui.iam.access_levels import MatrixRow, holding, matrix
from ekstui.iam.action_facts import MatchingStatement, action_card, statements_matching
from ekstui.iam.reference import ActionInfo, reference
from ekstui.iam.summary import ActionSummary
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.attachments import attached_names
from ekstui.library.catalog import knowledge
from ekstui.library.lookup import Thing
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.searching import ChangesFeed, changes_feed, who_can_answer
from ekstui.present.blocks import Block
from ekstui.present.cards import NO_ACTION_ROWS, GivenAction, action_blocks, matrix_blocks
from ekstui.present.change_lists import STEP_COLUMNS, changes_table, no_change_words, step_about
from ekstui.present.change_map import DIRECTIONS, Direction, MapPlace, change_map, direction_of, is_in, map_quarters
from ekstui.present.rendering import Row, list_rows, markdown, rows, styled_line
from ekstui.present.styled import Column, Style, Styled, cells, plain, styled
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.messages import AskExplain, AskWhoCan, Bookmark, ShowAction, ShowComparison, ShowPlace
from ekstui.tui.screens.copying import Extract
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.widgets.pane import rows_with
from ekstui.tui.widgets.service_rows import action_line

PERIODS = (
    ("30 days", timedelta(days=30)),
    ("90 days", timedelta(days=90)),
    ("a year", timedelta(days=365)),
    ("all years", None),
)
"""How far back the changes go, counted from the newest known one; `p` goes to the next."""


@dataclass(frozen=True, slots=True)
class _Changes:
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
        keys.ONLY, keys.PERIOD.here("Look further back: 30 days, 90 days, a year, all years."), keys.SCOPE,
        keys.VIEW.here("Go to the next view: versions that changed something, those attached in the account, or all versions."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
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
        self._quarter: Quarter | None = None
        """The chosen quarter of the map."""
        self._cell: tuple[str, Quarter | None] | None = None
        """The policy, and the quarter if one was chosen, that the list is limited to."""

    def question(self) -> Styled:
        """Return the period and the scope."""
        newest = self.app.library.known_until(self._scope)
        shown = {"attached": " · attached in the account", "all": " · with versions that change nothing"}
        quiet = shown.get(self.view, "")
        if self._only:
            quiet += f" · only {dict(DIRECTIONS)[self._only]}"
        if self._cell:
            policy, quarter = self._cell
            quiet += f" · only {policy}{f' in {quarter_label(quarter)}' if quarter else ''}"
        return (
            ("changes ", ""),
            (f"{PERIODS[self._period][0]} up to {newest:%Y-%m-%d}", "strong"),
            (f", when the data ends · {SCOPE_WORDS[self._scope]}{quiet}", "muted"),
        )

    def find(self, library: Library) -> _Changes:
        """Read the changes of the period."""
        scope, period = self._scope, PERIODS[self._period][1]
        feed = changes_feed(library, None if period is None else library.known_until(scope) - period, scope)
        snapshot = library.account.last_snapshot()
        return _Changes(feed, snapshot, attached_names(snapshot) if snapshot else {})

    def answer_rows(self, answer: _Changes) -> list[Row]:
        """Return one row per version."""
        shown = [step for step in answer.feed.changes if self.view == "all" or step.change.kind != "none"]
        if self.view == "attached":
            shown = [step for step in shown if step.family != "access-policy" and answer.attached.get(step.policy)]
        if self._only:
            shown = [step for step in shown if direction_of(step) == self._only]
        quarters = map_quarters(shown, self.app.library.known_until(self._scope), self.width)
        map_rows = change_map(shown, quarters, self._quarter, self._choices(), self.width) if quarters else []
        if self._cell:
            policy, quarter = self._cell
            shown = [step for step in shown if step.policy == policy and (quarter is None or is_in(step, quarter))]
        lines = list_rows(changes_table(shown, knowledge()), self.width)
        self.rows.set_columns(_columns(lines, self.width))
        words = self._search_text.casefold().split()
        return rows_with(words, lines) if words else [*map_rows, *lines]

    def _choices(self) -> Styled:
        """Return the directions that can be asked for alone, the current one marked."""
        words: list[tuple[str, Style]] = [
            (f"{word} ", "cursor" if direction == self._only else "muted") for direction, word in DIRECTIONS
        ]
        return (("O only: ", "muted"), *words)

    def action_only(self) -> None:
        """Show the changes of one direction alone; after the last one, all again."""
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
        at = quarters.index(self._quarter) if self._quarter in quarters else 0
        self._quarter = quarters[(at + (-1 if fold else 1)) % len(quarters)]
        self.show_answer()

    def step_back(self) -> bool:
        """Clear the search, show all cells of the map again, then all directions; False if there is nothing to clear."""
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
        attached = answer.attached.get(step.policy, 0) if is_known else None
        return styled_line(step_about(step, knowledge(), attached), "app")

    def nothing(self) -> Sequence[Styled]:
        """Return why there are no rows, and where to look instead."""
        attached = self.view == "attached"
        is_known = self.answer is None or self.answer.snapshot is not None
        return (
            styled(no_change_words(attached=attached, is_account_known=is_known), "muted"),
            styled(f"p looks further back{'; v shows the changes of all policies' if attached else ''}.", "muted"),
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

    def open_row(self, row: Row) -> None:
        """Compare a version with the one before it, or show a new policy."""
        step = row.value
        if isinstance(step, MapPlace):
            cell = (step.policy, self._quarter)
            self._cell = None if cell == self._cell else cell
            self.show_header()
            self.show_answer()
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
    date, policy, step, reach, change, reason = STEP_COLUMNS
    names, steps = (max((cells(plain(row.cells[at])) for row in rows), default=1) for at in (1, 2))
    steps = max(steps, step.width)
    room = width - sum((date.width, steps, reach.width, change.width, reason.width, len(STEP_COLUMNS) - 1))
    return (
        date, policy._replace(width=min(names, max(room, policy.width)), share=0), step._replace(width=steps), reach,
        change, reason,
    )  # fmt: skip


_MAX_UNFOLDED = 500
"""The most actions that a search unfolds: a first letter matches thousands, and each letter builds the rows again."""


_WIDE = 1_000
"""Columns of a table in a file, where every number fits."""


@dataclass(frozen=True, slots=True)
class _Matrix:
    policies: tuple[Policy, ...]
    rows: tuple[MatrixRow, ...]


class MatrixScreen(ReportScreen[_Matrix]):
    """One row per service, one column per access level; enter unfolds a service's actions."""

    HEADING = "Services by access level"
    SEARCH_FILTERS = True
    KEYS = (
        keys.OPEN.here("Unfold the service, or show the action's card."), keys.VIEW.here("Switch between numbers and symbols."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    HEADER = True
    WAITING = "working out what the policies permit…"
    OPENS = (ActionSummary,)
    STOP = "service in which the policies differ"
    VIEWS = ("numbers", "symbols")

    def __init__(self, places: Sequence[PolicyAt]) -> None:
        super().__init__()
        self._places = tuple(places)

    def question(self) -> Styled:
        """Return the policies."""
        names = ", ".join(map(str, self._places))
        return (("services × access levels ", ""), (clean_line(names), "strong"))

    def find(self, library: Library) -> _Matrix:
        """Read the summaries of the policies."""
        policies = tuple(library.find(place.name).policy for place in self._places)
        versions = [place.version for place in self._places]
        return _Matrix(policies, matrix(list(map(library.summary, policies, versions))))

    def answer_rows(self, answer: _Matrix) -> list[Row]:
        """Return the table; with a search, only matching services and actions."""
        holding_rows, opened = self._matching(answer)
        if not holding_rows:
            return []
        signs = self.view == "symbols"
        legend, table = matrix_blocks(
            answer.rows, self._places, self.width, shown=holding_rows, opened=opened, signs=signs
        )
        self.rows.set_columns(table.columns)
        return [*rows(legend, self.width), *list_rows(table, self.width)]

    def _matching(self, answer: _Matrix) -> tuple[Sequence[MatrixRow], set[Hashable]]:
        """Return the services that match the search, and the unfolded ones, which include those found by their actions."""
        words = self._search_text.casefold().split()
        rows = [row for row in (holding(row, words) for row in answer.rows) if row]
        if not words:
            return rows, self.opened
        by_action = [row for row in rows if not all(word in row.service.casefold() for word in words)]
        if sum(len(row.actions) for row in by_action) > _MAX_UNFOLDED:
            return rows, self.opened
        return rows, self.opened | {row.service for row in by_action}

    def nothing(self) -> Sequence[Styled]:
        """Return that nothing is allowed."""
        return (styled(NO_ACTION_ROWS, "muted"),)

    def about_row(self, row: Row) -> Styled:
        """Return an action with its grants, or a service with its counts in words."""
        match row.value:
            case ActionSummary() as action:
                return action_line(action)
            case MatrixRow(service=service, cells=cells):
                counts = ", ".join(
                    f"{'/'.join(map(str, cell.granted))} of {cell.total} {level}" for level, cell in cells.items()
                )
                return (clean_line(service), "strong"), (clean_line(f"  {counts}"), "muted")
            case _:
                return ()

    def is_stop(self, row: Row) -> bool:
        """Return whether a row is a service in which the policies differ."""
        return isinstance(row.value, MatrixRow) and (len(self._places) == 1 or row.value.differs)

    def forms(self, answer: _Matrix) -> Sequence[Extract]:
        """Return the whole table as Markdown."""
        stem = "-".join(["matrix", *(place.name for place in self._places)])
        legend, table = matrix_blocks(answer.rows, self._places, _WIDE)
        return (Extract("Markdown", f"{stem}.md", lambda: markdown([*legend, table])),)

    def copies(self) -> Sequence[Extract]:
        """Return the table as Markdown."""
        answer = self.answer
        about = f"{len(answer.rows)} services as a table" if answer else ""
        return [form._replace(about=about) for form in self.forms(answer)] if answer else ()

    def fold_key(self, row: Row) -> Hashable:
        """Return the name of a service."""
        return row.value.service if isinstance(row.value, MatrixRow) else None

    def open_row(self, row: Row) -> None:
        """Unfold or fold a service, or show an action's card."""
        if isinstance(row.value, ActionSummary) and self.answer:
            self._show_action(row.value, self.answer)
        else:
            super().open_row(row)

    def _show_action(self, action: ActionSummary, answer: _Matrix) -> None:
        """Show the card of an action for the first policy that allows it, with the statements of all policies."""
        by_policy = next(
            candidate.by_policy for row in answer.rows for candidate in row.actions if candidate.action == action.action
        )
        index = next(index for index, summary in enumerate(by_policy) if summary)
        library = self.app.library
        pairs = list(zip(self._places, answer.policies, strict=True))
        self.post_message(
            ShowAction(
                action,
                f"policy:{self._places[index]}",
                lambda: [(str(place), library.document(policy, place.version)) for place, policy in pairs],
                answer.policies[index],
            )
        )


class CardScreen(ReportScreen[Sequence[Block]]):
    """A card made of blocks, whose policies, roles and actions can be opened."""

    HEADING = "Card"
    KEYS = (keys.OPEN.here("Open the policy or role under the cursor, or show who can do the action."), keys.WHO_CAN)
    BINDINGS = bindings(KEYS)

    OPENS = (ActionInfo, RoleSide, PolicyAt)

    def __init__(self, thing: Thing, blocks: Callable[[], Sequence[Block]], about: str = "") -> None:
        """`about` says what is shown of the thing, if not all of it; the header then names it."""
        super().__init__()
        self._about = about
        self._thing = thing
        self._blocks = blocks

    def question(self) -> Styled:
        """Return the kind and name."""
        about = f"{self._about} of " if self._about else ""
        return ((f"{about}{self._thing.kind} ", ""), (clean_line(self._thing.name), "strong"))

    @property
    def bookmark(self) -> Bookmark | None:
        """What to type into the palette to get here again."""
        thing = self._thing
        return Bookmark(
            thing.arn or thing.name, of_account=thing.kind not in ("symptom", "access policy", "comparison")
        )

    def find(self, library: Library) -> Sequence[Block]:  # noqa: ARG002 - `blocks` already has the library
        """Make the blocks."""
        return self._blocks()

    def answer_rows(self, answer: Sequence[Block]) -> list[Row]:
        """Return the card as rows."""
        return rows(answer, self.width)

    def open_row(self, row: Row) -> None:
        """Show a policy or a role, or who can do an action."""
        match row.value:
            case ActionInfo(name=action):
                self.post_message(AskWhoCan(action))
            case RoleSide() | PolicyAt():
                super().open_row(row)
            case _:
                self.notify("There is nothing to open here; y copies it.")


class ActionScreen(ReportScreen[GivenAction]):
    """An action: what it does, the statements that allow it, and since which version they do."""

    HEADING = "Action"
    KEYS = (
        keys.WHO_CAN.here("Show who else can do this action."),
        keys.EXPLAIN.here("Explain why a request for this action is denied."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WAITING = "reading the statements…"

    def __init__(self, wanted: ShowAction) -> None:
        super().__init__()
        self._wanted = wanted

    def question(self) -> Styled:
        """Return the action and the policy or role that allows it."""
        allowed_by = self._wanted.allowed_by.partition(":")[2]
        return (
            ("action ", ""),
            (clean_line(self._wanted.action.action), "strong"),
            (f" · {clean_line(allowed_by)}", "muted"),
        )

    def find(self, library: Library) -> GivenAction:
        """Read the facts for the card."""
        return _card(library, self._wanted)

    def answer_rows(self, answer: GivenAction) -> list[Row]:
        """Return the card as rows."""
        return rows(action_blocks(answer), self.width)

    def action_who_can(self) -> None:
        """Show who else can do this action."""
        self.post_message(AskWhoCan(self._wanted.action.action))

    def action_explain(self) -> None:
        """Explain a request for this action."""
        self.post_message(AskExplain(f"{self._wanted.allowed_by} {self._wanted.action.action}"))


def _card(library: Library, wanted: ShowAction) -> GivenAction:
    name = wanted.action.action
    statements: list[tuple[str, MatchingStatement]] = [
        (label, statement) for label, document in wanted.read() for statement in statements_matching(document, name)
    ]
    since, others = None, None
    try:
        holders = who_can_answer(library, name, None, "all").holders
    except EkstuiError:
        # Unknown to the reference; the card says so.
        pass
    else:
        arn = wanted.policy.arn if wanted.policy else None
        since = next((holder.since for holder in holders if holder.policy.arn == arn), None)
        family = knowledge().policies
        others = sum(holder.policy.name in family and holder.policy.arn != arn for holder in holders)
    info = reference().find(name)
    covered = types_covered(info, wanted.action.grants) if info else ()
    card, needs = action_card(name), knowledge().dependents(name)
    own = library.snapshot_at_hand()
    account = own.identity.account if own else None
    return GivenAction(wanted.action, card, needs, covered, statements, since, others, account)
