"""Who a request is from, and which role it wants, by a snapshot as small as the rule."""

import json
from pathlib import Path
from typing import Any

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, AttachedPolicy, Group, InlinePolicy, Role, User
from ekstui.eks.uses import uses_in
from ekstui.errors import NotFoundError
from ekstui.iam.document import Document, parse
from ekstui.iam.request import Request
from ekstui.library.notation import FileSide
from ekstui.library.requester import Requester, TargetRole, is_target, principal_arn, requester_of, target_of
from ekstui.sources.corpus import Corpus
from tests.support.accounts import snapshot
from tests.support.documents import trust, trust_document

ACCOUNT = "111122223333"


def known_roles(*roles: Role, **fields: Any) -> AccountSnapshot:
    return snapshot()._replace(roles=roles, **fields)


APP = Role("app", f"arn:aws:iam::{ACCOUNT}:role/eks/app", "/eks/", trust=trust_document("pods.eks.amazonaws.com"))
WEB, POD, ASSUME = "sts:AssumeRoleWithWebIdentity", "eks-auth:AssumeRoleForPodIdentity", "sts:AssumeRole"
NODE = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("action", "principal", "trust", "is_meant"),
    [
        # An unsigned call has no role yet, so the one that is named is the one it wants.
        (WEB, None, trust_document("ec2.amazonaws.com"), True),
        ("sts:AssumeRoleWithSAML", None, trust_document("ec2.amazonaws.com"), True),
        ("s3:GetObject", "ec2.amazonaws.com", trust_document("ec2.amazonaws.com"), False),
        # A service has no role, a role or user has one.
        (ASSUME, "ec2.amazonaws.com", trust_document("ec2.amazonaws.com"), True),
        (ASSUME, NODE, trust_document("ec2.amazonaws.com"), False),
        (ASSUME, None, trust_document("ec2.amazonaws.com"), False),
        # The node calls EKS Auth with its own role: what is named is that role only if nodes may have it.
        (POD, NODE, trust_document("pods.eks.amazonaws.com"), True),
        (POD, NODE, trust_document("ec2.amazonaws.com"), False),
        (POD, NODE, trust_document({"Service": ["ec2.amazonaws.com", "pods.eks.amazonaws.com"]}), True),
        (POD, NODE, trust_document({"AWS": "*"}), True),
        (POD, None, trust_document("ec2.amazonaws.com"), False),
    ],
)
def test_whether_a_named_role_is_the_one_to_be_assumed(
    action: str, principal: str | None, trust: Document, is_meant: bool
) -> None:
    account_snapshot = known_roles(APP._replace(trust=trust))
    for name in ("app", APP.arn or "", f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s"):
        assert is_target(Request(action, (), principal), name, account_snapshot) is is_meant


def test_the_role_that_a_request_wants_to_assume(tmp_path: Path) -> None:
    account_snapshot = known_roles(APP, Role("blind", f"arn:aws:iam::{ACCOUNT}:role/blind"))
    missing_arn = f"arn:aws:iam::{ACCOUNT}:role/other"

    def target(*resources: str, role_name: str | None = None, account: AccountSnapshot | None = account_snapshot, source: FileSide | None = None, action: str = ASSUME) -> TargetRole | None:  # fmt: skip
        return target_of(Request(action, resources), role_name, account, source, "")

    assert target(APP.arn or "", action="s3:GetObject") is None
    target_role = target(f"arn:aws:s3:::{ACCOUNT}", APP.arn or "")
    assert target_role is not None
    assert (target_role.role, target_role.trust and target_role.trust.name, target_role.trust and target_role.trust.arn) == (APP, "trust policy of app", APP.arn)  # fmt: skip
    assert target(missing_arn, role_name=f"arn:aws:sts::{ACCOUNT}:assumed-role/app/s") == target_role
    # Its trust policy, or the role itself, may not be known.
    blind_target = target(f"arn:aws:iam::{ACCOUNT}:role/blind")
    assert blind_target is not None
    assert (blind_target.trust, blind_target.role and blind_target.role.name) == (None, "blind")
    assert target(missing_arn) == target(APP.arn or "", account=None) == target() == TargetRole(None, None)
    # A role that somebody names must exist, unless its trust policy is given.
    with pytest.raises(NotFoundError):
        target(role_name="other")
    path = tmp_path / "trust.json"
    path.write_text(json.dumps(trust("pods.eks.amazonaws.com")))
    for resources, role_name, arn in (
        ((), "other", None),
        ((missing_arn,), None, missing_arn),
        ((), missing_arn, missing_arn),
        ((), "app", APP.arn),
        ((), None, None),
    ):
        target_by_file = target(*resources, role_name=role_name, source=FileSide(str(path)))
        assert target_by_file is not None
        assert target_by_file.trust is not None
        assert (target_by_file.trust.name, target_by_file.trust.arn) == (str(path), arn)


def test_a_requester_has_its_own_policies_and_those_of_its_groups_as_far_as_they_were_read() -> None:
    reads_s3 = parse({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}})
    cluster_policy = AttachedPolicy("AmazonEKSClusterPolicy", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy")
    unread_policy = AttachedPolicy("lost", f"arn:aws:iam::{ACCOUNT}:policy/lost")
    ops = Group("ops", f"arn:aws:iam::{ACCOUNT}:group/ops", attached=(cluster_policy,))
    other_group = Group("others", f"arn:aws:iam::{ACCOUNT}:group/others", attached=(unread_policy,))
    ana = User("ana", f"arn:aws:iam::{ACCOUNT}:user/ana", inline=(InlinePolicy("own", reads_s3),), groups=("ops",))
    account_snapshot = known_roles(APP, users=(ana,), groups=(ops, other_group))
    reader = Corpus.bundled()

    def requester(
        user: User = ana, principal: str | None = None, account: AccountSnapshot = account_snapshot
    ) -> Requester:
        snapshot = account._replace(users=(user,))
        return requester_of(principal or user.arn or "", None, snapshot, uses_in(snapshot), reader)

    ana_asks = requester()
    assert [policy.name for policy in ana_asks.policies.identity] == ["own (inline)", "AmazonEKSClusterPolicy"]
    assert (ana_asks.arn, ana_asks.role, ana_asks.policies.identity_known, ana_asks.policies.boundary_known) == (
        ana.arn,
        None,
        True,
        True,
    )
    partly_read = requester(ana._replace(attached=(unread_policy,)))
    assert (partly_read.policies.identity_known, partly_read.policies.unread) == (
        False,
        ("the policy lost, whose document could not be read",),
    )
    in_boundary = requester(ana._replace(boundary_arn=cluster_policy.arn))
    assert (
        in_boundary.policies.boundary and in_boundary.policies.boundary.name,
        in_boundary.policies.boundary_known,
    ) == (
        cluster_policy.name,
        True,
    )
    in_unread_boundary = requester(ana._replace(boundary_arn=unread_policy.arn))
    assert (
        in_unread_boundary.policies.boundary,
        in_unread_boundary.policies.boundary_known,
        in_unread_boundary.policies.identity_known,
    ) == (
        None,
        False,
        False,
    )
    assert "the permissions boundary lost" in in_unread_boundary.policies.unread[0]
    # Of a role, it may not be known which policies it has.
    for extent, is_known in (("full", True), ("name", False)):
        snapshot = known_roles(APP._replace(extent=extent))  # type: ignore[arg-type]
        app = requester_of("app", None, snapshot, uses_in(snapshot), reader)
        assert (app.policies.identity_known, app.policies.boundary_known, app.role and app.role.name) == (
            is_known,
            is_known,
            "app",
        )
    assert principal_arn("APP", account_snapshot) == APP.arn
    with pytest.raises(NotFoundError, match="path could not be read"):
        principal_arn("app", known_roles(APP._replace(arn=None)))
    with pytest.raises(NotFoundError, match="is not in account"):
        requester_of(NODE.replace(ACCOUNT, "444455556666"), None, account_snapshot, {}, reader)
