"""Why Kubernetes forbade a request, according to a cluster's access entries and their access policies.

Source: EKS User Guide, "Grant IAM users access to Kubernetes with EKS access entries", for the user names that EKS
sets: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/{{SessionName}}` for a role, its ARN for a user, `system:node:…` for
nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

from ekstui.denial.forbidden import Forbidden, KubernetesSubject, SubjectKind
from ekstui.eks.cluster import AccessEntry, AssociatedPolicy, Cluster
from ekstui.eks.commands import (
    Command,
    associate_policy,
    aws,
    create_entry,
    iam_principal,
    update_kubeconfig,
    variable,
)
from ekstui.eks.kubernetes import KubernetesRequest, Rule, applies_in, covering, permissions
from ekstui.eks.rbac import RoleToMake, role_name
from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.principals import same_principal
from ekstui.named_tuples import NamedTuple

ForbiddenVerdict = Literal["forbidden", "depends", "allowed"]

_RBAC = "roles and bindings inside the cluster (Kubernetes' own RBAC)"


class JudgedPolicy(NamedTuple):
    """An access policy of an entry, evaluated for a request."""

    associated: AssociatedPolicy
    covers: bool | None
    """Whether its rules allow the request; None if its rules are not known."""
    applies: bool | None
    """Whether its scope includes the request; None if unknown."""


class Remedy(NamedTuple):
    """An access policy that allows a request, and how much it allows in all."""

    policy: str
    permissions: int | None
    """The number of verbs on resources; None for all resources."""
    reads_only: bool
    """Whether it allows only reads."""


class ForbiddenExplanation(NamedTuple):
    """Why Kubernetes forbade a request."""

    verdict: ForbiddenVerdict
    """Whether the request would be forbidden now, according to the access entries."""
    subject: KubernetesSubject | None
    """None if the cluster does not know the caller."""
    request: KubernetesRequest | None
    reason: str
    """One sentence."""
    cluster: str | None = None
    """None if no cluster is known."""
    principal: str | None = None
    """The ARN of the role or user behind the subject, if an entry or the account names it."""
    entry: AccessEntry | None = None
    policies: tuple[JudgedPolicy, ...] = ()
    missing_rule: Rule | None = None
    """The smallest rule that would allow the request."""
    allowed_by: tuple[Remedy, ...] = ()
    """Access policies that allow it, narrowest first; empty if none applies to such a subject."""
    not_looked_at: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    """What to run next, in this order."""
    rbac: tuple[Command, ...] = ()
    """What gives the missing rule alone by Kubernetes' own RBAC, in this order; empty if nothing can."""
    people_known: tuple[str, ...] = ()
    """For somebody the cluster does not know: the people's roles and users that it knows, as ARNs."""
    fetched_at: datetime | None = None
    """When the cluster was read; None if none was looked at."""
    times: int = 1
    """How often the message has it."""
    grants: str = ""
    """What the principal tried to grant without holding it; empty for a request that a rule is missing for."""


_WITHOUT_ENTRIES: Mapping[SubjectKind, tuple[str, tuple[str, ...]]] = {
    "anonymous": ("The request came without credentials, so neither access entries nor roles apply.", ()),
    "service-account": (
        "A service account has only the roles that are bound to it in the cluster; access entries do not apply to it.",
        (_RBAC,),
    ),
    "node": (
        "A node may do what Kubernetes allows nodes for their pods; access policies do not apply to it.",
        (_RBAC, "which pods are on the node"),
    ),
}
"""Why subjects to which access entries do not apply are forbidden something, and what was not looked at."""


