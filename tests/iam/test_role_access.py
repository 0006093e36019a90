"""What a role may do in sum: every policy counts, a Deny and a boundary take away, and nothing is given twice."""

from typing import Any

import pytest

from ekstui.iam.access_levels import sum_access
from ekstui.iam.document import Document, parse
from tests.support.corpus import raw_document
from tests.support.documents import allow, document_of


def own(effect: str, *actions: str, resource: str = "*", **fields: Any) -> Document:
    return parse(
        {
            "Version": "2012-10-17",
            "Statement": {"Effect": effect, "Action": list(actions), "Resource": resource, **fields},
        }
    )


READ, WRITE = own("Allow", "s3:GetObject"), own("Allow", "s3:PutObject", "s3:GetObject", "ec2:DescribeVpcs")


@pytest.mark.parametrize(
    ("documents", "boundary", "expected", "denied_count", "withheld_count"),
    [
        ([READ], None, {"s3": {"Read": 1}}, 0, 0),
        ([READ, WRITE], None, {"ec2": {"List": 1}, "s3": {"Read": 1, "Write": 1}}, 0, 0),
        ([READ, WRITE, own("Deny", "s3:Get*")], None, {"ec2": {"List": 1}, "s3": {"Write": 1}}, 1, 0),
        # A Deny that only sometimes applies takes nothing off for sure.
        ([READ, own("Deny", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})], None, {"s3": {"Read": 1}}, 0, 0),
        ([READ, WRITE], own("Allow", "s3:*"), {"s3": {"Read": 1, "Write": 1}}, 0, 1),
        ([READ, WRITE], own("Allow", "ec2:*"), {"ec2": {"List": 1}}, 0, 2),
        # A boundary gives nothing, and its own Deny counts.
        ([], own("Allow", "*"), {}, 0, 0),
        ([READ, WRITE], parse({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"},
        ]}), {"ec2": {"List": 1}, "s3": {"Read": 1}}, 0, 1),
    ],
)  # fmt: skip
def test_what_policies_permit_together(
    documents: list[Document],
    boundary: Document | None,
    expected: dict[str, dict[str, int]],
    denied_count: int,
    withheld_count: int,
) -> None:
    access = sum_access(documents, boundary)
    counts = {
        row.service: {level: count.granted for level, count in row.levels.items() if count.granted}
        for row in access.services
    }
    assert counts == expected
    assert (access.denied, access.withheld) == (denied_count, withheld_count)


def test_a_boundary_that_is_one_of_the_policies_withholds_nothing_of_it() -> None:
    cluster, admin = parse(raw_document("AmazonEKSClusterPolicy", 10)), parse(raw_document("AdministratorAccess", 1))
    access_alone = sum_access([cluster], None)
    for documents, boundary in (([cluster], admin), ([admin], cluster), ([cluster, cluster], cluster)):
        access_within = sum_access(documents, boundary)
        assert [(row.service, row.levels) for row in access_within.services] == [
            (row.service, row.levels) for row in access_alone.services
        ]


def test_a_service_is_said_as_what_is_left_of_it() -> None:
    """What a boundary or a Deny takes away leaves neither its condition nor its resource behind."""
    cluster = parse(raw_document("AmazonEKSClusterPolicy", 10))
    reading, deleting = own("Allow", "ec2:Describe*"), own("Deny", "ec2:DeleteNetworkInterface")
    for documents, boundary in (([cluster], reading), ([cluster, deleting], None)):
        ec2 = next(row for row in sum_access(documents, boundary).services if row.service == "ec2")
        assert (ec2.condition, ec2.conditioned.words(ec2.condition)) == ("None", "None")
    bucket = own("Allow", "s3:GetObject", resource="arn:aws:s3:::a/*")
    access = sum_access([bucket, own("Allow", "s3:ListAllMyBuckets")], own("Allow", "s3:List*"))
    assert [(row.service, row.resource) for row in access.services] == [("s3", "All resources")]


def test_an_action_that_the_reference_lacks_says_nothing_of_its_service_beside_others() -> None:
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    odd = allow("ec2:NoSuchAction", "arn:aws:ec2:*:*:instance/*", Condition=secure)
    policy = document_of(allow(["ec2:DescribeVpcs", "ec2:StartInstances"]), odd, allow(["zz:Get", "zz:Put"]))
    access = sum_access([policy], document_of(allow(["ec2:Describe*", "ec2:NoSuchAction", "zz:Get"])))
    service, ec2 = access.services
    assert (ec2.access, ec2.resource, ec2.condition) == ("Limited: List", "All resources", "None")
    # Of a service that the reference lacks nobody knows what all would be.
    assert (service.service, service.access) == ("zz", "")
    # It is said of the service where nothing else is left.
    (ec2_alone,) = sum_access([policy], document_of(allow("ec2:NoSuchAction"))).services
    assert (ec2_alone.resource, ec2_alone.condition) == ("arn:aws:ec2:*:*:instance/*", "aws:SecureTransport Bool true")
