"""Which part of EKS uses a role: what EKS and EC2 confirm, and what only its own policies suggest.

Roles are matched by ARN, including the path, and instance profiles by the list that IAM has of each role.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ekstui.eks.account_snapshot import AccountSnapshot, Attachments, Role, Use, UseKind, attachments_of
from ekstui.eks.cluster import Cluster, ClusterPlace, PodIdentityAssociation
from ekstui.eks.pods import Pod
from ekstui.eks.trust import Trustee, eks_region, trustees, trusts_service
from ekstui.iam.arn import is_of_aws
from ekstui.iam.principals import issuer_of
from ekstui.iam.wildcard import is_wild

SCOPED = "AmazonEBSCSIDriverEKSClusterScopedPolicy"
UNSCOPED = "AmazonEBSCSIDriverPolicyV2"

Uses = Mapping[str, tuple[Use, ...]]
"""By role ARN."""

_ENTRY_KINDS: dict[str, UseKind] = {
    "EC2": "auto-mode-node",
    "HYBRID_LINUX": "hybrid-node",
    "HYPERPOD_LINUX": "hyperpod-node",
}
"""Types of access entry that imply the use."""

_TRUST_KINDS: dict[str, UseKind] = {
    "eks.amazonaws.com": "cluster",
    "eks-fargate-pods.amazonaws.com": "fargate",
    "capabilities.eks.amazonaws.com": "capability",
}
"""Services that only one part of EKS uses."""

_NODE_POLICIES: dict[str, UseKind] = {
    "AmazonEKSWorkerNodePolicy": "nodegroup",
    "AmazonEKSWorkerNodeMinimalPolicy": "auto-mode-node",
}
"""AWS policies that suggest that a role for EC2 is a node role."""

_PARTS_WITH_ROLE: dict[UseKind, str] = {
    "nodegroup": "nodegroups",
    "fargate": "fargate_profiles",
    "capability": "capabilities",
}
"""The lists of a cluster whose entries each have a name and a role."""

_NODE_KINDS = {"nodegroup", "self-managed-node", "karpenter-node", "auto-mode-node"}


def uses_in(snapshot: AccountSnapshot) -> Uses:
    """Return the uses of every role that has any: the confirmed first, then those that its policies suggest."""
    uses: dict[str, list[Use]] = {}
    for cluster in snapshot.clusters:
        for arn, use in _confirmed(cluster, snapshot):
            if use not in uses.setdefault(arn, []):
                uses[arn].append(use)
    for role in snapshot.roles:
        if role.arn is not None:
            confirmed_uses = uses.get(role.arn, [])
            suggested_uses = inferred_uses(role, snapshot, {use.kind for use in confirmed_uses})
            unconfirmed_uses = tuple(_unconfirmed(role.arn, suggested_uses, confirmed_uses, snapshot))
            if confirmed_uses or unconfirmed_uses:
                uses[role.arn] = [*confirmed_uses, *unconfirmed_uses]
    reasons: dict[tuple[str, Use], str] = {}
    counts: dict[ClusterPlace, Counter[Hashable]] = {}
    for cluster in snapshot.clusters:
        uses_here = [
            (arn, use)
            for arn, role_uses in uses.items()
            for use in role_uses
            if (use.region, use.cluster) == cluster.place
        ]
        reasons |= _overruled(cluster, uses_here)
        if cluster.pods is not None:
            counts[cluster.place] = _pods_by_credentials(cluster.pods)

    def finished(arn: str, use: Use) -> Use:
        pods = _pods_with(use, arn, counts.get((use.region or "", use.cluster or "")))
        reason = "" if pods else use.overruled or reasons.get((arn, use), "")
        return use._replace(overruled=reason, pods=pods) if reason or pods is not None else use

    return {arn: tuple(finished(arn, use) for use in role_uses) for arn, role_uses in uses.items()}


def _pods_by_credentials(pods: Iterable[Pod]) -> Counter[Hashable]:
    """Return how many pods have credentials of Pod Identity or of a role: by service account, and by role in all."""
    counts: Counter[Hashable] = Counter()
    for pod in pods:
        if not pod.is_over:
            roles = {container.role_arn for container in pod.containers if container.role_arn}
            ways = roles | ({"pod-identity"} if any(container.agent for container in pod.containers) else set())
            counts.update((pod.namespace, pod.service_account, way) for way in ways)
            counts.update(roles)
    return counts


def _pods_with(use: Use, arn: str, counts: Counter[Hashable] | None) -> int | None:
    """Return how many pods have the credentials of a use; None if that is not known."""
    if counts is None or use.kind not in ("irsa", "addon", "pod-identity", "pod-identity-target"):
        return None
    if use.service_account is None:
        return counts[arn]
    return counts[use.namespace, use.service_account, arn if use.kind == "irsa" else "pod-identity"]


def _unconfirmed(
    arn: str, suggested_uses: Iterable[Use], confirmed_uses: Sequence[Use], snapshot: AccountSnapshot
) -> Iterator[Use]:
    """Yield the inferred uses that no confirmed one stands for; those that Kubernetes disproves with the reason."""
    annotated_accounts = {
        (use.cluster, use.region, use.namespace, use.service_account) for use in confirmed_uses if use.kind == "irsa"
    }
    for use in suggested_uses:
        clusters = snapshot.eks.find(use.cluster, use.region) if snapshot.eks and use.cluster else ()
        facts = clusters[0].kubernetes if len(clusters) == 1 else None
        if use.kind != "irsa" or facts is None:
            yield use
        elif (use.cluster, use.region, use.namespace, use.service_account) not in annotated_accounts:
            is_pattern = is_wild(use.namespace or "") or is_wild(use.service_account or "")
            account = facts.service_account(use.namespace or "", use.service_account or "")
            if account is not None and account.role_arn == arn:
                # The role is an add-on's, which stands for it among the confirmed ones.
                yield use._replace(certainty="confirmed")
            elif not {"pods", "service accounts"} <= {*facts.whole}:
                yield use
            elif not is_pattern:
                yield use._replace(overruled="its service account is not annotated with the role")
            elif not annotated_accounts:
                yield use._replace(overruled="no service account is annotated with the role")


def _overruled(cluster: Cluster, uses: Sequence[tuple[str, Use]]) -> dict[tuple[str, Use], str]:
    """Return the uses of a cluster, with their roles, whose roles the pods do not get, and which others come first.

    With the agent, an association of Pod Identity comes before the role of an add-on and before the annotation of the
    service account; the add-on's role is written into that annotation.
    """
    has_agent = cluster.auto_mode or cluster.addon("eks-pod-identity-agent") is not None
    associated_accounts: set[tuple[str | None, str | None]] = set()
    accounts_of: dict[str, set[tuple[str | None, str | None]]] = {}
    roles_of: dict[str, set[str]] = {}
    for arn, use in uses:
        account = (use.namespace, use.service_account)
        if has_agent and use.service_account and use.kind in ("pod-identity", "addon"):
            associated_accounts.add(account)
        for name in controllers_run_by(use):
            accounts_of.setdefault(name, set()).add(account)
            if _is_by_annotation(use):
                roles_of.setdefault(name, set()).add(arn)
    reasons: dict[tuple[str, Use], str] = {}
    for arn, use in uses:
        accounts = accounts_of[use.name or ""] if _is_by_annotation(use) else {(use.namespace, use.service_account)}
        if (_is_by_annotation(use) or use.kind == "irsa") and accounts & associated_accounts:
            reasons[arn, use] = "an association of Pod Identity comes first"
        elif use.kind == "irsa":
            addon_roles = {role for name in controllers_run_by(use) for role in roles_of.get(name, ())}
            if addon_roles and arn not in addon_roles:
                reasons[arn, use] = "the add-on names another role"
    return reasons


def _is_by_annotation(use: Use) -> bool:
    """Return whether EKS writes the role into the annotation of an add-on's service account."""
    return use.kind == "addon" and use.service_account is None


