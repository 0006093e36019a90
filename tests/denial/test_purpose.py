"""What a caller is for, by its session, its policies and its name, and how a policy fits that."""

from collections.abc import Collection

import pytest

from ekstui.denial.purpose import (
    NODE_ROLES,
    POD_ROLES,
    UNKNOWN_PURPOSE,
    CandidatePolicy,
    Purpose,
    RoleOfItsOwn,
    components_of,
    controllers_calling,
    fit_of,
    is_call_of_node,
    notes_on_node_role,
    policies_of_component,
    purpose_by_signs,
)
from ekstui.library.catalog import knowledge
from tests.denial.subjects import ACCOUNT, GET, READ, SESSION, candidate
from tests.support.documents import deny

KNOWN = Purpose(True, frozenset({"add-on role"}), frozenset({"mine", "karpenter"}), frozenset({"theirs"}))


@pytest.mark.parametrize(
    ("policy", "purpose", "fit"),
    [
        (candidate("mine", READ), Purpose(False, own=frozenset({"mine"})), "unknown"),
        (candidate("mine", READ), KNOWN, "own"),
        # A part of what a project publishes is as much its own as the whole, and a variant of something else is not.
        (candidate("karpenter/KarpenterControllerPolicy", READ), KNOWN, "own"),
        (candidate("other/karpenter", READ), KNOWN, "other"),
        (candidate("a", READ, meant_for=("add-on role",)), KNOWN, "kind"),
        (candidate("a", READ, meant_for=("node role",)), KNOWN, "other"),
        (candidate("a", READ, meant_for=("add-on role",), superseded=True), KNOWN, "other"),
        # What is made for another add-on is for none of this one's pods, but for a workload it may be.
        (candidate("theirs", READ, meant_for=("add-on role",)), KNOWN, "other"),
        (
            candidate("theirs", READ, meant_for=("add-on role", "workload role")),
            KNOWN._replace(kinds=POD_ROLES),
            "kind",
        ),
        (candidate("theirs", READ, meant_for=("node role",)), KNOWN._replace(kinds=NODE_ROLES), "kind"),
    ],
)
def test_how_a_policy_fits_what_a_caller_is_for(policy: CandidatePolicy, purpose: Purpose, fit: str) -> None:
    assert fit_of(policy, purpose) == fit


