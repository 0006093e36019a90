"""The palette: every policy, version and command by typing a part of its name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.getters import app, query_one
from textual.screen import ModalScreen
from textual.widgets import Input

from ekstui.core.policy import version_label
from ekstui.core.text import clean_line
from ekstui.library import PolicyEntry
from ekstui.present.styled import Column, Row, mark_hits, styled
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key, spelled
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.line import Line
from ekstui.tui.widgets.rows import RowList

MOST = 200
"""How many rows are shown; more words narrow them down."""


@dataclass(frozen=True, slots=True)
class RunKey:
    """The user chose what a key does."""

    key: Key


@dataclass(frozen=True, slots=True)
class GoTo:
    """The user chose a policy, at a version."""

    shown: Shown


@dataclass(frozen=True, slots=True)
class Compare:
    """The user wants two things compared: policies, versions, files, roles."""

    sides: tuple[str, ...]
    """As typed: two sides, or one range."""


class PaletteScreen(ModalScreen[RunKey | GoTo | Compare | None]):
    """Dismisses with what was chosen, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "close", priority=True),
        Binding("down", "rows('down')", show=False),
        Binding("up", "rows('up')", show=False),
        Binding("pagedown", "rows('page_down')", show=False),
        Binding("pageup", "rows('page_up')", show=False),
    ]
    DEFAULT_CSS = """
    PaletteScreen { align: center top; }
    PaletteScreen > Vertical { width: 90; max-width: 98%; height: 70%; margin-top: 1; border: round $accent; background: $surface; }
    """

    app = app(LibraryApp)
    rows = query_one(RowList)

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self._keys = keys
        self._entries: Sequence[PolicyEntry] = ()

    def compose(self) -> ComposeResult:
        """Yield the line to type in and what fits it."""
        with Vertical() as box:
            box.border_title = Content("Commands, policies, versions")
            box.border_subtitle = Content("POLICY@v5 goes to a version · diff A B compares · esc closes")
            yield Line(placeholder="type a part of a name")
            yield RowList((Column("", 6), Column("", 20, share=1), Column("", 14, right=True)))

    def on_mount(self) -> None:
        """Show everything there is."""
        self._entries = self.app.library.policies("all")
        self.query_one(Line).focus()
        self._show("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose(self.rows.current)

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self._choose(event.row)

    def action_rows(self, action: str) -> None:
        """Move in the rows while the line keeps the focus."""
        getattr(self.rows, f"action_{action}")()

    def _choose(self, row: Row | None) -> None:
        if row is not None and isinstance(row.value, RunKey | GoTo | Compare):
            self.dismiss(row.value)

    def _show(self, typed: str) -> None:
        command, *sides = typed.split()[:3] or [""]
        if command.casefold() == "diff" and sides:
            sentence = styled(clean_line(f"compare {' with '.join(sides)}"))
            row = Row("diff", (styled("d", "accent"), sentence, styled("command", "muted")), Compare(tuple(sides)))
            hint = "A and B: POLICY, POLICY@v5, a file with a / or .json, role:NAME; or POLICY@v5..v6."
            self.rows.set_rows([row, Row("hint", (styled(hint, "muted"),), selectable=False)], cursor="diff")
            return
        name, _, version = typed.partition("@")
        words = name.casefold().split()
        rows = [row for row, _ in zip(self._found(words, version.strip().casefold()), range(MOST), strict=False)]
        if rows:
            first = rows[0].key
            self.rows.set_rows([self._marked(row, words) for row in rows], cursor=first)
        else:
            self.rows.show_message(styled(clean_line(f"Nothing is named “{typed}”."), "warn"))

    def _marked(self, row: Row, words: Sequence[str]) -> Row:
        cells = row.cells
        for word in words:
            cells = tuple(mark_hits(cell, word) for cell in cells)
        return Row(row.key, cells, row.value)

    def _found(self, words: Sequence[str], version: str) -> Iterator[Row]:
        if not version:
            for key in self._keys:
                if all(word in f"{key.label} {key.help}".casefold() for word in words):
                    cells = (
                        styled(spelled(self.app.keys_of(key)), "accent"),
                        styled(key.help),
                        styled("command", "muted"),
                    )
                    yield Row(key.id, cells, RunKey(key))
        for entry in self._entries:
            policy = entry.policy
            if not all(word in policy.name.casefold() for word in words):
                continue
            labels = [version_label(info.number) for info in reversed(policy.versions)]
            wanted = [label for label in labels if version and label.startswith(version)]
            for label in wanted or ([] if version else [version_label(policy.default_version)]):
                shown = Shown(entry, int(label[1:]))
                yield Row(
                    (policy.arn, label),
                    (styled(label, "muted"), styled(policy.name), styled("policy", "muted")),
                    GoTo(shown),
                )
