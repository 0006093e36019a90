"""A role's own policies: a trust policy that prevents its uses or lets in too many, and attached ones that allow too much.

A role may serve many clusters, so each rule considers all its uses, and says what would stop working.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ekstui.eks.account_snapshot import Use
from ekstui.eks.findings import (
    EC2_NODE_KINDS,
    NODE_KINDS,
    SERVICE_ROLE_SINCE,
    Code,
    Finding,
    RoleInUse,
    Severity,
    Surroundings,
    a_note_if_unseen,
    all_hold,
    described,
    holds,
    unseen_evidence,
)
from ekstui.eks.knowledge import Knowledge, TrustRequirement
from ekstui.iam.conditions import Truth
from ekstui.iam.text import listed
from ekstui.iam.trust import Trustee, eks_region, issuer_of, trustees

TAG_SESSION = "sts:TagSession"

SCOPED = "AmazonEBSCSIDriverEKSClusterScopedPolicy"
UNSCOPED = "AmazonEBSCSIDriverPolicyV2"

CLUSTER_TAG = "eks-cluster-name"
"""The principal tag that AmazonEBSCSIDriverEKSClusterScopedPolicy checks."""


def superseded_policies(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield a finding for each attached policy that a newer one supersedes."""
    for policy in subject.policies:
        known = knowledge.policies.get(policy.name)
        if known is None or known.supersession is None or not policy.managed_by_aws:
            continue
        if policy.name == "AmazonEKSServicePolicy":
            yield from _service_policy(subject, surroundings, known.supersession)
            continue
        newer = [name for name in known.superseded_by if subject.has_attached(name)]
        text = f"{policy.name} has narrower successors: {' and '.join(known.superseded_by)}. {known.supersession}"
        if newer:
            text = (
                f"{policy.name} is attached besides {' and '.join(newer)} and still allows the wider access. "
                f"{known.supersession}"
            )
        evidence = (*map(described, subject.uses), *unseen_evidence(subject))
        severity = a_note_if_unseen("advice", subject) if subject.uses else "note"
        yield Finding("superseded-policy", severity, text, evidence)


def _service_policy(subject: RoleInUse, surroundings: Surroundings, supersession: str) -> Iterator[Finding]:
    clusters = [surroundings.cluster(use) for use in subject.uses if use.kind == "cluster"]
    made = [cluster.created if cluster else None for cluster in clusters]
    if not made or any(moment is None or moment < SERVICE_ROLE_SINCE for moment in made):
        return
    days = sorted(moment.date().isoformat() for moment in made if moment is not None)
    evidence = [f"the oldest known cluster with it was created on {days[0]}"]
    evidence.extend(described(use) for use in subject.uses)
    text = f"AmazonEKSServicePolicy is attached, but no known cluster with this role relies on it. {supersession}"
    yield Finding(
        "superseded-policy", a_note_if_unseen("advice", subject), text, (*evidence, *unseen_evidence(subject))
    )


def cancelled_scoping(names: Iterable[str]) -> str | None:
    """Return the finding about a role that has both of AWS's policies for the EBS driver, or None."""
    if not {SCOPED, UNSCOPED}.issubset(names):
        return None
    return (
        f"{UNSCOPED} cancels the scoping of {SCOPED}: with both, the driver may change the volumes and snapshots of "
        "every cluster."
    )


def scoping_findings(subject: RoleInUse) -> Iterator[Finding]:
    """Yield a finding if one policy of the role allows what another was chosen to withhold."""
    said = cancelled_scoping(policy.name for policy in subject.policies if policy.managed_by_aws)
    if said is not None:
        loss = (
            f"Without {UNSCOPED}, volumes and snapshots whose tag ebs.csi.aws.com/cluster-name does not name the cluster "
            "could no longer be changed."
        )
        yield Finding("scoping-cancelled", "advice", f"{said} {loss}", tuple(map(described, subject.uses)))


@dataclass(frozen=True, slots=True)
class _Excess:
    """A policy that may be too broad, and which uses need it."""

    policy: str
    needed: Callable[[Use, RoleInUse, Surroundings], Truth]
    among: tuple[str, ...]
    """The rule only applies to roles with a use of these kinds."""
    excess: str
    """Why it is too broad, as the predicate of a sentence about the policy."""
    loss: str
    """What would stop working without the policy, as a main clause."""


def _runs_the_cni(use: Use, subject: RoleInUse, surroundings: Surroundings) -> Truth:
    if use.kind in EC2_NODE_KINDS:
        return holds("vpc-cni-on-node-role", use, subject, surroundings)
    if use.kind in ("addon", "pod-identity", "irsa"):
        return holds("addon:vpc-cni", use, subject, surroundings) or (None if use.kind == "irsa" else False)
    return False


