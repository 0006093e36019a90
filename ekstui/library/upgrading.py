"""Which permissions a cluster's controllers need before they are upgraded, and which can be removed afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from ekstui.change.comparison import changes
from ekstui.change.lacking import AllowedElsewhere, Superfluous, lacking, superfluous
from ekstui.eks.account_snapshot import AccountSnapshot, Role, Use
from ekstui.eks.cluster import Cluster
from ekstui.eks.commands import Command, put_policy, with_variables
from ekstui.eks.findings.conditions import cni_on_node_role, condition_holds_for, condition_in_words
from ekstui.eks.findings.permissions import NAMED_ACTIONS
from ekstui.eks.findings.subjects import AccountContext, RoleInUse
from ekstui.eks.knowledge import Requirement
from ekstui.eks.pods import releases_run
from ekstui.eks.published import Component, Release, values_in
from ekstui.eks.uses import Uses, uses_running
from ekstui.errors import InputError, NotFoundError
from ekstui.iam.document import Document, Statement, parse
from ekstui.iam.grants import allows_action, merged_document
from ekstui.iam.text import first_of, listed
from ekstui.iam.truth import Truth
from ekstui.iam.wildcard import matches
from ekstui.library.catalog import knowledge, not_found
from ekstui.library.cluster_facts import find_cluster
from ekstui.library.copies import copies_on
from ekstui.library.library import Library
from ekstui.library.roles import account_context, role_values, subjects_of
from ekstui.named_tuples import NamedTuple
from ekstui.sources.aws.clusters import read_addon_needs
from ekstui.sources.shipped import components, published_until


class OptionalNeed(NamedTuple):
    """What a role lacks of a release's published policy, and the only case in which the release calls it."""

    only_if: str
    """The case, as the end of `only if …`."""
    statements: tuple[Statement, ...]


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
    optional: tuple[OptionalNeed, ...] = ()
    """What the role lacks and the release calls only in one case; not in `before`."""
    commands: tuple[Command, ...] = ()
    """What gives the role `before`; empty if it needs nothing, or if one inline policy has no room for it."""
    checks: tuple[Command, ...] = ()
    """What shows more of what is not known."""
    policies: tuple[Document, Document] | None = None
    """What the release that runs and the one to come need, with the values of the role; None if one is not known."""


class UpgradeAnswer(NamedTuple):
    """What an upgrade of a cluster's components needs."""

    cluster: str
    components: tuple[ComponentUpgrade, ...]


def upgrade(
    library: Library, cluster_name: str, to: Mapping[str, str], since: Mapping[str, str], values: Mapping[str, str]
) -> UpgradeAnswer:
    """Return what the components of `to` and `since`, or all with a role in the cluster, need.

    That is for their releases there, or the newest ones.
    """
    snapshot = library.account.last_snapshot_or_error()
    cluster = _with_needs(library, find_cluster(cluster_name, None, snapshot))
    uses = library.account.uses(snapshot)
    by_arn = {
        subject.role.arn: subject for subject in subjects_of(snapshot.roles, snapshot, uses, library.default_versions)
    }
    chosen_names = (*to, *since)
    upgrades: list[ComponentUpgrade] = []
    for name in dict.fromkeys(chosen_names or (name for name in components() if "/" not in name)):
        component = _component(name, cluster, snapshot)
        question = _Question(component, cluster, snapshot, uses, to.get(name), since.get(name), values)
        runners: list[_Runner | None] = [*_runners(question.component, cluster, uses)]
        if not runners and chosen_names:
            runners.append(None)
        upgrades += (_upgrade(question, runner, by_arn.get(runner.arn) if runner else None) for runner in runners)
    return UpgradeAnswer(cluster.name, tuple(upgrades))


def _with_needs(library: Library, cluster: Cluster) -> Cluster:
    """Return a cluster with the policies that EKS recommends for its add-ons, asking EKS if needed and allowed."""
    is_known = all(addon.recommended_policies is not None for addon in cluster.addons or ())
    if is_known or not library.account.choice.asks_aws:
        return cluster
    return read_addon_needs(library.account.connection(), cluster)[0]


def _component(name: str, cluster: Cluster, snapshot: AccountSnapshot) -> Component:
    """Return the component that a name means in a cluster, maybe a variant for its partition or IP family."""
    known_components = components()
    if name not in known_components:
        raise not_found(
            f"No component is named {name!r}.", name, known_components, f"Known are {', '.join(known_components)}."
        )
    variants = [f"{name}/{snapshot.identity.partition}", f"{name}/{cluster.ip_family}"]
    return next(
        (known_components[variant_name] for variant_name in variants if variant_name in known_components),
        known_components[name],
    )


