"""A cluster in the first seconds of an incident: what is wrong, what changed, its roles; the map of it; and all about a role."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ekstui.core.account import AccountSnapshot, Role, Use
from ekstui.core.document import Statement, serialise
from ekstui.core.eks import AccessEntry, Cluster, HealthIssue
from ekstui.core.eks_coverage import WAY_WORDS, Branch, branches
from ekstui.core.findings import Finding, RolePolicy
from ekstui.core.policy import version_label
from ekstui.core.text import clean_line, use_in_words
from ekstui.library import ClusterAnswer, ClusterRole, RoleAnswer
from ekstui.library.catalog import knowledge
from ekstui.library.cluster_answers import RECENT, worst_first
from ekstui.library.copies import CopyAnswer
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    joined,
    note,
)
from ekstui.present.policies import services_table
from ekstui.present.styled import Style, Styled, styled
from ekstui.present.words import TRACKED, counted, last_used_words, not_looked_at, policy_node, uses_words

TAG_SESSION = "sts:TagSession"

SEVERITIES: dict[str, Style] = {"problem": "bad", "advice": "warn", "note": "muted"}


CLUSTER_COLUMNS = (
    Column("Cluster", 12, share=1), Column("Region", 14), Column("Version", 7), Column("Mode", 9),
    Column("Problems", 8, right=True), Column("Advice", 6, right=True), Column("EKS says", 8, right=True),
)  # fmt: skip


def cluster_cells(cluster: Cluster, answer: ClusterAnswer | None = None, *, waiting: bool = True) -> tuple[Styled, ...]:
    """Return a cluster as a row of the table of clusters; without an answer what is wrong is not known, or not yet."""
    unknown = "…" if waiting else "?"
    mode = "?" if cluster.auto_mode is None else "Auto Mode" if cluster.auto_mode else "standard"
    counts = Counter(finding.severity for _, finding in worst_first(answer)) if answer else None
    problems, advice = (counts["problem"], counts["advice"]) if counts else (None, None)
    issues = len(cluster.all_issues)
    return (
        styled(clean_line(cluster.name), "strong"), styled(clean_line(cluster.region)),
        styled(clean_line(cluster.version or "?")), styled(mode, "muted"),
        styled(unknown if problems is None else str(problems), "bad" if problems else "muted"),
        styled(unknown if advice is None else str(advice), "warn" if advice else "muted"),
        styled(str(issues) if cluster.described else "?", "bad" if issues else "muted"),
    )  # fmt: skip


def clusters_blocks(snapshot: AccountSnapshot, answers: Sequence[ClusterAnswer]) -> list[Block]:
    """Return the account's clusters, a row each with how much is wrong."""
    facts = snapshot.eks
    if facts is None:
        found: Block = Sentence(Span("clusters were not read", "warn"))
    elif answers:
        rows = [
            TableRow(
                tuple(tuple(Span(text, style) for text, style in cell) for cell in cluster_cells(each.cluster, each)),
                each.cluster,
                each.cluster.place,
            )
            for each in answers
        ]
        found = Table(CLUSTER_COLUMNS, rows)
    else:
        found = Sentence(f"no cluster in {', '.join(facts.regions) or 'any region that was asked'}")
    account = f"account {snapshot.identity.account}, as of {snapshot.fetched_at:%Y-%m-%d %H:%M} UTC"
    return [Sentence(Span(account, "muted")), found, *not_looked_at(snapshot.not_looked_at)]


