"""Pods in the app: those of a role, by name, and read by kubectl while every key works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

import pytest
from textual.pilot import Pilot

from ekstui.eks.cluster import Cluster
from ekstui.eks.pods import Container, KubernetesFacts, KubernetesServiceAccount, Pod
from ekstui.errors import AccountError, AmbiguousError
from ekstui.library import AccountChoice, Library
from ekstui.sources import kubectl
from ekstui.tui.app import EkstuiApp
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.palette_screen import PaletteScreen
from ekstui.tui.screens.pod_screen import PodScreen
from ekstui.tui.screens.role_screen import RoleScreen
from ekstui.tui.widgets.bars import LineBar
from ekstui.tui.widgets.rows import RowList
from ekstui.waiting import Cancelled, never
from tests.rig.rig import Rig
from tests.support.patience import PATIENCE
from tests.tui.journeys import explorer_of, settle, shows, travel, type_in, words

READ_AT = datetime(2026, 12, 1, tzinfo=UTC)


def test_a_role_s_pods_are_counted_listed_and_opened() -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: explorer_of(app).account.snapshot is not None)
        app.push_screen(RoleScreen("prod-payments"))
        await settle(pilot, lambda: shows(app, RoleScreen) and "Pods: 12 have its credentials" in words(app.screen))
        assert "payments/checkout-" not in words(app.screen)
        rows = app.screen.query_one(RowList)
        await pilot.press("G")
        while "deployment/checkout" not in words_at(rows):
            await pilot.press("up")
        await pilot.press("enter")
        await settle(pilot, lambda: "checkout-" in words(app.screen))
        await pilot.press("down", "enter")
        await settle(pilot, lambda: shows(app, PodScreen))
        await settle(pilot, lambda: "uses role prod-payments by IRSA" in words(app.screen).splitlines()[0])
        # From the pod to its role.
        while "role prod-payments by IRSA" not in words_at(app.screen.query_one(RowList)):
            await pilot.press("down")
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, RoleScreen))

    travel(journey, library=Library.open(AccountChoice(demo=True, offline=True)))


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("shop/web", "shop/deployment/web has no role of its own"),
        ("orders/sa/api", "orders/deployment/api has no role of its own"),
        ("pod checkout", "payments/deployment/checkout uses role prod-payments"),
    ],
)
def test_pods_are_found_by_name(query: str, first: str) -> None:
    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        await settle(pilot, lambda: explorer_of(app).account.snapshot is not None)
        await pilot.press(":")
        await settle(pilot, lambda: shows(app, PaletteScreen))
        await type_in(pilot, query)
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, PodScreen) and words(app.screen).startswith(first))

    travel(journey, library=Library.open(AccountChoice(demo=True, offline=True)))


def test_kubernetes_is_read_while_every_key_works(
    lasting_rig: Rig, monkeypatch: pytest.MonkeyPatch, toasts: list[str]
) -> None:
    lasting_rig.reset(0)
    release, start = Event(), Event()
    answers: list[Exception | None] = [AccountError("kubectl is not installed."), None]

    def context_for(_cluster: Cluster, name: str | None, _cancelled: Cancelled = never) -> str:
        if (error := answers[0]) is not None:
            raise error
        if name is None:
            raise AmbiguousError("2 contexts lead to cluster prod: one and two.", ("one", "two"))
        return name

    def read_by_kubectl(
        context: str,
        _read_at: datetime,
        _namespace: str | None,
        progress: Callable[[str], object],
        cancelled: Cancelled,
    ) -> KubernetesFacts:
        progress(f"500 pods of {context}")
        start.set()
        while not (release.wait(0.01) or cancelled()):
            pass
        pod = Pod("shop", "web-1", "web", "n", READ_AT, "Running", "Deployment", "web", (Container("web", "x", "1"),))
        account = KubernetesServiceAccount("shop", "web", misspelt=("eks.amazonaws.com/role_arn",))
        return KubernetesFacts(READ_AT, (pod,), (account,), (), ("pods", "service accounts"))

    monkeypatch.setattr(kubectl, "context_for", context_for)
    monkeypatch.setattr(kubectl, "read_by_kubectl", read_by_kubectl)

    async def journey(pilot: Pilot[None], app: EkstuiApp) -> None:
        explorer = explorer_of(app)
        await settle(pilot, lambda: explorer.account.snapshot is not None and not explorer.account.asking)
        app.push_screen(ClusterScreen("prod", "eu-central-1"))
        await settle(pilot, lambda: "problem" in words(app.screen))
        screen = app.screen
        rows, line = screen.query_one(RowList), screen.query_one(LineBar)
        await pilot.press("K")
        await settle(pilot, lambda: any("kubectl is not installed" in toast for toast in toasts))
        answers.pop(0)
        await pilot.press("K")
        await settle(pilot, lambda: shows(app, ChooserScreen) and "two" in words(app.screen))
        await type_in(pilot, "two")
        await pilot.press("enter")
        await settle(pilot, lambda: shows(app, ClusterScreen) and "500 pods of two" in str(line.render()))
        # The reading goes on, and the cursor moves.
        before = rows.current
        await pilot.press("down")
        await settle(pilot, lambda: rows.current is not before and not release.is_set())
        await pilot.press("escape")
        await settle(pilot, lambda: "500 pods" not in str(line.render()))
        assert shows(app, ClusterScreen)
        assert "annotation that EKS does not read" not in words(app.screen)
        start.clear()
        await pilot.press("K")
        await settle(pilot, lambda: shows(app, ChooserScreen))
        await pilot.press("enter")
        assert start.wait(PATIENCE)
        release.set()
        await settle(pilot, lambda: "annotation that EKS does not read" in words(app.screen))
        assert any("1 pod" in row and "shop/sa/web" in row for row in words(app.screen).splitlines())
        # Everything else knows it too.
        snapshot = explorer.account.snapshot
        assert snapshot is not None
        assert snapshot.eks is not None
        assert any(cluster.kubernetes is not None for cluster in snapshot.eks.clusters)

    travel(journey)


def words_at(rows: RowList) -> str:
    """The words of the row under the cursor."""
    row = rows.current
    return "" if row is None else " ".join("".join(text for text, _ in cell) for cell in row.cells)
