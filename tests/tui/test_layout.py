"""The layout of the panes, cut rows, and one meaning per key."""

import importlib
import pkgutil
import re
from collections import Counter

import pytest
from rich.cells import cell_len
from textual.geometry import Size
from textual.pilot import Pilot

from ekstui.library import AccountChoice, Library
from ekstui.present.styled import plain
from ekstui.tui import screens, widgets
from ekstui.tui.app import EkstuiApp
from ekstui.tui.keys import all_keys
from ekstui.tui.messages import Open, PolicyView
from ekstui.tui.screens.changes_screen import ChangesScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.panes_layout import PANES, PaneId, PanesLayout
from ekstui.tui.widgets.bars import FooterBar
from ekstui.tui.widgets.rows import RowList
from tests.support.bundled import CNI, newest
from tests.tui.journeys import at_rest, explorer_of, settle, shows, travel, type_in


async def _lines(pilot: Pilot[None], app: EkstuiApp) -> list[str]:
    """Return all painted rows of the policies, page by page."""
    rows = explorer_of(app).policies.rows
    await pilot.press("home")
    text_by_row: dict[int, str] = {}
    while len(text_by_row) < len(rows.rows):
        for y in range(rows.size.height):
            if (index := rows.scroll_offset.y + y) < len(rows.rows):
                text_by_row[index] = rows.render_line(y).text
        await pilot.press("pagedown")
        await pilot.pause()
    return [text_by_row[index] for index in sorted(text_by_row) if rows.rows[index].selectable]


def test_every_key_means_one_thing() -> None:
    assert [
        key
        for key, count in Counter(key for binding in all_keys() for key in binding.keys.split(",")).items()
        if count > 1
    ] == []
    assert [name for name, count in Counter(key.id for key in all_keys()).items() if count > 1] == []


def test_the_styles_of_a_widget_name_its_class() -> None:
    """A class that is renamed without its styles looks like the one it inherits from."""
    modules = [
        importlib.import_module(f"{package.__name__}.{module.name}")
        for package in (screens, widgets)
        for module in pkgutil.iter_modules(package.__path__)
    ]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    styled_kinds = [kind for kind in kinds if kind.__module__.startswith("ekstui.") and "DEFAULT_CSS" in vars(kind)]
    assert len(styled_kinds) > 8
    assert [
        kind.__name__ for kind in styled_kinds if not re.search(rf"\b{kind.__name__}\b", vars(kind)["DEFAULT_CSS"])
    ] == []


def test_every_key_of_a_screen_does_something() -> None:
    modules = [
        importlib.import_module(f"{screens.__name__}.{module.name}")
        for module in pkgutil.iter_modules(screens.__path__)
    ]
    kinds = {
        kind for module in modules for kind in vars(module).values() if isinstance(kind, type) and "KEYS" in vars(kind)
    }
    assert len(kinds) > 10
    dead = [
        (kind.__name__, key.id)
        for kind in kinds
        for key in vars(kind)["KEYS"]
        if not any(
            hasattr(owner, f"action_{key.action.partition('(')[0].removeprefix('screen.')}")
            for owner in (kind, RowList, EkstuiApp)
        )
    ]
    assert dead == []


@pytest.mark.parametrize(
    "size", [Size(60, 15), Size(80, 24), Size(89, 30), Size(90, 30), Size(100, 30), Size(120, 40), Size(200, 60)]
)
def test_the_places_cover_the_screen_once_and_the_focused_pane_has_the_most(size: Size) -> None:
    for pane in PANES:
        layout = PanesLayout()
        layout.pane = pane
        places = layout.places(size)
        cells = Counter((x, y) for place in places.values() for y in place.line_range for x in place.column_range)
        assert set(cells.values()) == {1}
        assert len(cells) == size.area
        by_pane = {name: place for name, place in places.items() if name in PANES}
        assert pane in by_pane
        if size.width >= 90:
            neighbour: PaneId = {
                "policies": "versions",
                "versions": "policies",
                "permissions": "attached",
                "attached": "permissions",
            }[pane]  # type: ignore[assignment]
            assert 0.6 < by_pane[pane].height / (by_pane[pane].height + by_pane[neighbour].height) < 0.7
        else:
            assert list(by_pane) == [pane]


def test_no_name_of_an_eks_policy_is_cut() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        lines = await _lines(pilot, app)
        names = [entry.policy.name for entry in app.library.policies("eks")]
        assert len(lines) == len(names)
        for name in names:
            assert any(f" {name} " in line for line in lines), name

    travel(journey)


