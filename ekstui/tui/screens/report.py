"""The base of the screens that ask the library one question and show the answer as rows."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.events import DescendantFocus
from textual.getters import query_one
from textual.widget import Widget
from textual.widgets import Input

from ekstui.eks.pods import PodPlace
from ekstui.errors import EkstuiError
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.present.blocks import Fold
from ekstui.present.styled import Column, Row, Styled, cut_end, mark_hits, plain, styled
from ekstui.tui import keys
from ekstui.tui.base import AGES_AFTER, AppScreen, Debounce
from ekstui.tui.keys import Key, declared_keys
from ekstui.tui.messages import (
    AccountView,
    Open,
    PaneFailed,
    SwitchAccount,
)
from ekstui.tui.screens.copying import Extract, copies_of_advice, copyables, offer_copies, offer_exports
from ekstui.tui.widgets.bars import TWO_LINES, FilterLine, FooterBar, HeaderBar, LineBar
from ekstui.tui.widgets.pane import failure, no_match, stale_rows
from ekstui.tui.widgets.rows import WHOLE_WIDTH, RowList

WIDE = 160
"""The columns from which what fits is unfolded."""

MAX_CRUMB = 32
"""The most columns of a screen's name in the breadcrumbs."""


Answer = TypeVar("Answer")


def question_line(word: str, name: str, about: str = "") -> Styled:
    """Return a question as a line: the word for it, what it is about, and more of that."""
    return (f"{word} ", ""), (clean_line(name), "strong"), (clean_line(about), "muted")


