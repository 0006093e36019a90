"""Uses are confirmed by what EKS says, else inferred and said to be, and never made of what was not read."""

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, Role, SourceError, Use, UseKind
from ekstui.eks.cluster import (
    AccessEntry,
    Addon,
    Cluster,
    Ec2Node,
    EksFacts,
    FargateProfile,
    NodeGroup,
    PodIdentityAssociation,
)
from ekstui.eks.unseen import unseen_uses
from ekstui.eks.use_words import pod_count, use_in_words
from ekstui.eks.uses import (
    attachments_with_uses,
    controllers_run_by,
    inferred_uses,
    regions_of_interest,
    roles_of_cluster,
    uses_in,
    uses_running,
)
from ekstui.iam.document import Document
from ekstui.sources.kubernetes import read_kubernetes
from tests.support.accounts import WHEN, identity
from tests.support.documents import trust_document
from tests.support.kubernetes import irsa_variables, listing, of_all_namespaces, pod, service_account

ACCOUNT = "111122223333"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/A"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ARN = f"arn:aws:iam::{ACCOUNT}:role/team/r"


def account(role: Role, *clusters: Cluster, regions: tuple[str, ...] = ("eu-west-1",)) -> AccountSnapshot:
    return AccountSnapshot(
        identity(), WHEN, True, roles=(role,), eks=EksFacts(clusters, regions), oidc_providers=(PROVIDER,)
    )


def a_role(trust: Document | None = None, *policies: str, path: str = "/team/", profiles: tuple[str, ...] = ()) -> Role:
    attached_policies = tuple(AttachedPolicy(name, f"arn:aws:iam::aws:policy/{name}") for name in policies)
    return Role("r", ARN, path=path, trust=trust, attached=attached_policies, instance_profiles=profiles)


def a_cluster(**parts: object) -> Cluster:
    return Cluster("prod", "eu-west-1", issuer=ISSUER, described=True)._replace(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("trust", "policies", "kinds"),
    [
        (trust_document("eks.amazonaws.com"), (), ["cluster"]),
        (trust_document("eks.amazonaws.com.cn"), (), ["cluster"]),
        (trust_document("eks-fargate-pods.amazonaws.com"), (), ["fargate"]),
        (trust_document("capabilities.eks.amazonaws.com"), (), ["capability"]),
        (trust_document("pods.eks.amazonaws.com"), (), ["pod-identity"]),
        (trust_document("ec2.amazonaws.com"), ("AmazonEKSWorkerNodePolicy",), ["nodegroup"]),
        (trust_document("ec2.amazonaws.com"), ("AmazonEKSWorkerNodeMinimalPolicy",), ["auto-mode-node"]),
        (trust_document("ec2.amazonaws.com"), ("AmazonS3ReadOnlyAccess",), []),
        (trust_document("lambda.amazonaws.com"), ("AmazonEKSWorkerNodePolicy",), []),
        (None, ("AmazonEKSWorkerNodePolicy",), []),
    ],
)
def test_a_trust_policy_alone_suggests(trust: Document | None, policies: tuple[str, ...], kinds: list[str]) -> None:
    snapshot = account(a_role(trust, *policies))._replace(eks=None)
    uses = uses_in(snapshot).get(ARN, ())
    assert [use.kind for use in uses] == kinds
    assert all(use.certainty == "inferred" and use.cluster is None for use in uses)


def test_a_service_linked_role_is_no_cluster_role() -> None:
    role = a_role(trust_document("eks.amazonaws.com"), path="/aws-service-role/eks.amazonaws.com/")
    assert uses_in(account(role)) == {}


