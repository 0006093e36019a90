"""Why a request was denied."""

from collections.abc import Callable, Sequence

from textual import on

from ekstui.core.explain import Explanation
from ekstui.core.text import clean_line
from ekstui.core.where import PolicyAt
from ekstui.errors import EkstuiError, InputError
from ekstui.export.documents import document_text
from ekstui.export.explain_shape import explain_shape
from ekstui.tui.actions import AskWhoCan
from ekstui.tui.copying import Copyable
from ekstui.tui.inquiries import explained
from ekstui.tui.keys import bindings
from ekstui.tui.present.explanation import Decoding, explanation_rows, statement_json
from ekstui.tui.present.words import failure
from ekstui.tui.screens.asking import AskingScreen
from ekstui.tui.screens.outgoing import Export
from ekstui.tui.shown import Shown
from ekstui.tui.styled import Styled, styled
from ekstui.tui.widgets.rows import Row, RowList


class ExplainScreen(AskingScreen):
    """A pasted message, or a request in words; the verdict, and what came nearest."""

    BINDINGS = bindings("explain")
    PLACES = ("explain", "asking", "report")
    WAITING = "weighing the policies…"
    PLACEHOLDER = "paste an AccessDenied message or event, or type an action"

    def question(self) -> Styled:
        """Return that a request is explained, and by what."""
        known = f" · known until {self.app.library.data().newest:%Y-%m-%d}" if self._answer is not None else ""
        answer = self._answer
        action = answer.action if isinstance(answer, Explanation) else ""
        return (("explain ", ""), (clean_line(action), "strong"), (known, "muted"))

    def asked(self, text: str) -> Callable[[], object]:
        """Return the question."""
        library = self.app.library
        return lambda: explained(text, library)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the explanation."""
        return explanation_rows(answer, self.width) if isinstance(answer, Explanation) else []

    def nothing(self) -> Sequence[Styled]:
        """Return what can be asked."""
        return (
            styled("Paste the message that a log or a terminal shows; all of its lines are taken. Enter asks."),
            styled("Or type a request: ec2:CreateVolume arn:aws:ec2:… aws:RequestTag/x=y absent:aws:ResourceTag/x"),
            styled("policy:NAME@v6 or role:NAME before either says what it is held against.", "muted"),
        )

    def show_error(self, error: EkstuiError) -> None:
        """Say what is wrong with the question and what can be asked here: the commands' advice names their options."""
        if isinstance(error, InputError):
            self.rows.show_message(failure(error)[0], *self.nothing())
        else:
            super().show_error(error)

    def copies(self) -> list[Copyable]:
        """Return the smallest statement, and the command that decodes an encoded message."""
        answer = self._answer
        if not isinstance(answer, Explanation):
            return []
        text = statement_json(answer)
        found = [Copyable("statement", "the smallest that allows it, as JSON", lambda: text)] if text else []
        row = self.rows.current
        if row is not None and isinstance(row.value, Decoding):
            command = row.value.command
            found.insert(0, Copyable("command", "decodes the message", lambda: command))
        return found

    def exports(self) -> Sequence[Export]:
        """Return the explanation as JSON, and the text as it is shown."""
        answer = self._answer
        if not isinstance(answer, Explanation):
            return super().exports()
        data = self.app.library.data
        json = Copyable("JSON", "", lambda: document_text(explain_shape(data(), answer, None)))
        return [Export("JSON", "ekstui-explain.json", json), *super().exports()]

    def action_who_can(self) -> None:
        """Show all policies that allow the action."""
        answer = self._answer
        self.post_message(AskWhoCan(answer.action if isinstance(answer, Explanation) else ""))

    def action_explain(self) -> None:
        """Let the user change the question."""
        self.action_edit()

    @on(RowList.Opened)
    def _go(self, event: RowList.Opened) -> None:
        value = event.row.value if event.row else None
        if isinstance(value, PolicyAt):
            event.stop()
            entry = self.app.library.find(value.name)
            self.app.go_to(Shown(entry, value.version or entry.policy.default_version))
