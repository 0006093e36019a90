"""What a role's own policies are: superseded, too broad, cancelled by another, without their tag, or unused.

A role may serve many clusters, so each finding considers all its uses, and says what would stop working.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from ekstui.eks.account_snapshot import Use
from ekstui.eks.commands import Command, aws
from ekstui.eks.findings.conditions import SERVICE_ROLE_SINCE, condition_holds_for
from ekstui.eks.findings.subjects import (
    EC2_NODE_KINDS,
    NODE_KINDS,
    AccountContext,
    RoleInUse,
    unseen_evidence,
    use_as_evidence,
)
from ekstui.eks.findings.table import Case, Finding, FixPlace, Severity, downgraded_if_uses_unknown, finding
from ekstui.eks.uses import SCOPED, UNSCOPED, cancelled_scoping
from ekstui.iam.text import listed
from ekstui.iam.truth import Truth
from ekstui.named_tuples import NamedTuple

CLUSTER_TAG = "eks-cluster-name"
"""The principal tag that AmazonEBSCSIDriverEKSClusterScopedPolicy checks."""

_QUIET = timedelta(days=90)
"""How long a role must have had no recorded activity to be worth a note."""


@finding(
    "superseded-policy",
    "advice",
    "has a superseded policy",
    about="role",
    meaning="An attached policy has narrower successors, or only old clusters rely on it.",
)
def superseded_policies(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each attached policy that newer ones supersede."""
    for policy in subject.policies:
        notes = account.knowledge.policies.get(policy.name)
        if notes is None or notes.supersession is None or not policy.managed_by_aws:
            continue
        title = f"{policy.name} is superseded"
        if policy.name == "AmazonEKSServicePolicy":
            yield from _service_policy(subject, account, notes.supersession, title)
            continue
        newer = [name for name in notes.superseded_by if subject.has_attached(name)]
        text = f"{policy.name} has narrower successors: {' and '.join(notes.superseded_by)}. {notes.supersession}"
        if not newer and all(name in notes.supersession for name in notes.superseded_by):
            text = f"{policy.name} is attached. {notes.supersession}"
        elif newer:
            text = (
                f"{policy.name} is attached besides {' and '.join(newer)} and still allows the wider access. "
                f"{notes.supersession}"
            )
        evidence = (*map(use_as_evidence, subject.uses), *unseen_evidence(subject))
        severity = downgraded_if_uses_unknown("advice", subject) if subject.uses else "note"
        yield Case(text, evidence, severity=severity, title=title)


def _service_policy(subject: RoleInUse, account: AccountContext, supersession: str, title: str) -> Iterator[Case]:
    clusters = [account.cluster(use) for use in subject.uses if use.kind == "cluster"]
    creation_times = [cluster.created if cluster else None for cluster in clusters]
    if not creation_times or any(moment is None or moment < SERVICE_ROLE_SINCE for moment in creation_times):
        return
    days = sorted(moment.date().isoformat() for moment in creation_times if moment is not None)
    evidence = [f"the oldest known cluster with it was created on {days[0]}", *map(use_as_evidence, subject.uses)]
    text = f"AmazonEKSServicePolicy is attached, but no known cluster with this role relies on it. {supersession}"
    severity = downgraded_if_uses_unknown("advice", subject)
    yield Case(text, (*evidence, *unseen_evidence(subject)), severity=severity, title=title)


@finding(
    "scoping-cancelled",
    "advice",
    "one EBS policy cancels another's scope",
    about="role",
    meaning="Of AWS's policies for the EBS driver one allows what the other was chosen to withhold.",
)
def cancelled_scopes(subject: RoleInUse, _account: AccountContext) -> Iterator[Case]:
    """Yield the role if it has both policies."""
    cancelled = cancelled_scoping(policy.name for policy in subject.policies if policy.managed_by_aws)
    if cancelled is not None:
        breaks = (
            f"Without {UNSCOPED}, volumes and snapshots whose tag ebs.csi.aws.com/cluster-name does not name the "
            "cluster could no longer be changed."
        )
        yield Case(f"{cancelled} {breaks}", map(use_as_evidence, subject.uses))


