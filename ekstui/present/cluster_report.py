"""The account's clusters; of one, what is wrong, what changed, its roles, pods and access entries."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime

from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.cluster import AccessEntry, Cluster
from ekstui.eks.commands import one_line
from ekstui.eks.findings.looking import table, worst_first
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.findings.table import Finding
from ekstui.eks.pod_credentials import credentials_in_words
from ekstui.eks.pods import PodPlace
from ekstui.iam.text import clean_line, counted
from ekstui.library.cluster_answers import (
    RECENT,
    ClusterAnswer,
    ClusterRole,
    CommonCause,
    RecentChange,
    findings_worst_first,
)
from ekstui.present.account_report import unread_blocks
from ekstui.present.blocks import (
    SEVERITY_STYLES,
    Block,
    Column,
    Heading,
    Line,
    Node,
    Part,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    as_of_words,
    code,
    finding_line,
    folded,
    joined,
    last_used_words,
    muted,
    none_known,
    note,
    places_words,
    severity_sign,
    uses_words,
    without_path,
)
from ekstui.present.causes import areas_line, causes_blocks, counts_line, known_words, on_the_account
from ekstui.present.styled import Styled, styled

CLUSTER_COLUMNS = (
    Column("Cluster", 12, share=1), Column("Region", 14), Column("Version", 7), Column("Mode", 9),
    Column("Problems", 8, right=True), Column("Advice", 6, right=True), Column("EKS reports", 11, right=True),
)  # fmt: skip

UNREAD_ROLE = "not read: a role of another account, or a deleted one"


def cluster_cells(cluster: Cluster, answer: ClusterAnswer | None = None, *, waiting: bool = True) -> tuple[Styled, ...]:
    """Return a cluster as a row of the table of clusters; without an answer its counts are `…` while `waiting`, else `?`."""
    unknown = "…" if waiting else "?"
    mode = "?" if cluster.auto_mode is None else "Auto Mode" if cluster.auto_mode else "standard"
    problems, advice = (answer.count("problem"), answer.count("advice")) if answer else (None, None)
    issues = len(cluster.all_issues)
    judged = answer is not None and not answer.not_judged
    return (
        styled(clean_line(cluster.name), "strong"), styled(clean_line(cluster.region)),
        styled(clean_line(cluster.version or "?")), styled(mode, "muted"),
        styled(known_words(problems, whole=judged) if answer else unknown, "bad" if problems else "muted"),
        styled(known_words(advice, whole=judged) if answer else unknown, "warn" if advice else "muted"),
        styled(known_words(issues, whole=cluster.issues_known), "bad" if issues else "muted"),
    )  # fmt: skip


def clusters_blocks(snapshot: AccountSnapshot, answers: Sequence[ClusterAnswer]) -> list[Block]:
    """Return one row per cluster of the account, with its number of problems."""
    block: Block = Sentence(none_known(snapshot))
    if answers:
        rows = [
            TableRow(
                tuple(
                    tuple(Span(text, style) for text, style in cell) for cell in cluster_cells(answer.cluster, answer)
                ),
                answer.cluster,
                answer.cluster.place,
            )
            for answer in answers
        ]
        block = Table(CLUSTER_COLUMNS, rows)
    account = f"account {snapshot.identity.account}, {as_of_words(snapshot.fetched_at)}"
    return [*_sum_of_clusters(answers), muted(account), block, *unread_blocks(snapshot)]


def _sum_of_clusters(answers: Sequence[ClusterAnswer]) -> Iterator[Block]:
    """Yield how many problems there are, and in how many of the clusters."""
    problems = [answer.count("problem") or 0 for answer in answers]
    failing = sum(map(bool, problems))
    judged = not any(answer.not_judged for answer in answers)
    if failing:
        text = f"{'' if judged else 'at least '}{counted(sum(problems), 'problem')} in {failing} of {counted(len(answers), 'cluster')}"
        yield Sentence(Span(text, "bad"))
    elif answers:
        text = (
            f"no problem found in {counted(len(answers), 'cluster')}"
            if judged
            else "cannot tell: not everything was read"
        )
        yield Sentence(Span(text, "good" if judged else "warn"))


def cluster_blocks(
    answer: ClusterAnswer, known_until: datetime, now: datetime, opened: Collection[Hashable] | None = None
) -> list[Block]:
    """Return how many problems there are and where, one row a cause, what AWS changed, then roles and access entries.

    `known_until` is the last day of which changes by AWS are known. Only what is in `opened` is unfolded; None unfolds
    all. The Markdown has no account number, since it goes to a channel that others read.
    """
    cluster = answer.cluster
    account = Span(f"account {answer.identity.account}, ", media="terminal")
    blocks: list[Block] = [
        Heading(f"Cluster {cluster.name} in {cluster.region}: {_verdict(answer)}", 1),
        Sentence((account, Span(as_of_words(answer.fetched_at), media="outside"), _kubernetes_words(answer))),
        Sentence(counts_line(answer)),
        Sentence(areas_line(answer)),
        *([note(f"not judged: {', '.join(answer.not_judged)}")] if answer.not_judged else []),
        *(note(trouble) for trouble in (cluster.kubernetes.trouble if cluster.kubernetes else ())),
        *on_the_account(answer),
        *causes_blocks(answer, opened),
        *_recent(answer, known_until, now),
    ]
    if answer.not_judged or answer.errors:
        # The app shows the errors themselves, and the command line prints them on stderr; they may name the account.
        failed = dict.fromkeys(f"{error.action or error.source}: {error.kind}" for error in answer.errors)
        why = [Node(Span(cause, "muted", media="outside")) for cause in failed]
        blocks += [Heading("Could not be read"), Tree([*map(Node, answer.not_judged), *why])]
    roles = f"{counted(len(answer.roles), 'role')}: what uses each"
    parts = [Part(("part", "roles"), roles, [_roles_table(answer.roles, now)])]
    if answer.pods is not None:
        count = sum(len(pods.workload.pods) for pods in answer.pods)
        parts.append(Part(("part", "pods"), f"{counted(count, 'pod')}: what they use", [_pods_table(answer)]))
    mode = cluster.authentication_mode or "mode not read"
    if cluster.access_entries is None:
        blocks.append(muted(f"access entries ({mode}): {no_entries_words(cluster)}"))
    else:
        entries = f"{counted(len(answer.entries), 'access entry', 'access entries')} ({mode})"
        parts.append(Part(("part", "entries"), entries, [_entries_table(answer)]))
    unseen = Tree([Node(Span(place, "muted")) for place in answer.not_looked_at])
    parts.append(Part(("part", "unseen"), f"not looked at ({len(answer.not_looked_at)})", [unseen]))
    return blocks + folded(parts, opened, besides="evidence and commands")


def _kubernetes_words(answer: ClusterAnswer) -> Span:
    """Return when its Kubernetes was read."""
    when = answer.kubernetes_read_at
    return Span(f", Kubernetes {as_of_words(when)}" if when else "", media="outside")


def _pods_table(answer: ClusterAnswer) -> Table:
    """Return one row per owner of pods that were given the same: what they use, and the worst of what is wrong."""
    rows = []
    for pods in answer.pods or ():
        workload = pods.workload
        worst = next(iter(worst_first(pods.findings)), None)
        sign = severity_sign(worst.severity) if worst else Span(" ")
        used = pods.credentials[0] if pods.credentials else None
        rows.append(
            TableRow(
                (
                    sign, Span(workload.title, "strong"), Span(f"{len(workload.pods)}"),
                    credentials_in_words(used) if used else "no container", worst.title if worst else "",
                ),
                PodPlace(answer.cluster.name, workload.title),
                ("pods", workload.title, workload.service_account, workload.containers),
            )
        )  # fmt: skip
    columns = (
        Column("", 1), Column("Owner", 16, names=True, shrink=1), Column("Pods", 4, right=True), Column("Use", 12, shrink=2),
        Column("What is wrong", 12, shrink=3),
    )  # fmt: skip
    return Table(columns, rows, one_line=True)


def _roles_table(roles: Sequence[ClusterRole], now: datetime) -> Table:
    """Return one row per role: what uses it, what is attached, and when it was last used."""
    rows = []
    for role in roles:
        name = Span(role.name, "strong")
        uses = uses_words(role.uses) or "–"
        if role.subject is None:
            rows.append(TableRow((name, uses, Span(UNREAD_ROLE, "warn"), ""), role, ("role", role.arn)))
            continue
        attached = joined(", ", [code(policy.name) for policy in role.subject.policies]) or ("nothing",)
        used = last_used_words(role.subject.role, now)
        rows.append(TableRow((name, uses, attached, Span(used, "muted")), role, ("role", role.arn)))
    columns = (
        Column("Role", 12, names=True, shrink=1), Column("Used by", 16, shrink=2), Column("Attached", 16, shrink=3),
        Column("Last used", 6),
    )  # fmt: skip
    return Table(columns, rows)


def _entries_table(answer: ClusterAnswer) -> Table:
    """Return the cluster's access entries, and what each allows in Kubernetes."""
    rows = [
        TableRow(
            (Span(without_path(item.entry.principal_arn), "strong"), item.entry.kind or "?", allowed_words(item.entry)),
            item,
            ("entry", item.entry.principal_arn),
        )
        for item in answer.entries
    ]
    # What an entry allows is the answer: the principal's name is cut first.
    columns = (Column("Principal", 20, names=True, shrink=2), Column("Type"), Column("May", 16, shrink=1))
    return Table(columns, rows)


