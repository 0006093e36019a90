"""What a message names, looked up: its principal with its policies and purpose, the role to be assumed, policies by ARN."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ekstui import spelling
from ekstui.denial.answer import OldCopy
from ekstui.denial.explain import Policies
from ekstui.denial.purpose import (
    ADDON_ROLES,
    POD_ROLES,
    PodSession,
    Purpose,
    RoleOfItsOwn,
    made_for_others,
    pod_session,
    policies_of_component,
)
from ekstui.denial.remedies import newer_release
from ekstui.denial.wrapping import unwrapped
from ekstui.eks.account_snapshot import AccountSnapshot, Group, Role, Use, User
from ekstui.eks.findings.conditions import applies
from ekstui.eks.findings.subjects import NODE_KINDS, AccountContext, RoleInUse
from ekstui.eks.knowledge import Knowledge, Symptom
from ekstui.eks.uses import controllers_run_by, uses_in
from ekstui.errors import NotFoundError
from ekstui.iam import arn
from ekstui.iam.document import Document
from ekstui.iam.evaluation import AppliedPolicy, Request
from ekstui.iam.principals import POD_IDENTITY, UNSIGNED, is_assuming
from ekstui.iam.trust import POD_IDENTITY_SERVICE, trusts_service
from ekstui.library.catalog import PolicyReader, default_versions, not_found
from ekstui.library.notation import FileSide, StandardInput
from ekstui.library.roles import account_context, boundary_of, copies_on, documents_of, find_role
from ekstui.library.roles import policies_of as attached_to
from ekstui.library.searching import published_candidate
from ekstui.sources.policy_file import document_of, read_document
from ekstui.sources.shipped import PublishedPolicies


@dataclass(frozen=True, slots=True)
class Requester:
    """A principal's own ARN, its policies, and what is known about its session."""

    arn: str | None
    policies: Policies
    session: PodSession
    role: Role | None
    """None for a user."""


def requester_of(principal: str, session: str | None, snapshot: AccountSnapshot, reader: PolicyReader) -> Requester:
    """Return a role or user with its policies: `principal` is a role's name, or the ARN of a role, user or session.

    `session` is the session's name, if known. Raises NotFoundError with the nearest names.
    """
    entity = _entity(principal, snapshot)
    entities: list[Role | User | Group] = [entity]
    if isinstance(entity, User):
        entities += [group for group in snapshot.groups if group.name in entity.groups]
    documents = documents_of(entities, snapshot, lambda arns: default_versions(arns, reader))
    identity, names = attached_to(entities, documents)
    boundary, boundary_unread = boundary_of(entity.boundary_arn, documents)
    unread = [f"the policy {name}, whose document could not be read" for name in names]
    if boundary_unread and entity.boundary_arn is not None:
        name = entity.boundary_arn.rpartition("/")[2]
        unread.append(f"the permissions boundary {name}, whose document could not be read")
    uses = uses_in(snapshot).get(entity.arn or "", ()) if isinstance(entity, Role) else ()
    place = f"{snapshot.identity.partition}:{snapshot.identity.account}"
    pods = pod_session(uses, session or arn.entity_of(principal).session, entity.tags, place)
    is_whole = isinstance(entity, User) or entity.extent == "full"
    return Requester(
        entity.arn,
        Policies(
            identity=identity,
            boundary=boundary,
            session=pods.policies,
            identity_known=is_whole and not unread,
            boundary_known=is_whole and not boundary_unread,
            unread=(*unread, *pods.unread),
            used_by=uses,
        ),
        pods,
        entity if isinstance(entity, Role) else None,
    )


def principal_arn(principal: str, snapshot: AccountSnapshot) -> str:
    """Return the ARN of the role or user that `requester_of` would find; NotFoundError if it is not known."""
    entity = _entity(principal, snapshot)
    if entity.arn is None:
        raise NotFoundError(f"The ARN of {entity.name} is not known: its path could not be read.")
    return entity.arn


