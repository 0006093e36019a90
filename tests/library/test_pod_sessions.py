"""Whose session it is: a pod's, by its name or by the session's, so that its policies and tags count."""

from datetime import UTC, datetime

import pytest

from ekstui.eks.account_snapshot import AccountSnapshot, Use
from ekstui.eks.cluster import Cluster, EksFacts
from ekstui.library.requester import PodOfSession, pod_of_session
from ekstui.sources.kubernetes import read_kubernetes
from tests.support.accounts import snapshot
from tests.support.kubernetes import POD_IDENTITY, listing, pod

ID = "5af5e7ac-5754-49ea-b28f-2c2a2eb95fbb"
CLUSTER = "k8s-wl-dev-use1"


def account() -> AccountSnapshot:
    pods = [pod("engine-booking-6f-x", POD_IDENTITY, account="api"), pod("writer-6f-x", POD_IDENTITY, account="writer")]
    facts = read_kubernetes([("list", listing(*pods))], datetime(2026, 12, 1, tzinfo=UTC))
    cluster = Cluster(CLUSTER, "eu-west-1", described=True, kubernetes=facts)
    return snapshot()._replace(eks=EksFacts((cluster,), ("eu-west-1",)))


def uses(*accounts: str) -> tuple[Use, ...]:
    return tuple(
        Use("pod-identity", "confirmed", CLUSTER, "eu-west-1", namespace="shop", service_account=name)
        for name in accounts
    )


@pytest.mark.parametrize(
    ("session", "pod_name"),
    [
        (f"eks-k8s-wl-dev-engine-boo-{ID}", "api"),
        (f"eks-{CLUSTER}-writer-6f-x-{ID}", "writer"),
        (f"eks-other-dev-engine-boo-{ID}", None),
        (f"eks-k8s-wl-dev-nobody-6f-{ID}", None),
        ("i-0123456789abcdef0", None),
        (None, None),
    ],
)
def test_a_session_is_named_after_its_pod(session: str | None, pod_name: str | None) -> None:
    owner = pod_of_session(session, uses("api", "writer"), account())
    assert owner == (pod_name and PodOfSession(CLUSTER, "shop", pod_name))


def test_a_pod_that_does_not_use_the_role_is_not_meant() -> None:
    assert pod_of_session(f"eks-k8s-wl-dev-engine-boo-{ID}", uses("writer"), account()) is None
