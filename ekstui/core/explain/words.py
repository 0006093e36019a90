"""Explanations in words, for both front ends."""

from ekstui.core.evaluation import Failure, Verdict
from ekstui.core.explain.explanation import NearStatement
from ekstui.core.policy import version_label

_VERDICTS: dict[Verdict, str] = {
    "allowed": "allowed by the policies looked at",
    "explicit-deny": "denied explicitly: a Deny counts more than any Allow",
    "implicit-deny": "denied: nothing allows it",
    "depends": "depends on what was not told",
}


_SIMULATED = {"allowed": "allowed", "explicitDeny": "denied explicitly", "implicitDeny": "denied, nothing allows it"}


def simulated_in_words(decision: str) -> str:
    """Return what IAM's simulator decided (`allowed`, `explicitDeny`, `implicitDeny`) in words."""
    return _SIMULATED.get(decision, decision)


def verdict_in_words(verdict: Verdict) -> str:
    """Return what a verdict means."""
    return _VERDICTS[verdict]


def statement_in_words(near: NearStatement) -> str:
    """Return which statement it is, such as `AmazonEBSCSIDriverPolicy v2, statement 4`."""
    version = "" if near.version is None else f" {version_label(near.version)}"
    layer = "" if near.layer == "identity" else f" ({near.layer})"
    deny = ", a Deny" if near.effect == "Deny" else ""
    return f"{near.policy}{version}, {near.sid or f'statement {near.index + 1}'}{layer}{deny}"


def failure_in_words(failure: Failure) -> str:
    """Return what a statement asks for and what the request has."""
    if failure.part == "effect":
        return "it denies the request"
    wanted = " or ".join(failure.wanted) or "nothing"
    if failure.given is None:
        given = "not told"
    elif failure.given:
        given = f"the request has {', '.join(failure.given)}"
    else:
        given = "the request does not have the key"
    subject = f"condition {failure.key}" if failure.part == "condition" else failure.part
    return f"{subject}: {failure.operator} {wanted}; {given}"
