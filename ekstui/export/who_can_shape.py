"""Who can do something as JSON."""

from ekstui.core.policy import format_time, version_label
from ekstui.core.principals import PrincipalCan, PrincipalsCan
from ekstui.core.who_can import Holder, WhoCan
from ekstui.export.account_shapes import use_shape
from ekstui.export.shapes import Shape, data_shape, grant_shape
from ekstui.library import DataStatus


def who_can_shape(data: DataStatus, answer: WhoCan, principals: PrincipalsCan | None = None) -> Shape:
    """Return the answer of `who-can`, with who in the account may do it where that is known."""
    shape: Shape = {
        "data": data_shape(data),
        "action": answer.action,
        "level": answer.level,
        "policies": [_holder(holder) for holder in answer.holders],
    }
    if principals is not None:
        shape["account"] = principals.identity.account
        shape["fetched_at"] = format_time(principals.fetched_at)
        shape["complete"] = principals.complete
        shape["principals"] = [_principal(each) for each in principals.principals]
        shape["taken_away"] = [
            {"kind": each.subject.kind, "name": each.subject.name, "arn": each.subject.arn, "by": list(each.reasons)}
            for each in principals.taken
        ]
        shape["not_looked_at"] = list(principals.not_looked_at)
    return shape


def _holder(holder: Holder) -> Shape:
    return {
        "policy": holder.policy.name,
        "version": version_label(holder.version),
        "since": {
            "version": version_label(holder.since.version),
            "created": format_time(holder.since.created),
            "at_latest": holder.since.at_latest,
        },
        "wider": [
            {
                "version": version_label(wider.version),
                "created": format_time(wider.created),
                "without": list(wider.without),
            }
            for wider in holder.wider
        ],
        "kind": holder.policy.kind,
        "pattern": holder.pattern,
        "via": holder.via,
        "grants": [grant_shape(grant) for grant in holder.grants],
        "denied": holder.denied,
        "covers": list(holder.covers),
        "lacks": list(holder.lacks),
    }


def _principal(each: PrincipalCan) -> Shape:
    subject = each.subject
    return {
        "kind": subject.kind,
        "name": subject.name,
        "arn": subject.arn,
        "used_by": [use_shape(use) for use in subject.used_by],
        "through": [
            {"policy": policy.policy, "version": None if policy.version is None else version_label(policy.version)}
            for policy in each.through
        ],
        "verdict": each.verdict,
        "depends_on": list(each.reasons),
        "last_used": format_time(subject.last_used),
    }