class _Runner(NamedTuple):
    """A role that runs a component in a cluster, or may."""

    arn: str
    use: Use
    reasons: tuple[str, ...]


class _Question(NamedTuple):
    """The question about one component."""

    component: Component
    cluster: Cluster
    snapshot: AccountSnapshot
    uses: Uses
    to: str | None
    """The release to upgrade to; None for the newest."""
    since: str | None
    """The release that runs now; None if that has to be found."""
    values: Mapping[str, str]
    """Parameters that the user fills in."""


def _upgrade(question: _Question, runner: _Runner | None, subject: RoleInUse | None) -> ComponentUpgrade:
    """Return what the role of `runner` needs, which is `subject` as far as it was read."""
    component, cluster = question.component, question.cluster
    current, evidence = _running(component, cluster, subject, question.since)
    target = component.newest if question.to is None else component.release(question.to)
    answer = ComponentUpgrade(
        component.name,
        current,
        question.to or component.short(component.newest),
        runner.arn.rpartition("/")[2] if runner else None,
        before=(),
        after=(),
        not_known=tuple(_not_known(component, cluster, runner, question.to if target is None else None, current)),
        reasons=(*(runner.reasons if runner else ()), *evidence, *_recommendations(component, cluster)),
        checks=() if current is not None else (Command(_IMAGES, "names the images that run now"),),
    )
    if runner is None:
        return answer
    if subject is None or not subject.known_whole:
        return answer._replace(not_known=(*answer.not_known, f"what {answer.role} allows, which was not read"))
    return answer if target is None else _with_needs_of_role(answer, question, target, runner.use, subject)


def _with_needs_of_role(
    answer: ComponentUpgrade, question: _Question, target: Release, use: Use, subject: RoleInUse
) -> ComponentUpgrade:
    """Return the answer with what a role must be given for a release, and what can be removed from it afterwards."""
    component, cluster = question.component, question.cluster
    role_statements, unread = _statements_of(subject, use)
    version = component.versions[component.number(target) - 1]
    parameters = {
        **role_values(subject.role.name, question.snapshot, question.uses),
        "ClusterName": cluster.name,
        "CLUSTER_NAME": cluster.name,
        "AWS::Region": cluster.region,
        **values_in(version, role_statements),
        **question.values,
    }
    policy = version.document(version.named(parameters))
    besides = tuple(_besides(component, target, policy, use, subject, question.snapshot))
    target_document = policy._replace(statements=(*policy.statements, *(statement for statement, _ in besides)))
    optional = [
        need
        for need in knowledge().optional_actions
        if need.releases.of == component.whole and need.releases.includes(target.tag)
    ]
    patterns = [pattern for need in optional for pattern in need.actions]
    needs = lacking(_with_actions(target_document, patterns, matching=False), role_statements)
    old = component.at(answer.before_release) if answer.before_release else None
    spare = (
        superfluous(old.document(old.named(parameters)), target_document, role_statements)
        if old
        else Superfluous((), ())
    )
    open_names = [name for name in version.to_fill_in if name not in parameters]
    lacking_actions = {action for statement in needs.statements for action in statement.actions}
    open_questions = {
        f"values of {', '.join(open_names)} (--param NAME=VALUE)": open_names,
        f"whether the role may already do all of {', '.join(needs.unknown)}": needs.unknown,
        f"whether the role may do {first_of(needs.denied, NAMED_ACTIONS)}, which a Deny of its policies may revoke": needs.denied,
        f"how {', '.join(spare.narrower)} can be narrowed afterwards": spare.narrower,
    }
    release = component.short(target)
    compare = Command(
        ("ekstui", "diff", f"role:{subject.role.name}", f"{component.name}@{release}"), "compares the role"
    )
    return answer._replace(
        before=needs.statements,
        partly=needs.partly,
        policies=(old.document(old.named(parameters)), target_document) if old else None,
        besides=tuple(text for statement, text in besides if lacking_actions.intersection(statement.actions)),
        is_judged=not (unread or needs.denied),
        after=spare.statements,
        commands=tuple(_giving(subject.role, f"{component.name}-{release}", needs.statements, open_names)),
        checks=(*answer.checks, *((compare,) if spare.narrower else ())),
        not_known=(*answer.not_known, *unread, *(text for text, names in open_questions.items() if names)),
        optional=tuple(
            OptionalNeed(need.only_if, statements)
            for need in optional
            if (
                statements := lacking(
                    _with_actions(target_document, need.actions, matching=True), role_statements
                ).statements
            )
        ),
    )


