"""What a role is for: what its uses need of it, and which of its policies are outdated copies."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from ekstui.denial.answer import OldCopy
from ekstui.denial.purpose import ADDON_ROLES, POD_ROLES, Purpose, RoleOfItsOwn, made_for_others, policies_of_component
from ekstui.denial.remedies import newer_release
from ekstui.eks.account_snapshot import AccountSnapshot, Role, Use
from ekstui.eks.findings.conditions import applies
from ekstui.eks.findings.subjects import NODE_KINDS, AccountContext, RoleInUse
from ekstui.eks.knowledge import Knowledge
from ekstui.eks.uses import Uses, controllers_run_by
from ekstui.iam.request import Request
from ekstui.library.allowers import published_candidate
from ekstui.library.copies import copies_on
from ekstui.library.roles import account_context

_KINDS: Mapping[str, frozenset[str]] = {
    "nodegroup": frozenset(("node role",)),
    "self-managed-node": frozenset(("node role",)),
    "karpenter-node": frozenset(("node role",)),
    "hyperpod-node": frozenset(("node role",)),
    "auto-mode-node": frozenset(("auto mode node role",)),
    "hybrid-node": frozenset(("hybrid node role",)),
    "fargate": frozenset(("fargate pod execution role",)),
    "addon": ADDON_ROLES,
    "pod-identity": POD_ROLES,
    "pod-identity-target": POD_ROLES,
    "irsa": POD_ROLES,
}
"""The notes' name for the role of each kind of use, except for a cluster's, which depends on the cluster."""


def purpose_of(
    role: Role, snapshot: AccountSnapshot, uses_of: Uses, knowledge: Knowledge, now: datetime
) -> Purpose | None:
    """Return what a role is for by all its uses; None for a role without any."""
    uses = uses_of.get(role.arn or "", ())
    if not uses:
        return None
    account = account_context(snapshot, now)
    subject = RoleInUse(role, (), uses=uses)
    policy_names = {
        name
        for use in uses
        for controller in controllers_run_by(use)
        for name in policies_of_component(controller, knowledge)
    }
    for use in uses:
        policy_names |= {*_recommended_policies(use, account), *_required_policies(use, subject, account, knowledge)}
    kinds = frozenset(kind for use in uses for kind in _kinds_of(use, account))
    purpose = Purpose(True, kinds, frozenset(policy_names), made_for_others(policy_names, knowledge))
    if not purpose.is_of_nodes:
        return purpose
    # What runs on the nodes may have a role of its own.
    places = {(use.region, use.cluster) for use in uses if use.kind in NODE_KINDS and use.cluster}
    own_roles = tuple(role for role in _roles_of_controllers(snapshot, uses_of) if role.place in places)
    places_of = {
        role.component: {own_role.place for own_role in own_roles if own_role.component == role.component}
        for role in own_roles
    }
    everywhere = frozenset(component for component, its in places_of.items() if its == places)
    return purpose._replace(own_roles=own_roles, with_own_role_in_every_cluster=everywhere)


def _required_policies(use: Use, subject: RoleInUse, account: AccountContext, knowledge: Knowledge) -> Iterator[str]:
    """Yield the policies for what EKS requires, or may require, of a role with a use."""
    for requirement in knowledge.requirements:
        if use.kind in requirement.uses and applies(requirement, use, subject, account) is not False:
            yield from requirement.policies


def _kinds_of(use: Use, account: AccountContext) -> Collection[str]:
    """Return what the notes call a role with a use."""
    # A controller's service account does not belong to a workload.
    kinds = ADDON_ROLES if controllers_run_by(use) else _KINDS.get(use.kind, frozenset())
    if use.kind != "cluster":
        return kinds
    cluster = account.cluster(use)
    is_standard = cluster is not None and cluster.auto_mode is False
    return {*kinds, "cluster role"} if is_standard else {*kinds, "cluster role", "auto mode cluster role"}


def _recommended_policies(use: Use, account: AccountContext) -> Iterator[str]:
    """Yield the policies that EKS itself recommends for an add-on."""
    addon = account.addon(use)
    for _, arns in (addon and addon.recommended_policies) or ():
        yield from (arn.rpartition("/")[2] for arn in arns)


def _roles_of_controllers(snapshot: AccountSnapshot, uses_of: Uses) -> Collection[RoleOfItsOwn]:
    """Return the roles of controllers and add-ons in clusters; where there are two, the one that EKS takes first."""
    names = {role.arn: role.name for role in snapshot.roles}
    roles: dict[object, RoleOfItsOwn] = {}
    for role_arn, uses in uses_of.items():
        for use in uses:
            if use.kind not in ("addon", "pod-identity", "irsa"):
                continue
            is_irsa = use.kind == "irsa" or (use.kind == "addon" and use.service_account is None)
            for component in controllers_run_by(use):
                way = "IRSA" if is_irsa else "Pod Identity"
                own_role = RoleOfItsOwn(component, use.cluster or "", use.region, names.get(role_arn) or role_arn, way)
                key = component, own_role.place
                if key not in roles or (roles[key].by == "IRSA" and not is_irsa):
                    roles[key] = own_role
    return roles.values()


def old_copies(subject: RoleInUse, request: Request) -> Iterator[OldCopy]:
    """Yield the policies of a role that are copies of older releases, a later one of which allows a request or may."""
    for copy in copies_on(subject):
        candidate = published_candidate(copy.copy.original)
        newer = newer_release(request, candidate, copy.copy.version)
        if newer is not None:
            yield OldCopy(copy.copy.local.name, subject.role.name, newer)
