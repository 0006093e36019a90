"""The fourth pane: which roles, users and groups of the account have a policy attached."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from ekstui.errors import MfaNeededError
from ekstui.iam.text import clean_line
from ekstui.library.notation import RoleSide
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.background import Job
from ekstui.tui.messages import AccountView, Open, ShowComparison
from ekstui.tui.widgets.pane import Pane, failure
from ekstui.tui.widgets.rows import WHOLE_WIDTH, RowList

if TYPE_CHECKING:
    from ekstui.library.notation import RoleSide
    from ekstui.tui.widgets.attached_content import AttachedEntities, EntriesWithPolicy


class AttachedPane(Pane):
    """The roles, users and groups that have the policy attached, and what of EKS uses the roles."""

    NUMBER, TITLE = 4, "Attached"
    FILTER_HINT = "part of a role, cluster or kind of use"
    STOP = "role"
    FOOTER = (
        keys.OPEN, keys.COMPARE.here("", "compare with it"), keys.FILTER, keys.COPY, keys.RENEW, keys.ACCOUNT,
        keys.CLUSTERS, keys.WHO_CAN, keys.FIND,
        keys.HELP,
    )  # fmt: skip

    account: reactive[AccountView] = reactive(AccountView())

    def __init__(self) -> None:
        super().__init__(WHOLE_WIDTH)
        self.content: AttachedEntities | EntriesWithPolicy | None = None
        """Who has the shown policy attached; None until that is known."""

    def watch_policy_view(self) -> None:
        """Look up who has the policy attached."""
        self.content = None
        self._look_up()

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Look up again for a new snapshot; show when a refresh is running or has failed."""
        identity = view.snapshot.identity if view.snapshot else None
        self.set_title(clean_line(identity.profile or identity.account) if identity else "", "last used")
        if view.snapshot is not before.snapshot or self.content is None:
            if view.snapshot is None:
                # Never show one account's roles under another.
                self.content = None
            self._look_up()
        elif view.error is not before.error:
            self.show_rows()

    def on_resize(self) -> None:
        super().on_resize()
        if self.content is not None:
            self.show_rows()

    def _look_up(self) -> None:
        policy_view, view = self.policy_view, self.account
        self.app.background.cancel("attached")
        if view.snapshot is None:
            self._show_why_not(view)
            return
        if policy_view is None:
            if self.rows.rows:
                self.set_note("")
                self.rows.set_rows(())
            return
        library, entry = self.app.library, policy_view.entry

        # The imports take 40 ms, off the app's thread.
        def look_up(job: Job) -> AttachedEntities | EntriesWithPolicy:
            from ekstui.tui.widgets.attached_content import attached_content

            return attached_content(library, entry, job.is_cancelled)

        self.app.background.run(self, "attached", look_up, self._show_content)

    def _show_why_not(self, view: AccountView) -> None:
        self.set_note("")
        if view.error is not None:
            lines = failure(view.error)
            if isinstance(view.error, MfaNeededError):
                lines = (*lines, styled("r asks for the code.", "muted"))
            self.rows.show_message(*lines, styled("Everything else works without the account.", "muted"))
        elif view.asking:
            self.rows.show_message(styled(f"{view.asking} …", "muted"))
        else:
            self.rows.show_message(styled("No account was read yet; a lists the profiles.", "muted"))

    def build_rows(self) -> list[Row]:
        if self.content is None:
            return []
        built, columns = self.content.rows(self.words, self.rows.row_width, self.account.error)
        self.rows.set_columns(columns)
        return built

    def about_row(self, row: Row) -> Styled:
        return (self.content.about(row.value) if self.content else ()) or super().about_row(row)

    def role_to_compare(self, row: Row | None) -> RoleSide | None:
        """Return the role of a row that can be compared with the policy."""
        return self.content.role_to_compare(row.value) if row and self.content else None

    def footer_keys(self, row: Row | None, *, marks: int) -> Sequence[keys.Key]:
        """Return the keys that work, with or without a row."""
        if row is not None:
            return super().footer_keys(row, marks=marks)
        return (keys.RENEW, keys.ACCOUNT, keys.CLUSTERS, keys.FIND, keys.HELP)

    def _show_content(self, content: AttachedEntities | EntriesWithPolicy) -> None:
        if self.account.snapshot is None or not content.is_about(self.account.snapshot):
            return
        self.content = content
        self.set_note(content.note)
        self.show_rows()

    @on(RowList.Opened)
    def _open_role(self, event: RowList.Opened) -> None:
        event.stop()
        role, role_to_compare = self._role_to_open(event.row), self.role_to_compare(event.row)
        if role_to_compare is not None and self.policy_view and self.policy_view.entry.policy.home:
            # For a controller's policy, the question is what the role lacks.
            self.post_message(ShowComparison(role_to_compare, self.policy_view.place))
        elif role is not None:
            self.post_message(Open(role))

    def _role_to_open(self, row: Row) -> RoleSide | None:
        return self.content.role_to_open(row.value) if self.content else None
