"""Whether the policies of a repository have what releases of controllers need."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ekstui.change.holes import has_hole
from ekstui.eks.published import Component, Release
from ekstui.eks.trust import trustees
from ekstui.eks.uses import controllers_of_account
from ekstui.errors import InputError
from ekstui.iam.document import Document
from ekstui.iam.grants import allows_action, grants, merged_document
from ekstui.iam.text import listed
from ekstui.iam.wildcard import matches
from ekstui.library.catalog import knowledge, not_found
from ekstui.library.copies import ENOUGH_ACTIONS, ENOUGH_OVERLAP
from ekstui.named_tuples import NamedTuple
from ekstui.sources.shipped import components

if TYPE_CHECKING:
    from ekstui.sources.written import WrittenPolicy

_NAMES: dict[str, str] = {
    "vpc-cni": r"vpc.?cni|aws.?node|(?<![a-z])cni(?![a-z])",
    "karpenter": r"karpenter",
    "aws-load-balancer-controller": r"load.?balancer.?controller|alb.?controller|aws.?lbc?(?![a-z])",
    "aws-ebs-csi-driver": r"ebs.?csi",
    "aws-efs-csi-driver": r"efs.?csi",
    "aws-gateway-api-controller": r"gateway.?api|lattice",
    "cluster-autoscaler": r"cluster.?autoscaler",
}
"""What people call the policies of a component."""


class ReleaseNeed(NamedTuple):
    """What a policy of the repository lacks for a release."""

    component: str
    release: str
    path: str
    """The file; empty if the repository has no policy for the component."""
    place: str
    line: int
    because: str
    """Why the policy is taken for the component's."""
    required: tuple[tuple[str, str], ...] = ()
    """What the release needs and the policy lacks: an action, and what happens without it."""
    published: tuple[str, ...] = ()
    """The other actions that the project publishes for the release and the policy lacks."""

    @property
    def lacks_something(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.required or self.published or not self.path)

    @property
    def sentences(self) -> Iterator[tuple[str, str]]:
        """What it lacks, as a rule of SARIF and a sentence each."""
        name = f"{self.component} {self.release}"
        if not self.path:
            yield "release-publishes", f"no policy of the repository is made for {self.component}"
        for without in dict.fromkeys(words for _, words in self.required):
            actions = [action for action, words in self.required if words == without]
            yield "release-needs", f"{self.place}: {name} needs {listed(actions)}: without, {without}"
        if self.published:
            yield "release-publishes", f"{self.place}: {name} also publishes {listed(self.published)}, which it lacks"


class _Demand(NamedTuple):
    file: str
    """The file whose policies are meant; empty for those that are found."""
    component: Component
    release: Release


def release_needs(demands: Sequence[str], policies_of_repository: Sequence[WrittenPolicy]) -> tuple[ReleaseNeed, ...]:
    """Return what a repository's policies lack for releases, one entry a policy or role.

    They are written `vpc-cni@v1.23.0` or `FILE=vpc-cni@v1.23.0`.
    """
    needs: list[ReleaseNeed] = []
    for demand in map(_demand, demands):
        groups = _policies_for(demand, policies_of_repository)
        if not groups:
            needs.append(ReleaseNeed(demand.component.name, demand.component.short(demand.release), "", "", 0, ""))
        needs += (_need_of(demand, policies, because) for policies, because in groups)
    return tuple(needs)


def _demand(text: str) -> _Demand:
    file, _, release_text = text.rpartition("=")
    name, separator, release = release_text.partition("@")
    if not separator:
        raise InputError(f"{text!r} names no release.", "For example: --needs vpc-cni@v1.23.0.")
    component = components().get(name)
    if component is None:
        raise not_found(f"No component is named {name!r}.", name, components(), f"Known are {', '.join(_NAMES)}.")
    known_release = component.release(release)
    if known_release is None:
        newest_release = component.short(component.newest)
        raise InputError(
            f"{release} of {name} is not known; the newest release known is {newest_release}.", "Name one up to that."
        )
    return _Demand(file, component, known_release)


_Group = tuple[list["WrittenPolicy"], str]


def _policies_for(demand: _Demand, policies_of_repository: Sequence[WrittenPolicy]) -> list[_Group]:
    """Return the policies that are made for a component, those of one role together, and why they are taken for it."""
    policies = [
        written_policy
        for written_policy in policies_of_repository
        if written_policy.document is not None and written_policy.use == "identity" and _allows(written_policy)
    ]
    if demand.file:
        policies_of_file = [candidate for candidate in policies if candidate.path == demand.file.removeprefix("./")]
        if not policies_of_file:
            raise InputError(f"{demand.file} has no policy that was read.", "Name a file of the repository.")
        return [(policies_of_file, "it is named for it")]
    groups: dict[tuple[str, str], _Group] = {}
    roles = dict(_roles_of(demand.component.whole, policies_of_repository))
    for candidate in policies:
        because = (
            roles.get(candidate.attached_to, "")
            or _by_name(demand.component.whole, candidate)
            or _by_likeness(demand.component, candidate)
        )
        if because:
            entity = candidate.attached_to or candidate.place
            groups.setdefault((candidate.path, entity), ([], because))[0].append(candidate)
    return list(groups.values())


