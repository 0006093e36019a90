"""The changes per quarter, above the versions."""

import io
import sys

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from ekstui.change.steps import Quarters
from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.widgets.versions_pane import sparkline
from tests.tui.journeys import settle, travel, type_in

Q = 2024 * 4


@pytest.mark.parametrize(
    ("counts", "undated", "width", "line"),
    [
        ((0, 1, 0, 0, 7), 0, 40, "24Q1 ▁▂▁▁█ 25Q1 max 7"),
        ((0, 2, 1), 0, 40, "24Q1 ▁█▅ 24Q3 max 2"),
        ((0, 1), 3, 40, "24Q1 ▁█ 24Q2 max 1, 3 undated"),
        # The last quarters are shown, after the number of earlier changes if there were any.
        ((1, 2, 1, 0, 0, 0, 0, 0, 1, 0), 0, 25, "…4 25Q2 ▁▁▁▅▁ 26Q2 max 2"),
        ((0, 0, 0, 0, 0, 0, 0, 0, 1, 0), 0, 25, "25Q2 ▁▁▁█▁ 26Q2 max 1"),
        ((0, 0), 0, 40, ""),
        ((0, 0), 2, 40, ""),
    ],
)
def test_the_line_names_both_ends_and_the_most(counts: tuple[int, ...], undated: int, width: int, line: str) -> None:
    found = plain(sparkline(Quarters(Q, counts, undated), width, bars=True))
    assert found == line
    assert cell_len(found) <= width


def test_without_bars_each_quarter_is_its_digit() -> None:
    line = plain(sparkline(Quarters(Q, (0, 1, 0, 9, 12), 0), 40, bars=False))
    assert line == "24Q1 _1_9+ 25Q1 max 12"
    assert line.isascii()


def _line(app: EkstuiApp) -> str | None:
    screen = app.screen
    assert isinstance(screen, ExplorerScreen)
    row = next((row for row in screen.versions.rows.rows if row.key == "quarters"), None)
    return plain(row.cells[0]) if row else None


async def _to_load_balancing(pilot: Pilot[None], app: EkstuiApp) -> None:
    screen = app.screen
    assert isinstance(screen, ExplorerScreen)
    await pilot.press("slash")
    await type_in(pilot, "LoadBalancingPolicy")
    await pilot.press("enter", "3")
    await settle(pilot, lambda: len(screen.versions.steps) == 10)
    await pilot.pause()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_versions_show_when_the_policy_changed(size: tuple[int, int]) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _to_load_balancing(pilot, app)
        # AWS made it in October 2024, and changed it once in 25Q1, five times in 26Q2 and once in 26Q3.
        assert _line(app) == "24Q4 ▁▃▁▁▁▁█▃ 26Q3 max 5"
        # With a filter, only versions are listed.
        await pilot.press("slash")
        await type_in(pilot, "2026")
        assert _line(app) is None

    travel(journey, size)


def test_where_there_is_no_room_the_versions_come_first() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _to_load_balancing(pilot, app)
        assert _line(app) is None
        await pilot.resize_terminal(120, 40)
        await pilot.pause()
        assert _line(app) is not None

    travel(journey, (60, 15))


def test_a_terminal_without_the_signs_is_sent_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stderr__", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _to_load_balancing(pilot, app)
        assert _line(app) == "24Q4 _1____51 26Q3 max 5"

    travel(journey)
