"""The roles of a cluster and its access entries as a tree, by what uses them."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from ekstui.eks.account_snapshot import Use
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.unseen import Branch, UseWay, branches
from ekstui.iam.text import counted
from ekstui.library.cluster_answers import ClusterAnswer, ClusterRole
from ekstui.present.blocks import (
    SEVERITY_STYLES,
    Block,
    Heading,
    Node,
    Span,
    Tree,
    code,
    last_used_words,
    policy_node,
    spans,
    without_path,
)
from ekstui.present.cluster_report import UNREAD_ROLE, allowed_words, no_entries_words
from ekstui.present.role_report import policy_kind

WAY_WORDS: dict[UseWay, str] = {
    "cluster": "cluster role",
    "nodegroup": "node groups",
    "self-managed-node": "self-managed nodes",
    "karpenter-node": "Karpenter nodes",
    "auto-mode-node": "Auto Mode nodes",
    "hybrid-node": "hybrid nodes",
    "hyperpod-node": "HyperPod nodes",
    "fargate": "Fargate profiles",
    "addon": "add-ons",
    "pod-identity": "Pod Identity",
    "pod-identity-target": "Pod Identity targets",
    "irsa": "IRSA",
    "issuer": "trust in the cluster's issuer that no service account fits",
    "capability": "capabilities",
}

Path = tuple[str, ...]
"""Where a node is in the tree; empty for the root."""


def branches_of(answer: ClusterAnswer) -> tuple[Branch, ...]:
    """Return the cluster's roles, by kind of use."""
    uses = {role.arn: role.uses for role in answer.roles}
    return branches(answer.cluster, uses, roles_complete=answer.roles_complete)


_ENTRIES: Path = ("entries",)


def paths_of(answer: ClusterAnswer) -> tuple[set[Path], set[Path]]:
    """Return the paths that can be unfolded: those of the cluster and the kinds of use, and those of the roles."""
    ways = branches_of(answer)
    return (
        {(), _ENTRIES, *((branch.way,) for branch in ways)},
        {(branch.way, arn) for branch in ways for arn, _ in branch.roles},
    )


def map_blocks(answer: ClusterAnswer, open_paths: Collection[Path], now: datetime) -> list[Block]:
    """Return the cluster as a tree, unfolded in the app as `open_paths` says; the Markdown has no account number."""
    cluster, ways = answer.cluster, branches_of(answer)
    roles = {role.arn: role for role in answer.roles}
    about = [cluster.region, *([cluster.version] if cluster.version else []), counted(len(answer.roles), "role")]
    nodes = [_branch(branch, roles, open_paths, now) for branch in ways if branch.roles or branch.unread]
    if nothing := [
        WAY_WORDS[branch.way] for branch in ways if not branch.roles and not branch.unread and branch.way != "issuer"
    ]:
        nodes.append(Node(Span(f"no roles: {', '.join(nothing)}", "muted"), key=("nothing",)))
    nodes.append(_entries(answer, open_paths))
    nodes += [
        Node(Span(f"not looked at: {text}", "warn"), key=(f"unseen {index}",))
        for index, text in enumerate(answer.not_looked_at)
    ]
    name = (Span(cluster.name, "strong"), Span(f"  {', '.join(about)}", "muted"))
    return [
        Heading(f"Roles of cluster {cluster.name} in {cluster.region}", 1),
        Tree([Node(name, nodes, cluster, (), opened=() in open_paths)]),
    ]


def _entries(answer: ClusterAnswer, open_paths: Collection[Path]) -> Node:
    """Return the cluster's access entries, and what each allows in Kubernetes."""
    title = Span("access entries", "strong")
    if answer.cluster.access_entries is None:
        words = no_entries_words(answer.cluster)
        return Node((title, Span(f"  {words}", "warn" if words == "not read" else "muted")), key=_ENTRIES)
    nodes = []
    for entry in answer.entries:
        kind = Span(f"  {entry.entry.kind or '?'}  ", "muted")
        line = (Span(without_path(entry.entry.principal_arn), "strong"), kind, *spans(allowed_words(entry.entry)))
        nodes.append(Node(line, (), entry, (*_ENTRIES, entry.entry.principal_arn)))
    count = Span(f"  {counted(len(nodes), 'entry', 'entries')}", "muted")
    return Node((title, count), nodes, answer.entries, _ENTRIES, opened=_ENTRIES in open_paths)


