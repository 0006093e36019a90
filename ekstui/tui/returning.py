"""Where the user was when the connection was lost: saved at the end, offered at the next start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from ekstui.core.notation import parse_policy
from ekstui.core.policy import version_label
from ekstui.core.text import age_in_words, clean_line
from ekstui.errors import EkstuiError
from ekstui.library.remembered import Place, keep_place
from ekstui.present.styled import Styled, plain
from ekstui.tui.shown import Bookmark, Shown

if TYPE_CHECKING:
    from textual.screen import Screen

    from ekstui.core.notation import PolicyAt
    from ekstui.library import Library
    from ekstui.tui.screens.explorer_screen import ExplorerScreen


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


def keep(screens: list[Screen[object]], explorer: ExplorerScreen, library: Library) -> None:
    """Save where the user is, except in the demo; what names the account goes into the account's own file."""
    shown = explorer.shown
    if library.is_demo or shown is None:
        return
    at = datetime.now(UTC).replace(microsecond=0)
    over = next((found for screen in reversed(screens) if (found := getattr(screen, "bookmark", None))), None)
    bookmark = over if isinstance(over, Bookmark) else Bookmark("")
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
        )
    )
    if bookmark.of_account:
        library.account.keep_place(at, bookmark.text)


def offer_of(place: Place, library: Library) -> Offer | None:
    """Return the offer for a place; None if its policy or version no longer exists."""
    try:
        entry = library.find(place.policy)
        marks = tuple(parse_policy(mark) for mark in place.marks)
    except EkstuiError:
        return None
    if place.version not in [info.number for info in entry.policy.versions]:
        return None
    return Offer(place, Shown(entry, place.version), marks, place.opened)
