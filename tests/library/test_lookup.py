"""What is found by what somebody types or pastes, over the bundled policies, the notes and the account of the demo."""

from time import process_time

import pytest

from ekstui.core.lookup import MESSAGE_PART, Catalogue, Pasted, Thing, is_message
from ekstui.library import AccountChoice, Library
from ekstui.library.find_anything import all_actions, catalogue

DENIAL = (
    "An error occurred (AccessDenied) when calling the CreateTags operation: User: "
    "arn:aws:sts::123456789012:assumed-role/prod-node/i-0abc is not authorized to perform: ec2:CreateTags on resource: "
    "arn:aws:ec2:eu-west-1:123456789012:network-interface/* because no identity-based policy allows the ec2:CreateTags action"
)
IPAM = 'aws-node hangs at "Checking for IPAM connectivity" after an upgrade of the VPC CNI'
EVENT = '{"eventSource": "ec2.amazonaws.com", "eventName": "CreateTags", "errorCode": "Client.UnauthorizedOperation"}'


@pytest.fixture(scope="module")
def known() -> Catalogue:
    library = Library.open(AccountChoice(demo=True))
    snapshot = library.account.required()
    commands = [Thing("command", "clusters", "Choose a cluster.", eks=True), Thing("command", "compare", eks=True)]
    return catalogue(library, snapshot, commands, uses=library.account.uses(snapshot), actions=all_actions())


