"""Why a request was denied: the question as typed or pasted, and the answer."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ekstui.denial.answer import Explanation, commands_for, decoding
from ekstui.denial.question import Question, parse_context
from ekstui.eks.commands import Command
from ekstui.errors import EkstuiError, InputError
from ekstui.export.shapes import explain_shape
from ekstui.export.texts import document_text
from ekstui.library import Library
from ekstui.library.explaining import Inquiry, explain_all
from ekstui.library.lookup import PastedMessage, Thing
from ekstui.library.notation import PolicyAt, Side, parse_policy
from ekstui.library.peeling import LayerSimulation, peel
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import Fold
from ekstui.present.explanation import AnswerRow, explanation_blocks, policy_json
from ekstui.present.rendering import markdown, rows
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.background import Job
from ekstui.tui.messages import AccountView, AskWhoCan, Bookmark
from ekstui.tui.screens.asking import AskingScreen
from ekstui.tui.screens.copying import Extract, copies_of_advice, copyable
from ekstui.tui.screens.report import AccountReportScreen, question_line
from ekstui.tui.widgets.pane import failure, plain_failure

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.library.explaining import ExplainAnswer
    from ekstui.present.blocks import Block

_ACTION = re.compile(r"[A-Za-z0-9-]{1,64}:[A-Za-z0-9]{1,128}")
_CLUSTER = re.compile(r"\s*cluster:(\S+)\s*")
_EXCERPT = 80
"""The characters of a question by which it is known again."""

_AGAINST = re.compile(r"\s*(role|policy):(\S+)\s*")


class ExplainedQuestion(NamedTuple):
    """The explanations, and the inquiry, which IAM's policy simulator can be asked too."""

    inquiry: Inquiry
    answers: tuple[ExplainAnswer, ...]
    """One for each different denial in the message."""

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """The answers about IAM."""
        return tuple(answer for answer in self.answers if isinstance(answer, Explanation))

    @property
    def commands(self) -> tuple[Command, ...]:
        """What helps, of all answers."""
        commands: list[Command | None] = []
        for answer in self.answers:
            if isinstance(answer, Explanation):
                commands += (*commands_for(answer), decoding(answer))
            else:
                commands += answer.commands
        return tuple(filter(None, commands))

    @property
    def fetched_at(self) -> datetime | None:
        """When the account was read that they are judged by; None without one."""
        return min((answer.fetched_at for answer in self.answers if answer.fetched_at is not None), default=None)

    @property
    def action(self) -> str:
        """The action of the first answer, or an empty string."""
        answer = self.answers[0]
        return answer.action or "" if isinstance(answer, Explanation) else str(answer.request or "")

    def blocks(self, simulation: LayerSimulation | None, open_keys: Collection[Hashable] | None = None) -> list[Block]:
        """Return the answers as blocks, with what is unfolded (None: all)."""
        return explanation_blocks(self.answers, simulation, now=datetime.now(UTC), open_keys=open_keys)


def inquiry_of(text: str) -> Inquiry:
    """Parse `policy:NAME[@V]` or `role:NAME`, if any, followed by a pasted message or a request.

    A request is an action, then ARNs, `KEY=VALUE` and `absent:KEY` in any order. Raises InputError for anything else.
    """
    policies: list[Side] = []
    principal: str | None = None
    while match := _AGAINST.match(text):
        kind, name = match.groups()
        if kind == "role":
            principal = name
        else:
            policies.append(parse_policy(name))
        text = text[match.end() :]
    words = text.split()
    is_request = bool(words) and _ACTION.fullmatch(words[0]) is not None
    question = _request(words) if is_request else Question(message=text.strip() or None)
    return Inquiry(question, tuple(policies), principal=principal)


def _request(words: list[str]) -> Question:
    resources = tuple(word for word in words[1:] if word == "*" or word.startswith("arn:"))
    absent = tuple(word.removeprefix("absent:") for word in words[1:] if word.startswith("absent:"))
    pairs = [word for word in words[1:] if word not in resources and not word.startswith("absent:")]
    if late := next((word for word in pairs if re.match(r"(?:role|policy|cluster):", word)), None):
        raise InputError(f"{late!r} has to come first.", f"Such as {late} {words[0]}.")
    if unknown := [word for word in pairs if "=" not in word]:
        raise InputError(
            f"{unknown[0]!r} is not part of a request.",
            "After the action come ARNs, KEY=VALUE and absent:KEY.",
        )
    return Question(action=words[0], resources=resources, context=parse_context(pairs), absent=absent)