def inferred_uses(role: Role, snapshot: AccountSnapshot, confirmed_kinds: set[UseKind]) -> tuple[Use, ...]:
    """Return the uses that the role's own policies suggest beyond `confirmed_kinds`; none for a service-linked role."""
    if role.service_linked:
        return ()
    uses: list[Use] = []
    for trustee in trustees(role.trust):
        service = trustee.name.removesuffix(".cn")
        if trustee.kind == "irsa":
            uses.extend(_irsa(trustee, snapshot))
        elif trustee.kind == "pod-identity" and not confirmed_kinds & {"pod-identity", "pod-identity-target"}:
            uses.append(Use("pod-identity", "inferred", remark="its trust policy names Pod Identity"))
        elif service in _TRUST_KINDS and _TRUST_KINDS[service] not in confirmed_kinds:
            uses.append(Use(_TRUST_KINDS[service], "inferred", remark=f"its trust policy names {service}"))
        elif service == "ec2.amazonaws.com" and not confirmed_kinds & _NODE_KINDS:
            uses += [
                Use(_NODE_POLICIES[name], "inferred", remark=f"it trusts EC2 and has {name} attached")
                for name in (policy.name for policy in role.attached)
                if name in _NODE_POLICIES
            ]
    return tuple(dict.fromkeys(uses))


