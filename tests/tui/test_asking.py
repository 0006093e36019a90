"""What the app is told of the account while it is asked, and asked again."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import cast

from textual import on
from textual.app import App

from ekstui.core.account import AccountSnapshot
from ekstui.library import AccountChoice, Library
from ekstui.tui.account import AccountTold, AccountView, watch_account
from ekstui.tui.background import Background
from tests.accounts import snapshot


class Slow:
    """A library whose first asking speaks once more when a later one has answered, and goes on."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun, self.go_on, self.spoken = threading.Event(), threading.Event(), threading.Event()
        self.choice, self.is_set_up = AccountChoice(), True
        self.account = self

    def last(self) -> None:
        """No snapshot is at hand."""

    def refresh(self, progress: Callable[[str, str], None], cancelled: Callable[[], bool]) -> AccountSnapshot:
        """Ask."""
        self.asked += 1
        if self.asked == 1:
            self.begun.set()
            self.go_on.wait(20)
            progress("roles", "reading roles")
            self.spoken.set()
            self.go_on.clear()
            self.go_on.wait(20)
        return snapshot()


class Listening(App[None]):
    """Keeps what it is told of the account."""

    view = AccountView()

    @on(AccountTold)
    def _told(self, message: AccountTold) -> None:
        self.view = message.change(self.view)


def test_what_a_replaced_asking_says_late_is_not_heard() -> None:
    async def run() -> None:
        library, background = Slow(), Background()
        async with Listening().run_test() as pilot:
            app = cast("Listening", pilot.app)
            watch_account(app, background, cast("Library", library), timedelta(0), ask=True)
            await asyncio.to_thread(library.begun.wait, 20)
            watch_account(app, background, cast("Library", library), timedelta(0), ask=True)
            while app.view.snapshot is None:
                await pilot.pause(0.01)
            library.go_on.set()
            await asyncio.to_thread(library.spoken.wait, 20)
            await pilot.pause(0.05)
            assert app.view.asking is None
            library.go_on.set()

    asyncio.run(run())
