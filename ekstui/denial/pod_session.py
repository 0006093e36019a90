"""What is known about a pod's session by the uses of its role: session policies and tags.

EKS User Guide, "Grant Pods access to AWS resources based on tags", for the names of tags and sessions
(`eks-CLUSTER-POD-…`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.errors import DocumentError
from ekstui.iam.document import parse_text
from ekstui.iam.evaluation import AppliedPolicy
from ekstui.named_tuples import NamedTuple

if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import Use

_TAG = "aws:PrincipalTag/"


class PodSession(NamedTuple):
    """What requests in such a session have."""

    policies: tuple[AppliedPolicy, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = {}
    """Context keys with their values."""
    absent: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    """Session policies that may apply and were not evaluated, in words."""


def pod_session(
    uses: Sequence[Use], session_name: str | None, role_tags: Sequence[tuple[str, str]], place: str
) -> PodSession:
    """Return what is known about a session by its only possible association; `place` is `PARTITION:ACCOUNT`."""
    pods = [use for use in uses if use.kind == "pod-identity"]
    if session_name is not None:
        pods = [use for use in pods if session_name.startswith(f"eks-{use.cluster}-")]
        is_certain = True
    else:
        is_certain = len(pods) == len(uses)
    if len(pods) == 1 and is_certain:
        return _session_of(pods[0], role_tags, place)
    limited_uses = [use for use in pods if use.session_policy is not None]
    return PodSession(
        unread=tuple(f"the session policy of {_association(use)}, which may apply" for use in limited_uses)
    )


def _session_of(use: Use, role_tags: Sequence[tuple[str, str]], place: str) -> PodSession:
    policies: tuple[AppliedPolicy, ...] = ()
    unread: tuple[str, ...] = ()
    if use.session_policy is not None:
        name = f"session policy of {_association(use)}"
        try:
            policies = (AppliedPolicy(name, None, parse_text(use.session_policy)),)
        except DocumentError:
            unread = (f"the {name}, which cannot be read",)
    tags = {f"{_TAG}{key}": (value,) for key, value in role_tags}
    absent: frozenset[str] = frozenset()
    if use.session_tags is None:
        tags = {}
    elif use.session_tags:
        partition, _, account = place.partition(":")
        tags |= {
            f"{_TAG}eks-cluster-arn": (f"arn:{partition}:eks:{use.region}:{account}:cluster/{use.cluster}",),
            f"{_TAG}eks-cluster-name": (use.cluster or "",),
            f"{_TAG}kubernetes-namespace": (use.namespace or "",),
            f"{_TAG}kubernetes-service-account": (use.service_account or "",),
        }
    else:
        # Then there are only the role's own tags.
        absent = frozenset({f"{_TAG}*"})
    return PodSession(policies, tags, absent, unread)


def _association(use: Use) -> str:
    return f"the Pod Identity association {use.namespace}/{use.service_account} of {use.cluster}"
