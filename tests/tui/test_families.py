"""Controllers in the app: from a change between two releases to what the controller's role lacks."""

import re

import pytest
from textual.pilot import Pilot
from textual.widget import Widget

from ekstui.change.policy import ReleaseNumber, version_label, version_words
from ekstui.library import AccountChoice, Library
from ekstui.library.find_anything import catalogue
from ekstui.present.change_lists import pane_rows
from ekstui.present.styled import plain
from ekstui.sources.shipped import components
from ekstui.tui.app import EkstuiApp
from ekstui.tui.messages import PolicyView
from ekstui.tui.screens.card_screens import CardScreen
from ekstui.tui.screens.compare_screen import CompareScreen
from ekstui.tui.screens.copying import version_exports
from ekstui.tui.screens.explorer_screen import ExplorerScreen
from ekstui.tui.screens.found_things import policy_view_of
from ekstui.tui.screens.matrix_screen import MatrixScreen
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


def words_on(screen: Widget) -> str:
    return " ".join(words(screen).split())


def test_access_policies_are_listed_shown_marked_and_compared() -> None:
    """Verbs and resources are those of the tables in the EKS User Guide."""

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen_stack[0]
        assert isinstance(explorer, ExplorerScreen)

        async def go_to(name: str) -> None:
            await pilot.press("slash")
            await type_in(pilot, name)
            await pilot.press("enter")
            await settle(
                pilot, lambda: explorer.policy_view is not None and explorer.policy_view.entry.policy.name == name
            )

        await pilot.press(*"sss")
        assert len(explorer.policies.entries) == 39
        await go_to("AmazonEKSSecretReaderPolicy")
        await settle(pilot, lambda: "core secrets get, list, watch" in words_on(explorer.permissions))
        assert "no versions" in words(explorer.versions)
        await pilot.press("space", "t")
        assert not isinstance(app.screen, MatrixScreen)
        await pilot.press("escape", "u")
        for name in ("AmazonEKSViewPolicy", "AmazonEKSEditPolicy"):
            await go_to(name)
            await pilot.press("space")
        await pilot.press("d")
        await settle(pilot, lambda: shows(app, CardScreen) and "+ pods/exec core create" in words_on(app.screen))
        assert isinstance(app.screen, CardScreen)
        assert "AmazonEKSViewPolicy with AmazonEKSEditPolicy" in plain(app.screen.question())
        # With an IAM policy, even one of the same name, there is nothing to compare.
        await pilot.press("escape")
        assert shows(app, ExplorerScreen)
        await pilot.press("u", "s")
        await go_to("AmazonEKSComputePolicy")
        entries = [entry for entry in explorer.policies.entries if entry.policy.name == "AmazonEKSComputePolicy"]
        assert [bool(entry.access) for entry in entries] == [False, True]
        await pilot.press("space", "j", "space", "d")
        await pilot.pause()
        assert shows(app, ExplorerScreen)

    travel(journey)


def test_from_a_name_to_what_my_role_lacks_in_ten_keys(with_copy: Rig) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = app.screen_stack[0]
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        keys = 0

        async def press(*keystrokes: str) -> None:
            nonlocal keys
            keys += len(keystrokes)
            await pilot.press(*keystrokes)

        await press("colon")
        await type_in(pilot, "karpenter")
        await settle(pilot, lambda: words(app.screen).startswith("karpenter"))
        await press("enter")
        await settle(
            pilot, lambda: explorer.policy_view is not None and explorer.policy_view.entry.policy.name == "karpenter"
        )
        await settle(pilot, lambda: len(explorer.versions.steps) == len(components()["karpenter"].versions))
        await press("3", "down", "enter")
        await settle(pilot, lambda: shows(app, CompareScreen) and "DescribeInstanceStatus" in words(app.screen))
        await press("escape", "4")
        await settle(pilot, lambda: "a-karpenter" in words(explorer))
        await press("enter")
        await settle(pilot, lambda: shows(app, CompareScreen) and "Action" in words(app.screen))
        # What karpenter has and the role has not.
        assert any(re.search("– +(✓|if .*)$", line) for line in words(app.screen).splitlines())
        assert "ClusterName=prod" in words(app.screen)
        assert keys <= 10

    assert with_copy.url
    travel(journey)


def test_a_controllers_policy_is_saved_with_the_parameters_of_a_cluster() -> None:
    library = Library.open(AccountChoice(demo=True))
    snapshot = library.account.last_snapshot_or_error()
    entry = library.find("karpenter")
    exports = version_exports(PolicyView(entry, entry.policy.default_version), library, snapshot)
    export_by_label = {export.label: export for export in exports}
    for cluster in snapshot.eks.clusters if snapshot.eks else ():
        export = export_by_label[f"JSON for {cluster.name}"]
        text = export.text()
        assert f"cluster/{cluster.name}" in text
        assert f"arn:aws:iam::{snapshot.identity.account}:role/KarpenterNodeRole-{cluster.name}" in text
        assert cluster.region in text
        assert "${" not in text
        assert export.private
        assert cluster.name in export.about
    assert "${ClusterName}" in export_by_label["JSON"].text()
    cni = library.find("AmazonEKS_CNI_Policy")
    plain_labels = [export.label for export in version_exports(PolicyView(cni, 6), library, snapshot)]
    assert plain_labels == ["JSON", "Markdown", "Terraform", "CloudFormation"]


def test_a_release_is_called_by_the_name_that_was_asked_for() -> None:
    policy = Library.open().find("karpenter").policy
    first = next(info for info in policy.versions if info.through not in (None, version_label(info.number)))
    assert version_words(policy, first.number) == version_label(first.number)
    last = ReleaseNumber(first.number, str(first.through))
    assert version_words(policy, last) == f"{first.through}, unchanged since {version_label(first.number)}"
    newest, *other_rows = pane_rows(policy, Library.open().timeline(policy), {})
    assert plain(newest.cells[3]).endswith(f"newest, unchanged to {policy.versions[-1].through}")
    assert not any("in force" in plain(row.cells[-1]) for row in (newest, *other_rows))


def test_a_release_is_opened_by_the_name_that_was_typed() -> None:
    things = catalogue(Library.open(AccountChoice(demo=True))).find("karpenter@1.8")
    place = policy_view_of(things[0])
    assert place is not None
    assert version_words(place.entry.policy, place.version) == "v1.8.0, unchanged since v1.7.0"
