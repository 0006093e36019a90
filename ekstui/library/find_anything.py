"""Everything that can be found by name: policies, symptoms, and what is in the account's last snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ekstui.change.policy import version_label
from ekstui.eks.account_snapshot import AccountSnapshot, in_partition
from ekstui.eks.cluster import Cluster
from ekstui.eks.pods import PodPlace, workloads
from ekstui.eks.use_words import use_in_words
from ekstui.eks.uses import Uses
from ekstui.iam.reference import reference
from ekstui.iam.text import counted
from ekstui.library.access_policies import access_policies, kubernetes_requests
from ekstui.library.catalog import knowledge
from ekstui.library.library import Library
from ekstui.library.lookup import Catalogue, Thing, ThingKind
from ekstui.library.notation import RoleSide


def catalogue(
    library: Library,
    snapshot: AccountSnapshot | None = None,
    commands: Iterable[Thing] = (),
    *,
    uses: Uses | None = None,
    actions: Sequence[str] = (),
) -> Catalogue:
    """Return what can be found; `uses` of roles and names of all `actions`, 0.2 s each, may be added later."""
    partition = snapshot.identity.partition if snapshot else "aws"
    things = [*_policies(library)]
    for answer in access_policies():
        arn = in_partition(answer.arn, partition)
        things.append(Thing("access policy", answer.policy.name, answer.policy.text, arn, eks=True, value=answer))
    things += commands
    if snapshot is not None:
        things += _account(snapshot, uses or {})
    services = {prefix for notes in knowledge().policies.values() for prefix in notes.services}
    knowledge_of_eks = knowledge()
    return Catalogue(
        things,
        knowledge_of_eks.symptoms,
        reference().names,
        actions,
        services,
        kubernetes_requests,
        knowledge_of_eks.aliases,
        knowledge_of_eks.synonyms,
    )


def all_actions() -> tuple[str, ...]:
    """Return the names of all actions; the first call reads all services, 150 ms."""
    service_reference = reference()
    return tuple(
        action for service in service_reference.services() for action in service_reference.names(service).values()
    )


def _policies(library: Library) -> Iterator[Thing]:
    for entry in library.policies("any"):
        policy = entry.policy
        labels = tuple(version_label(info.number) for info in policy.versions)
        about = f"superseded by {entry.superseded_by}" if entry.superseded_by else entry.purpose or ""
        kind: ThingKind = "policy"
        releases: tuple[tuple[str, int], ...] = ()
        if component := entry.component:
            kind = "component"
            releases = tuple(
                (component.short(release), place)
                for place, version in enumerate(component.versions)
                for release in version.releases
            )
        is_known = entry.scope != "aws"
        yield Thing(kind, policy.name, about, policy.arn, is_known, versions=labels, releases=releases, value=entry)


def _account(snapshot: AccountSnapshot, uses: Uses) -> Iterator[Thing]:
    for cluster in snapshot.clusters:
        about = " · ".join(filter(None, (cluster.region, cluster.version)))
        yield Thing("cluster", cluster.name, about, cluster.arn or "", eks=True, value=cluster)
        yield from _pods(cluster)
    for role in snapshot.roles:
        role_uses = uses.get(role.arn, ()) if role.arn else ()
        about = ", ".join(dict.fromkeys(map(use_in_words, role_uses)))
        side = RoleSide(role.arn or role.name)
        yield Thing("role", role.name, about, role.arn or "", bool(role_uses), role.instance_profiles, value=side)
    for user in snapshot.users:
        groups = f", in {', '.join(user.groups)}" if user.groups else ""
        yield Thing(
            "user", user.name, f"{_policies_of(user.attached, user.inline)}{groups}", user.arn or "", value=user
        )
    for group in snapshot.groups:
        yield Thing("group", group.name, _policies_of(group.attached, group.inline), group.arn or "", value=group)
    for policy in snapshot.local_policies:
        about = f"{policy.default_version}, of account {snapshot.identity.account}"
        yield Thing("own policy", policy.name, about, policy.arn, value=policy)


def _pods(cluster: Cluster) -> Iterator[Thing]:
    """Yield a cluster's pods, what owns them, and its service accounts, as `ekstui pod` takes them."""
    facts = cluster.kubernetes
    if facts is None:
        return
    counts: Counter[str] = Counter()
    for group in workloads(facts.pods or ()):
        if group.kind != "Pod":
            counts[group.title] += len(group.pods)
        for pod in group.pods:
            name = f"{pod.namespace}/{pod.name}"
            yield Thing("pod", name, f"of {cluster.name}", eks=True, value=PodPlace(cluster.name, name))
        counts[f"{group.namespace}/sa/{group.service_account}"] += len(group.pods)
    for name, count in counts.items():
        kind: ThingKind = "service account" if name.split("/")[1] == "sa" else "pods"
        about = f"{counted(count, 'pod')} of {cluster.name}"
        namespace, _, last = name.split("/")
        # The name that most people type is the owner's.
        aliases = (f"{namespace}/{last}",) if kind == "pods" else ()
        yield Thing(kind, name, about, eks=True, aliases=aliases, value=PodPlace(cluster.name, name))


def _policies_of(*lists: Sequence[object]) -> str:
    return f"{counted(sum(map(len, lists)), 'policy', 'policies')} of its own"
