"""Finding policies and reading their documents, straight from the corpus."""

import json
import lzma
from typing import Any

import pytest

from ekstui import files
from ekstui.core.document import parse, serialise
from ekstui.core.notation import parse_sides
from ekstui.core.policy import Policy, PolicyId, VersionInfo
from ekstui.errors import AmbiguousError, InputError, NotFoundError
from ekstui.library import Library
from ekstui.library.catalog import find_policy, is_own, knowledge_of, known_version
from ekstui.library.comparing import compare
from ekstui.sources.corpus import Corpus


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.open()


@pytest.fixture(scope="module")
def raw() -> dict[str, dict[str, Any]]:
    with lzma.open(files.assets() / "corpus.jsonl.xz", "rt", encoding="utf-8") as lines:
        return {policy["name"]: policy for policy in map(json.loads, lines)}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("AmazonEKS_CNI_Policy", "AmazonEKS_CNI_Policy"),
        ("amazoneks_cni_policy", "AmazonEKS_CNI_Policy"),
        ("eks_cni", "AmazonEKS_CNI_Policy"),
        # A part of five other names.
        ("ReadOnlyAccess", "ReadOnlyAccess"),
        ("AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicy"),
        ("arn:aws:iam::aws:policy/AmazonEKSClusterPolicy", "AmazonEKSClusterPolicy"),
        ("arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicy"),
    ],
)
def test_a_policy_is_found_by_name_part_or_arn(library: Library, typed: str, name: str) -> None:
    assert library.find(typed).policy.name == name


def test_every_policy_is_found_by_its_own_name_whatever_its_case(raw: dict[str, Any]) -> None:
    policies = [entry.policy for entry in Library.open().policies("all")]
    assert [policy.name for policy in policies[:50]] == list(raw)[:50]
    for policy in [policies[0], policies[49], policies[700]]:
        assert find_policy(policy.name.upper(), Corpus.bundled()) == policy
        assert find_policy(policy.arn, Corpus.bundled()) == policy


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("AmazonEKSClusterAdminPolicy", "Everything in the cluster."),
        ("KarpenterController-v1", "no AWS managed policy for Karpenter's controller"),
        ("AWSLoadBalancerController-prod", "no AWS managed policy for the AWS Load Balancer Controller"),
    ],
)
def test_what_is_not_an_iam_policy_or_none_at_all_is_explained(library: Library, typed: str, words: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        library.find(typed)
    assert words in str(caught.value)


def test_a_longer_part_of_a_name_is_taken_for_the_policy_that_has_it(library: Library) -> None:
    assert library.find("ROSAKarpenter").policy.name == "ROSAKarpenterControllerPolicy"


def test_an_ambiguous_part_names_the_candidates_in_the_order_of_the_list(library: Library) -> None:
    with pytest.raises(AmbiguousError) as caught:
        library.find("AmazonEBSCSIDriver")
    assert caught.value.candidates == (
        "AmazonEBSCSIDriverPolicy",
        "AmazonEBSCSIDriverPolicyV2",
        "AmazonEBSCSIDriverEKSClusterScopedPolicy",
        "ROSAAmazonEBSCSIDriverOperatorPolicy",
    )


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("AmazonEKSClusterPolciy", "AmazonEKSClusterPolicy"),
        ("AmazonEKSCNIPolicy", "AmazonEKS_CNI_Policy"),
        ("arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicy"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(library: Library, typed: str, nearest: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        library.find(typed)
    assert caught.value.nearest[0] == nearest


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:iam::123456789012:policy/mine", "account 123456789012"),
        ("arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy", "partition aws-cn"),
        ("arn:aws:s3:::bucket", "not the ARN of an IAM policy"),
        ("arn:", "not the ARN of an IAM policy"),
    ],
)
def test_an_arn_of_something_else_says_what_it_is(library: Library, arn: str, said: str) -> None:
    with pytest.raises(NotFoundError, match=said):
        library.find(arn)


def test_documents_are_what_the_corpus_has(library: Library, raw: dict[str, Any]) -> None:
    for name in ("AmazonEKS_CNI_Policy", "AmazonEKSServiceRolePolicy"):
        policy = library.find(name).policy
        for version in raw[name]["versions"]:
            number = int(version["version"][1:])
            assert library.document_json(policy, number) == version["document"]
            assert library.document(policy, number) == parse(version["document"])
        assert library.document_json(policy) == library.document_json(policy, policy.default_version)


@pytest.mark.parametrize(
    ("version", "said"),
    [(12, "No copy of AmazonEKSServiceRolePolicy v12 is known"), (99, "has no v99"), (0, "has no v0")],
)
def test_a_version_that_is_not_known_is_named(library: Library, version: int, said: str) -> None:
    with pytest.raises(NotFoundError, match=said) as caught:
        library.document(library.find("AmazonEKSServiceRolePolicy").policy, version)
    assert "v17" in caught.value.next_step


def test_the_scope_eks_is_the_family(library: Library) -> None:
    family = library.policies("eks")
    everything = library.policies("all")
    assert len(family) == 50
    assert everything[:50] == family
    assert {entry.scope for entry in family} == {"eks"}
    assert {entry.scope for entry in everything[50:]} == {"aws"}


def test_versions_are_compared_with_each_other_with_files_and_with_standard_input(
    library: Library, tmp_path: Any
) -> None:
    document = library.document(library.find("AmazonEKS_CNI_Policy").policy, 6)
    wrapped = {"PolicyVersion": {"VersionId": "v6", "Document": serialise(document)}}
    (tmp_path / "copy.json").write_text(json.dumps(wrapped))
    before, after = parse_sides(["eks_cni@v5", str(tmp_path / "copy.json")])
    comparison = compare(library, before, after)
    assert [found.actions for found in comparison.change.added] == [("ec2:DescribeSecurityGroups",)]
    assert (comparison.before.label, comparison.before.version) == ("AmazonEKS_CNI_Policy@v5", 5)
    assert comparison.after.policy is None
    assert compare(library, *parse_sides(["-", "eks_cni"]), standard_input=json.dumps(wrapped)).change.kind == "none"
    with pytest.raises(InputError, match="standard input: not JSON"):
        compare(library, *parse_sides(["-", "eks_cni"]), standard_input="{")
    with pytest.raises(InputError, match=r"absent\.json cannot be read"):
        compare(library, *parse_sides(["absent.json", "eks_cni"]))


def test_the_timeline_names_the_versions_that_are_not_known(library: Library) -> None:
    steps = library.timeline(library.find("AmazonEKSServiceRolePolicy").policy)
    assert len(steps) == 17
    assert steps[-1].default
    assert {step.version: step.missing_before for step in steps}[17] == (12, 13, 14, 15, 16)


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_the_arn_of_an_access_policy_is_answered_like_its_name(library: Library, partition: str) -> None:
    # EKS User Guide, "Review access policy permissions".
    prefix = f"arn:{partition}:eks::aws:cluster-access-policy/"
    with pytest.raises(NotFoundError) as by_name:
        library.find("AmazonEKSAdminPolicy")
    with pytest.raises(NotFoundError) as by_arn:
        library.find(f"{prefix}AmazonEKSAdminPolicy")
    assert (by_arn.value.message, by_arn.value.next_step) == (by_name.value.message, by_name.value.next_step)
    # This name is one of the four that are both; the ARN says which is meant.
    with pytest.raises(NotFoundError, match="not the IAM policy of the same name") as both:
        library.find(f"{prefix}AmazonEKSLoadBalancingPolicy")
    assert both.value.nearest == ("AmazonEKSLoadBalancingPolicy",)
    assert library.find("AmazonEKSLoadBalancingPolicy").policy.arn.startswith("arn:aws:iam::aws:policy/")
    with pytest.raises(NotFoundError) as unknown:
        library.find(f"{prefix}AmazonEKSAdmnPolicy")
    assert "AmazonEKSAdminPolicy" in unknown.value.nearest


def test_a_name_is_not_an_identity(library: Library) -> None:
    aws = library.find("AmazonEKS_CNI_Policy").policy
    own = aws._replace(arn="arn:aws:iam::111122223333:policy/AmazonEKS_CNI_Policy")
    assert aws.id == PolicyId("aws-managed", aws.arn)
    assert own.id == PolicyId("customer", own.arn)
    assert knowledge_of(aws) is not None
    assert knowledge_of(own) is None


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Karpenter", "karpenter"),
        ("AWSLoadBalancerControllerIAMPolicy", "aws-load-balancer-controller"),
        ("load-balancer-contr", "aws-load-balancer-controller"),
        ("vpc-cni/IPv6", "vpc-cni/ipv6"),
        ("KarpenterControllerZonalShift", "karpenter"),
        ("AmazonEKS_CNI", "AmazonEKS_CNI_Policy"),
    ],
)
def test_what_a_controller_publishes_is_found_where_no_policy_of_aws_is(
    library: Library, typed: str, name: str
) -> None:
    assert library.find(typed).policy.name == name


