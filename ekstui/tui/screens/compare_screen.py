"""A comparison of two documents in three views: meaning, unified, side by side."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, zip_longest

from textual.widget import Widget

from ekstui.change.differences import ActionDifference
from ekstui.change.policy import version_label
from ekstui.export.patch import comparison_patch
from ekstui.export.shapes import answer_of
from ekstui.export.texts import document_text
from ekstui.iam.arn import is_of_aws
from ekstui.iam.canonical import LinePair, Words, canonical_lines, canonical_places, line_pairs, places_of
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.comparing import Comparison, compare
from ekstui.library.notation import PolicyAt, RoleSide, Side
from ekstui.present.blocks import Line, parts
from ekstui.present.comparison import (
    comparison_blocks,
    counts_words,
    difference_blocks,
    meaning_blocks,
    sides_line,
    verdict_line,
)
from ekstui.present.comparison_grid import Alike
from ekstui.present.rendering import markdown, rows, styled_line
from ekstui.present.styled import Column, Row, Style, Styled, plain, styled, wrap
from ekstui.tui import keys
from ekstui.tui.messages import Bookmark
from ekstui.tui.screens.copying import Extract
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.widgets.bars import HeaderBar, fitted
from ekstui.tui.widgets.rows import WHOLE_WIDTH

_CONTEXT = 3
"""Equal lines to show around a difference."""

MIN_WIDTH = 20

_MARKS: dict[str, tuple[str, Style]] = {"added": ("+", "added"), "removed": ("−", "removed"), "changed": ("~", "warn")}


def line_rows(
    pairs: Sequence[LinePair],
    places: Sequence[str],
    open_keys: Collection[Hashable],
    rows_of: Callable[[int, LinePair], Iterable[Row]],
) -> list[Row]:
    """Return two documents line by line, each pair as `rows_of` shows it; long runs of equal lines are folded.

    A line above each difference says where in the document it is.
    """
    differing_indices = [index for index, pair in enumerate(pairs) if pair.kind != "same"]
    shown_indices = {
        near_index for index in differing_indices for near_index in range(index - _CONTEXT, index + _CONTEXT + 1)
    }
    rows: list[Row] = []
    for is_far, run in groupby(range(len(pairs)), key=lambda index: index not in shown_indices):
        first, *others = run
        if is_far and others and first not in open_keys:
            words = f"⋯ {1 + len(others)} equal lines, enter unfolds"
            rows.append(Row(("fold", first), (styled(words, "muted"),), first))
            continue
        title = ""
        for index in (first, *others):
            place = places[index]
            if place and place != title and pairs[index].kind != "same":
                title = place
                rows.append(Row((index, "place"), (styled(clean_line(place), "strong"),), selectable=False))
            rows += rows_of(index, pairs[index])
    return rows


def unified(index: int, pair: LinePair, room: int) -> Iterator[Row]:
    """Yield a pair of lines as lines of one text, with `+` and `−` if they differ."""
    is_same = pair.kind == "same"
    lines: list[tuple[Hashable, str, Style, Words | None]] = [
        (index if is_same else (index, "-"), "  " if is_same else "− ", "" if is_same else "removed", pair.before),
        ((index, "+"), "+ ", "added", None if is_same else pair.after),
    ]
    for key, sign, style, words in lines:
        for part, line in enumerate(_broken(_words(words, style), room) if words is not None else ()):
            value = None if is_same or part else pair
            yield Row(
                (key, part) if part else key, ((("  " if part else sign, style), *line),), value, selectable=not part
            )


def side_by_side(index: int, pair: LinePair, room: int) -> Iterator[Row]:
    """Yield a pair of lines side by side, wrapped in both columns."""
    is_same = pair.kind == "same"
    mark = styled("│", "muted") if is_same else styled(*_MARKS[pair.kind])
    before = _broken(_words(pair.before, "" if is_same else "removed"), room)
    after = _broken(_words(pair.after, "" if is_same else "added"), room)
    for part, (left, right) in enumerate(zip_longest(before, after, fillvalue=styled(""))):
        value = None if is_same or part else pair
        yield Row((index, part) if part else index, (left, mark, right), value, selectable=not part)


def _broken(words: Styled, room: int) -> list[Styled]:
    """Return a line wrapped to `room` cells, with its indentation kept."""
    text = plain(words)
    lead = min(len(text) - len(text.lstrip(" ")), room // 3)
    if not words:
        return [words]
    (first, style), *others = words
    return [((" " * lead, ""), *line) for line in wrap(((first.lstrip(" "), style), *others), room - lead)]


def _words(words: Words | None, style: Style) -> Styled:
    return tuple((clean_line(text), "hit" if differs else style) for text, differs in words or ())


SIDE_BY_SIDE = (Column("", 10, share=1), Column("", 1), Column("", 10, share=1))


def _lines_of(comparison: Comparison) -> tuple[list[LinePair], list[str]]:
    """Return both documents line by line, and where in them each pair of lines is."""
    before, after = comparison.before.document, comparison.after.document
    # A comma at the end depends on the next line.
    pairs = line_pairs(*([line.rstrip(",") for line in canonical_lines(document)] for document in (before, after)))
    return pairs, places_of(pairs, canonical_places(before), canonical_places(after))


_VERDICT_ROWS = 4
"""The most rows of the verdict above a document."""


class CompareScreen(ReportScreen[Comparison]):
    """What differs between two sides: first the verdict, then the differences."""

    HEADING = "Comparison"
    KEYS = (
        keys.OPEN.here("Unfold a difference of two policies in sentences, or equal lines.", "in words"),
        keys.VIEW.here("Go to the next view: meaning, unified, side by side."),
        keys.OLDER.here("Compare the previous pair of versions."),
        keys.NEWER.here("Compare the next pair of versions."),
        keys.Key("swap", "o", "swap", "other way round", "Swap the sides."),
    )
    SYMBOLS = (
        ("+ − ~", "added, removed, changed; of two policies only in B, only in A, unlike"),
        ("✓ –", "allowed, not allowed"),
        ("=", "alike"),
        ("⇄ ×2", "two policies, two actions"),
        ("▐", "where differences are"),
    )
    DEFAULT_CSS = "CompareScreen #verdict { height: auto; padding: 0 1; text-wrap: wrap; }"
    WAITING = "comparing…"
    STOP = "change"
    VIEWS = ("meaning", "unified", "side by side")

    def __init__(self, before: Side, after: Side) -> None:
        super().__init__()
        self.before = before
        self.after = after
        """The sides as they were named: policies at versions, roles or files."""
        self._lines: tuple[list[LinePair], list[str]] | None = None

    def extra_widgets(self) -> Sequence[Widget]:
        return (HeaderBar(id="verdict"),)

    def question(self) -> Styled:
        comparison = self.answer
        before, after = (comparison.before.label, comparison.after.label) if comparison else (self.before, self.after)
        counts = f" · {counts_words(comparison)}" if comparison and comparison.is_one_policy else ""
        tail = f"{counts} · {self.view}" if comparison else ""
        name, at, version = str(after).rpartition("@")
        # A policy's name appears once, so that the view fits 80 columns.
        side = version if at and str(before).rpartition("@")[0] == name else after
        return ((f"compare {before} → {side}", ""), (tail, "muted"))

    @property
    def bookmark(self) -> Bookmark | None:
        sides = (self.before, self.after)
        if any(not isinstance(side, PolicyAt | RoleSide) for side in sides):
            return None  # a file may have changed by then
        of_aws = all(
            isinstance(side, PolicyAt) and (not side.name.startswith("arn:") or is_of_aws(side.name)) for side in sides
        )
        before, after = self.before, self.after
        if isinstance(before, PolicyAt) and isinstance(after, PolicyAt) and before.name == after.name and after.version:
            return Bookmark(f"{before}..{version_label(after.version)}", of_account=not of_aws)
        return Bookmark(f"diff {before} {after}", of_account=not of_aws)

    @property
    def has_question(self) -> bool:
        """Whether the sides are not the same."""
        return self.before != self.after

    def ask_again(self, *, keep: bool = False) -> None:
        """Compare the sides, as they are now."""
        self.app.background.cancel("lines")
        self._lines, self.opened = None, set()
        self._show_verdict(styled(self.WAITING if self.has_question else "Both sides are the same.", "muted"))
        super().ask_again(keep=keep)

    def find(self, library: Library) -> Comparison:
        return compare(library, self.before, self.after)

    def nothing(self) -> Sequence[Styled]:
        return styled(f"{self.before} is compared with itself.", "muted"), styled("esc goes back.", "muted")

    def answer_rows(self, answer: Comparison) -> list[Row]:
        # A long verdict is part of the rows, where it scrolls.
        line: Line = sides_line(answer) if self.view == "meaning" else verdict_line(answer)
        if self.view == "meaning" and not answer.is_one_policy:
            line = (*parts(line), "   ", counts_words(answer))
        self._show_verdict(styled_line(line, "app"))
        if self.view == "meaning":
            return rows([*meaning_blocks(answer), *difference_blocks(answer, self.opened)], self.width)
        if self._lines is None:
            self.app.background.run(self, "lines", lambda _: _lines_of(answer), self._show_lines)
            return [Row(None, (styled("comparing line by line…", "muted"),), selectable=False)]
        if self.view == "unified":
            rows_of = partial(unified, room=max(self.width - 2, MIN_WIDTH))
        else:
            rows_of = partial(side_by_side, room=max((self.width - 3) // 2, MIN_WIDTH))
        return line_rows(*self._lines, self.opened, rows_of)

    def forms(self, answer: Comparison) -> Sequence[Extract]:
        data = self.app.library.data
        stem = f"{answer.before.label}..{answer.after.label}".replace("/", "_")
        return (
            Extract("Markdown", f"{stem}.md", lambda: markdown(comparison_blocks(answer, full=True))),
            Extract("JSON", f"{stem}.json", lambda: document_text(answer_of(data(), answer))),
            Extract("patch", f"{stem}.patch", lambda: comparison_patch(answer)),
        )

    def _show_lines(self, line_pairs_and_notes: tuple[list[LinePair], list[str]]) -> None:
        self._lines = line_pairs_and_notes
        self.show_answer()
        self.begin_reading()

    def begin(self) -> None:
        """Ask, and show in the scrollbar where the differences are."""
        self.rows.is_marked = self.is_stop
        super().begin()

    def begin_reading(self) -> None:
        """Put the cursor on the first change."""
        if first_stop := next((row for row in self.rows.rows if row.selectable and self.is_stop(row)), None):
            self.rows.move_to(first_stop.key)

    def _show_verdict(self, line: Styled) -> None:
        self.query_one("#verdict", HeaderBar).show(fitted(line, self.size.width - 2, _VERDICT_ROWS))

    def show_view(self, view: str) -> None:
        """Show the comparison in this view, from its first change on."""
        self.rows.set_columns(SIDE_BY_SIDE if view == "side by side" else WHOLE_WIDTH)
        super().show_view(view)
        self.begin_reading()

    def fold_key(self, row: Row) -> Hashable:
        """Return where equal lines are folded, or the difference whose sentences are."""
        if isinstance(row.value, int):
            return row.value
        is_grid = self.view == "meaning" and self.answer is not None and not self.answer.is_one_policy
        return row.value if is_grid and isinstance(row.value, ActionDifference | Alike) else None

    def works(self, key: keys.Key, row: Row | None) -> bool:
        """Return whether a key works: only two versions of one policy have an older and a newer pair."""
        comparison = self.answer
        if key.id in (keys.OLDER.id, keys.NEWER.id):
            return comparison is not None and comparison.before.policy == comparison.after.policy
        return super().works(key, row)

    def is_stop(self, row: Row) -> bool:
        return row.value is not None and not isinstance(row.value, int | Alike)

    def action_swap(self) -> None:
        self.before, self.after = self.after, self.before
        self.ask_again()

    def action_walk(self, step: int) -> None:
        """Go to the older or newer pair of versions of the same policy."""
        comparison = self.answer
        policy = comparison.before.policy if comparison else None
        if comparison is None or policy is None or policy != comparison.after.policy:
            self.notify("Only two versions of one policy have an older and a newer pair.")
            return
        numbers = [info.number for info in policy.versions]
        pair = [numbers.index(side.version) + step for side in (comparison.before, comparison.after) if side.version]
        if not (min(pair) >= 0 and max(pair) < len(numbers)):
            self.notify(f"No {'older' if step < 0 else 'newer'} pair of versions is known.")
            return
        self.before, self.after = (PolicyAt(policy.name, numbers[index]) for index in pair)
        self.ask_again()
