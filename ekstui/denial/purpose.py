"""What the principal of a request is for: which controller, add-on, node or workload it runs.

What EKS knows about a role counts first, then its policies and session, then words in its name and in the message. The
purpose only ranks remedies and never affects a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from ekstui.denial.patterns import compiled_later
from ekstui.iam.arn import entity_of
from ekstui.iam.grants import allows_action
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.change.policy import Policy, PolicyScope
    from ekstui.eks.knowledge import Knowledge, Requirement
    from ekstui.iam.document import Document
    from ekstui.iam.evaluation import Evaluation
    from ekstui.iam.request import Request

Fit = Literal["own", "kind", "unknown", "other"]
"""Whether a policy is made for what the principal runs, for its kind of role, for something else, or not known."""

NODE_ROLES = frozenset(("node role", "auto mode node role", "hybrid node role"))
_CLUSTER_ROLES = frozenset(("cluster role", "auto mode cluster role", "local cluster role"))
ADDON_ROLES = frozenset(("add-on role",))
_WORKLOAD_ROLES = frozenset(("workload role",))
POD_ROLES = frozenset(("add-on role", "workload role"))

_WORDS = {
    name: compiled_later(pattern, re.IGNORECASE)
    for name, pattern in (
        ("aws-ebs-csi-driver", r"(?<![a-z])ebs[._-]?csi"),
        ("aws-efs-csi-driver", r"(?<![a-z])efs[._-]?csi"),
        ("vpc-cni", r"vpc[_-]?cni|aws-?node(?![a-z])|eks[_-]?cni|(?<![a-z])ipamd"),
        ("aws-load-balancer-controller",
         r"load-?balancer-?controller|(?<![a-z])lbc(?![a-z])|elbv2\.k8s\.aws|(?<![a-z])alb-?(?:ingress-?)?controller"),
        ("aws-gateway-api-controller", r"gateway-?api-?controller"),
        ("cluster-autoscaler", r"cluster-?autoscaler"),
        ("karpenter", r"karpenter(?!-?node)"),
        ("amazon-cloudwatch-observability", r"cloudwatch-?(?:agent|observability)|fluent-?bit"),
    )
}  # fmt: skip
"""Words in role names and log lines, by the controller or add-on that they indicate."""

_OTHERS = compiled_later(
    r"(?<![a-z])(external-?dns|cert-?manager|external-?secrets|velero|mountpoint-?s3|s3-csi-driver|secrets-store-csi|argo-?cd|"
    r"argo-?workflows|crossplane|ack-[a-z0-9]+-controller|fluxcd|flux-system|keda|kubecost|opencost|grafana|loki|mimir|thanos|"
    r"prometheus|vector|fluentd|adot|otel-?collector|opentelemetry-?collector|node-termination-handler|descheduler|jenkins|"
    r"gitlab-?runner|actions-runner|airflow|spark-operator|harbor|vault|kaniko|tekton|knative|istio|ingress-nginx)(?![a-z])",
    re.IGNORECASE,
)
"""Common controllers and workloads for which neither AWS nor their projects have a policy that is known here."""

_OF_A_NODE = compiled_later(
    r"node-?instance-?role|karpenter-?node-?role|node-?group|(?:^|[^a-z])nodes?(?:-?role)?$", re.IGNORECASE
)
_INSTANCE_SESSION = compiled_later(r":assumed-role/[^/]+/i-(?:[0-9a-f]{8,17}|[*xX#.…]+|\W.*\W|REDACTED)$")
"""The session of an EC2 instance, also with its identifier blanked out."""
_POD_SESSION = compiled_later(r":assumed-role/[^/]+/eks-")
"""How EKS Pod Identity names its sessions: `eks-CLUSTER-POD-…`."""
_BY_EKS = compiled_later(r'"invokedBy\\*"\s*:\s*\\*"eks\.amazonaws\.com')
_SIGNED_IN = compiled_later(r":assumed-role/AWSReservedSSO_")
_IS_USER = compiled_later(r":user/")


class CandidatePolicy(NamedTuple):
    """An AWS managed policy that may allow the request."""

    policy: Policy
    documents: Mapping[int, Document]
    """By version number; may be read lazily."""
    scope: PolicyScope
    superseded: bool = False
    """Whether another policy supersedes it."""
    meant_for: tuple[str, ...] = ()
    """The kinds of role that it is meant for, such as `node role`, if known."""
    evaluations: dict[tuple[object, ...], Evaluation] | None = None
    """What its versions decide about requests, by what decides it; None if nothing is kept."""

    @property
    def document(self) -> Document:
        """The default version."""
        return self.documents[self.policy.default_version]

    @property
    def published(self) -> bool:
        """Whether a project publishes it, so that it has to be created with its parameters filled in."""
        return self.policy.home is not None


class RoleOfItsOwn(NamedTuple):
    """A controller or add-on with its own role in a cluster."""

    component: str
    cluster: str
    region: str | None
    role: str
    """The role's name."""
    by: str
    """`Pod Identity` or `IRSA`."""

    @property
    def place(self) -> tuple[str | None, str | None]:
        """The cluster, as a region and a name."""
        return self.region, self.cluster