def no_entries_words(cluster: Cluster) -> str:
    """Return why a cluster's access entries are not known."""
    using_map = cluster.authentication_mode == "CONFIG_MAP"
    return "none: the cluster uses the aws-auth ConfigMap" if using_map else "not read"


def allowed_words(entry: AccessEntry) -> Line:
    """Return what an entry allows: access policies and where, then groups."""
    lines: list[Line] = [
        (code(policy.policy), Span(f" in {places_words(policy.namespaces)}", "muted"))
        for policy in entry.policies or ()
    ]
    lines += [(Span("group ", "muted"), group) for group in entry.groups]
    if entry.policies is None and entry.takes_policies:
        lines.append(Span("access policies not read", "warn"))
    return joined("; ", lines) or (Span("nothing by itself", "muted"),)


def _verdict(answer: ClusterAnswer) -> str:
    named = [(f"{subject.name}: ", finding) for subject, finding in findings_worst_first(answer)]
    return verdict_words(named, [f"{part} was" for part in answer.not_judged])


def findings_blocks() -> list[Block]:
    """Return the findings that ekstui looks for: codes, worst severities, titles and what they mean."""
    nodes = [
        Node(
            (Span(entry.severity, SEVERITY_STYLES[entry.severity]), "  ", code(entry.code), f"  {entry.title}"),
            [
                Node(Span(text, "muted"))
                for text in (entry.meaning, entry.change and f"To fix it: {entry.change}.")
                if text
            ],
        )
        for entry in table().values()
    ]
    return [Heading("What ekstui looks for in roles, access entries and clusters", 1), Tree(nodes)]


