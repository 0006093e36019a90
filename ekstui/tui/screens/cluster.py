"""A cluster for the first thirty seconds of an incident."""

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime

from textual import on

from ekstui.core.eks import HealthIssue
from ekstui.core.text import age_in_words, clean_line
from ekstui.library import ClusterAnswer, ClusterRole, RecentChange
from ekstui.library.clusters import cluster_answer
from ekstui.present.cluster import Work, cluster_blocks
from ekstui.present.rendering import markdown, rows
from ekstui.present.styled import Row, Styled
from ekstui.present.words import error_notes
from ekstui.tui import keys
from ekstui.tui.copying import Copyable
from ekstui.tui.keys import bindings
from ekstui.tui.screens.cluster_map import ClusterMapScreen
from ekstui.tui.screens.outgoing import Export
from ekstui.tui.screens.report import AccountReportScreen
from ekstui.tui.screens.role import RoleScreen
from ekstui.tui.shown import Shown, Sought
from ekstui.tui.widgets.rows import RowList


class ClusterScreen(AccountReportScreen):
    """What EKS reports, what AWS changed lately, and each role with what it needs and carries."""

    KEYS = (
        keys.OPEN.here("Unfold what is wrong to its evidence and what would mend it; show a role, or a policy that changed."),
        keys.NEXT.here("Go to the next problem."),
        keys.COPY.here("Copy the command that mends what the cursor is on, or anything else that is shown."),
        keys.VIEW.here("Go to the next view: the cluster as a tree of how roles are used, the roles, their policies.", "as a tree"),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WAITING = "reading the cluster…"

    def __init__(self, name: str, region: str | None) -> None:
        super().__init__()
        self._cluster = name
        self._region = region
        self._opened: set[Hashable] = set()

    def question(self) -> Styled:
        """Return the cluster, its region, and how old the answer is."""
        answer = self._answer
        when = f" · {age_in_words(answer.fetched_at, datetime.now(UTC))}" if isinstance(answer, ClusterAnswer) else ""
        partly = " · incomplete" if isinstance(answer, ClusterAnswer) and not answer.complete else ""
        region = f" in {self._region}" if self._region else ""
        return (("cluster ", ""), (clean_line(self._cluster), "strong"), (f"{region}{when}", "muted"), (partly, "warn"))

    @property
    def sought(self) -> Sought | None:
        """What finds this screen again."""
        return Sought(self._cluster, of_account=True)

    @property
    def read_at(self) -> datetime | None:
        """When the account was read."""
        return self._answer.fetched_at if isinstance(self._answer, ClusterAnswer) else None

    def ask(self) -> Callable[[], object]:
        """Return the question for the cluster of the last snapshot."""
        library, name, region = self.app.library, self._cluster, self._region
        return lambda: cluster_answer(library, name, region)

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the cluster as rows."""
        if not isinstance(answer, ClusterAnswer):
            return []
        blocks = cluster_blocks(answer, self.app.library.data().newest, datetime.now(UTC), self._opened)
        found = rows([*blocks, *error_notes(answer.errors)], self.width)
        # What is folded has one line: more of what is wrong is seen at a glance.
        cut = {above for row in found if (above := _above(row)) is not None and self._is_folded(above)}
        return [
            row._replace(cells=((*row.cells[0], ("…", "muted")),)) if row.key in cut else row
            for row in found
            if _above(row) not in cut
        ]

    def _is_folded(self, key: object) -> bool:
        return isinstance(key, tuple) and key[:1] in (("finding",), ("issue",)) and key not in self._opened

    def action_view(self) -> None:
        """Show the cluster as a tree."""
        answer = self._answer if isinstance(self._answer, ClusterAnswer) else None
        self.app.switch_screen(ClusterMapScreen(self._cluster, self._region, answer))

    def is_of_note(self, row: Row) -> bool:
        """Return whether `n` stops at a row: at what EKS reports, and at problems."""
        value = row.value
        return isinstance(value, HealthIssue) or (isinstance(value, Work) and value.finding.severity == "problem")

    def fold(self, row: Row | None, *, fold: bool) -> bool:
        """Fold or unfold what is wrong."""
        if row and isinstance(row.value, Work) and (row.key in self._opened) == fold:
            self._toggle(row)
        return True

    def _toggle(self, row: Row) -> None:
        self._opened ^= {row.key}
        self.show_answer()

    def copies(self) -> Sequence[Copyable]:
        """Return the command that mends what the cursor is on."""
        row = self.rows.current
        if row is None or not isinstance(row.value, Work) or not row.value.remedy:
            return ()
        remedy = row.value.remedy
        return (Copyable("command", remedy, lambda: remedy),)

    def exports(self) -> Sequence[Export]:
        """Return the whole cluster as Markdown, and what is shown as text."""
        answer, text = self._answer, super().exports()
        if not isinstance(answer, ClusterAnswer):
            return text
        known = self.app.library.data().newest
        whole = Copyable("Markdown", "", lambda: markdown(cluster_blocks(answer, known, datetime.now(UTC))))
        return (Export("Markdown", f"{answer.cluster.name}.md", whole), *text)

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        if isinstance(value, Work | HealthIssue) and event.row:
            self._toggle(event.row)
        elif isinstance(value, ClusterRole) and value.subject is not None:
            self.app.push_screen(RoleScreen(value.arn))
        elif isinstance(value, RecentChange):
            self.app.go_to(Shown(self.app.library.find(value.policy), value.version))


def _above(row: Row) -> Hashable | None:
    """Return the key of the row that a row goes on with; None where it is one of its own."""
    match row.key:
        case (above, "line", int()):
            return above
        case _:
            return None