_EXCESSES = (
    _Excess(
        "AmazonEKSWorkerNodePolicy",
        lambda use, *_: use.kind in EC2_NODE_KINDS,
        ("auto-mode-node",),
        "allows more than Auto Mode nodes use; AmazonEKSWorkerNodeMinimalPolicy is enough",
        "instances with this role could no longer describe EC2 resources or the cluster, which a node that Auto Mode does "
        "not run needs to join",
    ),
    _Excess(
        "AmazonEKSWorkerNodePolicy",
        lambda use, *_: use.kind in EC2_NODE_KINDS,
        ("hybrid-node",),
        "is for EC2 instances; a hybrid node uses only eks:DescribeCluster of it, and eks-auth:AssumeRoleForPodIdentity "
        "where the agent runs",
        "another policy would have to allow both",
    ),
    _Excess(
        "AmazonEKS_CNI_Policy",
        _runs_the_cni,
        NODE_KINDS,
        "is on a node role although the VPC CNI of every known cluster with the role has its own role, or is not installed",
        "pods that fall back to the node role could no longer change network interfaces",
    ),
    _Excess(
        "AmazonEC2ContainerRegistryReadOnly",
        lambda use, *_: False if use.kind in NODE_KINDS else None,
        NODE_KINDS,
        "allows more than nodes use; AmazonEC2ContainerRegistryPullOnly is enough to pull images, even through a pull-through cache",
        "software on the nodes could no longer list repositories, images, their policies and scan findings",
    ),
)