def verdict_words(findings: Sequence[tuple[str, Finding]], unread: Sequence[str] = ()) -> str:
    """Return how many problems there are and which is the first, as the end of a heading.

    Each finding has the name of what it is about. `unread` is what could not be read and so may have more.
    """
    problems = [(name, finding) for name, finding in findings if finding.severity == "problem"]
    if not problems:
        return f"cannot tell: {unread[0]} not read" if unread else "no problem found"
    name, first = problems[0]
    more = "at least " if unread else ""
    return f"{more}{counted(len(problems), 'problem')}, {'first: ' if problems[1:] else ''}{name}{first.title}"


def about_line(value: object) -> Line:
    """Return the details of what a row of a cluster or role is about; empty if there are none."""
    match value:
        case CommonCause(cases=cases):
            subject, finding = cases[0]
            fix = f"  y copies: {one_line(finding.commands)}" if finding.commands else ""
            more = f" and {len(cases) - 1} more" if cases[1:] else ""
            return code(subject.arn, "strong"), more, Span(fix, "muted"), f"  {finding.text}"
        case ClusterRole(arn=arn, uses=uses, findings=findings):
            wrong = joined("; ", [finding_line(finding, finding.text) for finding in findings])
            return code(arn, "strong"), "  ", *(wrong or (uses_words(uses),))
        case RecentChange(policy=policy, roles=roles):
            return code(policy, "strong"), Span(f"  attached to {', '.join(roles)}", "muted")
        case RolePolicy(name=name, arn=arn):
            return code(name, "strong"), Span(f"  {arn or 'inline'}", "muted")
        case Finding(text=text, evidence=evidence):
            return text, Span(f"  {'; '.join(evidence)}", "muted")
        case _:
            return ()


def _recent(answer: ClusterAnswer, known_until: datetime, now: datetime) -> list[Block]:
    what = f"Changed by AWS in the last {RECENT.days} days (policies known until {known_until:%Y-%m-%d})"
    if answer.recent:
        return [Heading(what), Tree([*map(_change, answer.recent)])]
    if now - known_until > RECENT:
        # That nobody looked does not mean that nothing changed.
        if answer.identity.method == "demo":
            return [muted(f"{what}: not known, since the demo cannot renew the policies")]
        return [note((f"{what}: not known; ekstui sync asks for what is new",))]
    return [muted(f"{what}: none of the policies on this cluster's roles")]


def _change(change: RecentChange) -> Node:
    version = f" v{change.version} on {change.created:%Y-%m-%d}: "
    line = (code(change.policy, "strong"), version, *joined(", ", change.roles))
    return Node(line, value=change, key=("recent", change.policy))
