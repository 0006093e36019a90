"""Which permissions a cluster's controllers need before they are upgraded, and which can be removed afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ekstui.core.account_snapshot import AccountSnapshot, Use
from ekstui.core.change import AllowedElsewhere, Superfluous, lacking, superfluous
from ekstui.core.document import Document, Statement, parse
from ekstui.core.eks import Addon, Cluster
from ekstui.core.evaluation import action_matches
from ekstui.core.findings import RoleInUse
from ekstui.core.findings.finding import SINCE, all_hold, cni_on_node_role, condition_in_words, holds
from ekstui.core.findings.missing_permissions import NAMED_ACTIONS
from ekstui.core.grants import merged
from ekstui.core.knowledge import Requirement
from ekstui.core.published import Component, Release, release_numbers, values_in
from ekstui.core.text import listed
from ekstui.core.uses import Uses, uses_in, uses_running
from ekstui.errors import NotFoundError
from ekstui.library.catalog import knowledge, nearest_names
from ekstui.library.cluster_answers import find_cluster
from ekstui.library.copies import copies_on
from ekstui.library.library import Library
from ekstui.library.roles import attached_arns, role_values, subjects_of, surroundings_of
from ekstui.sources.aws.cluster_details import read_addon_needs
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
    """Whether the needs of the release and everything that the role may do are known."""
    besides: tuple[str, ...] = ()
    """What of `before` the project's own policy for the release lacks, and why it is needed, a sentence each."""
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
    cluster = _with_needs(library, find_cluster(cluster_name, None, snapshot))
    uses = uses_in(snapshot)
    arns = attached_arns(snapshot.roles)
    subjects = subjects_of(snapshot.roles, snapshot, uses, library.default_versions(arns))
    by_arn = {subject.role.arn: subject for subject in subjects}
    wanted = {name: _component(name, cluster, snapshot) for name in (*to, *since)}
    if not to and not since:
        wanted = {name: _component(name, cluster, snapshot) for name in components() if "/" not in name}
    found: list[ComponentUpgrade] = []
    for name, component in wanted.items():
        runners = _runners(component, cluster, uses)
        if runners or name in to or name in since:
            for runner in runners or (None,):
                subject = by_arn.get(runner.arn) if runner else None
                found += _upgrade(component, cluster, snapshot, runner, subject, to.get(name), since.get(name), values)
    return UpgradeAnswer(cluster.name, tuple(found))


def _with_needs(library: Library, cluster: Cluster) -> Cluster:
    """Return a cluster with the policies that EKS recommends for its add-ons, asking EKS if needed and allowed."""
    choice = library.account.choice
    is_known = all(each.recommended_policies is not None for each in cluster.addons or ())
    if is_known or choice.offline or choice.file is not None:
        return cluster
    return read_addon_needs(library.account.connection(), cluster).clusters[0]


def _component(name: str, cluster: Cluster, snapshot: AccountSnapshot) -> Component:
    """Return the component that a name means in a cluster: there may be a variant for its partition or its IP family."""
    known = components()
    if name not in known:
        nearest = nearest_names(name, known)
        hint = f"Nearest: {', '.join(nearest)}." if nearest else f"Known are {', '.join(known)}."
        raise NotFoundError(f"No component is named {name!r}.", nearest, hint)
    variants = [f"{name}/{snapshot.identity.partition}", f"{name}/{cluster.ip_family}"]
    return next((known[each] for each in variants if each in known), known[name])


class _Runner(NamedTuple):
    """A role that runs a component in a cluster, or may."""

    arn: str
    use: Use
    reasons: tuple[str, ...]