def _entity(principal: str, snapshot: AccountSnapshot) -> Role | User:
    for user in snapshot.users:
        if user.arn == principal:
            return user
    if not principal.startswith("arn:"):
        return find_role(principal, snapshot)
    if arn.split_arn(principal).account != snapshot.identity.account:
        raise NotFoundError(
            f"{principal} is not in account {snapshot.identity.account}, which is the one that was read.",
            (),
            "Choose the account with --profile.",
        )
    # A session's ARN has the role's name without its path, then the session's name. Which service it names does not matter.
    kind, *names = arn.split_arn(principal).resource.split("/")
    return find_role(names[0 if kind == "assumed-role" else -1] if names else principal, snapshot)


TrustSource = FileSide | StandardInput
"""Where a trust policy is read from, if not from the account."""


class TargetRole(NamedTuple):
    """A role that is to be assumed."""

    trust: AppliedPolicy | None
    """None if its trust policy is not known."""
    role: Role | None
    """None if the account does not have it, or was not read."""


def target_of(
    request: Request, named: str | None, snapshot: AccountSnapshot | None, source: TrustSource | None, text: str
) -> TargetRole | None:
    """Return the role that a request wants to assume, or None for a request that assumes none.

    `named` is the role of the inquiry, if `is_target` says that it is the one to be assumed; `text` is standard input.
    Raises NotFoundError if the named role does not exist.
    """
    if not is_assuming(request.action):
        return None
    wanted = named or next((resource for resource in request.resources if ":role/" in resource), None)
    role = None
    if snapshot is not None and wanted is not None:
        try:
            role = find_role(_without_session(wanted), snapshot)
        except NotFoundError:
            if named is not None and source is None:
                raise
    role_arn = role.arn if role is not None else wanted if wanted is not None and wanted.startswith("arn:") else None
    if source is not None:
        return TargetRole(AppliedPolicy(str(source), None, _document(source, text), role_arn), role)
    if role is None or role.trust is None:
        return TargetRole(None, role)
    return TargetRole(AppliedPolicy(f"trust policy of {role.name}", None, role.trust, role_arn), role)


def is_target(request: Request, named: str, snapshot: AccountSnapshot) -> bool:
    """Return whether the role of an inquiry is the one to be assumed, not the one that assumes it."""
    action = request.action.lower()
    if action in UNSIGNED or not is_assuming(action):
        return action in UNSIGNED
    if request.principal is not None and not request.principal.startswith("arn:"):
        return True  # a service assumes it
    if action != POD_IDENTITY.lower():
        return False
    # The node's role calls EKS Auth, which then assumes the role of the association.

    trust = find_role(_without_session(named), snapshot).trust
    return trusts_service(trust, POD_IDENTITY_SERVICE) or not trusts_service(trust, "ec2.amazonaws.com")


def _without_session(name: str) -> str:
    """Return the name of the role behind a session's ARN, any other name as it is."""
    entity = arn.entity_of(name)
    return entity.name if entity.kind == "session" else name


def _document(source: TrustSource, text: str) -> Document:
    if isinstance(source, StandardInput):
        return document_of(text, str(source), kind="trust")
    return read_document(Path(source.path).expanduser(), kind="trust")


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


def purpose_of(role: Role, snapshot: AccountSnapshot, knowledge: Knowledge, now: datetime) -> Purpose | None:
    """Return what a role is for by all its uses; None for a role without any."""
    uses = uses_in(snapshot).get(role.arn or "", ())
    if not uses:
        return None
    account = account_context(snapshot, now)
    subject = RoleInUse(role, (), uses=uses)
    own = {
        name
        for use in uses
        for controller in controllers_run_by(use)
        for name in policies_of_component(controller, knowledge)
    }
    for use in uses:
        own |= {*_recommended(use, account), *_required(use, subject, account, knowledge)}
    kinds = frozenset(kind for use in uses for kind in _kinds_of(use, account))
    purpose = Purpose(True, kinds, frozenset(own), made_for_others(own, knowledge))
    return _with_roles_apart(purpose, uses, snapshot) if purpose.is_of_nodes else purpose


