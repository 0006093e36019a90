"""Two documents beside each other, in three views."""

from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.getters import app, query_one
from textual.message import Message
from textual.reactive import reactive
from textual.screen import Screen
from textual.widgets import Input

from ekstui.core.canonical import LinePair, canonical_lines, line_pairs
from ekstui.core.where import PolicyAt, Side
from ekstui.errors import EkstuiError
from ekstui.library import Comparison
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import bindings, keys_of
from ekstui.tui.messages import PaneFailed
from ekstui.tui.present.comparison import counts, mark_hits, meaning_rows, side_rows, unified_rows, verdict
from ekstui.tui.present.words import failure
from ekstui.tui.styled import Styled, plain, styled
from ekstui.tui.widgets.bars import FooterBar, HeaderBar
from ekstui.tui.widgets.pane import FilterLine
from ekstui.tui.widgets.rows import WHOLE_WIDTH, Column, Row, RowList

View = Literal["meaning", "unified", "side by side"]
VIEWS: tuple[View, ...] = ("meaning", "unified", "side by side")
SIDE_BY_SIDE = (Column("", 10, share=1), Column("", 1), Column("", 10, share=1))


class Compared(Message):
    """The comparison of two sides was worked out."""

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        self.comparison = comparison


class LinesCompared(Message):
    """The two documents were compared line by line."""

    def __init__(self, comparison: Comparison, pairs: list[LinePair]) -> None:
        super().__init__()
        self.comparison = comparison
        self.pairs = pairs


