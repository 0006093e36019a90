"""Services by access level, for the marked policies or for the one shown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ekstui.core.access_levels import MatrixRow, holding, matrix
from ekstui.core.notation import PolicyAt
from ekstui.core.policy import Policy
from ekstui.core.summary import ActionSummary
from ekstui.core.text import clean_line
from ekstui.library import Library
from ekstui.present.matrix_table import layout, legend_blocks, matrix_blocks, matrix_table
from ekstui.present.rendering import Row, list_rows, markdown, rows
from ekstui.present.styled import Styled, styled
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.messages import ShowAction
from ekstui.tui.screens.copying import Copyable, Export
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.widgets.service_rows import action_line

MAX_UNFOLDED = 500
"""The most actions that a search unfolds: a first letter matches thousands, and each letter builds the rows again."""


WIDE = 1_000
"""Columns of a table in a file, where every number fits."""


@dataclass(frozen=True, slots=True)
class _Answer:
    policies: tuple[Policy, ...]
    rows: tuple[MatrixRow, ...]


class MatrixScreen(ReportScreen[_Answer]):
    """One row per service, one column per access level; enter unfolds a service's actions."""

    HEADING = "Services by access level"
    KEYS = (
        keys.OPEN.here("Unfold the service, or show the action's card."), keys.VIEW.here("Switch between numbers and symbols."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    HEADER = True
    WAITING = "working out what the policies permit…"
    OPENS = (MatrixRow, ActionSummary)
    STOP = "service in which the policies differ"
    HAS_LINE = True

    def __init__(self, places: Sequence[PolicyAt]) -> None:
        super().__init__()
        self._places = tuple(places)
        self._opened: set[str] = set()
        self._signs = False

    def question(self) -> Styled:
        """Return the policies."""
        names = ", ".join(map(str, self._places))
        return (("services × access levels ", ""), (clean_line(names), "strong"))

    def ask(self) -> Callable[[], _Answer]:
        """Return what reads the summaries of the policies."""
        library, places = self.app.library, self._places
        return lambda: _answer(library, places)

    def answer_rows(self, answer: _Answer) -> list[Row]:
        """Return the table; with a search, only matching services and actions."""
        found, opened = self._found(answer)
        if not found:
            return []
        form = layout(found, len(self._places), self.width, signs=self._signs)
        self.rows.set_columns(form.columns)
        actions = any(row.service in opened for row in found)
        legend = legend_blocks(answer.rows, self._places, numbers=form.numbers, actions=actions)
        table = matrix_table(found, self._places, opened, form, self.width)
        return [*rows(legend, self.width), *list_rows(table, self.width)]

    def _found(self, answer: _Answer) -> tuple[Sequence[MatrixRow], set[str]]:
        """Return the services that match the search, and the unfolded ones, which include those found by their actions."""
        words = self._search_text.casefold().split()
        rows = [found for found in (holding(row, words) for row in answer.rows) if found]
        if not words:
            return rows, self._opened
        by_action = [row for row in rows if not all(word in row.service.casefold() for word in words)]
        if sum(len(row.actions) for row in by_action) > MAX_UNFOLDED:
            return rows, self._opened
        return rows, self._opened | {row.service for row in by_action}

    def nothing(self) -> Sequence[Styled]:
        """Return that nothing matches, or that nothing is allowed."""
        if self._search_text:
            return (
                styled(f"Nothing here matches “{clean_line(self._search_text)}”.", "warn"),
                styled("esc clears the search.", "muted"),
            )
        return (styled("No action is allowed.", "muted"),)

    def about_row(self, row: Row) -> Styled:
        """Return an action with its grants, or a service with its counts in words."""
        match row.value:
            case ActionSummary() as action:
                return action_line(action)
            case MatrixRow(service=service, cells=cells):
                counts = ", ".join(
                    f"{'/'.join(map(str, cell.given))} of {cell.total} {level}" for level, cell in cells.items()
                )
                return (clean_line(service), "strong"), (clean_line(f"  {counts}"), "muted")
            case _:
                return ()

    def is_stop(self, row: Row) -> bool:
        """Return whether a row is a service in which the policies differ."""
        return isinstance(row.value, MatrixRow) and (len(self._places) == 1 or row.value.differs)

    def exports(self) -> Sequence[Export]:
        """Return the formats: the whole table as Markdown, what is shown as text."""
        answer = self.answer
        text, stem = super().exports(), "-".join(["matrix", *(place.name for place in self._places)])
        return (Export("Markdown", f"{stem}.md", lambda: self._markdown(answer)), *text) if answer else text

    def copies(self) -> Sequence[Copyable]:
        """Return the table as Markdown."""
        answer = self.answer
        if answer is None:
            return ()
        about = f"{len(answer.rows)} services as a table"
        return (Copyable("Markdown", about, lambda: self._markdown(answer)),)

    def _markdown(self, answer: _Answer) -> str:
        return markdown(matrix_blocks(self._places, answer.rows, WIDE))

    def action_view(self) -> None:
        """Switch between numbers and symbols."""
        self._signs = not self._signs
        self.show_answer()

    def fold(self, row: Row, *, fold: bool) -> bool:
        """Fold or unfold a service."""
        if isinstance(row.value, MatrixRow) and (row.value.service in self._opened) == fold:
            self._opened ^= {row.value.service}
            self.show_answer()
        return True

    def open_row(self, row: Row) -> None:
        """Unfold or fold a service, or show an action's card."""
        if isinstance(row.value, MatrixRow):
            self._opened ^= {row.value.service}
            self.show_answer()
        elif isinstance(row.value, ActionSummary) and self.answer:
            self._show_action(row.value, self.answer)

    def _show_action(self, action: ActionSummary, answer: _Answer) -> None:
        """Show the card of an action for the first policy that allows it, with the statements of all policies."""
        by_policy = next(each.given for row in answer.rows for each in row.actions if each.action == action.action)
        index = next(index for index, each in enumerate(by_policy) if each)
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


def _answer(library: Library, places: Sequence[PolicyAt]) -> _Answer:
    policies = tuple(library.find(place.name).policy for place in places)
    summaries = [library.summary(policy, place.version) for policy, place in zip(policies, places, strict=True)]
    return _Answer(policies, matrix(summaries))
