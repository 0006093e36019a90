"""Who can do an action: which policies allow it, and who in the account can do it."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime

from ekstui.change.holders import Holder, nearest_actions
from ekstui.change.policy import SCOPE_WORDS, Scope, next_scope
from ekstui.eks.kubernetes import AccessPolicyRules
from ekstui.eks.principals import PrincipalCan
from ekstui.errors import EkstuiError, InputError, in_app
from ekstui.iam.action_facts import SHORTEST_NAME, action_completions
from ekstui.iam.reference import UNKNOWN_LEVEL, reference
from ekstui.iam.text import clean_line, counted
from ekstui.library import Library
from ekstui.library.access_policies import kubernetes_requests
from ekstui.library.catalog import knowledge
from ekstui.library.cluster_access import PrincipalInCluster
from ekstui.library.lookup import Thing
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.searching import allowed_in, is_kubernetes
from ekstui.library.who_can import KubernetesAnswer, WhoCanAnswer, who_can_in_account, who_can_in_clusters
from ekstui.present.access import entry_about, kubernetes_holders_blocks, no_holder_words, principals_in_clusters_blocks
from ekstui.present.blocks import Block, Sentence, Span, Table, error_notes, level_style, note
from ekstui.present.rendering import STEP, Row, list_rows, markdown, rows, styled_line
from ekstui.present.styled import Styled, styled, wrap
from ekstui.present.who_can_report import (
    NARROW,
    columns_of,
    holder_about,
    holder_lines,
    holder_row,
    nearest_blocks,
    no_policy_words,
    principal_about,
    principals_blocks,
    unnamed_blocks,
    who_can_blocks,
)
from ekstui.tui import keys
from ekstui.tui.keys import Key
from ekstui.tui.messages import Bookmark, Open, ShowFound
from ekstui.tui.screens.asking import AskingScreen
from ekstui.tui.screens.copying import Extract
from ekstui.tui.screens.report import question_line
from ekstui.tui.widgets.pane import failure
from ekstui.tui.widgets.rows import WHOLE_WIDTH

MAX_SUGGESTIONS = 100

MOST_COMPLETIONS = 2_000
"""The most completions among which those that the scope allows are looked for."""


class WhoCanScreen(AskingScreen[WhoCanAnswer | KubernetesAnswer]):
    """Who can do an action or pattern, on a resource if one is given."""

    HEADING = "Who can"
    KEYS = (
        keys.OPEN.here("Unfold the policy, or open what is under the cursor."),
        keys.VIEW.here("Show every grant with the resource types it does not reach, or one row per policy."),
        keys.SCOPE,
        keys.WHO_CAN.here("Ask about another action.", "ask again"),
    )
    WAITING = "searching the policies…"
    OPENS = (PolicyAt, PrincipalCan, AccessPolicyRules, PrincipalInCluster, str)
    VIEWS = ("policies", "grants")
    PLACEHOLDER = "ec2:CreateTags, ec2:Describe*, k8s:create:pods/exec or kubectl exec; then an ARN for one resource"

    def __init__(self, action: str = "", scope: Scope = "eks") -> None:
        super().__init__(action)
        # Access policies are no IAM policies.
        self._scope: Scope = "eks" if scope == "access" else scope
        self._allowed: Callable[[str], bool] | None = None
        """Whether a policy of the scope allows an action; None until that and the names of all actions are read."""

    def begin(self) -> None:
        """Ask, and read the names of all actions for suggestions."""
        super().begin()
        self.app.background.run(self, "actions", lambda _: self._read_actions(), self._actions_read)

    def _read_actions(self) -> Callable[[str], bool]:
        action_completions("x" * SHORTEST_NAME)  # the first completion reads the names of all services
        return allowed_in(self.app.library, "controllers" if self._scope == "controllers" else "eks")

    def _actions_read(self, is_allowed: Callable[[str], bool]) -> None:
        if self._allowed is None:
            self._allowed = is_allowed
            if self.line.has_focus:
                self._suggest()

    def complete(self) -> None:
        """Read the names of all actions now, if they are not yet."""
        if self._allowed is None and not is_kubernetes(self.line.value):
            self._actions_read(self._read_actions())

    def works(self, key: Key, row: Row | None) -> bool:
        """Return whether a key works on a row; an answer about Kubernetes has one view and one scope."""
        return not (key.id in (keys.VIEW.id, keys.SCOPE.id) and is_kubernetes(self.text)) and super().works(key, row)

    def question(self) -> Styled:
        of = SCOPE_WORDS[self._scope]
        answer = self.answer
        if not isinstance(answer, WhoCanAnswer):
            about = "in Kubernetes" if is_kubernetes(self.text) else of
            if isinstance(answer, KubernetesAnswer):
                about = counted(len(answer.holders.holders), "EKS access policy", "EKS access policies")
            return question_line("who can", self.text, f" · {about}")
        policies = answer.policies
        count = len(policies.holders)
        how_many = counted(count, "EKS policy", "EKS policies") if self._scope == "eks" else f"{count} of {of}"
        if not policies.is_named:
            how_many = "no known action" if answer.near else f"named nowhere; {count} policies by a pattern"
        until = f"{self.app.library.known_until(self._scope):%Y-%m-%d}"
        return (
            *question_line(
                "who can",
                f"{policies.action} {self.text.partition(' ')[2]}".strip(),
                f" · {how_many}, known until {until}",
            ),
            *(
                ((" · ", "muted"), (policies.level, level_style(policies.level)))
                if policies.level != UNKNOWN_LEVEL
                else ()
            ),
        )

    @property
    def bookmark(self) -> Bookmark | None:
        # Without the resource, which may be in the account.
        action = self.text.partition(" ")[0]
        is_known = is_kubernetes(action) or reference().has_service(action.partition(":")[0])
        return Bookmark(action) if is_known else None

    def as_found(self, answer: WhoCanAnswer | KubernetesAnswer) -> Thing:  # noqa: ARG002 - the question is all of it
        return Thing("action", self.text, value=self.text)

    def find(self, library: Library) -> WhoCanAnswer | KubernetesAnswer:
        """Answer for an action and, after a space, a resource."""
        account = library.account.last_snapshot
        if is_kubernetes(self.text):
            return who_can_in_clusters(library, self.text, account=account)
        action, _, resource_text = self.text.partition(" ")
        resource = resource_text.strip() or None
        types = self._with_grants or resource is not None
        return who_can_in_account(library, action, resource, self._scope, types=types, account=account)

    def answer_rows(self, answer: WhoCanAnswer | KubernetesAnswer) -> list[Row]:
        """Return one row per policy, unfolded grants below it, and then who in the account can do it."""
        if isinstance(answer, KubernetesAnswer):
            return self._in_kubernetes(answer)
        is_narrow = self.width < NARROW
        columns = columns_of(answer.policies, narrow=is_narrow)
        self.rows.set_columns(columns)
        laid_out = rows(_above(answer), self.width)
        if answer.policies.holders:
            titles = tuple(styled(column.title, "muted") for column in columns)
            laid_out.append(Row("titles", titles, selectable=False))
        for holder in answer.policies.holders:
            laid_out += list_rows(Table(columns, [holder_row(holder, narrow=is_narrow)]), self.width)
            if holder.policy.arn in self.opened or self._with_grants:
                laid_out += self._unfolded(holder, answer.policies.action)
        if answer.principals is not None or answer.error is not None:
            if not laid_out:
                lines = [part for line in self.nothing() for part in wrap(line, self.width)]
                laid_out = [Row(("none", place), (line,), selectable=False) for place, line in enumerate(lines)]
            blocks = _in_account(answer, short=True, narrow=is_narrow)
            laid_out.append(Row("space", (styled(""),), selectable=False))
            laid_out += rows(blocks, self.width)
        return laid_out

    def _in_kubernetes(self, answer: KubernetesAnswer) -> list[Row]:
        """Return the access policies that allow a request in Kubernetes, and the access entries that have them."""
        self.rows.set_columns(WHOLE_WIDTH)
        blocks = kubernetes_holders_blocks(answer.holders)
        if not answer.holders.holders:
            blocks.insert(0, Sentence(Span(no_holder_words(answer.holders), "warn")))
        return rows([*blocks, *_by_entries(answer)], self.width)

    def _unfolded(self, holder: Holder, action: str) -> list[Row]:
        arn = holder.policy.arn
        lines = [
            Row((arn, index, part), (((STEP * 2, ""), *line),), selectable=False)
            for index, detail in enumerate(holder_lines(holder, action, types=self._with_grants))
            for part, line in enumerate(wrap(styled_line(detail, "app"), max(self.width - 4, 20)))
        ]
        link = styled(f"{STEP * 2}all that {clean_line(holder.policy.name)} permits")
        return [*lines, Row((arn, "permissions"), (link,), PolicyAt(arn, holder.version))]

    def about_row(self, row: Row) -> Styled:
        """Return a policy's grants, or through which policies someone can do the action and on what that depends."""
        answer = self.answer
        match row.value:
            case Holder() as holder if isinstance(answer, WhoCanAnswer):
                return styled_line(holder_about(holder, answer.policies.action), "app")
            case PrincipalCan() as can:
                return styled_line(principal_about(can), "app")
            case AccessPolicyRules(policy=policy):
                return (clean_line(policy.name), "strong"), (clean_line(f"  {policy.text}"), "")
            case PrincipalInCluster() as entry:
                return styled_line(entry_about(entry), "app")
            case _:
                return ()

    def forms(self, answer: WhoCanAnswer | KubernetesAnswer) -> Sequence[Extract]:
        until, scope = self.app.library.known_until(self._scope), self._scope

        def blocks() -> list[Block]:
            if isinstance(answer, KubernetesAnswer):
                return [*kubernetes_holders_blocks(answer.holders), *_by_entries(answer)]
            return [*_above(answer), *who_can_blocks(answer.policies, scope, until), *_in_account(answer)]

        return (Extract("Markdown", "who-can.md", lambda: markdown(blocks())),)

    def nothing(self) -> Sequence[Styled]:
        """Return that no policy allows it, why if that is known, and where else to look."""
        answer, scope = self.answer, self._scope
        if not isinstance(answer, WhoCanAnswer):
            return (styled("Type an action and press enter.", "muted"),)
        resource = self.text.partition(" ")[2].strip()
        until = self.app.library.known_until(scope)
        sentence = no_policy_words(answer.policies, scope, resource, until, wider="s")
        return styled(clean_line(sentence), "warn"), *self._absence()

    def _absence(self) -> list[Styled]:
        absence = knowledge().absence(self.text)
        return [styled(clean_line(absence.text))] if absence else []

    def show_error(self, error: EkstuiError) -> None:
        """Show what went wrong, and whether the action is known not to exist; a wrong question can be typed on."""
        self.rows.show_message(*failure(error), *self._absence())
        if isinstance(error, InputError):
            self.action_edit()

    def suggestions(self, question: str) -> list[Row]:
        """Return matching actions; a complete action or a pattern comes first."""
        text = question.strip()
        if requests := kubernetes_requests(text):
            return [action_row(str(request), "in Kubernetes; enter asks") for request in requests]
        if is_kubernetes(text):
            return [action_row(text, "k8s:VERB:RESOURCE[.GROUP][/SUBRESOURCE], such as k8s:create:pods/exec")]
        is_allowed = self._allowed
        if not text or is_allowed is None:
            return []
        info = reference().find(text)
        itself = info.name if info else text if any(character in text for character in " *?") else ""
        exact_rows = [action_row(itself, "enter asks")] if itself else []
        completions = () if " " in text else action_completions(text, limit=MOST_COMPLETIONS)
        names = sorted(completions, key=lambda name: not (name.endswith(":") or is_allowed(name)))[:MAX_SUGGESTIONS]
        matching_rows = exact_rows + [action_row(name) for name in names if name.lower() != text.lower()]
        nearest = () if matching_rows else nearest_actions(text)
        return matching_rows or [
            action_row(text, "no such action is known; enter asks anyway"),
            *(action_row(name, "nearest") for name in nearest),
        ]

    def action_scope(self) -> None:
        if is_kubernetes(self.text):
            self.notify("All EKS access policies are looked at; there is no smaller or larger scope.")
            return
        self._scope = next_scope(self._scope, of_iam=True)
        self.ask_again()

    def action_who_can(self) -> None:
        self.action_edit()

    def action_view(self) -> None:
        """Switch between every grant with the resource types it does not reach, and one row per policy."""
        if is_kubernetes(self.text):
            self.notify("This answer has one view; enter opens an access policy with its rules.")
        else:
            super().action_view()

    def show_view(self, view: str) -> None:
        """Ask again in this view, which may need more of the answer."""
        self.view = view
        self.ask_again()

    @property
    def _with_grants(self) -> bool:
        return self.view == "grants"

    def fold_key(self, row: Row) -> Hashable:
        """Return the ARN of a policy; in the view of all grants nothing is folded."""
        return row.value.policy.arn if isinstance(row.value, Holder) and not self._with_grants else None

    def open_row(self, row: Row) -> None:
        """Unfold a policy, show a role or an access policy, or ask about another action."""
        match row.value:
            case PrincipalCan() as can if can.subject.kind == "role":
                self.post_message(Open(RoleSide(can.subject.arn or can.subject.name)))
            case AccessPolicyRules(policy=policy):
                self.post_message(ShowFound(policy.name, "access policy"))
            case PrincipalInCluster(principal=principal) if ":role/" in principal:
                self.post_message(Open(RoleSide(principal)))
            case _:
                super().open_row(row)


