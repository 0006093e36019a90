"""Where what was found leads: each kind of thing to its screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.screen import Screen

from ekstui.core.eks import Cluster
from ekstui.core.knowledge import Symptom
from ekstui.core.lookup import PolicyVersion, Thing
from ekstui.library import PolicyEntry
from ekstui.library.access_policies import AccessPolicyAnswer
from ekstui.tui.shown import Shown

if TYPE_CHECKING:
    from ekstui.core.account import AccountSnapshot
    from ekstui.scope import Scope


def shown_of(thing: Thing) -> Shown | None:
    """Return the policy at a version that a thing is; None for another thing."""
    match thing.value:
        case PolicyEntry() as entry:
            return Shown(entry, entry.policy.default_version)
        case PolicyVersion(policy=Thing(value=PolicyEntry() as entry), place=place):
            return Shown(entry, entry.policy.versions[place].number)
        case _:
            return None


def actions_behind(thing: Thing) -> tuple[str, ...]:
    """Return the actions that a thing is about: itself, or those that a symptom lacks."""
    if thing.kind == "action":
        return (str(thing.value),)
    return thing.value.actions if isinstance(thing.value, Symptom) else ()


def screen_of(thing: Thing, snapshot: AccountSnapshot | None, scope: Scope) -> Screen[None] | None:
    """Return the screen that shows a thing; None for what is shown in the four panes, or does something."""
    from ekstui.core.account import Group, LocalPolicy, User
    from ekstui.present import card
    from ekstui.present.access import access_blocks
    from ekstui.tui.screens.card import CardScreen
    from ekstui.tui.screens.cluster import ClusterScreen
    from ekstui.tui.screens.role import RoleScreen
    from ekstui.tui.screens.who_can import WhoCanScreen

    match thing.value:
        case Cluster() as cluster:
            return ClusterScreen(cluster.name, cluster.region)
        case AccessPolicyAnswer() as access:
            return CardScreen(thing, lambda: access_blocks(access))
        case Symptom() as symptom:
            return CardScreen(thing, lambda: card.symptom_blocks(symptom))
        case User() as user if snapshot:
            return CardScreen(thing, lambda: card.user_blocks(user, snapshot))
        case Group() as group if snapshot:
            return CardScreen(thing, lambda: card.group_blocks(group, snapshot))
        case LocalPolicy() as own if snapshot:
            return CardScreen(thing, lambda: card.own_policy_blocks(own, snapshot))
        case str() as name if thing.kind == "role":
            return RoleScreen(name)
        case str() as action if thing.kind == "action":
            return WhoCanScreen(action, scope)
        case _:
            return None
