"""What answers rest on, the account, the cache and the settings; and who in the account has a policy attached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import name_in, version_label
from ekstui.eks.account_snapshot import AccountSnapshot, Attachments, OrganisationAnswer, RoleAttachment
from ekstui.eks.cluster import Cluster
from ekstui.iam.text import age_in_words, counted
from ekstui.present.attachment_rows import AttachmentRow, attachment_rows, last_used_legend
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    as_of_words,
    code,
    error_notes,
    facts_tree,
    muted,
    none_known,
    not_looked_at,
    note,
    section,
    uses_words,
    verdict_span,
)
from ekstui.settings import Effective

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer
    from ekstui.library.copies import CopyAnswer
    from ekstui.library.library import DataStatus
    from ekstui.library.maintenance import CacheInfo, Counts
    from ekstui.library.syncing import SyncReport
    from ekstui.store.accounts import StoredAccount

_CLUSTERS = (Column("Cluster"), Column("Region"), Column("Version"), Column("Nodes"), Column("EKS reports"))


def account_blocks(snapshot: AccountSnapshot, now: datetime) -> list[Block]:
    """Return which account it is, one row per cluster, and what could not be read."""
    clusters = snapshot.eks.clusters if snapshot.eks else ()
    block: Block = (
        Table(_CLUSTERS, [_cluster(cluster) for cluster in clusters]) if clusters else Sentence(none_known(snapshot))
    )
    return [*identity_blocks(snapshot, now), Heading("Clusters"), block, *unread_blocks(snapshot)]


def identity_blocks(snapshot: AccountSnapshot | None, now: datetime) -> list[Block]:
    """Return which account it is, how and when it was read, and what is in it; `snapshot` is None if none was read."""
    if snapshot is None:
        return [muted("nothing is known yet")]
    identity = snapshot.identity
    whole = "complete" if snapshot.complete and not snapshot.errors else "incomplete"
    facts = (
        ("account", identity.account),
        ("partition", identity.partition),
        ("asked as", identity.arn),
        ("credentials", identity.method or "not known"),
        ("profile", identity.profile or "none"),
        ("region", identity.region or "none"),
        ("endpoint", identity.endpoint or "AWS's own"),
        ("read", f"{age_in_words(snapshot.fetched_at, now)}, {whole}"),
        ("contains", _contents(snapshot)),
    )
    return [facts_tree(facts)]


def unread_blocks(snapshot: AccountSnapshot) -> list[Block]:
    """Return what could not be read, and what was not looked at."""
    blocks: list[Block] = [Heading("Could not be read"), *error_notes(snapshot.errors)] if snapshot.errors else []
    return blocks + not_looked_at(snapshot.not_looked_at)


def copies_blocks(copies: Sequence[CopyAnswer]) -> list[Block]:
    """Return the account's policies that started as copies of AWS's, and how they differ from those today."""
    title = Span("Your policies that started as copies of AWS's or of a controller's", "strong")
    return section((title, Span(" (enter compares)", "strong", shown="app")), [*map(_copy, copies)])


def _cluster(cluster: Cluster) -> TableRow:
    mode = {True: "Auto Mode", False: "own", None: "not known"}[cluster.auto_mode]
    issues = len(cluster.all_issues)
    some = counted(issues, "issue") if cluster.issues_known else f"{counted(issues, 'issue')}, not all read"
    nothing = "nothing" if cluster.issues_known else "not known"
    reports = Span(some, "bad") if issues else Span(nothing, "muted")
    return TableRow((code(cluster.name), cluster.region, cluster.version or "not known", mode, reports), cluster)


def _contents(snapshot: AccountSnapshot) -> str:
    if not (snapshot.complete or snapshot.roles or snapshot.users or snapshot.groups or snapshot.local_policies):
        return "not known: it could not be read"
    parts = (
        counted(len(snapshot.roles), "role"),
        counted(len(snapshot.users), "user"),
        counted(len(snapshot.groups), "group"),
        counted(len(snapshot.local_policies), "policy of its own", "policies of its own"),
    )
    return ("" if snapshot.complete else "at least ") + ", ".join(parts)


def _copy(answer: CopyAnswer) -> Node:
    copy = answer.copy
    newest = version_label(copy.original.default_version)
    today = f"the newest, {newest}" if copy.original.home else f"today's {newest}"
    line = (
        code(copy.local.name, "strong"),
        f" is {copy.overlap:.0%} {copy.original.name} {version_label(copy.version)}; to {today}: ",
        verdict_span(answer.change),
    )
    return Node(line, value=answer, key=("copy", copy.local.arn))


LONGEST_IN_COLUMN = 28
"""The longest name in the column, in characters; longer ones get their own line, to leave room for what uses a role."""

_COLUMNS = (Column("Name"), Column("Kind"), Column("As"), Column("Last used"), Column("Used by", 20, shrink=1))
_EVERYWHERE = (Column("Account"), Column("Name"), Column("Kind"), Column("As"), Column("Used by", 20, shrink=1))


def attached_blocks(answer: AttachedAnswer, now: datetime) -> list[Block]:
    """Return one row per role, user or group, with what uses it and when it was last used; then what was not looked at."""
    attachments, identity = answer.attachments, answer.identity
    rows = list(attachment_rows(answer, now))
    as_of = f"account {identity.account} ({identity.partition}), {as_of_words(answer.fetched_at)}"
    blocks: list[Block] = [Heading(name_in(attachments.policy_arn), 1), Sentence(as_of)]
    if rows:
        cells = [(row.name, row.kind, ", ".join(row.attached_as), row.last_used, _used_by(row)) for row in rows]
        blocks.append(Table(_COLUMNS, list(_spanned(cells))))
        blocks += map(note, remarks_in_words(attachments))
        if legend := last_used_legend(rows):
            blocks.append(muted(legend))
    elif attachments.proven_empty:
        blocks.append(Sentence("It is not attached in this account."))
    return [*blocks, *_unseen(attachments.not_looked_at)]


def _used_by(row: AttachmentRow) -> str:
    return (uses_words(row.entity.used_by) if isinstance(row.entity, RoleAttachment) else "") or row.trust


def remarks_in_words(attachments: Attachments) -> list[str]:
    """Return how other policies of the roles affect this one; each remark once, with the roles that it concerns."""
    remarks = dict.fromkeys(remark for entry in attachments.roles for remark in entry.remarks)
    return [
        f"{', '.join(entry.role.name for entry in attachments.roles if remark in entry.remarks)}: {remark}"
        for remark in remarks
    ]


def everywhere_blocks(answer: OrganisationAnswer) -> list[Block]:
    """Return one row per role, user or group of any account; an empty answer proves nothing, as Config may lack some."""
    blocks: list[Block] = [
        Heading(name_in(answer.policy_arn), 1),
        Sentence(f"as recorded by aggregator {answer.aggregator} of AWS Config"),
    ]
    rows = [
        TableRow(
            (
                attachment.account,
                code(attachment.name),
                attachment.kind,
                ", ".join(attachment.attached_as),
                uses_words(attachment.used_by),
            )
        )
        for attachment in answer.attachments
    ]
    if rows:
        blocks.append(Table(_EVERYWHERE, rows))
    else:
        blocks.append(Sentence("AWS Config has no record of anyone with it attached."))
    return [*blocks, *_unseen(answer.not_looked_at)]


def _spanned(rows: Sequence[tuple[str, ...]]) -> Iterator[TableRow]:
    for name, *others in rows:
        if len(name) > LONGEST_IN_COLUMN:
            yield TableRow((code(name),))
            yield TableRow(("", *others))
        else:
            yield TableRow((code(name), *others))


def _unseen(places: Sequence[str]) -> list[Block]:
    return [muted(f"Not looked at: {place}") for place in places]


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


def sync_words(report: SyncReport) -> str:
    """Return what a sync found, in a sentence."""
    counts = [
        (len(report.new_versions), "new version"),
        (len(report.new_policies), "new policy"),
        (len(report.withdrawn), "policy withdrawn by AWS"),
        (len(report.conflicts), "differing document, replaced by AWS's"),
    ]
    words = ", ".join(f"{count} × {what}" for count, what in counts if count) or "nothing is new"
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