def _upgrade(
    component: Component,
    cluster: Cluster,
    snapshot: AccountSnapshot,
    runner: _Runner | None,
    subject: RoleInUse | None,
    to: str | None,
    since: str | None,
    values: Mapping[str, str],
) -> Iterator[ComponentUpgrade]:
    """Yield what the role of `runner` needs; nothing if the component publishes no policy for the release."""
    current, evidence = _running(component, cluster, subject, since)
    target = component.newest if to is None else component.release(to)
    release = None if current is None else component.release(current)
    answer = ComponentUpgrade(
        component.name,
        current,
        to or component.short(component.newest),
        runner.arn.rpartition("/")[2] if runner else None,
        before=(),
        after=(),
        not_known=tuple(_not_known(component, cluster, runner, to if target is None else None, current)),
        reasons=(*(runner.reasons if runner else ()), *evidence, *_recommended(component, cluster)),
    )
    if runner is not None and (subject is None or not subject.known_whole):
        yield answer._replace(not_known=(*answer.not_known, f"what {answer.role} allows, which was not read"))
        return
    if target is None or runner is None or subject is None:
        yield answer
        return
    version = component.at(target.tag)
    if version is None:
        return
    held, unread = _statements_of(subject, runner.use)
    filled = {**role_values(subject.role.name, snapshot), "ClusterName": cluster.name, "CLUSTER_NAME": cluster.name}
    filled |= {"AWS::Region": cluster.region, **values_in(version, held), **values}
    published = version.document(version.named(filled))
    known = tuple(_besides(component, target, published, runner.use, subject, snapshot))
    wanted = published._replace(statements=(*published.statements, *(each.statement for each in known)))
    needs = lacking(wanted, held)
    old = component.at(release.tag) if release else None
    spare = superfluous(old.document(old.named(filled)), wanted, held) if old else Superfluous((), ())
    open_names = [name for name in version.to_fill_in if name not in filled]
    asked_for = {action for statement in needs.statements for action in statement.actions}
    more = {
        f"values of {', '.join(open_names)} (--param NAME=VALUE)": open_names,
        f"whether the role may already do all of {', '.join(needs.unknown)}": needs.unknown,
        f"whether the role may do {_some(needs.denied)}, which a Deny of its policies may revoke": needs.denied,
        f"how {', '.join(spare.narrower)} can be narrowed afterwards: see ekstui diff role:{subject.role.name} "
        f"{component.name}@{component.short(target)}": spare.narrower,
    }
    yield answer._replace(
        before=needs.statements,
        partly=needs.partly,
        besides=tuple(each.text for each in known if asked_for.intersection(each.statement.actions)),
        is_judged=not (unread or needs.denied),
        after=spare.statements,
        not_known=(*answer.not_known, *unread, *(text for text, names in more.items() if names)),
    )


def _some(actions: tuple[str, ...]) -> str:
    """Return the first actions of what may be a long list."""
    more = len(actions) - NAMED_ACTIONS
    return ", ".join(actions[:NAMED_ACTIONS]) + (f" and {more} more" if more > 0 else "")


class _Besides(NamedTuple):
    """What a release needs besides the policy that its project publishes."""

    statement: Statement
    text: str