class _Excess(NamedTuple):
    """A policy that may be too broad, and which uses need it."""

    policy: str
    title: str
    needed: Callable[[Use, RoleInUse, AccountContext], Truth]
    among: tuple[str, ...]
    """The rule only applies to roles with a use of these kinds."""
    why: Callable[[RoleInUse, AccountContext], str]
    """Returns why it is too broad, and what would stop working without it, in sentences."""


def _runs_the_cni(use: Use, subject: RoleInUse, account: AccountContext) -> Truth:
    if use.kind in EC2_NODE_KINDS:
        return condition_holds_for("vpc-cni-on-node-role", use, subject, account)
    if use.kind in ("addon", "pod-identity", "irsa"):
        return condition_holds_for("addon:vpc-cni", use, subject, account) or (None if use.kind == "irsa" else False)
    return False


def _cni_elsewhere(subject: RoleInUse, account: AccountContext) -> str:
    """Return which roles the VPC CNI uses instead of a node role."""
    roles: dict[str, None] = {}
    for use in subject.uses:
        cluster = account.cluster(use)
        source = cluster and (cluster.association("kube-system", "aws-node") or cluster.addon("vpc-cni"))
        if source and source.role_arn:
            roles[source.role_arn.rpartition("/")[2]] = None
    cni = f"the VPC CNI uses {listed(list(roles))}" if roles else "the VPC CNI does not run with it"
    return (
        f"{subject.role.name} still has AmazonEKS_CNI_Policy, but {cni}. Until it is detached, any pod that falls back "
        "to the node role can change network interfaces; once it is, such a pod no longer can."
    )


_EXCESSES = (
    _Excess(
        "AmazonEKSWorkerNodePolicy",
        "WorkerNodePolicy on Auto Mode nodes",
        lambda use, *_: use.kind in EC2_NODE_KINDS,
        ("auto-mode-node",),
        lambda *_: (
            "AmazonEKSWorkerNodePolicy allows more than Auto Mode nodes use; AmazonEKSWorkerNodeMinimalPolicy is "
            "enough. Without AmazonEKSWorkerNodePolicy, instances with this role could no longer describe EC2 "
            "resources or the cluster, which a node that Auto Mode does not run needs to join."
        ),
    ),
    _Excess(
        "AmazonEKSWorkerNodePolicy",
        "WorkerNodePolicy on hybrid nodes",
        lambda use, *_: use.kind in EC2_NODE_KINDS,
        ("hybrid-node",),
        lambda *_: (
            "AmazonEKSWorkerNodePolicy is for EC2 instances; a hybrid node uses only eks:DescribeCluster of it, and "
            "eks-auth:AssumeRoleForPodIdentity where the agent runs. Without AmazonEKSWorkerNodePolicy, another policy "
            "would have to allow both."
        ),
    ),
    _Excess("AmazonEKS_CNI_Policy", "CNI policy on node role", _runs_the_cni, NODE_KINDS, _cni_elsewhere),
    _Excess(
        "AmazonEC2ContainerRegistryReadOnly",
        "ECR ReadOnly where PullOnly is enough",
        lambda use, *_: False if use.kind in NODE_KINDS else None,
        NODE_KINDS,
        lambda *_: (
            "AmazonEC2ContainerRegistryReadOnly allows more than nodes use; AmazonEC2ContainerRegistryPullOnly is "
            "enough to pull images, even through a pull-through cache. Without AmazonEC2ContainerRegistryReadOnly, "
            "software on the nodes could no longer list repositories, images, their policies and scan findings."
        ),
    ),
)


