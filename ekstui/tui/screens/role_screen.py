"""One role of the account."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from textual import on
from textual.reactive import reactive

from ekstui.core.document import serialise
from ekstui.core.findings import Finding, RolePolicy
from ekstui.core.notation import PolicyAt, RoleSide
from ekstui.core.summary import ActionSummary, ServiceSummary
from ekstui.core.text import age_in_words, clean_line
from ekstui.library import RoleAnswer
from ekstui.library.copies import CopyAnswer
from ekstui.library.roles import role_answer
from ekstui.present.rendering import rows
from ekstui.present.role_report import left_out, role_blocks
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.messages import AskExplain, ShowAction, ShowComparison, one_action_of
from ekstui.tui.screens.report import AccountReportScreen
from ekstui.tui.shown import Bookmark
from ekstui.tui.widgets.rows import RowList
from ekstui.tui.widgets.service_rows import action_line, service_line, service_rows

View = Literal["about", "permissions", "trust policy"]
VIEWS: tuple[View, ...] = ("about", "permissions", "trust policy")


class RoleScreen(AccountReportScreen):
    """A role in three views: about it, its permissions, and its trust policy as JSON."""

    HEADING = "Role"
    KEYS = (
        keys.OPEN.here("Open the row: a policy of the role, a service's actions, or an action's card."),
        keys.VIEW.here("Go to the next view: about the role, its permissions, its trust policy."),
        keys.EXPLAIN.here("Explain why a request of the role is denied, starting from the action under the cursor."),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WAITING = "reading the role…"
    OPENS = (ServiceSummary, ActionSummary, RolePolicy)
    HAS_LINE = True

    view: reactive[View] = reactive("about", init=False)

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self._opened: set[tuple[str, str]] = set()

    def question(self) -> Styled:
        """Return the role's name, the view, and the age of the answer."""
        name = clean_line(self._role.rpartition("/")[2])
        answer = self._answer
        when = f" · {age_in_words(answer.fetched_at, datetime.now(UTC))}" if isinstance(answer, RoleAnswer) else ""
        return (("role ", ""), (name, "strong"), (f" · {self.view}{when}", "muted"))

    @property
    def bookmark(self) -> Bookmark | None:
        """What to type into the palette to get here again."""
        return Bookmark(self._role, of_account=True)

    @property
    def read_at(self) -> datetime | None:
        """When the account was read from AWS."""
        return self._answer.fetched_at if isinstance(self._answer, RoleAnswer) else None

    def ask(self) -> Callable[[], object]:
        """Return what reads the role from the last snapshot."""
        library, role = self.app.library, self._role
        return lambda: role_answer(library, role)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the role in the current view."""
        if not isinstance(answer, RoleAnswer):
            return []
        if self.view == "permissions":
            return self._permission_rows(answer)
        if self.view == "trust policy":
            trust = answer.subject.role.trust
            lines = json.dumps(serialise(trust), indent=2).splitlines() if trust else ["not read"]
            return [Row(index, (styled(clean_line(line)),)) for index, line in enumerate(lines)]
        return rows(role_blocks(answer, datetime.now(UTC)), self.width)

    def _permission_rows(self, answer: RoleAnswer) -> list[Row]:
        """Return what is denied and what remains of the rest, below remarks on what was left out or not read."""
        remarks = rows([*left_out(answer)], self.width)
        services = (*answer.access.denies, *answer.access.services)
        return remarks + service_rows(services, self._opened, {}, self.width)

    def about_row(self, row: Row) -> Styled:
        """Return a service or action with its grants, a policy's ARN, or a finding with its evidence."""
        match row.value:
            case ServiceSummary() as service:
                return service_line(service, None)
            case ActionSummary() as action:
                return action_line(action)
            case RolePolicy(name=name, arn=arn):
                return (clean_line(name), "strong"), (clean_line(f"  {arn or 'inline'}"), "muted")
            case Finding(text=text, evidence=evidence):
                return (clean_line(text), ""), (clean_line("  " + "; ".join(evidence)), "muted")
            case _:
                return ()

    def watch_view(self) -> None:
        """Show the rows of the view."""
        self.show_header()
        self.show_answer()

    def action_view(self) -> None:
        """Go to the next view."""
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]

    def action_explain(self) -> None:
        """Explain a request of the role for the action under the cursor, or let the user type one."""
        action = one_action_of(self.rows.current.value) if self.rows.current else ""
        self.post_message(AskExplain(f"role:{self._role} {action}"))

    def fold(self, row: Row | None, *, fold: bool) -> bool:
        """Fold or unfold a service."""
        if row is None or not isinstance(row.value, ServiceSummary):
            return self.view == "permissions"
        service = (row.value.effect, row.value.service)
        if (service in self._opened) == fold:
            self._opened ^= {service}
            self.show_answer()
        return True

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        if isinstance(value, ServiceSummary):
            self._opened ^= {(value.effect, value.service)}
            self.show_answer()
        elif isinstance(value, ActionSummary) and isinstance(self._answer, RoleAnswer):
            policies = self._answer.subject.policies
            documents = [(policy.name, policy.document) for policy in policies if policy.document]
            self.post_message(ShowAction(value, f"role:{self._role}", lambda: documents))
        elif isinstance(value, CopyAnswer):
            original = value.copy.original
            place = PolicyAt(original.name, original.default_version)
            self.post_message(ShowComparison(RoleSide(self._role.rpartition("/")[2]), place))
        elif isinstance(value, RolePolicy) and value.managed_by_aws:
            self.show_policy(PolicyAt(value.name, value.version))
        elif isinstance(value, RolePolicy):
            self.view = "permissions"
            self.notify(
                clean_line(
                    f"{value.name} is the account's own policy; this shows what all policies of the role allow."
                ),
                markup=False,
            )
