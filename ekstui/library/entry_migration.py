"""What replaces the ConfigMap aws-auth of a cluster: access entries, access policies and RBAC."""

from __future__ import annotations

from datetime import UTC, datetime

from ekstui.eks.commands import Command
from ekstui.eks.entry_migration import MigrationContext, ReplacedLine, change_of_mode, replaced_lines
from ekstui.eks.rbac import Binding
from ekstui.errors import AccountError
from ekstui.library.access_policies import access_policies
from ekstui.library.cluster_facts import find_cluster
from ekstui.library.library import Library
from ekstui.library.roles import account_context
from ekstui.named_tuples import NamedTuple


class EntriesAnswer(NamedTuple):
    """What replaces the lines of a cluster's ConfigMap aws-auth."""

    cluster: str
    region: str
    authentication_mode: str | None
    read_at: datetime
    """When the ConfigMap was read."""
    rbac_read: bool
    """Whether the roles and bindings of the cluster were read too."""
    change_of_mode: tuple[Command, ...]
    """What makes access entries count, to be run in this order; empty if they do."""
    lines: tuple[ReplacedLine, ...]


def entries_answer(library: Library, name: str, bindings: tuple[Binding, ...] | None) -> EntriesAnswer:
    """Return what replaces each line of aws-auth as it was read last, by the RBAC's bindings if known.

    AccountError if it was not read.
    """
    snapshot = library.account.last_snapshot_or_error()
    cluster = find_cluster(name, None, snapshot)
    facts = cluster.kubernetes
    if facts is None or facts.mappings is None:
        raise AccountError(
            f"The ConfigMap aws-auth of cluster {name} was not read.",
            f"kubectl get cm aws-auth -n kube-system -o json | ekstui cluster {name} --entries --kubernetes -",
        )
    rules = {
        policy.policy.name: policy.rules
        for policy in access_policies()
        if policy.rules is not None and not policy.policy.reserved
    }
    principals = account_context(snapshot, datetime.now(UTC)).principals
    identity = snapshot.identity
    context = MigrationContext(cluster, identity.account, identity.partition, principals, bindings, rules)
    lines = replaced_lines(context)
    mode = cluster.authentication_mode
    return EntriesAnswer(
        cluster.name, cluster.region, mode, facts.read_at, bindings is not None, change_of_mode(cluster), lines
    )
