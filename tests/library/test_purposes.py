"""Remedies are ranked by what the principal is for: by EKS's own facts of an account, or by signs of the message."""

from datetime import UTC, datetime
from functools import cache

import pytest

from ekstui.change.policy import Policy, PolicyScope, VersionInfo, version_label
from ekstui.denial.answer import Explanation, OldCopy, Policies
from ekstui.denial.explain import explain
from ekstui.denial.message import Cause, Denial
from ekstui.denial.purpose import CandidatePolicy, Purpose, purpose_by_signs
from ekstui.denial.remedies import allowers
from ekstui.eks.account_snapshot import AccountSnapshot, Role
from ekstui.eks.cluster import Addon, Cluster, EksFacts, NodeGroup, PodIdentityAssociation
from ekstui.eks.findings.subjects import RoleInUse, RolePolicy
from ekstui.eks.uses import uses_in
from ekstui.iam.document import parse_text
from ekstui.iam.request import Request
from ekstui.library.allowers import possible_allowers
from ekstui.library.catalog import knowledge
from ekstui.library.role_purposes import old_copies, purpose_of
from ekstui.sources.corpus import Corpus
from ekstui.sources.shipped import components
from tests.support.accounts import identity, role_arn

ACCOUNT = "111122223333"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def pods(name: str, service_account: str, namespace: str = "kube-system") -> PodIdentityAssociation:
    return PodIdentityAssociation(f"a-{name}", namespace, service_account, role_arn(name))


CLUSTERS = (
    Cluster(
        "prod", "eu-west-1", role_arn=role_arn("cluster"), auto_mode=False, described=True,
        nodegroups=(NodeGroup("blue", role_arn("node"), ()),),
        addons=(Addon("aws-ebs-csi-driver", "v1", role_arn("ebs-irsa"), association_arns=("arn:aws:eks:::podidentityassociation/prod/a-ebs",)),
                Addon("vpc-cni", "v1", role_arn("cni"))),
        associations=(pods("ebs", "ebs-csi-controller-sa"), pods("lbc", "aws-load-balancer-controller"),
                      pods("app", "reports", "shop")),
    ),
    Cluster("auto", "eu-west-1", role_arn=role_arn("auto-cluster"), auto_mode=True, described=True, associations=(), addons=()),
)  # fmt: skip


def bare_role(name: str) -> Role:
    return Role(name, role_arn(name), "/", extent="full")


ROLES = tuple(map(bare_role, ("cluster", "auto-cluster", "node", "ebs", "ebs-irsa", "cni", "lbc", "app", "lonely")))
ACCOUNT_SNAPSHOT = AccountSnapshot(
    identity=identity(ACCOUNT), fetched_at=NOW, complete=True, roles=ROLES, eks=EksFacts(CLUSTERS, ("eu-west-1",))
)


@cache
def may_allow(action: str) -> list[CandidatePolicy]:
    """Return what is looked through for an action, which is the same for every principal."""
    return list(possible_allowers(Request(action, (), role_arn("x")), Policies(), Corpus.bundled(), knowledge()))


def explanation_of(action: str, resource: str | None, principal: str, purpose: Purpose) -> Explanation:
    request = Request(action, (resource,) if resource else (), principal)
    candidates = may_allow(action)
    denial = Denial(action, resource, principal, Cause("identity", explicit=False))
    return explain(request, Policies(), candidates, denial=denial, knowledge=knowledge(), purpose=purpose)


def of(name: str) -> Purpose:
    purpose = purpose_of(
        next(role for role in ROLES if role.name == name), ACCOUNT_SNAPSHOT, uses_in(ACCOUNT_SNAPSHOT), knowledge(), NOW
    )
    assert purpose is not None
    return purpose


