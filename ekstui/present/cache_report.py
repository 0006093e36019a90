"""What is kept and in effect here: the cache, what a sync changed, and the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.change.policy import version_label
from ekstui.iam.text import counted
from ekstui.present.blocks import Block, Column, Heading, Node, Sentence, Span, Table, TableRow, Tree, as_of_words, note
from ekstui.settings import Effective

if TYPE_CHECKING:
    from ekstui.library.cache_file import CacheInfo, Counts
    from ekstui.library.library import DataStatus
    from ekstui.library.syncing import SyncReport
    from ekstui.store.accounts import StoredAccount


def cache_blocks(info: CacheInfo, accounts: Sequence[StoredAccount]) -> list[Block]:
    """Return what is in the cache, and which accounts have a snapshot."""
    sync_time = f"synced {info.synced_at:%Y-%m-%d %H:%M} UTC" if info.synced_at else "never synced"
    blocks: list[Block] = [
        Heading(str(info.path), 1),
        Sentence(f"policies from {info.source}, known until {info.newest:%Y-%m-%d}"),
        Sentence(f"{info.policies:,} policies, {info.versions:,} versions, {info.size:,} bytes"),
        Sentence(sync_time),
    ]
    if not info.in_use:
        blocks.append(note("not in use: answers come from the bundled corpus"))
    return blocks + [
        Sentence(f"account {entry.account} ({entry.partition}) {as_of_words(entry.fetched_at)}") for entry in accounts
    ]


def verified_words(counts: Counts | None) -> str:
    """Return that the cache is intact, and how much is in it."""
    if counts is None:
        return "The corpus is intact; there is no cache yet."
    return f"{counts.policies:,} policies and {counts.versions:,} versions are intact."


def undone_words(data: DataStatus | None) -> str:
    """Return where the policies come from after a sync was undone."""
    if data is None:
        return "There is no sync to undo."
    return f"Undone: the policies are again from {data.source}, known until {data.newest:%Y-%m-%d}."


def cleared_words(size: int) -> str:
    """Return how much space was freed, and what is kept."""
    snapshots_stay = "Snapshots of accounts are kept (--accounts deletes them)."
    return f"Freed {size:,} bytes; the next start fills the cache again. {snapshots_stay}"


def forgotten_words(count: int, account: str | None) -> str:
    """Return how many snapshots were deleted, of one account or of all."""
    return f"Deleted {counted(count, 'file')} about {f'account {account}' if account else 'all accounts'}."


def sync_blocks(report: SyncReport) -> list[Block]:
    """Return what is new, what conflicts, and what AWS no longer lists."""
    until = f", known until {report.known_until:%Y-%m-%d %H:%M} UTC" if report.known_until else ""
    lines: list[Span] = [
        *(Span(f"new policy {name}", "good") for name in report.new_policies),
        *(Span(f"new version {name} {version_label(version)}", "good") for name, version in report.new_versions),
        *(
            Span(f"a different document for {name} {version_label(number)}", "warn")
            for name, number in report.conflicts
        ),
        *(Span(f"no longer listed by AWS, kept here: {name}", "warn") for name in report.withdrawn),
    ]
    title = Heading(f"{report.source} (partition {report.partition}){until}", 1)
    return [title, Tree([Node(line) for line in lines or [Span("nothing is new")]])]


def sync_words(report: SyncReport) -> str:
    """Return what a sync found, in a sentence."""
    counts = [
        (len(report.new_versions), "new version"),
        (len(report.new_policies), "new policy"),
        (len(report.withdrawn), "policy withdrawn by AWS"),
        (len(report.conflicts), "differing document, replaced by AWS's"),
    ]
    words = ", ".join(f"{count} × {noun}" for count, noun in counts if count) or "nothing is new"
    skipped = [f"Some of it was skipped: {skip.place}: {skip.reason}" for skip in report.skipped[:1]]
    missing = [] if report.complete else skipped or ["Not everything could be read; r continues."]
    return " ".join([f"Policies compared with {report.source}: {words}.", *missing])


def settings_blocks(effective: Effective) -> list[Block]:
    """Return one row per setting: its name, its value, and where that comes from."""
    rows = [
        TableRow(
            (
                name,
                _setting_words(getattr(effective.settings, name)),
                Span(origin, "muted" if origin == "default" else ""),
            )
        )
        for name, origin in effective.origins.items()
    ]
    columns = (Column("Setting"), Column("Value", 12, shrink=1), Column("From", 12, shrink=2))
    return [Heading(f"{effective.path}{'' if effective.file_found else ' (no such file)'}", 1), Table(columns, rows)]


def _setting_words(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(map(str, value)) or "—"
        case Mapping():
            return "; ".join(f"{name} = {keys}" for name, keys in value.items()) or "—"
    return "—" if value is None else str(value)
