"""What was read of Kubernetes, and since when pods use their credentials."""

from datetime import UTC, datetime

import pytest

from ekstui.eks.cluster import PodIdentityAssociation
from ekstui.eks.pod_credentials import Credentials, CredentialSource, used_since
from ekstui.eks.pods import KubernetesFacts, Pod, ReadKind

FIRST, SECOND, THIRD = (datetime(2026, 8, day, tzinfo=UTC) for day in (1, 2, 3))


@pytest.mark.parametrize("kind", ["pods", "service accounts", "aws-auth"])
def test_a_kind_was_read_also_if_there_is_nothing_of_it(kind: ReadKind) -> None:
    fields = {"pods": "pods", "service accounts": "service_accounts", "aws-auth": "mappings"}
    empty = KubernetesFacts(FIRST)
    assert not empty.has(kind)
    assert [name for name in fields if empty._replace(**{fields[kind]: ()}).has(name)] == [kind]  # type: ignore[arg-type]


def made(*times: datetime | None) -> tuple[Pod, ...]:
    return tuple(
        Pod("shop", f"web-{number}", "web", None, time, "Running", "Pod", "web", ())
        for number, time in enumerate(times)
    )


@pytest.mark.parametrize(
    ("source", "pods", "association", "expected"),
    [
        ("irsa", made(SECOND, FIRST), None, FIRST),
        ("irsa", made(None, SECOND), None, SECOND),
        ("irsa", made(None), None, None),
        ("irsa", (), None, None),
        # An association says nothing of other credentials.
        ("irsa", made(FIRST), THIRD, FIRST),
        ("pod-identity", made(FIRST), None, FIRST),
        # Pods can use an association from when both are there.
        ("pod-identity", made(SECOND, FIRST), THIRD, THIRD),
        ("pod-identity", made(SECOND, THIRD), FIRST, SECOND),
        ("pod-identity", made(None), FIRST, None),
    ],
)
def test_since_when_pods_use_their_credentials(
    source: CredentialSource, pods: tuple[Pod, ...], association: datetime | None, expected: datetime | None
) -> None:
    pod_association = (
        None if association is None else PodIdentityAssociation("a-1", "shop", "web", None, created=association)
    )
    assert used_since(Credentials(source, None, (), ""), pods, pod_association) == expected


def test_pods_of_an_association_of_unknown_age_use_it_since_an_unknown_time() -> None:
    pod_association = PodIdentityAssociation("a-1", "shop", "web", None)
    assert used_since(Credentials("pod-identity", None, (), ""), made(FIRST), pod_association) is None
