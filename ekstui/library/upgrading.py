"""Which permissions a cluster's controllers need before they are upgraded, and which can be removed afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ekstui.core.account_snapshot import AccountSnapshot
from ekstui.core.change import AllowedElsewhere, Superfluous, lacking, superfluous
from ekstui.core.document import Document, Statement
from ekstui.core.eks import Cluster
from ekstui.core.findings import RoleInUse
from ekstui.core.published import Component, values_in
from ekstui.core.uses import uses_in, uses_running
from ekstui.errors import NotFoundError
from ekstui.library.catalog import nearest_names
from ekstui.library.cluster_answers import find_cluster
from ekstui.library.copies import copies_on
from ekstui.library.library import Library
from ekstui.library.roles import attached_arns, role_values, subjects_of
from ekstui.sources.controllers import components, published_until


class ComponentUpgrade(NamedTuple):
    """One component of a cluster: the release that it seems to run, the one to upgrade to, and what its role needs."""

    component: str
    before_release: str | None
    """None if it is not known."""
    after_release: str
    role: str | None
    """None if no role was found that runs it."""
    before: tuple[Statement, ...]
    """What the role must be given before the upgrade."""
    after: tuple[Statement, ...]
    """What it has only for the old release, and can be removed afterwards."""
    not_known: tuple[str, ...]
    partly: tuple[AllowedElsewhere, ...] = ()
    """The part of `before` that the role has in other cases."""
    is_judged: bool = False
    """Whether the release to upgrade to is known, so that its needs are."""
    reasons: tuple[str, ...] = ()
    """Why this role and this release are assumed, a phrase each."""


class UpgradeAnswer(NamedTuple):
    """What an upgrade of a cluster's components needs."""

    cluster: str
    components: tuple[ComponentUpgrade, ...]


def upgrade(
    library: Library, cluster_name: str, to: Mapping[str, str], since: Mapping[str, str], values: Mapping[str, str]
) -> UpgradeAnswer:
    """Return what the components in `to` need or, if it is empty, all components that have a role in the cluster.

    `to` and `since` have releases by component; without one in `to`, the newest known release is meant. Raises
    NotFoundError for an unknown component or cluster, AccountError if there is no snapshot.
    """
    snapshot = library.account.required()
    cluster = find_cluster(cluster_name, None, snapshot)
    uses = uses_in(snapshot)
    arns = attached_arns(snapshot.roles)
    subjects = subjects_of(snapshot.roles, snapshot, uses, library.default_versions(arns))
    wanted = {name: _component(name, cluster, snapshot) for name in (*to, *since)}
    if not to and not since:
        wanted = {name: _component(name, cluster, snapshot) for name in components() if "/" not in name}
    found = [
        each
        for name, component in wanted.items()
        if (each := _upgrade(component, cluster, snapshot, subjects, to.get(name), since.get(name), values)) is not None
        and (each.role is not None or name in to or name in since)
    ]
    return UpgradeAnswer(cluster.name, tuple(found))


def _component(name: str, cluster: Cluster, snapshot: AccountSnapshot) -> Component:
    """Return the component that a name means in a cluster: there may be a variant for its partition or its IP family."""
    known = components()
    if name not in known:
        nearest = nearest_names(name, known)
        hint = f"Nearest: {', '.join(nearest)}." if nearest else f"Known are {', '.join(known)}."
        raise NotFoundError(f"No component is named {name!r}.", nearest, hint)
    variants = [f"{name}/{snapshot.identity.partition}", f"{name}/{cluster.ip_family}"]
    return next((known[each] for each in variants if each in known), known[name])


