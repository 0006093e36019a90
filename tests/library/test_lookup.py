"""What is found by what somebody types or pastes, over the bundled policies, the notes and the account of the demo."""

from collections.abc import Iterable
from time import process_time
from typing import Any

import pytest

from ekstui.eks.knowledge import Symptom
from ekstui.eks.pods import PodPlace
from ekstui.iam.text import counted
from ekstui.library import AccountChoice, Library
from ekstui.library.catalog import knowledge
from ekstui.library.find_anything import all_actions, catalogue
from ekstui.library.lookup import (
    MESSAGE_PART,
    Catalogue,
    PastedMessage,
    PolicyVersion,
    Sides,
    Thing,
    denial_part,
    is_message,
)
from ekstui.library.notation import RoleSide
from tests.support.bundled import CNI, newest
from tests.support.effort import sample
from tests.support.patience import PROCESSOR

NEWEST = newest(CNI)

DENIAL = (
    "An error occurred (AccessDenied) when calling the CreateTags operation: User: "
    "arn:aws:sts::123456789012:assumed-role/prod-node/i-0abc is not authorized to perform: ec2:CreateTags on resource: "
    "arn:aws:ec2:eu-west-1:123456789012:network-interface/* because no identity-based policy allows the ec2:CreateTags action"
)
IPAM = 'aws-node hangs at "Checking for IPAM connectivity" after an upgrade of the VPC CNI'
EVENT = '{"eventSource": "ec2.amazonaws.com", "eventName": "CreateTags", "errorCode": "Client.UnauthorizedOperation"}'


@pytest.fixture(scope="module")
def demo_catalogue() -> Catalogue:
    library = Library.open(AccountChoice(demo=True))
    snapshot = library.account.last_snapshot_or_error()
    commands = [Thing("command", "clusters", "Choose a cluster.", eks=True), Thing("command", "compare", eks=True)]
    return catalogue(library, snapshot, commands, uses=library.account.uses(snapshot), actions=all_actions())


