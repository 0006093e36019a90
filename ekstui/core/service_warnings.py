"""The console's warnings on a service: what is named that cannot give anything."""

from collections.abc import Sequence

from ekstui.core import arn, console
from ekstui.core.applicability import can_be_on, needs_its_key, supports_key
from ekstui.core.document import Document
from ekstui.core.reading import ActionRead
from ekstui.core.reference import ActionInfo, reference


def service_warnings(
    document: Document,
    service: str,
    read: Sequence[ActionRead],
    specific: Sequence[ActionRead],
    idle: Sequence[str],
) -> tuple[str, ...]:
    """Return the warnings on a service's row.

    `specific` are the actions that patterns with the service's name give, `idle` its resources that no action can be
    used on. Of the two warnings about resources, and of the two about conditions, the console shows the latter.
    """
    if not reference().has_service(service):
        return (console.UNRECOGNISED_SERVICE,)
    warnings = []
    if specific and all(entry.common.given.lacks_resource for entry in specific):
        warnings.append(console.NO_RESOURCES_DEFINED)
    elif idle:
        warnings.append(console.RESOURCES_WITHOUT_ACTION)
    elif any(entry.common.given.lacks_resource for entry in specific):
        warnings.append(console.ACTIONS_WITHOUT_RESOURCE)
    if _has_idle_condition(document, service, specific):
        warnings.append(console.CONDITIONS_WITHOUT_ACTION)
    elif any(entry.common.given.lacks_condition for entry in specific):
        warnings.append(console.ACTIONS_WITHOUT_CONDITION)
    if any(entry.info is None for entry in read):
        warnings.append(console.UNRECOGNISED_ACTIONS)
    return tuple(warnings)


def idle_resources(document: Document, service: str, specific: Sequence[ActionRead]) -> list[str]:
    """Return the resources that a statement gives a service although no action of it there can be used on them.

    A resource of a service that the reference lacks counts for every service of its statement.
    """
    idle = []
    for index, infos in _by_statement(specific).items():
        statement = document.statements[index]
        if statement.resource_element != "Resource" or statement.resources == ("*",):
            continue
        prefixes = {pattern.partition(":")[0].lower() for pattern in statement.actions}
        for resource in statement.resources:
            owner = arn.split_arn(resource).service.lower()
            stray = not reference().has_service(owner) and "*" not in owner and owner not in prefixes
            if (owner == service or stray) and not any(can_be_on(info, resource) for info in infos):
                idle.append(resource)
    return idle


def _has_idle_condition(document: Document, service: str, specific: Sequence[ActionRead]) -> bool:
    """Return whether a statement sets a key of the service that no action given there supports."""
    given = [entry for entry in specific if entry.common.given.grants]
    for index, infos in _by_statement(given).items():
        for line in document.statements[index].conditions:
            own = line.key.lower().startswith(service + ":") and needs_its_key(line)
            if own and not any(supports_key(info, line.key) for info in infos):
                return True
    return False


def _by_statement(read: Sequence[ActionRead]) -> dict[int, list[ActionInfo]]:
    """Return the known actions that each statement names, by the statement's place."""
    found: dict[int, list[ActionInfo]] = {}
    for entry in read:
        if entry.info is not None:
            for index in entry.statements:
                found.setdefault(index, []).append(entry.info)
    return found
