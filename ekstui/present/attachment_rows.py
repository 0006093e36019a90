"""Who has a policy attached, a row each: laid out once for the pane, the command and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from ekstui.eks.account_snapshot import Group, RoleAttachment, UserAttachment
from ekstui.iam.trust import trust_word
from ekstui.present.blocks import last_used_words

if TYPE_CHECKING:
    from ekstui.library.attachments import AttachedAnswer


class AttachmentRow(NamedTuple):
    """A role, user or group that has a policy attached, in words."""

    name: str
    kind: Literal["role", "service-linked role", "user", "group"]
    attached_as: tuple[str, ...]
    """`permissions`, `boundary` or both."""
    last_used: str
    """How long ago; `—` for no activity in the time that IAM tracks, `?` for a role that was not read, empty for others."""
    trust: str
    """Whom a role trusts, in a word, for roles without a known use."""
    entity: RoleAttachment | UserAttachment | Group


def attachment_rows(answer: AttachedAnswer, now: datetime) -> Iterator[AttachmentRow]:
    """Yield roles, those with a confirmed use first and those without a use last; then users and groups."""
    attachments = answer.attachments
    for entry in sorted(attachments.roles, key=_certainty):
        role = entry.role
        yield AttachmentRow(
            role.name,
            "service-linked role" if role.service_linked else "role",
            entry.attached_as,
            last_used_words(role, now),
            trust_word(role.trust, answer.identity.account),
            entry,
        )
    for user in attachments.users:
        yield AttachmentRow(user.user.name, "user", user.attached_as, "", "", user)
    for group in attachments.groups:
        yield AttachmentRow(group.name, "group", ("permissions",), "", "", group)


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
