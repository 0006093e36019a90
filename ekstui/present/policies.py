"""The policies of a scope."""

from collections.abc import Sequence

from ekstui.core.policy import version_label
from ekstui.library import PolicyEntry
from ekstui.present.blocks import Block, Column, Span, Table, TableRow, code

_COLUMNS = (Column("Policy"), Column("Default"), Column("Updated"), Column("Kind"), Column("", 12, shrink=1))


def policies_blocks(entries: Sequence[PolicyEntry]) -> list[Block]:
    """Return a policy a row: name, default version, when it was updated, and what it is."""
    return [
        Table(
            _COLUMNS,
            [
                TableRow(
                    (
                        code(entry.policy.name),
                        version_label(entry.policy.default_version),
                        f"{entry.policy.updated:%Y-%m-%d}" if entry.policy.updated else "date unknown",
                        entry.policy.kind,
                        Span(f"superseded by {entry.superseded_by}", "warn")
                        if entry.superseded_by
                        else Span((entry.purpose or "") if entry.policy.home else "", "muted"),
                    ),
                    entry,
                    entry.policy.arn,
                )
                for entry in entries
            ],
        )
    ]