def attachments_with_uses(snapshot: AccountSnapshot, policy_arn: str, uses: Uses | None = None) -> Attachments:
    """Return who has the policy attached, each role with its uses, and whether that is complete.

    `uses` saves computing them again.
    """
    uses_of_roles = uses_in(snapshot) if uses is None else uses
    attachments = attachments_of(snapshot, policy_arn)
    roles = tuple(
        entry._replace(
            used_by=uses_of_roles.get(entry.role.arn, ()) if entry.role.arn else (),
            remarks=_remarks(policy_arn, entry.role),
        )
        for entry in attachments.roles
    )
    sources = [error for error in snapshot.errors if error.source not in ("counts", "simulation")]
    return attachments._replace(
        roles=roles,
        uses_complete=snapshot.eks is not None and not any(error.source != "roles" for error in sources),
        not_looked_at=snapshot.not_looked_at,
        errors=tuple(sources),
    )


def _remarks(policy_arn: str, role: Role) -> tuple[str, ...]:
    if _name_of_aws(policy_arn) not in (SCOPED, UNSCOPED):
        return ()
    remark = cancelled_scoping(filter(None, (_name_of_aws(policy.arn) for policy in role.attached)))
    return () if remark is None else (remark,)


def cancelled_scoping(names: Iterable[str]) -> str | None:
    """Return what having both of AWS's policies for the EBS driver means; None if one of them is missing."""
    if not {SCOPED, UNSCOPED}.issubset(names):
        return None
    return (
        f"{UNSCOPED} cancels the scoping of {SCOPED}: with both, the driver may change the volumes and snapshots of "
        "every cluster."
    )


def _name_of_aws(policy_arn: str) -> str | None:
    return policy_arn.rpartition("/")[2] if is_of_aws(policy_arn) else None


def roles_of_cluster(cluster: Cluster, snapshot: AccountSnapshot, uses: Uses) -> dict[str, tuple[Use, ...]]:
    """Return the roles that a cluster uses, by ARN, with their uses in it.

    A role whose trust policy only names the cluster's issuer has none.
    """
    uses_here = {
        arn: uses_in_cluster
        for arn, uses_of_role in uses.items()
        if (uses_in_cluster := tuple(use for use in uses_of_role if (use.region, use.cluster) == cluster.place))
    }
    for role in snapshot.roles:
        issuers = [trustee.name for trustee in trustees(role.trust) if trustee.kind == "irsa"]
        if role.arn is not None and role.arn not in uses_here and cluster.issuer in issuers:
            uses_here[role.arn] = ()
    return uses_here


def _use(cluster: Cluster, kind: UseKind, name: str | None = None, **fields: Any) -> Use:
    return Use(kind, "confirmed", cluster.name, cluster.region, name, **fields)


def _confirmed(cluster: Cluster, snapshot: AccountSnapshot) -> Iterator[tuple[str, Use]]:
    """Yield role ARNs with the uses that the cluster itself shows."""
    if cluster.role_arn:
        yield cluster.role_arn, _use(cluster, "cluster")
    if cluster.auto_mode_node_role_arn:
        yield cluster.auto_mode_node_role_arn, _use(cluster, "auto-mode-node")
    for kind, parts in _PARTS_WITH_ROLE.items():
        for part in getattr(cluster, parts) or ():
            if part.role_arn:
                yield part.role_arn, _use(cluster, kind, part.name)
    yield from _nodes(cluster, snapshot)
    yield from _addons(cluster)
    yield from _annotated(cluster)
    for association in cluster.associations or ():
        of_pods = _by_association("pod-identity", association.id, association, cluster)
        if association.role_arn:
            yield association.role_arn, of_pods
        if association.target_role_arn:
            yield association.target_role_arn, of_pods._replace(kind="pod-identity-target")


