"""The app applies the user's settings."""

import asyncio
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from ekstui.errors import InputError
from ekstui.library import AccountChoice, Library
from ekstui.present.styled import plain
from ekstui.settings import effective
from ekstui.tui.app import EkstuiApp, run_app
from ekstui.tui.keys import all_keys, clashes
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.help_screen import HelpScreen
from ekstui.tui.screens.theme_screen import ThemeScreen
from ekstui.tui.widgets.policies_pane import PoliciesPane
from ekstui.tui.widgets.rows import RowList
from tests.support.bundled import POLICIES
from tests.tui.journeys import settle, shows, travel, words


def test_a_key_theme_and_scope_of_ones_own(settings_file: Path) -> None:
    settings_file.write_text(
        'theme = "ansi-light"\nscope = "all"\n[keys]\ndown = "ctrl+n,B"\nscop = "X"\nhelp = "f1"\n'
    )

    async def journey() -> None:
        app = EkstuiApp(Library.open(), None, effective(settings_file, {}))
        async with app.run_test(size=(120, 40)) as pilot:
            assert app.theme == "ansi-light"
            assert isinstance(app.screen, ExplorerScreen)
            rows = app.screen.query_one(PoliciesPane).rows
            assert len(rows.rows) == POLICIES
            first = rows.current
            await pilot.press("j")
            assert rows.current == first
            await pilot.press("B")
            assert rows.current != first
            assert [warning for warning in app.settings_warnings if "is scope" in warning]
            await pilot.press("f1")
            assert isinstance(app.screen, HelpScreen)
            await pilot.press(*"down")
            lines = [plain(row.cells[0]).split() for row in app.screen.query_one(RowList).rows]
            assert ["^n", "B", "Move", "down."] in lines

    asyncio.run(journey())


def test_a_theme_that_does_not_exist_is_refused_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("threading.excepthook", threading.excepthook)
    file = tmp_path / "config.toml"
    file.write_text('# mine\ntheme = "nort"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"config\.toml:2: there is no theme nort; the nearest is nord"):
        run_app(None, effective(file, {}), AccountChoice(offline=True))


@pytest.mark.parametrize(
    ("lines", "error_text"),
    [
        ('down = "down,n"', r"config\.toml:3: down: n is also the key of next"),
        ('help = "f1"\ncompare = "?"\nfilter = "f1"', r"config\.toml:3: help: f1 is also the key of filter"),
        ('copy = "slash"', r"config\.toml:3: copy: / is also the key of filter"),
        ('swap = "n"', r"config\.toml:3: swap: n is also the key of next"),
        ('copy = "/"', r"config\.toml:3: copy: / is also the key of filter"),
    ],
)
def test_a_key_with_two_meanings_is_refused_with_its_line(
    lines: str, error_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("threading.excepthook", threading.excepthook)
    file = tmp_path / "config.toml"
    file.write_text(f"# mine\n[keys]\n{lines}\n", encoding="utf-8")
    with pytest.raises(InputError, match=error_text):
        run_app(None, effective(file, {}), AccountChoice(offline=True))


def test_two_ids_can_swap_their_keys_and_the_keys_as_they_are_do_not_clash() -> None:
    assert clashes({}) == {}
    assert clashes({"next": "N", "previous": "n"}) == {}
    assert clashes({key.id: key.keys for key in all_keys()}) == {}


def test_a_theme_is_shown_as_the_cursor_moves_and_written_only_if_asked(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EKSTUI_CONFIG", str(settings_file))

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        async def go_to_light() -> None:
            await pilot.press("T")
            await settle(pilot, lambda: shows(app, ThemeScreen))
            await pilot.press("down")
            await settle(pilot, lambda: app.theme == "textual-light")

        await go_to_light()
        await pilot.press("escape")
        assert (app.theme, settings_file.exists()) == ("textual-dark", False)
        await go_to_light()
        await pilot.press("enter")
        await settle(pilot, lambda: "until ekstui ends" in words(app.screen))
        await pilot.press("enter")
        assert (app.theme, settings_file.exists()) == ("textual-light", False)
        # The cursor starts at the theme in use; a name that is typed is found before anything has shown it.
        await pilot.press("T", *"nord", "enter")
        await settle(pilot, lambda: "from now on" in words(app.screen))
        await pilot.press("down", "enter")
        await settle(pilot, settings_file.exists)
        assert (app.theme, effective(settings_file, {}).settings.theme) == ("nord", "nord")

    travel(journey)


def test_the_demo_does_not_offer_to_write_a_theme() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("T", *"nord", "enter")
        assert (app.theme, shows(app, ExplorerScreen)) == ("nord", True)

    travel(journey, library=Library.open(AccountChoice(demo=True)))
