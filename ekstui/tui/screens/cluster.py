"""A cluster for the first thirty seconds of an incident."""

from collections.abc import Callable
from datetime import UTC, datetime

from textual import on

from ekstui.core.text import clean_line
from ekstui.core.words import age_in_words
from ekstui.library import ClusterAnswer, ClusterRole, RecentChange
from ekstui.library.clusters import cluster_answer
from ekstui.present.cluster import cluster_blocks
from ekstui.present.rows import Row, rows
from ekstui.present.styled import Styled
from ekstui.present.words import error_notes
from ekstui.tui import keys
from ekstui.tui.keys import bindings
from ekstui.tui.screens.cluster_map import ClusterMapScreen
from ekstui.tui.screens.report import ReportScreen
from ekstui.tui.screens.role import RoleScreen
from ekstui.tui.shown import Shown
from ekstui.tui.widgets.rows import RowList


class ClusterScreen(ReportScreen):
    """What EKS reports, what AWS changed lately, and each role with what it needs and carries."""

    KEYS = (
        keys.OPEN.here("Show the role under the cursor, or the policy that changed."),
        keys.VIEW.here("Go to the next view: the cluster as a tree of how roles are used, the roles, their policies.", "as a tree"),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WAITING = "reading the cluster…"

    def __init__(self, name: str, region: str | None) -> None:
        super().__init__()
        self._cluster = name
        self._region = region

    def question(self) -> Styled:
        """Return the cluster, its region, and how old the answer is."""
        answer = self._answer
        when = f" · {age_in_words(answer.fetched_at, datetime.now(UTC))}" if isinstance(answer, ClusterAnswer) else ""
        partly = " · incomplete" if isinstance(answer, ClusterAnswer) and not answer.complete else ""
        region = f" in {self._region}" if self._region else ""
        return (("cluster ", ""), (clean_line(self._cluster), "strong"), (f"{region}{when}", "muted"), (partly, "warn"))

    def ask(self) -> Callable[[], object]:
        """Return the question for the cluster of the last snapshot."""
        library, name, region = self.app.library, self._cluster, self._region
        return lambda: cluster_answer(library, name, region)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the cluster as rows."""
        if not isinstance(answer, ClusterAnswer):
            return []
        blocks = cluster_blocks(answer, self.app.library.data().newest, datetime.now(UTC))
        return rows([*blocks, *error_notes(answer.errors)], self.width)

    def action_view(self) -> None:
        """Show the cluster as a tree."""
        answer = self._answer if isinstance(self._answer, ClusterAnswer) else None
        self.app.switch_screen(ClusterMapScreen(self._cluster, self._region, answer))

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        if isinstance(value, ClusterRole) and value.subject is not None:
            self.app.push_screen(RoleScreen(value.arn))
        elif isinstance(value, RecentChange):
            self.app.go_to(Shown(self.app.library.find(value.policy), value.version))
