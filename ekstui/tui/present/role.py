"""A role and a cluster as rows: trust, uses, policies, findings, and what they may do altogether."""

from collections.abc import Sequence
from datetime import datetime

from ekstui.core.account import Use
from ekstui.core.findings import CarriedPolicy, Finding
from ekstui.core.text import clean_line
from ekstui.library import ClusterAnswer, ClusterRole, RoleAnswer
from ekstui.library.clusters import RECENT
from ekstui.present.rows import Row
from ekstui.present.styled import Tone, plain, styled
from ekstui.present.wrapping import wrap
from ekstui.tui.present.account import TRACKED, error_rows, last_used, use_words

_SEVERITY_TONES: dict[str, Tone] = {"problem": "bad", "advice": "warn", "note": "muted"}


def role_rows(answer: RoleAnswer, now: datetime, width: int) -> list[Row]:
    """Return all about a role: findings first, then who may assume it, what uses it, and what it carries."""
    subject = answer.subject
    role = subject.role
    rows = _findings(answer.findings, width)
    rows += _section("Trust: who may assume it")
    rows += _texts("trust", answer.trust or ("nothing is known of its trust policy",), width)
    rows += _section("Uses")
    rows += _uses(subject.uses, subject.unseen, width)
    rows += _section("Policies")
    rows += [_policy(policy) for policy in subject.policies]
    if subject.boundary:
        rows.append(_policy(subject.boundary, "permissions boundary"))
    if not subject.policies and role.extent == "full":
        rows.append(_line("none", "none", "muted"))
    rows += _section("About")
    used = f"{plain(last_used(role, now))} ago in {role.last_used_region}" if role.last_used else TRACKED
    about = [("ARN", role.arn or "not known"), ("last used", used)]
    if role.created:
        about.append(("created", f"{role.created:%Y-%m-%d}"))
    about += [("instance profile", profile) for profile in role.instance_profiles]
    about += [(f"tag {key}", value) for key, value in role.tags]
    if role.service_linked:
        about.append(("service-linked", "only its service changes it"))
    rows += [
        Row(("about", index), (((f"  {clean_line(word)}: ", "muted"), (clean_line(text), "")),), text)
        for index, (word, text) in enumerate(about)
    ]
    return rows


def cluster_rows(answer: ClusterAnswer, known_until: datetime, now: datetime, width: int) -> list[Row]:
    """Return a cluster for the first seconds of an incident: health, recent changes, then each role with findings.

    `known_until` is the last day of which changes by AWS are known.
    """
    rows: list[Row] = []
    cluster = answer.cluster
    issues = cluster.all_issues
    rows += _section("Health, as EKS reports it")
    for index, issue in enumerate(issues):
        text = f"{issue.kind} {issue.name}: {issue.code}: {issue.message}"
        rows += _texts(("health", index), (text,), width, "bad")
    if not issues:
        rows.append(_line("health", "no issue is reported" if cluster.described else "not read", "muted"))
    rows += _section(f"Changed by AWS in the last 14 days (policies are known until {known_until:%Y-%m-%d})")
    rows += [
        Row(
            ("recent", change.policy),
            (
                (
                    ("  ", ""),
                    (clean_line(change.policy), "accent"),
                    (f" v{change.version} {change.created:%Y-%m-%d} on {clean_line(', '.join(change.roles))}", ""),
                ),
            ),
            change,
        )
        for change in answer.recent
    ]
    if not answer.recent and now - known_until > RECENT:
        # Nobody looked: that is not the same as that nothing changed.
        rows.append(_line("recent", "not known: r in the list of policies asks AWS for what is new", "warn"))
    elif not answer.recent:
        rows.append(_line("recent", "no policy on this cluster's roles, as far as is known", "muted"))
    for role in answer.roles:
        rows += _cluster_role(role, now, width)
    if answer.not_looked_at:
        rows += _section("Not looked at")
        rows += _texts("unseen", answer.not_looked_at, width, "muted")
    for index, error in enumerate(answer.errors):
        rows += error_rows(("error", index), error, width)
    return rows


