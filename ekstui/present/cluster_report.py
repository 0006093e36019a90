"""The account's clusters; of one, what is wrong, what changed, its roles, pods and access entries."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from datetime import datetime

from ekstui.eks.account_snapshot import AccountSnapshot, UseKind
from ekstui.eks.cluster import AccessEntry, Cluster
from ekstui.eks.commands import one_line
from ekstui.eks.findings.looking import table, worst_first
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.eks.findings.table import SEVERITIES, TITLE_WIDTH, Finding
from ekstui.eks.pod_credentials import credentials_in_words
from ekstui.eks.pods import PodPlace
from ekstui.eks.use_words import use_in_words
from ekstui.iam.text import counted
from ekstui.library.cluster_answers import (
    RECENT,
    ClusterAnswer,
    ClusterRole,
    CommonCause,
    RecentChange,
    causes,
    findings_worst_first,
)
from ekstui.present.account_report import CLUSTER_COLUMNS, cluster_cells, unread_blocks
from ekstui.present.blocks import (
    SEVERITY_SIGNS,
    SEVERITY_STYLES,
    Block,
    Code,
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
    finding_nodes,
    folded,
    joined,
    known_words,
    last_used_words,
    muted,
    none_known,
    note,
    places_words,
    severity_sign,
    spans,
    uses_words,
    without_path,
)

JUDGED_COLUMNS = (
    *CLUSTER_COLUMNS[:-1], Column("Problems", 8, right=True), Column("Advice", 6, right=True), CLUSTER_COLUMNS[-1],
)  # fmt: skip

_CAUSES = (
    Column("", 1), Column("What", TITLE_WIDTH), Column("Role or workload", 12, names=True, shrink=2),
    Column("Used by", 20, shrink=2, yields=True),
)  # fmt: skip

UNREAD_ROLE = "not read: a role of another account, or a deleted one"

_NAMED = 2
"""How many roles, or uses, a row names before it counts the rest."""

_AREAS: dict[str, tuple[UseKind, ...]] = {
    "control plane": ("cluster",),
    "nodes": (
        "nodegroup", "self-managed-node", "karpenter-node", "hybrid-node", "hyperpod-node", "auto-mode-node", "fargate",
    ),
    "add-ons": ("addon", "capability"),
    "Pod Identity": ("pod-identity", "pod-identity-target"),
    "IRSA": ("irsa",),
}  # fmt: skip

_WORST_FIRST = "✗!·?✓"

_MOST_SIGNS = 12
"""The most signs of an area; of more, each kind is counted."""


def judged_cells(cluster: Cluster, answer: ClusterAnswer | None = None, *, waiting: bool = True) -> tuple[Span, ...]:
    """Return a cluster as a row of the table; without an answer its counts are `…` while `waiting`, else `?`."""
    counts = answer.counts if answer else {}
    problems, advice = counts.get("problem"), counts.get("advice")
    unknown, is_judged = "…" if waiting else "?", answer is not None and not answer.not_judged
    *cells, issues = cluster_cells(cluster)
    return (
        *cells,
        Span(known_words(problems, is_whole=is_judged) if answer else unknown, "bad" if problems else "muted"),
        Span(known_words(advice, is_whole=is_judged) if answer else unknown, "warn" if advice else "muted"),
        issues,
    )


def clusters_blocks(snapshot: AccountSnapshot, answers: Sequence[ClusterAnswer]) -> list[Block]:
    """Return one row per cluster of the account, with its number of problems."""
    block: Block = Sentence(none_known(snapshot))
    if answers:
        rows = [
            TableRow(judged_cells(answer.cluster, answer), answer.cluster, answer.cluster.place) for answer in answers
        ]
        block = Table(JUDGED_COLUMNS, rows)
    account = f"account {snapshot.identity.account}, {as_of_words(snapshot.fetched_at)}"
    return [*_sum_of_clusters(answers), muted(account), block, *unread_blocks(snapshot)]


def _sum_of_clusters(answers: Sequence[ClusterAnswer]) -> Iterator[Block]:
    """Yield how many problems there are, and in how many of the clusters."""
    problems = [answer.counts["problem"] or 0 for answer in answers]
    failing = sum(map(bool, problems))
    is_judged = not any(answer.not_judged for answer in answers)
    if failing:
        text = (
            f"{'' if is_judged else 'at least '}{counted(sum(problems), 'problem')} in {failing} of "
            f"{counted(len(answers), 'cluster')}"
        )
        yield Sentence(Span(text, "bad"))
    elif answers:
        text = (
            f"no problem found in {counted(len(answers), 'cluster')}"
            if is_judged
            else "cannot tell: not everything was read"
        )
        yield Sentence(Span(text, "good" if is_judged else "warn"))


def cluster_blocks(
    answer: ClusterAnswer, known_until: datetime, now: datetime, open_keys: Collection[Hashable] | None = None
) -> list[Block]:
    """Return how many problems there are and where, one row a cause, what AWS changed, then roles and access entries.

    `known_until` is the last day of which changes by AWS are known. Only what is in `open_keys` is unfolded; None
    unfolds all. The Markdown has no account number, since it goes to a channel that others read.
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
        *causes_blocks(answer, open_keys),
        *_recent(answer, known_until, now),
    ]
    if answer.not_judged or answer.errors:
        # The app shows the errors themselves, and the command line prints them on stderr; they may name the account.
        error_kinds = dict.fromkeys(f"{error.action or error.source}: {error.kind}" for error in answer.errors)
        error_nodes = [Node(Span(cause, "muted", media="outside")) for cause in error_kinds]
        blocks += [Heading("Could not be read"), Tree([*map(Node, answer.not_judged), *error_nodes])]
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
    return blocks + folded(parts, open_keys, besides="evidence and commands")


