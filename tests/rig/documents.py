"""Policy documents, as people write them for EKS."""

from collections.abc import Mapping
from typing import Any

from tests.support.documents import document, trust

Document = Mapping[str, Any]


def trusting_ec2(partition: str) -> dict[str, Any]:
    """Return the trust policy of a node's role; China has its own name for EC2."""
    return trust("ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com")


def trusting_pods() -> dict[str, Any]:
    """Return the trust policy of a Pod Identity role."""
    return trust("pods.eks.amazonaws.com", ("sts:AssumeRole", "sts:TagSession"))


def trusting_accounts_of(
    provider_arn: str, subject: str | None, operator: str = "StringEquals", audience: bool = True
) -> dict[str, Any]:
    """Return an IRSA trust policy: `subject` is `system:serviceaccount:namespace:name`, None for no condition on it."""
    host = provider_arn.partition(":oidc-provider/")[2]
    condition: dict[str, dict[str, str]] = {}
    if audience:
        condition.setdefault("StringEquals", {})[f"{host}:aud"] = "sts.amazonaws.com"
    if subject is not None:
        condition.setdefault(operator, {})[f"{host}:sub"] = subject
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
    }
    return document(statement | ({"Condition": condition} if condition else {}))
