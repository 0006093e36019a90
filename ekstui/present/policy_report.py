"""Policies: a list of them, what one is for, what a version permits, and what it does not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ekstui.change.policy import Policy, VersionInfo, version_label
from ekstui.iam.text import clean_line
from ekstui.named_tuples import NamedTuple
from ekstui.present.blocks import (
    Block,
    Column,
    Heading,
    Line,
    Node,
    Sentence,
    Span,
    Table,
    TableRow,
    Tree,
    code,
    filled_in,
    iso_day,
    level_style,
    muted,
    note,
    section,
)
from ekstui.present.styled import Row, Styled, styled

if TYPE_CHECKING:
    # A list of policies needs none of the modules that read documents.
    from ekstui.eks.knowledge import PolicyKnowledge, Symptom
    from ekstui.errors import DocumentError
    from ekstui.iam.document import TrimmedDocument
    from ekstui.iam.reference import ActionInfo
    from ekstui.iam.summary import Remaining
    from ekstui.library.catalog import PolicyEntry

_POLICIES = (Column("Policy"), Column("Default"), Column("Updated"), Column("Kind"), Column("", 12, shrink=1))

SUPERSEDED = Column("", 10, yields=True)
RELEASE = 8
"""The width of `v1.14.10`."""


def policies_blocks(entries: Sequence[PolicyEntry]) -> list[Block]:
    """Return one row per policy: its name, default version, last update, kind and status."""
    rows = [
        TableRow(
            (
                code(entry.policy.name),
                _version(entry),
                iso_day(entry.policy.updated, "date unknown"),
                entry.policy.kind,
                Span(f"superseded by {entry.superseded_by}", "warn")
                if entry.superseded_by
                else Span((entry.purpose or "") if entry.policy.home else "", "muted"),
            ),
            entry,
            entry.policy.arn,
        )
        for entry in entries
    ]
    return [Table(_POLICIES, rows)] if rows else []


def pane_columns(entries: Sequence[PolicyEntry], *, counts_roles: bool) -> tuple[Column, ...]:
    """Return the columns of `pane_row`; versions of controllers' policies are longer."""
    version = RELEASE if any(entry.policy.home for entry in entries) else 4
    return (
        Column("", 1),
        Column("Policy", 8, share=1, names=True),
        *([SUPERSEDED] if any(entry.superseded_by for entry in entries) else ()),
        *([Column("roles", 5, right=True)] if counts_roles else ()),
        Column("ver", version, right=True),
    )


def pane_row(entry: PolicyEntry, mark: Styled, roles_with: Callable[[str], int] | None, *, has_superseded: bool) -> Row:
    """Return a policy as a row of the app's list, which has a column for superseded ones if any is."""
    policy = entry.policy
    cells = [mark, styled(clean_line(policy.name), "muted" if entry.superseded_by else "")]
    if has_superseded:
        cells.append(styled("superseded" if entry.superseded_by else "", "muted"))
    if roles_with is not None:
        cells.append(styled(str(roles_with(policy.arn) or ""), "muted"))
    return Row(policy.arn, (*cells, styled(_version(entry), "muted")), entry)


def _version(entry: PolicyEntry) -> str:
    return "" if entry.access else version_label(entry.policy.default_version)


def about_line(entry: PolicyEntry) -> Line:
    """Return a policy's ARN, what to know of it, and what it is for."""
    remarks = (Span(f"  {remark}", "warn") for remark in _remarks(entry, entry.superseded_by or "", with_reasons=False))
    return code(entry.policy.address, "strong"), *remarks, f"  {entry.purpose}" if entry.purpose else ""


def _remarks(entry: PolicyEntry, successors: str, *, with_reasons: bool) -> Iterator[str]:
    """Yield that AWS no longer lists a policy, that it is superseded, and that it has a namesake.

    With what that means, if asked.
    """
    if entry.policy.withdrawn:
        yield f"AWS no longer lists it{'; what is known of it is kept' if with_reasons else ''}"
    if successors:
        yield f"superseded by {successors}"
    if entry.also_access_policy:
        use = "; that one belongs to access entries and cannot be attached to a role" if with_reasons else ""
        yield f"an EKS access policy has the same name{use}"


def about_blocks(
    entry: PolicyEntry, notes: PolicyKnowledge | None, symptoms: Sequence[Symptom], *, in_full: bool
) -> list[Block]:
    """Return what a policy is for, with warnings; if `in_full`, also who may attach it and the narrower ones."""
    if notes is None:
        return [*map(note, _remarks(entry, "", with_reasons=True))]
    note_count = len(notes.notes) + len(notes.disagreements) + len(symptoms)
    hint = f" (i: {note_count} notes)" if note_count > 1 and not in_full else ""
    successors = ", ".join(notes.superseded_by)
    if successors and in_full and notes.supersession:
        successors += f". {notes.supersession}"
    blocks: list[Block] = [Sentence((notes.purpose, Span(hint, "muted", media="app")))]
    if in_full:
        blocks.append(Sentence(_attached_to(notes)))
    blocks += map(note, _remarks(entry, successors, with_reasons=True))
    if in_full and notes.narrower:
        blocks.append(Sentence(f"Narrower: {', '.join(notes.narrower)}."))
    if in_full and notes.unused:
        blocks.append(Sentence(f"No longer used by EKS: {', '.join(notes.unused)}."))
    return blocks


