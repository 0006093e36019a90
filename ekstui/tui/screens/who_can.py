"""Which policies allow an action."""

from collections.abc import Callable, Sequence

from textual import on
from textual.message import Message

from ekstui.core.action_names import SHORTEST_NAME, complete
from ekstui.core.reference import reference
from ekstui.core.text import clean_line
from ekstui.core.who_can import Holder, WhoCan
from ekstui.errors import EkstuiError
from ekstui.library.knowledge import knowledge
from ekstui.library.who_can import who_can_answer
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, styled
from ekstui.scope import Scope
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.present.failure import failure
from ekstui.tui.present.who_can import COLUMNS, action_row, level_words, who_can_rows
from ekstui.tui.screens.asking import AskingScreen
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.rows import RowList

MOST = 100
"""How many actions are offered; more letters narrow them down."""


class ActionsRead(Message):
    """The names of all actions are at hand."""


class WhoCanScreen(AskingScreen):
    """An action, or a pattern, and a resource if wanted; the policies whose newest version allows it."""

    KEYS = (
        keys.OPEN.here("Show the policy."), keys.SCOPE, keys.WHO_CAN.here("Ask about another action.", "ask again"),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    COLUMNS = COLUMNS
    WAITING = "looking through the policies…"
    PLACEHOLDER = "an action such as ec2:CreateTags or ec2:Describe*, and an ARN if only some resource matters"

    def __init__(self, action: str = "", scope: Scope = "eks") -> None:
        super().__init__(action)
        self._scope = scope
        self._completing = False

    def begin(self) -> None:
        """Ask, and read the names of all actions to complete what is typed."""
        super().begin()

        def read(_: object) -> ActionsRead:
            # The first completion reads the names of all services.
            complete("x" * SHORTEST_NAME)
            return ActionsRead()

        self.app.background.run(self, "actions", read)

    @on(ActionsRead)
    def _actions_read(self) -> None:
        self._completing = True
        if self.typing:
            self._suggest()

    def question(self) -> Styled:
        """Return the action, its level, how many policies have it, and until when that is known."""
        of = "EKS policies" if self._scope == "eks" else "of all policies"
        answer = self._answer
        if not isinstance(answer, WhoCan):
            return (("who can ", ""), (clean_line(self.text), "strong"), (f" · {of.removeprefix('of ')}", "muted"))
        count = len(answer.holders)
        eks = f"{count} EKS polic{'y' if count == 1 else 'ies'}"
        counted = eks if self._scope == "eks" else f"{count} of all policies"
        if not answer.is_named:
            counted = f"named nowhere; {count} AWS managed policies by a pattern"
        known = f"{self.app.library.data().newest:%Y-%m-%d}"
        return (
            ("who can ", ""),
            (clean_line(f"{answer.action} {self.text.partition(' ')[2]}".strip()), "strong"),
            (" · ", "muted"),
            *level_words(answer.level),
            (f" · {counted}, known until {known}", "muted"),
        )

    def asked(self, text: str) -> Callable[[], object]:
        """Return the question: an action, and after it a resource."""
        library, scope = self.app.library, self._scope
        action, _, resource = text.partition(" ")
        return lambda: who_can_answer(library, action, resource.strip() or None, scope)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the policies."""
        return who_can_rows(answer, self.width) if isinstance(answer, WhoCan) else []

    def nothing(self) -> Sequence[Styled]:
        """Return that none exists, what is known about that, and where else to look."""
        if not self.text:
            return (styled("Type an action; enter asks.", "muted"),)
        of = "policy of the EKS family" if self._scope == "eks" else "AWS managed policy"
        lines = [styled(f"None exists: no {of} allows {clean_line(self.text)}.", "warn"), *self._absence()]
        if self._scope == "eks":
            lines.append(styled("s looks at all AWS managed policies.", "muted"))
        return lines

    def _absence(self) -> list[Styled]:
        absence = knowledge().absence(self.text)
        return [styled(clean_line(absence.text))] if absence else []

    def show_error(self, error: EkstuiError) -> None:
        """Say what went wrong, and what is known to be absent of what was typed."""
        self.rows.show_message(*failure(error), *self._absence())

    def suggestions(self, typed: str) -> list[Row]:
        """Return the actions that may be meant; what is typed comes first where it is an action or a pattern itself."""
        text = typed.strip()
        if not text or not self._completing:
            return []
        info = reference().find(text)
        itself = info.name if info else text if any(each in text for each in " *?") else ""
        first = [action_row(itself, "enter asks")] if itself else []
        found = () if " " in text else complete(text, limit=MOST)
        return first + [action_row(name) for name in found if name.lower() != text.lower()] or [
            action_row(text, "no action of this name is known; enter asks all the same")
        ]

    def action_scope(self) -> None:
        """Switch between the policies of EKS and all."""
        self._scope = "all" if self._scope == "eks" else "eks"
        self.ask_again()

    def action_who_can(self) -> None:
        """Let the user type another action."""
        self.action_edit()

    @on(RowList.Opened)
    def _go(self, event: RowList.Opened) -> None:
        value = event.row.value if event.row else None
        if isinstance(value, Holder):
            event.stop()
            self.app.go_to(Shown(self.app.library.find(value.policy.arn), value.version))
