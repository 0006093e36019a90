"""A cluster's roles and policies as a nested list in Markdown."""

from ekstui.core.cluster_map import WAY_WORDS, branches
from ekstui.core.policy import version_label
from ekstui.core.words import use_in_words
from ekstui.export.markdown import code, escaped
from ekstui.library import ClusterAnswer, ClusterRole


def cluster_map_markdown(answer: ClusterAnswer) -> str:
    """Return how the cluster uses roles, the roles and what they carry; no account number is in it."""
    cluster = answer.cluster
    lines = [f"# Roles of cluster {escaped(cluster.name)} in {escaped(cluster.region)}", ""]
    roles = {role.arn: role for role in answer.roles}
    uses_of = {role.arn: role.uses for role in answer.roles}
    for branch in branches(cluster, uses_of, roles_complete=answer.roles_complete):
        if not branch.roles and not branch.unread:
            continue
        lines.append(f"- {escaped(WAY_WORDS[branch.way])}")
        for arn, uses in branch.roles:
            used_by = f": {escaped('; '.join(map(use_in_words, uses)))}" if uses else ""
            lines.append(f"  - {code(arn.rpartition('/')[2])}{used_by}")
            lines += [f"    - {line}" for line in _carried(roles[arn])]
        if branch.unread:
            lines.append(f"  - not looked at: {escaped(', '.join(branch.unread))}")
    if answer.not_looked_at:
        lines += ["", "Not looked at:", "", *(f"- {escaped(unseen)}" for unseen in answer.not_looked_at)]
    return "\n".join(lines) + "\n"


def _carried(role: ClusterRole) -> list[str]:
    subject = role.subject
    if subject is None:
        return ["not read: a role of another account, or one that is gone"]
    lines = []
    for policy in subject.policies:
        version = f" {version_label(policy.version)}" if policy.version else ""
        lines.append(f"{code(policy.name)}{version}{' (inline)' if policy.arn is None else ''}")
    if subject.boundary:
        lines.append(f"{code(subject.boundary.name)} (permissions boundary)")
    if not subject.known_whole:
        lines.append("not looked at: what else it carries")
    return lines
