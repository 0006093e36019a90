"""A cluster: what is wrong with it and its roles, and the tree of how its roles are used."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import Cluster
from ekstui.eks.commands import one_line
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.pods import PodPlace
from ekstui.errors import EkstuiError
from ekstui.export.texts import attachment_terraform
from ekstui.library import Library
from ekstui.library.cluster_answers import (
    ClusterAnswer,
    ClusterRole,
    CommonCause,
    RecentChange,
    cluster_answer,
    clusters,
)
from ekstui.library.lookup import Thing
from ekstui.library.notation import PolicyAt, RoleSide
from ekstui.library.upgrading import upgrade
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import Fold, error_notes, none_known
from ekstui.present.cluster_map import Path, branches_of, map_blocks, paths_of
from ekstui.present.cluster_report import JUDGED_COLUMNS, UNREAD_ROLE, about_line, cluster_blocks, judged_cells
from ekstui.present.rendering import markdown, rows, styled_line
from ekstui.present.styled import Row, Styled
from ekstui.present.upgrade_report import upgrade_blocks
from ekstui.tui import keys
from ekstui.tui.base import LibraryApp
from ekstui.tui.messages import Bookmark, Open
from ekstui.tui.screens.card_screens import CardScreen
from ekstui.tui.screens.copying import Extract, copyable
from ekstui.tui.screens.dialogs import ChooserScreen
from ekstui.tui.screens.kubernetes_reading import KubernetesScreen
from ekstui.tui.screens.report import question_line
from ekstui.tui.widgets.pane import rows_with


class ClusterReportScreen(KubernetesScreen[ClusterAnswer]):
    """A report about one cluster of the last snapshot."""

    WAITING = "reading the cluster…"
    WORD = "cluster"
    """The word before the cluster's name in the header."""

    def __init__(self, name: str, region: str | None) -> None:
        super().__init__()
        self._cluster = name
        self._region = region

    def question(self) -> Styled:
        answer = self.answer
        region = f" in {self._region}" if self._region else ""
        when = f" · {age_in_words(answer.fetched_at, datetime.now(UTC))}" if answer else ""
        if answer:
            read_at = answer.kubernetes_read_at
            when += f" · pods {age_in_words(read_at, datetime.now(UTC)) if read_at else 'not read'}"
        incomplete = " · incomplete" if answer and not answer.complete else ""
        return (*question_line(self.WORD, self._cluster, f"{region}{when}"), (incomplete, "warn"))

    @property
    def cluster_read(self) -> tuple[str, str | None]:
        return self._cluster, self._region

    @property
    def bookmark(self) -> Bookmark | None:
        return Bookmark(self._cluster, of_account=True)

    def find(self, library: Library) -> ClusterAnswer:
        return cluster_answer(library, self._cluster, self._region)

    def about_row(self, row: Row) -> Styled:
        """Return a problem and its fix, a role and what is wrong with it, or a policy and who has it."""
        return styled_line(about_line(row.value), "app")


