"""Who can do something: which policies allow it, and who in the account has them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ekstui.change.holders import WhoCan, nearest_actions
from ekstui.change.policy import Scope
from ekstui.errors import AccountError, EkstuiError, InputError
from ekstui.library.searching import who_can_answer
from ekstui.named_tuples import NamedTuple

# Only an account brings the modules about principals, and only a question about Kubernetes those about access policies.
if TYPE_CHECKING:
    from ekstui.eks.account_snapshot import AccountSnapshot
    from ekstui.eks.principals import PrincipalsCan
    from ekstui.library.access_policies import KubernetesHolders
    from ekstui.library.cluster_access import PrincipalsInClusters
    from ekstui.library.library import Library
    from ekstui.sources.levels import LayerFiles

ReadAccount: TypeAlias = "Callable[[], AccountSnapshot | None]"
"""Returns the account to ask about, which it may read first; None if none is known."""


class WhoCanAnswer(NamedTuple):
    """Which policies allow an action, and who in the account can do it."""

    policies: WhoCan
    near: tuple[str, ...] = ()
    """The actions nearest to one that nothing names; the answer then has nothing else."""
    principals: PrincipalsCan | None = None
    """None if no account was asked about, or for an error."""
    error: EkstuiError | None = None
    """Why it cannot be said who in the account can do it."""


class KubernetesAnswer(NamedTuple):
    """Which access policies allow a request in Kubernetes, and whose access entries have them."""

    holders: KubernetesHolders
    in_clusters: PrincipalsInClusters | None = None
    """None if no account was asked about, or it could not be read."""
    error: EkstuiError | None = None
    """Why no account could be asked about."""


def who_can_in_account(
    library: Library,
    action: str,
    resource: str | None = None,
    scope: Scope = "eks",
    *,
    types: bool = True,
    history: bool = True,
    account: ReadAccount | None,
    layers: Sequence[LayerFiles] = (),
) -> WhoCanAnswer:
    """Return who can do an action or pattern; only the nearest actions if nothing names it and some are near."""
    policies = who_can_answer(library, action, resource, scope, types=types, history=history)
    if not policies.is_named and (similar_actions := nearest_actions(policies.action)):
        # A pattern such as ec2:* allows a misspelt action too, so a list of policies would hide the mistake.
        return WhoCanAnswer(policies._replace(holders=()), similar_actions)
    if account is None:
        return WhoCanAnswer(policies)
    from ekstui.library.principals_can import principals_can

    try:
        principals = principals_can(library, action, resource, *layers) if account() is not None else None
    except (AccountError, InputError) as error:
        return WhoCanAnswer(policies, error=error)
    return WhoCanAnswer(policies, principals=principals)


def who_can_in_clusters(
    library: Library, request: str, *, account: ReadAccount | None, ask: bool = True
) -> KubernetesAnswer:
    """Return who may make a request in Kubernetes, by access entries, for which EKS is asked if need be.

    InputError for a request of another form.
    """
    from ekstui.library.access_policies import who_can_in_kubernetes

    holders = who_can_in_kubernetes(request)
    if account is None:
        return KubernetesAnswer(holders)
    from ekstui.library.cluster_access import principals_in_clusters

    policies = {access.policy.name for access, _ in holders.holders}
    try:
        account()
    except (AccountError, InputError) as error:
        return KubernetesAnswer(holders, error=error)
    return KubernetesAnswer(holders, principals_in_clusters(library, policies, ask=ask))
