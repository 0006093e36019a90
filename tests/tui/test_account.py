"""The account in the app: its identity, switching profiles, and MFA codes."""

import re
from pathlib import Path

from textual.dom import DOMNode
from textual.pilot import Pilot
from textual.widget import Widget

from ekstui.library import AccountChoice, Library
from ekstui.library.copies import CopyAnswer
from ekstui.library.notation import RoleSide
from ekstui.library.syncing import sync
from ekstui.tui.app import EkstuiApp
from ekstui.tui.messages import Open, SwitchAccount
from ekstui.tui.screens.account_screen import AccountScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.dialogs import MfaScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.rows import RowList
from tests.rig.isolation import access_key
from tests.rig.rig import Rig
from tests.support.bundled import POLICIES, newest
from tests.tui.journeys import explorer_of, settle, shows, travel, type_in, words

PROFILES = f"""
[profile other]
aws_access_key_id = {access_key("222233334444")}
aws_secret_access_key = not-a-secret
[profile guarded]
role_arn = arn:aws:iam::123456789012:role/prod-node
source_profile = other
mfa_serial = arn:aws:iam::222233334444:mfa/ana
"""


def _with_profiles(home: Path) -> None:
    (home / ".aws").mkdir(exist_ok=True)
    (home / ".aws" / "config").write_text(PROFILES)


def test_another_profile_takes_nothing_of_the_account_before_along(rig: Rig, own_home: Path) -> None:
    rig.reset(0)
    _with_profiles(own_home)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(
            pilot, lambda: explorer_of(app).account.snapshot is not None and not explorer_of(app).account.asking
        )
        await pilot.press("a")
        await settle(pilot, lambda: "account: 123456789012" in words(app.screen))
        assert "credentials: env" in words(app.screen)
        assert f"endpoint: {rig.url}" in words(app.screen)
        screen = app.screen
        assert isinstance(screen, AccountScreen)
        screen.rows.move_to(next(row.key for row in screen.rows.rows if "other" in str(row.value)))
        await pilot.press("enter")
        await settle(pilot, lambda: app.library.choice is not None and app.library.choice.profile == "other")
        # Nothing of the first account is left on any screen.
        assert "123456789012" not in words(app.screen)
        snapshot = explorer_of(app).account.snapshot
        assert snapshot is None or snapshot.identity.account == "222233334444"
        await settle(pilot, lambda: "profile: other" in words(app.screen))
        assert "account: 222233334444" in words(app.screen)

    travel(journey)


def test_the_policies_are_those_of_the_account_s_partition(rig: Rig) -> None:
    rig.reset(0, partition="aws-cn")
    catalogue = rig.world.catalogue("aws-cn")
    for name in catalogue.names()[60:]:
        catalogue.withdraw(name)
    library = Library.open(AccountChoice(regions=(rig.account.home,)))
    assert sync(library).partition == "aws-cn"

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await settle(
            pilot, lambda: explorer.policy_view is not None and explorer.policy_view.entry.policy.partition == "aws-cn"
        )
        assert app.library.data().partition == "aws-cn"
        await pilot.press("s")
        await settle(pilot, lambda: len(explorer.policies.rows.rows) == 60)
        # An account in another partition has that partition's policies.
        rig.reset(0)
        app.post_message(SwitchAccount(AccountChoice(regions=(rig.account.home,))))
        await settle(
            pilot, lambda: explorer.policy_view is not None and explorer.policy_view.entry.policy.partition == "aws"
        )
        assert len(explorer.policies.rows.rows) == POLICIES

    travel(journey, library=library)


def test_a_copy_is_compared_with_what_its_original_is_today(rig: Rig) -> None:
    rig.reset(0)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(
            pilot, lambda: explorer_of(app).account.snapshot is not None and not explorer_of(app).account.asking
        )
        await pilot.press("a")
        await settle(pilot, lambda: "acme-eks-control-plane is" in words(app.screen))
        screen = app.screen
        assert isinstance(screen, AccountScreen)
        # The cursor starts on the first choice.
        await settle(
            pilot, lambda: screen.rows.current is not None and isinstance(screen.rows.current.value, AccountChoice)
        )
        arn = "arn:aws:iam::123456789012:policy/acme-eks-control-plane"
        (row,) = [
            row for row in screen.rows.rows if isinstance(row.value, CopyAnswer) and row.value.copy.local.arn == arn
        ]
        assert isinstance(row.value, CopyAnswer)
        for key in ("d", "enter"):
            screen.rows.move_to(row.key)
            await pilot.press(key)
            await settle(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.answer is not None)
            assert isinstance(app.screen, CompareScreen)
            comparison = app.screen.answer
            assert comparison is not None
            assert comparison.before.label == "acme-eks-control-plane@v1 (the account's own)"
            assert comparison.before.document == row.value.copy.local.document
            assert comparison.after.label == f"AmazonEKSClusterPolicy@v{newest('AmazonEKSClusterPolicy')}"
            # As AWS's history has it, v8 to v10 added this to the v7 that was copied.
            await settle(pilot, lambda: "ec2:DeleteNetworkInterface" in words(app.screen))
            await pilot.press("escape")

    travel(journey)


