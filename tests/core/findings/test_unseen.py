"""What was not read counts only where the role's trust lets it be used there."""

from typing import Any

import pytest

from ekstui.core.document import Document
from ekstui.core.eks import EksFacts
from ekstui.core.findings.unseen import unseen_uses
from tests.core.findings.subjects import ISSUER, association, cluster, role, trust_of, trusting, web_identity

READ: dict[str, Any] = {
    "nodegroups": (), "fargate_profiles": (), "access_entries": (), "capabilities": (), "authentication_mode": "API",
}  # fmt: skip
EC2 = trusting("ec2.amazonaws.com", "sts:AssumeRole")
PODS = trusting("pods.eks.amazonaws.com", "sts:AssumeRole")
IRSA = trust_of(web_identity(ISSUER, None))


@pytest.mark.parametrize(
    ("trust", "fields", "expected"),
    [
        (EC2, {}, []),
        (EC2, {"nodegroups": None}, ["the node groups"]),
        (EC2, {"access_entries": None}, ["the access entries"]),
        (EC2, {"associations": None, "addons": None, "fargate_profiles": None}, []),
        (EC2, {"authentication_mode": "API_AND_CONFIG_MAP"}, ["the ConfigMap aws-auth"]),
        (EC2, {"authentication_mode": "API_AND_CONFIG_MAP", "nodes": ()}, []),
        (EC2, {"authentication_mode": "CONFIG_MAP", "access_entries": None}, ["the ConfigMap aws-auth"]),
        (EC2, {"described": False}, ["the description"]),
        (PODS, {"associations": None, "nodegroups": None}, ["the Pod Identity associations"]),
        (PODS, {"associations": (association(role_arn=None),)}, ["some Pod Identity associations"]),
        (PODS, {"addons": None}, ["the add-ons"]),
        (IRSA, {"addons": None, "associations": None}, ["the add-ons"]),
        (trusting("eks-fargate-pods.amazonaws.com", "sts:AssumeRole"), {"fargate_profiles": None}, ["the Fargate"]),
        (trusting("capabilities.eks.amazonaws.com", "sts:AssumeRole"), {"capabilities": None}, ["the capabilities"]),
        (trusting("lambda.amazonaws.com", "sts:AssumeRole"), {"capabilities": None, "addons": None}, []),
        (None, {"capabilities": None, "addons": None}, ["the add-ons", "the capabilities"]),
    ],
)
def test_what_was_not_read_may_hide_a_use(trust: Document | None, fields: dict[str, Any], expected: list[str]) -> None:
    found = unseen_uses(role(trust), EksFacts((cluster(**{**READ, **fields}),), ("eu-west-1",)))
    assert len(found) == len(expected)
    assert all(phrase.startswith(start) for phrase, start in zip(found, expected, strict=True))


def test_eks_that_was_not_asked_may_hide_everything() -> None:
    assert len(unseen_uses(role(EC2), None)) == 1
