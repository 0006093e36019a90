"""The access entries, access policies and RBAC that replace the lines of the ConfigMap aws-auth.

An access policy is given only if a group is bound to all that it allows, so that nobody gets more than before; the rest
of it is written as RBAC. Source: EKS User Guide, "Create access entries" for what an entry may have; terraform-aws-eks
#2915 for groups.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from ekstui.eks.cluster import AssociatedPolicy, Cluster
from ekstui.eks.commands import Command, access_policy_arn, associate_policy, aws, create_entry, role_arn_from_iam
from ekstui.eks.kubernetes import Permission, Rule, beyond, permissions
from ekstui.eks.pods import MASTERS, AuthMapping
from ekstui.eks.rbac import Binding, Rights, RoleToMake, lacking_rules, rights_of, role_name, rules_cover
from ekstui.eks.uses import arn_without_path
from ekstui.iam.arn import entity_of, split_arn
from ekstui.iam.text import listed
from ekstui.named_tuples import NamedTuple

_RESERVED = ("system:", "eks:", "aws:", "amazon:", "iam:")
"""How names of groups and users must not begin in an access entry."""

_EVERYTHING = (Rule(("*",), ("*",), ("*",)), Rule((), (), ("*",), ("*",)))
_BUILT_IN: Mapping[str, Rights] = {
    MASTERS: {None: _EVERYTHING},
    "system:monitoring": {
        None: (Rule((), (), ("get",), ("/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis",
                                       "/readyz", "/readyz/*")),),
    },
}  # fmt: skip
"""What Kubernetes itself gives groups that people are put into (Kubernetes, "Using RBAC Authorization")."""

_OF_NODES = frozenset({"system:bootstrappers", "system:nodes", "system:node-proxier", "eks:kube-proxy-windows"})
_PLACEHOLDER = re.compile(r"\{\{(\w*)\}\}")


class ReplacedLine(NamedTuple):
    """A line of aws-auth and what replaces it."""

    line: AuthMapping
    kind: str | None
    """The type of the access entry; None if none can or need be made."""
    principal: str | None = None
    """Its ARN, or a shell expansion that asks IAM for it; None if there is no entry."""
    username: str | None = None
    """None for EKS's own."""
    groups: tuple[str, ...] = ()
    policies: tuple[AssociatedPolicy, ...] = ()
    roles: tuple[RoleToMake, ...] = ()
    """The RBAC for what no access policy gives."""
    gives_the_same: bool | None = None
    """Whether entry, access policies and RBAC give just what the line does; None if that is not known."""
    only_by_rbac: tuple[Permission, ...] = ()
    """What the line gives and no access policy that gives nothing else."""
    notes: tuple[str, ...] = ()
    """Sentences."""
    commands: tuple[Command, ...] = ()
    """What makes the entry with its access policies, in this order."""


class MigrationContext(NamedTuple):
    """What the lines of aws-auth are judged by."""

    cluster: Cluster
    account: str
    partition: str
    principals: Collection[str] | None
    """The ARNs of the account's roles and users; None if they were not read."""
    bindings: tuple[Binding, ...] | None
    """None if RBAC was not read."""
    rules: Mapping[str, tuple[Rule, ...]]
    """Of the access policies that principals can have."""


def replaced_lines(context: MigrationContext) -> tuple[ReplacedLine, ...]:
    """Return what replaces each line of aws-auth as it was read, in its order."""
    mappings = context.cluster.mappings
    last = {(mapping.kind, mapping.principal.lower()): index for index, mapping in enumerate(mappings)}
    return tuple(
        _replaced(mapping, context)
        if last[mapping.kind, mapping.principal.lower()] == index
        else ReplacedLine(mapping, None, notes=("A later line is for the same principal, so this one does not count.",))
        for index, mapping in enumerate(mappings)
    )


def change_of_mode(cluster: Cluster) -> tuple[Command, ...]:
    """Return the commands that make access entries count, to be run in this order; empty if they do."""
    if cluster.authentication_mode != "CONFIG_MAP":
        return ()
    mode = "authenticationMode=API_AND_CONFIG_MAP"
    return (
        aws(
            "makes access entries count besides aws-auth, which cannot be undone",
            *("eks", "update-cluster-config", "--name", cluster.name, "--access-config", mode), region=cluster.region,
        ),
        aws("waits until they do", "eks", "wait", "cluster-active", "--name", cluster.name, region=cluster.region),
    )  # fmt: skip


def _replaced(line: AuthMapping, context: MigrationContext) -> ReplacedLine:
    if line.kind == "account":
        note = "It lets a whole account in; an access entry is for one role or user, so each needs its own."
        return ReplacedLine(line, None, notes=(note,))
    plain_arn = arn_without_path(line.principal)
    if any(arn_without_path(entry.principal_arn) == plain_arn for entry in context.cluster.access_entries or ()):
        return ReplacedLine(line, None, notes=("The cluster has an access entry for it, which overrides this line.",))
    principal, notes = _principal(line, context)
    if principal is None:
        return ReplacedLine(line, None, notes=notes)
    if (kind := _kind_of_nodes(line)) is None:
        by_entry = _entry_of_people(line, principal, context)
    else:
        by_entry = _entry_of_nodes(line, kind, principal, context.cluster)
    return by_entry._replace(notes=(*notes, *by_entry.notes))


