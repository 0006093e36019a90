"""What is wrong with a cluster as rows, one a cause; below an opened row what follows from it, the evidence and the commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence

from ekstui.eks.account_snapshot import UseKind
from ekstui.eks.findings.table import SEVERITIES, TITLE_WIDTH, Finding
from ekstui.eks.pods import PodPlace
from ekstui.eks.use_words import use_in_words
from ekstui.iam.text import counted
from ekstui.library.cluster_answers import ClusterAnswer, ClusterRole, CommonCause, causes
from ekstui.present.blocks import (
    SEVERITY_SIGNS,
    SEVERITY_STYLES,
    Block,
    Code,
    Column,
    Line,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    finding_line,
    finding_nodes,
    joined,
    severity_sign,
    spans,
)

COLUMNS = (
    Column("", 1), Column("What", TITLE_WIDTH), Column("Role or workload", 12, names=True, shrink=2),
    Column("Used by", 20, shrink=2, yields=True),
)  # fmt: skip

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


def counts_line(answer: ClusterAnswer) -> tuple[Span | str, ...]:
    """Return how many problems, advice and notes there are, each with its sign, and how many EKS reports."""
    judged = not answer.not_judged
    parts: list[Span | str] = [Span(f"{answer.cluster.name} {answer.cluster.version or ''}".rstrip(), "strong")]
    for severity in SEVERITIES:
        count = answer.count(severity)
        words = known_words(count, whole=judged)
        noun = severity if severity == "advice" or (count == 1 and judged) else f"{severity}s"
        style = SEVERITY_STYLES[severity] if count else "good" if judged else "warn"
        parts += ["   ", Span(f"{SEVERITY_SIGNS[severity]} {words} {noun}", style)]
    issues = known_words(len(answer.cluster.all_issues), whole=answer.cluster.issues_known)
    return (*parts, "   ", Span(f"EKS reports {issues}", "muted"))


def known_words(count: int | None, *, whole: bool) -> str:
    """Return how many were found; `2+` or `?` where not everything was read, since none found does not mean none."""
    return str(count) if whole else f"{count}+" if count else "?"


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
        spaced = [sign._replace(text=f"\N{NO-BREAK SPACE}{sign.text}{count}") for sign, count in counts]
        yield (label, *spaced)
    elif signs:
        yield (f"{label}\N{NO-BREAK SPACE}", *signs)


def _role_sign(role: ClusterRole) -> Span:
    return Span("?", "warn") if role.subject is None and not role.findings else _worst(role.findings)


def _worst(findings: Sequence[Finding]) -> Span:
    severities = [finding.severity for finding in findings]
    return next((severity_sign(severity) for severity in SEVERITIES if severity in severities), Span("✓", "good"))


def causes_blocks(answer: ClusterAnswer, opened: Collection[Hashable] | None) -> list[Block]:
    """Return one row a cause, worst first; only those in `opened` show what follows from it, None opens all.

    Markdown has the whole below the table, without the number of the account.
    """
    rows: list[TableRow] = []
    details: list[Node] = []
    for cause in causes(answer):
        key = ("cause", cause.code, cause.title)
        nodes = [*_details(answer, cause, in_app=opened is not None)]
        cells = (severity_sign(cause.severity), cause.title, _subjects(cause), _used_by(answer, cause))
        rows.append(TableRow(cells, cause, key, tuple(nodes) if opened is None or key in opened else ()))
        of = f" of {''.join(span.text for span in _subjects(cause))}"
        line = spans(finding_line(cause, cause.title, of))
        details.append(Node(tuple(span._replace(media="markdown") for span in line), nodes))
    if not rows:
        return [Sentence("nothing was found")]
    return [Table(COLUMNS, rows, one_line=True), *([Tree(details)] if opened is None else [])]


def _subjects(cause: CommonCause) -> tuple[Span, ...]:
    """Return what a cause concerns, by name."""
    names = ["the cluster" if subject.about == "cluster" else subject.name for subject, _ in cause.cases]
    return _some(list(dict.fromkeys(names)))


def _used_by(answer: ClusterAnswer, cause: CommonCause) -> tuple[Span, ...]:
    """Return what uses the roles in this cluster, and that EKS reports the same if it does."""
    count = sum(subject.pods for subject, _ in cause.cases)
    words: dict[str, None] = {counted(count, "pod"): None} if count else {}
    reported = False
    for subject, finding in cause.cases:
        reported |= is_explained(finding)
        if subject.about == "access entry":
            words["access entry"] = None
            continue
        uses_of_role = subject.role.uses if subject.role else ()
        uses = [use for use in finding.uses or uses_of_role if use.cluster in (None, answer.cluster.name)]
        words.update(dict.fromkeys(use_in_words(use._replace(cluster=None)) for use in uses))
        if finding.code == "eks-reports":
            words.update(dict.fromkeys(_part(issue.kind, issue.name) for issue in finding.reported))
    return (*((Span("(EKS says so too) "),) if reported else ()), *_some(list(words)))


def _part(kind: str, name: str) -> str:
    return {"cluster": "", "nodegroup": f"nodes {name}", "addon": f"add-on {name}"}.get(kind, f"{kind} {name}")


def _some(names: Sequence[str]) -> tuple[Span, ...]:
    """Return the first names, and how many more there are."""
    more = len(names) - _NAMED
    named = [Span(name) for name in names[:_NAMED] if name] or [Span("–")]
    spans = [span for name in named for span in (name, Span(", "))][:-1]
    return (*spans, *((Span(f", +{more}"),) if more > 0 else ()))


def _details(answer: ClusterAnswer, cause: CommonCause, *, in_app: bool) -> Iterator[Node]:
    """Yield what is wrong, the evidence and the commands of each case, under its role if there are several."""
    for subject, finding in cause.cases:
        below = [*finding_nodes(finding, answer.identity.account)]
        page: ClusterRole | PodPlace | None = None
        if subject.role is not None and subject.role.subject is not None:
            page = subject.role
        elif subject.pods:
            page = PodPlace(answer.cluster.name, subject.name)
        if page is not None and in_app:
            below.append(Node(("all about ", code(subject.name, "strong")), value=page))
        if len(cause.cases) > 1:
            yield Node(Span(subject.name, "strong"), below)
        else:
            yield from below


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