def cluster_blocks(
    answer: ClusterAnswer, known_until: datetime, now: datetime, opened: Collection[Hashable] | None = None
) -> list[Block]:
    """Return a cluster: the sum, what is wrong with the worst first, what AWS changed, then each role.

    `known_until` is the last day of which changes by AWS are known. Only what is `opened` shows its evidence and what
    would mend it; None shows all. No account number is in its Markdown, which goes to a channel that others read.
    """
    cluster = answer.cluster
    account = Span(f"account {answer.identity.account}, ", shown="terminal")
    work = [_issue(issue, ("issue", number), opened) for number, issue in enumerate(cluster.all_issues)]
    for number, (role, finding) in enumerate(worst_first(answer)):
        work.append(_finding(answer, role, finding, ("finding", number), opened))
    blocks: list[Block] = [
        Heading(f"Cluster {cluster.name} in {cluster.region}", 1),
        Sentence((account, Span(f"as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC", shown="outside"))),
        Sentence(_sum(answer, known_until, now)),
        Heading("What is wrong, the worst first"),
        Tree(work or [Node("nothing, as far as was looked at")]),
        Heading(f"Changed by AWS in the last {RECENT.days} days (policies are known until {known_until:%Y-%m-%d})"),
        *_recent(answer, known_until, now),
    ]
    for role in answer.roles:
        blocks += _cluster_role(role, now)
    blocks += _access(answer)
    blocks += not_looked_at(answer.not_looked_at)
    if not answer.complete:
        # Elsewhere the errors themselves are shown, which may name the account.
        blocks.append(note(Span("incomplete: not everything about this cluster was read", shown="markdown")))
    return blocks


def _access(answer: ClusterAnswer) -> list[Block]:
    """Return who may do what in Kubernetes, by the cluster's access entries."""
    mode = answer.cluster.authentication_mode or "mode not read"
    heading = Heading(f"Access entries ({mode})")
    if answer.cluster.access_entries is None:
        words = "none: the config map aws-auth counts" if mode == "CONFIG_MAP" else "not read"
        return [heading, Sentence(Span(words, "muted"))]
    rows = [
        TableRow(
            (
                Span(each.entry.principal_arn.partition(":")[2].rpartition(":")[2], "strong"),
                each.entry.kind or "?",
                _given(each.entry),
            ),
            each,
            ("entry", each.entry.principal_arn),
        )
        for each in answer.entries
    ]
    return [heading, Table((Column("Principal", middle=True), Column("Type"), Column("May", 16, shrink=1)), rows)]


def _given(entry: AccessEntry) -> Line:
    said: list[Line] = []
    for each in entry.policies or ():
        where = "the cluster" if each.namespaces is None else ", ".join(each.namespaces) or "no namespace"
        said.append((code(each.policy), Span(f" in {where}", "muted")))
    said += [(Span("group ", "muted"), group) for group in entry.groups]
    if entry.policies is None and entry.takes_policies:
        said.append(Span("access policies not read", "warn"))
    return joined("; ", said) or (Span("nothing by itself", "muted"),)


def _sum(answer: ClusterAnswer, known_until: datetime, now: datetime) -> tuple[str | Span, ...]:
    """Return how much is wrong in one line."""
    # Where nobody looked, none is no answer.
    changed = (
        f"AWS changed {len(answer.recent)} of its roles' policies in {RECENT.days} days · "
        if answer.recent or now - known_until <= RECENT
        else ""
    )
    counts = Counter(finding.severity for _, finding in worst_first(answer))
    roles = len(answer.roles)
    eks = len(answer.cluster.all_issues) if answer.cluster.described else "was not read"
    problems = counts["problem"]
    return (
        Span(f"{problems} problem{'' if problems == 1 else 's'}", "bad" if problems else "good"),
        (
            f", {counts['advice']} advice in {roles} role{'' if roles == 1 else 's'} · EKS reports {eks} · "
            f"{changed}policies as of {known_until:%Y-%m-%d}"
        ),
    )


def _issue(issue: HealthIssue, key: Hashable, opened: Collection[Hashable] | None) -> Node:
    line = (Span("EKS", "bad"), f" {issue.kind} {issue.name}: ", Span(issue.code, "bad"), f": {issue.message}")
    return Node(line, value=issue, key=key, opened=None if opened is None else key in opened)


