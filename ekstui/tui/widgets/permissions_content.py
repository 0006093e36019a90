"""What the pane of the permissions shows: with the first answer, it is imported in the answer's thread."""

from collections.abc import Collection, Mapping, Sequence

from ekstui.change.policy import Policy
from ekstui.iam.summary import ActionSummary, Remaining, ServiceSummary, remaining
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple
from ekstui.present.permissions import action_line, permission_rows, service_line, unfolded
from ekstui.present.styled import Row, Styled


class PermissionsContent(NamedTuple):
    """The services of a version, with their actions."""

    services: Sequence[ServiceSummary]

    def rows(self, words: Sequence[str], open_keys: Collection[tuple[str, str]], width: int) -> list[Row]:
        """Return the services; with a filter, only matching services and actions, unfolded."""
        if not words:
            return permission_rows(self.services, open_keys, width)
        services = [service for service in (_matching_service(service, words) for service in self.services) if service]
        return permission_rows(services, {(service.effect, service.service) for service in services}, width)

    def unfolded(self, height: int) -> set[tuple[str, str]]:
        """Return the services that there is room to unfold."""
        return unfolded(self.services, height)

    def about(self, value: object, reasons: Mapping[str, str]) -> Styled:
        """Return a service and why it is needed, or an action with its grants; nothing about anything else."""
        if isinstance(value, ServiceSummary):
            return service_line(value, reasons.get(value.service))
        return action_line(value) if isinstance(value, ActionSummary) else ()

    def service_of(self, value: object) -> tuple[str, str] | None:
        """Return the effect and the name of the service that a row's value is."""
        return (value.effect, value.service) if isinstance(value, ServiceSummary) else None

    def action_of(self, value: object) -> ActionSummary | None:
        """Return the action that a row's value is."""
        return value if isinstance(value, ActionSummary) else None


def read_permissions(library: Library, policy: Policy, version: int) -> PermissionsContent:
    """Return what a version permits; DataError if its document cannot be read."""
    return PermissionsContent(library.summary(policy, version))


def read_remaining(library: Library, policy: Policy, version: int) -> Remaining:
    """Return what a version does not permit; DataError if its document cannot be read."""
    return remaining(library.document(policy, version))


def _matching_service(service: ServiceSummary, words: Sequence[str]) -> ServiceSummary | None:
    """Return the service with its matching actions; None if there are none."""
    if all(word in service.service.casefold() for word in words):
        return service
    actions = tuple(action for action in service.actions if all(word in _text(action) for word in words))
    return service._replace(actions=actions) if actions else None


def _text(action: ActionSummary) -> str:
    """Return the text to match a filter with: the action, its levels, and its condition keys."""
    keys = (condition.key for grant in action.grants for condition in grant.conditions)
    return " ".join((action.action, *action.levels, *keys)).casefold()
