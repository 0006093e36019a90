"""ARNs of policies that a message refuses are looked up, each kind of mistake told from the others."""

import pytest

from ekstui import files
from ekstui.library.catalog import knowledge
from ekstui.library.misnamed_policies import misnamed_policies
from ekstui.sources.corpus import Corpus

MISSING = "An error occurred (NoSuchEntity) when calling the AttachRolePolicy operation: Policy {} does not exist or is not attachable."
AWS = "arn:aws:iam::aws:policy/"
OWN = "arn:aws:iam::111122223333:policy/"
ACCESS = "arn:aws:eks::aws:cluster-access-policy/"


@pytest.mark.parametrize(
    ("arn", "says"),
    [
        # IAM User Guide, "IAM ARNs": the path is a part of the ARN.
        (f"{AWS}AmazonEBSCSIDriverPolicy", f"is {AWS}service-role/AmazonEBSCSIDriverPolicy"),
        (f"{AWS}service-role/AmazonEKSClusterPolicy", f"is {AWS}AmazonEKSClusterPolicy"),
        (f"{AWS}amazoneks_cni_policy", f"is {AWS}AmazonEKS_CNI_Policy"),
        (f"{AWS}AmazonEKSNetworkingPolicy", "exists in partition aws"),
        (f"{AWS}AmazonEKSAdminPolicy", "is an EKS access policy"),
        (f"{AWS}AmazonEKSServiceRolePolicy", "cannot be attached"),
        (f"{AWS}aws-service-role/AmazonEKSServiceRolePolicy", "cannot be attached"),
        (f"{AWS}AmazonEKSCNIPolicy", "Nearest: AmazonEKS_CNI_Policy"),
        (f"{OWN}AmazonEKSClusterPolicy", f"AWS's own is {AWS}AmazonEKSClusterPolicy"),
        (f"{OWN}AWSLoadBalancerControllerIAMPolicy", "ekstui show aws-load-balancer-controller"),
        (f"{OWN}team/reports", "Account 111122223333 has no policy team/reports"),
        (f"{ACCESS}AmazonEKSWorkerNodePolicy", "is an IAM policy, not an EKS access policy"),
        (f"{ACCESS}AmazonEKSViewerPolicy", "Nearest: AmazonEKSViewPolicy"),
    ],
)
def test_each_mistake_is_told_from_the_others(arn: str, says: str) -> None:
    text = MISSING.format(arn)
    # The terminal of 100 columns breaks every one of these ARNs.
    for pasted_text in (text, "\n".join(text[start : start + 100] for start in range(0, len(text), 100))):
        assert (arn in pasted_text) is (pasted_text == text)
        (symptom,) = misnamed_policies(pasted_text, Corpus(files.assets()), knowledge(), "aws")
        assert says in f"{symptom.symptom} {symptom.answer}"


@pytest.mark.parametrize(
    "text",
    [
        MISSING.format("arn:aws-cn:iam::aws:policy/AmazonEKSNetworkingPolicy"),
        f"attached {AWS}AmazonEBSCSIDriverPolicy",
        "NoSuchEntity: The role with name prod cannot be found.",
    ],
)
def test_what_is_of_another_partition_or_refuses_no_policy_is_left_alone(text: str) -> None:
    assert list(misnamed_policies(text, Corpus(files.assets()), knowledge(), "aws")) == []
