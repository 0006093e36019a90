"""Answers as Markdown, for an incident channel or a pull request."""

from collections.abc import Sequence

from ekstui.core.policy import Policy, version_label
from ekstui.core.summary import ServiceSummary
from ekstui.core.text import clean_line


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


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return "".join(f"\\{character}" if character in r"\`*_{}[]<>#|" else character for character in clean_line(text))


def code(text: str) -> str:
    """Return text as inline code, safe inside a table."""
    return "`" + clean_line(text).replace("`", "'").replace("|", "\\|") + "`"