def _kubernetes_words(answer: ClusterAnswer) -> Span:
    """Return when its Kubernetes was read."""
    read_at = answer.kubernetes_read_at
    return Span(f", Kubernetes {as_of_words(read_at)}" if read_at else "", media="outside")


def _pods_table(answer: ClusterAnswer) -> Table:
    """Return one row per owner of pods that were given the same: what they use, and the worst of what is wrong."""
    rows = []
    for pods in answer.pods or ():
        workload = pods.workload
        worst = next(iter(worst_first(pods.findings)), None)
        sign = severity_sign(worst.severity) if worst else Span(" ")
        first_use = pods.credentials[0] if pods.credentials else None
        rows.append(
            TableRow(
                (
                    sign, Span(workload.title, "strong"), Span(f"{len(workload.pods)}"),
                    credentials_in_words(first_use) if first_use else "no container", worst.title if worst else "",
                ),
                PodPlace(answer.cluster.name, workload.title),
                ("pods", workload.title, workload.service_account, workload.containers),
            )
        )  # fmt: skip
    columns = (
        Column("", 1), Column("Owner", 16, names=True, shrink=1), Column("Pods", 4, right=True),
        Column("Use", 12, shrink=2),
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
        policies = joined(", ", [code(policy.name) for policy in role.subject.policies]) or ("nothing",)
        last_use = last_used_words(role.subject.role, now)
        rows.append(TableRow((name, uses, policies, Span(last_use, "muted")), role, ("role", role.arn)))
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
    # The heading begins with the cluster's own name.
    named_findings = [
        ("" if subject.about == "cluster" else f"{subject.name}: ", finding)
        for subject, finding in findings_worst_first(answer)
    ]
    return verdict_words(named_findings, [f"{part} was" for part in answer.not_judged])


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
    at_least = "at least " if unread else ""
    return f"{at_least}{counted(len(problems), 'problem')}, {'first: ' if problems[1:] else ''}{name}{first.title}"


def about_line(value: object) -> Line:
    """Return the details of what a row of a cluster or role is about; empty if there are none."""
    match value:
        case CommonCause(cases=cases):
            subject, finding = cases[0]
            fix = f"  y copies: {one_line(finding.commands)}" if finding.commands else ""
            remainder = f" and {len(cases) - 1} more" if cases[1:] else ""
            return code(subject.arn, "strong"), remainder, Span(fix, "muted"), f"  {finding.text}"
        case ClusterRole(arn=arn, uses=uses, findings=findings):
            findings_line = joined("; ", [finding_line(finding, finding.text) for finding in findings])
            return code(arn, "strong"), "  ", *(findings_line or (uses_words(uses),))
        case RecentChange(policy=policy, roles=roles):
            return code(policy, "strong"), Span(f"  attached to {', '.join(roles)}", "muted")
        case RolePolicy(name=name, arn=arn):
            return code(name, "strong"), Span(f"  {arn or 'inline'}", "muted")
        case Finding(text=text, evidence=evidence):
            return text, Span(f"  {'; '.join(evidence)}", "muted")
        case _:
            return ()


def _recent(answer: ClusterAnswer, known_until: datetime, now: datetime) -> list[Block]:
    title = f"Changed by AWS in the last {RECENT.days} days (policies known until {known_until:%Y-%m-%d})"
    if answer.recent:
        return [Heading(title), Tree([*map(_change, answer.recent)])]
    if now - known_until > RECENT:
        # That nobody looked does not mean that nothing changed.
        if answer.identity.method == "demo":
            return [muted(f"{title}: not known, since the demo cannot renew the policies")]
        return [note((f"{title}: not known; ekstui sync asks for what is new",))]
    return [muted(f"{title}: none of the policies on this cluster's roles")]


def _change(change: RecentChange) -> Node:
    version = f" v{change.version} on {change.created:%Y-%m-%d}: "
    line = (code(change.policy, "strong"), version, *joined(", ", change.roles))
    return Node(line, value=change, key=("recent", change.policy))


def counts_line(answer: ClusterAnswer) -> tuple[Span | str, ...]:
    """Return how many problems, advice and notes there are, each with its sign, and how many EKS reports."""
    is_judged = not answer.not_judged
    parts: list[Span | str] = [Span(f"{answer.cluster.name} {answer.cluster.version or ''}".rstrip(), "strong")]
    for severity, count in answer.counts.items():
        words = known_words(count, is_whole=is_judged)
        noun = severity if severity == "advice" or (count == 1 and is_judged) else f"{severity}s"
        style = SEVERITY_STYLES[severity] if count else "good" if is_judged else "warn"
        parts += ["   ", Span(f"{SEVERITY_SIGNS[severity]} {words} {noun}", style)]
    issues = known_words(len(answer.cluster.all_issues), is_whole=answer.cluster.issues_known)
    return (*parts, "   ", Span(f"EKS reports {issues}", "muted"))


def areas_line(answer: ClusterAnswer) -> tuple[Span | str, ...]:
    """Return, for each kind of use, one sign a role: its worst finding, ✓ if there is none, ? if it was not read."""
    parts: list[Line] = []
    for area, kinds in _AREAS.items():
        signs = [_role_sign(role) for role in answer.roles if any(use.kind in kinds for use in role.uses)]
        if area == "control plane":
            signs = [*(severity_sign(finding.severity) for finding in answer.findings), *signs]
        parts += _area(area, signs)
    parts += _area("pods", [_worst(pods.findings) for pods in answer.pods or ()])
    parts += _area("entries", [_worst(entry.findings) for entry in answer.entries])
    return joined("  ", parts)


def _area(area: str, signs: Sequence[Span]) -> Iterator[Line]:
    label = area.replace(" ", "\N{NO-BREAK SPACE}")
    if len(signs) > _MOST_SIGNS:
        counts = sorted(Counter(signs).items(), key=lambda counted_sign: _WORST_FIRST.find(counted_sign[0].text))
        sign_counts = [sign._replace(text=f"\N{NO-BREAK SPACE}{sign.text}{count}") for sign, count in counts]
        yield (label, *sign_counts)
    elif signs:
        yield (f"{label}\N{NO-BREAK SPACE}", *signs)


def _role_sign(role: ClusterRole) -> Span:
    return Span("?", "warn") if role.subject is None and not role.findings else _worst(role.findings)


def _worst(findings: Sequence[Finding]) -> Span:
    severities = [finding.severity for finding in findings]
    return next((severity_sign(severity) for severity in SEVERITIES if severity in severities), Span("✓", "good"))


def causes_blocks(answer: ClusterAnswer, open_keys: Collection[Hashable] | None) -> list[Block]:
    """Return one row a cause, worst first; only those in `open_keys` show what follows from it, None opens all.

    Markdown has the whole below the table, without the number of the account.
    """
    rows: list[TableRow] = []
    details: list[Node] = []
    for cause in causes(answer):
        key = ("cause", cause.code, cause.title)
        nodes = [*_details(answer, cause, in_app=open_keys is not None)]
        cells = (severity_sign(cause.severity), cause.title, _subjects(cause), _used_by(answer, cause))
        rows.append(TableRow(cells, cause, key, tuple(nodes) if open_keys is None or key in open_keys else ()))
        of = f" of {''.join(span.text for span in _subjects(cause))}"
        line = spans(finding_line(cause, cause.title, of))
        details.append(Node(tuple(span._replace(media="markdown") for span in line), nodes))
    if not rows:
        return [Sentence("nothing was found")]
    return [Table(_CAUSES, rows, one_line=True), *([Tree(details)] if open_keys is None else [])]


def _subjects(cause: CommonCause) -> tuple[Span, ...]:
    """Return what a cause concerns, by name."""
    names = ["the cluster" if subject.about == "cluster" else subject.name for subject, _ in cause.cases]
    return _some(list(dict.fromkeys(names)))


def _used_by(answer: ClusterAnswer, cause: CommonCause) -> tuple[Span, ...]:
    """Return what uses the roles in this cluster, and that EKS reports the same if it does."""
    count = sum(subject.pods for subject, _ in cause.cases)
    words: dict[str, None] = {counted(count, "pod"): None} if count else {}
    is_reported = False
    for subject, finding in cause.cases:
        is_reported |= is_explained(finding)
        if subject.about == "access entry":
            words["access entry"] = None
            continue
        uses_of_role = subject.role.uses if subject.role else ()
        uses = [use for use in finding.uses or uses_of_role if use.cluster in (None, answer.cluster.name)]
        words.update(dict.fromkeys(use_in_words(use._replace(cluster=None)) for use in uses))
        if finding.code == "eks-reports":
            words.update(dict.fromkeys(_part(issue.kind, issue.name) for issue in finding.reported))
    return (*((Span("(EKS says so too) "),) if is_reported else ()), *_some(list(words)))


def _part(kind: str, name: str) -> str:
    return {"cluster": "", "nodegroup": f"nodes {name}", "addon": f"add-on {name}"}.get(kind, f"{kind} {name}")


def _some(names: Sequence[str]) -> tuple[Span, ...]:
    """Return the first names, and how many more there are."""
    left_out = len(names) - _NAMED
    name_spans = [Span(name) for name in names[:_NAMED] if name] or [Span("–")]
    spans = [span for name in name_spans for span in (name, Span(", "))][:-1]
    return (*spans, *((Span(f", +{left_out}"),) if left_out > 0 else ()))


def _details(answer: ClusterAnswer, cause: CommonCause, *, in_app: bool) -> Iterator[Node]:
    """Yield what is wrong, the evidence and the commands of each case, under its role if there are several."""
    for subject, finding in cause.cases:
        nodes = [*finding_nodes(finding, answer.identity.account)]
        page: ClusterRole | PodPlace | None = None
        if subject.role is not None and subject.role.subject is not None:
            page = subject.role
        elif subject.pods:
            page = PodPlace(answer.cluster.name, subject.name)
        if page is not None and in_app:
            nodes.append(Node(("all about ", code(subject.name, "strong")), value=page))
        if len(cause.cases) > 1:
            yield Node(Span(subject.name, "strong"), nodes)
        else:
            yield from nodes


def is_explained(finding: Finding) -> bool:
    """Return whether EKS reports something that a finding explains, rather than being the finding."""
    return bool(finding.reported) and finding.code != "eks-reports"


def on_the_account(answer: ClusterAnswer) -> Iterator[Block]:
    """Yield, where it is Markdown, what sets the variable that stands for the account in its commands."""
    account = answer.identity.account
    commands = [command for cause in causes(answer) for _, finding in cause.cases for command in finding.commands]
    if any(account in argument for command in commands for argument in command.arguments):
        yield Sentence(
            Span("ACCOUNT stands for the number of the account. To set it before a command:", media="markdown")
        )
        yield Code("ACCOUNT=$(aws sts get-caller-identity --query Account --output text)", "sh", media="markdown")