@finding(
    "broader-than-needed",
    "advice",
    "has a broader policy than it needs",
    about="role",
    meaning="An attached policy allows more than any known use of the role needs.",
)
def excess_policies(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each policy that allows more than any use of the role needs; a note if it is not known of one."""
    for excess in _EXCESSES:
        if not subject.has_attached(excess.policy) or not any(use.kind in excess.among for use in subject.uses):
            continue
        needs = [excess.needed(use, subject, account) for use in subject.uses]
        if any(needs):
            continue
        severity = "note" if None in needs else downgraded_if_uses_unknown("advice", subject)
        unknown_needs = [
            f"not known: whether {use_as_evidence(use)} needs it"
            for use, answer in zip(subject.uses, needs, strict=True)
            if answer is None
        ]
        evidence = (*map(use_as_evidence, subject.uses), *unknown_needs, *unseen_evidence(subject))
        yield Case(excess.why(subject, account), evidence, severity=severity, title=excess.title)


def _set_tag(problem: Finding, place: FixPlace) -> tuple[Command, ...]:
    """Return the command that tags the role, if it runs the driver of one cluster only."""
    clusters = {use.cluster for use in problem.uses}
    if place.role is None or place.cluster is None or clusters != {place.cluster.name}:
        return ()
    tag = f"Key={CLUSTER_TAG},Value={place.cluster.name}"
    about = "sets the tag that the policy checks, for this cluster alone"
    return (aws(about, "iam", "tag-role", "--role-name", place.role.name, "--tags", tag),)


@finding(
    "principal-tag-missing",
    "problem",
    f"no tag {CLUSTER_TAG} on its sessions",
    about="role",
    needs=("details",),
    meaning=f"{SCOPED} checks the principal tag {CLUSTER_TAG}, which the role's sessions lack.",
    change=f"set the tag {CLUSTER_TAG} on the role or its sessions, or use AmazonEBSCSIDriverPolicyV2",
    fix=_set_tag,
    explains_denials=True,
)
def missing_principal_tags(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield each use whose sessions lack the tag that the cluster-scoped EBS policy checks."""
    if not subject.has_attached(SCOPED):
        return
    tag = dict(subject.role.tags).get(CLUSTER_TAG)
    for use in subject.uses:
        if use.kind not in ("addon", "irsa", "pod-identity") or use.session_tags or _may_be_tagged(use, account):
            continue  # the session's own tag takes precedence
        if tag is None:
            reason = f"the role has no tag {CLUSTER_TAG}, and no session tag sets it"
        elif use.cluster is not None and tag != use.cluster:
            reason = f"the role's tag {CLUSTER_TAG} names {tag}, not this cluster"
        else:
            continue
        severity: Severity = "problem" if use.certainty == "confirmed" else "advice"
        text = f"{SCOPED} denies everything but reads: {reason}."
        if wider := [name for name in (UNSCOPED, "AmazonEBSCSIDriverPolicy") if subject.has_attached(name)]:
            severity, text = "note", f"{text} What {wider[0]} allows still works."
        yield Case(text, (use_as_evidence(use),), (use,), severity)


def _may_be_tagged(use: Use, account: AccountContext) -> bool:
    """Return whether pods get other credentials, or unknown session tags, from Pod Identity."""
    if use.kind == "pod-identity" or use.service_account is not None:
        return use.kind != "irsa" and use.session_tags is None
    addon = account.addon(use)
    return addon is not None and bool(addon.association_arns)


@finding(
    "no-recorded-activity",
    "note",
    f"no recorded activity for {_QUIET.days} days",
    about="role",
    needs=("details",),
    meaning="IAM recorded no activity of the role lately, and EKS does not confirm that it is in use.",
)
def quiet_roles(subject: RoleInUse, account: AccountContext) -> Iterator[Case]:
    """Yield the role if it was not used for long."""
    role = subject.role
    if any(use.certainty == "confirmed" for use in subject.uses):
        return
    if role.last_used is not None:
        if account.now - role.last_used > _QUIET:
            text = f"No recorded activity since {role.last_used:%Y-%m-%d}."
            yield Case(text, (f"last used in {role.last_used_region or 'an unknown region'}",))
    elif role.created is not None and account.now - role.created > _QUIET:
        text = "No recorded activity in the period that IAM tracks, at most 400 days."
        yield Case(text, (f"created on {role.created:%Y-%m-%d}",))