def _above(answer: WhoCanAnswer) -> list[Block]:
    """Return of an action that nothing names that it is so, and the nearest ones; no blocks for another."""
    if answer.policies.is_named:
        return []
    action = answer.policies.action
    return nearest_blocks(action, answer.near) if answer.near else unnamed_blocks(action)


def _by_entries(answer: KubernetesAnswer) -> list[Block]:
    if answer.error is not None:
        return [_unsaid(answer.error)]
    if answer.in_clusters is None:
        return []
    return [*principals_in_clusters_blocks(answer.in_clusters), *error_notes(answer.in_clusters.errors)]


def _unsaid(error: EkstuiError) -> Block:
    """Return why it cannot be said who in the account can do it."""
    return note(
        f"Who in my account may do it cannot be said: {clean_line(f'{error.message} {in_app(error.next_step)}')}"
    )


def _in_account(answer: WhoCanAnswer, *, short: bool = False, narrow: bool = False) -> list[Block]:
    """Return who in the account can do it, or why that cannot be said; no blocks if no account was read."""
    if answer.error is not None:
        return [_unsaid(answer.error)]
    if answer.principals is None:
        return []
    action, is_named = answer.policies.action, answer.policies.is_named
    return principals_blocks(
        answer.principals, action, datetime.now(UTC), short=short, narrow=narrow, is_named=is_named
    )


def action_row(action: str, about: str = "") -> Row:
    """Return a suggested action as a row that asks about it."""
    return Row(action, (((clean_line(action), ""), (f"  {about}" if about else "", "muted")),), action)
