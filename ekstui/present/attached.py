"""Who carries a policy: in the account, or in all accounts that AWS Config has recorded."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from ekstui.core.account import Attachments, OrganisationAnswer
from ekstui.core.trust import trust_word
from ekstui.core.words import age_in_words
from ekstui.library import AttachedAnswer
from ekstui.present.blocks import Block, Column, Heading, Sentence, Span, Table, TableRow, code, note
from ekstui.present.words import uses_words

LONGEST_IN_COLUMN = 28
"""A longer name stands on a line of its own, so that who uses a role is still seen in 80 columns."""

_COLUMNS = (Column("Name"), Column("Kind"), Column("As"), Column("Last used"), Column("Used by", 20, shrink=1))
_EVERYWHERE = (Column("Account"), Column("Name"), Column("Kind"), Column("As"), Column("Used by", 20, shrink=1))


def attached_blocks(answer: AttachedAnswer, now: datetime) -> list[Block]:
    """Return a carrier a row: name, what uses it, when it was last used; and what was not looked at."""
    attachments, identity = answer.attachments, answer.identity
    rows: list[tuple[str, ...]] = []
    for entry in attachments.roles:
        role = entry.role
        rows.append(
            (
                role.name,
                "service-linked role" if role.service_linked else "role",
                "boundary" if entry.carried_as == ("boundary",) else ", ".join(entry.carried_as),
                age_in_words(role.last_used, now) if role.last_used else "—",
                uses_words(entry.used_by) or trust_word(role.trust, identity.account),
            )
        )
    rows += [(entry.user.name, "user", ", ".join(entry.carried_as), "", "") for entry in attachments.users]
    rows += [(group.name, "group", "permissions", "", "") for group in attachments.groups]
    as_of = f"account {identity.account} ({identity.partition}), as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC"
    blocks: list[Block] = [Heading(_name(attachments.policy_arn), 1), Sentence(as_of)]
    if rows:
        blocks.append(Table(_COLUMNS, list(_spanned(rows))))
        blocks += map(note, remarks_in_words(attachments))
        blocks.append(Sentence(Span("Last used: IAM tracks 400 days; — means no activity in them.", "muted")))
    elif attachments.proven_empty:
        blocks.append(Sentence("Nothing in this account carries it."))
    return [*blocks, *_unseen(attachments.not_looked_at)]


def remarks_in_words(attachments: Attachments) -> list[str]:
    """Return what other policies of the roles make of this one, each remark once with the roles that it is about."""
    remarks = dict.fromkeys(remark for entry in attachments.roles for remark in entry.remarks)
    return [
        f"{', '.join(entry.role.name for entry in attachments.roles if remark in entry.remarks)}: {remark}"
        for remark in remarks
    ]


def everywhere_blocks(answer: OrganisationAnswer) -> list[Block]:
    """Return a carrier of any account a row; an empty answer proves nothing, since Config may not have recorded it."""
    blocks: list[Block] = [
        Heading(_name(answer.policy_arn), 1),
        Sentence(f"aggregator {answer.aggregator} of AWS Config, as far as it has recorded"),
    ]
    rows = [
        TableRow((each.account, code(each.name), each.kind, ", ".join(each.carried_as), uses_words(each.used_by)))
        for each in answer.carriers
    ]
    if rows:
        blocks.append(Table(_EVERYWHERE, rows))
    else:
        blocks.append(Sentence("AWS Config has recorded nobody who carries it."))
    return [*blocks, *_unseen(answer.not_looked_at)]


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _spanned(rows: Sequence[tuple[str, ...]]) -> Iterator[TableRow]:
    for name, *others in rows:
        if len(name) > LONGEST_IN_COLUMN:
            yield TableRow((code(name),))
            yield TableRow(("", *others))
        else:
            yield TableRow((code(name), *others))


def _unseen(places: Sequence[str]) -> list[Block]:
    return [Sentence(Span(f"Not looked at: {place}", "muted")) for place in places]