def _finding(
    answer: ClusterAnswer, role: ClusterRole, finding: Finding, key: Hashable, opened: Collection[Hashable] | None
) -> Node:
    below = [Node(Span(each, "muted")) for each in finding.evidence]
    if remedy := remedy_of(answer, role, finding):
        below.append(Node((Span("to mend it: ", "muted"), code(remedy))))
    if role.subject is not None and opened is not None:
        below.append(Node((Span("all about ", "accent"), code(role.subject.role.name, "accent")), value=role))
    name = Span(role.arn.rpartition("/")[2], "strong")
    # Folded it is one sentence, so that more fits on the screen.
    text = finding.text if opened is None or key in opened else f"{finding.text.partition('. ')[0].rstrip('.')}."
    line = (
        Span(finding.severity, SEVERITIES[finding.severity]), Span(f" {finding.code}", "muted", shown="markdown"),
        "  ", name, f": {text}",
    )  # fmt: skip
    return Node(line, below, Work(role, finding, remedy), key, opened=None if opened is None else key in opened)


def remedy_of(answer: ClusterAnswer, role: ClusterRole, finding: Finding) -> str:
    """Return the command that mends a finding, by the narrowest policy that does; empty where there is none."""
    if finding.severity != "problem" or role.subject is None:
        return ""
    if finding.code == "trust-lacks-tag-session":
        return _trust_remedy(role.subject.role)
    arn = mending_policy(answer, finding)
    return f"aws iam attach-role-policy --role-name {role.subject.role.name} --policy-arn {arn}" if arn else ""


def mending_policy(answer: ClusterAnswer, finding: Finding) -> str | None:
    """Return the ARN of the narrowest policy that mends a finding, in the account's partition; None where none does."""
    return next((answer.arns[name] for name in finding.policies if name in answer.arns), None)


def _trust_remedy(role: Role) -> str:
    """Return the command that lets the services of EKS that need it tag the session, and leaves the trust as it is else."""
    needing = {each.principal for each in knowledge().trust if TAG_SESSION in each.actions}
    if role.trust is None:
        return ""
    statements = tuple(
        each._replace(actions=(*each.actions, TAG_SESSION)) if _assumed_by(each, needing) else each
        for each in role.trust.statements
    )
    if statements == role.trust.statements:
        return ""
    document = json.dumps(serialise(role.trust._replace(statements=statements)), separators=(",", ":"))
    return f"aws iam update-assume-role-policy --role-name {role.name} --policy-document {shlex.quote(document)}"


def _assumed_by(statement: Statement, services: Collection[str]) -> bool:
    """Return whether a statement of a trust policy lets one of the services assume the role, and tag no session."""
    actions = {action.lower() for action in statement.actions}
    return (
        statement.effect == "Allow"
        and statement.action_element == "Action"
        and statement.principal_element == "Principal"
        and "sts:assumerole" in actions
        and TAG_SESSION.lower() not in actions
        and any(
            principal.kind == "Service" and any(value.removesuffix(".cn") in services for value in principal.values)
            for principal in statement.principals
        )
    )


class Work(NamedTuple):
    """One thing to do about a cluster."""

    role: ClusterRole
    finding: Finding
    remedy: str
    """A command; empty where there is none."""


def findings_tree(findings: Sequence[Finding], key: str = "") -> Tree:
    """Return what is said about a role, each with its evidence below it."""
    return Tree(
        [
            Node(
                (
                    Span(finding.severity, SEVERITIES[finding.severity]),
                    Span(f" {finding.code}", "muted", shown="markdown"),
                    f": {finding.text}",
                ),
                [Node(Span(each, "muted")) for each in finding.evidence],
                finding,
                (key, "finding", index),
            )
            for index, finding in enumerate(findings)
        ]
    )