def _with_roles_apart(purpose: Purpose, uses: Iterable[Use], snapshot: AccountSnapshot) -> Purpose:
    """Return the purpose of a node role with what runs on its nodes with a role of its own."""
    places = {(use.region, use.cluster) for use in uses if use.kind in NODE_KINDS and use.cluster}
    apart = tuple(role for role in _roles_of_controllers(snapshot) if role.place in places)
    places_of = {
        role.component: {other.place for other in apart if other.component == role.component} for role in apart
    }
    everywhere = frozenset(component for component, its in places_of.items() if its == places)
    return purpose._replace(apart=apart, with_own_role_in_every_cluster=everywhere)


def _required(use: Use, subject: RoleInUse, account: AccountContext, knowledge: Knowledge) -> Iterator[str]:
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


def _recommended(use: Use, account: AccountContext) -> Iterator[str]:
    """Yield the policies that EKS itself recommends for an add-on."""
    addon = account.addon(use)
    for _, arns in (addon and addon.recommended_policies) or ():
        yield from (arn.rpartition("/")[2] for arn in arns)


def _roles_of_controllers(snapshot: AccountSnapshot) -> Collection[RoleOfItsOwn]:
    """Return the roles of controllers and add-ons in clusters; where there are two, the one that EKS takes first."""
    names = {role.arn: role.name for role in snapshot.roles}
    roles: dict[object, RoleOfItsOwn] = {}
    for role_arn, uses in uses_in(snapshot).items():
        for use in uses:
            if use.kind not in ("addon", "pod-identity", "irsa"):
                continue
            is_irsa = use.kind == "irsa" or (use.kind == "addon" and use.service_account is None)
            for component in controllers_run_by(use):
                by = "IRSA" if is_irsa else "Pod Identity"
                own = RoleOfItsOwn(component, use.cluster or "", use.region, names.get(role_arn) or role_arn, by)
                key = component, own.place
                if key not in roles or (roles[key].by == "IRSA" and not is_irsa):
                    roles[key] = own
    return roles.values()


def old_copies(subject: RoleInUse, request: Request) -> Iterator[OldCopy]:
    """Yield the policies of a role that are copies of older releases, a later one of which allows a request or may."""
    for copy in copies_on(subject):
        candidate = published_candidate(copy.copy.original)
        newer = newer_release(request, candidate, copy.copy.version)
        if newer is not None:
            yield OldCopy(copy.copy.local.name, subject.role.name, newer)


_POLICY = re.compile(
    r"arn:(?P<partition>aws[a-z-]{0,20}):(?:iam::(?P<owner>aws|[0-9]{12}):policy|eks::aws:cluster-access-policy)"
    r"(?P<path>(?:/[\w+=,.@-]{1,128}){1,10})",
    re.ASCII,
)
_REFUSED = re.compile(
    r"NoSuchEntity|does not exist|not attachable|not found|cannot be found|Invalid\w*|not valid|PolicyNotAttachable",
    re.IGNORECASE,
)
_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"
_ACCESS_GUIDE = "https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html"


def misnamed_policies(text: str, reader: PolicyReader, knowledge: Knowledge, partition: str) -> Iterator[Symptom]:
    """Yield what is wrong with the ARNs of policies that a message refuses; nothing for one about something else.

    `partition` is that of the reader's policies, which say nothing about another.
    """
    readings = unwrapped(text)
    if not _REFUSED.search(readings[0]):
        return
    # Where a terminal broke an ARN in two, the reading that joins it has the longest.
    named = ([match[0].rstrip(".,") for match in _POLICY.finditer(reading)] for reading in readings)
    arns = max(named, key=lambda texts: sum(map(len, texts)))
    for written in dict.fromkeys(arns):
        match = _POLICY.fullmatch(written)
        if match is None:
            continue
        name = match["path"].rpartition("/")[2]
        if match["owner"] is None:
            yield from _of_access(written, name, reader, knowledge)
        elif match["owner"] == "aws" and match["partition"] == partition:
            yield from _of_aws(written, name, reader, knowledge)
        elif match["owner"] != "aws":
            yield from _of_customer(written, name, match["owner"], reader)