class CompareScreen(Screen[None]):
    """What differs between two sides: the verdict on top, then the differences."""

    BINDINGS = bindings("compare")
    DEFAULT_CSS = """
    CompareScreen #verdict { height: 2; padding: 0 1; background: $surface; }
    CompareScreen RowList { padding: 0 1; }
    """

    app = app(LibraryApp)
    header = query_one(HeaderBar)
    footer = query_one(FooterBar)
    rows = query_one(RowList)

    view: reactive[View] = reactive("meaning", init=False)

    def __init__(self, before: Side, after: Side) -> None:
        super().__init__()
        self._before = before
        self._after = after
        self._comparison: Comparison | None = None
        self._pairs: list[LinePair] | None = None
        self._opened: set[int] = set()
        self._needle = ""

    def compose(self) -> ComposeResult:
        """Yield the sides, the verdict and the differences."""
        yield HeaderBar()
        yield HeaderBar(id="verdict")
        yield RowList()
        yield FooterBar()

    def on_mount(self) -> None:
        """Ask for the comparison."""
        self.footer.show_keys([key for key in keys_of(("compare", "app")) if key.footer])
        self.rows.focus()
        self._compare()

    def _compare(self) -> None:
        before, after, library = self._before, self._after, self.app.library
        self._comparison, self._pairs, self._opened = None, None, set()
        self.header.show(((" ekstui ", "strong"), (f"  compare · {before} → {after}", "")))
        if before == after:
            self._show_verdict(styled(" Both sides are the same."))
            self.rows.show_message(
                styled(f"{before} is compared with itself: nothing can differ.", "muted"),
                styled("esc goes back.", "muted"),
            )
            return
        self._show_verdict(styled(" comparing…", "muted"))
        self.app.background.run(self, "compare", lambda _: Compared(library.compare(before, after)))

    @on(Compared)
    def _compared(self, message: Compared) -> None:
        self._comparison = message.comparison
        self._show_comparison()

    @on(LinesCompared)
    def _lines_compared(self, message: LinesCompared) -> None:
        if message.comparison is self._comparison:
            self._pairs = message.pairs
            self._show_comparison()

    @on(PaneFailed)
    def _failed(self, message: PaneFailed) -> None:
        self._show_error(message.error)

    def _show_error(self, error: EkstuiError) -> None:
        self._show_verdict(styled(" The two could not be compared.", "bad"))
        self.rows.show_message(*failure(error))

    def _show_verdict(self, line: Styled) -> None:
        self.query_one("#verdict", HeaderBar).show(line)

    def watch_view(self) -> None:
        """Lay the rows out for the view."""
        self.rows.set_columns(SIDE_BY_SIDE if self.view == "side by side" else WHOLE_WIDTH)
        self._show_comparison()

    def _show_comparison(self) -> None:
        comparison = self._comparison
        if comparison is None:
            return
        change = comparison.change
        self.header.show((
            (" ekstui ", "strong"), (f"  compare · {comparison.before.label} → {comparison.after.label}", ""),
            (f" · {counts(change)} · {self.view}", "muted"),
        ))  # fmt: skip
        self._show_verdict(verdict(change))
        if self.view != "meaning" and self._pairs is None:
            before, after = comparison.before.document, comparison.after.document
            self.rows.show_message(styled("comparing line by line…", "muted"))
            self.app.background.run(
                self,
                "lines",
                lambda _: LinesCompared(comparison, line_pairs(canonical_lines(before), canonical_lines(after))),
            )
            return
        rows = self._rows(comparison)
        if rows:
            self.rows.set_rows([self._marked(row) for row in rows])
        else:
            self.rows.show_message(
                styled("No grant differs: order, grouping, Sid and spelling mean nothing to IAM.", "muted")
            )

    def _rows(self, comparison: Comparison) -> list[Row]:
        if self.view == "meaning":
            return meaning_rows(comparison.change, max(self.size.width - 4, 20))
        pairs = self._pairs or []
        return unified_rows(pairs, self._opened) if self.view == "unified" else side_rows(pairs, self._opened)

    def _marked(self, row: Row) -> Row:
        if not self._needle:
            return row
        return Row(row.key, tuple(mark_hits(cell, self._needle) for cell in row.cells), row.value, row.selectable)

    @on(RowList.Opened)
    def _unfold(self, event: RowList.Opened) -> None:
        if event.row and isinstance(event.row.value, int):
            self._opened.add(event.row.value)
            self._show_comparison()

    def on_resize(self) -> None:
        """Break long lines for the new width."""
        if self.view == "meaning":
            self._show_comparison()

    def action_view(self) -> None:
        """Go to the next of the three views."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]

    def action_swap(self) -> None:
        """Swap the sides."""
        self._before, self._after = self._after, self._before
        self._compare()

    def action_walk(self, step: int) -> None:
        """Go to the older or newer pair of versions of the same policy; the view stays."""
        comparison = self._comparison
        policy = comparison.before.policy if comparison else None
        if comparison is None or policy is None or policy != comparison.after.policy:
            self.notify("Only two versions of one policy have an older and a newer pair.", markup=False)
            return
        numbers = [info.number for info in policy.versions]
        pair = [numbers.index(side.version) + step for side in (comparison.before, comparison.after) if side.version]
        if not (min(pair) >= 0 and max(pair) < len(numbers)):
            self.notify(f"No {'older' if step < 0 else 'newer'} pair of versions is known.", markup=False)
            return
        self._before, self._after = (PolicyAt(policy.name, numbers[index]) for index in pair)
        self._compare()

    def action_search(self) -> None:
        """Let the user type what to look for."""
        lines = self.query(FilterLine)
        line = lines.first() if lines else FilterLine(self._needle)
        if not lines:
            self.mount(line, before=self.footer)
        line.focus()

    @on(Input.Changed)
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        self._needle = event.value.strip()
        self._show_comparison()

    @on(Input.Submitted)
    def _search_left(self, event: Input.Submitted) -> None:
        event.stop()
        self.rows.focus()
        if not self._needle:
            self.query(FilterLine).remove()

    def action_next(self, step: int) -> None:
        """Go to the next or previous change, or match of what is searched for."""
        rows = self.rows.rows
        current = self.rows.current
        start = rows.index(current) if current else -1
        order = range(start + 1, len(rows)) if step > 0 else range(start - 1, -1, -1)
        for index in order:
            row = rows[index]
            if row.selectable and self._counts(row):
                self.rows.move_to(row.key)
                return
        self.notify(f"No {'next' if step > 0 else 'previous'} {'match' if self._needle else 'change'}.", markup=False)

    def _counts(self, row: Row) -> bool:
        if self._needle:
            return self._needle.casefold() in " ".join(map(plain, row.cells)).casefold()
        return row.value is not None and not isinstance(row.value, int)