class Purpose(NamedTuple):
    """The purpose of a principal."""

    is_known: bool = False
    kinds: frozenset[str] = frozenset()
    """The kinds of role, as the notes call them, such as `node role`."""
    own: frozenset[str] = frozenset()
    """The policies that are made for what it runs: AWS's by name, those of projects by component."""
    of_others: frozenset[str] = frozenset()
    """AWS's policies that are made for some other controller or add-on."""
    own_roles: tuple[RoleOfItsOwn, ...] = ()
    """For a node role: what runs on the nodes with a role of its own."""
    with_own_role_in_every_cluster: frozenset[str] = frozenset()
    """The controllers and add-ons that have a role of their own in every cluster with these nodes."""

    @property
    def is_of_nodes(self) -> bool:
        """Whether it is only a node role, which every pod without a role of its own can use."""
        return bool(self.kinds) and self.kinds <= NODE_ROLES


UNKNOWN_PURPOSE = Purpose()


def fit_of(candidate: CandidatePolicy, purpose: Purpose) -> Fit:
    """Return how a policy suits the purpose."""
    if not purpose.is_known:
        return "unknown"
    if candidate.policy.name in purpose.own or candidate.policy.name.partition("/")[0] in purpose.own:
        return "own"
    shared_kinds = purpose.kinds.intersection(candidate.meant_for)
    # What is made for another driver or agent is for none of its pods, and what is superseded for no new role.
    is_of_another = shared_kinds <= ADDON_ROLES and (
        candidate.policy.name in purpose.of_others or purpose.kinds > ADDON_ROLES
    )
    return "kind" if shared_kinds and not is_of_another and not candidate.superseded else "other"


def purpose_by_signs(principal: str | None, text: str, in_force: Iterable[str], knowledge: Knowledge) -> Purpose:
    """Return the likely purpose of a principal from its session, policies, name, or the words of a message."""
    if (by_session := _purpose_by_session(principal or "", text)) is not None:
        return by_session
    named_components = components_in(_name_of(principal)) or components_in(entity_of(principal).session or "")
    if _IS_USER.search(principal or ""):
        # A controller outside of EKS, or an old one, has the keys of a user.
        running = named_components or components_in(text)
        return purpose_of_components(running, knowledge) if len(running) == 1 else Purpose(True, frozenset(("user",)))
    policies = [name for name in in_force if name in knowledge.policies]
    if running := components_of(policies, knowledge) or named_components:
        return purpose_of_components(running, knowledge)
    role_kinds = [frozenset(knowledge.policies[name].attached_to) for name in policies]
    if kinds := frozenset[str]().union(*([names for names in role_kinds if len(names) == 1] or role_kinds)):
        return Purpose(True, kinds)
    if _OF_A_NODE.search(_name_of(principal)):
        return Purpose(True, NODE_ROLES)
    if _POD_SESSION.search(principal or ""):
        return Purpose(True, POD_ROLES, frozenset(), made_for_others((), knowledge))
    running = components_in(text)
    return purpose_of_components(running, knowledge) if len(running) == 1 else UNKNOWN_PURPOSE


def _purpose_by_session(principal: str, text: str) -> Purpose | None:
    """Return the purpose of a principal whose session, or the service that calls for it, leaves no doubt."""
    if is_instance_session(principal):
        return Purpose(True, NODE_ROLES)
    if _SIGNED_IN.search(principal):
        return Purpose(True, frozenset(("user",)))
    return Purpose(True, _CLUSTER_ROLES) if _BY_EKS.search(text) else None


def is_instance_session(principal: str | None) -> bool:
    """Return whether a principal is a session named after an EC2 instance, as those of node roles are."""
    return principal is not None and _INSTANCE_SESSION.search(principal) is not None


def components_in(text: str) -> tuple[str, ...]:
    """Return the controllers, add-ons and common workloads that a text names."""
    other_names = (name.lower() for name in _OTHERS.findall(text))
    return tuple(dict.fromkeys((*(name for name, words in _WORDS.items() if words.search(text)), *other_names)))


