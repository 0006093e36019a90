"""The policy list and the header as rows and lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ekstui.core.policy import version_label
from ekstui.core.text import clean_line
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, styled

if TYPE_CHECKING:
    from ekstui.library import DataStatus, PolicyEntry


def policy_row(entry: PolicyEntry, *, marked: bool = False, changed: bool = False, carriers: int | None = None) -> Row:
    """Return a policy as a row: mark, name, how many entities carry it (where that is known), version."""
    policy = entry.policy
    mark: Styled = styled("◆", "accent") if marked else styled("!", "warn") if changed else styled(" ")
    name: Styled = styled(clean_line(policy.name), "muted" if entry.superseded_by else "")
    version = styled(version_label(policy.default_version), "muted")
    if carriers is None:
        return Row(policy.arn, (mark, name, version), entry)
    return Row(policy.arn, (mark, name, styled(str(carriers) if carriers else "", "muted"), version), entry)


def header(status: DataStatus, shown: int, scope: str, account: Styled, filling: str) -> Styled:
    """Return the header's line: how many policies, until when they are known, and whose account is shown."""
    known = status.newest.strftime("%Y-%m-%d") if status.newest else "unknown"
    words = f"EKS {shown} of {status.policies:,}" if scope == "eks" else f"all {status.policies:,}"
    return (
        (" ekstui ", "strong"),
        (f"  {words} · known until {known}", ""),
        (" · ", "muted"),
        *account,
        (filling, "muted"),
    )
