"""A cluster as a tree: how roles are used, the roles, and what they carry; a row's key is its path from the root."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from ekstui.core.account import Use
from ekstui.core.cluster_map import WAY_WORDS, Branch, branches
from ekstui.core.findings import CarriedPolicy, Severity
from ekstui.core.text import clean_line
from ekstui.library import ClusterAnswer, ClusterRole
from ekstui.present.rows import Row
from ekstui.present.styled import Styled, Tone, plain, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.account import error_rows, last_used

Path = tuple[str, ...]
"""The root is the empty path."""

_COUNTED: tuple[tuple[Severity, Tone], ...] = (("problem", "bad"), ("advice", "warn"))


def branches_of(answer: ClusterAnswer) -> tuple[Branch, ...]:
    """Return the cluster's roles by how they are used."""
    return branches(
        answer.cluster, {role.arn: role.uses for role in answer.roles}, roles_complete=answer.roles_complete
    )


def paths_of(answer: ClusterAnswer) -> tuple[set[Path], set[Path]]:
    """Return the paths that can be unfolded: those of the cluster and the ways, and those of the roles."""
    ways = branches_of(answer)
    return (
        {(), *((branch.way,) for branch in ways)},
        {(branch.way, arn) for branch in ways for arn, _ in branch.roles},
    )


def map_rows(answer: ClusterAnswer, opened: Collection[Path], now: datetime, width: int) -> list[Row]:
    """Return the visible part of the tree as rows; what was not looked at stands in its place in it."""
    cluster, ways = answer.cluster, branches_of(answer)
    about = [cluster.region, *([cluster.version] if cluster.version else []), _counted(len(answer.roles), "role")]
    name: Styled = ((clean_line(cluster.name), "strong"), (f"  {clean_line(', '.join(about))}", "muted"))
    rows = [Row((), ((*_fold((), opened), *name),), cluster)]
    if () not in opened:
        return rows
    roles = {role.arn: role for role in answer.roles}
    for branch in ways:
        if branch.roles or branch.unread:
            rows += _branch(branch, roles, opened, now, width)
    if nothing := [
        WAY_WORDS[branch.way] for branch in ways if not branch.roles and not branch.unread and branch.way != "issuer"
    ]:
        rows += _note(("nothing",), f"no roles: {', '.join(nothing)}", "muted", width)
    for index, text in enumerate(answer.not_looked_at):
        rows += _note((f"unseen {index}",), f"not looked at: {text}", "warn", width)
    for index, error in enumerate(answer.errors):
        rows += error_rows(("error", index), error, width)
    return rows


def holding(rows: Sequence[Row], words: Sequence[str]) -> list[Row]:
    """Return the rows of a tree that have every word, each with the way to it; the words are in small letters."""
    kept: set[Path] = set()
    for row in rows:
        text = " ".join(map(plain, row.cells)).casefold()
        if isinstance(row.key, tuple) and all(word in text for word in words):
            kept |= {row.key[:length] for length in range(len(row.key) + 1)}
    return [row for row in rows if row.key in kept]


def _branch(
    branch: Branch, roles: dict[str, ClusterRole], opened: Collection[Path], now: datetime, width: int
) -> list[Row]:
    path = (branch.way,)
    count = _counted(len(branch.roles), "role") if branch.roles else ""
    partly: Styled = ((_partly(branch), "warn"),) if branch.unread else ()
    failing = sum(any(each.severity == "problem" for each in roles[arn].findings) for arn, _ in branch.roles)
    problems: Styled = ((f"  ! {failing} with a problem", "bad"),) if failing else ()
    line: Styled = (
        *_fold(path, opened),
        (f"{WAY_WORDS[branch.way]}  ", "accent"),
        (count, "muted"),
        *problems,
        *partly,
    )
    rows = [Row(path, (line,), branch)]
    if path not in opened:
        return rows
    for arn, uses in branch.roles:
        rows += _role(path, roles[arn], uses, opened, now, width)
    if branch.unread:
        rows += _note((*path, "unread"), f"not looked at: {', '.join(branch.unread)}", "warn", width)
    return rows


def _partly(branch: Branch) -> str:
    if branch.roles:
        return "  not all looked at"
    return "none seen, not all looked at" if branch.looked_at else "not looked at"


def _role(
    parent: Path, role: ClusterRole, uses: Sequence[Use], opened: Collection[Path], now: datetime, width: int
) -> list[Row]:
    path = (*parent, role.arn)
    name = clean_line(role.arn.rpartition("/")[2])
    line: list[tuple[str, Tone]] = [*_fold(path, opened), (name, "strong")]
    counts = Counter(finding.severity for finding in role.findings)
    for severity, tone in _COUNTED:
        if number := counts[severity]:
            line.append(
                (f"  ! {_counted(number, severity) if severity == 'problem' else f'{number} {severity}'}", tone)
            )
    if used_by := "; ".join(filter(None, map(_use, uses))):
        line.append((f"  {clean_line(used_by)}", ""))
    if role.subject is None:
        line.append(("  not read", "warn"))
    else:
        line.append((f"  {_counted(len(role.subject.policies), 'policy', 'policies')}", "muted"))
        line.append((f", last used {plain(last_used(role.subject.role, now))}", "muted"))
    rows = [Row(path, (tuple(line),), role)]
    return rows + _policies(path, role, width) if path in opened else rows


def _policies(parent: Path, role: ClusterRole, width: int) -> list[Row]:
    subject = role.subject
    if subject is None:
        return _note((*parent, "unread"), "not read: a role of another account, or one that is gone", "warn", width)
    rows = [
        _policy((*parent, str(index)), policy, "inline" if policy.arn is None else "attached")
        for index, policy in enumerate(subject.policies)
    ]
    if subject.boundary:
        rows.append(_policy((*parent, "boundary"), subject.boundary, "permissions boundary"))
    if not subject.known_whole:
        rows += _note((*parent, "unread"), "not looked at: what else it carries", "warn", width)
    elif not subject.policies:
        rows += _note((*parent, "none"), "it carries no policy", "muted", width)
    return rows


def _policy(path: Path, policy: CarriedPolicy, carried_as: str) -> Row:
    owner = "" if policy.arn is None else ", AWS managed" if policy.managed_by_aws else ", customer managed"
    version = f" v{policy.version}" if policy.version else ""
    unread = "  document not read" if policy.document is None else ""
    line: Styled = (
        (f"{_indent(path)}  ", ""),
        (clean_line(policy.name), ""),
        (version, "muted"),
        (f"  {carried_as}{owner}", "muted"),
        (unread, "warn"),
    )
    return Row(path, (line,), policy)


def _use(use: Use) -> str:
    """Return what uses a role, without the way, which stands above it, and the cluster."""
    if use.kind in ("cluster", "fargate", "addon", "capability", "nodegroup", "karpenter-node"):
        word = use.name or ""
    elif use.service_account:
        word = f"{use.namespace}/{use.service_account}"
    else:
        word = ""
    return f"{word} (inferred)".lstrip() if use.certainty == "inferred" else word


def _fold(path: Path, opened: Collection[Path]) -> Styled:
    return ((f"{_indent(path)}{'▾' if path in opened else '▸'} ", "muted"),)


def _note(path: Path, text: str, tone: Tone, width: int) -> list[Row]:
    indent = f"{_indent(path)}  "
    return [
        Row((*path, "line", str(part)) if part else path, (((indent, ""), *line),), selectable=False)
        for part, line in enumerate(wrap(styled(clean_line(text), tone), max(width - len(indent), 20)))
    ]


def _indent(path: Path) -> str:
    return "  " * len(path)


def _counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
