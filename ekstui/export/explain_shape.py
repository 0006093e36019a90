"""The JSON of `ekstui explain`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ekstui.core.denial import Cause
from ekstui.core.document import serialise_statement
from ekstui.core.evaluation import Failure
from ekstui.core.explain import Allower, Explanation, NearStatement, NewerVersion
from ekstui.core.explain.words import decode_command
from ekstui.core.policy import format_time, version_label
from ekstui.core.trust import ServiceAccount
from ekstui.export.shapes import Shape, data_shape
from ekstui.library import DataStatus

if TYPE_CHECKING:
    from ekstui.core.account import Use
    from ekstui.core.explain.trust import TrustJudgement
    from ekstui.sources.aws.simulation import SimulatedDecision


def explain_shape(
    data: DataStatus, explanations: Sequence[Explanation], simulated: Sequence[SimulatedDecision] | None = None
) -> Shape:
    """Return the answer of `explain`, or `answers` where a message has several denials.

    `simulated` is what IAM's own simulator said of the first, None if it was not asked.
    """
    first, *others = explanations
    shape = {"data": data_shape(data), **_explanation(first, simulated)}
    if not others:
        return shape
    return {"answers": [shape, *({"data": data_shape(data), **_explanation(each, None)} for each in others)]}


def _explanation(explanation: Explanation, simulated: Sequence[SimulatedDecision] | None) -> Shape:
    smallest = explanation.smallest_statement
    return {
        "verdict": explanation.verdict,
        "action": explanation.action,
        "resource": explanation.resource,
        "principal": explanation.principal,
        "cause": None if explanation.cause is None else _cause(explanation.cause),
        "nearest": [_near(near) for near in explanation.nearest],
        "missing_context": list(explanation.missing_context),
        "allowed_by": [_allower(allower) for allower in explanation.allowed_by],
        "allowed_by_more": explanation.allowed_by_more,
        "newer_version": None if explanation.newer_version is None else _newer(explanation.newer_version),
        "smallest_statement": None if smallest is None else serialise_statement(smallest),
        "not_looked_at": list(explanation.not_looked_at),
        "used_by": [_use(use) for use in explanation.used_by],
        "notes": list(explanation.notes),
        "hints": [
            {"action": hint.action, "needs": list(hint.needs), "text": hint.text, "source": hint.source}
            for hint in explanation.hints
        ],
        "also_authorised_on": [
            {"resource_type": use.name, "required": use.required} for use in explanation.also_authorised_on
        ],
        "simulated": None if simulated is None else [_simulated(decision) for decision in simulated],
        "decode_command": None if explanation.encoded is None else decode_command(explanation.encoded),
        "role": explanation.role,
        "trust": None if explanation.trust is None else _trust(explanation.trust),
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "text": finding.text,
                "evidence": list(finding.evidence),
            }
            for finding in explanation.findings
        ],
        "symptoms": [
            {
                "symptom": symptom.symptom,
                "answer": symptom.answer,
                "policies": list(symptom.policies),
                "actions": list(symptom.actions),
                "source": symptom.source,
            }
            for symptom in explanation.symptoms
        ],
    }


def _trust(trust: TrustJudgement) -> Shape:
    return {
        "role": trust.role,
        "verdict": trust.verdict,
        "caller": {
            "kind": trust.caller.kind,
            "name": trust.caller.name,
            "subject": trust.caller.subject,
            "audience": trust.caller.audience,
        },
        "may_assume": list(trust.may_assume),
        "service_accounts": [
            {
                "issuer": token.issuer,
                "namespace": account.namespace,
                "name": account.name,
                "pattern": account.pattern,
                "never_matches": account.never_matches,
            }
            for token in trust.wanted
            for account in token.service_accounts or (ServiceAccount("*", pattern=True),)
        ],
    }


def _simulated(decision: SimulatedDecision) -> Shape:
    return {
        "action": decision.action,
        "resource": decision.resource,
        "decision": decision.decision,
        "missing_context": list(decision.missing_context),
        "matched": list(decision.matched),
        "allowed_by_organisation": decision.allowed_by_organisation,
        "allowed_by_boundary": decision.allowed_by_boundary,
    }


def _use(use: Use) -> Shape:
    # 20 ms, for what only a question about the account has.
    from ekstui.export.account_shapes import use_shape

    return use_shape(use)


def _cause(cause: Cause) -> Shape:
    return {"policy_type": cause.policy_type, "explicit": cause.explicit, "policy": cause.policy}


def _near(near: NearStatement) -> Shape:
    return {
        "policy": near.policy,
        "version": None if near.version is None else version_label(near.version),
        "sid": near.sid,
        "index": near.index,
        "effect": near.effect,
        "layer": near.layer,
        "matches": near.matches,
        "failed": [_failure(failure) for failure in near.failed],
    }


def _failure(failure: Failure) -> Shape:
    return {
        "part": failure.part,
        "key": failure.key,
        "operator": failure.operator,
        "wanted": list(failure.wanted),
        "given": None if failure.given is None else list(failure.given),
    }


def _allower(allower: Allower) -> Shape:
    return {
        "policy": allower.policy,
        "version": version_label(allower.version),
        "since": {
            "version": version_label(allower.since.version),
            "created": format_time(allower.since.created),
            "at_latest": allower.since.at_latest,
        },
        "depends_on": list(allower.missing),
        "wildcard": allower.wildcard,
        "scope": "eks" if allower.in_eks_scope else "aws",
    }


def _newer(newer: NewerVersion) -> Shape:
    return {
        "policy": newer.policy,
        "current": version_label(newer.current),
        "version": version_label(newer.version),
        "created": format_time(newer.created),
        **({"depends_on": list(newer.missing)} if newer.missing else {}),
    }
