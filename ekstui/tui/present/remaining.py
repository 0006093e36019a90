"""What a document does not allow, as rows: the console's `Show remaining`."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import groupby

from ekstui.core.reference import LEVELS, ActionInfo
from ekstui.core.remaining import Remaining
from ekstui.core.text import clean_line
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.permissions import LEVEL_TONES


@dataclass(frozen=True, slots=True)
class RemainingService:
    """A service of which some actions are not allowed."""

    service: str


def remaining_rows(remaining: Remaining, opened: Collection[str], width: int) -> list[Row]:
    """Return the services of which some actions are not allowed, opened ones with those, then all other services."""
    rows = [Row(("title", 0), (styled("Not allowed by this version (m goes back)", "strong"),), selectable=False)]
    for service, actions in remaining.actions.items():
        mark = "▾ " if service in opened else "▸ "
        line: Styled = ((mark, "muted"), (clean_line(service), "strong"), (f"  {len(actions)} actions", ""))
        rows.append(Row(("remaining", service), (line,), RemainingService(service)))
        if service in opened:
            rows += _actions(service, actions)
    words = f"Nothing is allowed of {len(remaining.services)} other services:"
    rows.append(Row(("title", 1), (styled(words, "strong"),), selectable=False))
    rows += [
        Row(("others", index), (((("  "), ""), *line),), selectable=False)
        for index, line in enumerate(wrap(styled(", ".join(remaining.services), "muted"), max(width - 2, 20)))
    ]
    return rows


def _actions(service: str, actions: Collection[ActionInfo]) -> list[Row]:
    ordered = sorted(actions, key=lambda info: (LEVELS.index(info.level) if info.level in LEVELS else 9, info.name))
    rows: list[Row] = []
    for level, group in groupby(ordered, key=lambda info: info.level):
        rows.append(Row((service, level), (styled(f"    {level}", LEVEL_TONES.get(level, "")),), selectable=False))
        rows += [Row(("missing", info.name), (styled(f"      {info.name.partition(':')[2]}"),), info) for info in group]
    return rows
