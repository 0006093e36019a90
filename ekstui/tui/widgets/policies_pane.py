"""The first pane: the list of policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.reactive import reactive

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import in_partition
from ekstui.errors import EkstuiError
from ekstui.iam.reference import reference
from ekstui.iam.text import clean_line
from ekstui.iam.wildcard import is_wild
from ekstui.library.catalog import PolicyEntry
from ekstui.library.notation import parse_since
from ekstui.library.remembered import seen_versions
from ekstui.library.searching import changes_feed, who_can_answer
from ekstui.named_tuples import NamedTuple
from ekstui.present.styled import Column, Row, Style, Styled, styled
from ekstui.tui import keys
from ekstui.tui.base import Debounce
from ekstui.tui.messages import AccountView
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.change.policy import Policy
    from ekstui.library import Library
    from ekstui.library.notation import PolicyAt

REST = "Other"


def in_groups(
    entries: Iterable[PolicyEntry], groups: Sequence[tuple[str, Sequence[str]]]
) -> list[tuple[str, list[PolicyEntry]]]:
    """Return policies as (title, policies), superseded ones last in each group; without groups, one without a title."""
    if not groups:
        return [("", list(entries))]
    by_name = {entry.policy.name: entry for entry in entries}
    named_groups = [(title, [by_name.pop(name) for name in names if name in by_name]) for title, names in groups]
    named_groups.append((REST, list(by_name.values())))
    return [
        (title, sorted(group, key=lambda entry: bool(entry.superseded_by))) for title, group in named_groups if group
    ]


_MARK = Column("", 1)
_NAME = Column("Policy", 8, share=1, names=True)
SUPERSEDED = Column("", 10, yields=True)
_ATTACHED = Column("roles", 5, right=True)
_VERSION = Column("ver", 4, right=True)
RELEASE = 8
"""The width of `v1.14.10`."""
FRAME = 3
"""The width of the border and the scrollbar."""

LOOK_UP_AFTER = 0.2
"""Seconds without typing before a facet is looked up."""


# The filter

_KINDS = ("action", "service", "level", "changed")


class Facet(NamedTuple):
    """A part of a filter that needs more than the list itself, such as `action:ec2:CreateTags` or `changed:30d`."""

    kind: str
    text: str


def parse_filter(text: str) -> tuple[tuple[str, ...], tuple[Facet, ...]]:
    """Return the words to look for, in lower case, and the facets; incomplete facets are left out."""
    words: list[str] = []
    facets: list[Facet] = []
    for word in text.split():
        kind, colon, rest = word.partition(":")
        if not colon or kind.casefold() not in _KINDS:
            words.append(word.casefold())
        elif rest:
            facets.append(Facet(kind.casefold(), rest))
    return tuple(words), tuple(facets)


def matching_policies(facet: Facet, entries: Sequence[PolicyEntry], library: Library) -> frozenset[str]:
    """Return the ARNs of the policies that match a facet. Slow.

    `changed:30d` counts back from the newest known change. Raises InputError for an invalid date or action.
    """
    match facet.kind:
        case "action":
            return _holders(_pattern(facet.text), library)
        case "service":
            return _holders(f"{facet.text}:*", library)
        case "level":
            wanted = facet.text.casefold()
            return frozenset(entry.policy.arn for entry in entries if _has_level(entry, wanted, library))
        case _:
            steps = changes_feed(library, parse_since(facet.text, library.data().newest), "all").changes
            names = {step.policy for step in steps if step.change.kind != "none"}
            return frozenset(entry.policy.arn for entry in entries if entry.policy.name in names)


def _pattern(text: str) -> str:
    """Return a pattern for a typed action or the beginning of one."""
    if is_wild(text) or reference().find(text) is not None:
        return text
    return f"{text}*" if ":" in text else f"*:{text}*"


def _holders(action: str, library: Library) -> frozenset[str]:
    return frozenset(holder.policy.arn for holder in who_can_answer(library, action, None, "all", types=False).holders)


def _has_level(entry: PolicyEntry, wanted: str, library: Library) -> bool:
    return any(
        count.granted and level.casefold().startswith(wanted)
        for service in library.summary(entry.policy)
        if service.effect == "Allow"
        for level, count in service.levels.items()
    )


class PoliciesPane(Pane):
    """The list of policies."""

    NUMBER, TITLE = 1, "Policies"
    FILTER_HINT = "part of a name or purpose, action:ec2:CreateTags, service:ec2, level:write, changed:30d"
    STOP = "policy that changed since you last looked"
    FOOTER = (
        keys.OPEN, keys.MARK, keys.COMPARE, keys.UNMARK, keys.FILTER, keys.WHO_CAN, keys.SCOPE, keys.CHANGES,
        keys.CLUSTERS, keys.FIND, keys.HELP,
    )  # fmt: skip

    marks: reactive[tuple[PolicyAt, ...]] = reactive((), init=False)
    account: reactive[AccountView] = reactive(AccountView(), init=False)
    changed: reactive[frozenset[str]] = reactive(frozenset[str](), init=False)
    """The ARNs of the policies that changed since the user last looked at them."""

    def __init__(self) -> None:
        super().__init__((_MARK, _NAME, _VERSION))
        self.entries: Sequence[PolicyEntry] = ()
        """The policies of the scope, in the order of the list."""
        self._groups: Sequence[tuple[str, Sequence[str]]] = ()
        self._fitting: dict[Facet, frozenset[str] | EkstuiError] = {}
        self._asking = Debounce(self, LOOK_UP_AFTER)

    def set_entries(
        self,
        entries: Sequence[PolicyEntry],
        *,
        cursor: str | None = None,
        groups: Sequence[tuple[str, Sequence[str]]] = (),
    ) -> None:
        """Show policies, grouped by name if `groups` are given, with the cursor on the policy with ARN `cursor`."""
        self._groups = groups
        self.entries = [entry for _, group in in_groups(entries, groups) for entry in group]
        self._fitting.clear()
        self._lay_out()
        self.show_rows(cursor=cursor)

    def mark_changed(self) -> None:
        """Mark the policies that changed since the user last looked at them."""
        library = self.app.library
        self.changed = seen_versions(demo=library.is_demo).changed_since(
            [entry.policy for entry in self.entries], library.data().newest
        )

    def mark_seen(self, policy: Policy) -> None:
        """Clear the mark of a policy that changed, since the user has seen its newest version."""
        if policy.arn in self.changed:
            seen_versions(demo=self.app.library.is_demo).mark_seen([policy])
            self.changed -= {policy.arn}

    @property
    def width_wanted(self) -> int:
        """The width at which no name is cut."""
        longest = max((len(entry.policy.name) for entry in self.entries), default=0)
        return longest + FRAME + _MARK.width + self._version.width + 2

    @property
    def _version(self) -> Column:
        """The column of the versions; controllers' policies have longer ones."""
        published = any(entry.policy.home for entry in self.entries)
        return _VERSION._replace(width=RELEASE) if published else _VERSION

    def _lay_out(self) -> None:
        is_counted = self._attached_to() is not None
        superseded = (SUPERSEDED,) if any(entry.superseded_by for entry in self.entries) else ()
        self.rows.set_columns((_MARK, _NAME, *superseded, *((_ATTACHED,) if is_counted else ()), self._version))
        self.set_title("", "roles  ver" if is_counted else "ver")

    def watch_marks(self) -> None:
        """Update the marks."""
        if self.entries:
            self.show_rows()

    watch_changed = watch_marks

    def build_rows(self) -> list[Row]:
        """Return a row for each policy that matches the filter, ignoring facets that are still being looked up."""
        words, facets = parse_filter(self.filter)
        chosen = self._chosen(words, facets)
        self.set_note(f"{len(chosen)} of {len(self.entries)}{self._facets_note(facets)}" if words or facets else "")
        marked = {mark.name: "ABCD"[index] for index, mark in enumerate(self.marks)}
        has_superseded, attached_to = any(entry.superseded_by for entry in self.entries), self._attached_to()
        rows: list[Row] = []
        for title, group in in_groups(chosen, self._groups):
            if title:
                rows.append(Row(("group", title), (styled(title, "strong"),), selectable=False))
            for entry in group:
                policy = entry.policy
                changed = styled("!", "warn") if policy.arn in self.changed else styled(" ")
                cells = [
                    styled(marked[entry.name], "accent") if entry.name in marked else changed,
                    styled(clean_line(policy.name), "muted" if entry.superseded_by else ""),
                ]
                if has_superseded:
                    cells.append(styled("superseded" if entry.superseded_by else "", "muted"))
                if attached_to is not None:
                    cells.append(styled(attached_to(policy.arn), "muted"))
                cells.append(styled("" if entry.access else version_label(policy.default_version), "muted"))
                rows.append(Row(policy.arn, tuple(cells), entry))
        return rows

    def _chosen(self, words: Sequence[str], facets: Sequence[Facet]) -> list[PolicyEntry]:
        fittings = [fitting for facet in facets if isinstance(fitting := self._fitting.get(facet), frozenset)]
        return [
            entry
            for entry in self.entries
            if all(word in f"{entry.policy.name}\n{entry.purpose or ''}".casefold() for word in words)
            and all(entry.policy.arn in fitting for fitting in fittings)
        ]

    def about_row(self, row: Row) -> Styled:
        """Return the policy's ARN, what supersedes it, and what it is for."""
        entry = row.value
        if not isinstance(entry, PolicyEntry):
            return ()
        parts: list[tuple[str, Style]] = [(clean_line(entry.policy.address), "strong")]
        if entry.superseded_by:
            parts.append((f"  superseded by {clean_line(entry.superseded_by)}", "warn"))
        if entry.policy.withdrawn:
            parts.append(("  AWS no longer lists it", "warn"))
        if entry.also_access_policy:
            parts.append(("  an EKS access policy has the same name", "warn"))
        if entry.purpose:
            parts.append((f"  {clean_line(entry.purpose)}", ""))
        return tuple(parts)

    def is_stop(self, row: Row) -> bool:
        return row.key in self.changed

    @on(RowList.Opened)
    async def _open(self, event: RowList.Opened) -> None:
        event.stop()
        await self.run_action(f"screen.{keys.PERMISSIONS.action}")

    def _facets_note(self, facets: Sequence[Facet]) -> str:
        """Return a note on the facets, and start looking up the first unknown one once the user pauses."""
        wrong = [fitting.message for facet in facets if isinstance(fitting := self._fitting.get(facet), EkstuiError)]
        missing = [facet for facet in facets if facet not in self._fitting]
        self._asking.cancel()
        if missing:
            self._asking.call(lambda: self._look_up(missing[0]))
        return " · looking…" if missing else f" · {clean_line(wrong[0])}" if wrong else ""

    def _look_up(self, facet: Facet) -> None:
        # Facets are about the documents of IAM policies.
        library, entries = self.app.library, [entry for entry in self.entries if not entry.access]

        def show(fitting: frozenset[str] | EkstuiError) -> None:
            self._fitting[facet] = fitting
            self.show_rows()

        self.app.background.run(self, "facet", lambda _: matching_policies(facet, entries, library), show, show)

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Show how many entities have each policy attached."""
        if view.snapshot is not before.snapshot and self.entries:
            self._lay_out()
            self.show_rows()

    def _attached_to(self) -> Callable[[str], str] | None:
        """Return a function from a policy's ARN to how many roles have it attached; None if that is not known.

        Where not all roles could be read, it is how many entities have it, as IAM counts them.
        """
        snapshot = self.account.snapshot
        if snapshot is None or not (snapshot.complete or snapshot.counts is not None):
            return None
        if snapshot.complete:
            # What the fourth pane lists as roles; IAM's own count has users and groups in it.
            roles = Counter(
                arn
                for role in snapshot.roles
                for arn in {*(policy.arn for policy in role.attached), role.boundary_arn} - {None}
            )
            return lambda arn: str(roles[in_partition(arn, snapshot.identity.partition)] or "")
        attached = {arn: str(count.attachments or "") for arn, count in (snapshot.counts or {}).items()}
        return lambda arn: attached.get(in_partition(arn, snapshot.identity.partition), "")
