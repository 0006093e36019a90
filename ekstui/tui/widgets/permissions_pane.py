"""The second pane: what the shown version allows, by service."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Literal

from textual import on

from ekstui.change.policy import version_words
from ekstui.library.catalog import knowledge, knowledge_of
from ekstui.library.notation import PolicyAt
from ekstui.present.access import access_blocks
from ekstui.present.policy_report import RemainingService, about_blocks, notes_blocks, remaining_blocks
from ekstui.present.rendering import rows
from ekstui.present.styled import Row, Styled
from ekstui.tui import keys
from ekstui.tui.messages import PolicyView, ShowAction
from ekstui.tui.widgets.pane import ONE_VIEW, Pane, rows_with
from ekstui.tui.widgets.rows import WHOLE_WIDTH, RowList

if TYPE_CHECKING:
    from ekstui.eks.knowledge import PolicyKnowledge, Symptom
    from ekstui.eks.kubernetes import AccessPolicyRules
    from ekstui.iam.summary import ActionSummary, Remaining
    from ekstui.tui.background import Job
    from ekstui.tui.widgets.last_use import LastUse
    from ekstui.tui.widgets.permissions_content import PermissionsContent

_View = Literal["allowed", "remaining", "last use"]
"""What the version allows, what it does not, and what the policy was last used for."""


class PermissionsPane(Pane):
    """The services with their access levels, as in the IAM console; a service unfolds to its actions."""

    NUMBER, TITLE = 2, "Permissions"
    FILTER_HINT = "part of a service, action, level or condition key"
    STOP = "service"
    KEYS = (keys.VIEW.here("Go to what the version does not allow, then to what the policy was last used for."),)
    FOOTER = (
        keys.OPEN, keys.UNFOLD, keys.WHO_CAN, keys.EXPLAIN, keys.OLDER, keys.COMPARE, keys.NOTES, keys.VIEW, keys.TABLE,
        keys.FILTER, keys.COPY, keys.FIND, keys.HELP,
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__(WHOLE_WIDTH)
        self._content: PermissionsContent | None = None
        self._unfolded: set[tuple[str, str]] = set()
        """The (effect, service) pairs that are unfolded by default, because there is room."""
        self._toggled: set[tuple[str, str]] = set()
        """The pairs that the user has folded or unfolded; other views have their name in place of the effect."""
        self._knowledge: PolicyKnowledge | None = None
        self._symptoms: Sequence[Symptom] = ()
        self._whole = False
        self._view: _View = "allowed"
        self._remaining: Remaining | None = None
        """What the version does not allow, in that view; None until it is found out."""
        self.policy_arn = ""
        """The policy whose permissions are shown."""
        self._access: AccessPolicyRules | None = None
        self._last_use: LastUse | None = None
        """What the policy was last used for, in that view."""
        self._viewed_from: Hashable = None
        """The row that the cursor was on before another view."""

    def watch_policy_view(self, policy_view: PolicyView | None) -> None:
        """Read the permissions of the version in the background."""
        self._access = policy_view.entry.access if policy_view else None
        self._forget_view()
        self.app.background.cancel("summary")
        if policy_view is None or self._access is not None:
            self._whole, self.policy_arn = False, policy_view.entry.policy.arn if policy_view else ""
            self._content, self._knowledge, self._symptoms = None, None, ()
            if policy_view is not None or self.rows.rows:
                self.set_title(policy_view.entry.policy.name if policy_view else "")
                self.show_rows()
                self.rows.scroll_home(animate=False)
            return

        self.set_title(
            f"{policy_view.entry.policy.name} {version_words(policy_view.entry.policy, policy_view.version)}"
        )
        library, policy, version = self.app.library, policy_view.entry.policy, policy_view.version
        self._whole = self._whole and policy.arn == self.policy_arn
        self._toggled.clear()

        def read(_: Job) -> PermissionsContent:
            from ekstui.tui.widgets.permissions_content import read_permissions

            return read_permissions(library, policy, version)

        def show(content: PermissionsContent) -> None:
            self._content = content
            self._knowledge, self._symptoms = knowledge_of(policy), knowledge().symptoms_of(policy.name)
            self._unfolded = self._unfold()
            target = self._to_reach
            self.show_rows()
            if policy.arn != self.policy_arn:
                # Another policy is shown from its first line on.
                self.policy_arn = policy.arn
                self.rows.action_first()
                self.rows.scroll_home(animate=False)
                self.reach(target)

        self.app.background.run(self, "summary", read, show)

    @property
    def has_notes(self) -> bool:
        """Whether all notes are shown."""
        return self._whole

    def show_about(self) -> None:
        """Switch between all notes on the policy and the first line of them."""
        self._whole = not self._whole
        self.show_rows()
        self.rows.scroll_home(animate=False)

    def action_view(self) -> None:
        """Go on from what the version allows to the rest, then to its last use; an access policy has one view."""
        if self._access is not None:
            self.notify(ONE_VIEW)
        elif self._view == "last use":
            self.leave_view()
        elif self.policy_view is not None and self._view == "allowed":
            self._view_remaining(self.policy_view)
        elif self.policy_view is not None:
            self._forget_view()
            self._view = "last use"
            from ekstui.tui.widgets.last_use import LastUse

            self._last_use = LastUse(self, "last-use", self.policy_view.entry.policy.arn, self.show_rows)
            self.show_rows()

    def _view_remaining(self, policy_view: PolicyView) -> None:
        self._view, self._viewed_from = "remaining", self.rows.key
        library, policy, version = self.app.library, policy_view.entry.policy, policy_view.version

        def find(_: Job) -> Remaining:
            from ekstui.tui.widgets.permissions_content import read_remaining

            return read_remaining(library, policy, version)

        def show(answer: Remaining) -> None:
            self._remaining = answer
            self.show_rows()

        self.app.background.run(self, "remaining", find, show)

    def leave_view(self) -> bool:
        """Go back to the row of what the version allows from which another view was opened; False if none is."""
        if self._view == "allowed":
            return False
        self._forget_view()
        self.show_rows()
        self.reach(self._viewed_from)
        return True

    def _forget_view(self) -> None:
        """Go back to what the version allows when rows are shown next, and stop what the other views wait for."""
        self.app.background.cancel("remaining", "last-use")
        self._view, self._remaining, self._last_use = "allowed", None, None

    def on_resize(self) -> None:
        """Unfold what fits the new size; nothing is folded."""
        super().on_resize()
        if self._content:
            self._unfolded |= self._unfold()
        if self._content or self._access:
            self.show_rows()

    @property
    def _opened(self) -> set[tuple[str, str]]:
        return self._unfolded ^ self._toggled

    def build_rows(self) -> list[Row]:
        """Return the services; with a filter, only matching services and actions, unfolded."""
        words, width = self.words, self.rows.row_width
        if self._access is not None:
            return rows_with(words, rows(access_blocks(self._access)[1:], width))
        unfolded_here = {service for view, service in self._toggled if view == self._view}
        if self._remaining is not None:
            return rows_with(words, rows(remaining_blocks(self._remaining, unfolded_here), width))
        if self._last_use is not None:
            return rows_with(words, self._last_use.rows(self.app, width, unfolded_here))
        table = self._content.rows(words, self._opened, width) if self._content else []
        return table if words else self._about_rows() + table

    def _about_rows(self) -> list[Row]:
        """Return what the policy is for, with all notes if they are switched on."""
        if self.policy_view is None:
            return []
        blocks = about_blocks(self.policy_view.entry, self._knowledge, self._symptoms, in_full=self._whole)
        if self._whole:
            blocks += notes_blocks(self._knowledge, self._symptoms)
        return rows(blocks, self.rows.row_width)

    def _unfold(self) -> set[tuple[str, str]]:
        """Return the services that there is room to unfold."""
        return self._content.unfolded(self.rows.size.height - len(self._about_rows())) if self._content else set()

    def about_row(self, row: Row) -> Styled:
        """Return a service and why it is needed, or an action with its grants."""
        reasons = self._knowledge.services if self._knowledge else {}
        return self._content.about(row.value, reasons) if self._content else ()

    def footer_keys(self, row: Row | None, *, marks: int) -> Sequence[keys.Key]:
        """Return the keys that work: services unfold, actions can be asked about."""
        on_action = row is not None and self._action(row.value) is not None
        useless = (keys.UNFOLD,) if on_action else (keys.WHO_CAN, keys.EXPLAIN)
        return keys.without(super().footer_keys(row, marks=marks), *useless)

    def is_stop(self, row: Row) -> bool:
        return self._content is not None and self._content.service_of(row.value) is not None

    def _action(self, value: object) -> ActionSummary | None:
        """Return the action that a row is about."""
        return self._content.action_of(value) if self._content else None

    def _service(self, value: object) -> tuple[str, str] | None:
        """Return the service that a row is about, as a pair like those that are unfolded; None for another row."""
        if isinstance(value, RemainingService):
            return self._view, value.service
        if self._last_use is not None:
            service = self._last_use.service_of(value)
            return (self._view, service) if service else None
        return self._content.service_of(value) if self._content else None

    def fold(self, row: Row, *, fold: bool) -> bool:
        """Fold or unfold a service; fold on an action goes to its service."""
        if service := self._service(row.value):
            if (service in self._opened) == fold:
                self._toggle(service)
        elif self._action(row.value) and fold and isinstance(row.key, tuple):
            self.rows.move_to(row.key[0])
        return True

    def _toggle(self, service: tuple[str, str]) -> None:
        self._toggled ^= {service}
        self.rows.set_unfolded(self.show_rows)

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value, policy_view = event.row.value, self.policy_view
        if service := self._service(value):
            self._toggle(service)
        elif (action := self._action(value)) and policy_view:
            library, policy = self.app.library, policy_view.entry.policy
            place = PolicyAt(policy.name, policy_view.version)
            self.post_message(
                ShowAction(
                    action,
                    f"policy:{place}",
                    lambda: [(str(place), library.document(policy, policy_view.version))],
                    policy,
                )
            )
