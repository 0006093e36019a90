"""Controllers in the app: from a change between two releases to what the controller's role lacks."""

import pytest
from textual.pilot import Pilot

from ekstui.sources.controllers import components
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from tests.rig.documents import trusting_pods
from tests.rig.rig import Rig
from tests.tui.journeys import settle, shows, travel, type_in, words


@pytest.fixture
def with_copy(rig: Rig) -> Rig:
    """The rig with a role that has a copy of Karpenter's v1.8.0 policy."""
    rig.reset(0)
    version = components()["karpenter"].at("v1.8.0")
    assert version
    values = {"ClusterName": "prod", "AWS::AccountId": rig.account.builder.account_id, "AWS::Region": "eu-central-1"}
    policy = rig.account.builder.policy("our-karpenter", version.json(version.named(values)))
    rig.account.builder.role("a-karpenter", trusting_pods(), policy.arn)
    return rig


def test_from_a_name_to_what_my_role_lacks_in_ten_keys(with_copy: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen_stack[0]
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        keys = 0

        async def press(*pressed: str) -> None:
            nonlocal keys
            keys += len(pressed)
            await pilot.press(*pressed)

        await press("colon")
        await type_in(pilot, "karpenter")
        await settle(pilot, lambda: words(app.screen).startswith("karpenter"))
        await press("enter")
        await settle(pilot, lambda: explorer.shown is not None and explorer.shown.entry.policy.name == "karpenter")
        await settle(pilot, lambda: len(explorer.versions.steps) == len(components()["karpenter"].versions))
        await press("3", "down", "enter")
        await settle(pilot, lambda: shows(app, CompareScreen) and "DescribeInstanceStatus" in words(app.screen))
        await press("escape", "4")
        await settle(pilot, lambda: "a-karpenter" in words(explorer))
        await press("enter")
        await settle(pilot, lambda: shows(app, CompareScreen) and "Only in karpenter" in words(app.screen))
        assert "ClusterName=prod" in words(app.screen)
        assert keys <= 10

    assert with_copy.url
    travel(journey)