def _recent(answer: ClusterAnswer, known_until: datetime, now: datetime) -> list[Block]:
    if answer.recent:
        return [
            Tree(
                [
                    Node(
                        (
                            code(change.policy, "accent"),
                            f" v{change.version} on {change.created:%Y-%m-%d}: ",
                            *joined(", ", change.roles),
                        ),
                        value=change,
                        key=("recent", change.policy),
                    )
                    for change in answer.recent
                ]
            )
        ]
    if now - known_until > RECENT:
        # Nobody looked: that is not the same as that nothing changed.
        hint = Span(": r in the list of policies asks AWS for what is new", shown="app")
        command = Span(": ekstui sync asks AWS for what is new", shown="outside")
        return [note(("not known", hint, command))]
    return [Sentence(Span("no policy on this cluster's roles, as far as is known", "muted"))]


def _cluster_role(role: ClusterRole, now: datetime) -> list[Block]:
    name = (Span(role.arn.rpartition("/")[2], "strong"), Span(f"  {role.arn}", "muted", shown="terminal"))
    blocks: list[Block] = [Heading(name, 3, role, ("role", role.arn))]
    if role.uses:
        blocks.append(Sentence(uses_words(role.uses)))
    if role.subject is None:
        return [*blocks, Sentence(Span("not read: a role of another account, or one that is gone", "warn"))]
    attached = joined(", ", [code(policy.name) for policy in role.subject.policies]) or ("nothing",)
    used = f"; last used {last_used_words(role.subject.role, now)}"
    return [*blocks, Sentence(("attached: ", *attached, Span(used, "muted")))]


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
    nodes = [_map_role(path, roles[arn], uses, opened, now) for arn, uses in branch.roles]
    if branch.unread:
        nodes.append(Node(Span(f"not looked at: {', '.join(branch.unread)}", "warn"), key=(*path, "unread")))
    return Node(line, nodes, branch, path, opened=path in opened)


def _partly(branch: Branch) -> str:
    if not branch.unread:
        return ""
    if branch.roles:
        return "  not all looked at"
    return "  none seen, not all looked at" if branch.looked_at else "  not looked at"


def _map_role(parent: Path, role: ClusterRole, uses: Sequence[Use], opened: Collection[Path], now: datetime) -> Node:
    path = (*parent, role.arn)
    line = [code(role.arn.rpartition("/")[2], "strong")]
    counts = Counter(finding.severity for finding in role.findings)
    if counts["problem"]:
        line.append(Span(f"  ! {counted(counts['problem'], 'problem')}", SEVERITIES["problem"]))
    if counts["advice"]:
        line.append(Span(f"  ! {counts['advice']} advice", SEVERITIES["advice"]))
    if used_by := "; ".join(filter(None, map(_use_below, uses))):
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
    if policy.arn is None:
        return "inline"
    return f"attached, {'AWS managed' if policy.managed_by_aws else 'customer managed'}"


def _use_below(use: Use) -> str:
    """Return what uses a role, without the way, which stands above it, and the cluster."""
    if use.kind in ("cluster", "fargate", "addon", "capability", "nodegroup", "karpenter-node"):
        word = use.name or ""
    elif use.service_account:
        word = f"{use.namespace}/{use.service_account}"
    else:
        word = ""
    return f"{word} (inferred)".lstrip() if use.certainty == "inferred" else word


