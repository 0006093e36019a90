"""Finding policies and reading their documents, straight from the corpus."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ekstui.change.policy import Policy, PolicyHistory, PolicyId, VersionInfo, version_label
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.errors import AmbiguousError, InputError, NotFoundError
from ekstui.iam.document import parse, serialise
from ekstui.library import AccountChoice, Library
from ekstui.library.access_policies import (
    access_difference,
    access_policies,
    access_policy_entries,
    access_policy_entry,
    access_steps,
    find_access_policy,
    means_access_policy,
)
from ekstui.library.catalog import (
    default_versions,
    find_policy,
    find_shipped,
    is_own,
    knowledge,
    knowledge_of,
    known_version,
    own_policy_side,
    version_at,
)
from ekstui.library.comparing import compare
from ekstui.library.notation import parse_policy, parse_sides
from ekstui.library.own_account import Account
from ekstui.sources.corpus import Corpus
from ekstui.sources.shipped import published_until, shipped_in
from ekstui.store.accounts import store
from ekstui.store.policy_store import DeliveryInfo, PolicyStore, pack
from tests.store.policies import fill_from_the_corpus, provenance
from tests.support.accounts import snapshot
from tests.support.bundled import CNI, FAMILY, newest
from tests.support.corpus import raw_policies


@pytest.mark.parametrize(
    ("text", "name"),
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
def test_a_policy_is_found_by_name_part_or_arn(library: Library, text: str, name: str) -> None:
    assert library.find(text).policy.name == name


def test_every_policy_is_found_by_its_own_name_whatever_its_case() -> None:
    policies = [entry.policy for entry in Library.open().policies("all")]
    assert [policy.name for policy in policies[:50]] == list(raw_policies())[:50]
    for policy in [policies[0], policies[49], policies[700]]:
        assert find_policy(policy.name.upper(), Corpus.bundled()) == policy
        assert find_policy(policy.arn, Corpus.bundled()) == policy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("AmazonEKSClusterAdminPolicy", "Everything in the cluster."),
        ("KarpenterController-v1", "no AWS managed policy for Karpenter's controller"),
        ("AWSLoadBalancerController-prod", "no AWS managed policy for the AWS Load Balancer Controller"),
    ],
)
def test_what_is_not_an_iam_policy_or_none_at_all_is_explained(library: Library, text: str, words: str) -> None:
    with pytest.raises(NotFoundError) as error:
        library.find(text)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["v6", "V6", "6", "v1.23.0", "v1.2.3-rc1"])
def test_a_version_is_never_a_part_of_a_name(library: Library, text: str) -> None:
    """`vpc-cni/ipv6` and the nine policies that end in V6 are not what it means."""
    with pytest.raises(InputError, match="is a version, not a policy"):
        library.find(text)


def test_a_longer_part_of_a_name_is_taken_for_the_policy_that_has_it(library: Library) -> None:
    assert library.find("ROSAKarpenter").policy.name == "ROSAKarpenterControllerPolicy"


def test_an_ambiguous_part_names_the_candidates_in_the_order_of_the_list(library: Library) -> None:
    with pytest.raises(AmbiguousError) as error:
        library.find("AmazonEBSCSIDriver")
    assert error.value.candidates == (
        "AmazonEBSCSIDriverPolicy",
        "AmazonEBSCSIDriverPolicyV2",
        "AmazonEBSCSIDriverEKSClusterScopedPolicy",
        "ROSAAmazonEBSCSIDriverOperatorPolicy",
    )


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("AmazonEKSClusterPolciy", "AmazonEKSClusterPolicy"),
        ("AmazonEKSCNIPolicy", "AmazonEKS_CNI_Policy"),
        ("arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicy", "AmazonEBSCSIDriverPolicy"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(library: Library, text: str, nearest: str) -> None:
    with pytest.raises(NotFoundError) as error:
        library.find(text)
    assert error.value.nearest[0] == nearest


@pytest.mark.parametrize(
    ("arn", "phrase"),
    [
        ("arn:aws:iam::123456789012:policy/mine", "account 123456789012"),
        ("arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy", "partition aws-cn"),
        ("arn:aws:s3:::bucket", "not the ARN of an IAM policy"),
        ("arn:", "not the ARN of an IAM policy"),
    ],
)
def test_an_arn_of_something_else_says_what_it_is(library: Library, arn: str, phrase: str) -> None:
    with pytest.raises(NotFoundError, match=phrase):
        library.find(arn)


def test_documents_are_what_the_corpus_has(library: Library) -> None:
    for name in ("AmazonEKS_CNI_Policy", "AmazonEKSServiceRolePolicy"):
        policy = library.find(name).policy
        for version in raw_policies()[name]["versions"]:
            number = int(version["version"][1:])
            assert library.document_json(policy, number) == version["document"]
            assert library.document(policy, number) == parse(version["document"])
        assert library.document_json(policy) == library.document_json(policy, policy.default_version)


@pytest.mark.parametrize(
    ("version", "phrase"),
    [(12, "No copy of AmazonEKSServiceRolePolicy v12 is known"), (99, "has no v99"), (0, "has no v0")],
)
def test_a_version_that_is_not_known_is_named(library: Library, version: int, phrase: str) -> None:
    with pytest.raises(NotFoundError, match=phrase) as error:
        library.document(library.find("AmazonEKSServiceRolePolicy").policy, version)
    assert "v17" in error.value.next_step


def test_the_scope_eks_is_the_family(library: Library) -> None:
    family = library.policies("eks")
    everything = library.policies("all")
    assert len(family) == FAMILY
    assert everything[:FAMILY] == family
    assert {entry.scope for entry in family} == {"eks"}
    assert {entry.scope for entry in everything[FAMILY:]} == {"aws"}


def test_versions_are_compared_with_each_other_with_files_and_with_standard_input(
    library: Library, tmp_path: Any
) -> None:
    document = library.document(library.find("AmazonEKS_CNI_Policy").policy, 6)
    response = {"PolicyVersion": {"VersionId": "v6", "Document": serialise(document)}}
    (tmp_path / "copy.json").write_text(json.dumps(response))
    before, after = parse_sides(["eks_cni@v5", str(tmp_path / "copy.json")])
    comparison = compare(library, before, after)
    assert [difference.actions for difference in comparison.change.added] == [("ec2:DescribeSecurityGroups",)]
    assert (comparison.before.label, comparison.before.version) == ("AmazonEKS_CNI_Policy@v5", 5)
    assert comparison.after.policy is None
    assert (
        compare(library, *parse_sides(["-", "eks_cni@v6"]), standard_input=json.dumps(response)).change.kind == "none"
    )
    with pytest.raises(InputError, match="standard input: not JSON"):
        compare(library, *parse_sides(["-", "eks_cni"]), standard_input="{")
    with pytest.raises(InputError, match=r"absent\.json cannot be read"):
        compare(library, *parse_sides(["absent.json", "eks_cni"]))


def test_the_timeline_names_the_versions_that_are_not_known(library: Library) -> None:
    policy = library.find("AmazonEKSServiceRolePolicy").policy
    steps = library.timeline(policy)
    assert [step.version for step in steps] == [version.number for version in policy.versions]
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
    with pytest.raises(NotFoundError, match="not the IAM policy of the same name") as error:
        library.find(f"{prefix}AmazonEKSLoadBalancingPolicy")
    assert error.value.nearest == ("AmazonEKSLoadBalancingPolicy",)
    assert library.find("AmazonEKSLoadBalancingPolicy").policy.arn.startswith("arn:aws:iam::aws:policy/")
    with pytest.raises(NotFoundError) as unknown:
        library.find(f"{prefix}AmazonEKSAdmnPolicy")
    assert "AmazonEKSAdminPolicy" in unknown.value.nearest


def test_a_name_is_not_an_identity(library: Library) -> None:
    aws = library.find("AmazonEKS_CNI_Policy").policy
    own_policy = aws._replace(arn="arn:aws:iam::111122223333:policy/AmazonEKS_CNI_Policy")
    assert aws.id == PolicyId("aws-managed", aws.arn)
    assert own_policy.id == PolicyId("customer", own_policy.arn)
    assert knowledge_of(aws) is not None
    assert knowledge_of(own_policy) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Karpenter", "karpenter"),
        ("AWSLoadBalancerControllerIAMPolicy", "aws-load-balancer-controller"),
        ("load-balancer-contr", "aws-load-balancer-controller"),
        ("vpc-cni/IPv6", "vpc-cni/ipv6"),
        ("KarpenterControllerZonalShift", "karpenter"),
        ("AmazonEKS_CNI", "AmazonEKS_CNI_Policy"),
    ],
)
def test_what_a_controller_publishes_is_found_where_no_policy_of_aws_is(library: Library, text: str, name: str) -> None:
    assert library.find(text).policy.name == name


@pytest.mark.parametrize(
    ("numbers", "version", "says", "next_step"),
    [
        ((1, 2, 3, 4, 7), 5, "No copy of A v5 is known.", "Known are v1 to v4, v7."),
        ((1, 2, 3, 4, 7), 8, "A has no v8.", "Known are v1 to v4, v7."),
        ((3,), 0, "A has no v0.", "Known are v3."),
        ((3,), 1, "No copy of A v1 is known.", "Known are v3."),
        ((1, 3, 4), -1, "A has no v-1.", "Known are v1, v3 to v4."),
        ((1, 3, 4), 2, "No copy of A v2 is known.", "Known are v1, v3 to v4."),
    ],
)
def test_a_version_that_is_not_known(numbers: tuple[int, ...], version: int, says: str, next_step: str) -> None:
    versions = tuple(VersionInfo(number, None) for number in numbers)
    policy = Policy("A", "arn:aws:iam::aws:policy/A", numbers[-1], versions)
    assert known_version(policy, None) == numbers[-1]
    assert [known_version(policy, number) for number in numbers] == list(numbers)
    with pytest.raises(NotFoundError) as error:
        known_version(policy, version)
    assert (error.value.message, error.value.next_step) == (says, next_step)


@pytest.mark.parametrize(
    ("text", "is_own_policy"),
    [
        ("arn:aws:iam::111122223333:policy/team/a", True),
        ("arn:aws:iam::aws:policy/a", False),
        ("arn:aws:iam::111122223333:role/a", False),
        ("arn:aws:iam::111122223333", False),
        ("urn:aws:iam::111122223333:policy/a", False),
        ("a", False),
    ],
)
def test_an_arn_of_an_accounts_own_policy(text: str, is_own_policy: bool) -> None:
    assert is_own(text) is is_own_policy


class Names:
    """A reader of policies that have no documents."""

    def __init__(self, *policies: Policy) -> None:
        self.by_name = {policy.name: policy for policy in policies}

    def names(self) -> list[str]:
        return list(self.by_name)

    def policy(self, name: str) -> Policy:
        return self.by_name[name]

    def text(self, name: str, version: int) -> bytes:
        return json.dumps({"Statement": {"Effect": "Allow", "Action": f"s3:{name}{version}", "Resource": "*"}}).encode()


def named(name: str, path: str = "", partition: str = "aws") -> Policy:
    return Policy(name, f"arn:{partition}:iam::aws:policy/{path}{name}", 1, (VersionInfo(1, None),))


def test_twenty_candidates_are_named_and_the_others_counted() -> None:
    for count, ending in ((20, "Policy20."), (21, "Policy20 and 1 more."), (25, "Policy20 and 5 more.")):
        reader = Names(*(named(f"Policy{number}") for number in range(1, count + 1)))
        with pytest.raises(AmbiguousError) as error:
            find_policy("policy", reader)  # type: ignore[arg-type]
        assert str(error.value).endswith(ending)
        assert len(error.value.candidates) == count


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Alpha", "Alpha"),
        ("alph", "Alpha"),
        # The one that has the whole name, wherever it is listed.
        ("Alp", "Alp"),
        ("Beta", "ALPBeta"),
        # A part begins where a word of the name does.
        ("gamma", "Gamma"),
        ("arn:aws:iam::aws:policy/service-role/Gamma", "Gamma"),
    ],
)
def test_a_whole_name_goes_before_a_part_of_one(text: str, name: str) -> None:
    reader = Names(named("Alpha"), named("ALPBeta"), named("Alp"), named("Gamma", "service-role/"))
    assert find_policy(text, reader).name == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "phrase", "nearest"),
    [
        ("", "named ''", ()),
        ("Alhpa", "named 'Alhpa'", ("Alpha",)),
        ("lph", "named 'lph'. It is a part of Alpha", ("Alpha",)),
        ("arn:aws:iam::aws:policy/AmazonEKSAdminPolicy", "is an EKS access policy, not an IAM", ()),
        ("arn:aws:iam::aws:policy/Gamma", "No AWS managed policy has the ARN", ("Gamma",)),
        ("arn:aws:iam::aws:policy/Alhpa", "named 'Alhpa'", ("Alpha",)),
        ("arn:aws-cn:iam::aws:policy/Alpha", "policies of partition aws-cn are not known here, those of aws", ()),
        ("arn:aws:iam::aws:role/Alpha", "not the ARN of an IAM policy", ()),
        ("arn:aws:sts::aws:policy/Alpha", "not the ARN of an IAM policy", ()),
        ("arn:aws:iam::aws", "not the ARN of an IAM policy", ()),
        ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdminPolicy", "is an EKS access policy, not an IAM", ()),
        ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSComputePolicy", "not the IAM policy of the same name", ("AmazonEKSComputePolicy",)),
        ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSAdmnPolicy", "neither a known EKS access policy", ("AmazonEKSAdminPolicy",)),
    ],
)  # fmt: skip
def test_what_is_said_of_a_name_that_no_policy_has(text: str, phrase: str, nearest: tuple[str, ...]) -> None:
    reader = Names(named("Alpha"), named("Gamma", "service-role/"))
    with pytest.raises(NotFoundError, match=re.escape(phrase)) as error:
        find_policy(text, reader)  # type: ignore[arg-type]
    assert error.value.nearest[: len(nearest)] == nearest
    assert bool(error.value.nearest) is bool(nearest)


def test_a_word_for_what_aws_has_no_policy_for_is_answered_with_that_and_the_one_policy_of_that_name() -> None:
    (absence,) = (absence for absence in knowledge().absences if "karpenter" in absence.words)
    with pytest.raises(NotFoundError) as error:
        find_policy("Karpenter", Names(named("Alpha"), named("ROSAKarpenter")))  # type: ignore[arg-type]
    assert (error.value.message, error.value.nearest) == (absence.text, ("ROSAKarpenter",))
    # Two policies of that name are named instead, and where there is none nothing is suggested.
    with pytest.raises(AmbiguousError):
        find_policy("karpenter", Names(named("KarpenterA"), named("KarpenterB")))  # type: ignore[arg-type]
    with pytest.raises(NotFoundError) as error:
        find_policy("karpenter", Names(named("Alpha")))  # type: ignore[arg-type]
    assert (error.value.nearest, error.value.next_step) == ((), absence.text)


def test_default_versions_are_of_aws_policies_by_their_whole_arn() -> None:
    reader = Names(named("Alpha"), named("Gamma", "service-role/"))
    arns = [
        "arn:aws:iam::aws:policy/Alpha", "arn:aws:iam::aws:policy/Gamma", "arn:aws:iam::111122223333:policy/Own",
        "arn:aws:iam::aws:policy/None", "arn:aws:iam",
    ]  # fmt: skip
    versions = default_versions(arns, reader)  # type: ignore[arg-type]
    # Gamma's ARN lacks its path: it is not the ARN of any policy.
    assert list(versions) == arns[:1]
    assert versions[arns[0]].document.statements[0].actions == ("s3:Alpha1",)
    assert default_versions(["arn:aws-cn:iam::aws:policy/Alpha"], reader) == {}  # type: ignore[arg-type]
    assert default_versions(["arn:aws:iam::111122223333:policy/Alpha"], reader) == {}  # type: ignore[arg-type]


def test_an_unknown_release_is_answered_with_the_known_ones(library: Library) -> None:
    versions = library.find("karpenter").policy.versions
    with pytest.raises(NotFoundError) as error:
        version_at(library.find("karpenter").policy, parse_policy("karpenter@v99.0.0"))
    first, last = version_label(versions[0].number), versions[-1].through
    assert error.value.next_step == f"Known are {first} to {last}."


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("AmazonEKS_CNI_Policy", f"v{newest(CNI)}"),
        ("AmazonEKS_CNI_Policy@v5", "v5"),
        ("AmazonEKS_CNI_Policy@v0.1.0", "has no release v0.1.0"),
        ("karpenter", "newest"),
        ("karpenter@v1.7.0", "v1.7.0"),
        ("karpenter@v99.0.0", "karpenter v99.0.0 is not known"),
        # What a part of the name finds has releases too, so that a plain number names none.
        ("load-balancer-contr@v5", "has releases, such as v"),
        ("load-balancer-contr", "newest"),
    ],
)
def test_a_version_is_a_number_of_aws_and_a_release_of_a_project(library: Library, text: str, label: str) -> None:
    place = parse_policy(text)
    policy = library.find(place.name).policy
    if " " in label:
        with pytest.raises(NotFoundError, match=label):
            version_at(policy, place)
    elif label == "newest":
        assert version_at(policy, place) == policy.default_version == policy.versions[-1].number
    else:
        assert any(
            version_label(info.number) == label for info in policy.versions if info.number == version_at(policy, place)
        )


def test_an_accounts_own_policy_has_its_default_version_alone() -> None:
    arn = "arn:aws:iam::111122223333:policy/mine"
    account_snapshot = snapshot()
    assert (
        own_policy_side(arn, None, account_snapshot).label
        == own_policy_side(arn, 3, account_snapshot).label
        == "mine@v3 (the account's own)"
    )
    with pytest.raises(NotFoundError, match="v2 of mine was not read"):
        own_policy_side(arn, 2, account_snapshot)
    for complete, place in ((True, "in account 111122223333"), (False, "in the part of account 111122223333 that was")):
        with pytest.raises(NotFoundError, match=place):
            own_policy_side(arn + "2", None, account_snapshot._replace(complete=complete))
    unread = account_snapshot._replace(local_policies=(account_snapshot.local_policies[0]._replace(document=None),))
    with pytest.raises(InputError, match="could not be read"):
        own_policy_side(arn, None, unread)


@pytest.mark.parametrize(
    ("text", "name_or_error"),
    [
        ("karpenter", "karpenter"),
        ("Karpenter", "karpenter"),
        ("published:karpenter", "karpenter"),
        ("aws-load-balancer-contr", "aws-load-balancer-controller"),
        ("aws-load-balancer-controller/aws-cn", "aws-load-balancer-controller/aws-cn"),
        ("a", "matches"),
        ("", "No controller's policy"),
        ("karpentre", "No controller's policy"),
    ],
)
def test_a_controllers_policy_is_found_by_its_name_or_a_part_of_one(text: str, name_or_error: str) -> None:
    (reader,) = shipped_in("any")
    if " " not in name_or_error and name_or_error != "matches":
        assert find_shipped(text, reader).name == name_or_error
    else:
        with pytest.raises((AmbiguousError, NotFoundError), match=name_or_error) as error:
            find_shipped(text, reader)
        assert isinstance(error.value, AmbiguousError) is (name_or_error == "matches")
        if text == "karpentre":
            assert isinstance(error.value, NotFoundError)
            assert error.value.nearest[0] == "karpenter"


def test_the_name_of_a_controller_is_never_one_of_aws(library: Library) -> None:
    with pytest.raises(NotFoundError, match="No controller's policy is named 'karpenter/nothing'"):
        library.find("karpenter/nothing")
    assert library.find("load-balancer-contr").policy.name == "aws-load-balancer-controller"


# EKS access policies


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AmazonEKSViewPolicy", "AmazonEKSViewPolicy"),
        ("amazoneksviewpolicy", "AmazonEKSViewPolicy"),
        ("access:AmazonEKSComputePolicy", "AmazonEKSComputePolicy"),
        ("arn:aws-us-gov:eks::aws:cluster-access-policy/AmazonEKSViewPolicy", "AmazonEKSViewPolicy"),
        ("AmazonEKS_CNI_Policy", None),
    ],
)
def test_an_access_policy_is_found_by_name_or_arn(text: str, name: str | None) -> None:
    entry = find_access_policy(text)
    assert (entry and entry.policy.name) == name
    # AmazonEKSComputePolicy is an IAM policy too, so that its bare name does not mean the access policy.
    assert means_access_policy(text) is (name is not None)
    assert not means_access_policy("AmazonEKSComputePolicy")
    if name is not None:
        assert access_policy_entry(name).name == access_policy_entry(f"access:{name}").name == f"access:{name}"


@pytest.mark.parametrize(
    "text", ["access:AmazonEKSVewPolicy", "arn:aws:eks::aws:cluster-access-policy/AmazonEKSVewPolicy"]
)
def test_a_form_that_only_access_policies_have_is_never_taken_for_something_else(text: str) -> None:
    assert means_access_policy(text)
    with pytest.raises(NotFoundError) as error:
        find_access_policy(text)
    assert error.value.nearest[0] == "AmazonEKSViewPolicy"


def test_two_access_policies_differ_by_what_their_rules_permit() -> None:
    view, edit = "AmazonEKSViewPolicy", "AmazonEKSEditPolicy"
    assert access_difference(view, view).reach == "same"
    wider, narrower = access_difference(view, edit), access_difference(edit, view)
    assert (wider.reach, narrower.reach) == ("widened", "narrowed")
    assert (wider.added, wider.removed) == (narrower.removed, ()) != ((), ())
    assert wider._replace(removed=wider.added).reach == "mixed"
    with pytest.raises(NotFoundError, match="is not an EKS access policy"):
        access_difference(view, "AmazonEKS_CNI_Policy")
    unknown = next(policy.policy.name for policy in access_policies() if policy.rules is None)
    with pytest.raises(NotFoundError, match="are not published"):
        access_difference(view, unknown)


def test_access_policies_are_listed_and_new_from_the_day_that_aws_announced_them() -> None:
    entries = access_policies()
    have_rules = [entry.rules is not None for entry in entries]
    assert have_rules == sorted(have_rules, reverse=True)
    assert len(access_policy_entries()) == len(entries) == len(knowledge().access_policies)
    days = {entry.policy.name: entry.policy.introduced for entry in entries if entry.policy.introduced}
    assert {step.policy for step in access_steps(None)} == set(days)
    last = max(days.values())
    announced_at = datetime(last.year, last.month, last.day, tzinfo=UTC)
    newest = {name for name, day in days.items() if day == last}
    assert {step.policy for step in access_steps(announced_at)} == newest
    assert access_steps(announced_at + timedelta(seconds=1)) == ()
    assert {entry.policy.created for entry in access_policy_entries() if entry.policy.name in newest} == {announced_at}


# What a library answers from


def of_account(folder: Path, choice: AccountChoice | None, account_snapshot: AccountSnapshot | None = None) -> Library:
    account = Account(choice or AccountChoice(), folder / "accounts", held_snapshot=account_snapshot)
    return Library(Corpus.bundled(), PolicyStore.in_folder(folder), account, choice)


@pytest.mark.parametrize(
    ("choice", "is_stored", "at_hand"),
    [
        (None, False, False),
        (None, True, True),
        (AccountChoice(offline=True), False, False),
        (AccountChoice(offline=True), True, True),
        (AccountChoice(profile="prod"), False, True),
        (AccountChoice(file=Path("account.json")), False, True),
        (AccountChoice(demo=True), False, True),
    ],
)
def test_an_account_is_at_hand_if_it_was_chosen_or_read_before(
    choice: AccountChoice | None, is_stored: bool, at_hand: bool, tmp_path: Path
) -> None:
    if is_stored:
        store(tmp_path / "accounts", snapshot())
    assert of_account(tmp_path, choice).has_account_without_lookup is at_hand


def test_a_snapshot_that_could_not_be_stored_is_at_hand_as_long_as_the_run_lasts(tmp_path: Path) -> None:
    account_snapshot = snapshot()
    assert of_account(tmp_path, AccountChoice(), account_snapshot).snapshot_at_hand() == account_snapshot


@pytest.mark.parametrize(
    ("text", "own_arn"),
    [
        ("arn:aws:iam::111122223333:policy/other", "arn:aws:iam::111122223333:policy/other"),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", None),
        ("mine", "arn:aws:iam::111122223333:policy/mine"),
        ("MINE", "arn:aws:iam::111122223333:policy/mine"),
        # AWS's own name means AWS's policy, a part of one does not.
        ("readonlyaccess", None),
        ("ReadOnly", "arn:aws:iam::111122223333:policy/ReadOnly"),
        ("nothing-of-the-kind", None),
    ],
)
def test_a_name_that_aws_does_not_use_may_be_of_the_account(text: str, own_arn: str | None, tmp_path: Path) -> None:
    account_snapshot = snapshot()
    (mine,) = account_snapshot.local_policies
    namesakes = [
        mine._replace(name=name, arn=f"arn:aws:iam::111122223333:policy/{name}")
        for name in ("ReadOnlyAccess", "ReadOnly")
    ]
    account_snapshot = account_snapshot._replace(local_policies=(mine, *namesakes))
    choice = AccountChoice(profile="prod", offline=True)
    assert of_account(tmp_path, choice, account_snapshot).own_arn(text) == own_arn
    # Without an account, only an ARN tells.
    assert of_account(tmp_path, None).own_arn(text) == (own_arn if text.startswith("arn:") else None)


def test_policies_are_known_until_the_day_of_the_family_that_is_known_least(library: Library) -> None:
    newest = library.data().newest
    controller_days = [library.known_until("controllers")]
    assert library.known_until("eks") == library.known_until("all") == newest
    assert controller_days[0] == datetime.combine(published_until(), datetime.min.time(), UTC)
    assert library.known_until("any") == min(newest, *controller_days)


def test_a_cache_that_fails_is_reported_and_the_bundled_policies_answer(tmp_path: Path) -> None:
    (tmp_path / "policies.db").mkdir()
    library = of_account(tmp_path, None)
    assert library.find(CNI).policy.default_version == newest(CNI)
    (notice,) = library.notices()
    assert "ekstui works from its bundled data" in notice
    assert library.notices() == ()
    assert library.state() is None
    assert library.data().source == Corpus.bundled().manifest().label
    # It is left alone for a while rather than asked again for every answer.
    (tmp_path / "policies.db").rmdir()
    fill_from_the_corpus(tmp_path, family=True)
    assert library.state() is None
    assert of_account(tmp_path, None).state() is not None


def test_policies_of_another_partition_are_used_only_where_they_are_known(tmp_path: Path) -> None:
    library = of_account(tmp_path, None)
    assert library.in_partition("aws") is library
    assert library.in_partition("aws-cn") is library
    alpha = named("Alpha", partition="aws-cn")
    text = {1: json.dumps({"Statement": []}).encode()}
    library.store.of("aws-cn").put([pack(PolicyHistory(alpha, text))], DeliveryInfo(provenance("aws", 9), None))
    china = library.in_partition("aws-cn")
    assert (china.store.collection, [policy.policy.name for policy in china.policies("all")]) == ("aws-cn", ["Alpha"])
    # The bundled policies are those of `aws`, which are known without a cache too.
    assert china.in_partition("aws").store.collection == "aws"
    assert (
        china.find("arn:aws-cn:iam::aws:policy/Alpha").policy
        == library.find("arn:aws-cn:iam::aws:policy/Alpha").policy
        == alpha
    )


def test_a_damaged_cache_is_set_aside_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "policies.db").write_bytes(b"something else")
    library = of_account(tmp_path, None)
    assert library.find(CNI).policy.default_version == newest(CNI)
    (damaged_file,) = tmp_path.glob("policies.db.aside-*")
    (notice,) = library.notices()
    assert f"It was set aside as {damaged_file.name}; the bundled data answers until there is a new one." in notice
    assert not (tmp_path / "policies.db").exists()
