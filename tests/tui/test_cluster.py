"""A cluster in the app: its report and its tree."""

import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from ekstui.present.styled import plain
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.cluster_screens import ClusterMapScreen, ClusterScreen
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.attached_pane import AttachedPane
from tests.rig.rig import Rig
from tests.support.bundled import newest
from tests.tui.journeys import explorer_of, settle, shows, travel, type_in, words


@pytest.fixture
def named_roles_rig(lasting_rig: Rig) -> Rig:
    """The rig with only its named roles, which is faster, and with a cluster of hostile text."""
    lasting_rig.reset(0, hostile=True)
    return lasting_rig


async def _choose(pilot: Pilot[None], app: EkstuiApp, cluster: str, *, tree: bool = True) -> None:
    """Choose a cluster, wait for its answer, and go to its tree."""
    await settle(pilot, lambda: explorer_of(app).account.snapshot is not None and not explorer_of(app).account.asking)
    await pilot.press("c")
    await settle(pilot, lambda: shows(app, ChooserScreen))
    names = words(app.screen).splitlines()
    await pilot.press(*["down"] * next(index for index, name in enumerate(names) if name.startswith(cluster)), "enter")
    await settle(pilot, lambda: shows(app, ReportScreen) and "reading" not in (words(app.screen) or "reading"))
    if tree:
        await pilot.press("v")
        await settle(pilot, lambda: shows(app, ClusterMapScreen) and "▾" in words(app.screen))


def _line(app: EkstuiApp, start: str) -> str:
    return next(line for line in words(app.screen).splitlines() if line.startswith(start))


def _cursor(app: EkstuiApp) -> object:
    screen = app.screen
    assert isinstance(screen, ClusterMapScreen)
    assert screen.rows.current is not None
    return screen.rows.current.key


def test_words_about_attachments_are_broken_for_the_pane_once_it_is_shown(named_roles_rig: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        pane = explorer_of(app).query_one(AttachedPane)
        await settle(pilot, lambda: bool(str(pane.border_subtitle)) and not explorer_of(app).account.asking)
        assert pane.region.width == 0
        await pilot.press("4")
        await settle(pilot, lambda: pane.region.width > 0)
        await pilot.pause()
        assert all(len(plain(row.cells[0])) <= pane.rows.row_width for row in pane.rows.rows if not row.selectable)

    assert named_roles_rig.url
    travel(journey, (80, 24))


def test_the_report_says_until_when_changes_are_known(named_roles_rig: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "prod", tree=False)
        assert shows(app, ClusterScreen)
        known_until = f"{app.library.data().newest:%Y-%m-%d}"
        assert f"Changed by AWS in the last 14 days (policies known until {known_until})" in words(app.screen)
        await pilot.press("v")
        await settle(pilot, lambda: shows(app, ClusterMapScreen) and "prod-cluster" in words(app.screen))
        await pilot.press("v")
        await settle(pilot, lambda: shows(app, ClusterScreen))
        await pilot.press("escape")
        assert shows(app, ExplorerScreen)

    assert named_roles_rig.url
    travel(journey)


def test_what_is_unfolded_below_the_edge_is_scrolled_into_view(named_roles_rig: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "prod", tree=False)
        screen = app.screen
        assert isinstance(screen, ClusterScreen)
        await pilot.press("G")
        await settle(pilot, lambda: screen.rows.is_vertical_scroll_end)
        lines, place = len(screen.rows.rows), screen.rows.cursor
        assert plain(screen.rows.rows[-1].cells[0]).startswith("▸")
        await pilot.press("enter")
        await settle(pilot, lambda: len(screen.rows.rows) > lines)
        assert screen.rows.cursor == place
        assert screen.rows.is_vertical_scroll_end
        # Of more than fits, the first lines are shown, under the row that was unfolded.
        roles = next(row.key for row in screen.rows.rows if re.match(r"▸ \d+ roles", plain(row.cells[0])))
        screen.rows.move_to(roles)
        await pilot.press("enter")
        await settle(pilot, lambda: screen.rows.scroll_offset.y == screen.rows.cursor)

    assert named_roles_rig.url
    travel(journey, (80, 24))


def test_the_map_is_walked_from_the_cluster_to_a_policy(named_roles_rig: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "prod")
        assert "AmazonEKSClusterPolicy" not in words(app.screen)
        # Into the cluster, into the use; the role unfolds, then into it.
        await pilot.press("right", "right", "right")
        await settle(pilot, lambda: "AmazonEKSClusterPolicy" in words(app.screen))
        policy = f"AmazonEKSClusterPolicy v{newest('AmazonEKSClusterPolicy')}"
        assert _line(app, policy) == f"{policy}  attached, AWS managed"
        await pilot.press("l")
        path = _cursor(app)
        assert isinstance(path, tuple)
        assert path[0] == "cluster"
        assert len(path) == 3
        # Out of it again, and it folds.
        await pilot.press("left")
        assert _cursor(app) == path[:-1]
        await pilot.press("h")
        assert "AmazonEKSClusterPolicy" not in words(app.screen)
        await pilot.press("right")
        assert "AmazonEKSClusterPolicy" in words(app.screen)
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, RoleScreen) and "Trust: who may assume it" in words(app.screen))
        await pilot.press("escape", "l", "enter")
        await settle(pilot, lambda: shows(app, ExplorerScreen))
        place = explorer_of(app).policy_view
        assert place is not None
        assert place.entry.policy.name == "AmazonEKSClusterPolicy"

    assert named_roles_rig.url
    travel(journey)