VOLUME = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:volume/*"


@pytest.mark.parametrize(
    ("name", "action", "resource", "fitting"),
    [
        ("ebs", "ec2:CreateVolume", VOLUME,
         {"AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicyV2", "AmazonEBSCSIDriverEKSClusterScopedPolicy",
          "aws-ebs-csi-driver"}),
        ("auto-cluster", "ec2:CreateVolume", VOLUME, {"AmazonEKSBlockStoragePolicy", "AmazonEKSBlockStoragePolicyV2", "AmazonEKSClusterPolicy"}),
        ("cluster", "ec2:CreateVolume", VOLUME, {"AmazonEKSClusterPolicy"}),
        ("lbc", "elasticloadbalancing:AddTags", None, {"aws-load-balancer-controller"}),
        ("auto-cluster", "ec2:RunInstances", None, {"AmazonEKSComputePolicy"}),
        ("node", "ecr:BatchImportUpstreamImage", None, {"AmazonEC2ContainerRegistryPullOnly"}),
        ("node", "ecr:GetAuthorizationToken", None,
         {"AmazonEC2ContainerRegistryPullOnly", "AmazonEC2ContainerRegistryReadOnly"}),
    ],
)  # fmt: skip
def test_what_is_made_for_a_role_by_its_uses_is_offered_first(
    name: str, action: str, resource: str | None, fitting: set[str]
) -> None:
    offered_policies = explanation_of(action, resource, role_arn(name), of(name)).allowed_by
    own_policies = [allower.policy for allower in offered_policies if allower.fit == "own"]
    assert own_policies
    assert set(own_policies) <= fitting
    assert [allower.policy for allower in offered_policies[: len(own_policies)]] == own_policies
    certainties = [not allower.missing for allower in offered_policies[: len(own_policies)]]
    assert certainties == sorted(certainties, reverse=True)


def test_of_what_is_made_for_a_role_that_which_certainly_allows_comes_before_aws_s_own() -> None:
    def candidate(name: str, scope: PolicyScope, condition: str = "") -> CandidatePolicy:
        text = f'{{"Statement": {{"Effect": "Allow", "Action": "ec2:CreateVolume", "Resource": "*"{condition}}}}}'
        policy = Policy(name, f"arn:aws:iam::aws:policy/{name}", 1, (VersionInfo(1, None),))
        return CandidatePolicy(policy, {1: parse_text(text)}, scope)

    condition = ', "Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}'
    tag_policy, driver_policy = candidate("Tagged", "eks", condition), candidate("driver", "controllers")
    purpose = Purpose(is_known=True, own=frozenset(("Tagged", "driver")))
    request = Request("ec2:CreateVolume", (VOLUME,), role_arn("ebs"))
    offered_policies, _ = allowers(request, (tag_policy, driver_policy), purpose)
    assert [allower.policy for allower in offered_policies] == ["driver", "Tagged"]
    # What is made for anybody and allows everything is no better for being certain.
    offered_policies, _ = allowers(request, (driver_policy, tag_policy), Purpose())
    assert [allower.policy for allower in offered_policies] == ["Tagged", "driver"]


def test_a_pod_s_role_is_offered_nothing_of_clusters_and_nodes() -> None:
    for action in ("secretsmanager:GetSecretValue", "dynamodb:GetItem", "ec2:DescribeInstances"):
        for allower in explanation_of(action, None, role_arn("app"), of("app")).allowed_by:
            assert allower.fit == "other" or {"add-on role", "workload role"} & set(allower.meant_for)
    # A driver's policies are for that driver alone, not for any pod or for another driver.
    for name in ("app", "lbc", "cni"):
        assert {
            allower.fit for allower in explanation_of("ec2:CreateVolume", VOLUME, role_arn(name), of(name)).allowed_by
        } == {"other"}
    offered_policies = explanation_of("secretsmanager:GetSecretValue", None, role_arn("app"), of("app")).allowed_by
    assert [allower.policy for allower in offered_policies if allower.fit != "other"] == [
        "AWSSecretsManagerClientReadOnlyAccess"
    ]
    assert purpose_of(bare_role("lonely"), ACCOUNT_SNAPSHOT, uses_in(ACCOUNT_SNAPSHOT), knowledge(), NOW) is None


INSTANCE = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("action", "says", "is_helped"),
    [
        # Of two roles the association's counts; the load balancer controller is no add-on.
        ("ec2:CreateVolume", ["aws-ebs-csi-driver", "ebs in prod, by Pod Identity"], False),
        ("elasticloadbalancing:CreateLoadBalancer", ["aws-load-balancer-controller", "lbc in prod, by Pod Identity"], False),
        # The CNI has a role of its own here, else this would be the node's own call.
        ("ec2:AssignPrivateIpAddresses", ["vpc-cni", "cni in prod, by IRSA"], False),
        ("ecr:BatchGetImage", [], True),
        ("dynamodb:GetItem", ["has no role of its own"], True),
    ],
)  # fmt: skip
def test_no_pod_s_call_widens_the_node_role(action: str, says: list[str], *, is_helped: bool) -> None:
    answer = explanation_of(action, None, INSTANCE, of("node"))
    notes = " ".join(answer.notes)
    assert all(words in notes for words in says)
    assert "ebs-irsa" not in notes
    assert (bool(answer.allowed_by), bool(answer.smallest_statement)) in ((True, True), (False, False))
    assert bool(answer.smallest_statement) is is_helped
    assert bool(answer.symptoms) is not is_helped


@pytest.mark.parametrize(
    ("principal", "text", "held_policies", "offered_policy"),
    [
        ("assumed-role/prod-ebs-csi/1", "", (), "AmazonEBSCSIDriverPolicyV2"),
        ("assumed-role/x/1", "ebs.csi.aws.com_ebs-csi-controller-774c", (), "AmazonEBSCSIDriverPolicyV2"),
        ("assumed-role/x/1", "", ("AmazonEBSCSIDriverPolicy",), "AmazonEBSCSIDriverPolicyV2"),
        ("assumed-role/x/1", '{"userIdentity":{"invokedBy":"eks.amazonaws.com"}}', (), "AmazonEKSClusterPolicy"),
        ("assumed-role/KarpenterNodeRole-prod/i-0123456789abcdef0", "karpenter", (), None),
    ],
)  # fmt: skip
def test_signs_tell_what_a_principal_is_for(
    principal: str, text: str, held_policies: tuple[str, ...], offered_policy: str | None
) -> None:
    principal_arn = f"arn:aws:sts::{ACCOUNT}:{principal}"
    purpose = purpose_by_signs(principal_arn, text, held_policies, knowledge())
    answer = explanation_of("ec2:CreateVolume", VOLUME, principal_arn, purpose)
    fitting_policies = [allower.policy for allower in answer.allowed_by if allower.fit in ("own", "kind")]
    assert (offered_policy in fitting_policies) if offered_policy else not fitting_policies
    assert not purpose_by_signs(f"arn:aws:iam::{ACCOUNT}:role/ci/deploy", "", (), knowledge()).is_known


def test_a_copy_of_an_older_release_is_compared_with_the_first_that_helps() -> None:
    # aws-load-balancer-controller 3339: releases until v2.4.6 may not tag what they are about to make.
    component = components()["aws-load-balancer-controller"]
    group = f"arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:targetgroup/k8s-web-abc/*"
    request = Request("elasticloadbalancing:AddTags", (group,), role_arn("lbc"))

    def copies(release: str) -> list[OldCopy]:
        version = component.at(release)
        assert version is not None
        subject = RoleInUse(bare_role("lbc"), (RolePolicy("lbc-policy", None, None, version.document()),))
        return list(old_copies(subject, request))

    (old_copy,) = copies("v2.4.0")
    assert (old_copy.name, old_copy.role, old_copy.newer.policy) == ("lbc-policy", "lbc", component.name)
    assert (version_label(old_copy.newer.current), version_label(old_copy.newer.version)) == ("v2.4.0", "v2.4.7")
    assert copies("v2.4.7") == []
    # "Since" is not the first release with some statement for the action.
    offered_policies = explanation_of("elasticloadbalancing:AddTags", group, role_arn("lbc"), of("lbc")).allowed_by
    (own_policy,) = [allower for allower in offered_policies if allower.policy == component.name]
    assert version_label(own_policy.since.version) == "v2.4.7"
