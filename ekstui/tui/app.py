"""The app: it owns the library and the background, and shows the screens; behaviour belongs to those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType
from textual.events import Event, InputEvent, Resize

from ekstui.config import Effective
from ekstui.core.text import clean_line
from ekstui.errors import InputError
from ekstui.tui.account import AccountChanged, AccountView, SwitchAccount
from ekstui.tui.actions import AskExplain, AskWhoCan, ShowAction
from ekstui.tui.adopting import adopt
from ekstui.tui.base import LibraryApp
from ekstui.tui.driver import repaint
from ekstui.tui.keys import Where, bindings, keys_of
from ekstui.tui.mfa import MfaAsked
from ekstui.tui.room import is_too_small
from ekstui.tui.screens.explorer import ExplorerScreen
from ekstui.tui.shown import Shown, Start

if TYPE_CHECKING:
    from ekstui.library import Library

# The screens that the explorer does not lead to at once are imported when they are shown: together they take 110 ms
# of the start.


class EkstuiApp(LibraryApp):
    """The explorer of AWS managed policies for EKS."""

    TITLE = "ekstui"
    # The palette is our own: Textual's shows a loading indicator, which sends 49 KB a second.
    ENABLE_COMMAND_PALETTE = False
    # Textual loads no styles of its own for the default screen.
    CSS_PATH = "screens/explorer.tcss"
    # Keys of the app do not reach it from a dialogue; the one that quits does, as Textual says when ctrl+c is pressed.
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app"), Binding("ctrl+q", "quit", show=False, priority=True)]

    def __init__(
        self,
        library: Library | Callable[[], Library],
        start: Start | None = None,
        effective: Effective | None = None,
        account: AccountView | None = None,
    ) -> None:
        super().__init__(library, effective.settings if effective else None)
        self.settings_warnings = (*(effective.warnings if effective else ()), *adopt(self, self.settings))
        # A class attribute has no effect: App.__init__ sets the level from the environment.
        self.animation_level = "none"
        self._start = start
        self._account = account or AccountView()

    def get_default_screen(self) -> ExplorerScreen:
        """Return the screen that everything starts from."""
        return ExplorerScreen(self._start, self.size.width, self._account)

    def on_mount(self) -> None:
        """Say what the settings have that the app does not know."""
        for warning in self.settings_warnings:
            self.notify(clean_line(warning), title="Settings", severity="warning", markup=False)

    async def on_event(self, event: Event) -> None:
        """Let the explorer know its policies before anything is done with them."""
        if isinstance(event, InputEvent) and self.screen_stack:
            self._explorer.hear()
        await super().on_event(event)

    def on_unmount(self) -> None:
        """Tell the work in the background that nobody waits any more."""
        self.background.cancel_all()

    def action_help(self) -> None:
        """Show the keys for where the user is."""
        from ekstui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen((*self._places()[:-1], "rows", "app")))

    def action_repaint(self) -> None:
        """Paint the whole screen again."""
        repaint(self)

    async def action_back(self) -> None:
        """Go back one screen."""
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_command_palette(self) -> None:
        """Let the user type what to do or where to go."""
        from ekstui.tui.screens.palette import Compare, GoTo, PaletteScreen, RunKey

        keys = [key for key in keys_of(self._places()) if key.id != "app.palette"]

        async def act(chosen: RunKey | GoTo | Compare | None) -> None:
            if isinstance(chosen, RunKey):
                await self.run_action(chosen.key.action, self if chosen.key.where == "app" else self.screen)
            elif isinstance(chosen, GoTo):
                self.go_to(chosen.shown)
            elif isinstance(chosen, Compare):
                self._compare(chosen.sides)

        self.push_screen(PaletteScreen(keys), act)

    def _compare(self, sides: Sequence[str]) -> None:
        from ekstui.core.where import StandardInput, parse_sides
        from ekstui.tui.screens.compare import CompareScreen

        try:
            before, after = parse_sides(sides)
            if StandardInput() in (before, after):
                raise InputError("Standard input belongs to the app.", "Name a file.")
        except InputError as error:
            self.notify(clean_line(str(error)), severity="error", markup=False)
        else:
            self.push_screen(CompareScreen(before, after))

    def on_resize(self, event: Resize) -> None:
        """Say so where there is no room for the app."""
        if is_too_small(event.size):
            from ekstui.tui.screens.too_small import TooSmallScreen

            if not isinstance(self.screen, TooSmallScreen):
                self.push_screen(TooSmallScreen())

    def go_to(self, shown: Shown) -> None:
        """Go back to the explorer and show a policy at a version there, once the caller is done."""
        # A screen that waited for its own end would wait for ever.
        self.call_later(self._go_to, shown)

    async def _go_to(self, shown: Shown) -> None:
        await self._go_home()
        if isinstance(self.screen, ExplorerScreen):
            self.screen.go_to(shown)

    @on(AskWhoCan)
    def _ask_who_can(self, message: AskWhoCan) -> None:
        from ekstui.tui.screens.who_can import WhoCanScreen

        self.push_screen(WhoCanScreen(message.action, self._explorer.scope))

    @on(AskExplain)
    def _ask_explain(self, message: AskExplain) -> None:
        from ekstui.tui.screens.explain import ExplainScreen

        self.push_screen(ExplainScreen(message.text))

    @on(ShowAction)
    def _show_action(self, message: ShowAction) -> None:
        from ekstui.tui.screens.action import ActionScreen

        self.push_screen(ActionScreen(message))

    def _places(self) -> tuple[Where, ...]:
        """Return the parts of the key table that hold on the screen that is shown."""
        places: tuple[Where, ...] = getattr(self.screen, "PLACES", ())
        return (*places, "app")

    def action_account(self) -> None:
        """Show the account, and let the user choose another."""
        from ekstui.tui.screens.account import AccountScreen

        if not isinstance(self.screen, AccountScreen):
            self.push_screen(AccountScreen(self._explorer.account))

    @property
    def _explorer(self) -> ExplorerScreen:
        return cast("ExplorerScreen", self.screen_stack[0])

    @on(SwitchAccount)
    async def _switch_account(self, message: SwitchAccount) -> None:
        if message.choice is not None:
            self.library = self.library.with_account(message.choice)
            from ekstui.tui.screens.account import AccountScreen

            self._explorer.forget_account()
            # Whatever stands on the screens in between is about the account before.
            await self._go_home()
            await self.push_screen(AccountScreen(self._explorer.account))
        self._explorer.ask_account(ask=True)

    async def _go_home(self) -> None:
        while len(self.screen_stack) > 1:
            await self.pop_screen()

    @on(AccountChanged)
    def _account_changed(self, message: AccountChanged) -> None:
        if len(self.screen_stack) == 1:
            return
        from ekstui.tui.screens.account import AccountScreen

        for screen in self.screen_stack:
            if isinstance(screen, AccountScreen):
                screen.follow(message.view)

    @on(MfaAsked)
    def _ask_for_code(self, message: MfaAsked) -> None:
        from ekstui.tui.screens.mfa import MfaScreen

        self.push_screen(MfaScreen(message.device), message.answer)
