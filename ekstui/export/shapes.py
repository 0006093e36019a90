"""Values as the JSON that commands print and the app exports; the names are a promise to scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekstui.core.document import serialise_conditions
from ekstui.core.policy import format_time, version_label

if TYPE_CHECKING:
    # Every command imports this module, and no command needs the modules of all these values.
    from ekstui.core.change import GrantDifference
    from ekstui.core.grants import Grant
    from ekstui.core.steps import FeedStep, Step, StepCounts
    from ekstui.core.summary import ActionSummary, ServiceSummary
    from ekstui.library import CacheInfo, ComparedSide, Comparison, DataStatus, PolicyEntry
    from ekstui.library.syncing import SyncReport
    from ekstui.store.accounts import StoredAccount

Shape = dict[str, object]


def data_shape(data: DataStatus) -> Shape:
    """Return what an answer rests on."""
    return {
        "source": data.source,
        "partition": data.partition,
        "newest": format_time(data.newest),
        "synced_at": format_time(data.synced_at),
        "reference": data.reference,
    }


def list_shape(data: DataStatus, entries: Sequence[PolicyEntry]) -> Shape:
    """Return the answer of `list`."""
    return {"data": data_shape(data), "policies": [_entry(entry) for entry in entries]}


def _entry(entry: PolicyEntry) -> Shape:
    policy = entry.policy
    return {
        "name": policy.name,
        "arn": policy.arn,
        "path": policy.path,
        "default_version": version_label(policy.default_version),
        "versions": len(policy.versions),
        "created": format_time(policy.created),
        "updated": format_time(policy.updated),
        "kind": policy.kind,
        "scope": entry.scope,
        "attachable": policy.attachable,
        "superseded_by": entry.superseded_by,
    }


def grant_shape(grant: Grant) -> Shape:
    """Return one grant."""
    return {
        "resource_element": grant.resource_element,
        "resources": list(grant.resources),
        "conditions": serialise_conditions(grant.conditions),
    }


def show_shape(
    data: DataStatus,
    entry: PolicyEntry,
    version: int,
    document: object,
    services: Sequence[ServiceSummary],
    reasons: Mapping[str, str],
) -> Shape:
    """Return the answer of `show`; `document` is the JSON value as IAM has it."""
    policy = entry.policy
    return {
        "data": data_shape(data),
        "policy": policy.name,
        "arn": policy.arn,
        "version": version_label(version),
        "default": version == policy.default_version,
        "created": format_time(next(info.created for info in policy.versions if info.number == version)),
        "document": document,
        "services": [_service(service, reasons.get(service.service)) for service in services],
    }


def _service(service: ServiceSummary, reason: str | None) -> Shape:
    return {
        "service": service.service,
        "effect": service.effect,
        "access": service.access,
        "levels": {level: {"granted": count.granted, "total": count.total} for level, count in service.levels.items()},
        "resource": service.resource,
        "condition": service.condition,
        "warnings": list(service.warnings),
        "reason": reason,
        "actions": [_action(action) for action in service.actions],
    }


def _action(action: ActionSummary) -> Shape:
    return {
        "action": action.action,
        "level": action.level,
        "grants": [grant_shape(grant) for grant in action.grants],
        "patterns": list(action.patterns),
        "sids": list(action.sids),
        "denied": action.denied,
        "warnings": list(action.warnings),
    }


def versions_shape(data: DataStatus, entry: PolicyEntry, steps: Sequence[Step]) -> Shape:
    """Return the answer of `versions`, oldest first."""
    return {
        "data": data_shape(data),
        "policy": entry.policy.name,
        "arn": entry.policy.arn,
        "versions": [
            {
                "version": version_label(step.version),
                "created": format_time(step.created),
                "default": step.default,
                "missing_before": [version_label(number) for number in step.missing_before],
                "change": None if step.change is None else counts_shape(step.change),
            }
            for step in steps
        ],
    }


def counts_shape(counts: StepCounts) -> Shape:
    """Return what a step changed, as counts."""
    return {
        "kind": counts.kind,
        "reach": counts.reach,
        "added": counts.added,
        "removed": counts.removed,
        "changed": counts.changed,
    }


def diff_shape(data: DataStatus, comparison: Comparison) -> Shape:
    """Return the answer of `diff`."""
    change = comparison.change
    return {
        "data": data_shape(data),
        "before": _side(comparison.before),
        "after": _side(comparison.after),
        "kind": change.kind,
        "reach": change.reach,
        "verdict": change.verdict,
        "notes": list(change.notes),
        "added": [_one_side(difference, difference.after) for difference in change.added],
        "removed": [_one_side(difference, difference.before) for difference in change.removed],
        "changed": [
            {
                **_subject(difference),
                "before": [grant_shape(grant) for grant in difference.before],
                "after": [grant_shape(grant) for grant in difference.after],
            }
            for difference in change.changed
        ],
    }


def _side(side: ComparedSide) -> Shape:
    return {
        "label": side.label,
        "policy": side.policy.name if side.policy else None,
        "arn": side.policy.arn if side.policy else None,
        "version": None if side.version is None else version_label(side.version),
        "created": format_time(side.created),
    }


def _subject(difference: GrantDifference) -> Shape:
    return {"effect": difference.effect, "element": difference.element, "actions": list(difference.actions)}


def _one_side(difference: GrantDifference, grants: Sequence[Grant]) -> Shape:
    return {**_subject(difference), "grants": [grant_shape(grant) for grant in grants]}


def changes_shape(data: DataStatus, steps: Sequence[FeedStep], *, complete: bool) -> Shape:
    """Return the answer of `changes`, newest first."""
    return {
        "data": data_shape(data),
        "complete": complete,
        "changes": [
            {
                "policy": step.policy,
                "version": version_label(step.version),
                "previous": None if step.previous is None else version_label(step.previous),
                "created": format_time(step.created),
                **counts_shape(step.change),
            }
            for step in steps
        ],
    }


def sync_shape(report: SyncReport) -> Shape:
    """Return the answer of `sync`."""
    return {
        "source": report.source,
        "partition": report.partition,
        "complete": report.complete,
        "known_until": format_time(report.known_until),
        "new_policies": list(report.new_policies),
        "new_versions": [{"policy": name, "version": version_label(number)} for name, number in report.new_versions],
        "conflicts": [{"policy": name, "version": version_label(number)} for name, number in report.conflicts],
        "withdrawn": list(report.withdrawn),
        "skipped": [{"place": entry.place, "reason": entry.reason} for entry in report.skipped],
    }


def cache_shape(info: CacheInfo, snapshots: Sequence[StoredAccount]) -> Shape:
    """Return the answer of `cache info`."""
    return {
        "path": str(info.path),
        "corpus": {
            "source": info.source,
            "newest": format_time(info.newest),
            "policies": info.policies,
            "versions": info.versions,
        },
        "synced_at": format_time(info.synced_at),
        "accounts": [
            {"account": entry.account, "partition": entry.partition, "fetched_at": format_time(entry.fetched_at)}
            for entry in snapshots
        ],
        "size_bytes": info.size,
    }
