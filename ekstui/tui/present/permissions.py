"""What a version permits as rows: services, why they are needed, and their actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.core.text import clean_line
from ekstui.present.blocks import Column
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, styled
from ekstui.present.wrapping import wrap

if TYPE_CHECKING:
    from ekstui.core.summary import ActionSummary, ServiceSummary

ROOM_FOR_CONDITIONS = 60
"""Columns from which the condition has a column of its own."""

COLUMNS = (
    Column("Service", 12, share=2), Column("Access level", 14, share=4), Column("Resource", 9, share=1),
    Column("Condition", 9, share=1),
)  # fmt: skip
NARROW_COLUMNS = (Column("Service", 12, share=1), Column("Access level", 14, share=3), Column("On", 9))

LEVEL_TONES: Mapping[str, Tone] = {
    "List": "muted",
    "Read": "muted",
    "Tagging": "warn",
    "Write": "warn",
    "Permissions management": "bad",
    "unknown": "muted",
}


def columns_for(width: int) -> tuple[Column, ...]:
    """Return the columns of the table for a pane of `width` columns."""
    return COLUMNS if width >= ROOM_FOR_CONDITIONS else NARROW_COLUMNS


def service_rows(
    services: Sequence[ServiceSummary], opened: Collection[tuple[str, str]], reasons: Mapping[str, str], width: int
) -> list[Row]:
    """Return the console's table as rows: a service each, and under an opened one why, then its actions by level."""
    rows: list[Row] = []
    sections = {_section(service) for service in services}
    section = None
    for service in services:
        if len(sections) > 1 and _section(service) != section:
            section = _section(service)
            rows.append(Row(("section", section), (styled(section, "strong"),), selectable=False))
        rows += _service(
            service,
            opened=(service.effect, service.service) in opened,
            reason=reasons.get(service.service),
            width=width,
        )
    return rows


def _section(service: ServiceSummary) -> str:
    if not service.recognised:
        return "Uncategorized services"
    return "Explicit deny" if service.effect == "Deny" else "Allow"


def _service(service: ServiceSummary, *, opened: bool, reason: str | None, width: int) -> list[Row]:
    key = (service.effect, service.service)
    tone: Tone = "bad" if service.effect == "Deny" else "strong"
    rows = [
        Row(
            key,
            (
                (("▾ " if opened else "▸ ", "muted"), (clean_line(service.service), tone)),
                access(service, width),
                *_scope(service.resource, service.condition, width),
            ),
            service,
        )
    ]
    rows += [
        Row((key, "warning", text), ((("    ! ", "warn"), (clean_line(text), "warn")),), selectable=False)
        for text in service.warnings
    ]
    if not opened:
        return rows
    if reason:
        rows += [
            Row((key, "why", index), ((("      " if index else "    ", ""), *line),), selectable=False)
            for index, line in enumerate(wrap((("why: ", "muted"), (clean_line(reason), "")), max(width - 6, 20)))
        ]
    level = None
    for action in service.actions:
        if action.level != level:
            level = action.level
            count = service.levels.get(level)
            words = f"    {level} " + (f"{count.granted} of {count.total}" if count else "")
            rows.append(Row((key, level), (styled(words, LEVEL_TONES.get(level, "")),), selectable=False))
        rows.append(action_row(action, key, width))
    return rows


def action_row(action: ActionSummary, key: object, width: int) -> Row:
    """Return an action of an opened service as a row; a denial or a warning stands beside the name."""
    name: list[tuple[str, Tone]] = [("      " + clean_line(action.action.partition(":")[2]), "")]
    if len(action.levels) > 1:
        name.append((f"  also {' and '.join(action.levels[1:])}", "muted"))
    if action.denied:
        name.append((f"  denied: {action.denied}", "bad"))
    name += [(f"  ! {clean_line(warning)}", "warn") for warning in action.warnings]
    return Row(
        (key, "action", action.action),
        (
            tuple(name),
            *_scope(action.resource, action.condition, width),
        ),
        action,
        merged=1,
    )


def _scope(resource: str, condition: str, width: int) -> tuple[Styled, ...]:
    """Return the cells for resource and condition; where there is no room for both, one says whether there is an `if`."""
    where = clean_line("All" if resource == "All resources" else resource)
    unconditional = condition == "None"
    if width < ROOM_FOR_CONDITIONS:
        return (((where, ""), ("" if unconditional else " if", "warn")),)
    return styled(where), styled(clean_line(condition), "muted" if unconditional else "")


def access(service: ServiceSummary, width: int) -> Styled:
    """Return the console's words for the access level, with the count beside each limited one.

    Where there is little room the counts say that a level is limited, without the word.
    """
    full, separator, limited = service.access.partition("Limited: ")
    if not separator:
        return styled(service.access or "unknown to the reference", "" if service.access else "muted")
    prefix = full + separator if width >= ROOM_FOR_CONDITIONS else full
    words: list[tuple[str, Tone]] = [(prefix, "")]
    for index, level in enumerate(limited.split(", ")):
        count = service.levels.get(level)
        words.append((", " if index else "", ""))
        words.append((level, LEVEL_TONES.get(level, "") if level != "List" else ""))
        if count:
            words.append((f" {count.granted}/{count.total}", "muted"))
    return tuple(words)
