"""The requests and policies that the tests of denials are about."""

from datetime import UTC, datetime
from typing import Any

from ekstui.change.policy import Policy, VersionInfo
from ekstui.denial.message import Cause
from ekstui.denial.purpose import CandidatePolicy
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.iam.request import Request
from tests.support.documents import allow, document_of

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"
BUCKET = "arn:aws:s3:::logs"
REGION = {"aws:RequestedRegion": ("eu-west-1",)}
GET = Request("s3:GetObject", (f"{BUCKET}/a",), SESSION, REGION)


def managed_policy(*statements: dict[str, Any], name: str = "own", version: int | None = None) -> AppliedPolicy:
    """A policy in force; with a version, in that one."""
    return AppliedPolicy(name, version, document_of(*statements), f"arn:aws:iam::aws:policy/{name}")


TAGGED: dict[str, Any] = {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}
"""A condition on what is not known."""
SNAPSHOT = "arn:aws:ec2:eu-west-1::snapshot/snap-0123456789abcdef0"
VOLUME = "arn:aws:ec2:eu-west-1:111122223333:volume/*"
NO_ALLOW = Cause("identity", explicit=False)


def candidate(
    name: str,
    *versions: list[dict[str, Any]],
    scope: str = "eks",
    arn: str | None = None,
    home: str | None = None,
    withdrawn: bool = False,
    superseded: bool = False,
    meant_for: tuple[str, ...] = (),
    default: int | None = None,
) -> CandidatePolicy:
    """A policy whose versions have these statements, the last the default."""
    infos = tuple(
        VersionInfo(number, datetime(2020 + number, 1, 1, tzinfo=UTC)) for number in range(1, len(versions) + 1)
    )
    policy = Policy(name, arn or f"arn:aws:iam::aws:policy/{name}", default or len(versions), infos, withdrawn, home)
    documents = {number: document_of(*statements) for number, statements in enumerate(versions, 1)}
    return CandidatePolicy(policy, documents, scope, superseded, meant_for)  # type: ignore[arg-type]


MAY: dict[str, Any] = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
"""A condition on what is not known of the resource."""
READ = [allow("s3:GetObject")]
