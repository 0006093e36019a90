"""The base of the reports whose question the user types or pastes."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Key, Paste
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from ekstui.iam.text import clean
from ekstui.library.lookup import Thing
from ekstui.present.styled import Row
from ekstui.tui.messages import QuestionAnswered
from ekstui.tui.screens.report import Answer, ReportScreen
from ekstui.tui.widgets.bars import RowsLine

LINE_BREAK = "⏎"
"""Stands for a line break in the input, so that a pasted message keeps its lines."""

NEXT_LINE_WITHIN = 0.05
"""Seconds within which a terminal that does not mark pastes sends the next line of one."""


class QuestionLine(RowsLine):
    """The input for the question; a pasted text keeps all its lines."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "screen.leave_line", show=False),
    ]

    may_continue: Callable[[str], bool] = staticmethod(lambda _: False)
    """Whether a typed text may be the first line of a message, so that what follows at once is its next line."""
    _typed = True
    """Whether the text was typed, or pasted by a terminal that does not mark pastes."""
    _waiting: Timer | None = None

    async def action_submit(self) -> None:
        """Ask, or wait a moment for further lines of a paste that the terminal did not mark."""
        if self._continued() or (self._typed and self.may_continue(self.value)):
            self._waiting = self.set_timer(NEXT_LINE_WITHIN, self._submit)
        else:
            await super().action_submit()

    async def _submit(self) -> None:
        self._waiting = None
        await super().action_submit()

    def _continued(self) -> bool:
        """Add a line break if the text continues after enter; return whether it does."""
        if self._waiting is None:
            return False
        self._waiting.stop()
        self._waiting = None
        self.insert_text_at_cursor(LINE_BREAK)
        return True

    def on_key(self, event: Key) -> None:
        """Continue the text if enter was part of a paste."""
        if event.is_printable:
            self._typed = True
            self._continued()

    def on_paste(self, event: Paste) -> None:
        """Insert the pasted text, which is whole."""
        self._typed = False
        super().on_paste(event)

    def pasted(self, text: str) -> str:
        """Return all lines of a pasted text."""
        # Terminals send a pasted line break as a carriage return.
        return LINE_BREAK.join(clean(text.replace("\r\n", "\n").replace("\r", "\n")).splitlines())


class AskingScreen(ReportScreen[Answer]):
    """An input for the question, with suggestions and then the answer below."""

    DEFAULT_CSS = "AskingScreen #question { padding: 0 1; }"
    PLACEHOLDER = ""
    """What can be typed, as a hint."""

    def __init__(self, text: str = "") -> None:
        super().__init__()
        self.text = text
        """The current question; empty if there is none yet."""
        self._offered = ""
        """The question that the palette has been told of."""
        self.line = QuestionLine(LINE_BREAK.join(clean(text).splitlines()), placeholder=self.PLACEHOLDER)
        self.line.id = "question"

    def extra_widgets(self) -> Sequence[Widget]:
        return (self.line,)

    def begin(self) -> None:
        """Ask the question, or let the user type one."""
        super().begin()
        if not self.text:
            self.action_edit()

    @property
    def has_question(self) -> bool:
        """Whether the user has entered a question."""
        return bool(self.text)

    def suggestions(self, text: str) -> list[Row]:  # noqa: ARG002 - for subclasses
        """Return suggestions as rows whose values are questions."""
        return []

    def complete(self) -> None:
        """Make the suggestions complete at once: the user has chosen, however fast they typed."""

    def typing_hint(self) -> str:
        if not self.line.has_focus:
            return super().typing_hint()
        return "enter asks   ↓ ↑ suggestions   esc back"

    def action_edit(self) -> None:
        """Let the user edit the question."""
        self.set_focus(self.line, scroll_visible=False)
        self.line.cursor_position = len(self.line.value)

    async def action_leave_line(self) -> None:
        """Go back to the answer, or leave the screen if there is none."""
        if not self.text:
            await self.run_action("app.back")
            return
        self._show_question()
        self.show_answer()

    def _show_question(self) -> None:
        """Show the question as it was asked, and go to the rows."""
        with self.line.prevent(Input.Changed):
            self.line.value = LINE_BREAK.join(self.text.splitlines())
        self.rows.focus()

    @on(Input.Changed, "#question")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.line.has_focus:
            self._suggest()

    def _suggest(self) -> None:
        rows = self.suggestions(self.line.value)
        if rows:
            self.rows.set_rows(rows, cursor=rows[0].key)

    @on(Input.Submitted, "#question")
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self.complete()
        suggestion = self.rows.value
        if isinstance(suggestion, str):
            self._take(suggestion)
        else:
            self.submit(event.value.replace(LINE_BREAK, "\n"))

    def open_row(self, row: Row) -> None:
        """Ask a suggested question."""
        if isinstance(row.value, str):
            self._take(row.value)
        else:
            super().open_row(row)

    def _take(self, suggestion: str) -> None:
        """Ask a suggested question; if it ends with a colon, let the user complete it."""
        if suggestion.endswith(":"):
            self.line.value = suggestion
            self.action_edit()
        else:
            self.submit(suggestion)

    def as_found(self, answer: Answer) -> Thing:
        """Return the question as the palette offers it again."""
        raise NotImplementedError

    def _answered(self, answer: Answer) -> None:
        super()._answered(answer)
        if self._offered != self.text:
            self._offered = self.text
            self.post_message(QuestionAnswered(self.as_found(answer)))

    def submit(self, text: str) -> None:
        """Ask the question in a text."""
        self.text = text.strip()
        if self.text:
            self._show_question()
            self.ask_again()