def _branch(branch: Branch, roles: dict[str, ClusterRole], open_paths: Collection[Path], now: datetime) -> Node:
    path = (branch.way,)
    failing = sum(any(finding.severity == "problem" for finding in roles[arn].findings) for arn, _ in branch.roles)
    line = (
        Span(WAY_WORDS[branch.way], "strong"),
        Span(f"  {counted(len(branch.roles), 'role')}" if branch.roles else "", "muted"),
        Span(f"  ! {failing} with a problem" if failing else "", "bad"),
        Span(_partly(branch), "warn"),
    )
    nodes = [_map_role(path, roles[arn], uses, open_paths, now) for arn, uses in branch.roles]
    if branch.unread:
        nodes.append(Node(Span(f"not looked at: {', '.join(branch.unread)}", "warn"), key=(*path, "unread")))
    return Node(line, nodes, branch, path, opened=path in open_paths)


def _partly(branch: Branch) -> str:
    if not branch.unread or branch.roles:
        return "  not all looked at" if branch.unread else ""
    return "  none seen, not all looked at" if branch.looked_at else "  not looked at"


def _map_role(
    parent: Path, role: ClusterRole, uses: Sequence[Use], open_paths: Collection[Path], now: datetime
) -> Node:
    path = (*parent, role.arn)
    line = [code(role.name, "strong")]
    counts = Counter(finding.severity for finding in role.findings)
    if counts["problem"]:
        line.append(Span(f"  ! {counted(counts['problem'], 'problem')}", SEVERITY_STYLES["problem"]))
    if counts["advice"]:
        line.append(Span(f"  ! {counts['advice']} advice", SEVERITY_STYLES["advice"]))
    if used_by := "; ".join(filter(None, map(_use_below, uses))):
        line.append(Span(f"  {used_by}"))
    if role.subject is None:
        line.append(Span("  not read", "warn"))
    else:
        last_use = last_used_words(role.subject.role, now).removesuffix(" ago")
        line.append(
            Span(f"  {counted(len(role.subject.policies), 'policy', 'policies')}, last used {last_use}", "muted")
        )
    return Node(tuple(line), _policies(path, role), role, path, opened=path in open_paths)


def _policies(path: Path, role: ClusterRole) -> list[Node]:
    subject = role.subject
    if subject is None:
        return [Node(Span(UNREAD_ROLE, "warn"), key=(*path, "unread"))]
    nodes = [policy_node(policy, _attached_kind(policy), (*path, str(n))) for n, policy in enumerate(subject.policies)]
    if subject.boundary:
        word = _attached_kind(subject.boundary).replace("attached", "permissions boundary")
        nodes.append(policy_node(subject.boundary, word, (*path, "boundary")))
    if not subject.known_whole:
        nodes.append(Node(Span("not looked at: what else is attached", "warn"), key=(*path, "unread")))
    elif not subject.policies:
        nodes.append(Node(Span("no policy is attached", "muted"), key=(*path, "none")))
    return nodes


def _attached_kind(policy: RolePolicy) -> str:
    return "inline" if policy.arn is None else f"attached, {policy_kind(policy)}"


def _use_below(use: Use) -> str:
    """Return what uses a role, without the kind of use and the cluster, which are shown above it."""
    is_named = use.kind in ("cluster", "fargate", "addon", "capability", "nodegroup", "karpenter-node")
    account = f"{use.namespace}/{use.service_account}" if use.service_account else ""
    word = use.name or "" if is_named else account
    return f"{word} (inferred)".lstrip() if use.certainty == "inferred" else word