def explain_forbidden(
    forbidden: Forbidden,
    cluster: Cluster | None,
    rules: Mapping[str, tuple[Rule, ...]],
    reserved_policies: Iterable[str] = (),
    *,
    named: bool = True,
) -> ForbiddenExplanation:
    """Return why a request was forbidden.

    `reserved_policies` are not for customers, and a cluster that is not `named` is the only known one.
    """
    subject, request = forbidden.subject, forbidden.request
    name = cluster.name if cluster else None
    explanation = ForbiddenExplanation("forbidden", subject, request, "", name, missing_rule=_rule_for(request))
    if forbidden.grants:
        return explanation._replace(grants=forbidden.grants, reason=_escalation(forbidden), not_looked_at=(_RBAC,))
    if subject.kind in _WITHOUT_ENTRIES:
        reason, places = _WITHOUT_ENTRIES[subject.kind]
        by_rbac = tuple(_by_rbac(subject, request, None, None))
        return explanation._replace(reason=reason, not_looked_at=places, rbac=by_rbac)
    remedies = _remedies_for(request, rules, reserved_policies)
    entry = None if cluster is None else access_entry_of(subject, cluster.access_entries or ())
    explanation = explanation._replace(
        allowed_by=remedies,
        commands=tuple(_to_be_allowed(subject, request, cluster, entry, remedies)),
        rbac=tuple(_by_rbac(subject, request, cluster, entry)),
    )
    if cluster is None:
        reason = "The message says so; no cluster was looked at."
        return explanation._replace(reason=reason, not_looked_at=("the access entries of the cluster", _RBAC))
    unseen = () if named else (f"whether the message is from cluster {cluster.name}",)
    if cluster.access_entries is None:
        verdict: ForbiddenVerdict = "forbidden" if cluster.authentication_mode == "CONFIG_MAP" else "depends"
        reason = _without_entries(cluster, ": access entries do not work there")
        return explanation._replace(verdict=verdict, reason=reason, not_looked_at=(*unseen, _RBAC))
    if entry is None:
        unread_sources = ("the config map aws-auth",) if cluster.authentication_mode != "API" else ()
        return explanation._replace(reason=_no_entry(subject, cluster), not_looked_at=(*unseen, *unread_sources, _RBAC))
    policies = tuple(_judged_policy(policy, request, rules) for policy in entry.policies or ())
    verdict, reason = _verdict_and_reason(entry, policies, request)
    if verdict == "allowed":
        explanation = explanation._replace(allowed_by=(), commands=(), rbac=())
    unread = () if entry.policies is not None else ("the access policies of the entry",)
    names = [
        *(f"the group {group}" for group in entry.groups),
        f"the user {entry.username}" if entry.username else "the user",
    ]
    return explanation._replace(
        verdict=verdict,
        reason=reason,
        principal=entry.principal_arn,
        entry=entry,
        policies=policies,
        not_looked_at=(*unseen, *unread, f"what roles in the cluster are bound to {' and '.join(names)}"),
    )


def _escalation(forbidden: Forbidden) -> str:
    """Return why nobody may grant what they do not hold.

    Source: Kubernetes, "Using RBAC Authorization", on privilege escalation prevention.
    """
    request = forbidden.request
    return (
        f"Kubernetes lets nobody grant permissions that they do not hold themselves ({forbidden.grants}); no IAM "
        f"policy changes that. Give the user the same permissions in the cluster first, or the verb {request.verb} on "
        f"{request.resource}, or let a cluster administrator do it."
    )


def explain_unauthorized(principal: str | None, cluster: Cluster) -> ForbiddenExplanation:
    """Return why a cluster does not know the caller; `principal` is the caller's ARN, if known."""
    entries = cluster.access_entries
    matches = (entry for entry in entries or () if principal and same_principal(entry.principal_arn, principal))
    entry = next(matches, None)
    unseen = ("the config map aws-auth",) if cluster.authentication_mode != "API" else ()
    is_certain = entry is None and principal is not None and entries is not None and not unseen
    people = tuple(person.principal_arn for person in entries or () if person.kind in (None, "STANDARD"))
    return ForbiddenExplanation(
        "forbidden" if is_certain else "depends",
        None,
        None,
        _why_unknown(principal, entry, cluster),
        cluster.name,
        principal,
        entry,
        not_looked_at=unseen if entries is not None else ("the access entries of the cluster", *unseen),
        commands=tuple(_to_be_known(principal, entry, cluster)),
        people_known=people if entry is None else (),
    )


def _why_unknown(principal: str | None, entry: AccessEntry | None, cluster: Cluster) -> str:
    if entry is not None:
        return (
            "The principal has an access entry, so the token is to blame: it is for another cluster or principal, "
            "has expired, or belongs to a role that was deleted and recreated."
        )
    place, mode = f"cluster {cluster.name}", cluster.authentication_mode
    if principal is None:
        source = "the config map aws-auth alone" if mode == "CONFIG_MAP" else "its access entries"
        return (
            f"The message does not say who the caller is. Either {place} does not know it by {source}, or its credentials "
            "are not valid or belong to another account."
        )
    if mode == "CONFIG_MAP" or cluster.access_entries is None:
        return _without_entries(cluster, ", which was not looked at")
    by_map = "" if mode == "API" else "; the config map aws-auth may name it"
    return f"There is no access entry for {principal} in {place}{by_map}."


def _to_be_known(principal: str | None, entry: AccessEntry | None, cluster: Cluster) -> Iterator[Command]:
    """Yield what to run so that a cluster knows a principal, or to see whether it should."""
    yield aws("tells who asks", "sts", "get-caller-identity")
    yield update_kubeconfig(cluster.name, cluster.region)
    if entry is None and cluster.authentication_mode != "CONFIG_MAP":
        arn = variable("PRINCIPAL_ARN") if principal is None else iam_principal(principal)
        if arn is not None:
            yield create_entry(cluster.name, cluster.region, arn)