def _upgrade(
    component: Component,
    cluster: Cluster,
    snapshot: AccountSnapshot,
    subjects: tuple[RoleInUse, ...],
    to: str | None,
    since: str | None,
    values: Mapping[str, str],
) -> ComponentUpgrade | None:
    subject, reasons = _role_of(component, cluster, subjects)
    current, evidence = _running(component, cluster, subject, since)
    target = component.newest if to is None else component.release(to)
    release = None if current is None else component.release(current)
    answer = ComponentUpgrade(
        component.name,
        current,
        to or component.short(component.newest),
        subject.role.name if subject else None,
        before=(),
        after=(),
        not_known=tuple(_not_known(component, cluster, subject, to if target is None else None, current)),
        reasons=(*reasons, *evidence),
    )
    if target is None or subject is None:
        return answer
    version = component.at(target.tag)
    if version is None:
        return None
    held, unread = _statements_of(subject)
    filled = {**role_values(subject.role.name, snapshot), "ClusterName": cluster.name, "CLUSTER_NAME": cluster.name}
    filled |= {"AWS::Region": cluster.region, **values_in(version, held), **values}
    wanted = version.document(version.named(filled))
    needs = lacking(wanted, held)
    old = component.at(release.tag) if release else None
    spare = superfluous(old.document(old.named(filled)), wanted, held) if old else Superfluous((), ())
    open_names = [name for name in version.to_fill_in if name not in filled]
    more = {
        f"values of {', '.join(open_names)} (--param NAME=VALUE)": open_names,
        f"whether the role may already do all of {', '.join(needs.unknown)}": needs.unknown,
        f"how {', '.join(spare.narrower)} can be narrowed afterwards: see ekstui diff role:{subject.role.name} "
        f"{component.name}@{component.short(target)}": spare.narrower,
    }
    return answer._replace(
        before=needs.statements,
        partly=needs.partly,
        is_judged=True,
        after=spare.statements,
        not_known=(*answer.not_known, *unread, *(text for text, names in more.items() if names)),
    )


def _not_known(
    component: Component, cluster: Cluster, subject: RoleInUse | None, unknown: str | None, current: str | None
) -> Iterator[str]:
    """Yield what is not known about an upgrade; `unknown` is the release to upgrade to, if it is not a known one."""
    if unknown is not None:
        yield (
            f"{component.name} {unknown} is not one of the releases known until {published_until():%Y-%m-%d}, "
            f"{component.short(component.versions[0].releases[0])} to {component.short(component.newest)}"
        )
    if subject is None:
        yield f"no role was found that runs {component.name} in cluster {cluster.name}"
    if current is None:
        yield "which release runs now: give --from, to see what may go afterwards"
    elif component.release(current) is None:
        yield f"release {current}, which runs now, is not a known one"


def _role_of(
    component: Component, cluster: Cluster, subjects: tuple[RoleInUse, ...]
) -> tuple[RoleInUse | None, list[str]]:
    """Return the role that runs a component in a cluster, preferring what EKS confirms to what is inferred, and the evidence."""
    found: list[tuple[bool, RoleInUse, str]] = []
    for subject in subjects:
        for use in uses_running(component.name, subject.uses):
            if (use.region, use.cluster) == cluster.place:
                how = (
                    f"add-on {use.name}"
                    if use.kind == "addon"
                    else f"service account {use.namespace}/{use.service_account}"
                )
                found.append(
                    (use.certainty != "confirmed", subject, f"{subject.role.name} by its {how} ({use.certainty})")
                )
    if not found:
        return None, []
    found.sort(key=lambda each: each[0])
    others = {subject.role.name for _, subject, _ in found[1:]} - {found[0][1].role.name}
    more = [f"{', '.join(sorted(others))} may run it too"] if others else []
    return found[0][1], [found[0][2], *more]


def _running(
    component: Component, cluster: Cluster, subject: RoleInUse | None, since: str | None
) -> tuple[str | None, list[str]]:
    """Return the release that runs now, and the evidence for it."""
    if since is not None:
        return since, []
    whole = component.name.partition("/")[0]
    addon = next((each for each in cluster.addons or () if each.name == whole), None)
    if addon is not None and addon.version is not None:
        return addon.version, [f"{addon.version} by the add-on"]
    for each in copies_on(subject) if subject else ():
        if each.copy.original.name.partition("/")[0] == whole:
            version = components()[each.copy.original.name].versions[each.copy.version - 1]
            label = component.short(version.releases[0])
            return label, [f"{label} by {each.copy.local.name}, which is like it ({each.copy.nearness:.0%})"]
    return None, []


def _statements_of(subject: RoleInUse) -> tuple[Document, list[str]]:
    """Return all statements of a role's policies, and what could not be read."""
    documents = [policy.document for policy in subject.policies if policy.document is not None]
    unread = [
        f"what {policy.name} allows, which could not be read" for policy in subject.policies if policy.document is None
    ]
    if subject.boundary is not None:
        unread.append(f"what the permissions boundary {subject.boundary.name} limits")
    return Document("2012-10-17", None, tuple(each for document in documents for each in document.statements)), unread
