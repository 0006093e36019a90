"""A cluster: what is wrong with it and its roles, and the map of how they are used."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime

from textual import on

from ekstui.core.eks import HealthIssue
from ekstui.core.findings import RolePolicy
from ekstui.core.lookup import Thing
from ekstui.core.policy import version_label
from ekstui.core.text import age_in_words, clean_line
from ekstui.export.documents import attachment_terraform
from ekstui.library import ClusterAnswer, ClusterRole, RecentChange
from ekstui.library.cluster_answers import cluster_answer
from ekstui.present.cluster_report import Work, cluster_blocks, mending_policy
from ekstui.present.rendering import markdown, rows
from ekstui.present.role_report import Path, branches_of, map_blocks, paths_of
from ekstui.present.styled import Row, Styled, plain, styled
from ekstui.present.words import error_notes, uses_words
from ekstui.tui import keys
from ekstui.tui.keys import Key, bindings
from ekstui.tui.messages import ShowPolicy, ShowRole
from ekstui.tui.screens.copying import Copyable, Export
from ekstui.tui.screens.report import AccountReportScreen
from ekstui.tui.shown import Bookmark, Shown
from ekstui.tui.widgets.rows import RowList


class ClusterReportScreen(AccountReportScreen):
    """A report about one cluster of the last snapshot."""

    WAITING = "reading the cluster…"
    HAS_LINE = True
    WORD = "cluster"
    """What stands before the cluster's name in the header."""

    def __init__(self, name: str, region: str | None) -> None:
        super().__init__()
        self._cluster = name
        self._region = region

    @property
    def answer(self) -> ClusterAnswer | None:
        """The answer, once it has arrived."""
        return self._answer if isinstance(self._answer, ClusterAnswer) else None

    def question(self) -> Styled:
        """Return the cluster, its region, and how old the answer is."""
        answer = self.answer
        region = f" in {self._region}" if self._region else ""
        when = f" · {age_in_words(answer.fetched_at, datetime.now(UTC))}" if answer else ""
        return (
            (f"{self.WORD} ", ""),
            (clean_line(self._cluster), "strong"),
            (clean_line(f"{region}{when}"), "muted"),
            (" · incomplete" if answer and not answer.complete else "", "warn"),
        )

    @property
    def bookmark(self) -> Bookmark | None:
        """What finds this screen again."""
        return Bookmark(self._cluster, of_account=True)

    @property
    def read_at(self) -> datetime | None:
        """When the account was read."""
        return self.answer.fetched_at if self.answer else None

    def ask(self) -> Callable[[], object]:
        """Return the question for the cluster of the last snapshot."""
        library, name, region = self.app.library, self._cluster, self._region
        return lambda: cluster_answer(library, name, region)


