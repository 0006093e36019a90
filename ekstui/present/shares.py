"""How much of a service's access levels is granted: a bar in eighths of a cell, and the count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.iam.reference import LEVELS
from ekstui.present.blocks import level_style
from ekstui.present.styled import Style, Styled

if TYPE_CHECKING:
    from ekstui.iam.console import LevelCount
    from ekstui.iam.summary import ServiceSummary

EIGHTHS = "▏▎▍▌▋▊▉█"

SHORT_LEVELS = {"Tagging": "Tag", "Permissions management": "Perm"}
"""The levels whose names are shortened in columns."""


def bar(granted: int, total: int) -> str:
    """Return a share as one cell: at least an eighth if any is granted, and whole only if all is."""
    if not granted:
        return ""
    eighths = round(len(EIGHTHS) * granted / total)
    return EIGHTHS[min(max(eighths, 1), len(EIGHTHS) - (granted < total)) - 1]


def share(level: str, count: LevelCount | None) -> Styled:
    """Return a bar and a count, such as `▏14/224`; nothing if none is granted."""
    if count is None or not count.granted:
        return ()
    style: Style = "" if level == "List" else level_style(level)
    if not count.total:  # of actions that the reference lacks, how many there are is not known
        return ((str(count.granted), "muted"),)
    return (bar(count.granted, count.total), style), (f"{count.granted}/{count.total}", "muted")


def granted_levels(services: Sequence[ServiceSummary]) -> list[str]:
    """Return the access levels of which any service has something, in the console's order."""
    granted = {level for service in services for level, count in service.levels.items() if count.granted}
    ordered = dict.fromkeys(level for service in services for level in service.levels)
    return [level for level in (*LEVELS, *(level for level in ordered if level not in LEVELS)) if level in granted]
