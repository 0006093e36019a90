"""The services of a few policies by access level."""

from collections.abc import Hashable, Sequence

from ekstui.change.policy import Policy
from ekstui.iam.access_levels import MatrixRow, holding, matrix
from ekstui.iam.summary import ActionSummary
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.notation import PolicyAt
from ekstui.named_tuples import NamedTuple
from ekstui.present.matrix import NO_ACTION_ROWS, matrix_blocks
from ekstui.present.permissions import action_line
from ekstui.present.rendering import Row, list_rows, markdown, rows
from ekstui.present.styled import Styled, styled
from ekstui.tui import keys
from ekstui.tui.messages import ShowAction
from ekstui.tui.screens.copying import Extract
from ekstui.tui.screens.report import ReportScreen, question_line

_MAX_UNFOLDED = 500
"""The most actions that a search unfolds: a first letter matches thousands, and each letter builds the rows again."""


_WIDE = 1_000
"""Columns of a table in a file, where every number fits."""


class _Matrix(NamedTuple):
    policies: tuple[Policy, ...]
    rows: tuple[MatrixRow, ...]


class MatrixScreen(ReportScreen[_Matrix]):
    """One row per service, one column per access level; enter unfolds a service's actions."""

    HEADING = "Services by access level"
    SEARCH_FILTERS = True
    KEYS = (
        keys.OPEN.here("Unfold the service, or show the action's card."),
        keys.VIEW.here("Switch between numbers and symbols."),
    )
    HEADER = True
    WAITING = "working out what the policies permit…"
    OPENS = (ActionSummary,)
    STOP = "service in which the policies differ"
    VIEWS = ("numbers", "symbols")

    def __init__(self, places: Sequence[PolicyAt]) -> None:
        super().__init__()
        self._places = tuple(places)

    def question(self) -> Styled:
        return question_line("services × access levels", ", ".join(map(str, self._places)))

    def find(self, library: Library) -> _Matrix:
        policies = tuple(library.find(place.name).policy for place in self._places)
        versions = [place.version for place in self._places]
        return _Matrix(policies, matrix(list(map(library.summary, policies, versions))))

    def answer_rows(self, answer: _Matrix) -> list[Row]:
        """Return the table; with a search, only matching services and actions."""
        holding_rows, open_keys = self._matching_rows(answer)
        if not holding_rows:
            return []
        signs = self.view == "symbols"
        legend, table = matrix_blocks(
            answer.rows, self._places, self.width, filtered_rows=holding_rows, open_services=open_keys, signs=signs
        )
        self.rows.set_columns(table.columns)
        return [*rows(legend, self.width), *list_rows(table, self.width)]

    def _matching_rows(self, answer: _Matrix) -> tuple[Sequence[MatrixRow], set[Hashable]]:
        """Return the services that match the search, and the unfolded ones, with those found by their actions."""
        words = self._search_text.casefold().split()
        rows = [row for row in (holding(row, words) for row in answer.rows) if row]
        if not words:
            return rows, self.opened
        by_action = [row for row in rows if not all(word in row.service.casefold() for word in words)]
        if sum(len(row.actions) for row in by_action) > _MAX_UNFOLDED:
            return rows, self.opened
        return rows, self.opened | {row.service for row in by_action}

    def nothing(self) -> Sequence[Styled]:
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
        return isinstance(row.value, MatrixRow) and (len(self._places) == 1 or row.value.differs)

    def forms(self, answer: _Matrix) -> Sequence[Extract]:
        stem = "-".join(["matrix", *(place.name for place in self._places)])
        legend, table = matrix_blocks(answer.rows, self._places, _WIDE)
        return (Extract("Markdown", f"{stem}.md", lambda: markdown([*legend, table])),)

    def copies(self) -> Sequence[Extract]:
        answer = self.answer
        about = f"{len(answer.rows)} services as a table" if answer else ""
        return [form._replace(about=about) for form in self.forms(answer)] if answer else ()

    def fold_key(self, row: Row) -> Hashable:
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