@pytest.mark.parametrize("scope", ["eks", "all"])
def test_no_two_policies_look_alike_in_eighty_columns(scope: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        if scope == "all":
            await pilot.press("s")
            await pilot.pause()
        lines = await _lines(pilot, app)
        assert [line for line, count in Counter(lines).items() if count > 1] == []

    travel(journey, (80, 24))


async def _cells_cut(pilot: Pilot[None], app: EkstuiApp) -> list[str]:
    """Return the rows of all panes that are cut although they would fit, with each pane focused in turn."""
    explorer, cut = explorer_of(app), list[str]()
    for pane in PANES:
        explorer.action_pane(pane)
        await at_rest(pilot, app)
        rows = explorer.focused_pane.rows
        for y in range(rows.size.height):
            index = rows.scroll_offset.y + y
            if index < len(rows.rows) and "…" in (line := rows.render_line(y).text):
                width_needed = sum(cell_len(plain(cell)) + 1 for cell in rows.rows[index].cells)
                if width_needed <= rows.row_width and not any("…" in plain(cell) for cell in rows.rows[index].cells):
                    cut.append(line)
    return cut


def test_nothing_is_cut_that_would_fit_where_there_is_much_room() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        for name in ("AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy", "AmazonEKSLocalOutpostServiceRolePolicy"):
            place = PolicyView(app.library.find(name), app.library.find(name).policy.default_version)
            app.post_message(Open(place.place))
            await settle(pilot, lambda place=place: explorer.policy_view == place)  # type: ignore[misc]
            assert await _cells_cut(pilot, app) == []
        await pilot.press("1")
        lines = await _lines(pilot, app)
        names = [entry.policy.name for entry in app.library.policies("eks")]
        assert [name for name in names if not any(f" {name} " in line for line in lines)] == []

    travel(journey, (200, 60), library=Library.open(AccountChoice(demo=True)))


def test_a_narrow_footer_names_the_first_keys_and_shows_the_others() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        footer = explorer_of(app).footer
        await settle(pilot, lambda: "enter open" in str(footer.render()))
        line = str(footer.render())
        # All keys of the pane in their order, the first ones with their labels, within the width.
        assert line.split()[:4] == ["enter", "open", "tab", "pane"]
        assert line.endswith("/ filter  w s f c  : find  ? help ")
        assert cell_len(line) <= 80
        await pilot.click(footer, offset=(line.index(" f ") + 1, 0))
        await settle(pilot, lambda: shows(app, ChangesScreen))
        await pilot.resize_terminal(60, 15)
        await settle(pilot, lambda: cell_len(str(app.screen.query_one(FooterBar).render())) <= 60)
        assert str(app.screen.query_one(FooterBar).render()).endswith("  : find  ? help ")

    travel(journey, (80, 24))


def test_escape_goes_back_one_step_at_a_time() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        # While the app asks or reads, escape stops that first.
        await at_rest(pilot, app)
        await pilot.press("slash")
        await type_in(pilot, "cni")
        await pilot.press("enter", "space", "3")
        assert (explorer.pane, len(explorer.marks)) == ("versions", 1)
        for state_after in (("versions", 0, "cni"), ("policies", 0, "cni"), ("policies", 0, ""), ("policies", 0, "")):
            await pilot.press("escape")
            assert (explorer.pane, len(explorer.marks), explorer.policies.filter) == state_after
        assert app.is_running
        await pilot.press("3", "enter")
        await settle(pilot, lambda: shows(app, CompareScreen))
        await pilot.press("q")
        assert shows(app, ExplorerScreen)

    travel(journey)


def test_the_place_is_kept_where_size_and_focus_change() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        rows = explorer_of(app).policies.rows
        await pilot.press("end")
        last = rows.current
        for key in ("3", "4", "2", "1", "z", "z"):
            await pilot.press(key)
            await pilot.pause()
            assert rows.current == last
        for size in ((80, 24), (60, 15), (50, 10), (200, 60), (120, 40)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert rows.current == last
        assert rows.has_focus
        assert rows.cursor is not None
        assert rows.scroll_offset.y <= rows.cursor < rows.scroll_offset.y + rows.size.height

    travel(journey)


def test_what_a_pane_gets_late_is_described_as_well() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await pilot.press("3")
        # The versions load in the background; the footer then shows the keys of the one under the cursor.
        await settle(pilot, lambda: "what it changed" in str(explorer.footer.render()))
        await settle(pilot, lambda: f"v{newest(CNI)}" in str(explorer.line.render()))

    travel(journey)


def test_a_key_of_a_screen_that_was_never_opened_is_said_to_do_nothing_here(toasts: list[str]) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("p", "j", "X")
        await settle(pilot, lambda: any(toast.startswith("p (period) does nothing here") for toast in toasts))
        assert len(toasts) == 1

    travel(journey)
