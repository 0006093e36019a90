"""The local cache, what a sync brought, and the settings."""

from collections.abc import Mapping, Sequence

from ekstui.core.policy import version_label
from ekstui.library import CacheInfo, DataStatus
from ekstui.library.results import Counts
from ekstui.library.syncing import SyncReport
from ekstui.present.blocks import Block, Column, Heading, Node, Sentence, Span, Table, TableRow, Tree, note
from ekstui.present.words import counted
from ekstui.settings import SETTINGS, Effective
from ekstui.store.accounts import StoredAccount


def cache_blocks(info: CacheInfo, accounts: Sequence[StoredAccount]) -> list[Block]:
    """Return what the cache has, and of which accounts something is kept."""
    synced = f"synced {info.synced_at:%Y-%m-%d %H:%M} UTC" if info.synced_at else "never synced"
    blocks: list[Block] = [
        Heading(str(info.path), 1),
        Sentence(f"policies from {info.source}, known until {info.newest:%Y-%m-%d}"),
        Sentence(f"{info.policies:,} policies, {info.versions:,} versions, {info.size:,} bytes"),
        Sentence(synced),
    ]
    if not info.in_use:
        blocks.append(note("the bundled corpus answers, not the cache"))
    return blocks + [
        Sentence(f"account {entry.account} ({entry.partition}) as of {entry.fetched_at:%Y-%m-%d %H:%M} UTC")
        for entry in accounts
    ]


def verified_words(counts: Counts | None) -> str:
    """Return what was found intact."""
    if counts is None:
        return "There is no cache yet; the corpus is intact."
    return f"{counts.policies:,} policies and {counts.versions:,} versions are intact."


def undone_words(data: DataStatus | None) -> str:
    """Return what answers rest on after a sync was undone."""
    if data is None:
        return "There is no sync to undo."
    return f"Undone: the policies are from {data.source} again, known until {data.newest:%Y-%m-%d}."


def cleared_words(freed: int) -> str:
    """Return how much space the cache took, and what is kept."""
    kept = "Snapshots of accounts are kept (--accounts deletes them)."
    return f"Freed {freed:,} bytes; the next start fills the cache again. {kept}"


def forgotten_words(deleted: int, account: str | None) -> str:
    """Return how many snapshots were deleted: of one account, or of all."""
    return f"Deleted {counted(deleted, 'file')} about {f'account {account}' if account else 'all accounts'}."


def sync_blocks(report: SyncReport) -> list[Block]:
    """Return what is new, what differs, and what AWS no longer lists."""
    until = f", known until {report.known_until:%Y-%m-%d %H:%M} UTC" if report.known_until else ""
    lines: list[Span] = [
        *(Span(f"new policy {name}", "good") for name in report.new_policies),
        *(Span(f"new version {name} {version_label(version)}", "good") for name, version in report.new_versions),
        *(Span(f"another document for {name} {version_label(number)}", "warn") for name, number in report.conflicts),
        *(Span(f"no longer listed by AWS, kept here: {name}", "warn") for name in report.withdrawn),
    ]
    title = Heading(f"{report.source} (partition {report.partition}){until}", 1)
    return [title, Tree([Node(line) for line in lines or [Span("nothing is new")]])]


def settings_blocks(found: Effective) -> list[Block]:
    """Return a setting a row: name, value, and whether default, file, environment or command line says so."""
    rows: list[TableRow] = []
    for setting in SETTINGS:
        origin = found.origins[setting.name]
        value = _words(getattr(found.settings, setting.name))
        rows.append(TableRow((setting.name, value, Span(origin, "muted" if origin == "default" else ""))))
    columns = (Column("Setting"), Column("Value", 12, shrink=1), Column("From", 12, shrink=2))
    return [Heading(f"{found.path}{'' if found.file_found else ' (no such file)'}", 1), Table(columns, rows)]


def _words(value: object) -> str:
    match value:
        case None | ():
            return "—"
        case bool():
            return "true" if value else "false"
        case tuple():
            return ", ".join(map(str, value))
        case Mapping():
            return "; ".join(f"{name} = {keys}" for name, keys in value.items()) or "—"
    return str(value)