class ClusterScreen(ClusterReportScreen):
    """What EKS reports, what AWS changed recently, and what each role has and needs."""

    HEADING = "Cluster"
    KEYS = (
        keys.OPEN.here("Unfold a problem to its evidence and its fix; or show a role, or a policy that changed."),
        keys.NEXT.here("Go to the next problem."),
        keys.COPY.here("Copy the command that fixes the problem under the cursor, or anything else that is shown."),
        keys.VIEW.here("Show the cluster as a tree: how roles are used, the roles, and their policies.", "as a tree"),
        keys.Key(
            "upgrade",
            "U",
            "upgrade",
            "upgrade",
            "Show which permissions the cluster's controllers need before an upgrade, and which can go afterwards.",
        ),
    )
    OPENS = (ClusterRole, RecentChange, PodPlace)
    STOP = "problem"

    def answer_rows(self, answer: ClusterAnswer) -> list[Row]:
        blocks = cluster_blocks(answer, self.app.library.data().newest, datetime.now(UTC), self.opened)
        return rows([*blocks, *error_notes(answer.errors)], self.width)

    def action_view(self) -> None:
        self.app.switch_screen(ClusterMapScreen(self._cluster, self._region, self.answer))

    def action_upgrade(self) -> None:
        """Show what the controllers need before an upgrade to their newest known releases."""
        library, name = self.app.library, self._cluster
        thing = Thing("cluster", name, "upgrade", value=name)
        blocks = lambda: upgrade_blocks(upgrade(library, name, {}, {}, {}))  # noqa: E731
        self.app.push_screen(CardScreen(thing, blocks, "upgrade"))

    def is_stop(self, row: Row) -> bool:
        """Return whether `n` stops at a row: at problems, those that EKS reports among them."""
        return isinstance(row.value, CommonCause) and row.value.severity == "problem"

    def fold_key(self, row: Row) -> Hashable:
        return row.key if isinstance(row.value, CommonCause | Fold) else None

    def copies(self) -> Sequence[Extract]:
        """Return what fixes the problem under the cursor, for each role: a command, and Terraform to attach."""
        cause = self.rows.value
        copies: list[Extract] = []
        for subject, finding in cause.cases if isinstance(cause, CommonCause) else ():
            if not finding.commands:
                continue
            copies.append(copyable("command", one_line(finding.commands)))
            if finding.commands[0].arguments[1:3] == ("iam", "attach-role-policy"):
                text = attachment_terraform(subject.name, finding.commands[0].arguments[-1])
                copies.append(copyable("Terraform", text, "the same as an aws_iam_role_policy_attachment"))
        return copies

    def forms(self, answer: ClusterAnswer) -> Sequence[Extract]:
        newest = self.app.library.data().newest
        name = f"{answer.cluster.name}.md"
        return (Extract("Markdown", name, lambda: markdown(cluster_blocks(answer, newest, datetime.now(UTC)))),)

    def open_row(self, row: Row) -> None:
        """Unfold or fold a problem, or show a role or a policy that changed."""
        match row.value:
            case ClusterRole(arn=arn, subject=subject) if subject is not None:
                self.post_message(Open(RoleSide(arn)))
            case RecentChange(policy=policy, version=version):
                self.post_message(Open(PolicyAt(policy, version)))
            case _:
                super().open_row(row)


_MAX_UNFOLDED = 12
"""A kind of use with more roles than this starts folded."""


