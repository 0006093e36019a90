"""The account, its roles and what uses them, as rows and lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ekstui.core.text import age_in_words, clean_line, use_in_words
from ekstui.errors import EkstuiError
from ekstui.present.styled import Row, Style, Styled, plain, styled, wrap
from ekstui.tui.account import AccountView

if TYPE_CHECKING:
    # The header is made here before anything of an account is read.
    from ekstui.core.account import Attachments, Role, RoleAttachment, SourceError, Use
    from ekstui.library import AttachedAnswer

TRACKED = "no activity in the 400 days that IAM tracks"


def account_words(view: AccountView, now: datetime, *, whole: bool) -> Styled:
    """Return the header's words about the account: whose, how old, and what is wrong with it."""
    parts: list[tuple[str, Style]] = []
    if view.snapshot:
        identity = view.snapshot.identity
        name = clean_line(identity.profile or identity.method or "account")
        parts.append((f"{name} {identity.account}", ""))
        if identity.partition != "aws":
            parts.append((f" {identity.partition}", "warn"))
        if identity.endpoint:
            parts.append((f" via {clean_line(identity.endpoint.partition('://')[2] or identity.endpoint)}", "warn"))
        parts.append((f" · {age_in_words(view.snapshot.fetched_at, now)}", "muted"))
        if not view.snapshot.complete or view.snapshot.errors:
            parts.append((" · incomplete", "warn"))
        if view.error and not view.asking:
            parts.append((" · not renewed (i says why)" if whole else " · not renewed", "warn"))
    elif view.asking:
        parts.append(("asking AWS", "muted"))
    else:
        parts.append(("no account (a chooses one)" if whole else "no account", "muted"))
    return tuple(parts)


def attached_rows(answer: AttachedAnswer, now: datetime, width: int) -> list[Row]:
    """Return who carries a policy as rows; what is missing or was not looked at says so."""

    from ekstui.present.account import remarks_in_words  # 15 ms, which the first paint does without

    attachments = answer.attachments
    account = answer.identity.account
    rows = [_role(entry, account, now) for entry in sorted(attachments.roles, key=_certainty)]
    rows += [
        Row(("user", entry.user.name), (_name(entry.user.name, "user "), _as(entry.carried_as), styled("")), entry)
        for entry in attachments.users
    ]
    rows += [
        Row(("group", group.name), (_name(group.name, "group "), styled(""), styled("")), group)
        for group in attachments.groups
    ]
    for remark in remarks_in_words(attachments):
        rows += _lines(("remark", remark), f"! {remark}", "warn", width)
    if attachments.proven_empty:
        rows.append(_note("none", "Nothing in this account carries it.", "muted"))
    if not attachments.complete:
        rows += _lines("incomplete", "Incomplete: not every role, user and group was read.", "warn", width)
    for index, error in enumerate(attachments.errors):
        rows += error_rows(("error", index), error, width)
    return rows


def attachment_line(value: object) -> Styled:
    """Return a role's ARN, how it carries the policy and all that uses it; empty for what is no attachment."""
    from ekstui.core.account import RoleAttachment

    if isinstance(value, RoleAttachment):
        uses = "; ".join(use_words(use) for use in value.used_by) or "no use was found"
        carried = "  as its boundary" if "boundary" in value.carried_as else ""
        return ((clean_line(value.role.arn or value.role.name), "strong"), (carried, "warn"), (f"  {uses}", ""))
    return ()


def attached_note(attachments: Attachments) -> str:
    """Return how many carry the policy, with `at least` where not everything was read."""
    parts = [
        f"{len(carriers)} {noun}{'' if len(carriers) == 1 else 's'}"
        for noun, carriers in (("role", attachments.roles), ("user", attachments.users), ("group", attachments.groups))
        if carriers
    ]
    if not parts:
        return "none" if attachments.proven_empty else "unknown"
    return ("" if attachments.complete else "at least ") + ", ".join(parts)


def error_rows(key: object, error: SourceError, width: int) -> list[Row]:
    """Return what could not be read, and what to do about it."""
    where = f" in {error.region}" if error.region else ""
    action = f"{error.action}{where}: " if error.action else ""
    return _lines(key, f"! {action}{error.message} {error.next_step}".strip(), "warn", width)


def stale_rows(error: EkstuiError, width: int) -> list[Row]:
    """Return why AWS could not be asked, to stand above what was known before."""
    return [
        *_lines("stale", f"! {error.message} {error.next_step}".strip(), "warn", width),
        *_lines("before", "What was known before:", "muted", width),
    ]


def use_words(use: Use) -> str:
    """Return what uses a role in a few words, safe to show."""
    return clean_line(use_in_words(use))


def uses_words(uses: Sequence[Use]) -> Styled:
    """Return what uses a role: the first use, and how many more."""
    if not uses:
        return styled("")
    more = f" +{len(uses) - 1}" if len(uses) > 1 else ""
    return ((use_words(uses[0]), "" if uses[0].certainty == "confirmed" else "muted"), (more, "accent"))


def last_used(role: Role, now: datetime) -> Styled:
    """Return when a role was last used: `2 h`, `212 d`, or a dash where IAM tracked no activity."""
    if role.last_used is None:
        return styled("—" if role.extent != "name" else "?", "muted")
    return styled(age_in_words(role.last_used, now).removesuffix(" ago"), "muted")


def _certainty(entry: RoleAttachment) -> int:
    """Return the order of the roles: confirmed uses, then inferred ones, then the others."""
    if not entry.used_by:
        return 2
    return 0 if any(use.certainty == "confirmed" for use in entry.used_by) else 1


def _role(entry: RoleAttachment, account: str, now: datetime) -> Row:
    from ekstui.core.trust import trust_word

    role = entry.role
    used = uses_words(entry.used_by)
    if not plain(used):
        used = styled(clean_line(trust_word(role.trust, account)), "muted")
    boundary: Styled = () if "boundary" not in entry.carried_as else ((" boundary", "warn"),)
    linked: Styled = ((" service-linked", "muted"),) if role.service_linked else ()
    name: Styled = ((clean_line(role.name), ""), *linked, *boundary)
    return Row(("role", role.arn or role.name), (name, used, last_used(role, now)), entry)


def _name(name: str, kind: str) -> Styled:
    return ((kind, "muted"), (clean_line(name), ""))


def _as(ways: Sequence[str]) -> Styled:
    return styled("boundary", "warn") if "boundary" in ways else styled("")


def _note(key: object, text: str, tone: Style) -> Row:
    return Row(key_of(key), (styled(clean_line(text), tone),), selectable=False)


def _lines(key: object, text: str, tone: Style, width: int) -> list[Row]:
    return [
        Row((key_of(key), index), (line,), selectable=False)
        for index, line in enumerate(wrap(styled(clean_line(text), tone), width))
    ]


def key_of(key: object) -> str:
    """Return a row's key for a note."""
    return repr(key)