def explain_question(text: str, library: Library) -> ExplainedQuestion:
    """Explain a question; a pasted message is evaluated with the role it names, if the snapshot has it."""
    cluster_match = _CLUSTER.match(text)
    inquiry = inquiry_of(text[cluster_match.end() :] if cluster_match else text)._replace(
        cluster=cluster_match[1] if cluster_match else None
    )
    result = ExplainedQuestion(inquiry, explain_all(library, inquiry))
    role = next((explanation.role for explanation in result.explanations[:1]), None)
    return ExplainedQuestion(inquiry._replace(principal=inquiry.principal or role), result.answers)


def may_continue(text: str) -> bool:
    """Return whether a text may be the first line of a message: it has several words and is no request."""
    words = text.split()
    while words and _AGAINST.fullmatch(words[0]):
        words = words[1:]
    return len(words) > 1 and _ACTION.fullmatch(words[0]) is None


class ExplainScreen(AskingScreen[ExplainedQuestion], AccountReportScreen[ExplainedQuestion]):
    """A pasted message or a typed request; the verdict, and the nearest statements."""

    HEADING = "Explanation"
    KEYS = (
        keys.OPEN.here("Show the policy in the row."), keys.EXPLAIN.here("Explain another request.", "ask again"),
        keys.SIMULATE, keys.WHO_CAN.here("Show who can do this action."),
    )  # fmt: skip
    WAITING = "evaluating the policies…"
    OPENS = (PolicyAt,)
    PLACEHOLDER = "paste an AccessDenied message or event, or type an action"

    def __init__(self, text: str = "") -> None:
        # A role or policy alone is not yet a question: the user completes it.
        begun = len(text.split()) == 1 and text.startswith(("role:", "policy:"))
        super().__init__("" if begun else text)
        self.line.may_continue = may_continue
        if begun:
            self.line.value = f"{text.strip()} "
        self._simulated: tuple[ExplainedQuestion, LayerSimulation] | None = None
        """The answer that IAM's policy simulator was asked about, and its decisions."""
        self._last_snapshot: AccountSnapshot | None = None
        self._peeling = f"simulate-{id(self)}"
        """The group of the background job that asks the simulator."""
        self._is_peeling = False

    @property
    def simulated(self) -> LayerSimulation | None:
        """The decisions of IAM's policy simulator on this question; None if it was not asked."""
        return self._simulated[1] if self._simulated and self._simulated[0] is self.answer else None

    def action_refresh_data(self) -> None:
        """Refresh the account, if there is one, and ask again."""
        if self.app.library.has_account_without_lookup:
            super().action_refresh_data()
        else:
            self.ask_again(keep=True)

    def show_account(self, view: AccountView) -> None:
        """Ask again with a new snapshot, unless no account counted before and after."""
        before, self._last_snapshot = self._last_snapshot, view.snapshot
        if self.text and (self.read_at is not None or (view.snapshot is not before and view.error is None)):
            super().show_account(view)

    def question(self) -> Styled:
        until = f" · known until {self.app.library.data().newest:%Y-%m-%d}" if self.answer is not None else ""
        action = self.answer.action if self.answer else ""
        return question_line("explain", action, until)

    @property
    def bookmark(self) -> Bookmark | None:
        return Bookmark(self.text, of_account=True) if self.text else None

    def as_found(self, answer: ExplainedQuestion) -> Thing:
        text = " ".join(self.text.split())
        return Thing("denial", answer.action or "a denial", text[:_EXCERPT], arn=text, value=PastedMessage(self.text))

    def find(self, library: Library) -> ExplainedQuestion:
        return explain_question(self.text, library)

    def answer_rows(self, answer: ExplainedQuestion) -> list[Row]:
        """Return the explanation; of several denials a table, and those that are unfolded."""
        return rows(answer.blocks(self.simulated, self.opened), self.width)

    def fold_key(self, row: Row) -> Hashable:
        """Return which of several answers, or which part of one, a row unfolds."""
        return (
            row.value.number if isinstance(row.value, AnswerRow) else row.key if isinstance(row.value, Fold) else None
        )

    def works(self, key: keys.Key, row: Row | None) -> bool:
        """Return whether a key works: the policy simulator only knows roles."""
        if key.id == keys.SIMULATE.id:
            return self.answer is not None and self.answer.inquiry.principal is not None
        return super().works(key, row)

    def nothing(self) -> Sequence[Styled]:
        return (
            styled("Paste the message from a log or terminal, with all its lines, and press enter."),
            styled("Or type a request: ec2:CreateVolume arn:aws:ec2:… aws:RequestTag/x=y absent:aws:ResourceTag/x"),
            styled("Put policy:NAME@v6 or role:NAME first to say what to evaluate it with,", "muted"),
            styled('or cluster:NAME for a "forbidden" from Kubernetes.', "muted"),
        )

    def show_error(self, error: EkstuiError) -> None:
        """Show what is wrong with the question, and what can be asked here instead of the command line's advice.

        The user can go on typing, except where the next step is a command to copy.
        """
        if copies_of_advice(error) or not isinstance(error, InputError):
            super().show_error(error)
            return
        self._error = error
        self.rows.show_message(failure(error)[0], *self.nothing())
        self.action_edit()

    def copies(self) -> list[Extract]:
        """Return the commands, that of the row first, and the smallest sufficient policies."""
        answer = self.answer
        if answer is None:
            return []
        commands_of_row = [self.rows.value] if isinstance(self.rows.value, Command) else []
        commands = dict.fromkeys((*commands_of_row, *answer.commands))
        about = "the smallest one that allows it, as JSON"
        texts = [text for explanation in answer.explanations if (text := policy_json(explanation))]
        return [
            *(copyable("command", command.text, command.about) for command in commands),
            *(copyable("policy", text, about) for text in texts),
        ]

    def forms(self, answer: ExplainedQuestion) -> Sequence[Extract]:
        data, simulation = self.app.library.data, self.simulated

        return (
            Extract(
                "JSON", "ekstui-explain.json", lambda: document_text(explain_shape(data(), answer.answers, simulation))
            ),
            Extract("Markdown", "ekstui-explain.md", lambda: markdown(answer.blocks(simulation))),
        )

    def action_who_can(self) -> None:
        self.post_message(AskWhoCan(self.answer.action if self.answer else ""))

    def action_explain(self) -> None:
        """Let the user edit the question."""
        self.action_edit()

    def action_simulate(self) -> None:
        """Ask IAM's policy simulator the same question, then without one layer after the other; esc stops that."""
        answer, library = self.answer, self.app.library
        if answer is None:
            self.notify("Ask a question first.")
            return
        if answer.inquiry.principal is None:
            self.notify("IAM's simulator needs a role: put role:NAME before the request.")
            return
        self.notify("Asking IAM's simulator… esc stops")
        self._is_peeling = True

        def show(simulation: LayerSimulation) -> None:
            self._simulated = answer, simulation
            self.show_answer()

        def done(simulation: LayerSimulation) -> None:
            self._is_peeling = False
            show(simulation)

        def failed(error: EkstuiError) -> None:
            self._is_peeling = False
            # ekstui's own answer stays.
            self.notify(plain_failure(error), severity="error")

        def work(job: Job) -> LayerSimulation:
            return peel(library, answer.inquiry, lambda simulation: job.tell(show, simulation), job.is_cancelled)

        self.app.background.run(self, self._peeling, work, done, failed)

    def step_back(self) -> bool:
        """Stop asking the simulator, with what it said so far; else clear the search."""
        if not self._is_peeling:
            return super().step_back()
        self.app.background.cancel(self._peeling)
        self._is_peeling = False
        if self._simulated is not None:
            answer, simulation = self._simulated
            self._simulated = answer, simulation._replace(error="It was cancelled.")
            self.show_answer()
        return True
