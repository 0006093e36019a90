"""Grants: the smallest things that a statement gives or takes, and that a change adds or removes."""

from dataclasses import dataclass

from ekstui.core.document import Condition, ResourceElement


@dataclass(frozen=True, slots=True)
class Grant:
    """On what, and under which conditions, a statement's effect holds for an action."""

    resource_element: ResourceElement
    resources: tuple[str, ...]
    """One resource for `Resource`, the whole list for `NotResource`."""
    conditions: tuple[Condition, ...]
    """The whole condition block."""
