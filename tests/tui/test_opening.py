"""The first screen painted from what was painted last time."""

import asyncio
import json
from typing import Any

import pytest

from ekstui import paths
from ekstui.library import Library
from ekstui.store.opening import read_opening, write_opening
from ekstui.tui.account import AccountView
from ekstui.tui.app import EkstuiApp
from ekstui.tui.opening import opening_of
from ekstui.tui.screens.explorer import ExplorerScreen
from ekstui.tui.widgets.permissions import PermissionsPane
from tests.tui.journeys import settle, words

SIZE = (120, 40)


class Asked(Exception):  # noqa: N818 (nothing is wrong)
    """The library was asked."""


@pytest.fixture(autouse=True)
def _not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cache be, since filling it would change what the openings are made from, and ask no account unasked."""
    monkeypatch.setattr("ekstui.tui.screens.explorer.FILL_AFTER", 3600)
    monkeypatch.setattr("ekstui.tui.screens.explorer.ACCOUNT_AFTER", 3600)


def explorer(app: EkstuiApp) -> ExplorerScreen:
    assert isinstance(app.screen, ExplorerScreen)
    return app.screen


async def shown_whole(size: tuple[int, int] = SIZE) -> tuple[str, str, object]:
    """Return the words of the first screen once all is read, its basis, and the opening that is kept of it."""
    app = EkstuiApp(Library.open())
    async with app.run_test(size=size) as pilot:
        await settle(pilot, lambda: "first known" in words(app.screen) and "ec2" in words(app.screen))
        await pilot.pause()
        return words(app.screen), explorer(app).basis(), explorer(app).opening()


def test_it_shows_the_same_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        text, made_from, opening = await shown_whole()
        paths.cache_dir().mkdir(parents=True, exist_ok=True)
        write_opening(SIZE, made_from, opening)
        monkeypatch.setattr("ekstui.tui.screens.explorer.BEGIN_AFTER", 3600)
        app = EkstuiApp(ask)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            panes = (explorer(app).policies, explorer(app).permissions, explorer(app).versions)
            painted = [line for pane in panes for line in words(pane).splitlines()]
            assert "AmazonEKS_CNI_Policy v6" in painted
            # Rows out of view are left empty.
            assert [line for line in painted if line] == [line for line in text.splitlines() if line in painted]
            with pytest.raises(Asked):
                explorer(app).hear()

    def ask() -> Library:
        raise Asked

    asyncio.run(run())


def test_the_first_key_finds_the_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        _, made_from, opening = await shown_whole()
        paths.cache_dir().mkdir(parents=True, exist_ok=True)
        write_opening(SIZE, made_from, opening)
        monkeypatch.setattr("ekstui.tui.screens.explorer.BEGIN_AFTER", 3600)
        app = EkstuiApp(Library.open())
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("j", "space")
            assert [mark.name for mark in explorer(app).marks] == ["AmazonEKSClusterPolicy"]
            # What follows a key is not what the next start begins with.
            assert explorer(app).opening() is None

    asyncio.run(run())


def test_another_size_or_basis_begins_without_it() -> None:
    async def run() -> None:
        _, made_from, opening = await shown_whole()
        paths.cache_dir().mkdir(parents=True, exist_ok=True)
        write_opening(SIZE, made_from + "another", opening)
        app = EkstuiApp(Library.open())
        async with app.run_test(size=SIZE):
            assert explorer(app).policies.count == 50

    asyncio.run(run())


def line(text: str, tone: str = "") -> list[list[str]]:
    return [[text, tone]]


def picture(**changes: Any) -> dict[str, Any]:
    pane = {"about": "x", "note": "", "width": 20, "cursor": 0, "count": 2, "rows": [[[line("a")], True, 0]]}
    return {"header": line("h"), "panes": {"policies": list({**pane, **changes}.values())}}


def test_nothing_of_it_reaches_the_terminal_uncleaned() -> None:
    hostile = "\x1b]0;title\x07\u202e"
    opening = opening_of(picture(about=hostile, note=hostile, rows=[[[line(hostile)], True, 0]]))
    assert opening is not None
    assert "\x1b" not in repr(opening)
    assert "\\u202e" not in ascii(opening)
    assert opening.panes["policies"].rows[1].cells == ()


@pytest.mark.parametrize(
    "stored",
    [
        None, [], {}, {"header": 1, "panes": {}}, {"header": [["a"]], "panes": {}}, {"header": line("a", "no tone"), "panes": {}},
        picture(rows=[[1, 2]]), picture(rows=7), picture(width="wide"), picture(count=None), picture(cursor=5), picture(cursor="a"),
        picture(rows=[[[[["a", []]]], True, 0]]), picture(rows=[[[line("a")], True, "many"]]),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_what_is_no_opening_is_none(stored: object) -> None:
    assert opening_of(stored) is None


def test_it_has_no_word_of_an_account(rig: object) -> None:
    del rig

    async def run() -> None:
        app = EkstuiApp(Library.open())
        async with app.run_test(size=SIZE) as pilot:
            await settle(pilot, lambda: "first known" in words(app.screen) and "ec2" in words(app.screen))
            await pilot.pause()
            without = explorer(app).opening()
            explorer(app).ask_account(ask=True)
            await settle(pilot, lambda: _is_read(explorer(app).account))
            await settle(pilot, lambda: "first known" in words(app.screen) and "ec2" in words(app.screen))
            await pilot.pause()
            assert any(len(row.cells) == 4 for row in explorer(app).policies.rows.rows), "the carriers are counted"
            assert explorer(app).opening() == without

    asyncio.run(run())


def test_a_title_is_not_cut_before_it_is_laid_out() -> None:
    pane = PermissionsPane()
    pane.set_title("AmazonEKSFargatePodExecutionRolePolicy v1")
    assert "AmazonEKSFargatePodExecutionRolePolicy v1" in str(pane.border_title)


def test_reading_it_needs_no_filled_cache() -> None:
    assert read_opening((1, 1), "") is None


def _is_read(view: AccountView) -> bool:
    # What still asks at the end of a test would ask on in the next one.
    return view.snapshot is not None and view.asking is None