@pytest.mark.parametrize(
    ("numbers", "asked", "says", "known"),
    [
        ((1, 2, 3, 4, 7), 5, "No copy of A v5 is known.", "Known are v1 to v4, v7."),
        ((1, 2, 3, 4, 7), 8, "A has no v8.", "Known are v1 to v4, v7."),
        ((3,), 0, "A has no v0.", "Known are v3."),
        ((3,), 1, "No copy of A v1 is known.", "Known are v3."),
        ((1, 3, 4), -1, "A has no v-1.", "Known are v1, v3 to v4."),
        ((1, 3, 4), 2, "No copy of A v2 is known.", "Known are v1, v3 to v4."),
    ],
)
def test_a_version_that_is_not_known(numbers: tuple[int, ...], asked: int, says: str, known: str) -> None:
    versions = tuple(VersionInfo(number, None) for number in numbers)
    policy = Policy("A", "arn:aws:iam::aws:policy/A", numbers[-1], versions)
    assert known_version(policy, None) == numbers[-1]
    assert [known_version(policy, number) for number in numbers] == list(numbers)
    with pytest.raises(NotFoundError) as found:
        known_version(policy, asked)
    assert (found.value.message, found.value.next_step) == (says, known)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("arn:aws:iam::111122223333:policy/team/a", True),
        ("arn:aws:iam::aws:policy/a", False),
        ("arn:aws:iam::111122223333:role/a", False),
        ("arn:aws:iam::111122223333", False),
        ("urn:aws:iam::111122223333:policy/a", False),
        ("a", False),
    ],
)
def test_an_arn_of_an_accounts_own_policy(text: str, own: bool) -> None:
    assert is_own(text) is own
