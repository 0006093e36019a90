"""The first screen tells the truth: how old the data is, and what renews it, with and without an account."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from textual.pilot import Pilot

from ekstui import files
from ekstui.library import AccountChoice, Library, syncing
from ekstui.sources.corpus import Corpus
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.account_screen import AccountScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.help_screen import HelpScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.widgets.bars import FooterBar, HeaderBar
from tests.rig.rig import Rig
from tests.support.packages import TWO_VERSIONS, npm_package, tarball
from tests.tui.journeys import settle, shows, travel, type_in, words

KNOWN_UNTIL = Corpus.bundled().manifest().known_until
DEMO = AccountChoice(offline=True, demo=True)
OFFLINE = AccountChoice(offline=True)
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


@pytest.fixture(autouse=True)
def _hundred_days_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the header think that the data is a hundred days old, and so older than what passes for current."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            moment = KNOWN_UNTIL + timedelta(days=100)
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr("ekstui.tui.screens.explorer_screen.datetime", Clock)


@pytest.fixture
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)


def header(app: EkstuiApp) -> str:
    return str(app.explorer.query_one("#header", HeaderBar).content)


def footer(app: EkstuiApp) -> str:
    return str(app.screen.query_one(FooterBar).content)


def is_true(text: str) -> bool:
    """Return whether a header says until when the bundled data is known, and that this was a hundred days ago."""
    return re.search(rf"data {KNOWN_UNTIL:%Y-%m-%d}, 100 d(ays)? old", text) is not None


def look(choice: AccountChoice, size: tuple[int, int], until: Callable[[EkstuiApp], bool]) -> tuple[str, str]:
    """Return the header of the first frame, and as it is once the account is read."""
    headers: list[str] = []

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        headers.append(header(app))
        await settle(pilot, lambda: until(app))
        headers.append(header(app))

    travel(journey, size, library=Library.open(choice))
    assert all(map(is_true, headers))
    return headers[0], headers[1]


@SIZES
def test_in_the_demo_nothing_says_that_it_can_be_renewed(size: tuple[int, int]) -> None:
    for text in look(DEMO, size, lambda app: app.explorer.account.snapshot is not None):
        assert "demo" in text
        assert "renews" not in text
        assert "ago" not in text


@SIZES
def test_without_credentials_the_age_names_what_renews_it(size: tuple[int, int], _no_credentials: None) -> None:
    first, later = look(AccountChoice(), size, lambda app: app.explorer.account.error is not None)
    assert "r renews" not in first.replace(":sync renews", "")
    assert ":sync renews" in later
    assert ("ekstui sync" in later) == (size[0] == 120)
    assert "no account" in later


@SIZES
def test_offline_nothing_says_that_it_can_be_renewed(size: tuple[int, int]) -> None:
    for text in look(OFFLINE, size, lambda app: "offline" in header(app)):
        assert "offline" in text
        assert "renews" not in text


def test_offline_no_key_asks_aws_and_the_app_says_why(toasts: list[str]) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        texts = [words(app.screen)]
        await settle(pilot, lambda: app.explorer.account.error is not None)
        await pilot.press("4", "r", "R")
        await settle(pilot, lambda: "without --offline" in words(app.screen))
        texts.append(words(app.screen))
        await pilot.press("a")
        await settle(pilot, lambda: shows(app, AccountScreen) and "There is no snapshot" in words(app.screen))
        assert "r asks" not in " ".join([*texts, words(app.screen)])
        assert "renew" not in footer(app)
        assert toasts == ["Offline, ekstui does not ask AWS; start it without --offline to renew the data."] * 2

    travel(journey, library=Library.open(OFFLINE))


@SIZES
def test_with_an_account_r_renews(size: tuple[int, int], rig: Rig) -> None:
    rig.reset(0)
    choice = AccountChoice()
    first, later = look(choice, size, lambda app: app.explorer.account.snapshot is not None)
    assert ":sync" not in first + later
    assert size[0] == 80 or "(r renews)" in later
    assert "123456789012" in later


def test_the_demo_keeps_its_account_and_offers_no_other(toasts: list[str]) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        await pilot.press("4")
        await settle(pilot, lambda: "renew" not in footer(app))
        await pilot.press("r", "R")
        sentence = "The demo makes no AWS calls and saves nothing; start ekstui without --demo to renew the data."
        assert toasts == [sentence, sentence]
        await pilot.press("a")
        await settle(pilot, lambda: shows(app, AccountScreen) and "111122223333" in words(app.screen))
        assert "without --demo" in words(app.screen)
        # The first row of the account is a copy of a policy, which is compared.
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, CompareScreen))
        await pilot.press("escape", "escape", "question_mark")
        await settle(pilot, lambda: shows(app, HelpScreen) and "quit" in words(app.screen))
        await pilot.press(*"policies")
        await settle(pilot, lambda: "Go to the policies." in words(app.screen))
        assert "from AWS" not in words(app.screen)
        await pilot.press("escape", "escape")
        snapshot = app.explorer.account.snapshot
        assert app.choice == DEMO
        assert snapshot is not None
        assert snapshot.identity.account == "111122223333"

    travel(journey, library=Library.open(DEMO))


def test_the_demo_reads_nothing_that_is_kept() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)

    # Read, it would be reported as damaged and set aside.
    cache = files.cache_dir() / "policies.db"
    cache.write_bytes(b"not a cache")
    travel(journey, library=Library.open(DEMO))
    assert cache.read_bytes() == b"not a cache"


def test_without_credentials_the_app_renews_the_policies_from_an_archive(
    _no_credentials: None, toasts: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "newer.tgz"
    tarball(archive, ("package/dist/managedPolicies.json", json.dumps(npm_package(Alpha=TWO_VERSIONS)).encode()))
    sync = syncing.sync
    # In place of the public archive, which tests cannot reach.
    monkeypatch.setattr(
        syncing, "sync", lambda library, _, *arguments, **options: sync(library, archive, *arguments, **options)
    )

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.error is not None)
        await pilot.press("colon")
        await settle(pilot, lambda: shows(app, PaletteScreen))
        await type_in(pilot, "sync")
        await pilot.press("enter")
        await settle(pilot, lambda: any("new policy" in sentence for sentence in toasts))
        assert shows(app, ExplorerScreen)
        assert toasts[0].startswith("No AWS credentials are set up.")
        assert app.library.find("Alpha").policy.name == "Alpha"

    travel(journey)
