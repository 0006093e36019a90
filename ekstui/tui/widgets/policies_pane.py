"""The first pane: the list of policies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from textual import on
from textual.reactive import reactive

from ekstui.errors import EkstuiError
from ekstui.iam.text import clean_line
from ekstui.library.catalog import PolicyEntry
from ekstui.library.facets import Facet, parse_filter
from ekstui.library.remembered import seen_versions
from ekstui.present.policy_report import about_line, pane_columns, pane_row
from ekstui.present.rendering import styled_line
from ekstui.present.styled import Row, Styled, styled
from ekstui.tui import keys
from ekstui.tui.base import Debounce
from ekstui.tui.messages import AccountView
from ekstui.tui.widgets.pane import Pane
from ekstui.tui.widgets.rows import RowList

if TYPE_CHECKING:
    from ekstui.change.policy import Policy
    from ekstui.library.notation import PolicyAt
    from ekstui.tui.background import Job

REST = "Other"


_Groups: TypeAlias = Sequence[tuple[str, Sequence[str]]]
"""Titles, each with the names of its policies."""


def in_groups(entries: Iterable[PolicyEntry], groups: _Groups) -> list[tuple[str, list[PolicyEntry]]]:
    """Return policies as (title, policies), superseded ones last in each group; without groups, one without a title."""
    if not groups:
        return [("", list(entries))]
    by_name = {entry.policy.name: entry for entry in entries}
    named_groups = [(title, [by_name.pop(name) for name in names if name in by_name]) for title, names in groups]
    named_groups.append((REST, list(by_name.values())))
    return [
        (title, sorted(group, key=lambda entry: bool(entry.superseded_by))) for title, group in named_groups if group
    ]


FRAME = 3
"""The width of the border and the scrollbar."""

LOOK_UP_AFTER = 0.2
"""Seconds without typing before a facet is looked up."""


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
        super().__init__(pane_columns((), counts_roles=False))
        self.entries: Sequence[PolicyEntry] = ()
        """The policies of the scope, in the order of the list."""
        self._groups: _Groups = ()
        self._facet_results: dict[Facet, frozenset[str] | EkstuiError] = {}
        self._asking = Debounce(self, LOOK_UP_AFTER)
        self._roles_with: Callable[[str], int] | None = None
        """How many roles have a policy attached; None if that is not known."""

    def set_entries(self, entries: Sequence[PolicyEntry], *, groups: _Groups, cursor: str | None) -> None:
        """Show policies, grouped by name if `groups` are given, with the cursor on the policy with ARN `cursor`."""
        self._groups = groups
        self.entries = [entry for _, group in in_groups(entries, groups) for entry in group]
        self._facet_results.clear()
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
        mark, *_, version = pane_columns(self.entries, counts_roles=False)
        return longest + FRAME + mark.width + version.width + 2

    def _lay_out(self) -> None:
        counts_roles = self._roles_with is not None
        self.rows.set_columns(pane_columns(self.entries, counts_roles=counts_roles))
        self.set_title("", "roles  ver" if counts_roles else "ver")

    def watch_marks(self) -> None:
        """Update the marks."""
        if self.entries:
            self.show_rows()

    watch_changed = watch_marks

    def build_rows(self) -> list[Row]:
        """Return a row for each policy that matches the filter, ignoring facets that are still being looked up."""
        words, facets = parse_filter(self.filter)
        entries = self._matching_entries(words, facets)
        self.set_note(f"{len(entries)} of {len(self.entries)}{self._facets_note(facets)}" if words or facets else "")
        has_superseded = any(entry.superseded_by for entry in self.entries)
        rows: list[Row] = []
        for title, group in in_groups(entries, self._groups):
            if title:
                rows.append(Row(("group", title), (styled(title, "strong"),), selectable=False))
            rows += [
                pane_row(entry, self._mark(entry), self._roles_with, has_superseded=has_superseded) for entry in group
            ]
        return rows

    def _mark(self, entry: PolicyEntry) -> Styled:
        """Return the letter of a marked policy, or that it changed."""
        marked_names = [mark.name for mark in self.marks]
        if entry.name in marked_names:
            return styled("ABCD"[marked_names.index(entry.name)], "accent")
        return styled("!", "warn") if entry.policy.arn in self.changed else ()

    def _matching_entries(self, words: Sequence[str], facets: Sequence[Facet]) -> list[PolicyEntry]:
        arns_of_facets = [arns for facet in facets if isinstance(arns := self._facet_results.get(facet), frozenset)]
        return [
            entry
            for entry in self.entries
            if all(word in f"{entry.policy.name}\n{entry.purpose or ''}".casefold() for word in words)
            and all(entry.policy.arn in arns for arns in arns_of_facets)
        ]

    def about_row(self, row: Row) -> Styled:
        """Return the policy's ARN, what supersedes it, and what it is for."""
        return styled_line(about_line(row.value), "app") if isinstance(row.value, PolicyEntry) else ()

    def is_stop(self, row: Row) -> bool:
        return row.key in self.changed

    @on(RowList.Opened)
    async def _open(self, event: RowList.Opened) -> None:
        event.stop()
        await self.run_action(f"screen.{keys.PERMISSIONS.action}")

    def _facets_note(self, facets: Sequence[Facet]) -> str:
        """Return a note on the facets, and start looking up the first unknown one once the user pauses."""
        error_messages = [
            facet_result.message
            for facet in facets
            if isinstance(facet_result := self._facet_results.get(facet), EkstuiError)
        ]
        missing = [facet for facet in facets if facet not in self._facet_results]
        self._asking.cancel()
        if missing:
            self._asking.call(lambda: self._look_up(missing[0]))
        return " · looking…" if missing else f" · {clean_line(error_messages[0])}" if error_messages else ""

    def _look_up(self, facet: Facet) -> None:
        # Facets are about the documents of IAM policies.
        library, entries = self.app.library, [entry for entry in self.entries if not entry.access]

        def show(result: frozenset[str] | EkstuiError) -> None:
            self._facet_results[facet] = result
            self.show_rows()

        def match(_: Job) -> frozenset[str]:
            from ekstui.library.facet_matches import matching_policies

            return matching_policies(facet, entries, library)

        self.app.background.run(self, "facet", match, show, show)

    def watch_account(self, before: AccountView, view: AccountView) -> None:
        """Show how many roles have each policy attached."""
        if view.snapshot is not before.snapshot:
            self._roles_with = view.snapshot.roles_with_each() if view.snapshot else None
            if self.entries:
                self._lay_out()
                self.show_rows()