def _entry_of_nodes(line: AuthMapping, kind: str, principal: str, cluster: Cluster) -> ReplacedLine:
    other_groups = (group for group in line.groups if group not in _OF_NODES)
    notes = tuple(f"The group {group} cannot be on an entry for nodes." for group in other_groups)
    command = create_entry(cluster.name, cluster.region, principal, kind)
    return ReplacedLine(line, kind, principal, gives_the_same=None if notes else True, notes=notes, commands=(command,))


def _entry_of_people(line: AuthMapping, principal: str, context: MigrationContext) -> ReplacedLine:
    place = (context.cluster.name, context.cluster.region, principal)
    username, about_name = _username(line, context)
    parts = [_group_replacement(group, line, context) for group in line.groups]
    policies = _merged(policy for part in parts for policy in part.policies)
    groups = tuple(dict.fromkeys(part.group for part in parts if part.group is not None))
    commands = [create_entry(*place, groups=groups, username=username)]
    commands += [
        associate_policy(*place, policy.policy, policy.namespaces or (), context.partition) for policy in policies
    ]
    # Of a role of another account the path is not known.
    is_certain = line.kind == "user" or split_arn(line.principal).account == context.account
    knows_all = all(part.is_same for part in parts) and not about_name and is_certain
    never_matched = line.principal != arn_without_path(line.principal)
    notes = [*about_name, *(note for part in parts for note in part.notes)]
    if never_matched:
        notes.insert(0, "Its ARN has a path, so the line lets nobody in today; the entry gives what it was meant to.")
    return ReplacedLine(
        line, "STANDARD", principal, username, groups, policies,
        tuple(dict.fromkeys(role for part in parts for role in part.roles)),
        True if knows_all and not never_matched else None,
        tuple(dict.fromkeys(permission for part in parts for permission in part.only_by_rbac)),
        tuple(notes), tuple(commands),
    )  # fmt: skip


def _principal(line: AuthMapping, context: MigrationContext) -> tuple[str | None, tuple[str, ...]]:
    """Return the principal for an access entry, which has the path that aws-auth leaves out, and notes."""
    arn, entity = line.principal, entity_of(line.principal)
    is_own = split_arn(arn).account == context.account
    if not is_own:
        caveat = "Its path, if it has one, is not known: the role is of another account."
        return arn, (caveat,) if line.kind == "role" else ()
    if context.principals is not None:
        matches = [
            name
            for name in context.principals
            if name == arn or (line.kind == "role" and ":role/" in name and entity_of(name).name == entity.name)
        ]
        if not matches:
            return None, (f"IAM has no {line.kind} {entity.name}: nothing needs to replace the line.",)
        return matches[0], ()
    if line.kind == "user":
        return arn, ()
    return role_arn_from_iam(entity.name), ()


def _kind_of_nodes(line: AuthMapping) -> str | None:
    """Return the type of access entry for a line of nodes; None for one of people and tools."""
    if line.kind != "role" or "system:nodes" not in line.groups:
        return None
    if "eks:kube-proxy-windows" in line.groups:
        return "EC2_WINDOWS"
    if "system:node-proxier" in line.groups:
        return "FARGATE_LINUX"
    return "HYBRID_LINUX" if "{{SessionName" in line.username else "EC2_LINUX"


def _username(line: AuthMapping, context: MigrationContext) -> tuple[str | None, tuple[str, ...]]:
    """Return the user name for an access entry, and what is lost if it cannot be the line's."""
    name = line.username
    if not name:
        return None, ()
    wrong = (
        name.startswith(_RESERVED)
        or not {*_PLACEHOLDER.findall(name)} <= {"AccountID", "SessionName"}
        or re.search(r"(?<!:)\{\{SessionName\}\}", name)
    )
    if not wrong:
        return name, ()
    loss = "what is bound to that user, if anything, is lost"
    users = {user for binding in context.bindings or () for kind, user in binding.subjects if kind == "User"}
    pattern = re.compile(".*".join(map(re.escape, _PLACEHOLDER.split(name)[::2])))
    if context.bindings is not None and not any(map(pattern.fullmatch, users)):
        return None, ()
    return None, (f"An entry cannot have the user name {name}, so it gets EKS's own: {loss}.",)


class _GroupReplacement(NamedTuple):
    group: str | None
    """The group of the entry; None if it needs none."""
    policies: tuple[AssociatedPolicy, ...] = ()
    roles: tuple[RoleToMake, ...] = ()
    is_same: bool = True
    only_by_rbac: tuple[Permission, ...] = ()
    notes: tuple[str, ...] = ()