class ReportScreen(AppScreen, Generic[Answer]):
    """A question in the header and its answer as rows; subclasses say what to ask and how to show the answer."""

    HEADING = "All reports"
    """The heading of its keys in the manual."""
    KEYS: tuple[Key, ...] = (
        keys.NEXT, keys.PREVIOUS, keys.FILTER, keys.COPY, keys.SAVE, keys.RENEW,
    )  # fmt: skip
    DEFAULT_CSS = """
    ReportScreen RowList { padding: 0 1; }
    ReportScreen #line { height: 2; }
    ReportScreen.-low #line { height: 1; }
    """
    COLUMNS: Sequence[Column] = WHOLE_WIDTH
    HEADER = False
    """Whether to show the titles of the columns."""
    SEARCH_FILTERS = False
    """Whether only rows that match a search are shown."""
    WAITING = "working…"
    """What to show until the answer arrives."""
    OPENS: tuple[type, ...] = ()
    """Types of row values that `enter` opens, besides those that it unfolds."""
    STOP = "row"
    """The name of what `n` and `N` go to without a search."""
    VIEWS: Sequence[str] = ("",)
    """The names of the answer's views, the first one first."""

    header = query_one("HeaderBar", HeaderBar)
    footer = query_one(FooterBar)
    rows = query_one(RowList)

    def __init__(self) -> None:
        super().__init__()
        self._search_text = ""
        self._search = FilterLine(placeholder="type to search")
        self.answer: Answer | None = None
        self._error: EkstuiError | None = None
        """Why the question could not be answered, or the shown answer could not be refreshed."""
        self._describing = Debounce(self)
        self._row = 0
        """The row to put the cursor on when the first answer arrives."""
        self.view = self.VIEWS[0]
        self.opened: set[Hashable] = set()
        """What `fold_key` returns for the unfolded rows."""

    def question(self) -> Styled:
        """Return the question as a line for the header."""
        raise NotImplementedError

    @property
    def has_question(self) -> bool:
        """Whether there is a question yet."""
        return True

    def find(self, library: Library) -> Answer:
        """Answer the question; runs in the background."""
        raise NotImplementedError

    def answer_rows(self, answer: Answer) -> list[Row]:
        """Return the answer as rows of `width` columns; no rows mean that nothing was found."""
        raise NotImplementedError

    @property
    def width(self) -> int:
        """The columns that text is wrapped to."""
        return max(self.size.width - 4, 20)

    def nothing(self) -> Sequence[Styled]:
        """Return what to show if there are no rows."""
        return (styled("Nothing was found. esc goes back.", "muted"),)

    def extra_widgets(self) -> Sequence[Widget]:
        """Return the widgets between the header and the rows."""
        return ()

    def compose(self) -> ComposeResult:
        yield HeaderBar()
        yield from self.extra_widgets()
        yield RowList(self.COLUMNS, header=self.HEADER)
        yield self._search
        if type(self).about_row is not ReportScreen.about_row:
            yield LineBar(id="line")
        yield FooterBar()

    def on_mount(self) -> None:
        self._row, self.app.row_to_reach = self.app.row_to_reach, 0
        self.show_keys()
        self.begin()
        self.set_interval(AGES_AFTER, self.show_header)

    def begin(self) -> None:
        """Focus the rows at once, for keys typed ahead, and ask the question."""
        self.set_focus(self.rows, scroll_visible=False)
        self.ask_again()

    @on(DescendantFocus)
    def show_keys(self) -> None:
        """Show the keys that work on the row under the cursor or, while the user types, a hint."""
        if isinstance(self.focused, Input):
            self.footer.show_words(self.typing_hint())
            return
        row = self.rows.current
        own_keys = [key for key in declared_keys(self) if key not in RowList.KEYS and self.works(key, row)]
        self.footer.show_keys([*own_keys, keys.FIND, keys.HELP])

    def typing_hint(self) -> str:
        """Return the hint to show while the user types."""
        return "enter goes to the match   n N next and previous   esc clears the search"

    def works(self, key: Key, row: Row | None) -> bool:
        """Return whether a key works on a row."""
        if key.id == keys.OPEN.id:
            return row is not None and (isinstance(row.value, self.OPENS) or self.fold_key(row) is not None)
        if key.id in (keys.NEXT.id, keys.PREVIOUS.id):
            return any(map(self._is_stop, self.rows.rows))
        return True

    def about_row(self, row: Row) -> Styled:  # noqa: ARG002 - for subclasses
        """Return the details of a row, for the line above the footer that a screen with details has."""
        return ()

    @on(RowList.Highlighted)
    def _row_highlighted(self) -> None:
        """Update the details and the footer once the cursor rests."""
        self._describing.call(self._describe)

    def _describe(self) -> None:
        self.show_keys()
        for line in self.query(LineBar):
            line.show(self.about_row(self.rows.current) if self.rows.current else ())

    def step_back(self) -> bool:
        """Clear the search; False if there is none."""
        if not self._search_text:
            return False
        self._search.close()
        self._search_text = ""
        self.show_answer()
        return True

    @on(RowList.Opened)
    def _row_opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.open_row(event.row)

    def open_row(self, row: Row) -> None:
        """Open what a row shows; by default, show a policy, a role or pods, or unfold or fold what can be."""
        match row.value:
            case PolicyAt() | RoleSide() | PodPlace():
                self.post_message(Open(row.value))
            case _ if (key := self.fold_key(row)) is not None:
                self.toggle(key)

    def fold_key(self, row: Row) -> Hashable:  # noqa: ARG002 - for subclasses
        """Return what identifies a row that can be unfolded; None if it cannot."""
        return None

    def toggle(self, key: Hashable) -> None:
        """Unfold what is folded, or fold what is not."""
        self.opened ^= {key}
        self.rows.set_unfolded(self.show_answer)

    @on(RowList.Folded)
    def _folded(self, event: RowList.Folded) -> None:
        event.stop()
        self.fold(event.row, fold=event.fold)

    def fold(self, row: Row, *, fold: bool) -> None:
        """Fold or unfold a row, or say that it cannot be."""
        key = self.fold_key(row)
        if key is None:
            self.notify("This row has nothing to unfold.")
        elif (key in self.opened) == fold:
            self.toggle(key)

    def action_view(self) -> None:
        """Go to the next view."""
        self.show_view(self.VIEWS[(self.VIEWS.index(self.view) + 1) % len(self.VIEWS)])

    def show_view(self, view: str) -> None:
        """Show the answer in this view."""
        self.view = view
        self.show_header()
        self.show_answer()

    def show_header(self) -> None:
        """Show the breadcrumbs and the question."""
        stack = self.app.screen_stack
        screens_below = stack[: stack.index(self)] if self in stack else stack
        names = (
            plain(screen.question()).partition(" · ")[0] for screen in screens_below if isinstance(screen, ReportScreen)
        )
        path = "".join(f"{plain(cut_end(styled(name), MAX_CRUMB))} › " for name in names)
        self.header.show(((" ekstui ", "strong"), ("  ", ""), (path, "muted"), *self.question()))

    @property
    def row(self) -> Row | None:
        return self.rows.current

    def ask_again(self, *, keep: bool = False) -> None:
        """Ask the question again; with `keep`, the old answer stays until the new one arrives."""
        if not keep:
            self.answer = None
        self.show_header()
        if not self.has_question:
            self.rows.show_message(*self.nothing())
            return
        self._error = None
        if self.answer is None:
            self.rows.show_message(styled(self.WAITING, "muted"))
        library = self.app.library
        self.app.background.run(self, f"report-{id(self)}", lambda _: self.find(library), self._answered)

    def _answered(self, answer: Answer) -> None:
        self.answer, self._error = answer, None
        self.show_header()
        self.show_answer()
        self._unfold_what_fits()
        self.begin_reading()
        if self._row:
            keys_above = [row.key for row in self.rows.rows[: self._row + 1] if row.selectable]
            self.rows.move_to(keys_above[-1] if keys_above else None)
            self._row = 0

    def begin_reading(self) -> None:
        """Put the cursor where a new answer is read first; by default, it stays."""

    @on(PaneFailed)
    def _failed(self, message: PaneFailed) -> None:
        message.stop()
        if self.answer is None:
            self.show_error(message.error)
        else:
            self._error = message.error
            self.show_answer()

    def show_error(self, error: EkstuiError) -> None:
        """Show what went wrong and what to do, instead of an answer."""
        self._error = error
        self.rows.show_message(*failure(error))

    def _unfold_what_fits(self) -> None:
        """Unfold the first parts of the answer that fit a wide terminal, unless the user has unfolded something."""
        if self.size.width < WIDE or self.opened or self.answer is None:
            return
        for row in self.rows.rows:
            if isinstance(row.value, Fold) and (key := self.fold_key(row)) is not None:
                self.opened.add(key)
                if len(self.answer_rows(self.answer)) > self.rows.size.height:
                    self.opened.remove(key)
        self.show_answer()

    def show_answer(self) -> None:
        """Show the answer again, at the current width."""
        if self.answer is None:
            return
        rows = self.answer_rows(self.answer)
        if self._error is not None:
            rows = [*stale_rows(self._error, self.width), *rows]
        if rows:
            match = self._search_text
            self.rows.set_rows(
                [row._replace(cells=tuple(mark_hits(cell, match) for cell in row.cells)) for row in rows]
            )
        elif self._search_text and self.SEARCH_FILTERS:
            self.rows.show_message(*no_match(self._search_text, "esc clears the search."))
        else:
            self.rows.show_message(*self.nothing())

    def on_resize(self) -> None:
        self.set_class(self.size.height < TWO_LINES, "-low")
        self.show_answer()

    def forms(self, answer: Answer) -> Sequence[Extract]:  # noqa: ARG002 - for subclasses
        """Return the formats of the whole answer."""
        return ()

    def _text(self) -> str:
        return "".join(" ".join(map(plain, row.cells)).rstrip() + "\n" for row in self.rows.rows)

    def copies(self) -> Sequence[Extract]:
        """Return what can be copied from the answer besides its text."""
        return ()

    def action_copy(self) -> None:
        """Let the user choose what to copy."""
        row = self.rows.current
        of_row = copyables(row, None, self.app.library) if row else []
        everything = Extract("everything shown", f"{len(self.rows.rows)} lines", self._text)
        offer_copies(self, [*copies_of_advice(self._error), *self.copies(), *of_row, everything])

    def action_export(self) -> None:
        """Let the user save the answer to a file; what is shown as text is always one of the formats."""
        forms = () if self.answer is None else self.forms(self.answer)
        offer_exports(self, (*forms, Extract("text", "ekstui.txt", self._text)))

    def action_refresh_data(self) -> None:
        """Ask again, showing the old answer until then."""
        self.ask_again(keep=True)

    def action_filter(self) -> None:
        self._search.open()

    @on(Input.Changed, "FilterLine")
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._search_text = event.value.strip()
        self.show_answer()

    @on(Input.Submitted, "FilterLine")
    def _search_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._search.action_leave()
        if self._search_text:
            self.rows.move_to_match(1, self._is_stop, here=True)

    def action_next(self, step: int) -> None:
        """Go to the next or previous match of the search, round the end; without a search, to such a stop."""
        if self.answer is None:
            self.notify(self.WAITING.capitalize())
        elif self._search_text:
            if not self.rows.move_to_match(step, self._is_stop):
                self.notify(f"Nothing on this screen matches “{self._search_text}”.")
        elif not self.rows.move_to_next(step, self._is_stop):
            self.notify(f"No {'next' if step > 0 else 'previous'} {self.STOP} on this screen.")

    def _is_stop(self, row: Row) -> bool:
        if self._search_text:
            return self._search_text.casefold() in " ".join(map(plain, row.cells)).casefold()
        return self.is_stop(row)

    def is_stop(self, row: Row) -> bool:
        """Return whether `n` stops at a row when there is no search."""
        return row.value is not None


class AccountReportScreen(ReportScreen[Answer]):
    """A report about the account, which asks again when there is a new snapshot; its answers have `fetched_at`."""

    @property
    def read_at(self) -> datetime | None:
        """When the shown answer was read from AWS; None if there is none."""
        return getattr(self.answer, "fetched_at", None)

    def action_refresh_data(self) -> None:
        self.post_message(SwitchAccount(None))

    def show_account(self, view: AccountView) -> None:
        """Show the new snapshot, or why there is none."""
        if not self.is_mounted or view.asking:
            return
        if view.error is not None:
            self._error = view.error
            self.show_answer()
        elif view.snapshot is not None and view.snapshot.fetched_at != self.read_at:
            self.ask_again(keep=True)
