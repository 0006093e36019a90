"""What the app shows of the account while it is read, and read again."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from textual import on
from textual.app import App
from textual.pilot import Pilot

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.library import AccountChoice, Library
from ekstui.library.own_account import Account
from ekstui.sources.account_file import demo_account
from ekstui.tui.app import EkstuiApp
from ekstui.tui.background import Background, watch_account
from ekstui.tui.messages import AccountUpdated, AccountView
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from tests.support.accounts import snapshot
from tests.support.patience import PATIENCE
from tests.tui.journeys import settle, travel, words


class Slow:
    """A library whose first refresh reports progress after a later one has ended."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun, self.go_on, self.spoken, self.may_end = (threading.Event() for _ in range(4))
        self.choice, self.is_set_up = AccountChoice(), True
        self.account = self

    def last_snapshot(self) -> None:
        """Return no snapshot."""

    def refresh(self, progress: Callable[[str], None], cancelled: Callable[[], bool]) -> AccountSnapshot:
        """Read the account."""
        self.asked += 1
        if self.asked == 1:
            self.begun.set()
            assert self.go_on.wait(PATIENCE)
            progress("reading roles")
            self.spoken.set()
            assert self.may_end.wait(PATIENCE)
        return snapshot()


class Listening(App[None]):
    """Keeps the updates of the account."""

    view = AccountView()

    @on(AccountUpdated)
    def _update(self, message: AccountUpdated) -> None:
        self.view = message.change(self.view)


def test_what_a_replaced_asking_says_late_is_not_heard() -> None:
    async def run() -> None:
        library, background = Slow(), Background()
        async with Listening().run_test() as pilot:
            app = cast("Listening", pilot.app)
            watch_account(app, background, cast("Library", library), timedelta(0), ask=True)
            assert await asyncio.to_thread(library.begun.wait, PATIENCE)
            watch_account(app, background, cast("Library", library), timedelta(0), ask=True)
            await settle(pilot, lambda: app.view.snapshot is not None)
            library.go_on.set()
            assert await asyncio.to_thread(library.spoken.wait, PATIENCE)
            await pilot.pause()
            assert app.view.asking is None
            library.may_end.set()

    asyncio.run(run())


@pytest.mark.parametrize("end", [ZeroDivisionError(), SystemExit(3), KeyboardInterrupt(), RecursionError()])
def test_work_that_ends_in_any_way_ends_its_waiting(own_home: Path, end: BaseException) -> None:
    """Account, cache and table of clusters: none of them waits for ever."""

    def fail(*_: object, **__: object) -> object:
        raise end

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen_stack[0]
        assert isinstance(explorer, ExplorerScreen)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Account, "refresh", fail)
            patch.setattr("ekstui.library.syncing.sync", fail)
            patch.setattr("ekstui.library.cluster_answers.clusters", fail)
            explorer.account = AccountView(demo_account(datetime.now(UTC)))
            await pilot.press("r")
            await settle(pilot, lambda: explorer.account.error is not None)
            await settle(pilot, lambda: not explorer.account.asking and not explorer.panes.is_working)
            explorer.account = AccountView(demo_account(datetime.now(UTC)))
            app.action_clusters()
            await settle(pilot, lambda: isinstance(app.screen, ChooserScreen))
            await settle(pilot, lambda: "?" in words(app.screen))
            assert "…" not in words(app.screen)

    travel(journey)
