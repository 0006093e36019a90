"""What a document does not allow, of all that the reference knows: the console's `Show remaining`."""

from collections.abc import Mapping
from dataclasses import dataclass

from ekstui.core.document import Document
from ekstui.core.reference import ActionInfo, reference
from ekstui.core.summary import services_in


@dataclass(frozen=True, slots=True)
class Remaining:
    """Services and actions that a document does not allow; what it denies is among them."""

    services: tuple[str, ...]
    """The services of which it allows nothing, sorted."""
    actions: Mapping[str, tuple[ActionInfo, ...]]
    """For each service of which it allows some actions, the others; services that it allows wholly are absent."""


def remaining(document: Document) -> Remaining:
    """Return what the document does not allow; an action whose resources or conditions cannot apply is not allowed."""
    allowed: dict[str, set[str]] = {}
    for row in services_in(document):
        if row.effect == "Allow":
            allowed.setdefault(row.service, set()).update(entry.action for entry in row.actions if entry.given)
    services = []
    actions = {}
    for service in reference().services():
        if not allowed.get(service):
            services.append(service)
            continue
        missing = tuple(info for info in reference().actions(service).values() if info.name not in allowed[service])
        if missing:
            actions[service] = missing
    return Remaining(tuple(services), actions)
