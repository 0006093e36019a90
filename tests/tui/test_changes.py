"""The screen of what AWS changed."""

from functools import partial

from textual.pilot import Pilot

from ekstui.change.steps import FeedStep, quarter_of
from ekstui.eks.account_snapshot import Group, Role, User
from ekstui.library.notation import PolicyAt
from ekstui.present.change_map import MapPlace
from ekstui.present.styled import Row, styled
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.changes_screen import ChangesScreen, columns_of_steps
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.widgets.bars import HeaderBar, LineBar
from tests.rig.rig import Rig
from tests.tui.journeys import settle, shows, travel, words


def test_a_step_is_compared_and_a_new_policy_is_shown() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("f")
        await settle(pilot, lambda: shows(app, ChangesScreen))
        await pilot.press("p")
        await settle(pilot, lambda: "AmazonEKSNetworkingPolicy v2→v3" in words(app.screen))
        changes = app.screen
        assert isinstance(changes, ChangesScreen)
        assert changes.rows.move_to(("AmazonEKSNetworkingPolicy", 3))
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, CompareScreen))
        await pilot.press("escape", "p")
        await settle(pilot, lambda: changes.rows.move_to(("AmazonEKSBlockStoragePolicyV2", 1)))
        await settle(pilot, lambda: "2026-05-11 AmazonEKSBlockStoragePolicyV2 v1 new policy +7" in words(changes))
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, ExplorerScreen))
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.policy_view is not None and explorer.policy_view.version == 1)
        assert explorer.policy_view is not None
        assert explorer.policy_view.entry.policy.name == "AmazonEKSBlockStoragePolicyV2"

    travel(journey)


def test_a_filter_leaves_the_changes_that_it_names() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("f", "p", "p")
        changes = app.screen
        assert isinstance(changes, ChangesScreen)
        await settle(pilot, lambda: changes.answer is not None and len(changes.rows.rows) > 1)
        before = words(changes)
        assert "AmazonEKSBlockStoragePolicyV2" in before
        await pilot.press("slash", *"storagepolicyv2", "enter")
        lines = words(changes).splitlines()
        assert lines
        assert all("StoragePolicyV2" in line for line in lines)
        await pilot.press("escape")
        assert words(changes) == before

    travel(journey)


def test_of_what_changed_that_is_shown_which_the_account_has(lasting_rig: Rig) -> None:
    lasting_rig.reset(0)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        snapshot = explorer.account.snapshot
        assert snapshot is not None
        await pilot.press("f")
        await settle(pilot, lambda: shows(app, ChangesScreen))
        changes = app.screen
        assert isinstance(changes, ChangesScreen)

        def policies() -> set[str]:
            return {row.value.policy for row in changes.rows.rows if isinstance(row.value, FeedStep)}

        await pilot.press("p", "p")
        await settle(pilot, lambda: "AmazonEKSBlockStoragePolicyV2" in policies())
        await pilot.press("v")
        await settle(pilot, lambda: bool(policies()) and "AmazonEKSBlockStoragePolicyV2" not in policies())
        names = policies()
        entities: tuple[Role | User | Group, ...] = (*snapshot.roles, *snapshot.users, *snapshot.groups)
        attached_names = {policy.arn.rpartition("/")[2] for entity in entities for policy in entity.attached}
        assert "AmazonEKS_CNI_Policy" in names
        assert names <= attached_names
        # The details say how many have the policy attached.
        assert changes.rows.move_to(("AmazonEKS_CNI_Policy", 6))
        carriers = sum(
            policy.arn == "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
            for entity in entities
            for policy in entity.attached
        )
        line = changes.query_one(LineBar)
        await settle(pilot, lambda: f"attached to {carriers} in the account" in str(line.render()))

    travel(journey)


def test_a_verdict_has_the_lines_that_it_needs() -> None:
    """It once kept the height of the verdict before it, so that the condition that was lost could not be read."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        role = "AmazonEKSServiceRolePolicy"
        screen = CompareScreen(PolicyAt(role, 26), PolicyAt(role, 27))
        app.push_screen(screen)

        def compares(before: int) -> bool:
            return screen.answer is not None and screen.answer.before.label.endswith(f"v{before}")

        def is_high(lines: int) -> bool:
            return screen.query_one("#verdict", HeaderBar).size.height == lines

        await settle(pilot, partial(compares, 26))
        await pilot.press("v")
        # At this width that from v23 to v24 takes four lines and the one after it three.
        for older, lines in ((25, 3), (24, 3), (23, 4)):
            await pilot.press("left_square_bracket")
            await settle(pilot, partial(compares, older))
            await settle(pilot, partial(is_high, lines))

    travel(journey, (64, 24))


def test_a_verdict_that_is_too_long_ends_with_a_sign() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        screen = CompareScreen(PolicyAt("AmazonEKSBlockStoragePolicy", 1), PolicyAt("AmazonEBSCSIDriverPolicyV2", 1))
        app.push_screen(screen)
        await settle(pilot, lambda: screen.answer is not None)
        await pilot.press("v")
        bar = screen.query_one("#verdict", HeaderBar)
        await settle(pilot, lambda: bar.size.height == 4)
        assert "".join(piece.text for piece in bar.render_line(3)).rstrip().endswith("…")

    travel(journey, (80, 24))


def test_a_reason_stands_in_a_row_only_where_it_can_be_read() -> None:
    texts = (
        "2026-08-21",
        "AmazonEKSServiceRolePolicy",
        "v26→v27",
        "widened",
        "+1 −0 ~0",
        "Trunk interfaces can be read.",
    )
    row = Row("step", tuple(map(styled, texts)))
    assert [len(columns_of_steps([row], width)) for width in (57, 77, 118)] == [5, 5, 6]
    assert columns_of_steps([row], 77)[1].width == len("AmazonEKSServiceRolePolicy")


def test_the_map_limits_the_list_to_a_direction_and_a_cell_and_esc_shows_all_again() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("f")
        await settle(pilot, lambda: shows(app, ChangesScreen))
        changes = app.screen
        assert isinstance(changes, ChangesScreen)
        await settle(pilot, lambda: changes.answer is not None)
        await pilot.press("p", "p")

        def steps() -> list[FeedStep]:
            return [row.value for row in changes.rows.rows if isinstance(row.value, FeedStep)]

        await settle(pilot, lambda: changes.answer is not None and len(steps()) > 20)
        all_steps = steps()
        await pilot.press("O")
        assert {step.change.reach for step in steps()} == {"widened"}
        # The line above the map says so too: at 80 columns the header is cut before it.
        assert words(changes).startswith("a year · only wider ")
        # The first row of the map is the policy that changed most; the quarter is chosen with the arrows.
        await pilot.press("g")
        busiest = changes.rows.value
        assert isinstance(busiest, MapPlace)
        # Back to the last quarter in which something of it became wider.
        quarters = [quarter_of(step.created) for step in steps() if step.policy == busiest.policy and step.created]
        while changes.quarter != max(quarters):
            await pilot.press("left")
        await pilot.press("enter")
        assert {step.policy for step in steps()} == {busiest.policy}
        assert len({quarter_of(step.created) for step in steps() if step.created}) == 1
        await pilot.press("escape", "escape")
        assert steps() == all_steps
        assert shows(app, ChangesScreen)

    travel(journey)
