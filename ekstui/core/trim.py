"""A policy document without some services: what a policy of one's own can start from."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from ekstui.core.document import Document, Statement


@dataclass(frozen=True, slots=True)
class Trimmed:
    """A document that gives nothing of some services, and what was left out of it."""

    document: Document
    dropped: tuple[str, ...]
    """Action patterns as written, each once, in the document's order."""


def trimmed(document: Document, services: Collection[str]) -> Trimmed:
    """Return a document whose Allow statements name no action of the services.

    Deny statements, and what `NotAction` or a wildcard in the service part gives, stay: both are about more than the
    services. A statement of which nothing is left goes.
    """
    unwanted = {service.lower() for service in services}
    dropped: dict[str, None] = {}
    statements: list[Statement] = []
    for statement in document.statements:
        if statement.effect == "Deny" or statement.action_element == "NotAction":
            statements.append(statement)
            continue
        out = [action for action in statement.actions if action.partition(":")[0].strip().lower() in unwanted]
        dropped |= dict.fromkeys(out)
        kept = tuple(action for action in statement.actions if action not in out)
        if kept:
            statements.append(replace(statement, actions=kept))
    return Trimmed(replace(document, statements=tuple(statements)), tuple(dropped))
