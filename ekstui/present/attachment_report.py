"""Who has a policy attached, a row each: laid out once for the pane, the command and Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.change.policy import name_in
from ekstui.eks.account_snapshot import Group, OrganisationAnswer, RoleAttachment, UserAttachment
from ekstui.eks.trust import trust_word
from ekstui.eks.use_words import use_in_words
from ekstui.iam.text import clean_line, counted
from ekstui.library.notation import RoleSide
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Sentence,
    Span,
    Table,
    TableRow,
    as_of_words,
    code,
    error_notes,
    incomplete_words,
    last_used_words,
    muted,
    note,
    uses_words,
)
from ekstui.present.rendering import rows as rendered
from ekstui.present.styled import Row, Style, Styled, plain, styled

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer


class AttachmentRow(NamedTuple):
    """A role, user or group that has a policy attached, in words."""

    name: str
    kind: str
    """`role`, `service-linked role`, `user` or `group`."""
    attached_as: tuple[str, ...]
    """`permissions`, `boundary` or both; empty for a role that has a copy of the policy."""
    last_used: str
    """How long ago; `—` for no activity in the tracked time, `?` for a role that was not read, else empty."""
    trust: str
    """Whom a role trusts, in a word, for roles without a known use."""
    entity: RoleAttachment | UserAttachment | Group


def attachment_rows(answer: AttachedAnswer, now: datetime) -> Iterator[AttachmentRow]:
    """Yield roles, with a confirmed use first and without a use last; users and groups; roles with a copy."""
    attachments, account = answer.attachments, answer.identity.account
    for entry in sorted(attachments.roles, key=_certainty):
        yield _of_role(entry, account, now)
    for user in attachments.users:
        yield AttachmentRow(user.user.name, "user", user.attached_as, "", "", user)
    for group in attachments.groups:
        yield AttachmentRow(group.name, "group", ("permissions",), "", "", group)
    for entry in answer.copies:
        yield _of_role(entry, account, now)


def _of_role(entry: RoleAttachment, account: str, now: datetime) -> AttachmentRow:
    role, kind = entry.role, "service-linked role" if entry.role.service_linked else "role"
    return AttachmentRow(
        role.name, kind, entry.attached_as, last_used_words(role, now), trust_word(role.trust, account), entry
    )


def last_used_legend(rows: list[AttachmentRow]) -> str:
    """Return what the signs for a last use mean, as far as they occur; empty if none does."""
    signs = {row.last_used for row in rows}
    parts = [
        words
        for sign, words in (("—", "— means no activity in that time"), ("?", "? means that the role was not read"))
        if sign in signs
    ]
    return f"Last used: IAM tracks 400 days; {', '.join(parts)}." if parts else ""


def _certainty(entry: RoleAttachment) -> int:
    if not entry.used_by:
        return 2
    return 0 if any(use.certainty == "confirmed" for use in entry.used_by) else 1


# A longer name gets its own line, to leave room for what uses the role.
_COLUMNS = (
    Column("Name", longest=28),
    Column("Kind"),
    Column("As"),
    Column("Last used"),
    Column("Used by", 20, shrink=1),
)


_EVERYWHERE = (Column("Account"), Column("Name"), Column("Kind"), Column("As"), Column("Used by", 20, shrink=1))


def attached_blocks(answer: AttachedAnswer, now: datetime) -> list[Block]:
    """Return a row per role, user or group, with its uses and last use; then what was not looked at."""
    attachments, identity = answer.attachments, answer.identity
    as_of = f"account {identity.account} ({identity.partition}), {as_of_words(answer.fetched_at)}"
    blocks: list[Block] = [Heading(name_in(attachments.policy_arn), 1), Sentence(as_of), *table_blocks(answer, now)]
    if attachments.proven_empty:
        blocks.append(Sentence("It is not attached in this account."))
    return [*blocks, *_unseen(attachments.not_looked_at)]


def table_blocks(answer: AttachedAnswer, now: datetime) -> list[Block]:
    """Return one row per role, user or group, then remarks on them; nothing if there is none."""
    rows = list(attachment_rows(answer, now))
    if not rows:
        return []
    blocks: list[Block] = [Table(_COLUMNS, list(map(_table_row, rows)))]
    blocks += map(note, remarks_in_words(answer))
    return [*blocks, *([muted(legend)] if (legend := last_used_legend(rows)) else [])]


def _table_row(row: AttachmentRow) -> TableRow:
    entity = row.entity
    uses = (uses_words(entity.used_by) if isinstance(entity, RoleAttachment) else "") or row.trust
    role = RoleSide(entity.role.arn or row.name) if isinstance(entity, RoleAttachment) else None
    return TableRow((code(row.name), row.kind, ", ".join(row.attached_as) or "a copy", row.last_used, uses), role)


def entities_words(roles: int, users: int, groups: int, nobody: str, *, complete: bool) -> str:
    """Return how many have a policy attached, with `at least` if not everything was read."""
    counts = ((roles, "role"), (users, "user"), (groups, "group"))
    words = ", ".join(counted(number, noun) for number, noun in counts if number)
    return f"{'' if complete or not words else 'at least '}{words or nobody}"


def pane_note(answer: AttachedAnswer) -> str:
    """Return how many have the policy attached or a copy of it, and how much was not looked at."""
    attachments = answer.attachments
    parts = [
        entities_words(
            len(attachments.roles),
            len(attachments.users),
            len(attachments.groups),
            "none" if attachments.proven_empty else "unknown",
            complete=attachments.complete,
        )
    ]
    if answer.copies:
        parts.append(f"{counted(len(answer.copies), 'role')} with a copy")
    if attachments.not_looked_at:
        parts.append(f"{len(attachments.not_looked_at)} not looked at: a")
    return " · ".join(parts)


def remarks_in_words(answer: AttachedAnswer) -> list[str]:
    """Return how other policies of the roles affect this one; each remark once, with the roles that it concerns."""
    roles = (*answer.attachments.roles, *answer.copies)
    remarks = dict.fromkeys(remark for entry in roles for remark in entry.remarks)
    return [
        f"{', '.join(entry.role.name for entry in roles if remark in entry.remarks)}: {remark}" for remark in remarks
    ]


def everywhere_blocks(answer: OrganisationAnswer) -> list[Block]:
    """Return a row per role, user or group of any account; none is no proof, as Config may lack some."""
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


def _unseen(places: Sequence[str]) -> list[Block]:
    return [muted(f"Not looked at: {place}") for place in places]


def attached_rows(answer: AttachedAnswer, now: datetime, width: int) -> list[Row]:
    """Return who has a policy attached as rows, followed by notes on what could not be read."""
    attachments = answer.attachments
    lines = list(map(_pane_row, attachment_rows(answer, now)))
    notes: list[Block] = [*map(note, remarks_in_words(answer))]
    if attachments.proven_empty:
        notes.append(muted("It is not attached in this account."))
    if not attachments.complete:
        notes.append(Sentence(Span(incomplete_words(), "warn")))
    return lines + rendered([*notes, *error_notes(attachments.errors)], width)


def _pane_row(entry: AttachmentRow) -> Row:
    entity, is_boundary = entry.entity, "boundary" in entry.attached_as
    name = clean_line(entry.name)
    if not isinstance(entity, RoleAttachment):
        title: Styled = ((f"{entry.kind} ", "muted"), (name, ""))
        return Row((entry.kind, entry.name), (title, styled("boundary" if is_boundary else "", "warn"), ()), entity)
    first, *further_uses = entity.used_by or (None,)
    use_cell: Styled = styled(clean_line(entry.trust), "muted")
    if not entry.attached_as:
        use_cell = styled("has a copy", "warn")
    elif first:
        style: Style = "" if first.certainty == "confirmed" else "muted"
        use_cell = (clean_line(use_in_words(first)), style), (f" +{len(further_uses)}" if further_uses else "", "muted")
    boundary: Styled = ((" boundary", "warn"),) if is_boundary else ()
    service_linked: Styled = ((" service-linked", "muted"),) if entity.role.service_linked else ()
    return Row(
        ("role" if entry.attached_as else "copy", entity.role.arn or entry.name),
        (((name, ""), *service_linked, *boundary), use_cell, styled(entry.last_used.removesuffix(" ago"), "muted")),
        entity,
    )


_IN_PANE = (Column("", 12, share=3, names=True), Column("", 10, share=2), Column("", 6, right=True))


def pane_columns(rows: Sequence[Row], width: int) -> tuple[Column, ...]:
    """Return columns wide enough for names and uses; names take precedence."""
    _, use_column, last = _IN_PANE
    names, uses = ([len(plain(row.cells[index])) for row in rows if len(row.cells) == 3] for index in (0, 1))
    room = max(width - last.width - 2, 2 * use_column.width)
    name = min(max(names, default=12), room - min(max(uses, default=use_column.width), use_column.width + room // 4))
    return (Column("", name, names=True), Column("", use_column.width, share=1), last)
