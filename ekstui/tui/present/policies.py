"""The policy list, the header and the line about a policy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.core.policy import version_label
from ekstui.core.text import clean_line
from ekstui.present.styled import Row, Style, Styled, plain, styled
from ekstui.tui.present.account import account_words

if TYPE_CHECKING:
    from ekstui.core.where import PolicyAt
    from ekstui.library import DataStatus, PolicyEntry
    from ekstui.tui.account import AccountView

OLD = 30
"""Days from which the data is called old."""

REST = "Other"


def in_groups(
    entries: Iterable[PolicyEntry], groups: Sequence[tuple[str, Sequence[str]]]
) -> list[tuple[str, list[PolicyEntry]]]:
    """Return the policies by group, superseded ones at the end of theirs; without groups in one that has no title."""
    if not groups:
        return [("", list(entries))]
    by_name = {entry.policy.name: entry for entry in entries}
    found = [(title, [by_name.pop(name) for name in names if name in by_name]) for title, names in groups]
    found.append((REST, list(by_name.values())))
    return [(title, sorted(group, key=lambda entry: bool(entry.superseded_by))) for title, group in found if group]


def group_row(title: str) -> Row:
    """Return the title of a group."""
    return Row(("group", title), (styled(title, "accent"),), selectable=False)


def policy_row(
    entry: PolicyEntry, *, mark: str = "", changed: bool = False, superseded: bool = False, carriers: int | None = None
) -> Row:
    """Return a policy as a row: mark, name, whether another took its place, how many carry it, version."""
    policy = entry.policy
    cells = [
        styled(mark, "accent") if mark else styled("!", "warn") if changed else styled(" "),
        styled(clean_line(policy.name), "muted" if entry.superseded_by else ""),
    ]
    if superseded:
        cells.append(styled("superseded" if entry.superseded_by else "", "muted"))
    if carriers is not None:
        cells.append(styled(str(carriers) if carriers else "", "muted"))
    cells.append(styled(version_label(policy.default_version), "muted"))
    return Row(policy.arn, tuple(cells), entry)


def policy_line(entry: PolicyEntry) -> Styled:
    """Return all about a policy in a line: its ARN, what took its place, what it is for."""
    parts: list[tuple[str, Style]] = [(clean_line(entry.policy.arn), "strong")]
    if entry.superseded_by:
        parts.append((f"  superseded by {clean_line(entry.superseded_by)}", "warn"))
    if entry.policy.withdrawn:
        parts.append(("  AWS does not list it any more", "warn"))
    if entry.also_access_policy:
        parts.append(("  an EKS access policy has the same name", "warn"))
    if entry.purpose:
        parts.append((f"  {clean_line(entry.purpose)}", ""))
    return tuple(parts)


def short_name(name: str) -> str:
    """Return a policy's name without what nearly all names share: `CNI` for AmazonEKS_CNI_Policy."""
    for prefix in ("AmazonEKS_", "AmazonEKS", "Amazon", "AWS"):
        if name.startswith(prefix) and len(name) > len(prefix):
            name = name.removeprefix(prefix)
            break
    return name.removesuffix("Policy").strip("_") or name


def marks_line(marks: Sequence[PolicyAt]) -> Styled:
    """Return what is marked, for the right of the header: `A CNI v5  B CNI v6  d compare  u clear`."""
    if not marks:
        return ()
    parts: list[tuple[str, Style]] = []
    for letter, mark in zip("ABCD", marks, strict=False):
        version = f" {version_label(mark.version)}" if mark.version else ""
        parts += [(f"{letter} ", "accent"), (f"{clean_line(short_name(mark.name))}{version}  ", "strong")]
    return (*parts, ("d compare  u clear ", "muted"))


def progress_words(doing: str, done: int, total: int) -> str:
    """Return long work as a bar, and how to stop it."""
    filled = min(20 * done // total, 20) if total else 0
    return f"{doing} {'━' * filled}{'─' * (20 - filled)} {done:,} of {total:,} · esc stops"


def header(status: DataStatus, shown: int, scope: str, account: AccountView, now: datetime, width: int) -> Styled:
    """Return the header's line: how many policies, how old the data is, and whose account is shown, as it fits."""
    age = (now - status.newest).days if status.newest else None
    old = age is not None and age >= OLD
    forms: list[Styled] = []
    for room in (3, 2, 1, 0):
        whole = room > 0
        if scope == "eks":
            counted = f"EKS {shown} of {status.policies:,}" if room > 1 else f"EKS {shown}"
        else:
            counted = f"all {status.policies:,}"
        data = f"data {status.newest:%Y-%m-%d}" if status.newest else "data of unknown age"
        days = "" if age is None else f", {age} day{'' if age == 1 else 's'} old" if whole else f", {age} d old"
        renews = " (r renews)" if old and room > 2 else ""
        # An endpoint that is not AWS's own stands in the source, and is seen before how old the data is.
        custom = status.source.partition("AWS at ")[2]
        told = f"from {custom}" if custom else f"{data}{days}"
        dated: Styled = ((told, "warn" if old or custom else ""), (renews, "muted"), (" · ", "muted"))
        forms.append(
            ((" ekstui ", "strong"), (f" {counted}", ""), (" · ", "muted"), *dated,
             *account_words(account, now, whole=whole))
        )  # fmt: skip
    return next((form for form in forms if len(plain(form)) <= width), forms[-1])