class ClusterScreen(ClusterReportScreen):
    """What EKS reports, what AWS changed lately, and each role with what it needs and has."""

    HEADING = "Cluster"
    KEYS = (
        keys.OPEN.here("Unfold what is wrong to its evidence and what would mend it; show a role, or a policy that changed."),
        keys.NEXT.here("Go to the next problem."),
        keys.COPY.here("Copy the command that mends what the cursor is on, or anything else that is shown."),
        keys.VIEW.here("Go to the next view: the cluster as a tree of how roles are used, the roles, their policies.", "as a tree"),
        keys.UPGRADE,
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    OPENS = (Work, HealthIssue, ClusterRole, RecentChange)
    NOTEWORTHY = "problem"

    def __init__(self, name: str, region: str | None) -> None:
        super().__init__(name, region)
        self._opened: set[Hashable] = set()

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
        self.app.switch_screen(ClusterMapScreen(self._cluster, self._region, self.answer))

    def action_upgrade(self) -> None:
        """Show what the controllers need before an upgrade to their newest releases that are known."""
        from ekstui.library.upgrading import upgrade
        from ekstui.present.upgrade_checklist import upgrade_blocks
        from ekstui.tui.screens.card_screens import CardScreen

        library, name = self.app.library, self._cluster
        thing = Thing("cluster", name, "upgrade", value=name)
        self.app.push_screen(CardScreen(thing, lambda: upgrade_blocks(upgrade(library, name, {}, {}, {}))))

    def about_row(self, row: Row) -> Styled:
        """Return all about what is wrong with what mends it, a role with its uses, or whose policy changed."""
        match row.value:
            case Work(role, finding, remedy):
                mends = f"  y copies: {remedy}" if remedy else ""
                return (
                    (clean_line(role.arn), "strong"),
                    (clean_line(f"  {finding.text}"), ""),
                    (clean_line(mends), "accent"),
                )
            case HealthIssue(kind=kind, name=name, code=code, message=message, resources=resources):
                named = f"  ({', '.join(resources)})" if resources else ""
                return (clean_line(f"{kind} {name}"), "strong"), (clean_line(f"  {code}: {message}{named}"), "")
            case ClusterRole(arn=arn, uses=uses):
                return (clean_line(arn), "strong"), (clean_line(f"  {uses_words(uses)}"), "muted")
            case RecentChange(policy=policy, roles=roles):
                return (policy, "strong"), (clean_line(f"  attached to {', '.join(roles)}"), "muted")
            case _:
                return ()

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
        """Return what mends what the cursor is on: a command, and Terraform where a policy is to be attached."""
        row = self.rows.current
        if row is None or not isinstance(row.value, Work) or not row.value.remedy:
            return ()
        work = row.value
        found = [Copyable("command", work.remedy, lambda: work.remedy)]
        arn = mending_policy(self.answer, work.finding) if self.answer else None
        if arn and work.role.subject is not None:
            text = attachment_terraform(work.role.subject.role.name, arn)
            found.append(Copyable("Terraform", "the same as an aws_iam_role_policy_attachment", lambda: text))
        return found

    def exports(self) -> Sequence[Export]:
        """Return the whole cluster as Markdown, and what is shown as text."""
        answer, text = self.answer, super().exports()
        if answer is None:
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
            self.post_message(ShowRole(value.arn))
        elif isinstance(value, RecentChange):
            self.post_message(ShowPolicy(Shown(self.app.library.find(value.policy), value.version)))


def _above(row: Row) -> Hashable | None:
    """Return the key of the row that a row goes on with; None where it is one of its own."""
    match row.key:
        case (above, "line", int()):
            return above
        case _:
            return None


MAX_UNFOLDED = 12
"""Up to as many roles a way is unfolded from the start, so that the whole cluster is seen at a glance."""


class ClusterMapScreen(ClusterReportScreen):
    """A tree of ways, roles and policies; the roles are folded at first, and a filter unfolds what it finds."""

    HEADING = "Cluster tree"
    KEYS = (
        keys.OPEN.here("Show the role or policy under the cursor."), keys.FOLD_ALL,
        keys.VIEW.here("Go to the next view: the cluster as a list of problems.", "as a list"),
    )  # fmt: skip
    BINDINGS = bindings(KEYS)
    WORD = "map of"
    OPENS = (ClusterRole, RolePolicy)
    NOTEWORTHY = "role with a problem"

    def __init__(self, name: str, region: str | None, answer: ClusterAnswer | None = None) -> None:
        """Take the answer of the screen before, if there is one: then nothing is asked until the user does."""
        super().__init__(name, region)
        self._given = answer
        self._opened: set[Path] | None = None

    def ask(self) -> Callable[[], object]:
        """Return the question for the cluster of the last snapshot."""
        given, self._given = self._given, None
        return (lambda: given) if given else super().ask()

    def answer_rows(self, answer: object) -> list[Row]:
        """Return the tree as far as it is unfolded; under a filter what matches and the way to it."""
        if not isinstance(answer, ClusterAnswer):
            return []
        ways, roles = paths_of(answer)
        if self._opened is None:
            crowded = {(branch.way,) for branch in branches_of(answer) if len(branch.roles) > MAX_UNFOLDED}
            self._opened = ways - crowded
        words = self._needle.casefold().split()
        opened = ways | roles if words else self._opened
        blocks = map_blocks(answer, opened, datetime.now(UTC))
        if () in opened:
            blocks += error_notes(answer.errors)
        found = rows(blocks, self.width)
        return _matching(found, words) if words else found

    def nothing(self) -> Sequence[Styled]:
        """Return why there are no rows."""
        return (
            styled(f"Nothing here matches “{clean_line(self._needle)}”.", "warn"),
            styled("/ and then enter on an empty line clears the filter.", "muted"),
        )

    def works(self, key: Key, row: Row | None) -> bool:
        """Return whether a key does something: what is no role or policy is unfolded with enter."""
        path = self._path()
        unfolds = path is not None and self._can_unfold(path)
        return super().works(key, row) or (key.id == keys.OPEN.id and unfolds)

    def about_row(self, row: Row) -> Styled:
        """Return a role's ARN and the worst that is wrong with it, or a policy's ARN."""
        match row.value:
            case ClusterRole(arn=arn, uses=uses, findings=findings):
                wrong = "; ".join(f"{each.severity}: {each.text}" for each in findings) or uses_words(uses)
                return (clean_line(arn), "strong"), (clean_line(f"  {wrong}"), "")
            case RolePolicy(name=name, arn=arn):
                return (clean_line(name), "strong"), (clean_line(f"  {arn or 'inline'}"), "muted")
            case _:
                return ()

    def is_of_note(self, row: Row) -> bool:
        """Return whether `n` stops at a row: at a role with a problem."""
        return isinstance(row.value, ClusterRole) and any(each.severity == "problem" for each in row.value.findings)

    def exports(self) -> Sequence[Export]:
        """Return the whole tree as Markdown, and what is shown as text."""
        answer, text = self.answer, super().exports()
        if answer is None:
            return text
        whole = Copyable("Markdown", "", lambda: _markdown(answer))
        return (Export("Markdown", "cluster-map.md", whole), *text)

    def copies(self) -> Sequence[Copyable]:
        """Return the whole tree as Markdown."""
        answer = self.answer
        if answer is None:
            return ()
        return (Copyable("Markdown", "the whole tree as a list", lambda: _markdown(answer)),)

    def fold(self, row: Row | None, *, fold: bool) -> bool:  # noqa: ARG002 - the tree goes by the cursor
        """Fold the row under the cursor or go to what it is in; unfold it or go into it."""
        (self._fold_here if fold else self._unfold_here)()
        return True

    def _toggle(self) -> None:
        if (path := self._path()) is not None and self._can_unfold(path):
            self._unfold({path} ^ self._unfolded)

    def _unfold_here(self) -> None:
        """Unfold the row under the cursor, or go to the first row inside it."""
        path = self._path()
        if path is None or not self._can_unfold(path):
            return
        if path not in self._unfolded and not self._needle:
            self._unfold({path} | self._unfolded)
            return
        inside = (row for row in self.rows.rows if row.selectable and _is_in(row, path))
        if first := next(inside, None):
            self.rows.move_to(first.key)

    def _fold_here(self) -> None:
        """Fold the row under the cursor, or go to the one that it is in."""
        path = self._path()
        if path is None:
            return
        if path in self._unfolded and self._can_unfold(path) and not self._needle:
            self._unfold(self._unfolded - {path})
        elif path:
            self.rows.move_to(path[:-1])

    def action_view(self) -> None:
        """Show the cluster as a list."""
        self.app.switch_screen(ClusterScreen(self._cluster, self._region))

    def action_fold_all(self) -> None:
        """Unfold everything, or fold the roles again."""
        if self.answer:
            ways, roles = paths_of(self.answer)
            self._unfold(ways if roles <= self._unfolded else ways | roles)

    @property
    def _unfolded(self) -> set[Path]:
        return self._opened or set()

    def _unfold(self, paths: set[Path]) -> None:
        self._opened = paths
        self.show_answer()

    def _path(self) -> Path | None:
        row = self.rows.current
        return row.key if row and isinstance(row.key, tuple) else None

    def _can_unfold(self, path: Path) -> bool:
        return self.answer is not None and path in set().union(*paths_of(self.answer))

    @on(RowList.Opened)
    def _open(self, event: RowList.Opened) -> None:
        event.stop()
        value = event.row.value if event.row else None
        if isinstance(value, ClusterRole):
            if value.subject is None:
                self.notify("It was not read: a role of another account, or one that is gone.", markup=False)
            else:
                self.post_message(ShowRole(value.arn))
        elif isinstance(value, RolePolicy) and value.managed_by_aws:
            entry = self.app.library.find(value.name)
            self.post_message(ShowPolicy(Shown(entry, value.version or entry.policy.default_version)))
        elif isinstance(value, RolePolicy):
            version = f" {version_label(value.version)}" if value.version else ""
            self.notify(
                clean_line(
                    f"{value.name}{version} is the account's own; enter on its role, then v, shows what it may do."
                ),
                markup=False,
            )
        else:
            self._toggle()


def _markdown(answer: ClusterAnswer) -> str:
    return markdown(map_blocks(answer, (), datetime.now(UTC)))


def _matching(tree: Sequence[Row], words: Sequence[str]) -> list[Row]:
    """Return the rows of a tree that have every word, each with the way to it; the words are in small letters."""
    kept: set[Path] = set()
    for row in tree:
        text = " ".join(map(plain, row.cells)).casefold()
        if isinstance(row.key, tuple) and all(word in text for word in words):
            kept |= {row.key[:length] for length in range(len(row.key) + 1)}
    return [row for row in tree if row.key in kept]


def _is_in(row: Row, path: Path) -> bool:
    return isinstance(row.key, tuple) and row.key[:-1] == path and row.key != path