@pytest.mark.parametrize(
    ("parts", "kind", "trust"),
    [
        ({"role_arn": ARN}, "cluster", "eks.amazonaws.com"),
        ({"auto_mode_node_role_arn": ARN}, "auto-mode-node", "ec2.amazonaws.com"),
        ({"fargate_profiles": (FargateProfile("f", ARN),)}, "fargate", "eks-fargate-pods.amazonaws.com"),
        ({"access_entries": (AccessEntry(ARN, "FARGATE_LINUX"),)}, "fargate", "eks-fargate-pods.amazonaws.com"),
        (
            {"access_entries": (AccessEntry(ARN, "EC2_LINUX"),), "nodegroups": (), "nodes": ()},
            "self-managed-node",
            "ec2.amazonaws.com",
        ),
        ({"access_entries": (AccessEntry(ARN, "EC2"),)}, "auto-mode-node", "ec2.amazonaws.com"),
        ({"access_entries": (AccessEntry(ARN, "HYBRID_LINUX"),)}, "hybrid-node", "ssm.amazonaws.com"),
        ({"access_entries": (AccessEntry(ARN, "HYPERPOD_LINUX"),)}, "hyperpod-node", "sagemaker.amazonaws.com"),
        ({"nodes": (Ec2Node("profile", None, 1),)}, "self-managed-node", "ec2.amazonaws.com"),
        ({"nodes": (Ec2Node("profile", "default", 1),)}, "karpenter-node", "ec2.amazonaws.com"),
        ({"addons": (Addon("vpc-cni", "v1", ARN),)}, "addon", "pods.eks.amazonaws.com"),
        (
            {"associations": (PodIdentityAssociation("a", "ns", "sa", ARN),)},
            "pod-identity",
            "pods.eks.amazonaws.com",
        ),
        (
            {"associations": (PodIdentityAssociation("a", "ns", "sa", "other", ARN),)},
            "pod-identity-target",
            "pods.eks.amazonaws.com",
        ),
    ],
)
def test_what_eks_says_is_confirmed_and_not_inferred_again(parts: dict[str, object], kind: UseKind, trust: str) -> None:
    role = a_role(trust_document(trust), "AmazonEKSWorkerNodePolicy", profiles=("profile",))
    (first, *other_uses) = uses_in(account(role, a_cluster(**parts)))[ARN]
    assert (first.kind, first.certainty, first.cluster, first.region) == (kind, "confirmed", "prod", "eu-west-1")
    assert kind not in {use.kind for use in other_uses}


@pytest.mark.parametrize("parts", [{"nodegroups": ()}, {"nodes": ()}])
def test_what_a_node_is_stays_open_while_a_part_is_not_read(parts: dict[str, object]) -> None:
    cluster = a_cluster(access_entries=(AccessEntry(ARN, "EC2_LINUX"),), **parts)
    (use,) = uses_in(account(a_role(), cluster))[ARN]
    assert (use.kind, use.certainty) == ("self-managed-node", "inferred")
    assert "not read" in (use.remark or "")


def test_a_standard_entry_is_no_use() -> None:
    assert uses_in(account(a_role(), a_cluster(access_entries=(AccessEntry(ARN, "STANDARD"),)))) == {}


