"""What the roles of an account are for: by what EKS says of them, and by which pods have roles of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ekstui.core.account_snapshot import AccountSnapshot, Role, Use
from ekstui.core.evaluation import Request
from ekstui.core.explain.answer import OldCopy
from ekstui.core.explain.purpose import Purpose, RoleOfItsOwn, purpose_of_uses
from ekstui.core.explain.remedies import newer_release
from ekstui.core.findings.finding import NODE_KINDS, RoleInUse, Surroundings, all_hold
from ekstui.core.knowledge import Knowledge, Requirement
from ekstui.core.reference import reference
from ekstui.core.uses import controllers_run_by, uses_in
from ekstui.library.allowing import published_candidate
from ekstui.library.copies import copies_on
from ekstui.library.roles import surroundings_of


def purpose_of(role: Role, snapshot: AccountSnapshot, knowledge: Knowledge, now: datetime) -> Purpose | None:
    """Return what a role is for by all its uses; None for a role without any."""
    uses = uses_in(snapshot)
    own = uses.get(role.arn or "", ())
    if not own:
        return None
    surroundings = surroundings_of(snapshot, now)
    subject = RoleInUse(role, (), uses=own)

    def applies(requirement: Requirement, use: Use) -> bool:
        return use.kind in requirement.uses and all_hold(requirement.when, use, subject, surroundings) is not False

    def is_auto_mode(use: Use) -> bool | None:
        cluster = surroundings.cluster(use)
        return None if cluster is None else cluster.auto_mode

    found = purpose_of_uses(
        own,
        knowledge,
        applies=applies,
        is_auto_mode=is_auto_mode,
        runs=controllers_run_by,
        recommended=lambda use: _recommended(use, surroundings),
    )
    if not found.is_of_nodes:
        return found
    places: set[tuple[str | None, str | None]] = {
        (use.region, use.cluster) for use in own if use.kind in NODE_KINDS and use.cluster
    }
    apart = tuple(_apart(places, snapshot))
    everywhere = [
        each.component
        for each in apart
        if all(any((other.component, other.place) == (each.component, place) for other in apart) for place in places)
    ]
    return found._replace(apart=apart, apart_everywhere=frozenset(everywhere))


def old_copies(subject: RoleInUse, request: Request) -> Iterator[OldCopy]:
    """Yield the policies of a role that are copies of older releases, a later one of which allows a request or may."""
    for each in copies_on(subject):
        candidate = published_candidate(each.copy.original)
        newer = newer_release(request, candidate, each.copy.version, reference())
        if newer is not None:
            yield OldCopy(each.copy.local.name, subject.role.name, newer)


def _recommended(use: Use, surroundings: Surroundings) -> Iterator[str]:
    """Yield the policies that EKS itself recommends for an add-on."""
    addon = surroundings.addon(use)
    for _, arns in (addon and addon.recommended_policies) or ():
        yield from (arn.rpartition("/")[2] for arn in arns)


def _apart(places: set[tuple[str | None, str | None]], snapshot: AccountSnapshot) -> Iterator[RoleOfItsOwn]:
    """Yield the roles of controllers and add-ons in clusters; where there are two, the one that EKS takes first."""
    names = {role.arn: role.name for role in snapshot.roles}
    found: dict[tuple[str, str | None, str | None], tuple[bool, RoleOfItsOwn]] = {}
    for arn, uses in uses_in(snapshot).items():
        for use in uses:
            if use.kind not in ("addon", "pod-identity", "irsa") or (use.region, use.cluster) not in places:
                continue
            is_irsa = use.kind == "irsa" or (use.kind == "addon" and use.service_account is None)
            for component in controllers_run_by(use):
                by = "IRSA" if is_irsa else "Pod Identity"
                own = RoleOfItsOwn(component, use.cluster or "", use.region, names.get(arn) or arn, by)
                key = (component, use.region, use.cluster)
                if key not in found or (found[key][0] and not is_irsa):
                    found[key] = is_irsa, own
    yield from (own for _, own in found.values())
