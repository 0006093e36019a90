"""A cluster as a list of what is wrong: from the table of clusters to the command on the clipboard."""

from textual.pilot import Pilot

from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.chooser import ChooserScreen
from ekstui.tui.screens.cluster import ClusterScreen
from ekstui.tui.screens.explorer import ExplorerScreen
from tests.rig.rig import Rig
from tests.tui.journeys import settle, shows, travel, type_in, words


def test_from_the_table_of_clusters_to_the_command_that_mends_a_problem(rig: Rig) -> None:
    rig.reset(0)
    sent: list[str] = []

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        app.copy_to_clipboard = sent.append  # type: ignore[assignment, method-assign]
        explorer = app.screen
        assert isinstance(explorer, ExplorerScreen)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        await pilot.press("c")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        # Problems and advice are counted behind the table, from what is known of the account.
        await settle(pilot, lambda: "…" not in words(app.screen))
        await type_in(pilot, "prod")
        assert len(words(app.screen).splitlines()) == 1
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, ClusterScreen) and "problem" in words(app.screen))
        # As the rig's account was made: the CloudWatch agent's role has no policy, EKS says that of the add-on too.
        assert words(app.screen).startswith("4 problems, ")
        assert "EKS reports 2" in words(app.screen)
        screen = app.screen
        assert isinstance(screen, ClusterScreen)
        while "prod-cloudwatch" not in str(screen.rows.current):
            await pilot.press("n")
        await pilot.press("enter")
        command = (
            "aws iam attach-role-policy --role-name prod-cloudwatch "
            "--policy-arn arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
        )
        await settle(pilot, lambda: command in words(app.screen).replace("\n", " "))
        await pilot.press("y", "enter")
        await settle(pilot, lambda: sent == [command])
        # What cannot be renewed stays, below the reason.
        rig.proxy.fail("denied", "sts", "GetCallerIdentity")
        await pilot.press("r")
        await settle(pilot, lambda: "What was known before" in words(app.screen))
        assert "4 problems, " in words(app.screen)

    travel(journey)
