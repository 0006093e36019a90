"""What can be copied of a row, and the forms in which a version can be written to a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ekstui.core.access_levels import MatrixRow
from ekstui.core.differences import ActionDifference
from ekstui.core.document import serialise
from ekstui.core.findings import RolePolicy
from ekstui.core.policy import version_label
from ekstui.core.steps import Step
from ekstui.core.summary import ActionSummary, ServiceSummary
from ekstui.errors import EkstuiError
from ekstui.export.documents import cloudformation_text, document_text, statement_text, terraform_text
from ekstui.library import ClusterRole, Library, PolicyEntry
from ekstui.present.policy_report import services_table, version_blocks
from ekstui.present.rendering import markdown
from ekstui.present.styled import Row, plain
from ekstui.present.words import command_in
from ekstui.tui.shown import Shown


@dataclass(frozen=True, slots=True)
class Copyable:
    """One thing that can be copied."""

    label: str
    about: str
    text: Callable[[], str]
    """Makes the text; reading a document waits until it is wanted."""


@dataclass(frozen=True, slots=True)
class Export:
    """One form in which what is shown can be written to a file."""

    label: str
    file_name: str
    content: Copyable
    private: bool = True
    """Whether only the user may read the file: it may tell of an account."""


def advised(error: EkstuiError | None) -> list[Copyable]:
    """Return the command that an error advises, such as the one that signs in; none where it advises none."""
    command = command_in(error.next_step) if error else None
    return [_fixed("command", command)] if command else []


def copyables(row: Row, shown: Shown | None, library: Library) -> list[Copyable]:
    """Return what can be copied of a row, the likeliest first."""
    found: list[Copyable] = []
    match row.value:
        case PolicyEntry(policy=policy):
            found += [_fixed("name", policy.name), _fixed("ARN", policy.arn)]
        case Step(version=version) if shown:
            found.append(_fixed("version", f"{shown.entry.policy.name}@{version_label(version)}"))
        case ServiceSummary(service=service, actions=actions) | MatrixRow(service=service, actions=actions):
            found += [_fixed("service", service), _lines("its actions", [action.action for action in actions])]
        case ActionSummary() as action:
            found.append(_fixed("action", action.action))
            found.append(
                Copyable(
                    "statement",
                    "the grants of this action as JSON",
                    lambda: statement_text((action.action,), action.grants),
                )
            )
        case RolePolicy(name=name, arn=arn, document=document):
            found.append(_fixed("name", name))
            if arn:
                found.append(_fixed("ARN", arn))
            if document:
                found.append(Copyable("document", f"{name} as JSON", lambda: json.dumps(serialise(document), indent=2)))
        case ClusterRole(arn=arn):
            found += [_fixed("name", arn.rpartition("/")[2]), _fixed("ARN", arn)]
        case ActionDifference(actions=actions):
            found.append(_lines("action" if len(actions) == 1 else "actions", actions))
        case _:
            pass
    if shown:
        policy, version = shown.entry.policy, shown.version
        if isinstance(row.value, Step):
            version = row.value.version
        elif isinstance(row.value, PolicyEntry):
            policy, version = row.value.policy, row.value.policy.default_version
        found.append(
            Copyable(
                "document",
                f"{policy.name}@{version_label(version)} as JSON",
                lambda: json.dumps(library.document_json(policy, version), indent=2),
            )
        )
    found.append(_fixed("line", "  ".join(plain(cell).strip() for cell in row.cells).strip()))
    return found


def _fixed(label: str, text: str) -> Copyable:
    return Copyable(label, text, lambda: text)


def _lines(label: str, lines: Sequence[str]) -> Copyable:
    about = lines[0] if len(lines) == 1 else f"{len(lines)} lines"
    return Copyable(label, about, lambda: "\n".join(lines))


def version_exports(shown: Shown, library: Library) -> list[Export]:
    """Return JSON, Markdown, Terraform and CloudFormation of the shown version."""
    policy, version = shown.entry.policy, shown.version
    stem = f"{policy.name.replace('/', '-')}-{version_label(version)}"

    def document() -> object:
        return library.document_json(policy, version)

    return [
        Export("JSON", f"{stem}.json", Copyable("JSON", "", lambda: document_text(document())), private=False),
        Export(
            "Markdown",
            f"{stem}.md",
            Copyable(
                "Markdown",
                "",
                lambda: markdown([*version_blocks(policy, version), services_table(library.summary(policy, version))]),
            ),
            private=False,
        ),
        Export(
            "Terraform",
            f"{stem}.tf",
            Copyable("Terraform", "", lambda: terraform_text(policy.name, document())),
            private=False,
        ),
        Export(
            "CloudFormation",
            f"{stem}.cfn.json",
            Copyable("CloudFormation", "", lambda: cloudformation_text(policy.name, document())),
            private=False,
        ),
    ]
