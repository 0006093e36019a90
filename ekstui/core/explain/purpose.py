"""The purpose of a request's principal, so that it is offered the policies that are made for it.

What EKS knows about a role counts first, then its policies and session, then words in its name and in the message. The
purpose only ranks remedies and never affects a verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple

from ekstui.core.explain.callers import is_instance_session

if TYPE_CHECKING:
    from ekstui.core.account_snapshot import Use
    from ekstui.core.explain.answer import Candidate
    from ekstui.core.knowledge import Knowledge, Requirement

Fit = Literal["own", "kind", "unknown", "other"]
"""Whether a policy is made for what the principal runs, for its kind of role, for something else, or not known."""

NODE_ROLES = frozenset(("node role", "auto mode node role", "hybrid node role"))
_CLUSTER_ROLES = frozenset(("cluster role", "auto mode cluster role", "local cluster role"))
_ADDON_ROLES = frozenset(("add-on role",))
_POD_ROLES = frozenset(("add-on role", "workload role"))

_KINDS: Mapping[str, frozenset[str]] = {
    "nodegroup": frozenset(("node role",)),
    "self-managed-node": frozenset(("node role",)),
    "karpenter-node": frozenset(("node role",)),
    "hyperpod-node": frozenset(("node role",)),
    "auto-mode-node": frozenset(("auto mode node role",)),
    "hybrid-node": frozenset(("hybrid node role",)),
    "fargate": frozenset(("fargate pod execution role",)),
    "addon": _ADDON_ROLES,
    "pod-identity": _POD_ROLES,
    "pod-identity-target": _POD_ROLES,
    "irsa": _POD_ROLES,
    "capability": frozenset(),
}
"""The notes' name for the role of each kind of use, except for a cluster's, which depends on the cluster."""

_WORDS = {
    name: re.compile(pattern, re.IGNORECASE)
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

_OF_A_NODE = re.compile(
    r"node-?instance-?role|karpenter-?node-?role|node-?group|(?:^|[^a-z])nodes?(?:-?role)?$", re.IGNORECASE
)
_POD_SESSION = re.compile(r":assumed-role/[^/]+/eks-")
"""How EKS Pod Identity names its sessions: `eks-CLUSTER-POD-…`."""
_ROLE_NAME = re.compile(r":(?:assumed-role/|role/(?:.*/)?)([^/]+)")
_BY_EKS = re.compile(r'"invokedBy\\*"\s*:\s*\\*"eks\.amazonaws\.com')
_SIGNED_IN = re.compile(r":assumed-role/AWSReservedSSO_|:user/")


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
    runs: tuple[str, ...] = ()
    """The controllers and add-ons that use it."""
    apart: tuple[RoleOfItsOwn, ...] = ()
    """For a node role: what runs on the nodes with a role of its own."""
    apart_everywhere: frozenset[str] = frozenset()
    """The controllers and add-ons that have a role of their own in every cluster with these nodes."""

    @property
    def is_of_nodes(self) -> bool:
        """Whether it is only a node role, which every pod without a role of its own can use."""
        return bool(self.kinds) and self.kinds <= NODE_ROLES


UNKNOWN = Purpose()


def fit_of(candidate: Candidate, purpose: Purpose) -> Fit:
    """Return how a policy suits the purpose."""
    if not purpose.is_known:
        return "unknown"
    if candidate.policy.name in purpose.own or candidate.policy.name.partition("/")[0] in purpose.own:
        return "own"
    shared = purpose.kinds.intersection(candidate.meant_for)
    # What is made for another driver or agent is for none of its pods, and what is superseded for no new role.
    is_of_another = shared <= _ADDON_ROLES and candidate.policy.name in purpose.of_others
    return "kind" if shared and not is_of_another and not candidate.superseded else "other"


def purpose_of_uses(
    uses: Iterable[Use],
    knowledge: Knowledge,
    *,
    applies: Callable[[Requirement, Use], bool],
    is_auto_mode: Callable[[Use], bool | None],
    runs: Callable[[Use], Iterable[str]],
    recommended: Callable[[Use], Iterable[str]],
) -> Purpose:
    """Return the purpose of a role from all its uses.

    `applies` tells whether a requirement may apply to a use, `runs` which controllers and add-ons have that use, and
    `recommended` which policies EKS recommends for it.
    """
    kinds: set[str] = set()
    own: set[str] = set()
    running: dict[str, None] = {}
    for use in uses:
        if use.kind == "cluster":
            kinds |= {"cluster role", *(() if is_auto_mode(use) is False else ("auto mode cluster role",))}
        names = tuple(runs(use))
        # A controller's service account does not belong to a workload.
        kinds |= _ADDON_ROLES if names else _KINDS.get(use.kind, frozenset())
        running |= dict.fromkeys(names)
        own |= {name for each in knowledge.requirements if applies(each, use) for name in each.policies}
        own |= {*recommended(use)}
    own |= {name for component in running for name in policies_of(component, knowledge)}
    return Purpose(True, frozenset(kinds), frozenset(own), _of_components_but(own, knowledge), tuple(running))


def purpose_by_signs(principal: str | None, text: str, in_force: Iterable[str], knowledge: Knowledge) -> Purpose:
    """Return the likely purpose of a principal from its session, policies, name, or the words of a message."""
    if is_instance_session(principal):
        return Purpose(True, NODE_ROLES)
    if principal is not None and _SIGNED_IN.search(principal):
        return Purpose(True, frozenset(("user",)))
    if _BY_EKS.search(text):
        return Purpose(True, _CLUSTER_ROLES)
    held = [name for name in in_force if name in knowledge.policies]
    for running in (components_of(held, knowledge), components_in(_name_of(principal)), ()):
        if running:
            return _of_components(running, knowledge)
    meant = [frozenset(knowledge.policies[name].attached_to) for name in held]
    if kinds := frozenset[str]().union(*([each for each in meant if len(each) == 1] or meant)):
        return Purpose(True, kinds)
    if _OF_A_NODE.search(_name_of(principal)):
        return Purpose(True, NODE_ROLES)
    if principal is not None and _POD_SESSION.search(principal):
        return Purpose(True, _POD_ROLES, frozenset(), _of_components_but((), knowledge))
    running = components_in(text)
    return _of_components(running, knowledge) if len(running) == 1 else UNKNOWN


def components_in(text: str) -> tuple[str, ...]:
    """Return the controllers and add-ons that a text names."""
    return tuple(name for name, words in _WORDS.items() if words.search(text))


def components_of(names: Iterable[str], knowledge: Knowledge) -> tuple[str, ...]:
    """Return the add-ons for which alone these AWS policies are made."""
    held = set(names)
    found: dict[str, None] = {}
    for requirement in knowledge.requirements:
        for name in held.intersection(requirement.policies):
            if set(knowledge.policies[name].attached_to) <= _ADDON_ROLES:
                found |= dict.fromkeys(addons_of(requirement))
    return tuple(found)


def policies_of(component: str, knowledge: Knowledge) -> tuple[str, ...]:
    """Return the policies that are made for a controller or add-on; last its project's, by the component's name."""
    of_aws = [name for each in knowledge.requirements if component in addons_of(each) for name in each.policies]
    return (*dict.fromkeys(of_aws), component)


def addons_of(requirement: Requirement) -> tuple[str, ...]:
    """Return the add-ons that a requirement applies to."""
    return tuple(name.removeprefix("addon:") for name in requirement.when if name.startswith("addon:"))


def _of_components_but(own: Iterable[str], knowledge: Knowledge) -> frozenset[str]:
    """Return AWS's policies that are made for one controller or add-on, without these."""
    made = {name for each in knowledge.requirements if addons_of(each) for name in each.policies}
    return frozenset(made.difference(own))


def _of_components(running: tuple[str, ...], knowledge: Knowledge) -> Purpose:
    own = frozenset(name for component in running for name in policies_of(component, knowledge))
    return Purpose(True, _ADDON_ROLES, own, _of_components_but(own, knowledge), running)


def _name_of(principal: str | None) -> str:
    found = _ROLE_NAME.search(principal or "")
    return found[1] if found else principal or ""
