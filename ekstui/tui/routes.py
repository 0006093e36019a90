"""Which screen shows what: panes and screens post a request (`messages.py`), and the app opens a screen for it.

Only the app imports this module. It imports each screen on first use: all together take 110 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import on

from ekstui.change.policy import version_label
from ekstui.errors import EkstuiError, InputError
from ekstui.iam.text import clean_line
from ekstui.library.access_policies import access_difference, access_policy_entry, means_access_policy
from ekstui.library.find_anything import catalogue
from ekstui.library.lookup import Pasted, Sides, Thing
from ekstui.library.notation import PolicyAt, StandardInput, parse_sides
from ekstui.present.access import access_difference_blocks
from ekstui.tui import keys
from ekstui.tui.base import LibraryApp
from ekstui.tui.keys import Key
from ekstui.tui.messages import (
    AccountView,
    AskExplain,
    AskWhoCan,
    MarksChosen,
    MfaAsked,
    QuestionAnswered,
    ShowAction,
    ShowComparison,
    ShowFound,
    ShowMatrix,
    Shown,
    ShowPlace,
    ShowPods,
    ShowRole,
    SwitchAccount,
)
from ekstui.tui.screens.dialogs import MfaScreen
from ekstui.tui.widgets.pane import plain_failure

if TYPE_CHECKING:
    from ekstui.tui.screens.explorer_screen import ExplorerScreen


_RECENT = 10
"""How many recent things the palette offers again."""

RECENT_QUESTIONS = 5
"""How many of them are explanations and other questions."""

_QUESTIONS = ("denial", "action")


class RoutedApp(LibraryApp):
    """An app that opens the right screen for each request."""

    KEYS: tuple[Key, ...] = (keys.WHO_CAN, keys.EXPLAIN, keys.CLUSTERS, keys.CHANGES, keys.ACCOUNT)
    recent: tuple[Thing, ...] = ()
    """What the user found last, newest first."""

    @property
    def explorer(self) -> ExplorerScreen:
        """The first screen, with the four panes."""
        return cast("ExplorerScreen", self.screen_stack[0])

    async def go_home(self) -> None:
        """Close every screen except the first."""
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self.explorer.forget_before()

    # Requests

    @on(AskWhoCan)
    def _ask_who_can(self, message: AskWhoCan) -> None:
        from ekstui.tui.screens.who_can_screen import WhoCanScreen

        self.push_screen(WhoCanScreen(message.action, self.explorer.scope))

    @on(AskExplain)
    def _ask_explain(self, message: AskExplain) -> None:
        from ekstui.tui.screens.explain_screen import ExplainScreen

        self.push_screen(ExplainScreen(message.text))

    @on(ShowAction)
    def _show_action(self, message: ShowAction) -> None:
        from ekstui.tui.screens.card_screens import ActionScreen

        self.push_screen(ActionScreen(message))

    @on(ShowComparison)
    def _show_comparison(self, message: ShowComparison) -> None:
        from ekstui.tui.screens.compare_screen import CompareScreen

        sides = (message.before, message.after)
        if any(isinstance(side, PolicyAt) and means_access_policy(side.name) for side in sides):
            self._compare_access(*map(str, sides))
        else:
            self.push_screen(CompareScreen(*sides))

    def _compare_access(self, before: str, after: str) -> None:
        """Show how two EKS access policies differ, or say why that is not known."""
        from ekstui.tui.screens.card_screens import CardScreen

        try:
            difference = access_difference(before, after)
        except EkstuiError as error:
            self.notify(plain_failure(error), severity="error")
            return
        names = (difference.before.policy.name, difference.after.policy.name)
        # To get here again, the palette takes the command.
        thing = Thing("comparison", " with ".join(names), arn=f"diff access:{names[0]} access:{names[1]}")
        self.push_screen(CardScreen(thing, lambda: access_difference_blocks(difference)))

    @on(ShowMatrix)
    def _show_matrix(self, message: ShowMatrix) -> None:
        from ekstui.tui.screens.matrix_screen import MatrixScreen

        self.push_screen(MatrixScreen(message.places))

    def _show_policy(self, shown: Shown) -> None:
        """Show a policy in the four panes, over the screen from which it was opened."""
        covers = self.screen is not self.explorer
        self.explorer.visit(shown, covers=covers)
        if covers:
            # A screen may be on the stack twice: the panes are what one works in, above and below.
            self.push_screen(self.explorer)

    @on(ShowPlace)
    def _show_place(self, message: ShowPlace) -> None:
        place = message.place
        find = access_policy_entry if place.name.startswith("access:") else self.library.find
        try:
            entry = find(place.name)
        except EkstuiError as error:
            self.notify(plain_failure(error))
            return
        policy = entry.policy
        version = place.version or policy.default_version
        if version in [info.number for info in policy.versions]:
            self._show_policy(Shown(entry, version))
        else:
            label = f"{clean_line(policy.name)} {version_label(version)}"
            self.notify(f"{label} is not known yet; `ekstui sync` asks AWS.")

    @on(ShowRole)
    def _show_role(self, message: ShowRole) -> None:
        from ekstui.tui.screens.account_screen import RoleScreen

        self.push_screen(RoleScreen(message.role))

    @on(ShowPods)
    def _show_pods(self, message: ShowPods) -> None:
        from ekstui.tui.screens.pod_screen import PodScreen

        self.push_screen(PodScreen(message.place))

    @on(MarksChosen)
    def _marks_chosen(self, message: MarksChosen) -> None:
        self.explorer.marks = message.marks

    # What was found

    def remember(self, thing: Thing) -> None:
        """Put a thing first among those that are offered again, of which some are questions."""
        seen = (thing, *(other for other in self.recent if other != thing))
        questions = [other for other in seen if other.kind in _QUESTIONS][:RECENT_QUESTIONS]
        others = [other for other in seen if other.kind not in _QUESTIONS][: _RECENT - len(questions)]
        self.recent = tuple(other for other in seen if other in questions or other in others)

    @on(QuestionAnswered)
    def _question_answered(self, message: QuestionAnswered) -> None:
        self.remember(message.question)

    @on(ShowFound)
    async def _show_found(self, message: ShowFound) -> None:
        self.row_to_reach = message.row
        for key in (keys.CHANGES, keys.ACCOUNT):
            if message.text == key.label:
                await self.run_action(key.action)
                return
        things = catalogue(self.library, self.explorer.account.snapshot).find(message.text)
        if thing := next((candidate for candidate in things if message.kind in (None, candidate.kind)), None):
            await self.open_found(thing)

    async def open_found(self, thing: Thing) -> None:
        """Open what the user found, in the four panes or on a screen of its own."""
        from ekstui.tui.screens.palette_screen import shown_of
        from ekstui.tui.screens.thing_screen import screen_of

        if shown := shown_of(thing):
            self._show_policy(shown)
        elif isinstance(thing.value, Sides):
            self._compare(thing.value)
        elif isinstance(thing.value, Pasted):
            self.post_message(AskExplain(thing.value.text))
        elif screen := screen_of(thing, self.library, self.explorer.account.snapshot, self.explorer.scope):
            self.push_screen(screen)

    def _compare(self, sides: Sequence[str]) -> None:
        try:
            before, after = parse_sides(sides)
            if StandardInput() in (before, after):
                raise InputError("The app reads the keyboard from standard input.", "Name a file instead.")
        except InputError as error:
            self.notify(plain_failure(error), severity="error")
        else:
            self.post_message(ShowComparison(before, after))

    # Keys that work on every screen

    def action_who_can(self) -> None:
        """Show who can do the action under the cursor, or let the user type one."""
        getattr(self.screen, "action_who_can", lambda: self.post_message(AskWhoCan()))()

    def action_explain(self) -> None:
        """Explain a request for the action under the cursor, or let the user paste a message."""
        getattr(self.screen, "action_explain", lambda: self.post_message(AskExplain()))()

    def action_changes(self) -> None:
        """Show what AWS changed across all policies."""
        from ekstui.tui.screens.changes_screen import ChangesScreen

        if not isinstance(self.screen, ChangesScreen):
            self.push_screen(ChangesScreen(self.explorer.scope))

    def action_sync(self) -> None:
        """Update the policies, whichever screen is shown."""
        self.explorer.sync()

    def action_clusters(self) -> None:
        """Let the user choose one of the account's clusters."""
        from ekstui.tui.screens.cluster_screens import choose_cluster

        choose_cluster(self, self.explorer.account.snapshot)

    # The account

    def action_account(self) -> None:
        """Show the account, where the user can choose another."""
        from ekstui.tui.screens.account_screen import AccountScreen

        if not isinstance(self.screen, AccountScreen):
            self.push_screen(AccountScreen(self.explorer.account))

    @on(SwitchAccount)
    async def _switch_account(self, message: SwitchAccount) -> None:
        if message.choice is not None:
            from ekstui.tui.screens.account_screen import AccountScreen

            self.library = self.library.with_account(message.choice)
            # The screens in between are about the previous account.
            await self.go_home()
            self.explorer.account = AccountView()
            self.recent = ()
            await self.push_screen(AccountScreen(self.explorer.account))
        self.explorer.ask_account(ask=True)

    @on(MfaAsked)
    def _ask_for_code(self, message: MfaAsked) -> None:
        self.push_screen(MfaScreen(message.device), message.answer)