def _to_be_allowed(
    subject: KubernetesSubject,
    request: KubernetesRequest,
    cluster: Cluster | None,
    entry: AccessEntry | None,
    remedies: Sequence[Remedy],
) -> Iterator[Command]:
    """Yield what gives a subject the access policy that allows a request and gives least else."""
    by_map_alone = cluster is not None and cluster.authentication_mode == "CONFIG_MAP"
    if subject.kind not in ("role", "user") or not remedies or by_map_alone:
        return
    if entry is not None and not entry.takes_policies:
        return
    arn = iam_principal(subject.username) if entry is None else entry.principal_arn
    if arn is None:
        return
    name, region = (variable("CLUSTER"), None) if cluster is None else (cluster.name, cluster.region)
    if entry is None:
        yield create_entry(name, region, arn)
    policy = remedies[0].policy
    partition = subject.username.split(":", 2)[1] if subject.username.startswith("arn:") else "aws"
    yield associate_policy(name, region, arn, policy, _namespaces(request.namespace, policy, entry), partition)


def _by_rbac(
    subject: KubernetesSubject, request: KubernetesRequest, cluster: Cluster | None, entry: AccessEntry | None
) -> Iterator[Command]:
    """Yield a role with only the missing rule, and its binding.

    An IAM role is bound by a group, since its user name has the session in it.
    """
    resource = f"{request.resource}.{request.api_group}" if request.api_group else request.resource
    name = role_name(
        request.verb,
        resource,
        request.subresource or request.path.strip("/").replace("/", "-"),
        request.namespace or "",
    )
    rule = _rule_for(request)
    place = request.namespace if not request.path else None
    if subject.kind == "service-account":
        account = f"{subject.namespace}:{subject.name}"
        yield from RoleToMake(name, place, (rule,), "ServiceAccount", account).commands
    elif subject.kind in ("user", "username"):
        yield from RoleToMake(name, place, (rule,), "User", subject.username).commands
    elif subject.kind == "role" and (entry is None or entry.takes_policies):
        groups = entry.groups if entry is not None else _mapped_groups(subject, cluster)
        bound_group = next((group for group in groups if not group.startswith("system:")), None)
        if bound_group is None and cluster is not None and cluster.authentication_mode != "CONFIG_MAP":
            arn = iam_principal(subject.username)
            if entry is not None and entry.kind is not None:
                yield _join_group(cluster, entry, name)
                bound_group = name
            elif entry is None and cluster.access_entries is not None and arn is not None and not groups:
                yield create_entry(cluster.name, cluster.region, arn, groups=(name,))
                bound_group = name
        yield from RoleToMake(name, place, (rule,), "Group", bound_group or variable("GROUP")).commands


def _mapped_groups(subject: KubernetesSubject, cluster: Cluster | None) -> tuple[str, ...]:
    """Return the groups that aws-auth gives a role, as far as it was read."""
    mappings = () if cluster is None else cluster.mappings
    matches = [mapping for mapping in mappings if same_principal(mapping.principal, subject.username)]
    return matches[-1].groups if matches else ()


def _join_group(cluster: Cluster, entry: AccessEntry, group: str) -> Command:
    """Return the command that puts an access entry without groups of its own into one."""
    return aws(
        f"puts its access entry into the group {group}",
        "eks", "update-access-entry", "--cluster-name", cluster.name, "--principal-arn", entry.principal_arn,
        "--kubernetes-groups", *entry.groups, group, region=cluster.region,
    )  # fmt: skip


def _namespaces(namespace: str | None, policy: str, entry: AccessEntry | None) -> Iterable[str]:
    """Return where to give a policy (empty: the whole cluster), as that replaces what the entry already has of it."""
    if not namespace:
        return ()
    policies = (entry.policies if entry is not None else None) or ()
    namespaces = (
        name for association in policies if association.policy == policy for name in association.namespaces or ()
    )
    return dict.fromkeys((*namespaces, namespace))


def access_entry_of(subject: KubernetesSubject, entries: Iterable[AccessEntry]) -> AccessEntry | None:
    """Return the access entry of a Kubernetes user; None if there is none."""
    for entry in entries:
        its = entity_of(entry.principal_arn)
        by_arn = (its.kind, its.name, split_arn(entry.principal_arn).account)
        if entry.username is None and by_arn == (subject.kind, subject.name, subject.account):
            return entry
        if entry.username is not None and _is_named(entry.username, subject.username):
            return entry
    return None