def notes_blocks(notes: PolicyKnowledge | None, symptoms: Sequence[Symptom]) -> list[Block]:
    """Return what is worth knowing, known incidents, and where AWS's description differs from the document."""
    return [
        *section("Worth knowing", [Node(text) for text in (notes.notes if notes else ())]),
        *section(
            "What people are paged for",
            [Node((Span(f"{symptom.symptom}: ", "strong"), symptom.answer)) for symptom in symptoms],
        ),
        *section("Where AWS's text differs", [Node(text) for text in (notes.disagreements if notes else ())]),
    ]


def _attached_to(notes: PolicyKnowledge) -> str:
    if notes.service_linked_role:
        return f"Attached to the service-linked role {notes.service_linked_role}; nobody else may attach it."
    restriction = "" if notes.attachable else " Only AWS attaches it."
    return f"For: {', '.join(notes.attached_to)}.{restriction}"


def version_blocks(policy: Policy, version: int, parameters: Mapping[str, str | None]) -> list[Block]:
    """Return which version it is, and which parameters are not filled in."""
    info = next(info for info in policy.versions if info.number == version)
    head: list[Block] = [Heading(f"{policy.name} {version_label(version)}", 1), Sentence(code(policy.address))]
    if policy.home:
        return [*head, Sentence(release_words(policy, info)), *_parameters(parameters)]
    day = f"created {info.created:%Y-%m-%d}" if info.created else "date unknown"
    rank = "default version" if version == policy.default_version else "not the default version"
    return [*head, Sentence(f"{rank}, {day}")]


def release_words(policy: Policy, info: VersionInfo) -> str:
    """Return the releases that have a document, such as `unchanged from v2.13.0 (2025-05-06) to v3.5.0`."""
    first = version_label(info.number)
    day = f" ({info.created:%Y-%m-%d})" if info.created else ""
    newest = ", the newest release known" if info == policy.versions[-1] else ""
    if info.through in (None, first):
        return f"only in {first}{day}{newest}"
    return f"unchanged from {first}{day} to {info.through}{newest}"


def _parameters(parameters: Mapping[str, str | None]) -> list[Block]:
    words, missing_parameters = filled_in(parameters)
    blocks: list[Block] = [Sentence(f"filled in: {words}")] if words else []
    return (
        [*blocks, Sentence(f"not filled in (--param NAME=VALUE): {missing_parameters}")]
        if missing_parameters
        else blocks
    )


def broken_words(rule: DocumentError) -> str:
    """Return that a document published by AWS breaks IAM's grammar."""
    return f"AWS published this version although IAM's grammar does not allow it: {rule.message}"


def document_remarks(name: str, size: str, parameters: Mapping[str, str | None]) -> list[str]:
    """Return warnings about a document: that it is too large, and which parameters are not filled in."""
    hint = " (--terraform and --cloudformation do)" if size.endswith("split it in two") else ""
    remarks = [f"{name} has {size}{hint}."] if size else []
    _, missing_parameters = filled_in(parameters)
    return [*remarks, f"Not filled in (--param NAME=VALUE): {missing_parameters}."] if missing_parameters else remarks


def trimmed_remarks(name: str, result: TrimmedDocument, reasons: Mapping[str, str | None]) -> list[str]:
    """Return what was left out of a policy, and why; `reasons` are by service prefix."""
    if not result.dropped:
        return [f"Nothing is left out: no service of {name} is known to be unused by EKS."]
    return [
        f"Left out {', '.join(actions)}: {reason or 'EKS no longer uses the service.'}"
        for service, reason in reasons.items()
        if (actions := [action for action in result.dropped if action.lower().startswith(f"{service}:")])
    ]


class RemainingService(NamedTuple):
    """A service with actions that are not allowed."""

    service: str


def remaining_blocks(remaining: Remaining, open_services: Collection[str]) -> list[Block]:
    """Return the services with actions that are not allowed (listed for opened ones), then those with none allowed."""
    nodes = [
        Node(
            (Span(service, "strong"), f"  {len(actions)} actions"),
            _levels(actions) if service in open_services else (),
            RemainingService(service),
            ("remaining", service),
            opened=service in open_services,
        )
        for service, actions in remaining.actions.items()
    ]
    return [
        Sentence((Span("Not allowed by this version", "strong"), Span(" (v goes back)", "strong", media="app"))),
        Tree(nodes),
        Heading(f"Nothing is allowed in {len(remaining.services)} other services"),
        muted(", ".join(remaining.services)),
    ]


def _levels(actions: Collection[ActionInfo]) -> list[Node]:
    from ekstui.iam.reference import LEVELS  # only for what is not allowed

    actions_by_level = sorted(
        actions, key=lambda info: (LEVELS.index(info.level) if info.level in LEVELS else 9, info.name)
    )
    return [
        Node(
            Span(level, level_style(level)),
            [Node(info.name.partition(":")[2], value=info, key=("missing", info.name)) for info in group],
        )
        for level, group in groupby(actions_by_level, key=lambda info: info.level)
    ]