def test_who_may_have_made_a_call_is_known_from_the_policies_that_allow_it() -> None:
    node = "AmazonEKSWorkerNodePolicy"
    calls, denies = candidate(node, READ), candidate(node, [deny("s3:*")])
    assert is_call_of_node("s3:GetObject", [calls], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node("s3:GetObject", [denies], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node("s3:PutObject", [calls], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node(
        "s3:GetObject", [candidate("AmazonEKSClusterPolicy", READ), candidate("x", READ)], knowledge(), UNKNOWN_PURPOSE
    )
    # What nodes need only for what has a role of its own in all of their clusters, they do not call.
    cni = candidate("AmazonEKS_CNI_Policy", READ)
    assert is_call_of_node("s3:GetObject", [cni], knowledge(), UNKNOWN_PURPOSE)
    assert not is_call_of_node(
        "s3:GetObject",
        [cni],
        knowledge(),
        UNKNOWN_PURPOSE._replace(with_own_role_in_every_cluster=frozenset({"vpc-cni"})),
    )
    project = candidate("karpenter/Part", READ, arn="published:karpenter", home="https://k.example")
    assert controllers_calling("s3:GetObject", [project, cni, candidate("x", READ)], knowledge()) == (
        "karpenter",
        "vpc-cni",
    )
    assert controllers_calling("s3:PutObject", [project, cni], knowledge()) == ()
    assert (
        controllers_calling(
            "s3:GetObject", [candidate("karpenter", [deny("s3:*")], arn="published:karpenter", home="h")], knowledge()
        )
        == ()
    )


@pytest.mark.parametrize(
    ("principal", "text", "in_force", "kinds", "runs"),
    [
        # The session says most, then the policies, then the names.
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/karpenter/i-0123456789abcdef0", "", (), NODE_ROLES, ()),
        # A user is a person, unless it is named after what runs, or the message is.
        (f"arn:aws:iam::{ACCOUNT}:user/ana", "", (), {"user"}, ()),
        (f"arn:aws:iam::{ACCOUNT}:user/karpenter", "", (), {"add-on role"}, ("karpenter",)),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin_1/ana", "", (), {"user"}, ()),
        (SESSION, '{"invokedBy": "eks.amazonaws.com"}', ("AmazonEKSWorkerNodePolicy",), {"cluster role", "auto mode cluster role", "local cluster role"}, ()),
        (SESSION.replace("/app/", "/karpenter/"), "", ("AmazonEBSCSIDriverPolicy",), {"add-on role"}, ("aws-ebs-csi-driver",)),
        (SESSION.replace("/app/", "/karpenter/"), "aws-node", ("AmazonEKSWorkerNodePolicy",), {"add-on role"}, ("karpenter",)),
        (SESSION.replace("/app/", "/prod-nodes/"), "", (), NODE_ROLES, ()),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/app/eks-prod-app-1", "karpenter", (), POD_ROLES, ()),
        (SESSION, "karpenter failed", (), {"add-on role"}, ("karpenter",)),
        # What nobody publishes a policy for is a workload like others.
        (SESSION, "velero failed", (), {"workload role"}, ("velero",)),
        # Of two names in a message, neither is meant.
        (SESSION, "karpenter and aws-node failed", (), (), ()),
        (None, "", (), (), ()),
        # A policy for one kind of role tells more than one for several.
        (SESSION, "", ("AmazonEKSWorkerNodePolicy",), None, ()),
    ],
)  # fmt: skip
def test_signs_of_what_a_caller_is_for(
    principal: str | None, text: str, in_force: tuple[str, ...], kinds: Collection[str] | None, runs: tuple[str, ...]
) -> None:
    purpose = purpose_by_signs(principal, text, in_force, knowledge())
    if kinds is None:
        kinds = knowledge().policies[in_force[0]].attached_to
    own_policies = frozenset(name for component in runs for name in policies_of_component(component, knowledge()))
    assert (purpose.kinds, purpose.own) == (frozenset(kinds), own_policies)
    assert purpose.is_known is bool(kinds)
    assert purpose.is_of_nodes is (bool(kinds) and frozenset(kinds) <= NODE_ROLES)


def test_the_policies_in_force_tell_the_kind_by_those_that_are_for_one_kind() -> None:
    policies = knowledge().policies
    one = [name for name, policy in policies.items() if set(policy.attached_to) == {"node role"}]
    several = next(
        name
        for name, policy in policies.items()
        if len(policy.attached_to) > 1 and "node role" not in policy.attached_to
    )
    plain = next((name for name in one if not components_of([name], knowledge())), None)
    if plain is not None:
        assert purpose_by_signs(SESSION, "", (plain, several), knowledge()).kinds == {"node role"}
    assert purpose_by_signs(SESSION, "", (several,), knowledge()).kinds == frozenset(policies[several].attached_to)
    assert components_of(["AmazonEBSCSIDriverPolicy", "AmazonEKSWorkerNodePolicy"], knowledge()) == (
        "aws-ebs-csi-driver",
    )
    assert components_of(["AmazonEKSWorkerNodePolicy", "nothing"], knowledge()) == ()


OF_NODES = Purpose(True, NODE_ROLES)
INSTANCE = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"
BY_INSTANCE, BY_ROLE = (
    "The session is named after an EC2 instance, so the call was made with the node role.",
    "The call was made with the node role.",
)
NO_ROLE, NOT_THERE = "If a pod made it, the pod has no role of its own.", "The node role is not the place to allow it"
CALLS = "makes such calls; if it made this one, it did not get its own role"
CNI_ROLES = tuple(
    RoleOfItsOwn("vpc-cni", cluster, "eu-west-1", f"{cluster}-cni", way)
    for cluster, way in (("dev", "IRSA"), ("prod", "Pod Identity"))
)


@pytest.mark.parametrize(
    ("principal", "purpose", "misplaced_policies", "of_node", "texts"),
    [
        (SESSION, UNKNOWN_PURPOSE, (), False, ()),
        (SESSION, Purpose(True, POD_ROLES), ("vpc-cni",), False, ()),
        # The software of a node calls with its role, which a session shows and a role's name does not.
        (INSTANCE, OF_NODES, (), True, (BY_INSTANCE,)),
        (SESSION, OF_NODES, (), True, ()),
        (SESSION, OF_NODES, (), False, (f"{BY_ROLE} {NO_ROLE}",)),
        (INSTANCE, UNKNOWN_PURPOSE, (), False, (f"{BY_INSTANCE} {NO_ROLE}",)),
        (SESSION, OF_NODES, ("vpc-cni", "karpenter"), False, (f"{BY_ROLE} vpc-cni or karpenter {CALLS}.", NOT_THERE)),
        # Of those with a role of their own there, that is the one to look at.
        (INSTANCE, OF_NODES._replace(own_roles=CNI_ROLES), ("vpc-cni", "karpenter"), False,
         (f"{BY_INSTANCE} vpc-cni {CALLS}: dev-cni in dev, by IRSA; prod-cni in prod, by Pod Identity.", NOT_THERE)),
        (SESSION, OF_NODES._replace(own_roles=CNI_ROLES), ("karpenter",), False, (f"{BY_ROLE} karpenter {CALLS}.", NOT_THERE)),
    ],
)  # fmt: skip
def test_who_may_have_called_with_the_role_of_a_node_is_said(
    principal: str, purpose: Purpose, misplaced_policies: tuple[str, ...], of_node: bool, texts: tuple[str, ...]
) -> None:
    """EKS User Guide: a pod without a role of its own gets the credentials of its node."""
    notes = [*notes_on_node_role(GET._replace(principal=principal), purpose, misplaced_policies, of_node=of_node)]
    assert [note.startswith(text) for note, text in zip(notes, texts, strict=True)] == [True] * len(texts)
    assert notes[:1] == [*texts[:1]]