def test_irsa_is_inferred_even_where_the_cluster_is_known() -> None:
    condition = {"StringLike": {f"{ISSUER}:sub": "system:serviceaccount:web:*"}}
    role = a_role(trust_document({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", condition))
    (use,) = uses_in(account(role, a_cluster()))[ARN]
    assert (use.kind, use.certainty, use.cluster) == ("irsa", "inferred", "prod")
    assert (use.namespace, use.service_account, use.remark) == ("web", "*", None)
    (orphan_use,) = uses_in(account(role))[ARN]
    assert (orphan_use.cluster, orphan_use.region) == (None, "eu-west-1")
    assert "no cluster in eu-west-1" in (orphan_use.remark or "")
    (use_elsewhere,) = uses_in(account(role, regions=("us-east-1",)))[ARN]
    assert use_elsewhere.remark is None  # its region was not read, so nothing is said
    (use_without_provider,) = uses_in(account(role, a_cluster())._replace(oidc_providers=()))[ARN]
    assert use_without_provider.remark == "IAM has no OIDC provider for its issuer"


def test_the_roles_of_a_cluster_include_those_that_nothing_can_assume() -> None:
    condition = {"StringEquals": {f"{ISSUER}:sub": "system:serviceaccount:web:*"}}
    role = a_role(trust_document({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", condition))
    snapshot = account(role, a_cluster())
    assert uses_in(snapshot) == {}
    assert roles_of_cluster(a_cluster(), snapshot, {}) == {ARN: ()}


def test_what_was_not_read_is_named() -> None:
    role = a_role()
    cluster = a_cluster(
        nodegroups=(), fargate_profiles=(), addons=(), access_entries=(), capabilities=(), associations=()
    )

    def unseen(*clusters: Cluster) -> tuple[str, ...]:
        return unseen_uses(role, account(role, *clusters))

    assert unseen_uses(role, account(role)._replace(eks=None)) == ("clusters",)
    assert unseen(cluster) == ()
    assert unseen(cluster._replace(addons=None)) == ("add-ons of cluster prod in eu-west-1",)
    assert unseen(cluster._replace(cut_short=("nodegroups",))) == ("node groups of cluster prod in eu-west-1",)
    denial = SourceError("clusters", "eks:ListClusters", "denied", "x", region="us-east-1")
    assert unseen_uses(role, account(role, cluster)._replace(errors=(denial,))) == ("clusters in us-east-1",)


def test_an_answer_without_eks_is_whole_in_carriers_only() -> None:
    snapshot = account(a_role(None, "AmazonEKSWorkerNodePolicy"))._replace(eks=None)
    answer = attachments_with_uses(snapshot, "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy")
    assert answer.complete
    assert not answer.uses_complete


def test_the_account_says_which_regions_matter() -> None:
    cluster_role = a_role(trust_document("eks.amazonaws.com"))._replace(last_used_region="ap-south-1")
    snapshot = account(cluster_role)._replace(identity=identity()._replace(region="us-east-2"))
    assert regions_of_interest(snapshot) == ("us-east-2", "eu-west-1", "ap-south-1")
    node_role = cluster_role._replace(trust=trust_document("ec2.amazonaws.com"))
    assert regions_of_interest(snapshot._replace(roles=(node_role,))) == ("us-east-2", "eu-west-1")


def test_a_policy_that_another_one_cancels_says_so_where_it_is_attached() -> None:
    def role_with(*names: str) -> Role:
        return Role(
            "ebs",
            None,
            trust=None,
            attached=tuple(AttachedPolicy(name, f"arn:aws:iam::aws:policy/{name}") for name in names),
        )

    scoped_policy, wide_policy = "AmazonEBSCSIDriverEKSClusterScopedPolicy", "AmazonEBSCSIDriverPolicyV2"
    for policy_names, policy_name, has_remark in (
        ((scoped_policy, wide_policy), wide_policy, True), ((scoped_policy, wide_policy), scoped_policy, True), ((scoped_policy,), scoped_policy, False),
        ((scoped_policy, wide_policy, "AmazonEKS_CNI_Policy"), "AmazonEKS_CNI_Policy", False),
    ):  # fmt: skip
        snapshot = account(role_with(*policy_names))
        (entry,) = attachments_with_uses(snapshot, f"arn:aws:iam::aws:policy/{policy_name}").roles
        assert bool(entry.remarks) is has_remark


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (Use("nodegroup", "confirmed", "prod", "eu-west-1", name="workers"), "nodes workers of prod"),
        (Use("addon", "confirmed", "prod", "eu-west-1", name="vpc-cni"), "add-on vpc-cni of prod"),
        (Use("cluster", "inferred", "prod", "eu-west-1"), "cluster prod (inferred)"),
        (Use("irsa", "inferred", "prod", "eu-west-1", name="x", namespace="a", service_account="b"), "IRSA a/b of prod (inferred)"),
        (Use("irsa", "inferred", name="x"), "IRSA (inferred)"),
        (Use("pod-identity", "confirmed", "prod", "eu-west-1", namespace="a", service_account="b"), "Pod Identity a/b of prod"),
        (Use("pod-identity", "inferred", name="x"), "Pod Identity x (inferred)"),
    ],
)  # fmt: skip
def test_a_use_in_a_few_words(use: Use, words: str) -> None:
    assert use_in_words(use) == words


NODES: tuple[UseKind, ...] = ("nodegroup", "self-managed-node", "karpenter-node", "auto-mode-node")
SERVICES = {"eks": "cluster", "eks-fargate-pods": "fargate", "capabilities.eks": "capability"}


def test_only_what_is_confirmed_of_the_same_kind_keeps_a_suggestion_away() -> None:
    def inferred(service: str, *confirmed_kinds: UseKind, policy: str = "AmazonEKSWorkerNodePolicy") -> list[str]:
        role = a_role(trust_document({"Service": f"{service}.amazonaws.com"}), policy)
        return [use.kind for use in inferred_uses(role, account(role), set(confirmed_kinds))]

    kinds: tuple[UseKind, ...] = (
        "cluster",
        "fargate",
        "capability",
        "pod-identity",
        "pod-identity-target",
        "addon",
        "irsa",
    )
    assert inferred("ec2", *kinds, "hybrid-node", "hyperpod-node") == ["nodegroup"]
    for kind in NODES:
        assert inferred("ec2", kind) == inferred("ec2", kind, "cluster") == []
    assert inferred("pods.eks", *NODES, *kinds[:3], "addon", "irsa") == ["pod-identity"]
    assert inferred("pods.eks", "pod-identity") == inferred("pods.eks", "pod-identity-target", "cluster") == []
    for service, own_kind in SERVICES.items():
        assert inferred(service, *NODES, *(neighbour for neighbour in kinds if neighbour != own_kind)) == [own_kind]
        assert not any(inferred(service, kind) for kind in kinds if kind == own_kind)
    linked_role = a_role(trust_document("eks.amazonaws.com"))._replace(path="/aws-service-role/eks.amazonaws.com/")
    assert linked_role.service_linked
    assert inferred_uses(linked_role, account(linked_role), set()) == ()


@pytest.mark.parametrize(
    ("use", "component", "controllers"),
    [
        (Use("addon", "confirmed", name="vpc-cni"), "vpc-cni/ipv6", ("vpc-cni",)),
        (Use("addon", "confirmed", name="aws-ebs-csi-driver"), "aws-ebs-csi-driver", ("aws-ebs-csi-driver",)),
        (Use("addon", "confirmed", name="coredns"), None, ("coredns",)),
        (Use("addon", "confirmed", name="karpenter"), None, ("karpenter",)),
        (Use("irsa", "inferred", service_account="karpenter"), "karpenter", ("karpenter",)),
        (Use("pod-identity", "confirmed", service_account="aws-node"), "vpc-cni", ("vpc-cni",)),
        (Use("pod-identity-target", "confirmed", service_account="aws-node"), None, ("vpc-cni",)),
        (Use("irsa", "inferred", service_account="cluster-autoscaler-aws-cluster-autoscaler"), "cluster-autoscaler",
         ("cluster-autoscaler",)),
        (Use("irsa", "inferred", service_account="web"), None, ()),
        (Use("nodegroup", "confirmed", name="vpc-cni", service_account="aws-node"), None, ()),
    ],
)  # fmt: skip
def test_a_use_runs_the_controller_of_its_add_on_or_service_account(
    use: Use, component: str | None, controllers: tuple[str, ...]
) -> None:
    assert controllers_run_by(use) == controllers
    for controller in (
        "vpc-cni",
        "vpc-cni/ipv6",
        "aws-ebs-csi-driver",
        "karpenter",
        "cluster-autoscaler",
        "coredns",
        "nothing",
    ):
        runs = component is not None and controller.partition("/")[0] == component.partition("/")[0]
        assert uses_running(controller, [use]) == ((use,) if runs else ())


def test_which_parts_of_a_cluster_were_read() -> None:
    read = a_cluster(
        nodegroups=(), fargate_profiles=(), addons=(), access_entries=(), capabilities=(), associations=(),
        authentication_mode="API",
    )  # fmt: skip
    words = {
        "nodegroups": "node groups", "fargate_profiles": "Fargate profiles", "addons": "add-ons",
        "access_entries": "access entries", "capabilities": "capabilities", "associations": "Pod Identity",
    }  # fmt: skip
    assert (read.unread, read.issues_known) == ((), True)
    for part, name in words.items():
        # EKS reports issues of these four parts, and none of entries and associations.
        is_known = part in ("access_entries", "associations")
        for unread in (read._replace(**{part: None}), read._replace(cut_short=(part,))):  # type: ignore[arg-type]
            assert (unread.unread, unread.issues_known) == ((name,), is_known)
    bare = read._replace(described=False)
    assert (bare.unread, bare.issues_known) == (("the cluster's own description",), False)
    # Only EC2 knows what the nodes of an entry for EC2 are, if no node group has the role.
    for kind, asks in (("EC2_LINUX", True), ("EC2_WINDOWS", True), ("EC2", False), ("STANDARD", False)):
        with_entry = read._replace(access_entries=(AccessEntry(ARN, kind),))
        assert with_entry.needs_ec2 is asks
        assert with_entry.unread == (("EC2 instances",) if asks else ())
        assert with_entry._replace(nodes=()).unread == ()
        assert not with_entry._replace(nodegroups=(NodeGroup("a", ARN),)).needs_ec2
    by_map = read._replace(authentication_mode="CONFIG_MAP", access_entries=None)
    assert (by_map.needs_ec2, by_map.unread) == (True, ("EC2 instances",))


def in_kubernetes(*items: dict[str, object], trust: Document | None = None) -> tuple[Use, ...]:
    """The uses of a role that trusts service accounts of a cluster, whose Kubernetes has these objects."""
    facts = read_kubernetes([("list", of_all_namespaces(items))], WHEN)
    cluster = Cluster("prod", "eu-west-1", issuer=ISSUER, described=True, addons=(), kubernetes=facts)
    role = Role("r", ARN, trust=trust or irsa("system:serviceaccount:shop:web"))
    return uses_in(AccountSnapshot(identity(), WHEN, True, (role,), eks=EksFacts((cluster,), ("eu-west-1",)))).get(
        ARN, ()
    )


def irsa(subject: str, operator: str = "StringLike") -> Document:
    return trust_document(
        {"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", {operator: {f"{ISSUER}:sub": subject}}
    )


def test_what_kubernetes_says_confirms_uses_and_counts_pods() -> None:
    pods = [pod(f"web-6f-{number}", irsa_variables(ARN)) for number in range(3)]
    (use,) = in_kubernetes(service_account("web", ARN), *pods, pod("web-6f-old"))
    assert (use.certainty, use.namespace, use.service_account, use.pods) == ("confirmed", "shop", "web", 3)
    assert use_in_words(use) == "IRSA shop/web of prod (3 pods)"


def test_each_annotated_service_account_stands_for_a_pattern() -> None:
    uses = in_kubernetes(
        service_account("a", ARN), service_account("b", ARN), pod("web"), trust=irsa("system:serviceaccount:shop:*")
    )
    assert [(use.certainty, use.service_account, use.pods) for use in uses] == [
        ("confirmed", "a", 0), ("confirmed", "b", 0),
    ]  # fmt: skip


def test_a_role_without_annotation_is_said_not_to_be_used() -> None:
    (use,) = in_kubernetes(service_account("web"), pod("web-6f-1"))
    assert (use.certainty, use.overruled) == ("inferred", "its service account is not annotated with the role")


def test_an_add_on_s_role_in_an_annotation_is_its_service_account_s_too() -> None:
    facts = read_kubernetes(
        [("list", listing(service_account("web", ARN), pod("web-6f-1", irsa_variables(ARN))))], WHEN
    )
    addon = Addon("vpc-cni", "v1", ARN)
    cluster = Cluster("prod", "eu-west-1", issuer=ISSUER, described=True, addons=(addon,), kubernetes=facts)
    role = Role("r", ARN, trust=irsa("system:serviceaccount:shop:web"))
    snapshot = AccountSnapshot(identity(), WHEN, True, (role,), eks=EksFacts((cluster,), ("eu-west-1",)))
    uses = [(use.kind, use.certainty, use.pods, use.overruled) for use in uses_in(snapshot)[ARN]]
    assert uses == [("addon", "confirmed", 1, ""), ("irsa", "confirmed", 1, "")]


def test_a_role_that_only_variables_name_is_used() -> None:
    (use,) = in_kubernetes(
        service_account("web"), pod("web-6f-1", irsa_variables(ARN)), trust=irsa("system:serviceaccount:shop:x")
    )[:1]
    assert (use.certainty, use.remark, use.pods) == ("confirmed", "set in the pods' variables", 1)


def test_pods_that_still_have_a_role_use_it_whatever_comes_first_now() -> None:
    facts = read_kubernetes(
        [("list", listing(pod("web-6f-1", irsa_variables(ARN)), service_account("web", ARN)))], WHEN
    )
    association = PodIdentityAssociation("a-1", "shop", "web", f"{ARN}-2")
    agent = Addon("eks-pod-identity-agent", "v1", None)
    cluster = Cluster(
        "prod",
        "eu-west-1",
        issuer=ISSUER,
        described=True,
        addons=(agent,),
        associations=(association,),
        kubernetes=facts,
    )
    snapshot = AccountSnapshot(identity(), WHEN, True, eks=EksFacts((cluster,), ("eu-west-1",)))
    assert [(use.kind, use.pods, use.overruled) for use in uses_in(snapshot)[ARN]] == [("irsa", 1, "")]
    assert [(use.kind, use.pods) for use in uses_in(snapshot)[f"{ARN}-2"]] == [("pod-identity", 0)]


def pods_of(kind: UseKind, pods: int | None, account: str | None = None, cluster: str = "c", region: str = "r") -> Use:
    return Use(kind, "confirmed", cluster, region, namespace="n", service_account=account, pods=pods)


@pytest.mark.parametrize(
    ("uses", "count"),
    [
        ([], 0),
        ([pods_of("irsa", None, "a")], 0),
        ([pods_of("irsa", None, "a"), pods_of("irsa", 2, "b")], 2),
        ([pods_of("irsa", 2, "a"), pods_of("pod-identity", 3, "b")], 5),
        # The pods of an add-on are those of its service account.
        ([pods_of("addon", 3), pods_of("irsa", 3, "a")], 3),
        ([pods_of("addon", 3, "a"), pods_of("irsa", 3, "a")], 3),
        ([pods_of("addon", 4), pods_of("irsa", 1, "a"), pods_of("irsa", 2, "b")], 4),
        ([pods_of("irsa", 2, "a"), pods_of("irsa", 3, "a", cluster="d")], 5),
        ([pods_of("irsa", 2, "a"), pods_of("irsa", 3, "a", region="s")], 5),
    ],
)
def test_pods_are_counted_once(uses: list[Use], count: int) -> None:
    assert pod_count(uses) == count