def _of_aws(arn: str, name: str, reader: PolicyReader, knowledge: Knowledge) -> Iterator[Symptom]:
    names = {full.casefold(): full for full in reader.names()}
    spelled = names.get(name.casefold())
    if spelled is None:
        if (access := knowledge.access_policy(name)) is not None:
            yield _symptom(
                f"{access.name} is an EKS access policy, not an IAM policy",
                "It cannot be attached to a role: an access entry of a cluster gives it (aws eks associate-access-policy … "
                f"--policy-arn arn:aws:eks::aws:cluster-access-policy/{access.name}).",
                access.source,
            )
            return
        unknown = _unknown(f"AWS has no policy named {name}", name, names.values(), _GUIDE)
        yield unknown._replace(policies=spelling.nearest(name, names.values()))
        return
    policy = reader.policy(spelled)
    if policy.withdrawn:
        yield _symptom(f"AWS has withdrawn {spelled}", "It can no longer be attached.", _GUIDE, (spelled,))
    elif not policy.attachable:
        text = "AWS keeps it to itself: a service attaches it to its service-linked role, and nobody else can."
        yield _symptom(f"{spelled} cannot be attached", text, _GUIDE, (spelled,))
    elif policy.arn == arn:
        yield _symptom(
            f"{spelled} exists in partition {arn.split(':', 2)[1]} and can be attached there",
            "The ARN is right, so the caller is of another partition (China, GovCloud), where the ARN begins otherwise and "
            "the policy may be missing; or the message is older than the policy. Each partition has its own policies: take "
            "the partition from what STS reports for the caller.",
            _GUIDE,
            (spelled,),
        )
    else:
        yield _symptom(
            "The path or the spelling of the policy's ARN is wrong",
            f"{spelled} is {policy.arn}: the path before the name is a part of the ARN, and case counts.",
            _GUIDE,
            (spelled,),
        )


def _of_access(arn: str, name: str, reader: PolicyReader, knowledge: Knowledge) -> Iterator[Symptom]:
    access = knowledge.access_policy(name)
    if access is not None and arn.endswith(f"/{access.name}"):
        return
    if access is not None:
        yield _symptom("The spelling of the access policy is wrong", f"It is called {access.name}.", _ACCESS_GUIDE)
    elif name in set(reader.names()):
        text = f"{name} is attached to a role, and no access entry gives it. EKS's access policies allow requests in Kubernetes."
        yield _symptom(f"{name} is an IAM policy, not an EKS access policy", text, _ACCESS_GUIDE, (name,))
    else:
        yield _unknown(f"EKS has no access policy named {name}", name, knowledge.access_policies, _ACCESS_GUIDE)


def _unknown(symptom: str, name: str, names: Iterable[str], source: str) -> Symptom:
    error = not_found("None is known by this name.", name, names)
    return _symptom(symptom, f"{error.message} {error.next_step}".strip(), source)


def _of_customer(arn: str, name: str, account: str, reader: PolicyReader) -> Iterator[Symptom]:
    spelled = {full.casefold(): full for full in reader.names()}.get(name.casefold())
    if spelled is not None:
        yield _symptom(
            f"{spelled} is a policy of AWS, and the ARN is of account {account}",
            f"AWS's own is {reader.policy(spelled).arn}. A policy of one's own with that name would have to be made first.",
            _GUIDE,
            (spelled,),
        )
        return
    published = PublishedPolicies()
    by = next((full for full in published.names() if published.contains(full, name.lower())), None)
    named = f" The project of {by} publishes one of that name: ekstui show {by}." if by else ""
    yield _symptom(
        f"Account {account} has no policy {arn.partition(':policy/')[2]} that can be attached",
        "It was not made yet, was deleted, or has another path; and a role can only have policies of its own account and "
        f"AWS's.{named}",
        _GUIDE,
    )


def _symptom(symptom: str, answer: str, source: str, policies: tuple[str, ...] = ()) -> Symptom:
    return Symptom(symptom, answer, policies, (), source)
