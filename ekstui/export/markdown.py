"""Answers as Markdown, for an incident channel or a pull request."""

from collections.abc import Sequence

from ekstui.core.change import GrantDifference
from ekstui.core.grants import Grant
from ekstui.core.policy import Policy, version_label
from ekstui.core.summary import ServiceSummary
from ekstui.core.text import clean_line
from ekstui.library import Comparison


def version_markdown(policy: Policy, version: int, services: Sequence[ServiceSummary]) -> str:
    """Return what a version permits as a table of services."""
    lines = [
        f"# {escaped(policy.name)} {version_label(version)}",
        "",
        f"`{clean_line(policy.arn)}`",
        "",
        "| Service | Effect | Access level | Resource | Condition |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {escaped(service.service)} | {service.effect} | {escaped(service.access)} | {code(service.resource)} | {code(service.condition)} |"
        for service in services
    ]
    return "\n".join(lines) + "\n"


def comparison_markdown(comparison: Comparison) -> str:
    """Return a comparison: the verdict, then what was added, removed and changed."""
    change = comparison.change
    lines = [
        f"# {escaped(comparison.before.label)} → {escaped(comparison.after.label)}",
        "",
        f"**{escaped(change.verdict)}**",
        "",
    ]
    lines += [f"- {escaped(note)}" for note in change.notes]
    for title, differences in (("Added", change.added), ("Removed", change.removed), ("Changed", change.changed)):
        if differences:
            lines += ["", f"## {title}", ""]
        for difference in differences:
            lines += _difference(difference)
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]<>#|" else character for character in clean_line(text))


def code(text: str) -> str:
    """Return text as inline code, safe inside a table."""
    return "`" + clean_line(text).replace("`", "'").replace("|", "\\|") + "`"


def _difference(difference: GrantDifference) -> list[str]:
    deny = "Deny " if difference.effect == "Deny" else ""
    element = "everything but " if difference.element == "NotAction" else ""
    lines = [f"- {deny}{element}{', '.join(map(code, difference.actions))}"]
    lines += [f"  - before: {_grant(grant)}" for grant in difference.before if grant not in difference.after]
    lines += [f"  - after: {_grant(grant)}" for grant in difference.after if grant not in difference.before]
    return lines


def _grant(grant: Grant) -> str:
    element = "everything but " if grant.resource_element == "NotResource" else ""
    words = element + ", ".join(map(code, grant.resources))
    conditions = [
        f"{code(condition.key)} {condition.operator} {' or '.join(map(code, condition.values))}"
        for condition in grant.conditions
    ]
    return words + (f" if {' and '.join(conditions)}" if conditions else "")
