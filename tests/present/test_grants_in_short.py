"""What a grant is on, in the few words of a row: never a resource that the grant does not name."""

import pytest

from ekstui.present.grants_in_short import resource_in_short


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ("*", "all"),
        ("arn:aws:ec2:*:*:*", "all of ec2"),
        ("arn:aws:ec2:*:*:network-interface/*", "network-interface"),
        ("arn:aws:logs:*:*:log-group:*:*", "log-group"),
        ("arn:aws:eks:*:*:cluster/*/*", "cluster"),
        ("arn:aws:iam::*:role/eks-*", "role/eks-*"),
        # Whatever is below a name is not what has the name.
        ("arn:aws:ssm:*:*:parameter/eks/*", "parameter/eks/*"),
        ("arn:aws:logs:*:*:log-group:/aws/eks/*:*", "log-group:/aws/eks/*:*"),
        # Nor is an object of a bucket the bucket.
        ("arn:aws:s3:::logs", "logs"),
        ("arn:aws:s3:::logs/*", "logs/*"),
        ("arn:aws:s3:::*", "all of s3"),
    ],
)
def test_a_resource_in_short(resource: str, words: str) -> None:
    """A type stands for all resources of it; what ends in `/*` below a name keeps its end."""
    assert resource_in_short(resource) == words