def test_a_code_is_asked_for_only_when_the_user_asks_for_the_account(rig: Rig, own_home: Path) -> None:
    rig.reset(0)
    _with_profiles(own_home)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.library = app.library.with_account(AccountChoice(profile="guarded", mfa_prompt=app.mfa))
        # What the app asked of the library before, if it has begun, is of no account any more.
        explorer_of(app).ask_account(ask=False)
        await settle(pilot, lambda: explorer_of(app).account.error is not None)
        assert not isinstance(app.screen, MfaScreen)
        await pilot.press("4")
        assert "r asks" in words(app.screen)
        await pilot.press("r")
        await settle(pilot, lambda: isinstance(app.screen, MfaScreen))
        await pilot.press("escape")
        await settle(pilot, lambda: "No MFA code was entered." in words(app.screen))
        await pilot.press("r")
        await settle(pilot, lambda: isinstance(app.screen, MfaScreen))
        await type_in(pilot, "123456")
        assert "123456" not in app.export_screenshot()
        await pilot.press("enter")
        await settle(pilot, lambda: explorer_of(app).account.snapshot is not None)

    travel(journey, library=Library.open(AccountChoice(profile="guarded")))


def test_what_is_asked_for_at_once_is_not_replaced_by_what_the_app_does_by_itself(rig: Rig) -> None:
    rig.reset(0)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(
            pilot, lambda: explorer_of(app).account.snapshot is not None and not explorer_of(app).account.asking
        )

    async def at_once(pilot: Pilot[None], app: EkstuiApp) -> None:
        await pilot.press("r")
        await settle(pilot, lambda: app.library.data().synced_at is not None)
        await settle(pilot, lambda: not explorer_of(app).account.asking)
        # r refreshes even a new snapshot.
        assert "GetAccountAuthorizationDetails" in [call.action for call in rig.proxy.calls]

    travel(journey)
    rig.proxy.clear()
    travel(at_once)


def test_a_refresh_that_may_not_read_iam_leaves_the_roles_that_are_known(rig: Rig) -> None:
    rig.reset(0)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        snapshot = explorer.account.snapshot
        assert snapshot is not None
        assert snapshot.complete
        try:
            rig.proxy.fail("denied", "iam", "GetAccountAuthorizationDetails")
            explorer.ask_account(ask=True)
            await settle(pilot, lambda: explorer.account.error is not None and not explorer.account.asking)
        finally:
            rig.proxy.clear()
        assert explorer.account.snapshot == snapshot
        assert "GetAccountAuthorizationDetails" in str(explorer.account.error)
        assert app.library.account.last_snapshot() == snapshot

    travel(journey)


def test_a_role_says_which_action_its_copy_lacks_and_d_compares_the_copy() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: app.explorer.account.snapshot is not None)
        app.post_message(Open(RoleSide("legacy-node-NodeInstanceRole-1ABCDEFGHIJK")))
        await settle(
            pilot,
            lambda: (
                shows(app, RoleScreen)
                and re.search(r"added\s+\([^)]*ec2:DescribeSecurityGroups", words(app.screen)) is not None
            ),
        )
        rows = app.screen.query_one(RowList)
        copy_arn = "arn:aws:iam::111122223333:policy/platform/AmazonEKS_CNI_Policy"
        for key in (("policy", copy_arn), ("copy", 0)):
            assert rows.move_to(key)
            await pilot.press("d")
            await settle(pilot, lambda: isinstance(app.screen, CompareScreen) and app.screen.answer is not None)
            assert isinstance(app.screen, CompareScreen)
            assert app.screen.answer is not None
            assert "the account's own" in app.screen.answer.before.label
            assert "DescribeSecurityGroups" in words(app.screen)
            await pilot.press("escape")
            await settle(pilot, lambda: shows(app, RoleScreen))

    travel(journey, library=Library.open(AccountChoice(demo=True)))


def test_what_is_heard_of_the_account_while_the_app_ends_is_shown_nowhere() -> None:
    """Screens lose what they consist of one after the other, and the first was told last: quitting ended in a traceback."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await settle(pilot, lambda: explorer.account.snapshot is not None)
        await pilot.press("a")
        screen = app.screen
        assert isinstance(screen, AccountScreen)
        await settle(pilot, lambda: screen.answer is not None)
        prune = app._prune

        async def hear_then(*nodes: Widget, parent: DOMNode | None = None) -> None:
            await prune(*nodes, parent=parent)
            pruned_nodes.append(nodes)
            explorer.account = explorer.account._replace(asking="IAM")

        app._prune = hear_then  # type: ignore[assignment, method-assign]

    pruned_nodes: list[tuple[Widget, ...]] = []
    travel(journey, library=Library.open(AccountChoice(demo=True)))
    assert pruned_nodes
