"""What is known about one action, for whoever points at it: level, resource types, condition keys, what else it needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from ekstui.core.knowledge import DependentActions
from ekstui.core.reference import UNKNOWN_LEVEL, ResourceUse, reference


@dataclass(frozen=True, slots=True)
class CardResource:
    """A resource type that the action takes."""

    name: str
    required: bool
    """Whether every request for the action names one; of several required types a policy must allow each."""
    arn_formats: tuple[str, ...]
    """Such as `arn:${Partition}:ec2:${Region}:${Account}:volume/${VolumeId}`."""
    condition_keys: tuple[str, ...]
    """Those that concern this resource: the action's use of it, and the type's own."""


@dataclass(frozen=True, slots=True)
class ActionCard:
    """All that the reference and the EKS knowledge say of an action."""

    action: str
    """In the reference's spelling; as asked where the reference lacks it."""
    known: bool
    """Whether the reference has it; AWS knows actions that it does not document."""
    service_title: str
    """Such as `Amazon EC2`; the prefix itself where the service is unknown."""
    level: str
    levels: tuple[str, ...]
    description: str
    """A sentence of AWS's, without a full stop; empty where unknown."""
    resources: tuple[CardResource, ...]
    """The required ones first. An action without any needs `*` in a statement."""
    condition_keys: tuple[str, ...]
    """The keys that hold whatever the resource."""
    needs: tuple[DependentActions, ...]
    """Hints on what a call needs beside this action; never a ground for `allowed`."""

    @property
    def needs_wildcard(self) -> bool:
        """Whether the action has no resource-level permissions, so that a statement needs `*`."""
        return self.known and not self.resources


def action_card(action: str, hints: Sequence[DependentActions] = ()) -> ActionCard:
    """Return the card of an action, whatever its case; `hints` are those of the EKS knowledge for it."""
    known = reference()
    info = known.find(action)
    service = action.strip().partition(":")[0].lower()
    if info is None:
        title = known.service_title(service)
        return ActionCard(action.strip(), False, title, UNKNOWN_LEVEL, (UNKNOWN_LEVEL,), "", (), (), tuple(hints))
    resources = [_resource(service, use) for use in info.resource_types]
    return ActionCard(
        action=info.name,
        known=True,
        service_title=known.service_title(service),
        level=info.level,
        levels=info.levels,
        description=info.description,
        resources=tuple(sorted(resources, key=lambda entry: not entry.required)),
        condition_keys=info.condition_keys,
        needs=tuple(hints),
    )


def _resource(service: str, use: ResourceUse) -> CardResource:
    kind = reference().resource_type(service, use.name)
    keys = {*use.condition_keys, *(kind.condition_keys if kind else ())}
    return CardResource(
        name=use.name,
        required=use.required,
        arn_formats=kind.arn_formats if kind else (),
        condition_keys=tuple(sorted(keys, key=str.lower)),
    )