def excess_policies(subject: RoleInUse, surroundings: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each policy that allows more than any use of the role needs."""
    for excess in _EXCESSES:
        if not subject.has_attached(excess.policy) or not any(use.kind in excess.among for use in subject.uses):
            continue
        needed = [excess.needed(use, subject, surroundings) for use in subject.uses]
        if any(needed):
            continue
        severity = "note" if None in needed else a_note_if_unseen("advice", subject)
        undecided = [
            f"not known: whether {described(use)} needs it"
            for use, answer in zip(subject.uses, needed, strict=True)
            if answer is None
        ]
        evidence = (*map(described, subject.uses), *undecided, *unseen_evidence(subject))
        text = f"{excess.policy} {excess.excess}. Without {excess.policy}, {excess.loss}."
        yield Finding("broader-than-needed", severity, text, evidence)


def missing_principal_tags(subject: RoleInUse, surroundings: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each use whose sessions lack the tag that the cluster-scoped EBS policy checks."""
    if not subject.has_attached(SCOPED) or subject.role.extent == "name":
        return
    tag = dict(subject.role.tags).get(CLUSTER_TAG)
    for use in subject.uses:
        if use.kind not in ("addon", "irsa", "pod-identity") or use.session_tags or _by_association(use, surroundings):
            continue  # the session's own tag takes precedence
        if tag is None:
            said = f"the role has no tag {CLUSTER_TAG}, and no session tag sets it"
        elif use.cluster is not None and tag != use.cluster:
            said = f"the role's tag {CLUSTER_TAG} names {tag}, not this cluster"
        else:
            continue
        severity: Severity = "problem" if use.certainty == "confirmed" else "advice"
        text = f"{SCOPED} denies everything but reads: {said}."
        if wider := [name for name in (UNSCOPED, "AmazonEBSCSIDriverPolicy") if subject.has_attached(name)]:
            severity, text = "note", f"{text} What {wider[0]} allows still works."
        yield Finding("principal-tag-missing", severity, text, (described(use),), uses=(use,))


def _by_association(use: Use, surroundings: Surroundings) -> bool:
    """Return whether pods get other credentials, or unknown session tags, from Pod Identity."""
    if use.kind == "pod-identity" or use.service_account is not None:
        return use.kind != "irsa" and use.session_tags is None
    addon = surroundings.addon(use)
    return addon is not None and bool(addon.association_arns)


def trust_findings(subject: RoleInUse, surroundings: Surroundings, knowledge: Knowledge) -> Iterator[Finding]:
    """Yield what the role's trust policy lacks for its uses, and where it trusts too many or nobody."""
    trust = subject.role.trust
    if trust is None:
        return
    trusted = trustees(trust)
    yielded: set[Finding] = set()
    for requirement in knowledge.trust:
        for finding in _service(requirement, trusted, subject, surroundings):
            if not any((finding.code, finding.evidence) == (each.code, each.evidence) for each in yielded):
                yielded.add(finding)
                yield finding
    for requirement in knowledge.trust:
        yield from _tag_session_unused(requirement, trusted, subject, knowledge)
    for trustee in trusted:
        if trustee.kind == "irsa":
            yield from _irsa(trustee, trusted, subject, surroundings)
    yield from _issuers(trusted, subject, surroundings)


def _service(
    requirement: TrustRequirement, trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings
) -> Iterator[Finding]:
    uses = [
        use
        for use in subject.uses
        if use.kind in requirement.uses
        and use.certainty == "confirmed"
        and all_hold(requirement.when, use, subject, surroundings)
    ]
    if not uses:
        return
    evidence = tuple(map(described, uses))
    meant = [
        each for each in trusted if each.kind == "anyone" or each.name.removesuffix(".cn") == requirement.principal
    ]
    if not meant:
        text = f"Its trust policy does not name {requirement.principal}: {requirement.consequence}."
        yield Finding("trust-lacks-principal", "problem", text, evidence, uses=tuple(uses))
        return
    lacking = [action for action in requirement.actions if not any(each.allows(action) for each in meant)]
    if lacking:
        text = f"Its trust policy does not allow {requirement.principal} {listed(lacking)}: {requirement.consequence}."
        code: Code = "trust-lacks-tag-session" if lacking == [TAG_SESSION] else "trust-lacks-principal"
        yield Finding(code, "problem", text, evidence, uses=tuple(uses))


def _tag_session_unused(
    requirement: TrustRequirement, trusted: tuple[Trustee, ...], subject: RoleInUse, knowledge: Knowledge
) -> Iterator[Finding]:
    """Yield advice for a role that trusts such a service without a known use; `_service` covers the others."""
    meant = [each for each in trusted if each.name.removesuffix(".cn") == requirement.principal]
    if not meant or TAG_SESSION not in requirement.actions or any(each.allows(TAG_SESSION) for each in meant):
        return
    if any(use.kind in requirement.uses and use.certainty == "confirmed" for use in subject.uses):
        return
    # A cluster role needs it only for Auto Mode.
    usual = [each for each in knowledge.requirements if each.when == requirement.when and each.when]
    if requirement.when and not any(subject.has_attached(name) for each in usual for name in each.policies):
        return
    text = f"Its trust policy does not allow {requirement.principal} {TAG_SESSION}: {requirement.consequence}."
    evidence = f"inferred: its trust policy names {requirement.principal}, and no use of it by that service was seen"
    yield Finding("trust-lacks-tag-session", "advice", text, (evidence,))


def _irsa(
    trustee: Trustee, trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings
) -> Iterator[Finding]:
    evidence = (f"issuer {trustee.name}",)
    uses = tuple(use for use in subject.uses if use.kind == "irsa" and use.name == trustee.name)
    dead = [account.subject for account in trustee.service_accounts if account.never_matches]
    if dead:
        severity: Severity = "advice" if any(map(_can_be_met, trusted)) else "problem"
        text = (
            f"{listed(dead)} has a wildcard under an operator such as StringEquals, which takes it literally: "
            "no service account matches. StringLike supports wildcards."
        )
        yield Finding("irsa-wildcard-with-stringequals", severity, text, evidence, uses=uses)
    if trustee.unrestricted:
        text = "Every service account of the cluster can assume it: the trust policy has no condition on the subject."
        yield Finding("irsa-without-sub", "advice", text, evidence, uses=uses)
    if surroundings.providers is not None and trustee.name not in map(issuer_of, surroundings.providers):
        text = f"IAM has no OIDC provider for {trustee.name}, so nobody can assume the role with its tokens."
        used = any(use.kind in ("irsa", "addon") and use.certainty == "confirmed" for use in subject.uses)
        yield Finding("irsa-provider-missing", "problem" if used else "advice", text, evidence, uses=uses)
    elif _orphaned(trustee, surroundings):
        text = (
            f"No cluster of this account in {trustee.region} has the issuer {trustee.name}: "
            "it was deleted, or belongs to another account."
        )
        yield Finding("orphaned-provider", "note", text, evidence)


def _orphaned(trustee: Trustee, surroundings: Surroundings) -> bool:
    """Return whether every cluster in the issuer's region was read and none has that issuer."""
    region, eks = eks_region(trustee.name), surroundings.eks
    if eks is None or region is None or region not in eks.regions:
        return False
    clusters = [cluster for cluster in eks.clusters if cluster.region == region]
    return all(cluster.described for cluster in clusters) and trustee.name not in {each.issuer for each in clusters}


def _issuers(trusted: tuple[Trustee, ...], subject: RoleInUse, surroundings: Surroundings) -> Iterator[Finding]:
    """Yield a finding for each add-on whose role trusts only issuers of other clusters."""
    issuers = {each.name for each in trusted if each.kind == "irsa"}
    for use in subject.uses:
        cluster = surroundings.cluster(use)
        if use.kind != "addon" or cluster is None or cluster.issuer is None or not _by_irsa(use, subject, surroundings):
            continue
        if not issuers:
            text = f"The add-on {use.name} of {cluster.name} uses this role, whose trust policy names no OIDC provider."
            lacking = (f"issuer of {cluster.name}: {cluster.issuer}",)
            yield Finding("trust-lacks-principal", "problem", text, lacking, uses=(use,))
        elif cluster.issuer not in issuers:
            text = (
                f"The add-on {use.name} of {cluster.name} uses this role, whose trust policy names the issuer of "
                "another cluster: its pods cannot assume it."
            )
            evidence = (
                f"issuer of {cluster.name}: {cluster.issuer}",
                *(f"trusted: {name}" for name in sorted(issuers)),
            )
            yield Finding("irsa-issuer-of-another-cluster", "problem", text, evidence, uses=(use,))


def _by_irsa(use: Use, subject: RoleInUse, surroundings: Surroundings) -> bool:
    """Return whether, according to EKS, the add-on uses this role by its service account's annotation."""
    addon = surroundings.addon(use)
    return addon is not None and addon.role_arn == subject.role.arn and not addon.association_arns


def _can_be_met(trustee: Trustee) -> bool:
    return not trustee.service_accounts or not all(account.never_matches for account in trustee.service_accounts)
