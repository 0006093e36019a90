"""Which pods a question about pods means."""

from datetime import UTC, datetime

import pytest

from ekstui.eks.pods import Pod
from ekstui.library.pod_answers import PodReference

POD = Pod(
    "shop", "cart-7d9f-x2x", "cart-sa", "node-1", datetime(2026, 6, 1, tzinfo=UTC), "Running", "Deployment", "cart", ()
)


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "is_meant"),
    [
        (None, None, "cart-7d9f-x2x", True),
        (None, None, "cart", True),
        (None, "shop", "cart", True),
        (None, "other", "cart", False),
        (None, None, "cart-sa", False),
        ("Pod", None, "cart-7d9f-x2x", True),
        ("Pod", None, "cart", False),
        ("Pod", "other", "cart-7d9f-x2x", False),
        ("Deployment", None, "cart", True),
        ("Deployment", "shop", "cart", True),
        ("Deployment", "other", "cart", False),
        ("Deployment", None, "cart-7d9f-x2x", False),
        ("DaemonSet", None, "cart", False),
        ("ServiceAccount", None, "cart-sa", True),
        ("ServiceAccount", "other", "cart-sa", False),
        ("ServiceAccount", None, "cart", False),
    ],
)
def test_a_pod_is_meant_by_its_name_its_owner_or_its_service_account(
    kind: str | None, namespace: str | None, name: str, is_meant: bool
) -> None:
    assert PodReference(kind, namespace, name).fits(POD) is is_meant