def _with_actions(document: Document, patterns: Collection[str], *, matching: bool) -> Document:
    """Return a document with only the actions that match one of the patterns, or with only the others."""

    def is_kept(action: str) -> bool:
        return any(matches(pattern.lower(), action.lower()) for pattern in patterns) is matching

    statements = (
        statement._replace(actions=tuple(filter(is_kept, statement.actions))) for statement in document.statements
    )
    return document._replace(statements=tuple(statement for statement in statements if statement.actions))


def _besides(
    component: Component,
    target: Release,
    policy: Document,
    use: Use,
    subject: RoleInUse,
    snapshot: AccountSnapshot,
) -> Iterator[tuple[Statement, str]]:
    """Yield what is known to be needed by a release although its project's policy lacks it, and why, as a sentence."""
    account = account_context(snapshot, snapshot.fetched_at)
    yielded_actions: set[tuple[str, ...]] = set()
    for requirement in knowledge().requirements:
        by_nodes = component.whole == "vpc-cni" and "vpc-cni-on-node-role" in requirement.when
        if use.kind not in requirement.uses or not (by_nodes or f"addon:{component.whole}" in requirement.when):
            continue
        unsure = _unsure(requirement, target, use, subject, account)
        actions = tuple(action for action in requirement.actions if not allows_action(policy, action))
        if unsure is None or not actions or actions in yielded_actions:
            continue
        yielded_actions.add(actions)
        condition = f" where {listed(unsure)}" if unsure else ""
        since = _published_since(component, actions)
        also = f"the project's policy has it only since {since}" if since else "the project's policy lacks it"
        (statement,) = parse({"Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}).statements
        yield (
            statement,
            f"{', '.join(actions)} is needed to {requirement.name}{condition} ({requirement.source}); {also}",
        )


def _unsure(
    requirement: Requirement, target: Release, use: Use, subject: RoleInUse, account: AccountContext
) -> list[str] | None:
    """Return, in words, which conditions of a requirement may or may not hold; None if one does not."""
    conditions: dict[str, Truth] = {
        condition_in_words(name): condition_holds_for(name, use, subject, account) for name in requirement.when
    }
    if requirement.releases is not None:
        # What matters is the release after the upgrade, not the one that runs.
        conditions[requirement.releases.unsure(target.tag)] = requirement.releases.includes(target.tag)
    return None if False in conditions.values() else [words for words, truth in conditions.items() if truth is None]


def _published_since(component: Component, actions: tuple[str, ...]) -> str:
    """Return the first release whose policy allows all the actions, as the newest does; empty if that lacks one."""
    first = ""
    for version in reversed(component.versions):
        document = version.document(version.named({}))
        if not all(allows_action(document, action) for action in actions):
            break
        first = component.short(version.releases[0])
    return first


def _recommendations(component: Component, cluster: Cluster) -> Iterator[str]:
    addon = cluster.addon(component.whole)
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
        yield f"which release runs now: give --from {component.name}=RELEASE, to see what may go afterwards"
    elif component.release(current) is None:
        yield f"release {current}, which runs now, is not a known one"


_IMAGES = ("kubectl", "get", "deployments,daemonsets", "-A", "-o", "jsonpath={..image}")

_ROOM = 10_240
"""The most characters of all inline policies of a role together ("IAM and AWS STS quotas")."""


def _giving(
    role: Role, label: str, statements: tuple[Statement, ...], open_names: Collection[str]
) -> Iterator[Command]:
    """Yield the command that gives a role the statements; their open parameters are variables of the shell."""
    statements = tuple(with_variables(statement, open_names) for statement in statements)
    command = put_policy(role.name, label, statements, f"adds them to {role.name}, as an inline policy")
    if statements and len(command.arguments[-1]) <= _ROOM:
        yield command


def _runners(component: Component, cluster: Cluster, uses: Uses) -> list[_Runner]:
    """Return the roles that run a component in a cluster; where only trust policies tell, all that may."""
    cluster_uses = [
        (arn, use) for arn, role_uses in uses.items() for use in role_uses if (use.region, use.cluster) == cluster.place
    ]
    runners = [(arn, use) for arn, use in cluster_uses if uses_running(component.name, (use,))]
    if not runners and component.whole == "vpc-cni" and cni_on_node_role(cluster):
        nodes = (pair for pair in cluster_uses if pair[1].kind in ("nodegroup", "self-managed-node", "karpenter-node"))
        return _once((arn, use, "by its nodes: vpc-cni has no role of its own") for arn, use in nodes)
    # The roles of associations may assume others in turn for their pods.
    accounts = {
        (use.namespace, use.service_account) for _, use in runners if use.kind != "irsa" and use.service_account
    }
    targets = {
        association.role_arn: association.target_role_arn
        for association in cluster.associations or ()
        if (association.namespace, association.service_account) in accounts and association.target_role_arn
    }
    active = [(arn, use) for arn, use in runners if not use.overruled]
    overruled_by = {arn: use.overruled for arn, use in runners if use.overruled}
    for arn, _ in active:
        overruled_by.pop(arn, None)
    reasons = (f"{arn.rpartition('/')[2]} is not used: {reason}" for arn, reason in overruled_by.items())
    return _once(((targets.get(arn, arn), use, _how(use)) for arn, use in active), *reasons)


def _how(use: Use) -> str:
    account = f"{use.namespace}/{use.service_account}"
    service_account_by = "service account" if use.kind == "irsa" else "Pod Identity for"
    way = f"add-on {use.name}" if use.service_account is None else f"{service_account_by} {account}"
    return f"by {way} ({use.certainty})"


def _once(needs: Iterable[tuple[str, Use, str]], *reasons: str) -> list[_Runner]:
    """Return each role once, by its first use and how that makes it run the component; `reasons` hold for all."""
    runners: dict[str, _Runner] = {}
    for arn, use, way in needs:
        runners.setdefault(arn, _Runner(arn, use, (f"{arn.rpartition('/')[2]} {way}", *reasons)))
    return list(runners.values())


def _running(
    component: Component, cluster: Cluster, subject: RoleInUse | None, since: str | None
) -> tuple[str | None, list[str]]:
    """Return the release that runs now, and the evidence for it."""
    if since is not None:
        return since, []
    addon = cluster.addon(component.whole)
    if addon is not None and addon.version is not None:
        return addon.version, [f"{addon.version} by the add-on"]
    if len(releases := releases_run(cluster.kubernetes, component.whole)) == 1:
        return releases[0], [f"{releases[0]} by the image of its pods"]
    for copy in copies_on(subject) if subject else ():
        if copy.copy.original.name.partition("/")[0] == component.whole:
            version = components()[copy.copy.original.name].versions[copy.copy.version - 1]
            label = component.short(version.releases[0])
            return label, [f"{label} by {copy.copy.local.name}, which is like it ({copy.copy.nearness:.0%})"]
    return None, []


def _statements_of(subject: RoleInUse, use: Use) -> tuple[Document, list[str]]:
    documents = [policy.document for policy in subject.policies if policy.document is not None]
    unread = [
        f"what {policy.name} allows, which could not be read" for policy in subject.policies if policy.document is None
    ]
    if subject.boundary is not None:
        unread.append(f"what the permissions boundary {subject.boundary.name} limits")
    if use.session_policy is not None:
        unread.append("what the session policy of its association limits")
    return merged_document(documents), unread


class Bridge(NamedTuple):
    """The least policy for two releases."""

    component: str
    before_release: str
    after_release: str
    role: str | None
    document: Document
    is_proven: bool
    """Whether the comparison proves that it allows what the two releases need, and nothing else."""


def bridge(
    library: Library, cluster: str, target: str, since: Mapping[str, str], values: Mapping[str, str]
) -> tuple[Bridge, ...]:
    """Return a policy for each role that runs a component, for the release that runs and `COMPONENT@RELEASE`."""
    component, separator, release = target.partition("@")
    if not (component and separator and release):
        raise InputError(f"{target!r} is not COMPONENT@RELEASE.", "For example: --bridge karpenter@v1.14.")
    answer = upgrade(library, cluster, {component: release}, since, values)
    bridges = tuple(_bridge(entry) for entry in answer.components if entry.policies is not None)
    if bridges:
        return bridges
    unknown = next((entry for entry in answer.components if entry.role is not None), None)
    if unknown is not None and unknown.before_release is None:
        raise InputError(
            f"Which release of {component} runs in {cluster} is not known.", f"Name it: --from {component}=RELEASE."
        )
    reasons = "; ".join(text for entry in answer.components for text in entry.not_known)
    raise NotFoundError(f"There is no bridge for {component} in {cluster}: {reasons}.", ())


def _bridge(needs: ComponentUpgrade) -> Bridge:
    assert needs.policies is not None  # noqa: S101 (the caller asks)
    before, after = needs.policies
    # What the release to come needs, and of the one that runs only what that does not allow already.
    sids = {statement.sid for statement in after.statements}
    additional = (
        statement._replace(sid=None) if statement.sid in sids else statement
        for statement in lacking(before, after).statements
    )
    document = after._replace(statements=(*after.statements, *additional))
    return Bridge(
        needs.component,
        needs.before_release or "",
        needs.after_release,
        needs.role,
        document,
        changes(merged_document((before, after)), document).reach == "same",
    )