@pytest.mark.parametrize(
    ("text", "kind", "name"),
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
        ("cni@", "version", f"AmazonEKS_CNI_Policy@v{NEWEST}"),
        ("cni v5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("AmazonEKSServiceRolePolicy@v2", "version", "AmazonEKSServiceRolePolicy@v2"),
        ("cni@v99", "policy", "AmazonEKS_CNI_Policy"),
        ("cni@v5..v6", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("cni@5..", "comparison", f"AmazonEKS_CNI_Policy@v5..v{NEWEST}"),
        ("cni@..6", "comparison", "AmazonEKS_CNI_Policy@v5..v6"),
        ("diff cni@v1..v6", "comparison", "AmazonEKS_CNI_Policy@v1..v6"),
        ("COMPARE cni@v1..v6", "comparison", "AmazonEKS_CNI_Policy@v1..v6"),
        ("diff cni", "comparison", f"AmazonEKS_CNI_Policy@v{NEWEST - 1}..v{NEWEST}"),
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
        # v1.8 has the document of v1.7.0, and is called as it was asked for.
        ("karpenter@1.8..1.9", "comparison", "karpenter@v1.8.0..v1.9.0"),
        ("karpenter@v1.8.0..v1.9.1", "comparison", "karpenter@v1.8.0..v1.9.1"),
        ("karpenter@v1.8", "version", "karpenter@v1.8.0"),
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
        # What people call things, alone and with versions.
        ("lbc", "component", "aws-load-balancer-controller"),
        ("ALB", "component", "aws-load-balancer-controller"),
        ("ccm", "policy", "AmazonEKSClusterPolicy"),
        ("csi", "policy", "AmazonEBSCSIDriverPolicyV2"),
        ("cas", "component", "cluster-autoscaler"),
        ("irsa", "symptom", "STS knows no OIDC provider for the token's issuer"),
        ("lbc@v2.7..v2.10", "comparison", "aws-load-balancer-controller@v2.7.0..v2.10.0"),
        ("sg for pods", "symptom", "Security groups for pods: no branch interfaces appear"),
        # Commands as the shell has them.
        ("role prod-node", "role", "prod-node"),
        ("cluster prod", "cluster", "prod"),
        ("who-can ec2:CreateTags", "action", "ec2:CreateTags"),
        ("show cni@v5", "version", "AmazonEKS_CNI_Policy@v5"),
        ("kubectl exec", "action", "k8s:create:pods/exec"),
        # An action is before the symptoms that mention it.
        ("DescribeInstances", "action", "ec2:DescribeInstances"),
        ("ec2:describeinst", "action", "ec2:DescribeInstances"),
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
def test_what_is_meant_comes_first(demo_catalogue: Catalogue, text: str, kind: str, name: str) -> None:
    things = demo_catalogue.find(text)
    assert things
    assert (things[0].kind, things[0].name) == (kind, name)


def test_a_version_alone_is_one_of_the_policy_that_is_shown(demo_catalogue: Catalogue) -> None:
    current = Library.open(AccountChoice(demo=True)).find("AmazonEKS_CNI_Policy").policy.default_version
    for text, last_version in (("v5..v6", 6), ("5..6", 6), ("@v5..", current)):
        assert (
            demo_catalogue.find(text, current_policy="AmazonEKS_CNI_Policy")[0].name
            == f"AmazonEKS_CNI_Policy@v5..v{last_version}"
        )
    assert demo_catalogue.find("v5", current_policy="AmazonEKS_CNI_Policy")[0].name == "AmazonEKS_CNI_Policy@v5"


def test_every_alias_means_something(demo_catalogue: Catalogue) -> None:
    assert {text for text in knowledge().aliases if not list(demo_catalogue.things_meant(text))} == set()
    for text, names in knowledge().aliases.items():
        assert len(list(demo_catalogue.things_meant(text))) >= len(names), text


def test_everything_is_found_by_its_name_and_its_arn(demo_catalogue: Catalogue) -> None:
    library = Library.open(AccountChoice(demo=True))
    snapshot = library.account.last_snapshot_or_error()
    for policy in (entry.policy for entry in sample(library.policies("all"), 25)):
        assert demo_catalogue.find(policy.name)[0].name == policy.name
        assert demo_catalogue.find(policy.arn)[0].arn == policy.arn
    for role in snapshot.roles:
        assert demo_catalogue.find(role.arn or "")[0].value == RoleSide(role.arn or "")
    for cluster in snapshot.eks.clusters if snapshot.eks else ():
        assert demo_catalogue.find(cluster.arn or "")[0].arn == cluster.arn
        pods = [pod for pod in cluster.pods or () if not pod.is_over]
        for pod in pods:
            # Several clusters may have pods and service accounts of one name.
            name, account = f"{pod.namespace}/{pod.name}", f"{pod.namespace}/sa/{pod.service_account}"
            about = {thing.value: thing.about for text in (name, account) for thing in demo_catalogue.find(text)}
            assert about[PodPlace(cluster.name, name)] == f"of {cluster.name}"
            pods_of_account = [
                candidate
                for candidate in pods
                if (candidate.namespace, candidate.service_account) == (pod.namespace, pod.service_account)
            ]
            assert about[PodPlace(cluster.name, account)] == f"{counted(len(pods_of_account), 'pod')} of {cluster.name}"


@pytest.mark.parametrize(
    ("text", "about"),
    [
        # Karpenter's v1.8.0 publishes what v1.7.0 does.
        ("karpenter@v1.7.0", "Karpenter"),
        ("karpenter@v1.8.0", "unchanged since v1.7.0"),
    ],
)
def test_a_release_without_changes_is_found_with_the_one_that_has_the_last(
    demo_catalogue: Catalogue, text: str, about: str
) -> None:
    assert demo_catalogue.find(text)[0].about == about


def test_a_message_names_the_role_that_was_denied(demo_catalogue: Catalogue) -> None:
    assert [(thing.kind, thing.name) for thing in demo_catalogue.find(DENIAL)][1] == ("role", "prod-node")


def test_nothing_is_made_up(demo_catalogue: Catalogue) -> None:
    assert demo_catalogue.find("") == demo_catalogue.find("   ") == ()
    assert demo_catalogue.find("xyzzyq") == ()
    assert demo_catalogue.find("arn:aws:iam::123456789012:role/nobody") == ()
    assert demo_catalogue.find("AmazonEKS_CNI_Policy@v6..v6") == demo_catalogue.find("AmazonEKS_CNI_Policy")[:1]
    assert not is_message("eks cni")
    assert not is_message("AccessDenied")


def test_a_megabyte_takes_bounded_time_and_the_denial_in_it_is_kept(demo_catalogue: Catalogue) -> None:
    line = "2026-08-26T10:00:00Z level=info msg=reconciled pod=kube-system/aws-node-x\n"
    log = line * 7000 + DENIAL + "\n" + line * 7000
    started_at = process_time()
    things = demo_catalogue.find(log)
    assert process_time() - started_at < PROCESSOR
    assert isinstance(things[0].value, PastedMessage)
    assert DENIAL in things[0].value.text
    assert len(things[0].value.text) < 1000
    for text in ("a" * 1_000_000, "a b " * 250_000, "é\n" * 500_000, "arn:" * 250_000, "{" * 1_000_000):
        started_at = process_time()
        (first, *_) = demo_catalogue.find(text)
        assert process_time() - started_at < PROCESSOR
        assert isinstance(first.value, PastedMessage)
        assert len(first.value.text) <= MESSAGE_PART


# The rules of a catalogue, over things that are as few as a rule needs

FOUND = [
    Thing("policy", "Alpha", arn="arn:aws:iam::aws:policy/Alpha", versions=("v1", "v2", "v10")),
    Thing("policy", "Beta", arn="arn:aws:iam::aws:policy/Beta", versions=("v1",)),
    Thing("component", "gamma", versions=("v1.0.0", "v1.2.0"), releases=(("v1.0.0", 0), ("v1.1.0", 0), ("v1.2.0", 1))),
    Thing("role", "delta", arn="arn:aws:iam::111122223333:role/eks/delta", value="delta"),
    Thing("cluster", "omega", arn="arn:aws:eks:eu-west-1:111122223333:cluster/omega"),
    Thing("access policy", "View", arn="arn:aws:eks::aws:cluster-access-policy/View"),
    Thing("access policy", "Edit", arn="arn:aws:eks::aws:cluster-access-policy/Edit"),
]
OF_EC2 = ("ec2:CreateTags", "ec2:CreateVolume", "s3:CreateBucket", "eks:CreateCluster")


def few(*things: Thing, **options: Any) -> Catalogue:
    return Catalogue(things or FOUND, **options)


def names(things: Iterable[Thing]) -> list[str]:
    return [thing.name for thing in things]


@pytest.mark.parametrize(
    ("text", "expected_names"),
    [
        ("Alpha@", ["Alpha@v10", "Alpha@v2", "Alpha@v1"]),
        # The version that is written whole, then those that begin so, newest first.
        ("Alpha@v1", ["Alpha@v1", "Alpha@v10"]),
        ("Alpha@1", ["Alpha@v1", "Alpha@v10"]),
        ("Alpha@v10", ["Alpha@v10"]),
        ("Alpha v2", ["Alpha@v2"]),
        ("Alpha@v7", ["Alpha"]),
        # A release has the document of the one before it.
        ("gamma@v1.1.0", ["gamma@v1.1.0"]),
        ("gamma@v1.2", ["gamma@v1.2.0"]),
        ("delta@v1", []),
        ("diff Alpha", ["Alpha@v2..v10"]),
        ("diff Alpha@v2", ["Alpha@v1..v2"]),
        # Before the first version there is none, and of one version nothing to compare.
        ("diff Alpha@v1..v2", ["Alpha@v1..v2"]),
        ("diff Beta", []),
        ("diff delta", []),
        ("diff Alpha Beta", ["Alpha with Beta"]),
        ("diff Alpha Alpha", []),
        ("diff role:delta Beta", ["role:delta with Beta"]),
        ("diff role:Alpha Beta", []),
        ("diff access:View access:Edit", ["access:View with access:Edit"]),
        ("diff View Edit", ["access:View with access:Edit"]),
        ("diff View Beta", []),
        ("diff ./mine.json Beta", ["./mine.json with Beta"]),
        ("diff mine.json Beta", ["mine.json with Beta"]),
        ("diff nothing Beta", []),
        ("diff Beta nothing", []),
        ("diff Beta ./other.json", ["Beta with ./other.json"]),
        ("diff ./a.json ./b.json", ["./a.json with ./b.json"]),
        ("arn:aws:iam::aws:policy/Alpha@v2", ["Alpha@v2"]),
        ("arn:aws:iam::aws:policy/Alpha@v1", ["Alpha@v1", "Alpha@v10"]),
        ("arn:aws:iam::aws:policy/", ["Alpha", "Beta"]),
        ("arn:aws-cn:iam::aws:policy/service-role/Alpha", ["Alpha"]),
        ("arn:aws:sts::111122223333:assumed-role/delta/s", ["delta"]),
        ("arn:aws:sts::111122223333:assumed-role/delta", ["delta"]),
        ("arn:aws:sts::111122223333:assumed-role/delta@v1", []),
        ("arn:aws:eks:eu-west-1:111122223333:addon/omega/vpc-cni/1", ["omega"]),
        ("arn:aws:eks:eu-west-1:111122223333:cluster/omega", ["omega"]),
        ("arn:aws:iam::aws:policy/nothing", []),
    ],
)  # fmt: skip
def test_what_a_text_finds(text: str, expected_names: list[str]) -> None:
    assert names(few().find(text)) == expected_names


def test_what_was_found_comes_back_as_it_is_to_be_used() -> None:
    (thing,) = few().find("gamma@v1.1.0")
    assert thing.value == PolicyVersion(FOUND[2], 0)
    (thing,) = few().find("diff Beta ./other.json")
    assert thing.value == Sides("Beta", "./other.json")
    (thing,) = few().find("diff role:delta Beta")
    assert thing.value == Sides("role:delta", "Beta")


def test_actions_are_found_by_their_beginning_and_then_by_a_part_first_those_that_eks_uses() -> None:
    def actions(text: str) -> list[str]:
        tags = {"ec2": {"createtags": "ec2:CreateTags", "deletetags": "ec2:DeleteTags"}}
        return names(few(actions=OF_EC2, services=("ec2",), names=lambda service: tags.get(service, {})).find(text))

    assert actions("create") == ["eks:CreateCluster", "ec2:CreateTags", "ec2:CreateVolume", "s3:CreateBucket"]
    assert actions("volume") == ["ec2:CreateVolume"]
    assert actions("ec2create") == ["ec2:CreateTags", "ec2:CreateVolume"]
    # With a service, all of its actions are known, and no others.
    assert actions("ec2:") == ["ec2:CreateTags", "ec2:DeleteTags"]
    assert actions("ec2:tags") == [] == actions("s3:create")
    assert actions("ec2:CREATETAGS") == ["ec2:CreateTags"]
    assert actions("ec2:Create*") == ["ec2:Create*"]
    assert actions("create volume") == []


def test_the_nearest_actions_are_of_the_services_that_eks_uses() -> None:
    catalogue = few(
        actions=("ec2:CreateTags", "rds:CreateTags", "s3:CreateTagz", "ec2:DeleteVpc"), services=("ec2", "s3")
    )
    assert set(names(catalogue.nearest("createtag"))) == {"ec2:CreateTags", "s3:CreateTagz"}
    assert catalogue.nearest("xyzzy") == ()
    assert names(catalogue.nearest("ec2:CreateTagz"))[0] == "ec2:CreateTags"
    assert catalogue.nearest("ec2: CreateTags") == ()


def test_things_can_be_added_and_most_are_left_out() -> None:
    before = few()
    after = before.with_things([Thing("command", "Alphabet")])
    assert (names(before.find("alphabet")), names(after.find("alphabet"))) == ([], ["Alphabet"])
    large_catalogue = few(*(Thing("policy", f"P{number}") for number in range(300)))
    assert (len(large_catalogue.find("p")), len(large_catalogue.find("p", 3))) == (200, 3)
    # What two ways lead to is returned once.
    assert names(few(FOUND[0], FOUND[0]).find("alpha")) == ["Alpha"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("a" * 300, False),
        ("a" * 301, True),
        ("one\ntwo", True),
        ("one\n", False),
        ("{", True),
        ("not authorized", True),
        ("Unauthorised: not authorised to", True),
        ("AccessDenied", False),
        ("alpha access denied", True),
        ("forbidden: User", True),
        ("alpha forbidden", False),
    ],
)
def test_a_message_is_told_from_a_name(text: str, is_one: bool) -> None:
    assert is_message(text) is is_one


def test_of_a_long_log_the_lines_about_a_denial_are_kept_with_two_around_them() -> None:
    filler = "x" * 999
    lines = [f"{number}{filler}" for number in range(100)]
    denial_lines = {10: "AccessDenied", 12: "not authorized", 60: "explicit deny", 99: "UnauthorizedOperation"}
    log = [denial_lines.get(number, line) for number, line in enumerate(lines)]
    kept_numbers = [*range(8, 15), *range(58, 63), 97, 98, 99]
    assert denial_part("\n".join(log)) == "\n".join(log[number] for number in kept_numbers)
    assert denial_part("AccessDenied\n" + "\n".join(lines)) == "\n".join(["AccessDenied", *lines[:2]])
    # A short one is kept whole, and of a long one without any its beginning.
    short = "\n".join(log[:45])
    assert len(short) <= 50_000
    assert denial_part(short) == short
    assert denial_part("y" * (50_000 + 1)) == "y" * 50_000
    # A long line before it does not push a denial out.
    padded_log = "x" * 60_000 + "\n" + denial_lines[10]
    assert denial_part(padded_log).endswith(denial_lines[10])
    # Once there is enough, no more is read.
    long_log = "\n".join(f"AccessDenied {number}{filler}" for number in range(200))
    part = denial_part(long_log)
    assert part.startswith("AccessDenied 0")
    assert 50_000 <= len(part) < 50_000 + 6 * 1100


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("not authorized to do it", "23 characters"),
        ("not authorized\nat all", "2 lines"),
        ("z" * 1500, "1,500 characters"),
    ],
)
def test_a_message_is_described_by_its_length(text: str, about: str) -> None:
    (thing,) = few().find(text)
    assert (thing.kind, thing.about) == ("denial", about)


