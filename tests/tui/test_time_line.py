"""The line of time above the versions: it moves with the cursor, and gives way where there is no room."""

from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from ekstui.present.styled import Styled, plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.base import Debounce
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from tests.support.bundled import newest
from tests.tui.journeys import settle, travel, type_in


def _lines(screen: ExplorerScreen) -> list[Styled]:
    return [row.cells[0] for row in screen.versions.rows.head]


async def _to_load_balancing(pilot: Pilot[None], app: EkstuiApp) -> ExplorerScreen:
    screen = app.screen
    assert isinstance(screen, ExplorerScreen)
    await pilot.press("slash")
    await type_in(pilot, "LoadBalancingPolicy")
    await pilot.press("enter", "3")
    await settle(pilot, lambda: len(screen.versions.steps) == newest("AmazonEKSLoadBalancingPolicy"))
    await pilot.pause()
    return screen


def test_cursor_and_line_move_together() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        screen = await _to_load_balancing(pilot, app)
        rows = screen.versions.rows
        assert len(_lines(screen)) == 2
        places = []
        for _ in range(5):
            line = _lines(screen)[0]
            cursor_index = next(index for index, piece in enumerate(line) if piece[1] == "cursor")
            assert rows.current
            assert line[cursor_index][0] == plain(rows.current.cells[0])
            places.append(sum(len(text) for text, _ in line[:cursor_index]))
            await pilot.press("down")
        # The newest version is at the top of the list, and at the right of the line.
        assert places == sorted(places, reverse=True)
        assert len(set(places)) == 5
        # A click below the line goes to the version there.
        await pilot.click(rows, offset=(3, 1))
        assert rows.cursor == 5
        await pilot.click(rows, offset=(3, 4))
        assert rows.cursor == 2
        # With a filter, only versions are listed.
        await pilot.press("slash")
        await type_in(pilot, "2026")
        assert _lines(screen) == []

    travel(journey)


def test_a_rest_that_ends_late_does_not_move_the_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the next key may be handled after the timer has gone off and before what it calls."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        screen = await _to_load_balancing(pilot, app)
        ends: list[Callable[[], object]] = []
        monkeypatch.setattr(Debounce, "call", lambda _, callback: ends.append(callback))
        await pilot.press("down")
        earlier_ends = list(ends)
        await pilot.press("down")
        version = screen.versions.rows.key
        for end in earlier_ends:
            end()
        await pilot.pause()
        assert screen.versions.rows.key == version
        assert screen.policy_view is not None
        assert screen.policy_view.version == version

    travel(journey)


def test_where_there_is_no_room_the_versions_come_first() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        screen = app.screen
        assert isinstance(screen, ExplorerScreen)
        await settle(pilot, lambda: bool(screen.versions.steps))
        assert _lines(screen) == []
        await pilot.press("3")
        await settle(pilot, lambda: len(_lines(screen)) > 0)

    travel(journey, (110, 15))
