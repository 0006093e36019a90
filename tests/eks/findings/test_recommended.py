"""What EKS says of an add-on is passed on where ekstui knows no actions that it needs."""

import pytest

from ekstui.eks.cluster import Addon
from ekstui.eks.findings.subjects import RolePolicy
from tests.eks.findings.subjects import ROLE, around, aws, cluster, coded, findings_with, policy_allowing, used

ARN = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy"


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