def test_a_symptom_is_found_by_all_its_words_or_a_rare_one() -> None:
    def symptom(name: str) -> Symptom:
        return Symptom(name, "after upgrade", (), (), "guide", messages=(name,))

    texts = ["pods pending", "nodes pending", "volumes pending", "webhooks pending", "unhealthy targets"]
    catalogue = few(Thing("policy", "Alpha"), symptoms=[symptom(text) for text in texts])
    assert names(catalogue.find("pods pending")) == ["pods pending"]
    assert names(catalogue.find("the pods are pending")) == ["pods pending"]
    assert set(names(catalogue.find("upgrades"))) == set(texts)
    # One word that few have is enough for half of the words; one that all have is not.
    assert names(catalogue.find("unhealthy nonsense")) == ["unhealthy targets"]
    assert names(catalogue.find("pending nonsense")) == []
    assert names(catalogue.find("unhealthy nonsense twice")) == []
    # In a log, its message is found, before the log where that names no denial and after it otherwise.
    assert names(catalogue.find("a\nunhealthy targets")) == ["unhealthy targets", "Explain this message"]
    assert names(catalogue.find("AccessDenied\nunhealthy targets")) == ["Explain this message", "unhealthy targets"]
    # A few words are typed rather than pasted: the symptom that they describe goes before the message that they may be.
    denial_catalogue = few(symptoms=[symptom("targets with access denied")])
    for length, first in ((80, "targets with access denied"), (81, "Explain this message")):
        assert names(denial_catalogue.find("targets" + " " * (length - 20) + "access denied"))[0] == first
    # A role in it is found, but nothing that is not known.
    roles = few(*FOUND).find(
        "x is not authorized: arn:aws:sts::111122223333:assumed-role/delta/s arn:aws:iam::111122223333:role/no"
    )
    assert names(roles) == ["Explain this message", "delta"]
