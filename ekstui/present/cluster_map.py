"""A cluster as a tree: how roles are used, the roles, and what they carry; a node's key is its path from the root."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from ekstui.core.account import Use
from ekstui.core.eks_coverage import WAY_WORDS, Branch, branches
from ekstui.core.findings import CarriedPolicy
from ekstui.library import ClusterAnswer, ClusterRole
from ekstui.present.blocks import Block, Heading, Node, Span, Tree, code
from ekstui.present.cluster import SEVERITIES
from ekstui.present.words import counted, last_used_words, policy_node

Path = tuple[str, ...]
"""The root is the empty path."""


def branches_of(answer: ClusterAnswer) -> tuple[Branch, ...]:
    """Return the cluster's roles by how they are used."""
    uses = {role.arn: role.uses for role in answer.roles}
    return branches(answer.cluster, uses, roles_complete=answer.roles_complete)


def paths_of(answer: ClusterAnswer) -> tuple[set[Path], set[Path]]:
    """Return the paths that can be unfolded: those of the cluster and the ways, and those of the roles."""
    ways = branches_of(answer)
    return (
        {(), *((branch.way,) for branch in ways)},
        {(branch.way, arn) for branch in ways for arn, _ in branch.roles},
    )


def map_blocks(answer: ClusterAnswer, opened: Collection[Path], now: datetime) -> list[Block]:
    """Return the cluster as a tree, in the app as far as it is unfolded; what was not looked at stands in its place.

    No account number is in its Markdown.
    """
    cluster, ways = answer.cluster, branches_of(answer)
    roles = {role.arn: role for role in answer.roles}
    about = [cluster.region, *([cluster.version] if cluster.version else []), counted(len(answer.roles), "role")]
    nodes = [_branch(branch, roles, opened, now) for branch in ways if branch.roles or branch.unread]
    if nothing := [
        WAY_WORDS[branch.way] for branch in ways if not branch.roles and not branch.unread and branch.way != "issuer"
    ]:
        nodes.append(Node(Span(f"no roles: {', '.join(nothing)}", "muted"), key=("nothing",)))
    nodes += [
        Node(Span(f"not looked at: {text}", "warn"), key=(f"unseen {index}",))
        for index, text in enumerate(answer.not_looked_at)
    ]
    name = (Span(cluster.name, "strong"), Span(f"  {', '.join(about)}", "muted"))
    return [
        Heading(f"Roles of cluster {cluster.name} in {cluster.region}", 1),
        Tree([Node(name, nodes, cluster, (), opened=() in opened)]),
    ]


def _branch(branch: Branch, roles: dict[str, ClusterRole], opened: Collection[Path], now: datetime) -> Node:
    path = (branch.way,)
    failing = sum(any(each.severity == "problem" for each in roles[arn].findings) for arn, _ in branch.roles)
    line = (
        Span(WAY_WORDS[branch.way], "accent"),
        Span(f"  {counted(len(branch.roles), 'role')}" if branch.roles else "", "muted"),
        Span(f"  ! {failing} with a problem" if failing else "", "bad"),
        Span(_partly(branch), "warn"),
    )
    nodes = [_role(path, roles[arn], uses, opened, now) for arn, uses in branch.roles]
    if branch.unread:
        nodes.append(Node(Span(f"not looked at: {', '.join(branch.unread)}", "warn"), key=(*path, "unread")))
    return Node(line, nodes, branch, path, opened=path in opened)


def _partly(branch: Branch) -> str:
    if not branch.unread:
        return ""
    if branch.roles:
        return "  not all looked at"
    return "  none seen, not all looked at" if branch.looked_at else "  not looked at"


def _role(parent: Path, role: ClusterRole, uses: Sequence[Use], opened: Collection[Path], now: datetime) -> Node:
    path = (*parent, role.arn)
    line = [code(role.arn.rpartition("/")[2], "strong")]
    counts = Counter(finding.severity for finding in role.findings)
    if counts["problem"]:
        line.append(Span(f"  ! {counted(counts['problem'], 'problem')}", SEVERITIES["problem"]))
    if counts["advice"]:
        line.append(Span(f"  ! {counts['advice']} advice", SEVERITIES["advice"]))
    if used_by := "; ".join(filter(None, map(_use, uses))):
        line.append(Span(f"  {used_by}"))
    if role.subject is None:
        line.append(Span("  not read", "warn"))
    else:
        used = last_used_words(role.subject.role, now).removesuffix(" ago")
        line.append(Span(f"  {counted(len(role.subject.policies), 'policy', 'policies')}, last used {used}", "muted"))
    return Node(tuple(line), _policies(path, role), role, path, opened=path in opened)


def _policies(path: Path, role: ClusterRole) -> list[Node]:
    subject = role.subject
    if subject is None:
        words = "not read: a role of another account, or one that is gone"
        return [Node(Span(words, "warn"), key=(*path, "unread"))]
    nodes = [policy_node(policy, _kind(policy), (*path, str(n))) for n, policy in enumerate(subject.policies)]
    if subject.boundary:
        word = _kind(subject.boundary).replace("attached", "permissions boundary")
        nodes.append(policy_node(subject.boundary, word, (*path, "boundary")))
    if not subject.known_whole:
        nodes.append(Node(Span("not looked at: what else it carries", "warn"), key=(*path, "unread")))
    elif not subject.policies:
        nodes.append(Node(Span("it carries no policy", "muted"), key=(*path, "none")))
    return nodes


def _kind(policy: CarriedPolicy) -> str:
    if policy.arn is None:
        return "inline"
    return f"attached, {'AWS managed' if policy.managed_by_aws else 'customer managed'}"


def _use(use: Use) -> str:
    """Return what uses a role, without the way, which stands above it, and the cluster."""
    if use.kind in ("cluster", "fargate", "addon", "capability", "nodegroup", "karpenter-node"):
        word = use.name or ""
    elif use.service_account:
        word = f"{use.namespace}/{use.service_account}"
    else:
        word = ""
    return f"{word} (inferred)".lstrip() if use.certainty == "inferred" else word