def _rule_for(request: KubernetesRequest) -> Rule:
    """Return the smallest rule that allows a request."""
    if request.path:
        return Rule((), (), (request.verb,), (request.path,))
    return Rule((request.api_group,), (request.whole_resource,), (request.verb,))


def _remedies_for(
    request: KubernetesRequest, rules: Mapping[str, tuple[Rule, ...]], reserved_policies: Iterable[str] = ()
) -> tuple[Remedy, ...]:
    """Return the access policies that allow a request, narrowest first."""
    reserved_names = set(reserved_policies)
    remedies = [
        Remedy(
            name,
            None if any("*" in rule.resources for rule in policy_rules) else len(permissions(policy_rules)),
            reads_only=all({*rule.verbs} <= {"get", "list", "watch"} for rule in policy_rules),
        )
        for name, policy_rules in rules.items()
        if name not in reserved_names and covering(policy_rules, request)
    ]
    remedies.sort(
        key=lambda remedy: (remedy.permissions is None, not remedy.reads_only, remedy.permissions or 0, remedy.policy)
    )
    return tuple(remedies)


def _judged_policy(
    policy: AssociatedPolicy, request: KubernetesRequest, rules: Mapping[str, tuple[Rule, ...]]
) -> JudgedPolicy:
    rules_of_policy = rules.get(policy.policy)
    covers = None if rules_of_policy is None else bool(covering(rules_of_policy, request))
    if policy.namespaces is None:
        return JudgedPolicy(policy, covers, applies=True)
    # Non-resource URLs and requests at the cluster scope are in no namespace.
    applies = False if request.path or request.namespace is None else applies_in(policy.namespaces, request.namespace)
    return JudgedPolicy(policy, covers, applies)


def _verdict_and_reason(
    entry: AccessEntry, policies: tuple[JudgedPolicy, ...], request: KubernetesRequest
) -> tuple[ForbiddenVerdict, str]:
    """Return what an entry's access policies decide, and why."""
    covering = [policy for policy in policies if policy.covers]
    if allowing := [policy.associated.policy for policy in covering if policy.applies]:
        return "allowed", (
            f"{allowing[0]} allows it now: the message predates the entry, is from another cluster, or is about a "
            "request with --as, to which access policies do not apply."
        )
    if entry.policies is None:
        return "depends", "The entry's access policies were not read."
    if unknown := [policy.associated.policy for policy in policies if policy.covers is None and policy.applies]:
        return "depends", f"The rules of {' and '.join(unknown)} are not known."
    if covering:
        return "forbidden", _allowed_elsewhere(covering[0].associated, request)
    if not policies:
        ever = "" if entry.takes_policies else ", and its type cannot have any"
        return "forbidden", f"The entry has no access policy{ever}."
    names = ", ".join(policy.associated.policy for policy in policies)
    return "forbidden", f"None of the entry's access policies has a rule for it: {names}."


def _allowed_elsewhere(policy: AssociatedPolicy, request: KubernetesRequest) -> str:
    """Return where an access policy allows a request, and where the request is instead."""
    scope = f"in {', '.join(policy.namespaces)}" if policy.namespaces else "in no namespace"
    at_cluster = "at the cluster scope, which a policy for namespaces does not cover"
    place = f"in {request.namespace}" if request.namespace else at_cluster
    return f"{policy.policy} allows it only {scope}; the request is {place}."


def _without_entries(cluster: Cluster, by_map: str) -> str:
    """Return why no access entry counts; `by_map` says what follows if the cluster has none."""
    if cluster.authentication_mode == "CONFIG_MAP":
        return f"Cluster {cluster.name} authenticates only by the config map aws-auth{by_map}."
    return f"The access entries of cluster {cluster.name} were not read."


def _no_entry(subject: KubernetesSubject, cluster: Cluster) -> str:
    if subject.kind == "username":
        return f"No access entry of cluster {cluster.name} sets the user name {subject.username}."
    by_map = (
        ""
        if cluster.authentication_mode == "API"
        else "; if the config map aws-auth names it, its groups lack the permission"
    )
    return f"There is no access entry for the {subject.kind} {subject.name} in cluster {cluster.name}{by_map}."


def _is_named(pattern: str, username: str) -> bool:
    """Return whether the user name that an entry sets, with placeholders such as `{{SessionName}}`, matches another."""
    pieces = re.split(r"\{\{[^{}]*\}\}", pattern)
    if re.fullmatch(".+".join(map(re.escape, pieces)), username):
        return True
    # If an entry names a role, EKS uses the session's ARN as the user name.
    return pattern.startswith("arn:") and same_principal(pattern, username) is True
