"""What the policies of a repository lack for a release, on made-up releases: which policies are meant, and what they lack."""

from collections.abc import Mapping
from datetime import date

import pytest

from ekstui.change.holes import hole
from ekstui.eks.published import Component, ComponentVersion, PublishedPolicy, Release
from ekstui.errors import EkstuiError
from ekstui.library import needs
from ekstui.library.needs import release_needs
from ekstui.sources.written import PolicyUse, WrittenPolicy
from tests.support.documents import allow, allow_statement, deny, document_of, trust_document

READS = tuple(f"ec2:Describe{plural}" for plural in ("Images", "Instances", "Subnets", "Vpcs", "Volumes"))
RUNS = "ec2:RunInstances"


def component(name: str, releases: Mapping[str, tuple[str, ...]]) -> Component:
    """A controller whose releases publish these actions, oldest first; those of one version are in one text."""
    versions = (
        ComponentVersion(
            number,
            tuple(Release(tag, date(2026, 1, number)) for tag in tags.split()),
            (PublishedPolicy("p", "p.json", (), allow_statement(*actions)),),
        )
        for number, (tags, actions) in enumerate(releases.items(), 1)
    )
    return Component(name, name, "a/b", tuple(versions))


COMPONENTS = {
    "karpenter": component("karpenter", {"v1.0.0": READS, "v2.0.0 v2.0.1": (*READS, RUNS)}),
    "vpc-cni": component("vpc-cni", {"v1.0.0": ("ec2:AssignPrivateIpAddresses",), "v2.0.0": ("ec2:AssignPrivateIpAddresses", RUNS)}),
    "vpc-cni/ipv6": component("vpc-cni/ipv6", {"v0.9.0": (), "v1.0.0": ("ec2:AssignIpv6Addresses", "ec2:DescribeImages")}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "components", lambda: COMPONENTS)


def written(
    *actions: str, place: str = "", path: str = "a.json", use: PolicyUse = "identity", attached_to: str = ""
) -> WrittenPolicy:
    return WrittenPolicy(place, document_of(allow(actions)), line=3, use=use, path=path, attached_to=attached_to)


def trust_policy(account: str) -> WrittenPolicy:
    issuer = "oidc.eks.eu-west-1.amazonaws.com/id/A"
    principal = {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{issuer}"}
    subject = {"StringEquals": {f"{issuer}:sub": f"system:serviceaccount:kube-system:{account}"}}
    document = trust_document(principal, "sts:AssumeRoleWithWebIdentity", subject)
    return WrittenPolicy("aws_iam_role.r › trust", document, use="trust", path="main.tf")


UNREAD_TRUST = WrittenPolicy("aws_iam_role.u", None, "not read", use="trust", path="main.tf")


@pytest.mark.parametrize(
    ("policy", "because"),
    [
        (written(*READS, place="karpenter"), "by its name, karpenter"),
        (written(*READS, path="policies/Karpenter.json"), "by its name, Karpenter"),
        # A file with many policies says nothing of the one.
        (written("s3:GetObject", place="aws_iam_policy.a", path="karpenter.tf"), None),
        (written(*READS, RUNS), "100% of its actions are those of v2.0.1"),
        (written(*READS), "83% of its actions are those of v2.0.1"),
        # Four of five, and four of six.
        (written(*READS[:4]), "80% of its actions are those of v1.0.0"),
        (written(*READS[:4], "s3:GetObject"), None),
        # As many as all of it, but too few to mean anything.
        (written(*READS[:3]), None),
        (written("s3:GetObject", place="aws_iam_role_policy.p", attached_to="aws_iam_role.r"), "service account karpenter uses its role"),
        (written("s3:GetObject", place="aws_iam_role_policy.p", attached_to="aws_iam_role.s"), None),
        (written(*READS, use="resource"), None),
        (WrittenPolicy("karpenter", None, "not read"), None),
        # What it allows may be known in part.
        (written(hole("var.a"), "s3:GetObject", place="karpenter"), "by its name, karpenter"),
        (written(hole("var.a"), place="karpenter"), None),
        (WrittenPolicy("karpenter", document_of(deny("s3:*"))), None),
    ],
)  # fmt: skip
def test_which_policy_is_taken_for_a_components(policy: WrittenPolicy, because: str | None) -> None:
    (need,) = release_needs(["karpenter@v1.0.0"], [trust_policy("karpenter"), UNREAD_TRUST, policy])
    assert (need.because, need.path) == ((because, policy.path) if because else ("", ""))
    assert need.line == (3 if because else 0)
    if because is None:
        assert need.lacks_something
        assert [*need.sentences] == [("release-publishes", "no policy of the repository is made for karpenter")]


@pytest.mark.parametrize(
    ("release", "actions", "lacks"),
    [
        ("v1.0.0", READS, ()),
        ("v2.0.0", READS, (RUNS,)),
        ("v2.0", READS[1:], (READS[0], RUNS)),
        ("v2.0.0", ("ec2:*",), ()),
    ],
)
def test_what_a_policy_lacks_of_what_is_published(
    release: str, actions: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    (need,) = release_needs([f"./a.json=karpenter@{release}"], [written(*actions), written("s3:*", path="b.json")])
    assert [action for action, _ in need.required] == [*lacks]
    assert need.lacks_something is bool(lacks)
    assert (need.because, need.place) == ("it is named for it", "a.json")


@pytest.mark.parametrize(
    ("release", "actions", "variant", "published_actions"),
    [
        ("v2.0.0", ("ec2:AssignPrivateIpAddresses",), "vpc-cni", (RUNS,)),
        ("v1.0.0", ("ec2:AssignPrivateIpAddresses",), "vpc-cni", ()),
        ("v2.0.0", ("ec2:AssignIpv6Addresses", "ec2:AssignPrivateIpAddresses"), "vpc-cni", (RUNS,)),
        ("v1.0.0", ("ec2:AssignIpv6Addresses",), "vpc-cni/ipv6", ("ec2:DescribeImages",)),
        # The newest that it publishes for IPv6.
        ("v2.0.0", ("ec2:AssignIpv6Addresses",), "vpc-cni/ipv6", ("ec2:DescribeImages",)),
    ],
)
def test_a_policy_for_ipv6_is_held_against_what_is_published_for_it(
    release: str, actions: tuple[str, ...], variant: str, published_actions: tuple[str, ...]
) -> None:
    (need,) = release_needs([f"a.json=vpc-cni@{release}"], [written(*actions)])
    assert (need.component, need.release) == (variant, release)
    # What it does not start without is known beside what is published.
    lacks = {*need.published, *(action for action, _ in need.required)}
    assert lacks & {RUNS, "ec2:DescribeImages"} == {*published_actions}


def test_policies_of_one_role_are_judged_together_and_others_each_by_itself() -> None:
    first, second = (
        written(*actions, place=f"karpenter-{actions[0]}", attached_to="aws_iam_role.k") for actions in (READS, (RUNS,))
    )
    other_policy = written(RUNS, place="karpenter-other")
    need_of_role, need_of_other = release_needs(["karpenter@v2.0.0"], [first, other_policy, second])
    assert (need_of_role.place, need_of_role.lacks_something) == (first.place, False)
    assert (need_of_other.place, [action for action, _ in need_of_other.required]) == (other_policy.place, [*READS])
    (words,) = need_of_other.sentences
    assert words[0] == "release-needs"
    assert words[1].endswith("without, what its project publishes for the release is not all allowed")


@pytest.mark.parametrize(
    "demand", ["karpenter", "karpenter@", "karpenter@v3.0.0", "no-such@v1.0.0", "b.json=karpenter@v1.0.0"]
)
def test_a_demand_of_what_is_not_there_is_refused(demand: str) -> None:
    with pytest.raises(EkstuiError):
        release_needs([demand], [written(*READS)])