def _besides(
    component: Component,
    target: Release,
    published: Document,
    use: Use,
    subject: RoleInUse,
    snapshot: AccountSnapshot,
) -> Iterator[_Besides]:
    """Yield what is known to be needed by a release although its project's policy for it does not have it."""
    surroundings = surroundings_of(snapshot, snapshot.fetched_at)
    seen: set[tuple[str, ...]] = set()
    for requirement in knowledge().requirements:
        if use.kind not in requirement.uses or not _is_about(requirement, component.whole):
            continue
        others = tuple(name for name in requirement.when if SINCE not in name)
        releases = [name.partition(SINCE)[2] for name in requirement.when if SINCE in name]
        runs = all(release_numbers(target.tag) >= release_numbers(each) for each in releases)
        if not runs or all_hold(others, use, subject, surroundings) is False:
            continue
        unsure = [each for each in others if holds(each, use, subject, surroundings) is None]
        where = f" where {listed([condition_in_words(each) for each in unsure])}" if unsure else ""
        allows = [each for each in published.statements if each.effect == "Allow"]
        actions = tuple(
            action for action in requirement.actions if not any(action_matches(each, action) for each in allows)
        )
        if actions and actions not in seen:
            seen.add(actions)
            (statement,) = parse(
                {"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}
            ).statements
            since = _published_since(component, actions)
            also = f"the project's policy has it only since {since}" if since else "the project's policy lacks it"
            yield _Besides(
                statement, f"{', '.join(actions)} is needed to {requirement.name}{where} ({requirement.source}); {also}"
            )


def _is_about(requirement: Requirement, addon: str) -> bool:
    return f"addon:{addon}" in requirement.when or (addon == "vpc-cni" and "vpc-cni-on-node-role" in requirement.when)


def _published_since(component: Component, actions: tuple[str, ...]) -> str:
    """Return the first release whose policy allows all the actions, as the newest does; empty if that lacks one."""
    first = ""
    for version in reversed(component.versions):
        statements = version.document(version.named({})).statements
        if not all(any(action_matches(each, action) for each in statements) for action in actions):
            break
        first = component.short(version.releases[0])
    return first


def _addon(component: Component, cluster: Cluster) -> Addon | None:
    return next((each for each in cluster.addons or () if each.name == component.whole), None)


def _recommended(component: Component, cluster: Cluster) -> Iterator[str]:
    """Yield the policies that EKS recommends for the component's add-on, if it is one."""
    addon = _addon(component, cluster)
    for account, arns in (addon.recommended_policies if addon else None) or ():
        if arns:
            yield f"EKS recommends {listed([arn.rpartition('/')[2] for arn in arns], 'or')} for {account}"


def _not_known(
    component: Component, cluster: Cluster, runner: _Runner | None, unknown: str | None, current: str | None
) -> Iterator[str]:
    """Yield what is not known about an upgrade; `unknown` is the release to upgrade to, if it is not a known one."""
    if unknown is not None:
        yield (
            f"{component.name} {unknown} is not one of the releases known until {published_until():%Y-%m-%d}, "
            f"{component.short(component.versions[0].releases[0])} to {component.short(component.newest)}"
        )
    if runner is None:
        yield (
            f"no role was found that runs {component.name} in cluster {cluster.name}; without one, its pods use the "
            f"role of their nodes"
        )
    if current is None:
        image = "jsonpath='{..image}'"
        yield (
            f"which release runs now: give --from {component.name}=RELEASE, to see what may go afterwards; "
            f"kubectl get deployments,daemonsets -A -o {image} names the images"
        )
    elif component.release(current) is None:
        yield f"release {current}, which runs now, is not a known one"


def _runners(component: Component, cluster: Cluster, uses: Uses) -> list[_Runner]:
    """Return the roles that run a component in a cluster; where only trust policies tell, all that may.

    With the agent, an association of Pod Identity comes before the role of an add-on and before the annotation of the
    service account; the add-on's role is written into that annotation.
    """
    found = [
        (arn, use)
        for arn, each in uses.items()
        for use in uses_running(component.name, each)
        if (use.region, use.cluster) == cluster.place
    ]
    associated = [pair for pair in found if pair[1].kind != "irsa" and pair[1].service_account is not None]
    configured = [pair for pair in found if pair[1].kind == "addon" and pair[1].service_account is None]
    if not found and component.name.startswith("vpc-cni") and cni_on_node_role(cluster):
        nodes = ("nodegroup", "self-managed-node", "karpenter-node")
        return _once(
            (arn, use, f"{arn.rpartition('/')[2]} by its nodes: vpc-cni has no role of its own")
            for arn, each in uses.items()
            for use in each
            if use.kind in nodes and (use.region, use.cluster) == cluster.place
        )
    has_agent = cluster.auto_mode or any(each.name == "eks-pod-identity-agent" for each in cluster.addons or ())
    accounts = {(use.namespace, use.service_account) for _, use in associated}
    second: dict[str, str] = {}
    chosen: list[tuple[str, Use]] = []
    for arn, use in found:
        if (arn, use) in associated:
            chosen.append((arn, use))
        elif has_agent and associated and (use.kind == "addon" or (use.namespace, use.service_account) in accounts):
            second[arn] = "an association of Pod Identity comes first"
        elif configured and use.kind == "irsa":
            second[arn] = "the add-on names another role"
        else:
            chosen.append((arn, use))
    targets = {
        each.role_arn: each.target_role_arn
        for each in cluster.associations or ()
        if (each.namespace, each.service_account) in accounts and each.target_role_arn
    }
    ignored = [
        f"{arn.rpartition('/')[2]} is not used: {why}"
        for arn, why in second.items()
        if arn not in {chosen_arn for chosen_arn, _ in chosen}
    ]
    runners = _once((targets.get(arn) or arn, use, _how(targets.get(arn) or arn, use)) for arn, use in chosen)
    return [runner._replace(reasons=(*runner.reasons, *ignored)) for runner in runners]


def _how(arn: str, use: Use) -> str:
    account = f"{use.namespace}/{use.service_account}"
    by = "service account" if use.kind == "irsa" else "Pod Identity for"
    how = f"add-on {use.name}" if use.service_account is None else f"{by} {account}"
    return f"{arn.rpartition('/')[2]} by {how} ({use.certainty})"


def _once(found: Iterable[tuple[str, Use, str]]) -> list[_Runner]:
    """Return each role once, by its first use."""
    runners: dict[str, _Runner] = {}
    for arn, use, reason in found:
        runners.setdefault(arn, _Runner(arn, use, (reason,)))
    return list(runners.values())


def _running(
    component: Component, cluster: Cluster, subject: RoleInUse | None, since: str | None
) -> tuple[str | None, list[str]]:
    """Return the release that runs now, and the evidence for it."""
    if since is not None:
        return since, []
    addon = _addon(component, cluster)
    if addon is not None and addon.version is not None:
        return addon.version, [f"{addon.version} by the add-on"]
    for each in copies_on(subject) if subject else ():
        if each.copy.original.name.partition("/")[0] == component.whole:
            version = components()[each.copy.original.name].versions[each.copy.version - 1]
            label = component.short(version.releases[0])
            return label, [f"{label} by {each.copy.local.name}, which is like it ({each.copy.nearness:.0%})"]
    return None, []


def _statements_of(subject: RoleInUse, use: Use) -> tuple[Document, list[str]]:
    """Return all statements of a role's policies, and what could not be read."""
    documents = [policy.document for policy in subject.policies if policy.document is not None]
    unread = [
        f"what {policy.name} allows, which could not be read" for policy in subject.policies if policy.document is None
    ]
    if subject.boundary is not None:
        unread.append(f"what the permissions boundary {subject.boundary.name} limits")
    if use.session_policy is not None:
        unread.append("what the session policy of its association limits")
    return merged(documents), unread