def _cluster_role(role: ClusterRole, now: datetime, width: int) -> list[Row]:
    name = clean_line(role.arn.rpartition("/")[2])
    uses = "; ".join(use_words(use) for use in role.uses)
    used = "" if role.subject is None else f"  last used {plain(last_used(role.subject.role, now))}"
    first, *more = wrap(((name, "strong"), (f"  {uses}" if uses else "", ""), (used, "muted")), width - 2)
    rows = [
        Row(("space", role.arn), (styled(""),), selectable=False),
        Row(("role", role.arn), (first,), role),
        *(Row(("role", role.arn, part), ((("    ", ""), *line),), selectable=False) for part, line in enumerate(more)),
    ]
    if role.subject is None:
        rows.append(_line(("unread", role.arn), "not read: a role of another account, or one that is gone", "warn"))
        return rows
    carried = ", ".join(policy.name for policy in role.subject.policies) or "nothing"
    rows += _texts(("carries", role.arn), (f"carries {carried}",), width, "muted")
    rows += _findings(role.findings, width, heading=False, key=role.arn)
    return rows


def _findings(findings: Sequence[Finding], width: int, *, heading: bool = True, key: str = "") -> list[Row]:
    rows: list[Row] = _section("Findings") if heading and findings else []
    for index, finding in enumerate(findings):
        tone = _SEVERITY_TONES[finding.severity]
        lines = wrap(((f"  {finding.severity}: ", tone), (clean_line(finding.text), "")), width - 4)
        rows.append(Row((key, "finding", index), (lines[0],), finding))
        rows += [
            Row((key, "finding", index, line), ((("    ", ""), *text),), selectable=False)
            for line, text in enumerate(lines[1:])
        ]
        rows += _texts((key, "evidence", index), finding.evidence, width - 4, "muted", indent="      ")
    return rows


def _uses(uses: Sequence[Use], unseen: Sequence[str], width: int) -> list[Row]:
    rows = [
        Row(
            ("use", index),
            (
                (
                    ("  ", ""),
                    (use_words(use), ""),
                    (f" in {use.region}" if use.region else "", "muted"),
                    (f" · {clean_line(use.remark)}" if use.remark else "", "muted"),
                ),
            ),
            use,
        )
        for index, use in enumerate(uses)
    ]
    if not uses:
        rows.append(_line("no use", "EKS is not known to use it", "muted"))
    if unseen:
        rows += _texts("unseen", (f"not looked at: {', '.join(unseen)}",), width, "muted")
    return rows


def _policy(policy: CarriedPolicy, word: str = "") -> Row:
    kind = word or ("inline" if policy.arn is None else "AWS managed" if policy.managed_by_aws else "customer managed")
    version = f" v{policy.version}" if policy.version else ""
    unread = "  document not read" if policy.document is None else ""
    return Row(
        ("policy", policy.arn or policy.name, word),
        ((("  ", ""), (clean_line(policy.name), ""), (version, "muted"), (f"  {kind}", "muted"), (unread, "warn")),),
        policy,
    )


def _section(title: str) -> list[Row]:
    return [
        Row(("space", title), (styled(""),), selectable=False),
        Row(("section", title), (styled(title, "strong"),), selectable=False),
    ]


def _texts(key: object, texts: Sequence[str], width: int, tone: Tone = "", indent: str = "  ") -> list[Row]:
    return [
        Row((repr(key), index, part), (((indent if not part else indent + "  ", ""), *line),), selectable=False)
        for index, text in enumerate(texts)
        for part, line in enumerate(wrap(styled(clean_line(text), tone), max(width - len(indent) - 2, 20)))
    ]


def _line(key: object, text: str, tone: Tone) -> Row:
    return Row(repr(key), (styled(f"  {text}", tone),), selectable=False)