def role_blocks(answer: RoleAnswer, now: datetime) -> list[Block]:
    """Return all about a role."""
    subject = answer.subject
    role = subject.role
    as_of = Span(f"account {answer.identity.account}, as of {answer.fetched_at:%Y-%m-%d %H:%M} UTC", shown="terminal")
    blocks: list[Block] = [Heading(role.name, 1), Sentence(as_of)]
    if answer.findings:
        blocks += [Heading("Findings"), findings_tree(answer.findings)]
    blocks.append(Heading("Trust: who may assume it"))
    blocks += [Sentence(each) for each in answer.trust or ("nothing is known of its trust policy",)]
    blocks += [Heading("May do, all its policies together"), *_role_access(answer)]
    blocks += [Heading("Uses"), Tree([_use_node(use, index) for index, use in enumerate(subject.uses)])]
    if not subject.uses:
        blocks.append(Sentence(Span("EKS is not known to use it", "muted")))
    if subject.unseen:
        blocks.append(Sentence(Span(f"not looked at: {', '.join(subject.unseen)}", "muted")))
    policies = [policy_node(each, _policy_kind(each), ("policy", each.arn or each.name)) for each in subject.policies]
    if subject.boundary:
        policies.append(policy_node(subject.boundary, "permissions boundary", ("boundary", subject.boundary.name)))
    blocks += [Heading("Policies"), Tree(policies)]
    if answer.copies:
        blocks.append(Heading("Copies of what controllers publish"))
        blocks.append(Tree([_copy(each, role.name, number) for number, each in enumerate(answer.copies)]))
    if not subject.policies and role.extent == "full":
        blocks.append(Sentence(Span("none", "muted")))
    used = f"{last_used_words(role, now)} in {role.last_used_region}" if role.last_used else TRACKED
    about = [("ARN", role.arn or "not known"), ("last used", used)]
    if role.created:
        about.append(("created", f"{role.created:%Y-%m-%d}"))
    about += [("instance profile", profile) for profile in role.instance_profiles]
    about += [(f"tag {key}", value) for key, value in role.tags]
    if role.service_linked:
        about.append(("service-linked", "only its service changes it"))
    facts = [
        Node((Span(f"{word}: ", "muted"), text), value=text, key=("about", n)) for n, (word, text) in enumerate(about)
    ]
    return [*blocks, Heading("About"), Tree(facts)]


def _role_access(answer: RoleAnswer) -> Iterator[Block]:
    """Yield what the role may do in sum: a service a row, and what is left out of that or not known."""
    subject, access = answer.subject, answer.access
    if access.services:
        yield services_table(access.services)
    elif all(policy.document for policy in subject.policies):
        yield Sentence(Span("nothing", "muted"))
    if access.denied:
        yield Sentence(Span(f"{access.denied:,} actions are left out: a Deny of its own takes them away.", "muted"))
    if (boundary := subject.boundary) is not None:
        if boundary.document is None:
            yield note(f"The permissions boundary {boundary.name} could not be read: it may take away any of this.")
        else:
            text = f"Within the permissions boundary {boundary.name}"
            withheld = f", which withholds {access.withheld:,} more actions" if access.withheld else ""
            yield Sentence(Span(f"{text}{withheld}; its conditions are not weighed here.", "muted"))
    if unread := [policy.name for policy in subject.policies if policy.document is None]:
        yield note(f"{', '.join(unread)} could not be read: there may be more.")


def _copy(answer: CopyAnswer, role: str, number: int) -> Node:
    """Return what a policy is a copy of, how near it is, and what the newest release says otherwise."""
    copy, change = answer.copy, answer.change
    newest = version_label(copy.original.default_version)
    after = "means the same" if change.reach == "same" else change.verdict
    line = (
        code(copy.local.name),
        f" is like {copy.original.name} {version_label(copy.version)}: {copy.nearness:.0%} of the grants are the same. ",
        f"To {newest}: {after}. ",
        Span(f"ekstui diff role:{role} {copy.original.name}@{newest}", "muted", code=True, shown="outside"),
        Span("enter compares the role with it", "muted", shown="app"),
    )
    return Node(line, value=answer, key=("copy", number))


def _use_node(use: Use, index: int) -> Node:
    line: Line = (
        use_in_words(use),
        Span(f" in {use.region}" if use.region else "", "muted"),
        Span(f" · {use.remark}" if use.remark else "", "muted"),
    )
    return Node(line, value=use, key=("use", index))


def _policy_kind(policy: RolePolicy) -> str:
    return "inline" if policy.arn is None else "AWS managed" if policy.managed_by_aws else "customer managed"
