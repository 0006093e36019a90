"""What a version of a policy permits: the console's table, and under it the actions of each service."""

from collections.abc import Mapping, Sequence

from ekstui.core.policy import Policy, version_label
from ekstui.core.summary import ServiceSummary
from ekstui.present.blocks import Block, Column, Heading, Line, Sentence, Span, Table, TableRow, code, note

_SERVICES = (
    Column("Service"), Column("Access level", 24, shrink=1), Column("Resource", 14, shrink=1),
    Column("Condition", 14, shrink=1),
)  # fmt: skip
_ACTIONS = (Column(""), Column(""), Column("", 12, shrink=1), Column("", 12, shrink=1), Column("", 12, shrink=2))


def version_blocks(policy: Policy, version: int) -> list[Block]:
    """Return which version it is."""
    created = next(info.created for info in policy.versions if info.number == version)
    day = f"created {created:%Y-%m-%d}" if created else "date unknown"
    return [
        Heading(f"{policy.name} {version_label(version)}", 1),
        Sentence(code(policy.arn)),
        Sentence(f"{'default version' if version == policy.default_version else 'not the default version'}, {day}"),
    ]


def services_table(services: Sequence[ServiceSummary]) -> Table:
    """Return a service a row, in the console's words."""
    return Table(
        _SERVICES,
        [
            TableRow(
                (
                    Span(_name(service), "bad" if service.effect == "Deny" else ""),
                    access_words(service),
                    code(service.resource),
                    code(service.condition),
                )
            )
            for service in services
        ],
    )


def actions_blocks(services: Sequence[ServiceSummary], reasons: Mapping[str, str]) -> list[Block]:
    """Return the actions of each service, with why it is needed, by prefix, where that is known."""
    blocks: list[Block] = []
    for service in services:
        reason = reasons.get(service.service)
        blocks.append(Heading(f"{_name(service)}: {reason}" if reason else _name(service)))
        blocks += [note(warning) for warning in service.warnings]
        rows: list[TableRow] = []
        for action in service.actions:
            flags = [f"denied: {action.denied}"] if action.denied else []
            flags += [f"! {warning}" for warning in action.warnings]
            cells: tuple[Line, ...] = (code(action.action), action.level, action.resource, action.condition)
            rows.append(TableRow((*cells, Span("; ".join(flags), "warn"))))
        blocks.append(Table(_ACTIONS, rows))
    return blocks


def access_words(service: ServiceSummary) -> str:
    """Return the console's words with the count beside each limited level: `Limited: Write 6/421`."""
    full, separator, limited = service.access.partition("Limited: ")
    if not separator:
        return service.access
    counted = [
        f"{level} {service.levels[level].granted}/{service.levels[level].total}" if level in service.levels else level
        for level in limited.split(", ")
    ]
    return full + separator + ", ".join(counted)


def _name(service: ServiceSummary) -> str:
    return service.service if service.effect == "Allow" else f"{service.service} (deny)"
