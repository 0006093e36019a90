"""A role: what it is, what it may do, what it was last used for, and whom it trusts."""

import json
from collections.abc import Hashable
from datetime import UTC, datetime

from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.last_accessed import ServiceAccess
from ekstui.eks.pod_credentials import PodsWithRole
from ekstui.eks.pods import PodPlace
from ekstui.iam.document import serialise
from ekstui.iam.summary import ActionSummary, ServiceSummary
from ekstui.iam.text import clean_line
from ekstui.library import Library
from ekstui.library.copies import CopyAnswer
from ekstui.library.notation import PolicyAt, RoleSide, Side
from ekstui.library.roles import RoleAnswer, role_answer
from ekstui.present.ages import age_in_words
from ekstui.present.cluster_report import about_line
from ekstui.present.permissions import action_line, permission_rows, service_line
from ekstui.present.rendering import rows, styled_line
from ekstui.present.role_report import left_out, role_blocks
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.messages import (
    AskExplain,
    Bookmark,
    Open,
    ShowAction,
    ShowComparison,
)
from ekstui.tui.row_actions import one_action_of
from ekstui.tui.screens.report import AccountReportScreen, question_line
from ekstui.tui.widgets import last_use
from ekstui.tui.widgets.last_use import LastUse


class RoleScreen(AccountReportScreen[RoleAnswer]):
    """A role in four views: about it, its permissions, what it was last used for, and its trust policy as JSON."""

    HEADING = "Role"
    KEYS = (
        keys.OPEN.here(
            "Open the row: a policy of the role, a service's actions, an action's card, the pods of an owner, or a pod."
        ),
        keys.COMPARE.here("Compare the role's own policy under the cursor with the one that it is a copy of."),
        keys.VIEW.here("Go to the next view: about the role, its permissions, its last use, its trust policy."),
        keys.EXPLAIN.here("Explain why a request of the role is denied, starting from the action under the cursor."),
    )  # fmt: skip
    WAITING = "reading the role…"
    OPENS = (ActionSummary, RolePolicy, PodPlace)
    VIEWS = ("about", "permissions", last_use.LAST_USED, "trust policy")

    def __init__(self, role: str) -> None:
        super().__init__()
        self._role = role
        self._last_use = LastUse(self, f"last-use-{id(self)}", f"role:{role}", self.show_answer)
        self._row_about: Hashable = None
        """The row of the first view from which another was opened."""

    def question(self) -> Styled:
        when = f" · {age_in_words(self.answer.fetched_at, datetime.now(UTC))}" if self.answer else ""
        return question_line("role", self._role.rpartition("/")[2], f" · {self.view}{when}")

    @property
    def bookmark(self) -> Bookmark | None:
        return Bookmark(self._role, of_account=True)

    def find(self, library: Library) -> RoleAnswer:
        return role_answer(library, self._role)

    def answer_rows(self, answer: RoleAnswer) -> list[Row]:
        if self.view == "permissions":
            return self._permission_rows(answer)
        if self.view == last_use.LAST_USED:
            open_names = {name for name in self.opened if isinstance(name, str)}
            return self._last_use.rows(self.app, self.width, open_names)
        if self.view == "trust policy":
            trust = answer.subject.role.trust
            lines = json.dumps(serialise(trust), indent=2).splitlines() if trust else ["not read"]
            return [Row(index, (styled(clean_line(line)),)) for index, line in enumerate(lines)]
        return rows(role_blocks(answer, datetime.now(UTC), self.opened), self.width)

    def _permission_rows(self, answer: RoleAnswer) -> list[Row]:
        """Return what is denied and what remains of the rest, below remarks on what was left out or not read."""
        remarks = rows([*left_out(answer)], self.width)
        services = (*answer.access.denies, *answer.access.services)
        return remarks + permission_rows(services, self.opened, self.width)

    def about_row(self, row: Row) -> Styled:
        """Return a service or action with its grants, a policy's ARN, or a finding with its evidence."""
        match row.value:
            case ServiceSummary() as service:
                return service_line(service, None)
            case ActionSummary() as action:
                return action_line(action)
            case value:
                return styled_line(about_line(value), "app")

    def action_explain(self) -> None:
        self.post_message(AskExplain(f"role:{self._role} {one_action_of(self.rows.value)}"))

    def fold_key(self, row: Row) -> Hashable:
        """Return the effect and name of a service, or the name of one that was used or not."""
        if isinstance(row.value, ServiceAccess):
            return row.value.service
        if isinstance(row.value, PodsWithRole):
            return row.value.key
        return (row.value.effect, row.value.service) if isinstance(row.value, ServiceSummary) else None

    def open_row(self, row: Row) -> None:
        """Unfold or fold a service, show an action's card or a policy, or compare a copy with its original."""
        value = row.value
        if isinstance(value, ActionSummary) and self.answer:
            policies = self.answer.subject.policies
            documents = [(policy.name, policy.document) for policy in policies if policy.document]
            self.post_message(ShowAction(value, f"role:{self._role}", lambda: documents))
        elif isinstance(value, CopyAnswer):
            self.action_diff()
        elif isinstance(value, RolePolicy) and value.managed_by_aws:
            self.post_message(Open(PolicyAt(value.name, value.version)))
        elif isinstance(value, RolePolicy):
            self.show_view("permissions")
            self.notify(f"{value.name} is the account's own policy; this shows what all policies of the role allow.")
        else:
            super().open_row(row)

    def show_view(self, view: str) -> None:
        """Show the role in this view; the first one as it was left."""
        if self.view == "about" and self.rows.current is not None:
            self._row_about = self.rows.key
        super().show_view(view)
        if view == "about":
            self.rows.move_to(self._row_about)

    def step_back(self) -> bool:
        """Clear the search, or go back to the first view, to the row that was left; False if there is neither."""
        if super().step_back():
            return True
        if self.view == "about":
            return False
        self.show_view("about")
        return True

    def works(self, key: keys.Key, row: Row | None) -> bool:
        """Return whether a key works on a row: only copies can be compared."""
        return self._copy_at(row) is not None if key.id == keys.COMPARE.id else super().works(key, row)

    def _copy_at(self, row: Row | None) -> CopyAnswer | None:
        """Return the copy in a row, or what the role's own policy in a row is a copy of."""
        value = row.value if row else None
        if isinstance(value, CopyAnswer):
            return value
        if not isinstance(value, RolePolicy) or self.answer is None:
            return None
        name_and_arn = (value.name, value.arn or "")
        return next(
            (copy for copy in self.answer.copies if (copy.copy.local.name, copy.copy.local.arn) == name_and_arn), None
        )

    def action_diff(self) -> None:
        """Compare the copy under the cursor with today's original; for an inline policy, all that the role allows."""
        answer = self._copy_at(self.rows.current)
        if answer is None:
            self.notify("Only a policy of the role that is a copy of another can be compared here.")
            return
        local, original = answer.copy.local, answer.copy.original
        before: Side = PolicyAt(local.arn) if local.arn else RoleSide(self._role.rpartition("/")[2])
        self.post_message(ShowComparison(before, PolicyAt(original.name, original.default_version)))
