"""A cluster report as Markdown, for an incident channel."""

from ekstui.core.policy import version_label
from ekstui.core.words import use_in_words
from ekstui.export.markdown import code, escaped
from ekstui.library import ClusterAnswer, DataStatus


def cluster_markdown(data: DataStatus, answer: ClusterAnswer) -> str:
    """Return the report: health, recent changes, then each role with its findings; no account number is in it."""
    cluster = answer.cluster
    lines = [
        f"# Cluster {escaped(cluster.name)} in {cluster.region}",
        "",
        f"As of {answer.fetched_at:%Y-%m-%d %H:%M} UTC; AWS managed policies known until {data.newest:%Y-%m-%d}.",
        "",
        "## Health, as EKS reports it",
        "",
    ]
    lines += [
        f"- {issue.kind} {escaped(issue.name)}: **{escaped(issue.code)}** {escaped(issue.message)}"
        for issue in cluster.all_issues
    ] or ["- no issue is reported" if cluster.described else "- not read"]
    if answer.recent:
        lines += ["", "## Changed by AWS in the last 14 days", ""]
        lines += [
            f"- {code(change.policy)} {version_label(change.version)} on {change.created:%Y-%m-%d}"
            for change in answer.recent
        ]
    lines += ["", "## Roles", ""]
    for role in answer.roles:
        lines += [
            f"### {escaped(role.arn.rpartition('/')[2])}",
            "",
            f"{escaped('; '.join(map(use_in_words, role.uses)))}",
            "",
        ]
        if role.subject is None:
            lines += ["Not read: a role of another account, or one that is gone.", ""]
            continue
        lines += [f"Carries {', '.join(code(policy.name) for policy in role.subject.policies) or 'nothing'}.", ""]
        for finding in role.findings:
            lines.append(f"- **{finding.severity}** `{finding.code}`: {escaped(finding.text)}")
            lines += [f"  - {escaped(evidence)}" for evidence in finding.evidence]
        lines.append("")
    if answer.not_looked_at:
        lines += ["## Not looked at", "", *(f"- {escaped(unseen)}" for unseen in answer.not_looked_at)]
    return "\n".join(lines).rstrip() + "\n"
