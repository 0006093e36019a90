"""What the first screen's header says: the policies, account, marks, or a place to go back to; and its progress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.errors import EkstuiError
from ekstui.iam.text import clean_line
from ekstui.library.notation import parse_policy
from ekstui.named_tuples import NamedTuple
from ekstui.present.ages import age_in_words
from ekstui.present.blocks import OLD
from ekstui.present.styled import Style, Styled, plain
from ekstui.tui.messages import AccountView, PolicyView

if TYPE_CHECKING:
    from ekstui.library import AccountChoice
    from ekstui.library.library import DataStatus, Library
    from ekstui.library.notation import PolicyAt
    from ekstui.library.remembered import RememberedPlace


def short_name(name: str) -> str:
    """Return a policy's name without its usual prefix and suffix: `CNI` for AmazonEKS_CNI_Policy."""
    for prefix in ("AmazonEKS_", "AmazonEKS", "Amazon", "AWS"):
        if name.startswith(prefix) and len(name) > len(prefix):
            name = name.removeprefix(prefix)
            break
    return name.removesuffix("Policy").strip("_") or name


def marks_line(marks: Sequence[PolicyAt]) -> Styled:
    """Return the marks for the right of the header: `A CNI v5  B CNI v6  +2  d compare  u clear`."""
    if not marks:
        return ()
    parts: list[tuple[str, Style]] = []
    for letter, mark in zip("AB", marks, strict=False):
        version = f" {version_label(mark.version)}" if mark.version else ""
        parts += [(f"{letter} ", "accent"), (f"{clean_line(short_name(mark.name))}{version}  ", "strong")]
    if len(marks) > 2:
        parts.append((f"+{len(marks) - 2}  ", "strong"))
    return (*parts, ("d compare  u clear ", "muted"))


def progress_words(task: str, done: int, total: int) -> str:
    """Return a progress bar, and how to stop the task."""
    filled_cells = min(20 * done // total, 20) if total else 0
    return f"{task} {'━' * filled_cells}{'─' * (20 - filled_cells)} {done:,} of {total:,} · esc stops"


def header(
    status: DataStatus, count: int, scope: str, account: AccountView, choice: AccountChoice, now: datetime, width: int
) -> Styled:
    """Return the explorer's header: number of policies, age of the data, and account, in the longest form that fits."""
    ways = _ways_to_renew(account, choice)
    forms: list[Styled] = [
        (
            (" ekstui ", "strong"),
            (f" {_count_words(status, count, scope, whole=room > 2)}", ""),
            (" · ", "muted"),
            *_age_words(status, now, way, whole=room > 0),
            (" · ", "muted"),
            *_account_words(account, choice, now, whole=room > 1),
        )
        # What renews old data comes before the longer words for the rest.
        for way_to_renew in (ways, [""])
        for room in (3, 2, 1, 0)
        for way in way_to_renew
    ]
    return next((form for form in forms if len(plain(form)) <= width), forms[-1])


class Offer(NamedTuple):
    """A saved place to go back to, as far as it still exists."""

    place: RememberedPlace
    policy_view: PolicyView
    marks: tuple[PolicyAt, ...]
    opened: str
    """What to type into the palette to get to the screen over the panes; empty if there was none."""

    def line(self, now: datetime, width: int) -> Styled:
        """Return the offer as the header, in the longest form that fits."""
        policy_words = f"{self.policy_view.entry.policy.name} {version_label(self.policy_view.version)}"
        open_text = " ".join(self.opened.split())
        age = age_in_words(self.place.at, now)
        names = (
            [f"{policy_words} › {open_text}", open_text, open_text[:40]]
            if open_text
            else [policy_words, policy_words[:40]]
        )
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


def offer_of(place: RememberedPlace, library: Library) -> Offer | None:
    """Return the offer for a place; None if its policy or version no longer exists."""
    try:
        entry = library.find(place.policy)
        marks = tuple(parse_policy(mark) for mark in place.marks)
    except EkstuiError:
        return None
    if place.version not in [info.number for info in entry.policy.versions]:
        return None
    return Offer(place, PolicyView(entry, place.version), marks, place.opened)


def _count_words(status: DataStatus, count: int, scope: str, *, whole: bool) -> str:
    if scope == "eks":
        return f"EKS {count} of {status.policies:,}" if whole else f"EKS {count}"
    words = {"all": f"all {status.policies:,}", "any": f"every family {count:,}"}
    return words.get(scope, f"{scope} {count}")


def _ways_to_renew(account: AccountView, choice: AccountChoice) -> tuple[str, ...]:
    """Return what renews the policies, ever shorter; none where nothing may be asked, or before it is known."""
    if choice.demo or choice.offline:
        return ()
    if account.error or choice.file:
        return "ekstui sync or :sync renews", ":sync renews"
    return ("r renews",) if account.snapshot or account.asking else ()


def _age_words(status: DataStatus, now: datetime, way: str, *, whole: bool) -> Styled:
    # A custom endpoint matters more than the age of the data.
    custom = status.source.partition("AWS at ")[2]
    age = (now - status.newest).days if status.newest else None
    is_old = age is not None and age >= OLD
    data = f"data {status.newest:%Y-%m-%d}" if status.newest else "data of unknown age"
    days = "" if age is None else f", {age} day{'' if age == 1 else 's'} old" if whole else f", {age} d old"
    renews = f" ({way})" if is_old and way else ""
    return (f"from {custom}" if custom else f"{data}{days}", "warn" if is_old or custom else ""), (renews, "muted")


def _account_words(view: AccountView, choice: AccountChoice, now: datetime, *, whole: bool) -> Styled:
    """Return the account for the header: its name and number, its age, and whether it is incomplete."""
    if choice.demo:
        number = f" {view.snapshot.identity.account}" if view.snapshot else ""
        return ((f"demo{number}", ""), (", made up" if whole else "", "muted"))
    parts: list[tuple[str, Style]] = []
    if view.snapshot:
        identity = view.snapshot.identity
        name = clean_line(identity.profile or identity.method or "account")
        parts.append((f"{name} {identity.account}", ""))
        if identity.partition != "aws":
            parts.append((f" {identity.partition}", "warn"))
        if identity.endpoint:
            parts.append((f" via {clean_line(identity.endpoint.partition('://')[2] or identity.endpoint)}", "warn"))
        offline = ", offline" if choice.offline else ""
        parts.append((f" · {age_in_words(view.snapshot.fetched_at, now)}{offline}", "muted"))
        if not view.snapshot.complete or view.snapshot.errors:
            parts.append((" · incomplete", "warn"))
        if view.error and not view.asking:
            parts.append((" · not renewed (i says why)" if whole else " · not renewed", "warn"))
    elif view.asking:
        parts.append(("asking AWS", "muted"))
    elif choice.offline:
        parts.append(("offline, no snapshot" if whole else "offline", "muted"))
    else:
        parts.append(("no account (a chooses one)" if whole else "no account", "muted"))
    return tuple(parts)
