"""Which sides the marks compare."""

import pytest
from textual.pilot import Pilot

from ekstui.core.notation import PolicyAt
from ekstui.library import Library
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.shown import Shown, sides_to_compare
from tests.tui.journeys import settle, shows, travel, words

CNI, CLUSTER = "AmazonEKS_CNI_Policy", "AmazonEKSClusterPolicy"


@pytest.mark.parametrize(
    ("marks", "version", "sides"),
    [
        (((CNI, 6), (CNI, 5)), 6, ((CNI, 5), (CNI, 6))),
        (((CNI, 2), (CNI, 5)), 6, ((CNI, 2), (CNI, 5))),
        (((CNI, 6),), 3, ((CNI, 3), (CNI, 6))),
        # Different policies keep the order of the marks.
        (((CNI, 6), (CLUSTER, 5)), 6, ((CNI, 6), (CLUSTER, 5))),
        (((CLUSTER, 10),), 6, ((CLUSTER, 10), (CNI, 6))),
        (((CNI, 6),), 6, ((CNI, 5), (CNI, 6))),
        ((), 1, None),
    ],
)
def test_versions_of_one_policy_are_compared_from_old_to_new(
    marks: tuple[tuple[str, int], ...], version: int, sides: tuple[tuple[str, int], ...] | None
) -> None:
    compared = sides_to_compare(tuple(PolicyAt(*mark) for mark in marks), Shown(Library.open().find(CNI), version))
    assert compared == (None if sides is None else tuple(PolicyAt(*side) for side in sides))


def test_the_newer_version_may_be_marked_first_and_swapping_turns_them_round() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: "v6 2026-03-04" in words(app.screen))
        await pilot.press("3", "space", "j", "space", "d")
        await settle(pilot, lambda: shows(app, CompareScreen))
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await settle(pilot, lambda: screen.answer is not None)
        assert screen.answer is not None
        assert [screen.answer.before.version, screen.answer.after.version] == [5, 6]
        await pilot.press("o")
        await settle(pilot, lambda: screen.answer is not None and screen.answer.before.version == 6)

    travel(journey)


def test_in_the_list_the_version_in_force_is_compared_with_the_mark() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: "v6 2026-03-04" in words(app.screen))
        # Moving to v5 also shows it, but the row of the list stands for v6.
        await pilot.press("3", "j", "space")
        await settle(pilot, lambda: getattr(app.screen, "shown", Shown(Library.open().find(CNI), 6)).version == 5)
        await pilot.press("1", "d")
        await settle(pilot, lambda: shows(app, CompareScreen))
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await settle(pilot, lambda: screen.answer is not None)
        assert screen.answer is not None
        assert [screen.answer.before.version, screen.answer.after.version] == [5, 6]

    travel(journey)