@pytest.mark.parametrize(
    ("typed", "kind", "name"),
    [
        # A name as it stands, before every name that it is a part of.
        ("ReadOnlyAccess", "policy", "ReadOnlyAccess"),
        ("readonlyaccess", "policy", "ReadOnlyAccess"),
        ("prod", "cluster", "prod"),
        ("prod-node", "role", "prod-node"),
        ("alice", "user", "alice"),
        ("on-call", "group", "on-call"),
        ("clusters", "command", "clusters"),
        ("ec2:CreateTags", "action", "ec2:CreateTags"),
        ("EC2:createtags", "action", "ec2:CreateTags"),
        # An IAM policy before the access policy of the same name.
        ("AmazonEKSComputePolicy", "policy", "AmazonEKSComputePolicy"),
        ("AmazonEKSAdminPolicy", "access policy", "AmazonEKSAdminPolicy"),
        # Of EKS before others; words in any order; letters in order, over the signs between them.
        ("readonly", "policy", "AmazonEKSDashboardConsoleReadOnly"),
        ("eks cni", "policy", "AmazonEKS_CNI_Policy"),
        ("cni eks", "policy", "AmazonEKS_CNI_Policy"),
        ("ekscni", "policy", "AmazonEKS_CNI_Policy"),
        ("amznekscniplcy", "policy", "AmazonEKS_CNI_Policy"),
        ("eks load bal", "policy", "AmazonEKSLoadBalancingPolicy"),
        # A capital letter starts a word, also after other capitals.
        ("network", "policy", "AmazonEKSNetworkingPolicy"),
        ("dashboard", "policy", "AmazonEKSDashboardServiceRolePolicy"),
        ("load bal", "component", "aws-load-balancer-controller"),
        ("EKSClusterPolicy", "policy", "AmazonEKSClusterPolicy"),
        ("CreateTags", "action", "ec2:CreateTags"),
        ("ec2createtags", "action", "ec2:CreateTags"),
        ("ec2:Describe*", "action", "ec2:Describe*"),
        # Versions and comparisons.
        ("cni@v5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("cni@5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("cni@", "version", "AmazonEKS_CNI_Policy@v6"),
        ("cni v5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("AmazonEKSServiceRolePolicy@v2", "version", "AmazonEKSServiceRolePolicy@v2"),
        ("cni@v99", "policy", "AmazonEKS_CNI_Policy"),
        ("cni@v5..v6", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("cni@5..", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("cni@..6", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("diff cni@v1..v6", "comparison", "AmazonEKS_CNI_Policy@v1..v6"),
        ("COMPARE cni@v1..v6", "comparison", "AmazonEKS_CNI_Policy@v1..v6"),
        ("diff cni", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("diff cni@v4", "comparison", "AmazonEKS_CNI_Policy@v3..v4"),
        ("diff WorkerNodePolicy WorkerNodeMin", "comparison",
         "AmazonEKSWorkerNodePolicy with AmazonEKSWorkerNodeMinimalPolicy"),
        ("diff prod-node cni@v5", "comparison", "role:prod-node with AmazonEKS_CNI_Policy@v5"),
        ("diff AmazonEKSViewPolicy AmazonEKSEdit", "comparison",
         "access:AmazonEKSViewPolicy with access:AmazonEKSEditPolicy"),
        ("diff access:AmazonEKSComputePolicy access:AmazonEKSViewPolicy", "comparison",
         "access:AmazonEKSComputePolicy with access:AmazonEKSViewPolicy"),
        ("diff cni mine.json", "comparison", "AmazonEKS_CNI_Policy with mine.json"),
        # What a controller publishes, by its releases.
        ("karpenter", "component", "karpenter"),
        ("karpenter@v1.14.1", "version", "karpenter@v1.14.1"),
        ("karpenter@v1.12.0..v1.13.0", "comparison", "karpenter@v1.12.0..v1.13.0"),
        # v1.8 has the document of v1.7.0.
        ("karpenter@v1.8..v1.9", "comparison", "karpenter@v1.7.0..v1.9.0"),
        ("karpenter@v1.8.0..v1.9.1", "comparison", "karpenter@v1.7.0..v1.9.0"),
        # Symptoms, by words of the notes or of the log.
        ("waiting for IPAM", "symptom", IPAM),
        ("you must be logged in", "symptom", "kubectl: You must be logged in to the server (Unauthorized)"),
        ("NotReady", "symptom", "A node stays NotReady: cni plugin not initialized"),
        ("session policy", "symptom", "Denied although the role's policies allow it: by a session policy"),
        ("forbidden", "symptom", "kubectl: a request is forbidden (Kubernetes RBAC)"),
        ("Checking for IPAM connectivity", "symptom", IPAM),
        ("karpenter access denied", "symptom", "Karpenter is denied calls after an upgrade: AccessDenied, instance profile"),
        ("lbc denied after upgrade", "symptom",
         "The AWS Load Balancer Controller (LBC) is denied calls after an upgrade: AccessDenied, FailedDeployModel"),
        ("ebs UnauthorizedOperation", "symptom",
         "The EBS CSI driver is denied calls after an upgrade: AccessDenied, UnauthorizedOperation"),
        # ARNs.
        ("arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy", "policy", "AmazonEKS_CNI_Policy"),
        ("arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy@v5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("arn:aws-us-gov:iam::aws:policy/AmazonEKS_CNI_Policy", "policy", "AmazonEKS_CNI_Policy"),
        ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSComputePolicy", "access policy", "AmazonEKSComputePolicy"),
        ("arn:aws:sts::123456789012:assumed-role/prod-node/i-0abc", "role", "prod-node"),
        ("arn:aws:eks:eu-west-1:123456789012:nodegroup/prod/general/8ac", "cluster", "prod"),
        # Messages.
        (DENIAL, "denial", "Explain this message"),
        (EVENT, "denial", "Explain this message"),
        (f"\n{DENIAL[:90]}\n{DENIAL[90:]}\n", "denial", "Explain this message"),
        ("level=info\nChecking for IPAM connectivity ...", "symptom", IPAM),
    ],
)  # fmt: skip
def test_what_is_meant_comes_first(known: Catalogue, typed: str, kind: str, name: str) -> None:
    found = known.find(typed)
    assert found
    assert (found[0].kind, found[0].name) == (kind, name)


def test_everything_is_found_by_its_name_and_its_arn(known: Catalogue) -> None:
    library = Library.open(AccountChoice(demo=True))
    snapshot = library.account.required()
    named = [*library.policies("all")]
    for policy in (entry.policy for entry in named[::7]):
        assert known.find(policy.name)[0].name == policy.name
        assert known.find(policy.arn)[0].arn == policy.arn
    for role in snapshot.roles:
        assert known.find(role.arn or "")[0].value == role.arn
    for cluster in snapshot.eks.clusters if snapshot.eks else ():
        assert known.find(cluster.arn or "")[0].arn == cluster.arn


def test_a_message_names_the_role_that_was_denied(known: Catalogue) -> None:
    assert [(thing.kind, thing.name) for thing in known.find(DENIAL)][1] == ("role", "prod-node")


def test_nothing_is_made_up(known: Catalogue) -> None:
    assert known.find("") == known.find("   ") == ()
    assert known.find("xyzzyq") == ()
    assert known.find("arn:aws:iam::123456789012:role/nobody") == ()
    assert known.find("AmazonEKS_CNI_Policy@v6..v6") == known.find("AmazonEKS_CNI_Policy")[:1]
    assert not is_message("eks cni")
    assert not is_message("AccessDenied")


def test_a_megabyte_is_read_within_a_second_and_the_denial_in_it_is_kept(known: Catalogue) -> None:
    line = "2026-08-26T10:00:00Z level=info msg=reconciled pod=kube-system/aws-node-x\n"
    log = line * 7000 + DENIAL + "\n" + line * 7000
    begun = process_time()
    found = known.find(log)
    assert process_time() - begun < 1
    assert isinstance(found[0].value, Pasted)
    assert DENIAL in found[0].value.text
    assert len(found[0].value.text) < 1000
    for text in ("a" * 1_000_000, "a b " * 250_000, "é\n" * 500_000, "arn:" * 250_000, "{" * 1_000_000):
        begun = process_time()
        (first, *_) = known.find(text)
        assert process_time() - begun < 1
        assert isinstance(first.value, Pasted)
        assert len(first.value.text) <= MESSAGE_PART
