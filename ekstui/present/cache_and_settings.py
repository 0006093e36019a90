"""The local cache, the result of a sync, and the settings."""

from collections.abc import Mapping, Sequence

from ekstui.core.policy import version_label
from ekstui.core.text import counted
from ekstui.library import CacheInfo, DataStatus
from ekstui.library.results import Counts
from ekstui.library.syncing import SyncReport
from ekstui.present.blocks import Block, Column, Heading, Node, Sentence, Span, Table, TableRow, Tree, note
from ekstui.settings import SETTINGS, Effective
from ekstui.store.accounts import StoredAccount


def cache_blocks(info: CacheInfo, accounts: Sequence[StoredAccount]) -> list[Block]:
    """Return what is in the cache, and which accounts have a snapshot."""
    synced = f"synced {info.synced_at:%Y-%m-%d %H:%M} UTC" if info.synced_at else "never synced"
    blocks: list[Block] = [
        Heading(str(info.path), 1),
        Sentence(f"policies from {info.source}, known until {info.newest:%Y-%m-%d}"),
        Sentence(f"{info.policies:,} policies, {info.versions:,} versions, {info.size:,} bytes"),
        Sentence(synced),
    ]
    if not info.in_use:
        blocks.append(note("not in use: answers come from the bundled corpus"))
    return blocks + [
        Sentence(f"account {entry.account} ({entry.partition}) as of {entry.fetched_at:%Y-%m-%d %H:%M} UTC")
        for entry in accounts
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


def cleared_words(freed: int) -> str:
    """Return how much space was freed, and what is kept."""
    kept = "Snapshots of accounts are kept (--accounts deletes them)."
    return f"Freed {freed:,} bytes; the next start fills the cache again. {kept}"


def forgotten_words(deleted: int, account: str | None) -> str:
    """Return how many snapshots were deleted, of one account or of all."""
    return f"Deleted {counted(deleted, 'file')} about {f'account {account}' if account else 'all accounts'}."


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


def settings_blocks(found: Effective) -> list[Block]:
    """Return one row per setting: its name, its value, and where that comes from."""
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