def components_of(names: Iterable[str], knowledge: Knowledge) -> tuple[str, ...]:
    """Return the add-ons for which alone these AWS policies are made."""
    policies = set(names)
    components: dict[str, None] = {}
    for requirement in knowledge.requirements:
        for name in policies.intersection(requirement.policies):
            if set(knowledge.policies[name].attached_to) <= ADDON_ROLES:
                components |= dict.fromkeys(addons_of(requirement))
    return tuple(components)


def policies_of_component(component: str, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the policies that are made for a controller or add-on; last its project's, by the component's name."""
    of_aws = [
        name
        for requirement in knowledge.requirements
        if component in addons_of(requirement)
        for name in requirement.policies
    ]
    return (*dict.fromkeys(of_aws), component)


def addons_of(requirement: Requirement) -> tuple[str, ...]:
    """Return the add-ons that a requirement applies to."""
    return tuple(name.removeprefix("addon:") for name in requirement.when if name.startswith("addon:"))


def made_for_others(own_policies: Iterable[str], knowledge: Knowledge) -> frozenset[str]:
    """Return AWS's policies that are made for one controller or add-on, without these."""
    addon_policies = {
        name for requirement in knowledge.requirements if addons_of(requirement) for name in requirement.policies
    }
    return frozenset(addon_policies.difference(own_policies))


def purpose_of_components(running: tuple[str, ...], knowledge: Knowledge) -> Purpose:
    """Return the purpose of the role of controllers and add-ons."""
    own_policies = frozenset(name for component in running for name in policies_of_component(component, knowledge))
    kinds = ADDON_ROLES if _WORDS.keys() & {*running} or components_of(own_policies, knowledge) else _WORKLOAD_ROLES
    return Purpose(True, kinds, own_policies, made_for_others(own_policies, knowledge))


def _name_of(principal: str | None) -> str:
    return entity_of(principal).name or principal or ""


def is_call_of_node(action: str, candidates: Sequence[CandidatePolicy], knowledge: Knowledge, purpose: Purpose) -> bool:
    """Return whether a policy that is meant for nodes allows the action, so that a node's own software calls it.

    A policy that nodes need only for what has a role of its own in all of their clusters does not count.
    """
    own_roles = {
        name
        for component in purpose.with_own_role_in_every_cluster
        for name in policies_of_component(component, knowledge)
    }
    return any(
        allows_action(candidate.document, action)
        for candidate in candidates
        if (notes := knowledge.policies.get(candidate.policy.name)) is not None
        and NODE_ROLES.intersection(notes.attached_to)
        and candidate.policy.name not in own_roles
    )


def controllers_calling(action: str, candidates: Sequence[CandidatePolicy], knowledge: Knowledge) -> tuple[str, ...]:
    """Return the controllers and add-ons whose policies allow the action, and which may therefore have called it."""
    giving = {candidate.policy.name for candidate in candidates if allows_action(candidate.document, action)}
    names = [
        candidate.policy.name.partition("/")[0]
        for candidate in candidates
        if candidate.published and candidate.policy.name in giving
    ]
    for requirement in knowledge.requirements:
        if giving.intersection(requirement.policies):
            names += addons_of(requirement)
    return tuple(dict.fromkeys(names))


def notes_on_node_role(
    request: Request, purpose: Purpose, controllers: Sequence[str], *, of_node: bool
) -> Iterator[str]:
    """Yield who may have made a call with a node role; `controllers` are those that make such calls."""
    of_instance = is_instance_session(request.principal)
    if not of_instance and not purpose.is_of_nodes:
        return
    sign = "The session is named after an EC2 instance, so the call was made" if of_instance else "The call was made"
    text = f"{sign} with the node role."
    if of_node:
        if of_instance:
            yield text
        return
    if not controllers:
        yield f"{text} If a pod made it, the pod has no role of its own."
        return
    own_roles = [role for role in purpose.own_roles if role.component in controllers]
    callers = " or ".join(dict.fromkeys(role.component for role in own_roles) or controllers)
    roles = "; ".join(f"{role.role} in {role.cluster}, by {role.by}" for role in own_roles)
    yield (
        f"{text} {callers} makes such calls; if it made this one, it did not get its own "
        f"role{f': {roles}' if roles else ''}."
    )
    yield (
        "The node role is not the place to allow it: all pods on its nodes could do it too. A pod keeps the "
        "credentials that it started with: check its service account, then restart it."
    )