def _nodes(cluster: Cluster, snapshot: AccountSnapshot) -> Iterator[tuple[str, Use]]:
    """Yield the roles of nodes that EKS does not manage, from access entries and, if it was asked, from EC2."""
    roles = {profile: role.arn for role in snapshot.roles for profile in role.instance_profiles}
    by_instance = [
        (
            arn,
            _use(
                cluster, "self-managed-node" if node.karpenter_pool is None else "karpenter-node", node.karpenter_pool
            ),
        )
        for node in cluster.nodes or ()
        if (arn := roles.get(node.instance_profile_arn)) is not None
    ]
    yield from by_instance
    known_arns = {group.role_arn for group in cluster.nodegroups or ()} | dict(by_instance).keys()
    for entry in cluster.access_entries or ():
        arn = entry.principal_arn
        if entry.kind in _ENTRY_KINDS:
            yield arn, _use(cluster, _ENTRY_KINDS[entry.kind])
        elif entry.kind in ("EC2_LINUX", "EC2_WINDOWS") and arn not in known_arns:
            yield arn, _by_entry(cluster)
        elif entry.kind == "FARGATE_LINUX" and cluster.fargate_profiles is None:
            yield arn, _use(cluster, "fargate")
    listed_arns = known_arns | {entry.principal_arn for entry in cluster.access_entries or ()}
    for arn in node_roles_in_map(cluster, snapshot):
        if arn not in listed_arns:
            yield arn, _by_entry(cluster)


def node_roles_in_map(cluster: Cluster, snapshot: AccountSnapshot) -> Iterator[str]:
    """Yield the roles whose nodes aws-auth lets join; it has their ARNs without the path."""
    by_name = {arn_without_path(role.arn): role.arn for role in snapshot.roles if role.arn is not None}
    for mapping in cluster.mappings:
        if mapping.kind == "role" and "system:nodes" in mapping.groups:
            yield by_name.get(mapping.principal, mapping.principal)


def _by_entry(cluster: Cluster) -> Use:
    """Return the use of a role whose access entry lets nodes join although no instance with it was seen."""
    missing = [part for part in ("node groups", "EC2 instances") if part in cluster.unread]
    reason = f"not read: {', '.join(missing)}" if missing else "no instance was seen"
    use = _use(cluster, "self-managed-node", remark=f"it may join as a node; {reason}")
    return use._replace(certainty="inferred") if missing else use


def _addons(cluster: Cluster) -> Iterator[tuple[str, Use]]:
    """Yield the roles of add-ons, by service account and by Pod Identity, which wins if the add-on has both."""
    association_by_id = {association.id: association for association in cluster.associations or ()}
    for addon in cluster.addons or ():
        if addon.role_arn:
            yield addon.role_arn, _use(cluster, "addon", addon.name)
        for arn in addon.association_arns:
            association = association_by_id.get(arn.rsplit("/", 1)[-1])
            if association is not None and association.role_arn:
                use = _by_association("addon", addon.name, association, cluster)
                yield association.role_arn, use._replace(remark="through Pod Identity")


def _annotated(cluster: Cluster) -> Iterator[tuple[str, Use]]:
    """Yield the roles that service accounts are annotated with, and those in the variables of their pods."""
    if cluster.kubernetes is None:
        return
    by_annotation = {
        (service_account.role_arn, service_account.namespace, service_account.name)
        for service_account in cluster.kubernetes.service_accounts or ()
        if service_account.role_arn is not None
    }
    by_variable = {
        (container.role_arn, pod.namespace, pod.service_account)
        for pod in cluster.kubernetes.pods or ()
        if not pod.is_over
        for container in pod.containers
        if container.role_arn is not None
    }
    of_addons = {addon.role_arn for addon in cluster.addons or ()}
    for arn, namespace, account in sorted(by_annotation | by_variable):
        # EKS itself writes the role of an add-on into the annotation.
        if arn not in of_addons:
            fields = {"namespace": namespace, "service_account": account}
            remark = None if (arn, namespace, account) in by_annotation else "set in the pods' variables"
            yield arn, _use(cluster, "irsa", cluster.issuer, remark=remark, **fields)


def arn_without_path(arn: str) -> str:
    """Return an ARN, if it is a role's without the path, as the cluster sees it and aws-auth needs it."""
    before, role, resource = arn.partition(":role/")
    return f"{before}{role}{resource.rpartition('/')[2]}"


