"""What a Pod Identity session carries is taken as known only where one association can be meant."""

import json

from ekstui.denial.pod_session import PodSession, pod_session
from ekstui.eks.account_snapshot import Use

NARROW = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}})
PLACE = "aws:111122223333"
ROLE_TAGS = (("team", "storage"),)


def pod(account: str, *, cluster: str = "prod", policy: str | None = None, tags: bool | None = True) -> Use:
    return Use("pod-identity", "confirmed", cluster, "eu-west-1", "a-1", "apps", account, policy, tags)


def test_the_one_association_gives_tags_and_policy() -> None:
    session = pod_session([pod("reader", policy=NARROW)], None, ROLE_TAGS, PLACE)
    assert session.tags == {
        "aws:PrincipalTag/team": ("storage",),
        "aws:PrincipalTag/eks-cluster-arn": ("arn:aws:eks:eu-west-1:111122223333:cluster/prod",),
        "aws:PrincipalTag/eks-cluster-name": ("prod",),
        "aws:PrincipalTag/kubernetes-namespace": ("apps",),
        "aws:PrincipalTag/kubernetes-service-account": ("reader",),
    }
    (policy,) = session.policies
    assert policy.name == "session policy of the Pod Identity association apps/reader of prod"
    assert (session.absent, session.unread) == (frozenset(), ())


def test_without_session_tags_the_role_s_own_are_all_there_is() -> None:
    session = pod_session([pod("reader", tags=False)], None, ROLE_TAGS, PLACE)
    assert session == PodSession((), {"aws:PrincipalTag/team": ("storage",)}, frozenset({"aws:PrincipalTag/*"}))


def test_an_association_that_was_not_described_tells_no_tags() -> None:
    assert pod_session([pod("reader", tags=None)], None, ROLE_TAGS, PLACE) == PodSession()


def test_the_session_s_name_chooses_the_cluster() -> None:
    uses = [pod("reader", policy=NARROW), pod("reader", cluster="dev")]
    assert pod_session(uses, "eks-prod-reader-5d9c-1b2c", (), PLACE).policies
    assert not pod_session(uses, "eks-dev-reader-5d9c-1b2c", (), PLACE).policies
    # Not a session of Pod Identity at all: no policy of an association limits it.
    assert pod_session(uses, "1747307062150341641", (), PLACE) == PodSession()


def test_what_may_apply_is_named_where_it_is_not_certain() -> None:
    uses = [pod("reader", policy=NARROW), pod("writer")]
    expected = ("the session policy of the Pod Identity association apps/reader of prod, which may apply",)
    assert pod_session(uses, None, (), PLACE) == PodSession(unread=expected)
    assert pod_session(uses, "eks-prod-reader-5d9c-1b2c", (), PLACE) == PodSession(unread=expected)
    nodes = Use("nodegroup", "confirmed", "prod", "eu-west-1", "workers")
    assert pod_session([uses[0], nodes], None, (), PLACE) == PodSession(unread=expected)


def test_a_session_policy_that_cannot_be_read_is_named() -> None:
    session = pod_session([pod("reader", policy="{")], None, (), PLACE)
    assert session.policies == ()
    assert session.unread == (
        "the session policy of the Pod Identity association apps/reader of prod, which cannot be read",
    )
