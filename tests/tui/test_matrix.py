"""The table of services by access level, and the marks, which it and comparisons are about."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from ekstui.library import Library
from ekstui.library.notation import PolicyAt
from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.messages import PolicyView, sides_to_compare, with_mark
from ekstui.tui.screens.card_screens import ActionScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.matrix_screen import MatrixScreen
from ekstui.tui.widgets.explorer_header import marks_line
from ekstui.tui.widgets.versions_pane import VersionsPane
from tests.support.bundled import CNI, counts, newest, size_words
from tests.tui.journeys import settle, shows, travel, type_in, words

WORKER = "AmazonEKSWorkerNodePolicy"


def line(app: EkstuiApp, service: str) -> str:
    screen = app.screen
    assert isinstance(screen, MatrixScreen)
    row = next(row for row in screen.rows.rows if row.key == ("service", service))
    return " ".join(" ".join(plain(cell).split()) for cell in row.cells)


def test_one_policy_fills_the_cells_and_leads_to_an_action_and_back() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("t")
        await settle(pilot, lambda: "ec2" in words(app.screen))
        assert f"{CNI}@v{newest(CNI)}  {size_words(CNI)}\n" in words(app.screen) + "\n"
        listing = counts(CNI, "ec2")["List"]
        assert line(app, "ec2").split()[:3] == ["▸", "ec2", f"{listing.granted}/{listing.total}"]
        await pilot.press("enter")
        await settle(pilot, lambda: "CreateTags" in words(app.screen))
        assert "DescribeTags ●" in " ".join(words(app.screen).split())
        await pilot.press("j", "enter")
        await settle(pilot, lambda: shows(app, ActionScreen) and f"{CNI}@v{newest(CNI)}" in words(app.screen))
        await pilot.press("escape", "escape")
        assert shows(app, ExplorerScreen)

    travel(journey)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 15)])
def test_marked_policies_stand_side_by_side(size: tuple[int, int]) -> None:
    of_cni, of_worker = (counts(name, "ec2")["List"] for name in (CNI, WORKER))
    ec2 = "○○" if size == (60, 15) else f"{of_cni.granted} {of_worker.granted} /{of_cni.total}"

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("space", "j", "space", "t")
        await settle(pilot, lambda: "eks-auth" in words(app.screen))
        assert f"A {CNI}@v{newest(CNI)}" in words(app.screen)
        assert f"B {WORKER}@v{newest(WORKER)}" in words(app.screen)
        assert line(app, "ec2").startswith(f"▸ ec2 {ec2}")
        # Symbols always fit.
        await pilot.press("v")
        assert line(app, "ec2").startswith("▸ ec2 ○○" if "/" in ec2 else f"▸ ec2 {ec2}")

    travel(journey, size)


def test_hundreds_of_services_are_filtered_copied_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.push_screen(MatrixScreen([PolicyAt("ReadOnlyAccess"), PolicyAt("AdministratorAccess")]))
        await settle(pilot, lambda: "xray" in words(app.screen))
        screen = app.screen
        assert isinstance(screen, MatrixScreen)
        assert len(screen.rows.rows) > 400
        sizes = [plain(row.cells[0]) for row in screen.rows.rows[:2]]
        await pilot.press("G")
        assert screen.rows.current is not None
        assert screen.rows.current.key == ("service", screen.rows.rows[-1].key[1])  # type: ignore[index]
        await pilot.press("slash")
        # One letter matches thousands of actions, which stay folded.
        await pilot.press("a")
        assert 300 < len(screen.rows.rows) < 500
        await type_in(pilot, "utoscaling")
        await pilot.press("enter")
        services = [row.key for row in screen.rows.rows if row.selectable]
        assert ("service", "autoscaling-plans") in services
        assert ("service", "s3") not in services
        # A search does not change the sizes of the policies.
        assert [plain(row.cells[0]) for row in screen.rows.rows[:2]] == sizes
        # A search without a match says how to clear it.
        await pilot.press("slash")
        await type_in(pilot, "nosuch")
        assert "Nothing here matches “nosuch”." in words(screen)
        assert "clears the search" in words(screen)
        await pilot.press(*["backspace"] * 20, "enter")
        assert len(screen.rows.rows) > 400
        await pilot.press("e")
        await settle(pilot, lambda: "Markdown" in words(app.screen))
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot, lambda: bool(list(tmp_path.glob("*.md"))))
        table = next(tmp_path.glob("*.md")).read_text()
        assert "| xray | " in table
        assert table.startswith("# ReadOnlyAccess, AdministratorAccess\n")

    travel(journey)


def test_what_cannot_be_read_is_said_in_place_of_the_table() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.push_screen(MatrixScreen([PolicyAt("AmazonEKS_CNI_Policy", 99)]))
        await settle(pilot, lambda: "!" in words(app.screen))
        assert "v99" in words(app.screen)
        await pilot.press("escape")
        assert shows(app, ExplorerScreen)

    travel(journey, library=Library.open())


def test_the_fifth_mark_takes_the_place_of_the_first() -> None:
    marks: tuple[PolicyAt, ...] = ()
    for version in range(1, 6):
        marks = with_mark(marks, PolicyAt("Alpha", version))
    assert [mark.version for mark in marks] == [2, 3, 4, 5]
    assert [mark.version for mark in with_mark(marks, PolicyAt("Alpha", 3))] == [2, 4, 5]


CLUSTER, EBS = "AmazonEKSClusterPolicy", "AmazonEBSCSIDriverPolicy"


@pytest.mark.parametrize(
    ("marks", "version", "sides"),
    [
        (((CNI, 6), (CNI, 5)), 6, ((CNI, 5), (CNI, 6))),
        (((CNI, 2), (CNI, 5)), 6, ((CNI, 2), (CNI, 5))),
        (((CNI, 6),), 3, ((CNI, 3), (CNI, 6))),
        # Different policies keep the order of the marks, unless one supersedes the other.
        (((CNI, 6), (CLUSTER, 5)), 6, ((CNI, 6), (CLUSTER, 5))),
        (((f"{EBS}V2", 1), (EBS, 15)), 6, ((EBS, 15), (f"{EBS}V2", 1))),
        (((EBS, 15), (f"{EBS}V2", 1)), 6, ((EBS, 15), (f"{EBS}V2", 1))),
        # The header names the first two; the table has them all.
        (((CNI, 6), (CNI, 5), (CLUSTER, 10)), 6, ((CNI, 5), (CNI, 6))),
        (((CLUSTER, 10),), 6, ((CLUSTER, 10), (CNI, 6))),
        (((CNI, 6),), 6, ((CNI, 5), (CNI, 6))),
        ((), 1, None),
    ],
)
def test_two_are_compared_in_the_order_of_time(
    marks: tuple[tuple[str, int], ...], version: int, sides: tuple[tuple[str, int], ...] | None
) -> None:
    pair = sides_to_compare(tuple(PolicyAt(*mark) for mark in marks), PolicyView(Library.open().find(CNI), version))
    assert pair == (None if sides is None else tuple(PolicyAt(*side) for side in sides))


def test_more_than_two_marks_are_counted() -> None:
    marks = (PolicyAt(CNI, 6), PolicyAt(CLUSTER, 10), PolicyAt(EBS, 15), PolicyAt(EBS, 14))
    assert plain(marks_line(marks[:2])) == "A CNI v6  B Cluster v10  d compare  u clear "
    assert plain(marks_line(marks)) == "A CNI v6  B Cluster v10  +2  d compare  u clear "


def test_the_newer_version_may_be_marked_first_and_swapping_turns_them_round() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: len(app.screen.query_one(VersionsPane).steps) == newest(CNI))
        await pilot.press("3", "space", "j", "space", "d")
        await settle(pilot, lambda: shows(app, CompareScreen))
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await settle(pilot, lambda: screen.answer is not None)
        assert screen.answer is not None
        assert [screen.answer.before.version, screen.answer.after.version] == [newest(CNI) - 1, newest(CNI)]
        await pilot.press("o")
        await settle(pilot, lambda: screen.answer is not None and screen.answer.before.version == newest(CNI))

    travel(journey)


def test_in_the_list_the_version_in_force_is_compared_with_the_mark() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: len(app.screen.query_one(VersionsPane).steps) == newest(CNI))
        # Moving to a version also shows it, but the row of the list stands for the newest.
        await pilot.press("3", "j", "space")
        await settle(
            pilot,
            lambda: (
                getattr(app.screen, "policy_view", PolicyView(Library.open().find(CNI), 0)).version == newest(CNI) - 1
            ),
        )
        await pilot.press("1", "d")
        await settle(pilot, lambda: shows(app, CompareScreen))
        screen = app.screen
        assert isinstance(screen, CompareScreen)
        await settle(pilot, lambda: screen.answer is not None)
        assert screen.answer is not None
        assert [screen.answer.before.version, screen.answer.after.version] == [newest(CNI) - 1, newest(CNI)]

    travel(journey)