def _group_replacement(group: str, line: AuthMapping, context: MigrationContext) -> _GroupReplacement:
    """Return what replaces a group of a line: access policies that give nothing more, and RBAC for the rest."""
    is_reserved = group.startswith(_RESERVED)
    rights, unread = rights_of(("Group", group), context.bindings or ())
    if group in _BUILT_IN and (context.bindings is None or not rights or group == MASTERS):
        rights, unread = _BUILT_IN[group], ()
    elif context.bindings is None or unread:
        reason = f"the role of {listed(unread)} was not read" if unread else "RBAC was not read"
        if is_reserved:
            loss = f"An entry cannot have the group {group}, and what that may do is not known: {reason}."
            return _GroupReplacement(None, is_same=False, notes=(loss,))
        note = f"The entry keeps the group {group} with all that is bound to it ({reason})."
        return _GroupReplacement(group, notes=(note,))
    if not any(rights.values()):
        return _GroupReplacement(None if is_reserved else group, notes=(f"The group {group} is bound to nothing.",))
    subject = role_name(group.partition(":")[2], entity_of(line.principal).name) if is_reserved else group
    policies, roles = _replacing(rights, context.rules, subject, context.partition)
    notes = []
    if is_reserved:
        notes.append(f"An entry cannot have the group {group}.")
    if group == MASTERS:
        notes.append(
            "Unlike that group, an access policy can be taken away, and counts neither with --as nor in the list of "
            "kubectl auth can-i."
        )
    if not is_reserved:
        unbound = "once the RBAC is applied" if roles else "once the access policies are associated"
        notes.append(f"What is bound to {group} now can be deleted {unbound}.")
    # Without RBAC of its own the group is kept only where it can be.
    kept_group = subject if roles or not is_reserved else None
    rbac_permissions = tuple(sorted({permission for role in roles for permission in permissions(role.rules)}))
    return _GroupReplacement(
        kept_group, policies, roles, _gives(rights, policies, roles, context.rules), rbac_permissions, tuple(notes)
    )


def _replacing(
    rights: Rights, rules: Mapping[str, tuple[Rule, ...]], subject: str, partition: str
) -> tuple[tuple[AssociatedPolicy, ...], tuple[RoleToMake, ...]]:
    """Return the access policies, and the RBAC for a group, that together give some rights and nothing else."""
    everywhere = rights.get(None, ())
    policies: list[AssociatedPolicy] = []
    roles: list[RoleToMake] = []
    for namespace in sorted(rights, key=lambda place: (place is not None, place or "")):
        local_rules, cluster_rules = rights[namespace], () if namespace is None else everywhere
        names = _widest(local_rules, cluster_rules, rules)
        policies += [
            AssociatedPolicy(access_policy_arn(name, partition), None if namespace is None else (namespace,))
            for name in names
        ]
        if remaining_rules := lacking_rules(
            local_rules, (*cluster_rules, *(rule for name in names for rule in rules[name]))
        ):
            new_role_name = role_name(subject, "beside-access-policies", namespace or "")
            roles.append(RoleToMake(new_role_name, namespace, remaining_rules, "Group", subject))
    return _merged(policies), tuple(roles)


def _widest(
    local_rules: Sequence[Rule], cluster_rules: Sequence[Rule], rules: Mapping[str, tuple[Rule, ...]]
) -> list[str]:
    """Return the access policies that give most of some rules, and nothing that these or `cluster_rules` do not."""
    fitting = [
        name for name, of_policy in sorted(rules.items()) if not beyond(of_policy, (*local_rules, *cluster_rules))
    ]
    choice: list[str] = []

    def count_left(names: Sequence[str]) -> int:
        return len(
            permissions(lacking_rules(local_rules, (*cluster_rules, *(rule for name in names for rule in rules[name]))))
        )

    while fitting:
        best = min(fitting, key=lambda name: count_left((*choice, name)))
        if count_left((*choice, best)) == count_left(choice):
            break
        choice.append(best)
        fitting.remove(best)
    return choice


def _merged(policies: Iterable[AssociatedPolicy]) -> tuple[AssociatedPolicy, ...]:
    """Return each access policy once, as an entry can have it: for the whole cluster, or for all its namespaces."""
    places: dict[str, tuple[str, ...] | None] = {}
    for policy in policies:
        before = places.get(policy.policy_arn, ())
        is_whole = before is None or policy.namespaces is None
        places[policy.policy_arn] = (
            None if is_whole else tuple(dict.fromkeys((*(before or ()), *(policy.namespaces or ()))))
        )
    return tuple(AssociatedPolicy(name, places_of_policy) for name, places_of_policy in places.items())


def _gives(
    rights: Rights,
    policies: Sequence[AssociatedPolicy],
    roles: Sequence[RoleToMake],
    rules: Mapping[str, tuple[Rule, ...]],
) -> bool:
    """Return whether access policies and RBAC give some rights and nothing more, in each place."""
    for place in {None, *rights}:
        before = rights.get(None, ()) if place is None else (*rights.get(None, ()), *rights[place])
        of_policies = [policy for policy in policies if policy.namespaces is None or place in policy.namespaces]
        after = [rule for policy in of_policies for rule in rules[policy.policy]]
        after += [rule for role in roles if role.namespace in (None, place) for rule in role.rules]
        if not (rules_cover(before, after) and rules_cover(after, before)):
            return False
    return True
