"""What a version of a policy permits: the console's table, and under it the actions of each service."""

from collections.abc import Mapping, Sequence

from ekstui.core.policy import Policy, VersionInfo, version_label
from ekstui.core.summary import ServiceSummary
from ekstui.present.blocks import Block, Column, Heading, Line, Sentence, Span, Table, TableRow, code, note

_SERVICES = (
    Column("Service"), Column("Access level", 24, shrink=1), Column("Resource", 14, shrink=1),
    Column("Condition", 14, shrink=1),
)  # fmt: skip
_ACTIONS = (Column(""), Column(""), Column("", 12, shrink=1), Column("", 12, shrink=1), Column("", 12, shrink=2))


def version_blocks(policy: Policy, version: int, parameters: Mapping[str, str | None] | None = None) -> list[Block]:
    """Return which version it is, and what of it is yet to be filled in."""
    info = next(info for info in policy.versions if info.number == version)
    head: list[Block] = [Heading(f"{policy.name} {version_label(version)}", 1), Sentence(code(policy.address))]
    if policy.home:
        return [*head, Sentence(release_words(policy, info)), *_parameters(parameters or {})]
    day = f"created {info.created:%Y-%m-%d}" if info.created else "date unknown"
    which = "default version" if version == policy.default_version else "not the default version"
    return [*head, Sentence(f"{which}, {day}")]


def release_words(policy: Policy, info: VersionInfo) -> str:
    """Return which releases of a controller have a document: `unchanged from v2.13.0 (2025-05-06) to v3.5.0`."""
    first = version_label(info.number)
    day = f" ({info.created:%Y-%m-%d})" if info.created else ""
    newest = ", the newest release known" if info == policy.versions[-1] else ""
    if info.through in (None, first):
        return f"only in {first}{day}{newest}"
    return f"unchanged from {first}{day} to {info.through}{newest}"


def _parameters(parameters: Mapping[str, str | None]) -> list[Block]:
    """Return what was filled in, and what was not."""
    given = ", ".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    lacking = ", ".join(name for name, value in parameters.items() if value is None)
    blocks: list[Block] = [Sentence(f"filled in: {given}")] if given else []
    return [*blocks, Sentence(f"to be filled in (--param NAME=VALUE): {lacking}")] if lacking else blocks


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
