"""What EKS says of an add-on is passed on where ekstui knows no actions that it needs."""

import pytest

from ekstui.eks.cluster import Addon
from ekstui.eks.findings.subjects import RolePolicy
from tests.eks.findings.subjects import ROLE, around, aws, cluster, coded, findings_with, policy_allowing, used

ARN = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"
X_RAY = "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess"


@pytest.mark.parametrize(
    ("policies", "needs", "name", "account", "expected"),
    [
        ((), True, "amazon-of-its-own", None, ["problem"]),
        ((), False, "amazon-of-its-own", None, ["note"]),
        ((), None, "amazon-of-its-own", None, ["note"]),
        ((policy_allowing("own", "logs:*"),), True, "amazon-of-its-own", None, ["note"]),
        ((aws("CloudWatchAgentServerPolicy"),), True, "amazon-of-its-own", None, []),
        # The recommendation is for another service account of the add-on.
        ((policy_allowing("own", "logs:*"),), True, "amazon-of-its-own", "other", []),
        # What this one needs is known by its actions.
        ((aws("AmazonEBSCSIDriverPolicyV2"),), True, "aws-ebs-csi-driver", None, []),
    ],
)
def test_a_recommendation_of_eks(
    policies: tuple[RolePolicy, ...], needs: bool | None, name: str, account: str | None, expected: list[str]
) -> None:
    addon = Addon(name, "v1", ROLE, requires_permissions=needs, recommended_policies=(("agent", (ARN,)),))
    use = used("addon", name=name, service_account=account, namespace="n" if account else None)
    findings = coded(findings_with(policies, (use,), around(cluster(addons=(addon,)))), "missing-policy")
    assert [finding.severity for finding in findings] == expected
    assert all("CloudWatchAgentServerPolicy" in finding.text for finding in findings)
    assert all(ARN in " ".join(finding.evidence) for finding in findings)


def test_eks_was_not_asked() -> None:
    addon = Addon("amazon-of-its-own", "v1", ROLE)
    assert (
        coded(findings_with((), (used("addon", name=addon.name),), around(cluster(addons=(addon,)))), "missing-policy")
        == []
    )


@pytest.mark.parametrize(
    ("recommended_arns", "attached_arns", "words"),
    [
        ((ARN,), (), "EKS recommends CloudWatchAgentServerPolicy for the add-on amazon-of-its-own; it is not attached."),
        ((ARN, X_RAY), (X_RAY,), "EKS recommends CloudWatchAgentServerPolicy for the add-on amazon-of-its-own; it is not"),
        ((ARN, X_RAY), (), "CloudWatchAgentServerPolicy and AWSXrayWriteOnlyAccess for the add-on amazon-of-its-own; they are"),
    ],
)  # fmt: skip
def test_what_is_recommended_and_not_attached_is_named(
    recommended_arns: tuple[str, ...], attached_arns: tuple[str, ...], words: str
) -> None:
    addon = Addon("amazon-of-its-own", "v1", ROLE, recommended_policies=(("agent", recommended_arns),))
    policies = (policy_allowing("own", "logs:*"), *(aws(arn.rpartition("/")[2]) for arn in attached_arns))
    findings = findings_with(policies, (used("addon", name=addon.name),), around(cluster(addons=(addon,))))
    (finding,) = coded(findings, "missing-policy")
    assert words in finding.text
    assert {line for line in finding.evidence if "recommended" in line} == {
        f"recommended: {arn}" for arn in recommended_arns if arn not in attached_arns
    }