def _by_association(kind: UseKind, name: str, association: PodIdentityAssociation, cluster: Cluster) -> Use:
    fields = ("namespace", "service_account", "session_policy", "session_tags")
    return _use(cluster, kind, name, **{field: getattr(association, field) for field in fields})


def _irsa(trustee: Trustee, snapshot: AccountSnapshot) -> Iterator[Use]:
    """Yield the service accounts that may assume a role; inferred, because EKS does not know their annotations."""
    cluster = next((cluster for cluster in snapshot.clusters if cluster.issuer == trustee.name), None)
    place = Use(
        "irsa",
        "inferred",
        cluster.name if cluster else None,
        trustee.region,
        trustee.name,
        remark=_issuer_remark(trustee, cluster, snapshot),
    )
    if not trustee.service_accounts:
        yield place._replace(namespace="*", service_account="*")
    for account in trustee.service_accounts:
        if not account.never_matches:
            yield place._replace(namespace=account.namespace, service_account=account.name)


def _issuer_remark(trustee: Trustee, cluster: Cluster | None, snapshot: AccountSnapshot) -> str | None:
    providers = snapshot.oidc_providers
    if providers is not None and trustee.name not in {issuer_of(arn) for arn in providers}:
        return "IAM has no OIDC provider for its issuer"
    if cluster is not None or snapshot.eks is None or trustee.region not in snapshot.eks.regions:
        return None
    are_all_described = all(
        neighbour.described for neighbour in snapshot.eks.clusters if neighbour.region == trustee.region
    )
    return (
        f"no cluster in {trustee.region} has its issuer; it may be deleted or of another account"
        if are_all_described
        else None
    )


_CONTROLLER_ACCOUNTS: dict[str, tuple[str, ...]] = {
    "aws-load-balancer-controller": ("aws-load-balancer-controller",),
    "karpenter": ("karpenter",),
    "aws-ebs-csi-driver": ("ebs-csi-controller-sa",),
    "aws-efs-csi-driver": ("efs-csi-controller-sa",),
    "vpc-cni": ("aws-node",),
    "aws-gateway-api-controller": ("gateway-api-controller",),
    "cluster-autoscaler": ("cluster-autoscaler", "cluster-autoscaler-aws-cluster-autoscaler"),
}
"""The service accounts that each project's instructions or chart create, in whatever namespace."""

_CONTROLLER_ADDONS = ("aws-ebs-csi-driver", "aws-efs-csi-driver", "vpc-cni")
"""Controllers that EKS also installs as an add-on of the same name."""


def uses_running(component: str, uses: Iterable[Use]) -> tuple[Use, ...]:
    """Return the uses through which a role runs a controller, named by its component: `karpenter`, `vpc-cni/ipv6`."""
    controller = component.partition("/")[0]
    return tuple(
        use
        for use in uses
        if controller in controllers_run_by(use)
        and use.kind != "pod-identity-target"
        and (use.kind != "addon" or controller in _CONTROLLER_ADDONS)
    )


def controllers_run_by(use: Use) -> tuple[str, ...]:
    """Return the controllers and add-ons that call AWS through a use, by the add-on's name or service account."""
    names = {use.name} if use.kind == "addon" and use.name else set()
    if use.kind in ("pod-identity", "pod-identity-target", "irsa"):
        names = set(controllers_of_account(use.service_account))
    return tuple(sorted(names))


def controllers_of_account(service_account: str | None) -> tuple[str, ...]:
    """Return the controllers whose instructions or chart create a service account of this name."""
    return tuple(name for name, accounts in _CONTROLLER_ACCOUNTS.items() if service_account in accounts)


def regions_of_interest(snapshot: AccountSnapshot) -> tuple[str, ...]:
    """Return the configured region, and those of OIDC providers' clusters and of the last uses of cluster roles."""
    regions = [snapshot.identity.region] if snapshot.identity.region else []
    regions.extend(
        region for arn in snapshot.oidc_providers or () if (region := eks_region(issuer_of(arn))) is not None
    )
    regions.extend(
        role.last_used_region
        for role in snapshot.roles
        if role.last_used_region is not None and trusts_service(role.trust, "eks.amazonaws.com")
    )
    return tuple(dict.fromkeys(regions))
