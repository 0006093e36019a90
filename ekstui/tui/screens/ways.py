"""The four panes with what they show, and where the keys lead from there: comparisons, other screens, copies, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.getters import query_one
from textual.reactive import reactive

from ekstui.scope import Scope
from ekstui.tui.account import AccountView
from ekstui.tui.actions import AskExplain, AskWhoCan, action_of, one_action_of
from ekstui.tui.marks import Marks, sides_to_compare, with_mark
from ekstui.tui.messages import CompareWanted, PaneWanted
from ekstui.tui.screens.panes import PaneId, PanesScreen
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.permissions import PermissionsPane
from ekstui.tui.widgets.policies import PoliciesPane
from ekstui.tui.widgets.versions import VersionsPane

if TYPE_CHECKING:
    from ekstui.core.where import PolicyAt


class WaysScreen(PanesScreen):
    """What is shown and marked, and the ways from there; each screen is imported when a key leads to it."""

    shown: reactive[Shown | None] = reactive(None, init=False)
    account: reactive[AccountView] = reactive(AccountView())
    """What is known of the account."""
    marks: reactive[Marks] = reactive(())
    """The policies and versions that the user marked, oldest mark first; four at most."""
    scope: Scope
    """Which policies are listed."""

    policies = query_one(PoliciesPane)
    permissions = query_one(PermissionsPane)
    versions = query_one(VersionsPane)

    def catch_up(self) -> None:
        """Show the policy under the cursor of the list now: keys come quicker than the panes follow."""
        from ekstui.library import PolicyEntry

        row, shown = self.policies.rows.current, self.shown
        if row is None or not isinstance(row.value, PolicyEntry):
            return
        if shown is None or row.value.policy.arn != shown.entry.policy.arn:
            self.shown = Shown(row.value, row.value.policy.default_version)

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane of the policy under the cursor."""
        self.catch_up()
        super().action_pane(pane)

    @on(PaneWanted)
    def _go_to_pane(self, message: PaneWanted) -> None:
        message.stop()
        self.action_pane(message.pane)

    @on(CompareWanted)
    def _compare_wanted(self, message: CompareWanted) -> None:
        from ekstui.core.where import PolicyAt

        message.stop()
        self.compare(PolicyAt(message.policy, message.before), PolicyAt(message.policy, message.after))

    def action_mark(self) -> None:
        """Mark what the cursor is on, or take its mark away; a fifth mark takes the place of the first."""
        place = self.place
        if place is None:
            self.say("Only a policy or a version can be marked; 1 and 3 lead to those.")
            return
        self.marks = with_mark(self.marks, place)

    def action_unmark(self) -> None:
        """Clear the marks."""
        if not self.marks:
            self.say("Nothing is marked; space marks a policy or a version.")
        self.marks = ()

    def say(self, sentence: str) -> None:
        """Say why a key cannot work here, or what it did."""
        self.notify(sentence, markup=False)

    @property
    def place(self) -> PolicyAt | None:
        """The policy or version under the cursor of the focused pane."""
        from ekstui.core.steps import Step
        from ekstui.library import PolicyEntry

        row = self.row
        if row is not None and isinstance(row.value, PolicyEntry):
            return Shown(row.value, row.value.policy.default_version).place
        if row is not None and isinstance(row.value, Step) and self.shown:
            return Shown(self.shown.entry, row.value.version).place
        return None

    def action_diff(self) -> None:
        """Compare the two marks, or the row under the cursor with the mark, or with the version before it."""
        from ekstui.core.steps import Step

        self.catch_up()
        if self.shown is None:
            return
        row = self.row
        here = Shown(self.shown.entry, row.value.version) if row and isinstance(row.value, Step) else self.shown
        sides = sides_to_compare(self.marks, here)
        if sides is None:
            self.say(f"{here.place} is the first version that is known; mark another one with space.")
        else:
            self.compare(*sides)

    def compare(self, before: PolicyAt, after: PolicyAt) -> None:
        """Show what differs between two versions."""
        from ekstui.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(before, after))

    def action_copy(self) -> None:
        """Let the user choose what to copy of the row under the cursor."""
        from ekstui.tui.copying import Copyable, copyables
        from ekstui.tui.screens.outgoing import offer_copies

        error = self.account.error
        if row := self.row:
            offer_copies(self, copyables(row, self.shown, self.app.library))
        elif self.pane == "attached" and error is not None and error.next_step:
            advice = error.next_step
            # A command in it, such as the one that signs in, is what one wants to paste.
            command = advice.split("`")[1] if advice.count("`") > 1 else advice
            offer_copies(self, [Copyable("what to do", command, lambda: command)])
        else:
            self.say("There is nothing under the cursor to copy.")

    def action_export(self) -> None:
        """Let the user write the shown version to a file."""
        from ekstui.tui.exports import version_exports
        from ekstui.tui.screens.outgoing import offer_exports

        self.catch_up()
        if self.shown:
            offer_exports(self, version_exports(self.shown, self.app.library))

    def action_notes(self) -> None:
        """Show all notes: those of the account in its pane, else those of the policy."""
        if self.pane == "attached":
            self.app.action_account()
            return
        self._see_permissions().show_about()

    def action_view(self) -> None:
        """Go to the next view of the focused pane."""
        self.catch_up()
        if not self.focused_pane.next_view():
            self.say("This pane has one view; the permissions and the versions have two.")

    def action_matrix(self) -> None:
        """Show services by access levels for the marks, or for the shown version."""
        from ekstui.tui.screens.matrix import MatrixScreen

        self.catch_up()
        if self.shown:
            here = self.shown.place
            self.app.push_screen(MatrixScreen(self.marks if len(self.marks) > 1 else (here,)))

    def _see_permissions(self) -> PermissionsPane:
        """Return the permissions pane; where it is hidden, go to it."""
        self.catch_up()
        if self.pane != "permissions":
            self.action_pane("permissions")
        return self.permissions

    def action_who_can(self) -> None:
        """Show which policies allow the action under the cursor, or let the user type one."""
        row = self.row
        self.post_message(AskWhoCan(action_of(row.value) if row else ""))

    def action_explain(self) -> None:
        """Explain a request for the action under the cursor by the shown version, or let the user paste a message."""
        self.catch_up()
        row = self.row
        action = one_action_of(row.value) if row else ""
        against = f"policy:{self.shown.place}" if self.shown else ""
        self.post_message(AskExplain(f"{against} {action}" if action else ""))
