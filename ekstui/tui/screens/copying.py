"""Copying and saving: what a row or screen offers, and the dialogs to choose from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

from textual.app import App
from textual.screen import Screen

from ekstui import files
from ekstui.change.differences import ActionDifference
from ekstui.change.policy import version_label
from ekstui.change.steps import Step
from ekstui.eks.account_snapshot import AccountSnapshot
from ekstui.eks.commands import Command
from ekstui.eks.findings.subjects import RolePolicy
from ekstui.errors import EkstuiError
from ekstui.export.shapes import answer_of
from ekstui.export.texts import cloudformation_text, document_text, statement_text, terraform_text
from ekstui.iam.access_levels import MatrixRow
from ekstui.iam.document import serialise
from ekstui.iam.summary import ActionSummary, ServiceSummary
from ekstui.iam.text import clean, counted
from ekstui.library import Library
from ekstui.library.catalog import PolicyEntry
from ekstui.library.cluster_answers import ClusterRole
from ekstui.library.roles import cluster_values
from ekstui.named_tuples import NamedTuple
from ekstui.present.access import access_blocks
from ekstui.present.blocks import command_in_advice
from ekstui.present.permissions import services_blocks
from ekstui.present.policy_report import version_blocks
from ekstui.present.rendering import markdown
from ekstui.present.styled import Row, plain
from ekstui.tui.keys import COPY, SAVE, Key
from ekstui.tui.messages import PolicyView
from ekstui.tui.screens.dialogs import ChooserScreen, SaveScreen, choice_cells
from ekstui.tui.widgets.pane import plain_failure

TMUX_PATIENCE = 2.0
"""Seconds to wait for tmux."""


class Extract(NamedTuple):
    """A text made of what is shown, to copy or to save."""

    label: str
    about: str
    """What it is; for a file, its name."""
    text: Callable[[], str]
    """Makes the text; it may have to read a document."""
    private: bool = True
    """Whether only the user may read the file, since it may name resources of the account."""


def copies_of_advice(error: EkstuiError | None) -> list[Extract]:
    """Return the command in an error's next step, such as the one to sign in, if there is one."""
    command = command_in_advice(error.next_step) if error else None
    return [copyable("command", command)] if command else []


def copyables(row: Row, policy_view: PolicyView | None, library: Library) -> list[Extract]:
    """Return what can be copied from a row, the likeliest first."""
    copies = _of_value(row.value)
    if policy_view:
        policy, version = policy_view.entry.policy, policy_view.version
        match row.value:
            case Step(version=version):
                copies.append(copyable("version", f"{policy.name}@{version_label(version)}"))
            case PolicyEntry(policy=policy):
                version = policy.default_version
            case _:
                pass
        if policy.family != "access-policy":
            copies.append(
                Extract(
                    "document",
                    f"{policy.name}@{version_label(version)} as JSON",
                    lambda: json.dumps(library.document_json(policy, version), indent=2),
                )
            )
    copies.append(copyable("line", "  ".join(plain(cell).strip() for cell in row.cells).strip()))
    return copies


def _of_value(value: object) -> list[Extract]:
    match value:
        case Command(about=about):
            return [copyable("command", value.text, about)]
        case PolicyEntry(policy=policy):
            return [copyable("name", policy.name), copyable("ARN", policy.arn)]
        case ServiceSummary(service=service, actions=actions) | MatrixRow(service=service, actions=actions):
            return [copyable("service", service), _lines("its actions", [action.action for action in actions])]
        case ActionSummary(action=name, grants=grants):
            about = "the grants of this action as JSON"
            return [copyable("action", name), Extract("statement", about, lambda: statement_text((name,), grants))]
        case RolePolicy(name=name, arn=arn, document=document):
            copies = [copyable("name", name), *([copyable("ARN", arn)] if arn else ())]
            if document:
                copies.append(Extract("document", f"{name} as JSON", lambda: json.dumps(serialise(document), indent=2)))
            return copies
        case ClusterRole(arn=arn):
            return [copyable("name", arn.rpartition("/")[2]), copyable("ARN", arn)]
        case ActionDifference(actions=actions):
            return [_lines("action" if len(actions) == 1 else "actions", actions)]
        case _:
            return []


def copyable(label: str, text: str, about: str = "") -> Extract:
    """Return a text that can be copied; it describes itself unless `about` does."""
    return Extract(label, about or text, lambda: text)


def _lines(label: str, lines: Sequence[str]) -> Extract:
    about = lines[0] if len(lines) == 1 else f"{len(lines)} lines"
    return copyable(label, "\n".join(lines), about)


