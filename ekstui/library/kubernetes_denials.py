"""Why Kubernetes forbade a request, as the access entries of a cluster tell it."""

from __future__ import annotations

from ekstui.denial.access_entries import ForbiddenExplanation, explain_forbidden, explain_unauthorized
from ekstui.denial.forbidden import Forbidden
from ekstui.eks.cluster import Cluster
from ekstui.library.access_policies import access_rules
from ekstui.library.catalog import knowledge
from ekstui.library.cluster_facts import cluster_meant
from ekstui.library.library import Library
from ekstui.named_tuples import NamedTuple


class KubernetesCase(NamedTuple):
    """The cluster that refused."""

    library: Library
    name: str | None
    """As the user names it; None for the only one that is known."""
    cluster: Cluster | None

    def forbidden(self, forbidden: Forbidden, times: int) -> ForbiddenExplanation:
        """Return why a request was forbidden."""
        reserved_names = [policy.name for policy in knowledge().access_policies.values() if policy.reserved]
        answer = explain_forbidden(forbidden, self.cluster, access_rules(), reserved_names, named=self.name is not None)
        return self._with_date(answer)._replace(times=times)

    def unauthorized(self, principal: str | None) -> ForbiddenExplanation | None:
        """Return why the cluster does not know a principal; None without a cluster."""
        return None if self.cluster is None else self._with_date(explain_unauthorized(principal, self.cluster))

    def _with_date(self, answer: ForbiddenExplanation) -> ForbiddenExplanation:
        snapshot = self.library.account.last_snapshot() if self.cluster else None
        return answer._replace(fetched_at=snapshot.fetched_at if snapshot else None)


def kubernetes_case(library: Library, name: str | None) -> KubernetesCase:
    """Return the case of the named cluster, or the only one that is known; NotFoundError for an unknown name."""
    return KubernetesCase(library, name, cluster_meant(library, name))
