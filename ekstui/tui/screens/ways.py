"""The four panes with what they show, and where the keys lead from there: comparisons, other screens, copies, files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.getters import query_one
from textual.reactive import reactive
from textual.screen import Screen

from ekstui.scope import Scope
from ekstui.tui.account import AccountView
from ekstui.tui.actions import AskExplain, AskWhoCan, action_of, one_action_of
from ekstui.tui.marks import Marks, sides_to_compare, with_mark
from ekstui.tui.screens.panes import PaneId, PanesScreen
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.permissions import PermissionsPane
from ekstui.tui.widgets.policies import PoliciesPane
from ekstui.tui.widgets.versions import VersionsPane

if TYPE_CHECKING:
    from ekstui.core.eks import Cluster
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
        if shown and row and isinstance(row.value, PolicyEntry) and row.value.policy.arn != shown.entry.policy.arn:
            self.shown = Shown(row.value, row.value.policy.default_version)

    def action_pane(self, pane: PaneId) -> None:
        """Go to a pane of the policy under the cursor."""
        self.catch_up()
        super().action_pane(pane)

    def action_mark(self) -> None:
        """Mark what the cursor is on, or take its mark away; a fifth mark takes the place of the first."""
        place = self._place()
        if place is None:
            self.notify("Only a policy or a version can be marked.", markup=False)
            return
        self.marks = with_mark(self.marks, place)

    def _place(self) -> PolicyAt | None:
        """Return the policy or version under the cursor of the focused pane."""
        from ekstui.core.steps import Step
        from ekstui.library import PolicyEntry

        row = self.row
        if row is not None and isinstance(row.value, PolicyEntry):
            return Shown(row.value, row.value.policy.default_version).place
        if row is not None and isinstance(row.value, Step) and self.shown:
            return Shown(self.shown.entry, row.value.version).place
        return None

    def action_diff(self) -> None:
        """Compare the two marks, or one mark with what is shown, or the shown version with the one before."""
        self.catch_up()
        if self.shown is None:
            return
        sides = sides_to_compare(self.marks, self.shown)
        if sides is None:
            here = self.shown.place
            self.notify(f"{here} is the first version that is known; mark another one with space.", markup=False)
        else:
            self.compare(*sides)

    def compare(self, before: PolicyAt, after: PolicyAt) -> None:
        """Show what differs between two versions."""
        from ekstui.tui.screens.compare import CompareScreen

        self.app.push_screen(CompareScreen(before, after))

    def action_copy(self) -> None:
        """Let the user choose what to copy of the row under the cursor."""
        from ekstui.tui.copying import copyables
        from ekstui.tui.screens.outgoing import offer_copies

        if row := self.row:
            offer_copies(self, copyables(row, self.shown, self.app.library))

    def action_export(self) -> None:
        """Let the user write the shown version to a file."""
        from ekstui.tui.exports import version_exports
        from ekstui.tui.screens.outgoing import offer_exports

        self.catch_up()
        if self.shown:
            offer_exports(self, version_exports(self.shown, self.app.library))

    def action_changes(self) -> None:
        """Show what AWS changed across the policies."""
        from ekstui.tui.screens.changes import ChangesScreen

        self.app.push_screen(ChangesScreen(self.scope))

    def action_about(self) -> None:
        """Show all that is known of the policy."""
        self._see_permissions().show_about()

    def action_remaining(self) -> None:
        """Show what the version does not allow."""
        self._see_permissions().show_remaining()

    def action_matrix(self) -> None:
        """Show services by access levels for the marks, or for the shown version."""
        from ekstui.tui.screens.matrix import MatrixScreen

        self.catch_up()
        if self.shown:
            here = self.shown.place
            self.app.push_screen(MatrixScreen(self.marks if len(self.marks) > 1 else (here,)))

    def action_quiet(self) -> None:
        """Hide or show the versions that change nothing."""
        self.versions.hide_quiet()

    def _see_permissions(self) -> PermissionsPane:
        """Return the permissions pane; where it is hidden, go to it."""
        self.catch_up()
        if not self.permissions.region.width:
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

    def action_clusters(self) -> None:
        """Let the user choose one of the account's clusters, and show it."""
        from ekstui.tui.screens.cluster import ClusterScreen

        self._choose_cluster(ClusterScreen)

    def action_cluster_map(self) -> None:
        """Let the user choose one of the account's clusters, and show it as a tree."""
        from ekstui.tui.screens.cluster_map import ClusterMapScreen

        self._choose_cluster(ClusterMapScreen)

    def _choose_cluster(self, screen: Callable[[str, str], Screen[None]]) -> None:
        from ekstui.tui.screens.chooser import ChooserScreen

        snapshot = self.account.snapshot
        clusters = snapshot.eks.clusters if snapshot and snapshot.eks else ()
        if not clusters:
            known = "No cluster of this account is known." if snapshot else "No account was asked yet; r asks AWS."
            self.notify(known, markup=False)
            return

        def show(cluster: Cluster | None) -> None:
            if cluster is not None:
                self.app.push_screen(screen(cluster.name, cluster.region))

        self.app.push_screen(ChooserScreen("Clusters", [(each.name, each.region, each) for each in clusters]), show)
