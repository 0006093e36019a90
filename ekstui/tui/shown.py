"""Where the user is: what the panes show, what is known of the account, the marks, and the place to return to after a lost connection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ekstui.core.policy import version_label
from ekstui.core.text import age_in_words, clean_line
from ekstui.errors import EkstuiError
from ekstui.present.styled import Styled, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.screen import Screen

    from ekstui.core.account_snapshot import AccountSnapshot
    from ekstui.core.notation import PolicyAt
    from ekstui.library import Library
    from ekstui.library.catalog import PolicyEntry
    from ekstui.library.remembered import Place
    from ekstui.tui.screens.explorer_screen import ExplorerScreen


class Shown(NamedTuple):
    """The policy and version that the panes show."""

    entry: PolicyEntry
    version: int

    @property
    def place(self) -> PolicyAt:
        """The version as a side of a comparison."""
        from ekstui.core.notation import PolicyAt  # 3 ms, after the first paint

        return PolicyAt(self.entry.name, None if self.entry.access else self.version)


class AccountView(NamedTuple):
    """What the screens show of the account."""

    snapshot: AccountSnapshot | None = None
    """The latest snapshot; None if there is none."""
    asking: str | None = None
    """What is being read from AWS, in a few words; None if nothing is."""
    error: EkstuiError | None = None
    """Why the last refresh failed."""


class Start(NamedTuple):
    """What the app opens with."""

    shown: Shown
    compare_with: int | None = None
    """The version to compare with it at once."""


Marks: TypeAlias = "tuple[PolicyAt, ...]"
"""The marked policies and versions, oldest mark first; at most MAX_MARKS."""

MAX_MARKS = 4
"""How many the table of services by access level can put side by side."""


def with_mark(marks: Marks, place: PolicyAt) -> Marks:
    """Return the marks with this one toggled; when there are too many, the oldest goes."""
    return tuple(mark for mark in marks if mark != place) if place in marks else (*marks, place)[-MAX_MARKS:]


def sides_to_compare(marks: Marks, shown: Shown) -> tuple[PolicyAt, PolicyAt] | None:
    """Return the last two marks, or the mark and what is shown, or the shown version and the one before it.

    None for the first version. Two versions of one policy are compared from older to newer, however they were marked.
    """
    policy, here = shown.entry.policy, shown.place
    if len(marks) >= 2:
        return _older_first(*marks[-2:])
    if marks and marks[0] != here:
        return _older_first(marks[0], here)
    numbers = [info.number for info in policy.versions]
    index = numbers.index(shown.version)
    return (Shown(shown.entry, numbers[index - 1]).place, here) if index else None


def _older_first(one: PolicyAt, other: PolicyAt) -> tuple[PolicyAt, PolicyAt]:
    if one.name == other.name and one.version and other.version and one.version > other.version:
        return other, one
    return one, other


class Bookmark(NamedTuple):
    """What to type into the palette to get to a screen again."""

    text: str
    of_account: bool = False
    """Whether the text names something in the account."""


class Offer(NamedTuple):
    """A saved place to go back to, as far as it still exists."""

    place: Place
    shown: Shown
    marks: tuple[PolicyAt, ...]
    opened: str
    """What to type into the palette to get to the screen over the panes; empty if there was none."""

    def line(self, now: datetime, width: int) -> Styled:
        """Return the offer as the header, in the longest form that fits."""
        where = f"{self.shown.entry.policy.name} {version_label(self.shown.version)}"
        opened = " ".join(self.opened.split())
        age = age_in_words(self.place.at, now)
        names = [f"{where} › {opened}", opened, opened[:40]] if opened else [where, where[:40]]
        forms: list[Styled] = [
            (
                (" b", "accent"),
                (": back to ", "muted"),
                (clean_line(name), "strong"),
                (f", where you were {age} · " if whole else f", {age} · ", "muted"),
                ("esc", "accent"),
                (": no", "muted"),
            )
            for name in names
            for whole in (True, False)
        ]
        return next((form for form in forms if len(plain(form)) <= width), forms[-1])


def keep(screens: Sequence[Screen[object]], explorer: ExplorerScreen, library: Library) -> None:
    """Save where the user is, except in the demo; what names the account goes into the account's own file."""
    from ekstui.library.remembered import Place, keep_place
    from ekstui.tui.widgets.rows import RowList

    shown = explorer.shown
    if library.is_demo or shown is None:
        return
    at = datetime.now(UTC).replace(microsecond=0)
    bookmark, row = Bookmark(""), 0
    for screen in screens:
        if found := getattr(screen, "bookmark", None):
            bookmark, row = found, screen.query_one(RowList).cursor or 0
    listed = [row.key for row in explorer.policies.rows.rows if row.selectable]
    # A filter that matches nothing may be anything, even the name of a role.
    words = explorer.policies.filter if listed else ""
    policy = shown.entry.policy
    if (
        not (bookmark.text or words or explorer.marks)
        and listed[:1] == [policy.arn]
        and shown.version == policy.default_version
    ):
        return  # the app opens there anyway
    keep_place(
        Place(
            at,
            explorer.scope,
            shown.entry.policy.arn,
            int(shown.version),
            words,
            tuple(map(str, explorer.marks)),
            "" if bookmark.of_account else bookmark.text,
            row,
        )
    )
    if bookmark.of_account:
        library.account.keep_place(at, bookmark.text)


def offer_of(place: Place, library: Library) -> Offer | None:
    """Return the offer for a place; None if its policy or version no longer exists."""
    from ekstui.core.notation import parse_policy

    try:
        entry = library.find(place.policy)
        marks = tuple(parse_policy(mark) for mark in place.marks)
    except EkstuiError:
        return None
    if place.version not in [info.number for info in entry.policy.versions]:
        return None
    return Offer(place, Shown(entry, place.version), marks, place.opened)