class ClusterMapScreen(ClusterReportScreen):
    """A tree of uses, roles and policies; roles start folded, and a search unfolds its matches."""

    HEADING = "Cluster tree"
    SEARCH_FILTERS = True
    KEYS = (
        keys.OPEN.here("Show the role or policy under the cursor."),
        keys.Key("fold-all", "asterisk", "fold_all", "all", "Unfold everything, or fold it again."),
        keys.VIEW.here("Show the cluster as a list of problems.", "as a list"),
    )  # fmt: skip
    WORD = "map of"
    OPENS = (ClusterRole, RolePolicy)
    STOP = "role with a problem"

    def __init__(self, name: str, region: str | None, answer: ClusterAnswer | None = None) -> None:
        """Show `answer`, if given, until the user refreshes it."""
        super().__init__(name, region)
        self._first_answer = answer
        self._is_new = True
        """Whether nothing was unfolded yet."""

    def find(self, library: Library) -> ClusterAnswer:
        """Return the given answer the first time, then read the cluster from the last snapshot."""
        answer, self._first_answer = self._first_answer, None
        return answer or super().find(library)

    def answer_rows(self, answer: ClusterAnswer) -> list[Row]:
        """Return the tree as far as it is unfolded; with a search, the matches and their ancestors."""
        uses, roles = paths_of(answer)
        if self._is_new:
            self._is_new = False
            self.opened |= uses - {(branch.way,) for branch in branches_of(answer) if len(branch.roles) > _MAX_UNFOLDED}
        words = self._search_text.casefold().split()
        open_keys = uses | roles if words else (uses | roles) & self.opened
        blocks = map_blocks(answer, open_keys, datetime.now(UTC))
        if () in open_keys:
            blocks += error_notes(answer.errors)
        lines = rows(blocks, self.width)
        return _matching_rows(lines, words) if words else lines

    def is_stop(self, row: Row) -> bool:
        return isinstance(row.value, ClusterRole) and any(
            finding.severity == "problem" for finding in row.value.findings
        )

    def forms(self, answer: ClusterAnswer) -> Sequence[Extract]:
        return (Extract("Markdown", "cluster-map.md", lambda: markdown(map_blocks(answer, (), datetime.now(UTC)))),)

    def copies(self) -> Sequence[Extract]:
        forms = self.forms(self.answer) if self.answer else ()
        return [form._replace(about="the whole tree as a list") for form in forms]

    def fold_key(self, row: Row) -> Hashable:
        return row.key if self.answer and any(row.key in paths for paths in paths_of(self.answer)) else None

    def fold(self, row: Row, *, fold: bool) -> None:
        """Fold a row or go to its parent; unfold it or go to its first child."""
        if self.fold_key(row) is not None and (row.key in self.opened) == fold and not self._search_text:
            self.toggle(row.key)
        elif fold:
            self.rows.move_to(_parent(row))
        else:
            self.rows.move_to_next(1, lambda child: _parent(child) == row.key and child is not row)

    def action_view(self) -> None:
        self.app.switch_screen(ClusterScreen(self._cluster, self._region))

    def action_fold_all(self) -> None:
        """Unfold everything, or fold the roles again."""
        if self.answer:
            uses, roles = paths_of(self.answer)
            self.opened = {*uses, *(() if roles <= self.opened else roles)}
            self.show_answer()

    def open_row(self, row: Row) -> None:
        """Show a role or a policy of AWS's, or unfold or fold a kind of use."""
        value = row.value
        if isinstance(value, ClusterRole):
            if value.subject is None:
                self.notify(f"{UNREAD_ROLE.capitalize()}.")
            else:
                self.post_message(Open(RoleSide(value.arn)))
        elif isinstance(value, RolePolicy) and value.managed_by_aws:
            self.post_message(Open(PolicyAt(value.name, value.version)))
        elif isinstance(value, RolePolicy):
            version = f" {version_label(value.version)}" if value.version else ""
            self.notify(f"{value.name}{version} is the account's own; enter on its role, then v, shows what it may do.")
        else:
            super().open_row(row)


def _matching_rows(tree: Sequence[Row], words: Sequence[str]) -> list[Row]:
    """Return the rows with every word (in lower case), and their ancestors."""
    paths: set[Path] = set()
    for row in rows_with(words, tree):
        if isinstance(row.key, tuple):
            paths |= {row.key[:length] for length in range(len(row.key) + 1)}
    return [row for row in tree if row.key in paths]


def _parent(row: Row) -> Hashable:
    return row.key[:-1] if isinstance(row.key, tuple) else None


def choose_cluster(app: LibraryApp, snapshot: AccountSnapshot | None) -> None:
    """Let the user choose one of the account's clusters; say why if none is known."""
    in_account = snapshot.clusters if snapshot else ()
    if not in_account:
        if snapshot:
            text = none_known(snapshot).text
            app.notify(f"{text[:1].upper()}{text[1:]}; a shows what was read.")
        else:
            app.notify("No account was read yet; a says why, and lists the profiles.")
        return

    def show(cluster: Cluster | None) -> None:
        if cluster is not None:
            app.push_screen(ClusterScreen(cluster.name, cluster.region))

    chooser = ChooserScreen("Clusters", [_choice(cluster) for cluster in in_account], JUDGED_COLUMNS)
    app.push_screen(chooser, show)
    library = app.library

    # The user may have closed it; is_mounted stays true even then.
    def show_problems(answers: Sequence[ClusterAnswer]) -> None:
        if chooser in app.screen_stack:
            chooser.set_choices([_choice(answer.cluster, answer) for answer in answers])

    def show_failure(error: EkstuiError) -> None:
        if chooser in app.screen_stack:
            chooser.set_choices([_choice(cluster, waiting=False) for cluster in in_account])
        app.notify(str(error), severity="error")

    app.background.run(app, "clusters", lambda _: clusters(library), show_problems, show_failure)


def _choice(
    cluster: Cluster, answer: ClusterAnswer | None = None, *, waiting: bool = True
) -> tuple[tuple[Styled, ...], Cluster]:
    cells = judged_cells(cluster, answer, waiting=waiting)
    return tuple(styled_line(cell, "app") for cell in cells), cluster