def _allows(policy: WrittenPolicy) -> bool:
    """Return whether it is known of a policy that it allows anything."""
    return policy.document is not None and any(
        statement.effect == "Allow" and not all(map(has_hole, statement.actions))
        for statement in policy.document.statements
    )


def _roles_of(component: str, policies_of_repository: Iterable[WrittenPolicy]) -> Iterator[tuple[str, str]]:
    """Yield the roles whose trust policies name a service account of the component."""
    for entry in policies_of_repository:
        if entry.use == "trust" and entry.document is not None:
            for trustee in trustees(entry.document):
                for account in trustee.service_accounts:
                    if component in controllers_of_account(account.name):
                        role = entry.place.partition(" › ")[0]
                        yield role, f"service account {account.name} uses its role"


def _by_name(component: str, policy: WrittenPolicy) -> str:
    pattern = _NAMES.get(component, re.escape(component))
    file = policy.path.rpartition("/")[2]
    for text in (policy.name, policy.place, "" if policy.place else file):
        if match := re.search(pattern, text, re.IGNORECASE):
            return f"by its name, {match[0]}"
    return ""


def _by_likeness(component: Component, policy: WrittenPolicy) -> str:
    assert policy.document is not None  # noqa: S101 (those without are left out)
    own_grants = frozenset(grants(policy.document))
    for version in reversed(component.versions):
        published_grants = frozenset(grants(version.document(version.named({}))))
        common = len(own_grants & published_grants)
        share = common / len(own_grants | published_grants)
        if common >= ENOUGH_ACTIONS and share >= ENOUGH_OVERLAP:
            return f"{share:.0%} of its actions are those of {component.short(version.releases[-1])}"
    return ""


def _need_of(demand: _Demand, policies: Sequence[WrittenPolicy], because: str) -> ReleaseNeed:
    document = merged_document([policy.document for policy in policies if policy.document is not None])
    component, release = _variant(demand.component, document), demand.release
    reference_version = component.at(release.tag) or component.versions[-1]
    optional = [
        pattern
        for need in knowledge().optional_actions
        if need.releases.of == component.whole and need.releases.includes(release.tag) is not False
        for pattern in need.actions
    ]
    listed_actions = [
        action
        for statement in reference_version.document(reference_version.named({})).statements
        if statement.effect == "Allow"
        for action in statement.actions
        if not any(matches(pattern.lower(), action.lower()) for pattern in optional)
    ]
    reason_by_action = dict(_required_actions(component, release))
    if not reason_by_action:
        # Of what the project publishes, it is not known what the release starts without.
        reason_by_action = dict.fromkeys(
            listed_actions, "what its project publishes for the release is not all allowed"
        )
    lacking_needs = [
        action for action in dict.fromkeys((*reason_by_action, *listed_actions)) if not allows_action(document, action)
    ]
    first = policies[0]
    return ReleaseNeed(
        component.name,
        component.short(release),
        first.path,
        first.place or first.path,
        first.line,
        because,
        tuple((action, reason_by_action[action]) for action in lacking_needs if action in reason_by_action),
        tuple(action for action in lacking_needs if action not in reason_by_action),
    )


def _variant(component: Component, document: Document) -> Component:
    """Return the variant of the VPC CNI for IPv6 if that is what a document is for."""
    is_for_ipv4 = allows_action(document, "ec2:AssignPrivateIpAddresses")
    is_for_ipv6 = allows_action(document, "ec2:AssignIpv6Addresses") and not is_for_ipv4
    return components().get(f"{component.whole}/ipv6", component) if is_for_ipv6 else component


def _required_actions(component: Component, release: Release) -> Iterator[tuple[str, str]]:
    """Yield the actions without which a release does not start or does its work, and what happens then."""
    family = "ipv6" if component.name.endswith("/ipv6") else "ipv4"
    for requirement in knowledge().requirements:
        if "irsa" not in requirement.uses or f"addon:{component.whole}" not in requirement.when or requirement.optional:
            continue
        if {"ipv4", "ipv6"} & set(requirement.when) and family not in requirement.when:
            continue
        if requirement.releases is not None and requirement.releases.includes(release.tag) is False:
            continue
        yield from ((action, requirement.consequence) for action in requirement.actions)