def version_exports(
    policy_view: PolicyView, library: Library, snapshot: AccountSnapshot | None = None
) -> list[Extract]:
    """Return the formats to save the shown version in; a controller's also filled in for each known cluster."""
    policy, version = policy_view.entry.policy, policy_view.version
    if access := policy_view.entry.access:
        return [
            Extract(form, f"{policy.name}.{end}", text, private=False)
            for form, end, text in (
                ("JSON", "json", lambda: document_text(answer_of(library.data(), access, "AccessPolicyRules.shown"))),
                ("Markdown", "md", lambda: markdown(access_blocks(access))),
            )
        ]
    parameters = library.parameters(policy, version)
    extracts: list[Extract] = []
    if parameters and snapshot is not None and snapshot.eks is not None:
        for cluster in snapshot.eks.clusters:
            parameter_values = cluster_values(cluster.name, cluster.region, snapshot.identity)
            values = {
                name: value
                for name, value in parameter_values.items()
                if name in parameters or name == "AWS::Partition"
            }
            extracts += _exports(policy_view, library, values, cluster.name)
    return [*extracts, *_exports(policy_view, library, {}, "")]


def _exports(policy_view: PolicyView, library: Library, values: Mapping[str, str], cluster: str) -> list[Extract]:
    """Return the formats of a version with these parameters, which name the account if there are any."""
    policy, version = policy_view.entry.policy, policy_view.version
    of = f"-{cluster}" if cluster else ""
    stem = f"{policy.name.replace('/', '-')}-{version_label(version)}{of}"

    def document() -> object:
        return library.document_json(policy, version, values)

    def about() -> str:
        head = version_blocks(policy, version, library.parameters(policy, version, values))
        return markdown([*head, *services_blocks(library.summary(policy, version, values))])

    forms: tuple[tuple[str, str, Callable[[], str]], ...] = (
        ("JSON", "json", lambda: document_text(document())),
        ("Markdown", "md", about),
        ("Terraform", "tf", lambda: terraform_text(policy.name, document())),
        ("CloudFormation", "cfn.json", lambda: cloudformation_text(policy.name, document())),
    )
    of_cluster = f" for {cluster}" if cluster else ""
    return [Extract(f"{form}{of_cluster}", f"{stem}.{end}", text, private=bool(values)) for form, end, text in forms]


def send_to_terminal(app: App[None], text: str) -> str:
    """Send text to the terminal's clipboard and return a sentence about it."""
    safe = clean(text)
    app.copy_to_clipboard(safe)
    size = counted(len(safe), "character")
    if files.is_served():
        return f"Sent {size} to the browser. If the clipboard stays empty, e saves a file."
    if os.environ.get("TMUX") and shutil.which("tmux") and _load_tmux_buffer(safe):
        return f"Sent {size} to the terminal and to tmux's buffer."
    return f"Sent {size} to the terminal. If the clipboard stays empty, e saves a file."


def _load_tmux_buffer(text: str) -> bool:
    try:
        result = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],  # noqa: S607
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TMUX_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


def offer_copies(screen: Screen[Any], copies: Sequence[Extract]) -> None:
    """Let the user choose what to copy."""

    def send(extract: Extract | None) -> None:
        if extract is not None:
            _report(screen, lambda: send_to_terminal(screen.app, extract.text()))

    if len(copies) == 1:
        send(copies[0])
        return
    _choose(screen, "Copy", copies, COPY, send)


def offer_exports(screen: Screen[Any], exports: Sequence[Extract]) -> None:
    """Let the user choose a format, then a file."""

    def save(extract: Extract | None) -> None:
        if extract is None:
            return

        def write() -> None:
            if files.is_served():
                file = StringIO(clean(extract.text()))
                screen.app.deliver_text(file, save_filename=extract.about, open_method="download")
                return
            screen.app.push_screen(SaveScreen(extract.about, extract.text(), private=extract.private), notify)

        _report(screen, write)

    def notify(sentence: str | None) -> None:
        if sentence:
            screen.notify(sentence)

    _choose(screen, "Save as", exports, SAVE, save)


def _choose(
    screen: Screen[Any], title: str, extracts: Sequence[Extract], key: Key, then: Callable[[Extract | None], None]
) -> None:
    choices = [(choice_cells(extract.label, extract.about), extract) for extract in extracts]
    screen.app.push_screen(ChooserScreen(title, choices, opening_key=key), then)


def _report(screen: Screen[Any], act: Callable[[], str | None]) -> None:
    try:
        sentence = act()
    except EkstuiError as error:
        screen.notify(plain_failure(error), severity="error")
    else:
        if sentence:
            screen.notify(sentence)