def test_a_filter_finds_who_carries_a_policy_in_what_is_folded_and_all_is_written(
    named_roles_rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "prod")
        await pilot.press("slash")
        await type_in(pilot, "EBSCSI")
        await pilot.press("enter")
        lines = words(app.screen).splitlines()
        assert lines[0].startswith("▾ prod")
        assert any(line.startswith("▾ prod-ebs-csi ") for line in lines)
        assert all("EBSCSI" in line or line.startswith("▾") for line in lines)
        await pilot.press("slash", *"zzz", "enter")
        assert "Nothing here matches “zzz”." in words(app.screen)
        await pilot.press("escape", "e")
        await settle(pilot, lambda: "Markdown" in words(app.screen))
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("enter")
        await settle(pilot, lambda: (tmp_path / "cluster-map.md").exists())
        text = (tmp_path / "cluster-map.md").read_text()
        assert re.search(r"^  - \*\*Pod Identity\*\*  \d+ roles\b", text, re.MULTILINE)
        version = newest("AmazonEKSClusterPolicy")
        assert f"      - `AmazonEKSClusterPolicy` v{version}  attached, AWS managed\n" in text
        assert not re.search(r"\d{12}", text)

    assert named_roles_rig.url
    travel(journey)


def test_what_was_not_looked_at_stands_in_its_place(named_roles_rig: Rig) -> None:
    named_roles_rig.proxy.fail("denied", "eks", "ListPodIdentityAssociations")
    named_roles_rig.proxy.fail("denied", "eks", "ListFargateProfiles")

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "prod")
        text = words(app.screen)
        assert "▾ Pod Identity  not looked at" in text
        # Some roles are known anyway, from access entries and add-ons.
        assert "▾ Fargate profiles  1 role  not all looked at" in text
        assert re.search(r"▾ add-ons  \d roles.*not all looked at", text)
        line_of_empty = _line(app, "no roles: ")
        assert "Fargate" not in line_of_empty
        assert "Pod Identity" not in line_of_empty
        # AWS's own message is there too.
        assert "eks:ListFargateProfiles" in text
        # Without an answer, none of these keys does anything.
        app.push_screen(ClusterMapScreen("nosuch", None))
        await settle(pilot, lambda: "There is no cluster 'nosuch'" in words(app.screen))
        await pilot.press("right", "left", "asterisk", "enter", "n", "escape")
        assert "▾ Pod Identity  not looked at" in words(app.screen)

    travel(journey)


def test_names_from_kubernetes_cannot_steer_the_terminal(named_roles_rig: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await _choose(pilot, app, "hostile")
        # The namespace is markup, and the service account tries to set the title and to clear the screen.
        assert "[/oops]/sa␛]0;owned␇␛[2J␛[31m" in words(app.screen)
        assert all(character.isprintable() for line in words(app.screen).splitlines() for character in line)

    assert named_roles_rig.url
    travel(journey)
