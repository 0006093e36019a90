"""Which screen shows a thing that the user found: a cluster, a pod, a role, an action or a card."""

from __future__ import annotations

from textual.screen import Screen

from ekstui.change.policy import Scope
from ekstui.eks.account_snapshot import AccountSnapshot, Group, LocalPolicy, User
from ekstui.eks.cluster import Cluster
from ekstui.eks.knowledge import Symptom
from ekstui.eks.kubernetes import AccessPolicyRules
from ekstui.eks.pods import PodPlace
from ekstui.library import Library
from ekstui.library.lookup import Thing
from ekstui.library.symptoms import symptom_answer
from ekstui.present import cards
from ekstui.present.access import access_blocks
from ekstui.tui.screens.account_screen import RoleScreen
from ekstui.tui.screens.card_screens import CardScreen
from ekstui.tui.screens.cluster_screens import ClusterScreen
from ekstui.tui.screens.pod_screen import PodScreen
from ekstui.tui.screens.who_can_screen import WhoCanScreen


def screen_of(thing: Thing, library: Library, snapshot: AccountSnapshot | None, scope: Scope) -> Screen[None] | None:
    """Return the screen that shows a thing; None for one that the panes show, or that nothing is known about."""
    match thing.value:
        case Cluster() as cluster:
            return ClusterScreen(cluster.name, cluster.region)
        case PodPlace() as place:
            return PodScreen(place)
        case AccessPolicyRules() as access:
            return CardScreen(thing, lambda: access_blocks(access))
        case Symptom() as symptom:
            return CardScreen(thing, lambda: cards.symptom_blocks(symptom_answer(library, symptom)))
        case User() as user if snapshot:
            return CardScreen(thing, lambda: cards.user_blocks(user, snapshot))
        case Group() as group if snapshot:
            return CardScreen(thing, lambda: cards.group_blocks(group, snapshot))
        case LocalPolicy() as own if snapshot:
            return CardScreen(thing, lambda: cards.own_policy_blocks(own, snapshot))
        case str() as name if thing.kind == "role":
            return RoleScreen(name)
        case str() as action if thing.kind == "action":
            return WhoCanScreen(action, scope)
        case _:
            return None
